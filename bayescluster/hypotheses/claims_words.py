"""A row of the claims table in plain words, made from its readings by rule.

The words never say more than the readings do: which traditions support, reject or leave the claim
open; and, where they do not agree or one comes with a warning, why that can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from bayescluster.results.claims import ClaimName, Flag, Reading, Tradition

NAMES: Final[dict[Tradition, str]] = {
    "corners": "the corners",
    "ceilings": "the ceilings",
    "sets": "the sets",
    "causes": "the probabilities of causation",
}
NECESSITY_ONLY: Final = "A ceiling tells what is needed, not what suffices."
NO_REGION: Final = "No region is declared for this outcome: state the claim under hypotheses."
NOT_HAD: Final = "Not to be had here; its section says why."
SUFFICIENCY: Final[tuple[ClaimName, ...]] = ("I-H", "I-S", "J", "C")
MOST_REASONS: Final = 3
"""More reasons than this for one disagreement would not be read."""


def silence(tradition: Tradition, claim: ClaimName) -> str:
    """Why a tradition has no reading of a claim."""
    if tradition == "ceilings" and claim in SUFFICIENCY:
        return NECESSITY_ONLY
    return NO_REGION if tradition == "corners" else NOT_HAD


def row_words(readings: Sequence[Reading]) -> str:
    """Say which traditions support, reject and leave open a claim."""
    by_verdict = {
        verdict: [NAMES[one.tradition] for one in readings if one.verdict == verdict]
        for verdict in ("supported", "rejected", "undecided")
    }
    decided = [verdict for verdict in ("supported", "rejected") if by_verdict[verdict]]
    if not decided:
        return f"{_all_of(readings)} leave the claim open."
    if len(decided) > 1:
        text = (
            f"The traditions contradict each other: supported by {_listed(by_verdict['supported'])}, "
            f"rejected by {_listed(by_verdict['rejected'])}"
        )
        return _with_open(text, by_verdict["undecided"])
    verdict = decided[0]
    if not by_verdict["undecided"]:
        verb = {"supported": "support", "rejected": "reject"}[verdict]
        return f"{_all_of(readings)} {verb} the claim."
    return _with_open(
        f"{verdict.capitalize()} by {_listed(by_verdict[verdict])}", by_verdict["undecided"]
    )


def _with_open(text: str, undecided: Sequence[str]) -> str:
    return f"{text}; left open by {_listed(undecided)}." if undecided else f"{text}."


def _all_of(readings: Sequence[Reading]) -> str:
    if len(readings) == 1:
        name = NAMES[readings[0].tradition]
        return f"{name[0].upper()}{name[1:]}, which alone speak of it,"
    return f"All {len(readings)} traditions that speak of it"


def _listed(names: Sequence[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


class _Rule(NamedTuple):
    """A reason why traditions disagree: when it holds, and what it says."""

    holds: Callable[[Mapping[Tradition, Reading]], bool]
    words: str


def _flagged(tradition: Tradition, flag: Flag) -> Callable[[Mapping[Tradition, Reading]], bool]:
    def holds(found: Mapping[Tradition, Reading]) -> bool:
        return tradition in found and flag in found[tradition].flags

    return holds


def _anywhere(flag: Flag) -> Callable[[Mapping[Tradition, Reading]], bool]:
    return lambda found: any(flag in reading.flags for reading in found.values())


def _apart(first: Tradition, second: Tradition) -> Callable[[Mapping[Tradition, Reading]], bool]:
    def holds(found: Mapping[Tradition, Reading]) -> bool:
        both = first in found and second in found
        return both and found[first].verdict != found[second].verdict

    return holds


_WARNINGS: Final = (
    _Rule(
        _anywhere("model_dependent"),
        "What is found depends on the likelihood or model: another that is as plausible says otherwise",
    ),
    _Rule(
        _flagged("ceilings", "null_as_large"),
        "The ceiling effect is large, but a compensatory model, in which neither capital is needed, "
        "gives one as large: the empty corner does not show necessity",
    ),
    _Rule(
        _flagged("sets", "trivial"),
        "Nearly all firms have the condition, so that it is consistent with anything (low relevance)",
    ),
    _Rule(
        _flagged("sets", "contradictory"),
        "The sets are about as consistent with the absence of upgrading as with upgrading (low PRI)",
    ),
    _Rule(
        _flagged("causes", "confounding"),
        "A weak unmeasured confounder would be enough to overturn what the probabilities of causation "
        "say",
    ),
    _Rule(
        _anywhere("thin"),
        "Too few firms stand where one of them is decided, so that it would rest on extrapolation",
    ),
    _Rule(_anywhere("prior_decides"), "One verdict is what the prior alone would have given"),
)
"""Said wherever they hold, the weightiest first."""

_DIFFERENCES: Final = (
    _Rule(
        _flagged("causes", "bounds_only"),
        "Without monotonicity the probabilities of causation are known up to bounds only, which are "
        "wider than an expected outcome",
    ),
    _Rule(
        _apart("corners", "ceilings"),
        "Corners ask for the expected outcome at the declared levels, ceilings for the best that is "
        "reached at any level",
    ),
    _Rule(
        _apart("corners", "sets"),
        "Corners hold the controls and borrow strength between clusters; sets count memberships as "
        "observed, without controls",
    ),
    _Rule(
        _apart("corners", "causes"),
        "Corners judge the expected outcome itself, probabilities of causation how much of it would be "
        "lost or won",
    ),
)
"""Said only where the verdicts differ."""


def disagreement(readings: Sequence[Reading]) -> str:
    """Say why the traditions differ, or what weakens them; nothing where nothing does."""
    found = {reading.tradition: reading for reading in readings}
    reasons = list(_reasons(found))[:MOST_REASONS]
    return " ".join(f"{reason}." for reason in reasons)


def _reasons(found: Mapping[Tradition, Reading]) -> Iterator[str]:
    yield from (rule.words for rule in _WARNINGS if rule.holds(found))
    if len({reading.verdict for reading in found.values()}) > 1:
        yield from (rule.words for rule in _DIFFERENCES if rule.holds(found))
