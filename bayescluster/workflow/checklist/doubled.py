"""Another run of the same model with at least twice the draws, and how far its effects differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from bayescluster.errors import RunError
from bayescluster.results.model import EffectRow, Results
from bayescluster.runs.keys import model_key
from bayescluster.runs.layout import MANIFEST
from bayescluster.runs.manifest import Manifest, read_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis

TIMES = 2


class Doubled(NamedTuple):
    """How far the effects of a longer run lie from those of this one."""

    key: str
    draws: int
    """Draws of all its chains."""
    largest: float
    """Largest change of the mean of an effect, in its posterior standard deviations."""


def doubled(directory: RunDirectory, results: Results, wanted: str) -> Doubled | None:
    """Find the longest finished run of the same model with at least twice the draws.

    Parameters
    ----------
    directory
        The run.
    results
        Its results.
    wanted
        Key of its model.
    """
    least = TIMES * results.fit.chains * results.fit.draws
    found = [(_draws(manifest), path) for path, manifest in _others(directory, wanted)]
    for draws, path in sorted(found, reverse=True):
        if draws < least:
            break
        try:
            longer = RunDirectory(path).load_results()
        except RunError:
            continue
        return Doubled(path.name, draws, _largest(results.effects, longer.effects))
    return None


def _others(directory: RunDirectory, wanted: str) -> Iterator[tuple[Path, Manifest]]:
    for path in sorted(directory.path.parent.glob(f"*/{MANIFEST}")):
        if path.parent == directory.path:
            continue
        try:
            manifest = read_manifest(path.parent)
            analysis = Analysis.model_validate(manifest.analysis)
        except (RunError, ValidationError):
            continue
        # the cases behind priors stand in the design: such a run does not count as the same
        if manifest.gate_passed and model_key(analysis, manifest.data_digest) == wanted:
            yield path.parent, manifest


def _draws(manifest: Manifest) -> int:
    sampling = manifest.analysis["sampling"]
    return int(sampling["chains"]) * int(sampling["draws"])


def _largest(own: tuple[EffectRow, ...], longer: tuple[EffectRow, ...]) -> float:
    """Of the effects that both runs have; an effect that does not move has no change."""
    other = {_name(row): row.estimate for row in longer}
    changes = [
        abs(other[_name(row)].mean - row.estimate.mean) / row.estimate.sd
        for row in own
        if _name(row) in other and row.estimate.sd > 0
    ]
    return max(changes, default=0.0)


def _name(row: EffectRow) -> tuple[str, ...]:
    return row.capital, row.measure, row.by, row.group, row.scope
