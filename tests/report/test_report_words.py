from __future__ import annotations

import pytest
from report_made import estimate, results, yes_or_no

from bayescluster.kit import words
from bayescluster.results.facts import OutcomeFacts


def outcome(scale: str) -> OutcomeFacts:
    return OutcomeFacts.model_validate(
        {"column": "patents", "family": "any", "scale": scale, "label": "expected patents"}
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, ">0.99"),
        (0.9901, ">0.99"),
        (0.99, "0.99"),
        (0.5, "0.50"),
        (0.01, "0.01"),
        (0.009, "<0.01"),
        (0.0, "<0.01"),
    ],
)
def test_probability(share: float, text: str) -> None:
    assert words.probability(share) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.949, "0.949"), (0.9996, ">0.999"), (0.0, "<0.001"), (0.95, "0.950")]
)
def test_verdict_probability(share: float, text: str) -> None:
    assert words.verdict_probability(share) == text


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.12345, 0.031, "0.123"),
        (0.12345, 0.31, "0.12"),
        (-1234.56, 100.0, "−1,235"),
        (-0.0001, 0.31, "0.00"),
        (0.734, None, "0.734"),
        (float("nan"), 0.1, "–"),
        (None, 0.1, "–"),
        (1.0, 0.0, "1.00"),
    ],
)
def test_number(value: float | None, spread: float | None, text: str) -> None:
    assert words.number(value, spread) == text


def test_effects_by_scale() -> None:
    found = estimate(0.123, 0.025)
    assert words.effect(found, outcome("probability")) == "+12.3 pp [+8.2, +16.4]"
    assert words.effect(found, outcome("share")) == "+12.3 pp [+8.2, +16.4]"
    assert words.effect(found, outcome("rate")) == "+0.123 [+0.082, +0.164]"
    assert words.effect(estimate(-0.123, 0.25), outcome("mean")) == "−0.12 [−0.53, +0.29]"
    assert words.effect(estimate(0.0, 0.25), outcome("level")) == "0.00 [−0.41, +0.41]"


def test_units_by_scale() -> None:
    assert [
        words.unit(outcome(scale)).name
        for scale in ("probability", "share", "rate", "mean", "level")
    ] == [
        "percentage points (pp)",
        "percentage points (pp)",
        "expected patents",
        "units of patents",
        "levels of patents",
    ]


def test_unit_names_an_exposure_only_where_one_was_declared() -> None:
    label = "expected patents per unit of rdexp"
    exposed = outcome("rate").model_copy(update={"label": label})
    assert words.unit(exposed).name == label


def test_a_capital_of_yes_or_no_has_its_own_words() -> None:
    mixed = yes_or_no(results(), "social_capital")
    assert words.step(mixed, "human_capital") == "per standard deviation"
    assert words.step(mixed, "social_capital") == "from no to yes (0 to 1)"
    assert words.scale(mixed, "human_capital") == "sd"
    assert words.scale(mixed, "social_capital") == "0/1 less its mean"


def test_levels() -> None:
    assert words.level(estimate(0.342, 0.026), outcome("probability")) == "34.2% [29.9, 38.5]"
    assert words.level(estimate(3.42, 0.26), outcome("rate")) == "3.42 [2.99, 3.85]"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "not defined"), (4000.0, ">1,000"), (0.0001, "<0.001"), (12.3, "12"), (0.18, "0.18")],
)
def test_odds_ratio(ratio: float | None, text: str) -> None:
    assert words.odds_ratio(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (125.0, "2 min 5 s"), (3720.0, "1 h 2 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_names() -> None:
    assert words.label("human_capital") == "Human capital"
    assert words.group("all", "all") == "All firms"
    assert words.group("industry", "iPhone_makers") == "iPhone_makers"
    assert words.panel("all") == "All firms"
    assert words.firms(1) == "1 firm"
    assert words.firms(1200) == "1,200 firms"
    assert words.sentence("raise sampling.draws") == "Raise sampling.draws."
    assert words.sentence("") == ""


def test_error_keeps_one_digit() -> None:
    assert words.error(0.0042) == "0.004"
    assert words.error(None) == "–"


def test_every_verdict_has_a_word_and_a_sign() -> None:
    kinds = {verdict.verdict for verdict in results().verdicts}
    assert kinds == set(words.VERDICTS) == set(words.ICONS)


def test_a_probability_below_the_level_never_reads_as_the_level():
    assert words.below(0.9496, 0.95) == "0.949"
    assert words.below(0.94, 0.95) == "0.94"
    assert words.below(0.9501, 0.95) == "0.95"
    assert words.below(0.9999, 0.95) == ">0.99"
