from __future__ import annotations

import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.sections import raw_tables
from bayescluster.results import facts as mf
from bayescluster.results.model import Results
from tests.undrawn import page_of

WARNING = "intervals of the model are too narrow by a factor of about 1.5"


def weighted(results: Results, **changes: object) -> Results:
    row = {"block": "population", "model": made.estimate(0.5, 0.1)}
    rows = (
        mf.SandwichRow(
            name="intercept",
            corrected=made.estimate(0.5, 0.15),
            ratio=1.5,
            design_effect=2.25,
            warning=WARNING,
            **row,
        ),
        mf.SandwichRow(
            name="human_capital",
            corrected=made.estimate(0.5, 0.11),
            ratio=1.1,
            design_effect=1.21,
            **row,
        ),
    )
    weighting = mf.Weighting(
        weight="wmedian",
        cluster_weight=None,
        smallest=0.11,
        largest=7.4,
        effective_rows=812.3,
        unit="cluster",
        units=24,
        rows=rows,
        note="with 24 independent units the sandwich is rough",
    )
    return results.model_copy(update={"weighting": weighting.model_copy(update=changes)})


def test_weights_are_told_everywhere(results: Results, page: str) -> None:
    text = Page(page_of(weighted(results))).text
    assert "Survey weights enter the likelihood, so probabilities are approximate." in text
    assert "This is a weighted pseudo-posterior: probabilities are not exact." in text
    assert "Log densities carry survey weights" in text
    assert "Means are weighted by the survey weights." in text
    assert "pseudo" not in Page(page).text


def test_the_sandwich_stands_beside_the_model(results: Results) -> None:
    found = weighted(results)
    text = Page(page_of(found)).text
    assert "wmedian" in text
    assert "scores of 24 clusters taken as independent" in text
    assert "With 24 independent units the sandwich is rough." in text
    for row in found.weighting.rows if found.weighting else ():
        assert words.plain(row.model) in text
        assert words.plain(row.corrected) in text
        assert words.fixed(row.ratio, 2) in text
        assert words.fixed(row.design_effect, 2) in text
    assert text.count(words.sentence(WARNING)) == 1
    read = Page(page_of(weighted(results, rows=())))
    assert read.faults == []
    assert "Sandwich check of" not in read.text


def test_shares_of_variance_stand_with_prior_and_posterior(results: Results, page: str) -> None:
    variance = mf.SharedVariance(
        residual="the residual variance of the outcome",
        r2_prior=made.estimate(0.5, 0.2),
        r2=made.estimate(0.31, 0.04),
        rows=(
            mf.ShareRow(
                level="population",
                term="human_capital",
                prior=made.estimate(0.25, 0.2),
                posterior=made.estimate(0.62, 0.15),
            ),
            mf.ShareRow(
                level="cluster",
                term="intercept",
                prior=made.estimate(0.24, 0.21),
                posterior=made.estimate(0.11, 0.09),
            ),
        ),
    )
    found = results.model_copy(update={"variance": variance})
    text = Page(page_of(found)).text
    assert "Share of explained variance by level and term" in text
    assert "R2 is measured against the residual variance of the outcome." in text
    for one in (variance.r2, variance.r2_prior):
        assert words.plain(one) in text
    for row in variance.rows:
        assert f"{words.label(row.level)}: {row.term}" in text
        assert words.plain(row.prior) in text
        assert words.plain(row.posterior) in text
    table = next(t for t in raw_tables(found) if t.name == "variance")
    assert table.columns[:3] == ("level", "term", "prior_mean")
    assert [row[:2] for row in table.rows] == [
        ("population", "human_capital"),
        ("cluster", "intercept"),
    ]
    assert "Share of explained variance" not in Page(page).text
