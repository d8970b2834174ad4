"""A comparison of runs as a page, on a terminal and as a csv table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from textwrap import wrap
from typing import Any, Final

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn, folded
from bayescluster.kit.intervals import Frame, Line, Mark, drawn_panels
from bayescluster.kit.page import Shown, filled, layered
from bayescluster.kit.table import (
    MOST_LINES,
    Cell,
    Column,
    Head,
    RawTable,
    Table,
    View,
    fitted,
    number,
)
from bayescluster.report.answer import SHORT
from bayescluster.results.base import Estimate
from bayescluster.studies.compare.answer import (
    MEASURE,
    MOST_GROUPS,
    SURE,
    Comparison,
    answer_of,
    groups_of,
    headed,
    primary,
    sure,
)
from bayescluster.studies.compare.compute import OTHER_VERDICT, warnings_of
from bayescluster.studies.compare.results import (
    Changes,
    ClaimVerdict,
    Compared,
    ComparedCorner,
    ComparedDifference,
    ComparedEffect,
    ComparedRun,
    ComparedVerdict,
    DifferingSetting,
    Pair,
)

WIDTH: Final = 120
PRINTED: Final = 200
"""Room of a table on a terminal."""
NOT_SET: Final = "not set"
READING: Final = (
    f"Places are those of the analysis file, with defaults written out. “{NOT_SET}”: the analysis has "
    "none; “listed” and “given”: it has such an entry or block, with its defaults."
)
CHANGES: Final[dict[Changes, tuple[str, str]]] = {
    "model": (
        "Changes the model",
        "Where these differ, the posteriors are of other models, or of other firms.",
    ),
    "claims": (
        "Changes what is asked of the model",
        "Claims, their regions and how traditions read them; the posterior does not depend on them.",
    ),
    "sampling": (
        "Changes the draws only",
        "The posterior of a model stays what it is; its summaries move by their Monte Carlo error.",
    ),
    "report": (
        "Changes neither",
        "Names, texts, options of separate studies, and where the same data lie.",
    ),
}
"""Title and note of each kind of setting, in the order in which they are shown."""
STANDINGS: Final = {
    "independent": "subtracted as independent",
    "shared": "no interval",
    "apart": "no difference",
}
GROUP: Final[Column[Any]] = Column("For", lambda row: words.group(row.by, row.group))
CAPITAL: Final[Column[Any]] = Column("Capital", "capital", words.label)


def page_text(results: Compared) -> str:
    """Write the page in three layers: the answer, findings, and all the rest folded away."""
    return layered("compare.html.j2", _sections(results), found=results)


def _sections(results: Compared) -> Iterator[Shown]:
    wary = _wary(results)
    yield Shown("top", "Answer", "Answer", _answer_body(results), "answer")
    effects = "What does each capital go with in each run?"
    if figures := tuple(_effect_figures(results)):
        yield Shown("effects", effects, "Effects", _filled(figures, (), wary["units"]), "findings")
    title = "Where do the effects of the runs differ?"
    certain = tuple(row for row in results.differences if row.measure == MEASURE and sure(row))
    tables: list[View[Any]] = [
        _pairs(results),
        *([_differences(results, certain)] if certain else []),
    ]
    none = "" if certain else f"No effect differs with {words.share(SURE)} probability."
    body = _filled((), tables, filter(None, [none]))
    yield Shown("differences", title, "Differences", body, "findings")
    settings = _filled((), _settings(results), (lead(results), READING))
    yield Shown("settings", "In which settings do the analyses differ?", "", settings)
    if results.effects:
        title = "What are the effects in numbers?"
        yield Shown("effect-numbers", title, "", _filled((), _effects(results)))
    if rest := tuple(row for row in results.differences if row not in certain):
        title = "What are the other differences, also those without an interval?"
        yield Shown("other-differences", title, "", _filled((), [_differences(results, rest)]))
    if results.corners:
        title = "What is expected at the corners?"
        body = _filled((), _corners(results), wary["levels"])
        yield Shown("corners", title, "", body)
    if results.verdicts:
        title = "What is every verdict, at which level, and what did the prior say?"
        body = _filled((), [_verdicts(results)], wary["claims"])
        yield Shown("verdicts", title, "", body)
    keys = ", ".join(f"{run.run_key} of {run.label}" for run in results.runs)
    notes = [
        *(text for text in results.notes if text != OTHER_VERDICT),
        f"Keys of the runs: {keys}.",
    ]
    yield Shown("notes", "What do these numbers rest on?", "", _filled((), (), notes))


def _filled(
    figures: Iterable[Drawn], views: Iterable[View[Any]], notes: Iterable[str] = ()
) -> Markup:
    """Figures, tables and notes, one below the other."""
    shown = [view.table._replace(folded="") for view in views]
    return filled("figures.html.j2", figures=figures, tables=shown, notes=notes)


def _wary(results: Compared) -> dict[str, list[str]]:
    """Warnings by what they are about."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in warnings_of(results.runs, results.verdicts, results.pairs):
        found[one.concern].append(one.text)
    return found


