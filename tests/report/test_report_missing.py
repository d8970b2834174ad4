"""Missing cells in the section on the sample."""

from __future__ import annotations

from bayescluster.report.sample import SAMPLE
from bayescluster.results.facts import ImputedCells, MissingPattern
from bayescluster.results.model import Results
from tests.report.report_made import results as made


def with_gaps() -> Results:
    plain = made()
    sample = plain.sample.model_copy(
        update={
            "imputed": (ImputedCells(variable="firm_age", cluster="C1", cells=3, rows=12),),
            "patterns": (MissingPattern(variables=("certified", "firm_age"), rows=2),),
        }
    )
    return plain.model_copy(update={"sample": sample})


def test_missing_cells_are_shown_by_variable():
    text = str(SAMPLE.body(with_gaps()))
    for wanted in ("Missing cells that are estimated inside the model", "firm_age"):
        assert wanted in text
    assert "Missing cells" not in str(SAMPLE.body(made()))
