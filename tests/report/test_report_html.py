from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape, unescape

import pytest
import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.answer import claims_of
from bayescluster.report.figures import FIGURES
from bayescluster.report.sections import SECTIONS
from bayescluster.results.model import Results
from tests.undrawn import page_of

GATE = "The diagnostics gate failed: no verdict can be relied on"
SYNTHETIC = "Synthetic data: no evidence about real firms."


@pytest.mark.parametrize("name", ["page", "failed_page", "hostile_page", "bare_page"])
def test_every_page_is_well_formed_and_self_contained(
    name: str, request: pytest.FixtureRequest
) -> None:
    text = request.getfixturevalue(name)
    page = Page(text)
    assert page.faults == []
    assert page.open == []
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    links = page.values("href") + page.values("src") + page.values("xlink:href")
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(http" not in text
    assert "@import" not in text
    assert not [key for _, key, _ in page.attributes if key.startswith("on")]
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in links} <= set(anchors)


def test_nothing_runs_but_the_scripts_of_the_page(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert scripts
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1] or "default-src 'none'" in policy[1]
    allowed = unescape(policy[1])
    assert allowed.count("'sha256-") == len(scripts)
    for script in scripts:
        digest = b64encode(sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed


def test_a_page_of_every_part_is_well_formed(whole_page: str, drawn_whole: Results) -> None:
    page = Page(whole_page)
    assert (page.faults, page.open) == ([], [])
    assert page.tags["svg"] == 2 * sum(spec.wanted(drawn_whole) for spec in FIGURES)
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    links = page.values("href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
    away = {link for link in links if not link.startswith("#")}
    assert away == set()


OPTIONAL = {
    "bare": set(),
    "results": {"verdicts", "surface", "corners", "readings", "checklist"},
    "drawn_whole": {
        *("verdicts", "surface", "corners", "readings", "checklist"),
        *("learning", "weakest-node", "budget", "sensitivity", "priors", "forms"),
    },
}
"""Sections that are there only where the results hold what they are about."""


@pytest.mark.parametrize("name", OPTIONAL)
def test_sections_are_there_where_they_have_something_to_say(
    name: str, request: pytest.FixtureRequest
) -> None:
    results = request.getfixturevalue(name)
    always = {"top", "effects", "sample", "model", "checks", "fit", "reading", "reproduction"}
    wanted = {section.anchor for section in SECTIONS if section.wanted(results)}
    assert wanted == always | OPTIONAL[name]
    whole = {"bare": "bare_page", "results": "page", "drawn_whole": "whole_page"}[name]
    anchors = set(Page(request.getfixturevalue(whole)).values("id"))
    assert anchors & {section.anchor for section in SECTIONS} == wanted


def test_figures_are_described(page: str, results: Results) -> None:
    read = Page(page)
    wanted = sum(spec.wanted(results) for spec in FIGURES)
    assert wanted >= 4
    assert read.tags["figure"] == read.tags["figcaption"] == wanted
    assert read.tags["svg"] == 2 * wanted
    assert len(re.findall(r'<svg [^>]*role="img"', page)) == 2 * wanted
    labels = [value for tag, key, value in read.attributes if (tag, key) == ("svg", "aria-label")]
    assert len(labels) == 2 * wanted
    assert all(len(label) > 40 for label in labels)


def test_figures_follow_the_mode_of_the_reader(page: str) -> None:
    styles = [value for tag, key, value in Page(page).attributes if key == "style" and tag != "div"]
    assert styles
    assert not [style for style in styles if "#" in style.replace("url(#", "")]


def test_why_nothing_is_rejected_is_said_once(results: Results) -> None:
    why = "Not rejected, although its probability is low: no gates."
    some = tuple(
        one.model_copy(update={"withheld": why}) if one.kind == "necessary_not_sufficient" else one
        for one in results.verdicts
    )
    text = Page(page_of(results.model_copy(update={"verdicts": some}))).text
    assert text.count("not rejected, although its probability is low: no gates.") == 1


def test_synthetic_banner(page: str) -> None:
    assert SYNTHETIC in Page(page).text
    real = page_of(made.results(synthetic=False))
    assert SYNTHETIC not in Page(real).text


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


def test_results_are_read_back_as_they_were(drawn_whole: Results) -> None:
    assert Results.model_validate_json(drawn_whole.model_dump_json()) == drawn_whole


def test_without_claims_it_says_how_to_add_one(bare_page: str) -> None:
    text = Page(bare_page).text
    assert "No hypothesis was put to the data." in text
    assert "- {kind: complementarity, by: industry}" in text


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


def test_claims_that_differ_in_their_region_alone_stay_apart(results: Results) -> None:
    first = results.verdicts[0]
    other = first.model_copy(update={"region": "another region"})
    found = claims_of(results.model_copy(update={"verdicts": (first, other)}))
    assert [claim.region for claim in found] == [first.region, "another region"]


def test_sections_are_in_their_layers_in_order(results: Results, page: str) -> None:
    sections = [section for section in SECTIONS if section.wanted(results)]
    read = Page(page)
    assert read.tags["h1"] == 1
    layers = dict.fromkeys(section.layer for section in sections)
    assert read.tags["h2"] == len(layers) - 1  # the answer has the title of the page
    for layer in layers:
        places = [page.index(f' id="{one.anchor}"') for one in sections if one.layer == layer]
        assert places == sorted(places)
    folded = [one for one in sections if one.layer == "appendix"]
    assert page.count('<details class="fold" id="') == len(folded)


def test_what_comes_from_data_is_escaped(hostile_page: str) -> None:
    assert hostile_page.lower().count("<script") == hostile_page.count("<script>")
    assert "<b>bold</b>" not in hostile_page
    read = Page(hostile_page)
    for text in (*made.HOSTILE, "<b>bold</b>"):
        assert " ".join(text.split()) in read.text
    assert escape(made.HOSTILE[0]) in hostile_page
    assert "--><!--" not in hostile_page


def test_every_verdict_is_in_the_appendix_with_its_numbers(results: Results, page: str) -> None:
    text = Page(page).text
    for verdict in results.verdicts:
        assert words.verdict_probability(verdict.probability) in text
        assert words.error(verdict.mcse) in text
        assert words.verdict_probability(verdict.prior_probability) in text
        assert words.odds_ratio(verdict.odds_ratio) in text
    given = {verdict.verdict for verdict in results.verdicts}
    for state, meaning in words.VERDICT_MEANINGS.items():
        assert (words.sentence(meaning) in text) == (state in given)


def test_coefficients_have_their_priors(results: Results, page: str) -> None:
    text = Page(page).text
    for coefficient in results.model.coefficients:
        assert coefficient.prior in text
        assert words.plain(coefficient.estimate) in text


def test_differences_of_few_industries_are_pairs(results: Results, page: str) -> None:
    text = Page(page).text
    for difference in results.differences:
        assert words.effect(difference.estimate, results.outcome) in text
    one = Page(page_of(made.results(industries=made.INDUSTRIES[:1]))).text
    assert "Effect in the first industry less that in the second" not in one


def test_without_capitals_and_groups(bare_page: str) -> None:
    text = Page(bare_page).text
    assert "no capital enters it, so there are no effects to report" in text
    assert "No capital enters this model." in text


def test_a_capital_of_yes_or_no_is_named_so(results: Results) -> None:
    text = Page(
        page_of(made.yes_or_no(results, "social_capital"), "effects", "conditional-effect")
    ).text
    assert "Human capital, per standard deviation" in text
    assert "Social capital, from no to yes (0 to 1)" in text
    assert "Social capital, yes less no" in text
    assert "Level of the other capital (sd or 0/1 less its mean)" in text
