from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.dataset.constructs import IndicatorUnit
from bayescluster.design.outcome import row_number
from bayescluster.design.record import Design, Measure, Scaling
from bayescluster.errors import DesignError
from tests.factories import CONTROLS, analysis_of, design_of, firms, small_design
from tests.helpers import row

HEAD = "The model cannot be built on these data:\n  a.yaml:"
EQUATION = "equations.upgrading"


def changed(**columns: Any) -> pd.DataFrame:
    return firms().assign(**columns)


def refused(*args: Any, **keys: Any) -> str:
    with pytest.raises(DesignError) as caught:
        small_design(*args, **keys)
    assert caught.value.exit_code == 3
    return str(caught.value)


def with_value(column: str, row: int, value: Any) -> pd.DataFrame:
    frame = firms()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


TYPO = {"distribution": "normal", "sd": 1.0}
FAULTS = {
    "standard error is text": row(
        {"family": "gaussian", "standard_error": "error", "frame": with_value("error", 0, "?")},
        f"{EQUATION}.standard_error: the standard error 'error' is not a number: '?' in row 1\n"
        "    turn it into numbers with `derive: kind: recode`, or name another column",
    ),
    "shares with ends": row(
        {"family": "beta", "outcome": "upgraded"},
        f"{EQUATION}.outcome: family beta expects shares above 0 and below 1; found 0 in row 1 "
        "and in 47 more\n"
        "    where a share is a count out of a known number, use family binomial with `trials`; "
        "where 0 means none, zero_inflated_beta; else pull 0 and 1 inside by `derive` with "
        "`kind: scale, multiply: 0.99, add: 0.005`",
    ),
    "at least the lowest level": row(
        {"family": "ordinal", "at_least": 0},
        f"{EQUATION}.at_least: at_least names '0', which is not a level above the lowest\n"
        "    known: 1, 2, 3",
    ),
    "prior of a term that the form lacks": row(
        {"structure": "additive", "priors": {"terms": {"interaction": TYPO}}},
        f"{EQUATION}.priors.terms.interaction: a prior is given for the term 'interaction', "
        "which is not in the model\n    did you mean 'intercept'?",
    ),
    "prior of the intercept of an ordinal outcome": row(
        {"family": "ordinal", "structure": "additive", "priors": {"terms": {"intercept": TYPO}}},
        f"{EQUATION}.priors.terms.intercept: a prior is given for the term 'intercept', "
        "which is not in the model\n    known: human_capital, social_capital",
    ),
    "control that is a capital under another name": row(
        {"controls": ["hours", "exporter"], "frame": changed(hours=40 * firms()["training"] - 3)},
        f"{EQUATION}: these columns are exactly collinear: human_capital, hours\n"
        "    leave one of them out",
    ),
    "square of a capital": row(
        {"controls": [{"product": ["human_capital", "human_capital"]}]},
        f"{EQUATION}.controls.0: the product holds human_capital twice\n"
        "    leave it out: a capital enters as it is, and in the interaction",
    ),
}


@pytest.mark.parametrize(("keys", "message"), FAULTS.values(), ids=FAULTS)
def test_messages(keys, message):
    assert refused(**keys) == HEAD + message


def test_all_faults_at_once():
    found = refused(
        frame=changed(training=2.0, trust="good"),
        controls=["exporter", "exporter"],
        priors={"terms": {"size": TYPO}},
    )
    assert found == (
        "The model cannot be built on these data (4 problems):\n"
        "  a.yaml:constructs.human_capital.indicators.0: the indicator 'training' is the same in "
        "every row (2)\n    leave it out, or check the filters\n"
        "  a.yaml:constructs.social_capital.indicators.0: the indicator 'trust' is not a number: "
        "'good' in row 1\n    turn it into numbers with `derive: kind: recode`\n"
        "  a.yaml:equations.upgrading.controls.1: the control 'exporter' is listed twice\n"
        "    leave one out\n"
        "  a.yaml:equations.upgrading.priors.terms.size: a prior is given for the term 'size', "
        "which is not in the model\n"
        "    known: intercept, human_capital, social_capital, interaction, exporter"
    )


