"""Universes of a sweep, which of them can be fitted, and what fitting them would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bayescluster.app.fit import BLOCK
from bayescluster.app.prepare import (
    AnalysisSource,
    analysis_source,
    designs_of,
    fitted_analysis,
    key_of,
    model_key_of,
)
from bayescluster.app.run import key_of_results
from bayescluster.checks.remedies import with_settings
from bayescluster.dataset.prepare import exclusion_words
from bayescluster.dataset.values import label_of
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, DataError, Problem, RunError
from bayescluster.families import FAMILIES
from bayescluster.features.problems import check_semantics
from bayescluster.model.priors import rescaled_priors
from bayescluster.names import INDUSTRY
from bayescluster.results.model import Results
from bayescluster.runs.keys import hash_of
from bayescluster.runs.layout import MANIFEST, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.columns import Where
from bayescluster.spec.data import Construct, Exclusion
from bayescluster.spec.equation import Control, ProductControl
from bayescluster.spec.hypotheses import Difference
from bayescluster.spec.priors import Priors
from bayescluster.studies.multiverse.results import MULTIVERSE_VERSION, Choice
from bayescluster.studies.multiverse.spec import DIMENSIONS, Dimension, Multiverse, PriorChange

KeyPath = tuple[str | int, ...]
FEWEST_INDUSTRIES: Final = 3
"""Fewest industries of which each is left out in turn by default: of two, one would be left."""
DEFAULT_FORMS: Final = ("additive", "interaction")
DEFAULT_SCALES: Final = {"half scale": 0.5, "double scale": 2.0}
AS_DECLARED: Final = "as declared"
"""Name of the analysis as declared."""


class Alternative(NamedTuple):
    """One other choice.

    ``path`` leads to it in the analysis file; it is empty where the choice was not declared.
    """

    dimension: Dimension
    name: str
    value: Any
    words: str
    path: KeyPath = ()

    @property
    def record(self) -> Choice:
        """The choice in results."""
        return Choice(dimension=self.dimension, name=self.name, words=self.words)


def name_of(choices: Sequence[Alternative]) -> str:
    """Name a universe by its choices."""
    return ", ".join(f"{choice.dimension}: {choice.name}" for choice in choices) or AS_DECLARED


def declared_alternatives(block: Multiverse, analysis: Analysis) -> Iterator[Alternative]:
    """Alternatives that an analysis declares, in the order in which choices are made."""
    for dimension in DIMENSIONS:
        values = getattr(block, dimension)
        named = values.items() if isinstance(values, Mapping) else zip(values, values, strict=True)
        for place, (name, value) in enumerate(named):
            step = name if isinstance(values, Mapping) else place
            words = _WORDS[dimension](value, analysis)
            yield Alternative(dimension, name, value, words, ("multiverse", dimension, step))


def default_alternatives(design: Design, analysis: Analysis) -> Iterator[Alternative]:
    """Alternatives where an analysis declares none: form, link, industries and priors."""
    equation = analysis.equation
    values: list[tuple[Dimension, str, Any]] = [
        ("structures", form, form) for form in DEFAULT_FORMS if equation.structure != (form,)
    ]
    if equation.family == "bernoulli":
        values.append(("families", "probit", "probit"))
    column = analysis.data.industry
    labels = design.group_labels(INDUSTRY) if column is not None else ()
    if column is not None and len(labels) >= FEWEST_INDUSTRIES:
        values += [
            ("exclude", f"without {label}", Exclusion(column=column, one_of=(label,)))
            for label in labels
        ]
    if equation.priors.r2d2m2 is None:
        values += [
            ("priors", name, PriorChange(scale=scale)) for name, scale in DEFAULT_SCALES.items()
        ]
    for dimension, name, value in values:
        yield Alternative(dimension, name, value, _WORDS[dimension](value, analysis))


def changed(
    analysis: Analysis,
    choices: Sequence[Alternative],
    designs: Callable[[Analysis], Sequence[Design]],
    where: Where,
) -> Analysis:
    """Put alternatives in place of what an analysis declares, in the order of `DIMENSIONS`.

    Parameters
    ----------
    analysis, choices
        The analysis, and its alternatives.
    designs
        Builds the designs of an analysis: how wide its default priors are depends on the firms.
    where
        Places of its values in the file.

    Raises
    ------
    ConfigError, DataError
        If the scale of priors is to change, and cannot be known.
    """
    for choice in sorted(choices, key=lambda each: DIMENSIONS.index(each.dimension)):
        analysis = _CHANGES[choice.dimension](analysis, choice.value)
        if choice.dimension == "priors" and choice.value.scale is not None:
            priors = rescaled_priors(designs(analysis), choice.value.scale, where)
            analysis = _with_equation(analysis, priors=priors)
    # a universe has no universes of its own; the analysis as declared stays as it is
    return _with(analysis, multiverse=None) if choices else analysis


def where_of(where: Where, choices: Sequence[Alternative], analysis: Analysis) -> Where:
    """Places of the values of a changed analysis in the file: at the alternatives they come from."""
    places = [
        (before, choice.path)
        for choice in choices
        if choice.path
        for before in _replaced(choice, analysis)
    ]

    def place(path: Sequence[str | int]) -> str:
        path = tuple(path)
        for before, after in places:
            if path[: len(before)] == before:
                kept = before[1:] if before[0] == "constructs" else ()
                return where((*after, *kept, *path[len(before) :]))
        return where(path)

    return place


def _replaced(choice: Alternative, analysis: Analysis) -> Iterator[KeyPath]:
    """Paths of a changed analysis whose values come from an alternative."""
    match choice.dimension:
        case "exclude":
            yield ("data", "exclude", len(analysis.data.exclude))
        case "constructs":
            yield from (("constructs", capital) for capital in choice.value)
        case dimension:
            field = {"families": "family", "structures": "structure"}.get(dimension, dimension)
            yield ("equations", analysis.equation_name, field)


def _structure(analysis: Analysis, form: Any) -> Analysis:
    name = analysis.equation_name
    equation = as_form(analysis.for_equation(name), form).equation
    return _with(analysis, equations=analysis.equations | {name: equation})


def _family(analysis: Analysis, family: Any) -> Analysis:
    priors = analysis.equation.priors
    parameters = {parameter.name for parameter in FAMILIES[family].parameters}
    gone = set(priors.family) - parameters
    return _with_equation(analysis, family=family, priors=_without(priors, "family", gone))


def _constructs(analysis: Analysis, constructs: Any) -> Analysis:
    return _with(analysis, constructs=analysis.constructs | constructs)


def _controls(analysis: Analysis, controls: Any) -> Analysis:
    equation = analysis.equation
    gone = set(map(_control_name, equation.controls)) - set(map(_control_name, controls))
    priors = _without(equation.priors, "terms", gone)
    return _with_equation(analysis, controls=controls, priors=priors)


def _varying(analysis: Analysis, varying: Any) -> Analysis:
    equation = analysis.equation
    gone = set(equation.varying) - set(varying)
    priors = _without(equation.priors, "group_sd", gone)
    return _with_equation(analysis, varying=varying, priors=priors)


def _exclude(analysis: Analysis, exclusion: Any) -> Analysis:
    """Leave rows out, and the claims that name an industry that has none left."""
    by_industry = exclusion.column == analysis.data.industry
    gone = set(map(label_of, exclusion.one_of)) if by_industry else set()
    claims = tuple(
        claim
        for claim in analysis.hypotheses
        if not (isinstance(claim, Difference) and gone & set(claim.between or ()))
    )
    data = _with(analysis.data, exclude=(*analysis.data.exclude, exclusion))
    return _with(analysis, data=data, hypotheses=claims)


def _priors(analysis: Analysis, change: PriorChange) -> Analysis:
    before = Priors() if change.defaults else analysis.equation.priors
    blocks = {
        name: value
        for name in ("from_", "controls", "correlation", "r2d2m2", "cutpoints")
        if (value := getattr(change, name)) is not None
    }
    entries = {
        name: getattr(before, name) | getattr(change, name)
        for name in ("terms", "group_sd", "family")
    }
    return _with_equation(analysis, priors=_with(before, **blocks, **entries))


_CHANGES: Final[dict[Dimension, Callable[[Analysis, Any], Analysis]]] = {
    "structures": _structure,
    "families": _family,
    "constructs": _constructs,
    "controls": _controls,
    "varying": _varying,
    "exclude": _exclude,
    "priors": _priors,
}


def _with_equation(analysis: Analysis, **values: Any) -> Analysis:
    equation = _with(analysis.equation, **values)
    return _with(analysis, equations=analysis.equations | {analysis.equation_name: equation})


def _without(priors: Priors, block: str, gone: set[str]) -> Priors:
    """Leave out the priors of what the changed equation no longer has."""
    kept = {name: prior for name, prior in getattr(priors, block).items() if name not in gone}
    return _with(priors, **{block: kept})


def _with[M: Any](model: M, **values: Any) -> M:
    copied: M = model.model_copy(update=values)
    return copied


def _control_name(control: Control) -> str:
    if isinstance(control, str):
        return control
    if isinstance(control, ProductControl):
        return " x ".join(control.product)
    return control.column


def _construct_words(constructs: Mapping[str, Construct], _: Analysis) -> str:
    return "; ".join(
        f"{capital.replace('_', ' ')}: {construct.method} of "
        f"{', '.join(item.column for item in construct.items)}"
        for capital, construct in constructs.items()
    )


def _control_words(controls: Sequence[Control], _: Analysis) -> str:
    return f"controls: {', '.join(map(_control_name, controls))}" if controls else "no controls"


def _varying_words(varying: Mapping[str, Any], analysis: Analysis) -> str:
    groupings = _with(analysis.equation, varying=varying).groupings
    by = [f"{name} ({', '.join(terms.terms)})" for name, terms in groupings.items()]
    return f"varying by {'; '.join(by)}" if by else "nothing varies"


def _prior_words(change: PriorChange, _: Analysis) -> str:
    stated = change.model_dump(exclude_defaults=True, exclude={"defaults", "scale"})
    parts = ["only the default priors"] if change.defaults else []
    parts += [f"other priors: {', '.join(stated)}"] if stated else []
    if change.scale is not None:
        parts.append(f"every scale of a prior times {change.scale:g}")
    return "; ".join(parts)


_WORDS: Final[dict[Dimension, Callable[[Any, Analysis], str]]] = {
    "structures": lambda form, analysis: (
        f"{form} in place of {', '.join(analysis.equation.structure)}"
    ),
    "families": lambda family, analysis: f"{family} in place of {analysis.equation.family}",
    "constructs": _construct_words,
    "controls": _control_words,
    "varying": _varying_words,
    "exclude": lambda exclusion, _: f"without {exclusion_words(exclusion)}",
    "priors": _prior_words,
}
"""What each kind of alternative is, in words."""


NAME: Final = "sweep"
UNIVERSES: Final = "universes"
"""Folder of the runs of universes, next to the sweeps of an analysis."""
STAGES: Final = ("sampling", "posterior", "forms", "results")
"""Stages of a run whose times make up that of a fit."""


class Options(NamedTuple):
    """Settings of the fits; those that are not given are as in the analysis."""

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    jobs: int | None = None
    """Universes that are fitted at once, each in a process of its own where there are several; without
    it, as many as have cores for all their chains."""


class Fit(NamedTuple):
    """The fit of a universe."""

    source: AnalysisSource
    run: RunDirectory
    key: str
    """Key of the fit."""
    results_key: str
    place: str
    """Its directory, from the folder of the runs."""
    rows: int
    firms: int

    @property
    def is_fitted(self) -> bool:
        """Whether its posterior is there."""
        several = len(self.source.analysis.equation.structure) > 1
        return self._is_done("forms" if several else "posterior", self.key)

    @property
    def results(self) -> Results | None:
        """Its results, where they are there."""
        return self.run.load_results() if self._is_done("results", self.results_key) else None

    def _is_done(self, stage: StageName, key: str) -> bool:
        return (self.run.path / MANIFEST).is_file() and self.run.is_done(stage, key)


class PlannedUniverse(NamedTuple):
    """The analysis with some choices made otherwise; with none it is the analysis as declared."""

    choices: tuple[Alternative, ...]
    fit: Fit | None
    """None where it cannot be fitted."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot be fitted."""

    @property
    def name(self) -> str:
        """Its choices by name."""
        return name_of(self.choices)

    @property
    def words(self) -> str:
        """What its choices are."""
        return "; ".join(choice.words for choice in self.choices) or "the analysis as declared"

    @property
    def state(self) -> str:
        """Whether it is fitted."""
        if self.fit is None:
            return "cannot be fitted"
        if self.fit.results is not None:
            return "there"
        return "fitted, without results" if self.fit.is_fitted else "to fit"