def _answer_body(results: Compared) -> Markup:
    answer = answer_of(results)
    return filled(
        "compare_answer.html.j2",
        found=results,
        answer=answer,
        synthetic=synthetic_words(results),
        runs=_runs(results).table,
        legend=tuple(_legend(answer)),
        figures=tuple(_corner_figures(results)),
        caution=OTHER_VERDICT,
    )


def printed(results: Compared) -> Iterator[str | Table]:
    """Print the answer in at most `MOST_LINES` lines: what does not fit is in the page."""
    answer = answer_of(results)
    lines = []
    if results.simulated:
        lines.append(f"SYNTHETIC data: {synthetic_words(results)}")
    if results.failed:
        labels = ", ".join(run.label for run in results.failed)
        lines.append(f"The diagnostics gate of {labels} FAILED: nothing they say can be relied on.")
    lines += [answer.question, " · ".join(answer.facts)]
    head = [line for text in lines for line in wrap(text, WIDTH)]
    table = _printed_grid(results, answer)
    below = [line for one in answer.limits[:2] for line in wrap(": ".join(one), WIDTH)]
    room = MOST_LINES - len(head) - len(below) - 3
    if table and (len(table.rows) + 4 > room or _width(table) > PRINTED):
        table = None
    room -= len(table.rows) + 4 if table else 0
    said = [
        wrap(f"{one.name}: {one.short}", WIDTH, subsequent_indent="  ") for one in answer.groups
    ]
    yield from head
    yield from fitted(said, room)
    if table:
        yield table
    yield from below


def _width(table: Table) -> int:
    """Characters of a line of a table that is not folded."""
    columns = zip(table.columns, zip(*table.rows, strict=True), strict=True)
    return sum(
        2 + max(len(head.label), *(len(one.text) for one in cells)) for head, cells in columns
    )


def _printed_grid(results: Compared, answer: Comparison) -> Table | None:
    """Verdicts as signs: a claim a row, a group a column, the runs from left to right."""
    rows = answer.grid.rows[:: len(results.runs)][:MOST_GROUPS]
    if not rows:
        return None
    cells = []
    for start, row in enumerate(rows):
        first = start * len(results.runs)
        runs = answer.grid.rows[first : first + len(results.runs)]
        signs = (
            " ".join(
                words.ICONS[one.verdict.verdict] if one.verdict else words.NONE for one in told
            )
            for told in zip(*(one.cells for one in runs), strict=True)
        )
        cells.append((Cell(row.title), *map(Cell, signs)))
    caption = (
        f"Verdicts ({', '.join(run.label for run in results.runs)}): {', '.join(_legend(answer))}"
    )
    heads = ("Claim", *answer.grid.heads)
    return Table(folded(caption, WIDTH, 1), tuple(map(Head, heads)), tuple(cells))


def _legend(answer: Comparison) -> Iterator[str]:
    """What the signs of the grid mean."""
    told = {one.verdict.verdict for row in answer.grid.rows for one in row.cells if one.verdict}
    for state, name in words.VERDICTS.items():
        if state in told:
            yield f"{words.ICONS[state]} {name.lower()}"


