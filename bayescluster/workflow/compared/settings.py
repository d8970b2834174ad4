"""Which settings of analyses differ: every leaf by its dotted place, as the analysis file has it.

Shorthands are written out first, so that what is spelled in two ways but means one thing is no
difference. A block that only some analyses have, such as an equation or a control, is told by what
is set in it: its defaults are no choices of anyone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from bayescluster.results.compared import Changes, DifferingSetting
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.constructs import Indicator
from bayescluster.spec.data import PackageSource
from bayescluster.spec.equation import ColumnControl, VaryingTerms
from bayescluster.spec.hypotheses import Claim, Difference
from bayescluster.spec.priors import Distribution

CHANGES: Final[dict[str, Changes]] = {
    "data": "model",
    "constructs": "model",
    "equations": "model",
    "residual_correlation": "model",
    "focus": "claims",
    "hypotheses": "claims",
    "traditions": "claims",
    "weakest_node": "claims",
    "sampling": "sampling",
    "name": "report",
    "description": "report",
    "limits": "report",
    "report": "report",
    "design": "report",
    "multiverse": "report",
}
"""What a part of the analysis bears on; options of studies beside the run change nothing in it."""
ORDER: Final[tuple[Changes, ...]] = ("model", "claims", "sampling", "report")
SOURCE: Final = "data.source"
GIVEN: Final = "given"
LISTED: Final = "listed"
EMPTY: Final = "none"


class Setting(NamedTuple):
    """A leaf of an analysis: its value as text, and whether that is what it is without a word."""

    text: str
    default: bool
    parts: frozenset[str] = frozenset()
    """Names of the blocks of a list, which stands for their order alone: each has a place of its own."""


def settings_of(analysis: Analysis) -> dict[str, Setting]:
    """Flatten an analysis: every leaf by its dotted place, what is not set left out."""
    return dict(_of_model(analysis, ""))


def differing(analyses: Sequence[Analysis], same_data: bool) -> tuple[DifferingSetting, ...]:
    """Settings in which analyses differ: what changes the model first, in the order of the file.

    Parameters
    ----------
    analyses
        The analysis of every run.
    same_data
        Whether all data have the same content; where they lie then changes nothing.
    """
    found = [settings_of(each) for each in analyses]
    rows = [
        DifferingSetting(
            place=place,
            changes="report" if place == SOURCE and same_data else CHANGES[place.partition(".")[0]],
            values=tuple(each[place].text if place in each else None for each in found),
        )
        for place in _in_order(found)
        if _differs([each.get(place) for each in found])
    ]
    shown = [row.place for row in rows]
    # that a block is given is told by what is set in it, where anything is
    told = [
        row
        for row in rows
        if not set(row.values) <= {GIVEN, LISTED, None}
        or not any(other.startswith(f"{row.place}.") for other in shown)
    ]
    return tuple(sorted(told, key=lambda row: ORDER.index(row.changes)))


def _in_order(found: Sequence[Mapping[str, Setting]]) -> list[str]:
    """Places of all analyses; what only later ones have stands behind what it follows there."""
    places: list[str] = []
    for each in found:
        after = 0
        for place in each:
            if place in places:
                after = places.index(place) + 1
            else:
                places.insert(after, place)
                after += 1
    return places


def _differs(found: Sequence[Setting | None]) -> bool:
    there = [each for each in found if each is not None]
    if any(each.parts for each in there):
        orders = {(each.parts, each.text) for each in there}
        return len(orders) > len({each.parts for each in there})
    if len(there) < len(found) and all(each.default for each in there):
        return False
    return len({None if each is None else each.text for each in found}) > 1


def _of_model(
    value: BaseModel, place: str, told: Collection[str] = ()
) -> Iterator[tuple[str, Setting]]:
    """Give the fields of a block, but for those that its name in a list has told."""
    for name, field in type(value).model_fields.items():
        if name in told:
            continue
        key = field.alias or name
        here = f"{place}.{key}" if place else key
        found = getattr(value, name)
        default = not field.is_required() and found == field.get_default(call_default_factory=True)
        if isinstance(found, BaseModel) and field.default is None:
            yield here, Setting(GIVEN, default=False)
        yield from _leaves(here, _written_out(name, found), default)


def _leaves(place: str, value: Any, default: bool) -> Iterator[tuple[str, Setting]]:
    if isinstance(value, Distribution):
        yield place, Setting(_prior(value), default)
    elif isinstance(value, PackageSource):
        yield place, Setting(f"{value.package} {value.name}", default)
    elif isinstance(value, BaseModel):
        yield from _of_model(value, place)
    elif isinstance(value, Mapping):
        yield from _of_mapping(value, place)
    elif isinstance(value, tuple):
        yield from _of_list(value, place, default)
    elif value is not None and value != "":
        yield place, Setting(_text(value), default)


def _of_mapping(value: Mapping[Any, Any], place: str) -> Iterator[tuple[str, Setting]]:
    for key, one in value.items():
        here = f"{place}.{_text(key)}"
        block = isinstance(one, BaseModel | Mapping) and not isinstance(one, Distribution)
        if block or one == ():
            yield here, Setting(GIVEN if block else EMPTY, default=False)
        yield from _leaves(here, one, default=False)


def _of_list(value: tuple[Any, ...], place: str, default: bool) -> Iterator[tuple[str, Setting]]:
    """Give a list as one value; of blocks their order, and then each by a name of its own."""
    if not value:
        return
    names = [_name(one) for one in value]
    before = [names[:k].count(name) for k, name in enumerate(names)]
    told = [f"{name} #{k + 1}" if k else name for name, k in zip(names, before, strict=True)]
    blocks = [
        (name, one) for name, one in zip(told, value, strict=True) if isinstance(one, BaseModel)
    ]
    parts = frozenset(name for name, _ in blocks)
    yield place, Setting(", ".join(told), default, parts)
    for name, one in blocks:
        yield f"{place}.{name}", Setting(LISTED, default=False)
        yield from _of_model(one, f"{place}.{name}", _named_by(one))


NAMING: Final = (
    ("kind", "capital", "by", "scope"),
    ("product",),
    ("name",),
    ("column",),
    ("kind",),
)
"""What names a block of a list: claims by the first that they have, all others by one alone."""


def _named_by(one: BaseModel) -> tuple[str, ...]:
    """Fields that name a block of a list, so that it is found wherever it stands in others."""
    fields = type(one).model_fields
    claim = isinstance(one, Claim | Difference)
    named = (NAMING[0],) if claim else NAMING[1:]
    found = next((each for each in named if each[0] in fields), ())
    return tuple(field for field in found if field in fields)


def _name(one: Any) -> str:
    if not isinstance(one, BaseModel):
        return _text(one)
    words = {field: getattr(one, field) for field in _named_by(one)}
    if "product" in words:
        return " x ".join(words["product"])
    if words.get("scope") == "observed":
        del words["scope"]
    if "by" in words:
        words["by"] = f"by {words['by']}"
    return " ".join(_text(word) for word in words.values()) or type(one).__name__


def _written_out(field: str, value: Any) -> Any:
    """Write out the shorthands of controls, indicators and varying effects."""
    if field == "varying" and isinstance(value, Mapping):
        return {key: _varying(one) for key, one in value.items()}
    if field == "controls" and isinstance(value, Mapping):
        return {key: _written_out(field, one) for key, one in value.items()}
    if field == "controls" and isinstance(value, tuple):
        return tuple(ColumnControl(column=one) if isinstance(one, str) else one for one in value)
    if field == "indicators":
        return tuple(Indicator(column=one) if isinstance(one, str) else one for one in value)
    return value


def _varying(value: Any) -> Any:
    if isinstance(value, Mapping):  # a set of alternatives, by grouping
        return {key: _varying(one) for key, one in value.items()}
    if isinstance(value, VaryingTerms):
        return value
    return VaryingTerms(terms=(value,) if isinstance(value, str) else value)


def _prior(value: Distribution) -> str:
    """Write a prior with every digit: those of a report are rounded."""
    numbers = value.model_dump(exclude={"distribution"})
    told = ", ".join(f"{key} {_text(one)}" for key, one in numbers.items())
    return f"{value.distribution}({told})"


def _text(value: Any) -> str:
    """Write a value as the analysis file does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
