"""Missing values in the model: its density by loops over rows and combinations, and its twin."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit, logsumexp

from bayescluster.design.gaps import gaps
from bayescluster.design.record import Design
from bayescluster.model.build import build_model
from tests.factories import firms, small_design
from tests.model.oracle import perturbed
from tests.oracles import fast_compile

CONTROLS = [
    "year",
    {"column": "size", "transform": "log"},
    "exporter",
    "owned",
    {"column": "rank", "kind": "ordinal"},
]
SHARES = {"size": 0.2, "exporter": 0.3, "owned": 0.3, "rank": 0.3, "upgraded": 0.1, "growth": 0.1}


def gappy(**more: float) -> pd.DataFrame:
    """Synthetic firms with missing cells, some of them in the same row."""
    rng = np.random.default_rng(5)
    frame = firms()
    frame["owned"] = rng.integers(0, 2, len(frame))
    frame["rank"] = rng.integers(1, 4, len(frame))
    for column, share in (SHARES | more).items():
        frame[column] = frame[column].astype(float).mask(rng.random(len(frame)) < share)
    return frame


def gappy_design(family: str, **keys: Any) -> Design:
    more = keys.pop("more", {})
    return small_design(
        family,
        "interaction",
        {"cluster": ["intercept"]},
        data={"missing": "impute"},
        controls=CONTROLS,
        frame=gappy(**more),
        **keys,
    )


class Graph(NamedTuple):
    shapes: dict[str, tuple[int, ...]]
    joint: Any


def graph_of(design: Design) -> Graph:
    with fast_compile():
        model = build_model(design)
        start = {name: np.shape(value) for name, value in model.initial_point().items()}
        function = model.compile_fn([model.logp(), model.dlogp()], mode=Mode(linker="py", optimizer=None))
    return Graph(start, function)


def standard(values: Any) -> Any:
    known = values[~np.isnan(values)]
    return (values - known.mean()) / known.std(ddof=1)


class Loops:
    """The density of `gappy_design`, row by row and combination by combination."""

    def __init__(self, design: Design, family: str) -> None:
        self.design, self.family = design, family
        frame = gappy() if not np.isnan(design.capitals[0]).any() else gappy(training=0.2)
        self.cluster = frame["cluster"].str[1:].astype(int).to_numpy()
        self.y = frame["upgraded" if family == "bernoulli" else "growth"].to_numpy(float)
        self.human = standard(frame["training"].to_numpy(float))
        self.social = standard(frame["trust"].to_numpy(float))
        self.year = standard(frame["year"].to_numpy(float))
        self.size = standard(np.log(frame["size"].to_numpy(float)))
        self.exporter = frame["exporter"].to_numpy(float)
        self.owned = frame["owned"].to_numpy(float)
        rank = frame["rank"].to_numpy(float)
        self.rank = standard(rank)
        self.rank_levels = np.unique(self.rank[~np.isnan(rank)])
        known = self.y[~np.isnan(self.y)]
        self.unit = known.std(ddof=1) if family == "gaussian" else 1.0
        self.level = known.mean() if family == "gaussian" else 0.0

    def log_density(self, point: Any) -> float:
        total = stats.norm.logpdf(point["population"][1:], 0, self.unit).sum()
        sd = 2.5 * self.unit if self.family == "gaussian" else 1.5
        total += stats.norm.logpdf(point["population"][0], self.level, sd)
        total += stats.norm.logpdf(point["controls"], 0, self.unit).sum()
        total += self._half_normal(point["cluster_sd_log__"], 0.5 * self.unit)
        total += stats.norm.logpdf(point["cluster_intercept_z"]).sum()
        if self.family == "gaussian":
            total += self._half_normal(point["sigma_log__"], self.unit)
        human, density = self._continuous(
            point, "human_capital", self.human, [self.year, self.social]
        )
        total += density
        inputs = [self.year, human, self.social]
        if np.isnan(self.human).any():
            # complete inputs come first, then what was imputed before
            inputs = [self.year, self.social, human]
        size, density = self._continuous(point, "log(size)", self.size, inputs)
        total += density
        for name in ("exporter", "owned", "rank"):
            slope = point[f"imputation_{name}_slope"]
            total += stats.norm.logpdf(slope, 0, 1).sum()
        for name in ("exporter", "owned"):
            total += stats.norm.logpdf(point[f"imputation_{name}_cutpoints"], 0, 1.5).sum()
        free = point["imputation_rank_cutpoints_ordered__"]
        cuts = np.array([free[0], free[0] + np.exp(free[1])])
        mean = np.log(np.array([1 / 2, 2.0]))
        total += stats.norm.logpdf(cuts, mean, 1.5).sum() + free[1]
        for row in range(len(self.y)):
            base = [values[row] for values in inputs] + [size[row]]
            total += self._row(point, row, base, (human[row], size[row], cuts))
        return float(total)

    def _half_normal(self, free: Any, scale: float) -> float:
        return float(np.sum(stats.halfnorm.logpdf(np.exp(free), scale=scale) + free))

    def _continuous(self, point: Any, name: str, values: Any, inputs: list[Any]) -> Any:
        if not np.isnan(values).any():
            return values, 0.0
        slope = point[f"imputation_{name}_slope"]
        intercept = point[f"imputation_{name}_intercept"]
        sd = np.exp(point[f"imputation_{name}_sd_log__"])
        total = stats.norm.logpdf(slope, 0, 0.5).sum() + stats.norm.logpdf(intercept)
        total += self._half_normal(point[f"imputation_{name}_sd_log__"], 1.0)
        found, cell = values.copy(), 0
        for row in range(values.size):
            mean = intercept + sum(b * x[row] for b, x in zip(slope, inputs, strict=True))
            if np.isnan(values[row]):
                z = point[f"imputed_{name}_z"][cell]
                found[row] = mean + sd * z
                total += stats.norm.logpdf(z)
                cell += 1
            else:
                total += stats.norm.logpdf(values[row], mean, sd)
        return found, total

    def _row(self, point: Any, row: int, base: list[float], known: Any) -> float:
        human, size, cuts = known
        ways = [
            levels if np.isnan(value) else [value]
            for value, levels in (
                (self.exporter[row], [0.0, 1.0]),
                (self.owned[row], [0.0, 1.0]),
                (self.rank[row], self.rank_levels),
            )
        ]
        return float(
            logsumexp(
                [self._case(point, row, base, (human, size, cuts), x) for x in product(*ways)]
            )
        )

    def _case(self, point: Any, row: int, base: list[float], known: Any, x: Any) -> float:
        human, size, cuts = known
        exporter, owned, rank = x
        inputs, total = list(base), 0.0
        for name, value in (("exporter", exporter), ("owned", owned)):
            eta = np.dot(point[f"imputation_{name}_slope"], inputs)
            yes = expit(eta - point[f"imputation_{name}_cutpoints"][0])
            total += np.log(yes if value == 1 else 1 - yes)
            column = getattr(self, name)
            answered = column[~np.isnan(column)]
            inputs.append((value - answered.mean()) / answered.std(ddof=1))
        eta = np.dot(point["imputation_rank_slope"], inputs)
        reach = np.concatenate([[1.0], expit(eta - cuts), [0.0]])
        level = int(np.abs(self.rank_levels - rank).argmin())
        total += np.log(reach[level] - reach[level + 1])
        if np.isnan(self.y[row]):
            return total
        social = self.social[row]
        a, h, s, hs = point["population"]
        effect = np.exp(point["cluster_sd_log__"][0]) * point["cluster_intercept_z"]
        eta = a + h * human + s * social + hs * human * social + effect[self.cluster[row]]
        eta += np.dot(point["controls"], [self.year[row], size, exporter, owned, rank])
        if self.family == "gaussian":
            return total + stats.norm.logpdf(self.y[row], eta, np.exp(point["sigma_log__"]))
        return total + stats.bernoulli.logpmf(self.y[row], expit(eta))


@pytest.mark.parametrize("more", [{}, {"training": 0.2}], ids=["controls", "capital too"])
@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_density_is_that_of_loops(family, more):
    design = gappy_design(family, more=more)
    found = [gap.name for gap in gaps(design)]
    capital = ["human_capital"] if more else []
    assert found == [*capital, "log(size)", "exporter", "owned", "rank"]
    both = np.isnan(design.controls[:, 2:4]).all(axis=1)
    assert both.sum() > 2
    graph, loops = graph_of(design), Loops(design, family)
    for seed in (1, 2):
        point = perturbed(graph.shapes, seed)
        joint, gradient = graph.joint(point)
        assert joint == pytest.approx(loops.log_density(point), rel=1e-9)
        assert np.isfinite(gradient).all()