def csv_tables(results: Compared, _: object = None) -> tuple[RawTable, ...]:
    """Effects of every run and their differences, a row each, with unrounded numbers."""
    numbers = ("mean", "sd", "low", "high", "mcse")
    names = ("capital", "measure", "by", "group")
    columns = ("run", "less", "outcome", *names, *numbers, "positive", "standing")
    rows: list[tuple[Any, ...]] = []
    for row in results.effects:
        about = [getattr(row, name) for name in names]
        for run, one, above in zip(results.runs, row.estimates, row.positive, strict=True):
            if one is not None:
                values = [getattr(one, name) for name in numbers]
                rows.append((run.label, None, run.outcome.label, *about, *values, above, None))
    standing = {(pair.first, pair.second): pair.standing for pair in results.pairs}
    for less in results.differences:
        first, second = results.runs[less.first], results.runs[less.second]
        about = [getattr(less, name) for name in names]
        spread = [getattr(less.estimate, name, None) for name in numbers[1:]]
        values = [less.mean, *spread, less.positive, standing[less.first, less.second]]
        rows.append((first.label, second.label, first.outcome.label, *about, *values))
    return (RawTable("compare", columns, tuple(rows)),)


def _runs(results: Compared) -> View[ComparedRun]:
    mixed = len(results.simulated) < len(results.runs)
    return View(
        "compare-runs",
        ComparedRun,
        "The runs",
        (
            Column("Run", "label"),
            Column("Outcome", lambda run: words.label(run.outcome.column)),
            Column("Forms", "forms", ", ".join),
            Column("Data", "data", note=lambda run: "synthetic" if run.synthetic and mixed else ""),
            number("Firms", "firms", words.count),
            number("Clusters", "clusters", words.count),
            Column(
                "Gate",
                lambda run: "passed" if run.gate_passed else "FAILED",
                look=lambda run: "good" if run.gate_passed else "bad",
            ),
        ),
        results.runs,
    )


def _settings(results: Compared) -> Iterator[View[DifferingSetting]]:
    """A table for each kind of setting that differs."""
    for kind, (title, note) in CHANGES.items():
        if rows := _of_kind(results, kind):
            yield View(
                "compare-settings",
                DifferingSetting,
                title,
                (
                    Column("Setting", "place"),
                    *(_setting(k, run) for k, run in enumerate(results.runs)),
                ),
                rows,
                note,
            )


def _setting(k: int, run: ComparedRun) -> Column[DifferingSetting]:
    return Column(
        headed(run),
        lambda row: NOT_SET if row.values[k] is None else row.values[k],
        look=lambda row: "thin" if row.values[k] is None else "",
    )


def _effects(results: Compared) -> Iterator[View[ComparedEffect]]:
    for measure, title in words.MEASURES.items():
        if rows := tuple(row for row in results.effects if row.measure == measure):
            yield View(
                "compare-effects",
                ComparedEffect,
                title,
                (
                    GROUP,
                    CAPITAL,
                    *(_effect(k, run) for k, run in enumerate(results.runs)),
                ),
                rows,
                f"Mean and {words.share(results.interval)} interval. A dash: the run has no such group.",
            )


def _effect(k: int, run: ComparedRun) -> Column[ComparedEffect]:
    def above_zero(row: ComparedEffect) -> str:
        share = row.positive[k]
        return "" if share is None else f"above 0: {words.probability(share)}"

    return number(
        headed(run), lambda row: row.estimates[k], partial(effect_words, run), note=above_zero
    )


def _corners(results: Compared) -> Iterator[View[ComparedCorner]]:
    declared = attrgetter("scope", "declared", "at_least")
    kinds = dict.fromkeys(map(declared, results.corners))
    for scope, levels, at_least in kinds:
        reach = "" if at_least is None else f", probability of at least {at_least}"
        title = f"Expected outcome at the corners{reach}: {levels}"
        yield View(
            "compare-corners",
            ComparedCorner,
            title,
            (
                GROUP,
                Column("Corner", "corner", words.CORNERS.__getitem__),
                *(_level(k, run, at_least) for k, run in enumerate(results.runs)),
            ),
            tuple(row for row in results.corners if declared(row) == (scope, levels, at_least)),
            words.sentence(words.SCOPES[scope]),
        )


