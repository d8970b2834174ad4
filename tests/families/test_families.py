from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from bayescluster.families import FAMILIES, Observation, Rows, bar_of
from bayescluster.families.zeros import own_zeros, zeros_family
from bayescluster.model.observed import observe, row_density
from bayescluster.spec.equation import FamilyName
from tests.helpers import assert_within_mcse
from tests.oracles import LIKELIHOODS, fast_compile

SIZE = 12
RNG = np.random.default_rng(20080301)
ETA = RNG.normal(0.3, 0.9, SIZE)
TRIALS = RNG.integers(1, 9, SIZE).astype(float)
ERRORS = RNG.uniform(0.5, 2.0, SIZE)
CUTPOINTS = np.array([-1.3, 0.2, 1.1])
PARAMETERS: dict[str, dict[str, Any]] = {
    "gaussian": {"sigma": 1.7},
    "student_t": {"sigma": 1.3, "nu": 6.5},
    "beta": {"precision": 4.5},
    "lognormal": {"sigma": 0.5},
    "negative_binomial": {"overdispersion": 0.8},
    "ordinal": {"cutpoints": CUTPOINTS},
    "hurdle_lognormal": {"sigma": 0.5, "zero_share": 0.3},
    "zero_inflated_beta": {"precision": 4.5, "zero_share": 0.3},
    "zero_inflated_poisson": {"zero_share": 0.3},
    "zero_inflated_negative_binomial": {"overdispersion": 0.8, "zero_share": 0.3},
}
COUNTS = np.array([0, 1, 2, 3, 5, 8, 0, 1, 13, 2, 0, 4], dtype=float)
REALS = RNG.normal(0.5, 2.0, SIZE)
SHARES = RNG.beta(1.5, 2.0, SIZE)
OUTCOMES = {
    "bernoulli": (COUNTS > 1).astype(float),
    "probit": (COUNTS > 1).astype(float),
    "binomial": np.minimum(COUNTS, TRIALS),
    "beta": SHARES,
    "gaussian": REALS,
    "student_t": REALS,
    "lognormal": np.exp(REALS),
    "poisson": COUNTS,
    "negative_binomial": COUNTS,
    "ordinal": np.arange(SIZE) % 4.0,
    "hurdle_lognormal": np.where(COUNTS > 0, np.exp(REALS), 0.0),
    "zero_inflated_beta": np.where(COUNTS > 0, SHARES, 0.0),
    "zero_inflated_poisson": COUNTS,
    "zero_inflated_negative_binomial": COUNTS,
}
ZEROS = {
    "hurdle_lognormal": "lognormal",
    "zero_inflated_beta": "beta",
    "zero_inflated_poisson": "poisson",
    "zero_inflated_negative_binomial": "negative_binomial",
}
"""Families with zeros of their own, and the plain one of each."""
CASES = [*((name, False) for name in FAMILIES), ("gaussian", True)]
"""Every family, and the gaussian with known standard errors."""


def rows_of(name: str, known_errors: bool = False) -> Rows:
    return Rows(TRIALS if name == "binomial" else None, ERRORS if known_errors else None)


def numpy_parameters(name: str) -> dict[str, Any]:
    """Parameters as the numpy functions take them: ``(..., 1)``, cutpoints ``(..., 1, K - 1)``."""
    return {
        key: value[None, :] if key == "cutpoints" else np.array([value])
        for key, value in PARAMETERS.get(name, {}).items()
    }


def several(name: str) -> dict[str, Any]:
    """The same at three draws that differ."""
    return {
        key: np.stack([value, 1.2 * value, 1.5 * value])
        for key, value in numpy_parameters(name).items()
    }


def pymc_log_density(name: str, eta: Any, rows: Rows, outcome: Any) -> Any:
    import pymc as pm

    with fast_compile():
        with pm.Model(coords={"firm": range(outcome.size)}) as model:
            free = pm.Flat("eta", shape=outcome.size)
            parameters = PARAMETERS.get(name, {})
            observed = Observation("y", free, parameters, rows, outcome, "firm")
            observe(FAMILIES[name], observed)
        return model.compile_logp(vars=model.observed_RVs, sum=False)({"eta": eta})[0]


