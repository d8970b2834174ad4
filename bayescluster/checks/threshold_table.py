"""The thresholds as a table: name, value, and the text below each in `checks/thresholds.py`."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache

from bayescluster.checks import thresholds as module
from bayescluster.results.base import Value


class ThresholdRow(Value):
    """A threshold of the checks."""

    name: str
    value: str
    source: str
    """What it is for, and where it comes from."""


@lru_cache(maxsize=1)
def thresholds() -> tuple[ThresholdRow, ...]:
    """List every threshold in the order of its module; its words are those below it there.

    So the table is whole whatever is added: a threshold and its source are written in one place.
    Adjacent thresholds share the words below the last of them.
    """
    waiting: list[str] = []
    found: list[ThresholdRow] = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            waiting.append(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and waiting:
            words = inspect.cleandoc(str(node.value.value))
            source = " ".join(words.replace("``", "").split())
            found += [
                ThresholdRow(name=name, value=_shown(getattr(module, name)), source=source)
                for name in waiting
            ]
            waiting = []
        elif isinstance(node, ast.FunctionDef):
            words = " ".join((ast.get_docstring(node) or "").split())
            found.append(ThresholdRow(name=node.name.upper(), value="by the draws", source=words))
    return tuple(found)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return " to ".join(_shown(part) for part in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)
