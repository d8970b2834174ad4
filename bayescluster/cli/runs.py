"""``bayescluster runs``: what has been run, what made it, and moving it about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from bayescluster.cli.arguments import AsJson, Out, Run
from bayescluster.cli.guard import guarded, keeping, say, say_found
from bayescluster.errors import Problem, RunError
from bayescluster.lookup import counted

DEFAULT: Final = Path("runs")

app = typer.Typer(
    help="List, check, compare, reproduce, tidy and move runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The data file, or a folder that holds it.",
        show_default="as the manifest has it",
    ),
]


@app.command("list")
@guarded
def list_(out: Out = DEFAULT) -> None:
    """List runs, newest first."""
    from bayescluster.runs.find import list_runs

    # nothing was run here yet; a folder that was named should be there
    found = list_runs(out) if out != DEFAULT or out.exists() else []
    if not found:
        say(f"No runs in {out}. `bayescluster run CONFIG` makes one.")
    for item in found:
        gate = {True: "gate passed", False: "gate failed", None: "no results"}[item.gate]
        forms = f", {len(item.forms)} forms" if item.forms else ""
        say(
            f"{item.started[:19]}  {item.name}  {item.key}  {item.status}, {gate}{forms}  "
            f"{item.path}"
        )


@app.command("verify")
@guarded
def verify(run: Run) -> None:
    """Check every file of a run against the hash it was written with."""
    from bayescluster.runs.find import status_of
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    problems = directory.verify()
    if problems:
        raise RunError(problems)
    status = status_of(directory.read_manifest(), directory.path)
    if status == "done":
        say(f"{directory.path}: every file is as it was written.")
    else:
        say(
            f"{directory.path}: every file that is finished is as it was written, but the run is "
            f"{status}. The command that began it goes on from there."
        )


@app.command("diff")
@guarded
def diff(run: Run, other: Run, json: AsJson = False) -> None:
    """Compare two runs as records: analyses, data, versions, draws, verdicts.

    `bayescluster compare` puts what finished runs say side by side.
    """
    from bayescluster.studies.compare.provenance import compare_records, records_printed

    found = compare_records(run, other)
    say_found(found, records_printed, json)


@app.command("why")
@guarded
def why(
    run: Run,
    config: Annotated[
        Path | None,
        typer.Argument(help="Analysis file to hold it against.", show_default="its own analysis"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Say which inputs changed since a run was made, and which stages that invalidates."""
    from bayescluster.studies.compare.provenance import explain_run, explained_printed

    found = explain_run(run, config)
    say_found(found, explained_printed, json)


@app.command("reproduce")
@guarded
def reproduce(
    run: Run,
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder that keeps the run made again.", show_default="it is not kept"
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a run again from its manifest alone, and compare draws, estimands and verdicts.

    Exit code 5: not reproduced, or nothing to compare with. Draws are the same bit for bit on the same
    machine with the same versions; otherwise means are to agree within Monte Carlo error.
    """
    from bayescluster.cli.progress import watching
    from bayescluster.studies.compare.provenance import reproduce_run, reproduced_printed

    with keeping("chains" if out else "runs"), watching() as watch:
        found = reproduce_run(run, data, out, watch)
    say_found(found, reproduced_printed, json)
    if found.outcome == "different":
        raise RunError(Problem(found.words, str(run), "see: bayescluster runs diff; runs why"))


@app.command("prune")
@guarded
def prune(
    out: Out = DEFAULT,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            help="Newest runs of each analysis that keep their files; of older ones the manifest "
            "stays.",
            show_default="all",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what is listed.")] = False,
) -> None:
    """List files that are left half written, and those of older runs; remove them with --yes."""
    from bayescluster.runs.prune import leftovers, remove

    found = leftovers(out, keep)
    for one in found:
        size = f"{counted(len(one.files), 'file')}, {one.size / 1e6:,.1f} MB"
        say(f"{one.run}: {one.why} ({size})")
    if not found:
        say(f"Nothing to remove in {out}.")
    elif yes:
        remove(found)
        say(f"Removed {counted(sum(len(one.files) for one in found), 'file')}.")
    else:
        say("Nothing was removed yet: the same command with --yes removes these files.")


@app.command("export")
@guarded
def export(
    run: Run,
    archive: Annotated[
        Path | None,
        typer.Argument(help="Archive to write (zip).", show_default="NAME-KEY.zip"),
    ] = None,
) -> None:
    """Pack a run into one archive for another machine, without the data file.

    `bayescluster export` writes tables and figures for a paper.
    """
    from bayescluster.runs.archive import pack
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    manifest = directory.read_manifest()
    path = archive or Path(f"{manifest.name}-{manifest.key}.zip")
    files = pack(directory, path)
    say(f"Packed {len(files)} files: {path} ({path.stat().st_size / 1e6:,.1f} MB)")


@app.command("import")
@guarded
def import_(
    archive: Annotated[Path, typer.Argument(help="Archive of `runs export`.", show_default=False)],
    out: Out = DEFAULT,
) -> None:
    """Unpack an archive of a run, once every file of it is known to be as it was written."""
    from bayescluster.runs.archive import unpack

    directory = unpack(archive, out)
    say(f"Unpacked, and every file is as it was written: {directory.path}")
