"""What a likelihood family is: one frozen record.

The numpy functions broadcast: the linear predictor ``eta`` is ``(..., row)`` and every parameter is
``(..., 1)``, so the same code serves one point, all draws, or a chunk of them. They say the same as
``likelihood``, which states it for PyMC; a test holds the two together for every family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.spec.priors import Beta, FamilyPrior, Gamma, HalfNormal, ValueScale

Scale = Literal["probability", "share", "rate", "mean", "level"]
Parameters = Mapping[str, Array]
"""Parameters of the likelihood by name."""


class Rows(NamedTuple):
    """Known quantities of the rows that a likelihood may need, each ``(row,)`` or absent."""

    trials: Array | None = None
    standard_error: Array | None = None

    def at(self, rows: NDArray[Any]) -> Rows:
        """The same of some rows, by position or as a mask."""
        return Rows(*(None if values is None else values[rows] for values in self))


class Fault(NamedTuple):
    """Outcomes outside the support: what is expected, the values, which are bad, and the remedy."""

    expected: str
    values: Array
    bad: NDArray[np.bool_]
    mend: str = "choose a family that fits the column, or correct these rows"


class Parameter(NamedTuple):
    """A parameter of a likelihood, with its default prior; positive, unless ``scale`` says otherwise.

    ``prior`` takes the standard deviation of the outcome, or of what `Family.on_link_scale` makes
    of it, for priors in its unit.
    """

    name: str
    label: str
    prior: Callable[[float], FamilyPrior]
    scale: ValueScale = "positive"


class Observation(NamedTuple):
    """What ``likelihood`` needs: variables of the PyMC model in context, and the outcome.

    ``outcome`` may be a variable of the model too, for families with a density.
    """

    name: str
    linear_predictor: Any
    parameters: Mapping[str, Any]
    rows: Rows
    outcome: Any
    dims: str


class Likelihood(NamedTuple):
    """A PyMC distribution of the outcomes of all rows, its arguments, and the outcomes it is of."""

    distribution: Any
    arguments: Mapping[str, Any]
    outcome: Any
    inputs: tuple[Any, ...] = ()
    """Arguments that go by their place."""


class Family(NamedTuple):
    """A likelihood family.

    Attributes
    ----------
    name
        Name in the analysis file.
    link
        Function that takes the mean to the linear predictor.
    scale
        What an expected outcome is: a probability, a share, a rate per unit of exposure, a mean, or
        a level.
    parameters
        Parameters other than the mean.
    support
        ``(outcome, rows) -> Fault``: what is wrong with the outcome, or nothing.
    expectation
        ``(eta, parameters) -> mean``, on the scale above.
    log_density
        ``(outcome, eta, parameters, rows) -> log density``.
    draw
        ``(rng, eta, parameters, rows) -> replicated outcome``.
    likelihood
        States the likelihood as a PyMC distribution; see `bayescluster.model.build`.
    on_link_scale
        Takes the outcome to the scale on which its noise is added to the linear predictor; absent
        where there is no such scale. Zeros of their own are left out.
    exceedance
        ``(bar, eta, parameters, rows) -> P(outcome >= bar)``, the linear predictor as
        for ``log_density``; absent where the outcome is yes or no. See `bar_of`.
    counted
        Whether the outcome is counted, over trials or an exposure where these are declared.
    plain
        Of a family with zeros of their own, that of the other outcomes; see
        `bayescluster.families.zeros`.
    """

    name: str
    link: Literal["logit", "probit", "log", "identity"]
    scale: Scale
    parameters: tuple[Parameter, ...]
    support: Callable[[Array, Rows], Fault | None]
    expectation: Callable[[Array, Parameters], Array]
    log_density: Callable[[Array, Array, Parameters, Rows], Array]
    draw: Callable[[np.random.Generator, Array, Parameters, Rows], Array]
    likelihood: Callable[[Observation], Likelihood]
    on_link_scale: Callable[[Array], Array] | None = None
    exceedance: Callable[[Array, Array, Parameters, Rows], Array] | None = None
    counted: bool = False
    plain: Family | None = None

    @property
    def has_steps(self) -> bool:
        """Whether some outcomes have a probability, so that the distribution has steps."""
        return self.counted or self.plain is not None


ROUNDING = 1e-9
"""A count this little short of a level, relative to it, is at the level."""

SIGMA = Parameter("sigma", "residual standard deviation", lambda sd: HalfNormal(sd=sd))
NU = Parameter("nu", "degrees of freedom", lambda _: Gamma(shape=2.0, rate=0.1))
PRECISION = Parameter("precision", "precision", lambda _: Gamma(shape=2.0, rate=0.1))
OVERDISPERSION = Parameter("overdispersion", "overdispersion", lambda _: HalfNormal(sd=1.0))
ZERO_SHARE = Parameter("zero_share", "share of zeros", lambda _: Beta(a=1.0, b=1.0), "share")


def bar_of(family: Family, level: float, units: Array) -> Array:
    """Least outcome that reaches a level, ``(row,)``.

    The level is on the scale on which outcomes are reported: a share of the trials, a count per unit of
    exposure, the code of an ordinal level. ``units`` are trials or exposure, ``(row,)``; 1 without.
    """
    bar = level * units
    # 0.3 of 10 trials is 3 of them, whatever 0.3 * 10 is in binary
    return np.ceil(bar - ROUNDING * np.maximum(np.abs(bar), 1.0)) if family.counted else bar


def fault(
    expected: str, values: Array, bad: NDArray[np.bool_], mend: str | None = None
) -> Fault | None:
    """Name what was expected where any value is bad."""
    if not bad.any():
        return None
    found = Fault(expected, values, bad)
    return found if mend is None else found._replace(mend=mend)


def whole_numbers(
    values: Array, low: float, expected: str = "whole numbers from 0"
) -> Fault | None:
    """Fault of a count, if any."""
    return fault(expected, values, (values < low) | (values != np.round(values)))