@pytest.mark.parametrize(("name", "known_errors"), CASES)
def test_log_density_by_row_is_that_of_the_observed_variable(name, known_errors):
    import pytensor
    import pytensor.tensor as pt

    rows, outcome = rows_of(name, known_errors), OUTCOMES[name]
    with fast_compile():
        eta = pt.vector("eta")
        parameters = PARAMETERS.get(name, {})
        density = row_density(
            FAMILIES[name], Observation("y", eta, parameters, rows, outcome, "firm")
        )
        found = pytensor.function([eta], density)(ETA)
    np.testing.assert_allclose(found, pymc_log_density(name, ETA, rows, outcome), rtol=1e-12)


def test_the_analysis_file_can_name_every_family_and_no_other():
    assert list(get_args(FamilyName)) == list(FAMILIES)


def test_the_table_goes_by_the_names_of_its_records():
    assert {name: family.name for name, family in FAMILIES.items()} == {n: n for n in FAMILIES}


def test_every_family_is_tested():
    assert set(LIKELIHOODS) == set(OUTCOMES) == set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_are_those_the_oracle_needs(name):
    asked = {parameter.name for parameter in FAMILIES[name].parameters}
    assert asked == set(PARAMETERS.get(name, {})) - {"cutpoints"}


@pytest.mark.parametrize(("name", "known_errors"), CASES)
def test_numpy_log_density_is_that_of_scipy(name, known_errors):
    rows, outcome = rows_of(name, known_errors), OUTCOMES[name]
    found = FAMILIES[name].log_density(outcome, ETA, numpy_parameters(name), rows)
    wanted = LIKELIHOODS[name](outcome, ETA, PARAMETERS.get(name, {}), rows)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize(("name", "known_errors"), CASES)
def test_pymc_log_density_is_that_of_numpy(name, known_errors):
    rows, outcome = rows_of(name, known_errors), OUTCOMES[name]
    found = pymc_log_density(name, ETA, rows, outcome)
    wanted = FAMILIES[name].log_density(outcome, ETA, numpy_parameters(name), rows)
    # PyMC keeps the log(2 pi) of a lognormal in single precision
    np.testing.assert_allclose(found, wanted, rtol=1e-8 if "lognormal" in name else 1e-9)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("extreme", [-30.0, 30.0])
def test_extreme_linear_predictors_stay_finite(name, extreme):
    rows, outcome = rows_of(name), OUTCOMES[name]
    eta = np.full(SIZE, extreme)
    family, parameters = FAMILIES[name], numpy_parameters(name)
    found = family.log_density(outcome, eta, parameters, rows)
    assert np.isfinite(found).all()
    assert np.isfinite(family.expectation(eta, parameters)).all()
    drawn = family.draw(np.random.default_rng(1), eta, parameters, rows)
    assert np.isfinite(drawn).all()
    assert family.support(drawn, rows) is None


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("far", [-9.0, 9.0])
def test_graph_and_numpy_agree_far_out(name, far):
    # further out the graph, which works on probabilities, loses digits that numpy keeps
    rows, outcome, eta = rows_of(name), OUTCOMES[name], np.full(SIZE, far)
    found = FAMILIES[name].log_density(outcome, eta, numpy_parameters(name), rows)
    np.testing.assert_allclose(found, pymc_log_density(name, eta, rows, outcome), 1e-7, 1e-9)


@pytest.mark.parametrize("name", ["bernoulli", "binomial", "ordinal"])
@pytest.mark.parametrize("extreme", [-800.0, 800.0])
def test_logits_have_no_limit(name, extreme):
    outcome, rows = OUTCOMES[name], rows_of(name)
    found = FAMILIES[name].log_density(
        outcome, np.full(SIZE, extreme), numpy_parameters(name), rows
    )
    assert np.isfinite(found).all()
    assert found.min() < -700
    # a sure outcome costs nothing
    assert found.max() == pytest.approx(0.0, abs=1e-12)


