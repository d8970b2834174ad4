"""YAML to a frozen value, with line and column for every fault, and plain values to YAML.

YAML 1.2 is read: ``NO`` is a country, not false, and a date is text. A file may come from anyone, and
costs a second at most; nothing in it is imported or evaluated. What an analysis has no use for is refused
at its place before anything is built: tags, directives, references that hold themselves or multiply, keys
that are lists, endless nesting and numbers of hundreds of digits.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bayescluster.errors import ConfigError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis

MOST_CHARACTERS: Final = 250_000
MOST_NODES: Final = 10_000
"""Keys and values of a file, what references repeat counted as often as it is repeated."""
DEEPEST: Final = 30
LONGEST_TEXT: Final = 20_000
LONGEST_NUMBER: Final = 40
"""Characters of a number."""

NUMBER: Final = re.compile(r"[-+.\d][\w.+-]*")
STRANGE: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters and halves of characters: they would end up in terminals and pages."""

MENDS: Final = {
    "duplicate key": "keep one of them",
    "'\\t'": "indent with spaces, not with tabs",
    "mapping values are not allowed": "put text that holds a colon in quotes",
    "": "check indentation, quotes and brackets",
}
"""How to repair a fault, by what the YAML reader says of it; the first that fits holds."""


class _Constructor(RoundTripConstructor):
    """Builds dates as the text they are in YAML 1.2."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def parse(text: str, file: str) -> Any:
    """Read YAML text; ``file`` is what messages call it.

    Raises
    ------
    ConfigError
        If it is not YAML, or goes beyond what an analysis needs; with line and column.
    """
    if len(text) > MOST_CHARACTERS:
        what = f"the file is too long: more than {MOST_CHARACTERS:,} characters"
        raise ConfigError(Problem(what, file, "check that this is the right file"))
    text = text.removeprefix("\ufeff")
    if strange := STRANGE.search(text):
        line = text.count("\n", 0, strange.start())
        column = strange.start() - text.rfind("\n", 0, strange.start()) - 1
        raise _refused(file, line, column, *_of_strange(strange[0]))
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    try:
        screen = _Screen(file)
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            screen.see(event)
        return yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        problem = str(error.problem or error.context).split("\n")[0]
        mend = next(mend for words, mend in MENDS.items() if words in problem)
        raise ConfigError(Problem(f"not valid YAML: {problem}", where, mend)) from None
    except YAMLError as error:
        first = str(error).split("\n")[0]
        raise ConfigError(Problem(f"not valid YAML: {first}", file)) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # what ruamel raises on text that no specification foresees
        mend = "write it as plain keys and values, without anchors and references"
        raise ConfigError(Problem("not valid YAML", file, mend)) from None


def _refused(file: str, line: int, column: int, what: str, mend: str) -> ConfigError:
    return ConfigError(Problem(what, f"{file}:{line + 1}:{column + 1}", mend))


def _of_strange(character: str) -> tuple[str, str]:
    return (
        f"the file holds a character that cannot be shown, U+{ord(character):04X}",
        "delete it, or write the text again",
    )


class _Screen:
    """Looks at the events of a file in their order, and refuses the first that goes too far."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._sizes: dict[str, int] = {}
        self._nodes = 0

    def see(self, event: Event) -> None:
        """Look at the next event."""
        match event:
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case DocumentStartEvent():
                if event.version not in (None, (1, 2)) or event.tags:
                    self._refuse(event, "a directive is not used here", "delete the line")
            case NodeEvent():
                self._look(event)

    def _look(self, event: NodeEvent) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.expects_key() and not isinstance(event, ScalarEvent):
            self._refuse(event, "a key must be a word or a number", "write `key: value`")
        if tag := getattr(event, "tag", None):
            what = f"the tag '{_short(str(tag))}' is not used here"
            self._refuse(event, what, "delete it; put the value in quotes if it is text")
        size = 1
        if isinstance(event, AliasEvent):
            size = self._size_of(event)
        elif isinstance(event, ScalarEvent):
            self._look_at_text(event)
            if event.anchor:
                self._sizes[event.anchor] = 1
        self._nodes += size
        if self._nodes > MOST_NODES:
            what = f"the file holds more than {MOST_NODES:,} keys and values"
            self._refuse(event, what, "write the analysis without references, and shorter")
        if parent is not None:
            parent.seen += 1
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(self._open) == DEEPEST:
                what = f"keys and lists are nested more than {DEEPEST} deep"
                self._refuse(event, what, "an analysis needs less: check the brackets")
            is_mapping = isinstance(event, MappingStartEvent)
            # size counted from the node itself
            self._open.append(_Open(is_mapping, event.anchor, self._nodes - 1))

    def _look_at_text(self, event: ScalarEvent) -> None:
        value = str(event.value)
        if len(value) > LONGEST_TEXT:
            what = f"the text has more than {LONGEST_TEXT:,} characters"
            self._refuse(event, what, "shorten it")
        if not event.style and len(value) > LONGEST_NUMBER and NUMBER.fullmatch(value):
            what = f"the number has more than {LONGEST_NUMBER} digits"
            self._refuse(event, what, "put it in quotes if it is text")
        if strange := STRANGE.search(value):
            self._refuse(event, *_of_strange(strange[0]))

    def _size_of(self, event: AliasEvent) -> int:
        if any(place.anchor == event.anchor for place in self._open):
            what = f"'*{_short(event.anchor)}' stands inside what it refers to"
            self._refuse(event, what, "write out what is meant")
        # one that is not known is refused by the reader itself
        return self._sizes.get(event.anchor, 1)

    def _close(self) -> None:
        place = self._open.pop()
        if place.anchor:
            self._sizes[place.anchor] = self._nodes - place.before

    def _refuse(self, event: Event, what: str, mend: str) -> None:
        mark = event.start_mark
        raise _refused(self._file, mark.line, mark.column, what, mend)


