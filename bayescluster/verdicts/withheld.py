"""Why a claim about corners cannot be rejected: the form, or the measurement, bends the corners.

A form without gates cannot represent necessity: the corners it converges to reject a true one, the more
surely the more firms there are. Scores with error do the same, whatever the form: they bring the corners
closer together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bayescluster.design.forms import WITH_GATES
from bayescluster.design.record import Design
from bayescluster.names import CAPITALS
from bayescluster.results.base import Decision
from bayescluster.spec.hypotheses import Corners, Difference, Hypothesis

OF_THE_FORM: Final = (
    "necessary",
    "not_sufficient",
    "necessary_not_sufficient",
    "joint_sufficiency",
)
OF_THE_MEASUREMENT: Final = ("necessary", "necessary_not_sufficient", "joint_sufficiency")
"""Kinds of claims whose rejection a form without gates, and scores with error, do not warrant."""
RELIABLE: Final = 0.9
"""Reliability from which the bend of the corners is left out of account."""


def blocked(claim: Hypothesis) -> Decision:
    """The decision that forms and scores may not warrant: a difference rests on a rejection itself."""
    return "supported" if isinstance(claim, Difference) else "rejected"


def why_withheld(claim: Hypothesis, design: Design, forms: Sequence[str]) -> str:
    """Say why a claim cannot have the decision that is `blocked`; nothing where it can."""
    if isinstance(claim, Difference):
        return _why_not_shown(claim, design, forms)
    if claim.kind in OF_THE_FORM and not set(forms) & set(WITH_GATES):
        fitted = " and ".join(forms)
        return (
            f"Not rejected, although its probability is low: the form fitted ({fitted}) cannot have "
            "gates, so that it would reject a true claim of this kind too. Fit the conjunctive and the "
            "ces form as well."
        )
    if claim.kind in OF_THE_MEASUREMENT and (told := attenuation(claim, design)):
        return (
            f"Not rejected, although its probability is low ({told}): scores with error bring the "
            "corners closer together, so that a true claim of this kind would be rejected too. Measure "
            "the capital as latent to have this corrected."
        )
    return ""


def _why_not_shown(claim: Difference, design: Design, forms: Sequence[str]) -> str:
    """Say why a claim cannot be shown to fail in one of two industries; nothing where it can."""
    kind = claim.of
    if kind in OF_THE_FORM and not set(forms) & set(WITH_GATES):
        return NOT_SHOWN.format(f"the form fitted ({' and '.join(forms)}) cannot have gates")
    told = "; ".join(_attenuated(design))
    if kind in OF_THE_MEASUREMENT and told:
        return NOT_SHOWN.format(f"scores with error bring the corners closer together ({told})")
    return ""


NOT_SHOWN: Final = (
    "That the claim fails in the second industry cannot be shown: {0}, so that a true claim of this kind "
    "would be rejected too."
)


def attenuation(claim: Hypothesis, design: Design) -> str:
    """Say by how much error in the scores bends a claim about corners; nothing where it does not."""
    about_effects = isinstance(claim, Difference) and claim.of == "effect"
    if about_effects or not isinstance(claim, Corners | Difference):
        return ""
    return "; ".join(_attenuated(design))


def _attenuated(design: Design) -> Iterator[str]:
    for measure in design.details.measures:
        known = measure.reliability
        if measure.capital not in CAPITALS or design.is_latent(measure.capital) or known is None:
            continue
        if known < RELIABLE:
            name = measure.capital.replace("_", " ")
            yield f"attenuated: omega of {name} {known:.2f}"