def test_middle_levels_keep_their_precision_in_both_tails():
    cutpoints = np.array([[0.0, 1e-9]])
    for eta in (-40.0, 0.0, 40.0):
        found = FAMILIES["ordinal"].log_density(
            np.array([1.0]), np.array([eta]), {"cutpoints": cutpoints}, Rows()
        )
        # width of the level times the logistic density
        wanted = np.log(1e-9) - abs(eta) - 2 * np.log1p(np.exp(-abs(eta)))
        assert found[0] == pytest.approx(wanted, rel=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
def test_shapes_broadcast_over_draws(name):
    family, rows, outcome = FAMILIES[name], rows_of(name), OUTCOMES[name]
    eta, parameters = np.stack([ETA, ETA + 0.3, ETA - 0.4]), several(name)
    density = family.log_density(outcome, eta, parameters, rows)
    mean = family.expectation(eta, parameters)
    drawn = family.draw(np.random.default_rng(2), eta, parameters, rows)
    assert density.shape == mean.shape == drawn.shape == (3, SIZE)
    for draw in range(3):
        one = {key: value[draw] for key, value in parameters.items()}
        np.testing.assert_allclose(density[draw], family.log_density(outcome, eta[draw], one, rows))
        np.testing.assert_allclose(mean[draw], family.expectation(eta[draw], one))


@pytest.mark.parametrize("name", FAMILIES)
def test_one_linear_predictor_serves_draws_that_differ_in_parameters_alone(name):
    family, parameters = FAMILIES[name], several(name)
    eta = np.broadcast_to(ETA, (3, SIZE))
    found = family.log_density(OUTCOMES[name], eta, parameters, rows_of(name))
    differ = np.ptp(found, axis=0).max() > 0.01
    assert differ == bool(parameters)


DRAWS = 20_000


def moments(name: str, known_errors: bool) -> tuple[Any, Any]:
    """Mean and variance of the outcome, from the definition of each distribution."""
    if name in ZEROS:
        own, none = PARAMETERS[name], PARAMETERS[name]["zero_share"]
        mean, variance = moments(ZEROS[name], known_errors)
        if ZEROS[name] == "lognormal":
            assert own["sigma"] == PARAMETERS["lognormal"]["sigma"]
        # of a mixture of 0 and the plain family
        return (1 - none) * mean, (1 - none) * (variance + none * mean**2)
    rows, p, mean = rows_of(name, known_errors), PARAMETERS.get(name, {}), np.exp(ETA)
    share, chance = expit(ETA), stats.norm.cdf(ETA)
    grown = np.exp(p.get("sigma", 0) ** 2 / 2)
    if name == "ordinal":
        reach = expit(ETA[:, None] - CUTPOINTS)  # P(at least 1, 2, 3)
        square = (reach * np.array([1, 3, 5])).sum(1)
        return reach.sum(1), square - reach.sum(1) ** 2
    return {
        "bernoulli": (share, share * (1 - share)),
        "probit": (chance, chance * (1 - chance)),
        "beta": (share, share * (1 - share) / (1 + p.get("precision", 0))),
        "lognormal": (mean * grown, mean**2 * grown**2 * (grown**2 - 1)),
        "binomial": (TRIALS * share, TRIALS * share * (1 - share)),
        "gaussian": (ETA, (ERRORS if rows.standard_error is not None else p.get("sigma", 0)) ** 2),
        "student_t": (ETA, p.get("sigma", 0) ** 2 * p.get("nu", 3) / (p.get("nu", 3) - 2)),
        "poisson": (mean, mean),
        "negative_binomial": (mean, mean + p.get("overdispersion", 0) ** 2 * mean**2),
    }[name]


@pytest.mark.parametrize(("name", "known_errors"), CASES)
def test_draws_have_the_mean_and_variance_of_their_distribution(name, known_errors):
    family, rows = FAMILIES[name], rows_of(name, known_errors)
    drawn = family.draw(
        np.random.default_rng(3), np.broadcast_to(ETA, (DRAWS, SIZE)), numpy_parameters(name), rows
    )
    mean, variance = moments(name, known_errors)
    assert family.support(drawn[0], rows) is None
    assert_within_mcse(drawn, mean)
    assert_within_mcse((drawn - mean) ** 2, variance)


@pytest.mark.parametrize("name", FAMILIES)
def test_expectation_is_the_mean_on_the_reported_scale(name):
    mean, _ = moments(name, False)
    scale = TRIALS if name == "binomial" else 1.0
    found = FAMILIES[name].expectation(ETA, numpy_parameters(name))
    np.testing.assert_allclose(found * scale, mean, rtol=1e-12)


BARS = {
    "binomial": [0.0, 1.0, 2.0, 5.0, 9.0],
    "beta": [0.02, 0.3, 0.97],
    "gaussian": [-4.0, 0.4, 6.0],
    "student_t": [-9.0, 0.4, 12.0],
    "lognormal": [0.05, 1.0, 20.0],
    "poisson": [0.0, 1.0, 3.0, 40.0],
    "negative_binomial": [0.0, 1.0, 3.0, 40.0],
    "ordinal": [0.0, 1.0, 2.0, 3.0, 4.0],
    "hurdle_lognormal": [0.0, 1.0, 20.0],
    "zero_inflated_beta": [0.0, 0.3, 0.97],
    "zero_inflated_poisson": [0.0, 1.0, 3.0, 40.0],
    "zero_inflated_negative_binomial": [0.0, 1.0, 3.0, 40.0],
}
"""Levels of each outcome, some beyond its ends."""
CERTAIN = {"bernoulli", "probit"}
"""Families whose expected outcome is a probability already."""


def survival(name: str, bar: float, eta: Any, p: dict[str, Any], rows: Rows) -> Any:
    """P(outcome >= bar) by scipy.stats; sf(k) is P(outcome > k)."""
    if name in ZEROS:
        if bar == 0:
            return np.ones_like(eta)
        return (1 - p["zero_share"]) * survival(ZEROS[name], bar, eta, p, rows)
    mean, share = np.exp(eta), expit(eta)
    if name == "ordinal":
        above = [1.0, *(stats.logistic.sf(c - eta) for c in CUTPOINTS), 0.0]
        return np.broadcast_to(above[int(bar)], eta.shape)
    if name == "negative_binomial":
        size = 1 / p["overdispersion"] ** 2
        return stats.nbinom.sf(bar - 1, size, size / (size + mean))
    if name == "gaussian":
        sd = p["sigma"] if rows.standard_error is None else rows.standard_error
        return stats.norm.sf(bar, eta, sd)
    k = p.get("precision", 0)
    return {
        "binomial": lambda: stats.binom.sf(bar - 1, rows.trials, share),
        "beta": lambda: stats.beta.sf(bar, k * share, k * expit(-eta)),
        "student_t": lambda: stats.t.sf(bar, p["nu"], eta, p["sigma"]),
        "lognormal": lambda: stats.lognorm.sf(bar, p["sigma"], scale=mean),
        "poisson": lambda: stats.poisson.sf(bar - 1, mean),
    }[name]()


def test_every_family_of_more_than_two_values_knows_what_it_exceeds():
    knows = {name for name, family in FAMILIES.items() if family.exceedance is not None}
    assert knows == set(FAMILIES) - CERTAIN == set(BARS)


@pytest.mark.parametrize(
    ("name", "known_errors", "bar"),
    [(*case, bar) for case in CASES if case[0] in BARS for bar in BARS[case[0]]],
)
def test_probability_of_at_least_is_that_of_scipy(name, known_errors, bar):
    rows, family = rows_of(name, known_errors), FAMILIES[name]
    assert family.exceedance is not None
    found = family.exceedance(np.full(SIZE, bar), ETA, numpy_parameters(name), rows)
    wanted = survival(name, bar, ETA, PARAMETERS.get(name, {}), rows)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", BARS)
def test_probabilities_of_at_least_broadcast_over_draws(name):
    family, rows, bar = FAMILIES[name], rows_of(name), np.full(SIZE, BARS[name][1])
    assert family.exceedance is not None
    eta, parameters = np.stack([ETA, ETA + 0.3, ETA - 0.4]), several(name)
    found = family.exceedance(bar, eta, parameters, rows)
    assert found.shape == (3, SIZE)
    for draw in range(3):
        one = {key: value[draw] for key, value in parameters.items()}
        np.testing.assert_allclose(found[draw], family.exceedance(bar, eta[draw], one, rows))


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("extreme", [-800.0, 800.0])
def test_probabilities_of_at_least_stay_within_0_and_1(name, extreme):
    family, bar = FAMILIES[name], np.full(SIZE, BARS[name][1])
    assert family.exceedance is not None
    with np.errstate(over="ignore"):
        found = family.exceedance(
            bar, np.full(SIZE, extreme), numpy_parameters(name), rows_of(name)
        )
    most = 1.0 - PARAMETERS.get(name, {}).get("zero_share", 0.0)
    np.testing.assert_allclose(found, most * (extreme > 0), atol=1e-12)


def test_levels_are_counted_over_trials_and_exposure():
    units = np.array([1.0, 2.0, 5.0, 10.0])
    assert bar_of(FAMILIES["binomial"], 0.3, units).tolist() == [1, 1, 2, 3]
    assert bar_of(FAMILIES["poisson"], 2.0, units).tolist() == [2, 4, 10, 20]
    # 0.7 * 10 is a little more than 7 in binary
    assert bar_of(FAMILIES["binomial"], 0.7, np.array([10.0])).tolist() == [7]
    assert bar_of(FAMILIES["gaussian"], 4.5, np.ones(2)).tolist() == [4.5, 4.5]


NO_TRIALS, TWO_TRIALS = Rows(), Rows(trials=np.array([2.0, 2.0]))
FAULTS = [
    ("bernoulli", NO_TRIALS, [0.0, 2.0], "0 or 1"),
    ("bernoulli", NO_TRIALS, [0.0, 0.5], "0 or 1"),
    ("binomial", TWO_TRIALS, [0.0, 3.0], "no more successes than trials"),
    ("binomial", TWO_TRIALS, [0.0, -1.0], "whole numbers from 0"),
    ("binomial", TWO_TRIALS, [0.0, 1.5], "whole numbers from 0"),
    ("probit", NO_TRIALS, [0.0, 0.5], "0 or 1"),
    ("beta", NO_TRIALS, [0.5, 0.0], "shares above 0 and below 1"),
    ("beta", NO_TRIALS, [0.5, 1.0], "shares above 0 and below 1"),
    ("beta", NO_TRIALS, [0.5, np.nan], "shares above 0 and below 1"),
    ("lognormal", NO_TRIALS, [0.5, 0.0], "finite numbers above 0"),
    ("lognormal", NO_TRIALS, [0.5, np.inf], "finite numbers above 0"),
    ("gaussian", NO_TRIALS, [0.0, np.inf], "finite numbers"),
    ("student_t", NO_TRIALS, [0.0, np.nan], "finite numbers"),
    ("poisson", NO_TRIALS, [0.0, -1.0], "whole numbers from 0"),
    ("poisson", NO_TRIALS, [0.0, 0.5], "whole numbers from 0"),
    ("negative_binomial", NO_TRIALS, [0.0, 1.5], "whole numbers from 0"),
    ("ordinal", NO_TRIALS, [0.0, -1.0], "whole numbers from 0"),
    ("hurdle_lognormal", NO_TRIALS, [0.0, -1.0], "finite numbers from 0"),
    ("zero_inflated_beta", NO_TRIALS, [0.0, 1.0], "shares from 0 and below 1"),
    ("zero_inflated_beta", NO_TRIALS, [0.0, 40.0], "shares from 0 and below 1"),
    ("zero_inflated_poisson", NO_TRIALS, [0.0, 1.5], "whole numbers from 0"),
    ("zero_inflated_negative_binomial", NO_TRIALS, [0.0, -1.0], "whole numbers from 0"),
]


@pytest.mark.parametrize(("name", "rows", "outcome", "expected"), FAULTS)
def test_outcomes_outside_the_support(name, rows, outcome, expected):
    found = FAMILIES[name].support(np.array(outcome), rows)
    assert found is not None
    assert found.expected == expected
    assert found.bad.tolist() == [False, True]
    assert found.values.tolist() == pytest.approx(outcome, nan_ok=True)


@pytest.mark.parametrize("wrong", [0.0, 1.5, -2.0])
def test_trials_outside_the_support(wrong):
    found = FAMILIES["binomial"].support(np.zeros(2), Rows(trials=np.array([1.0, wrong])))
    assert found is not None
    assert found.expected == "trials to be whole numbers from 1"
    assert found.values.tolist() == [1.0, wrong]
    assert found.bad.tolist() == [False, True]


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan])
def test_standard_errors_outside_the_support(wrong):
    rows = Rows(standard_error=np.array([1.0, wrong]))
    found = FAMILIES["gaussian"].support(np.zeros(2), rows)
    assert found is not None
    assert found.expected == "standard errors above 0"
    assert found.bad.tolist() == [False, True]


