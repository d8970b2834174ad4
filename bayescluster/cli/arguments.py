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
        help="After a failed gate, draw again as advised: at most 3 attempts, the model unchanged. For "
        "analyses that give sampling.draws; without it a fit does so by itself.",
    ),
]
RefitDraws = Annotated[
    int, typer.Option("--draws", min=50, help="Draws kept in each chain of a refit.")
]
RefitTune = Annotated[
    int, typer.Option("--tune", min=50, help="Draws spent on adapting each chain.")
]
RefitChains = Annotated[int, typer.Option("--chains", min=2, help="Chains of a refit.")]
RefitJobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Refits at once.", show_default="as many as cores"),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Work on a Dask cluster (install bayescluster[cluster]): tcp://HOST:PORT, local:N for N "
        "worker processes, slurm:N for N Slurm jobs. Workers see the same files.",
        show_default="this machine",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", help="Encoding of a text file.", show_default="detected"),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter", help="comma, semicolon, tab or bar, of a text file.", show_default="detected"
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option("--decimal", help="Decimal sign: . or a comma.", show_default="detected"),
]
Thousands = Annotated[
    str | None,
    typer.Option("--thousands", help="Sign between thousands.", show_default="detected"),
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook.", show_default="the first")
]
HeaderRow = Annotated[
    int | None,
    typer.Option(
        "--header-row", min=1, help="Row with the names of columns.", show_default="detected"
    ),
]
MissingValue = Annotated[
    list[str] | None,
    typer.Option(
        "--missing-value",
        help="Code for no answer, or COLUMN=CODE; may be repeated.",
        show_default="none",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Seed.", show_default="that of the analysis"),
]
Run = Annotated[
    Path,
    typer.Argument(
        help="Run directory, or the folder of an analysis, whose newest run is taken.",
        show_default=False,
    ),
]
