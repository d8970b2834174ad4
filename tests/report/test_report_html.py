from __future__ import annotations

from html import escape

import pytest
import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.figures import FIGURES
from bayescluster.report.render import render_html
from bayescluster.report.sections import SECTIONS
from bayescluster.report.verdicts import claims_of, matrices_of
from bayescluster.results.model import Results, Verdict
from tests.undrawn import page_of

GATE = "The diagnostics gate failed: no verdict can be relied on"
FORESTS = ("forest-human-capital", "forest-social-capital")
OF_LEVELS = ("conditional-effect", "surface")
SYNTHETIC = "Synthetic data: made by simulation. Nothing here is evidence about real firms."


@pytest.mark.parametrize("name", ["page", "failed_page", "hostile_page", "bare_page"])
def test_every_page_is_well_formed_and_self_contained(
    name: str, request: pytest.FixtureRequest
) -> None:
    text = request.getfixturevalue(name)
    page = Page(text)
    assert page.faults == []
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    links = page.values("href") + page.values("src") + page.values("xlink:href")
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(http" not in text
    assert "@import" not in text
    assert not [key for _, key, _ in page.attributes if key.startswith("on")]
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in links} <= set(anchors)


def test_a_page_of_every_figure_is_well_formed(whole_page: str, drawn_whole: Results) -> None:
    page = Page(whole_page)
    assert (page.faults, page.open) == ([], [])
    assert page.tags["svg"] == 2 * sum(spec.wanted(drawn_whole) for spec in FIGURES)
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    links = [link for link in page.values("href") if link.startswith("#")]
    assert {link[1:] for link in links} <= set(anchors)


def test_sections_stand_in_order_with_headings(results: Results, page: str) -> None:
    sections = [section for section in SECTIONS if section.wanted(results)]
    places = [page.index(f' id="{section.anchor}"') for section in sections]
    assert places == sorted(places)
    read = Page(page)
    assert read.tags["h1"] == 1
    assert read.tags["h2"] == len(sections) - 1


def test_what_comes_from_data_is_escaped(hostile_page: str) -> None:
    assert "<script" not in hostile_page.lower()
    assert "<b>bold</b>" not in hostile_page
    read = Page(hostile_page)
    for text in (*made.HOSTILE, "<b>bold</b>"):
        assert " ".join(text.split()) in read.text
    assert escape(made.HOSTILE[0]) in hostile_page
    assert "--><!--" not in hostile_page


def test_figures_are_described(page: str, results: Results) -> None:
    read = Page(page)
    wanted = sum(spec.wanted(results) for spec in FIGURES)
    assert wanted > 5
    assert read.tags["figure"] == read.tags["figcaption"] == wanted
    assert read.tags["svg"] == 2 * wanted
    assert read.values("role").count("img") == 2 * wanted
    labels = [value for tag, key, value in read.attributes if (tag, key) == ("svg", "aria-label")]
    assert len(labels) == 2 * wanted
    assert all(len(label) > 40 for label in labels)


def test_figures_follow_the_mode_of_the_reader(page: str) -> None:
    styles = [value for tag, key, value in Page(page).attributes if key == "style" and tag != "div"]
    assert styles
    assert not [style for style in styles if "#" in style.replace("url(#", "")]


def test_every_number_of_a_verdict_is_told(results: Results, page: str) -> None:
    text = Page(page).text
    for verdict in results.verdicts:
        assert words.verdict_probability(verdict.probability) in text
        assert words.error(verdict.mcse) in text
        assert words.verdict_probability(verdict.prior_probability) in text
        assert words.odds_ratio(verdict.odds_ratio) in text
        assert verdict.region in text
        assert verdict.reason in text
        for figure in verdict.figures:
            text_of = {
                "level": lambda one: words.level(one, results.outcome),
                "effect": lambda one: words.effect(one, results.outcome),
                "number": words.signed,
            }
            assert text_of[figure.unit](figure.estimate) in text
            assert figure.support is None or f"{words.firms(figure.support)} around it" in text


