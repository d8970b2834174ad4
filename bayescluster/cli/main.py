"""The ``bayescluster`` command: the explicit list of what it can do."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Annotated

import typer

from bayescluster import __version__
from bayescluster.caches import writable_caches
from bayescluster.cli import doctor, files, finished, plain_tables, run, runs, studies
from bayescluster.cli.guard import ending_well, say, say_aside, settings

app = typer.Typer(
    name="bayescluster",
    help="Bayesian multilevel models of human capital, social capital and upgrading in clusters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COMMANDS = (
    ("run", run.run),
    ("check-data", plain_tables.check_data),
    ("validate", files.validate),
    ("prior", studies.prior),
    ("design", studies.design),
    ("sweep", studies.sweep),
    ("calibrate", studies.calibrate),
    ("fit", run.fit),
    ("check", finished.check),
    ("report", finished.report),
    ("show", finished.show),
    ("export", finished.export),
    ("compare", studies.compare),
    ("nca", plain_tables.nca),
    ("qca", plain_tables.qca),
    ("simulate", files.simulate),
    ("schema", files.schema),
    ("init", files.init),
    ("explain", files.explain),
    ("doctor", doctor.doctor),
)
"""Commands by name, in the order of the help."""

for name, command in COMMANDS:
    app.command(name)(command)
app.add_typer(runs.app, name="runs")


def _version(asked: bool) -> None:
    if asked:
        say(f"bayescluster {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the full traceback of an error.")
    ] = False,
) -> None:
    settings.debug = debug


def main() -> None:
    """Entry point of the console script."""
    # chains and blocks share the processors out already: threads of the linear algebra only get in
    # their way, at the cost of half the time. To be said before numpy is imported
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # xarray loads Dask wherever it is installed, for half a second of every command; none needs it but
    # with --cluster, which lets it in again
    if "xarray" not in sys.modules:  # which would not expect it to go
        sys.modules.setdefault("dask", None)  # type: ignore[arg-type]
    # else the interpreter looks through all that was ever imported once more after the last message:
    # most of a second, and half a minute on a busy machine
    atexit.register(gc.freeze)
    with ending_well():
        if (folder := writable_caches()) is not None:
            say_aside(f"The home directory cannot be written to: caches are kept in {folder}.")
        app()
