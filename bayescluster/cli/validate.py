"""``bayescluster validate``: the analysis file against itself and against the data."""

from __future__ import annotations

from bayescluster.cli.arguments import AsJson, Config
from bayescluster.cli.guard import guarded, say, say_json


@guarded
def validate(config: Config, json: AsJson = False) -> None:
    """Check an analysis file and its data, without fitting anything."""
    from bayescluster.app.prepare import analysis_source, design_summary, designs_of

    summary = design_summary(designs_of(analysis_source(config)))
    if json:
        say_json(summary._asdict())
        return
    say(f"{config}: valid.")
    for line in summary.lines:
        say(f"  {line}")
