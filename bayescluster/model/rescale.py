"""Every prior of an equation at another scale, stated in full: defaults included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.model.defaults import baseline_of, slope
from bayescluster.model.priors import model_priors
from bayescluster.spec.columns import Where
from bayescluster.spec.priors import Distribution, Priors

SCALES: dict[str, tuple[str, int]] = {
    "normal": ("sd", 1),
    "student_t": ("scale", 1),
    "half_normal": ("sd", 1),
    "half_student_t": ("scale", 1),
    "half_cauchy": ("scale", 1),
    "exponential": ("rate", -1),
    "gamma": ("rate", -1),
    "lognormal": ("sd_log", 1),
}
"""Parameter that holds the scale of a distribution, and the power at which it does.

A beta prior, of a share, has none. A test holds the table to the distributions there are.
"""


def rescaled(prior: Distribution, factor: float) -> Distribution:
    """Give the same distribution at so many times its scale; a beta prior stays as it is."""
    held = SCALES.get(prior.distribution)
    if held is None:
        return prior
    name, power = held
    return prior.model_copy(update={name: getattr(prior, name) * factor**power})


def rescaled_priors(designs: Sequence[Design], factor: float, where: Where) -> Priors:
    """State every prior of coefficients and group sds at so many times its scale.

    Parameters
    ----------
    designs
        Designs of the forms of one equation; what a term is called means the same in all of them.
    factor
        By what each scale is multiplied.
    where
        Place of a value in the analysis file, for messages.

    Returns
    -------
    Priors
        Those of the likelihood and of correlations stay as they are. Priors from cases are spelled
        out, so that no cases are named.

    Raises
    ------
    ConfigError
        If slopes have no prior of their own, as under R2D2M2.
    """
    first = designs[0]
    stated = first.equation.priors
    if stated.r2d2m2 is not None:
        place = where(("equations", first.analysis.equation_name, "priors", "r2d2m2"))
        raise ConfigError(
            Problem(
                "the R2D2M2 prior has no scale to multiply: slopes share out one variance",
                place,
                "state another mean_r2 or precision in place of scale",
            )
        )
    resolved = [model_priors(design) for design in designs]
    terms: dict[str, Distribution] = dict(stated.terms)
    groups: dict[str, Distribution] = {}
    for found in resolved:
        terms |= found.population
        groups |= found.group_sd
    update: dict[str, Any] = {
        "from_": None,
        "terms": {name: rescaled(prior, factor) for name, prior in terms.items()},
        "controls": rescaled(stated.controls or slope(baseline_of(first)), factor),
        "group_sd": {name: rescaled(prior, factor) for name, prior in groups.items()},
    }
    if first.levels:
        update["cutpoints"] = stated.cutpoints * factor
    return stated.model_copy(update=update)
