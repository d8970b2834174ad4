"""Ceilings of a fit as results: effect sizes, bands, and bottlenecks with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.forms import in_form
from bayescluster.design.record import Design, Scaling
from bayescluster.estimands.approximation import Approximation, approximate, complete_rows
from bayescluster.estimands.quantiles import QUANTILES
from bayescluster.estimands.scopes import Groups, declared_groups, side_by_side
from bayescluster.estimands.summary import estimates
from bayescluster.families import Rows
from bayescluster.features.ceilings.functional import (
    Ceiling,
    Span,
    Surfaces,
    ceiling_of,
    least_levels,
    outcome_scope,
    spans,
    surfaces_of,
)
from bayescluster.features.ceilings.results import (
    CeilingBand,
    Ceilings,
    FormCeiling,
    NeededLevel,
    NeededRow,
)
from bayescluster.features.ceilings.spec import Ceilings as Asked
from bayescluster.features.nca.observed import effect_size
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import ALL, CAPITALS, CLUSTER
from bayescluster.results.base import INTERVAL, By
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.verdicts.claims import CAPITAL_OF, claim_groups
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS
from bayescluster.verdicts.decide import GATE_FAILED, ROUNDING, decide

CLUSTER_MIN: Final = 10
"""Fewest firms of a cluster that has an effect size of its own."""
REPLICATES: Final = 500

Positions = NDArray[np.int64]


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


class NullTest(NamedTuple):
    """An observed statistic, what the compensatory model gives, and how often as much.

    ``clusters`` counts the clusters averaged over; 0 where all firms are taken together.
    """

    observed: float
    expected: float
    p: float
    clusters: int


FITTED: Final = "the fitted model, which is additive"
APPROXIMATED: Final = (
    "an additive model of the same outcome, by the normal approximation of its posterior"
)


def compensatory(design: Design, posterior: Draws, rng: np.random.Generator) -> Compensatory | None:
    """Replicate the outcome from an additive model of the same firms.

    Where the fitted form is additive its own posterior is taken, else an additive form with the
    same controls, groupings and priors is approximated. Predictors from other equations stay as
    observed, and latent capitals are their scores. None where no additive model could be found.
    """
    rows = complete_rows(design)
    if design.structure.name == "additive":
        outcomes = replicate(design, posterior.thinned(REPLICATES), rng)
        source = FITTED
    else:
        found: Approximation | None = approximate(in_form(design, "additive"))
        if found is None:
            return None
        outcomes = _replicated(found, rows, rng)
        full = np.full((len(outcomes), design.size), np.nan)
        full[:, rows] = outcomes
        outcomes, source = full, APPROXIMATED
    per = _per_unit(design)
    return Compensatory((outcomes / per)[:, rows], (design.outcome / per)[rows], rows, source)


def _replicated(found: Approximation, rows: Positions, rng: np.random.Generator) -> Array:
    """Outcomes of complete rows at draws from an approximation, ``(replicate, row)``."""
    theta = found.sample(REPLICATES, rng)
    matrix = found.inputs.matrix
    eta = theta[:, : matrix.shape[1]] @ matrix.T + found.design.offset[rows]
    known: Rows = found.design.rows.at(rows)
    parameters = found.free.parameters(theta[:, matrix.shape[1] :])
    return np.asarray(found.design.family.draw(rng, eta, parameters, known))


def _per_unit(design: Design) -> Array:
    """What an outcome is divided by: its trials or its exposure."""
    trials = design.rows.trials
    return np.exp(design.offset) if trials is None else trials


def null_test(x: Array, found: Compensatory, parts: Sequence[Positions]) -> NullTest | None:
    """Hold the observed effect size of a capital against the compensatory model.

    Parameters
    ----------
    x
        The capital at the rows of ``found``, ``(row,)``.
    found
        Replicated and observed outcomes.
    parts
        Positions among these rows: the firms of each cluster, or all of a group in one part.

    Returns
    -------
    NullTest or None
        None where capital or outcome does not vary in any part.
    """
    both = np.concatenate([found.observed[None], found.outcomes])  # (1 + replicate, row)
    sizes = np.array([part.size for part in parts], dtype=float)
    d = np.column_stack([ce_fdh_sizes(x[part], both[:, part]) for part in parts])
    known = ~np.isnan(d)
    weight = known * sizes
    if not known[0].any():
        return None
    total = weight.sum(axis=1)
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


CEILING_STREAM: Final = 22
DRAWS: Final = 400
"""Posterior draws behind a ceiling, evenly spaced within the chains."""
PRIOR_DRAWS: Final = 200
DRAWS_THROUGH, PRIOR_THROUGH = 80, 40
"""The same where the capitals act through other equations, which takes many times as long."""

Key = tuple[str, By, str]
"""Capital, kind of group, and its label."""


class OneCeiling(NamedTuple):
    """A ceiling with its prior, the observed effect sizes, and its null."""

    ceiling: Ceiling
    prior: Ceiling
    rows: int
    ce_fdh: float | None
    cr_fdh: float | None
    null: NullTest | None


class FoundCeilings(NamedTuple):
    """Ceilings by capital and group; ``chains`` stand behind their draws.

    ``outcome`` is the scope of the outcome, ``null`` the compensatory model in words, or nothing.
    """

    of: dict[Key, OneCeiling]
    outcome: tuple[float, float]
    is_quantile: bool
    chains: int
    draws: int
    null: str
    notes: tuple[str, ...]


class _Drawn(NamedTuple):
    """Groups of one kind with their surfaces."""

    groups: Groups
    known: list[tuple[Span, Span] | None]
    posterior: Surfaces
    prior: Surfaces


def ceilings_of(evidence: Evidence) -> FoundCeilings:
    """Ceilings of every capital in every group, with the null each is held against."""
    return evidence.once(_ceilings_of)


def _ceilings_of(evidence: Evidence) -> FoundCeilings:
    return found_ceilings(evidence.design, evidence.posterior, evidence.prior, evidence.seed)


def found_ceilings(design: Design, posterior: Draws, prior: Draws, seed: int) -> FoundCeilings:
    """Compute the ceilings of a fit for all firms, every industry and every cluster.

    Parameters
    ----------
    design
        The design.
    posterior, prior
        Draws of the parameters; thinned here.
    seed
        Seed of the replicates.
    """
    asked = design.analysis.traditions.ceilings
    through = bool(posterior.upstream)
    some = posterior.thinned_by_chain(DRAWS_THROUGH if through else DRAWS)
    few = prior.thinned(PRIOR_THROUGH if through else PRIOR_DRAWS)
    parts = declared_groups(design)
    groups = side_by_side(parts)
    known = spans(design, groups, asked)
    after, before = (
        surfaces_of(design, draws, groups, known, asked.quantile) for draws in (some, few)
    )
    null = compensatory(design, posterior, np.random.default_rng((seed, CEILING_STREAM)))
    drawn = _Drawn(groups, known, after, before)
    top = outcome_scope(design, asked)
    kinds = [part.by for part in parts for _ in part.labels]
    found = dict(_all(design, drawn, kinds, top, null))
    flat = [label for label, pair in zip(groups.labels, known, strict=True) if pair is None]
    return FoundCeilings(
        found,
        top,
        after.is_quantile,
        some.chains,
        some.size,
        null.source if null else "",
        tuple(_notes(design, null, after, flat)),
    )


def _all(
    design: Design,
    drawn: _Drawn,
    kinds: list[By],
    top: tuple[float, float],
    null: Compensatory | None,
) -> Iterator[tuple[Key, OneCeiling]]:
    rates = _rates(design)
    for column, (by, label) in enumerate(zip(kinds, drawn.groups.labels, strict=True)):
        span = drawn.known[column]
        if span is None:
            continue
        members = drawn.groups.members[:, column]
        parts = parts_of(design, null.rows, members) if null else []
        for position, capital in enumerate(CAPITALS):
            x = design.capitals[position]
            ce, cr = _observed(x[members], rates[members])
            yield (
                (capital, by, label),
                OneCeiling(
                    ceiling_of(drawn.posterior, position, column, span, top),
                    ceiling_of(drawn.prior, position, column, span, top),
                    int(members.sum()),
                    ce,
                    cr,
                    null_test(x[null.rows], null, parts) if null else None,
                ),
            )


def _rates(design: Design) -> Array:
    """Outcomes as observed, per trial or unit of exposure, ``(row,)``."""
    trials = design.rows.trials
    return np.asarray(design.outcome / (np.exp(design.offset) if trials is None else trials))


def _observed(x: Array, y: Array) -> tuple[float | None, float | None]:
    """Effect sizes of the firms as they are; nothing where capital or outcome does not vary."""
    both: NDArray[np.bool_] = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None, None
    sizes = (effect_size(x, y, ceiling="ce_fdh"), effect_size(x, y, ceiling="cr_fdh"))
    ce, cr = (float(size) if np.isfinite(size) else None for size in sizes)
    return ce, cr


def _notes(
    design: Design, null: Compensatory | None, surfaces: Surfaces, flat: list[str]
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
    if design.family.name in QUANTILES and not surfaces.is_quantile:
        yield (
            "The ceiling is an expectation: where other equations come in between, or each row has "
            "a standard error of its own, the predictive distribution has no simple quantile."
        )
    if np.unique(design.firms).size < design.size:
        yield "Firms repeat: what is told of firms counts rows here."
    if flat:
        yield f"No ceiling where a capital does not vary: {', '.join(flat)}."
    if design.analysis.data.cluster is not None and CLUSTER not in design.equation.groupings:
        yield (
            "The model has no effects of clusters, nor has the compensatory one: between clusters "
            "both are too sure."
        )


TARGETS = 10
"""Targets where none are declared: the scope of the outcome in so many steps."""
TAILS = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)


def ceiling_results(evidence: Evidence) -> Ceilings:
    """Summarise the ceilings of a fit."""
    design, found = evidence.design, ceilings_of(evidence)
    asked = design.analysis.traditions.ceilings
    low, high = found.outcome
    return Ceilings(
        height=_height(asked, found),
        d_min=asked.d_min,
        level=design.analysis.traditions.level,
        supported=asked.supported,
        scope=_scope(asked),
        outcome_low=low,
        outcome_high=high,
        draws=found.draws,
        replicates=REPLICATES,
        null=found.null,
        rows=tuple(_row(key, one, found, asked) for key, one in found.of.items()),
        bottlenecks=tuple(
            row
            for key, one in found.of.items()
            if key[1] != "cluster"
            for row in _bottlenecks(key, one, design, found)
        ),
        bands=tuple(
            _band(key, one, design.scaling(key[0]))
            for key, one in found.of.items()
            if key[1] != "cluster"
        ),
        notes=found.notes,
    )


def _height(asked: Asked, found: FoundCeilings) -> str:
    if found.is_quantile:
        return f"quantile {asked.quantile:g} of the outcome of a firm"
    return "expected outcome"


def _scope(asked: Asked) -> str:
    if asked.scope is None:
        return "its range among the firms of the group"
    return f"between its quantiles {asked.scope[0]:g} and {asked.scope[1]:g} in the group"


def _row(key: Key, one: OneCeiling, found: FoundCeilings, asked: Asked) -> FormCeiling:
    d, within = (
        estimates(values[:, None], found.chains)[0]
        for values in (one.ceiling.d, one.ceiling.reached)
    )
    capital, by, group = key
    return FormCeiling(
        capital=capital,
        by=by,
        group=group,
        rows=one.rows,
        estimate=d,
        prior=estimates(one.prior.d[:, None], 0)[0],
        within=within,
        at_least=float((one.ceiling.d >= asked.d_min).mean()),
        prior_at_least=float((one.prior.d >= asked.d_min).mean()),
        ce_fdh=one.ce_fdh,
        cr_fdh=one.cr_fdh,
        null_observed=one.null.observed if one.null else None,
        null_expected=one.null.expected if one.null else None,
        null_p=one.null.p if one.null else None,
        null_clusters=one.null.clusters if one.null else 0,
    )


def _bottlenecks(
    key: Key, one: OneCeiling, design: Design, found: FoundCeilings
) -> Iterator[NeededRow]:
    bottom, top = found.outcome
    stated = design.analysis.traditions.ceilings.targets
    targets = np.linspace(bottom, top, TARGETS + 1) if stated is None else np.array(stated)
    least = least_levels(one.ceiling, targets)  # (draw, target)
    unit = design.scaling(key[0])
    start, end = one.ceiling.levels[[0, -1]]
    capital, by, group = key
    for target, draws in zip(targets, least.T, strict=True):
        ends = np.quantile(draws, TAILS, method="inverted_cdf")
        low, median, high = (_needed(unit.center + unit.scale * end) for end in ends)
        percent = [_needed(100 * (each - start) / (end - start)) for each in ends]
        yield NeededRow(
            capital=capital,
            by=by,
            group=group,
            target=float(target),
            target_percent=float(100 * (target - bottom) / (top - bottom)),
            low=low,
            median=median,
            high=high,
            low_percent=percent[0],
            median_percent=percent[1],
            high_percent=percent[2],
            not_needed=float(np.isneginf(draws).mean()),
            not_reachable=float(np.isposinf(draws).mean()),
        )


def _needed(value: float) -> NeededLevel:
    if np.isfinite(value):
        return float(value)
    return "NN" if value < 0 else "NA"


def _band(key: Key, one: OneCeiling, unit: Scaling) -> CeilingBand:
    height = one.ceiling.height
    low, high = np.quantile(height, (TAILS[0], TAILS[2]), axis=0)
    capital, by, group = key
    return CeilingBand(
        capital=capital,
        by=by,
        group=group,
        levels=_plain(unit.center + unit.scale * one.ceiling.levels),
        mean=_plain(height.mean(axis=0)),
        low=_plain(low),
        high=_plain(high),
        steps=one.ceiling.steps,
    )


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


MARGIN: Final = 0.10
"""Default of a difference between industries in d that counts."""
NECESSITY: Final[tuple[ClaimName, ...]] = ("N-H", "N-S")
DIFFERENCES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


class Preferred(NamedTuple):
    """Effect sizes from a ceiling model, in place of those of the fitted form.

    ``names`` are the models in words; ``d`` and ``prior`` are ``(draw,)``, all by capital and group;
    ``chains`` stand behind ``d``. Groups they lack keep the ceiling of the fitted form.
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
    for name in NECESSITY:
        capital = CAPITAL_OF[name]
        for by in claim_groups(evidence.design):
            for _, label in evidence.columns(by):
                found = ceilings_of(evidence).of.get((capital, by, label))
                if found is not None:
                    key = (capital, by, label)
                    size = _size(evidence, key, found, preferred)
                    yield _necessity(name, key, evidence, _Judged(size, found, gate_passed))
    for name in DIFFERENCES:
        yield from _differences(name, evidence, gate_passed, preferred)


