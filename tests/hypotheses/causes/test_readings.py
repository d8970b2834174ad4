from __future__ import annotations

import numpy as np
import pytest

from bayescluster.estimands.levels import CORNERS
from bayescluster.features.causes.compute import (
    AT_CORNERS,
    Deciding,
    Shares,
    causal_readings,
    cause_verdicts,
    decide_bounds,
    difference_verdicts,
    judged_flags,
    overturning,
    question_of,
    shares_of,
    why_silent,
)
from bayescluster.features.causes.probabilities import (
    CONTRAST_OF,
    SIDES,
    bounding_factor,
    corner_draws,
    place_of,
)
from bayescluster.features.causes.spec import Causes
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_dict, design_of, firms, small_design

THRESHOLD = {"N": ("pn_min", 1), "I": ("ps_max", -1), "J": ("ps_min", 1), "C": ("synergy_min", 1)}
FIRMS = firms(240, industries=3, clusters=2)


def corners(seed: int, size: int = 400) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {corner: rng.beta(0.7, 0.7, size) for corner in CORNERS}


def evidence_of(draws: int = 60, **keys) -> Evidence:
    data = keys.pop("data", {})
    traditions = keys.pop("traditions", {})
    terms = {"human_capital": 1.0, "social_capital": 0.8, "interaction": 0.6, "intercept": -1.5}
    plain = analysis_dict(data=data, **keys) | {"traditions": traditions}
    design = design_of(Analysis.model_validate(plain), FIRMS)
    terms = {name: value for name, value in terms.items() if name in design.terms}
    return Evidence(
        design,
        known_draws(design, size=draws, spread=0.2, **terms),
        known_draws(design, size=draws, seed=5, spread=1.0),
        1,
    )


# regions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AT_CORNERS)
@pytest.mark.parametrize("monotone", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_ratios_say_what_the_bounds_say(name, monotone, seed):
    asked = Causes(pn_min=0.6, ps_min=0.55, ps_max=0.45, synergy_min=0.1)
    question, at = question_of(name, asked), corners(seed)
    found = question.deciding(at, monotone)
    bounds = question.monotonic(at) if monotone else question.bounds(at)
    key, sign = THRESHOLD[name[0]]
    limit = getattr(asked, key)
    worst, best = (bounds.lower, bounds.upper) if sign > 0 else (bounds.upper, bounds.lower)
    sure, possible = ((sign * (value - limit)) > 0 for value in (worst, best))
    np.testing.assert_array_equal(found.sure <= found.sure_limit, sure)
    np.testing.assert_array_equal(found.possible <= found.possible_limit, possible)
    shares = shares_of(found)
    assert (shares.sure, shares.possible) == (sure.mean(), (sure | possible).mean())
    assert 0 < shares.sure < 1


@pytest.mark.parametrize("name", AT_CORNERS)
@pytest.mark.parametrize("monotone", [False, True])
def test_regions_at_the_edges_of_probability(name, monotone):
    grid = np.array(np.meshgrid(*[[0.0, 0.5, 1.0]] * 4)).reshape(4, -1)
    at = dict(zip(CORNERS, grid, strict=True))
    question = question_of(name, Causes())
    for bounds in (question.bounds(at), question.monotonic(at)):
        assert ((bounds.lower >= 0) & (bounds.lower <= bounds.upper) & (bounds.upper <= 1)).all()
    found = question.deciding(at, monotone)
    assert not np.isnan([found.sure, found.possible]).any()
    beyond = overturning(question, found, "supported", 0.95)
    assert all(0 <= share <= 1 for row in beyond.probabilities for share in row)


def test_which_corners_are_compared():
    at = {
        "LL": np.array([0.1]),
        "HL": np.array([0.2]),
        "LH": np.array([0.3]),
        "HH": np.array([0.9]),
    }
    lower = {name: float(question_of(name, Causes()).bounds(at).lower[0]) for name in AT_CORNERS}
    assert lower == pytest.approx(
        {
            "N-H": 1 - 0.3 / 0.9,
            "N-S": 1 - 0.2 / 0.9,
            "I-H": (0.2 - 0.1) / 0.9,
            "I-S": (0.3 - 0.1) / 0.9,
            "J": 0.8 / 0.9,
            "C": 0.9 - 0.2 - 0.3,
        }
    )
    assert [SIDES[CONTRAST_OF[name]][:2] for name in AT_CORNERS[:5]] == [
        ("HH", "LH"),
        ("HH", "HL"),
        ("HL", "LL"),
        ("LH", "LL"),
        ("HH", "LL"),
    ]


# decisions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "verdict", "reason"),
    [
        (
            Shares(0.96, 1.0),
            "supported",
            "96.0% of the posterior has its bounds wholly in the region.",
        ),
        (Shares(0.0, 0.05), "rejected", "5.0% of the posterior has bounds that reach the region."),
        (
            Shares(0.0, 1.0),
            "undecided",
            (
                "Less than 0.1% of the posterior has its bounds wholly in the region, more than 99.9% "
                "at least partly: the bounds do not decide."
            ),
        ),
        (
            Shares(0.4, 0.4),
            "undecided",
            "40.0% of the posterior lies in the region: the data do not decide.",
        ),
    ],
)
def test_bounds_decide_only_where_they_lie_wholly_on_one_side(shares, verdict, reason):
    assert decide_bounds(shares, 0.95, "") == (verdict, reason)
    assert decide_bounds(shares, 0.95, "stopped") == ("undecided", "stopped")


