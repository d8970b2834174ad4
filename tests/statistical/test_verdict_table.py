"""Verdicts on firms whose structure is known: compensatory truths at several base rates, gates, none.

Each data set is fitted under all four forms and judged over the plausible ones, as a run does. Of a
compensatory truth a supported necessity or complementarity is an error, whatever the probabilities at
the corners are. ``python -m tests.statistical.test_verdict_table 20 1200`` writes the table again,
``verdict_table.csv`` beside this file, for 20 data sets a truth of 1,200 firms.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit

from bayescluster.checks.comparison import FormFit, form_rows
from bayescluster.checks.loo import leave_row_out
from bayescluster.design.forms import of_form
from bayescluster.design.resize import replaced
from bayescluster.inference.density import draw_prior
from bayescluster.inference.repeated import Repeated
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.results.model import Gate
from bayescluster.spec.analysis import Sampling
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.plausible import JudgedForm, claims_of_verdicts, verdicts_over_forms
from tests.factories import analysis_of, design_of

pytestmark = pytest.mark.slow

FORMS = ("interaction", "conjunctive", "ces", "additive")
CHAINS, DRAWS, TUNE = 2, 400, 300
Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]


def gates(*corners: float) -> Surface:
    """Four corners behind two gates: both low, human alone, social alone, both high."""

    def expected(h: np.ndarray, s: np.ndarray) -> np.ndarray:
        g, k = expit(3 * h), expit(3 * s)
        weights = ((1 - g) * (1 - k), g * (1 - k), (1 - g) * k, g * k)
        return np.asarray(sum(w * corner for w, corner in zip(weights, corners, strict=True)))

    return expected


def logit_sum(
    intercept: float, human: float = 1.0, social: float = 1.0, product: float = 0.0
) -> Surface:
    """A logit that is linear in the capitals and their product."""
    return lambda h, s: expit(intercept + human * h + social * s + product * h * s)


TRUTHS: dict[str, tuple[Surface, frozenset[str]]] = {
    "additive, a=-3": (logit_sum(-3), frozenset()),
    "additive, a=-2.5": (logit_sum(-2.5), frozenset()),
    "additive, a=-1": (logit_sum(-1), frozenset()),
    "additive, a=0": (logit_sum(0), frozenset()),
    "additive, slopes 1.6 and 0.4": (logit_sum(-2.5, 1.6, 0.4), frozenset()),
    "interaction": (logit_sum(-2, 0.7, 0.7, 0.5), frozenset({"N", "C"})),
    "gates": (gates(0.02, 0.05, 0.05, 0.80), frozenset({"N", "C"})),
    "gates, human capital only": (gates(0.02, 0.55, 0.04, 0.80), frozenset({"N", "C"})),
    "flat .08": (lambda h, _: np.full_like(h, 0.08), frozenset()),
    "rare": (gates(0.01, 0.02, 0.02, 0.09), frozenset()),
}
"""Expected outcome by truth, and which of the claims below hold of its structure."""

CLAIMS = {
    "N": {"kind": "necessary", "capital": "human_capital", "by": "all"},
    "C": {"kind": "complementarity", "by": "all"},
}


class Trial:
    """All forms of one set of firms, compiled once."""

    def __init__(self, rows: int) -> None:
        rng = np.random.default_rng(rows)
        self.human, other = rng.normal(size=(2, rows))
        self.social = 0.2 * self.human + np.sqrt(0.96) * other
        none = {"cluster": None, "industry": None}
        analysis = analysis_of(
            "bernoulli", list(FORMS), {}, data=none, hypotheses=list(CLAIMS.values())
        )
        frame = pd.DataFrame(
            {
                "firm": [f"f{k}" for k in range(rows)],
                "training": self.human,
                "trust": self.social,
                "upgraded": (rng.random(rows) < 0.5).astype(float),
            }
        )
        self.models = {form: Repeated(design_of(of_form(analysis, form), frame)) for form in FORMS}
        self.priors = {}
        for form, model in self.models.items():
            design = model.design
            drawn = draw_prior(design, 100, 3)
            self.priors[form] = draws_of(design, drawn)

    def judge(self, truth: Surface, seed: int) -> dict[str, str]:
        """Verdict on every claim for one data set of a truth."""
        rng = np.random.default_rng([seed, self.human.size])
        outcome = (rng.random(self.human.size) < truth(self.human, self.social)).astype(float)
        fits, judged = [], []
        for form, model in self.models.items():
            sampling = Sampling(draws=DRAWS, tune=TUNE, chains=CHAINS, seed=seed, target_accept=0.9)
            design, draws, tree = model.fit(replaced(model.design, outcome), sampling)
            density = log_likelihood(design, draws).reshape(CHAINS, DRAWS, -1)
            tree["log_likelihood"] = xr.Dataset(
                {design.equation_name: (("chain", "draw", "firm"), density)}
            )
            gate = Gate(passed=True, items=())
            fits.append(
                FormFit(design.structure, "", gate, leave_row_out(design, tree), None, None)
            )
            evidence = Evidence(design, draws, self.priors[form], 1)
            judged.append(verdicts(design.analysis.hypotheses, evidence, True))
        forms = [
            JudgedForm(row.form, row.plausible, True, own)
            for row, own in zip(form_rows(fits), judged, strict=True)
        ]
        claims = claims_of_verdicts(design.analysis.hypotheses, evidence)
        found = verdicts_over_forms(claims, forms, design)
        return {name: one.verdict for name, one in zip(CLAIMS, found, strict=True)}


class Cell(NamedTuple):
    """How a claim was judged over the data sets of one truth and size."""

    truth: str
    rows: int
    claim: str
    holds: bool
    sets: int
    states: Counter[str]


def table(
    trial: Trial, sets: int, truths: dict[str, tuple[Surface, frozenset[str]]]
) -> Iterator[Cell]:
    """Judge so many data sets of every truth."""
    for name, (surface, holding) in truths.items():
        counts: dict[str, Counter[str]] = {claim: Counter() for claim in CLAIMS}
        for seed in range(sets):
            for claim, state in trial.judge(surface, seed).items():
                counts[claim][state] += 1
        for claim in ("N", "C"):
            yield Cell(name, trial.human.size, claim, claim in holding, sets, counts[claim])


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial(1200)


@pytest.mark.parametrize("truth", [name for name, (_, holds) in TRUTHS.items() if not holds])
def test_a_compensatory_truth_is_hardly_ever_taken_for_the_theory(truth: str, trial: Trial) -> None:
    for cell in table(trial, 5, {truth: TRUTHS[truth]}):
        assert cell.states["supported"] == 0, cell


def test_gates_are_found(trial: Trial) -> None:
    for cell in table(trial, 5, {"gates": TRUTHS["gates"]}):
        assert cell.states["rejected"] == 0, cell
        assert cell.states["supported"] >= 2, cell


STATES = (
    "supported",
    "undecided",
    "rejected",
    "not assessable",
    "scale-dependent",
    "depends on the form",
)


def main() -> None:
    """Write the table for the sets and sizes that are asked for."""
    sets, sizes = int(sys.argv[1]), [int(size) for size in sys.argv[2].split(",")]
    path = Path(__file__).with_name("verdict_table.csv")
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not file.tell():
            writer.writerow(("truth", "rows", "claim", "holds", "data sets", *STATES))
        for size in sizes:
            for cell in table(Trial(size), sets, TRUTHS):
                counts = [cell.states[state] for state in STATES]
                writer.writerow((*cell[:3], "yes" if cell.holds else "no", cell.sets, *counts))
                file.flush()


if __name__ == "__main__":
    main()
