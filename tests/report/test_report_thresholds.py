from __future__ import annotations

from bayescluster.checks import thresholds as module
from bayescluster.report.checks import thresholds


def test_every_threshold_is_listed_with_words() -> None:
    declared = [name for name in module.__annotations__ if name.isupper()]
    found = {row.name: row for row in thresholds()}
    assert [row.name for row in thresholds() if row.name in declared] == declared
    assert all(row.source and row.value for row in found.values())
