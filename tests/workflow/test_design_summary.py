"""Counts, intervals and needed sizes of a design analysis, against other ways to get them."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import beta

from bayescluster.studies.design_analysis.compute import (
    SizeReplications,
    design_rows,
    failures,
    needed,
)
from bayescluster.studies.design_analysis.results import Judged, Replication, SizeFacts
from bayescluster.studies.design_analysis.view import failure_words, needed_words
from bayescluster.studies.simulation import share_of


def size(firms: float = 1.0, clusters: float = 1.0) -> SizeFacts:
    return SizeFacts(
        firms_times=firms,
        clusters_times=clusters,
        rows=int(100 * firms * clusters),
        firms=int(100 * firms * clusters),
        clusters=int(10 * clusters),
        industries=2,
    )


def judged(truth: float | None, verdict: str, group: str = "all") -> Judged:
    return Judged.model_validate(
        {
            "tradition": "corners",
            "claim": "N-H",
            "title": "Human capital is necessary",
            "by": "industry",
            "group": group,
            "truth": truth,
            "probability": 0.5,
            "verdict": verdict,
        }
    )


def replication(
    number: int, said: list[Judged], form: str = "additive", **more: Any
) -> Replication:
    return Replication(
        truth=form,
        fitted="interaction",
        number=number,
        judged=tuple(said),
        **{"status": "fitted"} | more,
    )


@pytest.mark.parametrize(
    ("truth", "verdict", "wanted"),
    [
        (1.0, "supported", "right"),
        (1.0, "rejected", "wrong"),
        (0.0, "supported", "wrong"),
        (0.0, "rejected", "right"),
        (0.3, "rejected", "right"),
        (0.6, "supported", "right"),
        (1.0, "undecided", "undecided"),
        (None, "supported", None),
    ],
)
def test_outlook(truth, verdict, wanted):
    assert judged(truth, verdict).outlook == wanted


def test_interval_is_that_of_jeffreys_over_replications():
    found = share_of(6, 40, 10)
    assert found.share == 0.15
    assert (found.low, found.high) == pytest.approx(tuple(beta(2.0, 9.0).ppf([0.05, 0.95])))
    assert share_of(0, 40, 10).low == 0.0
    assert share_of(40, 40, 10).high == 1.0
    assert 0.8 < share_of(40, 40, 10).low < 1.0


def test_rows_count_verdicts_by_truth_and_over_all():
    said = [
        replication(0, [judged(1, "supported", "a"), judged(0, "supported", "b")]),
        replication(1, [judged(1, "rejected", "a"), judged(0, "rejected", "b")]),
        replication(0, [judged(1, "undecided", "a"), judged(None, "supported", "b")], "ces"),
    ]
    rows = {row.truth: row for row in design_rows([SizeReplications(size(), tuple(said))])}
    assert list(rows) == ["additive", "ces", "all"]
    own, everything = rows["additive"], rows["all"]
    assert (own.replications, own.verdicts, own.true) == (2, 4, 2)
    assert [own.right.share, own.wrong.share, own.undecided.share] == [0.5, 0.5, 0.0]
    assert (own.supported_where_true.share, own.supported_where_false.share) == (0.5, 0.5)
    assert (everything.replications, everything.verdicts, everything.true) == (3, 5, 3)
    assert everything.right.share == pytest.approx(0.4)
    assert everything.undecided.share == pytest.approx(0.2)
    assert rows["ces"].supported_where_false is None


def test_compensatory_truths_have_rows_of_their_own_and_states_are_told_apart():
    low = [judged(0, "not assessable", "a"), judged(0, "negligible", "b")]
    low[0] = low[0].model_copy(update={"region": 1.0})
    said = [
        replication(0, [judged(1, "supported")]),
        replication(0, low, base_rate=0.05),
        replication(1, [judged(0, "scale-dependent"), judged(0, "supported")], base_rate=0.05),
        replication(0, [judged(0, "depends on the form")], "ces"),
    ]
    found = design_rows([SizeReplications(size(), tuple(said))])
    rows = {(row.truth, row.base_rate): row for row in found}
    assert list(rows) == [("additive", None), ("ces", None), ("all", None), ("additive", 0.05)]
    row = rows["additive", 0.05]
    states = (row.not_assessable, row.negligible, row.scale_dependent, row.supported)
    assert [each.share for each in states] == [0.25] * 4
    assert row.undecided.share == row.rejected.share == row.depends_on_the_form.share == 0.0
    assert (row.right.share, row.wrong.share, row.region_only) == (0.25, 0.25, 1)
    everything = rows["all", None]
    assert (everything.verdicts, everything.depends_on_the_form.share) == (2, 0.5)


def test_what_has_no_truth_has_no_row():
    assert (
        design_rows([SizeReplications(size(), (replication(0, [judged(None, "supported")]),))])
        == ()
    )


def runs(times: float, right: int, of: int = 10) -> SizeReplications:
    said = [
        replication(k, [judged(1, "supported" if k < right else "undecided")]) for k in range(of)
    ]
    return SizeReplications(size(times), tuple(said))


@pytest.mark.parametrize(
    ("rights", "enough", "words"),
    [
        (
            (3, 6, 9),
            200,
            "right in 80% of verdicts from 200 firms on, among the sizes run",
        ),
        (
            (3, 6, 7),
            None,
            "right in 80% of verdicts would need more than 200 firms: not reached at any size run",
        ),
        (
            (8, 9, 9),
            50,
            "right in 80% of verdicts at 50 firms already, the fewest that were run",
        ),
        # 9 of 10 at the middle size is chance, as the larger one shows
        (
            (3, 9, 5),
            None,
            "right in 80% of verdicts would need more than 200 firms: not reached at any size run",
        ),
    ],
)
def test_needed_is_never_beyond_what_was_run(rights, enough, words):
    sized = [runs(times, right) for times, right in zip((0.5, 1.0, 2.0), rights, strict=True)]
    (found,) = needed(sized, design_rows(sized))
    assert (found.way, found.enough, found.sizes) == ("firms", enough, (50, 100, 200))
    assert needed_words(found, 0.8) == words
    assert list(found.smoothed) == sorted(found.smoothed)


def test_one_size_says_nothing_of_others():
    sized = [runs(1.0, 9)]
    assert needed(sized, design_rows(sized)) == ()


def test_clusters_are_looked_at_with_the_firms_as_they_are():
    sized = [
        SizeReplications(size(firms, clusters), runs(1.0, right).replications)
        for firms, clusters, right in ((1, 1, 2), (1, 2, 9), (2, 1, 5), (2, 2, 10))
    ]
    found = {row.way: row for row in needed(sized, design_rows(sized))}
    assert (found["clusters"].sizes, found["clusters"].enough) == ((10, 20), 20)
    assert (found["firms"].sizes, found["firms"].enough) == ((100, 200), None)


def test_failures_are_told():
    said = [
        replication(0, [], status="not_converged", reason="R-hat above 1.05", divergences=3),
        replication(1, [], status="not_fitted", reason="no"),
        replication(2, []),
    ]
    (found,) = failures([SizeReplications(size(), tuple(said))])
    assert (found.not_converged, found.not_fitted, found.divergent) == (1, 1, 1)
    assert found.reasons == ("R-hat above 1.05", "no")
    assert failure_words(found) == (
        "additive refitted as interaction: 1 did not converge and 1 could not be fitted of 3; "
        "counted as undecided"
    )
    (none,) = failures([SizeReplications(size(), (replication(0, []),))])
    assert failure_words(none) == ""