class _Open:
    """A mapping or a list that has begun; ``before`` counts the nodes that came before it."""

    def __init__(self, is_mapping: bool, anchor: str | None, before: int) -> None:
        self.is_mapping, self.anchor, self.before = is_mapping, anchor, before
        self.seen = 0

    def expects_key(self) -> bool:
        """Whether the next node is a key."""
        return self.is_mapping and self.seen % 2 == 0


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


type Place = tuple[str | int, ...]

EXPECTED = {
    "bool": "true or false",
    "dict": "keys with values",
    "finite": "a finite number",
    "float": "a number",
    "int": "a whole number",
    "model": "keys with values",
    "string": "text",
    "tuple": "a list",
}
"""What a value must be, by the first word of pydantic's type of fault."""

ANCHOR_TAGS = ("of_score", "by_indicator")
"""Tags of the kinds of anchors: ``low`` or ``high`` comes before them."""

FILL_IN = "FILL_IN"
"""Stands where only the user can say what belongs there."""

MOST_SHOWN = 40
"""Faults of a file that are listed."""

PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_-]*$": "use letters, digits, - and _, with a letter first",
    r"^[A-Za-z0-9._]+/[A-Za-z0-9._]+$": "write COLLECTION/NAME, for example Ecdat/PatentsRD",
}
"""Patterns of names in words."""

TAGS_AND_KEYS = ("package", "product")
"""Tags of unions that are keys of the file as well: followed by another key, they are the tag."""


class SourceMap(NamedTuple):
    """The text of a YAML file as parsed, to say where a value is in it."""

    file: str
    tree: Any

    def where(self, path: Sequence[str | int]) -> str:
        """``file:line:column`` of the value at a path, or of the nearest one above it."""
        line, column = _position(self.tree, path)
        return f"{self.file}:{line}:{column}"


class Loaded[T](NamedTuple):
    """A value read from a file, and the way back to the places it was read from."""

    value: T
    source: SourceMap
    directory: Path


def load_analysis(path: Path) -> Loaded[Analysis]:
    """Read an analysis file.

    Raises
    ------
    ConfigError
        If the file does not exist, is not YAML, or does not describe an analysis; all faults at once,
        each with line, column and a way to repair it.
    """
    return load(path, Analysis, "analysis file")


