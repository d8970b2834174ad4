"""What a reader of a design analysis should know of how it was made."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.hypotheses.words import CORNER_WORDS
from bayescluster.workflow.design_analysis.plan import Plan


def design_notes(plan: Plan) -> Iterator[str]:
    """Say what the shares of a design analysis rest on."""
    design, asked = plan.own[0], plan.analysis.design.truths
    yield (
        "What is true is what the same reading says at the parameters that the outcome was simulated "
        "from; where the event itself is chance (a new cluster), what is more likely than not."
    )
    yield (
        "A ceiling claim asks for more than a compensatory model gives. It is false where the truth is "
        "additive; under the other forms it is taken as true where d is as large as declared."
    )
    if asked is None:
        yield (
            "Parameters are drawn from the prior of each form. How often a verdict is right therefore "
            "holds for truths such as the prior expects, not for the one that these firms live in."
        )
    else:
        told = ", ".join(
            f"{CORNER_WORDS[corner]} {value:g}" for corner, value in asked.corners.items()
        )
        yield (
            "Parameters are drawn from the prior of each form, and held to corners within "
            f"{asked.within:g} of the declared ones: {told}."
        )
    if design.family.on_link_scale is not None or design.family.link == "log":
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    if design.weights is not None:
        yield (
            "Survey weights enter refits and averages as in the analysis. Simulated outcomes do not "
            "depend on them: a sample that was drawn by its outcome is not simulated."
        )
    if len(plan.own) > 1 and plan.options.fit == "own":
        yield (
            "Each form of the analysis is fitted and judged by itself: the average over the forms, "
            "by which the analysis itself judges, is not simulated."
        )
    if len(plan.options.firms) + len(plan.options.clusters) > 2:
        yield (
            "Larger and smaller samples are made of the firms and clusters of the data: whole "
            "multiples take each so many times, a part beyond that is drawn without replacement."
        )