@pytest.mark.parametrize("name", FAMILIES)
def test_outcomes_within_the_support(name):
    assert FAMILIES[name].support(OUTCOMES[name], rows_of(name)) is None


SHARE_ENDS = (
    "where a share is a count out of a known number, use family binomial with `trials`; where 0 means "
    "none, zero_inflated_beta; else pull 0 and 1 inside by `derive` with "
    "`kind: scale, multiply: 0.99, add: 0.005`"
)
AMOUNTS = (
    "list codes for no answer under `missing_values`; where 0 means none, choose family "
    "hurdle_lognormal"
)
SHARE_OF_ONE = (
    "pull 1 inside by `derive` with `kind: scale, multiply: 0.99`; where a share is a count out of a "
    "known number, use family binomial with `trials`"
)
MENDS = [
    ("beta", [0.5, 1.0], SHARE_ENDS),
    (
        "beta",
        [0.0, 12.5],
        "turn percentages into shares by `derive` with `kind: scale, multiply: 0.01`",
    ),
    ("beta", [-99.0, 12.5], SHARE_ENDS),
    ("lognormal", [3.0, 0.0], AMOUNTS),
    ("hurdle_lognormal", [-9.0, 1.0], "list codes for no answer under `missing_values`"),
    ("zero_inflated_beta", [0.0, 1.0], SHARE_OF_ONE),
    (
        "zero_inflated_beta",
        [0.0, 12.5],
        "turn percentages into shares by `derive` with `kind: scale, multiply: 0.01`",
    ),
    ("poisson", [1.5, 0.0], "choose a family that fits the column, or correct these rows"),
]


