"""Which universes a sweep has, which of them can be fitted, and what they would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bayescluster.app.prepare import Asked, asked, designs_of, fitted_analysis, key_of, model_key_of
from bayescluster.app.run import key_of_results
from bayescluster.dataset.prepare import exclusion_words
from bayescluster.dataset.values import label_of
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.features.problems import check_semantics
from bayescluster.errors import ConfigError, DataError, Problem, RunError
from bayescluster.families import FAMILIES
from bayescluster.model.priors import rescaled_priors
from bayescluster.names import INDUSTRY
from bayescluster.results.model import Results
from bayescluster.runs.layout import MANIFEST, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.columns import Where
from bayescluster.spec.constructs import Construct
from bayescluster.spec.data import Exclusion
from bayescluster.spec.equation import Control, Equation, ProductControl
from bayescluster.spec.hypotheses import Difference
from bayescluster.spec.priors import Priors
from bayescluster.studies.multiverse.spec import DIMENSIONS, Dimension, Multiverse, PriorChange

KeyPath = tuple[str | int, ...]
FEWEST_INDUSTRIES: Final = 3
"""Fewest industries of which each is left out in turn by default: of two, one would be left."""
DEFAULT_FORMS: Final = ("additive", "interaction")
DEFAULT_SCALES: Final = {"half scale": 0.5, "double scale": 2.0}


class Alternative(NamedTuple):
    """One other choice.

    ``path`` leads to it in the analysis file; it is empty where the choice was not declared.
    """

    dimension: Dimension
    name: str
    value: Any
    words: str
    path: KeyPath = ()


def declared_alternatives(found: Multiverse, analysis: Analysis) -> Iterator[Alternative]:
    """Alternatives that an analysis declares, in the order in which choices are made."""
    for dimension in DIMENSIONS:
        values = getattr(found, dimension)
        pairs = values.items() if isinstance(values, Mapping) else zip(values, values, strict=True)
        for place, (name, value) in enumerate(pairs):
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


class Made(NamedTuple):
    """How the designs of an analysis are built, and where its values stand in the file.

    How wide default priors are rests on the firms.
    """

    designs: Callable[[Analysis], Sequence[Design]]
    where: Where


def changed(analysis: Analysis, choices: Sequence[Alternative], made: Made) -> Analysis:
    """Put alternatives in place of what an analysis says, in the order of `DIMENSIONS`.

    Raises
    ------
    ConfigError, DataError
        If the scale of priors is to change, and cannot be known.
    """
    for choice in sorted(choices, key=lambda one: DIMENSIONS.index(one.dimension)):
        if choice.dimension == "priors":
            analysis = _priors(analysis, choice.value, made)
        else:
            analysis = _CHANGES[choice.dimension](analysis, choice.value)
    # a universe has no other universes; the analysis as it is stays what it is
    return analysis.model_copy(update={"multiverse": None}) if choices else analysis


def where_of(where: Where, choices: Sequence[Alternative], analysis: Analysis) -> Where:
    """Say where a value of a changed analysis stands in the file: at the alternative it comes from."""
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
    """Paths of a changed analysis that an alternative stands behind."""
    base = ("equations", analysis.equation_name)
    match choice.dimension:
        case "exclude":
            yield ("data", "exclude", len(analysis.data.exclude))
        case "constructs":
            for capital in choice.value:
                yield ("constructs", capital)
        case "families" | "structures":
            yield (*base, {"families": "family", "structures": "structure"}[choice.dimension])
        case _:
            yield (*base, choice.dimension)


def _structure(analysis: Analysis, form: Any) -> Analysis:
    name = analysis.equation_name
    return _with_equation(analysis, as_form(analysis.for_equation(name), form).equation)


def _family(analysis: Analysis, family: Any) -> Analysis:
    equation = analysis.equation
    known = {parameter.name for parameter in FAMILIES[family].parameters}
    kept = {name: prior for name, prior in equation.priors.family.items() if name in known}
    priors = equation.priors.model_copy(update={"family": kept})
    return _with_equation(analysis, _update(equation, family=family, priors=priors))


def _constructs(analysis: Analysis, constructs: Any) -> Analysis:
    return _update(analysis, constructs=analysis.constructs | constructs)


def _controls(analysis: Analysis, controls: Any) -> Analysis:
    equation = analysis.equation
    gone = {_name(one) for one in equation.controls} - {_name(one) for one in controls}
    return _with_equation(
        analysis,
        _update(equation, controls=controls, priors=_without(equation.priors, "terms", gone)),
    )


def _varying(analysis: Analysis, varying: Any) -> Analysis:
    equation = analysis.equation
    gone = set(equation.varying) - set(varying)
    return _with_equation(
        analysis,
        _update(equation, varying=varying, priors=_without(equation.priors, "group_sd", gone)),
    )


def _exclude(analysis: Analysis, exclusion: Any) -> Analysis:
    """Leave rows out, and the claims that name an industry that has none left."""
    data = _update(analysis.data, exclude=(*analysis.data.exclude, exclusion))
    gone = (
        {label_of(value) for value in exclusion.one_of}
        if exclusion.column == analysis.data.industry
        else set()
    )
    asked = tuple(
        claim
        for claim in analysis.hypotheses
        if not (isinstance(claim, Difference) and gone & set(claim.between or ()))
    )
    return _update(analysis, data=data, hypotheses=asked)


def _priors(analysis: Analysis, change: PriorChange, made: Made) -> Analysis:
    equation = analysis.equation
    before = Priors() if change.defaults else equation.priors
    blocks = {
        name: value
        for name in ("from_", "controls", "correlation", "r2d2m2", "cutpoints")
        if (value := getattr(change, name)) is not None
    }
    entries = {
        name: getattr(before, name) | getattr(change, name)
        for name in ("terms", "group_sd", "family")
    }
    analysis = _with_equation(
        analysis, _update(equation, priors=_update(before, **blocks, **entries))
    )
    if change.scale is None:
        return analysis
    priors = rescaled_priors(made.designs(analysis), change.scale, made.where)
    return _with_equation(analysis, _update(analysis.equation, priors=priors))


_CHANGES: Final[dict[Dimension, Callable[[Analysis, Any], Analysis]]] = {
    "structures": _structure,
    "families": _family,
    "constructs": _constructs,
    "controls": _controls,
    "varying": _varying,
    "exclude": _exclude,
}


def _with_equation(analysis: Analysis, equation: Equation) -> Analysis:
    equations = analysis.equations | {analysis.equation_name: equation}
    return _update(analysis, equations=equations)


def _without(priors: Priors, block: str, gone: set[str]) -> Priors:
    """Leave out the priors of what is no longer there."""
    kept = {name: prior for name, prior in getattr(priors, block).items() if name not in gone}
    return _update(priors, **{block: kept})


def _update[M: Any](model: M, **values: Any) -> M:
    copied: M = model.model_copy(update=values)
    return copied


def _name(control: Control) -> str:
    if isinstance(control, str):
        return control
    if isinstance(control, ProductControl):
        return " x ".join(control.product)
    return control.column


def _construct_words(constructs: Mapping[str, Construct], _: Analysis) -> str:
    return "; ".join(
        f"{capital.replace('_', ' ')}: {made.method} of {', '.join(item.column for item in made.items)}"
        for capital, made in constructs.items()
    )


def _control_words(controls: Sequence[Control], _: Analysis) -> str:
    return f"controls: {', '.join(map(_name, controls))}" if controls else "no controls"


def _varying_words(varying: Mapping[str, Any], analysis: Analysis) -> str:
    groupings = _update(analysis.equation, varying=varying).groupings
    told = [f"{name} ({', '.join(given.terms)})" for name, given in groupings.items()]
    return f"varying by {'; '.join(told)}" if told else "nothing varies"


def _prior_words(change: PriorChange, _: Analysis) -> str:
    told = ["only the default priors"] if change.defaults else []
    names = {
        "from": change.from_ is not None,
        "terms": bool(change.terms),
        "controls": change.controls is not None,
        "group_sd": bool(change.group_sd),
        "correlation": change.correlation is not None,
        "family": bool(change.family),
        "r2d2m2": change.r2d2m2 is not None,
        "cutpoints": change.cutpoints is not None,
    }
    stated = [name for name, given in names.items() if given]
    told += [f"other priors: {', '.join(stated)}"] if stated else []
    if change.scale is not None:
        told.append(f"every scale of a prior times {change.scale:g}")
    return "; ".join(told)


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


FOLDER: Final = "sweep"
UNIVERSES: Final = "universes"
"""Folder of the runs of universes, beside the sweeps of an analysis."""
BASE: Final = "as declared"
"""Name of the analysis as it is."""


class Options(NamedTuple):
    """What is asked for on the command line; what is left out is as in the analysis."""

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    jobs: int | None = None
    """Universes that are fitted at once, each in a process of its own where there are several; as many
    as have cores for all their chains without it."""


class Fit(NamedTuple):
    """A universe that can be fitted."""

    question: Asked
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
        """Whether the posterior is there."""
        several = len(self.question.analysis.equation.structure) > 1
        stage: StageName = "forms" if several else "posterior"
        return (self.run.path / MANIFEST).is_file() and self.run.is_done(stage, self.key)

    @property
    def results(self) -> Results | None:
        """Its results, where they are there."""
        there = (self.run.path / MANIFEST).is_file()
        if there and self.run.is_done("results", self.results_key):
            return self.run.load_results()
        return None


class Universe(NamedTuple):
    """The analysis with some choices made otherwise; with none it is the analysis as it is."""

    choices: tuple[Alternative, ...]
    fit: Fit | None
    """Nothing where it cannot be fitted."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot."""

    @property
    def name(self) -> str:
        """Its choices by name."""
        return name_of(self.choices)


