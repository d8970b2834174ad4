"""Studies of a model that stand beside its runs: found by the key of the model they are of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from bayescluster.results.base import Value
from bayescluster.results.design_analysis import DesignAnalysis

STUDIES: Final[Mapping[str, type[Value]]] = {
    "design": DesignAnalysis,
}
"""Kinds of study, and what the document of each holds: ``<kind>/<key>/<kind>.json``."""


class Study(NamedTuple):
    """A finished study: its document, and its page."""

    document: Value
    page: Path


def studies_of(folder: Path, model_key: str) -> dict[str, Study]:
    """Find the studies of a model: of each kind the one that was written last.

    Parameters
    ----------
    folder
        Directory of all runs and studies of an analysis, ``<root>/<name>``.
    model_key
        Key of the model. Studies of another model, and files that another version wrote, do not
        count.
    """
    found = {}
    for kind, holds in STUDIES.items():
        for path in sorted(_documents(folder, kind), key=_written, reverse=True):
            document = _read(path, holds, model_key)
            if document is not None:
                found[kind] = Study(document, path.with_suffix(".html"))
                break
    return found


def _documents(folder: Path, kind: str) -> Iterator[Path]:
    return folder.glob(f"{kind}/*/{kind}.json")


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _read(path: Path, holds: type[Value], model_key: str) -> Value | None:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("model_key") != model_key:
        return None
    try:
        return holds.model_validate(content)
    except ValidationError:
        return None
