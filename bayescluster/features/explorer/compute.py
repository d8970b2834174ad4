"""Draws of the outcome surface on a grid, thinned to what a page can carry, packed and unpacked."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple
from zlib import compress, decompress

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.special import expit, logit, ndtr

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import KAPPA
from bayescluster.dataset.constructs import amounts_at
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import (
    CORNERS,
    Levels,
    behind_gates,
    default_levels,
    levels_of,
    support,
)
from bayescluster.estimands.scopes import scoped
from bayescluster.features.explorer.results import (
    Axis,
    Explorer,
    ShownClaim,
    ShownGroup,
    ShownLevel,
    ShownSurface,
)
from bayescluster.names import ALL, CAPITALS, CLUSTER
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import ABOUT_BOTH, By, Corners, Hypothesis, Scope
from bayescluster.verdicts.compensation import NEAREST, outcome_scale
from bayescluster.verdicts.decide import why_withheld
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    ASSESS,
    ASSESS_SD,
    DELTA,
    MARGIN,
    MARGIN_SD,
    RATIO,
    THETA,
    THETA_NOT,
    TITLES,
    title_of,
)

NODES: Final = 11
REACH: Final = (0.02, 0.98)
"""Quantiles of a capital between which its nodes lie: beyond, hardly any firms are near."""
BYTES: Final = 280_000
"""Of the packed numbers; one takes about a byte, and base64 adds a third."""
WORK: Final = 1e9
"""Most expected outcomes of firms computed for one form, so that large samples do not wait."""
MOST, ENOUGH, FEWEST = 500, 200, 100
"""Draws: never more; other scopes and clusters only where this many are left; below, the smallest
industries, or groups by another column, are left out."""
WHOLE: Final = 65_535


def explorer_of(fits: Sequence[Evidence]) -> Explorer:
    """Compute what the explorer of a report needs.

    Parameters
    ----------
    fits
        Estimands of each form that was fitted; groups, rows and claims are the same in all.
    """
    first = fits[0]
    design, levels = first.design, levels_shown(first.design)
    axes = [_axis(design, position) for position in range(len(CAPITALS))]
    settings = [Setting(h, s) for h, s in product(axes[0].nodes, axes[1].nodes)]
    plan = planned(fits, len(levels), len(settings))
    found: list[ShownSurface] = []
    packed: list[NDArray[np.uint16]] = []
    for form, evidence in enumerate(fits):
        for scope, level, groups in plan.passes:
            values = _on_link(evidence, plan, (scope, levels[level], groups), settings)
            gates = _behind(evidence, plan, groups)
            for k, group in enumerate(groups):
                whole, offset, step = rounded(values[:, :, k])
                packed.append(whole)
                found.append(
                    ShownSurface(
                        form=form,
                        scope=scope,
                        level=level,
                        group=group,
                        offset=offset,
                        step=step,
                        behind=gates[k],
                    )
                )
    forms = tuple(each.design.structure.name for each in fits)
    shape = (len(found), plan.draws, len(axes[0].nodes), len(axes[1].nodes))
    return Explorer(
        human=axes[0],
        social=axes[1],
        forms=forms,
        levels=tuple(_level(design, level) for level in levels),
        groups=tuple(_groups(first, plan, axes)),
        claims=tuple(_claims(design, forms)),
        surfaces=tuple(found),
        draws=plan.draws,
        of=min(each.posterior.size for each in fits),
        left_out=plan.left_out,
        data=packed_text(np.stack(packed).reshape(shape)),
    )


def levels_shown(design: Design) -> list[Scalar | None]:
    """Levels of the outcome to choose from: that of the equation (None), then what claims and scale add."""
    own = design.equation.at_least
    asked = [c.at_least for c in design.analysis.hypotheses if isinstance(c, Corners)]
    levels: dict[str, Scalar] = {label_of(each): each for each in asked if each is not None}
    levels |= {label: label for label in design.levels[1:] if label not in levels}
    return [
        None,
        *(each for label, each in levels.items() if own is None or label != label_of(own)),
    ]


Pass = tuple[Scope, int, tuple[int, ...]]
"""Scope, level and groups of surfaces that are computed together."""


class Plan(NamedTuple):
    """Groups by kind, column and label; scope, level and groups of each pass; draws; groups left out."""

    groups: tuple[tuple[By, int, str], ...]
    passes: tuple[Pass, ...]
    draws: int
    left_out: int

    def columns(self, groups: Sequence[int]) -> list[int]:
        """Columns of the estimands of some groups."""
        return [self.groups[k][1] for k in groups]


def planned(fits: Sequence[Evidence], levels: int, nodes: int) -> Plan:
    """Choose what the page carries: all firms, industries and the like; then a new cluster, clusters."""
    evidence, size = fits[0], min(each.posterior.size for each in fits)
    design, rows = evidence.design, evidence.groups.members.sum(axis=0)
    kinds = [by for by in evidence.kinds if by not in (ALL, CLUSTER)]
    others = [(by, *one) for by in kinds for one in evidence.columns(by)]
    clusters = [(CLUSTER, *one) for one in evidence.columns(CLUSTER)]

    def draws(surfaces: int) -> int:
        return BYTES // (nodes * len(fits) * surfaces)

    kept = sorted(others, key=lambda one: -rows[one[1]])
    while kept and draws(levels * (1 + len(kept))) < FEWEST:
        kept.pop()
    groups = sorted([(ALL, *evidence.columns(ALL)[0]), *kept], key=lambda one: one[1])
    usual = tuple(range(len(groups)))
    passes: list[Pass] = [("observed", level, usual) for level in range(levels)]
    surfaces = levels * len(usual)
    if CLUSTER in evidence.posterior.groups and draws(surfaces + len(usual)) >= ENOUGH:
        passes.append(("new_cluster", 0, usual))
        surfaces += len(usual)
    if clusters and draws(surfaces + len(clusters)) >= ENOUGH:
        passes.append(("observed", 0, tuple(range(len(groups), len(groups) + len(clusters)))))
        surfaces += len(clusters)
        groups += clusters
    affordable = int(WORK / (nodes * len(passes) * design.size))
    count = min(MOST, size, max(min(draws(surfaces), affordable), FEWEST // 2))
    return Plan(tuple(groups), tuple(passes), count, len(others) - len(kept))


def _on_link(
    evidence: Evidence,
    plan: Plan,
    asked: tuple[Scope, Scalar | None, Sequence[int]],
    settings: Sequence[Setting],
) -> Array:
    """Surfaces of some groups on the link scale, ``(draw, node, group)``."""
    scope, level, groups = asked
    design = evidence.design.reaching(level)
    draws = scoped(design, evidence.posterior.thinned(plan.draws), scope, evidence.seed)
    weights = evidence.groups.weights[:, plan.columns(groups)]
    values, scale = outcome_surface(design, draws, settings, weights), outcome_scale(design)
    if scale.bounded and scale.link == "logit":  # means may lie beyond the ends of the scale
        return np.asarray(logit(np.clip(values, NEAREST, 1 - NEAREST)))
    return scale.to_link(values)


def _behind(evidence: Evidence, plan: Plan, groups: Sequence[int]) -> list[tuple[float, ...]]:
    """Firms that the gates of a form put behind each corner, by group."""
    members = evidence.groups.members[:, plan.columns(groups)]
    behind = behind_gates(evidence.design, evidence.posterior.thinned(plan.draws), members)
    if not behind:
        return [()] * len(groups)
    means = np.array([behind[corner].mean(axis=0) for corner in CORNERS])  # (corner, group)
    return [tuple(column) for column in means.T.tolist()]


def rounded(values: Array) -> tuple[NDArray[np.uint16], float, float]:
    """Values as whole numbers of 16 bits, with what gives them back: ``offset + step * whole``."""
    low, high = float(values.min()), float(values.max())
    step = (high - low) / WHOLE or 1.0
    return np.round((values - low) / step).astype("uint16"), low, step


def packed_text(whole: NDArray[np.uint16]) -> str:
    """Pack whole numbers, ``(surface, draw, human, social)``: a surface is smooth, its differences small."""
    for axis in (2, 3):
        first = np.zeros_like(whole[(slice(None),) * axis + (slice(0, 1),)])
        whole = np.diff(whole, axis=axis, prepend=first)  # wraps around, and back
    low_high = whole.astype("<u2").reshape(-1, 1).view(np.uint8)
    return b64encode(compress(low_high.T.tobytes(), 9)).decode()


def unpacked(explorer: Explorer) -> Array:
    """Expected outcomes that were packed, ``(surface, draw, human, social)``."""
    planes = np.frombuffer(decompress(b64decode(explorer.data)), np.uint8).reshape(2, -1)
    whole = planes[0].astype("<u2") + (planes[1].astype("<u2") << 8)
    nodes = len(explorer.human.nodes), len(explorer.social.nodes)
    whole = whole.reshape(len(explorer.surfaces), explorer.draws, *nodes)
    for axis in (3, 2):
        whole = np.cumsum(whole, axis=axis, dtype="uint16")
    found = np.empty(whole.shape)
    for k, surface in enumerate(explorer.surfaces):
        level = explorer.levels[surface.level]
        low, high = (0.0, 1.0) if level.bounded else level.ends
        share = FROM_LINK[level.link](surface.offset + surface.step * whole[k])
        found[k] = low + (high - low) * share
    return found


FROM_LINK: Final[Mapping[str, Callable[[Array], Array]]] = {
    "logit": lambda link: np.asarray(expit(link)),
    "probit": lambda link: np.asarray(ndtr(link)),
    "logarithmic": np.exp,
    "outcome": np.asarray,
}
"""From the link scale back; the explorer has the same in its script."""


def _axis(design: Design, position: int) -> Axis:
    """Nodes of a capital: evenly over its firms, the declared levels among them."""
    capital, values = CAPITALS[position], design.capitals[position]
    known = values[~np.isnan(values)]
    claims = [claim for claim in design.analysis.hypotheses if isinstance(claim, Corners)]
    declared = [levels_of(design, claim) for claim in claims] or [default_levels(design)]
    ends = [(each.human, each.social)[position] for each in declared]
    exact = sorted({end for pair in ends for end in pair})
    nodes = exact
    if not design.is_binary(capital):
        low_end, high_end = np.quantile(known, REACH)
        even = np.linspace(low_end, high_end, NODES)
        apart = (even[1] - even[0]) / 2
        nodes = sorted(
            {*exact, *(n for n in even.tolist() if min(abs(n - e) for e in exact) > apart)}
        )
    low, high = (nodes.index(end) for end in ends[0])
    return Axis(
        capital=capital,
        nodes=tuple(nodes),
        amounts=tuple(_amounts(design, capital, nodes)),
        low=low,
        high=high,
    )


def _amounts(design: Design, capital: str, nodes: Sequence[float]) -> Iterator[str]:
    """Nodes in units of the indicator, of a capital that has a single one."""
    for measure in design.details.measures:
        single = measure.capital == capital and measure.method == "single"
        if not single or measure.binary or not measure.units:
            continue
        unit = design.scaling(capital)
        for node in nodes:
            ((column, value),) = amounts_at(measure.units, unit.center + unit.scale * node).items()
            yield f"{column} {value:.4g}"


def _level(design: Design, level: Scalar | None) -> ShownLevel:
    scale, reaching = outcome_scale(design, level), design.reaching(level)
    shown = reaching.equation.at_least
    found: dict[str, float | None] = {
        "assess": ASSESS if scale.bounded else ASSESS_SD * scale.sd,
        "ratio": RATIO if scale.has_ratio else None,
        "kappa": KAPPA,
        "eps": None,
        "theta": THETA if scale.bounded else None,
        "theta_not": THETA_NOT if scale.bounded else None,
        "delta": DELTA if scale.bounded else None,
        "margin": MARGIN if scale.bounded else MARGIN_SD * scale.sd,
        "level": 0.95,
        "min_support": 10,
    }
    for claim in reversed(design.analysis.hypotheses):  # what is declared first is what counts
        if isinstance(claim, Corners) and claim.at_least == level:
            declared = {name: getattr(claim, name, None) for name in found}
            found |= {name: value for name, value in declared.items() if value is not None}
    return ShownLevel(
        at_least=None if shown is None else label_of(shown),
        bounded=scale.bounded,
        link=scale.link,
        ends=scale.ends,
        least_span=scale.least_span,
        has_ratio=scale.has_ratio,
        sd=scale.sd,
        cutoffs=found,
    )


def _groups(evidence: Evidence, plan: Plan, axes: Sequence[Axis]) -> Iterator[ShownGroup]:
    members = evidence.groups.members[:, plan.columns(range(len(plan.groups)))]
    human, social = (axis.nodes for axis in axes)
    firms = np.empty((len(human), len(social), len(plan.groups)))
    for h, s in product(range(0, len(human), 2), range(0, len(social), 2)):
        pair = [
            (nodes[k], nodes[min(k + 1, len(nodes) - 1)]) for nodes, k in ((human, h), (social, s))
        ]
        four = support(evidence.design, Levels(pair[0], pair[1], ""), members).firms
        for corner, count in zip(CORNERS, four, strict=True):
            at = [k + (c == "H") for k, c in zip((h, s), corner, strict=True)]
            if at[0] < len(human) and at[1] < len(social):
                firms[at[0], at[1]] = count
    sizes = members.sum(axis=0)
    for k, (by, _, label) in enumerate(plan.groups):
        near = tuple(np.round(firms[:, :, k].ravel(), 4).tolist())
        yield ShownGroup(by=by, group=label, rows=int(sizes[k]), firms=near)


def _claims(design: Design, forms: Sequence[str]) -> Iterator[ShownClaim]:
    for kind in TITLES:
        for capital in (None,) if kind in ABOUT_BOTH else CAPITALS:
            claim = claim_of(kind, capital)
            yield ShownClaim(
                kind=kind,
                capital=capital,
                title=title_of(claim),
                withheld=why_withheld(claim, design, forms),
            )


def claim_of(kind: str, capital: str | None, **cutoffs: float) -> Hypothesis:
    """A claim about corners, with cut-offs."""
    given = {"kind": kind, **cutoffs} | ({"capital": capital} if capital else {})
    return CLAIM.validate_python(given)


CLAIM: Final[TypeAdapter[Hypothesis]] = TypeAdapter(Hypothesis)
