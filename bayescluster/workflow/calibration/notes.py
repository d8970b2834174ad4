"""What a reader of a calibration should know of how it was made, and of what it does not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayescluster.results.calibration import FormCalibration
from bayescluster.workflow.calibration.plan import Plan


def calibration_notes(plan: Plan, forms: Sequence[FormCalibration]) -> Iterator[str]:
    """Say what the ranks and shares rest on."""
    design = plan.own[0]
    yield (
        "A calibration tests whether simulator, prior, sampler and estimands belong to one and the same "
        "model. It says nothing of whether that model is the one behind the observed firms, whose "
        "outcomes it does not use, but for priors in their units."
    )
    yield (
        "Uniform ranks are not proven by a test that does not reject: with few replications only gross "
        "faults show. Ranks are uniform too where the draws are those of the prior and the outcome was "
        "ignored; the joint log likelihood is there to show that."
    )
    if any(form.claims for form in forms):
        yield (
            "Probabilities are those of the declared hypotheses, of corners, ceilings and causes: shares of "
            "posterior draws. The fuzzy sets are left out, whose shares are of resampled firms. What is "
            "true is what the same reading says at the parameters of the truth; where the event itself "
            "is chance (a new cluster), chance decides it. Of a ceiling the event is that d is at least "
            "as large as declared, not that a compensatory model gives less."
        )
    if design.family.on_link_scale is not None or design.family.link == "log":
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    if len(plan.own) > 1:
        yield "Each form is calibrated by itself; the average over the forms is not."
    failed = sum(form.replications - form.passed for form in forms)
    if failed:
        yield (
            f"{failed} replications failed the gate and are left out of the ranks that are judged; "
            "leaving some out by what their outcome did to the sampler keeps ranks uniform. The last "
            "column of the table has them in, as does the line of all claims with them."
        )
