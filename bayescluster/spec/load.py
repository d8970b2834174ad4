"""YAML to a frozen value, with line and column for every fault.

YAML 1.2 is read: ``NO`` is a country, not false. Nothing in a file is imported or evaluated.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bayescluster.errors import ConfigError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis

Path_ = tuple[str | int, ...]

TAGS_AND_KEYS = ("package", "product")
"""Tags of unions that are keys of the file as well: followed by another key, they are the tag."""


class SourceMap(NamedTuple):
    """The text of a YAML file as parsed, to say where a value stands in it."""

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
        If the file is not there, is not YAML, or does not describe an analysis; all faults at once,
        each with line, column and a mend.
    """
    return load(path, Analysis, "analysis file")


def load[M: BaseModel](path: Path, model: type[M], what: str) -> Loaded[M]:
    """Read a YAML file into a pydantic model; see `load_analysis` for the errors."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(_not_there(path, what)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(f"the {what} cannot be read: {error}", str(path))) from None
    source = SourceMap(str(path), _parse(text, str(path)))
    return Loaded(validate(source, model, what), source, path.resolve().parent)


def validate[M: BaseModel](source: SourceMap, model: type[M], what: str = "analysis file") -> M:
    """Turn parsed YAML into a model, or tell all that is wrong with it."""
    if not isinstance(source.tree, CommentedMap):
        raise ConfigError(
            Problem(
                f"the {what} must be a mapping of keys to values",
                f"{source.file}:1:1",
                "start it with `name:`, or write one with `bayescluster init`",
            )
        )
    try:
        return model.model_validate(_plain(source.tree))
    except ValidationError as error:
        found = _without_echoes(error.errors())
        details = sorted(found, key=lambda detail: _position(source.tree, detail["loc"]))
        problems = [_problem(detail, source, model) for detail in details]
        raise ConfigError(list(dict.fromkeys(problems))) from None


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


def _not_there(path: Path, what: str) -> Problem:
    folder = path.parent
    near = sorted(item.name for item in folder.glob("*.y*ml")) if folder.is_dir() else []
    return Problem(f"the {what} is not there", str(path), suggestion(path.name, near))


def _parse(text: str, file: str) -> Any:
    try:
        return YAML(typ="rt").load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        problem = str(error.problem or error.context).split("\n")[0]
        raise ConfigError(
            Problem(f"not valid YAML: {problem}", where, "check indentation, quotes and brackets")
        ) from None
    except YAMLError as error:
        first = str(error).split("\n")[0]
        raise ConfigError(Problem(f"not valid YAML: {first}", file)) from None


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


def dotted(path: Sequence[str | int]) -> str:
    """Place of a value in an analysis that was not read from a file."""
    return ".".join(str(step) for step in path)


def _step_position(node: Any, step: str | int) -> tuple[int, int] | None:
    if isinstance(node, CommentedMap) and step in node:
        row, col = node.lc.key(step)
    elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        row, col = node.lc.item(step)
    else:
        return None
    return row + 1, col + 1


def _problem(detail: ErrorDetails, source: SourceMap, model: type[BaseModel]) -> Problem:
    path = detail["loc"]
    what, mend = _words(detail, path, model)
    return Problem(what, source.where(path), mend)


def _words(detail: ErrorDetails, path: Path_, model: type[BaseModel]) -> tuple[str, str]:
    """Say in plain words what pydantic found."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if key in {"[key]", "terms"}:
        key = str(path[-3]) if key == "[key]" and len(path) > 2 else "term"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key '{key}'", suggestion(key, _known_keys(path[:-1], model))
        case "missing":
            return f"the key '{key}' is missing", f"add `{key}:`{_described(path, model)}"
        case "literal_error" | "enum":
            return _unknown_value(detail, key, str(context.get("expected", "")))
        case "union_tag_invalid":
            tag = str(context["tag"])
            known = _quoted(str(context["expected_tags"]))
            return (
                f"unknown {str(context['discriminator']).strip(chr(39))} '{tag}'",
                suggestion(tag, known),
            )
        case "union_tag_not_found":
            named = str(context["discriminator"]).strip("'")
            return f"the key '{named}' is missing", f"say which one by `{named}:`"
        case "too_long" | "too_short":
            return _wrong_count(detail, key)
        case "value_error":
            return str(context.get("error", detail["msg"])), ""
        case "string_pattern_mismatch":
            return (
                f"'{detail['input']}' cannot be the {key}",
                f"it must match {context['pattern']}",
            )
        case _:
            return f"{key}: {_lower(detail['msg'])}, not {_shown(detail['input'])}", ""


def _wrong_count(detail: ErrorDetails, key: str) -> tuple[str, str]:
    context, given = detail.get("ctx", {}), len(detail["input"])
    if "max_length" in context:
        most = context["max_length"]
        return f"{key} takes at most {most}, {given} given", "put the others into files of their own"
    return f"{key} needs at least {context['min_length']}, {given} given", ""


def _unknown_value(detail: ErrorDetails, key: str, expected: str) -> tuple[str, str]:
    found = str(detail["input"])
    return f"unknown {key} '{found}'", suggestion(found, _quoted(expected))


def _quoted(text: str) -> list[str]:
    return [part.strip(" '") for part in text.replace(" or ", ", ").split(",") if part.strip()]


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _described(path: Path_, model: type[BaseModel]) -> str:
    for known in _models_at(path[:-1], model):
        field = known.model_fields.get(str(path[-1]))
        if field is not None and field.description:
            return f" ({field.description.rstrip('.')})"
    return ""


def _known_keys(path: Path_, model: type[BaseModel]) -> list[str]:
    return [name for known in _models_at(path, model) for name in known.model_fields]


def _models_at(path: Path_, model: type[BaseModel]) -> list[type[BaseModel]]:
    """Models that may stand at a place of the file."""
    models = [model]
    for step in path:
        fields = [known.model_fields[step] for known in models if step in known.model_fields]
        if fields:
            found = [item for field in fields for item in _models_in(field.rebuild_annotation())]
            # a key that holds no model can only be a union tag of the same name here
            models = found or models
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


def yaml_text(value: Mapping[str, Any]) -> str:
    """Write plain values as YAML."""
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 100
    writer.dump(dict(value), stream)
    return stream.getvalue()