class Plan(NamedTuple):
    """Every universe of a sweep, that of the analysis as declared first."""

    source: AnalysisSource
    multiverse: Multiverse
    declared: bool
    """Whether the alternatives are those of the analysis file."""
    run_key: str
    """Key of the fit of the analysis in its file."""
    model_key: str
    """Key of its model, however it is sampled."""
    synthetic: bool
    sampling: Sampling
    jobs: int | None
    home: Path
    universes: tuple[PlannedUniverse, ...] = ()

    @property
    def analysis(self) -> Analysis:
        """The analysis in its file."""
        return self.source.analysis

    @property
    def key(self) -> str:
        """Key of the sweep."""
        keys = {each.name: each.fit and each.fit.results_key for each in self.universes}
        settings = {
            "version": MULTIVERSE_VERSION,
            "declared": self.declared,
            "combine": self.multiverse.combine,
        }
        return hash_of({"run": self.run_key, "universes": keys, "settings": settings})

    @property
    def pending(self) -> tuple[Fit, ...]:
        """Fits whose results are not there yet, each once."""
        fits = {each.fit.run.path: each.fit for each in self.universes if each.fit is not None}
        return tuple(fit for fit in fits.values() if fit.results is None)


class SweepError(ConfigError):
    """An analysis that cannot be swept, or options that cannot be understood."""

    title = "There is no sweep of this"


