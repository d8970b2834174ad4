"""Rules on the computation: sampler, convergence, resolution."""

from __future__ import annotations

from functools import partial
from typing import Final

from bayescluster.checks.thresholds import DOUBLED_CHANGE
from bayescluster.results.calibration import Calibration, State
from bayescluster.results.checklist import Status
from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted

SAMPLER = ("Divergences", "E-BFMI", "Tree depth")


def _software(known: Known) -> Answer:
    fit = known.results.fit
    what = f"{fit.sampler}, {fit.chains} chains of {fit.draws:,} draws after {fit.tune:,}"
    return Answer("done", what, "#reproduction")


def _gate(known: Known, names: tuple[str, ...]) -> Answer:
    items = [item for name in names if (item := known.gate(name)) is not None]
    made = [item for item in items if item.passed is not None]
    if len(made) < len(names):
        return Answer("not done", "the check was not made", "#checks", "run the fit again")
    found = "; ".join(f"{item.name} {item.found}" for item in made)
    failed = [item for item in made if not item.passed]
    if failed:
        return Answer("look", found, "#checks", failed[0].advice)
    return Answer("done", found, "#checks")


STATES: Final[dict[State, tuple[Status, str]]] = {
    "not_rejected": ("done", "ranks of the truth look uniform"),
    "rejected": ("look", "ranks of the truth are not uniform"),
    "too_few": ("look", "too few refits to test whether ranks are uniform"),
}


def _calibrated(known: Known) -> Answer:
    found = known.study("calibrate", Calibration)
    if found is None:
        return known.not_done("calibrate", "simulation-based calibration")
    status, words = STATES[found.state]
    rows = sum(len(form.rows) for form in found.forms)
    passed = sum(form.passed for form in found.forms)
    made = sum(form.replications for form in found.forms)
    what = f"{words}: {counted(rows, 'quantity', 'quantities')}, {passed} of {made} refits passed"
    return Answer(status, what, known.pages["calibrate"])


def _doubled(known: Known) -> Answer:
    found, fit = known.doubled, known.results.fit
    if found is None:
        return Answer(
            "not done",
            "no run of this model with twice the draws was found",
            next=f"set sampling.draws to {2 * fit.draws}, and run again under the same name",
        )
    what = (
        f"with {found.draws:,} draws in all (run {found.key}) no effect moves by more than "
        f"{found.largest:.2f} of its sd"
    )
    return Answer("done" if found.largest <= DOUBLED_CHANGE else "look", what, "#effects")


RULES = (
    Rule("Is the software named?", ("BARG 2.A",), _software),
    Rule(
        "Have the chains converged, for every parameter and estimand?",
        ("BARG 2.B", "WAMBS 2"),
        partial(_gate, names=("R-hat",)),
    ),
    Rule("Does that hold with twice the draws?", ("WAMBS 3",), _doubled),
    Rule(
        "Are there enough independent draws?",
        ("BARG 2.C", "WAMBS 4", "WAMBS 5"),
        partial(_gate, names=("ESS, bulk", "ESS, tail")),
    ),
    Rule(
        "Does the method recover truths drawn from its prior?",
        ("Workflow 4",),
        _calibrated,
    ),
    Rule("Did the sampler run well?", ("Workflow 5",), partial(_gate, names=SAMPLER)),
)
