"""A calibration in words: for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bayescluster.report.pages.design_words import (
    GROUP_WORDS,
    size_words,
    times_words,
    tradition_words,
)
from bayescluster.report.words import NONE, share
from bayescluster.results.calibration import (
    Calibration,
    FormCalibration,
    QuantityRow,
    Reliability,
)
from bayescluster.results.design_analysis import Share

SHAPE_WORDS: Final = {
    "overconfident": "too narrow (overconfident): truths lie outside the draws too often",
    "underconfident": "too wide (underconfident): truths lie in the middle of the draws too often",
    "too_low": "shifted down: the draws lie below the truths",
    "too_high": "shifted up: the draws lie above the truths",
    "other": "not uniform, but neither shifted nor too wide or narrow",
}
"""What a posterior is whose ranks are not uniform."""

KIND_WORDS: Final = {
    "parameter": "Parameter",
    "effect": "Effect",
    "corner": "Corner",
    "likelihood": "Test quantity",
}


def state_words(found: Calibration) -> str:
    """Say in a sentence what the ranks say."""
    tested = sum(row.p is not None for form in found.forms for row in form.rows)
    wrong = [row for form in found.forms for row in form.rows if row.rejected]
    if found.state == "rejected":
        return (
            f"Calibration is REJECTED: the ranks of {len(wrong)} of {tested} quantities are not "
            "uniform. Simulator, prior, sampler or estimands disagree with each other."
        )
    if found.state == "too_few":
        return f"Nothing can be said: fewer than {found.replications_min} replications passed the gate."
    return (
        f"No sign of miscalibration: uniformity is rejected of none of {tested} quantities, with a "
        f"{share(found.level)} chance of a false alarm over all of them."
    )


def settings_words(found: Calibration) -> str:
    """How the replications were made."""
    return (
        f"{found.replications} replications of {size_words(found.size)} ({times_words(found.size)}), "
        f"each refitted with {found.chains} chains of {found.draws} draws."
    )


def gate_words(found: Calibration, form: FormCalibration) -> str:
    """How many refits of a form passed the gate, and why others did not."""
    parts = [f"{form.passed} of {form.replications} refits passed the gate"]
    if form.not_converged:
        parts.append(f"{form.not_converged} did not converge")
    if form.not_fitted:
        parts.append(f"{form.not_fitted} could not be fitted")
    if form.divergent:
        parts.append(f"{form.divergent} had divergences")
    why = f" ({'; '.join(form.reasons)})" if form.reasons else ""
    ahead = f"{form.form}: " if len(found.forms) > 1 else ""
    return f"{ahead}{', '.join(parts)}{why}."


def worse_words(found: FormCalibration) -> Iterator[str]:
    """Say of each quantity whose ranks are not uniform what its posterior is."""
    for row in found.rows:
        if row.rejected and row.shape is not None:
            yield f"{row.name}: {SHAPE_WORDS[row.shape]}"


def verdict_words(row: QuantityRow) -> str:
    """What the ranks of a quantity say."""
    if row.p is None:
        return "too few replications"
    if row.rejected and row.shape is not None:
        return SHAPE_WORDS[row.shape]
    if row.shape is not None:
        return "low by itself, not among so many quantities"
    return "uniform as far as can be seen"


def chance_words(p: float | None) -> str:
    """A probability of ranks that stray as far."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def claim_words(row: Reliability) -> str:
    """Name of a claim and the groups it is for."""
    return row.title if row.by is None else f"{row.title}, {GROUP_WORDS[row.by]}"


def source_words(row: Reliability) -> str:
    """Who reads a claim."""
    return "all" if row.tradition == "all" else tradition_words(row.tradition)


def share_words(found: Share | None) -> str:
    """A share in per cent; a dash where there is none."""
    return NONE if found is None else f"{100 * found.share:.0f}%"


def interval_words(found: Share | None) -> str:
    """Interval of a share in per cent; empty where there is none."""
    return "" if found is None else f"{100 * found.low:.0f}\u00a0to\u00a0{100 * found.high:.0f}"
