"""Truths to simulate from: draws of a form's prior, held to a scenario where one is declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.errors import DesignError, Problem
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.membership import groups_of
from bayescluster.estimands.surface import Setting, outcome_surface
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.spec.design_analysis import Truths
from bayescluster.spec.equation import StructureName
from bayescluster.workflow.design_analysis.plan import (
    DESIGN_STREAM,
    FORMS,
    REPLICATIONS_MAX,
    TRUTH_STREAM,
    Plan,
    Size,
)

TRIED: Final = 4000
"""Draws of the prior among which those near a declared scenario are looked for."""


def seed_of(plan: Plan, stream: int, *further: int) -> int:
    """Seed of one use of chance in a design analysis."""
    state = np.random.SeedSequence((plan.seed, DESIGN_STREAM, stream, *further))
    return int(state.generate_state(1, np.uint32)[0])


def form_design(plan: Plan, size: Size, form: StructureName) -> Design:
    """The firms of a size under a form, whether the analysis asks for it or not."""
    analysis = as_form(plan.analysis, form)
    return replace(size.design, analysis=analysis)


def truths(plan: Plan, size: Size, design: Design) -> Draws:
    """Draw parameters from the prior of a form, as many as replications can be asked for.

    With a declared scenario those that come near it, in the order in which they were drawn.

    Raises
    ------
    DesignError
        If fewer draws than there are replications come near the scenario.
    """
    asked = plan.analysis.design.truths
    form = design.equation.form
    number = REPLICATIONS_MAX if asked is None else TRIED
    seed = seed_of(plan, TRUTH_STREAM, FORMS.index(form), *size.stream)
    prior = sample_prior(design, build_model(design), reported_variables(design), number, seed)
    drawn = draws_of(design, prior)
    if asked is None:
        return drawn
    near = np.flatnonzero(distance(design, drawn, asked) <= asked.within)
    if near.size < plan.options.replications:
        raise DesignError(
            Problem(
                f"{near.size} of {TRIED} draws from the prior of the form '{form}' come within "
                f"{asked.within:g} of the declared truths, and {plan.options.replications} "
                "replications were asked for",
                plan.question.where(("design", "truths")),
                "widen `within`, ask for fewer replications, or leave the form out with --forms",
            )
        )
    return drawn.part(near)


def distance(design: Design, drawn: Draws, asked: Truths) -> np.ndarray:
    """How far the farthest corner of each draw is from what is declared, ``(draw,)``."""
    levels = default_levels(design)
    settings = [Setting(*levels.at(corner)) for corner in asked.corners]
    weights = groups_of(design, "all").weights
    corners = outcome_surface(design, drawn, settings, weights)[:, :, 0]  # (draw, corner)
    return np.asarray(abs(corners - np.array(list(asked.corners.values()))).max(axis=1))
