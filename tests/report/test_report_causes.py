"""The section on probabilities of causation."""

from __future__ import annotations

import pytest
import report_made as made
from causes_made import caused, causes
from report_reading import Page

from bayescluster.features.causes.results import BothArms
from bayescluster.report.figures import FigureError, confounding
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of

PARTS = (
    "0.80 to 1.00 90% 0.75 to 1.03; monotone 0.80 [0.75, 0.85] 0.972 >0.999 0.200 ✓ Supported Rejected",
    (
        "PN at least 0.75 (necessary), PS at most 0.5 (alone not sufficient), PS at least 0.7 (both "
        "sufficient), synergy above 0 (complements), PNS of industries apart by more than 0.1; level 95%"
    ),
    "Probability that the outcome is less frequent with the exposure: All firms 0.31.",
    "7.10 [5.00, infinite]",
    (
        "The weakest confounder that overturns any of them has strength 1.31 (J, "
        f"{made.INDUSTRIES[0]}). Of the measured controls exporter goes most with the outcome (no to "
        "yes): given all else it makes it 1.42 times as likely, or its absence 1.08 times."
    ),
    "Undecided once a confounder is 2.2 strong.",
    "Degree of necessity of",
)


@pytest.fixture(scope="module")
def whole() -> Results:
    return caused(made.results())


@pytest.fixture(scope="module")
def page(whole: Results) -> str:
    return page_of(whole, "confounding")


def section(page: str) -> str:
    text = page[page.index('<section id="causes"') :]
    return " ".join(Page(text[: text.index("</section>")]).text.split())


def test_assumptions_come_first_then_bounds_verdicts_and_confounders(page: str) -> None:
    whole_page = Page(page)
    assert (whole_page.faults, whole_page.open) == ([], [])
    anchors = whole_page.values("id")
    assert len(anchors) == len(set(anchors))
    text = section(page)
    assert text.startswith(
        "Probabilities of causation What these numbers assume. They are about causes only if all of "
        "this holds, which the model cannot show: Exogeneity as stated. Consistency as stated. A note "
        "of the outcome."
    )
    for part in PARTS:
        assert part in text
    assert "With an experiment" not in text


def test_tables_hold_every_number(whole: Results) -> None:
    found = whole.causes
    assert found is not None
    tables = {
        table.name.removeprefix("causes_"): [
            dict(zip(table.columns, row, strict=True)) for row in table.rows
        ]
        for table in raw_tables(whole)
    }
    bounds, verdicts = tables["bounds"], tables["verdicts"]
    assert [row["pn_lower_mean"] for row in bounds] == [r.pn.lower.mean for r in found.contrasts]
    assert {row["ratio_high"] for row in bounds} == {None}
    assert [row["overturning_verdict"] for row in verdicts] == [2.2, None, 1.31, None, None]
    assert not {"overturning", "overturning_probabilities"} & set(verdicts[0])
    assert verdicts[0]["flags"] == "bounds_only"
    assert len(tables["degrees"]) == len(found.degrees)
    assert [row["control"] for row in tables["controls"]] == ["exporter"]


def test_results_are_read_back_as_they_were(whole: Results) -> None:
    assert Results.model_validate_json(whole.model_dump_json()) == whole


def test_nothing_decided_is_nothing_to_overturn() -> None:
    found = causes()
    none = found.model_copy(
        update={
            "verdicts": tuple(
                one.model_copy(update={"verdict": "undecided"}) for one in found.verdicts
            )
        }
    )
    results = caused(made.results(), none)
    text = section(page_of(results))
    assert "No verdict was decided, so there is none to overturn." in text
    assert "The weakest confounder" not in text
    with pytest.raises(FigureError) as raised:
        confounding(results)
    assert str(raised.value) == "No verdict by probabilities of causation was decided."


def test_where_it_is_not_available_the_section_only_gives_the_reason() -> None:
    silent = causes().model_copy(
        update={"notes": ("Why not.",), "contrasts": (), "verdicts": (), "degrees": ()}
    )
    text = section(page_of(caused(made.results(), silent)))
    assert text == "Probabilities of causation Why not."


@pytest.mark.parametrize("note", ["", "There are no bounds: they contradict."])
def test_an_experiment(note: str) -> None:
    found = causes()
    first = found.contrasts[0]
    arms = BothArms(
        capital="human_capital",
        exposure="firms above count as exposed",
        kept=0.83,
        note=note,
        **({} if note else {"pn": first.pn, "ps": first.ps, "pns": first.pns}),
    )
    results = caused(made.results(), found.model_copy(update={"arms": arms}))
    text = section(page_of(results))
    if note:
        assert text.endswith("With an experiment There are no bounds: they contradict.")
    else:
        assert (
            "Sharp bounds from both arms; firms above count as exposed. The arms can be of one "
            "population in 83% of the draws, and the bounds are of these."
        ) in text


def test_the_figure_leaves_out_what_is_undecided(whole: Results) -> None:
    figure = confounding(whole)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert [title.split()[0] for title in titles] == ["J", "N-H", "C"]
