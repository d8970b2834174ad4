"""``bayescluster validate``: the analysis file against itself and against the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.cli.arguments import AsJson, Config
from bayescluster.cli.guard import guarded, say, say_json

if TYPE_CHECKING:
    from bayescluster.features.codebook.results import Concern


@guarded
def validate(config: Config, json: AsJson = False) -> None:
    """Check an analysis file and its data, without fitting anything."""
    from bayescluster.app.codebook import concerns_of
    from bayescluster.app.memory import memory_of
    from bayescluster.app.prepare import analysis_source, design_summary, read_designs

    source = analysis_source(config)
    read = read_designs(source)
    summary = design_summary(read.designs)
    concerns = () if read.firms else concerns_of(source)
    if json:
        say_json(summary._asdict() | {"concerns": [one.model_dump() for one in concerns]})
        return
    memory = memory_of(read.designs)
    say(f"{config}: valid.")
    for line in summary.lines:
        say(f"  {line}")
    for line in memory.lines():
        say(f"  {line}")
    print_concerns(concerns, config)


def print_concerns(concerns: Sequence[Concern], config: Path) -> None:
    """Print what looks wrong in the columns of an analysis."""
    if concerns:
        say(f"What looks wrong (all of it: `bayescluster check-data {config}`):")
    for one in concerns:
        say(f"  {one.columns + ': ' if one.column else ''}{one.what}")
        say(f"    {one.advice}")