class Plan(NamedTuple):
    """Every universe of a sweep, the analysis as it is first."""

    question: Asked
    multiverse: Multiverse
    declared: bool
    """Whether the alternatives are those of the analysis file."""
    run_key: str
    """Key of the fit of the analysis as it stands in the file."""
    model_key: str
    """Key of its model, however it is sampled."""
    synthetic: bool
    sampling: Sampling
    universes: tuple[Universe, ...]

    @property
    def analysis(self) -> Analysis:
        """The analysis as it stands in the file."""
        return self.question.analysis

    @property
    def pending(self) -> tuple[Fit, ...]:
        """What is still to be fitted or computed, each fit once."""
        found = {
            each.fit.run.path: each.fit
            for each in self.universes
            if each.fit is not None and each.fit.results is None
        }
        return tuple(found.values())


class SweepError(ConfigError):
    """An analysis that cannot be swept, or options that cannot be understood."""

    title = "There is no sweep of this"


def plan_of(source: Analysis | Path | str, root: Path, options: Options) -> Plan:
    """Read an analysis and work out its universes; nothing is fitted.

    Raises
    ------
    ConfigError, DataError
        If the analysis as it is cannot be fitted. A universe that cannot is listed instead.
    """
    question = asked(source)
    analysis = question.analysis
    if analysis.equation.structure == ("intercept",):
        place = question.where(("equations", analysis.equation_name, "structure"))
        raise SweepError(
            Problem(
                "structure 'intercept' uses neither capital: there is no claim to judge",
                place,
                "choose another structure",
            )
        )
    designs = designs_of(question)
    block = analysis.multiverse or Multiverse()
    declared = bool(block.alternatives)
    alternatives = tuple(
        declared_alternatives(block, analysis)
        if declared
        else default_alternatives(designs[0], analysis)
    )
    sets = _checked(_sets(alternatives, block), block, question)
    sampling = _sampling(analysis.sampling, options)
    base = Plan(
        question,
        block,
        declared,
        _key(analysis, designs),
        model_key_of(analysis, designs),
        designs[0].details.synthetic,
        sampling,
        (),
    )
    return base._replace(universes=tuple(_universe(base, choices, root) for choices in sets))


