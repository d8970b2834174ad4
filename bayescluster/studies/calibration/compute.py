"""Simulation-based calibration of an analysis: whether the posterior says what the model means.

Parameters are drawn from the prior, an outcome from them for the firms of the analysis, and the
analysis is fitted to it; over many replications the true values must have uniform ranks among the
draws, and of the claims given a probability that share must be true. Each replication is a file of
its own; what is there is not made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import beta

from bayescluster.app.collect import READERS_OF_THE_POSTERIOR
from bayescluster.app.prepare import model_key_of
from bayescluster.arrays import Array
from bayescluster.checks.thresholds import INDEPENDENT_MIN, NOT_UNIFORM, RANKS_MIN
from bayescluster.checks.uniformity import band, difference, holm, placed
from bayescluster.checks.uniformity import rank_shape as shape
from bayescluster.checks.uniformity import rank_uniformity as uniformity
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.estimands.summary import diagnostics
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.inference.watch import CountingWatch, Silent
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.model.imputation import completed, imputing
from bayescluster.model.measurement import latent_capitals
from bayescluster.model.simulated import Simulated, simulate
from bayescluster.names import DRAW
from bayescluster.results.base import INTERVAL
from bayescluster.runs.files import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.layout import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.studies.calibration.plan import (
    CALIBRATION_STREAM,
    OUTCOME_STREAM,
    PRIOR_STREAM,
    RANK_STREAM,
    REFIT_STREAM,
    REPLICATIONS_MAX,
    TRUTH_STREAM,
    Options,
    Plan,
    Quantity,
    Reading,
    estimands,
    parameters,
    plan_of,
)
from bayescluster.studies.calibration.results import (
    CALIBRATION_VERSION,
    Band,
    Bin,
    Calibration,
    CalibrationReplication,
    FormCalibration,
    QuantityKind,
    QuantityRow,
    Ranked,
    Reliability,
    State,
)
from bayescluster.studies.design_analysis.compute import (
    COPIES,
    READ,
    RHAT_MAX,
    Attempt,
    answers,
    attempted,
)
from bayescluster.studies.design_analysis.plan import Size
from bayescluster.studies.design_analysis.results import Judged, Share
from bayescluster.studies.engine import in_threads, kept
from bayescluster.verdicts.evidence import Evidence


def simulated_words(design: Design) -> str:
    """Name what is simulated: the outcome in focus, those beside it, the answers behind capitals."""
    outcomes = [each.equation.outcome for each in (design, *design.others)]
    found = outcomes[0] if len(outcomes) == 1 else f"{outcomes[0]} (with {', '.join(outcomes[1:])})"
    latent = latent_capitals(design)
    if latent:
        found += f" and the indicators of {' and '.join(latent)}"
    inputs = [gap.name for gap in gaps(design) if gap.place != "outcome"]
    return f"{found}; {', '.join(inputs)}, with missing cells" if inputs else found


def calibration_notes(plan: Plan, forms: Sequence[FormCalibration]) -> Iterator[str]:
    """Say what the ranks and shares rest on."""
    yield (
        "A calibration tests whether simulator, prior, sampler and estimands belong to one and the same "
        "model. It says nothing of whether that model is the one behind the observed firms, whose "
        "outcomes it does not use, but for priors in their units."
    )
    yield (
        "Uniform ranks are not proven by a test that does not reject: with few replications only gross "
        "faults show. Ranks are uniform too where the draws are those of the prior and the outcome was "
        "ignored; the joint log likelihood is there to show that."
    )
    if any(form.claims for form in forms):
        yield (
            "Probabilities are those of the declared hypotheses, of corners, ceilings and causes: shares of "
            "posterior draws. The fuzzy sets are left out, whose shares are of resampled firms. What is "
            "true is what the same reading says at the parameters of the truth; where the event itself "
            "is chance (a new cluster), chance decides it. Of a ceiling the event is that d is at least "
            "as large as declared, not that a compensatory model gives less."
        )
    yield from _of_data(plan.own[0])
    if len(plan.own) > 1:
        yield "Each form is calibrated by itself; the average over the forms is not."
    failed = sum(form.replications - form.passed for form in forms)
    if failed:
        yield (
            f"{failed} replications failed the gate and are left out of the ranks that are judged; "
            "leaving some out by what their outcome did to the sampler keeps ranks uniform. The last "
            "column of the table has them in, as does the line of all claims with them."
        )


def _of_data(design: Design) -> Iterator[str]:
    """Say how the data of a replication were made, and in whose units the priors are."""
    equations = design.equations
    if any(
        each.family.on_link_scale is not None or each.family.link == "log" for each in equations
    ):
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    latent = latent_capitals(design)
    if latent:
        yield (
            f"The answers that measure {' and '.join(latent)} are simulated too, missing where they are "
            "missing in the data. Priors of their thresholds, and the units of the others, are those of "
            "the observed answers."
        )
    if gaps(design) or not all(each.answered.all() for each in equations):
        yield (
            "Cells that are missing in the data are missing in every simulated data set too, as if "
            "chance had chosen them: whether values are missing at random is not tested."
        )
    if len(equations) > 1:
        yield (
            "Outcomes of all equations are simulated, each from those that enter it, and all are "
            "refitted together. Claims are those of the equation in focus."
        )


Generator = Callable[[Design, xr.Dataset, np.random.Generator], Simulated]
"""Draws the data of a design from a truth; another than the model's shows what is caught."""