@pytest.mark.parametrize(("name", "outcome", "mend"), MENDS)
def test_how_to_mend_an_outcome_outside_the_support(name, outcome, mend):
    found = FAMILIES[name].support(np.array(outcome), Rows())
    assert found is not None
    assert found.mend == mend


@pytest.mark.parametrize("eta", [-700.0, -40.0, -8.0, 8.0, 40.0, 700.0])
def test_probit_keeps_both_tails_and_their_slopes(eta):
    import pymc as pm
    import pytensor

    outcome = np.array([0.0, 1.0])
    with fast_compile():
        with pm.Model(coords={"firm": range(2)}) as model:
            free = pm.Flat("eta", shape=2)
            observe(FAMILIES["probit"], Observation("y", free, {}, Rows(), outcome, "firm"))
        value = model.rvs_to_values[free]
        density = model.logp(vars=model.observed_RVs, sum=False)[0]
        slope = pytensor.grad(density.sum(), value)
        # without rewriting, which may or may not mend a branch that is not taken
        plain = pytensor.compile.Mode(linker="py", optimizer=None)
        found, gradient = pytensor.function([value], [density, slope], mode=plain)(np.full(2, eta))
    sign = np.array([-1.0, 1.0])
    wanted = stats.norm.logcdf(sign * eta)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-15)
    hazard = np.exp(stats.norm.logpdf(eta) - wanted)
    np.testing.assert_allclose(gradient, sign * hazard, rtol=1e-7, atol=1e-15)