def name_of(choices: Sequence[Alternative]) -> str:
    """Name of a universe: its choices, or that there are none."""
    return ", ".join(f"{one.dimension}: {one.name}" for one in choices) or BASE


def _sets(alternatives: Sequence[Alternative], block: Multiverse) -> list[tuple[Alternative, ...]]:
    """Sets of choices, that of the analysis as it is first."""
    if block.combine == "one_at_a_time":
        return [(), *((one,) for one in alternatives)]
    groups = [
        [None, *(one for one in alternatives if one.dimension == dimension)]
        for dimension in DIMENSIONS
    ]
    found = [tuple(one for one in some if one is not None) for some in product(*groups)]
    return sorted(found, key=len)


def _checked(
    sets: list[tuple[Alternative, ...]], block: Multiverse, question: Asked
) -> list[tuple[Alternative, ...]]:
    """Refuse more universes than the cap allows, as a set by default can be too."""
    if len(sets) <= block.cap:
        return sets
    raise SweepError(
        Problem(
            f"{len(sets):,} universes by default, and cap allows {block.cap:,}: each is a fit",
            question.where(("multiverse", "cap")),
            "declare alternatives of your own under `multiverse:`, or raise cap",
        )
    )


def _sampling(stated: Sampling, options: Options) -> Sampling:
    given = {name: getattr(options, name) for name in ("draws", "tune", "chains")}
    update = {name: value for name, value in given.items() if value is not None}
    return Sampling.model_validate(stated.model_dump() | update)


