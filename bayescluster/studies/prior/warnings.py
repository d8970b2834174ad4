"""Warnings of a study of the prior: implausible outcomes, and claims that the prior decides or nearly does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bayescluster.checks.thresholds import PRIOR_MAGNITUDES
from bayescluster.design.record import Design
from bayescluster.names import CAPITALS
from bayescluster.studies.prior.compute import DrawnPart, turns_on
from bayescluster.studies.prior.results import (
    Outlook,
    PriorEvent,
    PriorPart,
    PriorRange,
    PriorWarning,
)
from bayescluster.verdicts.regions import percent

OUTLOOK_WORDS: Final[dict[Outlook, str]] = {
    "decided_for": "the prior alone would support it",
    "decided_against": "the prior alone would reject it",
    "leans_for": "the prior leans towards it",
    "leans_against": "the prior leans against it",
}


def warnings_of(drawn: DrawnPart) -> Iterator[PriorWarning]:
    """Warn of implausible outcomes, and once for each claim and way in which the prior leans."""
    part = drawn.part
    yield from _outcomes(drawn)
    by_way: dict[tuple[int, Outlook], list[PriorEvent]] = {}
    for event in part.events:
        if event.outlook != "open":
            by_way.setdefault((event.claim, event.outlook), []).append(event)
    for (_, way), same in by_way.items():
        yield _claim(part, way, same)


def _outcomes(drawn: DrawnPart) -> Iterator[PriorWarning]:
    part = drawn.part
    flagged = [each for each in drawn.ranges if each.row.flagged]
    if not flagged:
        return
    worst = max(flagged, key=lambda each: each.row.share or 0.0)
    if worst.event is None or worst.row.share is None:
        return
    turned = turns_on(worst.event, {block.words: block.draws for block in drawn.blocks})
    what = f"expected {part.outcome.column} in {_group(worst.row)}: {_how_much(worst.row)}"
    if len(flagged) > 1:
        what += f"; too much in {len(flagged)} of {len(drawn.ranges)} groups"
    where = turned[0] if turned else "the priors of the level and the slopes"
    yield PriorWarning(
        form=part.form,
        equation=part.equation,
        about="outcome",
        what=what,
        advice=f"If that is not what you expect before any data, move or narrow {where}.",
    )


def _group(row: PriorRange | PriorEvent) -> str:
    return "all firms" if row.by == "all" else row.group


def _how_much(row: PriorRange) -> str:
    assert row.share is not None
    if "orders of magnitude" in row.implausible:
        return (
            f"the central part of the prior spans {row.share:.1f} orders of magnitude, more than "
            f"{PRIOR_MAGNITUDES:g}"
        )
    share = percent(row.share)
    return f"{share[0].lower()}{share[1:]} of the prior has {row.implausible}"


def _claim(part: PriorPart, way: Outlook, events: Sequence[PriorEvent]) -> PriorWarning:
    groups = ", ".join(map(_group, events))
    low, *between = sorted(event.probability for event in events)
    share = f"{percent(low)} to {percent(between[-1])}" if between else percent(low)
    return PriorWarning(
        form=part.form,
        equation=part.equation,
        about="claim",
        what=f"{events[0].title} ({groups}): {OUTLOOK_WORDS[way]}. {share} of the prior lies in the "
        "region.",
        advice=_advice(way, events),
    )


def _advice(way: Outlook, events: Sequence[PriorEvent]) -> str:
    named = list(dict.fromkeys(event.turns_on for event in events if event.turns_on))
    where = (
        f"the event turns most on {' and '.join(named[:2])}"
        if named
        else "no single prior dominates: look at those of the structural terms under priors: terms"
    )
    if way.endswith("for"):
        return (
            "A verdict in favour would repeat the prior. "
            f"Move or widen it, or declare a region that asks for more: {where}."
        )
    needed = [event.to_support for event in events if event.to_support is not None]
    odds = (
        f"data must multiply its odds by {max(needed):.0f} for support"
        if len(needed) == len(events)
        else "and its draws are too few to tell its odds"
    )
    return (
        f"A narrow region is improbable before any data, which is no fault by itself; {odds}. "
        f"If the prior says more than you know, move or widen it: {where}."
    )


def notes_of(designs: Sequence[Design]) -> Iterator[str]:
    """What the numbers rest on, and what they leave out."""
    design = designs[0]
    yield (
        "Controls, capitals as measured and the groups are those of the firms; their outcomes enter "
        "nowhere but in the priors named below."
    )
    scaled = [
        each.equation_name
        for each in design.equations
        if each.family.link in {"identity", "log"} and not each.levels
    ]
    if scaled:
        yield (
            f"Default priors of {', '.join(scaled)} are centred on the mean of its outcome, or stated in "
            "its standard deviation: where the analysis states none of its own, the prior is not wholly "
            "before the data."
        )
    latent = [name for name in CAPITALS if design.is_latent(name)]
    if latent:
        yield (
            f"{' and '.join(latent)} are latent: their values are drawn from the prior as well, and their "
            "low and high levels are those of their scores."
        )
    if design.others:
        yield "Outcomes of an equation with predictors are drawn given the predictors as observed."
    if len(designs) > 1:
        yield (
            "Each form is summarised by itself. The average over forms that verdicts are taken from has a "
            "prior probability between theirs, by weights that only the data give."
        )
    if design.analysis.traditions.ceiling_models is not None:
        yield "The models of the ceiling have priors of their own, which are not examined here."
    if design.weights is not None:
        yield "Averages are weighted by the survey weights; the prior itself is that of the population."
    if not design.is_complete:
        yield "Missing values are drawn from the priors of the models that impute them."
