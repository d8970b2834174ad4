"""The head of the report, its verdicts, and the claims in several readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    FigureError,
    FigureSpec,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import View
from bayescluster.results.claims import TRADITIONS, ClaimRow, Reading, Tradition
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.model import Results, Verdict, VerdictFigure


def header_body(results: Results) -> Markup:
    """Title, description, banners and the sample at a glance."""
    return filled("header.html.j2", results=results, facts=_facts(results))


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    sample = results.sample
    listed = [
        ("Outcome", results.outcome.column),
        ("Firms", words.count(sample.firms)),
        ("Clusters", words.count(sample.clusters)),
        ("Industries", words.count(sample.industries)),
        ("Diagnostics", "✓ passed" if results.gate.passed else "✕ failed"),
    ]
    if sample.rows != sample.firms:
        listed.insert(2, ("Rows", words.count(sample.rows)))
    return tuple((name, value) for name, value in listed if value != "0")


HEADER = Section("top", "Summary", "Top", header_body, layer="answer")


MOST_CARDS = 6
"""Claims put to more groups than this are shown as rows rather than cards."""


class Card(NamedTuple):
    """A verdict with its anchor and its texts."""

    anchor: str
    group: str
    verdict: Verdict
    figures: tuple[tuple[str, str, str], ...]
    """Label, estimate, and how many firms stand near."""


class Claim(NamedTuple):
    """A claim and its verdicts, one a group; ``region`` is set where all groups share it."""

    anchor: str
    title: str
    scope: str
    level: str
    region: str
    cards: tuple[Card, ...]

    @property
    def as_rows(self) -> bool:
        """Whether there are too many verdicts for cards."""
        return len(self.cards) > MOST_CARDS


class Matrix(NamedTuple):
    """Claims put to the same groups; ``across`` where the groups are few enough for columns."""

    groups: tuple[str, ...]
    claims: tuple[Claim, ...]

    @property
    def across(self) -> bool:
        """Whether groups stand in columns."""
        return len(self.groups) <= MOST_CARDS


def verdicts_body(results: Results) -> Markup:
    """Matrix of verdicts, then the cards by claim."""
    claims = claims_of(results)
    states = {verdict.verdict for verdict in results.verdicts}
    return filled(
        "verdicts.html.j2",
        results=results,
        claims=claims,
        matrices=matrices_of(claims),
        shown=[state for state in words.VERDICTS if state in states],
        banners=_banners(results),
    )


def _banners(results: Results) -> Iterator[str]:
    """What holds of several verdicts at once, each said once."""
    if results.reproduction.declared is not None:
        yield f"Hypotheses {results.reproduction.declared.words}."
    if results.together is not None:
        yield results.together.words
    for why in dict.fromkeys(verdict.withheld for verdict in results.verdicts):
        if why:
            held = [one for one in results.verdicts if one.withheld == why]
            titles = dict.fromkeys(one.title for one in held)
            yield f"{'; '.join(titles)}: {why[:1].lower()}{why[1:]}"


def claims_of(results: Results) -> tuple[Claim, ...]:
    """Verdicts by claim, in the order of the analysis.

    Verdicts stand claim by claim; a claim ends where its words change or a group comes again, so
    that two claims that differ in their region alone stay apart.
    """
    runs: list[list[Verdict]] = []
    for verdict in results.verdicts:
        if runs and _continues(runs[-1], verdict):
            runs[-1].append(verdict)
        else:
            runs.append([verdict])
    return tuple(_claim(k, run, results) for k, run in enumerate(runs, start=1))


def _continues(run: Sequence[Verdict], verdict: Verdict) -> bool:
    first = run[0]
    same = ("kind", "capital", "by", "scope", "title", "level")
    return all(getattr(first, key) == getattr(verdict, key) for key in same) and all(
        verdict.group != other.group for other in run
    )


def _claim(number: int, run: Sequence[Verdict], results: Results) -> Claim:
    anchor = f"claim-{number}"
    first = run[0]
    shared = all(verdict.region == first.region for verdict in run)
    cards = tuple(
        Card(
            f"{anchor}-{k}",
            words.group(verdict.by, verdict.group),
            verdict,
            tuple(_figure(figure, _outcome(verdict, results)) for figure in verdict.figures),
        )
        for k, verdict in enumerate(run, start=1)
    )
    return Claim(
        anchor,
        first.title,
        _scope(first, results),
        words.share(first.level),
        first.region if shared else "",
        cards,
    )


def _scope(verdict: Verdict, results: Results) -> str:
    scope = words.SCOPES.get(verdict.scope, verdict.scope)
    names = words.through(results)
    return f"{scope}; total effects, those through {names} as well" if names else scope


def _outcome(verdict: Verdict, results: Results) -> OutcomeFacts:
    """What the figures of a verdict are of: a claim may ask for the probability of a level."""
    if verdict.at_least is None:
        return results.outcome
    return words.reaching(results.outcome, verdict.at_least)


def _figure(figure: VerdictFigure, outcome: OutcomeFacts) -> tuple[str, str, str]:
    """Write a figure in its unit; of a corner also which firms stand there, and what they told."""
    text = {
        "level": lambda: words.level(figure.estimate, outcome),
        "effect": lambda: words.effect(figure.estimate, outcome),
        "share": lambda: words.plain(figure.estimate),
        "number": lambda: words.signed(figure.estimate),
    }[figure.unit]()
    notes = []
    if figure.support is not None:
        notes.append(f"{words.firms(figure.support)} around it")
    if figure.inside is False:
        notes.append("outside the range of the firms")
    if figure.contraction is not None:
        notes.append(
            f"{words.share(round(figure.contraction, 2))} of the prior variance taken away"
        )
    return words.sentence(figure.label)[:-1], text, "; ".join(notes)


def matrices_of(claims: Sequence[Claim]) -> tuple[Matrix, ...]:
    """Claims put to the same two or more groups, together."""
    by_groups: dict[tuple[str, ...], list[Claim]] = {}
    for claim in claims:
        groups = tuple(card.group for card in claim.cards)
        by_groups.setdefault(groups, []).append(claim)
    return tuple(
        Matrix(groups, tuple(found))
        for groups, found in by_groups.items()
        if len(groups) > 1 and (len(found) > 1 or len(groups) > MOST_CARDS)
    )


def verdicts_views(results: Results) -> Iterator[View[Any]]:
    """Verdicts and the figures behind them, as they are written."""
    yield View("verdicts", Verdict, rows=results.verdicts)
    yield View("verdict_figures", VerdictFigure, before=dict.fromkeys(CLAIM))
    for verdict in results.verdicts:
        before = {name: getattr(verdict, name) for name in CLAIM}
        yield View("verdict_figures", VerdictFigure, rows=verdict.figures, before=before)


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""


VERDICTS = Section("verdicts", "Verdicts", "Verdicts", verdicts_body, views=verdicts_views)


MOST_ROWS = 60
"""More rows than this are not drawn: the tables below hold them."""
COLOURS = dict.fromkeys(words.VERDICTS, (LINE, INK)) | {
    "supported": (FIRST, PAPER),
    "rejected": (BAD, PAPER),
}
"""Of the field, and of what is written in it."""
HEIGHT = 0.3
"""Inches a row."""
GAP = 0.7
"""Rows of space above each claim, for its title."""


def claims_matrix(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the verdict and probability of every reading.

    Raises
    ------
    FigureError
        If there are no claims, or too many rows.
    """
    found = results.claims
    if found is None or not found.rows:
        raise FigureError("The results hold no claims table.")
    if len(found.rows) > MOST_ROWS:
        raise FigureError(f"More than {MOST_ROWS} rows: they are in the tables below.")
    with settings():
        places, headings = _places(found.rows)
        depth = places[-1] + 0.5
        figure = canvas(NARROW if narrow else WIDE, 0.55 + HEIGHT * depth)
        axes = figure.add_subplot()
        for place, row in zip(places, found.rows, strict=True):
            _claims_row(axes, place, row)
        for place, title in headings:
            _heading(axes, place, folded(title, 48, 1) if narrow else title)
        names = [folded(name, 13 if narrow else 22, 3) for name in TRADITIONS.values()]
        axes.set_xticks([k + 0.5 for k in range(len(names))], names)
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", labelsize=7 if narrow else 8.5)
        groups = [
            folded(words.group(row.by, row.group), 14 if narrow else 30) for row in found.rows
        ]
        axes.set_yticks(places, groups)
        axes.tick_params(length=0)
        axes.set(xlim=(0, len(names)), ylim=(depth, -0.6))
        for side in axes.spines.values():
            side.set_visible(False)
        return plain_text(figure)


