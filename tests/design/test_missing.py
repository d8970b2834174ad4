"""What is said of missing values that are imputed, and of those that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.design.arrays import design_from, design_tree
from bayescluster.design.missing import configurations, gaps, inputs_of
from bayescluster.design.record import Design, ImputedCells, Pattern
from bayescluster.errors import BayesClusterError
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, design_of, firms
from tests.helpers import row

IMPUTE = {"missing": "impute"}
DROP = "leave such rows out with `missing: drop` under `data`"
PLAIN = f"{DROP}, or enter it as a plain number (columns of 0 and 1 for categories)"


def without(**rows: Any) -> pd.DataFrame:
    """Synthetic firms whose columns lack values in some rows, or hold others."""
    frame = firms()
    rng = np.random.default_rng(2)
    for k in range(8):
        frame[f"yes{k}"] = rng.integers(0, 2, len(frame))
    frame["rank"] = rng.integers(1, 6, len(frame))
    for column, which in rows.items():
        frame[column] = frame[column].astype(
            "object" if frame[column].dtype.kind not in "if" else float
        )
        frame.loc[frame.index[which], column] = np.nan
    return frame


def made(frame: pd.DataFrame, equations: dict[str, Any] | None = None, **keys: Any) -> Design:
    data = IMPUTE | keys.pop("data", {})
    top = {name: keys.pop(name) for name in ("residual_correlation", "focus") if name in keys}
    plain = analysis_dict("bernoulli", "additive", data=data, **keys) | top
    if equations:
        plain["equations"] = {
            name: {"structure": "additive"} | equation for name, equation in equations.items()
        }
    return design_of(Analysis.model_validate(plain), frame)


def two(family: str, outcome: str, **more: Any) -> dict[str, Any]:
    """An equation whose outcome enters another."""
    return {
        "first": {"outcome": outcome, "family": family} | more,
        "second": {"outcome": "value", "family": "lognormal", "predictors": ["first"]},
    }


FAULTS = {
    "cluster": row(
        {"frame": without(cluster=[0])},
        "data.cluster: 'cluster' (cluster) is missing in 1 of 48 rows (row 1)\n"
        f"    the cluster cannot be imputed: fill these cells, or {DROP}",
    ),
    "exposure and grouping": row(
        {
            "frame": without(exposure=[1, 3], place=[7]),
            "equations": {
                "first": {
                    "outcome": "patents",
                    "family": "poisson",
                    "exposure": "exposure",
                    "varying": {"place": ["intercept"]},
                }
            },
        },
        "equations.first.exposure: 'exposure' (exposure) is missing in 2 of 48 rows (rows 2, "
        "4)\n"
        f"    the exposure cannot be imputed: fill these cells, or {DROP}\n"
        "  a.yaml:equations.first.varying.place: 'place' (grouping) is missing in 1 of 48 "
        "rows (row 8)\n"
        f"    the grouping cannot be imputed: fill these cells, or {DROP}",
    ),
    "nobody answered": row(
        {
            "frame": without(size=slice(None), upgraded=slice(None), training=slice(None)),
            "controls": ["size"],
        },
        "constructs.human_capital.indicators.0: no firm has a value of the indicator 'training'\n"
        "    leave it out\n"
        "  a.yaml:equations.upgrading.outcome: no firm has a value of the outcome 'upgraded'\n"
        "    name another\n"
        "  a.yaml:equations.upgrading.controls.0: no firm has a value of the control 'size'\n"
        "    leave it out",
    ),
    "no score": row(
        {
            "frame": without(training=slice(None, None, 2), trust=slice(1, None, 2)),
            "constructs": {
                "human_capital": {"indicators": ["training", "trust"], "method": "mean"},
                "social_capital": {"indicators": ["size"], "method": "single"},
            },
        },
        "constructs.human_capital: no row has a score\n"
        "    lower `minimum_answered`, or use `latent`",
    ),
    "forms that cannot be imputed": row(
        {
            "frame": without(size=[0], region=[1], exporter=[2]),
            "controls": [
                {"column": "size", "spline": 4},
                "region",
                "exporter",
                {"product": ["exporter", "social_capital"]},
            ],
        },
        "equations.upgrading.controls.0: the control 'size' has missing cells and enters as a "
        "spline, which cannot be imputed\n"
        f"    {PLAIN}\n"
        "  a.yaml:equations.upgrading.controls.1: the control 'region' has missing cells and "
        "enters as categories, which cannot be imputed\n"
        f"    {PLAIN}\n"
        "  a.yaml:equations.upgrading.controls.3: the control 'exporter' has missing cells "
        "and enters as a product, which cannot be imputed\n"
        f"    {PLAIN}",
    ),
    "ordinal that is none": row(
        {"frame": without(size=[0]), "controls": [{"column": "size", "kind": "ordinal"}]},
        "equations.upgrading.controls.0: the control 'size' is declared ordinal, but it is "
        "not a whole number with at most 12 levels\n"
        "    leave out `kind: ordinal`: its missing cells are then imputed as continuous",
    ),
    "text that is called ordinal": row(
        {"frame": without(region=[0]), "controls": [{"column": "region", "kind": "ordinal"}]},
        "equations.upgrading.controls.0: the control 'region' cannot be ordinal: 'north' in "
        "row 2, 'west' in row 3, 'south' in row 4\n"
        "    leave out the kind, or correct the column",
    ),
    "name of an equation": row(
        {
            "frame": without(exporter=[0]),
            "equations": {
                "exporter": {"outcome": "upgraded", "family": "bernoulli"},
                "second": {"outcome": "value", "family": "lognormal", "controls": ["exporter"]},
            },
        },
        "data.missing: the control 'exporter' has missing cells and the name of an equation "
        "or capital\n"
        "    rename one of the two",
    ),
    "survey weights": row(
        {
            "frame": without(size=[0], upgraded=[1])
            .assign(heft=2.0)
            .assign(heft=lambda frame: frame["heft"].where(frame.index > 3, 1.0)),
            "controls": ["size"],
            "data": {"weight": "heft"},
        },
        "data.missing: missing cells of size, upgraded cannot be imputed with survey weights"
        "\n"
        f"    {DROP}, or leave out the weights",
    ),
    "weight that is missing": row(
        {"frame": without().assign(heft=[np.nan, *range(1, 48)]), "data": {"weight": "heft"}},
        "data.weight: 'heft' (weight) is missing in 1 of 48 rows (row 1)\n"
        f"    the weight cannot be imputed: fill these cells, or {DROP}",
    ),
    "steps that are estimated": row(
        {"frame": without(rank=[0]), "controls": [{"column": "rank", "monotonic": True}]},
        "equations.upgrading.controls.0: the control 'rank' has missing cells and enters as "
        "ordered levels, which cannot be imputed\n"
        f"    {PLAIN}",
    ),
    "two forms": row(
        {
            "frame": without(size=[0]),
            "controls": ["size", {"column": "size", "transform": "square"}],
        },
        "equations.upgrading.controls.1: 'size' has missing cells and enters in two forms, "
        "each of which would be imputed by itself\n"
        f"    enter it in one form, or {DROP}",
    ),
    "outcome and control": row(
        {
            "frame": without(growth=[0]),
            "equations": {
                "first": {"outcome": "growth", "family": "gaussian"},
                "second": {"outcome": "value", "family": "lognormal", "controls": ["growth"]},
            },
        },
        "equations.second.controls.0: 'growth' has missing cells and is both an outcome and a "
        "control\n"
        f"    list its equation under predictors, or {DROP}",
    ),
    "too many combinations": row(
        {
            "frame": without(**{f"yes{k}": [3, 5] for k in range(7)}),
            "controls": [f"yes{k}" for k in range(7)],
        },
        "data.missing: 2 of 48 rows lack so many discrete values that these combine in more "
        "than 64 ways; row 4 lacks yes0, yes1, yes2, yes3, yes4, yes5, yes6 (128 ways)\n"
        f"    {DROP}, leave out one of these variables, or enter one without `kind: ordinal`",
    ),
    "count that enters another equation": row(
        {"frame": without(patents=[0]), "equations": two("poisson", "patents")},
        "data.missing: the outcome of 'first' is a predictor and has missing cells, which "
        "cannot be imputed for family poisson\n"
        f"    {DROP}",
    ),
    "amount that rests on what is missing": row(
        {
            "frame": without(growth=[0, 1], exporter=[1]),
            "equations": two("gaussian", "growth", controls=["exporter"]),
        },
        "data.missing: some rows lack the outcome of 'first', which is a predictor, together "
        "with exporter, on which it rests\n"
        f"    {DROP}",
    ),
    "correlated residuals": row(
        {
            "frame": without(growth=[0], exporter=[1]),
            "equations": {
                "first": {"outcome": "growth", "family": "gaussian"},
                "second": {"outcome": "share", "family": "gaussian", "controls": ["exporter"]},
            },
            "residual_correlation": ["first", "second"],
        },
        "data.missing: 'first' has correlated residuals: missing cells of growth cannot be "
        "imputed with them\n"
        f"    {DROP}, or leave out `residual_correlation`\n"
        "  a.yaml:data.missing: 'second' has correlated residuals: missing cells of exporter "
        "cannot be imputed with them\n"
        f"    {DROP}, or leave out `residual_correlation`",
    ),
}


@pytest.mark.parametrize(("keys", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_imputed_is_refused(keys, message):
    with pytest.raises(BayesClusterError) as caught:
        made(**keys)
    assert str(caught.value).split("\n", maxsplit=1)[1] == f"  a.yaml:{message}"


def test_shares_and_patterns_are_told():
    frame = without(size=[0, 6, 7], exporter=[0, 7], upgraded=[2], training=[7])
    design = made(frame, controls=["size", "exporter"])
    details = design.details
    assert details.imputed == (
        ImputedCells("human_capital", "C01", 1, 8),
        ImputedCells("upgraded", "C02", 1, 8),
        ImputedCells("size", "C00", 2, 8),
        ImputedCells("size", "C01", 1, 8),
        ImputedCells("exporter", "C00", 1, 8),
        ImputedCells("exporter", "C01", 1, 8),
    )
    assert details.patterns == (
        Pattern(("human_capital", "size", "exporter"), 1),
        Pattern(("size",), 1),
        Pattern(("size", "exporter"), 1),
        Pattern(("upgraded",), 1),
    )
    assert details.notes == (
        (
            "Imputed: human_capital is missing in 1 of 48 rows (2%), in 1 cluster; "
            "most in C01: 1 of 8 rows."
        ),
        (
            "Imputed: upgraded is missing in 1 of 48 rows (2%), in 1 cluster; "
            "most in C02: 1 of 8 rows."
        ),
        "Imputed: size is missing in 3 of 48 rows (6%), in 2 clusters; most in C00: 2 of 8 rows.",
        (
            "Imputed: exporter is missing in 2 of 48 rows (4%), in 2 clusters; "
            "most in C00: 1 of 8 rows."
        ),
        "Missing together in 1 row: human_capital, size and exporter.",
        "Missing together in 1 row: size and exporter.",
        (
            "Missing values are estimated inside the model, each with its uncertainty. This assumes "
            "that they are missing at random given the other variables of the model: among firms "
            "alike in those, firms that lack a value are like firms that gave it. The data cannot "
            "show whether that holds."
        ),
    )


def test_a_design_with_gaps_is_the_same_after_saving():
    frame = without(size=[0, 6, 7], upgraded=[2])
    design = made(frame, controls=["size"])
    again = design_from(design.analysis, design_tree(design))
    assert again.details == design.details
    assert [gap.name for gap in gaps(again)] == ["size"]


def test_each_gap_rests_on_those_before_it():
    frame = without(size=[0, 6], exporter=[1], training=[2], rank=[1, 5])
    controls = ["year", "exporter", "size", {"column": "rank", "kind": "ordinal"}]
    design = made(frame, controls=controls)
    found = {gap.name: inputs_of(design, gap) for gap in gaps(design)}
    assert found == {
        "human_capital": ("year", "social_capital"),
        "size": ("year", "social_capital", "human_capital"),
        "exporter": ("year", "social_capital", "human_capital", "size"),
        "rank": ("year", "social_capital", "human_capital", "size", "exporter"),
    }
    cases = configurations(gaps(design), design.size)
    mine = {name: codes[cases.row == 1].tolist() for name, codes in cases.codes.items()}
    assert mine == {"exporter": [0, 1] * 5, "rank": [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]}
    assert (np.bincount(cases.row)[[0, 1, 5]] == [1, 10, 5]).all()


def test_answers_alone_set_scale_and_priors():
    frame = without(size=[0, 6], growth=[3])
    design = made(
        frame, {"first": {"outcome": "growth", "family": "gaussian", "controls": ["size"]}}
    )
    size = frame["size"].dropna()
    column = design.controls[:, 0]
    assert np.nanmean(column) == pytest.approx(0)
    assert float(design.data["control_center"][0]) == pytest.approx(size.mean())
    assert design.answers.size == 47
    assert not design.is_complete
