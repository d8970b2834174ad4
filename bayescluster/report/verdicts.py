"""How each claim was decided: its region, and what the verdict of each group rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.report.answer import Claim, claims_of, marks
from bayescluster.results.model import Results, Verdict, VerdictFigure


def body(results: Results) -> Markup:
    """Meanings of the verdicts, then a table a claim."""
    states = {verdict.verdict for verdict in results.verdicts}
    claims = claims_of(results)
    return filled(
        "verdicts.html.j2",
        results=results,
        claims=[(claim, _claim(claim, results).table) for claim in claims],
        shown=[state for state in words.VERDICTS if state in states],
        withheld=_withheld(results),
    )


def _withheld(results: Results) -> Iterator[str]:
    """Why claims cannot be rejected, each reason once."""
    for why in dict.fromkeys(verdict.withheld for verdict in results.verdicts):
        if why:
            held = [one for one in results.verdicts if one.withheld == why]
            titles = dict.fromkeys(one.title for one in held)
            yield f"{'; '.join(titles)}: {why[:1].lower()}{why[1:]}"


def _claim(claim: Claim, results: Results) -> View[Verdict]:
    first = claim.first
    columns: tuple[Column[Verdict] | None, ...] = (
        Column("Group", lambda row: words.group(row.by, row.group)),
        Column("Verdict", _verdict, Cell._make),
        number("Probability", "probability", words.verdict_probability, note=_error),
        number("Prior", "prior_probability", words.verdict_probability),
        number("Odds ratio", "odds_ratio", words.odds_ratio),
        Column("Conditions", _conditions) if len(first.parts) > 1 else None,
        Column("Estimates", lambda row: _estimates(row, results)),
    )
    region = claim.region or f"for {first.group}, {first.region}"
    return View(
        "verdicts",
        Verdict,
        claim.title,
        tuple(column for column in columns if column is not None),
        claim.verdicts,
        f"Region: {region}. For {_scope(first, results)}. Level {words.share(first.level)}.",
    )


def _error(row: Verdict) -> str:
    return f"MCSE {words.error(row.mcse)}"


def _verdict(row: Verdict) -> Cell:
    plain = row.verdict in ("supported", "rejected") or row.reason.endswith(UNDECIDED)
    notes = ("" if plain else row.reason, words.sentence(row.depends))
    text = f"{words.ICONS[row.verdict]} {words.VERDICTS[row.verdict]} {marks(row)}".strip()
    return Cell(text, " ".join(note for note in notes if note), words.LOOKS.get(row.verdict, ""))


UNDECIDED = "the data do not decide."
"""Ends the reason of a verdict that its probability leaves open: no need to say it again."""


def _conditions(row: Verdict) -> str:
    """Probability of each condition of the region, by its name."""
    return ", ".join(f"{part.part} {words.probability(part.probability)}" for part in row.parts)


def _estimates(row: Verdict, results: Results) -> str:
    """What the verdict rests on and no other table of the page holds: shares and differences."""
    texts = {
        "effect": lambda one: words.effect(one.estimate, results.outcome),
        "share": lambda one: words.plain(one.estimate),
        "number": lambda one: words.signed(one.estimate),
    }
    return "; ".join(
        f"{one.label}: {texts[one.unit](one)}" for one in row.figures if one.unit in texts
    )


def _scope(verdict: Verdict, results: Results) -> str:
    scope = words.SCOPES.get(verdict.scope, verdict.scope)
    names = words.through(results)
    return f"{scope}; total effects, those through {names} as well" if names else scope


def views(results: Results) -> Iterator[View[Any]]:
    """Verdicts by claim, and the figures behind them as they are written."""
    if not results.verdicts:
        yield View("verdicts", Verdict)
    for claim in claims_of(results):
        yield _claim(claim, results)
    yield View("verdict_figures", VerdictFigure, before=dict.fromkeys(CLAIM))
    for verdict in results.verdicts:
        before = {name: getattr(verdict, name) for name in CLAIM}
        yield View("verdict_figures", VerdictFigure, rows=verdict.figures, before=before)


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""


VERDICTS = Section(
    "verdicts",
    "How was each claim decided?",
    "Verdicts",
    body,
    lambda results: bool(results.verdicts),
    views,
)