class Ready(NamedTuple):
    """A compiled form, draws of its prior, truths to simulate from, and what simulates."""

    repeated: Repeated
    prior: Draws
    truths: xr.Dataset
    generator: Generator = simulate

    @property
    def design(self) -> Design:
        """The design of the form."""
        return self.repeated.design


class Chance(NamedTuple):
    """Where the randomness of a replication comes from: data, refit, and ranks."""

    outcome: np.random.Generator
    sampling: Sampling
    rank: np.random.Generator


def calibrated(ready: Ready, number: int, chance: Chance) -> CalibrationReplication:
    """Simulate, refit, and set truth and draws side by side.

    Parameters
    ----------
    ready
        What is fitted, and the truths.
    number
        Number of the replication: that of its truth.
    chance
        Sources of randomness.
    """
    started = time.perf_counter()
    design, form = ready.design, ready.design.equation.form
    data = ready.generator(design, ready.truths.isel({DRAW: [number]}), chance.outcome)
    made = attempted(ready.repeated, data.design, chance.sampling)
    found = CalibrationReplication(
        form=form,
        number=number,
        status=made.status,
        reason=made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
    )
    if made.refit is None:
        return found
    # a seed of its own: new clusters of the truth are not those of the first draws
    real = _reading(data.design, data.draw, _copied, None, chance.sampling.seed + 1)
    posterior = made.refit.tree["posterior"].to_dataset()
    read = _reading(data.design, posterior, _thinned, ready.prior, chance.sampling.seed)
    wanted = [*parameters(design, data.draw), *estimands(real)]
    ranks, fewest = _ranks(wanted, made.refit, read, chance.rank)
    passed = made.status == "fitted"
    return found.model_copy(
        update={
            **_gate(made, fewest),
            "read": read.evidence.posterior.size,
            "ranks": ranks,
            "judged": _judged(real.evidence, read.evidence, passed, chance.rank),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )


def _copied(draws: Draws) -> Draws:
    return replace(draws.part(np.zeros(COPIES, dtype="int64")), chains=0)


def _thinned(draws: Draws) -> Draws:
    return draws.thinned_by_chain(READ)


def _reading(
    design: Design,
    group: xr.Dataset,
    some: Callable[[Draws], Draws],
    prior: Draws | None,
    seed: int,
) -> Reading:
    """Read every equation from some of the draws of a group; without a prior they are their own."""
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    drawn = [some(draws_of(each, group)) for each in turned]
    priors = [drawn[0] if prior is None else prior, *drawn[1:]]
    found = (Evidence(*each, seed) for each in zip(turned, drawn, priors, strict=True))
    return Reading(next(found), tuple(found))


def _gate(made: Attempt, fewest: float) -> dict[str, str]:
    if made.status != "fitted" or fewest >= INDEPENDENT_MIN:
        return {}
    return {
        "status": "not_converged",
        "reason": f"fewer than {INDEPENDENT_MIN} effective draws of a quantity",
    }


def _ranks(
    wanted: Sequence[Quantity], refit: Refit, read: Reading, rng: np.random.Generator
) -> tuple[tuple[Ranked, ...], float]:
    """Rank every truth; and the smallest effective sample size."""
    own = parameters(refit.design, refit.tree["posterior"].to_dataset())
    effective = [*_effective(own, refit.draws.chains)]
    others = estimands(read)
    effective += _effective(others, read.evidence.posterior.chains)
    ranks = []
    for truth, drawn, ess in zip(wanted, [*own, *others], effective, strict=True):
        assert truth.name == drawn.name
        value = float(truth.values[0])
        if not np.isfinite(value) or not np.isfinite(drawn.values).all():
            continue
        place = placed(value, drawn.values.reshape(refit.draws.chains, -1), ess, rng)
        ranks.append(
            Ranked(
                kind=truth.kind,
                name=truth.name,
                truth=value,
                rank=place.rank,
                among=place.among,
                position=place.position,
            )
        )
    known = [ess for ess in effective if np.isfinite(ess)]
    return tuple(ranks), min(known, default=float("inf"))


def _effective(quantities: Sequence[Quantity], chains: int) -> list[float]:
    """Effective sample size of each quantity: of bulk or tails, whichever is smaller."""
    values = np.column_stack([each.values for each in quantities])
    _, bulk, tail, _ = diagnostics(values, chains)
    return [float(found) for found in np.fmin(bulk, tail)]


def _judged(
    real: Evidence, evidence: Evidence, passed: bool, rng: np.random.Generator
) -> tuple[Judged, ...]:
    """Set the probability of each claim beside what is true of it, 0 or 1."""
    if not real.design.has_capitals:
        return ()
    true = answers(real, gate_passed=True, readers=READERS_OF_THE_POSTERIOR)
    said = answers(evidence, passed, READERS_OF_THE_POSTERIOR)
    found = []
    for key, answer in said.items():
        truth = true[key].probability if key in true else None
        if truth is None or answer.probability is None:
            continue
        found.append(
            Judged.model_validate(
                {
                    "tradition": key[0],
                    "claim": key[1],
                    "title": answer.title,
                    "by": key[2],
                    "group": key[3],
                    # where the event itself is chance, chance decides it
                    "truth": float(rng.random() < truth),
                    "probability": answer.probability,
                    "verdict": answer.verdict,
                }
            )
        )
    return tuple(found)


EDGES: Final = tuple(k / 10 for k in range(11))
"""Edges of the bins of stated probability."""


class Told(NamedTuple):
    """Stated probabilities, what came true, and the replication each belongs to, ``(event,)`` each."""

    stated: Array
    came: NDArray[np.bool_]
    replication: NDArray[np.int64]

    def part(self, which: NDArray[np.bool_]) -> Told:
        """Some of them."""
        return Told(self.stated[which], self.came[which], self.replication[which])


class Observed(NamedTuple):
    """A share that came true with its interval, of so many events in so many replications."""

    share: float
    low: float
    high: float
    events: int
    replications: int
    stated: float
    """Mean probability stated."""


class Scores(NamedTuple):
    """Mean scores, and what they would be on average if every stated probability were right."""

    brier: float
    brier_expected: float
    log: float
    log_expected: float
    excess: float
    """Share that came true less the mean probability stated."""
    excess_z: float | None
    """The same in its standard errors over replications; nothing where they do not differ."""


def observed(told: Told) -> Observed | None:
    """Share that came true, with the Jeffreys interval of a sample as large as its replications.

    Events of one replication share an outcome, and are not independent: counting replications rather
    than events makes the interval too wide rather than too narrow. Nothing of no events.
    """
    if not told.stated.size:
        return None
    share, count = float(told.came.mean()), int(np.unique(told.replication).size)
    hits, tail = share * count, (1 - INTERVAL) / 2
    # Brown, Cai and DasGupta (2001), Statistical Science 16(2): the ends are 0 and 1 themselves
    low = float(beta.ppf(tail, hits + 0.5, count - hits + 0.5)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 0.5, count - hits + 0.5)) if share < 1 else 1.0
    mean = float(told.stated.mean())
    return Observed(share, low, high, told.stated.size, count, mean)


