"""Faults of hypotheses: those that the analysis shows, and those that only the data show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Scored, raw_score
from bayescluster.dataset.derive import TRANSFORMS
from bayescluster.dataset.values import label_of
from bayescluster.design.roles import RESERVED_COLUMNS
from bayescluster.errors import Problem
from bayescluster.families import FAMILIES
from bayescluster.lookup import suggestion
from bayescluster.names import ALL, CAPITALS, CLUSTER, FIRM, INDUSTRY, WITHIN, group_name
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import ROLES, AskedGrouping, Where, asked_groupings, moderators
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import Contextual, Corners, Difference, Hypothesis

WIDEST: Mapping[str, float] = {
    "effect": 1.0,
    "contextual": 2.0,
    "difference": 2.0,
    "complementarity": 2.0,
}
"""Largest size of a claim's quantity, in widths of the scale of the outcome."""
REGION_KEYS = ("eps", "theta", "theta_not")
"""Keys of a claim that state an expected outcome; ``delta`` and ``margin`` state a difference."""

MOST_GROUPS = 12
"""With more, a difference has to name its pair: claims would grow with the square of the number."""
MOST_CATEGORIES = 100
"""A column with more values is a number or a name, no set of categories."""
WORDS = {INDUSTRY: ("an industry", "industries"), CLUSTER: ("a cluster", "clusters")}
"""What groups are called; those of other columns are groups."""

SCOPE_NEEDS = {"average_cluster": "cluster", "new_cluster": "cluster", "new_industry": "industry"}
"""What effects must vary by for a scope to differ from the firms as observed."""


