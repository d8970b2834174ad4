"""How each claim was decided: its region, and what the verdict of each group rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.report.answer import WHERE, Claim, claims_of, marks, primary
from bayescluster.report.effects import forest_rows
from bayescluster.results.model import Results, Verdict, VerdictFigure


def body(results: Results) -> Markup:
    """Meanings of the verdicts, then a table a claim."""
    states = {verdict.verdict for verdict in results.verdicts}
    return filled(
        "verdicts.html.j2",
        results=results,
        claims=[(claim, view.table) for claim, view in _claims(results)],
        shown=[state for state in words.VERDICTS if state in states],
        withheld=_withheld(results),
        levels=", ".join(dict.fromkeys(words.share(one.level) for one in results.verdicts)),
    )


def _withheld(results: Results) -> Iterator[str]:
    """Why claims cannot be rejected, each reason once."""
    for why in dict.fromkeys(verdict.withheld for verdict in results.verdicts):
        if why:
            held = [one for one in results.verdicts if one.withheld == why]
            titles = dict.fromkeys(one.title for one in held)
            yield f"{'; '.join(titles)}: {why[:1].lower()}{why[1:]}"


def _claims(results: Results) -> Iterator[tuple[Claim, View[Verdict]]]:
    """Claims and their tables; an estimate that several claims rest on is in the first of these."""
    shown: set[tuple[str, ...]] = set()
    regions: dict[str, str] = {}
    for claim in claims_of(results):
        known = {label: _values(claim, label) for label in _estimated(claim)}
        new = [label for label, values in known.items() if values not in shown]
        shown.update(known.values())
        region = _region(claim)
        first = regions.setdefault(region, claim.title)
        if first != claim.title and len(first) < len(region) / 2:
            region = f"that of “{first}”"
        yield claim, _claim(claim, new, region, results)


def _estimated(claim: Claim) -> dict[str, None]:
    """Labels of estimates that neither the figure of the corners nor the findings show."""
    return dict.fromkeys(one.label for one in claim.first.figures if one.unit in UNITS)


def _values(claim: Claim, label: str) -> tuple[str, ...]:
    """What identifies an estimate of a claim: its label, groups and values."""
    found = (
        f"{row.group} {one.estimate.mean!r}"
        for row in claim.verdicts
        for one in row.figures
        if one.label == label
    )
    return (label, *found)


def _claim(claim: Claim, labels: Sequence[str], region: str, results: Results) -> View[Verdict]:
    first = claim.first
    columns: list[Column[Verdict]] = [
        Column("Group", lambda row: words.group(row.by, row.group)),
        Column("Verdict", _verdict, Cell._make),
        number(
            "Probability, MCSE",
            "probability",
            words.verdict_probability,
            note=lambda row: words.error(row.mcse),
        ),
        number(
            "Prior, odds ratio",
            "prior_probability",
            words.verdict_probability,
            note=lambda row: words.odds_ratio(row.odds_ratio),
        ),
    ]
    if len(first.parts) > 1:
        columns.append(Column("Weakest conditions", _conditions))
    elsewhere = _shown_elsewhere(claim, results)
    columns += [_estimate(label, results) for label in labels if not label.startswith(elsewhere)]
    return View(
        "verdicts",
        Verdict,
        f"{claim.title}{_of(claim, results)}",
        tuple(columns),
        claim.verdicts,
        f"Region: {region}.{_scope(first, results)}",
    )


def _of(claim: Claim, results: Results) -> str:
    """Which groups a claim is about, where they are not those of the first page."""
    groups = "" if claim.by == primary(results) else words.kinds(claim.by)
    if claim.by == "all":
        groups = ""
    return f"{f', {groups}' if groups else ''}{WHERE.get(claim.first.scope, '')}"


def _region(claim: Claim) -> str:
    if claim.region:
        return claim.region
    # claims of pairs name their two industries, which are the first and the second of each row
    first, _, second = claim.first.group.partition(" over ")
    region = claim.first.region
    for place, name in (("the first", first), ("the second", second)):
        region = region.replace(name, place) if name else region
    return region


def _verdict(row: Verdict) -> Cell:
    """The verdict; a note says why where neither its probability nor its mark nor its name does."""
    plain = row.verdict in ("supported", "rejected", "scale-dependent", "negligible")
    plain = plain or bool(row.unsupported) or row.reason.endswith(UNDECIDED)
    notes = ("" if plain else row.reason, words.sentence(row.depends))
    text = f"{words.ICONS[row.verdict]} {words.VERDICTS[row.verdict]} {marks(row)}".strip()
    note = " ".join(note for note in notes if note)
    return Cell(text, note, words.LOOKS.get(row.verdict, ""))


UNDECIDED = "the data do not decide."
"""Ends the reason of a verdict that its probability leaves open: no need to say it again."""
CERTAIN = 0.99
"""Conditions more probable than this are not listed."""


def _conditions(row: Verdict) -> str:
    """Conditions of the region that are in doubt, by name, with their probabilities."""
    return ", ".join(
        f"{part.part or part.words} {words.probability(part.probability)}"
        for part in row.parts
        if part.probability <= CERTAIN
    )


UNITS = ("effect", "share", "number")
"""Of estimates that the figure of the corners does not hold."""


def _shown_elsewhere(claim: Claim, results: Results) -> tuple[str, ...]:
    """Beginnings of the estimates that the findings show: differences, and effects in their figure."""
    first, of = claim.first, "average marginal effect"
    drawn = (
        row for capital in (first.capital,) if capital for row in forest_rows(results, capital)
    )
    if any((row.by, row.scope) == (first.by, first.scope) for row in drawn):
        return ("difference of effects, own firms", of)
    return ("difference of effects, own firms",)


def _estimate(label: str, results: Results) -> Column[Verdict]:
    def of(row: Verdict) -> str:
        one = next((one for one in row.figures if one.label == label), None)
        if one is None:
            return words.NONE
        if one.unit == "effect":
            return words.effect(one.estimate, results.outcome)
        return words.plain(one.estimate) if one.unit == "share" else words.signed(one.estimate)

    return number(words.sentence(label)[:-1], of)


def _scope(verdict: Verdict, results: Results) -> str:
    """For which firms, where not for those observed, and through which equations."""
    scope = words.SCOPES.get(verdict.scope, verdict.scope)
    text = "" if verdict.scope == "observed" else f" For {scope}."
    names = words.through(results)
    return f"{text} Total effects, those through {names} as well." if names else text


def views(results: Results) -> Iterator[View[Any]]:
    """Verdicts by claim, and the figures behind them as they are written."""
    if not results.verdicts:
        yield View("verdicts", Verdict)
    for _, view in _claims(results):
        yield view
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
