"""YAML to a frozen value, with line and column for every fault.

YAML 1.2 is read: ``NO`` is a country, not false. Nothing in a file is imported or evaluated.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bayescluster.errors import ConfigError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.words import words

TAGS_AND_KEYS = ("package", "product")
"""Tags of unions that are keys of the file as well: followed by another key, they are the tag."""


YAML_MENDS = {
    "duplicate key": "keep one of them",
    "'\\t'": "indent with spaces, not with tabs",
    "mapping values are not allowed": "put text that holds a colon in quotes",
}
"""Mends by what the YAML reader says; a more general one holds for the rest."""


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
    except UnicodeDecodeError:
        problem = Problem(f"the {what} is not UTF-8 text", str(path), "save it as UTF-8")
        raise ConfigError(problem) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(Problem(f"the {what} cannot be read: {reason}", str(path))) from None
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
            Problem(f"not valid YAML: {problem}", where, _yaml_mend(problem))
        ) from None
    except YAMLError as error:
        first = str(error).split("\n")[0]
        raise ConfigError(Problem(f"not valid YAML: {first}", file)) from None


def _yaml_mend(problem: str) -> str:
    for words_of_fault, mend in YAML_MENDS.items():
        if words_of_fault in problem:
            return mend
    return "check indentation, quotes and brackets"


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


def _problem(detail: ErrorDetails, source: SourceMap, model: type[BaseModel]) -> Problem:
    path = detail["loc"]
    what, mend = words(detail, path, model)
    return Problem(what, source.where(path), mend)


def yaml_text(value: Mapping[str, Any]) -> str:
    """Write plain values as YAML."""
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 100
    writer.dump(dict(value), stream)
    return stream.getvalue()
