"""Prior distributions a user can state, and where they apply."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from bayescluster.spec.base import Column, Frozen, Positive

ValueScale = Literal["real", "positive", "share"]
"""Values a distribution is made for: any number, those above 0, or those between 0 and 1."""


class Normal(Frozen):
    """Normal distribution."""

    scale_of_values: ClassVar[ValueScale] = "real"
    distribution: Literal["normal"] = "normal"
    mean: float = 0.0
    sd: Positive


class StudentT(Frozen):
    """Student's t distribution with location and scale."""

    scale_of_values: ClassVar[ValueScale] = "real"
    distribution: Literal["student_t"] = "student_t"
    df: Positive = 3.0
    mean: float = 0.0
    scale: Positive


class HalfNormal(Frozen):
    """Normal distribution around 0, positive half."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["half_normal"] = "half_normal"
    sd: Positive


class HalfStudentT(Frozen):
    """Student's t distribution around 0, positive half."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["half_student_t"] = "half_student_t"
    df: Positive = 3.0
    scale: Positive


class HalfCauchy(Frozen):
    """Cauchy distribution around 0, positive half."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["half_cauchy"] = "half_cauchy"
    scale: Positive


class Exponential(Frozen):
    """Exponential distribution with mean ``1 / rate``."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["exponential"] = "exponential"
    rate: Positive


class Gamma(Frozen):
    """Gamma distribution with mean ``shape / rate``."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["gamma"] = "gamma"
    shape: Positive
    rate: Positive


class LogNormal(Frozen):
    """Distribution of a positive number whose logarithm is normal."""

    scale_of_values: ClassVar[ValueScale] = "positive"
    distribution: Literal["lognormal"] = "lognormal"
    mean_log: float = 0.0
    sd_log: Positive


class Beta(Frozen):
    """Beta distribution of a share, with mean ``a / (a + b)``."""

    scale_of_values: ClassVar[ValueScale] = "share"
    distribution: Literal["beta"] = "beta"
    a: Positive
    b: Positive


RealPrior = Annotated[Normal | StudentT, Field(discriminator="distribution")]
"""Prior of a coefficient: any real number."""

PositivePrior = Annotated[
    HalfNormal | HalfStudentT | HalfCauchy | Exponential | Gamma | LogNormal,
    Field(discriminator="distribution"),
]
"""Prior of a standard deviation or another positive number."""

FamilyPrior = Annotated[
    HalfNormal | HalfStudentT | HalfCauchy | Exponential | Gamma | LogNormal | Beta,
    Field(discriminator="distribution"),
]
"""Prior of a parameter of a likelihood: a positive number, or a share."""

Distribution = (
    Normal
    | StudentT
    | HalfNormal
    | HalfStudentT
    | HalfCauchy
    | Exponential
    | Gamma
    | LogNormal
    | Beta
)

TermPrior = Annotated[Distribution, Field(discriminator="distribution")]
"""Prior of a coefficient: of any real number, of a positive one, or of a share."""


class CasePrior(Frozen):
    """Coded evidence on published cases, each taken as a handful of firms before any is seen."""

    cases: Annotated[str, Field(min_length=1)]
    """Path of a csv file (relative to this file) with columns case, construct and rating."""
    strength: Annotated[float, Field(gt=0.0, le=20.0)]
    """How many firms one case is worth: near 0 it says nothing; above 1 or so, argue for it."""
    outcome: Column | None = None
    """Rated construct that represents the outcome; the column of the outcome without it."""


class R2D2M2(Frozen):
    """One prior of the explained variance, shared out among slopes, controls and varying effects."""

    mean_r2: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    """Prior mean of R2, the share of variance that the model explains."""
    precision: Positive = 2.0
    """How sure that is: R2 ~ Beta(mean_r2 * precision, (1 - mean_r2) * precision)."""
    concentration: Positive = 0.5
    """Of the Dirichlet prior of the shares: below 1 few components explain most, above 1 all some."""


class Priors(Frozen):
    """Priors that replace the defaults. Coefficients are those of standardised inputs."""

    # `from` is a word of Python, so the field has another name there than in the file
    model_config = ConfigDict(serialize_by_alias=True)

    from_: Annotated[CasePrior | None, Field(alias="from")] = None
    """Take the priors of the capitals from coded cases; those under ``terms`` stay as stated."""
    terms: dict[str, TermPrior] = {}
    """By term of the structural form (such as human_capital), or by the name of a control."""
    controls: RealPrior | None = None
    """For every control that is not named under ``terms``."""
    group_sd: dict[str, PositivePrior] = {}
    """Standard deviation of the varying effects, by grouping (industry, cluster, ...)."""
    correlation: Annotated[float, Field(gt=0.0)] = 2.0
    """Concentration of the LKJ prior of correlated varying effects; 1 is uniform."""
    family: dict[str, FamilyPrior] = {}
    """Parameters of the likelihood: sigma, nu, precision, overdispersion, zero_share."""
    r2d2m2: R2D2M2 | None = None
    """Takes the place of the priors of slopes, controls and group sds (linear forms)."""
    cutpoints: Positive = 1.5
    """Ordinal outcomes: standard deviation of the normal prior of the cutpoints."""