def _level(k: int, run: ComparedRun, at_least: str | None) -> Column[ComparedCorner]:
    return number(headed(run), lambda row: row.estimates[k], partial(level_words, run, at_least))


def _pairs(results: Compared) -> View[Pair]:
    return View(
        "compare-pairs",
        Pair,
        "Which runs can be subtracted",
        (
            Column("Pair", partial(_pair_words, results)),
            Column("Difference", "standing", STANDINGS.__getitem__),
            Column("Why", "why", words.sentence),
        ),
        results.pairs,
    )


def _differences(
    results: Compared, rows: tuple[ComparedDifference, ...]
) -> View[ComparedDifference]:
    return View(
        "compare-differences",
        ComparedDifference,
        "Differences of effects",
        (
            Column("Pair", partial(_pair_words, results)),
            GROUP,
            CAPITAL,
            Column("Measure", "measure", words.MEASURES.__getitem__),
            number("Difference", partial(difference_words, results)),
            number("Above 0", "positive", words.maybe),
        ),
        rows,
        "Effect in the first run less that in the second. Without an interval it is the difference of "
        "two means, and nothing is known of its uncertainty.",
    )


def _verdicts(results: Compared) -> View[ComparedVerdict]:
    return View(
        "compare-verdicts",
        ComparedVerdict,
        "Verdicts",
        (
            Column(
                "Claim",
                "title",
                note=lambda row: "" if row.scope == "observed" else words.SCOPES[row.scope],
            ),
            GROUP,
            *(_verdict(k, run) for k, run in enumerate(results.runs)),
        ),
        results.verdicts,
        "Posterior probability of the declared region. A dash: the run does not make the claim.",
    )


def _verdict(k: int, run: ComparedRun) -> Column[ComparedVerdict]:
    return Column(
        headed(run), lambda row: row.told[k], verdict_words, lambda row: _grounds(row.told[k])
    )


def lead(results: Compared) -> str:
    """Say in how many settings the analyses differ, and what is not among them."""
    data = "" if results.same_data else " The data differ in content, which is no setting."
    if not results.settings:
        return f"The analyses are the same in every setting.{data}"
    counts = {kind: len(_of_kind(results, kind)) for kind in CHANGES}
    listed = "; ".join(
        f"{CHANGES[kind][0][0].lower()}{CHANGES[kind][0][1:]}: {count}"
        for kind, count in counts.items()
        if count
    )
    model = "" if counts["model"] else " No setting of the model differs."
    return f"Settings that differ, by what they bear on ({listed}).{model}{data}"


def _of_kind(results: Compared, changes: Changes) -> tuple[DifferingSetting, ...]:
    return tuple(row for row in results.settings if row.changes == changes)


def synthetic_words(results: Compared) -> str:
    """Say whose firms are synthetic; nothing where none are."""
    if not results.simulated:
        return ""
    if len(results.simulated) == len(results.runs):
        return "no evidence about real firms."
    labels = ", ".join(run.label for run in results.simulated)
    return f"no evidence about real firms in {labels}."


def effect_words(run: ComparedRun, effect: Estimate | None) -> str:
    """An effect in the unit of its run."""
    return words.NONE if effect is None else words.effect(effect, run.outcome)


def level_words(run: ComparedRun, at_least: str | None, level: Estimate | None) -> str:
    """An expected outcome in the unit of its run, or the probability of reaching a level."""
    if level is None:
        return words.NONE
    outcome = run.outcome if at_least is None else words.reaching(run.outcome, at_least)
    return words.level(level, outcome)


def verdict_words(verdict: ClaimVerdict | None) -> str:
    """A verdict with its probability."""
    if verdict is None:
        return words.NONE
    return f"{words.VERDICTS[verdict.verdict]} {words.verdict_probability(verdict.probability)}"


