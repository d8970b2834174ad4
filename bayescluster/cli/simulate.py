"""``bayescluster simulate``: firms with known truth from a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.guard import guarded, say


@guarded
def simulate(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.", show_default=False)],
) -> None:
    """Make synthetic firms from a scenario: firms.csv, truth.json and datapackage.json."""
    from bayescluster.simulate import write_scenario
    from bayescluster.spec.load import load
    from bayescluster.spec.scenario import Scenario

    loaded = load(scenario, Scenario, "scenario file")
    for path in write_scenario(loaded.value, out):
        say(f"Written: {path}")
