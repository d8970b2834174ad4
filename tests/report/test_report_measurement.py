from __future__ import annotations

from report_reading import said

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


def test_reliability_correlation_and_loadings_are_shown():
    text = said(page_of(measured(FLAGGED, SMALL)), "measurement")
    assert "Reliability (omega): human capital 0.832 [0.812, 0.852]." in text
    assert "the capitals correlate at 0.451 [0.402, 0.500], their scores at 0.214" in text
    assert "experience ordinal 0.750 [0.717, 0.783]" in text


def test_flagged_departures_come_with_advice():
    text = said(page_of(measured(FLAGGED, SMALL)), "measurement")
    assert "1 of 2 intercepts and loadings differs in a group." in text
    assert "run again without it" in text
    assert (
        "management_score Bangalore software intercept \u22120.450 [\u22120.582, \u22120.318]"
        in text
    )
    assert "Resource-based" not in text


def test_without_flags_it_says_so():
    text = said(page_of(measured(SMALL)), "measurement")
    assert "None of 1 intercepts and loadings differs between groups." in text
    assert "run again without it" not in text


def test_observed_capitals_have_no_such_section():
    assert 'id="measurement"' not in page_of(results())
    assert "intercepts and loadings" not in said(page_of(measured()), "measurement")


def test_cross_validation_is_said_to_take_the_capitals_as_given():
    words = "Cross-validation takes the latent capitals as given"
    assert words in said(page_of(measured(SMALL)), "fit")
    assert words not in said(page_of(results()), "fit")


def test_priors_of_loadings_are_spread_over_columns():
    (table,) = [one for one in raw_tables(measured(SMALL)) if one.name == "measurement_loadings"]
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["mean"], row["prior_mean"], row["answered"]) == (0.75, 0.4, 1200)
