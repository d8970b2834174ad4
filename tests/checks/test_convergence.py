from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.checks.convergence import (
    EstimandMeans,
    confirmed,
    convergence_gate,
    means_of,
    needs_confirmation,
)
from bayescluster.checks.thresholds import moved_limit

CHAINS, DRAWS = 4, 400
RNG = np.random.default_rng(11)


def normal(*shape: int) -> Any:
    return RNG.normal(size=(CHAINS, DRAWS, *shape))


def posterior(**changes: Any) -> xr.Dataset:
    correlation = np.ones((CHAINS, DRAWS, 2, 2))
    correlation[..., 0, 1] = correlation[..., 1, 0] = np.tanh(normal())
    variables = {
        "population": (("chain", "draw", "term"), normal(2)),
        "cluster_correlation": (
            ("chain", "draw", "cluster_term", "cluster_term_other"),
            correlation,
        ),
        "sigma": (("chain", "draw"), np.exp(normal())),
    } | changes
    terms = ["intercept", "human_capital"]
    coords = {"term": terms, "cluster_term": terms, "cluster_term_other": terms}
    return xr.Dataset(variables, coords)


def stats(**changes: Any) -> xr.Dataset:
    shape, dims = (CHAINS, DRAWS), ("chain", "draw")
    variables = {
        "diverging": (dims, np.zeros(shape, bool)),
        "energy": (dims, normal()),
        "depth": (dims, np.full(shape, 4)),
        "maxdepth_reached": (dims, np.zeros(shape, bool)),
    } | {name: (dims, value) for name, value in changes.items()}
    return xr.Dataset(variables)


def gate(estimands: Any = None, **groups: Any) -> Any:
    tree = {"posterior": posterior(), "sample_stats": stats()} | groups
    kept = {name: value for name, value in tree.items() if value is not None}
    return convergence_gate(xr.DataTree.from_dict(kept), estimands or {}, 10)


def item(found: Any, name: str) -> Any:
    (one,) = [each for each in found.items if each.name == name]
    return one


def failed(found: Any) -> list[str]:
    return [each.name for each in found.items if each.passed is not True]


def test_independent_draws_pass():
    found = gate({"effect": normal().ravel()})
    assert found.passed
    assert failed(found) == []
    assert [each.name for each in found.items] == [
        "R-hat",
        "ESS, bulk",
        "ESS, tail",
        "Divergences",
        "E-BFMI",
        "Tree depth",
    ]
    # population 2, correlation 2 (its diagonal left out), sigma 1, effect 1
    assert item(found, "R-hat").found.endswith("over 6 parameters and estimands")
    assert all(each.advice == "" and each.worst == () for each in found.items)


@pytest.mark.parametrize("missing", ["posterior", "sample_stats"])
def test_a_missing_group_fails(missing):
    found = gate(**{missing: None})
    assert not found.passed
    assert {each.found for each in found.items if each.passed is None} == {"not made"}
    assert failed(found) == (
        ["posterior"] if missing == "posterior" else ["Divergences", "E-BFMI", "Tree depth"]
    )


@pytest.mark.parametrize(("variable", "name"), [("diverging", "Divergences"), ("energy", "E-BFMI")])
def test_a_missing_statistic_fails(variable, name):
    found = gate(sample_stats=stats().drop_vars(variable))
    assert not found.passed
    assert failed(found) == [name]


def test_one_chain_fails():
    found = gate(posterior=posterior().isel(chain=[0]))
    assert not found.passed
    assert item(found, "R-hat").passed is None
    assert item(found, "R-hat").advice == "run at least 2 chains (sampling.chains: 4)"


def test_chains_that_disagree_fail():
    values = normal(2)
    values[0, :, 1] += 3
    found = gate(posterior=posterior(population=(("chain", "draw", "term"), values)))
    assert not found.passed
    assert item(found, "R-hat").worst == ("population[human_capital]",)
    assert item(found, "R-hat").advice.startswith("double sampling.tune and sampling.draws")


