"""What a reader of a calibration should know of how it was made, and of what it does not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayescluster.design.gaps import gaps
from bayescluster.design.record import Design
from bayescluster.model.measurement import latent_capitals
from bayescluster.results.calibration import FormCalibration
from bayescluster.workflow.calibration.plan import Plan


def simulated_words(design: Design) -> str:
    """Name what is simulated: the outcome in focus, those beside it, the answers behind capitals."""
    outcomes = [each.equation.outcome for each in (design, *design.others)]
    found = outcomes[0] if len(outcomes) == 1 else f"{outcomes[0]} (with {', '.join(outcomes[1:])})"
    latent = latent_capitals(design)
    if latent:
        found += f" and the indicators of {' and '.join(latent)}"
    inputs = [gap.name for gap in gaps(design) if gap.place != "outcome"]
    return f"{found}; {', '.join(inputs)}, with missing cells" if inputs else found


def calibration_notes(plan: Plan, forms: Sequence[FormCalibration]) -> Iterator[str]:
    """Say what the ranks and shares rest on."""
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
    yield from _of_data(plan.own[0])
    if len(plan.own) > 1:
        yield "Each form is calibrated by itself; the average over the forms is not."
    failed = sum(form.replications - form.passed for form in forms)
    if failed:
        yield (
            f"{failed} replications failed the gate and are left out of the ranks that are judged; "
            "leaving some out by what their outcome did to the sampler keeps ranks uniform. The last "
            "column of the table has them in, as does the line of all claims with them."
        )


def _of_data(design: Design) -> Iterator[str]:
    """Say how the data of a replication were made, and in whose units the priors are."""
    equations = design.equations
    if any(
        each.family.on_link_scale is not None or each.family.link == "log" for each in equations
    ):
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    latent = latent_capitals(design)
    if latent:
        yield (
            f"The answers that measure {' and '.join(latent)} are simulated too, missing where they are "
            "missing in the data. Priors of their thresholds, and the units of the others, are those of "
            "the observed answers."
        )
    if gaps(design) or not all(each.answered.all() for each in equations):
        yield (
            "Cells that are missing in the data are missing in every simulated data set too, as if "
            "chance had chosen them: whether values are missing at random is not tested."
        )
    if len(equations) > 1:
        yield (
            "Outcomes of all equations are simulated, each from those that enter it, and all are "
            "refitted together. Claims are those of the equation in focus."
        )
