"""One outcome, its likelihood, and the terms that explain it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from bayescluster.names import context_term
from bayescluster.spec.base import Column, Frozen, Name, Scalar
from bayescluster.spec.data import CAPITALS, Capital
from bayescluster.spec.priors import Priors

FamilyName = Literal[
    "bernoulli",
    "probit",
    "binomial",
    "beta",
    "gaussian",
    "student_t",
    "lognormal",
    "poisson",
    "negative_binomial",
    "ordinal",
    "hurdle_lognormal",
    "zero_inflated_beta",
    "zero_inflated_poisson",
    "zero_inflated_negative_binomial",
]
StructureName = Literal[
    "intercept",
    "human_capital",
    "social_capital",
    "additive",
    "interaction",
    "conjunctive",
    "ces",
]
TermName = Annotated[str, Field(min_length=1)]
"""A coefficient of the structural form; ``all`` stands for those that vary as a rule."""
ALL_TERMS = "all"


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _forms_fit(forms: tuple[StructureName, ...]) -> tuple[StructureName, ...]:
    if len(set(forms)) < len(forms):
        raise ValueError("a form is listed twice")
    for form in ("intercept", *CAPITALS):
        uses = "uses neither capital" if form == "intercept" else "uses one capital"
        if len(forms) > 1 and form in forms:
            raise ValueError(
                f"'{form}' {uses} and is not compared with other forms: leave it out of the list"
            )
    return forms


Forms = Annotated[
    tuple[StructureName, ...],
    Field(min_length=1),
    AfterValidator(_forms_fit),
    BeforeValidator(_listed, json_schema_input_type=StructureName | tuple[StructureName, ...]),
    PlainSerializer(lambda forms: forms[0] if len(forms) == 1 else list(forms)),
]


class ColumnControl(Frozen):
    """A control taken from one column."""

    column: Column
    transform: Literal["none", "log", "log1p", "sqrt", "square"] = "none"
    """Applied before standardising; numeric columns only."""
    standardise: bool = True
    """Put a numeric control on mean 0 and standard deviation 1; 0/1 columns stay as they are."""
    coding: Literal["treatment", "sum"] | None = None
    """Treat the column as categorical: against a reference level, or as deviations that sum to 0."""
    reference: Scalar | None = None
    """Reference level of treatment coding; the first one in order without it."""
    spline: int | None = Field(default=None, ge=3)
    """Enter a numeric control as a smooth curve: a cubic B-spline of so many columns."""
    kind: Literal["continuous", "ordinal"] | None = None
    """How missing cells are imputed: ``ordinal`` among the levels that others gave. Columns of 0
    and 1 are binary, others continuous. The control enters the equation as a number either way."""
    monotonic: bool = False
    """Ordered levels whose steps all go one way; the coefficient is the change from lowest to highest."""
    levels: tuple[Scalar, ...] = ()
    """Levels of a monotonic control, from lowest to highest; sorted numbers without it."""

    @model_validator(mode="after")
    def _keys_fit(self) -> ColumnControl:
        transform, coding, spline = self.transform != "none", self.coding, self.spline
        if coding and transform:
            raise ValueError("a categorical control (coding) takes no transform")
        if self.reference is not None and coding != "treatment":
            raise ValueError("reference goes with coding: treatment only")
        if spline and coding:
            raise ValueError("a spline is of numbers: leave out coding, or spline")
        if self.kind and (coding or spline or transform):
            raise ValueError("kind goes with plain numbers: leave out coding, spline and transform")
        if spline and not self.standardise:
            raise ValueError("a spline is the same in any unit: leave out standardise")
        return self

    @model_validator(mode="after")
    def _monotonic_fits(self) -> ColumnControl:
        if self.levels and not self.monotonic:
            raise ValueError("levels go with monotonic: true only")
        if len({str(level) for level in self.levels}) < len(self.levels):
            raise ValueError("a level is listed twice")
        others = ("transform", "standardise", "coding", "spline", "kind")
        plain = type(self).model_fields
        given = [key for key in others if getattr(self, key) != plain[key].default]
        if self.monotonic and given:
            raise ValueError(
                f"a monotonic control takes its levels as they are: leave out {given[0]}"
            )
        return self


class ProductControl(Frozen):
    """A control that is the product of two others, or of one and a capital."""

    product: tuple[str, str]
    """Names of two controls, or of a control and human_capital or social_capital."""


def _control_tag(value: Any) -> str:
    if isinstance(value, str):
        return "name"
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return "product" if "product" in keys else "control"


Control = Annotated[
    Annotated[Column, Tag("name")]
    | Annotated[ColumnControl, Tag("control")]
    | Annotated[ProductControl, Tag("product")],
    Discriminator(_control_tag),
]


class VaryingTerms(Frozen):
    """Which coefficients vary by a grouping, and how they are parameterised."""

    terms: tuple[TermName, ...] = Field(min_length=1)
    """Coefficients of the structural form; ``all`` stands for those that it lets vary as a rule."""
    centred: bool | tuple[TermName, ...] | None = None
    """Terms sampled centred (true: all, false: none). Without it a short pilot settles how each group
    is sampled; where the PyMC graph samples, the size of the groups does."""
    correlated: bool | None = None
    """Correlated effects; without it, where the grouping has at least 8 groups and 2 terms."""

    @property
    def partly_centred(self) -> bool:
        """Whether some terms, but not all, are asked to be centred."""
        return isinstance(self.centred, tuple) and 0 < len(self.centred) < len(self.terms)

    @model_validator(mode="after")
    def _terms_fit(self) -> VaryingTerms:
        _each_once(self.terms)
        if isinstance(self.centred, tuple):
            unknown = [term for term in self.centred if term not in self.terms]
            unknown = [] if ALL_TERMS in self.terms else unknown
            if unknown:
                raise ValueError(f"centred names '{unknown[0]}', which does not vary here")
        if self.correlated and len(self.terms) < 2 and ALL_TERMS not in self.terms:
            raise ValueError("correlated effects need at least two terms")
        if self.correlated and self.partly_centred:
            raise ValueError("correlated effects are centred all together, or not at all")
        return self


def _varying_tag(value: Any) -> str:
    if value == ALL_TERMS:
        return "all"
    return "terms" if isinstance(value, (list, tuple)) else "varying"


def _each_once(terms: tuple[TermName, ...]) -> tuple[TermName, ...]:
    if len(set(terms)) < len(terms):
        raise ValueError("a term is listed twice")
    return terms


Varying = Annotated[
    Annotated[Literal["all"], Tag("all")]
    | Annotated[tuple[TermName, ...], Field(min_length=1), AfterValidator(_each_once), Tag("terms")]
    | Annotated[VaryingTerms, Tag("varying")],
    Discriminator(_varying_tag),
]


ContextLevel = Literal["cluster", "firm"]
Contextual = Annotated[
    dict[ContextLevel, Annotated[tuple[Capital, ...], Field(min_length=1)]],
    BeforeValidator(
        lambda value: (
            {"cluster": value} if isinstance(value, list | tuple) and value else value or {}
        ),
        json_schema_input_type=list[Capital] | dict[ContextLevel, list[Capital]],
    ),
]


class Equation(Frozen):
    """An outcome as a function of the two capitals, controls and varying effects."""

    outcome: Column
    """Column of the outcome."""
    family: FamilyName
    """Likelihood of the outcome; the last four are for outcomes with many zeros."""
    structure: Forms = ("interaction",)
    """How the capitals combine. Several forms in a list are fitted one by one and compared, with the
    additive form beside a form with gates as the compensatory reference. Without it: interaction,
    conjunctive, ces and additive where a claim is about corners, else interaction. Of an analysis with
    one capital the form is that capital, and need not be written."""
    predictors: tuple[Name, ...] = ()
    """Other equations whose outcomes enter here, with a coefficient each that may vary too."""
    controls: tuple[Control, ...] = ()
    varying: dict[str, Varying] = {}
    """By grouping: industry, cluster, firm, or any column of the data."""
    contextual: Contextual = {}
    """Capitals of which the mean among the other firms of the cluster enters too. The long form names
    levels: {cluster: [human_capital], firm: [human_capital]}; of a firm, the mean of all its rows. Each
    has a coefficient, such as cluster_human_capital, that may vary."""
    trials: Column | None = None
    """Number of trials (binomial)."""
    exposure: Column | None = None
    """Exposure of a count (poisson, negative_binomial); its logarithm enters with coefficient 1."""
    standard_error: Column | None = None
    """Known standard error of each row (gaussian); replaces sigma."""
    at_least: Scalar | None = None
    """Report P(outcome >= this level) instead of the expected outcome. On the scale of the outcome: a
    share of the trials, a count per unit of exposure, a level of an ordinal outcome."""
    levels: tuple[Scalar, ...] = ()
    """Ordinal outcomes: the levels from lowest to highest; sorted values of the column without it."""
    priors: Priors = Priors()

    @property
    def form(self) -> StructureName:
        """The structural form; the first of several."""
        return self.structure[0]

    @property
    def contexts(self) -> dict[str, tuple[ContextLevel, Capital]]:
        """Level and capital of each contextual term, by its name."""
        return {
            context_term(level, capital): (level, capital)
            for level, capitals in self.contextual.items()
            for capital in capitals
        }

    @property
    def entering(self) -> tuple[str, ...]:
        """Inputs with a coefficient that may vary, beside the capitals: other outcomes, contexts."""
        return (*self.predictors, *self.contexts)

    @property
    def groupings(self) -> dict[str, VaryingTerms]:
        """The varying effects by grouping, each in its long form."""
        return {
            name: value if isinstance(value, VaryingTerms) else VaryingTerms(terms=_listed(value))
            for name, value in self.varying.items()
        }