def test_every_verdict_that_was_given_is_explained_and_no_other(
    results: Results, page: str
) -> None:
    text = Page(page).text
    given = {verdict.verdict for verdict in results.verdicts}
    assert {"scale-dependent", "not assessable", "depends on the form"} <= given
    for verdict, meaning in words.VERDICT_MEANINGS.items():
        assert (f"{meaning}." in text) == (verdict in given)
    for verdict in given:
        assert f'class="pill {words.css(verdict)}"' in page


def test_why_nothing_is_rejected_is_said_once(results: Results) -> None:
    why = "Not rejected, although its probability is low: no gates."
    some = tuple(
        one.model_copy(update={"withheld": why}) if one.kind == "necessary_not_sufficient" else one
        for one in results.verdicts
    )
    text = Page(page_of(results.model_copy(update={"verdicts": some}))).text
    assert text.count("not rejected, although its probability is low: no gates.") == 1


def test_every_effect_corner_and_coefficient_is_told(results: Results, page: str) -> None:
    text = Page(page).text
    for effect in results.effects:
        assert words.effect(effect.estimate, results.outcome) in text
        assert words.probability(effect.positive) in text
        assert effect.unpooled is None or words.effect(effect.unpooled, results.outcome) in text
    for difference in results.differences:
        assert words.effect(difference.estimate, results.outcome) in text
    for corner in results.corners[0].rows:
        assert words.level(corner.estimate, results.outcome) in text
    for coefficient in results.model.coefficients:
        assert coefficient.prior in text
        assert words.plain(coefficient.estimate) in text


def test_thin_corners_are_marked(results: Results, page: str) -> None:
    thin = [row for row in results.corners[0].rows if row.support < 10]
    assert thin
    assert page.count("extrapolation: ") == len(thin)


def test_synthetic_banner(page: str) -> None:
    assert SYNTHETIC in Page(page).text
    real = page_of(made.results(synthetic=False))
    assert "made by simulation" not in real


def test_gate_banner_names_the_failing_checks(page: str, failed_page: str) -> None:
    text = Page(failed_page).text
    assert f"{GATE}." in text
    assert "Failing: R-hat, E-BFMI." in text
    assert '<div class="watermark"' in failed_page
    assert f'@top-center{{content:"{GATE}"' in failed_page
    assert "✕ not made" in text
    assert "Worst: industry_sd[interaction]" in text
    assert GATE not in page
    assert '<div class="watermark"' not in page


def test_equal_results_give_equal_bytes(results: Results, page: str) -> None:
    again = Results.model_validate_json(results.model_dump_json())
    assert render_html(again) == page


def test_without_claims_it_says_how_to_add_one(bare_page: str) -> None:
    text = Page(bare_page).text
    assert "No hypothesis was put to the data." in text
    assert "- {kind: complementarity, by: industry}" in text


def test_without_capitals_loo_and_groups(bare_page: str) -> None:
    text = Page(bare_page).text
    assert "no capital enters it, so there are no effects to report" in text
    assert "Leave-one-out cross-validation was not made." in text
    assert "No coefficient varies by group." in text
    assert "No row was left out for a missing value." in text
    assert "No capital enters this model." in text


def test_one_industry_has_no_comparisons() -> None:
    one = made.results(industries=made.INDUSTRIES[:1])
    text = Page(page_of(one)).text
    assert "6 clusters of 1 industry" in text
    assert "Differences between industries" not in text
    assert "P(largest)" not in text


def test_unpooled_estimates_are_said_to_be_another_model(results: Results, page: str) -> None:
    text = Page(page).text
    assert text.count(words.ALONE) == 6  # two forests, two tables for each capital
    assert "Industry alone: population part only, normal approximation [90% interval]" in text
    pooled = tuple(row.model_copy(update={"unpooled": None}) for row in results.effects)
    without = Page(page_of(results.model_copy(update={"effects": pooled}), *FORESTS)).text
    assert "Industry alone" not in without


