"""Simulated firms and their refits: what a design analysis and a calibration have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, Literal, NamedTuple, Protocol

import numpy as np
import xarray as xr
from scipy.stats import beta

from bayescluster.app.collect import ReadingInputs, readers_asked, readings_of
from bayescluster.app.prepare import AnalysisSource, analysis_source, designs_of
from bayescluster.arrays import Array
from bayescluster.checks.comparison import FormFit, form_rows
from bayescluster.checks.loo import leave_row_out
from bayescluster.design.arrays import resized
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, FitError, Problem
from bayescluster.estimands.diagnostics import diagnostics, number
from bayescluster.inference.density import Refit, Repeated
from bayescluster.model.evaluate import Draws
from bayescluster.names import CLUSTER, DRAWN_AFTER, INDUSTRY
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import Gate, Verdict
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.columns import Where
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.studies.design_analysis.results import DECLARED, Judged, Share, SizeFacts
from bayescluster.summaries.build import is_summarised
from bayescluster.verdicts.claims import CLAIMS, Judge
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import (
    Averaged,
    JudgedForm,
    WeightedForm,
    claims_of_verdicts,
    verdicts_over_forms,
)

SIZE_STREAM, TRUTH_STREAM, OUTCOME_STREAM, REFIT_STREAM, PRIOR_STREAM, RANK_STREAM = range(6)
"""What a random stream of a study is for."""
TIMES_MAX: Final = 20.0
PRIOR_DRAWS: Final = 200
"""Prior draws next to each refit: no probability or verdict rests on them."""
COPIES: Final = 20
"""How often the true parameters are repeated to be read as if they were a posterior."""
READ: Final = 500
"""Draws of a refit that are read, evenly spaced: reading takes as long as sampling does."""
RHAT_MAX: Final = 1.05
"""Above this a refit fails its gate.

