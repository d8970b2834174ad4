"""One replication of a design analysis: an outcome from the truth, refitted, and judged against it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.design.replaced import replaced
from bayescluster.errors import FitError
from bayescluster.estimands.summary import diagnostics, number
from bayescluster.families import Family, Rows
from bayescluster.hypotheses.ceilings.readings import NECESSITY
from bayescluster.hypotheses.claims import CLAIMS
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import verdicts
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import DRAWN_AFTER
from bayescluster.results.design_analysis import DECLARED, Judged, Replication
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.spec.sampling import Sampling
from bayescluster.structures.additive import ADDITIVE
from bayescluster.workflow.traditions import READERS, Asked, Reader, readings_of

RHAT_MAX: Final = 1.05
"""Above this a refit counts as undecided.

Laxer than the gate of an analysis: a refit has few draws, and what counts is on which side of a
bound a probability falls, not its second decimal.
"""

COPIES: Final = 20
"""How often the true parameters are repeated to be read as if they were a posterior."""


READ: Final = 500
"""Draws of a refit that are read, evenly spaced: reading takes as long as sampling does."""


class Truth(NamedTuple):
    """A design under the form that outcomes are simulated from, and one draw of its parameters."""

    design: Design
    draw: Draws


class Fitter(NamedTuple):
    """A compiled form, and draws of its prior."""

    repeated: Repeated
    prior: Draws

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.repeated.design.structure.name


def simulated(truth: Truth, rng: np.random.Generator) -> Array:
    """Outcome of every row, drawn from the truth, ``(row,)``."""
    return np.asarray(replicate(truth.design, truth.draw, rng)[0])


def judged_replication(
    truth: Truth, fitter: Fitter, number_: int, outcome: Array, sampling: Sampling
) -> Replication:
    """Refit an outcome and judge every claim; a fit that fails is told as such.

    Parameters
    ----------
    truth
        What the outcome was drawn from.
    fitter
        The form that is fitted.
    number_
        Number of the replication.
    outcome
        The simulated outcome, ``(row,)``.
    sampling
        Settings of the refit.
    """
    started = time.perf_counter()
    true = replace(truth.draw.part(np.zeros(COPIES, dtype="int64")), chains=0)
    real = Evidence(replaced(truth.design, outcome), true, true, sampling.seed)
    made = attempted(fitter.repeated, replaced(fitter.repeated.design, outcome), sampling)
    found = None
    if made.refit is not None:
        draws = made.refit.draws.thinned_by_chain(READ)
        evidence = Evidence(made.refit.design, draws, fitter.prior, sampling.seed)
        found = evidence, made.status == "fitted"
    return Replication(
        truth=truth.design.structure.name,
        fitted=fitter.form,
        number=number_,
        status=made.status,
        reason=made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
        seconds=round(time.perf_counter() - started, 3) if found else 0.0,
        judged=_told(real, found),
    )


class Attempt(NamedTuple):
    """A refit and how it went; no refit where none could be made."""

    refit: Refit | None
    status: Literal["fitted", "not_converged", "not_fitted"]
    reason: str = ""
    rhat: float | None = None
    divergences: int = 0


def attempted(repeated: Repeated, design: Design, sampling: Sampling) -> Attempt:
    """Refit simulated data, or say why an analysis would have no posterior of them."""
    refused = next(filter(None, map(_refused, design.equations)), "")
    if refused:
        return Attempt(None, "not_fitted", refused)
    try:
        refit = repeated.fit(design, sampling)
    except FitError as error:
        return Attempt(None, "not_fitted", error.problems[0].what)
    rhat = largest_rhat(refit)
    passed = rhat is not None and rhat <= RHAT_MAX
    return Attempt(
        refit,
        "fitted" if passed else "not_converged",
        "" if passed else f"R-hat above {RHAT_MAX:g}",
        rhat,
        int(refit.tree["sample_stats"]["diverging"].sum()),
    )


def largest_rhat(refit: Refit) -> float | None:
    """Largest R-hat of any parameter; nothing where one chain alone was drawn."""
    group = refit.tree["posterior"].to_dataset()
    # what is drawn after the fit says nothing of the chains
    parts = [_flat(found) for found in group.data_vars.values() if DRAWN_AFTER not in found.attrs]
    values = np.concatenate(parts, axis=1)
    moving = values[:, np.ptp(values, axis=0) > 0]
    rhat = diagnostics(moving, refit.draws.chains)[0]
    return number(float(rhat.max()))


def _flat(variable: xr.DataArray) -> Array:
    draws = variable.sizes["chain"] * variable.sizes["draw"]
    ordered = variable.transpose("chain", "draw", ...)
    return np.asarray(ordered.to_numpy(), dtype="float64").reshape(draws, -1)


def _refused(design: Design) -> str:
    """Why an analysis would refuse the outcome of an equation, if it would."""
    family: Family = design.family
    rows: Rows = design.rows.at(np.flatnonzero(design.answered))
    outcome = design.answers
    if not np.isfinite(outcome).all() or family.support(outcome, rows) is not None:
        return "the simulated outcome is outside the support of the family"
    return "the simulated outcome is the same in every row" if np.ptp(outcome) == 0 else ""


Key = tuple[str, str, str, str, int]


class Answer(NamedTuple):
    """What is said of one claim for one group."""

    title: str
    probability: float | None
    verdict: str


def answers(
    evidence: Evidence, gate_passed: bool, readers: tuple[Reader, ...] = READERS
) -> dict[Key, Answer]:
    """Judge the declared hypotheses, and read every claim by every tradition asked for."""

    def judge(some: tuple[Hypothesis, ...]) -> tuple[Verdict, ...]:
        return verdicts(some, evidence, gate_passed)

    found: dict[Key, Answer] = {}
    for key, answer in _said(Asked(evidence, judge, gate_passed), readers):
        place = 0
        while (*key, place) in found:
            place += 1
        found[(*key, place)] = answer
    return found


def _said(
    asked: Asked, readers: tuple[Reader, ...]
) -> Iterator[tuple[tuple[str, str, str, str], Answer]]:
    hypotheses = asked.evidence.design.analysis.hypotheses
    for position, claim in enumerate(hypotheses):
        for verdict in asked.judge((claim,)):
            title = verdict.title
            if verdict.scope != "observed":
                title = f"{title} ({verdict.scope.replace('_', ' ')})"
            answer = Answer(title, verdict.probability, verdict.verdict)
            yield (DECLARED, f"{position + 1}", verdict.by, verdict.group), answer
    for reading in readings_of(asked, readers):
        answer = Answer(CLAIMS[reading.claim], reading.probability, reading.verdict)
        yield (reading.tradition, reading.claim, reading.by, reading.group), answer


def true_answers(real: Evidence) -> dict[Key, Answer]:
    """Answers at the true parameters.

    A ceiling claim asks for more than a compensatory model gives: under an additive truth, which is
    such a model, it is false however large d is.
    """
    found = answers(real, gate_passed=True)
    if real.design.structure.name != ADDITIVE.name:
        return found
    return {
        key: answer._replace(probability=0.0)
        if key[0] == "ceilings" and key[1] in NECESSITY
        else answer
        for key, answer in found.items()
    }


def _told(real: Evidence, found: tuple[Evidence, bool] | None) -> tuple[Judged, ...]:
    """Set what was found beside what is true; everything is undecided where nothing was fitted."""
    true = true_answers(real)
    if found is None:
        said = {key: Answer(answer.title, None, "undecided") for key, answer in true.items()}
    else:
        said = answers(*found)
    return tuple(
        Judged.model_validate(
            {
                "tradition": key[0],
                "claim": key[1],
                "title": answer.title,
                "by": key[2],
                "group": key[3],
                "truth": true[key].probability if key in true else None,
                "probability": answer.probability,
                "verdict": answer.verdict,
            }
        )
        for key, answer in said.items()
    )
