"""Ceilings of a fit: effect sizes, what a compensatory model gives, bottlenecks, and readings of claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array, Positions
from bayescluster.design.forms import in_form
from bayescluster.design.record import Design
from bayescluster.estimands.approximation import approximate, complete_rows
from bayescluster.estimands.diagnostics import centre_and_ends, estimate, estimates
from bayescluster.estimands.scopes import declared_groups, side_by_side
from bayescluster.features.ceilings.functional import (
    QUANTILES,
    Ceiling,
    Key,
    ceiling_of,
    least_level_rows,
    least_levels,
    outcome_scope,
    spans,
    surfaces_of,
    units_of,
)
from bayescluster.features.ceilings.results import CeilingLine, Ceilings, FormCeiling, LeastLevel
from bayescluster.features.nca.observed import effect_size
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import ALL, CAPITALS, CLUSTER
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.verdicts.claims import CAPITAL_OF, claim_groups
from bayescluster.verdicts.decide import GATE_FAILED, ROUNDING, decide
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS

CEILING_STREAM: Final = 22
DRAWS: Final = 400
"""Posterior draws behind a ceiling, evenly spaced within the chains."""
PRIOR_DRAWS: Final = 200
DRAWS_THROUGH, PRIOR_THROUGH = 80, 40
"""The same where the capitals act through other equations, which takes many times as long."""
TARGETS: Final = 10
"""Targets where none are declared: the scope of the outcome in so many steps."""
CLUSTER_MIN: Final = 10
"""Fewest firms of a cluster that has an effect size of its own."""
REPLICATES: Final = 500
FITTED: Final = "the fitted model, which is additive"
APPROXIMATED: Final = (
    "an additive model of the same outcome, by the normal approximation of its posterior"
)
MARGIN: Final = 0.10
"""Default of a difference between industries in d that counts."""
NECESSITY: Final[tuple[ClaimName, ...]] = ("N-H", "N-S")
DIFFERENCES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


class NullTest(NamedTuple):
    """An observed statistic, what the compensatory model gives, and how often as much.

    ``clusters`` counts the clusters averaged over; 0 where all firms are taken together.
    """

    observed: float
    expected: float
    p: float
    clusters: int


class GroupCeiling(NamedTuple):
    """A ceiling with its prior, the observed effect sizes, and its null."""

    ceiling: Ceiling
    prior: Ceiling
    rows: int
    ce_fdh: float | None
    cr_fdh: float | None
    null: NullTest | None


class FittedCeilings(NamedTuple):
    """Ceilings by capital and group; ``chains`` are behind their draws.

    ``outcome`` is the scope of the outcome, ``null`` the compensatory model in words, or nothing.
    """

    of: dict[Key, GroupCeiling]
    outcome: tuple[float, float]
    is_quantile: bool
    chains: int
    draws: int
    null: str
    notes: tuple[str, ...]


def ceiling_results(evidence: Evidence) -> Ceilings:
    """Summarise the ceilings of a fit."""
    design, fitted = evidence.design, ceilings_of(evidence)
    options = design.analysis.traditions.ceilings
    low, high = fitted.outcome
    height, scope = "expected outcome", "its range among the firms of the group"
    if fitted.is_quantile:
        height = f"quantile {options.quantile:g} of the outcome of a firm"
    if options.scope is not None:
        ends = options.scope
        scope = f"between its quantiles {ends[0]:g} and {ends[1]:g} in the group"
    above = [(key, one) for key, one in fitted.of.items() if key[1] != "cluster"]
    return Ceilings(
        height=height,
        d_min=options.d_min,
        level=design.analysis.traditions.level,
        supported=options.supported,
        scope=scope,
        outcome_low=low,
        outcome_high=high,
        draws=fitted.draws,
        replicates=REPLICATES,
        null=fitted.null,
        rows=tuple(_row(key, one, fitted.chains, options.d_min) for key, one in fitted.of.items()),
        bottlenecks=tuple(
            row for key, one in above for row in _bottlenecks(key, one.ceiling, design, (low, high))
        ),
        lines=tuple(_line(key, one.ceiling, design) for key, one in above),
        notes=fitted.notes,
    )


def _row(key: Key, one: GroupCeiling, chains: int, d_min: float) -> FormCeiling:
    capital, by, group = key
    null = one.null
    return FormCeiling(
        capital=capital,
        by=by,
        group=group,
        rows=one.rows,
        estimate=estimates(one.ceiling.d[:, None], chains)[0],
        prior=estimate(one.prior.d),
        within=estimates(one.ceiling.reached[:, None], chains)[0],
        at_least=float((one.ceiling.d >= d_min).mean()),
        prior_at_least=float((one.prior.d >= d_min).mean()),
        ce_fdh=one.ce_fdh,
        cr_fdh=one.cr_fdh,
        null_observed=null.observed if null else None,
        null_expected=null.expected if null else None,
        null_p=null.p if null else None,
        null_clusters=null.clusters if null else 0,
    )


def _bottlenecks(
    key: Key, ceiling: Ceiling, design: Design, outcome: tuple[float, float]
) -> Iterator[LeastLevel]:
    bottom, top = outcome
    declared = design.analysis.traditions.ceilings.targets
    targets = np.linspace(bottom, top, TARGETS + 1) if declared is None else np.array(declared)
    percents = 100 * (targets - bottom) / (top - bottom)
    draws = least_levels(ceiling.levels, ceiling.height, targets, between=not ceiling.steps)
    units = units_of(design, key[0], ceiling.levels[0], ceiling.levels[-1])
    return least_level_rows(key, draws, targets, percents, units)


def _line(key: Key, ceiling: Ceiling, design: Design) -> CeilingLine:
    capital, by, group = key
    unit, height = design.scaling(capital), ceiling.height
    centre, low, high = centre_and_ends(height)
    return CeilingLine(
        capital=capital,
        by=by,
        group=group,
        at=tuple((unit.center + unit.scale * ceiling.levels).tolist()),
        mean=tuple(centre.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        steps=ceiling.steps,
    )


def ceilings_of(evidence: Evidence) -> FittedCeilings:
    """Ceilings of every capital in every group, with the null each is compared with."""
    return evidence.once(_ceilings_of)


def _ceilings_of(evidence: Evidence) -> FittedCeilings:
    """Compute the ceilings of a fit for all firms, every industry and every cluster."""
    design, posterior = evidence.design, evidence.posterior
    options = design.analysis.traditions.ceilings
    through = bool(posterior.upstream)
    some = posterior.thinned_by_chain(DRAWS_THROUGH if through else DRAWS)
    few = evidence.prior.thinned(PRIOR_THROUGH if through else PRIOR_DRAWS)
    parts = declared_groups(design)
    groups = side_by_side(parts)
    known = spans(design, groups, options)
    after, before = (
        surfaces_of(design, draws, groups, known, options.quantile) for draws in (some, few)
    )
    rng = np.random.default_rng((evidence.seed, CEILING_STREAM))
    null = compensatory(design, posterior, rng)
    outcome, rates = outcome_scope(design, options), design.rates(design.outcome)
    kinds = [part.by for part in parts for _ in part.labels]
    ceilings: dict[Key, GroupCeiling] = {}
    for column, (by, label) in enumerate(zip(kinds, groups.labels, strict=True)):
        span = known[column]
        if span is None:
            continue
        members = groups.members[:, column]
        clusters = parts_of(design, null.rows, members) if null else []
        for position, capital in enumerate(CAPITALS):
            x = design.capitals[position]
            ceilings[capital, by, label] = GroupCeiling(
                ceiling_of(after, position, column, span, outcome),
                ceiling_of(before, position, column, span, outcome),
                int(members.sum()),
                *_observed(x[members], rates[members]),
                null_test(x[null.rows], null, clusters) if null else None,
            )
    flat = [label for label, span in zip(groups.labels, known, strict=True) if span is None]
    return FittedCeilings(
        ceilings,
        outcome,
        after.is_quantile,
        some.chains,
        some.size,
        null.source if null else "",
        tuple(_notes(design, null, after.is_quantile, flat)),
    )


def _observed(x: Array, y: Array) -> tuple[float | None, float | None]:
    """CE-FDH and CR-FDH of the firms as they are; nothing where capital or outcome does not vary."""
    both: NDArray[np.bool_] = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None, None
    sizes = (effect_size(x, y, ceiling="ce_fdh"), effect_size(x, y, ceiling="cr_fdh"))
    ce, cr = (size if np.isfinite(size) else None for size in sizes)
    return ce, cr


def _notes(
    design: Design, null: Compensatory | None, is_quantile: bool, flat: list[str]
) -> Iterator[str]:
    if null is None:
        yield (
            "No additive model of this outcome could be found, so nothing says how large an effect "
            "size a compensatory model gives: no claim is supported here."
        )
    elif null.rows.size < design.size:
        yield (
            f"Effect sizes of observed firms, and the compensatory model, are of the "
            f"{null.rows.size} of {design.size} rows where nothing is missing."
        )
    if any(design.is_latent(capital) for capital in CAPITALS):
        yield (
            "Effect sizes of observed firms, and the compensatory model, take the scores of latent "
            "capitals; the ceilings of the model take the capitals themselves."
        )
    if design.weights is not None:
        yield "Survey weights count in the ceilings of the model, not in those of observed firms."
    if design.family.name in QUANTILES and not is_quantile:
        yield (
            "The ceiling is an expectation: where other equations come in between, or each row has "
            "a standard error of its own, the predictive distribution has no simple quantile."
        )
    if np.unique(design.firms).size < design.size:
        yield "Firms repeat: numbers of firms here count rows."
    if flat:
        yield f"No ceiling where a capital does not vary: {', '.join(flat)}."
    if design.analysis.data.cluster is not None and CLUSTER not in design.equation.groupings:
        yield (
            "The model has no effects of clusters, nor has the compensatory one: between clusters "
            "both are too sure."
        )


class Compensatory(NamedTuple):
    """Outcomes that an additive model gives to the firms observed.

    ``outcomes`` is ``(replicate, row)``, ``observed`` ``(row,)``, both as rates or shares where the
    outcome has exposure or trials; ``rows`` are the positions of these rows in the design; ``source``
    says in words where they come from.
    """

    outcomes: Array
    observed: Array
    rows: Positions
    source: str


def compensatory(design: Design, posterior: Draws, rng: np.random.Generator) -> Compensatory | None:
    """Replicate the outcome from an additive model of the same firms.

    Where the fitted form is additive its own posterior is taken, else an additive form with the
    same controls, groupings and priors is approximated. Predictors from other equations stay as
    observed, and latent capitals are their scores. None where no additive model could be found.
    """
    rows, source = complete_rows(design), FITTED
    if design.structure.name == "additive":
        outcomes = replicate(design, posterior.thinned(REPLICATES), rng)
    else:
        additive = approximate(in_form(design, "additive"))
        if additive is None:
            return None
        source, matrix = APPROXIMATED, additive.inputs.matrix
        theta = additive.sample(REPLICATES, rng)
        eta = theta[:, : matrix.shape[1]] @ matrix.T + additive.design.offset[rows]
        parameters = additive.free.parameters(theta[:, matrix.shape[1] :])
        known = additive.design.rows.at(rows)
        outcomes = np.full((len(theta), design.size), np.nan)
        outcomes[:, rows] = additive.design.family.draw(rng, eta, parameters, known)
    return Compensatory(
        design.rates(outcomes)[:, rows], design.rates(design.outcome)[rows], rows, source
    )


def null_test(x: Array, null: Compensatory, parts: Sequence[Positions]) -> NullTest | None:
    """Compare the observed effect size of a capital with those of the compensatory model.

    Parameters
    ----------
    x
        The capital at the rows of ``null``, ``(row,)``.
    null
        Replicated and observed outcomes.
    parts
        Positions among these rows: the firms of each cluster, or all of a group in one part.

    Returns
    -------
    NullTest or None
        None where capital or outcome does not vary in any part.
    """
    both = np.concatenate([null.observed[None], null.outcomes])  # (1 + replicate, row)
    sizes = np.array([part.size for part in parts], dtype=float)
    d = np.column_stack([ce_fdh_sizes(x[part], both[:, part]) for part in parts])
    known = ~np.isnan(d)
    if not known[0].any():
        return None
    total = (known * sizes).sum(axis=1)
    # replicates whose outcome does not vary anywhere have no effect size: none counts as 0
    t = (np.where(known, d, 0.0) @ sizes) / np.where(total > 0, total, 1.0)
    larger = int((t[1:] >= t[0] - 1e-12).sum())
    return NullTest(
        float(t[0]), float(t[1:].mean()), (larger + 1) / t.size, len(parts) if len(parts) > 1 else 0
    )


def ce_fdh_sizes(x: Array, y: Array) -> Array:
    """CE-FDH effect sizes of many sets of outcomes, each in the scope of its own range.

    The area above the staircase is the integral over x of how far the highest outcome so far lies
    below the highest of all.

    Parameters
    ----------
    x, y
        ``(row,)`` and ``(set, row)``.

    Returns
    -------
    ndarray
        ``(set,)``; NaN where x or y does not vary.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[:, order]
    low, high = y.min(axis=1), y.max(axis=1)
    top = np.maximum.accumulate(y, axis=1)
    # rows of the same x make steps of no width, so that the highest of them counts
    area = (high[:, None] - top[:, :-1]) @ np.diff(x)
    scope = (high - low) * (x[-1] - x[0])
    return np.asarray(np.where(scope > 0, area / np.where(scope > 0, scope, 1.0), np.nan))


