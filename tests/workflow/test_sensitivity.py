"""Power-scaling of a fit: blocks, likelihood and verdicts, against posteriors known in closed form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayescluster.features.sensitivity.compute import (
    POWERS,
    Scaled,
    of_leading_form,
    scaled_verdicts,
    sensitivity_of,
)
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

CHAINS, SIZE = 4, 4000
POSTERIOR = (0.55, 0.3)
CLAIM = {"kind": "effect", "capital": "human_capital", "by": "all"}


class Toy(NamedTuple):
    """A slope with a normal posterior, ``POSTERIOR``, which is the effect of an additive form."""

    evidence: Evidence
    slope: np.ndarray

    def judged(self, prior: tuple[float, float], gate: bool = True) -> list[Any]:
        """Verdicts with a normal prior of the slope to each power."""
        block = Scaled("slopes", stats.norm.logpdf(self.slope, *prior))
        plain = verdicts(self.evidence.design.analysis.hypotheses, self.evidence, gate)
        return list(scaled_verdicts(self.evidence, (block,), plain))


@pytest.fixture(scope="module")
def toy() -> Toy:
    design = small_design("gaussian", "additive", hypotheses=[CLAIM])
    keys: dict[str, Any] = {"spread": POSTERIOR[1], "human_capital": POSTERIOR[0]}
    posterior = known_draws(design, SIZE, CHAINS, **keys)
    evidence = Evidence(design, posterior, known_draws(design, 200, 1, seed=3), 7)
    return Toy(evidence, posterior.population["human_capital"])


def scaled_normal(prior: tuple[float, float], power: float) -> Any:
    """The posterior with the prior to a power."""
    now, more = POSTERIOR[1] ** -2, (power - 1) * prior[1] ** -2
    mean = (now * POSTERIOR[0] + more * prior[0]) / (now + more)
    return stats.norm(mean, (now + more) ** -0.5)


def test_a_verdict_flips_where_the_posterior_in_closed_form_says_so(toy):
    prior = (0.0, 0.4)
    rows = {row.power: row for row in toy.judged(prior)}
    assert tuple(rows) == POWERS
    for power, row in rows.items():
        wanted = scaled_normal(prior, power).sf(0.0)
        assert abs(row.probability - wanted) < 4 * row.mcse
        assert row.mcse < 0.01
    # supported as it is, at .967; with the prior squared the probability is .929
    assert [row.verdict for row in rows.values()] == [*["supported"] * 3, "undecided"]
    assert [row.flips for row in rows.values()] == [False, False, False, True]
    assert rows[2.0].certain


def test_a_flip_within_monte_carlo_error_is_no_certain_one(toy):
    prior = (0.0, 0.52)
    row = {row.power: row for row in toy.judged(prior)}[2.0]
    assert row.flips
    assert abs(row.probability - 0.95) < 2 * row.mcse
    assert not row.certain


def test_what_stops_a_verdict_stops_it_under_every_power(toy):
    for row in toy.judged((0.0, 0.4), gate=False):
        assert (row.verdict, row.flips, row.certain) == ("undecided", False, False)


def test_a_power_beyond_these_draws_is_not_told(toy):
    rows = {row.power: row for row in toy.judged((-4.0, 0.3))}
    far = rows[2.0]
    assert (far.verdict, far.probability, far.mcse) == ("cannot be told", None, None)
    assert not far.flips


def fit(design: Any, **parameters: Any) -> tuple[Evidence, xr.Dataset, np.ndarray]:
    """Evidence, posterior and log likelihood of independent draws around given coefficients."""
    rng = np.random.default_rng(4)
    terms = len(design.terms)
    centre = np.array(parameters.get("centre", np.zeros(terms)))
    population = centre + 0.25 * rng.normal(size=(CHAINS, 500, terms))
    posterior = xr.Dataset(
        {
            "population": (("chain", "draw", "term"), population),
            "sigma": (("chain", "draw"), rng.uniform(2.8, 3.2, (CHAINS, 500))),
        },
        {"chain": range(CHAINS), "draw": range(500), "term": list(design.terms)},
    )
    draws = draws_of(design, posterior)
    density = log_likelihood(design, draws).sum(axis=1)
    return Evidence(design, draws, draws, 1), posterior, density


def made(design: Any, **keys: Any) -> Any:
    evidence, *drawn = fit(design, **keys)
    claimed = verdicts(design.analysis.hypotheses, evidence, gate_passed=True)
    return sensitivity_of(evidence, *drawn, claimed)


def test_every_block_all_priors_and_the_likelihood():
    found = made(small_design("gaussian", "additive", hypotheses=[CLAIM]), centre=[10.0, 1.0, 0.5])
    assert [block.name for block in found.blocks] == ["population", "noise"]
    blocks = ["population", "noise", "all", "likelihood"]
    assert list(dict.fromkeys(row.block for row in found.rows)) == blocks
    quantities = list(dict.fromkeys((row.quantity, row.group) for row in found.rows))
    assert ("population[intercept]", None) in quantities
    assert ("sigma", None) in quantities
    assert ("effect of human_capital", "I1") in quantities
    # two ways to the same number: the effect of an additive form is its slope
    by = {(row.quantity, row.group, row.block): row for row in found.rows}
    slope = by["population[human_capital]", None, "population"].value
    assert by["effect of human_capital", "all", "population"].value == pytest.approx(slope)
    assert len(found.verdicts) == 3 * len(POWERS)
    assert found.not_made == ()


def test_a_prior_far_from_the_data_is_named():
    stated = {"terms": {"human_capital": {"distribution": "normal", "mean": -5.0, "sd": 0.6}}}
    design = small_design("gaussian", "additive", hypotheses=[CLAIM], priors=stated)
    found = made(design, centre=[10.0, 0.5, 0.5])
    (told,) = [one for one in found.statements if "by the priors of population effects" in one]
    assert "population[human_capital]" in told
    assert "effect of human_capital (all)" in told
    flagged = {row.quantity for row in found.rows if row.diagnosis == "prior-data conflict"}
    assert {"population[human_capital]", "effect of human_capital"} <= flagged
    assert not {"population[social_capital]", "effect of social_capital"} & flagged
    title = "More human capital goes with a higher expected outcome (all)"
    start = (
        f"{title}: supported as declared, undecided with the priors of population effects to the "
        "power 1.25"
    )
    assert any(one.startswith(start) for one in found.statements)
    assert any(
        one.startswith(
            "With the priors of population effects to the power 2 verdicts cannot be told"
        )
        and "refit with such priors under equations.upgrading.priors: terms, controls" in one
        for one in found.statements
    )


def test_weak_priors_are_not():
    design = small_design("gaussian", "additive", hypotheses=[CLAIM])
    found = made(design, centre=[10.0, 1.0, 0.5])
    assert found.statements == (
        "No parameter and no estimand is sensitive to a block of priors.",
        "No verdict changes with any block of priors to a power from 0.5 to 2.",
    )


def test_a_likelihood_that_is_none_is_not_scaled():
    frame = firms().assign(weight=np.linspace(0.5, 1.5, 48))
    design = small_design("gaussian", "additive", frame=frame, data={"weight": "weight"})
    found = made(design)
    (said,) = found.not_made
    assert said == (
        "The likelihood was not scaled: with survey weights it is a pseudo-likelihood, whose power "
        "is no amount of data."
    )
    assert "likelihood" not in {row.block for row in found.rows}
    assert found.rows


def test_a_model_whose_prior_is_not_known_is_not_scaled():
    design = small_design("gaussian", "additive", hypotheses=[CLAIM])
    evidence, posterior, density = fit(design)
    unknown = posterior.assign(horseshoe=posterior["sigma"])
    claimed = verdicts(design.analysis.hypotheses, evidence, True)
    found = sensitivity_of(evidence, unknown, density, claimed)
    assert found.not_made == ("No prior could be scaled: no prior is known here of horseshoe.",)
    assert (found.blocks, found.rows, found.verdicts, found.statements) == ((), (), (), ())


def test_of_several_forms_the_parameters_of_the_leading_one():
    design = small_design("gaussian", "additive", hypotheses=[CLAIM])
    found = made(design, centre=[10.0, 1.0, 0.5])
    kept = of_leading_form(found, "additive")
    assert kept is not None
    assert {row.kind for row in kept.rows} == {"parameter"}
    assert kept.verdicts == ()
    assert kept.statements == ("No parameter is sensitive to a block of priors.",)
    assert "these are the parameters of additive" in kept.not_made[-1]
    assert of_leading_form(None, "additive") is None