def plan_of(source: Analysis | Path | str, options: Options, root: Path) -> Plan:
    """Read an analysis and work out its universes; nothing is fitted.

    Raises
    ------
    ConfigError, DataError
        If the analysis as declared cannot be fitted. A universe that cannot is listed instead.
    """
    opened = analysis_source(source)
    analysis = opened.analysis
    if analysis.equation.structure == ("intercept",):
        raise SweepError(
            Problem(
                "structure 'intercept' uses neither capital: there is no claim to judge",
                opened.where(("equations", analysis.equation_name, "structure")),
                "choose another structure",
            )
        )
    designs = designs_of(opened)
    block = analysis.multiverse or Multiverse()
    declared = bool(block.alternatives)
    alternatives = tuple(
        declared_alternatives(block, analysis)
        if declared
        else default_alternatives(designs[0], analysis)
    )
    sets = _choice_sets(alternatives, block)
    if len(sets) > block.cap:  # a declared set was checked as it was read
        raise SweepError(
            Problem(
                f"{len(sets):,} universes by default, and cap allows {block.cap:,}: each is a fit",
                opened.where(("multiverse", "cap")),
                "declare alternatives of your own under `multiverse:`, or raise cap",
            )
        )
    given = {name: getattr(options, name) for name in ("draws", "tune", "chains")}
    plan = Plan(
        source=opened,
        multiverse=block,
        declared=declared,
        run_key=_fit_key(analysis, designs),
        model_key=model_key_of(analysis, designs),
        synthetic=designs[0].details.synthetic,
        sampling=Sampling.model_validate(
            # a time limit is of no use where draws are given
            analysis.sampling.model_dump(exclude={"minutes"} if options.draws else None)
            | {k: v for k, v in given.items() if v is not None}
        ),
        jobs=options.jobs,
        home=root / analysis.name,
    )
    return plan._replace(universes=tuple(_universe(plan, choices) for choices in sets))


