"""The first page: what it says of each state of a verdict, and that it says no more than the numbers."""

from __future__ import annotations

import re

import pytest
import report_made as made

from bayescluster.kit import words
from bayescluster.report.answer import MOST_GROUPS, answer_of, corners_figure
from bayescluster.results.model import Results, Verdict
from tests.undrawn import page_of

HUMAN, SOCIAL = "human_capital", "social_capital"


def with_verdicts(results: Results, *changed: Verdict) -> Results:
    """Results whose necessity claims in the first industry are as given."""
    group = results.verdicts[0].group
    left = tuple(one for one in results.verdicts if one.group != group)
    return results.model_copy(update={"verdicts": (*changed, *left)})


def needed(results: Results, capital: str, state: str, share: float, **more: object) -> Verdict:
    first = next(one for one in results.verdicts if one.capital == capital)
    update = {"verdict": state, "probability": share, "given": share, **more}
    return first.model_copy(update={"group": results.verdicts[0].group, **update})


def said(results: Results) -> str:
    return answer_of(results).groups[0].text


def test_both_rejected_is_compensation(results: Results) -> None:
    both = (needed(results, one, "rejected", 0.02) for one in (HUMAN, SOCIAL))
    text = said(with_verdicts(results, *both))
    assert "One makes up for the other" in text
    assert "Each capital is extremely unlikely to be necessary but not sufficient (2% each)" in text


def test_one_supported_is_what_is_missing_without_it(results: Results) -> None:
    human = needed(results, HUMAN, "supported", 0.97)
    social = needed(results, SOCIAL, "undecided", 0.7)
    text = said(with_verdicts(results, human, social))
    assert text.startswith("Human capital alone 32%, social 16%‡, both 59%. ")
    assert "Human capital is extremely likely to be necessary but not sufficient (97%)" in text
    assert "Social capital: undecided (likely, 70%)" in text


@pytest.mark.parametrize(
    ("unsupported", "why"),
    [
        ("Too few firms.", "too few firms near a corner"),
        ("", "the outcome stays rare even with both"),
    ],
)
def test_what_cannot_be_judged_says_why(results: Results, unsupported: str, why: str) -> None:
    both = (
        needed(results, one, "not assessable", 0.4, unsupported=unsupported)
        for one in (HUMAN, SOCIAL)
    )
    assert f"Necessity cannot be judged: {why}." in said(with_verdicts(results, *both))


def test_forms_that_disagree_are_named(results: Results) -> None:
    both = (needed(results, one, "depends on the form", 0.4) for one in (HUMAN, SOCIAL))
    text = said(with_verdicts(results, *both))
    assert "Plausible forms disagree on whether human capital is necessary." in text


def test_a_probability_below_the_level_is_not_rounded_to_it(results: Results) -> None:
    one = needed(results, HUMAN, "undecided", 0.9496)
    assert "undecided whether necessary but not sufficient (very likely, 94.9%)" in said(
        with_verdicts(results, one)
    )
    assert "undecided whether necessary but not sufficient (very likely, 94.9%)" in said(
        with_verdicts(results, needed(results, HUMAN, "undecided", 0.949))
    )


def test_without_claims_of_necessity_it_tells_the_effects(results: Results) -> None:
    text = said(results.model_copy(update={"verdicts": ()}))
    row = next(row for row in results.effects if row.by == "industry")
    assert words.effect(row.estimate, results.outcome) in text


def test_caveats_are_on_the_verdicts_they_concern(results: Results) -> None:
    caveats = {"attenuated": "attenuated: omega of x 0.7", "unsupported": "Too few firms."}
    one = results.verdicts[0].model_copy(update=caveats)
    answer = answer_of(results.model_copy(update={"verdicts": (one, *results.verdicts[1:])}))
    marks = [cell.marks for cell in answer.grids[0].rows[0].cells]
    assert marks[0] == "†‡"
    assert marks[1] == ""
    names = [name for name, _ in answer.limits]
    assert any(name.startswith("†") for name in names)
    assert any(name.startswith("‡") for name in names)
    assert len(names) <= 5


def test_few_firms_are_as_few_as_the_claims_say(results: Results) -> None:
    supports = [row.support for row in results.corners[0].rows if row.by == "industry"]
    assert min(supports) >= 1
    lax, strict = (
        answer_of(
            results.model_copy(
                update={
                    "verdicts": tuple(
                        one.model_copy(update={"min_support": least}) for one in results.verdicts
                    )
                }
            )
        )
        for least in (1, int(max(supports)) + 2)
    )
    assert not any("Few firms" in name for name, _ in lax.limits)
    assert any(f"Fewer than {int(max(supports)) + 2} near" in text for _, text in strict.limits)


def test_claims_of_every_kind_of_group_have_a_grid(results: Results) -> None:
    grids = answer_of(results).grids
    assert len(grids) == 2
    assert grids[1].rows[0].title == "Human capital is necessary, in a new cluster"
    assert grids[1].heads == ("All firms (n=1,243)",)


def test_of_many_groups_the_largest_are_shown_and_it_says_so() -> None:
    many = made.results(industries=tuple(f"Industry {k}" for k in range(4)))
    first = many.verdicts[0]
    more = tuple(
        first.model_copy(update={"by": "tier", "group": f"{k}"}) for k in range(MOST_GROUPS + 4)
    )
    answer = answer_of(many.model_copy(update={"verdicts": more}))
    assert len(answer.groups) <= MOST_GROUPS
    assert f"{MOST_GROUPS} largest of {MOST_GROUPS + 4} groups" in answer.more


@pytest.mark.parametrize("share", [0.0, 0.005, 0.03, 0.07, 0.2, 0.5, 0.8, 0.92, 0.97, 0.999, 1.0])
def test_words_follow_the_published_scale(share: float) -> None:
    bounds = dict(words.LIKELIHOODS) | {0.0: "exceptionally unlikely"}
    least = max(bound for bound in bounds if bound <= share)
    assert words.likelihood(share) == bounds[least]


def test_it_is_short(results: Results) -> None:
    page = page_of(results)
    first = page[page.index('id="answer"') : page.index('id="findings"')]
    text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", first, flags=re.DOTALL)
    assert len(text.split()) < 500


def test_corners_cannot_be_drawn_without_corners(bare: Results) -> None:
    with pytest.raises(ValueError, match="no corners"):
        corners_figure(bare)
