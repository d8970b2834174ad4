"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(help="Analysis file (YAML).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder of the runs.", show_default="runs")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Retry = Annotated[
    bool,
    typer.Option(
        "--retry",
        help="After a failed gate, draw again as advised: at most 3 attempts, the model unchanged.",
    ),
]
Run = Annotated[
    Path,
    typer.Argument(
        help="Run directory, or the folder of an analysis, whose newest run is taken.",
        show_default=False,
    ),
]
