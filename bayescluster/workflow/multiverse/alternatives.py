"""Alternatives of a multiverse, and an analysis with some of them in place of what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bayescluster.dataset.exclude import exclusion_words
from bayescluster.dataset.values import label_of
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES
from bayescluster.model.rescale import rescaled_priors
from bayescluster.names import INDUSTRY
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.constructs import Construct
from bayescluster.spec.data import Exclusion
from bayescluster.spec.equation import Control, Equation, ProductControl
from bayescluster.spec.hypotheses import Difference
from bayescluster.spec.multiverse import DIMENSIONS, Dimension, Multiverse, PriorChange
from bayescluster.spec.priors import Priors

Path = tuple[str | int, ...]
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
    path: Path = ()


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


def _replaced(choice: Alternative, analysis: Analysis) -> Iterator[Path]:
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
    return _with_equation(analysis, as_form(analysis.alone(name), form).equation)


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
