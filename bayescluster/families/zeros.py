"""Families with a share of zeros of their own: amounts, shares and counts of which many are 0.

A share ``zero_share`` of the firms has 0 whatever their linear predictor; the others have the plain
family. An amount or a share of these is never 0, so the zeros are a part by themselves (a hurdle);
a count of these may be 0 as well, so there are zeros of two kinds (zero inflation; Lambert 1992).
The linear predictor is that of the plain family, and what is reported is the mean over all firms,
``(1 - zero_share) * mean``. The share is one number for all firms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from scipy.special import expit

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.beta import BETA, REMEDY_PERCENT
from bayescluster.families.counts import NEGATIVE_BINOMIAL, POISSON
from bayescluster.families.lognormal import LOGNORMAL
from bayescluster.families.record import Family, Parameters, Rows

INNER = 0.5
"""Stands for a 0 in a density that has none; it then counts for nothing."""
REMEDY_ONE = (
    "pull 1 inside by `derive` with `kind: scale, multiply: 0.99`; where a share is a count out of "
    "a known number, use family binomial with `trials`"
)
MANY_ZEROS = 0.25
"""Share of zeros from which an amount or a share is asked for a family with zeros of their own."""
FEWEST_SOME = 2
"""Outcomes above 0 that such a family needs: fewer do not say how much there is."""
COUNTED = (POISSON.name, NEGATIVE_BINOMIAL.name)
CONTINUOUS = ("gaussian", "student_t")
"""Plain families that take zeros, and have no place for a heap of them."""
OWN_ZEROS = 0.1
"""Share of zeros of their own from which a count is asked for such a family."""
EVIDENCE = 3.5
"""Log likelihood that these gain at least: 1 in 200 samples without them gains as much (Self and Liang 1987)."""


def _density(plain: Family, outcome: Array, eta: Array, p: Parameters, rows: Rows) -> Array:
    share, is_zero = p["zero_share"], outcome == 0
    inner = outcome if plain.counted else np.where(is_zero, INNER, outcome)
    with np.errstate(divide="ignore"):  # prior draws reach 0 and 1
        none, some = np.log(share), np.log1p(-share)
    other = some + plain.log_density(inner, eta, p, rows)
    return np.where(is_zero, np.logaddexp(none, other) if plain.counted else none, other)


def _draw(plain: Family, rng: np.random.Generator, eta: Array, p: Parameters, rows: Rows) -> Array:
    none = rng.random(eta.shape) < p["zero_share"]
    return np.where(none, 0.0, plain.draw(rng, eta, p, rows))


def _exceedance(plain: Family, bar: Array, eta: Array, p: Parameters, rows: Rows) -> Array:
    assert plain.exceedance is not None
    reached = (1.0 - p["zero_share"]) * plain.exceedance(bar, eta, p, rows)
    return np.where(bar <= 0, 1.0, reached)


def _likelihood(plain: Family, observation: record.Observation) -> record.Likelihood:
    import pymc as pm
    import pytensor.tensor as pt

    labels = [name for name in observation.parameters if name != "zero_share"]

    def density(outcome: Any, eta: Any, share: Any, *others: Any) -> Any:
        is_zero = pt.eq(outcome, 0)
        inner = outcome if plain.counted else pt.switch(is_zero, INNER, outcome)
        parameters = dict(zip(labels, others, strict=True))
        found = plain.likelihood(
            observation._replace(linear_predictor=eta, parameters=parameters, outcome=inner)
        )
        plainly = pm.logp(found.distribution.dist(**found.arguments), found.outcome)
        none, other = pt.log(share), pt.log1p(-share) + plainly
        return pt.switch(is_zero, pt.logaddexp(none, other) if plain.counted else none, other)

    def random(*values: Any, rng: np.random.Generator, size: Any = None) -> Any:
        eta, share, *others = np.broadcast_arrays(*values)
        parameters = dict(zip(labels, others, strict=True)) | {"zero_share": share}
        drawn = _draw(plain, rng, np.broadcast_to(eta, size or eta.shape), parameters, Rows())
        return drawn.astype("int64") if plain.counted else drawn

    outcome = observation.outcome.astype("int64") if plain.counted else observation.outcome
    arguments = {
        "logp": density,
        "random": random,
        "dtype": "int64" if plain.counted else "float64",
    }
    inputs = (
        observation.linear_predictor,
        observation.parameters["zero_share"],
        *(observation.parameters[name] for name in labels),
    )
    return record.Likelihood(pm.CustomDist, arguments, outcome, inputs)


def _with_zeros(name: str, plain: Family, support: Any) -> Family:
    """Give a family a share of zeros of its own."""
    transform = plain.on_link_scale
    return plain._replace(
        name=name,
        parameters=(*plain.parameters, record.ZERO_SHARE),
        support=support,
        expectation=lambda eta, p: (1.0 - p["zero_share"]) * plain.expectation(eta, p),
        log_density=lambda outcome, eta, p, rows: _density(plain, outcome, eta, p, rows),
        draw=lambda rng, eta, p, rows: _draw(plain, rng, eta, p, rows),
        likelihood=lambda observation: _likelihood(plain, observation),
        on_link_scale=None if transform is None else lambda y: transform(y[y > 0]),
        exceedance=lambda bar, eta, p, rows: _exceedance(plain, bar, eta, p, rows),
        plain=plain,
    )


def _amounts(outcome: Array, _: Rows) -> record.Fault | None:
    outside = ~(np.isfinite(outcome) & (outcome >= 0))
    mend = "list codes for no answer under `missing_values`"
    return record.fault("finite numbers from 0", outcome, outside, mend)


def _shares(outcome: Array, _: Rows) -> record.Fault | None:
    percent = bool((outcome > 1).any() and (outcome >= 0).all() and (outcome <= 100).all())
    mend = REMEDY_PERCENT if percent else REMEDY_ONE
    outside = ~((outcome >= 0) & (outcome < 1))
    return record.fault("shares from 0 and below 1", outcome, outside, mend)


HURDLE_LOGNORMAL = _with_zeros("hurdle_lognormal", LOGNORMAL, _amounts)
ZERO_INFLATED_BETA = _with_zeros("zero_inflated_beta", BETA, _shares)
ZERO_INFLATED_POISSON = _with_zeros("zero_inflated_poisson", POISSON, POISSON.support)
ZERO_INFLATED_NEGATIVE_BINOMIAL = _with_zeros(
    "zero_inflated_negative_binomial", NEGATIVE_BINOMIAL, NEGATIVE_BINOMIAL.support
)


def zeros_family(outcome: Array, family: str = "") -> str:
    """Name the family with zeros of their own that an outcome asks for, or nothing.

    Of amounts and shares that is where a quarter are 0. Of counts, where a negative binomial with zeros
    of their own fits better than one without; its free dispersion stands for what shifts the mean between
    firms, so that zeros which a regression explains are rarely taken for such.

    Parameters
    ----------
    outcome
        Known outcomes, ``(row,)``.
    family
        The plain family in question; without it, that which the values suggest.
    """
    zeros = outcome == 0
    some = outcome[~zeros]
    if not zeros.any() or some.size < FEWEST_SOME or (some < 0).any():
        return ""
    counted = family in COUNTED if family else bool((some == np.round(some)).all())
    if counted:
        share, gain = own_zeros(outcome)
        if share < OWN_ZEROS or gain < EVIDENCE:
            return ""
        poisson = family == POISSON.name
        return (ZERO_INFLATED_POISSON if poisson else ZERO_INFLATED_NEGATIVE_BINOMIAL).name
    if zeros.mean() < MANY_ZEROS or (family and family not in CONTINUOUS):
        return ""
    return (ZERO_INFLATED_BETA if some.max() < 1 else HURDLE_LOGNORMAL).name


def own_zeros(counts: Array) -> tuple[float, float]:
    """Share of zeros beyond those of a negative binomial, and the log likelihood it gains; by maximum."""
    # to load it takes longer than to check an analysis
    from scipy.stats import nbinom

    values, rows = np.unique(counts, return_counts=True)

    def lacking(point: Array, with_zeros: bool) -> float:
        shape, share = float(np.exp(point[1])), float(expit(point[2])) if with_zeros else 0.0
        plain = nbinom.logpmf(values, shape, shape / (shape + np.exp(point[0])))
        found = np.log1p(-share) + plain
        if with_zeros:
            found = np.where(values == 0, np.logaddexp(np.log(share), found), found)
        return -float(rows @ found)

    start = np.array([np.log(counts[counts > 0].mean()), 0.0, 0.0])
    ends = ((-20.0, 40.0), (-7.0, 12.0), (-12.0, 12.0))
    best = [
        scipy.optimize.minimize(
            lacking, start[: 2 + own], args=(own,), bounds=ends[: 2 + own], method="L-BFGS-B"
        )
        for own in (False, True)
    ]
    return float(expit(best[1].x[2])), float(best[0].fun - best[1].fun)
