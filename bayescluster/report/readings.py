"""The claims as other traditions read them: who agrees, and a small table of each tradition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.features.causes import view as causes
from bayescluster.features.ceiling_models import view as ceiling_models
from bayescluster.features.ceilings import view as ceilings
from bayescluster.features.sets import view as sets
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Cell, Column, Look, Table, View, number
from bayescluster.results.claims import TRADITIONS, ClaimRow, Reading, Tradition
from bayescluster.results.model import Results

HEADINGS: dict[Tradition, str] = {
    "corners": "Corners",
    "ceilings": "Ceilings",
    "sets": "Sets",
    "causes": "Causes",
}
LOOKS: dict[str, Look] = {"supported": "good", "rejected": "bad"}


class Part(NamedTuple):
    """What one tradition found: its heading, lines of text, and tables."""

    heading: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...]


def readings_body(results: Results) -> Markup:
    """Verdicts of every tradition side by side, then the numbers of each."""
    rows = results.claims.rows if results.claims else ()
    # why traditions say nothing of some or all claims, each reason once
    reasons = (f"{HEADINGS[name]}: {why}" for row in rows for name, why in row.silent.items())
    return filled(
        "readings.html.j2",
        claims=_claims(rows).table if rows else None,
        level=words.share(results.claims.level) if results.claims else "",
        silent=tuple(dict.fromkeys(reasons)),
        apart=_disagreements(rows),
        parts=tuple(_parts(results)),
    )


def readings_views(results: Results) -> Iterator[View[Any]]:
    """Every reading of every claim, and all that each tradition found, as they are written."""
    for row in results.claims.rows if results.claims else ():
        yield View("readings", Reading, rows=row.readings, before={"words": row.words})
    if results.claims is not None:
        yield _claims(results.claims.rows)
    yield from ceiling_models.views(results)
    yield from ceilings.views(results)
    if results.sets is not None:
        yield from sets.views(results)
    if results.causes is not None:
        yield from causes.views(results)


def _claims(rows: tuple[ClaimRow, ...]) -> View[ClaimRow]:
    """A row a claim and group, a column for each tradition that says anything."""
    spoken = {reading.tradition for row in rows for reading in row.readings}

    def column(name: Tradition) -> Column[ClaimRow]:
        return number(HEADINGS[name], lambda row: _of(row, name), _verdict)

    return View(
        "readings",
        Reading,
        "Verdict and probability, by tradition",
        (
            Column("Claim", lambda row: words.group(row.by, row.group), look=lambda _: "inside"),
            *(column(name) for name in TRADITIONS if name in spoken),
        ),
        rows,
        records=(),
        head=lambda row: row.title,
    )


def _of(row: ClaimRow, tradition: Tradition) -> Reading | None:
    return next((one for one in row.readings if one.tradition == tradition), None)


def _verdict(reading: Reading | None) -> Cell:
    if reading is None:
        return Cell(words.NONE)
    share = reading.probability
    text = f"{words.ICONS[reading.verdict]} {words.VERDICTS[reading.verdict]}"
    if share is not None:
        text += f" {words.verdict_probability(share)}"
    return Cell(text, look=LOOKS.get(reading.verdict, ""))


def _disagreements(rows: tuple[ClaimRow, ...]) -> str:
    """How many claims the traditions decide in different ways, and the reasons there can be."""
    decided = [{one.verdict for one in row.readings} & set(LOOKS) for row in rows]
    opposed = sum(len(verdicts) > 1 for verdicts in decided)
    partly = sum(
        len(verdicts) == 1 and len({one.verdict for one in row.readings}) > 1
        for row, verdicts in zip(rows, decided, strict=True)
    )
    if not opposed and not partly:
        return "No claim is decided by one tradition and left open or contradicted by another."
    return (
        f"Of {len(rows)} claims, traditions contradict each other on {opposed}; on {partly}, one decides "
        "what another leaves open."
    )


def _parts(results: Results) -> Iterator[Part]:
    if results.ceilings is not None or results.ceiling_models is not None:
        yield _ceilings(results)
    if results.sets is not None:
        found = results.sets
        lines = (*found.notes, sets.solution_words(found)) if found.sets else found.notes
        yield Part("Sets", lines, (sets.measures(found).table,) if found.sets else ())
    if results.causes is not None:
        of = results.causes
        lines = (*of.notes, ASSUMED, causes.weakest(of)) if of.contrasts else of.notes
        shown = (causes.bounds(of).table,) if of.contrasts else ()
        yield Part("Probabilities of causation", tuple(filter(None, lines)), shown)


ASSUMED = (
    "These are causal only if nothing unmeasured brings about both a capital and the outcome, no firm "
    "changes the outcome of another, and the model is right; bounds do not assume monotonicity."
)


def _ceilings(results: Results) -> Part:
    lines: list[str] = []
    tables: list[Table] = []
    if results.ceiling_models is not None:
        for one in results.ceiling_models.capitals:
            lines += [f"{words.label(one.capital)}: {one.statement}", *one.notes]
        tables.append(ceiling_models.compared(results.ceiling_models).table)
    if results.ceilings is not None:
        lines += results.ceilings.notes
        tables.append(ceilings.sizes(results.ceilings).table)
    return Part("Ceilings (necessary condition analysis)", tuple(lines), tuple(tables))


READINGS = Section(
    "readings",
    "What do other readings say?",
    "Other readings",
    readings_body,
    lambda results: bool(
        (results.claims and results.claims.rows)
        or results.ceiling_models
        or results.ceilings
        or results.sets
        or results.causes
    ),
    readings_views,
)