def load[M: BaseModel](path: Path, model: type[M], what: str) -> Loaded[M]:
    """Read a YAML file into a pydantic model; see `load_analysis` for the errors."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            # no more than can be used, whatever the path leads to
            raw = stream.read(4 * MOST_CHARACTERS + 1)
        text = raw.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        folder = path.parent
        near = sorted(item.name for item in folder.glob("*.y*ml")) if folder.is_dir() else []
        raise ConfigError(
            Problem(f"the {what} does not exist", file, suggestion(path.name, near))
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            Problem(f"the {what} is not UTF-8 text", file, "save it as UTF-8")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path that holds a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(Problem(f"the {what} cannot be read: {reason}", file)) from None
    source = SourceMap(file, parse(text, file))
    return Loaded(_validated(source, model, what), source, path.resolve().parent)


def _validated[M: BaseModel](source: SourceMap, model: type[M], what: str) -> M:
    """Turn parsed YAML into a model, or report all that is wrong with it."""
    if not isinstance(source.tree, CommentedMap):
        raise ConfigError(
            Problem(
                f"the {what} must be a mapping of keys to values",
                f"{source.file}:1:1",
                "start it with `name:`, or write one with `bayescluster init`",
            )
        )
    plain = _plain(source.tree)
    if blanks := list(_blanks(plain, ())):
        # what else is wrong may follow from what is not there yet
        raise ConfigError(
            [
                Problem(
                    f"{FILL_IN} stands here still: {_asked(path)}",
                    source.where(path),
                    "`bayescluster check-data TABLE` lists the columns",
                )
                for path in blanks
            ]
        )
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        details = sorted(
            _without_echoes(error.errors()),
            key=lambda detail: _position(source.tree, detail["loc"]),
        )
        problems = []
        for detail in details[:MOST_SHOWN]:
            what, mend = _words(detail, detail["loc"], model)
            problems.append(Problem(what, source.where(detail["loc"]), mend))
        if (more := len(details) - MOST_SHOWN) > 0:
            problems.append(Problem(f"{more:,} more problems are not listed", source.file))
        raise ConfigError(list(dict.fromkeys(problems))) from None


def _blanks(tree: Any, path: Place) -> Iterator[Place]:
    """Places that are to be filled in."""
    if tree == FILL_IN:
        yield path
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in items:
        yield from _blanks(value, (*path, key))


def _asked(path: Place) -> str:
    """What belongs at a place, in words."""
    if "indicators" in path:
        capital = str(path[path.index("indicators") - 1]).replace("_", " ")
        return f"name the columns that measure {capital}"
    return f"name the column of the {path[-1]}"


def _without_echoes(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what pydantic says of a list only because an item of it is wrong."""
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(detail["loc"])
            and other["loc"][: len(detail["loc"])] == detail["loc"]
            for other in details
        )
    ]


def _plain(node: Any) -> Any:
    """YAML nodes as plain Python values."""
    if isinstance(node, Mapping):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _position(tree: Any, path: Sequence[str | int]) -> tuple[int, int]:
    line, column = 1, 1
    node = tree
    for step, following in zip_longest(path, path[1:]):
        if step in TAGS_AND_KEYS and isinstance(following, str):
            continue
        place = _step_position(node, step)
        if place is None:
            # union tags of pydantic stand in the path, but not in the file
            continue
        line, column = place
        node = node[step]
    return line, column


def _step_position(node: Any, step: str | int) -> tuple[int, int] | None:
    if isinstance(node, CommentedMap) and step in node:
        if step not in (node.lc.data or {}):
            # merged in by `<<`: its place is where the anchor has it
            return next(
                (_step_position(source, step) for source in node.merge if step in source), None
            )
        row, col = node.lc.key(step)
    elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        row, col = node.lc.item(step)
    else:
        return None
    return row + 1, col + 1


def dotted(path: Sequence[str | int]) -> str:
    """Place of a value in an analysis that was not read from a file."""
    return ".".join(str(step) for step in path)


def yaml_text(value: Mapping[str, Any]) -> str:
    """Write plain values as YAML."""
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 100
    writer.dump(dict(value), stream)
    return stream.getvalue()