def bins(told: Told) -> list[tuple[float, float, Observed]]:
    """Share that came true by stated probability: lower and upper edge, and what was observed."""
    which = np.clip(np.digitize(told.stated, EDGES[1:-1], right=False), 0, len(EDGES) - 2)
    found = []
    for k in range(len(EDGES) - 1):
        inside = observed(told.part(which == k))
        if inside is not None:
            found.append((EDGES[k], EDGES[k + 1], inside))
    return found


def scores(told: Told, draws: int) -> Scores:
    """Brier and logarithmic score (smaller is better), beside their expectation.

    Parameters
    ----------
    told
        At least one event.
    draws
        Draws behind each stated probability. In the logarithmic score it is smoothed by one draw to
        each side (Laplace's rule), or a 0 that comes true would cost infinitely much.
    """
    p, came = told.stated, told.came.astype("float64")
    smooth = (p * draws + 1) / (draws + 2)
    log_cost = -(came * np.log(smooth) + (1 - came) * np.log(1 - smooth))
    entropy = -(smooth * np.log(smooth) + (1 - smooth) * np.log(1 - smooth))
    _, code = np.unique(told.replication, return_inverse=True)
    sums = np.bincount(code, came - p)
    error = float(np.sqrt((sums**2).sum()))
    return Scores(
        brier=float(((p - came) ** 2).mean()),
        brier_expected=float((p * (1 - p)).mean()),
        log=float(log_cost.mean()),
        log_expected=float(entropy.mean()),
        excess=float((came - p).mean()),
        excess_z=float(sums.sum() / error) if error > 0 else None,
    )