def test_few_independent_draws_fail():
    walk = np.cumsum(normal(), axis=1)
    found = gate(posterior=posterior(sigma=(("chain", "draw"), walk)))
    assert {"ESS, bulk", "ESS, tail"} <= set(failed(found))
    assert "sigma" in item(found, "ESS, bulk").worst
    assert item(found, "ESS, bulk").advice.startswith("raise sampling.draws about ")


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf])
def test_a_parameter_that_stands_still_or_is_no_number_fails(value):
    still = np.full((CHAINS, DRAWS), value)
    found = gate(posterior=posterior(sigma=(("chain", "draw"), still)))
    assert not found.passed
    assert {"R-hat", "ESS, bulk", "ESS, tail"} <= set(failed(found))
    assert item(found, "R-hat").worst == ("sigma",)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_draw_that_is_no_number_fails(value):
    draws = normal()
    draws[1, 7] = value
    found = gate(posterior=posterior(sigma=(("chain", "draw"), draws)))
    assert "R-hat" in failed(found)
    found = gate({"effect": draws.ravel()})
    assert item(found, "R-hat").worst == ("effect",)


def test_a_chain_that_is_stuck_fails():
    stuck = normal()
    stuck[2] = stuck[2, 0]
    found = gate(posterior=posterior(sigma=(("chain", "draw"), stuck)))
    assert not found.passed


def test_correlations_that_stand_still_fail():
    values = np.ones((CHAINS, DRAWS, 2, 2))
    values[..., 0, 1] = values[..., 1, 0] = 0.3
    dims = ("chain", "draw", "cluster_term", "cluster_term_other")
    found = gate(posterior=posterior(cluster_correlation=(dims, values)))
    assert item(found, "R-hat").worst == (
        "cluster_correlation[intercept, human_capital]",
        "cluster_correlation[human_capital, intercept]",
    )


def test_an_estimand_may_be_fixed_by_the_form():
    found = gate({"cross difference": 1e-16 * normal().ravel()})
    assert found.passed


def test_estimands_are_checked_too():
    values = normal()
    values[3] += 5
    found = gate({"fine": normal().ravel(), "effect in I1": values.ravel()})
    assert not found.passed
    assert item(found, "R-hat").worst == ("effect in I1",)


def diverged(count: int) -> xr.Dataset:
    hit = np.zeros(CHAINS * DRAWS, bool)
    hit[:count] = True
    return stats(diverging=hit.reshape(CHAINS, DRAWS))


def test_more_divergences_than_one_in_a_thousand_fail():
    found = gate(sample_stats=diverged(2))
    assert failed(found) == ["Divergences"]
    one = item(found, "Divergences")
    assert (one.found, one.threshold, one.state) == (
        "2 of 1600 draws",
        "0; up to 1 with a refit",
        "failed",
    )
    assert one.advice == (
        "raise sampling.target_accept (0.95, then 0.99); if some stay, a group sd near 0 makes a "
        "funnel: let fewer terms vary, or state a tighter priors.group_sd"
    )
    assert found.first_step == one.advice
    assert not needs_confirmation(found)


def test_a_single_divergence_is_a_warning_until_a_refit_confirms():
    found = gate(sample_stats=diverged(1))
    one = item(found, "Divergences")
    assert (found.passed, one.passed, one.state) == (True, True, "warning")
    assert found.warnings == (one,)
    assert one.warning == (
        "so few divergences count as passed, but only a refit at a higher target_accept can show "
        "that they move no estimate"
    )
    assert needs_confirmation(found)
    assert not needs_confirmation(gate())
    # a gate that fails otherwise has more to do first
    assert not needs_confirmation(gate(sample_stats=diverged(1), posterior=None))


def refit(**shifts: float) -> EstimandMeans:
    names = ("effect", "corner", "contrast")
    return EstimandMeans(
        mean={name: 1.0 + shifts.get(name, 0.0) for name in names},
        error=dict.fromkeys(names, 0.1),
    )


