"""Data drawn from a draw of the parameters: what the account says they are, and what a model takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy.special import expit

from bayescluster.design.missing import gaps, inputs_of, known_inputs
from bayescluster.design.record import Design
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model import build
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, linear_predictor
from bayescluster.model.observed import observed_data
from bayescluster.model.simulated import Simulated, simulate
from tests.factories import firms, small_design
from tests.measured import CONSTRUCTS, measured_firms
from tests.model.oracle import perturbed
from tests.model.test_imputation import gappy, gappy_design
from tests.model.test_imputed_mediators import mediated
from tests.model.test_several_equations import THREE, TIED_GAUSSIAN, TIED_PROBIT, TWO
from tests.oracles import fast_compile
from tests.systems import learners, system

RANK = {"column": "rank", "kind": "ordinal"}
CONTROLS = ["exporter", {"column": "size", "transform": "log"}]


def measured(case: str, rows: int = 48, family: str = "bernoulli") -> Design:
    frame = measured_firms(rows)
    constructs = CONSTRUCTS[case]
    return small_design(
        family, "interaction", frame=frame, constructs=constructs, controls=CONTROLS
    )


def drawn(design: Design, seed: int = 3) -> Simulated:
    """Data of one draw of the prior."""
    with fast_compile():
        model = build_model(design)
        draw = sample_prior(design, model, reported_variables(design), 1, seed)
    return simulate(design, draw, np.random.default_rng(seed))


def missing_yes_or_no() -> Design:
    rng = np.random.default_rng(2)
    frame = gappy(exporter=0.2)
    frame["training"] = rng.integers(0, 2, len(frame)).astype(float)
    frame.loc[rng.random(len(frame)) < 0.2, "training"] = np.nan
    return small_design(
        "negative_binomial",
        "interaction",
        {"industry": ["human_capital"]},
        data={"missing": "impute"},
        controls=["exporter", "owned"],
        frame=frame,
    )


CASES: dict[str, Any] = {
    "two equations": lambda: system(TWO),
    "tied probit": lambda: system(TIED_PROBIT, residual_correlation=["buyers", "upgrading"]),
    "human latent": lambda: measured("human latent"),
    "both latent": lambda: measured("both latent"),
    "tied gaussian": lambda: system(TIED_GAUSSIAN, residual_correlation=["skill", "sales"]),
    "missing inputs": lambda: gappy_design("bernoulli", more={"training": 0.1}),
    "missing yes-or-no capital": missing_yes_or_no,
    "missing mediators": mediated,
}


def log_density(model: pm.Model) -> Any:
    parts = [part.sum() for part in model.logp(sum=False)]
    return model.compile_fn(parts, mode=Mode("py", "fast_compile"))


@pytest.fixture
def priors_of_the_template(monkeypatch) -> Any:
    """Priors in units of an outcome, or of answers, stay those of the first ones."""

    def settle(design: Design) -> None:
        template = {each.equation_name: each for each in design.equations}
        of = build.model_priors
        monkeypatch.setattr(build, "model_priors", lambda other: of(template[other.equation_name]))
        same = [-1.0, -0.2, 0.3, 1.0]
        monkeypatch.setattr(
            build, "usual_thresholds", lambda _, levels: np.array(same[: levels - 1])
        )

    return settle


@pytest.mark.parametrize("case", CASES)
def test_a_model_of_data_is_the_model_of_those_data(case, priors_of_the_template):
    design = CASES[case]()
    priors_of_the_template(design)
    other = drawn(design).design
    with fast_compile():
        replaceable, ordinary = build_model(design, replaceable=True), build_model(other)
        functions = [log_density(model) for model in (replaceable, ordinary)]
        first = log_density(build_model(design))
        shapes = {name: np.shape(value) for name, value in ordinary.initial_point().items()}
    point = perturbed(shapes, 2)
    before = sum(functions[0](point))
    assert before == pytest.approx(sum(first(point)), rel=1e-9)
    for name, values in observed_data(other).items():
        replaceable.set_data(name, values)
    found, wanted = (float(sum(function(point))) for function in functions)
    assert found == pytest.approx(wanted, rel=1e-9)
    assert abs(found - before) > 1.0


ROWS = 6000


def value(draw: xr.Dataset, name: str) -> np.ndarray:
    return np.asarray(draw[name].transpose("chain", "draw", ...).to_numpy()[0, 0])


@pytest.fixture(scope="module")
def many() -> Simulated:
    return drawn(measured("both latent", ROWS), 5)


def raw_of(data: Simulated, capital: str) -> np.ndarray:
    parts = (value(data.draw, f"{capital}{tail}") for tail in ("", "_raw_sd", "_raw_mean"))
    level, spread, center = parts
    return level * spread + center


def test_raw_capitals_rest_on_cluster_controls_and_the_other_capital(many):
    design = many.design
    clusters = np.eye(len(design.group_labels("cluster")))[design.index("cluster")]
    controls = np.column_stack(list(design.background.values()))
    for capital in ("human_capital", "social_capital"):
        columns, wanted = [clusters, controls], list(value(many.draw, f"{capital}_background"))
        if capital == "social_capital":
            columns.append(value(many.draw, "human_capital")[:, None])
            wanted.append(float(value(many.draw, "social_capital_on_other")))
        inputs, raw = np.column_stack(columns), raw_of(many, capital)
        found, *_ = np.linalg.lstsq(inputs, raw, rcond=None)
        residual = raw - inputs @ found
        assert residual.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * ROWS))
        np.testing.assert_allclose(found[clusters.shape[1] :], wanted, atol=0.08)
        assert value(many.draw, capital).std(ddof=1) == pytest.approx(1.0)


def test_answers_are_those_of_their_measurement(many):
    design = many.design
    for capital in ("human_capital", "social_capital"):
        items, raw = design.items(capital), raw_of(many, capital)
        loading = value(many.draw, f"{capital}_loading")
        for k, column in enumerate(items.columns):
            answered = np.isfinite(items.values[:, k])
            answers, mine = items.values[answered, k], raw[answered]
            if items.levels[k]:
                cut = np.atleast_1d(value(many.draw, f"{capital}_threshold_{column}"))
                for level, threshold in enumerate(cut, start=1):
                    p = expit(loading[k] * mine - threshold)
                    error = np.sqrt((p * (1 - p)).sum()) / p.size
                    assert (answers >= level).mean() == pytest.approx(p.mean(), abs=4 * error)
                    side = mine > mine.mean()
                    apart = (answers >= level)[side].mean() - p[side].mean()
                    assert abs(apart) < 6 * error
                continue
            at = items.continuous.index(k)
            residual = (
                answers - loading[k] * mine - value(many.draw, f"{capital}_item_intercept")[at]
            )
            error = value(many.draw, f"{capital}_item_error")[at]
            assert abs(residual.mean()) < 4 * error / np.sqrt(mine.size)
            assert residual.std() == pytest.approx(error, rel=4 / np.sqrt(2 * mine.size))
            assert abs(np.corrcoef(residual, mine)[0, 1]) < 4 / np.sqrt(mine.size)


def test_answers_that_are_missing_stay_missing():
    design = measured("both latent")
    found = drawn(design).design
    for capital in ("human_capital", "social_capital"):
        before, after = (each.items(capital).values for each in (design, found))
        np.testing.assert_array_equal(np.isnan(before), np.isnan(after))
        assert np.isnan(before).any()
        assert not np.array_equal(before, after, equal_nan=True)


def test_inputs_with_missing_cells_follow_their_regressions():
    design = small_design(
        "bernoulli",
        "additive",
        data={"missing": "impute"},
        controls=["year", {"column": "size", "transform": "log"}, "exporter", RANK],
        frame=gappy(ROWS, training=0.2),
    )
    found = drawn(design, 6)
    known: dict[str, np.ndarray] = dict(known_inputs(design))
    for gap in gaps(found.design):
        cells = value(found.draw, f"imputed_{gap.name}")
        assert cells.size == gap.missing.sum() > ROWS / 10
        whole = gap.values.copy()
        whole[gap.rows] = cells
        slope = value(found.draw, f"imputation_{gap.name}_slope")
        eta = np.column_stack([known[name] for name in inputs_of(design, gap)]) @ slope
        standard = (whole - gap.center) / gap.scale
        known[gap.name] = standard
        if gap.levels:
            assert set(whole) == set(gap.levels)
            cut = np.atleast_1d(value(found.draw, f"imputation_{gap.name}_cutpoints"))
            for level, threshold in zip(gap.levels[1:], cut, strict=True):
                p = expit(eta - threshold)
                for some in (gap.missing, eta > np.median(eta)):
                    error = np.sqrt((p * (1 - p))[some].sum()) / some.sum()
                    seen = (whole >= level)[some].mean()
                    assert seen == pytest.approx(p[some].mean(), abs=4 * error)
            continue
        sd = value(found.draw, f"imputation_{gap.name}_sd")
        residual = standard - value(found.draw, f"imputation_{gap.name}_intercept") - eta
        for some in (gap.missing, ~gap.missing):
            assert abs(residual[some].mean()) < 4 * sd / np.sqrt(some.sum())
            assert residual[some].std() == pytest.approx(sd, rel=4 / np.sqrt(2 * some.sum()))
    assert {gap.name for gap in gaps(design)} == {"human_capital", "log(size)", "exporter", "rank"}
    # what enters the equation is what was drawn
    size = found.design.control_names.index("log(size)")
    entering = {gap.name: gap.values for gap in gaps(found.design)}
    np.testing.assert_array_equal(
        found.design.control_bases[:, size], np.nan_to_num(entering["log(size)"])
    )
    np.testing.assert_array_equal(found.design.capitals[0], entering["human_capital"])


def test_outcomes_that_are_missing_stay_missing():
    frame = firms()
    frame.loc[[3, 8], "upgraded"] = np.nan
    design = small_design("bernoulli", "additive", data={"missing": "impute"}, frame=frame)
    found = drawn(design).design
    np.testing.assert_array_equal(np.flatnonzero(~found.answered), [3, 8])


def test_outcomes_enter_the_equations_that_rest_on_them():
    design = system(THREE)
    found = drawn(design).design
    equations = {each.equation_name: each for each in found.equations}
    for each in equations.values():
        for k, name in enumerate(each.equation.predictors):
            center, scale = (
                float(each.data[f"predictor_{what}"][k]) for what in ("center", "scale")
            )
            entered = (equations[name].outcome - center) / scale
            np.testing.assert_allclose(each.predictors[:, k], entered)
    template = {each.equation_name: each for each in design.equations}
    for name, each in equations.items():
        assert not np.array_equal(each.outcome, template[name].outcome)
        assert each.groupings == template[name].groupings


def test_residuals_have_the_correlation_of_the_draw():
    design = system(TIED_GAUSSIAN, frame=learners(ROWS), residual_correlation=["skill", "sales"])
    found = drawn(design, 6)
    correlation = value(found.draw, "residual_correlation")[0, 1]
    residuals = []
    for each in found.design.equations:
        if each.equation_name in design.analysis.residual_correlation:
            draws = draws_of(each, found.draw)
            rest = each.outcome - linear_predictor(each, draws)[0]
            assert rest.std() == pytest.approx(draws.parameters["sigma"].item(), rel=0.05)
            residuals.append(rest)
    assert abs(correlation) > 0.2
    assert np.corrcoef(residuals)[0, 1] == pytest.approx(correlation, abs=0.05)


def test_probit_answers_have_the_correlation_of_the_draw():
    tied = ["buyers", "upgrading"]
    design = system(TIED_PROBIT, frame=learners(ROWS), residual_correlation=tied)
    found = drawn(design, 4)
    names = [str(name) for name in found.draw["residual_equation"].to_numpy()]
    correlation = value(found.draw, "residual_correlation")[
        names.index(tied[0]), names.index(tied[1])
    ]
    both, alone = [], []
    noise = np.random.default_rng(2).standard_normal((2, 4_000_000 // ROWS, ROWS))
    noise[1] = correlation * noise[0] + np.sqrt(1 - correlation**2) * noise[1]
    for name, normal in zip(tied, noise, strict=True):
        each = found.design.turned_to(name)
        eta = linear_predictor(each, draws_of(each, found.draw))[0]
        both.append(each.outcome)
        alone.append((eta + normal > 0).mean(axis=0))
        noise[tied.index(name)] = eta + normal > 0
    wanted = (noise[0] * noise[1]).mean() - (alone[0] * alone[1]).mean()
    seen = (both[0] * both[1]).mean() - (alone[0] * alone[1]).mean()
    assert seen == pytest.approx(wanted, abs=4 / np.sqrt(ROWS) * 0.5)