def _words(detail: ErrorDetails, path: Place, model: type[BaseModel]) -> tuple[str, str]:
    """What pydantic found in plain words, and how to repair it or nothing.

    ``path`` holds the tags of unions as well; ``model`` is what the file is read into.
    """
    key = _key(path)
    context, given = detail.get("ctx", {}), detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            keys = [name for known in _models_at(path[:-1], model) for name in _fields(known)]
            return f"unknown key '{key}'", suggestion(key, keys)
        case "missing":
            return f"the key '{key}' is missing", f"add `{key}:`{_described(path, model)}"
        case "literal_error" | "enum":
            known = _quoted(str(context.get("expected", "")))
            return f"unknown {key} '{given}'", suggestion(str(given), known)
        case "union_tag_invalid":
            tag, named = str(context["tag"]), str(context["discriminator"]).strip("'")
            return f"unknown {named} '{tag}'", suggestion(
                tag, _quoted(str(context["expected_tags"]))
            )
        case "union_tag_not_found":
            named = str(context["discriminator"]).strip("'")
            return f"the key '{named}' is missing", _one_of(named, path, model)
        case "invalid_key":
            return f"the key {given!r} is not a word", "put it in quotes if it is meant"
        case "too_long" | "too_short":
            most = context.get("max_length")
            bound = (
                f"needs at least {context.get('min_length')}"
                if most is None
                else f"takes at most {most}"
            )
            return f"{key} {bound}, {len(given)} given", ""
        case "value_error":
            # a validator of ours puts the way to repair it after a semicolon
            what, _, mend = str(context.get("error", detail["msg"])).partition("; ")
            return what, mend
        case "string_pattern_mismatch":
            mend = PATTERNS.get(context["pattern"], f"it must match {context['pattern']}")
            return f"'{given}' cannot be the {key}", mend
        case _:
            return _not_as_expected(detail, key, path)


def _key(path: Place) -> str:
    """What a message calls the value at a place."""
    named = [step for step in path if isinstance(step, str)]
    key = named[-1] if named else ""
    if key == "[key]":
        return f"name in {path[-3]}" if len(path) > 2 else "name"
    if key == "varying" and len(named) > 1 and named[-2] != "varying" and "varying" in named[:-1]:
        # the last step is the tag of the union: its grouping comes before it
        return named[-2]
    if key in ANCHOR_TAGS and "anchors" in named:
        return named[-2]
    return "term" if key == "terms" else key


def _quoted(text: str) -> list[str]:
    return [part.strip(" '") for part in text.replace(" or ", ", ").split(",") if part.strip()]


def _one_of(key: str, path: Place, model: type[BaseModel]) -> str:
    fields = [
        known.model_fields[key] for known in _models_at(path, model) if key in known.model_fields
    ]
    values = dict.fromkeys(str(value) for field in fields for value in get_args(field.annotation))
    return f"say which one by `{key}:`; known: {', '.join(values)}"


def _not_as_expected(detail: ErrorDetails, key: str, path: Place) -> tuple[str, str]:
    kind, given, message = detail["type"].split("_", maxsplit=1)[0], detail["input"], detail["msg"]
    must = f"must be {EXPECTED[kind]}" if kind in EXPECTED else message[:1].lower() + message[1:]
    must = must.replace("input should be", "must be")
    mend = ""
    if given is None:
        mend = "write a value after the colon, or leave the key out"
    elif path[-1] == "varying":
        mend = f"list the terms that vary: [{given}]"
    elif kind == "tuple" and isinstance(given, str | int | float):
        mend = f"put it in brackets: [{given}]"
    elif kind == "string" and isinstance(given, bool | int | float):
        mend = f"put it in quotes: '{given}'"
    if path[-1] == "varying":
        must = "must be a list of terms"
    shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:57] + "..."
    return f"{key} {must}, {'but is empty' if given is None else f'not {shown}'}", mend


def _described(path: Place, model: type[BaseModel]) -> str:
    for known in _models_at(path[:-1], model):
        field = _fields(known).get(str(path[-1]))
        if field is not None and field.description:
            first = " ".join(field.description.split()).split(". ")[0]
            return f" ({first.rstrip('.').replace('``', '`')})"
    return ""


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields by their keys in the file, which are not always their names in Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(path: Place, model: type[BaseModel]) -> list[type[BaseModel]]:
    """Models that may stand at a place of the file."""
    models = [model]
    for step in path:
        by_key = [_fields(known) for known in models]
        fields = [keys[str(step)] for keys in by_key if step in keys]
        if fields:
            inside = [item for field in fields for item in _models_in(field.rebuild_annotation())]
            # a key that holds no model can only be a union tag of the same name here
            models = inside or models
            continue
        tagged = [known for known in models if _is_tagged(known, str(step))]
        models = tagged or models
    return models


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    return any(
        get_origin(field.annotation) is Literal and tag in get_args(field.annotation)
        for name, field in model.model_fields.items()
        if name in {"kind", "distribution"}
    )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None or isinstance(annotation, UnionType):
        for part in get_args(annotation):
            if get_origin(annotation) is not Literal and part is not Union:
                yield from _models_in(part)
