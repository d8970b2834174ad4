"""Simulation-based calibration of latent capitals: indicators and outcomes from the prior itself.

The generator is written apart from the model, from the account of its priors: cluster means, the
bearing of human on social capital, loadings, intercepts and errors, raw capitals, indicators, and an
outcome that rests on the standardised capitals.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.stats import chisquare

from bayescluster.app.prepare import analysis_source
from bayescluster.app.run import fit_source
from bayescluster.design.record import Design
from bayescluster.inference.density import compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.inference.watch import Silent
from bayescluster.model.evaluate import draws_of
from bayescluster.names import OUTCOME, items
from tests.factories import firms, small_design

pytestmark = pytest.mark.slow

REPLICATIONS = 24
KEPT, BINS = 99, 4
FALSE_ALARM = 1e-4
CAPITALS = ("human_capital", "social_capital")
ROWS, CLUSTERS = 96, 8


class Truth(NamedTuple):
    """A data set and the values it was drawn from."""

    items: dict[str, np.ndarray]
    outcome: np.ndarray
    values: dict[str, float]


@pytest.fixture(scope="module")
def base() -> Design:
    rng = np.random.default_rng(1)
    columns = {f"{capital[0]}{k}": rng.normal(size=ROWS) for capital in CAPITALS for k in range(3)}
    frame = firms(rows=ROWS, industries=2, clusters=CLUSTERS // 2).assign(**columns)
    constructs: dict[str, Any] = {
        capital: {"method": "latent", "indicators": [f"{capital[0]}{k}" for k in range(3)]}
        for capital in CAPITALS
    }
    return small_design(
        "bernoulli", "interaction", {"cluster": ["intercept"]}, frame=frame, constructs=constructs
    )


def generate(design: Design, rng: np.random.Generator) -> Truth:
    """Draw parameters from their priors, then capitals, indicators and outcomes."""
    cluster = design.index("cluster")
    values: dict[str, float] = {}
    made, capitals = {}, []
    for capital in CAPITALS:
        sd = abs(rng.normal())
        mean = rng.normal(0, sd, CLUSTERS)[cluster]
        if capitals:
            values[f"{capital}_on_other"] = rng.normal(0, 0.5)
            mean = mean + values[f"{capital}_on_other"] * capitals[0]
        raw = mean - mean.mean() + rng.normal(size=ROWS)
        loading = abs(rng.normal(size=3))
        error = abs(rng.normal(size=3))
        noise = error * rng.normal(size=(ROWS, 3))
        made[capital] = rng.normal(0, 0.5, 3) + raw[:, None] * loading + noise
        capitals.append((raw - raw.mean()) / raw.std(ddof=1))
        values[f"first loading of {capital}"] = loading[0]
        values[f"error of {capital}"] = error[1]
        values[f"cluster sd of {capital}"] = sd
    population = rng.normal(0, [1.5, 1.0, 1.0, 1.0])
    human, social = capitals
    eta = population @ np.stack([np.ones(ROWS), human, social, human * social])
    eta += rng.normal(0, abs(rng.normal(0, 0.5)), CLUSTERS)[cluster]
    outcome = (rng.random(ROWS) < 1 / (1 + np.exp(-eta))).astype(float)
    names = ("intercept", *CAPITALS, "interaction")
    return Truth(made, outcome, values | dict(zip(names, population, strict=True)))


def quantities(posterior: xr.Dataset, design: Design) -> dict[str, np.ndarray]:
    """Posterior draws by name, ``(draw,)`` each, thinned."""

    def flat(name: str, at: int | None = None) -> np.ndarray:
        values = posterior[name].transpose("chain", "draw", ...).to_numpy()
        return (values if at is None else values[..., at]).ravel()

    found = dict(draws_of(design, posterior).population)
    found["social_capital_on_other"] = flat("social_capital_on_other")
    for capital in CAPITALS:
        found[f"first loading of {capital}"] = flat(f"{capital}_loading", 0)
        found[f"error of {capital}"] = flat(f"{capital}_item_error", 1)
        found[f"cluster sd of {capital}"] = flat(f"{capital}_cluster_sd")
    size = next(iter(found.values())).size
    some = np.linspace(0, size - 1, KEPT).astype(int)
    return {name: values[some] for name, values in found.items()}


def ranks_of(base: Design, seed: int) -> dict[str, int]:
    truth = generate(base, np.random.default_rng((seed, 17)))
    data = base.data.assign(
        {OUTCOME: (base.data[OUTCOME].dims, truth.outcome)}
        | {items(name): (base.data[items(name)].dims, truth.items[name]) for name in CAPITALS}
    )
    design = replace(base, data=data)
    compiled = compile_design(design, 1)
    sampling = design.analysis.sampling.model_copy(
        update={"draws": 500, "tune": 500, "chains": 2, "target_accept": 0.95, "seed": seed}
    )
    chains = sorted(sample_chains(compiled, sampling, range(2)))
    posterior = xr.concat([chain.posterior for chain in chains], "chain")
    found = quantities(posterior, design)
    return {name: int((found[name] < value).sum()) for name, value in truth.values.items()}


def test_ranks_are_uniform(base) -> None:
    ranks: dict[str, list[int]] = {}
    for seed in range(REPLICATIONS):
        for name, rank in ranks_of(base, seed).items():
            ranks.setdefault(name, []).append(rank)
    for name, found in ranks.items():
        counts = np.bincount(np.array(found) * BINS // (KEPT + 1), minlength=BINS)
        p = chisquare(counts).pvalue
        assert p > FALSE_ALARM / len(ranks), f"{name}: {counts.tolist()}"


TRUTHS = int(os.environ.get("TRUTHS", "60"))
MOST_FAILED = 2
LOADS = 0.4
"""Loading from which an indicator tells which way its capital points."""


def analysis_of(truth: Truth, design: Design, folder: Path) -> Path:
    """Write firms of a truth, and an analysis that leaves everything to its defaults."""
    columns: dict[str, Any] = {"cluster": [f"C{k}" for k in design.index("cluster")]}
    for capital in CAPITALS:
        columns |= {f"{capital[0]}{k}": truth.items[capital][:, k] for k in range(3)}
    pd.DataFrame(columns | {"y": truth.outcome.astype(int)}).to_csv(folder / "firms.csv")
    constructs = {
        capital: {"method": "latent", "indicators": [f"{capital[0]}{k}" for k in range(3)]}
        for capital in CAPITALS
    }
    equation = {
        "outcome": "y",
        "family": "bernoulli",
        "structure": "interaction",
        "varying": {"cluster": ["intercept"]},
    }
    analysis = {
        "name": "truth",
        "data": {"source": "firms.csv", "cluster": "cluster"},
        "constructs": constructs,
        "equations": {"outcome": equation},
        "hypotheses": [{"kind": "effect", "capital": "human_capital", "by": "all"}],
    }
    path = folder / "truth.yaml"
    path.write_text(yaml.safe_dump(analysis), encoding="utf-8")
    return path


def test_prior_truths_pass_the_checks_by_default_and_no_capital_is_turned_round(
    base, tmp_path
) -> None:
    failed, turned = [], []
    for seed in range(TRUTHS):
        truth = generate(base, np.random.default_rng((seed, 60)))
        folder = tmp_path / str(seed)
        folder.mkdir()
        source = analysis_source(analysis_of(truth, base, folder))
        drawn = fit_source(source, folder / "runs", Silent())
        ((_, gate),) = drawn.gates().values()
        if not gate.passed:
            failed.append((seed, gate.failing))
        posterior = drawn.directory.load_posterior()["posterior"].to_dataset()
        for capital in CAPITALS:
            loading = float(posterior[f"{capital}_loading"].isel({f"{capital}_item": 0}).mean())
            score = posterior[capital].mean(("chain", "draw")).to_numpy()
            told = np.corrcoef(score, truth.items[capital][:, 0])[0, 1]
            if loading > LOADS and told < 0:
                turned.append((seed, capital, told))
    assert len(failed) <= MOST_FAILED, failed
    assert not turned
