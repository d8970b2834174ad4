"""Which settings of analyses differ: every leaf by its dotted place, as the analysis file has it.

Shorthands are written out first, so that what is spelled in two ways but means one thing is no
difference. A block that only some analyses have, such as an equation or a control, is told by what
is set in it: its defaults are no choices of anyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from bayescluster.results.compared import Changes, DifferingSetting
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.constructs import Indicator
from bayescluster.spec.data import PackageSource
from bayescluster.spec.equation import ColumnControl, VaryingTerms
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
EMPTY: Final = "none"


class Setting(NamedTuple):
    """A leaf of an analysis: its value as text, and whether that is what it is without a word."""

    text: str
    default: bool


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
    places = list(dict.fromkeys(place for each in found for place in each))
    rows = [
        DifferingSetting(
            place=place,
            changes="report" if place == SOURCE and same_data else CHANGES[_head(place, 1)],
            values=tuple(each[place].text if place in each else None for each in found),
        )
        for place in places
        if _differs([each.get(place) for each in found])
    ]
    shown = [row.place for row in rows]
    # that a block is given is told by what is set in it, where anything is
    told = [
        row
        for row in rows
        if set(row.values) != {GIVEN, None}
        or not any(other.startswith(f"{row.place}.") for other in shown)
    ]
    first = {_head(place, 2): k for k, place in reversed(list(enumerate(places)))}
    return tuple(
        sorted(told, key=lambda row: (ORDER.index(row.changes), first[_head(row.place, 2)]))
    )


def _head(place: str, parts: int) -> str:
    return ".".join(place.split(".")[:parts])


def _differs(found: Sequence[Setting | None]) -> bool:
    there = [each for each in found if each is not None]
    if len(there) < len(found) and all(each.default for each in there):
        return False
    return len({None if each is None else each.text for each in found}) > 1


def _of_model(value: BaseModel, place: str) -> Iterator[tuple[str, Setting]]:
    for name, field in type(value).model_fields.items():
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
    """Give the list in its order, then what stands in each of its blocks, by a name of its own."""
    if not value:
        return
    names: list[str] = []
    for one in value:
        name = _name(one)
        same = sum(other.partition(" #")[0] == name for other in names)
        names.append(f"{name} #{same + 1}" if same else name)
    yield place, Setting(", ".join(names), default)
    for name, one in zip(names, value, strict=True):
        if isinstance(one, BaseModel):
            yield from _of_model(one, f"{place}.{name}")


def _name(one: Any) -> str:
    """Name a part of a list by what it is about, so that it is found wherever it stands in others."""
    if not isinstance(one, BaseModel):
        return _text(one)
    plain = one.model_dump()
    if "product" in plain:
        return " x ".join(plain["product"])
    if "kind" in plain and "level" in plain:  # a claim
        capital, by, scope = (plain.get(key) for key in ("capital", "by", "scope"))
        words = (plain["kind"], capital, by and f"by {by}", scope != "observed" and scope)
        return " ".join(str(word) for word in words if word)
    return str(plain.get("name") or plain.get("column") or plain.get("kind") or type(one).__name__)


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