def _choice_sets(
    alternatives: Sequence[Alternative], block: Multiverse
) -> list[tuple[Alternative, ...]]:
    """Sets of choices, that of the analysis as declared first."""
    if block.combine == "one_at_a_time":
        return [(), *((each,) for each in alternatives)]
    groups = [
        [None, *(each for each in alternatives if each.dimension == dimension)]
        for dimension in DIMENSIONS
    ]
    sets = [tuple(each for each in some if each is not None) for some in product(*groups)]
    return sorted(sets, key=len)


def _universe(plan: Plan, choices: tuple[Alternative, ...]) -> PlannedUniverse:
    analysis = plan.analysis.model_copy(update={"sampling": plan.sampling})
    directory, where = plan.source.directory, where_of(plan.source.where, choices, analysis)
    try:
        analysis = changed(
            analysis,
            choices,
            lambda each: designs_of(AnalysisSource(each, directory, where)),
            where,
        )
        check_semantics(analysis, where)
        source = AnalysisSource(analysis, directory, where)
        designs = designs_of(source)
    except (ConfigError, DataError) as error:
        if not choices:
            raise
        return PlannedUniverse(choices, None, error.problems)
    key = _fit_key(analysis, designs)
    run = _run(plan, key)
    fit = Fit(
        source=source,
        run=run,
        key=key,
        results_key=key_of_results(key, analysis),
        place=run.path.relative_to(plan.home.parent).as_posix(),
        rows=designs[0].size,
        firms=int(np.unique(designs[0].firms).size),
    )
    return PlannedUniverse(choices, fit)