def _universe(plan: Plan, choices: tuple[Alternative, ...], root: Path) -> Universe:
    directory, where = plan.question.directory, plan.question.where
    analysis = plan.analysis.model_copy(update={"sampling": plan.sampling})
    place = where_of(where, choices, analysis)
    made = Made(lambda one: designs_of(Asked(one, directory, place)), place)
    try:
        analysis = changed(analysis, choices, made)
        check_semantics(analysis, place)
        question = Asked(analysis, directory, place)
        designs = designs_of(question)
    except (ConfigError, DataError) as error:
        if not choices:
            raise
        return Universe(choices, None, error.problems)
    return Universe(choices, _fit(plan, question, designs, root))


def _fit(plan: Plan, question: Asked, designs: Sequence[Design], root: Path) -> Fit:
    analysis, key = question.analysis, _key(question.analysis, designs)
    run = _run(plan, root, analysis, key)
    return Fit(
        question,
        run,
        key,
        key_of_results(key, analysis),
        run.path.relative_to(root).as_posix(),
        designs[0].size,
        int(np.unique(designs[0].firms).size),
    )


def _run(plan: Plan, root: Path, analysis: Analysis, key: str) -> RunDirectory:
    """Directory of a universe: that of an ordinary run of it, or one among those of sweeps.

    Runs that nobody asked for by themselves stay out of the folder of the analysis, where the newest
    run is taken for the one that is meant.
    """
    ordinary = root / analysis.name / key
    if key == plan.run_key or (ordinary / MANIFEST).is_file():
        return RunDirectory(ordinary)
    return RunDirectory(root / analysis.name / FOLDER / UNIVERSES / key)


def _key(analysis: Analysis, designs: Sequence[Design]) -> str:
    return key_of(fitted_analysis(analysis, designs), designs[0])


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
    """Of all refits one after the other, by the time that the fit of the analysis took; nothing where
    it was never fitted."""


def cost_of(plan: Plan, root: Path) -> Cost:
    """Say how many fits are to be made, and about how long they would take."""
    pending = [each for each in plan.pending if not each.is_fitted]
    sampling = plan.sampling
    draws = sampling.chains * (sampling.draws + sampling.tune)
    unfitted = sum(each.fit is None for each in plan.universes)
    once = _seconds(plan, root, draws)
    return Cost(
        universes=len(plan.universes),
        fitted=len(plan.universes) - unfitted - len(plan.pending),
        refits=len(pending),
        unfitted=unfitted,
        draws=draws,
        seconds=None if once is None else once * len(pending),
    )


def _seconds(plan: Plan, root: Path, draws: int) -> float | None:
    """Time of one fit, in proportion to the draws of the fit that is there."""
    run = RunDirectory(root / plan.analysis.name / plan.run_key)
    try:
        stages = run.read_manifest().stages
    except RunError:
        return None
    named = ("sampling", "posterior", "forms", "results")
    known = [stages[name].seconds for name in named if name in stages]
    asked_for = plan.analysis.sampling
    before = asked_for.chains * (asked_for.draws + asked_for.tune)
    return sum(known) * draws / before if known else None
