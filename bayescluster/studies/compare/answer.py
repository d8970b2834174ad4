"""The first layer of a comparison: what is the same in the runs and what differs, by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bayescluster.kit import words
from bayescluster.lookup import counted
from bayescluster.names import ALL
from bayescluster.report.answer import Grid, GridCell, GridRow, GroupAnswer, Run
from bayescluster.results.base import VerdictState
from bayescluster.studies.compare.compute import warnings_of
from bayescluster.studies.compare.results import (
    Compared,
    ComparedDifference,
    ComparedRun,
    ComparedVerdict,
)

DECIDED: Final[tuple[VerdictState, ...]] = ("supported", "rejected")
MEASURE: Final = "average_marginal_effect"
MOST_GROUPS: Final = 8
"""More groups than this do not get a sentence and a panel each."""
MOST_OPPOSED: Final = 1
MOST_NAMED: Final = 3
"""Verdicts that contradict each other, and differences, that are named; the rest are counted."""
MOST_LIMITS: Final = 5
SURE: Final = 0.95
"""Probability from which the effects of two runs are said to differ."""
LIMITS: Final = {
    "firms": ("Firms", "What differs may be how firms were sampled and measured, not the firms."),
    "claims": ("Claims", "Some verdicts answer other questions: see every verdict."),
    "units": ("Capitals", "One sd, or low and high, is another amount in each run: see effects."),
    "levels": ("Capitals", "One sd, or low and high, is another amount in each run: see effects."),
    "outcomes": ("Outcomes", "They differ: compare what they depend on, not their levels."),
    "forms": ("Forms", "Runs of other structural forms can differ by the form alone."),
}
"""What limits a comparison, in short, by the concern of its warnings; the rest stands where it bears."""


class Comparison(NamedTuple):
    """The first layer."""

    question: str
    facts: tuple[str, ...]
    groups: tuple[GroupAnswer, ...]
    more: str
    """Groups that have no sentence of their own; nothing where all have."""
    grid: Grid
    """Verdicts of the groups of the sentences: a row a run below each claim."""
    limits: tuple[tuple[str, str], ...]


def answer_of(results: Compared) -> Comparison:
    """Make the first layer from results.

    Parameters
    ----------
    results
        Results of a comparison.
    """
    names = groups_of(results)
    shown = names[:MOST_GROUPS]
    said = [_group(name, results) for name in shown]
    if len(names) == len(shown) > 1 and len({one.text for one in said}) == 1:
        said = [said[0]._replace(name=f"All {words.kinds(primary(results))}")]
    more = ""
    if len(names) > len(shown):
        more = f"{len(shown)} of {len(names)} groups are shown; all are in the appendix."
    return Comparison(
        _question(results),
        tuple(_facts(results)),
        tuple(one for one in said if one.runs),
        more,
        _grid(results, shown),
        _limits(results),
    )


def primary(results: Compared) -> str:
    """Kind of the groups that the answer is by: that of most verdicts, else of the effects."""
    kinds = [*(row.by for row in results.verdicts), *(row.by for row in results.effects)]
    some = [by for by in kinds if by not in ("all", "cluster")]
    return max(dict.fromkeys(some), key=some.count) if some else "all"


def groups_of(results: Compared) -> list[str]:
    """Groups of the kind of the answer, as they come; pairs of groups are none."""
    by = primary(results)
    names = [row.group for row in results.corners if row.by == by]
    names += [row.group for row in results.effects if row.by == by]
    names = names or [row.group for row in results.verdicts if row.by == by]
    return list(dict.fromkeys(names)) or [ALL]


def headed(run: ComparedRun) -> str:
    """Label of a run over its numbers, marked where these cannot be relied on."""
    return run.label if run.gate_passed else f"{run.label} (failed)"


def _question(results: Compared) -> str:
    outcomes = [words.label(run.outcome.column).lower() for run in results.runs]
    if len(set(outcomes)) > 1:
        return f"Do {_listed(outcomes)} depend on the capitals in the same way?"
    where = _listed([run.label for run in results.runs])
    return f"Does {outcomes[0]} depend on the capitals in the same way in {where}?"


def _listed(names: Sequence[str]) -> str:
    *first, last = dict.fromkeys(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _facts(results: Compared) -> Iterator[str]:
    yield f"{len(results.runs)} runs"
    both = [row for row in results.verdicts if sum(one is not None for one in row.told) > 1]
    if both:
        apart = [row for row in both if differs(row)]
        yield f"{len(apart)} of {len(both)} verdicts differ"
        if opposed := sum(map(_opposed, apart)):
            yield f"{opposed} supported in one run and rejected in another"
    known = [row for row in results.differences if row.measure == MEASURE and _known(row, results)]
    if known:
        yield f"{sum(map(sure, known))} of {len(known)} effects differ with {words.share(SURE)} probability"


def _told(row: ComparedVerdict, results: Compared) -> dict[VerdictState, list[str]]:
    """Labels of the runs that make a claim, by what each says of it."""
    found: dict[VerdictState, list[str]] = {}
    for run, one in zip(results.runs, row.told, strict=True):
        if one is not None:
            found.setdefault(one.verdict, []).append(run.label)
    return found


def differs(row: ComparedVerdict) -> bool:
    """Whether runs that make a claim say different things of it."""
    return len({one.verdict for one in row.told if one is not None}) > 1


def _opposed(row: ComparedVerdict) -> bool:
    return set(DECIDED) <= {one.verdict for one in row.told if one is not None}


def _known(row: ComparedDifference, results: Compared) -> bool:
    """Whether a difference has an interval, and rests on runs that passed their checks."""
    passed = all(results.runs[k].gate_passed for k in (row.first, row.second))
    return passed and row.positive is not None


def sure(row: ComparedDifference) -> bool:
    """Whether the effects of two runs differ, as far as their draws tell."""
    return row.positive is not None and max(row.positive, 1 - row.positive) >= SURE


def _group(name: str, results: Compared) -> GroupAnswer:
    by = primary(results)
    own = [row for row in results.verdicts if (row.by, row.group) == (by, name)]
    both = [row for row in own if sum(one is not None for one in row.told) > 1]
    runs = list(_count(both, results)) if both else list(_effects(name, results))
    runs += _named(both, results)
    about = MEASURE, by, name
    known = [row for row in results.differences if _about(row) == about and _known(row, results)]
    certain = list(filter(sure, known))
    for row in certain[:MOST_NAMED]:
        runs += _difference(row, results)
    if len(certain) > MOST_NAMED:
        more = len(certain) - MOST_NAMED
        runs.append(
            Run(f"{counted(more, 'further effect')} {'differs' if more == 1 else 'differ'}. ")
        )
    return GroupAnswer(words.group(by, name), None, tuple(runs))


def _about(row: ComparedDifference) -> tuple[str, str, str]:
    return row.measure, row.by, row.group


def _count(rows: Sequence[ComparedVerdict], results: Compared) -> Iterator[Run]:
    """How many verdicts are the same, and in which runs alone the others are decided."""
    apart = [row for row in rows if differs(row)]
    if not apart:
        what = f"all {len(rows)} claims" if len(rows) > 1 else "the claim"
        yield Run(f"The same verdict on {what}. ")
        return
    said = [f"{len(rows) - len(apart)} of {len(rows)} verdicts are the same"]
    decided = Counter(_decided(row, results) for row in apart if not _opposed(row))
    other = decided.pop("", 0)
    said += [f"{many} decided in {where} alone" for where, many in decided.items()]
    if other:
        said.append(f"{other} decided in none")
    yield Run(f"{'; '.join(said)}. ")


def _decided(row: ComparedVerdict, results: Compared) -> str:
    """Labels of the runs that support or reject a claim."""
    told = _told(row, results)
    return _listed([label for state in DECIDED for label in told.get(state, ())])


def _named(rows: Sequence[ComparedVerdict], results: Compared) -> Iterator[Run]:
    """Claims that one run supports and another rejects."""
    opposed = list(filter(_opposed, rows))
    for row in opposed[:MOST_OPPOSED]:
        told = _told(row, results)
        where = ", ".join(f"{state} in {_listed(told[state])}" for state in DECIDED)
        yield Run(f"{row.title}: ")
        yield Run(where, True)
        yield Run(". ")
    if len(opposed) > MOST_OPPOSED:
        yield Run(f"{len(opposed) - MOST_OPPOSED} more contradict each other. ")


def _effects(name: str, results: Compared) -> Iterator[Run]:
    """Where runs share no claim: the effects in each."""
    for row in results.effects:
        if (row.measure, row.by, row.group) == (MEASURE, primary(results), name):
            told = ", ".join(
                f"{words.effect(one, run.outcome)} in {run.label}"
                for run, one in zip(results.runs, row.estimates, strict=True)
                if one is not None
            )
            yield Run(f"{words.label(row.capital)}: {told}. ")


def _difference(row: ComparedDifference, results: Compared) -> Iterator[Run]:
    if row.estimate is None or row.positive is None:
        return
    first, second = results.runs[row.first], results.runs[row.second]
    more, share = "larger", row.positive
    if share < 0.5:
        more, share = "smaller", 1 - share
    yield Run(f"The effect of {words.label(row.capital).lower()} is ")
    yield Run(
        f"{words.likelihood(share)} to be {more} in {first.label} than in {second.label}", True
    )
    size = words.effect(row.estimate, first.outcome)
    yield Run(f" ({size}; {words.percentage(share)}). ")


def _grid(results: Compared, names: Sequence[str]) -> Grid:
    by = primary(results)
    rows = [row for row in results.verdicts if row.by == by and row.group in names]
    claims = dict.fromkeys((row.title, row.scope) for row in rows)
    found = []
    for title, scope in claims:
        own = {row.group: row for row in rows if (row.title, row.scope) == (title, scope)}
        for k, run in enumerate(results.runs):
            cells = (
                GridCell(own[name].told[k], apart=differs(own[name]))
                if name in own
                else GridCell(None)
                for name in names
            )
            span = 0 if k else len(results.runs)
            found.append(GridRow(title, "verdicts", tuple(cells), span, headed(run)))
    return Grid(tuple(words.group(by, name) for name in names), tuple(found), "Run")


def _limits(results: Compared) -> tuple[tuple[str, str], ...]:
    concerns = {one.concern for one in warnings_of(results.runs, results.verdicts, results.pairs)}
    said = {LIMITS[concern]: None for concern in LIMITS if concern in concerns}
    barred = [pair for pair in results.pairs if pair.standing != "independent"]
    if barred:
        which = "No" if len(barred) == len(results.pairs) else "Not every"
        text = f"{which} difference of effects has an interval: see which runs can be subtracted."
        said = {("Differences", text): None, **said}
    if results.failed:
        labels = _listed([run.label for run in results.failed])
        text = f"Nothing is decided in {labels}, where these failed: that verdicts differ says nothing."
        said = {("Checks", text): None, **said}
    return tuple(said)[:MOST_LIMITS]
