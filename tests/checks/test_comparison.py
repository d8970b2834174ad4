from __future__ import annotations

import numpy as np
import pytest

from bayescluster.checks.comparison import (
    ClusterScores,
    FormFit,
    criterion_of,
    form_rows,
    listed,
    statements,
)
from bayescluster.checks.loo import RowScores
from bayescluster.results.model import CheckItem, Gate
from bayescluster.structures import STRUCTURES

RULE = "within 4, or within 2 standard errors of the difference, of the best elpd of rows left out"


def gate(passed: bool = True) -> Gate:
    item = CheckItem(
        name="R-hat", question="?", found="1.5", threshold="at most 1.01", passed=passed
    )
    return Gate(passed=passed, items=(item,))


def fit(form, clusters, rows=None, khat=0.2, passed=True, shape=None) -> FormFit:
    """A form; without scores of its own rows are those of the clusters."""
    rows = clusters if rows is None else rows
    rows = np.asarray(rows, dtype=float)
    held = None
    if clusters is not None:
        elpd = np.asarray(clusters, dtype=float)
        held = ClusterScores(elpd, np.full(elpd.size, khat), 0.67)
    scored = RowScores(rows, np.full(rows.size, 0.1), 0.7, 1.0, 3.5)
    return FormFit(STRUCTURES[form], gate(passed), scored, held, shape)


def test_scores_of_a_worse_form():
    base = np.array([-10.0, -12.0, -9.0, -11.0])
    less = np.array([-3.0, -2.0, -4.0, -3.0])
    better, worse = form_rows([fit("conjunctive", base), fit("additive", base + less)])
    assert (better.clusters.difference, better.clusters.difference_se) == (0, 0)
    assert worse.clusters.difference == pytest.approx(-12)
    assert worse.clusters.difference_se == pytest.approx(np.sqrt(4 * less.var(ddof=1)))
    assert (better.weight, worse.weight) == pytest.approx((1, 0), abs=1e-6)
    assert (better.plausible, worse.plausible) == (True, False)
    assert worse.clusters.se == pytest.approx(np.sqrt(4 * (base + less).var(ddof=1)))


@pytest.mark.parametrize(
    ("less", "plausible"),
    [
        ([-1.0, -0.9, -1.1, -0.9], True),  # 3.9 is below 4, however sure
        ([-1.1, -1.0, -1.0, -1.0], False),
        ([-20.0, 15.0, -10.0, 5.0], True),  # 10 is below 2 standard errors
    ],
)
def test_a_form_is_plausible_by_the_rows_it_predicts(less, plausible):
    base, clusters = np.full(4, -50.0), np.full(3, -70.0)
    # a form is a question within clusters: new ones do not decide it
    fits = [fit("ces", clusters, base), fit("additive", clusters - 9, base + less)]
    _, other = form_rows(fits)
    assert other.plausible is plausible
    assert other.weight == pytest.approx(0, abs=1e-6)


def test_rows_decide_where_clusters_cannot_be_left_out():
    fits = [fit("additive", None, [-1.0, -1, -1]), fit("ces", None, [-3.0, -3, -3])]
    assert criterion_of(fits) == "PSIS-LOO"
    first, second = form_rows(fits)
    assert (first.clusters, second.clusters) == (None, None)
    assert (first.weight, second.weight) == pytest.approx((1, 0), abs=1e-6)
    fits = [fit("additive", [-1.0, np.nan]), fit("ces", [-2.0, -2.0])]
    assert criterion_of(fits) == "PSIS-LOO"


def test_what_is_said_where_nothing_can_be_told_apart():
    base = np.array([-10.0, -12.0, -9.0])
    fits = [
        fit("additive", base + [0.2, -0.1, 0.1]),
        fit("interaction", base),
        fit("conjunctive", base + [0.5, 0.4, -0.2], khat=0.9),
        fit("ces", base, shape=0.943),
    ]
    rows = form_rows(fits)
    assert [row.non_compensatory_probability for row in rows] == [None, None, None, 0.943]
    assert statements(rows, "leave-one-cluster-out") == (
        (
            f"Plausible forms: conjunctive, additive, interaction and ces ({RULE}). A verdict has to hold "
            "under each of them."
        ),
        (
            "Probability that neither capital by itself covers more than 40% of the way from both low to "
            "both high, on the link scale, over all firms: ces 0.94."
        ),
        (
            "An interaction coefficient alone does not establish necessity: a positive product is found "
            "too where either capital makes up for the other, as long as returns to their sum rise."
        ),
        (
            "Pareto k is above the threshold for 3 clusters under conjunctive: read these elpd with "
            "care."
        ),
    )


def test_what_is_said_where_one_form_is_best():
    base = np.full(6, -10.0)
    fits = [fit("additive", base - 3, passed=False), fit("ces", base, shape=0.99)]
    rows = form_rows(fits)
    assert statements(rows, "leave-one-cluster-out") == (
        f"Only ces is plausible ({RULE}): verdicts rest on it.",
        "additive predicts worse than ces, by more than the data leave open.",
        (
            "Probability that neither capital by itself covers more than 40% of the way from both low to "
            "both high, on the link scale, over all firms: ces 0.99."
        ),
        "additive failed its diagnostics gate (R-hat).",
    )


def test_names_as_words():
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