def test_a_capital_of_yes_or_no_is_told_so(results: Results) -> None:
    text = Page(page_of(made.yes_or_no(results, "social_capital"), *FORESTS, *OF_LEVELS)).text
    name = "percentage points (pp)"
    assert f"Average marginal effect: human capital, change per standard deviation, {name}" in text
    assert (
        f"Average marginal effect: social capital, change from no to yes (0 to 1), {name}" in text
    )
    assert f"Change from no to yes (0 to 1) of social capital, {name}" in text
    assert "Social capital, yes less no" in text
    assert "Human capital, high less low" in text
    assert "Level of the other capital (sd or 0/1 less its mean)" in text
    assert "and +1.27 (sd), social capital −1.30 and +1.26 (0/1 less its mean)." in text


def test_verdicts_claim_no_more_than_a_declared_region(page: str) -> None:
    text = Page(page).text
    assert "Each claim has a region that the analysis declares, printed with it." in text
    assert "before the fit" not in text


def test_at_least_is_said_once(results: Results) -> None:
    label = "probability that stage is at least product"
    outcome = results.outcome.model_copy(update={"label": label, "at_least": "product"})
    text = Page(page_of(results.model_copy(update={"outcome": outcome}))).text
    assert f"reported as {label}." in text


def test_dots_are_rows_where_firms_repeat(results: Results, page: str) -> None:
    assert "Dots are firms (" in Page(page).text
    sample = results.sample.model_copy(update={"firms": 10})
    text = Page(page_of(results.model_copy(update={"sample": sample}), "surface")).text
    assert "Dots are rows of the data (" in text


def test_effects_are_worded_as_associations(page: str) -> None:
    text = Page(page).text
    assert " raise" not in text
    assert " lowers" not in text


def test_a_figure_that_cannot_be_drawn_says_why(results: Results) -> None:
    flat = results.surfaces[0].model_copy(update={"mean": ((0.5,) * 11,) * 11})
    text = Page(page_of(results.model_copy(update={"surfaces": (flat,)}), "surface")).text
    assert (
        "This figure could not be drawn. The outcome surface is flat: there is nothing to draw."
        in text
    )


def test_other_scales_have_no_percentage_points(results: Results) -> None:
    rate = results.outcome.model_copy(update={"scale": "rate", "family": "poisson"})
    text = Page(render_html(results.model_copy(update={"outcome": rate, "description": ""}))).text
    assert "change per standard deviation, expected product_upgrading" in text
    assert "per unit of" not in text
    assert words.effect(results.effects[0].estimate, rate) in text
    assert text.count(" pp") == 1  # the glossary


def test_claims_that_differ_in_their_region_alone_stay_apart(results: Results) -> None:
    first = results.verdicts[0]
    other = first.model_copy(update={"region": "another region"})
    found = claims_of(results.model_copy(update={"verdicts": (first, other)}))
    assert [claim.region for claim in found] == [first.region, "another region"]


def test_matrix_holds_claims_of_the_same_groups(results: Results) -> None:
    matrices = matrices_of(claims_of(results))
    assert [len(matrix.claims) for matrix in matrices] == [3]
    assert matrices[0].groups == made.INDUSTRIES
    assert matrices[0].across


def test_many_groups_become_rows(results: Results) -> None:
    first = results.verdicts[0]

    def of(k: int) -> Verdict:
        return first.model_copy(update={"by": "cluster", "group": f"Cluster {k}"})

    whole = results.model_copy(update={"verdicts": tuple(of(k) for k in range(24))})
    (claim,) = claims_of(whole)
    assert claim.as_rows
    text = page_of(whole)
    assert text.count('<tr id="claim-1-') == 24
    assert "<article" not in text