def parts_of(design: Design, rows: Positions, members: NDArray[np.bool_]) -> list[Positions]:
    """Split the rows of a group by cluster; all in one part where no cluster has enough firms.

    Parameters
    ----------
    design
        The design.
    rows
        Positions of the rows that are looked at.
    members
        Whether a row of the design belongs to the group, ``(row of the design,)``.
    """
    mine = np.flatnonzero(members[rows])
    if design.analysis.data.cluster is None:
        return [mine]
    cluster = design.index(CLUSTER)[rows]
    parts = [mine[cluster[mine] == each] for each in np.unique(cluster[mine])]
    large = [part for part in parts if part.size >= CLUSTER_MIN]
    return large or [mine]


class Preferred(NamedTuple):
    """Effect sizes from a ceiling model, in place of those of the fitted form.

    ``names`` are the models in words; ``d`` and ``prior`` are ``(draw,)``, all by capital and group;
    ``chains`` are behind ``d``. Groups they lack keep the ceiling of the fitted form.
    """

    names: Mapping[Key, str]
    d: Mapping[Key, Array]
    prior: Mapping[Key, Array]
    chains: int


class _Size(NamedTuple):
    """Draws of an effect size, their prior, and whose ceiling it is."""

    d: Array
    prior: Array | None
    chains: int
    whose: str


