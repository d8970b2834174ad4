"""The chains of a run, a file each: which are finished, and reading them back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.errors import RunError
from bayescluster.runs.documents import read_tree
from bayescluster.runs.layout import CHAINS, chain_file
from bayescluster.runs.manifest import Manifest
from bayescluster.runs.verify import fault_of

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain

CHAIN_FILE = re.compile(rf"{CHAINS}/chain-([1-9][0-9]*)\.nc")


def chain_tree(chain: Chain) -> xr.DataTree:
    """Arrange a chain as its file holds it."""
    import xarray as xr

    return xr.DataTree.from_dict({"posterior": chain.posterior, "sample_stats": chain.sample_stats})


def finished_chains(directory: Path, manifest: Manifest) -> tuple[int, ...]:
    """Numbers of the chains that were finished and are still there, counted from 0."""
    stage = manifest.stages.get("sampling")
    matches = (CHAIN_FILE.fullmatch(file) for file in (stage.files if stage else {}))
    numbers = sorted(int(match[1]) - 1 for match in matches if match)
    return tuple(n for n in numbers if (directory / chain_file(n)).is_file())


def read_chains(directory: Path, manifest: Manifest) -> list[Chain]:
    """Read the finished chains, in the order of their numbers.

    Raises
    ------
    RunError
        If chains are not as they were written; all of them are named.
    """
    numbers = finished_chains(directory, manifest)
    found = [fault_of(directory, manifest, "sampling", chain_file(n)) for n in numbers]
    problems = [problem for problem in found if problem]
    if problems:
        raise RunError(problems)
    return [_read_chain(directory, number) for number in numbers]


def _read_chain(directory: Path, number: int) -> Chain:
    from bayescluster.inference.nuts import Chain

    tree = read_tree(directory / chain_file(number))
    return Chain(number, tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset())