Laxer than the gate of an analysis: a refit has few draws, and what counts is on which side of a
bound a probability falls, not its second decimal.
"""


class RefitOptions(Protocol):
    """Settings that the options of both studies have."""

    @property
    def draws(self) -> int:
        """Draws kept in each chain of a refit."""

    @property
    def tune(self) -> int:
        """Draws spent on adapting each chain."""

    @property
    def chains(self) -> int:
        """Chains of a refit."""

    @property
    def seed(self) -> int | None:
        """Seed; that of the analysis without it."""


class Size(NamedTuple):
    """A size, and the firms of that size as a design of the first form of the analysis."""

    facts: SizeFacts
    design: Design

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"firms-{self.facts.firms_times:g}-clusters-{self.facts.clusters_times:g}"

    @property
    def stream(self) -> tuple[int, int]:
        """Entropy that distinguishes it from other sizes."""
        return _size_stream(self.facts.firms_times, self.facts.clusters_times)


def _size_stream(firms: float, clusters: float) -> tuple[int, int]:
    return round(1000 * firms), round(1000 * clusters)


@dataclass(frozen=True)
class SimulationPlan[Options: RefitOptions]:
    """An analysis whose firms are simulated: the designs of its forms, and the options."""

    STREAM: ClassVar[int]
    """Keeps the random streams of a study apart from all others."""

    source: AnalysisSource
    forms: tuple[Design, ...]
    options: Options
    seed: int
    home: Path

    @property
    def analysis(self) -> Analysis:
        """The analysis with all its forms."""
        return self.source.analysis

    def rng(self, *stream: int) -> np.random.Generator:
        """Source of randomness for one use."""
        return np.random.default_rng((self.seed, self.STREAM, *stream))

    def seed_of(self, *stream: int) -> int:
        """Seed for one use of chance."""
        state = np.random.SeedSequence((self.seed, self.STREAM, *stream))
        return int(state.generate_state(1, np.uint32)[0])

    def size(self, firms: float, clusters: float) -> Size:
        """Take the firms to another size, and describe it."""
        rng = self.rng(SIZE_STREAM, *_size_stream(firms, clusters))
        design, declared = resized(self.forms[0], firms, clusters, rng), self.analysis.data
        facts = SizeFacts(
            firms_times=firms,
            clusters_times=clusters,
            rows=design.size,
            firms=int(np.unique(design.firms).size),
            clusters=len(design.group_labels(CLUSTER)) if declared.cluster is not None else 0,
            industries=len(design.group_labels(INDUSTRY)) if declared.industry is not None else 0,
        )
        return Size(facts, design)

    def refit_settings(self) -> dict[str, object]:
        """What every refit depends on, for the key of the study."""
        options = self.options
        names = {"draws": options.draws, "tune": options.tune, "chains": options.chains}
        return {"seed": self.seed, **names}

    def sampling(self, target_accept: float, *stream: int) -> Sampling:
        """Settings of a refit."""
        return Sampling(
            draws=self.options.draws,
            tune=self.options.tune,
            chains=self.options.chains,
            seed=self.seed_of(REFIT_STREAM, *stream),
            target_accept=target_accept,
        )


def read_analysis(
    source: Analysis | Path | str,
    problems: Callable[[Analysis, Where], Iterable[Problem]],
    error: type[ConfigError],
) -> tuple[AnalysisSource, tuple[Design, ...]]:
    """Read an analysis and its firms, and refuse what cannot be simulated.

    Raises
    ------
    ConfigError
        If the analysis or the options cannot be understood, or it cannot be simulated: ``error``.
    DataError
        If the data are not there, or do not fit the analysis.
    """
    read = analysis_source(source)
    refused = [*problems(read.analysis, read.where)]
    if is_summarised(read.analysis, read.directory):
        refused.append(
            Problem(
                "the file has so many firms that their likelihood is summarised: data sets of that "
                "size are not simulated",
                read.where(("data", "source")),
                "take a random sample of the firms as a file of its own, and ask for more firms by "
                "--firms; or, for all of them, set sampling.likelihood: full",
            )
        )
    if refused:
        raise error(refused)
    return read, designs_of(read)


def size_problems(
    firms: Sequence[float], clusters: Sequence[float], analysis: Analysis
) -> Iterator[Problem]:
    """Report what is wrong with multipliers of firms and clusters."""
    for way, times in (("firms", firms), ("clusters", clusters)):
        for value in times:
            if not 0 < value <= TIMES_MAX:  # not a number is caught too
                yield Problem(
                    f"{value:g} times the {way}",
                    f"--{way}",
                    f"a multiplier is above 0 and at most {TIMES_MAX:g}, such as 0.5,1,2",
                )
        if len(set(times)) < len(times):
            yield Problem("a multiplier is listed twice", f"--{way}", "name each once")
    if analysis.data.cluster is None and set(clusters) != {1.0}:
        yield Problem(
            "the data declare no clusters, so that there cannot be more or fewer of them",
            "--clusters",
            "leave it out, or name the column of the clusters under `data: cluster`",
        )


def copied(draws: Draws) -> Draws:
    """Repeat the first draw, to be read as if it were a posterior."""
    return replace(draws.part(np.zeros(COPIES, dtype="int64")), chains=0)


class Attempt(NamedTuple):
    """A refit and how it went; no refit where none could be made."""

    refit: Refit | None
    status: Literal["fitted", "not_converged", "not_fitted"]
    reason: str = ""
    rhat: float | None = None
    divergences: int = 0


def attempted(repeated: Repeated, design: Design, sampling: Sampling) -> Attempt:
    """Refit simulated data, or report why an analysis would have no posterior of them."""
    refused = next(filter(None, map(_refused, design.equations)), "")
    if refused:
        return Attempt(None, "not_fitted", refused)
    try:
        refit = repeated.fit(design, sampling)
    except FitError as error:
        return Attempt(None, "not_fitted", error.problems[0].what)
    rhat, divergences = _largest_rhat(refit), int(refit.tree["sample_stats"]["diverging"].sum())
    if rhat is not None and rhat <= RHAT_MAX:
        return Attempt(refit, "fitted", "", rhat, divergences)
    return Attempt(refit, "not_converged", f"R-hat above {RHAT_MAX:g}", rhat, divergences)


def _refused(design: Design) -> str:
    """Why an analysis would refuse the outcome of an equation, if it would."""
    rows, outcome = design.rows.at(np.flatnonzero(design.answered)), design.answers
    if not np.isfinite(outcome).all() or design.family.support(outcome, rows) is not None:
        return "the simulated outcome is outside the support of the family"
    return "the simulated outcome is the same in every row" if np.ptp(outcome) == 0 else ""


def _largest_rhat(refit: Refit) -> float | None:
    """Largest R-hat of any parameter; nothing where there is only one chain."""
    variables = refit.tree["posterior"].to_dataset().data_vars.values()
    # what is drawn after the fit says nothing of the chains
    parts = [_by_draw(each) for each in variables if DRAWN_AFTER not in each.attrs]
    values = np.concatenate(parts, axis=1)
    rhat = diagnostics(values[:, np.ptp(values, axis=0) > 0], refit.draws.chains)[0]
    return number(float(rhat.max()))


def _by_draw(variable: xr.DataArray) -> Array:
    draws = variable.sizes["chain"] * variable.sizes["draw"]
    ordered = variable.transpose("chain", "draw", ...)
    return np.asarray(ordered.to_numpy(), dtype="float64").reshape(draws, -1)


class AnswerKey(NamedTuple):
    """A claim for one group; ``place`` numbers those that share all of it."""

    tradition: str
    claim: str
    by: str
    group: str
    place: int = 0


class Answer(NamedTuple):
    """Probability of a claim for one group, and its verdict."""

    title: str
    probability: float | None
    verdict: str

    def judged(self, key: AnswerKey, truth: float | None, region: float | None = None) -> Judged:
        """Record the answer with what is true, and whether its region holds."""
        return Judged.model_validate(
            {
                "tradition": key.tradition,
                "claim": key.claim,
                "title": self.title,
                "by": key.by,
                "group": key.group,
                "truth": truth,
                "region": truth if region is None else region,
                "probability": self.probability,
                "verdict": self.verdict,
            }
        )


class FormRefit(NamedTuple):
    """A refit of one form: its estimands, all its draws, and whether they can be relied on."""

    evidence: Evidence
    tree: xr.DataTree
    gate_passed: bool


class Judging(NamedTuple):
    """How claims are judged: by the estimands of one form, or over several."""

    evidence: Evidence
    """Of several forms their mixture."""
    judge: Judge
    gate_passed: bool


def alone(evidence: Evidence, *, gate_passed: bool) -> Judging:
    """Judge by one form."""
    judge = partial(verdicts, evidence=evidence, gate_passed=gate_passed)
    return Judging(evidence, judge, gate_passed)


def judging(refits: Sequence[FormRefit]) -> Judging:
    """Judge by those forms that the data leave plausible, as a run does."""
    if len(refits) == 1:
        return alone(refits[0].evidence, gate_passed=refits[0].gate_passed)
    designs = [each.evidence.design for each in refits]
    fits = [
        FormFit(
            design.structure,
            Gate(passed=each.gate_passed, items=()),
            leave_row_out(design, each.tree),
            None,
            None,
        )
        for design, each in zip(designs, refits, strict=True)
    ]
    pairs = list(zip(form_rows(fits), refits, strict=True))
    mixture = Averaged([WeightedForm(row.form, row.weight, each.evidence) for row, each in pairs])

    def judge(claims: tuple[Hypothesis, ...]) -> tuple[Verdict, ...]:
        forms = [
            JudgedForm(
                row.form, row.plausible, row.gate_passed, verdicts(claims, each.evidence, True)
            )
            for row, each in pairs
        ]
        return verdicts_over_forms(claims_of_verdicts(claims, mixture), forms, designs[0])

    return Judging(mixture, judge, all(row.gate_passed for row, _ in pairs if row.plausible))


def answers(judges: Judging, *, posterior_only: bool = False) -> dict[AnswerKey, Answer]:
    """Judge the declared hypotheses, and read every claim at the corners.

    Other traditions are read where the analysis sets them up under ``traditions``: they take longer than
    the rest together. ``posterior_only`` leaves out those whose probabilities are no shares of draws.
    """
    numbered: dict[AnswerKey, Answer] = {}
    for key, answer in _answers(judges, posterior_only):
        while key in numbered:
            key = key._replace(place=key.place + 1)
        numbered[key] = answer
    return numbered


def _answers(judges: Judging, posterior_only: bool) -> Iterator[tuple[AnswerKey, Answer]]:
    analysis = judges.evidence.design.analysis
    for position, claim in enumerate(analysis.hypotheses, start=1):
        for verdict in judges.judge((claim,)):
            scope = verdict.scope.replace("_", " ")
            title = verdict.title if scope == "observed" else f"{verdict.title} ({scope})"
            answer = Answer(title, verdict.probability, verdict.verdict)
            yield AnswerKey(DECLARED, f"{position}", verdict.by, verdict.group), answer
    readers = readers_asked(analysis, posterior_only=posterior_only)
    for reading in readings_of(ReadingInputs(*judges), readers):
        answer = Answer(CLAIMS[reading.claim], reading.probability, reading.verdict)
        key = AnswerKey(reading.tradition, reading.claim, reading.by, reading.group)
        yield key, answer


def share_of(count: float, size: float, replications: int) -> Share:
    """A share with its Jeffreys interval.

    Verdicts of one replication share its outcome and are not independent: the interval counts
    replications rather than verdicts, which makes it too wide rather than too narrow. Source: Brown,
    Cai and DasGupta (2001), Statistical Science 16(2); the ends are 0 and 1 themselves.
    """
    share = count / size
    hits, tail = share * replications, (1 - INTERVAL) / 2
    misses = replications - hits
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits + 0.5, misses + 0.5))
    high = 1.0 if misses == 0 else float(beta.isf(tail, hits + 0.5, misses + 0.5))
    return Share(share=share, low=low, high=high)
