"""Settings in which analyses differ: every one is told, in one place, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bayescluster.spec.analysis import Analysis
from bayescluster.studies.compare.settings import CHANGES, differing, settings_of
from tests.factories import analysis_dict


def analysis(**more: Any) -> Analysis:
    """An analysis; keys of its parts that are mappings are put into them."""
    plain = analysis_dict(controls=["size", "exporter"])
    equation = plain["equations"]["upgrading"]
    for key, value in more.items():
        part = equation if key in {"structure", "controls", "varying", "priors"} else plain
        part[key] = {**part.get(key, {}), **value} if isinstance(value, dict) else value
    return Analysis.model_validate(plain)


def told(*analyses: Analysis, same_data: bool = True) -> dict[str, tuple[str | None, ...]]:
    return {row.place: row.values for row in differing(analyses, same_data)}


AT = "equations.upgrading"


def test_every_part_of_an_analysis_has_its_kind():
    assert set(CHANGES) == set(Analysis.model_fields)


def test_the_same_analysis_twice_differs_in_nothing():
    assert differing([analysis(), analysis()], same_data=True) == ()
    assert differing([analysis(), analysis()], same_data=False) == ()


def test_spellings_of_one_thing_are_no_difference():
    short = analysis(varying={"industry": ["intercept"], "cluster": "all"}, structure="additive")
    long = analysis(
        varying={"industry": {"terms": ["intercept"]}, "cluster": {"terms": ["all"]}},
        structure=["additive"],
        controls=[{"column": "size"}, {"column": "exporter", "transform": "none"}],
        constructs={
            "human_capital": {"indicators": [{"column": "training"}], "method": "single"},
        },
        sampling={"tune": 500},
    )
    assert short != long
    assert told(short, long) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"structure": "additive"}, {f"{AT}.structure": ("interaction", "additive")}),
        ({"sampling": {"draws": 50}}, {"sampling.draws": (None, "50")}),
        ({"sampling": {"target_accept": 0.95}}, {"sampling.target_accept": ("0.9", "0.95")}),
        ({"data": {"crossed": True}}, {"data.crossed": ("false", "true")}),
        ({"data": {"cluster": None}}, {"data.cluster": ("cluster", None)}),
        # a control more, and not with the defaults that nobody chose
        (
            {"controls": ["size", "exporter", "year"]},
            {f"{AT}.controls.year": (None, "listed")},
        ),
        # what is set in it tells that it is there
        (
            {"controls": ["size", {"column": "year", "transform": "log"}, "exporter"]},
            {f"{AT}.controls.year.transform": (None, "log")},
        ),
        # of a control that both have, the default too
        (
            {"controls": [{"column": "size", "transform": "log"}, "exporter"]},
            {f"{AT}.controls.size.transform": ("none", "log")},
        ),
        (
            {"controls": []},
            {f"{AT}.controls.{name}": ("listed", None) for name in ("size", "exporter")},
        ),
        (
            {"controls": ["exporter", "size"]},
            {f"{AT}.controls": ("size, exporter", "exporter, size")},
        ),
        (
            {"priors": {"terms": {"human_capital": {"distribution": "normal", "sd": 0.5}}}},
            {f"{AT}.priors.terms.human_capital": (None, "normal(mean 0, sd 0.5)")},
        ),
        (
            {"data": {"exclude": [{"column": "size", "below": 10}]}},
            {"data.exclude.size.below": (None, "10")},
        ),
        (
            {
                "constructs": {
                    "human_capital": {"indicators": ["training", "year"], "method": "mean"}
                }
            },
            {
                "constructs.human_capital.indicators.year": (None, "listed"),
                "constructs.human_capital.method": ("single", "mean"),
            },
        ),
        (
            {"hypotheses": [{"kind": "effect", "capital": "human_capital", "margin": 0.02}]},
            {
                "hypotheses.effect human_capital by industry.margin": (None, "0.02"),
            },
        ),
        # given with its defaults: that alone is what differs
        (
            {"traditions": {"ceiling_models": {}}},
            {"traditions.ceiling_models": (None, "given")},
        ),
        ({"multiverse": {"controls": {"bare": []}}}, {"multiverse.controls.bare": (None, "none")}),
    ],
)
def test_a_change_is_told_and_nothing_else(change, expected):
    assert told(analysis(), analysis(**change)) == expected


def test_one_setting_inside_a_block_that_only_one_has():
    given = {"traditions": {"ceiling_models": {}}}
    bare, other = analysis(), analysis(**given)
    assert told(bare, other, bare) == {"traditions.ceiling_models": (None, "given", None)}
    assert told(other, other) == {}


def test_two_rows_of_one_column_are_told_apart():
    small = {"column": "size", "below": 10}
    large = {"column": "size", "above": 500}
    one = analysis(data={"exclude": [small]})
    both = analysis(data={"exclude": [small, large]})
    assert told(one, both) == {
        "data.exclude.size #2.above": (None, "500"),
    }


def test_priors_that_print_alike_are_told_apart():
    def of(sd: float) -> Analysis:
        terms = {"human_capital": {"distribution": "normal", "sd": sd}}
        return analysis(priors={"terms": terms})

    assert told(of(0.5), of(0.50001)) == {
        f"{AT}.priors.terms.human_capital": (
            "normal(mean 0, sd 0.5)",
            "normal(mean 0, sd 0.50001)",
        )
    }


def test_other_equations_are_told_by_what_stands_in_them():
    plain = analysis_dict()
    first = Analysis.model_validate(plain)
    count = {"outcome": "patents", "family": "poisson", "structure": "additive"}
    plain["equations"] = {"patenting": count, **plain["equations"]}
    found = told(first, Analysis.model_validate(plain))
    assert found == {
        "equations.patenting.outcome": (None, "patents"),
        "equations.patenting.family": (None, "poisson"),
        "equations.patenting.structure": (None, "additive"),
    }


def test_what_changes_the_model_comes_first():
    one = analysis()
    other = analysis(
        name="other",
        description="something else",
        sampling={"seed": 7},
        traditions={"level": 0.9},
        data={"missing": "drop", "source": "there.csv"},
    )
    rows = differing([one, other], same_data=True)
    assert [(row.changes, row.place) for row in rows] == [
        ("model", "data.missing"),
        ("claims", "traditions.level"),
        ("sampling", "sampling.seed"),
        ("report", "name"),
        ("report", "description"),
        ("report", "data.source"),
    ]
    # where the data lie is of the model once their content differs
    apart = differing([one, other], same_data=False)
    assert [row.changes for row in apart if row.place == "data.source"] == ["model"]


def test_every_leaf_that_the_analysis_sets_is_there():
    found = settings_of(analysis(data={"missing_values": [-9, "NA"]}))
    assert found["data.missing_values"].text == "-9, NA"
    assert found["sampling.chains"][:2] == ("4", True)
    assert found[f"{AT}.family"][:2] == ("bernoulli", False)
    # what is not set is no leaf
    assert "focus" not in found
    assert f"{AT}.at_least" not in found
