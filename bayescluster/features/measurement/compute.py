"""Latent capitals to what a report says of them; every number among the estimands of the gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import LOADING_DIFFERENCE, SHIFT
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimate, estimates, interval
from bayescluster.estimands.scopes import Groups, declared_groups
from bayescluster.model.evaluate import CELLS_A_CHUNK
from bayescluster.model.priors import BACKGROUND_SD, CLUSTER_MEAN_SD, latent_capitals
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    CLUSTER,
    DRAW,
    background,
    capital_cluster_sd,
    item_errors,
    item_intercepts,
    item_loadings,
    item_thresholds,
    on_other,
    raw_mean,
    raw_sd,
)
from bayescluster.results.facts import Coefficient, DepartureRow, Loading, Measured, Measurement

LOGISTIC_VARIANCE = np.pi**2 / 3
"""Variance of the response behind a binary or ordinal indicator, given the capital."""


def flat_draws(group: xr.Dataset, name: str) -> Array:
    """Draws of a variable, the chains one after the other: ``(draw, ...)``."""
    values = group[name].transpose(CHAIN, DRAW, ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")


def standardised_loadings(design: Design, group: xr.Dataset, capital: str, spread: Array) -> Array:
    """Correlation of each indicator with the capital, as the model has it, ``(draw, item)``.

    Of a binary or ordinal indicator it is that of the continuous response behind it, whose errors
    are logistic: ``loading * spread / sqrt((loading * spread)^2 + error variance)``.
    """
    items = design.items(capital)
    signal = flat_draws(group, item_loadings(capital)) * spread[:, None]
    error = np.full(signal.shape, LOGISTIC_VARIANCE)
    if items.continuous:
        error[:, items.continuous] = flat_draws(group, item_errors(capital)) ** 2
    return np.asarray(signal / np.sqrt(signal**2 + error))


def omega(loadings: Array) -> Array:
    """Reliability of the sum of the standardised indicators, ``(draw,)``.

    McDonald (1999): the squared sum of the standardised loadings over itself plus the error
    variances; of binary and ordinal indicators, of the responses behind them.
    """
    common = loadings.sum(axis=1) ** 2
    return np.asarray(common / (common + (1.0 - loadings**2).sum(axis=1)))


def posterior_spread(posterior: xr.Dataset, capital: str) -> Array:
    """Standard deviation of the raw capital over the sample, ``(draw,)``."""
    return flat_draws(posterior, raw_sd(capital))


def prior_spread(design: Design, prior: xr.Dataset, capital: str) -> Array:
    """Standard deviation of the raw capital that the prior implies, ``(draw,)``.

    In prior draws the capitals themselves have seen the indicators; their spread is therefore put
    together from its parts: residual, clusters, controls and the other capital.
    """
    size = prior.sizes[CHAIN] * prior.sizes[DRAW]
    variance = np.ones(size)
    if capital_cluster_sd(capital) in prior:
        shares = np.bincount(design.index(CLUSTER)) / design.size
        variance += flat_draws(prior, capital_cluster_sd(capital)) ** 2 * (1 - (shares**2).sum())
    if background(capital) in prior:
        columns = np.column_stack(list(design.background.values()))
        beta = flat_draws(prior, background(capital))
        variance += (beta @ np.cov(columns.T).reshape(2 * (columns.shape[1],)) * beta).sum(axis=1)
    if on_other(capital) in prior:
        variance += flat_draws(prior, on_other(capital)) ** 2
    return np.sqrt(variance)


def capital_correlation(design: Design, posterior: xr.Dataset) -> Array | None:
    """Correlation of the two capitals over the rows at each draw, ``(draw,)``; none where one is measured.

    It is free of the errors of the indicators, which pull the correlation of scores towards 0.
    """
    if len(design.analysis.constructs) < len(CAPITALS):
        return None
    human, social = (
        flat_draws(posterior, capital) if design.is_latent(capital) else observed[None, :]
        for capital, observed in zip(CAPITALS, design.capitals, strict=True)
    )
    human = human - human.mean(axis=1, keepdims=True)
    social = social - social.mean(axis=1, keepdims=True)
    spread = np.sqrt((human**2).sum(axis=1) * (social**2).sum(axis=1))
    return np.asarray((human * social).sum(axis=1) / spread)


FEWEST = 10
"""Groups with fewer answers to an indicator than this are not looked at."""


class Departure(NamedTuple):
    """Draws of how far an indicator lies off in a group, ``(draw,)``.

    ``shift`` is in standard deviations of the indicator; ``loading`` is the same per standard
    deviation of the capital.
    """

    by: str
    group: str
    indicator: str
    measure: str
    rows: int
    draws: Array

    @property
    def flagged(self) -> bool:
        """Whether the 90% interval leaves 0 out and the size is worth telling."""
        low, high = interval(self.draws)
        least = SHIFT[self.by] if self.measure == "shift" else LOADING_DIFFERENCE
        return bool((low > 0 or high < 0) and abs(self.draws.mean()) > least)


class _Residuals(NamedTuple):
    """Residuals of an indicator and their variances in its standard deviations, ``(draw, row)``."""

    residual: Array
    variance: Array


def departures(
    design: Design, posterior: xr.Dataset, capital: str, rng: np.random.Generator
) -> list[Departure]:
    """Shifts of indicators by industry and cluster, and differences of loadings by industry."""
    groups = [found for found in declared_groups(design) if found.by in SHIFT]
    levels = flat_draws(posterior, capital)
    found: list[Departure] = []
    for position in range(len(design.items(capital).columns)):
        for one in groups:
            found += _of_item(design, posterior, (capital, position), (levels, one, rng))
    return found


def _of_item(
    design: Design,
    posterior: xr.Dataset,
    which: tuple[str, int],
    means: tuple[Array, Groups, np.random.Generator],
) -> Iterator[Departure]:
    capital, position = which
    levels, groups, rng = means
    items = design.items(capital)
    answered = np.flatnonzero(np.isfinite(items.values[:, position]))
    members = groups.members[answered].astype("float64")  # (row, group)
    counts = members.sum(axis=0)
    shape = (levels.shape[0], counts.size)
    shifts, slopes = np.empty(shape), np.empty(shape)
    step = max(1, CELLS_A_CHUNK // answered.size)
    for start in range(0, shape[0], step):
        part = slice(start, start + step)
        found = _residuals(design, posterior, which, levels[part][:, answered], part)
        with np.errstate(divide="ignore", invalid="ignore"):
            shifts[part], slopes[part] = _fitted(found, levels[part][:, answered], members, rng)
    for k, label in enumerate(groups.labels):
        if counts[k] >= FEWEST:
            told = (groups.by, label, items.columns[position])
            yield Departure(*told, "shift", int(counts[k]), shifts[:, k])
            if groups.by == "industry":
                yield Departure(*told, "loading", int(counts[k]), slopes[:, k])


def _fitted(
    found: _Residuals, levels: Array, members: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Mean residual of each group and its slope on the capital, ``(draw, group)``, with errors."""
    residual, variance = found
    counts = members.sum(axis=0)
    mean = residual @ members / counts
    error = np.sqrt(variance @ members) / counts
    shift = mean + error * rng.normal(size=mean.shape)
    middle = levels @ members / counts
    spread = levels**2 @ members - counts * middle**2
    slope = ((levels * residual) @ members - counts * middle * mean) / spread
    moments = [(levels**power * variance) @ members for power in (0, 1, 2)]
    total = np.maximum(moments[2] - 2 * middle * moments[1] + middle**2 * moments[0], 0.0)
    return shift, slope + np.sqrt(total) / spread * rng.normal(size=mean.shape)


