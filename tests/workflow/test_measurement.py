from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.app.prepare import LATENT_ACCEPT, analysis_source, with_default_steps
from bayescluster.checks.convergence import convergence_gate, element_names
from bayescluster.estimands import diagnostics
from bayescluster.features.measurement.compute import (
    measurement_draws,
    measurement_estimands,
    measurement_facts,
    omega,
)
from tests.factories import small_design
from tests.measured import CONSTRUCTS, measured_firms

DRAWS = 60
DIMS = ("chain", "draw")


@pytest.fixture(scope="module")
def design() -> Any:
    return small_design(
        frame=measured_firms(60), constructs=CONSTRUCTS["human latent"], controls=["exporter"]
    )


@pytest.fixture(scope="module")
def tree(design) -> xr.DataTree:
    """Draws of the right names and shapes, from no posterior."""
    rng = np.random.default_rng(5)

    def drawn(*shape: int, **scale: float) -> Any:
        return rng.normal(scale.get("at", 0.0), 0.1, (2, DRAWS, *shape))

    capital = rng.normal(size=(2, DRAWS, design.size))
    capital -= capital.mean(axis=-1, keepdims=True)
    capital /= capital.std(axis=-1, ddof=1, keepdims=True)
    group = xr.Dataset(
        {
            "human_capital": ((*DIMS, "firm"), capital),
            "human_capital_raw_mean": (DIMS, drawn()),
            "human_capital_raw_sd": (DIMS, drawn(at=1.2)),
            "human_capital_loading": ((*DIMS, "human_capital_item"), drawn(5, at=0.7)),
            "human_capital_item_intercept": ((*DIMS, "some"), drawn(3)),
            "human_capital_item_error": ((*DIMS, "some"), drawn(3, at=0.7)),
            "human_capital_threshold_engineers": ((*DIMS, "one"), drawn(1)),
            "human_capital_threshold_rank": (
                (*DIMS, "three"),
                drawn(3) + np.array([-1.0, 0.5, 1.5]),
            ),
            "human_capital_cluster_sd": (DIMS, drawn(at=0.8)),
            "human_capital_background": ((*DIMS, "control"), drawn(1)),
            "human_capital_on_other": (DIMS, drawn()),
        },
        {"firm": list(design.labels("firm"))},
    )
    return xr.DataTree.from_dict({"posterior": group, "prior": group})


@pytest.fixture(scope="module")
def found(design, tree) -> Any:
    return measurement_draws(design, tree, np.random.default_rng(1))


def test_facts_are_those_of_the_draws(design, found):
    facts = measurement_facts(design, found)
    (one,) = facts.capitals
    assert [row.kind for row in one.loadings] == ["continuous"] * 3 + ["binary", "ordinal"]
    assert [row.levels for row in one.loadings] == [0, 0, 0, 2, 4]
    values = design.items("human_capital").values
    assert [row.answered for row in one.loadings] == list(np.isfinite(values).sum(axis=0))
    drawn = found.capitals[0].loadings
    assert one.loadings[1].estimate.mean == pytest.approx(drawn[:, 1].mean())
    assert one.reliability.mean == pytest.approx(omega(drawn).mean())
    assert [row.name for row in one.background] == [
        "sd of clusters",
        "exporter",
        "the other capital",
    ]
    assert {(row.by, row.measure) for row in one.departures} == {
        ("industry", "shift"),
        ("industry", "loading"),
        ("cluster", "shift"),
    }


def test_every_reported_number_is_an_estimand_of_the_gate(design, found):
    named = measurement_estimands(design, found)
    assert {values.shape for values in named.values()} == {(2 * DRAWS,)}
    facts = measurement_facts(design, found)
    (one,) = facts.capitals
    # the background is made of parameters, which the gate sees anyway
    assert len(named) == 2 + len(one.loadings) + len(one.departures)
    assert {
        "correlation of the capitals",
        "reliability of human_capital",
        "standardised loading of rank on human_capital",
        "shift of rank (industry I0) of human_capital",
        "loading of skill (industry I1) of human_capital",
    } <= set(named)


def test_nothing_where_both_capitals_are_observed(tree):
    design = small_design()
    drawn = measurement_draws(design, tree, np.random.default_rng(1))
    assert drawn is None
    assert measurement_facts(design, drawn) is None
    assert measurement_estimands(design, drawn) == {}


def test_capital_of_every_firm_passes_the_gate_under_its_name(tree, monkeypatch):
    posterior = tree["posterior"].to_dataset()
    assert element_names(posterior["human_capital"])[:2] == ["[f00]", "[f01]"]
    whole = convergence_gate(tree, {}, 10)
    monkeypatch.setattr(diagnostics, "CELLS_A_BLOCK", 7)
    assert convergence_gate(tree, {}, 10) == whole
    assert "over 80 parameters" in whole.items[0].found
    stuck = posterior.assign(human_capital=posterior["human_capital"].copy())
    stuck["human_capital"][1, :, 41] += 5.0
    gate = convergence_gate(xr.DataTree.from_dict({"posterior": stuck}), {}, 10)
    assert gate.items[0].worst[0] == "human_capital[f41]"


def test_larger_steps_are_asked_for_where_a_capital_is_latent() -> None:
    latent, scores = (
        analysis_source(f"configs/{name}.yaml").analysis.sampling.target_accept
        for name in ("asian_clusters", "asian_clusters_forms")
    )
    assert (latent, scores) == (LATENT_ACCEPT, 0.9)
    analysis = analysis_source("configs/asian_clusters.yaml").analysis
    sampling = analysis.sampling.model_copy(update={"target_accept": 0.9})
    given = analysis.model_copy(update={"sampling": sampling})
    assert with_default_steps(given) == given
