from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayescluster.design.coding import monotonic_controls
from bayescluster.design.record import Design
from bayescluster.errors import DesignError
from tests.factories import firms, small_design
from tests.helpers import row

TIERS = ["none", "second", "first"]
NUMBERS = np.array([0, 2, 5, 9])[np.arange(48) % 4]
FRAME = firms().assign(
    tier=np.array(TIERS)[np.arange(48) % 3],
    rank=NUMBERS,
    certified=np.array(["no", "yes"])[np.arange(48) % 2],
    many=np.arange(48) % 30,
)
TIER = {"column": "tier", "monotonic": True, "levels": TIERS}
RANK = {"column": "rank", "monotonic": True}
PLACE = "a.yaml:equations.upgrading.controls.0: "


def test_levels_and_steps_of_the_design():
    design = small_design(frame=FRAME, controls=["exporter", RANK, TIER])
    assert design.control_names == ("exporter", "rank", "tier")
    rank, tier = monotonic_controls(design)
    assert (rank.name, rank.position, rank.steps) == ("rank", 1, ("0 | 2", "2 | 5", "5 | 9"))
    assert (tier.name, tier.position, tier.steps) == (
        "tier",
        2,
        ("none | second", "second | first"),
    )
    np.testing.assert_array_equal(rank.codes, np.arange(48) % 4)
    np.testing.assert_array_equal(tier.codes, np.arange(48) % 3)


def test_without_shares_the_steps_count_as_equal():
    design = small_design(frame=FRAME, controls=[RANK, TIER])
    for made in monotonic_controls(design):
        shares = np.full(len(made.steps), 1 / len(made.steps))
        wanted = np.cumsum([0, *shares])[made.codes]
        np.testing.assert_allclose(design.controls[:, made.position], wanted)
        scale = design.data["control_scale"].to_numpy()[made.position]
        assert scale == len(made.steps)


def test_a_design_without_them_has_no_such_variables():
    design = small_design(frame=FRAME, controls=["exporter"])
    assert monotonic_controls(design) == ()
    assert {"monotonic", "step"}.isdisjoint(design.data.variables)


def test_a_stored_design_is_the_same(tmp_path):
    design = small_design(frame=FRAME, controls=[RANK, TIER])
    design.data.to_netcdf(tmp_path / "design.nc")
    with xr.open_dataset(tmp_path / "design.nc") as stored:
        opened = monotonic_controls(Design(design.analysis, stored.load()))
    for first, second in zip(opened, monotonic_controls(design), strict=True):
        assert first[:3] == second[:3]
        np.testing.assert_array_equal(first.codes, second.codes)


MESSAGES = {
    "words without an order": row(
        {"column": "tier", "monotonic": True},
        "the levels of 'tier' are words, whose order is not known: first, none, second\n"
        "    list them from lowest to highest under `levels`",
    ),
    "a level that is not declared": row(
        TIER | {"levels": ["none", "secnd", "first"]},
        "'tier' holds 'second', which is not among its declared levels\n"
        "    did you mean 'secnd'?; list it, or leave such rows out with `keep`",
    ),
    "a level without firms": row(
        TIER | {"levels": ["none", "third", "second", "first"]},
        "no firm has the level 'third' of 'tier'\n    leave it out, or merge levels",
    ),
    "one step": row(
        {"column": "certified", "monotonic": True, "levels": ["no", "yes"]},
        "the control 'certified' has 2 levels: there are no steps to tell apart\n"
        "    enter it without `monotonic`",
    ),
    "a number of many values": row(
        {"column": "many", "monotonic": True},
        "the control 'many' has 30 levels in 48 rows\n"
        "    enter it as a number, without `monotonic`, or as a `spline`",
    ),
}


@pytest.mark.parametrize(("control", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(control, message):
    with pytest.raises(DesignError) as caught:
        small_design(frame=FRAME, controls=[control])
    assert str(caught.value) == f"The model cannot be built on these data:\n  {PLACE}{message}"


def test_a_product_needs_columns_that_are_known():
    with pytest.raises(DesignError) as caught:
        small_design(frame=FRAME, controls=[RANK, {"product": ["human_capital", "rank"]}])
    assert str(caught.value) == (
        "The model cannot be built on these data:\n"
        "  a.yaml:equations.upgrading.controls.1: the product names 'rank', whose steps are "
        "estimated\n    enter it with `coding: treatment`, or leave the product out"
    )
