"""How well ceiling models predict and reproduce the distances seen, in numbers and sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayescluster.arrays import Array
from bayescluster.checks.loo import RowScores, row_scores
from bayescluster.checks.thresholds import (
    ELPD_DIFFERENCE_MIN,
    ELPD_DIFFERENCE_SES,
    PREDICTIVE_TAIL,
)
from bayescluster.design.record import Design
from bayescluster.features.ceiling_models import model
from bayescluster.features.ceiling_models.results import CeilingFit, DistanceRow
from bayescluster.lookup import listed
from bayescluster.results.base import INTERVAL

Limits = tuple[float, float]

DRAWS: Final = 800
"""Draws that prediction is judged from, evenly spaced."""
LOGITS: Final = np.linspace(-26.0, 16.0, 169)
"""Nodes over the logit of the place within what is left of the prior above the firms."""
LOGS: Final = np.linspace(-14.0, 0.0, 57)
"""Nodes over the log of the place between the second highest firm of a cluster and the highest."""
AT_ONCE: Final = 4_000_000
"""Densities held at a time."""


class Firms(NamedTuple):
    """What a ceiling model was fitted to: layout, capital, outcome, floor and top."""

    layout: model.Layout
    x: Array
    y: Array
    limits: Limits


def ceiling_scores(kind: model.ModelName, draws: model.CeilingDraws, firms: Firms) -> RowScores:
    """Score every firm by its prediction from the others."""
    some = draws.thinned(DRAWS)
    if kind == "ratio":
        log_density = integrated_log_density(some, firms)
    else:
        c = model.ceilings_of(some, firms.layout, firms.x, firms.limits)
        log_density = model.log_likelihood(kind, some, firms.y, c)
    return row_scores(log_density)


def integrated_log_density(draws: model.CeilingDraws, firms: Firms) -> Array:
    """Log density of each firm given the others of its unit, the unit's height integrated out.

    Returns
    -------
    ndarray
        ``(draw, firm)``.
    """
    log_density = np.empty((draws.size, firms.y.size))
    for unit in range(len(firms.layout.units)):
        members = np.flatnonzero(firms.layout.unit == unit)
        step = max(1, AT_ONCE // (LOGITS.size * members.size))
        for start in range(0, draws.size, step):
            part = slice(start, start + step)
            log_density[part, members] = _of_unit(_Unit.of(draws, part, firms, unit))
    return log_density


class _Unit(NamedTuple):
    """Firms of a unit and the draws that bear on it: ``(firm,)`` and ``(draw,)``."""

    x: Array
    y: Array
    slope: Array
    location: Array
    scale: Array
    al: Array
    be: Array
    limits: Limits

    @classmethod
    def of(cls, draws: model.CeilingDraws, part: slice, firms: Firms, unit: int) -> _Unit:
        members, industry = firms.layout.unit == unit, firms.layout.industry[unit]
        return cls(
            firms.x[members],
            np.maximum(firms.y[members], model.RESOLUTION),
            draws.slope[part, industry],
            draws.location[part, industry],
            model.UNIT_SD * draws.spread[part],
            draws.al[part],
            draws.be[part],
            firms.limits,
        )

    def standard(self, height: Array) -> Array:
        """Height in scales above its location."""
        return np.asarray((height - self.location) / self.scale)

    def height(self, least: Array, logs: tuple[Array, Array]) -> Array:
        """Height at places above a least one, ``(draw, node)``, from ``log u`` and ``log(1 - u)``."""
        log_u, log_rest = logs
        above = np.logaddexp(self.standard(least)[:, None], log_u) - log_rest
        return np.asarray(self.location[:, None] + self.scale[:, None] * above)

    def log_density(self, height: Array) -> Array:
        """Log density of each firm under heights ``(draw, node)``: ``(draw, node, firm)``.

        For heights with no firm above; a firm that is left out anyway may be.
        """
        line = height[..., None] + self.slope[:, None, None] * (self.x - 0.5)
        c = np.clip(line, *self.limits)
        al, be = self.al[:, None, None], self.be[:, None, None]
        return np.asarray(model.log_ratio(model.NUMPY, self.y, c, al, be))


def _of_unit(unit: _Unit) -> Array:
    """Log density of each firm given the others, ``(draw, firm)``."""
    required = np.where(
        unit.y > unit.limits[0], unit.y - unit.slope[:, None] * (unit.x - 0.5), model.LOWEST
    )  # (draw, firm)
    top = np.argmax(required, axis=1)
    rows = np.arange(len(required))
    first = required[rows, top]
    others = required.copy()
    others[rows, top] = model.LOWEST
    second = others.max(axis=1)
    # above the highest firm, by the logit of the place: du = u (1 - u) dw
    log_u, log_rest = -np.logaddexp(0.0, -LOGITS), -np.logaddexp(0.0, LOGITS)
    each = unit.log_density(unit.height(first, (log_u, log_rest)))  # (draw, node, firm)
    weight = log_u + log_rest + np.log(LOGITS[1] - LOGITS[0])
    whole = each.sum(axis=2) + weight  # (draw, node)
    beyond = -np.logaddexp(0.0, unit.standard(first))  # log of the prior above the highest firm
    with_all = beyond + logsumexp(whole, axis=1)
    without = beyond[:, None] + logsumexp(whole[:, :, None] - each, axis=1)  # (draw, firm)
    without[rows, top] = np.logaddexp(without[rows, top], _between(unit, first, second, top))
    return np.asarray(with_all[:, None] - without)


def _between(unit: _Unit, first: Array, second: Array, top: NDArray[np.int64]) -> Array:
    """Log of what lies below the highest firm once it is left out, ``(draw,)``."""
    low, high = (-np.logaddexp(0.0, unit.standard(end)) for end in (second, first))
    # share of the prior above the second firm that lies below the first; none where they tie
    share = np.maximum(-np.expm1(high - low), np.finfo(float).tiny)
    log_u = LOGS + np.log(share)[:, None]
    with np.errstate(divide="ignore"):
        # what is left above is at least what lies above the first firm
        log_rest = np.maximum(np.log1p(-np.exp(log_u)), (high - low)[:, None])
    each = unit.log_density(unit.height(second, (log_u, log_rest)))
    own = np.take_along_axis(each, top[:, None, None], axis=2)[..., 0]
    edge = np.full(LOGS.size, LOGS[1] - LOGS[0])
    edge[-1] /= 2  # by the trapezoidal rule; at the other end there is nothing
    inside = each.sum(axis=2) - own + LOGS + np.log(edge)
    return np.asarray(low + np.log(share) + logsumexp(inside, axis=1))


Statistic = Callable[[Array, Firms], Array]
"""``(shares (draw, firm), firms) -> (draw,)``."""

REPLICATES: Final = 400


def _correlation(shares: Array, firms: Firms) -> Array:
    less = shares - shares.mean(axis=1, keepdims=True)
    x = firms.x - firms.x.mean()
    scale = np.sqrt((less**2).sum(axis=1) * (x**2).sum())
    return np.asarray((less @ x) / np.where(scale > 0, scale, 1.0))


def _between_units(shares: Array, firms: Firms) -> Array:
    sizes = firms.layout.sizes
    member = firms.layout.unit[:, None] == np.arange(sizes.size)
    return np.asarray((shares @ (member / sizes)).std(axis=1))


STATISTICS: Final[dict[str, Statistic]] = {
    "mean": lambda shares, _: shares.mean(axis=1),
    "sd": lambda shares, _: shares.std(axis=1),
    "firms in the lowest tenth": lambda shares, _: (shares < 0.1).mean(axis=1),
    "firms in the highest tenth": lambda shares, _: ((shares >= 0.9) & (shares <= 1)).mean(axis=1),
    "firms above the ceiling": lambda shares, _: (shares > 1 + 1e-9).mean(axis=1),
    "correlation with the capital": _correlation,
    "sd of the means of clusters": _between_units,
}
"""What is compared, of the shares of the ceiling that firms reach."""


def distance_checks(
    kind: model.ModelName, draws: model.CeilingDraws, firms: Firms, rng: np.random.Generator
) -> tuple[DistanceRow, ...]:
    """Compare the distances of firms to their ceilings with replicated ones."""
    some = draws.thinned(REPLICATES)
    c = model.ceilings_of(some, firms.layout, firms.x, firms.limits)
    seen = np.maximum(firms.y, model.RESOLUTION) / c
    again = model.replicated(kind, some, c, rng) / c
    return tuple(
        _row(name, statistic(seen, firms), statistic(again, firms))
        for name, statistic in STATISTICS.items()
        if name != "sd of the means of clusters" or firms.layout.sizes.size > 1
    )


def _row(name: str, observed: Array, again: Array) -> DistanceRow:
    edge = (1 - INTERVAL) / 2
    low, high = np.quantile(again, [edge, 1 - edge])
    tied = np.isclose(again, observed, rtol=1e-9, atol=1e-12)
    tail = float(((again > observed) & ~tied).mean() + 0.5 * tied.mean())
    return DistanceRow(
        statistic=name,
        observed=float(observed.mean()),
        low=float(low),
        high=float(high),
        tail=tail,
        flagged=bool(min(tail, 1 - tail) < PREDICTIVE_TAIL),
    )


HEAP: Final = 0.05
"""Share of firms at an end of the scope of the outcome from which a note mentions it."""


def apart(fit: CeilingFit) -> bool:
    """Whether a model predicts worse than the best, by more than the data leave open."""
    behind = -fit.difference
    return behind >= ELPD_DIFFERENCE_MIN and behind >= ELPD_DIFFERENCE_SES * fit.difference_se


def statement(fits: Sequence[CeilingFit]) -> str:
    """Say which model holds, and how ``d`` of all firms moves between the models."""
    best = next((fit for fit in fits if fit.best), None)
    if best is None:
        return (
            "No ceiling model passed its gate: no effect size is to be read from them. "
            + "; ".join(f"{fit.model}: {', '.join(fit.failing)}" for fit in fits)
            + "."
        )
    of_models = [_only(best)] if len(fits) == 1 else [*_compared(best, fits), _moves(fits)]
    return " ".join([*of_models, *_troubles(fits)])


def _d(fit: CeilingFit) -> str:
    d = fit.effects[0].estimate
    return f"{d.mean:.2f} [{d.low:.2f}, {d.high:.2f}]"


def _only(fit: CeilingFit) -> str:
    return (
        f"Only the {fit.model} ceiling was fitted; under it d of all firms is {_d(fit)}. Whether "
        "another ceiling fits better, and how d would move, is not known: list composed and "
        "contaminated under ceiling_models."
    )


def _compared(best: CeilingFit, fits: Sequence[CeilingFit]) -> Iterator[str]:
    others = [fit for fit in fits if fit is not best and fit.gate_passed]
    alike = [fit.model for fit in others if not apart(fit)]
    worse = [
        f"{fit.model} by {-fit.difference:.1f} (SE {fit.difference_se:.1f})"
        for fit in others
        if apart(fit)
    ]
    if worse:
        yield f"The {best.model} ceiling predicts firms left out better than {listed(worse)} in elpd."
    if alike:
        yield f"The data cannot tell the {best.model} ceiling from {listed(alike)}" + (
            "." if worse else f", though {best.model} has the highest elpd."
        )


def _moves(fits: Sequence[CeilingFit]) -> str:
    means = [fit.effects[0].estimate.mean for fit in fits]
    each = listed([f"{_d(fit)} under {fit.model}" for fit in fits])
    return f"d of all firms is {each}: it moves by {max(means) - min(means):.2f}."


def _troubles(fits: Sequence[CeilingFit]) -> Iterator[str]:
    for fit in fits:
        if not fit.gate_passed and any(one.best for one in fits):
            yield f"The {fit.model} ceiling failed its gate ({'; '.join(fit.failing)})."
        flagged = [row.statistic for row in fit.distances if row.flagged]
        if flagged:
            yield (
                f"The {fit.model} ceiling does not reproduce the observed distances to it "
                f"({listed(flagged)})."
            )
        if fit.bad:
            yield (
                f"Pareto k is above its threshold for {fit.bad} "
                f"{'firm' if fit.bad == 1 else 'firms'} under {fit.model}: read its elpd with care."
            )


def capital_notes(design: Design, capital: str, firms: Firms) -> Iterator[str]:
    """What the ceilings of a capital leave out."""
    missing = design.size - firms.y.size
    if missing:
        yield f"{missing} rows without the capital or the outcome are left out"
    if design.is_latent(capital):
        yield "the capital is latent: its score is used, as if measured without error"
    if design.is_binary(capital):
        yield "the capital is yes or no: between the two a ceiling means nothing"
    if design.weights is not None:
        yield "survey weights count in averages over firms, not in the ceilings themselves"
    if design.analysis.data.cluster is None:
        shared = "industry" if design.analysis.data.industry is not None else "the whole sample"
        yield f"no clusters are declared: all firms of {shared} share one ceiling"
    for share, where in (
        (np.mean(firms.y < model.RESOLUTION), "bottom"),
        (np.mean(firms.y > 1 - model.RESOLUTION), "top"),
    ):
        if share > HEAP:
            yield (
                f"{share:.0%} of the firms lie at the {where} of the scope of the outcome: these "
                "models are made for outcomes that spread over it"
            )
