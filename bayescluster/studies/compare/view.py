"""A comparison of runs as a page and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.flat import harmless
from bayescluster.kit.intervals import Block, Frame, Interval, drawn_intervals
from bayescluster.kit.page import filled
from bayescluster.kit.sections import columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.base import Estimate
from bayescluster.studies.compare.results import (
    Changes,
    Compared,
    ComparedCorner,
    ComparedDifference,
    ComparedEffect,
    ComparedRun,
    DifferingSetting,
    Pair,
    ToldVerdict,
)

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
        "Claims, their regions and how traditions read them; the posterior does not know of them.",
    ),
    "sampling": (
        "Changes the draws only",
        "The posterior of a model stays what it is; its summaries move by their Monte Carlo error.",
    ),
    "report": (
        "Changes neither",
        "Names, texts, options of studies beside the run, and where the same data lie.",
    ),
}
"""Title and note of each kind of setting, in the order in which they are shown."""


def of_kind(found: Compared, changes: Changes) -> tuple[DifferingSetting, ...]:
    """Differing settings of one kind."""
    return tuple(row for row in found.settings if row.changes == changes)


def lead(found: Compared) -> str:
    """Say in how many settings the analyses differ, and what is not among them."""
    data = "" if found.same_data else " The data differ in content, which is no setting."
    if not found.settings:
        return f"The analyses are the same in every setting.{data}"
    counts = {kind: len(of_kind(found, kind)) for kind in CHANGES}
    told = "; ".join(
        f"{CHANGES[kind][0][0].lower()}{CHANGES[kind][0][1:]}: {count}"
        for kind, count in counts.items()
        if count
    )
    model = "" if counts["model"] else " No setting of the model differs."
    return f"Settings that differ, by what they bear on ({told}).{model}{data}"


def setting_words(value: str | None) -> str:
    """Value of a setting, or that it is not set."""
    return NOT_SET if value is None else value


def setting_tables(found: Compared) -> tuple[Table, ...]:
    """Make a table for each kind of setting that differs."""
    heads = columns("Setting", *(run.label for run in found.runs))
    return tuple(
        Table(
            title,
            heads,
            rows(_cells(row) for row in of_kind(found, kind)),
            note,
            folded=title if kind == "report" else "",
        )
        for kind, (title, note) in CHANGES.items()
        if of_kind(found, kind)
    )


def _cells(row: DifferingSetting) -> Sequence[Cell]:
    values = (
        Cell(setting_words(value), look="thin" if value is None else "") for value in row.values
    )
    return (Cell(row.place), *values)


STANDINGS = {
    "independent": "subtracted as independent",
    "shared": "no interval",
    "apart": "no difference",
}
SYNTHETIC = "Synthetic data: made by simulation."


def effect_words(run: ComparedRun, found: Estimate | None) -> str:
    """An effect in the unit of its run."""
    return words.NONE if found is None else words.effect(found, run.outcome)


def level_words(run: ComparedRun, found: Estimate | None, row: ComparedCorner) -> str:
    """An expected outcome in the unit of its run, or the probability of reaching a level."""
    if found is None:
        return words.NONE
    outcome = run.outcome if row.at_least is None else words.reaching(run.outcome, row.at_least)
    return words.level(found, outcome)


def verdict_words(told: ToldVerdict | None) -> str:
    """A verdict with its probability."""
    if told is None:
        return words.NONE
    return f"{words.VERDICTS[told.verdict]} {words.verdict_probability(told.probability)}"


def difference_words(found: Compared, row: ComparedDifference) -> str:
    """A difference with its interval, or without one where it has none."""
    outcome = found.runs[row.first].outcome
    if row.estimate is not None:
        return words.effect(row.estimate, outcome)
    unit = words.unit(outcome)
    value = row.mean * unit.factor
    return f"{words.fixed(value, words.decimals(abs(value), 2), signed=True)}{unit.effect} (no interval)"


def pair_words(found: Compared, pair: Pair | ComparedDifference) -> str:
    """Name a pair of runs."""
    return f"{found.runs[pair.first].label} less {found.runs[pair.second].label}"


def synthetic_words(found: Compared) -> str:
    """Say whose firms are synthetic; nothing where none are."""
    made = [run.label for run in found.runs if run.synthetic]
    if not made:
        return ""
    if len(made) == len(found.runs):
        return "Nothing here is evidence about real firms."
    return f"Those of {', '.join(made)}: nothing they say is evidence about real firms."


MEASURE = "average_marginal_effect"


def page_text(found: Compared) -> str:
    """Write the page: the runs, what differs in them, effects side by side, corners, verdicts."""
    return str(
        filled(
            "compare.html.j2",
            found=found,
            synthetic_mark=SYNTHETIC,
            synthetic_text=synthetic_words(found),
            runs=_runs(found),
            settings_lead=lead(found),
            settings=setting_tables(found),
            settings_reading=READING,
            figures=tuple(_figures(found)),
            effects=tuple(_effects(found)),
            pairs=_pairs(found),
            differences=_differences(found),
            corners=tuple(_corners(found)),
            verdicts=_verdicts(found),
        )
    )


def _runs(found: Compared) -> Table:
    return Table(
        "The runs",
        columns("Run", "Outcome", "Forms", "Data", "#Firms", "#Clusters", "Gate"),
        rows(
            (
                Cell(run.label, f"key {run.run_key}"),
                Cell(run.outcome.label, run.outcome.family),
                ", ".join(run.forms),
                Cell(run.data, "synthetic" if run.synthetic else ""),
                words.count(run.firms),
                words.count(run.clusters),
                Cell(
                    "passed" if run.gate_passed else "FAILED",
                    ", ".join(run.failing),
                    "good" if run.gate_passed else "bad",
                ),
            )
            for run in found.runs
        ),
    )


def _units(found: Compared) -> dict[str, list[int]]:
    """Positions of the runs whose effects have the same unit, by that unit."""
    places: dict[str, list[int]] = {}
    for position, run in enumerate(found.runs):
        places.setdefault(words.unit(run.outcome).name, []).append(position)
    return places


def _figures(found: Compared) -> Iterator[Drawn]:
    """A forest for each capital and unit: what has another unit cannot share an axis."""
    capitals = dict.fromkeys(row.capital for row in found.effects)
    for number, (unit, places) in enumerate(_units(found).items()):
        for capital in capitals:
            mine = [
                row for row in found.effects if row.capital == capital and row.measure == MEASURE
            ]
            blocks = tuple(block for row in mine if (block := _block(found, row, places)).rows)
            if not blocks:
                continue
            caption = (
                f"{words.label(capital)}: average marginal effect in each run, with "
                f"{words.share(found.interval)} intervals. That intervals overlap does not show that "
                "the runs agree."
            )
            frame = Frame(f"Change per standard deviation (0 to 1 for a 0/1 capital), {unit}", 0.0)
            yield drawn_intervals(f"compare-{capital}-{number}", caption, blocks, frame)


def _block(found: Compared, row: ComparedEffect, places: Sequence[int]) -> Block:
    rows_ = []
    for position in places:
        one = row.estimates[position]
        if one is not None:
            factor = words.unit(found.runs[position].outcome).factor
            ends = one.low * factor, one.mean * factor, one.high * factor
            rows_.append(Interval(found.runs[position].label, *ends, position))
    return Block(words.group(row.by, row.group), tuple(rows_))


def _effects(found: Compared) -> Iterator[Table]:
    for measure, title in words.MEASURES.items():
        kept = [row for row in found.effects if row.measure == measure]
        if not kept:
            continue
        yield Table(
            title,
            columns("For", "Capital", *(f"#{run.label}" for run in found.runs)),
            rows(
                (
                    words.group(row.by, row.group),
                    words.label(row.capital),
                    *(
                        Cell(
                            effect_words(run, one),
                            "" if above is None else f"above 0: {words.probability(above)}",
                        )
                        for run, one, above in zip(
                            found.runs, row.estimates, row.positive, strict=True
                        )
                    ),
                )
                for row in kept
            ),
            f"Mean and {words.share(found.interval)} interval. A dash: the run has no such group.",
            folded="" if measure == MEASURE else title,
        )


def _pairs(found: Compared) -> Table:
    return Table(
        "Which runs can be subtracted",
        columns("Pair", "Difference", "Why"),
        rows(
            (pair_words(found, pair), STANDINGS[pair.standing], words.sentence(pair.why))
            for pair in found.pairs
        ),
    )


def _differences(found: Compared) -> Table | None:
    if not found.differences:
        return None
    return Table(
        "Differences of effects",
        columns("Pair", "For", "Capital", "Measure", "#Difference", "#Above 0"),
        rows(
            (
                pair_words(found, row),
                words.group(row.by, row.group),
                words.label(row.capital),
                words.MEASURES[row.measure],
                difference_words(found, row),
                words.NONE if row.positive is None else words.probability(row.positive),
            )
            for row in found.differences
        ),
        "Effect in the first run less that in the second. Without an interval it is the difference of "
        "two means, and nothing is known of its uncertainty.",
    )


def _corners(found: Compared) -> Iterator[Table]:
    kept: dict[tuple[str, str, str | None], list[ComparedCorner]] = {}
    for row in found.corners:
        kept.setdefault((row.scope, row.declared, row.at_least), []).append(row)
    for (scope, declared, at_least), mine in kept.items():
        reach = "" if at_least is None else f", probability of at least {at_least}"
        title = f"Expected outcome at the corners{reach}: {declared}"
        yield Table(
            title,
            columns("For", "Corner", *(f"#{run.label}" for run in found.runs)),
            rows(
                (
                    words.group(row.by, row.group),
                    words.CORNERS[row.corner],
                    *(
                        level_words(run, one, row)
                        for run, one in zip(found.runs, row.estimates, strict=True)
                    ),
                )
                for row in mine
            ),
            words.sentence(words.SCOPES[scope]),
            folded=title + ("" if scope == "observed" else f", {words.label(scope).lower()}"),
        )


def _verdicts(found: Compared) -> Table | None:
    if not found.verdicts:
        return None
    return Table(
        "Verdicts",
        columns("Claim", "For", *(run.label for run in found.runs)),
        rows(
            (
                Cell(row.title, "" if row.scope == "observed" else words.SCOPES[row.scope]),
                words.group(row.by, row.group),
                *(
                    Cell(
                        verdict_words(told),
                        ""
                        if told is None
                        else told.stopped
                        or f"prior {words.verdict_probability(told.prior_probability)}, "
                        f"level {words.share(told.level)}",
                    )
                    for told in row.told
                ),
            )
            for row in found.verdicts
        ),
        "Posterior probability of the declared region. A dash: the run does not make the claim.",
    )


def csv_text(found: Compared) -> str:
    """Write effects of every run and their differences, a row each, with unrounded numbers."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ("capital", "measure", "by", "group")
    numbers = ("mean", "sd", "low", "high", "mcse")
    writer.writerow(["run", "less", "outcome", *names, *numbers, "positive", "standing"])
    for row in found.effects:
        own = [harmless(getattr(row, name)) for name in names]
        for run, one, above in zip(found.runs, row.estimates, row.positive, strict=True):
            if one is not None:
                values = [getattr(one, name) for name in numbers]
                place = [harmless(run.label), "", harmless(run.outcome.label)]
                writer.writerow([*place, *own, *values, above, ""])
    standing = {(pair.first, pair.second): pair.standing for pair in found.pairs}
    for less in found.differences:
        own = [harmless(getattr(less, name)) for name in names]
        one = less.estimate
        values = [less.mean] + [None if one is None else getattr(one, name) for name in numbers[1:]]
        runs = [found.runs[less.first], found.runs[less.second]]
        place = [*(harmless(run.label) for run in runs), harmless(runs[0].outcome.label)]
        writer.writerow([*place, *own, *values, less.positive, standing[less.first, less.second]])
    return buffer.getvalue()
