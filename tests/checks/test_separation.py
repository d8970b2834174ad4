from __future__ import annotations

import numpy as np
import pytest

from bayescluster.checks.reasons import separation

RNG = np.random.default_rng(33)
X, Z = RNG.normal(size=60), RNG.normal(size=60)


def found(yes, **columns):
    yes = np.asarray(yes, dtype=bool)
    return separation(columns, yes, ~yes)


def test_overlap_is_no_separation():
    yes = X + RNG.normal(size=60) > 0
    assert found(yes, x=X, z=Z) is None


def test_complete_separation_names_the_column():
    one = found(X > 0.2, x=X, z=Z)
    assert one is not None
    assert (one.columns, one.complete, one.share) == (("x",), True, 1.0)


def test_quasi_complete_separation():
    # everyone with the licence upgrades; of those without, some do
    licence = (np.arange(60) < 20).astype(float)
    yes = (licence == 1) | (np.arange(60) % 3 == 0)
    one = found(yes, licence=licence, z=Z)
    assert one is not None
    assert (one.columns, one.complete) == (("licence",), False)
    assert 0.2 < one.share < 1


def test_two_columns_separate_together():
    one = found(X + Z > 0.3, x=X, other=RNG.normal(size=60), z=Z)
    assert one is not None
    assert (set(one.columns), one.complete) == ({"x", "z"}, True)


def test_several_trials_with_both_answers_overlap():
    yes, no = X > 0, X <= 0
    both = np.abs(X) < 0.5
    assert separation({"x": X}, yes | both, no | both) is None
    # a rule holds where one value of x has both answers
    edge = np.argsort(np.abs(X))[:1]
    yes[edge] = no[edge] = True
    one = separation({"x": X}, yes, no)
    assert one is not None
    assert not one.complete


@pytest.mark.parametrize("value", [True, False])
def test_one_answer_is_no_separation(value):
    assert found(np.full(60, value), x=X) is None
