"""Faults of the question which capital is the weakest node, before anything is fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayescluster.errors import Problem
from bayescluster.families import FAMILIES
from bayescluster.names import INTERCEPT
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.constructs import CAPITALS
from bayescluster.spec.equation import Equation
from bayescluster.spec.weakest_node import WeakestNode

NAME = "weakest_node"


def weakest_node_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Find what the block asks for that the analysis cannot give."""
    asked = analysis.weakest_node
    if asked is None:
        return
    if analysis.equation.structure == (INTERCEPT,):
        yield Problem(
            f"weakest_node compares the capitals, but '{analysis.equation_name}' has structure "
            "'intercept', which uses neither",
            where((NAME,)),
            "leave it out, or take a structure with both capitals",
        )
    yield from _groups(analysis, asked, where)
    yield from _costs(asked, where)
    yield from _units(analysis, asked, where)
    yield from _targets(analysis.equation, asked, where)


def _groups(analysis: Analysis, asked: WeakestNode, where: Where) -> Iterator[Problem]:
    for by in asked.by or ():
        if by != "all" and getattr(analysis.data, by) is None:
            yield Problem(
                f"weakest_node asks by {by}, but the data declare none",
                where((NAME, "by")),
                f"name the {by} column under data, or leave {by} out",
            )
    if asked.scope == "observed":
        return
    if analysis.data.cluster is None:
        yield Problem(
            f"scope {asked.scope} needs clusters, but the data declare none",
            where((NAME, "scope")),
            "add `cluster:` with its column under data, or use `scope: observed`",
        )
    elif "cluster" not in analysis.equation.varying:
        yield Problem(
            f"scope {asked.scope} needs effects of clusters, and none vary by cluster",
            where((NAME, "scope")),
            "add `cluster: [intercept]` under varying, or use `scope: observed`",
        )


def _costs(asked: WeakestNode, where: Where) -> Iterator[Problem]:
    lacking = [capital for capital in CAPITALS if capital not in asked.costs]
    if asked.costs and lacking:
        yield Problem(
            f"costs lacks {lacking[0]}: gains per cost can only be compared where both have one",
            where((NAME, "costs")),
            f"add `{lacking[0]}:`, or leave costs out",
        )
    if asked.budget is not None and not asked.costs:
        yield Problem(
            "a budget can only be spent on what has a cost, and no costs are declared",
            where((NAME, "budget")),
            "add `costs:` of a step of both capitals, or leave budget out",
        )


def _units(analysis: Analysis, asked: WeakestNode, where: Where) -> Iterator[Problem]:
    for capital in CAPITALS if asked.unit == "original" else ():
        made = analysis.constructs.get(capital)
        if made is not None and made.method == "latent":
            yield Problem(
                f"steps are asked for in original units, but {capital} is latent and has none",
                where((NAME, "unit")),
                "use `unit: sd`",
            )


def _targets(equation: Equation, asked: WeakestNode, where: Where) -> Iterator[Problem]:
    family = FAMILIES[equation.family]
    bounded = family.scale in ("probability", "share") or equation.at_least is not None
    floor = -math.inf if family.link == "identity" and not bounded else 0.0
    scale = "between 0 and 1" if bounded else "never below 0"
    for position, target in enumerate(asked.targets or ()):
        if not floor <= target <= (1.0 if bounded else math.inf):
            yield Problem(
                f"the target {target:g} cannot be reached: the expected outcome is {scale}",
                where((NAME, "targets", position)),
                "give targets on the scale of the outcome",
            )