def _grounds(verdict: ClaimVerdict | None) -> str:
    """Prior probability and level of a verdict, or what stopped it."""
    if verdict is None:
        return ""
    prior = words.verdict_probability(verdict.prior_probability)
    return verdict.stopped or f"prior {prior}, level {words.share(verdict.level)}"


def difference_words(results: Compared, row: ComparedDifference) -> str:
    """A difference with its interval, or without one where it has none."""
    outcome = results.runs[row.first].outcome
    if row.estimate is not None:
        return words.effect(row.estimate, outcome)
    unit = words.unit(outcome)
    value = row.mean * unit.factor
    return f"{words.fixed(value, words.decimals(abs(value), 2), signed=True)}{unit.effect} (no interval)"


def _pair_words(results: Compared, pair: Pair | ComparedDifference) -> str:
    return f"{results.runs[pair.first].label} less {results.runs[pair.second].label}"


def _corner_figures(results: Compared) -> Iterator[Drawn]:
    """Expected outcome at the corners, a panel a group, the runs side by side in it."""
    by = primary(results)
    rows = [row for row in results.corners if row.scope == "observed" and row.at_least is None]
    panels = [
        (
            words.group(by, name),
            [
                (words.sentence(text)[:-1], [row for row in rows if at(row) == (by, name, corner)])
                for corner, text in SHORT.items()
            ],
        )
        for name in groups_of(results)[:MOST_GROUPS]
        for at in [attrgetter("by", "group", "corner")]
    ]
    caption = (
        f"Expected outcome with each capital low or high: mean and {words.share(results.interval)} "
        "interval in each run."
    )
    yield from _drawn(results, "compare-corners", caption, "Expected outcome", panels, columns=4)


def _effect_figures(results: Compared) -> Iterator[Drawn]:
    """Average marginal effects, a panel a capital, the runs side by side in it."""
    kept = [row for row in results.effects if row.measure == MEASURE]
    panels = [
        (
            words.label(capital),
            [(words.group(row.by, row.group), [row]) for row in kept if row.capital == capital],
        )
        for capital in dict.fromkeys(row.capital for row in kept)
    ]
    caption = (
        "Average marginal effect per standard deviation (0 to 1 for a 0/1 capital) in each run, with "
        f"{words.share(results.interval)} intervals. That intervals overlap does not show that the runs "
        "agree."
    )
    axis = "Change per sd"
    yield from _drawn(results, "compare-effects", caption, axis, panels, 0.0)


def _drawn(
    results: Compared,
    name: str,
    caption: str,
    axis: str,
    panels: Sequence[tuple[str, Sequence[tuple[str, Sequence[ComparedCorner | ComparedEffect]]]]],
    reference: float | None = None,
    columns: int = 0,
) -> Iterator[Drawn]:
    """Draw a figure for each unit of outcomes: what has another unit cannot share an axis."""
    units: dict[str, list[int]] = {}
    for k, run in enumerate(results.runs):
        units.setdefault(words.unit(run.outcome).name, []).append(k)
    for place, (unit, runs) in enumerate(units.items()):
        drawn = [
            (title, [Line(label, tuple(_marks(results, rows, runs))) for label, rows in lines])
            for title, lines in panels
        ]
        drawn = [(title, lines) for title, lines in drawn if any(line.marks for line in lines)]
        if drawn:
            key = tuple(results.runs[k].label for k in runs)
            levels = words.unit(results.runs[runs[0]].outcome).level
            measured = unit if reference is not None else levels or unit
            frame = Frame(f"{axis}, {measured}", reference, key=key, columns=columns)
            yield drawn_panels(f"{name}-{place}", caption, drawn, frame)


def _marks(
    results: Compared, rows: Sequence[ComparedCorner | ComparedEffect], runs: Sequence[int]
) -> Iterator[Mark]:
    """The interval of each run, from the first row that holds one."""
    for look, k in enumerate(runs):
        found = next((row.estimates[k] for row in rows if row.estimates[k] is not None), None)
        if found is not None:
            shown = found.times(words.unit(results.runs[k].outcome).factor)
            yield Mark(shown.low, shown.mean, shown.high, look)