def test_shares_have_a_density_at_any_logit():
    precision = {"precision": np.array([3.0])}
    for eta in (-800.0, 800.0):
        far, farther = (
            FAMILIES["beta"].log_density(np.array([0.4]), np.array([k * eta]), precision, Rows())
            for k in (1, 2)
        )
        # a shape near 0 makes the density proportional to it
        assert farther - far == pytest.approx(-800.0)


@pytest.mark.parametrize("name", ["beta", "lognormal", "hurdle_lognormal", "zero_inflated_beta"])
@pytest.mark.parametrize("far", [-800.0, 800.0])
def test_amounts_can_be_drawn_from_absurd_prior_draws(name, far):
    absurd = {"precision": np.array([1e-9]), "sigma": np.array([50.0])}
    absurd["zero_share"] = np.array([0.5])
    drawn = FAMILIES[name].draw(np.random.default_rng(4), np.full(200, far), absurd, Rows())
    assert FAMILIES[name].support(drawn, Rows()) is None


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_counts_can_be_drawn_from_absurd_prior_draws(name):
    drawn = FAMILIES[name].draw(
        np.random.default_rng(4),
        np.array([[200.0, -200.0]]),
        {"overdispersion": np.array([[1e-9]])},
        Rows(),
    )
    assert np.isfinite(drawn).all()
    assert drawn[0, 0] > 1e14
    assert drawn[0, 1] == 0


