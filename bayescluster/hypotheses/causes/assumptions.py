"""What probabilities of causation rest on, and what of an analysis they cannot speak of, in words."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.design.record import Design
from bayescluster.hypotheses.causes.differences import margin_of
from bayescluster.hypotheses.causes.readings import why_silent
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.names import CAPITALS


def assumptions_of(design: Design) -> tuple[str, ...]:
    """Everything that must hold for these numbers to be about causes."""
    return tuple(_assumptions(design))


def _assumptions(design: Design) -> Iterator[str]:
    listed = [*design.control_names, *(g.name for g in design.groupings)]
    given = f"given {', '.join(listed)}" if listed else "with no control at all"
    yield (
        "Exogeneity: no unmeasured cause of a capital and of the outcome, "
        f"{given}. In a survey this is an assumption, not a finding: the part on confounding tells "
        "how far it may fail."
    )
    yield (
        "Consistency and no interference: the outcome of a firm at a level of a capital is the same "
        "however it came by it, and does not depend on the capitals of other firms."
    )
    yield {
        True: "Monotonicity: more of a capital never prevents the outcome. It is assumed, for PN, PS "
        "and PNS become single numbers by it.",
        False: "Monotonicity is not assumed: a capital may help one firm and harm another. So the "
        "numbers are bounds, and no amount of data brings them together.",
        "both": "Monotonicity (more of a capital never prevents the outcome) is not assumed: verdicts "
        "rest on bounds, which no amount of data brings together. What it would add stands beside.",
    }[design.analysis.traditions.causes.monotone]
    latent = [CAPITAL_WORDS[name] for name in CAPITALS if design.is_latent(name)]
    measured = [CAPITAL_WORDS[name] for name in CAPITALS if not design.is_latent(name)]
    yield (
        f"The model is right: family {design.family.name}, structure {design.structure.name}"
        + (f"; {' and '.join(measured)} measured without error" if measured else "")
        + (f"; {' and '.join(latent)} as the measurement model has it" if latent else "")
        + "."
    )


def notes_of(design: Design) -> tuple[str, ...]:
    """How the outcome is read, and what could not be had."""
    return tuple(_notes(design))


def _notes(design: Design) -> Iterator[str]:
    silent = why_silent(design)
    if silent:
        yield silent
        return
    if design.family.scale == "share":
        yield (
            "The outcome is a share: it is read as the probability that one unit, drawn at random "
            "from a firm, has it."
        )
    if design.rows.trials is not None:
        yield "The outcome is that of one trial: probabilities are of a trial drawn at random from a firm."
    if design.analysis.data.industry is None:
        yield "The data declare no industry: nothing is said of differences between industries."
    if design.others:
        yield (
            "Effects are total effects, those through other equations as well. Controls are not "
            "compared with a confounder here: they may act through these."
        )


def settings_of(design: Design) -> dict[str, float | str]:
    """Declared thresholds, defaults included."""
    asked = design.analysis.traditions.causes
    return {
        "pn_min": asked.pn_min,
        "ps_min": asked.ps_min,
        "ps_max": asked.ps_max,
        "synergy_min": asked.synergy_min,
        "margin": margin_of(design),
        "monotone": str(asked.monotone).lower(),
        "level": design.analysis.traditions.level,
    }