def test_flags():
    sure, open_, none = Shares(1.0, 1.0), Shares(0.4, 0.6), None
    assert judged_flags("undecided", "rejected", none, open_, 0.95) == ("bounds_only",)
    assert judged_flags("undecided", "undecided", none, sure, 0.95) == ()
    assert judged_flags("supported", "supported", none, sure, 0.95) == ("prior_decides",)
    assert judged_flags("rejected", None, none, sure, 0.95) == ()
    assert judged_flags("rejected", None, none, Shares(0.0, 0.0), 0.95) == ("prior_decides",)
    question = question_of("N-H", Causes())
    for spread, wanted in ((0.24, ("confounding",)), (0.001, ())):
        ratios = np.full(100, spread)
        deciding = Deciding(ratios, 0.25, ratios, 0.25)
        beyond = overturning(question, deciding, "supported", 0.95)
        assert judged_flags("supported", None, beyond, open_, 0.95) == wanted


# confounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AT_CORNERS)
def test_the_weakest_confounder_is_where_the_verdict_changes(name):
    """Move the probabilities by a bounding factor by hand, and judge them again."""
    rng = np.random.default_rng(11)
    at = {
        "LL": rng.beta(4, 200, 800),
        "HL": rng.beta(6, 120, 800),
        "LH": rng.beta(6, 120, 800),
        "HH": rng.beta(180, 20, 800),
    }
    question, level = question_of(name, Causes()), 0.95
    deciding = question.deciding(at, False)
    assert shares_of(deciding).sure >= level
    found = overturning(question, deciding, "supported", level)
    assert found.verdict is not None
    for strength, stays in ((found.verdict * 0.999, True), (found.verdict * 1.001, False)):
        factor = float(bounding_factor(strength, strength))
        moved = deciding._replace(sure=deciding.sure * factor)
        assert (shares_of(moved._replace(possible=moved.sure)).sure >= level) is stays
    assert f"{found.verdict:.2f} times as likely" in found.words
    assert found.inside
    assert found.threshold > found.verdict
    assert found.probabilities[0][0] == shares_of(deciding).sure


