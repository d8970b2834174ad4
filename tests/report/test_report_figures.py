from __future__ import annotations

import re

import matplotlib as mpl
import pytest
import report_made as made
from matplotlib.text import Text

from bayescluster.kit.figure import VARIABLES, folded, inline, standalone
from bayescluster.report import figures
from bayescluster.report.figures import FIGURES, FigureError
from bayescluster.report.surfaces import CONDITIONAL_EFFECT
from bayescluster.results.model import Results


@pytest.mark.parametrize("spec", FIGURES, ids=lambda spec: spec.name)
@pytest.mark.parametrize("narrow", [False, True])
def test_every_figure_is_drawn_in_declared_colours(
    spec: figures.FigureSpec, narrow: bool, drawn_whole: Results
) -> None:
    text = standalone(spec.draw(drawn_whole, narrow), spec.name, "label")
    colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text))
    assert colours
    assert colours <= set(VARIABLES)


def test_forest_shows_every_industry_with_its_size(results: Results) -> None:
    figure = figures.forest(results, "human_capital")
    texts = [text.get_text() for text in figure.findobj(Text)]
    for row in results.sample.groups[1:5]:
        assert f"{row.group}\nn = {row.rows}" in texts


def test_names_are_no_mathematics(hostile: Results) -> None:
    drawn = inline(figures.forest(hostile, "human_capital"), "x", "label")
    assert "$x$ &amp; $\\frac{1}{2}$" in drawn


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda bare: figures.forest(bare, "human_capital"),
            "The results hold no average marginal effect of human_capital.",
        ),
        (figures.surface, "The results hold no outcome surface."),
        (
            figures.conditional_effect,
            "The results hold no effect of one capital across the other.",
        ),
        (
            lambda bare: figures.predictive(bare.model_copy(update={"predictive": ()})),
            "The results hold no posterior predictive check.",
        ),
    ],
)
def test_nothing_to_draw(draw: object, message: str, bare: Results) -> None:
    assert callable(draw)
    with pytest.raises(FigureError) as raised:
        draw(bare)
    assert str(raised.value) == message


def test_of_many_industries_the_largest_have_panels(results: Results) -> None:
    first = results.sample.groups[1]
    names = [f"Industry {k}" for k in range(25)]
    rows = tuple(
        first.model_copy(update={"group": name, "rows": 10 + (k * 7) % 25})
        for k, name in enumerate(names)
    )
    update = {
        "curves": tuple(results.curves[0].model_copy(update={"group": name}) for name in names),
        "sample": results.sample.model_copy(update={"groups": rows}),
    }
    many = results.model_copy(update=update)
    drawn = [axes.get_title(loc="left") for axes in figures.conditional_effect(many).axes]
    largest = sorted(rows, key=lambda row: -row.rows)[:9]
    assert drawn == [name for name in names if name in {row.group for row in largest}]
    assert "The 9 largest of 25 groups." in CONDITIONAL_EFFECT.caption(many)
    assert "largest of" not in CONDITIONAL_EFFECT.caption(results)


def test_a_capital_that_does_not_vary(results: Results) -> None:
    still = results.surfaces[0].model_copy(update={"human": (0.0,) * 11, "group": "Ores"})
    with pytest.raises(FigureError) as raised:
        figures.surface(results.model_copy(update={"surfaces": (still,)}))
    assert str(raised.value) == "A capital does not vary within Ores."


def test_of_many_groups_the_furthest_out_are_shown(results: Results) -> None:
    first = results.predictive[0].model_copy(update={"by": "cluster"})
    many = tuple(
        first.model_copy(update={"group": f"cluster {k}", "tail": 0.5 if k % 2 else 0.1})
        for k in range(100)
    )
    figure = figures.predictive(results.model_copy(update={"predictive": many}))
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(shown) == 60
    assert {f"cluster {k}" for k in range(0, 100, 2)} <= set(shown)


def test_settings_of_the_reader_are_kept_and_do_not_count(results: Results) -> None:
    def drawn() -> str:
        return standalone(figures.forest(results, "social_capital"), "x", "label")

    usual = drawn()
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        assert drawn() == usual
        assert mpl.rcParams["font.size"] == 20


def test_long_names_are_cut() -> None:
    assert folded("short", 10) == "short"
    assert folded("one two three four five six", 10) == "one two\nthree …"
    assert folded("x" * 50, 10, 1) == "xxxxxxxxx…"


def test_one_industry() -> None:
    one = made.results(industries=made.INDUSTRIES[:1])
    assert len(figures.conditional_effect(one).axes) == 1