def _fit_key(analysis: Analysis, designs: Sequence[Design]) -> str:
    return key_of(fitted_analysis(analysis, designs), designs[0])


def _run(plan: Plan, key: str) -> RunDirectory:
    """Directory of a universe: that of an ordinary run of it, or one among those of sweeps.

    Runs that nobody started by themselves stay out of the folder of the analysis, whose newest run is
    taken where only the folder is named.
    """
    ordinary = plan.home / key
    if key == plan.run_key or (ordinary / MANIFEST).is_file():
        return RunDirectory(ordinary)
    return RunDirectory(plan.home / NAME / UNIVERSES / key)


class Cost(NamedTuple):
    """What a sweep would still take."""

    universes: int
    fitted: int
    """Universes whose results are there."""
    refits: int
    unfitted: int
    """Universes that cannot be fitted."""
    draws: int
    """Draws of a refit, those for tuning included, over all chains."""
    seconds: float | None
    """Of all refits one after the other, by the time that the fit of the analysis took; None where it
    was never fitted."""


def cost_of(plan: Plan) -> Cost:
    """Count the fits that are still to be made, and estimate how long they would take."""
    refits = sum(not fit.is_fitted for fit in plan.pending)
    unfitted = sum(each.fit is None for each in plan.universes)
    draws = _draws(plan.sampling)
    once = _seconds(plan, draws)
    return Cost(
        universes=len(plan.universes),
        fitted=len(plan.universes) - unfitted - len(plan.pending),
        refits=refits,
        unfitted=unfitted,
        draws=draws,
        seconds=None if once is None else once * refits,
    )


def _draws(sampling: Sampling) -> int:
    """Draws of all chains, at least."""
    return sampling.chains * ((sampling.draws or BLOCK) + sampling.tune)


def _seconds(plan: Plan, draws: int) -> float | None:
    """Time of one fit, in proportion to the draws of the fit of the analysis, if there is one."""
    try:
        manifest = RunDirectory(plan.home / plan.run_key).read_manifest()
    except RunError:
        return None
    stages, settled = manifest.stages, manifest.settled
    made = with_settings(plan.analysis, settled.settings if settled else {}).sampling
    # a fit that settles its draws itself takes about as many as the first
    times = draws / _draws(made) if plan.sampling.draws else 1.0
    seconds = [stages[name].seconds for name in STAGES if name in stages]
    return sum(seconds) * times if seconds else None


def plan_json(plan: Plan) -> dict[str, Any]:
    """Universes and their cost as plain values."""
    return {
        "declared": plan.declared,
        "combine": plan.multiverse.combine,
        "run_key": plan.run_key,
        "cost": cost_of(plan)._asdict(),
        "universes": [
            {
                "name": universe.name,
                "choices": [choice.record.model_dump() for choice in universe.choices],
                "state": universe.state,
                "key": universe.fit and universe.fit.key,
                "run": universe.fit and universe.fit.place,
                "rows": universe.fit and universe.fit.rows,
                "problems": list(map(str, universe.problems)),
            }
            for universe in plan.universes
        ],
    }
