from __future__ import annotations

import numpy as np
import pytest

from bayescluster.app.collect import named_estimands
from bayescluster.app.facts import outcome_facts, sample_facts
from bayescluster.estimands.levels import Levels, default_levels
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

NAMES = [
    *(
        f"{what} of {capital}_capital"
        for what in ("effect", "contrast")
        for capital in ("human", "social")
    ),
    *(f"corner {corner}" for corner in ("LL", "HL", "LH", "HH")),
    "cross difference",
]
OTHER = Levels((-0.5, 0.5), (-0.4, 0.4), "by hand")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    # a cluster with the name of an industry
    frame = firms(72, industries=3, clusters=1)
    frame["cluster"] = frame["cluster"].replace("C00", "I0")
    asking = [{"kind": "difference", "capital": "human_capital", "between": ["I0", "I2"]}]
    varying = {"cluster": ["human_capital"]}
    design = small_design("bernoulli", "interaction", varying, frame=frame, hypotheses=asking)
    return Evidence(design, known_draws(design), known_draws(design, seed=5), 1)


def test_every_estimand_has_a_name_of_its_own(evidence):
    design = evidence.design
    levels = default_levels(design)
    evidence.surface("observed", levels)
    evidence.surface("average_cluster", OTHER)
    evidence.surface("observed", levels, "prior")
    found = named_estimands(evidence)
    asked = [("observed", "quantiles 0.1 and 0.9"), ("average_cluster", "by hand")]
    assert levels.declared == asked[0][1]
    labels = ["all", "industry I0", "industry I1", "industry I2"]
    labels += ["cluster C01", "cluster C02", "cluster I0"]
    wanted = {f"{name} ({label}; {s}; {d})" for name in NAMES for label in labels for s, d in asked}
    wanted |= {
        f"effect of {capital} ({pair}; {s}; {d})"
        for capital in ("human_capital", "social_capital")
        for pair in ("I0 less I2",)  # the only one that a claim asks for
        for s, d in asked
    }
    assert set(found) == wanted
    for (scope, declared), at in zip(asked, (levels, OTHER), strict=True):
        surface = evidence.surface(scope, at)
        for column, label in [
            (0, "all"),
            *evidence.columns("industry"),
            *evidence.columns("cluster"),
        ]:
            by = "" if column == 0 else "industry " if column < 4 else "cluster "
            end = f"({by}{label}; {scope}; {declared})"
            np.testing.assert_array_equal(
                found[f"cross difference {end}"], surface.cross_difference[:, column]
            )
            np.testing.assert_array_equal(
                found[f"corner LH {end}"], surface.corners["LH"][:, column]
            )
        effect = surface.marginal["social_capital"]
        np.testing.assert_array_equal(
            found[f"effect of social_capital (I0 less I2; {scope}; {declared})"],
            effect[:, 1] - effect[:, 3],
        )


@pytest.mark.parametrize(
    ("keys", "label"),
    [
        ({"family": "ordinal"}, "mean level of grade (0 to 3)"),
        ({"family": "ordinal", "at_least": 2}, "probability that grade is at least 2"),
        ({"family": "bernoulli"}, "probability of upgraded"),
        ({"family": "beta"}, "expected share (share)"),
        ({"family": "lognormal"}, "mean value"),
        ({"family": "poisson", "exposure": "exposure"}, "expected patents per unit of exposure"),
    ],
)
def test_what_the_expected_outcome_is_called(keys, label):
    assert outcome_facts(small_design(structure="additive", **keys)).label == label


def test_the_ends_of_a_scale_are_named():
    levels = ["none", "some", "much", "most"]
    frame = firms().assign(grade=firms()["grade"].map(dict(enumerate(levels))))
    design = small_design("ordinal", "additive", levels=levels, frame=frame)
    assert outcome_facts(design).label == "mean level of grade (1 = none, 4 = most)"


@pytest.mark.parametrize(("column", "count"), [("panel", 12), ("firm", 48), (None, 48)])
def test_firms_are_counted_once(column, count):
    found = sample_facts(small_design("bernoulli", "additive", data={"firm": column}))
    assert (found.firms, found.rows) == (count, 48)
