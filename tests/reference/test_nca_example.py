"""Necessary condition analysis of 28 countries, against what the R package NCA prints.

`nca_example.csv` is the data set ``nca.example`` of that package (Dul 2016): individualism and
risk taking by Hofstede, innovation performance by Gans and Stern. The numbers are the output of
NCA 5.0.1 under R 4.2.2; its p values rest on 20,000 permutations.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescluster.features.nca.compute import Observed, Settings, analyse_pair
from bayescluster.features.nca.observed import effect_size
from bayescluster.features.nca.results import CeilingName, CeilingRow, Pair

TABLE = pd.read_csv(Path(__file__).with_name("nca_example.csv"))
CEILINGS: tuple[CeilingName, ...] = ("ce_fdh", "cr_fdh", "ce_vrs", "cr_vrs", "cols", "c_lp")
EFFECTS = {
    "Individualism": {
        "ce_fdh": 0.4155079801588322,
        "cr_fdh": 0.3066476554121762,
        "ce_vrs": 0.2551851757,
        "cr_vrs": 0.3100656129,
        "c_lp": 0.162830936,
        "cols": 0.1561755213,
    },
    "Risk taking": {
        "ce_fdh": 0.3094156460147142,
        "cr_fdh": 0.2818985410621324,
        "ce_vrs": 0.1811033581,
        "cr_vrs": 0.247157732,
        "c_lp": 0.1067988572,
        "cols": 0.09762377381,
    },
}
SCOPES = {"Individualism": 15563.6, "Risk taking": 18974.8}
LINES = {"Individualism": (28.35270913, 2.230229946), "Risk taking": (-14.47769667, 2.641869424)}
BOTTLENECKS = {
    "Individualism": "NN NN NN NN 11.0 24.1 37.2 50.3 63.4 76.5 89.6",
    "Risk taking": "NN NN NN 8.0 17.1 26.2 35.2 44.3 53.4 62.4 71.5",
}
PERMUTED = {
    ("Individualism", "ce_fdh"): 0.0808,
    ("Individualism", "cr_fdh"): 0.1708,
    ("Risk taking", "ce_fdh"): 0.0986,
    ("Risk taking", "cr_fdh"): 0.0869,
}
PUBLISHED_PERMUTATIONS = 20_000
FIVE_SIGMA = 5.0


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    y = TABLE["Innovation performance"].to_numpy(float)
    return {
        name: analyse_pair(
            Observed(name, "all", list(TABLE["country"]), TABLE[name].to_numpy(float), y),
            Settings(ceilings=CEILINGS),
            np.random.default_rng(20),
        )
        for name in EFFECTS
    }


def _row(pair: Pair, ceiling: str) -> CeilingRow:
    return next(row for row in pair.ceilings if row.ceiling == ceiling)


@pytest.mark.parametrize("condition", EFFECTS)
@pytest.mark.parametrize("ceiling", CEILINGS)
def test_effect_sizes(condition: str, ceiling: CeilingName, pairs: dict[str, Pair]) -> None:
    published = EFFECTS[condition][ceiling]
    found = effect_size(TABLE[condition], TABLE["Innovation performance"], ceiling)
    assert found == pytest.approx(published, rel=5e-10)
    assert _row(pairs[condition], ceiling).effect_size == found


@pytest.mark.parametrize("condition", SCOPES)
def test_scope_and_zone(condition: str, pairs: dict[str, Pair]) -> None:
    row = _row(pairs[condition], "ce_fdh")
    assert row.scope == pytest.approx(SCOPES[condition], rel=1e-12)
    assert row.zone == pytest.approx(SCOPES[condition] * EFFECTS[condition]["ce_fdh"], rel=1e-12)


@pytest.mark.parametrize("condition", LINES)
def test_lines_through_the_peers(condition: str, pairs: dict[str, Pair]) -> None:
    row = _row(pairs[condition], "cr_fdh")
    assert (row.intercept, row.slope) == pytest.approx(LINES[condition], rel=1e-9)


@pytest.mark.parametrize("condition", BOTTLENECKS)
def test_bottleneck_table(condition: str, pairs: dict[str, Pair]) -> None:
    rows = [row for row in pairs[condition].bottlenecks if row.ceiling == "cr_fdh"]
    assert [row.level for row in rows] == list(range(0, 101, 10))
    shown = [row.status if row.needed is None else f"{row.needed:.1f}" for row in rows]
    assert " ".join(shown) == BOTTLENECKS[condition]


@pytest.mark.parametrize(("condition", "ceiling"), PERMUTED)
def test_permutation_p(condition: str, ceiling: str, pairs: dict[str, Pair]) -> None:
    row, published = _row(pairs[condition], ceiling), PERMUTED[condition, ceiling]
    assert row.p is not None
    assert row.p_mcse is not None
    error = np.sqrt(published * (1 - published) / PUBLISHED_PERMUTATIONS + row.p_mcse**2)
    assert abs(row.p - published) < FIVE_SIGMA * error


def test_peers_and_accuracy(pairs: dict[str, Pair]) -> None:
    # by eye, on the scatter: the staircase from South Korea to the USA; Japan and Finland stick out
    row = _row(pairs["Individualism"], "cr_fdh")
    assert row.peers == ("South Korea", "Japan", "Finland", "Sweden", "USA")
    assert row.outliers == ("Japan", "Finland")
    assert row.accuracy == pytest.approx(26 / 28)
    assert row.fit == pytest.approx(0.3066476554121762 / 0.4155079801588322)
