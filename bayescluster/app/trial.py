"""A tiny model fitted from end to end, to see whether the machine can."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from bayescluster.inference.nuts import compile_model, sample_chains
from bayescluster.spec.analysis import Sampling

TRUTH = 1.0
TOLERANCE = 0.5
"""The mean of 100 unit normals around 1 has sd 0.1: five of them."""


class Trial(NamedTuple):
    """Whether the trial went well, and what was seen."""

    good: bool
    words: str


def trial_fit() -> Trial:
    """Estimate the mean of 100 normal numbers whose true mean is 1."""
    import pymc as pm

    values = np.random.default_rng(1).normal(TRUTH, 1.0, 100)
    with pm.Model() as model:
        mean = pm.Normal("mean", 0.0, 10.0)
        pm.Normal("values", mean, 1.0, observed=values)
    started = time.perf_counter()
    compiled = compile_model(model, ["mean"])
    compiling = time.perf_counter() - started
    sampling = Sampling(draws=200, tune=200, chains=1, seed=1)
    (chain,) = sample_chains(compiled, sampling, [0])
    estimate = float(chain.posterior["mean"].mean())
    words = f"compiled in {compiling:.1f} s, mean {estimate:.2f} where the truth is {TRUTH:.0f}"
    return Trial(abs(estimate - TRUTH) < TOLERANCE, words)
