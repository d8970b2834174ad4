"""Missing discrete values, drawn after a fit given all else, and the priors of what is imputed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.missing import (
    Configurations,
    Gap,
    cases_of,
    configurations,
    enters,
    gaps,
    inputs_of,
    known_inputs,
)
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES, Rows
from bayescluster.model.evaluate import (
    Draws,
    Imputed,
    capitals_at,
    cells_at,
    chunks,
    draws_of,
    flat,
    predictor_at,
)

INTERCEPT_SD, SLOPE_SD, RESIDUAL_SD = 1.0, 0.5, 1.0
"""Priors of the regressions of continuous gaps, all on the standardised scale."""
CUTPOINT_SD, LOGIT_SLOPE_SD = 1.5, 1.0
"""Priors of those of discrete gaps, on the logit scale."""

IMPUTED_STREAM = 12
"""Keeps the random stream of imputed values apart from all others."""


def cutpoint_means(gap: Gap) -> Array:
    """Prior means of the cutpoints of a discrete gap: all levels alike."""
    share = np.arange(1, len(gap.levels)) / len(gap.levels)
    return np.asarray(np.log(share / (1 - share)))


def imputing(seed: int, *further: int) -> np.random.Generator:
    """Source of the imputed values of a fit with a seed."""
    return np.random.default_rng((seed, IMPUTED_STREAM, *further))


def completed(
    design: Design, group: xr.Dataset, rng: np.random.Generator, posterior: bool = True
) -> xr.Dataset:
    """Add the missing discrete values to draws, with dims chain and draw; unchanged without any.

    ``posterior`` tells whether outcomes are known, and so inform the values.
    """
    found = gaps(design)
    discrete = [gap for gap in found if gap.levels]
    if not discrete:
        return group
    cases = configurations(found, design.size)
    cases = cases.where(cases_of(found, design.size)[cases.row] > 1)
    codes = _drawn(design, group, cases, rng, posterior)
    labels = np.array(design.labels(names.ROW))
    for gap in discrete:
        dim, rows = names.imputed_dim(gap.name), gap.rows
        # outcomes are codes, and inputs are as they enter
        levels = np.arange(len(gap.levels)) if gap.place == "outcome" else np.array(gap.levels)
        values = levels.astype("float64")[codes[gap.name][:, rows]]
        shape = (group.sizes[names.CHAIN], group.sizes[names.DRAW], rows.size)
        drawn = xr.Variable(
            (names.CHAIN, names.DRAW, dim), values.reshape(shape), {names.DRAWN_AFTER: 1}
        )
        group = group.assign({names.imputed(gap.name): drawn})
        group = group.assign_coords({dim: labels[rows]})
    return group


def _drawn(
    design: Design,
    group: xr.Dataset,
    cases: Configurations,
    rng: np.random.Generator,
    posterior: bool,
) -> dict[str, np.ndarray]:
    """Codes of the drawn values by gap, ``(draw, row)``; 0 where nothing is drawn."""
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]
    codes = {name: np.zeros((size, design.size), dtype="int64") for name in cases.codes}
    for which, weight in case_densities(design, group, cases, posterior):
        # the largest of log weights with Gumbel noise is a draw by the weights
        noisy = weight + rng.gumbel(size=weight.shape)
        for block in cases.blocks():
            chosen = noisy[:, block].argmax(axis=-1)  # (draw, row)
            at = block[np.arange(len(block)), chosen]
            for name, values in cases.codes.items():
                codes[name][which, cases.row[block[:, 0]]] = values[at]
    return codes


def case_densities(
    design: Design, group: xr.Dataset, cases: Configurations, posterior: bool = True
) -> Iterator[tuple[slice, Array]]:
    """Log density of each case, ``(draw, case)``, in chunks of draws.

    That of its discrete values and, of a posterior, of the outcomes that rest on them.
    """
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]
    parts = {each.equation_name: draws_of(each, group) for each in design.equations}
    for which in chunks(size, cases.row.size):
        total = _of_values(design, group, cases, which)
        for each in design.equations:
            draws = parts[each.equation_name].part(which)
            total = total + _of_outcome(each, gaps(design), draws, cases, posterior)
        yield which, total


def _of_values(design: Design, group: xr.Dataset, cases: Configurations, which: slice) -> Array:
    row = cases.row
    capitals = dict(zip(names.CAPITALS, capitals_at(design, group) or design.capitals, strict=True))
    inputs: dict[str, Array] = {name: v[None, row] for name, v in known_inputs(design).items()}
    inputs |= {c: capitals[c][which][:, row] for c in names.CAPITALS if design.is_latent(c)}
    total = np.zeros((which.stop - which.start, row.size))
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        if gap.levels:
            eta = np.zeros(total.shape)
            for k, name in enumerate(inputs_of(design, gap)):
                slope = flat(group, names.imputation(gap.name, "slope"))[which]
                eta = eta + slope[:, [k]] * inputs[name]
            cut = flat(group, names.imputation(gap.name, "cutpoints"))[which][:, None, :]
            total = total + FAMILIES["ordinal"].log_density(
                cases.codes[gap.name].astype("float64"), eta, {"cutpoints": cut}, Rows()
            )
            values = np.array(gap.levels)[cases.codes[gap.name]][None]
        else:
            cells = cells_at(gap.missing, flat(group, names.imputed(gap.name))[which])
            values = (cells.added() + np.nan_to_num(gap.values))[:, row]
        inputs[gap.name] = (values - gap.center) / gap.scale
    return total


def _of_outcome(
    equation: Design, found: tuple[Gap, ...], draws: Draws, cases: Configurations, posterior: bool
) -> Array | float:
    """Log density of the outcome of one equation in each case; 0 where it rests on no discrete gap."""
    mine = [gap for gap in found if gap.levels and enters(gap, equation)]
    if not mine:
        return 0.0
    row = cases.row
    outcome = equation.outcome[row] if posterior else np.full(row.size, np.nan)
    capitals = list(draws.capitals or equation.capitals)
    capitals = [values[..., row] for values in capitals]
    filled = {name: cells._replace(at=cells.at[row]) for name, cells in draws.imputed.items()}
    for gap in mine:
        codes, missing = cases.codes[gap.name], gap.missing[row]
        levels = np.array(gap.levels)
        if gap.name == equation.equation_name:
            outcome = np.where(missing, codes, outcome)
        elif gap.place == "capital":
            k = names.CAPITALS.index(gap.name)
            capitals[k] = np.where(missing, levels[codes], capitals[k])
        else:
            filled[gap.name] = Imputed(np.where(missing, codes, -1), levels[None])
    own = replace(draws.for_rows(row), imputed=filled)
    eta = predictor_at(equation, own, (capitals[0], capitals[1]), row) + equation.offset[row]
    known = np.flatnonzero(np.isfinite(outcome))
    total = np.zeros((draws.size, row.size))
    if known.size:
        total[:, known] = equation.family.log_density(
            outcome[known], eta[:, known], draws.parameters, equation.rows.at(row[known])
        )
    return total
