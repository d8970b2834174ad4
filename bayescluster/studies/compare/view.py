"""A comparison of runs as a page, on a terminal and as a csv table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.intervals import Block, Frame, Interval, drawn_intervals
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, RawTable, Table, View, number
from bayescluster.results.base import Estimate
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

MEASURE: Final = "average_marginal_effect"
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
SYNTHETIC: Final = "Synthetic data: made by simulation."
GROUP: Final[Column[Any]] = Column("For", lambda row: words.group(row.by, row.group))
CAPITAL: Final[Column[Any]] = Column("Capital", "capital", words.label)


def page_text(found: Compared) -> str:
    """Write the page: the runs, what differs in them, effects side by side, corners, verdicts."""
    return str(
        filled(
            "compare.html.j2",
            found=found,
            synthetic_mark=SYNTHETIC,
            synthetic_text=synthetic_words(found),
            runs=_runs(found).table,
            settings_lead=lead(found),
            settings=_tables(_settings(found)),
            settings_reading=READING,
            figures=tuple(_figures(found)),
            effects=_tables(_effects(found)),
            pairs=_pairs(found).table,
            differences=_differences(found, found.differences).table if found.differences else None,
            corners=_tables(_corners(found)),
            verdicts=_verdicts(found).table if found.verdicts else None,
        )
    )


def printed(found: Compared) -> Iterator[str | Table]:
    """Print what differs in the analyses, average effects, verdicts and differences, then warnings.

    Names and texts that differ are only counted.
    """
    if found.simulated:
        yield f"SYNTHETIC data. {synthetic_words(found)}"
    for run in found.failed:
        yield f"The diagnostics gate of {run.label} FAILED: nothing it says can be relied on."
    yield lead(found)
    yield from _tables(view for view in _settings(found) if not view.folded)
    if texts := len(_of_kind(found, "report")):
        yield f"{texts} more that change neither (names, texts): see the report."
    averages = tuple(row for row in found.differences if row.measure == MEASURE)
    views: tuple[View[Any], ...] = (
        *_effects(found),
        _verdicts(found),
        _pairs(found),
        _differences(found, averages),
    )
    yield from _tables(view for view in views if view.rows and not view.folded)
    yield ""
    for text in found.warnings:
        yield f"WARNING {text}"


def csv_tables(found: Compared, _: object = None) -> tuple[RawTable, ...]:
    """Effects of every run and their differences, a row each, with unrounded numbers."""
    numbers = ("mean", "sd", "low", "high", "mcse")
    names = ("capital", "measure", "by", "group")
    columns = ("run", "less", "outcome", *names, *numbers, "positive", "standing")
    rows: list[tuple[Any, ...]] = []
    for row in found.effects:
        about = [getattr(row, name) for name in names]
        for run, one, above in zip(found.runs, row.estimates, row.positive, strict=True):
            if one is not None:
                values = [getattr(one, name) for name in numbers]
                rows.append((run.label, None, run.outcome.label, *about, *values, above, None))
    standing = {(pair.first, pair.second): pair.standing for pair in found.pairs}
    for less in found.differences:
        first, second = found.runs[less.first], found.runs[less.second]
        about = [getattr(less, name) for name in names]
        spread = [getattr(less.estimate, name, None) for name in numbers[1:]]
        values = [less.mean, *spread, less.positive, standing[less.first, less.second]]
        rows.append((first.label, second.label, first.outcome.label, *about, *values))
    return (RawTable("compare", columns, tuple(rows)),)


def _tables(views: Iterable[View[Any]]) -> tuple[Table, ...]:
    return tuple(view.table for view in views)


def _runs(found: Compared) -> View[ComparedRun]:
    return View(
        "compare-runs",
        ComparedRun,
        "The runs",
        (
            Column("Run", "label", note=lambda run: f"key {run.run_key}"),
            Column("Outcome", lambda run: run.outcome.label, note=lambda run: run.outcome.family),
            Column("Forms", "forms", ", ".join),
            Column("Data", "data", note=lambda run: "synthetic" if run.synthetic else ""),
            number("Firms", "firms", words.count),
            number("Clusters", "clusters", words.count),
            Column(
                "Gate",
                lambda run: "passed" if run.gate_passed else "FAILED",
                note=lambda run: ", ".join(run.failing),
                look=lambda run: "good" if run.gate_passed else "bad",
            ),
        ),
        found.runs,
    )


def _settings(found: Compared) -> Iterator[View[DifferingSetting]]:
    """A table for each kind of setting that differs."""
    for kind, (title, note) in CHANGES.items():
        if rows := _of_kind(found, kind):
            yield View(
                "compare-settings",
                DifferingSetting,
                title,
                (
                    Column("Setting", "place"),
                    *(_setting(k, run) for k, run in enumerate(found.runs)),
                ),
                rows,
                note,
                folded=title if kind == "report" else "",
            )


def _setting(k: int, run: ComparedRun) -> Column[DifferingSetting]:
    return Column(
        run.label,
        lambda row: NOT_SET if row.values[k] is None else row.values[k],
        look=lambda row: "thin" if row.values[k] is None else "",
    )


def _effects(found: Compared) -> Iterator[View[ComparedEffect]]:
    for measure, title in words.MEASURES.items():
        if rows := tuple(row for row in found.effects if row.measure == measure):
            yield View(
                "compare-effects",
                ComparedEffect,
                title,
                (
                    GROUP,
                    CAPITAL,
                    *(_effect(k, run) for k, run in enumerate(found.runs)),
                ),
                rows,
                f"Mean and {words.share(found.interval)} interval. A dash: the run has no such group.",
                folded="" if measure == MEASURE else title,
            )


def _effect(k: int, run: ComparedRun) -> Column[ComparedEffect]:
    def above_zero(row: ComparedEffect) -> str:
        share = row.positive[k]
        return "" if share is None else f"above 0: {words.probability(share)}"

    return number(
        run.label, lambda row: row.estimates[k], partial(effect_words, run), note=above_zero
    )


def _corners(found: Compared) -> Iterator[View[ComparedCorner]]:
    declared = attrgetter("scope", "declared", "at_least")
    kinds = dict.fromkeys(map(declared, found.corners))
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
                *(_level(k, run, at_least) for k, run in enumerate(found.runs)),
            ),
            tuple(row for row in found.corners if declared(row) == (scope, levels, at_least)),
            words.sentence(words.SCOPES[scope]),
            folded=title + ("" if scope == "observed" else f", {words.label(scope).lower()}"),
        )


def _level(k: int, run: ComparedRun, at_least: str | None) -> Column[ComparedCorner]:
    return number(run.label, lambda row: row.estimates[k], partial(level_words, run, at_least))


def _pairs(found: Compared) -> View[Pair]:
    return View(
        "compare-pairs",
        Pair,
        "Which runs can be subtracted",
        (
            Column("Pair", partial(_pair_words, found)),
            Column("Difference", "standing", STANDINGS.__getitem__),
            Column("Why", "why", words.sentence),
        ),
        found.pairs,
    )


def _differences(found: Compared, rows: tuple[ComparedDifference, ...]) -> View[ComparedDifference]:
    return View(
        "compare-differences",
        ComparedDifference,
        "Differences of effects",
        (
            Column("Pair", partial(_pair_words, found)),
            GROUP,
            CAPITAL,
            Column("Measure", "measure", words.MEASURES.__getitem__),
            number("Difference", partial(difference_words, found)),
            number("Above 0", "positive", words.maybe),
        ),
        rows,
        "Effect in the first run less that in the second. Without an interval it is the difference of "
        "two means, and nothing is known of its uncertainty.",
    )


def _verdicts(found: Compared) -> View[ComparedVerdict]:
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
            *(_verdict(k, run) for k, run in enumerate(found.runs)),
        ),
        found.verdicts,
        "Posterior probability of the declared region. A dash: the run does not make the claim.",
    )


def _verdict(k: int, run: ComparedRun) -> Column[ComparedVerdict]:
    return Column(
        run.label, lambda row: row.told[k], verdict_words, lambda row: _grounds(row.told[k])
    )


def lead(found: Compared) -> str:
    """Say in how many settings the analyses differ, and what is not among them."""
    data = "" if found.same_data else " The data differ in content, which is no setting."
    if not found.settings:
        return f"The analyses are the same in every setting.{data}"
    counts = {kind: len(_of_kind(found, kind)) for kind in CHANGES}
    listed = "; ".join(
        f"{CHANGES[kind][0][0].lower()}{CHANGES[kind][0][1:]}: {count}"
        for kind, count in counts.items()
        if count
    )
    model = "" if counts["model"] else " No setting of the model differs."
    return f"Settings that differ, by what they bear on ({listed}).{model}{data}"


def _of_kind(found: Compared, changes: Changes) -> tuple[DifferingSetting, ...]:
    return tuple(row for row in found.settings if row.changes == changes)


def synthetic_words(found: Compared) -> str:
    """Say whose firms are synthetic; nothing where none are."""
    if not found.simulated:
        return ""
    if len(found.simulated) == len(found.runs):
        return "Nothing here is evidence about real firms."
    labels = ", ".join(run.label for run in found.simulated)
    return f"Those of {labels}: nothing they say is evidence about real firms."


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


def difference_words(found: Compared, row: ComparedDifference) -> str:
    """A difference with its interval, or without one where it has none."""
    outcome = found.runs[row.first].outcome
    if row.estimate is not None:
        return words.effect(row.estimate, outcome)
    unit = words.unit(outcome)
    value = row.mean * unit.factor
    return f"{words.fixed(value, words.decimals(abs(value), 2), signed=True)}{unit.effect} (no interval)"


def _pair_words(found: Compared, pair: Pair | ComparedDifference) -> str:
    return f"{found.runs[pair.first].label} less {found.runs[pair.second].label}"


def _figures(found: Compared) -> Iterator[Drawn]:
    """A forest for each capital and unit: what has another unit cannot share an axis."""
    units: dict[str, list[int]] = {}
    for k, run in enumerate(found.runs):
        units.setdefault(words.unit(run.outcome).name, []).append(k)
    effects: dict[str, list[ComparedEffect]] = {row.capital: [] for row in found.effects}
    for row in found.effects:
        if row.measure == MEASURE:
            effects[row.capital].append(row)
    for place, (unit, runs) in enumerate(units.items()):
        for capital, rows in effects.items():
            blocks = tuple(block for row in rows if (block := _block(found, row, runs)).rows)
            if blocks:
                caption = (
                    f"{words.label(capital)}: average marginal effect in each run, with "
                    f"{words.share(found.interval)} intervals. That intervals overlap does not show "
                    "that the runs agree."
                )
                axis = f"Change per standard deviation (0 to 1 for a 0/1 capital), {unit}"
                name = f"compare-{capital}-{place}"
                yield drawn_intervals(name, caption, blocks, Frame(axis, 0.0))


def _block(found: Compared, row: ComparedEffect, runs: Sequence[int]) -> Block:
    intervals = []
    for k in runs:
        run, effect = found.runs[k], row.estimates[k]
        if effect is not None:
            shown = effect.times(words.unit(run.outcome).factor)
            intervals.append(Interval(run.label, shown.low, shown.mean, shown.high, k))
    return Block(words.group(row.by, row.group), tuple(intervals))
