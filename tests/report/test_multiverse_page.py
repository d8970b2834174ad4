"""The page of a multiverse from made-up results: what stands in a cell, and what is never on one axis."""

from __future__ import annotations

import csv
import io
import re

import pytest

from bayescluster.kit.figure import FigureError
from bayescluster.kit.table import csv_text
from bayescluster.results.base import Estimate
from bayescluster.studies.multiverse.results import (
    Answer,
    Choice,
    ChoiceRow,
    ClaimRow,
    EffectPoint,
    Multiverse,
    Sampler,
    Universe,
)
from bayescluster.studies.multiverse.view import (
    csv_tables,
    curves_of,
    flips_words,
    in_full,
    page_text,
    shown,
    specification_plot,
)

pytestmark = pytest.mark.usefixtures("unprinted_figures")

EVIL = "<script>alert('x')</script>"


def universe(name: str, status: str = "passed", **more: object) -> Universe:
    choices = () if name == "base" else (Choice(dimension="priors", name=name, words=f"is {name}"),)
    return Universe(name=name, choices=choices, status=status, key="0", run="r", rows=9, **more)


def answer(name: str, status: str = "asked", **more: object) -> Answer:
    return Answer(universe=name, status=status, **more)


def point(name: str, mean: float, scale: str = "probability of y, per sd") -> EffectPoint:
    estimate = Estimate(mean=mean, sd=0.05, low=mean - 0.1, high=mean + 0.1)
    return EffectPoint(
        universe=name,
        capital="human_capital",
        scale=scale,
        unit="percentage points (pp)",
        factor=100.0,
        rows=9,
        estimate=estimate,
        positive=0.9,
    )


ANSWERS = (
    answer("base", verdict="supported", probability=0.97, mcse=0.01),
    answer(EVIL, verdict="rejected", probability=0.02, mcse=0.01, flip=True),
    answer("b", verdict="undecided", probability=0.94, mcse=0.01, flip=True, near=True),
    answer("c", "not_asked"),
    answer("d", "unchecked"),
    answer("e", "not_fitted"),
)


def made(**changes: object) -> Multiverse:
    names = ["base", EVIL, "b", "c", "d", "e"]
    states = ["passed", "passed", "passed", "passed", "unchecked", "not_fitted"]
    universes = tuple(map(universe, names, states))
    about = {"kind": "effect", "capital": "human_capital", "by": "industry", "group": "=Toys"}
    counts = {"supported": 1, "rejected": 1, "undecided": 1, "flips": 2}
    claim = ClaimRow(
        **about,
        **counts,
        scope="observed",
        at_least=None,
        title="Human capital matters",
        level=0.95,
        region="effect above 0",
        answers=ANSWERS,
        lowest=0.02,
        highest=0.97,
        words="Supported in 1 of 3.",
    )
    choice = ChoiceRow(
        choice=universes[1].choices[0],
        claims=("Human capital matters (=Toys)",),
        **dict.fromkeys(("universes", "passed", "compared", "flips", "turned"), 1),
    )
    whole = {
        "name": "made-up",
        "title": "Made up",
        "key": "k",
        "run_key": "r",
        "model_key": "m",
        "synthetic": True,
        "outcome": "y",
        "interval": 0.9,
        "declared": True,
        "combine": "one_at_a_time",
        "near": 2.0,
        "sampler": Sampler(draws=100, tune=50, chains=2, seed=1, as_declared=False),
        "universes": universes,
        "claims": (claim,),
        "effects": (point("base", 0.1), point(EVIL, -0.2), point("b", 0.3)),
        "choices": (choice,),
        "notes": ("A note.",),
    }
    return Multiverse.model_validate(whole | changes)


def test_each_answer_has_its_cell():
    page = page_text(made())
    cells = re.findall(
        r'<span class="cell ([a-z ]+)" title="([^"]+)"[^>]*>([^<]*|&lt;[^<]*)</span>', page
    )
    assert cells == [
        ("supported", "supported, 0.970", "✓ 0.97"),
        ("rejected flip", "rejected, 0.020; flips from supported", "✕ 0.02"),
        ("undecided near", "undecided, 0.940; flips from supported (near the bound)", "? 0.94"),
        ("silent", "not asked there", "·"),
        ("silent", "did not pass its checks", "–"),
        ("silent", "could not be fitted", "/"),
    ]
    assert [shown(one) for one in ANSWERS[3:]] == ["·", "–", "/"]
    assert in_full(ANSWERS[0], ANSWERS[0]) == "supported, 0.970"
    thin = ANSWERS[2].model_copy(update={"near": False, "stopped": "Fewer than 5 firms."})
    assert (
        in_full(thin, ANSWERS[0]) == "undecided, 0.940; flips from supported. Fewer than 5 firms."
    )


def test_data_are_escaped_and_synthetic_ones_said_to_be():
    page = page_text(made())
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "Synthetic data: made by simulation." in page
    assert "no posterior over choices" in page
    assert "Synthetic data" not in page_text(made(synthetic=False))


def test_effects_are_sorted_and_each_scale_has_an_axis_of_its_own():
    other = point("c", 5.0, "mean y, per sd")
    effects = (point("base", 0.1), point(EVIL, -0.2), point("b", 0.3), other)
    first, second = curves_of(made(effects=effects))
    assert [point.universe for point, _ in first.points] == [EVIL, "base", "b"]
    assert [point.universe for point, _ in second.points] == ["c"]
    above, below = specification_plot(first).axes
    drawn = [line.get_ydata() for line in above.lines if len(line.get_xdata()) == 1]
    assert [float(y[0]) for y in drawn] == pytest.approx([-20.0, 10.0, 30.0])
    assert next(text.get_text() for text in below.get_yticklabels()) == "as declared"
    with pytest.raises(FigureError, match="Only one universe has an effect on this scale"):
        specification_plot(second)
    assert "This figure could not be drawn." in page_text(made(effects=effects))


def test_tables_hold_every_answer_and_no_formula():
    rows, effects = (
        list(csv.DictReader(io.StringIO(csv_text(table)))) for table in csv_tables(made())
    )
    assert [row["status"] for row in rows] == [one.status for one in ANSWERS]
    assert {row["group"] for row in rows} == {"'=Toys"}
    assert [row["flip"] for row in rows] == ["False", "True", "True", "False", "False", "False"]
    assert {row["verdict_as_declared"] for row in rows} == {"supported"}
    assert [float(row["mean"]) for row in effects] == [0.1, -0.2, 0.3]


def test_flips_are_not_told_of_a_base_without_verdicts():
    failed = universe("base", "unchecked", message="R-hat: 1.4, 1.01 asked for")
    found = made(universes=(failed, *made().universes[1:]))
    assert flips_words(found) == (
        "The analysis as declared did not pass its checks: it has no verdict to compare with, and no flip "
        "can be determined. R-hat: 1.4, 1.01 asked for."
    )
    assert flips_words(made(claims=())) == (
        "The analysis declares no hypotheses, so that there is no verdict to flip."
    )
    assert "Every verdict in every universe" not in page_text(made(claims=()))