def ceiling_readings(
    evidence: Evidence, gate_passed: bool, preferred: Preferred | None = None
) -> Iterator[Reading]:
    """Read the claims that speak of ceilings, for the groups that ``traditions`` names.

    Parameters
    ----------
    evidence
        Estimands of the fit.
    gate_passed
        Whether the diagnostics gate passed.
    preferred
        Effect sizes that take the place of those of the fitted form, from a model of the ceiling
        itself. The compensatory null stays: it looks at the observed firms.
    """
    if is_yes_or_no(evidence.design):
        return
    stopped = "" if gate_passed else GATE_FAILED
    for name in NECESSITY:
        for by in claim_groups(evidence.design):
            for _, label in evidence.columns(by):
                key: Key = (CAPITAL_OF[name], by, label)
                if key in ceilings_of(evidence).of:
                    size = _size(evidence, key, preferred)
                    yield _necessity(name, key, evidence, size, stopped)
    for name in DIFFERENCES:
        sizes = _industries(CAPITAL_OF[name], evidence, preferred)
        if len(sizes) > 1 and len({(one.chains, one.whose, one.d.size) for one in sizes}) == 1:
            yield _difference(name, evidence, sizes, stopped)


def _size(evidence: Evidence, key: Key, preferred: Preferred | None) -> _Size:
    if preferred is not None and key in preferred.d:
        whose = f", by {preferred.names[key]}"
        return _Size(preferred.d[key], preferred.prior.get(key), preferred.chains, whose)
    fitted = ceilings_of(evidence)
    one = fitted.of[key]
    return _Size(within_reach(one.ceiling), within_reach(one.prior), fitted.chains, WITHIN)