def _residuals(
    design: Design, posterior: xr.Dataset, which: tuple[str, int], levels: Array, part: slice
) -> _Residuals:
    """Answers less their expectation given the capital; ``levels`` is ``(draw, row)``."""
    capital, position = which
    items = design.items(capital)
    values = items.values[:, position]
    values = values[np.isfinite(values)]

    def drawn(name: str) -> Array:
        return flat_draws(posterior, name)[part]

    raw = drawn(raw_mean(capital))[:, None] + drawn(raw_sd(capital))[:, None] * levels
    eta = drawn(item_loadings(capital))[:, [position]] * raw
    if not items.levels[position]:
        k = items.continuous.index(position)
        residual = values - drawn(item_intercepts(capital))[:, [k]] - eta
        error = drawn(item_errors(capital))[:, [k]] ** 2
        return _Residuals(residual, np.broadcast_to(error, residual.shape))
    cut = drawn(item_thresholds(capital, items.columns[position]))
    mean, square = np.zeros_like(eta), np.zeros_like(eta)
    for k in range(cut.shape[1]):
        # of a count of thresholds passed: E x = sum P(x >= k), E x^2 = sum (2k - 1) P(x >= k)
        passed = 1.0 / (1.0 + np.exp(cut[:, [k]] - eta))
        mean += passed
        square += (2 * k + 1) * passed
    unit = values.std(ddof=1)
    return _Residuals((values - mean) / unit, (square - mean**2) / unit**2)


class MeasuredDraws(NamedTuple):
    """What the draws say of one latent capital."""

    capital: str
    loadings: Array
    prior_loadings: Array
    background: tuple[tuple[str, str, Array], ...]
    """Name, prior in words, and draws ``(draw,)``."""
    departures: tuple[Departure, ...]


class MeasurementDraws(NamedTuple):
    """What the draws say of all latent capitals; ``correlation`` of two is ``(draw,)``."""

    chains: int
    capitals: tuple[MeasuredDraws, ...]
    correlation: Array | None


