"""Leave-one-out prediction of ceiling models, with care for hard ceilings.

Under a hard ceiling every posterior draw lies above every firm, also above the one that is to be
left out. Importance sampling only reweights draws, so it never sees the lower ceilings that the other
firms would allow, under which the firm left out is impossible: it would overrate the firms at the
edge, and so the hard ceiling itself, by the probability of such ceilings. Therefore the height of the
firm's own cluster is integrated out, with the firm and without it, given all other parameters:
``p(y_i | others of the cluster, theta)`` is above 0 everywhere, and importance sampling does the rest
(Vehtari, Mononen, Tolvanen, Sivula and Winther 2016, Journal of Machine Learning Research 17(103)).
Soft ceilings need none of this.
"""

from __future__ import annotations

import warnings
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayescluster.arrays import Array
from bayescluster.checks.loo import RowScores
from bayescluster.checks.thresholds import khat_max
from bayescluster.model.ceiling import LOWEST, UNIT_SD, ModelName
from bayescluster.model.ceiling_density import NUMPY, RESOLUTION, log_ratio
from bayescluster.model.ceiling_evaluate import CeilingDraws, ceilings_of, log_likelihood
from bayescluster.model.ceiling_layout import Layout

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

    layout: Layout
    x: Array
    y: Array
    limits: Limits


def ceiling_scores(kind: ModelName, draws: CeilingDraws, firms: Firms) -> RowScores:
    """Score every firm by what the others say of it."""
    some = draws.thinned(DRAWS)
    if kind == "ratio":
        found = integrated_log_density(some, firms)
    else:
        c = ceilings_of(some, firms.layout, firms.x, firms.limits)
        found = log_likelihood(kind, some, firms.y, c)
    return row_scores(found)


def row_scores(log_density: Array) -> RowScores:
    """Score firms from the log density of each, ``(draw, firm)``."""
    import arviz as az

    values = xr.DataArray(log_density[None], dims=("chain", "draw", "firm"), name="y")
    tree = xr.DataTree.from_dict(
        {
            "log_likelihood": values.to_dataset(),
            "posterior": xr.Dataset({"unused": values.isel(firm=0, drop=True)}),
        }
    )
    with warnings.catch_warnings():
        # arviz warns of large Pareto k; the report tells it
        warnings.simplefilter("ignore", UserWarning)
        found = az.loo(tree, var_name="y", pointwise=True, reff=1.0)
    return RowScores(
        np.asarray(found.elpd_i, dtype="float64").ravel(),
        np.asarray(found.pareto_k, dtype="float64").ravel(),
        khat_max(len(log_density)),
        float(found.se),
        float(found.p),
    )


def integrated_log_density(draws: CeilingDraws, firms: Firms) -> Array:
    """Log density of each firm given the others of its unit, the unit's height integrated out.

    Returns
    -------
    ndarray
        ``(draw, firm)``.
    """
    found = np.empty((draws.size, firms.y.size))
    for unit in range(len(firms.layout.units)):
        members = np.flatnonzero(firms.layout.unit == unit)
        step = max(1, AT_ONCE // (LOGITS.size * members.size))
        for start in range(0, draws.size, step):
            part = slice(start, start + step)
            found[part, members] = _of_unit(_Unit.of(draws, part, firms, unit))
    return found


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
    def of(cls, draws: CeilingDraws, part: slice, firms: Firms, unit: int) -> _Unit:
        members, industry = firms.layout.unit == unit, firms.layout.industry[unit]
        return cls(
            firms.x[members],
            np.maximum(firms.y[members], RESOLUTION),
            draws.slope[part, industry],
            draws.location[part, industry],
            UNIT_SD * draws.spread[part],
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

        To be asked for where no firm is above; a firm that is left out anyway may be.
        """
        line = height[..., None] + self.slope[:, None, None] * (self.x - 0.5)
        c = np.clip(line, *self.limits)
        al, be = self.al[:, None, None], self.be[:, None, None]
        return np.asarray(log_ratio(NUMPY, self.y, c, al, be))


def _of_unit(unit: _Unit) -> Array:
    """Log density of each firm given the others, ``(draw, firm)``."""
    asked = np.where(
        unit.y > unit.limits[0], unit.y - unit.slope[:, None] * (unit.x - 0.5), LOWEST
    )  # (draw, firm)
    top = np.argmax(asked, axis=1)
    rows = np.arange(len(asked))
    first = asked[rows, top]
    others = asked.copy()
    others[rows, top] = LOWEST
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
