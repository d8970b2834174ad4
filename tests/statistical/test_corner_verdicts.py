"""Verdicts on necessity where the truth is known: seldom supported where false, found where true.

Two truths, each at 100, 300 and 1,000 firms. False: an additive logit, in which human capital can be
made up for, and the outcome without it is at least twice as likely as the declared eps. True: firms
behind two gates, with an outcome well below eps without human capital: there the form has to be one that can
have gates, since an interaction fitted to them rejects what is true. `python -m
tests.statistical.test_corner_verdicts interaction 40` prints the table for a form that is fitted.
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from bayescluster.arrays import Array
from bayescluster.design.arrays import replaced
from bayescluster.design.record import Design
from bayescluster.inference.density import Repeated
from bayescluster.spec.analysis import Sampling
from bayescluster.spec.hypotheses import Necessary
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.factories import small_design

pytestmark = pytest.mark.slow

SIZES = (100, 300, 1000)
REPLICATIONS = 40
EPS = 0.10
CLAIM = Necessary(kind="necessary", capital="human_capital", by="all", eps=EPS)
LOW, HIGH = -1.2816, 1.2816
"""10th and 90th percentile of a standard normal capital."""


def substitutable(human: Array, social: Array) -> Array:
    """Additive: at low human and high social capital 0.26, at both high 0.75."""
    return np.asarray(expit(-0.1 + 0.85 * human + 0.1 * social))


def needed(human: Array, social: Array) -> Array:
    """Two gates: at low human and high social capital 0.03, at both high 0.79."""
    opened = expit(6.0 * (human + 0.2)) * expit(6.0 * (social + 0.2))
    return np.asarray(0.03 + 0.77 * opened)


TRUTHS = {"false": substitutable, "true": needed}


def firms(size: int, seed: int) -> tuple[Array, Array]:
    """Two capitals with a correlation of 0.3."""
    human, other = np.random.default_rng(seed).normal(size=(2, size))
    return human, 0.3 * human + np.sqrt(1 - 0.3**2) * other


def template(form: str, size: int) -> Design:
    """Firms of a size under a form; only their outcomes change."""
    human, social = firms(size, size)
    outcome = np.arange(size) % 2
    frame = pd.DataFrame({"training": human, "trust": social, "upgraded": outcome})
    data = {"firm": None, "cluster": None, "industry": None}
    return small_design("bernoulli", form, data=data, frame=frame)


def counts(form: str, size: int, replications: int) -> dict[str, Counter[str]]:
    """Verdicts under each truth, the form compiled once."""
    design = template(form, size)
    human, social = firms(size, size)
    repeated = Repeated(design)

    def verdict(truth: str, number: int) -> str:
        p = TRUTHS[truth](human, social)
        rng = np.random.default_rng((size, number, list(TRUTHS).index(truth)))
        outcome = (rng.random(size) < p).astype(float)
        sampling = Sampling(draws=500, tune=500, chains=2, seed=number, target_accept=0.9)
        fit = repeated.fit(replaced(design, outcome), sampling)
        evidence = Evidence(fit.design, fit.draws, fit.draws.thinned(100), 1)
        return verdicts((CLAIM,), evidence, gate_passed=True)[0].verdict

    with ThreadPoolExecutor(2) as pool:
        return {
            truth: Counter(pool.map(lambda k, t=truth: verdict(t, k), range(replications)))
            for truth in TRUTHS
        }


def test_truths_are_what_they_are_said_to_be():
    lacking = {name: float(truth(LOW, HIGH)) for name, truth in TRUTHS.items()}
    both = {name: float(truth(HIGH, HIGH)) for name, truth in TRUTHS.items()}
    assert lacking["false"] >= 2 * EPS
    assert lacking["true"] <= 0.5 * EPS
    assert min(both.values()) > 0.7


@cache
def table(form: str) -> dict[int, dict[str, Counter[str]]]:
    """Counts of verdicts at every size."""
    return {size: counts(form, size, REPLICATIONS) for size in SIZES}


@pytest.mark.parametrize("form", ["interaction", "conjunctive"])
def test_necessity_is_not_supported_where_it_is_false(form):
    found = table(form)
    assert max(found[size]["false"]["supported"] for size in SIZES) < 0.05 * REPLICATIONS, found


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            "interaction",
            marks=pytest.mark.xfail(
                strict=True, reason="a product term cannot follow gates, and rejects what is true"
            ),
        ),
        "conjunctive",
    ],
)
def test_necessity_is_found_more_often_with_more_firms_where_it_is_true(form):
    found = table(form)
    true = [found[size]["true"]["supported"] for size in SIZES]
    assert true[-1] > true[0], found
    assert true == sorted(true), found


def main() -> None:
    """Print the table of counts for one form."""
    form, replications = sys.argv[1], int(sys.argv[2])
    for size in SIZES:
        for truth, found in counts(form, size, replications).items():
            told = ", ".join(
                f"{found[name]} {name}" for name in ("supported", "rejected", "undecided")
            )
            sys.stdout.write(f"{form}, {size} firms, necessity {truth}: {told} of {replications}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
