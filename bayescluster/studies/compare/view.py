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


def page_text(results: Compared) -> str:
    """Write the page: the runs, what differs in them, effects side by side, corners, verdicts."""
    return str(
        filled(
            "compare.html.j2",
            found=results,
            synthetic_mark=SYNTHETIC,
            synthetic_text=synthetic_words(results),
            runs=_runs(results).table,
            settings_lead=lead(results),
            settings=_tables(_settings(results)),
            settings_reading=READING,
            figures=tuple(_figures(results)),
            effects=_tables(_effects(results)),
            pairs=_pairs(results).table,
            differences=_differences(results, results.differences).table
            if results.differences
            else None,
            corners=_tables(_corners(results)),
            verdicts=_verdicts(results).table if results.verdicts else None,
        )
    )


def printed(results: Compared) -> Iterator[str | Table]:
    """Print what differs in the analyses, average effects, verdicts and differences, then warnings.

    Names and texts that differ are only counted.
    """
    if results.simulated:
        yield f"SYNTHETIC data. {synthetic_words(results)}"
    for run in results.failed:
        yield f"The diagnostics gate of {run.label} FAILED: nothing it says can be relied on."
    yield lead(results)
    yield from _tables(view for view in _settings(results) if not view.folded)
    if texts := len(_of_kind(results, "report")):
        yield f"{texts} more that change neither (names, texts): see the report."
    averages = tuple(row for row in results.differences if row.measure == MEASURE)
    views: tuple[View[Any], ...] = (
        *_effects(results),
        _verdicts(results),
        _pairs(results),
        _differences(results, averages),
    )
    yield from _tables(view for view in views if view.rows and not view.folded)
    yield ""
    for text in results.warnings:
        yield f"WARNING {text}"


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


def _tables(views: Iterable[View[Any]]) -> tuple[Table, ...]:
    return tuple(view.table for view in views)


def _runs(results: Compared) -> View[ComparedRun]:
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
                folded=title if kind == "report" else "",
            )


def _setting(k: int, run: ComparedRun) -> Column[DifferingSetting]:
    return Column(
        run.label,
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
                folded="" if measure == MEASURE else title,
            )


def _effect(k: int, run: ComparedRun) -> Column[ComparedEffect]:
    def above_zero(row: ComparedEffect) -> str:
        share = row.positive[k]
        return "" if share is None else f"above 0: {words.probability(share)}"

    return number(
        run.label, lambda row: row.estimates[k], partial(effect_words, run), note=above_zero
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
            folded=title + ("" if scope == "observed" else f", {words.label(scope).lower()}"),
        )


def _level(k: int, run: ComparedRun, at_least: str | None) -> Column[ComparedCorner]:
    return number(run.label, lambda row: row.estimates[k], partial(level_words, run, at_least))


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
        run.label, lambda row: row.told[k], verdict_words, lambda row: _grounds(row.told[k])
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
        return "Nothing here is evidence about real firms."
    labels = ", ".join(run.label for run in results.simulated)
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


def _figures(results: Compared) -> Iterator[Drawn]:
    """A forest for each capital and unit: what has another unit cannot share an axis."""
    units: dict[str, list[int]] = {}
    for k, run in enumerate(results.runs):
        units.setdefault(words.unit(run.outcome).name, []).append(k)
    effects: dict[str, list[ComparedEffect]] = {row.capital: [] for row in results.effects}
    for row in results.effects:
        if row.measure == MEASURE:
            effects[row.capital].append(row)
    for place, (unit, runs) in enumerate(units.items()):
        for capital, rows in effects.items():
            blocks = tuple(block for row in rows if (block := _block(results, row, runs)).rows)
            if blocks:
                caption = (
                    f"{words.label(capital)}: average marginal effect in each run, with "
                    f"{words.share(results.interval)} intervals. That intervals overlap does not show "
                    "that the runs agree."
                )
                axis = f"Change per standard deviation (0 to 1 for a 0/1 capital), {unit}"
                name = f"compare-{capital}-{place}"
                yield drawn_intervals(name, caption, blocks, Frame(axis, 0.0))


def _block(results: Compared, row: ComparedEffect, runs: Sequence[int]) -> Block:
    intervals = []
    for k in runs:
        run, effect = results.runs[k], row.estimates[k]
        if effect is not None:
            shown = effect.times(words.unit(run.outcome).factor)
            intervals.append(Interval(run.label, shown.low, shown.mean, shown.high, k))
    return Block(words.group(row.by, row.group), tuple(intervals))