WITHIN = ", within reach"


def within_reach(ceiling: Ceiling) -> Array:
    """Effect size relative to what the ceiling reaches at all, not to the scope, ``(draw,)``.

    Of the scope, what lies above the ceiling's own highest point says how common the outcome is, and
    nothing of the capital.
    """
    out_of_reach = ceiling.d - ceiling.reached
    return np.asarray(ceiling.reached / np.maximum(1 - out_of_reach, TINY))


TINY = 1e-12


def is_yes_or_no(design: Design) -> bool:
    """Whether the outcome is no amount: then a capital without any effect has a ceiling effect too."""
    return design.family.exceedance is None or design.equation.at_least is not None


def _necessity(name: ClaimName, key: Key, evidence: Evidence, size: _Size, stopped: str) -> Reading:
    """Read whether d is large, and larger than a compensatory model gives."""
    options, one = evidence.design.analysis.traditions, ceilings_of(evidence).of[key]
    level, d_min, null = options.level, options.ceilings.d_min, one.null
    probability = float((size.d >= d_min).mean())
    prior = None if size.prior is None else float((size.prior >= d_min).mean())
    # a ceiling effect that is too small is too small whatever the null says
    large = _null_as_large(null, level) if probability >= level else ""
    few = ""
    if one.rows < CLUSTER_MIN:
        few = f"Only {one.rows} firms are below this ceiling, fewer than {CLUSTER_MIN}."
    verdict, reason = decide(probability, level, stopped or few or large)
    flags: tuple[tuple[Flag, bool], ...] = (
        ("null_as_large", null is not None and bool(large)),
        ("thin", bool(few)),
        ("prior_decides", verdict == "supported" and prior is not None and prior >= level),
    )
    within = WITHIN if size.whose == WITHIN else ""
    over = f", the null over {null.clusters} clusters" if null and null.clusters else ""
    return Reading(
        tradition="ceilings",
        claim=name,
        by=key[1],
        group=key[2],
        quantity=f"ceiling effect size d of {CAPITAL_WORDS[key[0]]}{size.whose}",
        estimate=estimates(size.d[:, None], size.chains)[0],
        region=f"ceiling effect size d{within} at least {d_min:g}, and larger than a compensatory "
        f"model gives (its p at most {1 - level:.2g})",
        # where the null gives as much, the region has no probability of its own
        probability=None if large else probability,
        prior_probability=None if large else prior,
        verdict=verdict,
        reason=reason,
        behind=f"{one.rows} firms{over}",
        flags=tuple(flag for flag, raised in flags if raised),
    )