def _size(evidence: Evidence, key: Key, found: OneCeiling, preferred: Preferred | None) -> _Size:
    if preferred is not None and key in preferred.d:
        return _Size(
            preferred.d[key],
            preferred.prior.get(key),
            preferred.chains,
            f", by {preferred.names[key]}",
        )
    return _Size(found.ceiling.d, found.prior.d, ceilings_of(evidence).chains, "")


class _Judged(NamedTuple):
    size: _Size
    found: OneCeiling
    gate_passed: bool


def _necessity(name: ClaimName, key: Key, evidence: Evidence, judged: _Judged) -> Reading:
    asked = evidence.design.analysis.traditions
    size, found, gate_passed = judged
    level, d_min = asked.level, asked.ceilings.d_min
    probability = float((size.d >= d_min).mean())
    prior = None if size.prior is None else float((size.prior >= d_min).mean())
    large = _null_as_large(found.null, level)
    # a ceiling effect that is too small is too small whatever the null says
    reached = probability >= level
    stopped = "" if gate_passed else GATE_FAILED
    stopped = stopped or _too_few(found.rows) or (large if reached else "")
    verdict, reason = decide(probability, level, stopped)
    flags: list[Flag] = []
    if reached and found.null is not None and large:
        flags.append("null_as_large")
    if found.rows < CLUSTER_MIN:
        flags.append("thin")
    if verdict == "supported" and prior is not None and prior >= level:
        flags.append("prior_decides")
    return Reading(
        tradition="ceilings",
        claim=name,
        by=key[1],
        group=key[2],
        quantity=f"ceiling effect size d of {CAPITAL_WORDS[key[0]]}{size.whose}",
        estimate=estimates(size.d[:, None], size.chains)[0],
        region=f"ceiling effect size d at least {d_min:g}, and larger than a compensatory model "
        f"gives (its p at most {1 - level:.2g})",
        probability=probability,
        prior_probability=prior,
        verdict=verdict,
        reason=reason,
        behind=_behind(found),
        flags=tuple(flags),
    )