def test_what_is_said_of_verdicts():
    question = question_of("N-S", Causes())
    ratios = np.random.default_rng(1).uniform(0.02, 0.08, 500)
    supported = overturning(question, Deciding(ratios, 0.25, ratios, 0.25), "supported", 0.95)
    assert supported.words == (
        f"Undecided, no longer supported, once an unmeasured confounder makes the outcome "
        f"{supported.verdict:.2f} times as likely and is as many times as frequent with both high as "
        "with social capital low, the other high, given the controls."
    )
    rejected = overturning(question, Deciding(ratios + 3, 0.25, ratios + 3, 0.25), "rejected", 0.95)
    assert not rejected.against
    assert not rejected.inside
    assert rejected.words == (
        "Undecided, no longer rejected, once an unmeasured confounder makes the outcome, or its absence, "
        f"{rejected.verdict:.2f} times as likely and is as many times as frequent on one side of what "
        "is compared as on the other, given the controls."
    )
    open_ = overturning(question, Deciding(ratios * 5, 0.25, ratios, 0.25), "undecided", 0.95)
    assert open_.verdict is None
    assert open_.words == "The verdict is undecided: there is nothing to overturn."
    never = overturning(question, Deciding(0 * ratios, 0.25, 0 * ratios, 0.25), "supported", 0.95)
    assert never.verdict is None
    assert never.words == "No confounder, however strong, would change the verdict."


# from the evidence ------------------------------------------------------------------------------


def test_every_claim_for_every_group_from_the_corners():
    evidence = evidence_of()
    found = list(cause_verdicts(evidence, True))
    assert [(one.claim, one.group) for one in found] == [
        (name, group) for name in AT_CORNERS for group in ("I0", "I1", "I2")
    ]
    for one in found:
        place = place_of(evidence.design, one.claim, one.by)
        column = {label: k for k, label in evidence.columns("industry")}[one.group]
        at, before = (
            {c: v[:, column] for c, v in corner_draws(evidence, place, source).items()}
            for source in ("posterior", "prior")
        )
        bounds = question_of(one.claim, Causes()).bounds(at)
        # where a few draws carry the mean out of its interval, the median is reported
        for end, draws in ((one.bounds.lower, bounds.lower), (one.bounds.upper, bounds.upper)):
            assert end.mean in (pytest.approx(draws.mean()), pytest.approx(np.median(draws)))
        key, sign = THRESHOLD[one.claim[0]]
        limit = getattr(Causes(), key)
        worst = bounds.lower if sign > 0 else bounds.upper
        assert one.probability == pytest.approx((sign * (worst - limit) > 0).mean())
        prior = question_of(one.claim, Causes()).bounds(before)
        worst = prior.lower if sign > 0 else prior.upper
        assert one.prior_probability == pytest.approx((sign * (worst - limit) > 0).mean())
        assert one.probability <= one.possible


def test_a_failed_gate_and_thin_corners_stop_verdicts():
    assert {one.verdict for one in cause_verdicts(evidence_of(), False)} == {"undecided"}
    crowded = [{"kind": "joint_sufficiency", "min_support": 40}]
    found = {
        one.claim: one
        for one in cause_verdicts(evidence_of(hypotheses=crowded), True)
        if one.group == "I0"
    }
    assert "thin" in found["J"].flags
    assert found["J"].reason == (
        f"Only {found['J'].support} firms are near a corner that is compared, fewer than 40: the "
        "probabilities would rest on extrapolation."
    )
    assert found["J"].with_monotonicity == "undecided"


def test_levels_are_those_of_the_claims_unless_the_block_has_its_own():
    hypotheses = [{"kind": "necessary", "capital": "human_capital", "low": 0.2, "high": 0.8}]
    evidence = evidence_of(hypotheses=hypotheses)
    declared = {
        name: place_of(evidence.design, name, "industry").levels.declared
        for name in ("N-H", "N-S", "D-H")
    }
    assert declared == {
        "N-H": "quantiles 0.2 and 0.8",
        "N-S": "quantiles 0.1 and 0.9",
        "D-H": "quantiles 0.2 and 0.8",
    }
    evidence = evidence_of(hypotheses=hypotheses, traditions={"causes": {"low": 0.25}})
    assert place_of(evidence.design, "N-H", "all").levels.declared == "quantiles 0.25 and 0.8"