def _places(rows: Sequence[ClaimRow]) -> tuple[list[float], list[tuple[float, str]]]:
    """Where each row stands, and where the title of each claim does."""
    places: list[float] = []
    headings: list[tuple[float, str]] = []
    at, claim = -1.0, ""
    for row in rows:
        if row.claim != claim:
            claim = row.claim
            headings.append((at + 1.0, row.title))
            at += GAP + 0.2
        at += 1.0
        places.append(at)
    return places, headings


def _heading(axes: Axes, place: float, title: str) -> None:
    """Write the title of a claim from the left edge on; it takes no part in the layout."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    left = blended_transform_factory(figure.transFigure, axes.transData)
    text = axes.text(0.01, place, title, va="center", transform=left)
    text.set(color=INK, fontweight="bold", fontsize=8.5, in_layout=False)


def _claims_row(axes: Axes, place: float, row: ClaimRow) -> None:
    spoken = {reading.tradition: reading for reading in row.readings}
    for k, name in enumerate(TRADITIONS):
        reading = spoken.get(name)
        if reading is None:
            axes.text(k + 0.5, place, words.NONE, ha="center", va="center", color=MUTED)
        else:
            _field(axes, k, place, reading)


def _field(axes: Axes, column: int, place: float, reading: Reading) -> None:
    fill, ink = COLOURS[reading.verdict]
    axes.add_patch(
        Rectangle((column + 0.02, place - 0.43), 0.96, 0.86, facecolor=fill, edgecolor="none")
    )
    share = "" if reading.probability is None else words.probability(reading.probability)
    text = f"{words.ICONS[reading.verdict]} {share}".strip()
    axes.text(column + 0.5, place, text, ha="center", va="center", color=ink, fontsize=8.5)


def _caption(results: Results) -> str:
    level = words.share(results.claims.level) if results.claims else ""
    return (
        "Every claim in every tradition: ✓ supported, ✕ rejected, other marks undecided in one way or "
        f"another, – the tradition does not speak of it. Numbers are probabilities of the declared regions; {level} is asked for."
    )


def _alternative(results: Results) -> str:
    rows = results.claims.rows if results.claims else ()
    return " ".join(f"{row.title}, {words.group(row.by, row.group)}: {row.words}" for row in rows)


CLAIMS_MATRIX = FigureSpec(
    name="claims_matrix",
    draw=lambda results, narrow: claims_matrix(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.claims is not None and bool(results.claims.rows),
)


class ReadingCell(NamedTuple):
    """What one tradition says, as texts; ``verdict`` is empty where it is silent."""

    verdict: str
    probability: str
    prior: str
    figure: str
    quantity: str
    behind: str
    note: str


class GroupRow(NamedTuple):
    """One group: a cell a tradition, and what they say together."""

    group: str
    cells: tuple[ReadingCell, ...]
    words: str
    disagreement: str


class ClaimTable(NamedTuple):
    """One claim: the regions that decide it, and its groups."""

    anchor: str
    title: str
    regions: tuple[tuple[str, str], ...]
    rows: tuple[GroupRow, ...]


def claims_body(results: Results) -> Markup:
    """Matrix of all readings, then a table a claim."""
    found = results.claims
    if found is None:
        return Markup()
    return filled(
        "claims.html.j2",
        results=results,
        traditions=TRADITIONS,
        level=words.share(found.level),
        tables=tables_of(found.rows),
        figures=figures(results, CLAIMS_MATRIX),
    )


def claims_views(results: Results) -> Iterator[View[Any]]:
    """Every reading of every claim, as it is written."""
    for row in results.claims.rows if results.claims else ():
        yield View("readings", Reading, rows=row.readings, before={"words": row.words})


def tables_of(rows: Sequence[ClaimRow]) -> tuple[ClaimTable, ...]:
    """Rows by claim, in the order of the table."""
    return tuple(
        _table(claim, list(some)) for claim, some in groupby(rows, key=attrgetter("claim"))
    )


def _table(claim: str, rows: Sequence[ClaimRow]) -> ClaimTable:
    regions = {
        reading.tradition: _shared([r for row in rows for r in row.readings], reading.tradition)
        for row in rows
        for reading in row.readings
    }
    return ClaimTable(
        f"reading-{claim.lower()}",
        rows[0].title,
        tuple((TRADITIONS[name], region) for name, region in regions.items()),
        tuple(_row(row) for row in rows),
    )


def _shared(readings: Sequence[Reading], tradition: Tradition) -> str:
    """Region of a tradition; where it differs between groups, each of them once."""
    found = dict.fromkeys(one.region for one in readings if one.tradition == tradition)
    return "; or ".join(found)


def _row(row: ClaimRow) -> GroupRow:
    spoken = {reading.tradition: reading for reading in row.readings}
    return GroupRow(
        words.group(row.by, row.group),
        tuple(_cell(spoken.get(name), row.silent.get(name, "")) for name in TRADITIONS),
        row.words,
        row.disagreement,
    )


def _cell(reading: Reading | None, silent: str) -> ReadingCell:
    if reading is None:
        return ReadingCell("", "", "", "", "", "", silent)
    return ReadingCell(
        reading.verdict,
        "" if reading.probability is None else words.verdict_probability(reading.probability),
        ""
        if reading.prior_probability is None
        else words.verdict_probability(reading.prior_probability),
        "" if reading.estimate is None else words.plain(reading.estimate),
        reading.quantity,
        reading.behind,
        reading.reason,
    )


CLAIMS = Section(
    "claims",
    "Other readings of the same claims",
    "Other readings",
    claims_body,
    lambda results: results.claims is not None and bool(results.claims.rows),
    claims_views,
)
