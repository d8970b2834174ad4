from __future__ import annotations

from bayescluster.checks import thresholds as module
from bayescluster.report.checks import thresholds


def test_every_threshold_is_listed_with_words() -> None:
    declared = [name for name in module.__annotations__ if name.isupper()]
    found = {row.name: row for row in thresholds()}
    assert [row.name for row in thresholds() if row.name in declared] == declared
    assert all(row.source and row.value for row in found.values())


def test_values_and_sources_are_those_of_the_module() -> None:
    found = {row.name: row for row in thresholds()}
    assert found["RHAT_MAX"].value == "1.01"
    assert found["RHAT_MAX"].source == found["ESS_MIN"].source
    assert "Vehtari" in found["ESS_MIN"].source
    assert found["SANDWICH_RATIO"].value == "0.8 to 1.2"
    assert found["SHIFT"].value == "industry 0.1, cluster 0.25"
    assert found["KHAT_MAX"].value == "by the draws"
