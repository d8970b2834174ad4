"""Missing values in the model: its density by loops over rows and combinations, and its twin."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit, logsumexp

from bayescluster.design.missing import configurations, gaps
from bayescluster.design.record import Design
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, linear_predictor, log_likelihood, replicate
from bayescluster.model.imputation import case_densities, completed
from tests.factories import firms, small_design
from tests.model.graph import named_values, shapes_of
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


def gappy(rows: int = 48, **more: float) -> pd.DataFrame:
    """Synthetic firms with missing cells, some of them in the same row."""
    rng = np.random.default_rng(5)
    frame = firms(rows)
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
        function = model.compile_fn(
            [model.logp(), model.dlogp()], mode=Mode(linker="py", optimizer=None)
        )
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


def named_posterior(design: Design, count: int = 4) -> xr.Dataset:
    """Named variables at perturbed points, with the dims of a real posterior."""
    shapes = shapes_of(design)
    values = named_values(design, list(reported_variables(design)))
    found = [values(perturbed(shapes, seed)) for seed in range(count)]
    stacked = {name: np.stack([one[name] for one in found]) for name in found[0]}
    return xr.Dataset(
        {
            name: (
                ("chain", "draw", *(f"{name}_{k}" for k in range(value.ndim - 1))),
                value.reshape(2, count // 2, *value.shape[1:]),
            )
            for name, value in stacked.items()
        }
    )


@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_twin_is_the_graph_at_the_same_imputed_values(family):
    """Cases by the twin add up to the density of the graph; complete rows are those of the cases."""
    design = gappy_design(family, more={"training": 0.2})
    posterior = named_posterior(design)
    cases = configurations(gaps(design), design.size)
    ((_, density),) = case_densities(design, posterior, cases)
    wanted = case_graph(design, cases.row.size)
    shapes = shapes_of(design)
    for k in range(4):
        np.testing.assert_allclose(density[k], wanted(perturbed(shapes, k)), rtol=1e-8, atol=1e-10)
    whole = completed(design, posterior, np.random.default_rng(1))
    draws = draws_of(design, whole)
    eta = linear_predictor(design, draws)
    assert np.isfinite(eta).all()
    fitted = log_likelihood(design, draws)
    assert fitted.shape == (4, int(design.answered.sum()))
    assert replicate(design, draws, np.random.default_rng(1)).shape == (4, design.size)
    # the cases that were drawn have the same outcome density as the completed rows
    np.testing.assert_allclose(fitted, outcome_of_drawn(design, whole), rtol=1e-8)


def case_graph(design: Design, size: int) -> Any:
    """Density of every case by the PyMC graph."""
    import pytensor

    from bayescluster.model import imputation

    kept: list[Any] = []
    with pytest.MonkeyPatch.context() as patch, fast_compile():
        patch.setattr(
            imputation, "_sum", lambda parts: kept.append(parts) or sum(parts[1:], parts[0])
        )
        model = build_model(design)
        (density,) = model.replace_rvs_by_values([sum(kept[0][1:], kept[0][0])])
        function = pytensor.function(
            model.value_vars,
            density,
            mode=Mode(linker="py", optimizer=None),
            on_unused_input="ignore",
        )
    names = [variable.name for variable in model.value_vars]

    def evaluate(point: Any) -> Any:
        found = function(*(point[name] for name in names))
        assert found.shape == (size,)
        return found

    return evaluate


def outcome_of_drawn(design: Design, whole: xr.Dataset) -> Any:
    """Log density of the outcomes, the drawn values written into a design without gaps."""
    found = []
    for chain, draw in product(range(2), range(2)):
        data = design.data.copy(deep=True)
        one = whole.isel(chain=[chain], draw=[draw])
        for gap in gaps(design):
            values = one[f"imputed_{gap.name}"].to_numpy().ravel()
            if gap.place == "capital":
                data[gap.name].to_numpy()[gap.rows] = values
                continue
            position = design.control_names.index(gap.name)
            for name in ("controls", "control_base"):
                data[name].to_numpy()[gap.rows, position] = values
        complete = Design(design.analysis, data)
        plain = one.drop_vars([name for name in one if str(name).startswith("imputed_")])
        found.append(log_likelihood(complete, draws_of(complete, plain))[0])
    return np.array(found)


def test_values_are_drawn_by_their_probabilities():
    design = gappy_design("bernoulli")
    posterior = named_posterior(design, 2).isel(chain=[0], draw=[0])
    many = xr.concat([posterior] * 4000, "draw")
    cases = configurations(gaps(design), design.size)
    ((_, density),) = case_densities(design, posterior, cases)
    whole = completed(design, many, np.random.default_rng(3))
    for name in ("exporter", "owned"):
        gap = next(gap for gap in gaps(design) if gap.name == name)
        drawn = whole[f"imputed_{name}"].to_numpy()[0].mean(axis=0)
        for row, share in zip(gap.rows, drawn, strict=True):
            mine = cases.row == row
            weight = np.exp(density[0, mine] - logsumexp(density[0, mine]))
            chance = weight[cases.codes[name][mine] == 1].sum()
            error = np.sqrt(chance * (1 - chance) / 4000)
            assert abs(share - chance) < 4.5 * error + 1e-9


def test_prior_values_rest_on_no_outcome():
    design = gappy_design("bernoulli")
    posterior = named_posterior(design, 2)
    cases = configurations(gaps(design), design.size)
    ((_, known),) = case_densities(design, posterior, cases)
    ((_, prior),) = case_densities(design, posterior, cases, posterior=False)
    assert (known < prior + 1e-12).all()
    for row in range(design.size):
        missing = [gap for gap in gaps(design) if gap.levels and gap.missing[row]]
        if len(missing) == 3:
            assert logsumexp(prior[0][cases.row == row]) == pytest.approx(0.0, abs=1e-12)


def test_nothing_changes_where_nothing_is_missing():
    plain = small_design("bernoulli", "interaction", {"cluster": ["intercept"]}, controls=["year"])
    asked = small_design(
        "bernoulli",
        "interaction",
        {"cluster": ["intercept"]},
        controls=["year"],
        data={"missing": "impute"},
    )
    with fast_compile():
        first, second = build_model(plain), build_model(asked)
    names = [[str(v) for v in model.basic_RVs + model.potentials] for model in (first, second)]
    assert names[0] == names[1]
    assert [str(v) for v in second.observed_RVs] == ["upgrading"]
    assert reported_variables(plain) == reported_variables(asked)
    group = xr.Dataset()
    assert completed(asked, group, np.random.default_rng(1)) is group


def test_prior_of_a_model_with_gaps():
    design = gappy_design("bernoulli", more={"training": 0.2})
    with fast_compile():
        prior = sample_prior(design, build_model(design), reported_variables(design), 50, 1)
    assert set(prior.data_vars) == set(reported_variables(design))
    cut = prior["imputation_rank_cutpoints"].to_numpy()
    assert (np.diff(cut, axis=-1) > 0).all()
    whole = completed(design, prior, np.random.default_rng(1), posterior=False)
    assert whole["imputed_rank"].attrs == {"drawn_after_the_fit": 1}
    assert np.isfinite(linear_predictor(design, draws_of(design, whole))).all()


def yes_or_no_capital() -> tuple[Design, pd.DataFrame]:
    rng = np.random.default_rng(9)
    frame = gappy()
    frame["trust"] = pd.Series(rng.integers(0, 2, len(frame)).astype(float)).mask(
        rng.random(len(frame)) < 0.3
    )
    design = small_design(
        "bernoulli",
        "interaction",
        data={"missing": "impute"},
        controls=["year", {"product": ["year", "social_capital"]}, "exporter"],
        frame=frame,
    )
    return design, frame


def test_a_yes_or_no_capital_is_summed_out():
    design, frame = yes_or_no_capital()
    assert [(gap.name, len(gap.levels)) for gap in gaps(design)] == [
        ("social_capital", 2),
        ("exporter", 2),
    ]
    graph = graph_of(design)
    point = perturbed(graph.shapes, 1)
    total = stats.norm.logpdf(point["population"], 0, [1.5, 1, 1, 1]).sum()
    total += stats.norm.logpdf(point["controls"]).sum()
    for name in ("social_capital", "exporter"):
        total += stats.norm.logpdf(point[f"imputation_{name}_slope"]).sum()
        total += stats.norm.logpdf(point[f"imputation_{name}_cutpoints"], 0, 1.5).sum()
    year = standard(frame["year"].to_numpy(float))
    human = standard(frame["training"].to_numpy(float))
    trust, exporter = frame["trust"].to_numpy(float), frame["exporter"].to_numpy(float)
    y, known = frame["upgraded"].to_numpy(float), trust[~np.isnan(trust)]
    for row in range(len(frame)):
        ways = [[0.0, 1.0] if np.isnan(v) else [v] for v in (trust[row], exporter[row])]
        cases = []
        for t, e in product(*ways):
            yes = chance(point, "social_capital", [year[row], human[row]])
            one = np.log(yes if t == 1 else 1 - yes)
            z = (t - known.mean()) / known.std(ddof=1)
            yes = chance(point, "exporter", [year[row], human[row], z])
            one += np.log(yes if e == 1 else 1 - yes)
            s, h = t - known.mean(), human[row]
            eta = np.dot(point["population"], [1, h, s, h * s])
            eta += np.dot(point["controls"], [year[row], year[row] * s, e])
            if not np.isnan(y[row]):
                one += stats.bernoulli.logpmf(y[row], expit(eta))
            cases.append(one)
        total += logsumexp(cases)
    assert graph.joint(point)[0] == pytest.approx(total, rel=1e-9)


def chance(point: Any, name: str, inputs: list[float]) -> float:
    """Probability of yes by the regression of a gap."""
    eta = np.dot(point[f"imputation_{name}_slope"], inputs)
    return float(expit(eta - point[f"imputation_{name}_cutpoints"][0]))


def test_twin_of_a_yes_or_no_capital():
    design, _ = yes_or_no_capital()
    posterior = named_posterior(design)
    cases = configurations(gaps(design), design.size)
    ((_, density),) = case_densities(design, posterior, cases)
    wanted, shapes = case_graph(design, cases.row.size), shapes_of(design)
    for k in range(4):
        np.testing.assert_allclose(density[k], wanted(perturbed(shapes, k)), rtol=1e-8, atol=1e-10)
    whole = completed(design, posterior, np.random.default_rng(1))
    fitted = log_likelihood(design, draws_of(design, whole))
    np.testing.assert_allclose(fitted, outcome_of_drawn(design, whole), rtol=1e-8)
