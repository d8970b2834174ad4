"""A design analysis in words: for the terminal, the page and the table."""

from __future__ import annotations

from bayescluster.report.words import count, share
from bayescluster.results.claims import TRADITIONS
from bayescluster.results.design_analysis import (
    DECLARED,
    DesignAnalysis,
    DesignRow,
    Failures,
    Needed,
    SizeFacts,
)

FORM_WORDS = {"all": "all forms"}
GROUP_WORDS = {"all": "all firms", "industry": "by industry", "cluster": "by cluster"}
RIGHT = (
    "Right: supported where it is true, or rejected where it is false. Wrong: the other way round. "
    "Undecided is neither."
)


def tradition_words(tradition: str) -> str:
    """Name of a tradition; declared hypotheses stand beside them."""
    if tradition == DECLARED:
        return "Declared hypothesis"
    return dict(TRADITIONS)[tradition]  # type: ignore[index]


def size_words(size: SizeFacts) -> str:
    """A size by what is in it, and how it compares with the data."""
    inside = f" in {count(size.clusters)} clusters" if size.clusters else ""
    return f"{count(size.firms)} firms{inside}"


def times_words(size: SizeFacts) -> str:
    """How a size compares with the data."""
    if size.firms_times == size.clusters_times == 1:
        return "as the data are"
    parts = [
        f"{times:g} times the {what}"
        for times, what in (
            (size.clusters_times, "clusters"),
            (size.firms_times, "firms in each" if size.clusters else "firms"),
        )
        if times != 1
    ]
    return ", ".join(parts)


def triple(row: DesignRow) -> str:
    """Right, wrong and undecided, in per cent."""
    return " / ".join(f"{100 * each.share:.0f}" for each in (row.right, row.wrong, row.undecided))


def needed_words(found: Needed, enough: float) -> str:
    """How many firms or clusters it would take, never beyond what was run."""
    what = found.way
    asked = share(enough)
    if found.enough is None:
        reach = f"more than {count(found.largest)} {what}"
        return f"right in {asked} of verdicts would need {reach}: not reached at any size run"
    if found.at_most:
        return (
            f"right in {asked} of verdicts at {count(found.enough)} {what} already, "
            "the fewest that were run"
        )
    return f"right in {asked} of verdicts from {count(found.enough)} {what} on, among the sizes run"


def failure_words(found: Failures) -> str:
    """What went wrong with the refits of one pair of forms; empty where nothing did."""
    parts = []
    if found.not_converged:
        parts.append(f"{found.not_converged} did not converge")
    if found.not_fitted:
        parts.append(f"{found.not_fitted} could not be fitted")
    if not parts:
        return ""
    return (
        f"{found.truth} refitted as {found.fitted}: {' and '.join(parts)} "
        f"of {found.replications}; counted as undecided"
    )


def settings_words(found: DesignAnalysis) -> str:
    """How the replications were made."""
    return (
        f"{found.replications} replications of each form, each refitted with {found.chains} chains "
        f"of {found.draws} draws; refits with R-hat above {found.rhat_max:g} count as undecided."
    )