ALL_CLAIMS = "All claims together"


class Claimed(NamedTuple):
    """An event of a claim, and the replication it belongs to."""

    number: int
    read: int
    judged: Judged


def form_calibrations(
    made: Mapping[str, Sequence[CalibrationReplication]],
) -> tuple[FormCalibration, ...]:
    """Summarise the replications of each form; uniformity is corrected over all of them."""
    rows = {form: list(_rows(found)) for form, found in made.items()}
    tested = [row for some in rows.values() for row in some if row.p is not None]
    corrected = holm([row.p for row in tested if row.p is not None])
    of = {id(row): float(p) for row, p in zip(tested, corrected, strict=True)}
    return tuple(
        _form(form, found, tuple(_corrected(row, of.get(id(row))) for row in rows[form]))
        for form, found in made.items()
    )


def state_of(forms: Sequence[FormCalibration]) -> State:
    """Say whether uniformity is rejected, and whether anything could be tested at all."""
    rows = [row for form in forms for row in form.rows]
    if any(row.rejected for row in rows):
        return "rejected"
    enough = all(any(row.p is not None for row in form.rows) for form in forms)
    return "not_rejected" if enough else "too_few"


def passed_gate(found: Sequence[CalibrationReplication]) -> list[CalibrationReplication]:
    """Replications whose refit passed the gate."""
    return [each for each in found if each.status == "fitted"]


Named = tuple[QuantityKind, str]


def _positions(found: Sequence[CalibrationReplication]) -> dict[Named, Array]:
    positions: dict[Named, list[float]] = {}
    for each in found:
        for one in each.ranks:
            positions.setdefault((one.kind, one.name), []).append(one.position)
    return {name: np.array(values) for name, values in positions.items()}


def _rows(found: Sequence[CalibrationReplication]) -> Iterator[QuantityRow]:
    passed, everyone = _positions(passed_gate(found)), _positions(found)
    for (kind, name), positions in passed.items():
        yield QuantityRow(
            kind=kind,
            name=name,
            replications=positions.size,
            p=uniformity(positions),
            p_corrected=None,
            p_all=uniformity(everyone[kind, name]),
            rejected=False,
            shape=shape(positions),
            mean=float(positions.mean()),
            spread=float(positions.std()),
            difference=tuple(difference(positions).tolist()),
        )


def _corrected(row: QuantityRow, corrected: float | None) -> QuantityRow:
    if row.p is None or corrected is None:
        return row.model_copy(update={"shape": None})
    update: dict[str, Any] = {"p_corrected": corrected, "rejected": corrected <= NOT_UNIFORM}
    if row.p > NOT_UNIFORM:
        update["shape"] = None
    return row.model_copy(update=update)


def _form(
    form: str, found: Sequence[CalibrationReplication], rows: Sequence[QuantityRow]
) -> FormCalibration:
    passed = passed_gate(found)
    status = [each.status for each in found]
    claims = list(_events(passed))
    everyone = list(_events(found))
    reasons = dict.fromkeys(each.reason for each in found if each.reason)
    return FormCalibration(
        form=form,
        replications=len(found),
        passed=len(passed),
        not_converged=status.count("not_converged"),
        not_fitted=status.count("not_fitted"),
        divergent=sum(each.divergences > 0 for each in found),
        reasons=tuple(reasons),
        rows=tuple(sorted(rows, key=lambda row: 2.0 if row.p is None else row.p)),
        bands=tuple(_band(count) for count in sorted({row.replications for row in rows})),
        claims=tuple(_claims(claims)),
        claims_all=_together(everyone) if everyone and len(passed) < len(found) else None,
    )


