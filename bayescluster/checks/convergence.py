"""The convergence gate: closed unless every check was made and passed.

It looks at every parameter of the posterior and at every reported estimand: a chain may be well
mixed in its parameters and yet leave a tail probability unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks import remedies, thresholds
from bayescluster.estimands.diagnostics import diagnostics, mcse_of_mean
from bayescluster.names import CHAIN, DRAW, DRAWN_AFTER
from bayescluster.results.fit import CheckItem, EstimandMeans, Gate

QUESTIONS: Final = {
    "posterior": "are there draws of the posterior?",
    remedies.RHAT: "Do the chains agree with each other?",
    remedies.ESS_BULK: "Are there enough independent draws for means?",
    remedies.ESS_TAIL: "Are there enough independent draws for intervals and small probabilities?",
    remedies.DIVERGENCES: "Could the sampler follow the posterior everywhere?",
    remedies.ENERGY: "Does the sampler move between the body and the tails?",
    remedies.TREE_DEPTH: "Were trajectories cut short?",
}
WORST_SHOWN = 8
STILL = 1e-12
"""An estimand that moves no more than this does not move."""


class Quantity(NamedTuple):
    """A named scalar of the posterior with its diagnostics."""

    name: str
    rhat: float
    ess_bulk: float
    ess_tail: float


def convergence_gate(tree: xr.DataTree, estimands: Mapping[str, Array], max_treedepth: int) -> Gate:
    """Check a fit by its posterior and sample_stats.

    ``estimands`` holds reported estimands by name, each ``(draw,)`` with the chains one after the other;
    ``max_treedepth`` is the limit the sampler was given.
    """
    if "posterior" not in tree.children:
        missing = _missing("posterior")
        return Gate(passed=False, items=(missing,))
    posterior = tree["posterior"].to_dataset()
    chains = posterior.sizes[CHAIN]
    quantities = [*_parameters(posterior), *_estimands(estimands, chains)]
    items = [
        _rhat(quantities, chains),
        _ess(quantities, remedies.ESS_BULK),
        _ess(quantities, remedies.ESS_TAIL),
        *_sampler(tree, max_treedepth),
    ]
    return Gate(passed=all(item.passed is True for item in items), items=tuple(items))


def _parameters(posterior: xr.Dataset) -> list[Quantity]:
    found = []
    for name, values in posterior.data_vars.items():
        if values.attrs.get(DRAWN_AFTER):
            continue
        shaped = values.transpose(CHAIN, DRAW, ...).to_numpy()
        flat = shaped.reshape(shaped.shape[0] * shaped.shape[1], -1)
        named = [f"{name}{label}" for label in element_names(values)]
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
    # what is not finite has no diagnostics, and so fails
    known = np.where(np.isfinite(draws).all(axis=0), draws, np.nan)
    found = diagnostics(known, chains)
    rows = zip(names, found.rhat, found.ess_bulk, found.ess_tail, fixed, strict=True)
    return [Quantity(name, *map(float, row)) for name, *row, still in rows if not still]


def element_names(values: xr.DataArray) -> list[str]:
    """Names of the elements of a variable: ``[Furniture, intercept]`` by its coordinates."""
    dims = [dim for dim in values.dims if dim not in (CHAIN, DRAW)]
    if not dims:
        return [""]
    labels = [[str(label) for label in values[dim].to_numpy()] for dim in dims]
    grid = np.stack(np.meshgrid(*labels, indexing="ij"), axis=-1).reshape(-1, len(dims))
    return [f"[{', '.join(row)}]" for row in grid]


def _rhat(quantities: Sequence[Quantity], chains: int) -> CheckItem:
    if chains < 2 or not quantities:
        return _missing(remedies.RHAT, remedies.ONE_CHAIN)
    bad = sum(not quantity.rhat <= thresholds.RHAT_MAX for quantity in quantities)
    worst = sorted(quantities, key=lambda q: -q.rhat if np.isfinite(q.rhat) else -np.inf)
    largest = f"largest {worst[0].rhat:.3f} over {len(quantities)} parameters and estimands"
    shown = [quantity.name for quantity in worst[: min(bad, WORST_SHOWN)]]
    return _item(remedies.RHAT, largest, f"at most {thresholds.RHAT_MAX}", not bad, shown)


def _ess(quantities: Sequence[Quantity], check: str) -> CheckItem:
    bulk = check == remedies.ESS_BULK
    if not quantities:
        return _missing(check)
    size = {q.name: q.ess_bulk if bulk else q.ess_tail for q in quantities}
    bad = sum(not ess >= thresholds.ESS_MIN for ess in size.values())
    worst = sorted(size, key=lambda name: size[name] if np.isfinite(size[name]) else -1.0)
    least = size[worst[0]]
    known = np.isfinite(least) and least > 0
    factor = f"{np.ceil(thresholds.ESS_MIN / least * 1.3):.0f}" if known else "several"
    smallest = f"smallest {least:.0f} over {len(size)} parameters and estimands"
    shown = worst[: min(bad, WORST_SHOWN)]
    return _item(check, smallest, f"at least {thresholds.ESS_MIN}", not bad, shown, factor=factor)


def _sampler(tree: xr.DataTree, max_treedepth: int) -> list[CheckItem]:
    if "sample_stats" not in tree.children:
        return [
            _missing(check)
            for check in (remedies.DIVERGENCES, remedies.ENERGY, remedies.TREE_DEPTH)
        ]
    stats = tree["sample_stats"].to_dataset()
    return [_divergences(stats), _energy(stats), _treedepth(stats, max_treedepth)]


def _divergences(stats: xr.Dataset) -> CheckItem:
    if "diverging" not in stats:
        return _missing(remedies.DIVERGENCES)
    count, total = int(stats["diverging"].sum()), int(stats["diverging"].size)
    most = max(1, int(total * thresholds.DIVERGENCES_WARNING))
    none, few = count <= thresholds.DIVERGENCES_MAX, count <= most
    item = _item(
        remedies.DIVERGENCES,
        f"{count} of {total} draws",
        f"{thresholds.DIVERGENCES_MAX}; up to {most} with a refit",
        few,
    )
    return item if none or not few else item.model_copy(update=UNCONFIRMED)


UNCONFIRMED: Final = {
    "warning": "so few divergences count as passed, but only a refit at a higher target_accept can show "
    "that they move no estimate",
    "advice": "raise sampling.target_accept (0.95, then 0.99) and compare the estimates",
    "unconfirmed": True,
}


def needs_confirmation(gate: Gate) -> bool:
    """Whether a gate is passed but for a refit at a higher target_accept; see `confirmed`."""
    return gate.passed and any(item.unconfirmed for item in gate.items)


def means_of(estimands: Mapping[str, Array], chains: int) -> EstimandMeans:
    """Means of estimands from their draws, ``(draw,)`` each, chain after chain; still ones left out."""
    mean: dict[str, float] = {}
    error: dict[str, float] = {}
    for size in dict.fromkeys(len(values) for values in estimands.values()):
        some = {name: values for name, values in estimands.items() if len(values) == size}
        draws = np.column_stack(list(some.values()))
        for name, column, mcse in zip(some, draws.T, mcse_of_mean(draws, chains), strict=True):
            if np.isfinite(mcse):
                mean[name], error[name] = float(column.mean()), float(mcse)
    return EstimandMeans(mean=mean, error=error)


def confirmed(gate: Gate, before: EstimandMeans, after: EstimandMeans) -> Gate:
    """Settle the warnings of a gate by a refit at a higher target_accept.

    Parameters
    ----------
    gate
        The gate of the fit, for which `needs_confirmation` is true.
    before, after
        Reported estimands of that fit, and of the refit.

    Returns
    -------
    Gate
        Warnings stay, as confirmed, where no estimand moved by more than `thresholds.moved_limit`
        standard errors of its change. Else the checks fail and name the estimands that moved most. An
        estimand without a counterpart counts as moved.
    """
    moved = {
        name: _errors_apart(name, before, after)
        for name in dict.fromkeys([*before.mean, *after.mean])
    }
    limit = thresholds.moved_limit(len(moved))
    worst = sorted(moved, key=lambda name: -moved[name])
    far = [name for name in worst if moved[name] > limit]
    largest = moved[worst[0]] if worst else 0.0
    settled = tuple(
        _settled(item, far, largest, limit, len(moved)) if item.unconfirmed else item
        for item in gate.items
    )
    passed = all(item.passed is True for item in settled)
    return gate.model_copy(update={"items": settled, "passed": passed})


def with_confirmed(gate: Gate, items: Sequence[CheckItem]) -> Gate:
    """Put checks that a refit has settled in place of those that wait for one."""
    known = {item.name: item for item in items}

    def settle(item: CheckItem) -> CheckItem:
        found = known.get(item.name)
        if found is None or not item.unconfirmed:
            return item
        # with more draws than the refit was compared at, what was found in them is new
        return found.model_copy(update={"found": item.found}) if found.passed else found

    settled = tuple(map(settle, gate.items))
    passed = all(item.passed is True for item in settled)
    return gate.model_copy(update={"items": settled, "passed": passed})


def _errors_apart(name: str, before: EstimandMeans, after: EstimandMeans) -> float:
    """Standard errors of its change that an estimand moved by."""
    if name not in before.mean or name not in after.mean:
        return float("inf")
    error = float(np.hypot(before.error[name], after.error[name]))
    return abs(after.mean[name] - before.mean[name]) / error


def _settled(
    item: CheckItem, far: Sequence[str], largest: float, limit: float, count: int
) -> CheckItem:
    if not far:
        words = (
            f"confirmed by a refit at a higher target_accept: of {count} estimands none moved by more "
            f"than {largest:.1f} standard errors of its change (limit {limit:.1f})"
        )
        return item.model_copy(update={"warning": words, "advice": "", "unconfirmed": False})
    several = "1 estimand" if len(far) == 1 else f"{len(far)} estimands"
    return item.model_copy(
        update={
            "passed": False,
            "found": f"{item.found}; a refit at a higher target_accept moves {several} by up to "
            f"{largest:.1f} standard errors (limit {limit:.1f})",
            "worst": tuple(far[:WORST_SHOWN]),
            "advice": remedies.advice_for(item.name).text,
            "warning": "",
            "unconfirmed": False,
        }
    )


def _energy(stats: xr.Dataset) -> CheckItem:
    if "energy" not in stats:
        return _missing(remedies.ENERGY)
    energy = stats["energy"].transpose(CHAIN, DRAW).to_numpy()
    bfmi = np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1)
    low = [f"chain {k + 1}" for k, value in enumerate(bfmi) if not value >= thresholds.BFMI_MIN]
    smallest = f"smallest {bfmi.min():.2f}"
    return _item(remedies.ENERGY, smallest, f"at least {thresholds.BFMI_MIN}", not low, low)


def _treedepth(stats: xr.Dataset, limit: int) -> CheckItem:
    if "maxdepth_reached" in stats:
        share = float(stats["maxdepth_reached"].mean())
    elif "depth" in stats:
        share = float((stats["depth"] >= limit).mean())
    else:
        return _missing(remedies.TREE_DEPTH)
    reached, most = f"{share:.1%} of draws at the limit of {limit}", thresholds.TREEDEPTH_SHARE_MAX
    return _item(remedies.TREE_DEPTH, reached, f"at most {most:.0%}", share <= most)


def _item(
    check: str,
    result: str,
    threshold: str,
    passed: bool,
    worst: Sequence[str] = (),
    **facts: str,
) -> CheckItem:
    return CheckItem(
        name=check,
        question=QUESTIONS[check],
        found=result,
        threshold=threshold,
        passed=passed,
        worst=tuple(worst),
        advice="" if passed else remedies.advice_for(check, None, **facts).text,
    )


def _missing(check: str, advice: str = remedies.NOT_MADE) -> CheckItem:
    return CheckItem(
        name=check,
        question=QUESTIONS[check],
        found=remedies.NOT_MADE,
        threshold="",
        passed=None,
        advice=remedies.advice_for(advice).text,
    )
