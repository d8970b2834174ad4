from __future__ import annotations

import numpy as np
import pytest

from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.priors import model_priors, ordered_normals
from tests.factories import small_design
from tests.helpers import assert_within_mcse
from tests.oracles import fast_compile

DRAWS = 4000
CASES = [
    ([0.0, 0.0], [1.0, 1.0]),
    ([-1.1, 0.0, 1.1], [1.5, 1.5, 1.5]),
    ([-1.4, -0.4, 0.4, 1.4], [2.0, 2.0, 2.0, 2.0]),
    # the wrong way round, and of unlike width
    ([0.5, -0.5, 0.0], [0.7, 1.5, 3.0]),
]


def rejected(means, sds, draws, rng):
    """Independent normals, of which those out of order are thrown away."""
    found = np.empty((0, len(means)))
    while len(found) < draws:
        tried = rng.normal(means, sds, (50_000, len(means)))
        found = np.concatenate([found, tried[(np.diff(tried, axis=1) > 0).all(axis=1)]])
    return found[:draws]


@pytest.mark.parametrize(("means", "sds"), CASES)
def test_ordered_normals_are_those_that_rejection_keeps(means, sds):
    rng = np.random.default_rng(3)
    found = ordered_normals(np.array(means), np.array(sds), DRAWS, np.random.default_rng(1))
    wanted = rejected(means, sds, DRAWS, rng)
    assert found.shape == (DRAWS, len(means))
    assert (np.diff(found, axis=1) > 0).all()
    # differences of independent draws carry the error of both
    assert_within_mcse(found - wanted, 0.0)
    centre = wanted.mean(axis=0)
    assert_within_mcse((found - centre) ** 2 - (wanted - centre) ** 2, 0.0)
    gaps = np.diff(found, axis=1), np.diff(wanted, axis=1)
    assert_within_mcse(gaps[0] ** 2 - gaps[1] ** 2, 0.0)


def test_two_of_a_kind_have_the_moments_of_order_statistics():
    found = ordered_normals(np.zeros(2), np.ones(2), DRAWS, np.random.default_rng(5))
    # E[max] = 1 / sqrt(pi), E[max^2] = 1
    assert_within_mcse(found, [-1 / np.sqrt(np.pi), 1 / np.sqrt(np.pi)])
    assert_within_mcse(found**2, 1.0)
    assert_within_mcse(found[:, 0] * found[:, 1], 0.0)


def test_one_cutpoint_is_a_plain_normal():
    found = ordered_normals(np.array([2.0]), np.array([0.5]), DRAWS, np.random.default_rng(5))
    assert_within_mcse(found, 2.0)
    assert_within_mcse((found - 2.0) ** 2, 0.25)


def test_draws_are_those_of_their_seed():
    means, sds = np.array([-1.0, 0.0]), np.array([1.0, 2.0])
    one, again, other = (
        ordered_normals(means, sds, 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_prior_draws_of_cutpoints_ascend():
    design = small_design("ordinal", "additive", {"industry": ["intercept"]})
    with fast_compile():
        found = sample_prior(design, build_model(design), reported_variables(design), 2000, 1)
    cut = found["cutpoints"]
    assert cut.dims == ("chain", "draw", "cutpoint")
    assert cut.shape == (1, 2000, 3)
    assert (cut.diff("cutpoint") > 0).all()
    means, sds = np.array(model_priors(design).cutpoints).T
    wanted = rejected(means, sds, 2000, np.random.default_rng(8))
    assert_within_mcse(cut.to_numpy()[0] - wanted, 0.0)
