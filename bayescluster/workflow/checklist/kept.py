"""What of all that is needed to get a run again is really there: looked up in its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bayescluster.results.model import Results
from bayescluster.results.reproduction import Reproduction
from bayescluster.runs.keys import SAMPLING_PACKAGES, resolved
from bayescluster.runs.layout import POSTERIOR
from bayescluster.runs.manifest import Manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text

NO_VERSION: Final = ("", "not installed")


class Kept(NamedTuple):
    """Parts that are there, and parts that are not, in words."""

    there: tuple[str, ...]
    lacking: tuple[str, ...]


def kept_in(directory: RunDirectory, analysis: Analysis, results: Results) -> Kept:
    """Look for everything that a reader needs to get the same draws again.

    Parameters
    ----------
    directory
        The run; of one of several forms, each has chains of its own.
    analysis
        Its analysis, as the manifest has it.
    results
        Its results.
    """
    manifest, made = directory.read_manifest(), results.reproduction
    fits = list(directory.forms().items()) or [("", directory)]
    chains = analysis.sampling.chains
    looked = (
        ("the analysis with all defaults", _analysis(made, analysis)),
        ("a digest of the data", _digest(made, manifest)),
        (f"{len(manifest.seeds)} seeds", _seeds(manifest, chains)),
        (f"{len(made.versions)} versions", _versions(made)),
        (f"the draws of {len(fits) * chains} chains", _draws(fits, chains)),
    )
    found = [(part, tuple(faults)) for part, faults in looked]
    return Kept(
        tuple(part for part, faults in found if not faults),
        tuple(fault for _, faults in found for fault in faults),
    )


def _analysis(made: Reproduction, analysis: Analysis) -> Iterator[str]:
    if made.analysis != yaml_text(resolved(analysis)):
        yield "an analysis in the results that is that of the run"


def _digest(made: Reproduction, manifest: Manifest) -> Iterator[str]:
    if not made.data_digest or made.data_digest != manifest.data_digest:
        yield "a digest of the data that is that of the run"


def _seeds(manifest: Manifest, chains: int) -> Iterator[str]:
    if len(manifest.seeds) != chains:
        yield f"a seed for each of {chains} chains"


def _versions(made: Reproduction) -> Iterator[str]:
    unknown = [name for name in SAMPLING_PACKAGES if made.versions.get(name, "") in NO_VERSION]
    if unknown:
        yield f"the version of {', '.join(unknown)}"


def _draws(fits: Sequence[tuple[str, RunDirectory]], chains: int) -> Iterator[str]:
    for name, run in fits:
        of = f" of the form '{name}'" if name else ""
        lost = chains - len(run.chain_numbers())
        if lost:
            yield f"the draws of {lost} of {chains} chains{of}"
        if not (run.path / POSTERIOR).is_file():
            yield f"{POSTERIOR}{of}"