def claim_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Every contradiction within the hypotheses, and between them and the analysis."""
    for asked in asked_groupings(analysis):
        yield from _grouping(analysis, asked, where)
    for position, hypothesis in enumerate(analysis.hypotheses):
        place = where(("hypotheses", position))
        equation = analysis.equation
        if lacking := _lacks_capital(analysis, hypothesis):
            yield Problem(
                f"{hypothesis.kind} is about {lacking}, and constructs has "
                f"{' and '.join(analysis.constructs)} only",
                place,
                "declare it under constructs, or leave the claim out: of one capital there are claims of "
                "kind effect, contextual and difference (of: effect)",
            )
            continue
        if isinstance(hypothesis, Contextual):
            yield from _context(analysis, hypothesis, place)
        if isinstance(hypothesis, Corners):
            yield from _anchors(analysis, hypothesis, ("hypotheses", position), where)
            level = where(("hypotheses", position, "at_least"))
            yield from level_problems(equation, hypothesis.at_least, level)
            if hypothesis.at_least is not None:
                equation = equation.model_copy(update={"at_least": hypothesis.at_least})
        yield from _region(equation, hypothesis, place)
        yield from _scope(analysis, hypothesis.scope, place)


def _lacks_capital(analysis: Analysis, claim: Hypothesis) -> str:
    """What a claim is about that the analysis does not measure; nothing where it measures all."""
    both = isinstance(claim, Corners) or (isinstance(claim, Difference) and claim.of != "effect")
    needed = set(CAPITALS) if both else {getattr(claim, "capital", None)}
    lacking = [name for name in CAPITALS if name in needed and name not in analysis.constructs]
    return "" if not lacking else "both capitals" if both else lacking[0]


def _grouping(analysis: Analysis, asked: AskedGrouping, where: Where) -> Iterator[Problem]:
    """Refuse kinds of groups that the data do not declare, or that have another name."""
    place, columns = where(asked.path), asked.columns
    roles = {getattr(analysis.data, role): role for role in ROLES}
    if len(columns) > 1 and (ALL in columns or len(set(columns)) < len(columns)):
        what = f"by combines {' and '.join(columns)}, which are not two columns"
        yield Problem(what, place, "name two columns, the second within the first")
        return
    for column in columns:
        if column in (INDUSTRY, CLUSTER) and getattr(analysis.data, column) is None:
            yield Problem(
                f"{asked.what} asks by {column}, but the data declare none",
                place,
                f"add `{column}:` with its column under data, or use `by: all`",
            )
        elif column == FIRM:
            yield Problem(
                f"{asked.what} asks by firm, but results are of groups of firms",
                place,
                "use `by: all`, industry, cluster or a categorical column",
            )
        elif column not in (ALL, *ROLES) and column in roles:
            what = f"'{column}' is the column of the {roles[column]}"
            yield Problem(what, place, f"write `{roles[column]}` here")
        elif column not in (ALL, *ROLES) and column in RESERVED_COLUMNS:
            yield Problem(
                f"{asked.what} cannot ask by a column called '{column}'",
                place,
                "the model has a variable or dimension of that name: rename the column",
            )


def _context(analysis: Analysis, claim: Contextual, place: str) -> Iterator[Problem]:
    """Refuse a claim about surroundings that are not in the model."""
    if claim.capital not in analysis.equation.contextual.get(claim.around, ()):
        wanted = f"[{claim.capital}]"
        wanted = wanted if claim.around == CLUSTER else f"{{{claim.around}: {wanted}}}"
        yield Problem(
            f"contextual asks for {claim.capital} of the {claim.around}, which is not in the model",
            place,
            f"add `contextual: {wanted}` to the equation",
        )


def _scope(analysis: Analysis, scope: str, place: str) -> Iterator[Problem]:
    needed = SCOPE_NEEDS.get(scope)
    if needed is None:
        return
    groups = {"cluster": "clusters", "industry": "industries"}[needed]
    if getattr(analysis.data, needed) is None:
        yield Problem(
            f"scope {scope} needs {groups}, but the data declare none",
            place,
            f"add `{needed}:` with its column under data, or use `scope: observed`",
        )
    elif needed not in analysis.equation.varying:
        yield Problem(
            f"scope {scope} needs effects of {groups}, and none vary by {needed}",
            place,
            f"add `{needed}: [intercept]` under varying, or use `scope: observed`",
        )


def level_problems(equation: Equation, level: Scalar | None, place: str) -> Iterator[Problem]:
    """Refuse a level that the outcome of a family cannot be asked to reach.

    Levels of an ordinal outcome are names: they are compared with the data.
    """
    family = FAMILIES[equation.family]
    if level is None or equation.family == "ordinal":
        return
    if family.exceedance is None:
        what = f"at_least asks for a level, but family {equation.family} is yes or no"
        mend = "leave out at_least: the expected outcome is the probability already"
        yield Problem(what, place, mend)
        return
    if isinstance(level, bool | str):
        what = f"at_least is '{level}', but the outcome of family {equation.family} is a number"
        yield Problem(what, place, "give a number")
        return
    floor, top, _ = _bounds(equation.model_copy(update={"at_least": None}))
    # a share of trials can be 1, another is below it
    beyond = level >= top if family.scale == "share" else level > top
    if level <= floor or beyond:
        who = "no outcome reaches: it is a share" if beyond else "every outcome reaches"
        mend = "give a level above 0" if top == math.inf else "give a level between 0 and 1"
        yield Problem(f"at_least is {level:g}, which {who}", place, mend)


def _anchors(
    analysis: Analysis, claim: Corners, base: tuple[str | int, ...], where: Where
) -> Iterator[Problem]:
    """Refuse anchors that do not name the indicators of their capital, each with a possible value."""
    for capital, anchors in claim.anchors.items():
        construct = dict(analysis.constructs).get(capital)
        for side in ("low", "high"):
            values = getattr(anchors, side)
            if construct is not None and isinstance(values, Mapping):
                items = {item.column: item.transform for item in construct.items}
                path = (*base, "anchors", capital, side)
                yield from _anchor(capital, items, values, path, where)


def _anchor(
    capital: str,
    transforms: Mapping[str, str],
    values: Mapping[str, float],
    path: tuple[str | int, ...],
    where: Where,
) -> Iterator[Problem]:
    for name, value in values.items():
        place = where((*path, name))
        if name not in transforms:
            what = f"'{name}' is not an indicator of {capital}"
            yield Problem(what, place, suggestion(name, transforms))
        elif (transform := TRANSFORMS[transforms[name]]).refused(np.array([value])).any():
            what = f"the {transforms[name]} of '{name}' cannot be taken at {value:g}"
            yield Problem(what, place, f"give a value that is not {transform.refused_text}")
    # a misspelt name is no second fault
    meant = {hit for name in values for hit in get_close_matches(name, transforms, n=1)}
    lacking = [name for name in transforms if name not in meant]
    if lacking:
        yield Problem(
            f"the anchor lacks {', '.join(lacking)}: a level of {capital} takes all its indicators",
            where(path),
            f"add `{lacking[0]}:` with its value",
        )


def _region(equation: Equation, hypothesis: Hypothesis, place: str) -> Iterator[Problem]:
    """Refuse a region that the outcome cannot reach, or one left open that has no default."""
    family = FAMILIES[equation.family]
    floor, top, scale = _bounds(equation)
    for key in ("eps", "theta", "theta_not", "delta"):
        value = getattr(hypothesis, key, None)
        if value is not None and not floor <= value <= top:
            yield Problem(
                f"{key} is {value:g}, but the expected outcome is {scale}",
                place,
                f"give {key} on the scale of the outcome",
            )
    yield from _margin(equation, hypothesis, place)
    unbounded = family.link == "identity" and equation.at_least is None
    if getattr(hypothesis, "ratio", None) is not None and unbounded:
        yield Problem(
            f"ratio has no meaning for family {equation.family}, whose mean may be 0 or below",
            place,
            "leave it out: the region then rests on kappa, eps, theta, theta_not or delta",
        )
    yield from _lacks_region(equation, hypothesis, place)


def _lacks_region(
    equation: Equation, hypothesis: Hypothesis, place: str, observed: Array | None = None
) -> Iterator[Problem]:
    """Refuse a claim without the region that it needs, with suggestions where data are at hand."""
    for keys in () if has_default_regions(equation) else getattr(hypothesis, "needed", ()):
        if any(getattr(hypothesis, key) is not None for key in keys):
            continue
        mend = f"add {' or '.join(f'`{key}:`' for key in keys)}"
        if observed is not None:
            listed = [f"`{key}: {value:g}` ({words})" for key, value, words in regions(observed)]
            mend = f"state what counts in your field; these data suggest {
                ' or '.join(
                    each for each in listed if any(each.startswith(f'`{key}:') for key in keys)
                )
            }"
        yield Problem(
            f"{hypothesis.kind} needs its region for family {equation.family}: a default region "
            "exists for probabilities, and shares without zeros of their own, only",
            place,
            mend,
        )


class Suggested(NamedTuple):
    """A key of a claim, a value taken from the data, and what it is there."""

    key: str
    value: float
    words: str


def regions(observed: Array) -> tuple[Suggested, ...]:
    """Suggest regions for an outcome on the scale of its expectation: two for each question.

    An expected outcome does not pass the highest one: where a quarter of the rows has that, or the mean of
    a skewed outcome is above the quartile, another value stands for it.
    """
    known = observed[np.isfinite(observed)]
    mean, sd, top = float(known.mean()), float(known.std()), float(known.max())
    quarter, words = float(np.quantile(known, 0.75)), "a quarter of the rows lies above"
    if not mean < quarter < top:
        quarter, words = float(np.quantile(known, 0.9)), "a tenth of the rows lies above"
    if not mean < quarter < top:
        quarter, words = (mean + top) / 2, "half way from the mean to the highest"
    found = (
        Suggested("theta", quarter, words),
        Suggested("theta", min(mean + sd / 2, (mean + top) / 2), "half an sd above the mean"),
        Suggested("theta_not", mean, "the mean"),
        Suggested("delta", sd / 2, "half an sd"),
    )
    return tuple(each._replace(value=float(f"{each.value:.3g}")) for each in found)


def region_problems(
    analysis: Analysis, where: Where, observed: Array | None = None
) -> list[Problem]:
    """Claims that lack a region; with the outcome, ``(row,)``, what to state goes by these data."""
    return [
        problem
        for position, claim in enumerate(analysis.hypotheses)
        for problem in _lacks_region(
            analysis.equation, claim, where(("hypotheses", position)), observed
        )
    ]


def _margin(equation: Equation, hypothesis: Hypothesis, place: str) -> Iterator[Problem]:
    """Refuse a margin that no effect on a probability or share is beyond."""
    margin, widest = getattr(hypothesis, "margin", None), WIDEST.get(hypothesis.kind)
    if margin is None or widest is None or not is_bounded(equation) or margin < widest:
        return
    scale = _bounds(equation)[2]
    percent = f"; {margin:g} percentage points are {margin / 100:g}" if 1 < margin <= 100 else ""
    yield Problem(
        f"margin is {margin:g}, but no {hypothesis.kind} on {scale} is above {widest:g}",
        place,
        f"give margin on the scale of the outcome, below {widest:g}{percent}",
    )


def _bounds(equation: Equation) -> tuple[float, float, str]:
    """Where the expected outcome can lie, and how a message says so."""
    family = FAMILIES[equation.family]
    if is_bounded(equation):
        share = family.scale == "share" and equation.at_least is None
        return 0.0, 1.0, "a share" if share else "a probability"
    return -math.inf if family.link == "identity" else 0.0, math.inf, "never below 0"


def has_default_regions(equation: Equation) -> bool:
    """Whether 0.75 is much and 0.5 little: zeros of their own keep a mean share below 1."""
    own_zeros = FAMILIES[equation.family].plain is not None and equation.at_least is None
    return is_bounded(equation) and not own_zeros


def is_bounded(equation: Equation) -> bool:
    """Whether the expected outcome is a probability or a share, between 0 and 1."""
    bounded = FAMILIES[equation.family].scale in ("probability", "share")
    return bounded or equation.at_least is not None


def claims_in_data(
    analysis: Analysis,
    capitals: Mapping[str, Scored],
    levels: tuple[str, ...],
    where: Where,
    observed: Array | None = None,
) -> Iterator[Problem]:
    """Compare the claims with the scored constructs, and with the scale of the outcome.

    ``levels`` are those of the outcome in focus, lowest first; empty for other families.
    ``observed`` is that outcome on the scale of its expectation, ``(row,)``; NaN where missing.
    """
    for position, claim in enumerate(analysis.hypotheses):
        if observed is not None:
            yield from _reach(analysis, claim, observed, levels, where(("hypotheses", position)))
        if not isinstance(claim, Corners):
            continue
        level = None if claim.at_least is None else label_of(claim.at_least)
        if levels and level is not None and level not in levels[1:]:
            yield Problem(
                f"at_least names '{level}', which is not a level above the lowest",
                where(("hypotheses", position, "at_least")),
                suggestion(level, levels[1:]),
            )
        for capital, anchors in claim.anchors.items():
            units = capitals[capital].units if capital in capitals else ()
            if isinstance(anchors.low, float) or isinstance(anchors.high, float) or not units:
                continue
            low, high = (raw_score(units, values) for values in (anchors.low, anchors.high))
            if low >= high:
                yield Problem(
                    f"the low anchor of {capital} is not below the high one: "
                    f"they are scores of {low:.3g} and {high:.3g}",
                    where(("hypotheses", position, "anchors", capital)),
                    "check the direction of each indicator",
                )


def _reach(
    analysis: Analysis, claim: Hypothesis, observed: Array, levels: tuple[str, ...], place: str
) -> Iterator[Problem]:
    """Refuse thresholds that an expected outcome cannot reach, or that these data are far from.

    An ordinal expectation is between the lowest and the highest level. Other unbounded outcomes are
    compared with what was observed, widened by its range on either side: what lies beyond is in
    another unit.
    """
    level = getattr(claim, "at_least", None)
    if level is not None or has_default_regions(analysis.equation):
        return
    if is_bounded(analysis.equation):
        yield from _reach_of_share(analysis, claim, observed, place)
        return
    low, high = float(np.nanmin(observed)), float(np.nanmax(observed))
    width = high - low
    words = f"'{analysis.equation.outcome}' goes from {low:g} to {high:g}"
    if analysis.equation.exposure is not None:
        words += f" per unit of '{analysis.equation.exposure}'"
    if levels:
        words = f"the expected level of {words}"
    else:
        low, high = low - width, high + width
        words = f"in these data {words}"
    for key in REGION_KEYS:
        value = getattr(claim, key, None)
        if value is not None and not low <= value <= high:
            yield Problem(
                f"{key} is {value:g}, but {words}", place, f"give {key} on the scale of the column"
            )
    for key in ("delta", "margin"):
        value = getattr(claim, key, None)
        if value is not None and value > width * WIDEST.get(claim.kind, 1.0):
            yield Problem(
                f"{key} is {value:g}, but {words}: no difference is as large",
                place,
                f"give {key} in units of the column",
            )


def _reach_of_share(
    analysis: Analysis, claim: Hypothesis, observed: Array, place: str
) -> Iterator[Problem]:
    """Refuse a mean share that zeros of their own keep out of reach."""
    zeros = float(np.mean(observed[np.isfinite(observed)] == 0))
    for key in REGION_KEYS:
        value = getattr(claim, key, None)
        if value is not None and value >= 1.0 - zeros:
            yield Problem(
                f"{key} is {value:g}, but {zeros:.0%} of '{analysis.equation.outcome}' is 0: its mean over "
                f"all firms stays below {1.0 - zeros:.2g}",
                place,
                f"give {key} below that, or explain with family beta how much there is where there is any",
            )


def compared_pairs(claim: Difference, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of groups that a difference is about: those it names, else every pair.

    Of a combination of columns, pairs are of the same group of the first.
    """
    if WITHIN not in claim.by:
        return [claim.between] if claim.between else list(combinations(labels, 2))
    inside: dict[str, list[str]] = {}
    for label in labels:
        outer, inner = label.rsplit(WITHIN, 1)
        inside.setdefault(outer, []).append(inner)
    return [
        (f"{outer}{WITHIN}{first}", f"{outer}{WITHIN}{second}")
        for outer, inner in inside.items()
        for first, second in ([claim.between] if claim.between else combinations(inner, 2))
        if {first, second} <= set(inner)
    ]


