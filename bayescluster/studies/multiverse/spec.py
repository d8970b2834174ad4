"""Other choices that would have been as defensible, each with a name: what a verdict may depend on."""

from __future__ import annotations

from math import prod
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bayescluster.spec.base import Frozen, Name, Positive
from bayescluster.spec.data import Capital, Construct, Exclusion
from bayescluster.spec.equation import Control, FamilyName, StructureName, Varying
from bayescluster.spec.priors import (
    R2D2M2,
    CasePrior,
    FamilyPrior,
    PositivePrior,
    RealPrior,
    TermPrior,
)

Dimension = Literal[
    "structures", "families", "constructs", "controls", "varying", "exclude", "priors"
]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
"""What can be chosen otherwise, in the order in which the choices are made.

Priors come last: how wide a default one is follows from the outcome, the family and the firms.
"""
CAP: Final = 48
"""Most universes by default: each is a fit of its own."""
CAP_MAX: Final = 1000


class PriorChange(Frozen):
    """Other priors: what is stated here replaces what the analysis states, block by block."""

    model_config = ConfigDict(serialize_by_alias=True)

    defaults: bool = False
    """Leave out every prior that the analysis states, then put in what is stated here."""
    scale: Positive | None = None
    """Multiply the scale of every prior of coefficients and group sds, defaults included: 0.5 halves it.
    Of a lognormal prior it is that of the logarithm; a beta prior stays, and those of the family."""
    from_: Annotated[CasePrior | None, Field(alias="from")] = None
    """As in ``priors:``; the whole block."""
    terms: dict[str, TermPrior] = {}
    """As in ``priors:``, entry by entry; other entries stay."""
    controls: RealPrior | None = None
    """As in ``priors:``."""
    group_sd: dict[str, PositivePrior] = {}
    """As in ``priors:``, entry by entry; other entries stay."""
    correlation: Positive | None = None
    """As in ``priors:``."""
    family: dict[str, FamilyPrior] = {}
    """As in ``priors:``, entry by entry; other entries stay."""
    r2d2m2: R2D2M2 | None = None
    """As in ``priors:``; the whole block."""
    cutpoints: Positive | None = None
    """As in ``priors:``."""

    @model_validator(mode="after")
    def _changes(self) -> PriorChange:
        if self == PriorChange.model_construct():
            raise ValueError(
                "these priors change nothing; give scale, defaults or a block of `priors:`"
            )
        if self.scale == 1:
            raise ValueError("a scale of 1 changes nothing; give 0.5 or 2")
        return self


def _each_once[T](listed: tuple[T, ...]) -> tuple[T, ...]:
    for each in listed:
        if listed.count(each) > 1:
            raise ValueError(f"'{each}' is listed twice")
    return listed


def _with_capitals(listed: tuple[StructureName, ...]) -> tuple[StructureName, ...]:
    if "intercept" in listed:
        raise ValueError(
            "'intercept' uses neither capital: no claim could be put to it; leave it out"
        )
    return _each_once(listed)


class Multiverse(Frozen):
    """Alternatives that `bayescluster sweep` refits the analysis under; nothing else uses them.

    Structures, families, controls, varying and priors are those of the equation in focus.
    """

    priors: dict[Name, PriorChange] = {}
    """Other priors, by a name of your own."""
    exclude: dict[Name, Exclusion] = {}
    """Rows to leave out, by a name of your own."""
    constructs: dict[Name, Annotated[dict[Capital, Construct], Field(min_length=1)]] = {}
    """Another method or other indicators of one capital or both, by a name of your own."""
    controls: dict[Name, tuple[Control, ...]] = {}
    """Other sets of controls, by a name of your own; an empty list is a set too."""
    families: Annotated[tuple[FamilyName, ...], AfterValidator(_each_once)] = ()
    """Other likelihoods of the outcome."""
    structures: Annotated[tuple[StructureName, ...], AfterValidator(_with_capitals)] = ()
    """Other structural forms, each by itself."""
    varying: dict[Name, dict[str, Varying]] = {}
    """Other sets of varying effects, by a name of your own."""
    combine: Literal["one_at_a_time", "all"] = "one_at_a_time"
    """Change one thing at a time, or take every combination."""
    cap: Annotated[int, Field(ge=2, le=CAP_MAX)] = CAP
    """Most universes, the analysis as declared included."""

    @property
    def alternatives(self) -> dict[Dimension, tuple[str, ...]]:
        """Names of the alternatives by what they change; empty ones left out."""
        named = {dimension: tuple(getattr(self, dimension)) for dimension in DIMENSIONS}
        return {dimension: names for dimension, names in named.items() if names}

    @property
    def count(self) -> int:
        """How many universes there are, the analysis as declared included."""
        counts = [len(names) for names in self.alternatives.values()]
        return prod(1 + count for count in counts) if self.combine == "all" else 1 + sum(counts)

    @model_validator(mode="after")
    def _not_too_many(self) -> Multiverse:
        if self.count > self.cap:
            mend = "raise cap, leave alternatives out"
            if self.combine == "all":
                mend += ", or set `combine: one_at_a_time`"
            raise ValueError(
                f"{self.count:,} universes, and cap allows {self.cap:,}: each is a fit; {mend}"
            )
        return self