def _null_as_large(null: NullTest | None, level: float) -> str:
    """Why the null keeps a claim from being supported; nothing where it does not."""
    if null is None:
        return (
            "No compensatory model could be held against the effect size of the observed firms: "
            "d alone is positive with no necessity at all."
        )
    if null.p <= 1 - level + ROUNDING:
        return ""
    return (
        f"A compensatory model gives an effect size as large as that of the observed firms "
        f"({null.observed:.2f}) with probability {null.p:.2f}: d alone is no sign of necessity."
    )


def _too_few(rows: int) -> str:
    if rows >= CLUSTER_MIN:
        return ""
    return f"Only {rows} firms stand below this ceiling, fewer than {CLUSTER_MIN}."


def _behind(found: OneCeiling) -> str:
    firms = f"{found.rows} firms"
    if found.null is None or not found.null.clusters:
        return firms
    return f"{firms}, the null over {found.null.clusters} clusters"


def _differences(
    name: ClaimName, evidence: Evidence, gate_passed: bool, preferred: Preferred | None
) -> Iterator[Reading]:
    """Read whether d differs between industries by more than the margin."""
    asked = evidence.design.analysis.traditions
    margin = MARGIN if asked.margin is None else asked.margin
    sizes = _industries(CAPITAL_OF[name], evidence, preferred)
    whose = {(size.chains, size.whose, size.d.size) for size in sizes}
    if len(sizes) < 2 or len(whose) > 1:
        return
    spread = np.ptp(np.column_stack([size.d for size in sizes]), axis=1)
    priors = [size.prior for size in sizes if size.prior is not None]
    known = len(priors) == len(sizes)
    before = np.ptp(np.column_stack(priors), axis=1) if known else None
    probability = float((spread > margin).mean())
    prior = None if before is None else float((before > margin).mean())
    verdict, reason = decide(probability, asked.level, "" if gate_passed else GATE_FAILED)
    within = sizes[0].whose
    decided = verdict == "supported" and prior is not None and prior >= asked.level
    yield Reading(
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


def _industries(capital: str, evidence: Evidence, preferred: Preferred | None) -> list[_Size]:
    """Effect sizes of a capital in every industry that has a ceiling.

    Of an expectation the part within reach: the rest differs with how common the outcome is, which
    says nothing of the capital.
    """
    ceilings = ceilings_of(evidence)
    sizes = []
    for _, label in evidence.columns("industry"):
        key: Key = (capital, "industry", label)
        found = ceilings.of.get(key)
        if found is None:
            continue
        size = _size(evidence, key, found, preferred)
        if not size.whose and not ceilings.is_quantile:
            within = found.ceiling.reached, found.prior.reached
            size = _Size(*within, ceilings.chains, ", within reach")
        sizes.append(size)
    return sizes