def measurement_draws(
    design: Design, tree: xr.DataTree, rng: np.random.Generator
) -> MeasurementDraws | None:
    """Read latent capitals from a fit; nothing where both are observed."""
    if not latent_capitals(design):
        return None
    posterior, prior = (tree[name].to_dataset() for name in ("posterior", "prior"))
    found = []
    for capital in latent_capitals(design):
        spread = posterior_spread(posterior, capital), prior_spread(design, prior, capital)
        found.append(
            MeasuredDraws(
                capital,
                standardised_loadings(design, posterior, capital, spread[0]),
                standardised_loadings(design, prior, capital, spread[1]),
                tuple(_background(design, posterior, capital)),
                tuple(departures(design, posterior, capital, rng)),
            )
        )
    correlation = capital_correlation(design, posterior)
    return MeasurementDraws(posterior.sizes[CHAIN], tuple(found), correlation)


def _background(
    design: Design, posterior: xr.Dataset, capital: str
) -> list[tuple[str, str, Array]]:
    found = []
    if capital_cluster_sd(capital) in posterior:
        draws = flat_draws(posterior, capital_cluster_sd(capital))
        found.append(("sd of clusters", f"HalfNormal({CLUSTER_MEAN_SD:g})", draws))
    normal = f"Normal(0, {BACKGROUND_SD:g})"
    if background(capital) in posterior:
        columns = flat_draws(posterior, background(capital)).T
        found += [(name, normal, v) for name, v in zip(design.background, columns, strict=True)]
    if on_other(capital) in posterior:
        found.append(("the other capital", normal, flat_draws(posterior, on_other(capital))))
    return found


def measurement_estimands(design: Design, drawn: MeasurementDraws | None) -> dict[str, Array]:
    """Every number of the measurement that is reported, by name, ``(draw,)`` each."""
    if drawn is None:
        return {}
    found: dict[str, Array] = {}
    if drawn.correlation is not None:
        found["correlation of the capitals"] = drawn.correlation
    for one in drawn.capitals:
        name = one.capital
        found[f"reliability of {name}"] = omega(one.loadings)
        for item, draws in zip(design.items(name).columns, one.loadings.T, strict=True):
            found[f"standardised loading of {item} on {name}"] = draws
        for each in one.departures:
            label = f"{each.measure} of {each.indicator} ({each.by} {each.group})"
            found[f"{label} of {name}"] = each.draws
    return found


def measurement_facts(design: Design, drawn: MeasurementDraws | None) -> Measurement | None:
    """Summarise the measurement for the report."""
    if drawn is None:
        return None
    return Measurement(
        capitals=tuple(_measured(design, one, drawn.chains) for one in drawn.capitals),
        correlation=None
        if drawn.correlation is None
        else estimates(drawn.correlation[:, None], drawn.chains)[0],
        shift_least=dict(SHIFT),
        loading_least=LOADING_DIFFERENCE,
    )


def _measured(design: Design, one: MeasuredDraws, chains: int) -> Measured:
    return Measured(
        capital=one.capital,
        loadings=_loadings(design, one, chains),
        reliability=estimates(omega(one.loadings)[:, None], chains)[0],
        reliability_prior=estimate(omega(one.prior_loadings)),
        background=_coefficients(one.background, chains),
        departures=_departures(one.departures, chains),
    )


def _loadings(design: Design, one: MeasuredDraws, chains: int) -> tuple[Loading, ...]:
    items = design.items(one.capital)
    answered = np.isfinite(items.values).sum(axis=0)
    known = estimates(one.loadings, chains)
    return tuple(
        Loading(
            indicator=column,
            kind={0: "continuous", 2: "binary"}.get(items.levels[k], "ordinal"),
            levels=items.levels[k],
            answered=int(answered[k]),
            estimate=known[k],
            prior=estimate(one.prior_loadings[:, k]),
        )
        for k, column in enumerate(items.columns)
    )


def _coefficients(found: Sequence[tuple[str, str, Array]], chains: int) -> tuple[Coefficient, ...]:
    if not found:
        return ()
    known = estimates(np.column_stack([draws for *_, draws in found]), chains)
    return tuple(
        Coefficient(block="background", name=name, prior=prior, estimate=each)
        for (name, prior, _), each in zip(found, known, strict=True)
    )


def _departures(found: Sequence[Departure], chains: int) -> tuple[DepartureRow, ...]:
    if not found:
        return ()
    known = estimates(np.column_stack([each.draws for each in found]), chains)
    return tuple(
        DepartureRow(
            by=each.by,
            group=each.group,
            indicator=each.indicator,
            measure=each.measure,
            rows=each.rows,
            estimate=estimated,
            flagged=each.flagged,
        )
        for each, estimated in zip(found, known, strict=True)
    )
