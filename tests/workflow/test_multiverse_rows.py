"""Claims side by side: how they are matched, when a flip is near, and what is said of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bayescluster.results.model import Verdict
from bayescluster.studies.multiverse.results import ClaimRow
from bayescluster.studies.multiverse.study import FittedUniverse, claim_rows

PLAIN: dict[str, Any] = {
    "kind": "effect",
    "capital": "human_capital",
    "by": "all",
    "group": "all",
    "scope": "observed",
    "title": "Human capital matters",
    "region": "effect above 0",
    "reason": "",
    "prior_probability": 0.5,
    "odds_ratio": None,
    "level": 0.95,
    "figures": (),
    "mcse": 0.005,
}


def verdict(probability: float, **more: Any) -> Verdict:
    decided = "supported" if probability >= 0.95 else "undecided"
    decided = "rejected" if probability <= 0.05 else decided
    numbers = {"probability": probability, "given": probability, "verdict": decided}
    return Verdict.model_validate(PLAIN | numbers | more)


def fitted(name: str, *verdicts: Verdict, passed: bool = True) -> FittedUniverse:
    results = SimpleNamespace(gate=SimpleNamespace(passed=passed), verdicts=verdicts)
    return FittedUniverse(SimpleNamespace(name=name), results)  # type: ignore[arg-type]


def rows(*universes: FittedUniverse) -> tuple[ClaimRow, ...]:
    return claim_rows(universes)


@pytest.mark.parametrize(
    ("base", "there", "flip", "near"),
    [
        (0.99, 0.97, False, False),
        (0.99, 0.90, True, False),
        (0.99, 0.945, True, True),  # within 2 x 0.005 of 0.95
        (0.955, 0.60, True, True),
        (0.99, 0.01, True, False),
        (0.30, 0.055, False, False),
        (0.30, 0.045, True, True),
    ],
)
def test_a_flip_is_near_where_monte_carlo_error_could_make_it(base, there, flip, near):
    (row,) = rows(fitted("base", verdict(base)), fitted("other", verdict(there)))
    assert (row.answers[1].flip, row.answers[1].near) == (flip, near)


def test_what_is_stopped_is_not_near():
    stopped = verdict(0.951, verdict="undecided", stopped="Fewer than 5 firms.")
    (row,) = rows(fitted("base", verdict(0.99)), fitted("thin", stopped))
    assert (row.answers[1].flip, row.answers[1].near) == (True, False)
    assert row.words == (
        "Supported in 1 of 2; flips to undecided when thin (whatever the probability)."
    )


def test_claims_are_matched_by_what_they_say():
    base = fitted(
        "base",
        verdict(0.99, group="A"),
        verdict(0.99, group="B"),
        verdict(0.99, level=0.9),
        verdict(0.99, scope="new_cluster"),
        verdict(0.99, title="Human capital is necessary, for reaching 3"),
        verdict(0.99, title="Social capital matters"),
    )
    reaching = verdict(0.01, title="Human capital is necessary, for reaching 4")
    other = fitted("other", verdict(0.01, group="B"), reaching)
    found = [row.answers[1].status for row in rows(base, other)]
    assert found == ["not_asked", "asked", *["not_asked"] * 4]


def test_a_claim_whose_region_follows_from_the_data_is_still_the_same():
    (row,) = rows(fitted("base", verdict(0.99)), fitted("other", verdict(0.3, region="above 2")))
    assert row.answers[1].verdict == "undecided"
    assert row.answers[1].region == "above 2"


def test_claims_declared_twice_are_matched_by_region_or_order():
    base = fitted("base", verdict(0.99, region="above 0"), verdict(0.01, region="above 5"))
    swapped = fitted("other", verdict(0.02, region="above 5"), verdict(0.98, region="above 0"))
    assert [row.answers[1].probability for row in rows(base, swapped)] == [0.98, 0.02]
    other = fitted("other", verdict(0.98, region="above 1"), verdict(0.02, region="above 6"))
    assert [row.answers[1].probability for row in rows(base, other)] == [0.98, 0.02]
    one = fitted("other", verdict(0.02, region="above 5"))
    assert [row.answers[1].status for row in rows(base, one)] == ["not_asked", "asked"]


def test_a_sentence_counts_and_names():
    universes = [
        fitted("base", verdict(0.99)),
        fitted("a", verdict(0.98)),
        *(fitted(f"b{k}", verdict(0.5)) for k in range(5)),
        fitted("c", verdict(0.01)),
        fitted("d"),
        fitted("e", verdict(0.99), passed=False),
        FittedUniverse(SimpleNamespace(name="f"), None, "no such family"),  # type: ignore[arg-type]
    ]
    (row,) = rows(*universes)
    assert row.words == (
        "Supported in 2 of 8; flips to rejected when c; flips to undecided when b0, b1, b2 and 2 more; "
        "not asked in 1; 1 did not pass the checks; 1 could not be fitted."
    )
    assert (row.supported, row.undecided, row.rejected, row.flips) == (2, 5, 1, 6)
    assert (row.lowest, row.highest) == (0.01, 0.99)


def test_one_that_holds_says_so():
    (row,) = rows(fitted("base", verdict(0.5)), fitted("a", verdict(0.6)))
    assert row.words == "Undecided in all 2 universes with a verdict."
    (alone,) = rows(fitted("base", verdict(0.5)), fitted("d"))
    assert alone.words == "Undecided in the only universe with a verdict; not asked in 1."


def test_there_are_no_flips_from_a_base_without_verdicts():
    (row,) = rows(fitted("base", verdict(0.99), passed=False), fitted("a", verdict(0.01)))
    assert not row.flips
    assert row.words == (
        "The analysis as declared did not pass its checks: there is no verdict to compare with."
    )
