from __future__ import annotations

import re

import pytest

from bayescluster.report.sections import raw_tables
from bayescluster.results import facts as mf
from bayescluster.results import model as m
from tests.report.report_made import estimate, results
from tests.undrawn import page_of


def departure(measure: str, group: str, size: float, *, flagged: bool) -> mf.DepartureRow:
    return mf.DepartureRow(
        by="industry" if measure == "loading" else "cluster",
        group=group,
        indicator="management_score",
        measure=measure,
        rows=50,
        estimate=estimate(size, 0.08),
        flagged=flagged,
    )


def measured(*departures: mf.DepartureRow) -> m.Results:
    loading = {"estimate": estimate(0.75, 0.02), "prior": estimate(0.4, 0.3)}
    one = mf.Measured(
        capital="human_capital",
        loadings=(
            mf.Loading(
                indicator="tertiary_share", kind="continuous", levels=0, answered=1200, **loading
            ),
            mf.Loading(indicator="engineers", kind="binary", levels=2, answered=1190, **loading),
            mf.Loading(indicator="experience", kind="ordinal", levels=5, answered=1101, **loading),
        ),
        reliability=estimate(0.832, 0.012),
        reliability_prior=estimate(0.5, 0.25),
        background=(
            mf.Coefficient(
                block="background",
                name="sd of clusters",
                prior="HalfNormal(1)",
                estimate=estimate(0.8, 0.1),
            ),
        ),
        departures=departures,
    )
    return results().model_copy(
        update={
            "measurement": mf.Measurement(
                capitals=(one,),
                correlation=estimate(0.451, 0.03),
                shift_least={"industry": 0.1, "cluster": 0.25},
                loading_least=0.1,
            )
        }
    )


FLAGGED = departure("shift", "Bangalore software", -0.45, flagged=True)
SMALL = departure("loading", "Resource-based", 0.02, flagged=False)


def text_of(whole: m.Results) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page_of(whole)))


def test_what_is_measured_is_told():
    text = text_of(measured(FLAGGED, SMALL))
    assert "Reliability (McDonald's omega) of the indicators of human capital" in text.replace(
        "&#39;", "'"
    )
    assert "0.832 [0.812, 0.852]" in text
    assert "The two capitals correlate at 0.451 [0.402, 0.500]" in text
    assert "their scores correlate at 0.214" in text
    assert "ordinal, 5 levels" in text
    assert "1,101" in text
    assert "0.10" in text


def test_flagged_departures_come_with_advice():
    text = text_of(measured(FLAGGED, SMALL))
    assert "1 of 1 flagged" in text
    assert "0 of 1 flagged" in text
    assert "\u22120.450 [\u22120.582, \u22120.318]" in text
    assert "leave the indicator out of the construct and run again" in text
    assert "above 0.1 sd by industry, 0.25 sd by cluster for shifts, 0.1 for loadings" in text


def test_without_flags_it_says_so():
    text = text_of(measured(SMALL))
    assert "None is flagged" in text
    assert "leave the indicator out" not in text


def test_without_groups_it_says_so():
    assert "neither industries nor clusters to compare" in text_of(measured())


def test_cross_validation_is_said_to_be_of_the_outcome_given_the_capitals():
    words = "Here it predicts the outcome given the latent capitals"
    assert words in text_of(measured(SMALL))
    assert words not in text_of(results())
    assert "Measurement of the latent capitals" not in text_of(results())


@pytest.mark.parametrize(
    ("name", "many"),
    [("measurement_loadings", 3), ("measurement_background", 1), ("measurement_departures", 2)],
)
def test_tables(name, many):
    (table,) = [one for one in raw_tables(measured(FLAGGED, SMALL)) if one.name == name]
    assert len(table.rows) == many
    assert table.columns[0] == "capital"
    assert {len(row) for row in table.rows} == {len(table.columns)}
    (empty,) = [one for one in raw_tables(results()) if one.name == name]
    assert (empty.columns, empty.rows) == (table.columns, ())


def test_priors_of_loadings_are_spread_over_columns():
    (table,) = [one for one in raw_tables(measured(SMALL)) if one.name == "measurement_loadings"]
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["mean"], row["prior_mean"], row["answered"]) == (0.75, 0.4, 1200)