def _null_as_large(null: NullTest | None, level: float) -> str:
    """Why the null keeps a claim from being supported; nothing where it does not."""
    if null is None:
        return (
            "No compensatory model could be compared with the effect size of the observed firms: "
            "d by itself is positive with no necessity at all."
        )
    if null.p <= 1 - level + ROUNDING:
        return ""
    return (
        f"A compensatory model gives an effect size as large as that of the observed firms "
        f"({null.observed:.2f}) with probability {null.p:.2f}: d by itself is no sign of necessity."
    )


def _industries(capital: str, evidence: Evidence, preferred: Preferred | None) -> list[_Size]:
    """Effect sizes of a capital in every industry that has a ceiling."""
    fitted, sizes = ceilings_of(evidence), []
    for _, label in evidence.columns("industry"):
        key: Key = (capital, "industry", label)
        if key not in fitted.of:
            continue
        sizes.append(_size(evidence, key, preferred))
    return sizes


def _difference(
    name: ClaimName, evidence: Evidence, sizes: Sequence[_Size], stopped: str
) -> Reading:
    """Read whether d differs between industries by more than the margin."""
    options, within = evidence.design.analysis.traditions, sizes[0].whose
    margin = MARGIN if options.margin is None else options.margin
    spread = np.ptp(np.column_stack([size.d for size in sizes]), axis=1)
    probability, prior = float((spread > margin).mean()), None
    priors = [size.prior for size in sizes if size.prior is not None]
    if len(priors) == len(sizes):
        prior = float((np.ptp(np.column_stack(priors), axis=1) > margin).mean())
    verdict, reason = decide(probability, options.level, stopped)
    decided = verdict == "supported" and prior is not None and prior >= options.level
    return Reading(
        tradition="ceilings",
        claim=name,
        by="all",
        group=ALL,
        quantity=f"largest less smallest ceiling effect size d of the industries{within}",
        estimate=estimates(spread[:, None], sizes[0].chains)[0],
        region=f"largest less smallest ceiling effect size d{within} above {margin:g}",
        probability=probability,
        prior_probability=prior,
        verdict=verdict,
        reason=reason,
        behind=f"{len(sizes)} industries",
        flags=("prior_decides",) if decided else (),
    )
