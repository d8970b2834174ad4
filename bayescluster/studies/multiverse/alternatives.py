"""Alternatives of a sweep: what each changes in an analysis, in which order, and how it is worded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bayescluster.dataset.prepare import exclusion_words
from bayescluster.dataset.values import label_of
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES
from bayescluster.model.priors import rescaled_priors
from bayescluster.names import INDUSTRY
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.constructs import Construct
from bayescluster.spec.data import Exclusion
from bayescluster.spec.equation import Control, ProductControl
from bayescluster.spec.hypotheses import Difference
from bayescluster.spec.priors import Priors
from bayescluster.studies.multiverse.results import Choice
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
