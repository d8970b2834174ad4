"""What is warned of a prior, what to do next, and what its numbers rest on, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bayescluster.arrays import Array
from bayescluster.checks.prior import Ranged, turns_on
from bayescluster.checks.thresholds import PRIOR_MAGNITUDES
from bayescluster.design.record import Design
from bayescluster.hypotheses.words import percent
from bayescluster.results.prior import Outlook, PriorEvent, PriorPart, PriorRange, PriorWarning
from bayescluster.workflow.prior.blocks import Block

SAYS: dict[Outlook, str] = {
    "decided_for": "the prior alone would support it",
    "decided_against": "the prior alone would reject it",
    "leans_for": "the prior leans towards it",
    "leans_against": "the prior leans against it",
}


def warnings_of(
    part: PriorPart, ranged: Sequence[Ranged], known: Iterable[Block]
) -> tuple[PriorWarning, ...]:
    """Warn of implausible outcomes, and of claims that the prior decides or nearly does."""
    outcomes = _outcomes(part, ranged, {block.words: block.draws for block in known})
    return (*outcomes, *_claims(part))


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


def _outcomes(
    part: PriorPart, ranged: Sequence[Ranged], parameters: Mapping[str, Array]
) -> Iterator[PriorWarning]:
    flagged = [one for one in ranged if one.row.flagged]
    if not flagged:
        return
    worst = max(flagged, key=lambda one: one.row.share or 0.0)
    if worst.event is None or worst.row.share is None:
        return
    turned = turns_on(worst.event, parameters)
    what = f"expected {part.outcome.column} in {_group(worst.row)}: {_how_much(worst.row)}"
    if len(flagged) > 1:
        what += f"; too much in {len(flagged)} of {len(ranged)} groups"
    where = (
        f"move or narrow {turned[0]}"
        if turned
        else "move or narrow the priors of the level and the slopes"
    )
    yield PriorWarning(
        form=part.form,
        equation=part.equation,
        about="outcome",
        what=what,
        advice=f"If that is not what you expect before any data, {where}.",
    )


def _claims(part: PriorPart) -> Iterator[PriorWarning]:
    """One warning for each claim and way it leans, whatever the number of its groups."""
    by_way: dict[tuple[int, Outlook], list[PriorEvent]] = {}
    for event in part.events:
        if event.outlook != "open":
            by_way.setdefault((event.claim, event.outlook), []).append(event)
    for (_, way), events in by_way.items():
        first = events[0]
        groups = ", ".join(_group(event) for event in events)
        shares = sorted(event.probability for event in events)
        told = (
            percent(shares[0])
            if len(shares) == 1
            else f"{percent(shares[0])} to {percent(shares[-1])}"
        )
        yield PriorWarning(
            form=part.form,
            equation=part.equation,
            about="claim",
            what=f"{first.title} ({groups}): {SAYS[way]}. {told} of the prior lies in the region.",
            advice=_advice(way, events),
        )


def _advice(way: Outlook, events: Sequence[PriorEvent]) -> str:
    named = list(dict.fromkeys(event.turns_on for event in events if event.turns_on))
    where = (
        f"the event turns most on {' and '.join(named[:2])}"
        if named
        else "no single prior stands out: look at those of the structural terms under priors: terms"
    )
    if way.endswith("against"):
        needed = [event.to_support for event in events]
        odds = (
            "and its draws are too few to tell its odds"
            if None in needed
            else f"data must multiply its odds by {max(each for each in needed if each is not None):.0f} for support"
        )
        return (
            f"A narrow region is improbable before any data, which is no fault by itself; {odds}. "
            f"If the prior says more than you know, move or widen it: {where}."
        )
    return (
        "A verdict in favour would repeat the prior. "
        f"Move or widen it, or declare a region that asks for more: {where}."
    )


def notes_of(designs: Sequence[Design]) -> tuple[str, ...]:
    """Say what the numbers rest on and what they leave out."""
    return tuple(_notes(designs))


def _notes(designs: Sequence[Design]) -> Iterator[str]:
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
    latent = [name for name in ("human_capital", "social_capital") if design.is_latent(name)]
    if latent:
        yield (
            f"{' and '.join(latent)} are latent: their values are drawn from the prior as well, and their "
            "low and high levels are those of their scores."
        )
    if design.others:
        yield "Outcomes of an equation with predictors are drawn given the predictors as observed."
    if len(designs) > 1:
        yield (
            "Each form is told by itself. The average over forms that verdicts are taken from has a prior "
            "probability between theirs, by weights that only the data give."
        )
    if design.analysis.traditions.ceiling_models is not None:
        yield "The models of the ceiling have priors of their own, which are not looked at here."
    if design.weights is not None:
        yield "Averages are weighted by the survey weights; the prior itself is that of the population."
    if not design.is_complete:
        yield "Missing values are drawn from the priors of the models that impute them."
