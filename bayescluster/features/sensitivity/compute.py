"""Power-scaling sensitivity of a fit: parameters, estimands and verdicts, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array, in_threads
from bayescluster.checks.convergence import element_names
from bayescluster.checks.loo import TAIL_MIN, smoothed, smoothed_tails, tail_length
from bayescluster.checks.thresholds import SENSITIVITY_MIN, khat_max
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import mcse_of_mean, mean_ess, tail_ess
from bayescluster.estimands.levels import default_levels
from bayescluster.features.sensitivity.results import (
    Diagnosis,
    Kind,
    ScaledVerdict,
    Sensitivity,
    SensitivityBlock,
    SensitivityRow,
)
from bayescluster.lookup import first_of
from bayescluster.model.log_prior import PriorBlock, UnknownPriorError, prior_blocks
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    DRAW,
    group_correlation,
    group_effect,
    imputed,
    raw_mean,
    raw_sd,
)
from bayescluster.results.base import By
from bayescluster.results.model import Verdict
from bayescluster.verdicts.decide import declared_events, state_of
from bayescluster.verdicts.events import Event
from bayescluster.verdicts.evidence import Evidence

ALPHAS: Final = (0.99, 1.01)
"""Powers on both sides of 1 from which the gradient is taken, as in the source."""
SIDE: Final = 1.645
"""Standard errors on each side that a sensitivity is told with."""
CELLS_A_BLOCK: Final = 2**17
"""Draws times quantities whose distances are computed together."""
STILL: Final = 1e-12
"""A log density, or a quantity, that moves no more than this does not move."""


class Sensed(NamedTuple):
    """Sensitivity of quantities to one part of the model, ``(quantity,)`` each.

    ``noise`` is the part of ``value`` that finite draws make; ``low`` and ``high`` are bounds of
    what is left without it. Not a number for a quantity that stands still.
    """

    value: Array
    noise: Array
    low: Array
    high: Array


class Weights(NamedTuple):
    """Weights that stand for a posterior under another power, ``(draw,)``, adding up to 1."""

    values: Array
    khat: float
    ess: float
    """Effective number of draws that the weights leave."""

    def reliable(self, draws: int) -> bool:
        """Whether these draws can stand for the other posterior."""
        return self.khat <= khat_max(draws)


def sensitivity(density: Array, quantities: Array, chains: int) -> Sensed:
    """Sensitivity of quantities to the power of one part of the model.

    Parameters
    ----------
    density
        Log density of the part at each draw, ``(draw,)``, the chains one after the other.
    quantities
        ``(draw, quantity)``, in the same order.
    chains
        Number of chains.
    """
    size, count = quantities.shape
    if np.ptp(density) <= STILL:
        zero = np.zeros(count)
        return Sensed(zero, zero, zero, zero)
    # as arviz has it: the chains as one, and at most half of the draws in the tail
    relative = float(tail_ess(density[:, None], 1)[0]) / size
    length = max(min(tail_length(size, relative), size // 2), TAIL_MIN)
    low, high = (
        np.exp(smoothed_tails((alpha - 1) * density[None], length).log_weights[0])
        for alpha in ALPHAS
    )
    ends = (low, high)
    moving = np.ptp(quantities, axis=0) > STILL
    whole = np.full(count, np.nan)
    whole[moving] = _distance(quantities[:, moving], ends)
    # half chains: parts long enough to hold the dependence of the draws
    parts = np.array_split(np.arange(size), 2 * chains)
    each = np.full((len(parts), count), np.nan)
    for k, part in enumerate(parts):
        some = (ends[0][part], ends[1][part])
        # what stands still in a half, as in a chain that is stuck, no weights can move there
        within = moving & (np.ptp(quantities[part], axis=0) > STILL)
        each[k, moving] = 0.0
        each[k, within] = _distance(quantities[np.ix_(part, within)], some)
    m = len(each)
    noise2 = np.maximum(((each**2).mean(axis=0) - whole**2) / (m - 1), 0.0)
    left = np.sqrt(np.maximum(whole**2 - noise2, 0.0))
    error = SIDE * each.std(axis=0, ddof=1) / np.sqrt(m)
    return Sensed(whole, np.sqrt(noise2), np.maximum(left - error, 0.0), left + error)


def _distance(quantities: Array, weights: tuple[Array, Array]) -> Array:
    """Gradient of the cumulative Jensen-Shannon distance, ``(quantity,)``.

    ``weights`` are those of a little less and a little more of the density, ``(draw,)``.
    """
    size, count = quantities.shape
    found = np.empty(count)
    low, high = (end / end.sum() for end in weights)

    def of_block(which: slice) -> None:
        values = np.ascontiguousarray(quantities[:, which].T)
        order = np.argsort(values, axis=1)
        widths = np.diff(np.take_along_axis(values, order, axis=1), axis=1)
        less, more = (_larger_distance(widths, end[order]) for end in (low, high))
        found[which] = (more / np.log2(ALPHAS[1]) - less / np.log2(ALPHAS[0])) / 2

    step = max(1, CELLS_A_BLOCK // size)
    in_threads(of_block, [slice(at, at + step) for at in range(0, count, step)])
    return found


def _larger_distance(widths: Array, weights: Array) -> Array:
    """Larger of the distances of draws and of the same draws with their sign turned, ``(quantity,)``.

    ``widths`` lie between sorted draws, ``(quantity, draw - 1)``, and ``weights`` are theirs.
    """
    upwards = _jensen_shannon(widths, weights)
    return np.maximum(upwards, _jensen_shannon(widths[:, ::-1], weights[:, ::-1]))


def _jensen_shannon(widths: Array, weights: Array) -> Array:
    """Cumulative Jensen-Shannon distance of draws from the same draws weighted, ``(quantity,)``.

    Source: Nguyen and Vreeken (2015), Non-parametric Jensen-Shannon divergence, as in Kallioinen et
    al. (2024).
    """
    size = weights.shape[1]
    plain = np.linspace(1 / size, 1 - 1 / size, size - 1)
    weighted = np.cumsum(weights, axis=1)[:, :-1]
    middle = np.log2(0.5 * (plain + weighted))
    logs = np.log2(weighted, out=np.zeros_like(weighted), where=weighted != 0)
    of_plain, of_weighted = widths @ plain, (widths * weighted).sum(axis=1)
    apart = 0.5 / np.log(2) * (of_weighted - of_plain)
    first = (widths * (plain * (np.log2(plain) - middle))).sum(axis=1) + apart
    second = (widths * (weighted * (logs - middle))).sum(axis=1) - apart
    total = np.maximum(first, 0) + np.maximum(second, 0)
    return np.asarray(np.sqrt(total / (of_plain + of_weighted)))


def diagnosis(
    prior: tuple[float, float, float], likelihood: tuple[float, float] | None
) -> Diagnosis:
    """Say what a sensitivity to the prior means.

    Parameters
    ----------
    prior
        Sensitivity to the prior, and its bounds.
    likelihood
        Bounds of the sensitivity to the likelihood, where it could be scaled.
    """
    value, low, _ = prior
    if not value >= SENSITIVITY_MIN:
        return "-"
    if low < SENSITIVITY_MIN:
        return "within noise"
    if likelihood is None or likelihood[0] < SENSITIVITY_MIN <= likelihood[1]:
        return "sensitive to the prior"
    if likelihood[0] >= SENSITIVITY_MIN:
        return "prior-data conflict"
    return "strong prior or weak likelihood"


def power_weights(density: Array, alpha: float, chains: int) -> Weights:
    """Pareto-smoothed weights of the posterior with one part of the model to the power ``alpha``.

    Parameters
    ----------
    density
        Log density of the part at each draw, ``(draw,)``, the chains one after the other.
    alpha
        The power.
    chains
        Number of chains.
    """
    size = density.size
    ratio = (alpha - 1.0) * density
    if np.ptp(ratio) <= STILL:
        return Weights(np.full(size, 1.0 / size), 0.0, float(size))
    ess = float(mean_ess(np.exp(ratio - ratio.max())[:, None], chains)[0])
    # not above 1: draws that repel each other do not make a tail longer
    found = smoothed(ratio[None], min(ess / size, 1.0) if np.isfinite(ess) else 1.0)
    values, khat = np.exp(found.log_weights[0]), float(found.khat[0])
    # without a Pareto k there were too few draws for a tail
    return Weights(values, khat if np.isfinite(khat) else np.inf, float(1.0 / (values**2).sum()))


def weighted_probabilities(
    events: NDArray[np.bool_], weights: Weights, chains: int
) -> tuple[Array, Array]:
    """Probabilities of events under weights and their Monte Carlo errors, ``(event,)`` each.

    The error is that of the mean of ``size * weight * (event - probability)``, with the dependence
    of the draws; where all draws agree, that of one further draw to the other side.
    """
    size, count = events.shape
    probability = weights.values @ events
    spread = size * weights.values[:, None] * (events - probability)
    smoothed = (probability * weights.ess + 1.0) / (weights.ess + 2.0)
    error = np.sqrt(smoothed * (1.0 - smoothed) / weights.ess)
    split = events.any(axis=0) & ~events.all(axis=0)
    if split.any():
        found = mcse_of_mean(spread[:, split], chains)
        error[split] = np.where(np.isfinite(found), found, error[split])
    return np.clip(probability, 0.0, 1.0), error.reshape(count)


POWERS: Final = (0.5, 0.8, 1.25, 2.0)
"""Of the priors: a half spreads a normal prior by the root of two, two narrows it as much."""
ERRORS: Final = 2.0
"""Monte Carlo errors by which both probabilities are beyond a bound where a flip is certain."""
LISTED: Final = 8
"""Flips that are told in sentences; the table has all."""


class Scaled(NamedTuple):
    """A block of priors, or all of them: its name, and its log density ``(draw,)``."""

    name: str
    density: Array


def scaled_verdicts(
    evidence: Evidence, scaled: Sequence[Scaled], verdicts: Sequence[Verdict]
) -> tuple[ScaledVerdict, ...]:
    """Judge every claim again with each block of priors to each power.

    Parameters
    ----------
    evidence
        What the claims were judged by.
    scaled
        The blocks.
    verdicts
        What was decided, in the order of the claims: whatever stops a verdict stops it here too.
    """
    found = [event for _, event in evidence.once(declared_events)]
    if not found:
        return ()
    indicators = [event.indicators for event in found]
    happened = np.column_stack([draws for each in indicators for draws in each.values()])
    names = [(k, name) for k, each in enumerate(indicators) for name in each]
    chains = evidence.posterior.chains
    judged: list[ScaledVerdict] = []
    for block in scaled:
        for power in POWERS:
            weights = power_weights(block.density, power, chains)
            told = weighted_probabilities(happened, weights, chains)
            scaled_shares: list[dict[str, _Told]] = [{} for _ in found]
            for (k, name), share, error in zip(names, *told[:2], strict=True):
                scaled_shares[k][name] = _Told(float(share), float(error))
            for k, (verdict, event) in enumerate(zip(verdicts, found, strict=True)):
                which = (k, block.name, power)
                judged.append(_judge(which, verdict, event, weights, scaled_shares[k]))
    return tuple(judged)


class _Told(NamedTuple):
    probability: float
    mcse: float


def _judge(
    which: tuple[int, str, float],
    verdict: Verdict,
    event: Event,
    weights: Weights,
    shares: Mapping[str, _Told],
) -> ScaledVerdict:
    position, block, power = which
    told = shares["region"]
    reliable = weights.reliable(weights.values.size)
    plain = {name: share.probability for name, share in shares.items()}
    decision, _ = state_of(verdict.level, event, plain, verdict.stopped, verdict.withheld)
    flips = reliable and decision != verdict.verdict
    certain = flips and all(
        abs(p - bound) > ERRORS * error
        for p, error in (told, (verdict.probability, verdict.mcse))
        for bound in (verdict.level, 1 - verdict.level)
    )
    return ScaledVerdict(
        claim=position,
        kind=verdict.kind,
        title=verdict.title,
        capital=verdict.capital,
        by=verdict.by,
        group=verdict.group,
        scope=verdict.scope,
        declared=verdict.verdict,
        block=block,
        power=power,
        probability=told.probability if reliable else None,
        mcse=told.mcse if reliable else None,
        khat=weights.khat if np.isfinite(weights.khat) else None,
        ess=weights.ess,
        verdict=decision if reliable else "cannot be told",
        flips=flips,
        certain=certain,
    )


def statements(
    found: Sensitivity, verdicts: Sequence[ScaledVerdict], count: int
) -> tuple[str, ...]:
    """Say in sentences what stands out."""
    return (*_of_quantities(found), *(_of_verdicts(found, verdicts) if count else ()))


def _of_quantities(found: Sensitivity) -> Iterator[str]:
    titles = _titles(found)
    told: dict[tuple[str, str], list[str]] = {}
    for row in found.rows:
        if row.diagnosis not in ("-", "within noise") and row.block != "all":
            group = f" ({row.group})" if row.group is not None else ""
            told.setdefault((row.block, row.diagnosis), []).append(f"{row.quantity}{group}")
    for (block, diagnosis), names in told.items():
        yield f"{diagnosis[0].upper()}{diagnosis[1:]}, by {titles[block]}: {first_of(names, LISTED)}."
    if found.rows and not told:
        estimands = any(row.kind == "estimand" for row in found.rows)
        what = "No parameter and no estimand" if estimands else "No parameter"
        yield f"{what} is sensitive to a block of priors."


def _of_verdicts(found: Sensitivity, verdicts: Sequence[ScaledVerdict]) -> Iterator[str]:
    titles, places = _titles(found), {block.name: block.place for block in found.blocks}
    flips: dict[int, list[ScaledVerdict]] = {}
    for row in verdicts:
        if row.flips:
            flips.setdefault(row.claim, []).append(row)
    for rows in list(flips.values())[:LISTED]:
        # the least change of a prior at which it flips
        row = min(rows, key=lambda one: abs(np.log(one.power)))
        sure = "" if row.certain else ", within Monte Carlo error of the bound"
        more = f"; {len(rows) - 1} more blocks or powers do so too" if len(rows) > 1 else ""
        yield (
            f"{row.title} ({row.group}): {row.declared} as declared, {row.verdict} with "
            f"{titles[row.block]} to the power {row.power:g} (probability "
            f"{row.probability:.3f}{sure}){more}."
        )
    if len(flips) > LISTED:
        yield f"{len(flips) - LISTED} more claims have another verdict: see the table."
    untold = {(r.block, r.power): r.khat for r in verdicts if r.verdict == "cannot be told"}
    for (block, power), khat in untold.items():
        shown = "not finite" if khat is None else f"{khat:.2f}"
        where = f" under {places[block]}" if places.get(block) else ""
        yield (
            f"With {titles[block]} to the power {power:g} verdicts cannot be told from these draws "
            f"(Pareto k {shown}): refit with such priors{where}, or with `bayescluster sweep`."
        )
    if verdicts and not flips:
        end = ", as far as these draws can tell" if untold else ""
        low, high = min(found.powers), max(found.powers)
        yield f"No verdict changes with any block of priors to a power from {low:g} to {high:g}{end}."


def _titles(found: Sensitivity) -> dict[str, str]:
    named = {block.name: f"the priors of {block.title}" for block in found.blocks}
    return named | {"all": "all priors"}


ALL, LIKELIHOOD = "all", "likelihood"
"""Names of all priors together, and of the likelihood, beside those of the blocks."""
MOST_INDUSTRIES = 12
"""Of more industries the estimands of all firms alone are looked at."""


class Quantity(NamedTuple):
    """A scalar of the posterior, ``(draw,)``, with its name and group."""

    name: str
    draws: Array
    by: By | None = None
    group: str | None = None


class _Part(NamedTuple):
    """A part of the model that is scaled, and how each quantity moves with it."""

    name: str
    sensed: Sensed


def sensitivity_of(
    evidence: Evidence, posterior: xr.Dataset, log_likelihood: Array, verdicts: Sequence[Verdict]
) -> Sensitivity:
    """Say how far a fit hangs on its priors."""
    design = evidence.design
    try:
        blocks = prior_blocks(design, posterior)
    except UnknownPriorError as error:
        return _made(evidence, (), not_made=(f"No prior could be scaled: {error}.",))
    reason = _why_not(design)
    density = None if reason else log_likelihood
    scaled = parts_of(blocks)
    rows = _rows(evidence, posterior, scaled, density)
    judged = scaled_verdicts(evidence, scaled, verdicts)
    not_made = [f"The likelihood was not scaled: {reason}."] if reason else []
    if design.analysis.traditions.ceiling_models is not None:
        not_made.append(
            "Models of the ceiling have posteriors of their own, which were not scaled."
        )
    found = _made(evidence, blocks, rows, tuple(not_made))
    return found.model_copy(
        update={"verdicts": judged, "statements": statements(found, judged, len(verdicts))}
    )


def parts_of(blocks: Sequence[PriorBlock]) -> tuple[Scaled, ...]:
    """Every block by itself, then all of them together where there are several."""
    found = [Scaled(block.name, block.density) for block in blocks]
    if len(blocks) > 1:
        total = np.sum([block.density for block in blocks], axis=0)
        found.append(Scaled(ALL, total))
    return tuple(found)


def of_leading_form(found: Sensitivity | None, form: str) -> Sensitivity | None:
    """Sensitivity of an analysis of several forms: that of the one that leads, parameters alone."""
    if found is None:
        return None
    left_out = (
        "Estimands and verdicts are averages over forms, which no single posterior stands for: these "
        f"are the parameters of {form}; the report of each form has its own estimands and verdicts."
    )
    kept = tuple(row for row in found.rows if row.kind == "parameter")
    alone = found.model_copy(
        update={"rows": kept, "verdicts": (), "not_made": (*found.not_made, left_out)}
    )
    return alone.model_copy(update={"statements": statements(alone, (), 0)})


def _made(
    evidence: Evidence,
    blocks: Sequence[PriorBlock],
    rows: tuple[SensitivityRow, ...] = (),
    not_made: tuple[str, ...] = (),
) -> Sensitivity:
    return Sensitivity(
        threshold=SENSITIVITY_MIN,
        powers=POWERS,
        khat_threshold=khat_max(evidence.posterior.size),
        blocks=tuple(
            SensitivityBlock(name=b.name, title=b.title, priors=b.priors, place=b.place)
            for b in blocks
        ),
        rows=rows,
        not_made=not_made,
    )


def _why_not(design: Design) -> str:
    """Why the likelihood cannot be raised to a power; nothing where it can."""
    if design.weights is not None:
        return "with survey weights it is a pseudo-likelihood, whose power is no amount of data"
    if design.analysis.residual_correlation:
        return "equations are tied by their residuals, and their joint likelihood is not kept"
    if any(design.is_latent(capital) for capital in CAPITALS):
        return "that of the indicators of latent capitals is not kept"
    if gaps(design):
        return "that of the regressions that impute missing inputs is not kept"
    return ""


def _rows(
    evidence: Evidence,
    posterior: xr.Dataset,
    scaled: Sequence[Scaled],
    likelihood: Array | None,
) -> tuple[SensitivityRow, ...]:
    parameters = list(_parameters(evidence.design, posterior))
    quantities = [*parameters, *_estimands(evidence)]
    draws = np.column_stack([quantity.draws for quantity in quantities])
    chains = posterior.sizes[CHAIN]
    parts = [_Part(part.name, sensitivity(part.density, draws, chains)) for part in scaled]
    data = None if likelihood is None else sensitivity(likelihood, draws, chains)
    found = []
    for k, quantity in enumerate(quantities):
        kind: Kind = "parameter" if k < len(parameters) else "estimand"
        bounds = None if data is None else (float(data.low[k]), float(data.high[k]))
        own = parts if data is None else [*parts, _Part(LIKELIHOOD, data)]
        for name, sensed in own:
            value, noise, low, high = (float(column[k]) for column in sensed)
            if not np.isfinite(value):
                continue
            said: Diagnosis = "-" if name == LIKELIHOOD else diagnosis((value, low, high), bounds)
            found.append(
                SensitivityRow(
                    quantity=quantity.name,
                    kind=kind,
                    by=quantity.by,
                    group=quantity.group,
                    block=name,
                    value=value,
                    noise=noise,
                    low=low,
                    high=high,
                    diagnosis=said,
                )
            )
    return tuple(found)


def _parameters(design: Design, posterior: xr.Dataset) -> Iterator[Quantity]:
    """Parameters that have a name of their own: no effects of single groups, no single firms."""
    left_out = {name(capital) for capital in CAPITALS for name in (str, raw_mean, raw_sd)}
    left_out |= {imputed(gap.name) for gap in gaps(design)}
    square = set()
    for each in design.equations:
        left_out |= {each.variable(group_effect(g.name)) for g in each.groupings}
        square |= {each.variable(group_correlation(g.name)) for g in each.groupings}
    for name, values in posterior.data_vars.items():
        if name in left_out:
            continue
        flat = values.transpose(CHAIN, DRAW, ...).to_numpy()
        flat = flat.reshape(flat.shape[0] * flat.shape[1], -1)
        labels = element_names(values)
        size = round(len(labels) ** 0.5)
        for k, label in enumerate(labels):
            # of a correlation matrix the lower triangle
            if name in square and k // size <= k % size:
                continue
            yield Quantity(f"{name}{label}", np.asarray(flat[:, k], dtype="float64"))


def _estimands(evidence: Evidence) -> Iterator[Quantity]:
    """Effects, contrasts, corners and cross differences of all firms and of each industry."""
    design = evidence.design
    if not design.has_capitals:
        return
    surface = evidence.surface("observed", default_levels(design))
    named = {f"effect of {name}": draws for name, draws in surface.marginal.items()}
    named |= {f"contrast of {name}": draws for name, draws in surface.contrast.items()}
    named |= {f"corner {name}": draws for name, draws in surface.corners.items()}
    if design.has_both:
        named["cross difference"] = surface.cross_difference
    industries = evidence.columns("industry")
    columns: list[tuple[By, int, str]] = [("all", k, label) for k, label in evidence.columns("all")]
    if len(industries) <= MOST_INDUSTRIES:
        columns += [("industry", k, label) for k, label in industries]
    for by, column, label in columns:
        for name, draws in named.items():
            yield Quantity(name, draws[:, column], by, label)