@pytest.mark.parametrize("name", ZEROS)
def test_zeros_are_as_many_as_their_share_says(name):
    family, parameters = FAMILIES[name], numpy_parameters(name)
    drawn = family.draw(
        np.random.default_rng(5), np.broadcast_to(ETA, (DRAWS, SIZE)), parameters, Rows()
    )
    own = np.exp(LIKELIHOODS[name](np.zeros(SIZE), ETA, PARAMETERS[name], Rows()))
    assert_within_mcse((drawn == 0).astype(float), own)


def test_counts_are_asked_for_zeros_of_their_own_only_beyond_what_mixing_gives():
    rng = np.random.default_rng(6)
    mixed = rng.poisson(0.8 * rng.gamma(1.0, 1.0, 2000)).astype(float)
    assert (mixed == 0).mean() > 0.5
    assert zeros_family(mixed) == ""
    # half have 0, the others never in effect
    apart = rng.poisson(5.0, 2000) * (rng.random(2000) < 0.5).astype(float)
    share, gain = own_zeros(apart)
    assert share == pytest.approx(0.5, abs=0.03)
    assert gain > 100
    assert zeros_family(apart) == "zero_inflated_negative_binomial"
    assert zeros_family(apart, "negative_binomial") == "zero_inflated_negative_binomial"
    assert zeros_family(apart, "poisson") == "zero_inflated_poisson"


@pytest.mark.parametrize("shape", [1.0, 4.0, 100.0])
@pytest.mark.parametrize("level", [1.0, 2.0])
def test_zeros_that_a_regression_explains_are_no_zeros_of_their_own(shape, level):
    rng = np.random.default_rng(7)
    human, social = rng.normal(size=(2, 600))
    mean = np.exp(level + 0.5 * human + 0.3 * social + 0.25 * human * social)
    counts = rng.poisson(mean * rng.gamma(shape, 1 / shape, 600)).astype(float)
    assert zeros_family(counts) == ""
    none = rng.random(600) < 1 / 3
    with_zeros = zeros_family(np.where(none, 0.0, counts))
    if (shape, level) in [(4.0, 2.0), (100.0, 2.0), (100.0, 1.0)]:
        assert with_zeros == "zero_inflated_negative_binomial"


@pytest.mark.parametrize(
    ("zeros", "family", "wanted"),
    [
        (0.4, "", ("hurdle_lognormal", "zero_inflated_beta")),
        (0.4, "gaussian", ("hurdle_lognormal", "zero_inflated_beta")),
        (0.26, "", ("hurdle_lognormal", "zero_inflated_beta")),
        (0.2, "", ("", "")),
        (0.4, "hurdle_lognormal", ("", "")),
    ],
)
def test_amounts_and_shares_are_asked_for_zeros_of_their_own_from_a_quarter_on(
    zeros, family, wanted
):
    share = np.linspace(0.01, 0.99, 500)
    share[: int(500 * zeros)] = 0.0
    assert (zeros_family(90 * share, family), zeros_family(share, family)) == wanted
    assert zeros_family(share - 0.2, family) == ""
