"""Real fits without a run directory, for tests that look at the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.design.record import Design
from bayescluster.inference.density import compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.spec.analysis import Analysis


def design_from(plain: Mapping[str, Any]) -> Design:
    """Design of an analysis written as plain values; paths start at the working directory."""
    return design_of(analysis_source(Analysis.model_validate(dict(plain))))


def posterior_of(design: Design) -> xr.Dataset:
    """Sample every chain of a design."""
    sampling = design.analysis.sampling
    compiled = compile_design(design, sampling.seed)
    chains = sorted(sample_chains(compiled, sampling, range(sampling.chains)))
    return xr.concat([chain.posterior for chain in chains], "chain")


def draws_of(posterior: xr.Dataset, name: str, **at: str) -> np.ndarray:
    """Draws of one scalar, the chains one after the other."""
    values = posterior[name].sel(at) if at else posterior[name]
    return values.transpose("chain", "draw").to_numpy().ravel()


def write_csv(frame: Any, folder: Path, name: str = "data.csv") -> str:
    """Write a table where an analysis can read it."""
    path = folder / name
    frame.to_csv(path, index=False)
    return str(path)
