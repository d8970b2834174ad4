from __future__ import annotations

from typing import Any, get_args

import pytest

from bayescluster.results.claims import TRADITIONS, ClaimName, Reading, Tradition
from bayescluster.verdicts.claims import (
    AMOUNTS_ONLY,
    CLAIMS,
    NECESSITY_ONLY,
    NO_REGION,
    NOT_AVAILABLE,
    disagreement,
    row_words,
    silence,
)


def reading(tradition: str, verdict: str, *flags: str, **more: Any) -> Reading:
    known = {
        "tradition": tradition,
        "claim": "N-H",
        "by": "industry",
        "group": "Furniture",
        "quantity": "a number",
        "estimate": None,
        "region": "a region",
        "probability": 0.5,
        "prior_probability": None,
        "verdict": verdict,
        "reason": "",
        "behind": "",
        "flags": flags,
    }
    return Reading.model_validate(known | more)


def test_every_claim_and_tradition_has_its_name():
    assert set(CLAIMS) == set(get_args(ClaimName))
    assert set(TRADITIONS) == set(get_args(Tradition))


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (
            {"corners": "supported", "ceilings": "supported", "sets": "supported"},
            "All 3 traditions that address it support the claim.",
        ),
        (
            {"corners": "rejected"},
            "The corners, the only tradition that addresses it, reject the claim.",
        ),
        (
            {"corners": "undecided", "sets": "undecided"},
            "All 2 traditions that address it leave the claim open.",
        ),
        (
            {"corners": "supported", "ceilings": "undecided", "sets": "undecided"},
            "Supported by the corners; left open by the ceilings and the sets.",
        ),
        (
            {
                "corners": "supported",
                "ceilings": "rejected",
                "sets": "supported",
                "causes": "undecided",
            },
            (
                "The readings differ, since they ask different questions: supported by the corners and "
                "the sets, rejected by the ceilings; left open by the probabilities of causation."
            ),
        ),
    ],
)
def test_words_of_a_row(verdicts, words):
    assert row_words([reading(name, verdict) for name, verdict in verdicts.items()]) == words


def test_agreement_without_a_warning_needs_no_explanation():
    assert disagreement([reading("corners", "supported"), reading("sets", "supported")]) == ""


@pytest.mark.parametrize(
    ("tradition", "flag", "start"),
    [
        ("sets", "trivial", "Nearly all firms have the condition"),
        ("sets", "contradictory", "The sets are about as consistent with the absence"),
        ("ceilings", "null_as_large", "The ceiling effect is large, but"),
        ("causes", "confounding", "A weak unmeasured confounder"),
        ("sets", "model_dependent", "The result depends on the likelihood"),
        ("causes", "thin", "Too few firms are near"),
        ("sets", "prior_decides", "One verdict is what the prior alone"),
    ],
)
def test_a_warning_is_said_even_where_all_agree(tradition, flag, start):
    found = disagreement([reading("corners", "supported"), reading(tradition, "supported", flag)])
    assert found.startswith(start)
    assert found.count(".") == 1


def test_a_ceiling_that_a_compensatory_model_gives_as_well_is_told_first():
    found = disagreement(
        [reading("corners", "rejected"), reading("ceilings", "undecided", "null_as_large")]
    )
    assert found.startswith(
        "The ceiling effect is large, but a compensatory model, in which neither capital is needed, "
        "gives one as large: the empty corner does not show necessity. Corners ask for the expected"
    )


def test_differences_are_explained_only_where_verdicts_differ():
    same = [reading("corners", "supported"), reading("causes", "supported", "bounds_only")]
    assert disagreement(same) == ""
    apart = [reading("corners", "supported"), reading("causes", "undecided", "bounds_only")]
    assert "known up to bounds only" in disagreement(apart)
    assert "Corners judge the expected outcome itself" in disagreement(apart)


def test_no_more_than_three_reasons():
    flags = ("model_dependent", "thin", "prior_decides")
    found = disagreement(
        [
            reading("corners", "supported", *flags),
            reading("ceilings", "rejected", "null_as_large"),
            reading("sets", "undecided", "trivial", "contradictory"),
        ]
    )
    assert found.count(".") == 3


def test_silence_is_explained():
    assert silence("ceilings", "J", {}) == NECESSITY_ONLY
    assert silence("ceilings", "N-H", {}) == NOT_AVAILABLE
    assert silence("ceilings", "J", {"ceilings": AMOUNTS_ONLY}) == AMOUNTS_ONLY
    assert silence("corners", "N-H", {}) == NO_REGION
    assert silence("causes", "C", {}) == NOT_AVAILABLE