def _band(count: int) -> Band:
    found = band(count)
    ends = (tuple(part.tolist()) for part in found)
    points, low, high = ends
    return Band(replications=count, points=points, low=low, high=high)


def _events(found: Sequence[CalibrationReplication]) -> Iterator[Claimed]:
    for each in found:
        for judged in each.judged:
            yield Claimed(each.number, each.read, judged)


def _claims(events: Sequence[Claimed]) -> Iterator[Reliability]:
    if not events:
        return
    yield _together(events)
    claims: dict[tuple[str, str, str], list[Claimed]] = {}
    for event in events:
        judged = event.judged
        claims.setdefault((judged.tradition, judged.claim, judged.by), []).append(event)
    for some in claims.values():
        first = some[0].judged
        yield _reliability(
            some,
            {
                "tradition": first.tradition,
                "claim": first.claim,
                "title": first.title,
                "by": first.by,
            },
        )


def _together(events: Sequence[Claimed]) -> Reliability:
    about = {"tradition": "all", "claim": "", "title": ALL_CLAIMS, "by": None}
    return _reliability(events, about)


def _reliability(events: Sequence[Claimed], about: Mapping[str, object]) -> Reliability:
    told = _told(events)
    score = scores(told, min(event.read for event in events))
    verdict = np.array([event.judged.verdict for event in events])
    came = observed(told)
    assert came is not None
    return Reliability.model_validate(
        {
            **about,
            "events": came.events,
            "replications": came.replications,
            "stated": came.stated,
            "came": _share(came),
            "supported": _share(observed(told.part(verdict == "supported"))),
            "rejected": _share(observed(told.part(verdict == "rejected"))),
            "brier": score.brier,
            "brier_expected": score.brier_expected,
            "log_score": score.log,
            "log_score_expected": score.log_expected,
            "excess_z": score.excess_z,
            "bins": tuple(
                Bin(
                    low=low,
                    high=high,
                    stated=each.stated,
                    events=each.events,
                    replications=each.replications,
                    came=Share(share=each.share, low=each.low, high=each.high),
                )
                for low, high, each in bins(told)
            ),
        }
    )


def _share(found: Observed | None) -> Share | None:
    return None if found is None else Share(share=found.share, low=found.low, high=found.high)


def _told(events: Sequence[Claimed]) -> Told:
    return Told(
        np.array([event.judged.probability for event in events], dtype="float64"),
        np.array([event.judged.truth for event in events]) > 0.5,
        np.array([event.number for event in events], dtype="int64"),
    )


FOLDER: Final = "calibrate"
REPLICATIONS: Final = "replications"
PRIOR_DRAWS: Final = 200
"""Prior draws beside each refit: no probability rests on them."""


class Finished(NamedTuple):
    """A calibration, and where its files are."""

    directory: Path
    results: Calibration


class _Study(NamedTuple):
    """What is simulated, at which size, in which directory, by what, and who is told."""

    plan: Plan
    size: Size
    directory: Path
    generator: Generator
    watch: CountingWatch

    def path(self, form: str, number: int) -> Path:
        """Place of a replication."""
        return self.directory / REPLICATIONS / form / f"{number:04d}.json"

    def kept(self, form: str) -> dict[int, CalibrationReplication]:
        """Replications of a form that are there, by number."""
        found = {}
        for number in range(self.plan.options.replications):
            one = kept(self.path(form, number), CalibrationReplication, CALIBRATION_VERSION)
            if one is not None:
                found[number] = one
        return found


def calibrate_analysis(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: CountingWatch | None = None,
    generator: Generator = simulate,
) -> Finished:
    """Simulate, refit, rank, and write what comes of it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Replications, size and settings.
    root
        Folder of the runs.
    watch
        Told of the progress.
    generator
        Draws data from a truth: that of the model. With another one a calibration shows what
        it would make of an analysis whose model is not that of its data; give it a folder of its own,
        for kept replications are told apart by analysis and settings only.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Replications that were finished before are kept.
    """
    watch = watch or Silent()
    watch.step("Reading the firms")
    plan = plan_of(source, options or Options())
    key = _key(plan)
    directory = RunDirectory.create(Path(root) / plan.analysis.name, FOLDER, key).path
    study = _Study(plan, plan.size(), directory, generator, watch)
    with locked(directory):
        made = {}
        for position in range(len(plan.own)):
            form = _make(study, position)
            made[form] = tuple(study.kept(form).values())
        results = _results(study, key, made)
        _write(results, made, directory)
    return Finished(directory, results)


