"""The claims in other traditions: one section of the appendix, and every number in files."""

from __future__ import annotations

import re

import pytest
import report_made as made
from causes_made import caused, causes
from ceiling_models_made import STATEMENT, modelled
from report_reading import Page, said

from bayescluster.features.causes.results import BothArms
from bayescluster.kit.table import RawTable
from bayescluster.report.figures import FigureError, ceiling
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of

MOST_WORDS = 900


@pytest.fixture(scope="module")
def whole(results: Results) -> Results:
    full = modelled(caused(made.with_sets(results)))
    return full.model_copy(update={"ceilings": made.made_ceilings()})


@pytest.fixture(scope="module")
def text(whole: Results) -> str:
    page = page_of(whole)
    read = Page(page)
    assert (read.faults, read.open) == ([], [])
    assert len(read.values("id")) == len(set(read.values("id")))
    return said(page, "readings")


def tables_of(results: Results) -> dict[str, RawTable]:
    return {table.name: table for table in raw_tables(results)}


def cell(table: RawTable, row: int, column: str) -> object:
    return table.rows[row][table.columns.index(column)]


def test_every_verdict_is_shown_by_tradition(text: str) -> None:
    assert "Claim Corners Ceilings Sets Causes" in text
    first = made.INDUSTRIES[0]
    assert f"{first} ✓ Supported 0.970 ? Undecided 0.410 ✕ Rejected 0.030" in text
    assert f"Both capitals together are sufficient {first} ✓ Supported 0.970 –" in text
    assert text.count("Ceilings: It is silent.") == 1
    assert "traditions contradict each other on 6; on 2, one decides" in text


def test_agreement_is_reported(results: Results) -> None:
    assert results.claims is not None
    alike = tuple(
        row.model_copy(
            update={
                "readings": tuple(
                    one.model_copy(update={"verdict": "undecided"}) for one in row.readings
                )
            }
        )
        for row in results.claims.rows
    )
    claims = results.claims.model_copy(update={"rows": alike})
    page = page_of(results.model_copy(update={"claims": claims}))
    assert "No claim is decided by one tradition and left open or contradicted by another." in page


@pytest.mark.parametrize(
    "part",
    [
        f"Human capital: {STATEMENT}",
        "13 firms lack the capital.",
        "contaminated \u22123.6 (2.4) 0.370 [0.337, 0.403] ✓ reproduced ✕ failed bulk ESS 134",
        f"{made.INDUSTRIES[0]} 0.350 [0.301, 0.399] 0.40 0.350 [0.301, 0.399] 0.40",
        "Anchors of human capital come from the sample.",
        "Solution of all firms (complex): H*S (consistency 0.85, coverage 0.50).",
        "All firms 0.95 [0.91, 0.99] 0.60 [0.56, 0.64] 0.60 [0.56, 0.64] 0.60 [0.56, 0.64]",
        "A note of the outcome.",
        "These are causal only if nothing unmeasured brings about both a capital and the outcome",
        (
            "overturns a verdict has strength 1.31 (Title of J, Traditional manufacturing); the "
            "strongest measured control is exporter, with a risk ratio of 1.42 (no to yes)."
        ),
        "All firms Human capital 0.86 to 1.00 0.67 to 0.78 0.60 to 0.70 13.70 9.50",
    ],
)
def test_every_tradition_gives_its_numbers(text: str, part: str) -> None:
    assert part in text


def test_the_section_is_short(text: str) -> None:
    assert len(re.findall(r"\w\S*", text)) < MOST_WORDS


def test_no_cluster_has_a_row_on_the_page(text: str) -> None:
    assert "Jepara" not in text


def test_traditions_that_are_not_available_only_give_the_reason(whole: Results) -> None:
    assert whole.sets is not None
    none = {"contrasts": (), "verdicts": (), "degrees": (), "notes": ("Why not.",)}
    results = caused(whole, causes().model_copy(update=none))
    sets = whole.sets.model_copy(update={"sets": (), "notes": ("no set can be calibrated",)})
    text = said(page_of(results.model_copy(update={"sets": sets})), "readings")
    assert "Sets No set can be calibrated. Probabilities of causation Why not." in text


def test_without_solution_it_says_so(whole: Results) -> None:
    assert whole.sets is not None
    sets = whole.sets.model_copy(update={"solutions": ()})
    assert "there is no solution" in said(
        page_of(whole.model_copy(update={"sets": sets})), "readings"
    )


def test_nothing_decided_is_nothing_to_overturn(results: Results) -> None:
    open_ones = tuple(one.model_copy(update={"verdict": "undecided"}) for one in causes().verdicts)
    found = causes().model_copy(update={"verdicts": open_ones})
    assert "overturns" not in said(page_of(caused(results, found)), "readings")


def test_what_files_hold_beside_the_records(whole: Results) -> None:
    tables = tables_of(whole)
    assert whole.claims is not None
    assert cell(tables["readings"], 0, "words") == whole.claims.rows[0].words
    verdicts = tables["causes_verdicts"]
    at = verdicts.columns.index("overturning_verdict")
    assert [row[at] for row in verdicts.rows] == [2.2, None, 1.31, None, None]
    assert "overturning_probabilities" not in verdicts.columns
    assert cell(tables["sets"], 0, "sd") == "0.0; 0.1; 0.0"


def test_an_experiment_is_written(whole: Results) -> None:
    first = causes().contrasts[0]
    arms = BothArms(capital="human_capital", exposure="above", kept=0.83, pn=first.pn, ps=first.ps)
    tables = tables_of(caused(whole, causes().model_copy(update={"arms": arms})))
    assert cell(tables["causes_experiment"], 0, "pn_lower_mean") == first.pn.lower.mean
    assert "causes_experiment" not in tables_of(whole)


def test_the_ceiling_over_firms_can_be_drawn(whole: Results, bare: Results) -> None:
    assert len(ceiling(whole, "human_capital").axes) == len(made.INDUSTRIES)
    with pytest.raises(FigureError, match="The results hold no ceiling of social capital"):
        ceiling(bare, "social_capital")
