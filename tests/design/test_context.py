"""The mean of a capital among the other firms of a cluster, as an input of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.design.coding import between_share, surroundings, surroundings_of
from bayescluster.errors import BayesClusterError
from bayescluster.model.evaluate import draws_of, linear_predictor, predictor_at, row_coefficients
from bayescluster.runs.keys import fit_key
from tests.draws import known_draws
from tests.factories import analysis_of, firms, small_design
from tests.model.test_measurement import design_for

H, S = "human_capital", "social_capital"


def naive(
    values: np.ndarray, group: np.ndarray, firm: np.ndarray, weight: np.ndarray
) -> list[float]:
    found = []
    for i in range(values.size):
        others = (group == group[i]) & (firm != firm[i])
        found.append(
            float(np.average(values[others], weights=weight[others])) if others.any() else 0.0
        )
    return found


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_is_that_of_the_other_firms(repeated: bool, weighted: bool):
    rng = np.random.default_rng(4)
    group = rng.integers(0, 5, 40)
    group[0] = 5  # alone in its cluster
    firm = np.arange(40) // 3 if repeated else np.arange(40)
    if repeated:
        firm[0] = 99
    weight = rng.uniform(0.5, 2.0, 40) if weighted else np.ones(40)
    around = surroundings("cluster", group, firm, weight if weighted else None)
    values = rng.normal(size=(3, 40))
    wanted = [naive(one, group, firm, weight) for one in values]
    np.testing.assert_allclose(around.mean(values), wanted, atol=1e-12)
    np.testing.assert_allclose(around.mean(values[0]), wanted[0], atol=1e-12)
    assert around.alone[0]
    assert around.alone.sum() == 1 or repeated


def test_the_mean_of_a_firm_is_that_of_all_its_rows():
    firm = np.array([0, 0, 1, 1, 1])
    around = surroundings("firm", firm, firm)
    np.testing.assert_allclose(around.mean(np.array([1.0, 3.0, 1.0, 2.0, 6.0])), [2, 2, 3, 3, 3])


def test_contexts_enter_with_a_coefficient_that_may_vary():
    varying = {"industry": ["intercept", "cluster_human_capital"]}
    design = small_design("gaussian", "interaction", varying, contextual=[H, S])
    assert design.terms[-2:] == ("cluster_human_capital", "cluster_social_capital")
    frame = firms()
    z = (frame.training - frame.training.mean()) / frame.training.std(ddof=1)
    code = frame.cluster.astype("category").cat.codes.to_numpy()
    wanted = naive(z.to_numpy(), code, np.arange(48), np.ones(48))
    np.testing.assert_allclose(design.context("cluster_human_capital"), wanted, atol=1e-9)
    draws = known_draws(design, cluster_human_capital=1.0)
    without = small_design("gaussian", "interaction", {"industry": ["intercept"]})
    slope = row_coefficients(draws)["cluster_human_capital"]
    rest = {name: draws.population[name] for name in without.terms}
    plain = known_draws(without)
    level = draws.groups["industry"]
    eta = (
        rest["intercept"][:, None]
        + level.effect[:, level.member, 0]
        + rest[H][:, None] * design.capitals[0]
        + rest[S][:, None] * design.capitals[1]
        + rest["interaction"][:, None] * design.capitals[0] * design.capitals[1]
        + slope * np.array(wanted)
        + draws.population["cluster_social_capital"][:, None]
        * design.context("cluster_social_capital")
    )
    assert plain.size == draws.size
    np.testing.assert_allclose(linear_predictor(design, draws), eta, atol=1e-9)


def test_of_a_latent_capital_it_is_the_mean_of_the_capital_at_each_draw():
    design = design_for("human latent", contextual=[H])
    rng = np.random.default_rng(2)
    size = design.size
    latent = rng.normal(size=(1, 3, size))
    terms = design.terms
    values = rng.normal(size=(1, 3, len(terms)))
    variables: dict[str, Any] = {
        H: (("chain", "draw", "firm"), latent),
        "population": (("chain", "draw", "term"), values),
        "sigma": (("chain", "draw"), np.ones((1, 3))),
        "controls": (("chain", "draw", "control"), np.zeros((1, 3, len(design.control_names)))),
    }
    for grouping in design.groupings:
        shape = (1, 3, len(grouping.labels), len(grouping.terms))
        dims = ("chain", "draw", grouping.name, f"{grouping.name}_term")
        variables[f"{grouping.name}_effect"] = (dims, np.zeros(shape))
        variables[f"{grouping.name}_sd"] = ((*dims[:2], dims[3]), np.ones((1, 3, shape[3])))
    draws = draws_of(design, xr.Dataset(variables))
    around = surroundings_of(design, "cluster").mean(latent[0])
    zero = predictor_at(
        design, draws, draws.capitals or design.capitals, np.arange(size), np.zeros((1, size, 1))
    )
    eta = linear_predictor(design, draws)
    np.testing.assert_allclose(eta - zero, values[0, :, [-1]].T * around, atol=1e-9)


def test_the_share_between_clusters_is_recommended_from_a_tenth():
    frame = firms(240)
    cluster = frame.cluster.str[1:].astype(int)
    frame["training"] += 2.0 * (cluster % 3)
    notes = small_design(frame=frame).details.notes
    share = between_share(frame.training.to_numpy(), cluster.to_numpy())
    assert share is not None
    assert (
        f"{share:.0%} of human_capital lies between clusters: an effect is then a blend of what varies "
        "within and between them, which depends on the number of rows in each. Add "
        "`contextual: [human_capital]` to the equation to tell them apart."
    ) in notes
    after = small_design(frame=frame, contextual=[H]).details.notes
    assert not any("blend" in note for note in after)
    known = 40 * share / (1 + 39 * share)
    assert (
        "The mean of human_capital over the other firms of a cluster (median 40) measures that of the "
        f"cluster with reliability {known:.2f}: where the firms are a sample of their cluster, its "
        f"effect is drawn towards 0 by about {1 - known:.0%}."
    ) in after


def test_without_contexts_the_key_of_a_fit_stays_what_it_was():
    plain, with_context = analysis_of(), analysis_of(contextual=[H])
    assert fit_key(plain, "0") != fit_key(with_context, "0")
    assert plain.equation.contextual == {}
    assert with_context.equation.contextual == {"cluster": (H,)}


MESSAGES = {
    "no clusters": (
        {"data": {"cluster": None}, "contextual": [H]},
        "contextual asks for the other firms of a cluster, but the data declare none",
    ),
    "firms with one row": (
        {"contextual": {"firm": [H]}},
        (
            "contextual takes means of firms over their rows, but each firm has one row\n"
            "    leave out `firm: [human_capital]`"
        ),
    ),
    "a claim without it": (
        {"hypotheses": [{"kind": "contextual", "capital": S}]},
        (
            "contextual asks for social_capital of the cluster, which is not in the model\n"
            "    add `contextual: [social_capital]` to the equation"
        ),
    ),
}


@pytest.mark.parametrize(("keys", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(keys: dict[str, Any], message: str):
    with pytest.raises(BayesClusterError) as caught:
        small_design("bernoulli", "interaction", **keys)
    assert message in str(caught.value)


def test_a_capital_that_some_firms_lack_has_no_mean():
    frame = firms()
    frame.loc[3, "training"] = None
    with pytest.raises(BayesClusterError, match="over other firms, but some lack it"):
        small_design(frame=frame, data={"missing": "impute"}, contextual=[H])
