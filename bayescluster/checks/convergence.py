"""The convergence gate: closed unless every check was made and passed.

It looks at every parameter of the posterior and at every reported estimand: a chain may be well
mixed in its parameters and yet leave a tail probability unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.remedies import (
    DIVERGENCES,
    ENERGY,
    ESS_BULK,
    ESS_TAIL,
    NOT_MADE,
    ONE_CHAIN,
    RHAT,
    TREE_DEPTH,
    advice_for,
)
from bayescluster.checks.thresholds import (
    BFMI_MIN,
    DIVERGENCES_MAX,
    ESS_MIN,
    RHAT_MAX,
    TREEDEPTH_SHARE_MAX,
)
from bayescluster.estimands.summary import diagnostics
from bayescluster.names import CHAIN, DRAW, DRAWN_AFTER
from bayescluster.results.fit import CheckItem, Gate

WORST_SHOWN = 8
AT_ONCE = 256
"""Quantities diagnosed together: latent capitals are thousands, and each needs several copies."""
STILL = 1e-12
"""An estimand that moves no more than this does not move."""


class Quantity(NamedTuple):
    """A named scalar of the posterior with its diagnostics."""

    name: str
    rhat: float
    ess_bulk: float
    ess_tail: float


def convergence_gate(tree: xr.DataTree, estimands: Mapping[str, Array], max_treedepth: int) -> Gate:
    """Check a fit.

    Parameters
    ----------
    tree
        Posterior and sample_stats of the fit.
    estimands
        Reported estimands by name, each ``(draw,)`` with the chains one after the other.
    max_treedepth
        Limit the sampler was given.
    """
    if "posterior" not in tree.children:
        items = [_missing("posterior", "are there draws of the posterior?")]
        return Gate(passed=False, items=tuple(items))
    posterior = tree["posterior"].to_dataset()
    chains = posterior.sizes[CHAIN]
    quantities = [*_parameters(posterior), *_estimands(estimands, chains)]
    items = [
        _rhat(quantities, chains),
        _ess(quantities, "bulk"),
        _ess(quantities, "tail"),
        *_sampler(tree, max_treedepth),
    ]
    return Gate(passed=all(item.passed is True for item in items), items=tuple(items))


def _parameters(posterior: xr.Dataset) -> list[Quantity]:
    found = []
    for name, values in posterior.data_vars.items():
        if values.attrs.get(DRAWN_AFTER):
            continue
        labels = element_names(values)
        shaped = values.transpose(CHAIN, DRAW, ...).to_numpy()
        flat = shaped.reshape(shaped.shape[0] * shaped.shape[1], -1)
        named = [f"{name}{label}" for label in labels]
        fixed = np.zeros(len(named), dtype=bool)
        if str(name).endswith("_correlation"):
            # only the diagonal of a correlation matrix may stand still
            fixed = np.isclose(flat, 1.0).all(axis=0)
        found += _quantities(named, flat, shaped.shape[0], fixed)
    return found


def _estimands(estimands: Mapping[str, Array], chains: int) -> list[Quantity]:
    """Diagnose estimands, those computed from fewer draws among themselves."""
    found = []
    for size in dict.fromkeys(len(values) for values in estimands.values()):
        some = {name: values for name, values in estimands.items() if len(values) == size}
        draws = np.column_stack(list(some.values()))
        # a form may fix an estimand: without a product, means have no cross difference
        still = np.isfinite(draws).all(axis=0)
        still[still] = np.ptp(draws[:, still], axis=0) <= STILL
        found += _quantities(list(some), draws, chains, still)
    return found


def _quantities(
    names: Sequence[str], draws: Array, chains: int, fixed: NDArray[np.bool_]
) -> list[Quantity]:
    """Diagnose ``(draw, quantity)``, those left out that are ``fixed`` by construction."""
    found = []
    for start in range(0, len(names), AT_ONCE):
        some = draws[:, start : start + AT_ONCE]
        # what is not finite has no diagnostics, and so fails
        known = np.where(np.isfinite(some).all(axis=0), some, np.nan)
        rhat, bulk, tail, _ = diagnostics(known, chains)
        diagnosed = zip(names[start : start + AT_ONCE], rhat, bulk, tail, strict=True)
        found += [Quantity(name, *map(float, row)) for name, *row in diagnosed]
    return [quantity for quantity, still in zip(found, fixed, strict=True) if not still]


def element_names(values: xr.DataArray) -> list[str]:
    """Names of the elements of a variable: ``[Furniture, intercept]`` by its coordinates."""
    dims = [dim for dim in values.dims if dim not in (CHAIN, DRAW)]
    if not dims:
        return [""]
    labels = [[str(label) for label in values[dim].to_numpy()] for dim in dims]
    grid = np.stack(np.meshgrid(*labels, indexing="ij"), axis=-1).reshape(-1, len(dims))
    return [f"[{', '.join(row)}]" for row in grid]


def _rhat(quantities: Sequence[Quantity], chains: int) -> CheckItem:
    question = "Do the chains agree with each other?"
    if chains < 2 or not quantities:
        return _missing(RHAT, question, advice_for(ONE_CHAIN).text)
    bad = [q for q in quantities if not q.rhat <= RHAT_MAX]
    worst = sorted(quantities, key=lambda q: -_or(q.rhat, np.inf))
    return CheckItem(
        name=RHAT,
        question=question,
        found=f"largest {worst[0].rhat:.3f} over {len(quantities)} parameters and estimands",
        threshold=f"at most {RHAT_MAX}",
        passed=not bad,
        worst=tuple(q.name for q in worst[: min(len(bad), WORST_SHOWN)]),
        advice=advice_for(RHAT).text if bad else "",
    )


def _ess(quantities: Sequence[Quantity], kind: str) -> CheckItem:
    question = {
        "bulk": "Are there enough independent draws for means?",
        "tail": "Are there enough independent draws for intervals and small probabilities?",
    }[kind]
    check = ESS_BULK if kind == "bulk" else ESS_TAIL
    if not quantities:
        return _missing(check, question)
    size = {q.name: q.ess_bulk if kind == "bulk" else q.ess_tail for q in quantities}
    bad = [name for name, ess in size.items() if not ess >= ESS_MIN]
    worst = sorted(size, key=lambda name: _or(size[name], -1.0))
    return CheckItem(
        name=check,
        question=question,
        found=f"smallest {size[worst[0]]:.0f} over {len(size)} parameters and estimands",
        threshold=f"at least {ESS_MIN}",
        passed=not bad,
        worst=tuple(worst[: min(len(bad), WORST_SHOWN)]),
        advice=advice_for(check, factor=_factor(size[worst[0]])).text if bad else "",
    )


def _or(value: float, instead: float) -> float:
    return value if np.isfinite(value) else instead


def _factor(ess: float) -> str:
    return f"{np.ceil(ESS_MIN / ess * 1.3):.0f}" if np.isfinite(ess) and ess > 0 else "several"


def _sampler(tree: xr.DataTree, max_treedepth: int) -> list[CheckItem]:
    if "sample_stats" not in tree.children:
        return [
            _missing(name, "What did the sampler say?")
            for name in (DIVERGENCES, ENERGY, TREE_DEPTH)
        ]
    stats = tree["sample_stats"].to_dataset()
    return [_divergences(stats), _energy(stats), _treedepth(stats, max_treedepth)]


def _divergences(stats: xr.Dataset) -> CheckItem:
    question = "Could the sampler follow the posterior everywhere?"
    if "diverging" not in stats:
        return _missing(DIVERGENCES, question)
    count, total = int(stats["diverging"].sum()), int(stats["diverging"].size)
    return CheckItem(
        name=DIVERGENCES,
        question=question,
        found=f"{count} of {total} draws",
        threshold=f"{DIVERGENCES_MAX}",
        passed=count <= DIVERGENCES_MAX,
        advice=advice_for(DIVERGENCES).text if count > DIVERGENCES_MAX else "",
    )


def _energy(stats: xr.Dataset) -> CheckItem:
    question = "Does the sampler move between the body and the tails?"
    if "energy" not in stats:
        return _missing(ENERGY, question)
    energy = stats["energy"].transpose(CHAIN, DRAW).to_numpy()
    bfmi = np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1)
    low = [f"chain {k + 1}" for k, value in enumerate(bfmi) if not value >= BFMI_MIN]
    return CheckItem(
        name=ENERGY,
        question=question,
        found=f"smallest {bfmi.min():.2f}",
        threshold=f"at least {BFMI_MIN}",
        passed=not low,
        worst=tuple(low),
        advice=advice_for(ENERGY).text if low else "",
    )


def _treedepth(stats: xr.Dataset, limit: int) -> CheckItem:
    question = "Were trajectories cut short?"
    if "maxdepth_reached" in stats:
        share = float(stats["maxdepth_reached"].mean())
    elif "depth" in stats:
        share = float((stats["depth"] >= limit).mean())
    else:
        return _missing(TREE_DEPTH, question)
    return CheckItem(
        name=TREE_DEPTH,
        question=question,
        found=f"{share:.1%} of draws at the limit of {limit}",
        threshold=f"at most {TREEDEPTH_SHARE_MAX:.0%}",
        passed=share <= TREEDEPTH_SHARE_MAX,
        advice=advice_for(TREE_DEPTH).text if share > TREEDEPTH_SHARE_MAX else "",
    )


def _missing(name: str, question: str, advice: str = "") -> CheckItem:
    return CheckItem(
        name=name,
        question=question,
        found=NOT_MADE,
        threshold="",
        passed=None,
        advice=advice or advice_for(NOT_MADE).text,
    )
