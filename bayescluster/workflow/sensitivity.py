"""Power-scaling sensitivity of a fit: parameters, estimands and verdicts, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.convergence import element_names
from bayescluster.checks.power_scaling import Sensed, diagnosis, sensitivity
from bayescluster.checks.thresholds import SENSITIVITY_MIN, khat_max
from bayescluster.design.gaps import gaps
from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.hypotheses.evidence import Evidence
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
from bayescluster.results.sensitivity import (
    Diagnosis,
    Kind,
    Sensitivity,
    SensitivityBlock,
    SensitivityRow,
)
from bayescluster.workflow.scaled_verdicts import POWERS, Scaled, scaled_verdicts, statements

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
    evidence: Evidence, tree: xr.DataTree, verdicts: Sequence[Verdict]
) -> Sensitivity:
    """Say how far a fit hangs on its priors.

    Parameters
    ----------
    evidence
        Draws and claims.
    tree
        Posterior and log likelihood.
    verdicts
        What was decided, in the order of the claims.
    """
    design, posterior = evidence.design, tree["posterior"].to_dataset()
    try:
        blocks = prior_blocks(design, posterior)
    except UnknownPriorError as error:
        return _made(evidence, (), not_made=(f"No prior could be scaled: {error}.",))
    reason = _why_not(design)
    density = None if reason else _log_likelihood(tree)
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


def _log_likelihood(tree: xr.DataTree) -> Array:
    """Log likelihood of all outcomes at each draw, ``(draw,)``."""
    found = [
        values.transpose(CHAIN, DRAW, ...).to_numpy().reshape(-1, values[0, 0].size).sum(axis=1)
        for values in tree["log_likelihood"].to_dataset().data_vars.values()
    ]
    return np.asarray(np.sum(found, axis=0))


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
    named["cross difference"] = surface.cross_difference
    industries = evidence.columns("industry")
    columns: list[tuple[By, int, str]] = [("all", k, label) for k, label in evidence.columns("all")]
    if len(industries) <= MOST_INDUSTRIES:
        columns += [("industry", k, label) for k, label in industries]
    for by, column, label in columns:
        for name, draws in named.items():
            yield Quantity(name, draws[:, column], by, label)
