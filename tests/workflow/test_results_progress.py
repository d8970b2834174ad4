"""What a watch hears of the results stage."""

from __future__ import annotations

import pytest

from bayescluster.app.collect import PARTS
from bayescluster.app.run import run_analysis
from bayescluster.inference.watch import Silent
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, firms
from tests.fits import write_csv
from tests.quick import quick_runs


class Counting(Silent):
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, int, int]] = []

    def count(self, what: str, finished: int, total: int) -> None:
        self.counted.append((what, finished, total))


@pytest.fixture
def analysis(tmp_path, monkeypatch) -> Analysis:
    quick_runs(monkeypatch)
    plain = analysis_dict("poisson", "interaction", {"industry": ["human_capital"]})
    plain["data"]["source"] = write_csv(firms(), tmp_path, "firms.csv")
    plain["sampling"] = {"draws": 60, "tune": 10, "chains": 2, "prior_draws": 100}
    return Analysis.model_validate(plain)


def test_every_part_of_the_results_is_counted(analysis, tmp_path):
    watch = Counting()
    run_analysis(analysis, tmp_path / "runs", watch)
    assert watch.counted == [("parts of the results", k, PARTS) for k in range(PARTS + 1)]


def test_parts_of_several_forms_have_their_names(analysis, tmp_path):
    equation = analysis.equations["upgrading"].model_copy(
        update={"structure": ("additive", "interaction")}
    )
    several = analysis.model_copy(update={"equations": {"upgrading": equation}})
    watch = Counting()
    run_analysis(several, tmp_path / "runs", watch)
    names = [f"{form}: parts of the results" for form in ("additive", "interaction")]
    assert list(dict.fromkeys(what for what, _, _ in watch.counted)) == names
