"""Whether the sign of the product of the capitals depends on the likelihood.

The same linear form, with the same controls, is put under the other plausible likelihoods of the
outcome, and its posterior approximated at the mode. Groupings keep their intercepts, those of firms
that repeat too: without them the rows of a firm would count as so many firms. Slopes are common to
all groups, since the question is the sign over all firms. Two likelihoods that are
sure of opposite signs are a finding of the choice of likelihood, not of the firms: no verdict on
complementarity can then stand, whatever its probability under one of them.

Coefficients are compared among likelihoods whose linear predictor has one scale (a product on the
scale of logarithms is another question than one on the scale of amounts); cross differences of the
corners, which are in units of the outcome under every likelihood, among all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import scipy

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import SURE_OF_SIGN
from bayescluster.design.forms import under, with_common_slopes
from bayescluster.design.record import Design
from bayescluster.estimands.approximation import Approximation, approximate
from bayescluster.estimands.diagnostics import estimate
from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import CORNERS, Levels, default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.families import FAMILIES, Family
from bayescluster.features.likelihoods.results import LikelihoodRow, Likelihoods
from bayescluster.names import INTERACTION
from bayescluster.results.base import INTERVAL, Estimate

DRAWS: Final = 500
"""Draws of each approximation behind a cross difference."""


def _back_from_log1p(eta: Array, parameters: Mapping[str, Array]) -> Array:
    return np.asarray(np.expm1(eta + parameters["sigma"] ** 2 / 2))


class Alternative(NamedTuple):
    """A likelihood an outcome may have.

    ``scale`` names the scale of its linear predictor; ``transform`` is applied to the outcome first,
    and ``positive`` says that it takes outcomes above 0 only.
    """

    name: str
    record: Family
    scale: str
    transform: Callable[[Array], Array] | None = None
    positive: bool = False


LOG1P: Final = "gaussian of log(1 + y)"
COUNTS: Final = (
    Alternative("poisson", FAMILIES["poisson"], "logarithm"),
    Alternative("negative_binomial", FAMILIES["negative_binomial"], "logarithm"),
    Alternative(
        LOG1P,
        FAMILIES["gaussian"]._replace(expectation=_back_from_log1p),
        "logarithm",
        np.log1p,
    ),
)
AMOUNTS: Final = (
    Alternative("gaussian", FAMILIES["gaussian"], "amount"),
    Alternative("student_t", FAMILIES["student_t"], "amount"),
    Alternative("lognormal", FAMILIES["lognormal"], "logarithm", positive=True),
)
ZERO_COUNTS: Final = (
    Alternative("zero_inflated_poisson", FAMILIES["zero_inflated_poisson"], "logarithm"),
    Alternative(
        "zero_inflated_negative_binomial", FAMILIES["zero_inflated_negative_binomial"], "logarithm"
    ),
    *COUNTS,
)
ZERO_AMOUNTS: Final = (
    Alternative("hurdle_lognormal", FAMILIES["hurdle_lognormal"], "logarithm"),
    Alternative("gaussian", FAMILIES["gaussian"], "amount"),
    Alternative("student_t", FAMILIES["student_t"], "amount"),
)
YES_OR_NO: Final = (
    Alternative("bernoulli", FAMILIES["bernoulli"], "probability"),
    Alternative("probit", FAMILIES["probit"], "probability"),
)
SHARES: Final = (
    Alternative("beta", FAMILIES["beta"], "logit of the share"),
    Alternative("gaussian", FAMILIES["gaussian"], "amount"),
)
ZERO_SHARES: Final = (
    Alternative("zero_inflated_beta", FAMILIES["zero_inflated_beta"], "logit of the share"),
    Alternative("gaussian", FAMILIES["gaussian"], "amount"),
)
ALTERNATIVES: Final[dict[str, tuple[Alternative, ...]]] = {
    "poisson": COUNTS,
    "negative_binomial": COUNTS,
    "gaussian": AMOUNTS,
    "student_t": AMOUNTS,
    "lognormal": AMOUNTS,
    "bernoulli": YES_OR_NO,
    "probit": YES_OR_NO,
    "beta": SHARES,
    "hurdle_lognormal": ZERO_AMOUNTS,
    "zero_inflated_beta": ZERO_SHARES,
    "zero_inflated_poisson": ZERO_COUNTS,
    "zero_inflated_negative_binomial": ZERO_COUNTS,
}
"""Plausible likelihoods by the one that was asked for. Families left out have one only."""


def other_likelihoods(design: Design, rng: np.random.Generator) -> Likelihoods | None:
    """Put the form of a design under every plausible likelihood of its outcome.

    Parameters
    ----------
    design
        The design; its own likelihood is approximated too, so that all are on one footing.
    rng
        Source of the draws behind cross differences.

    Returns
    -------
    Likelihoods or None
        None where the form has no product of the capitals.
    """
    if INTERACTION not in design.structure.terms:
        return None
    levels = default_levels(design)
    refused = _why_not(design)
    rows: list[LikelihoodRow] = []
    failed: list[str] = []
    pooled = with_common_slopes(design)
    for each in () if refused else _plausible(design):
        found = approximate(_under(pooled, each))
        if found is None:
            failed.append(each.name)
        else:
            rows.append(_row(each, design, found, _cross(found, levels, rng)))
    note = refused or (f"No mode was found under {' and '.join(failed)}." if failed else "")
    return Likelihoods(
        sure=SURE_OF_SIGN,
        declared=levels.declared,
        rows=tuple(rows),
        depends=_depends(rows),
        note=note,
    )


def _why_not(design: Design) -> str:
    if design.equation.family not in ALTERNATIVES:
        return f"No other likelihood is declared for an outcome of family {design.equation.family}."
    if design.rows.standard_error is not None:
        return (
            "Each row has a standard error of its own, which other likelihoods have no place for."
        )
    if design.equation.predictors:
        return "Effects here are totals through other equations, and the check is made of one equation."
    return ""


def _plausible(design: Design) -> Iterator[Alternative]:
    for each in ALTERNATIVES[design.equation.family]:
        if not each.positive or (design.answers > 0).all():
            yield each


def _under(design: Design, each: Alternative) -> Design:
    if each.record is design.family:
        return design
    own = next(
        one for one in ALTERNATIVES[design.equation.family] if one.name == design.equation.family
    )
    # a logit and a probit ask for the same, in units that the stated priors are not in
    same = own.scale == each.scale and own.record.link == each.record.link
    same = same or (own.scale == each.scale == "logarithm")
    return under(design, each.record, each.transform, same)


def _cross(found: Approximation, levels: Levels, rng: np.random.Generator) -> Array:
    """Cross difference of the corners over all firms, ``(draw,)``."""
    draws = found.draws(DRAWS, rng)
    settings = [Setting(*levels.at(corner)) for corner in CORNERS]
    weights = groups_of(found.design, "all").weights
    mean = outcome_surface(found.design, draws, settings, weights)[:, :, 0]
    corner = dict(zip(CORNERS, mean.T, strict=True))
    return np.asarray(corner["HH"] - corner["HL"] - corner["LH"] + corner["LL"])


def _row(each: Alternative, design: Design, found: Approximation, cross: Array) -> LikelihoodRow:
    mean, sd = found.coefficient(INTERACTION)
    half = float(scipy.special.ndtri((1 + INTERVAL) / 2)) * sd
    return LikelihoodRow(
        likelihood=each.name,
        scale=each.scale,
        fitted=each.name == design.equation.family,
        term=Estimate(mean=mean, sd=sd, low=mean - half, high=mean + half),
        term_positive=float(scipy.special.ndtr(mean / sd)),
        cross=estimate(cross),
        cross_positive=float((cross > 0).mean()),
    )


def _depends(rows: Sequence[LikelihoodRow]) -> str:
    """Say which likelihoods are sure of opposite signs, of the product or of its effect."""
    for scale in dict.fromkeys(row.scale for row in rows):
        some = [row for row in rows if row.scale == scale]
        said = _opposite(
            "the product term", [(r.likelihood, r.term, r.term_positive) for r in some]
        )
        if said:
            return said
    return _opposite(
        "the cross difference", [(r.likelihood, r.cross, r.cross_positive) for r in rows]
    )


def _opposite(what: str, said: Sequence[tuple[str, Estimate, float]]) -> str:
    if not said:
        return ""
    most, least = max(said, key=lambda one: one[2]), min(said, key=lambda one: one[2])
    if most[2] < SURE_OF_SIGN or least[2] > 1 - SURE_OF_SIGN:
        return ""
    return (
        f"Depends on the likelihood: {what} is {_figure(least[1])} under {least[0]} and "
        f"{_figure(most[1])} under {most[0]}."
    )


def _figure(found: Estimate) -> str:
    return f"{found.mean:.3g} (sd {found.sd:.2g})"
