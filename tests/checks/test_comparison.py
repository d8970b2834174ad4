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

RULE = "a difference in elpd below 4, or below 2 of its standard errors"


def gate(passed: bool = True) -> Gate:
    item = CheckItem(
        name="R-hat", question="?", found="1.5", threshold="at most 1.01", passed=passed
    )
    return Gate(passed=passed, items=(item,))


def fit(form, clusters, rows=None, khat=0.2, passed=True, below_zero=None) -> FormFit:
    rows = np.zeros(5) if rows is None else np.asarray(rows, dtype=float)
    held = None
    if clusters is not None:
        elpd = np.asarray(clusters, dtype=float)
        held = ClusterScores(elpd, np.full(elpd.size, khat), 0.67)
    scored = RowScores(rows, np.full(rows.size, 0.1), 0.7, 1.0, 3.5)
    report = f"forms/{form}/report.html"
    return FormFit(STRUCTURES[form], report, gate(passed), scored, held, below_zero)


def test_scores_of_a_worse_form():
    base = np.array([-10.0, -12.0, -9.0, -11.0])
    less = np.array([-3.0, -2.0, -4.0, -3.0])
    better, worse = form_rows([fit("conjunctive", base), fit("additive", base + less)])
    assert (better.clusters.difference, better.clusters.difference_se) == (0, 0)
    assert worse.clusters.difference == pytest.approx(-12)
    assert worse.clusters.difference_se == pytest.approx(np.sqrt(4 * less.var(ddof=1)))
    assert (better.weight, worse.weight) == pytest.approx((1, 0), abs=1e-6)
    assert (better.apart, worse.apart) == (False, True)
    assert worse.clusters.se == pytest.approx(np.sqrt(4 * (base + less).var(ddof=1)))


@pytest.mark.parametrize(
    ("less", "apart"),
    [
        ([-1.0, -0.9, -1.1, -0.9], False),  # 3.9 is below 4, however sure
        ([-1.1, -1.0, -1.0, -1.0], True),
        ([-20.0, 15.0, -10.0, 5.0], False),  # 10 is below 2 standard errors
    ],
)
def test_two_marks_for_telling_forms_apart(less, apart):
    base = np.full(4, -50.0)
    _, other = form_rows([fit("ces", base), fit("additive", base + less)])
    assert other.apart is apart


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
        fit("ces", base, below_zero=0.94),
    ]
    rows = form_rows(fits)
    assert [row.non_compensatory for row in rows] == [False, False, True, False]
    total = rows[2].weight
    assert statements(rows, "leave-one-cluster-out") == (
        (
            "conjunctive predicts best, but the data cannot tell it from additive, interaction and ces "
            f"({RULE})."
        ),
        (
            f"Total weight on non-compensatory forms (conjunctive): {total:.2f}. In these a lack of one "
            "capital cannot simply be made up by the other; whether each is needed is read off the "
            "corners. The CES form is not among them: its r is not clearly below 0."
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
    fits = [fit("additive", base - 3, passed=False), fit("ces", base, below_zero=0.99)]
    rows = form_rows(fits)
    assert rows[1].non_compensatory
    assert statements(rows, "leave-one-cluster-out") == (
        "additive predicts worse than ces, by more than the data leave open.",
        (
            "Total weight on non-compensatory forms (ces): 1.00. In these a lack of one capital cannot "
            "simply be made up by the other; whether each is needed is read off the corners. r of the "
            "CES form is below 0 with a probability of at least 0.95."
        ),
        "additive failed its diagnostics gate (R-hat).",
    )


def test_names_as_words():
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
