"""Settings in which the analyses of several runs differ, and what each of them bears on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from bayescluster.spec.analysis import Analysis
from bayescluster.spec.data import Indicator, PackageSource
from bayescluster.spec.equation import ColumnControl, VaryingTerms
from bayescluster.spec.hypotheses import Claim, Difference
from bayescluster.spec.priors import Distribution
from bayescluster.studies.compare.results import Changes, DifferingSetting

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
"""What each part of an analysis bears on; options of separate studies change nothing in a run."""
ORDER: Final[tuple[Changes, ...]] = ("model", "claims", "sampling", "report")
SOURCE: Final = "data.source"
GIVEN: Final = "given"
LISTED: Final = "listed"
EMPTY: Final = "none"
NAMES_OF_CLAIMS: Final = ("kind", "capital", "by", "scope")
"""Fields that together name a claim in a list."""
NAMES_OF_BLOCKS: Final = ("product", "name", "column", "kind")
"""Fields of which the first that it has names any other block in a list."""


class Setting(NamedTuple):
    """A leaf of an analysis: its value as text, and whether that is the default."""

    text: str
    default: bool
    blocks: frozenset[str] = frozenset()
    """Names of the blocks of a list: each has a place of its own, so the list is only their order."""


def differing(analyses: Sequence[Analysis], same_data: bool) -> tuple[DifferingSetting, ...]:
    """Settings in which analyses differ: what changes the model first, in the order of the file.

    Parameters
    ----------
    analyses
        The analysis of every run.
    same_data
        Whether all data have the same content; where the files lie then changes nothing.
    """
    settings = [settings_of(each) for each in analyses]
    rows = [
        DifferingSetting(
            place=place,
            changes="report" if place == SOURCE and same_data else CHANGES[place.partition(".")[0]],
            values=tuple(each[place].text if place in each else None for each in settings),
        )
        for place in _places(settings)
        if _differs([each.get(place) for each in settings])
    ]
    places = [row.place for row in rows]
    # that a block is given goes without saying where a setting within it differs
    shown = [
        row
        for row in rows
        if not set(row.values) <= {GIVEN, LISTED, None}
        or not any(place.startswith(f"{row.place}.") for place in places)
    ]
    return tuple(sorted(shown, key=lambda row: ORDER.index(row.changes)))


def settings_of(analysis: Analysis) -> dict[str, Setting]:
    """Flatten an analysis: every leaf by its dotted place, leaves that are not set left out."""
    return dict(_of_model(analysis, ""))


def _places(settings: Sequence[Mapping[str, Setting]]) -> list[str]:
    """Places of all analyses; what only a later one has comes after what it follows there."""
    places: list[str] = []
    for each in settings:
        after = 0
        for place in each:
            if place in places:
                after = places.index(place) + 1
            else:
                places.insert(after, place)
                after += 1
    return places


def _differs(settings: Sequence[Setting | None]) -> bool:
    given = [each for each in settings if each is not None]
    if any(each.blocks for each in given):
        orders = {(each.blocks, each.text) for each in given}
        return len(orders) > len({each.blocks for each in given})
    if len(given) < len(settings) and all(each.default for each in given):
        return False
    return len({None if each is None else each.text for each in settings}) > 1


def _of_model(
    value: BaseModel, place: str, without: Collection[str] = ()
) -> Iterator[tuple[str, Setting]]:
    """Flatten a block, without the fields that its name in a list consists of."""
    for name, field in type(value).model_fields.items():
        if name in without:
            continue
        key = field.alias or name
        here = f"{place}.{key}" if place else key
        part = getattr(value, name)
        default = not field.is_required() and part == field.get_default(call_default_factory=True)
        if isinstance(part, BaseModel) and field.default is None:
            yield here, Setting(GIVEN, default=False)
        yield from _leaves(here, _written_out(name, part), default)


def _written_out(field: str, value: Any) -> Any:
    """Write out the shorthands of controls, indicators and varying effects."""
    match field, value:
        case "varying" | "controls", Mapping():  # by grouping, or sets of alternatives by name
            return {key: _written_out(field, each) for key, each in value.items()}
        case "varying", str() | tuple():
            return VaryingTerms(terms=(value,) if isinstance(value, str) else value)
        case "controls", tuple():
            return tuple(
                ColumnControl(column=each) if isinstance(each, str) else each for each in value
            )
        case "indicators", tuple():
            return tuple(
                Indicator(column=each) if isinstance(each, str) else each for each in value
            )
    return value


def _leaves(place: str, value: Any, default: bool) -> Iterator[tuple[str, Setting]]:
    if isinstance(value, Distribution):
        # every digit: those of a report are rounded
        numbers = value.model_dump(exclude={"distribution"})
        parameters = ", ".join(f"{key} {_text(number)}" for key, number in numbers.items())
        yield place, Setting(f"{value.distribution}({parameters})", default)
        return
    match value:
        case PackageSource():
            yield place, Setting(f"{value.package} {value.name}", default)
        case BaseModel():
            yield from _of_model(value, place)
        case Mapping():
            for key, each in value.items():
                here = f"{place}.{_text(key)}"
                block = isinstance(each, BaseModel | Mapping) and not isinstance(each, Distribution)
                if block or each == ():
                    yield here, Setting(GIVEN if block else EMPTY, default=False)
                yield from _leaves(here, each, default=False)
        case tuple():
            yield from _of_list(value, place, default)
        case None | "":
            return
        case _:
            yield place, Setting(_text(value), default)


def _of_list(value: tuple[Any, ...], place: str, default: bool) -> Iterator[tuple[str, Setting]]:
    """Flatten a list: the order of its items, and then each block under a name of its own."""
    if not value:
        return
    names = list(map(_name, value))
    repeats = [names[:k].count(name) for k, name in enumerate(names)]
    names = [f"{name} #{k + 1}" if k else name for name, k in zip(names, repeats, strict=True)]
    blocks = {
        name: each for name, each in zip(names, value, strict=True) if isinstance(each, BaseModel)
    }
    yield place, Setting(", ".join(names), default, frozenset(blocks))
    for name, block in blocks.items():
        yield f"{place}.{name}", Setting(LISTED, default=False)
        yield from _of_model(block, f"{place}.{name}", _naming_fields(block))


def _naming_fields(block: BaseModel) -> tuple[str, ...]:
    """Fields that name a block of a list, so that it is found at any position in other lists."""
    fields = type(block).model_fields
    if isinstance(block, Claim | Difference):
        return tuple(field for field in NAMES_OF_CLAIMS if field in fields)
    return tuple(field for field in NAMES_OF_BLOCKS if field in fields)[:1]


def _name(item: Any) -> str:
    if not isinstance(item, BaseModel):
        return _text(item)
    words = {field: getattr(item, field) for field in _naming_fields(item)}
    if "product" in words:
        return " x ".join(words["product"])
    if words.get("scope") == "observed":
        del words["scope"]
    if "by" in words:
        words["by"] = f"by {words['by']}"
    return " ".join(map(_text, words.values())) or type(item).__name__


def _text(value: Any) -> str:
    """Write a value as the analysis file does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
