"""Outcomes with a known truth, refitted and judged: the replications of a design analysis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final, Literal, NamedTuple, cast

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.design.resize import replaced
from bayescluster.errors import DesignError, Problem
from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.features.ceilings.compute import NECESSITY
from bayescluster.inference.repeated import Repeated
from bayescluster.inference.watch import Watch
from bayescluster.model.evaluate import Draws, draws_of, replicate
from bayescluster.runs.keys import design_key
from bayescluster.spec.analysis import Sampling
from bayescluster.spec.equation import StructureName
from bayescluster.structures.additive import ADDITIVE
from bayescluster.studies.design_analysis.results import DESIGN_VERSION, Replication
from bayescluster.studies.design_analysis.spec import Truths
from bayescluster.studies.design_analysis.view import size_words
from bayescluster.studies.engine import Batch, Files
from bayescluster.studies.simulation import (
    OUTCOME_STREAM,
    PRIOR_DRAWS,
    PRIOR_STREAM,
    READ,
    TRUTH_STREAM,
    Answer,
    AnswerKey,
    SimulationPlan,
    Size,
    answers,
    attempted,
    copied,
    prior_draws,
)
from bayescluster.verdicts.evidence import Evidence

FORMS: Final[tuple[StructureName, ...]] = ("additive", "interaction", "conjunctive", "ces")
REPLICATIONS_MAX: Final = 400
"""Truths that are drawn from the prior of each form, whatever the number of replications."""
SCENARIO_DRAWS: Final = 4000
"""Draws of the prior among which those near a declared scenario are looked for."""
TARGET_ACCEPT: Final = 0.9


class Options(NamedTuple):
    """Settings of a design analysis."""

    forms: tuple[str, ...] = FORMS
    fit: Literal["own", "true"] = "own"
    replications: int = 20
    firms: tuple[float, ...] = (1.0,)
    clusters: tuple[float, ...] = (1.0,)
    draws: int = 500
    tune: int = 500
    chains: int = 2
    seed: int | None = None
    """That of the analysis without it."""
    jobs: int | None = None
    """As many as there are cores without it."""


class DesignPlan(SimulationPlan[Options]):
    """An analysis of which a design analysis can be made."""

    STREAM: ClassVar[int] = 27

    @cached_property
    def key(self) -> str:
        """Key of what each replication depends on."""
        truth = self.analysis.design.truths
        settings = {
            **self.refit_settings(),
            "version": DESIGN_VERSION,
            "truths": None if truth is None else truth.model_dump(),
        }
        return design_key(self.analysis, self.forms[0].details.digest, settings)


class Case(NamedTuple):
    """A replication: the form that is true, the form that is fitted, and its number."""

    truth: StructureName
    fitted: StructureName
    number: int


class Truth(NamedTuple):
    """A design under the form that outcomes are simulated from, and draws of its parameters."""

    design: Design
    draws: Draws

    def number(self, k: int) -> Truth:
        """One of the draws."""
        return Truth(self.design, self.draws.part(np.array([k])))


class Fitter(NamedTuple):
    """A compiled form, and draws of its prior."""

    repeated: Repeated
    prior: Draws


def replications(
    plan: DesignPlan, size: Size, directory: Path, watch: Watch
) -> Batch[Case, Replication]:
    """Plan the replications of a size."""
    name, folder = size_words(size.facts), directory / "replications" / size.name

    def path(case: Case) -> Path:
        return folder / f"{case.truth}-as-{case.fitted}" / f"{case.number:03d}.json"

    def prepare(pending: Sequence[Case]) -> Callable[[Case], Replication]:
        fitters: dict[StructureName, Fitter] = {}
        for form in dict.fromkeys(case.fitted for case in pending):
            watch.step(f"{name}: compiling {form}")
            design = form_design(plan, size, form)
            prior = prior_draws(design, PRIOR_DRAWS, plan.seed_of(PRIOR_STREAM, *size.stream))
            fitters[form] = Fitter(Repeated(design), draws_of(design, prior))
        drawn: dict[StructureName, Truth] = {}
        for form in dict.fromkeys(case.truth for case in pending):
            watch.step(f"{name}: drawing truths of {form}")
            design = form_design(plan, size, form)
            drawn[form] = Truth(design, truths(plan, size, design))

        def replication(case: Case) -> Replication:
            stream = (FORMS.index(case.truth), *size.stream, case.number)
            truth = drawn[case.truth].number(case.number)
            outcome = simulated(truth, plan.rng(OUTCOME_STREAM, *stream))
            sampling = plan.sampling(TARGET_ACCEPT, *stream)
            return judged_replication(truth, fitters[case.fitted], case, outcome, sampling)

        return replication

    store = Files(path, Replication, DESIGN_VERSION)
    return Batch(tuple(_cases(plan)), store, prepare, name)


def _cases(plan: DesignPlan) -> Iterator[Case]:
    own = [design.equation.form for design in plan.forms]
    for form in plan.options.forms:
        truth = cast("StructureName", form)
        for fitted in own if plan.options.fit == "own" else [truth]:
            for number in range(plan.options.replications):
                yield Case(truth, fitted, number)


def form_design(plan: DesignPlan, size: Size, form: StructureName) -> Design:
    """The firms of a size under a form, whether the analysis asks for it or not."""
    return replace(size.design, analysis=as_form(plan.analysis, form))


def truths(plan: DesignPlan, size: Size, design: Design) -> Draws:
    """Draw parameters from the prior of a form, as many as replications can be asked for.

    With a declared scenario those that come near it, in the order in which they were drawn.

    Raises
    ------
    DesignError
        If fewer draws than there are replications come near the scenario.
    """
    scenario, form = plan.analysis.design.truths, design.equation.form
    seed = plan.seed_of(TRUTH_STREAM, FORMS.index(form), *size.stream)
    many = REPLICATIONS_MAX if scenario is None else SCENARIO_DRAWS
    drawn = draws_of(design, prior_draws(design, many, seed))
    if scenario is None:
        return drawn
    near = np.flatnonzero(_distance(design, drawn, scenario) <= scenario.within)
    if near.size < plan.options.replications:
        raise DesignError(
            Problem(
                f"{near.size} of {SCENARIO_DRAWS} draws from the prior of the form '{form}' come "
                f"within {scenario.within:g} of the declared truths, and "
                f"{plan.options.replications} replications were asked for",
                plan.source.where(("design", "truths")),
                "widen `within`, ask for fewer replications, or leave the form out with --forms",
            )
        )
    return drawn.part(near)


def _distance(design: Design, drawn: Draws, scenario: Truths) -> Array:
    """How far the farthest corner of each draw is from what is declared, ``(draw,)``."""
    levels = default_levels(design)
    settings = [Setting(*levels.at(corner)) for corner in scenario.corners]
    weights = groups_of(design, "all").weights
    corners = outcome_surface(design, drawn, settings, weights)[:, :, 0]  # (draw, corner)
    return np.asarray(abs(corners - np.array(list(scenario.corners.values()))).max(axis=1))


def simulated(truth: Truth, rng: np.random.Generator) -> Array:
    """Outcome of every row, drawn from the truth, ``(row,)``."""
    return np.asarray(replicate(truth.design, truth.draws, rng)[0])


def judged_replication(
    truth: Truth, fitter: Fitter, case: Case, outcome: Array, sampling: Sampling
) -> Replication:
    """Refit an outcome and judge every claim; where nothing was fitted everything is undecided.

    Parameters
    ----------
    truth
        What the outcome was drawn from.
    fitter
        The form that is fitted.
    case
        The replication.
    outcome
        The simulated outcome, ``(row,)``.
    sampling
        Settings of the refit.
    """
    started = time.perf_counter()
    real = copied(truth.draws)
    true = true_answers(Evidence(replaced(truth.design, outcome), real, real, sampling.seed))
    made = attempted(fitter.repeated, replaced(fitter.repeated.design, outcome), sampling)
    if made.refit is None:
        given = {key: Answer(answer.title, None, "undecided") for key, answer in true.items()}
    else:
        draws = made.refit.draws.thinned_by_chain(READ)
        evidence = Evidence(made.refit.design, draws, fitter.prior, sampling.seed)
        given = answers(evidence, made.status == "fitted")
    return Replication(
        truth=case.truth,
        fitted=case.fitted,
        number=case.number,
        status=made.status,
        reason=made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
        seconds=0.0 if made.refit is None else round(time.perf_counter() - started, 3),
        judged=tuple(
            answer.judged(key, true[key].probability if key in true else None)
            for key, answer in given.items()
        ),
    )


def true_answers(real: Evidence) -> dict[AnswerKey, Answer]:
    """Answers at the true parameters.

    A ceiling claim asks for more than a compensatory model gives: under an additive truth, which is
    such a model, it is false however large d is.
    """
    found = answers(real, gate_passed=True)
    if real.design.structure.name != ADDITIVE.name:
        return found
    return {
        key: answer._replace(probability=0.0)
        if key.tradition == "ceilings" and key.claim in NECESSITY
        else answer
        for key, answer in found.items()
    }
