"""The log prior by blocks is that of the PyMC graph, up to a constant, for every shape of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats

from bayescluster.inference.assemble import reported_variables
from bayescluster.model.build import build_model
from bayescluster.model.log_prior import UnknownPriorError, prior_blocks
from tests.factories import CONTROLS, firms, small_design
from tests.model.oracle import perturbed
from tests.model.test_imputation import gappy_design
from tests.model.test_measurement import design_for
from tests.oracles import fast_compile
from tests.systems import equation, system

POINTS = 4
OF_THE_MODEL = ("_z", "_total", "_cluster_mean", "residual_u")
"""Ends of the free variables that the model itself distributes, given others."""
STEPS = [{"column": "grade", "monotonic": True}, "exporter"]
SHARED = {"r2d2m2": {"mean_r2": 0.4, "precision": 5.0, "concentration": 0.7}}
STATED = {
    "terms": {
        "intercept": {"distribution": "student_t", "df": 4.0, "mean": 1.0, "scale": 2.0},
        "exporter": {"distribution": "normal", "mean": 0.3, "sd": 0.2},
    },
    "controls": {"distribution": "student_t", "scale": 0.7},
    "group_sd": {
        "industry": {"distribution": "half_student_t", "scale": 0.4},
        "cluster": {"distribution": "exponential", "rate": 2.0},
    },
    "correlation": 3.5,
    "family": {"sigma": {"distribution": "half_cauchy", "scale": 1.5}},
}
NESTED = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
CORRELATED = {
    "industry": {"terms": ["intercept", "human_capital"], "correlated": True, "centred": True},
    "cluster": {"terms": ["intercept", "human_capital", "interaction"], "correlated": True},
}
MANY = {"industries": 2, "clusters": 4}

SHAPES: dict[str, Any] = {
    "gaussian, additive": lambda: small_design("gaussian", "additive", controls=CONTROLS),
    "bernoulli, interaction": lambda: small_design("bernoulli", "interaction", NESTED),
    "ordinal": lambda: small_design("ordinal", "interaction", NESTED, controls=CONTROLS),
    "ordinal, no terms": lambda: small_design("ordinal", "intercept"),
    "student t, ces": lambda: small_design("student_t", "ces", {"cluster": ["share", "gain"]}),
    "bernoulli, conjunctive": lambda: small_design(
        "bernoulli", "conjunctive", {"cluster": ["intercept"]}, controls=CONTROLS
    ),
    "correlated": lambda: small_design(
        "gaussian", "interaction", CORRELATED, frame=firms(**MANY), controls=CONTROLS, priors=STATED
    ),
    "shared variance": lambda: small_design(
        "gaussian", "interaction", NESTED, controls=CONTROLS, priors=SHARED
    ),
    "shared variance, correlated": lambda: small_design(
        "bernoulli", "interaction", CORRELATED, frame=firms(**MANY), priors=SHARED
    ),
    "steps": lambda: small_design("negative_binomial", "interaction", controls=STEPS),
    "known errors": lambda: small_design("gaussian", "additive", standard_error="error"),
    "latent capitals": lambda: design_for("both latent"),
    "discrete indicators": lambda: design_for("discrete only", "bernoulli"),
    "missing inputs": lambda: gappy_design("gaussian", more={"training": 0.2}),
    "two equations": lambda: system(
        {
            "buyers": equation("buyers", varying={"cluster": ["intercept"]}),
            "sales": equation("sales", "gaussian", predictors=["buyers"], controls=["exporter"]),
        }
    ),
    "tied residuals": lambda: system(
        {"growth": equation("growth", "gaussian"), "sales": equation("sales", "gaussian")},
        residual_correlation=["growth", "sales"],
    ),
}


def at_points(design: Any) -> tuple[xr.Dataset, np.ndarray]:
    """Named variables at perturbed points, and the log prior of the graph there."""
    reported = list(reported_variables(design))
    with fast_compile():
        model = build_model(design)
        top = [
            variable
            for variable in model.free_RVs
            if not variable.name.endswith(OF_THE_MODEL) and not variable.name.startswith("imputed")
        ]
        parts = model.logp(vars=top, jacobian=False, sum=False)
        outputs = model.replace_rvs_by_values([model[name] for name in reported])
        shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
        function = model.compile_fn(
            [*outputs, *(part.sum() for part in parts)],
            mode=Mode("py", "fast_compile"),
            on_unused_input="ignore",
        )
        found = [function(perturbed(shapes, seed)) for seed in range(POINTS)]
    values = {name: np.stack([one[k] for one in found])[None] for k, name in enumerate(reported)}
    density = np.array([sum(one[len(reported) :]) for one in found])
    dims = {
        name: ("chain", "draw", *(f"{name}_{k}" for k in range(array.ndim - 2)))
        for name, array in values.items()
    }
    data = xr.Dataset({name: (dims[name], array) for name, array in values.items()})
    # the gammas behind the shares of R2D2M2 hold one number more than the shares
    for variable, part in zip(top, range(len(top)), strict=True):
        if variable.name.endswith("variance_share_part"):
            shares = data[variable.name.removesuffix("_part")].to_numpy()[0]
            gammas = np.array([one[len(reported) + part] for one in found])
            flat = [stats.dirichlet.logpdf(row, np.full(row.size, 0.7)) for row in shares]
            density += np.array(flat) - gammas
    return data, density


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_add_up_to_the_prior_of_the_graph(shape):
    design = SHAPES[shape]()
    posterior, wanted = at_points(design)
    blocks = prior_blocks(design, posterior)
    total = np.sum([block.density for block in blocks], axis=0)
    assert total.shape == (POINTS,)
    assert np.ptp(total) > 0.01
    np.testing.assert_allclose(total - total[0], wanted - wanted[0], rtol=1e-8, atol=1e-8)
    assert len({block.name for block in blocks}) == len(blocks)


def test_each_block_holds_its_own_priors():
    design = SHAPES["correlated"]()
    posterior, _ = at_points(design)
    found = {block.name: block for block in prior_blocks(design, posterior)}
    assert list(found) == ["population", "groups", "noise"]
    sigma = posterior["sigma"].to_numpy().ravel()
    np.testing.assert_allclose(found["noise"].density, stats.halfcauchy.logpdf(sigma, scale=1.5))
    assert found["noise"].priors == ("sigma ~ HalfCauchy(1.5)",)
    assert found["groups"].priors == (
        "sds of industry ~ Half Student t(3, 0.4)",
        "correlations of industry, correlations of cluster ~ LKJ(3.5)",
        "sds of cluster ~ Exponential(2)",
    )
    assert "exporter ~ Normal(0.3, 0.2)" in found["population"].priors
    assert found["population"].place == "equations.upgrading.priors: terms, controls"


def test_the_form_stands_apart_from_the_coefficients():
    design = SHAPES["student t, ces"]()
    posterior, _ = at_points(design)
    found = {block.name: block for block in prior_blocks(design, posterior)}
    assert list(found) == ["population", "form", "groups", "noise"]
    assert found["form"].priors[1:] == ("share ~ Beta(2, 2)", "substitution ~ Normal(0, 2)")
    intercept = posterior["population"].to_numpy()[0, :, 0]
    density = found["population"].density
    values = design.answers
    wanted = stats.norm.logpdf(intercept, values.mean(), 2.5 * values.std(ddof=1))
    np.testing.assert_allclose(density, wanted)


def test_what_is_not_known_is_refused():
    design = SHAPES["gaussian, additive"]()
    posterior, _ = at_points(design)
    with pytest.raises(UnknownPriorError, match="no prior is known here of horseshoe"):
        prior_blocks(design, posterior.assign(horseshoe=posterior["sigma"]))
    with pytest.raises(UnknownPriorError, match="the posterior does not hold sigma"):
        prior_blocks(design, posterior.drop_vars("sigma"))
    with pytest.raises(UnknownPriorError, match="noise of the outcome is not finite"):
        prior_blocks(design, posterior.assign(sigma=-posterior["sigma"]))
