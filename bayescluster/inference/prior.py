"""Draws from the prior of a model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import xarray as xr


def sample_prior(model: Any, reported: Sequence[str], draws: int, seed: int) -> xr.Dataset:
    """Draw the reported variables from their prior, dims ``(chain, draw, ...)`` with one chain."""
    import pymc as pm

    with _quiet("pymc"):
        tree = pm.sample_prior_predictive(
            draws,
            model=model,
            var_names=list(reported),
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )
    prior: xr.Dataset = tree["prior"].to_dataset()
    prior.attrs = {}
    return prior


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep a library's remarks off the terminal, warnings excepted."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)