def group_problems(
    analysis: Analysis, groups: Mapping[str, Sequence[str]], where: Where
) -> Iterator[Problem]:
    """Find groupings that are no categories, and differences between groups that the data lack.

    ``groups`` holds the labels of each grouping.
    """
    for asked in dict.fromkeys(each.by for each in asked_groupings(analysis)):
        path = next(each.path for each in asked_groupings(analysis) if each.by == asked)
        if asked in moderators(analysis) and len(groups[asked]) > MOST_CATEGORIES:
            yield Problem(
                f"'{asked}' has {len(groups[asked]):,} different values: by asks for categories",
                where(path),
                "make few groups of it by `derive` under data (recode, or above)",
            )
    for position, claim in enumerate(analysis.hypotheses):
        if isinstance(claim, Difference):
            yield from _compared(claim, groups[claim.by], ("hypotheses", position), where)


def _compared(
    claim: Difference, labels: Sequence[str], path: tuple[str | int, ...], where: Where
) -> Iterator[Problem]:
    one, many = WORDS.get(claim.by, ("a group", "groups"))
    if len(labels) < 2:
        yield Problem(
            f"a difference needs two {many}, and all firms are in '{group_name(claim.by, labels[0])}'"
            if labels
            else f"a difference needs two {many}, and no firm has one",
            where(path),
            "leave the hypothesis out",
        )
        return
    compared = [label.rsplit(WITHIN, 1)[-1] if WITHIN in claim.by else label for label in labels]
    if claim.between is None and len(labels) > MOST_GROUPS:
        yield Problem(
            f"a difference between every pair of {len(labels)} {many} is "
            f"{len(compared_pairs(claim, labels)):,} claims",
            where(path),
            f"name the two {many} in question: `between: [.., ..]`",
        )
    unknown = [name for name in claim.between or () if name not in compared]
    for name in unknown:
        yield Problem(
            f"no firm is in {one} called '{name}'",
            where((*path, "between")),
            suggestion(name, list(dict.fromkeys(compared))),
        )
    if not unknown and not compared_pairs(claim, labels):
        yield Problem(
            f"no {claim.by.split(WITHIN)[0]} has firms of two groups to compare",
            where(path),
            "leave the hypothesis out",
        )
