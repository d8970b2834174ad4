"""Commands on files that users write: ``validate``, ``init``, ``schema``, ``explain``, ``simulate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayescluster.cli.arguments import (
    AsJson,
    Config,
    Decimal,
    Delimiter,
    Encoding,
    HeaderRow,
    Sheet,
    Thousands,
)
from bayescluster.cli.guard import guarded, say, say_aside, say_json
from bayescluster.errors import CommandError, Problem

if TYPE_CHECKING:
    from bayescluster.app.starter import Written
    from bayescluster.features.codebook.results import Concern
    from bayescluster.features.starter.draft import Choices, Draft


@guarded
def validate(config: Config, json: AsJson = False) -> None:
    """Check an analysis file and its data, without fitting anything."""
    from bayescluster.app.codebook import concerns_of
    from bayescluster.app.memory import memory_of
    from bayescluster.app.prepare import (
        analysis_source,
        design_summary,
        read_designs,
        table_in_memory,
    )

    source = analysis_source(config)
    table = table_in_memory(source)
    read = read_designs(source, table)
    summary = design_summary(read.designs)
    concerns = () if table is None else concerns_of(source, table, read.designs[0])
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


UNDECIDED = 2
"""Exit code where the file that was written is not ready to run."""
MOST_COLUMNS = 60
"""Columns that are listed before roles are asked for."""


@guarded
def init(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    path: Annotated[
        Path,
        typer.Argument(
            help="Table to read; or an analysis file (.yaml) to write, to be filled in."
        ),
    ] = Path("analysis.yaml"),
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Analysis file to write.", show_default="TABLE.yaml"),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Accept what is proposed, without asking.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over an analysis file that is there.")
    ] = False,
    firm: Annotated[str | None, typer.Option(help="Column of the firm; - for none.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Column of the cluster; - for none.")] = None,
    industry: Annotated[
        str | None, typer.Option(help="Column of the industry; - for none.")
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="Column of the outcome.")] = None,
    human: Annotated[
        list[str] | None,
        typer.Option(help="Indicators of human capital; - for none; may be repeated."),
    ] = None,
    social: Annotated[
        list[str] | None,
        typer.Option(help="Indicators of social capital; - for none; may be repeated."),
    ] = None,
    control: Annotated[
        list[str] | None, typer.Option(help="Controls; - for none; may be repeated.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
) -> int | None:
    """Read a table and write a complete, commented analysis of it.

    Each guess is listed with its reason, and so is what only you can decide. Without a table an empty
    analysis file is written, to be filled in.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        _starter(path)
        return None
    from bayescluster.app.starter import proposed, write_analysis
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.starter.draft import Choices

    reading = Reading(encoding, delimiter, decimal, thousands, sheet, header_row)
    choices = Choices(
        firm,
        cluster,
        industry,
        outcome,
        None if human is None else tuple(human),
        None if social is None else tuple(social),
        None if control is None else tuple(control),
    )
    draft = proposed(path, reading, choices, say_aside)
    if not yes and sys.stdin.isatty():
        draft = proposed(path, reading, _asked(draft, choices))
    written = write_analysis(path, out or Path(f"{path.stem}.yaml"), draft, reading, force)
    return _summary(written)


def _starter(path: Path) -> None:
    """Write the file that is to be filled in."""
    from bayescluster.spec.explain import STARTER

    if path.exists():
        raise CommandError(
            Problem("the file is there already", str(path), "name another file, or move this one")
        )
    path.write_text(STARTER, encoding="utf-8")
    say(f"Written: {path}")
    say(f"Fill in the columns, then: bayescluster validate {path}")


def _asked(draft: Draft, choices: Choices) -> Choices:
    """Ask for each role, with what is proposed as the answer to accept."""
    from bayescluster.features.starter.draft import NONE, columns_named
    from bayescluster.lookup import suggestion

    known = draft.columns
    say(f"Columns: {', '.join(known[:MOST_COLUMNS])}{' ...' * (len(known) > MOST_COLUMNS)}")
    say(
        "Return accepts what is in brackets; - is for none; several columns with commas, or q1-q4, q*."
    )

    def ask(text: str, proposal: str) -> tuple[str, ...]:
        while True:
            named = columns_named([str(typer.prompt(text, default=proposal or NONE))], known)
            unknown = next((name for name in named if name not in known), None)
            if unknown is None:
                return named
            say(f"  There is no column '{unknown}': {suggestion(unknown, known)}")

    def one(role: str, proposal: str | None) -> str:
        return next(iter(ask(f"Column of the {role}", proposal or NONE)), NONE)

    def several(role: str, proposal: tuple[str, ...]) -> tuple[str, ...]:
        return ask(f"Columns of {role}", ", ".join(proposal))

    of = {new.name: new.column for new in draft.recodes}
    of |= {new.name: new.column for new in draft.scales}
    items = {
        name: tuple(of.get(item.column, item.column) for item in each)
        for name, each in draft.constructs.items()
    }
    return choices._replace(
        firm=one("firm", draft.firm),
        cluster=one("cluster", of.get(draft.cluster or "", draft.cluster)),
        industry=one("industry", of.get(draft.industry or "", draft.industry)),
        outcome=one("outcome", of.get(draft.outcome or "", draft.outcome)),
        human=several("human capital", items.get("human_capital", ())),
        social=several("social capital", items.get("social_capital", ())),
        controls=several("the controls", tuple(each.column for each in draft.controls)),
    )


def _summary(written: Written) -> int | None:
    """Print what was written, what was guessed, and what is still to be decided or repaired."""
    draft = written.draft
    say(f"Written: {written.path}")
    for column, reason in draft.reasons.items():
        say(f"  {column}: {reason}")
    if draft.guessed:
        say("Guessed; check these:")
        for text in draft.guessed:
            say(f"  {text}")
    if draft.decisions:
        say("Only you can decide:")
        for text in draft.decisions:
            say(f"  {text}")
        say(
            f"State it by the option in brackets (with --force, to write {written.path} again), or edit "
            f"{written.path}; then: bayescluster validate {written.path}"
        )
        return UNDECIDED
    if written.problems:
        say(f"Not valid yet; repair this in {written.path}:")
        for problem in written.problems:
            say(f"  {problem}")
        say(f"Then: bayescluster validate {written.path}")
        return UNDECIDED
    print_concerns(written.concerns, written.path)
    say(f"It is valid. Next: bayescluster run {written.path}")
    return None


@guarded
def schema(
    out: Annotated[Path | None, typer.Option("--out", help="File to write to.")] = None,
) -> None:
    """Print the JSON Schema of the analysis file, generated from the classes that read it."""
    from bayescluster.spec.explain import schema_text

    if out is None:
        sys.stdout.write(schema_text())
        return
    out.write_text(schema_text(), encoding="utf-8")
    say(f"Schema: {out}")


@guarded
def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="A key (derive), its place (data.missing), or a heading of the guide.",
            show_default="all keys",
        ),
    ] = "",
    guide: Annotated[
        bool, typer.Option("--guide", help="Print the whole guide as markdown.")
    ] = False,
) -> None:
    """Explain a key of the analysis file: what it means, what it takes, what holds without it."""
    from bayescluster.spec.explain import explained, keys, whole_guide

    if guide:
        say(whole_guide().rstrip("\n"))
    elif key:
        say(explained(key))
    else:
        for each in keys():
            say(each.place)


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
