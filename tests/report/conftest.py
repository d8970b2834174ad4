from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import report_made as made
import report_weakest as weakest
from causes_made import caused
from ceiling_models_made import modelled
from folds_made import left_out
from sensitivity_made import scaled

from bayescluster.report.render import render_html, write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, unprinted


@pytest.fixture(scope="session")
def results() -> Results:
    return made.results()


@pytest.fixture(scope="session")
def failed() -> Results:
    return made.results(passed=False)


@pytest.fixture(scope="session")
def hostile() -> Results:
    return made.hostile()


@pytest.fixture(scope="session")
def bare() -> Results:
    return made.bare()


@pytest.fixture(scope="session")
def compared() -> Results:
    return made.compared(made.results())


@pytest.fixture(scope="session")
def drawn_whole() -> Results:
    """Results that hold something for every figure, and for all but a few sections and tables."""
    whole = caused(made.with_sets(made.compared(made.several())))
    whole = whole.model_copy(update={"ceilings": made.made_ceilings()})
    return left_out(scaled(modelled(weakest.asked(whole))))


@pytest.fixture(scope="session")
def compared_page(compared: Results) -> str:
    return page_of(compared)


@pytest.fixture(scope="session")
def page(results: Results) -> str:
    return render_html(results)


@pytest.fixture(scope="session")
def failed_page(failed: Results) -> str:
    return render_html(failed)


@pytest.fixture(scope="session")
def hostile_page(hostile: Results) -> str:
    return render_html(hostile)


@pytest.fixture(scope="session")
def bare_page(bare: Results) -> str:
    return render_html(bare)


@pytest.fixture(scope="session")
def whole_page(drawn_whole: Results) -> str:
    return render_html(drawn_whole)


@pytest.fixture(scope="session")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("written") / "new" / "report"
    write_report(results, directory)
    return directory


@pytest.fixture
def unprinted_figures() -> Iterator[None]:
    """Make the figures of a study, but print none as SVG."""
    with unprinted():
        yield