RICH: dict[str, Any] = {
    "varying": {"industry": ["intercept", "human_capital"], "year": ["intercept"]},
    "controls": CONTROLS,
}


def test_rows_that_were_filtered_keep_their_numbers():
    keep = [{"column": "exporter", "one_of": [1]}]
    design = small_design(data={"keep": keep, "derive": []}, controls=["region"])
    frame = firms()
    assert design.size == int(frame["exporter"].sum())
    assert design.details.rows_read == 48
    chosen = frame[frame["exporter"] == 1]
    assert row_number(chosen, 0) == int(chosen.index[0]) + 1
    np.testing.assert_array_equal(design.outcome, chosen["upgraded"])


def test_capitals_and_their_units():
    design, frame = small_design(**RICH), firms()
    for name, column, values in zip(
        ("human_capital", "social_capital"), ("training", "trust"), design.capitals, strict=True
    ):
        raw = frame[column].to_numpy()
        unit = design.scaling(name)
        assert unit == Scaling(pytest.approx(raw.mean()), pytest.approx(raw.std(ddof=1)))
        np.testing.assert_allclose(unit.center + unit.scale * values, raw)


def test_groups_go_by_label():
    design, frame = small_design(**RICH), firms()
    for name, column in (("industry", "industry"), ("cluster", "cluster"), ("year", "year")):
        labels = np.array(design.group_labels(name))
        assert labels.tolist() == sorted(frame[column].astype(str).unique())
        np.testing.assert_array_equal(labels[design.index(name)], frame[column].astype(str))


def test_levels_as_declared():
    frame = changed(grade=firms()["grade"].map({0: "none", 1: "some", 2: "much", 3: "most"}))
    levels = ["none", "some", "much", "most"]
    design = small_design("ordinal", levels=levels, frame=frame)
    assert design.levels == tuple(levels)
    np.testing.assert_array_equal(design.outcome, firms()["grade"])


def test_levels_sorted_as_numbers():
    frame = changed(grade=firms()["grade"].map({0: 9, 1: 10, 2: 11, 3: 100}))
    design = small_design("ordinal", frame=frame)
    assert design.levels == ("9", "10", "11", "100")
    np.testing.assert_array_equal(design.outcome, firms()["grade"])


