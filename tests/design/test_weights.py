"""Survey weights as they are read: scaled, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.errors import BayesClusterError
from bayescluster.features.problems import check_semantics
from tests.factories import analysis_of, firms, small_design, where
from tests.helpers import row


def surveyed(**columns: Any) -> Any:
    frame = firms()
    code = frame["cluster"].str[1:].astype(int)
    return frame.assign(stands_for=np.arange(1.0, 49.0), drawn=2.0 + code).assign(**columns)


def refused(**data: Any) -> str:
    frame = data.pop("frame", surveyed())
    with pytest.raises(BayesClusterError) as caught:
        small_design(data=data, frame=frame)
    return str(caught.value)


DATA = "The data do not fit the analysis"
MODEL = "The model cannot be built on these data"
LEAVE_OUT = "a row that represents no firm is not part of the sample: leave it out with `keep`"
RECODE = "turn it into numbers with `derive: kind: recode`, or name another column"
BROKEN = np.where(np.arange(48) == 6, np.nan, 1.0)
FAULTS = {
    "missing": row(
        {"weight": "stands_for", "frame": surveyed(stands_for=BROKEN)},
        f"{DATA}:\n  a.yaml:data.weight: 'stands_for' (weight) is missing in 1 of 48 rows "
        "(row 7)\n    fill these cells, or leave such rows out with `missing: drop` under `data`",
    ),
    "zero": row(
        {"weight": "stands_for", "frame": surveyed(stands_for=np.arange(48.0))},
        f"{MODEL}:\n  a.yaml:data.weight: the weight 'stands_for' must be above 0; found 0 "
        f"in row 1\n    {LEAVE_OUT}",
    ),
    "not numbers": row(
        {"weight": "region", "frame": surveyed(region="north")},
        f"{MODEL}:\n  a.yaml:data.weight: the weight 'region' is not a number: "
        f"'north' in row 1\n    {RECODE}",
    ),
    "varies within clusters": row(
        {"cluster_weight": "stands_for"},
        f"{MODEL}:\n  a.yaml:data.cluster_weight: the cluster weight 'stands_for' varies "
        "within cluster 'C00' (1 to 43), and it varies within 5 more\n"
        "    a cluster has one weight; weights of firms go under `weight`",
    ),
    "several at once": row(
        {
            "weight": "stands_for",
            "cluster_weight": "drawn",
            "frame": surveyed(stands_for=0.0, drawn=-1.0),
        },
        f"{MODEL} (2 problems):\n"
        "  a.yaml:data.weight: the weight 'stands_for' must be above 0; found 0 "
        f"in row 1 and in 47 more\n    {LEAVE_OUT}\n"
        "  a.yaml:data.cluster_weight: the cluster weight 'drawn' must be above 0; found -1 "
        f"in row 1 and in 47 more\n    {LEAVE_OUT}",
    ),
}


@pytest.mark.parametrize(("data", "message"), FAULTS.values(), ids=FAULTS)
def test_what_is_refused(data, message):
    assert refused(**data) == message


def test_cluster_weights_need_clusters():
    data = {"cluster_weight": "drawn", "cluster": None}
    with pytest.raises(BayesClusterError) as caught:
        check_semantics(analysis_of(data=data), where)
    assert str(caught.value) == (
        "The analysis cannot be read:\n"
        "  a.yaml:data.cluster_weight: cluster_weight needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or leave cluster_weight out"
    )


def test_weights_of_rows_have_mean_1():
    weights = small_design(data={"weight": "stands_for"}, frame=surveyed()).weights
    np.testing.assert_allclose(weights.rows, np.arange(1.0, 49.0) / 24.5)
    np.testing.assert_array_equal(weights.average, weights.rows)
    assert weights.clusters is None
    assert small_design().weights is None


@pytest.mark.parametrize("declared", ["whole", "within the cluster"])
def test_two_levels_are_scaled_apart(declared):
    """The part of the cluster in the weight of a row cancels; averages take the whole weight."""
    frame = surveyed()
    if declared == "whole":
        frame["stands_for"] *= frame["drawn"]
    data = {"weight": "stands_for", "cluster_weight": "drawn"}
    weights = small_design(data=data, frame=frame).weights
    np.testing.assert_allclose(weights.clusters, np.arange(2.0, 8.0) / 4.5)
    for code in range(6):
        mine = np.arange(48) % 6 == code
        own = np.arange(1.0, 49.0)[mine]
        np.testing.assert_allclose(
            weights.rows[mine], own / own.mean() * weights.clusters[code], rtol=1e-12
        )
    np.testing.assert_allclose(weights.average, frame["stands_for"] / frame["stands_for"].mean())


def test_cluster_weights_alone_say_how_many_firms_a_row_stands_for():
    frame = surveyed()
    weights = small_design(data={"cluster_weight": "drawn"}, frame=frame).weights
    np.testing.assert_allclose(weights.average, frame["drawn"] / frame["drawn"].mean())
    np.testing.assert_allclose(weights.rows, frame["drawn"] / 4.5)