def _key(plan: Plan) -> str:
    asked = plan.options
    settings = {
        "study": FOLDER,
        "version": CALIBRATION_VERSION,
        "seed": plan.seed,
        "draws": asked.draws,
        "tune": asked.tune,
        "chains": asked.chains,
        "target_accept": plan.analysis.sampling.target_accept,
        "firms": asked.firms,
        "clusters": asked.clusters,
    }
    return design_key(plan.analysis, plan.own[0].details.digest, settings)


def _make(study: _Study, position: int) -> str:
    """Make the replications of a form that are not there, and name the form."""
    plan, watch = study.plan, study.watch
    form = plan.own[position].equation.form
    there = study.kept(form)
    pending = [k for k in range(plan.options.replications) if k not in there]
    if not pending:
        watch.step(f"{form}: all replications are there already")
        return form
    watch.step(f"{form}: compiling, and drawing truths from the prior")
    ready = _ready(study, position)
    found = f" ({len(there)} kept from before)" if there else ""
    watch.step(f"{form}: {len(pending)} replications{found}")

    def work(number: int) -> None:
        made = calibrated(ready, number, _chance(plan, position, number))
        write_text(study.path(form, number), made.model_dump_json(indent=1) + "\n")

    watch.count("replications", 0, len(pending))
    for done in in_threads(work, pending, plan.options.jobs):
        watch.count("replications", done, len(pending))
    return form


def _ready(study: _Study, position: int) -> Ready:
    plan = study.plan
    # rows of a size are those of the first form: forms share data, not coefficients
    design = replace(study.size.design, analysis=plan.own[position].analysis)
    model, reported = build_model(design), reported_variables(design)
    seeds = (plan.seed_of(stream, position) for stream in (TRUTH_STREAM, PRIOR_STREAM))
    truths, prior = (
        sample_prior(design, model, reported, draws, seed)
        for draws, seed in zip((REPLICATIONS_MAX, PRIOR_DRAWS), seeds, strict=True)
    )
    prior = completed(
        design, prior, imputing(plan.seed_of(PRIOR_STREAM, position)), posterior=False
    )
    return Ready(Repeated(design), draws_of(design, prior), truths, study.generator)


def _chance(plan: Plan, position: int, number: int) -> Chance:
    asked = plan.options
    outcome, rank = (
        np.random.default_rng((plan.seed, CALIBRATION_STREAM, stream, position, number))
        for stream in (OUTCOME_STREAM, RANK_STREAM)
    )
    sampling = Sampling(
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=plan.seed_of(REFIT_STREAM, position, number),
        target_accept=plan.analysis.sampling.target_accept,
    )
    return Chance(outcome, sampling, rank)


def _results(
    study: _Study, key: str, made: dict[str, tuple[CalibrationReplication, ...]]
) -> Calibration:
    plan, asked, analysis = study.plan, study.plan.options, study.plan.analysis
    own = plan.own[0]
    forms = form_calibrations(made)
    return Calibration(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=key,
        model_key=model_key_of(analysis, plan.own),
        synthetic=own.details.synthetic,
        outcome=simulated_words(own),
        size=study.size.facts,
        replications=asked.replications,
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        target_accept=analysis.sampling.target_accept,
        seed=plan.seed,
        level=NOT_UNIFORM,
        interval=INTERVAL,
        rhat_max=RHAT_MAX,
        independent_min=INDEPENDENT_MIN,
        replications_min=RANKS_MIN,
        state=state_of(forms),
        forms=forms,
        notes=tuple(calibration_notes(plan, forms)),
    )


def _write(
    results: Calibration, made: dict[str, tuple[CalibrationReplication, ...]], directory: Path
) -> None:
    """Write ``calibrate.json``, ``ranks.csv`` and ``calibrate.html``."""
    from bayescluster.studies.calibration.view import page_text, ranks_text

    write_text(directory / "calibrate.json", results.model_dump_json(indent=2) + "\n")
    everyone = [each for found in made.values() for each in found]
    write_text(directory / "ranks.csv", ranks_text(everyone))
    write_text(directory / "calibrate.html", page_text(results))
