"""What a design analysis is asked for, and why some analyses cannot have one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Final, Literal, NamedTuple, cast, get_args

import numpy as np

from bayescluster.app.prepare import Asked, asked, designs_of
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.design.resize import resized
from bayescluster.errors import ConfigError, DesignError, Problem
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.estimands.surface import Setting, outcome_surface
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.lookup import suggestion
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import StructureName
from bayescluster.studies.design_analysis.results import SizeFacts
from bayescluster.studies.design_analysis.spec import Truths

DESIGN_STREAM: Final = 27
"""Keeps the random streams of design analysis apart from all others."""
SIZE_STREAM, TRUTH_STREAM, OUTCOME_STREAM, REFIT_STREAM, PRIOR_STREAM = range(5)
"""What a stream of it is for."""

FORMS: Final[tuple[StructureName, ...]] = ("additive", "interaction", "conjunctive", "ces")
TIMES_MAX: Final = 20.0
REPLICATIONS_MAX: Final = 400
"""Truths that are drawn from the prior of each form, whatever the number of replications."""

Fit = Literal["own", "true"]


class Options(NamedTuple):
    """What is asked for on the command line."""

    forms: tuple[str, ...] = FORMS
    fit: Fit = "own"
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


class Size(NamedTuple):
    """A size, and the firms of that size as a design of the first form of the analysis."""

    facts: SizeFacts
    design: Design

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"firms-{self.facts.firms_times:g}-clusters-{self.facts.clusters_times:g}"

    @property
    def stream(self) -> tuple[int, int]:
        """Entropy that tells it from other sizes."""
        return round(1000 * self.facts.firms_times), round(1000 * self.facts.clusters_times)


class Plan(NamedTuple):
    """A question that can be simulated: the designs of its own forms, and what is asked for."""

    question: Asked
    own: tuple[Design, ...]
    forms: tuple[StructureName, ...]
    options: Options
    seed: int

    @property
    def analysis(self) -> Analysis:
        """The analysis with all its forms."""
        return self.question.analysis


def plan_of(source: object, options: Options) -> Plan:
    """Read an analysis and its firms, and refuse what cannot be simulated honestly.

    Raises
    ------
    ConfigError
        If the analysis or the options cannot be understood, or have no design analysis.
    DataError
        If the data are not there, or do not fit the analysis.
    """
    question = asked(source)  # type: ignore[arg-type]
    problems = [
        *_unsimulated(question.analysis, question.where),
        *_options(options, question.analysis),
    ]
    if problems:
        raise DesignAnalysisError(problems)
    own = designs_of(question)
    if not own[0].is_complete:
        raise DesignError(
            Problem(
                "values are missing, and a design analysis does not simulate which ones would be",
                question.where(("data", "missing")),
                "set `missing: drop` for it, or `error` on data without gaps",
            )
        )
    seed = question.analysis.sampling.seed if options.seed is None else options.seed
    forms = tuple(cast("StructureName", form) for form in options.forms)
    return Plan(question, own, forms, options, seed)


class DesignAnalysisError(ConfigError):
    """An analysis that has no design analysis, or options that cannot be understood."""

    title = "There is no design analysis of this"


def _unsimulated(analysis: Analysis, where: Where) -> Iterator[Problem]:
    if len(analysis.equations) > 1:
        yield Problem(
            "a design analysis simulates one equation, and the analysis has "
            f"{len(analysis.equations)}",
            where(("equations",)),
            "leave the equation that the claims are about in a file of its own",
        )
    if any("intercept" in each.structure for each in analysis.equations.values()):
        yield Problem(
            "structure 'intercept' uses neither capital: there is no claim to judge",
            where(("equations", analysis.equation_name, "structure")),
            f"choose among {', '.join(FORMS)}",
        )
    for name, construct in analysis.constructs.items():
        if construct.method == "latent":
            yield Problem(
                f"{name} is latent, and a design analysis takes the capitals as measured",
                where(("constructs", name, "method")),
                "set `method: mean` for it: verdicts then are those without measurement error",
            )


def _options(options: Options, analysis: Analysis) -> Iterator[Problem]:
    known = [form for form in get_args(StructureName) if form in FORMS]
    for form in options.forms:
        if form not in FORMS:
            yield Problem(f"no form is called '{form}'", "--forms", suggestion(form, known))
    if len(set(options.forms)) < len(options.forms):
        yield Problem("a form is listed twice", "--forms", "name each once")
    if not 1 <= options.replications <= REPLICATIONS_MAX:
        yield Problem(
            f"{options.replications} replications of each form",
            "--replications",
            f"ask for 1 to {REPLICATIONS_MAX}",
        )
    yield from size_problems(options.firms, options.clusters, analysis)


def size_problems(
    firms: Sequence[float], clusters: Sequence[float], analysis: Analysis
) -> Iterator[Problem]:
    """Say what is wrong with multipliers of firms and clusters."""
    for way, times in (("firms", firms), ("clusters", clusters)):
        yield from _multipliers(f"--{way}", times)
    if analysis.data.cluster is None and set(clusters) != {1.0}:
        yield Problem(
            "the data declare no clusters, so that there cannot be more or fewer of them",
            "--clusters",
            "leave it out, or name the column of the clusters under `data: cluster`",
        )


def _multipliers(place: str, times: Sequence[float]) -> Iterator[Problem]:
    for value in times:
        if not 0 < value <= TIMES_MAX:  # not a number is caught too
            yield Problem(
                f"{value:g} times the {place.removeprefix('--')}",
                place,
                f"a multiplier is above 0 and at most {TIMES_MAX:g}, such as 0.5,1,2",
            )
    if len(set(times)) < len(times):
        yield Problem("a multiplier is listed twice", place, "name each once")


def numbers(text: str, place: str) -> tuple[float, ...]:
    """Read multipliers with commas between them.

    Raises
    ------
    ConfigError
        If one is not a number.
    """
    found = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            what = f"'{part.strip()}' is not a number"
            mend = "give multipliers with commas between them, such as 0.5,1,2"
            raise DesignAnalysisError(Problem(what, place, mend)) from None
    return tuple(found)


def sizes_of(plan: Plan) -> tuple[Size, ...]:
    """Designs of every size that is asked for, all pairs of the multipliers."""
    return tuple(
        _size(plan, firms, clusters)
        for firms, clusters in product(sorted(plan.options.firms), sorted(plan.options.clusters))
    )


def _size(plan: Plan, firms: float, clusters: float) -> Size:
    entropy = (plan.seed, DESIGN_STREAM, SIZE_STREAM, round(1000 * firms), round(1000 * clusters))
    return size_of(plan.own[0], firms, clusters, np.random.default_rng(entropy))


def size_of(base: Design, firms: float, clusters: float, rng: np.random.Generator) -> Size:
    """Take a design to another size, and say what is in it.

    Parameters
    ----------
    base
        The design, as the data are.
    firms, clusters
        Multipliers of the firms in each cluster, and of the clusters in each industry.
    rng
        Chooses what is left out, or taken once more.
    """
    design = resized(base, firms, clusters, rng)
    declared = base.analysis.data
    facts = SizeFacts(
        firms_times=firms,
        clusters_times=clusters,
        rows=design.size,
        firms=int(np.unique(design.firms).size),
        clusters=len(design.group_labels(CLUSTER)) if declared.cluster is not None else 0,
        industries=len(design.group_labels(INDUSTRY)) if declared.industry is not None else 0,
    )
    return Size(facts, design)


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