def test_differences_between_industries_from_bounds_of_each():
    evidence = evidence_of()
    place = place_of(evidence.design, "D-H", "industry")
    at = corner_draws(evidence, place, "posterior")
    columns = [column for column, _ in evidence.columns("industry")]
    lower, upper, point = [], [], []
    for draw in range(60):
        bounds = []
        for column in columns:
            p1, p0 = at["HH"][draw, column], at["LH"][draw, column]
            bounds.append((max(0, p1 - p0), min(p1, 1 - p0)))
        pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
        lower.append(max(0, *(bounds[a][0] - bounds[b][1] for a, b in pairs)))
        upper.append(max(bounds[a][1] - bounds[b][0] for a, b in pairs))
        point.append(max(low for low, _ in bounds) - min(low for low, _ in bounds))
    found = next(difference_verdicts(evidence, True))
    assert (found.claim, found.by, found.group) == ("D-H", "all", "all")
    assert found.bounds.lower.mean == pytest.approx(np.mean(lower))
    assert found.bounds.upper.mean == pytest.approx(np.mean(upper))
    assert found.bounds.point is not None
    assert found.bounds.point.mean == pytest.approx(np.mean(point))
    assert found.probability == (np.array(lower) > 0.1).mean()
    assert found.possible == (np.array(upper) > 0.1).mean()
    assert found.region == "largest less smallest PNS above 0.1 (quantiles 0.1 and 0.9)"


def test_monotonicity_taken_as_given_or_left_out():
    given = list(cause_verdicts(evidence_of(traditions={"causes": {"monotone": True}}), True))
    for one in given:
        assert one.with_monotonicity is None
        assert (one.overturning is None) == (one.claim == "C")
        if one.claim != "C":
            assert one.bounds.lower == one.bounds.upper == one.bounds.point
            assert one.probability == one.possible
    left_out = list(cause_verdicts(evidence_of(traditions={"causes": {"monotone": False}}), True))
    assert {one.with_monotonicity for one in left_out} == {None}
    assert {one.bounds.point for one in left_out} == {None}
    assert not any("bounds_only" in one.flags for one in left_out)


def test_readings_show_the_bound_that_decides():
    verdicts = list(cause_verdicts(evidence_of(), True))
    for reading, one in zip(causal_readings(verdicts), verdicts, strict=True):
        upper = one.claim in ("I-H", "I-S")
        assert reading.estimate == (one.bounds.upper if upper else one.bounds.lower)
        assert reading.quantity.startswith("upper bound of PS" if upper else "lower bound of ")
        assert (reading.tradition, reading.verdict, reading.flags) == (
            "causes",
            one.verdict,
            one.flags,
        )


@pytest.mark.parametrize(
    ("family", "keys"),
    [("binomial", {}), ("beta", {}), ("ordinal", {"at_least": 2}), ("probit", {})],
)
def test_outcomes_that_come_or_do_not(family, keys):
    assert len(list(cause_verdicts(evidence_of(family=family, **keys), True))) == 18


@pytest.mark.parametrize("family", ["gaussian", "poisson", "ordinal", "lognormal"])
def test_other_outcomes_have_no_reading(family):
    evidence = evidence_of(family=family)
    assert list(cause_verdicts(evidence, True)) == []
    assert list(difference_verdicts(evidence, True)) == []
    assert why_silent(evidence.design) == (
        "Probabilities of causation need an outcome that comes or does not: the expected outcome of "
        f"family {family} is no probability. Ask for one with `at_least`."
    )


def test_without_industries_there_is_one_group_and_no_difference():
    evidence = evidence_of(data={"industry": None})
    assert {one.group for one in cause_verdicts(evidence, True)} == {"all"}
    assert list(difference_verdicts(evidence, True)) == []


def test_one_firm_in_a_cluster():
    frame = firms(40, industries=2, clusters=2)
    frame.loc[39, "cluster"] = "C99"
    design = small_design(
        "bernoulli", "interaction", frame=frame, varying={"cluster": ["intercept"]}
    )
    evidence = Evidence(design, known_draws(design, 20), known_draws(design, 20, seed=2), 1)
    asked = design.analysis.traditions.model_copy(update={"by": ("cluster",)})
    object.__setattr__(design, "analysis", design.analysis.model_copy(update={"traditions": asked}))
    found = [one for one in cause_verdicts(evidence, True) if one.group == "C99"]
    assert len(found) == len(AT_CORNERS)
    assert all(one.verdict == "undecided" and "thin" in one.flags for one in found)
