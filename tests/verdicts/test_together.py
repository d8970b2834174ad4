"""Many verdicts in one report: how many supported claims to expect to be false."""

from __future__ import annotations

import numpy as np
import pytest

from bayescluster.verdicts.forms import region_draws, together
from tests.verdicts.test_plausible import verdict

DRAWS = [np.arange(100) >= 4, np.arange(100) < 97, np.arange(100) >= 50]
JUDGED = [verdict("supported", 0.96), verdict("supported", 0.97), verdict("undecided", 0.5)]


def test_supported_claims_are_summed_and_joined():
    found = together(JUDGED, [DRAWS])
    assert found is not None
    assert found.supported == 2
    assert found.expected_false == pytest.approx(0.07)
    # 4 draws fail the first and 3 others the second
    assert found.probability == pytest.approx(0.93)
    assert found.words == (
        "Of 2 supported claims, 0.07 are expected to be false; all hold with probability 0.93."
    )


def test_over_forms_the_least_counts():
    second = [np.arange(100) >= 10, *DRAWS[1:]]
    found = together(JUDGED, [DRAWS, second])
    assert found is not None
    assert found.probability == pytest.approx(0.87)


def test_nothing_is_said_of_no_claim():
    assert together(JUDGED[2:], [DRAWS[2:]]) is None


def test_certainty_is_never_written():
    sure = together([verdict("supported", 1.0)], [[np.ones(100, dtype=bool)]])
    assert sure is not None
    assert sure.words.endswith("all hold with probability above 0.99.")


def test_draws_go_with_verdicts_in_order(monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(
        "bayescluster.verdicts.forms.events",
        lambda claim, _: iter(
            [SimpleNamespace(posterior=claim), SimpleNamespace(posterior=-claim)]
        ),
    )
    assert region_draws([1, 2], None) == [1, -1, 2, -2]  # type: ignore[list-item, arg-type]