def test_a_refit_that_moves_nothing_confirms():
    before = gate(sample_stats=diverged(1))
    found = confirmed(before, refit(), refit(effect=0.4, corner=-0.2))
    one = item(found, "Divergences")
    assert found.passed
    assert not needs_confirmation(found)
    assert (one.state, one.advice) == ("warning", "")
    # 0.4 is 2.8 of the standard errors of a difference, each estimate having one of 0.1
    assert one.warning == (
        "confirmed by a refit at a higher target_accept: of 3 estimands none moved by more than 2.8 "
        "standard errors of its change (limit 3.0)"
    )


def test_a_refit_that_moves_an_estimand_fails_and_names_it():
    found = confirmed(gate(sample_stats=diverged(1)), refit(), refit(effect=0.2, corner=-0.5))
    one = item(found, "Divergences")
    assert (found.passed, one.state, one.worst) == (False, "failed", ("corner",))
    assert one.found == (
        "1 of 1600 draws; a refit at a higher target_accept moves 1 estimand by up to 3.5 standard "
        "errors (limit 3.0)"
    )
    assert one.advice.startswith("raise sampling.target_accept")
    assert found.first_step == one.advice


def test_an_estimand_that_a_refit_lacks_counts_as_moved():
    after = refit()
    after = EstimandMeans(
        mean={k: v for k, v in after.mean.items() if k != "effect"}, error=after.error
    )
    assert not confirmed(gate(sample_stats=diverged(1)), refit(), after).passed


def test_chance_moves_the_largest_of_many_estimands():
    rng = np.random.default_rng(2)
    limit = moved_limit(1000)
    assert (moved_limit(1), moved_limit(20)) == pytest.approx((3.0, 3.02), abs=0.005)
    largest = np.abs(rng.normal(size=(2000, 1000))).max(axis=1)
    assert (largest > limit).mean() == pytest.approx(0.05, abs=0.02)


def test_means_of_estimands_come_with_their_errors():
    draws = {"effect": normal().ravel() + 2, "fixed": np.ones(CHAINS * DRAWS), "few": normal()[0]}
    found = means_of(draws, CHAINS)
    assert set(found.mean) == set(found.error) == {"effect", "few"}
    assert found.mean["effect"] == draws["effect"].mean()
    assert found.error["effect"] == pytest.approx(1 / np.sqrt(CHAINS * DRAWS), rel=0.2)


def test_energy_that_crawls_fails():
    energy = normal()
    energy[1] = np.cumsum(energy[1])
    found = gate(sample_stats=stats(energy=energy))
    assert failed(found) == ["E-BFMI"]
    assert item(found, "E-BFMI").worst == ("chain 2",)


def test_energy_by_definition():
    energy = normal()
    found = item(gate(sample_stats=stats(energy=energy)), "E-BFMI").found
    bfmi = [np.mean([(b - a) ** 2 for a, b in pairwise(chain)]) / np.var(chain) for chain in energy]
    assert found == f"smallest {min(bfmi):.2f}"


@pytest.mark.parametrize("given", ["maxdepth_reached", "depth"])
def test_trajectories_cut_short_fail(given):
    depth = np.full((CHAINS, DRAWS), 4)
    depth[0, :17] = 10
    cut = stats(depth=depth, maxdepth_reached=depth == 10)
    other = "depth" if given == "maxdepth_reached" else "maxdepth_reached"
    found = gate(sample_stats=cut.drop_vars(other))
    assert failed(found) == ["Tree depth"]
    assert item(found, "Tree depth").found == "1.1% of draws at the limit of 10"


def test_one_trajectory_in_a_hundred_may_be_cut_short():
    depth = np.full((CHAINS, DRAWS), 4)
    depth[0, :16] = 10
    found = gate(sample_stats=stats(depth=depth, maxdepth_reached=depth == 10))
    assert found.passed
    assert item(found, "Tree depth").found == "1.0% of draws at the limit of 10"
    assert item(found, "Tree depth").threshold == "at most 1%"
