"""Nested ceilings with known effect sizes: made, fitted again and again, and told as a table.

Ceilings are ``a_j + .8 x`` within a floor of .02 and 1, ``a_j ~ N(.1, s)``, firms uniform below.
Run as ``python -m tests.statistical.ceilings [replications]``.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from bayescluster.checks.loo import RowScores
from bayescluster.features.ceiling_models.checks import Firms, ceiling_scores, distance_checks
from bayescluster.features.ceiling_models.compute import unit_effects
from bayescluster.features.ceiling_models.model import (
    CeilingSampler,
    Layout,
    ModelName,
    ceiling_draws_of,
    layout_of,
)
from bayescluster.spec.analysis import Sampling

LIMITS = (0.02, 1.0)
EQUAL = (50,) * 20
UNEQUAL = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 200)
SETTINGS = {"draws": 500, "tune": 600, "chains": 2, "target_accept": 0.95}


class Made(NamedTuple):
    """Firms and the effect size of each cluster, ``(cluster,)``."""

    layout: Layout
    x: np.ndarray
    y: np.ndarray
    truth: np.ndarray


class Found(NamedTuple):
    """Posterior of the effect sizes: mean and 90% interval by cluster; divergences; draws."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    divergences: int
    scores: RowScores | None
    flagged: tuple[str, ...]


def layout(sizes: tuple[int, ...], industries: int = 1) -> Layout:
    """Clusters of given sizes, dealt to industries in turn."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    names = np.array([f"{k:02d}" for k in cluster])
    if industries == 1:
        return layout_of(names, None)
    return layout_of(names, np.array([f"I{k % industries}" for k in cluster]))


def make(where: Layout, spread: float, seed: int, noise: float = 0.0) -> Made:
    """Make firms; industry ``k`` has slope .8 / (1 + k) and ceilings .15 k higher at x = 0.

    With noise the scope is that of the data, and the truth what the ceilings leave of it.
    """
    rng = np.random.default_rng((seed, int(spread * 100), int(noise * 1000)))
    slope = 0.8 / (1 + where.industry)
    start = 0.1 + 0.15 * where.industry + spread * rng.standard_normal(len(where.units))
    x = rng.random(where.unit.size)
    c = np.clip(start[where.unit] + slope[where.unit] * x, *LIMITS)
    y = c * rng.random(x.size) + noise * rng.standard_normal(x.size)
    low, high = (y.min(), y.max()) if noise else (0.0, 1.0)
    grid = (np.arange(2000) + 0.5) / 2000
    lines = np.clip(start[:, None] + slope[:, None] * grid, *LIMITS)
    truth = 1 - np.clip((lines - low) / (high - low), *LIMITS).mean(axis=1)
    return Made(where, x, (y - low) / (high - low), truth)


def fit(
    sampler: CeilingSampler, kind: ModelName, made: Made, seed: int, *, judged: bool = False
) -> Found:
    """Fit one model; with ``judged`` also score and check it."""
    tree = sampler.sample(made.x, made.y, Sampling(seed=seed, **SETTINGS))
    draws = ceiling_draws_of(kind, tree["posterior"].to_dataset())
    effects = unit_effects(draws, made.layout, LIMITS)
    firms = Firms(made.layout, made.x, made.y, LIMITS)
    rng = np.random.default_rng(seed)
    checks = distance_checks(kind, draws, firms, rng) if judged else ()
    return Found(
        effects.mean(axis=0),
        *np.quantile(effects, [0.05, 0.95], axis=0),
        int(tree["sample_stats"]["diverging"].sum()),
        ceiling_scores(kind, draws, firms) if judged else None,
        tuple(row.statistic for row in checks if row.flagged),
    )


class Recovery(NamedTuple):
    """Bias of the mean effect size, mean error by cluster, coverage, divergences."""

    truth: float
    bias: float
    error: float
    covered: float
    divergences: int


def recover(sampler: CeilingSampler, where: Layout, spread: float, replications: int) -> Recovery:
    """Fit the ratio ceiling to firms made anew, so many times."""
    rows = []
    for seed in range(replications):
        made = make(where, spread, seed)
        found = fit(sampler, "ratio", made, seed + 1)
        inside = (found.low <= made.truth) & (made.truth <= found.high)
        rows.append(
            (
                made.truth.mean(),
                (found.mean - made.truth).mean(),
                np.abs(found.mean - made.truth).mean(),
                inside.mean(),
                found.divergences,
            )
        )
    truth, bias, error, covered, _ = np.mean(rows, axis=0)
    return Recovery(truth, bias, error, covered, int(sum(row[-1] for row in rows)))


def main(replications: int) -> None:
    """Print the tables."""
    arranged = {"20 x 50": layout(EQUAL), "1 to 200": layout(UNEQUAL)}
    arranged["2 industries"] = layout(EQUAL, 2)
    for name, where in arranged.items():
        sampler = CeilingSampler("ratio", where, LIMITS)
        for spread in (0.0, 0.1, 0.2, 0.3):
            found = recover(sampler, where, spread, replications)
            _say(
                f"{name:13s} s {spread:.1f}  d {found.truth:.3f}  bias {found.bias:+.4f}  "
                f"error {found.error:.4f}  covered {found.covered:.3f}  div {found.divergences}"
            )


def noisy(noise: float, seeds: int, sizes: tuple[int, ...] = (30,) * 10) -> None:
    """Print which model is chosen when noise is added to the outcome, and how d moves."""
    where = layout(sizes)
    kinds: tuple[ModelName, ...] = ("ratio", "composed", "contaminated")
    samplers = {kind: CeilingSampler(kind, where, LIMITS) for kind in kinds}
    for seed in range(seeds):
        made = make(where, 0.1, seed, noise)
        found = {kind: fit(samplers[kind], kind, made, seed + 1, judged=True) for kind in kinds}
        best = max(kinds, key=lambda kind: found[kind].scores.elpd.sum())
        for kind in kinds:
            one = found[kind]
            less = one.scores.elpd - found[best].scores.elpd
            inside = (one.low <= made.truth) & (made.truth <= one.high)
            _say(
                f"noise {noise:.2f} seed {seed} {kind:12s} elpd {one.scores.elpd.sum():7.1f}  "
                f"less best {less.sum():+6.1f} (SE {np.sqrt(less.size) * less.std():.1f})  "
                f"bad k {one.scores.bad.sum()}  d {one.mean.mean():.3f} of {made.truth.mean():.3f}  "
                f"covered {inside.mean():.2f}  div {one.divergences}  flagged {one.flagged}"
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    for level in (0.0, 0.05):
        noisy(level, 2)
