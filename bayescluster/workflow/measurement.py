"""Latent capitals to what a report says of them; every number among the estimands of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.invariance import Departure, departures
from bayescluster.checks.thresholds import LOADING_DIFFERENCE, SHIFT
from bayescluster.design.record import Design
from bayescluster.estimands.measurement import (
    capital_correlation,
    flat_draws,
    omega,
    posterior_spread,
    prior_spread,
    standardised_loadings,
)
from bayescluster.estimands.summary import estimate, estimates
from bayescluster.model.measurement import BACKGROUND_SD, CLUSTER_MEAN_SD, latent_capitals
from bayescluster.names import CHAIN, background, capital_cluster_sd, on_other
from bayescluster.results.facts import (
    Coefficient,
    DepartureRow,
    Loading,
    Measured,
    Measurement,
)


class MeasuredDraws(NamedTuple):
    """What the draws say of one latent capital."""

    capital: str
    loadings: Array
    prior_loadings: Array
    background: tuple[tuple[str, str, Array], ...]
    """Name, prior in words, and draws ``(draw,)``."""
    departures: tuple[Departure, ...]


class MeasurementDraws(NamedTuple):
    """What the draws say of all latent capitals; ``correlation`` is ``(draw,)``."""

    chains: int
    capitals: tuple[MeasuredDraws, ...]
    correlation: Array


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
    found = {"correlation of the capitals": drawn.correlation}
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
        correlation=estimates(drawn.correlation[:, None], drawn.chains)[0],
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
