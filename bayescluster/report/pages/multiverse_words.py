"""Words of a multiverse that the page and the terminal share."""

from __future__ import annotations

from typing import Final

from bayescluster.report import words
from bayescluster.results.multiverse import Answer, ChoiceRow, ClaimRow, Multiverse, Universe

STATUS: Final = {"passed": "passed", "unchecked": "did not pass", "not_fitted": "not fitted"}
SILENT: Final = {
    "not_asked": ("·", "not asked there"),
    "unchecked": ("–", "did not pass its checks"),
    "not_fitted": ("/", "could not be fitted"),
}
"""What stands in the place of a verdict, and what it means."""
DIMENSIONS: Final = {
    "structures": "Structural form",
    "families": "Likelihood",
    "constructs": "Construct",
    "controls": "Controls",
    "varying": "Varying effects",
    "exclude": "Rows",
    "priors": "Priors",
}
DISCLAIMER: Final = (
    "A multiverse is no posterior over choices: the share of universes that agree is no probability "
    "that a claim is true."
)
KEY: Final = (
    "✓ supported, ✕ rejected, ? undecided, with the probability of the declared region. Outlined: the "
    "verdict differs from that of the analysis as it is, with a broken line where Monte Carlo error "
    "alone could make it so. · not asked there, – did not pass its checks, / could not be fitted."
)


def heading(found: Multiverse) -> str:
    """Say how many universes there are, and how many of them tell."""
    passed = sum(one.status == "passed" for one in found.universes)
    what = "declared alternatives" if found.declared else "a default set of alternatives"
    how = "one at a time" if found.combine == "one_at_a_time" else "in every combination"
    return f"{len(found.universes)} universes, {what} {how}; {passed} passed their checks."


def flips_words(found: Multiverse) -> str:
    """Say how many claims flip anywhere."""
    if not found.claims:
        return "The analysis declares no hypotheses, so that there is no verdict to flip."
    if found.base.status != "passed":
        return (
            "The analysis as it is did not pass its checks: it has no verdict to compare with, and no "
            f"flip can be told. {words.sentence(found.base.message)}"
        )
    flipped = sum(claim.flips > 0 for claim in found.claims)
    held = len(found.claims) - flipped
    return (
        f"{flipped} of {len(found.claims)} verdicts flip in some universe; {held} hold in every "
        "universe that tells."
    )


def name_of(claim: ClaimRow) -> str:
    """Name a claim by what it says, of whom, and at which level of the outcome."""
    level = f", at least {claim.at_least}" if claim.at_least else ""
    scope = "" if claim.scope == "observed" else f", {claim.scope.replace('_', ' ')}"
    return f"{claim.title}{level}{scope}"


def shown(answer: Answer) -> str:
    """Write an answer in the space of a cell."""
    if answer.verdict is None or answer.probability is None:
        return SILENT[answer.status][0]
    return f"{words.ICONS[answer.verdict]} {words.probability(answer.probability)}"


def told(answer: Answer, base: Answer) -> str:
    """Say an answer in full, beside that of the analysis as it is."""
    if answer.verdict is None or answer.probability is None:
        return SILENT[answer.status][1]
    text = f"{answer.verdict}, {words.verdict_probability(answer.probability)}"
    if not answer.flip:
        return text
    near = " (near the bound)" if answer.near else ""
    stopped = f". {answer.stopped}" if answer.stopped else ""
    return f"{text}; flips from {base.verdict}{near}{stopped}"


def range_words(claim: ClaimRow) -> str:
    """Range of the probability over the universes that tell."""
    if claim.lowest is None or claim.highest is None:
        return words.NONE
    low, high = (words.probability(end) for end in (claim.lowest, claim.highest))
    return low if low == high else f"{low} to {high}"


def flips_of(row: ChoiceRow) -> str:
    """Count the flips with a choice, of the verdicts that could."""
    return f"{row.flips} of {row.compared}" if row.compared else words.NONE


def run_words(universe: Universe) -> str:
    """Say which fit a universe is."""
    same = f"the same fit as {universe.same_as}" if universe.same_as else ""
    return "; ".join(part for part in (universe.message, same) if part)


def sampler_words(found: Multiverse) -> str:
    """Say how every universe was fitted."""
    asked = found.sampler
    origin = "as in the analysis" if asked.as_declared else "not those of the analysis"
    return (
        f"Every fit has {asked.chains} chains of {asked.draws:,} draws after {asked.tune:,} of tuning "
        f"({origin}), seed {asked.seed}."
    )