def test_firms_that_repeat_have_numbered_rows():
    design = small_design(varying={"firm": ["intercept"]}, data={"firm": "panel"})
    assert design.labels("firm")[:5] == ("g00 #1", "g00 #2", "g00 #3", "g00 #4", "g01 #1")
    assert design.group_labels("firm") == tuple(f"g{k:02d}" for k in range(12))
    np.testing.assert_array_equal(design.index("firm"), np.arange(48) // 4)


REPEATED = (
    "and no effect varies by firm: the rows are taken as independent, and intervals are too narrow. "
    "Add `firm: [intercept]` under varying."
)


def test_firms_that_repeat_without_effects_are_noted():
    frame = firms()
    assert small_design(frame=frame).details.notes == ()
    assert small_design(data={"firm": None}).details.notes == ()
    repeated, within = small_design(data={"firm": "panel"}).details.notes
    assert repeated == f"36 rows repeat a firm, {REPEATED}"
    assert "Add `contextual: {firm: [social_capital]}`" in within
    frame.loc[47, "firm"] = "f41"
    assert small_design(frame=frame).details.notes == (f"1 row repeats a firm, {REPEATED}",)
    varying = {"firm": ["intercept"]}
    assert small_design(varying=varying, data={"firm": "panel"}).details.notes == (within,)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [("panel", np.arange(48) // 4), ("firm", np.arange(48)), (None, np.arange(48))],
)
def test_rows_of_a_firm_share_its_number(column, wanted):
    np.testing.assert_array_equal(small_design(data={"firm": column}).firms, wanted)


def test_a_capital_is_a_yes_or_no_where_its_column_is():
    capital = {"human_capital": {"indicators": ["exporter"], "method": "single"}}
    design = small_design(constructs=capital)
    assert (design.is_binary("human_capital"), design.is_binary("social_capital")) == (True, False)
    # two values are not enough
    design = small_design(frame=changed(training=2.0 + 3.0 * firms()["exporter"]))
    assert not design.is_binary("human_capital")
    assert not small_design("bernoulli", "intercept").is_binary("human_capital")


def test_small_groups_are_noted():
    frame = changed(place=["P9"] * 3 + ["P10"] * 2 + ["P1"] * 43)
    design = small_design(varying={"place": ["intercept"]}, frame=frame)
    assert design.details.notes == (
        "Fewer than 5 rows in place P10, P9: their effects lean on the others.",
    )


def test_details():
    design = small_design(**RICH)
    assert design.details.synthetic
    assert (design.details.label, design.details.title) == ("firms.csv", "Made firms")
    assert design.details.dropped == ()
    assert design.details.measures[0] == Measure(
        "human_capital",
        "single",
        "training",
        (("training", 1.0),),
        None,
        False,
        (IndicatorUnit("training", "none", "no", 0.0, 1.0, 1.0),),
    )


def test_no_capitals_where_none_is_used():
    design = small_design("bernoulli", "intercept")
    assert all((values == 0).all() for values in design.capitals)
    assert design.details.measures == ()


PROPERTIES = (
    "size",
    "outcome",
    "capitals",
    "controls",
    "control_names",
    "firms",
    "offset",
    "levels",
)


@pytest.mark.parametrize(
    "keys",
    [
        RICH,
        {"family": "ordinal", "structure": "additive"},
        {"family": "binomial"},
        {"family": "negative_binomial", "exposure": "exposure"},
        {"family": "gaussian", "standard_error": "error", "structure": "intercept"},
        {"varying": {"firm": ["intercept"]}, "data": {"firm": "panel", "cluster": None}},
        {"controls": ["exporter", {"product": ["exporter", "human_capital"]}]},
    ],
    ids=lambda keys: keys.get("family", "bernoulli"),
)
def test_a_design_that_is_saved_and_opened_is_the_same(keys, tmp_path):
    design = small_design(**keys)
    design.data.to_netcdf(tmp_path / "design.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "design.nc", engine="h5netcdf") as stored:
        again = Design(design.analysis, stored.load())
    for name in PROPERTIES:
        np.testing.assert_array_equal(getattr(again, name), getattr(design, name))
    for mine, wanted in zip(
        again.control_parts(0.5, 2.0), design.control_parts(0.5, 2.0), strict=True
    ):
        np.testing.assert_array_equal(mine.positions, wanted.positions)
        np.testing.assert_array_equal(mine.base, wanted.base)
        assert mine.level == wanted.level
    assert again.details == design.details
    assert again.groupings == design.groupings
    for grouping in ("industry", "cluster", *design.analysis.equation.varying):
        assert again.group_labels(grouping) == design.group_labels(grouping)
        np.testing.assert_array_equal(again.index(grouping), design.index(grouping))
    for found, wanted in zip(again.rows, design.rows, strict=True):
        assert (found is None) == (wanted is None)
        np.testing.assert_array_equal(found, wanted)
    for capital in design.analysis.constructs:
        assert again.scaling(capital) == design.scaling(capital)


def test_the_design_does_not_depend_on_the_order_of_the_columns():
    frame = firms()
    analysis = analysis_of(**RICH)
    one, other = design_of(analysis, frame), design_of(analysis, frame[frame.columns[::-1]])
    xr.testing.assert_identical(one.data, other.data)


def test_missing_answers_are_told():
    frame = firms()
    frame.loc[[3, 7], "trust"] = np.nan
    measured = {"indicators": ["training", "trust"], "method": "mean"}
    asked = {
        "human_capital": {"indicators": ["size"], "method": "single"},
        "social_capital": measured | {"minimum_answered": 1},
    }
    design = small_design("bernoulli", "additive", frame=frame, constructs=asked, controls=[])
    assert design.details.notes == (
        (
            "Answers missing among the indicators of social_capital: 2. "
            "The score of such a row is the mean of the answers it gave."
        ),
    )
