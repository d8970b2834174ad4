"""Truths from the prior, simulated data and their refits: the replications of a calibration.

Whether ranks are uniform, and how reliable stated probabilities are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.checks.thresholds import INDEPENDENT_MIN, NOT_UNIFORM
from bayescluster.checks.uniformity import (
    band,
    difference,
    holm,
    placed,
    rank_shape,
    rank_uniformity,
)
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.estimands.levels import default_levels
from bayescluster.features.learning.compute import learned, learning_estimands
from bayescluster.features.measurement.compute import (
    capital_correlation,
    omega,
    posterior_spread,
    standardised_loadings,
)
from bayescluster.inference.assemble import reported_variables
from bayescluster.inference.density import Refit, Repeated, draw_prior
from bayescluster.inference.watch import Watch
from bayescluster.model.evaluate import Draws, draws_of, log_likelihood
from bayescluster.model.imputation import completed, imputing
from bayescluster.model.priors import latent_capitals
from bayescluster.model.simulated import Simulated, simulate
from bayescluster.results.base import By
from bayescluster.results.claims import Tradition
from bayescluster.runs.keys import design_key
from bayescluster.studies import simulation
from bayescluster.studies.calibration.results import (
    CALIBRATION_VERSION,
    Band,
    Bin,
    CalibrationReplication,
    FormCalibration,
    QuantityKind,
    QuantityRow,
    Ranked,
    Reliability,
    State,
)
from bayescluster.studies.design_analysis.results import Judged, Share
from bayescluster.studies.engine import Batch, Files
from bayescluster.studies.simulation import share_of
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, CORNER_WORDS

MEMBERS_MAX: Final = 6
"""Effects of groupings with more groups than this are summarised by their spread, not one by one."""

LIKELIHOOD: Final = "joint log likelihood of the outcome"
LIKELIHOOD_OF_ALL: Final = "joint log likelihood of all outcomes"


class Quantity(NamedTuple):
    """A quantity at each draw, ``(draw,)``, the chains one after the other."""

    kind: QuantityKind
    name: str
    values: Array


class Reading(NamedTuple):
    """What quantities are read from: the equation in focus, and the others."""

    evidence: Evidence
    others: tuple[Evidence, ...] = ()


def reading_of(
    design: Design,
    group: xr.Dataset,
    some: Callable[[Draws], Draws],
    prior: Draws | None,
    seed: int,
) -> Reading:
    """Read every equation from some of the draws of a group.

    Without a prior of the equation in focus they are their own, as are those of the others.
    """
    equations = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    drawn = [some(draws_of(each, group)) for each in equations]
    priors = [drawn[0] if prior is None else prior, *drawn[1:]]
    focus, *others = (Evidence(*each, seed) for each in zip(equations, drawn, priors, strict=True))
    return Reading(focus, tuple(others))


def parameters(design: Design, group: xr.Dataset) -> list[Quantity]:
    """Parameters of a posterior or prior.

    Of effects of many groups, of latent capitals and of missing cells, a few numbers that say much of
    them.
    """
    named = [
        pair
        for variable in reported_variables(design)
        for pair in _parts(design, variable, group[variable])
    ]
    return [Quantity("parameter", *pair) for pair in (*named, *_measured(design, group))]


def _parts(design: Design, name: str, variable: xr.DataArray) -> Iterator[tuple[str, Array]]:
    stacked = variable.stack(all_draws=(names.CHAIN, names.DRAW)).transpose("all_draws", ...)
    values = np.asarray(stacked.to_numpy(), dtype="float64")  # (draw, ...)
    dims = [dim for dim in variable.dims if dim not in (names.CHAIN, names.DRAW)]
    labels = [[str(label) for label in variable[dim].to_numpy()] for dim in dims]
    if names.ROW in dims:
        yield from _by_industry(design, name, values)
        return
    if name in {names.imputed(gap.name) for gap in gaps(design)}:
        yield f"{name}[{labels[0][0]}]", values[:, 0]
        if len(labels[0]) > 1:
            yield f"mean of {name}", values.mean(axis=1)
        return
    if name in _of_groups(design, names.group_effect) and len(labels[0]) > MEMBERS_MAX:
        for k, term in enumerate(labels[1]):
            yield f"spread of {name}[{term}]", values[:, :, k].std(axis=1)
        return
    triangle = {names.RESIDUAL_CORRELATION, *_of_groups(design, names.group_correlation)}
    for place in np.ndindex(*values.shape[1:]):
        # a correlation matrix says everything below its diagonal
        if name in triangle and place[0] <= place[1]:
            continue
        inside = ", ".join(part[k] for part, k in zip(labels, place, strict=True))
        yield f"{name}[{inside}]" if inside else name, values[(slice(None), *place)]


def _of_groups(design: Design, name: Callable[[str], str]) -> set[str]:
    """Names that a variable of groupings has in any of the equations."""
    return {
        each.variable(name(grouping.name))
        for each in design.equations
        for grouping in each.groupings
    }


def _by_industry(design: Design, name: str, values: Array) -> Iterator[tuple[str, Array]]:
    """A latent capital, ``(draw, row)``: that of one firm, and its mean in each industry."""
    yield f"{name}[{design.labels(names.ROW)[0]}]", values[:, 0]
    index, labels = design.index(names.INDUSTRY), design.group_labels(names.INDUSTRY)
    # the mean over all firms is 0 in every draw
    for k, label in enumerate(labels if len(labels) > 1 else ()):
        yield f"mean of {name}[{label}]", values[:, index == k].mean(axis=1)


def _measured(design: Design, group: xr.Dataset) -> Iterator[tuple[str, Array]]:
    """Reliability of latent capitals, and how they go together."""
    latent = latent_capitals(design)
    for capital in latent:
        loadings = standardised_loadings(design, group, capital, posterior_spread(group, capital))
        yield f"reliability of {capital}", omega(loadings)
    correlation = capital_correlation(design, group) if latent else None
    if correlation is not None:
        yield "correlation of the capitals", correlation


def estimands(reading: Reading) -> list[Quantity]:
    """Effects and corners that a report has for all firms and each industry, and the likelihood."""
    systems = [(each.design, each.posterior) for each in (reading.evidence, *reading.others)]
    density = [log_likelihood(design, draws).sum(axis=1) for design, draws in systems]
    name = LIKELIHOOD_OF_ALL if reading.others else LIKELIHOOD
    found = [Quantity("likelihood", name, np.sum(density, axis=0))]
    if reading.evidence.design.has_capitals:
        found += _in_focus(reading.evidence)
    system = learned(systems)
    effects = _of_others(reading.others) if system is None else learning_estimands(system).items()
    return found + [Quantity("effect", *item) for item in effects]


def _of_others(others: tuple[Evidence, ...]) -> Iterator[tuple[str, Array]]:
    """Marginal effects on the outcomes of the other equations."""
    for each in others:
        if each.design.has_capitals:
            surface = each.surface("observed", default_levels(each.design))
            for column, label in _groups(each):
                for capital, values in surface.marginal.items():
                    effect = f"average marginal effect: {CAPITAL_WORDS[capital]}, {label}"
                    yield f"{each.design.equation_name}: {effect}", values[:, column]


def _groups(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Columns of all firms and of each industry, with their labels."""
    for by in ("all", "industry"):
        for column, group in evidence.columns(by):
            yield column, "all firms" if by == "all" else group


def _in_focus(evidence: Evidence) -> Iterator[Quantity]:
    """Effects and corners of the equation in focus."""
    surface = evidence.surface("observed", default_levels(evidence.design))
    for column, label in _groups(evidence):
        for capital in surface.marginal:
            about = f"{CAPITAL_WORDS[capital]}, {label}"
            marginal, contrast = surface.marginal[capital], surface.contrast[capital]
            yield Quantity("effect", f"average marginal effect: {about}", marginal[:, column])
            yield Quantity("effect", f"contrast of low and high: {about}", contrast[:, column])
        for corner, values in surface.corners.items():
            name = f"corner with {CORNER_WORDS[corner]}, {label}"
            yield Quantity("corner", name, values[:, column])
        if surface.corners:
            cross = surface.cross_difference[:, column]
            yield Quantity("corner", f"cross difference, {label}", cross)


NAME: Final = "calibrate"
REPLICATIONS_MAX: Final = 1000
"""Truths that are drawn from the prior, whatever the number of replications."""

Generator = Callable[[Design, xr.Dataset, np.random.Generator], Simulated]
"""Draws the data of a design from a truth."""


class Options(NamedTuple):
    """Settings of a calibration."""

    replications: int = 100
    firms: float = 1.0
    clusters: float = 1.0
    draws: int = 500
    tune: int = 500
    chains: int = 2
    seed: int | None = None
    """That of the analysis without it."""
    jobs: int | None = None
    """As many as there are cores without it."""
    generator: Generator = simulate
    """With another than the model's own a calibration shows what it would make of an analysis whose
    model is not that of its data. Give it a folder of its own: it is not part of the key."""


class CalibrationPlan(simulation.SimulationPlan[Options]):
    """An analysis that can be calibrated."""

    STREAM: ClassVar[int] = 31

    @cached_property
    def key(self) -> str:
        """Key of what each replication depends on."""
        settings = {
            **self.refit_settings(),
            "study": NAME,
            "version": CALIBRATION_VERSION,
            "target_accept": self.analysis.sampling.target_accept,
            "firms": self.options.firms,
            "clusters": self.options.clusters,
        }
        return design_key(self.analysis, self.forms[0].details.digest, settings)


class CompiledForm(NamedTuple):
    """A compiled form, draws of its prior, and truths to simulate from."""

    repeated: Repeated
    prior: Draws
    truths: xr.Dataset


def replications(
    plan: CalibrationPlan, size: simulation.Size, position: int, directory: Path, watch: Watch
) -> Batch[int, CalibrationReplication]:
    """Plan the replications of the form at a position, by their numbers."""
    # rows of a size are those of the first form: forms share data, not coefficients
    design = replace(size.design, analysis=plan.forms[position].analysis)
    form = design.equation.form
    folder = directory / "replications" / form

    def prepare(_pending: Sequence[int]) -> Callable[[int], CalibrationReplication]:
        watch.step(f"{form}: compiling, and drawing truths from the prior")
        truths = draw_prior(
            design, REPLICATIONS_MAX, plan.seed_of(simulation.TRUTH_STREAM, position)
        )
        seed = plan.seed_of(simulation.PRIOR_STREAM, position)
        prior = draw_prior(design, simulation.PRIOR_DRAWS, seed)
        prior = completed(design, prior, imputing(seed), posterior=False)
        compiled = CompiledForm(Repeated(design), draws_of(design, prior), truths)
        return lambda number: calibrated(plan, compiled, position, number)

    store = Files[int, CalibrationReplication](
        lambda number: folder / f"{number:04d}.json", CalibrationReplication, CALIBRATION_VERSION
    )
    return Batch(range(plan.options.replications), store, prepare, form)


def calibrated(
    plan: CalibrationPlan, compiled: CompiledForm, position: int, number: int
) -> CalibrationReplication:
    """Simulate, refit, and rank the truth among the draws."""
    started = time.perf_counter()
    design = compiled.repeated.design
    outcome, rank = (
        plan.rng(stream, position, number)
        for stream in (simulation.OUTCOME_STREAM, simulation.RANK_STREAM)
    )
    sampling = plan.sampling(plan.analysis.sampling.target_accept, position, number)
    data = plan.options.generator(design, compiled.truths.isel({names.DRAW: [number]}), outcome)
    made = simulation.attempted(compiled.repeated, data.design, sampling)
    if made.refit is None:
        return CalibrationReplication(
            form=design.equation.form, number=number, status=made.status, reason=made.reason
        )
    # a seed of its own: new clusters of the truth are not those of the first draws
    real = reading_of(data.design, data.draw, simulation.copied, None, sampling.seed + 1)
    posterior = made.refit.tree["posterior"].to_dataset()
    read = reading_of(data.design, posterior, _thinned, compiled.prior, sampling.seed)
    truths = [*parameters(design, data.draw), *estimands(real)]
    ranks, fewest = _ranks(truths, made.refit, read, rank)
    passed = made.status == "fitted"
    too_few = passed and fewest < INDEPENDENT_MIN
    return CalibrationReplication(
        form=design.equation.form,
        number=number,
        status="not_converged" if too_few else made.status,
        reason=f"fewer than {INDEPENDENT_MIN} effective draws of a quantity"
        if too_few
        else made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
        read=read.evidence.posterior.size,
        ranks=ranks,
        judged=_judged(real.evidence, read.evidence, passed, rank),
        seconds=round(time.perf_counter() - started, 3),
    )


def _thinned(draws: Draws) -> Draws:
    return draws.thinned_by_chain(simulation.READ)


def _ranks(
    truths: Sequence[Quantity], refit: Refit, read: Reading, rng: np.random.Generator
) -> tuple[tuple[Ranked, ...], float]:
    """Rank every truth; and the smallest effective sample size."""
    own = parameters(refit.design, refit.tree["posterior"].to_dataset())
    others = estimands(read)
    effective = _effective(own, refit.draws.chains)
    effective += _effective(others, read.evidence.posterior.chains)
    ranks = []
    for truth, drawn, ess in zip(truths, [*own, *others], effective, strict=True):
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
    return tuple(ranks), min(filter(np.isfinite, effective), default=float("inf"))


def _effective(quantities: Sequence[Quantity], chains: int) -> list[float]:
    """Effective sample size of each quantity: of bulk or tails, whichever is smaller."""
    values = np.column_stack([each.values for each in quantities])
    _, bulk, tail, _ = diagnostics(values, chains)
    return [float(size) for size in np.fmin(bulk, tail)]


def _judged(
    real: Evidence, evidence: Evidence, passed: bool, rng: np.random.Generator
) -> tuple[Judged, ...]:
    """Record the probability of each claim with what is true of it, 0 or 1."""
    if not real.design.has_capitals:
        return ()
    true, said = (
        simulation.answers(simulation.alone(each, gate_passed=gate), posterior_only=True)
        for each, gate in ((real, True), (evidence, passed))
    )
    found = []
    for key, answer in said.items():
        truth = true[key].probability if key in true else None
        if truth is not None and answer.probability is not None:
            # where the event itself is chance, chance decides it
            found.append(answer.judged(key, float(rng.random() < truth)))
    return tuple(found)


EDGES: Final = tuple(k / 10 for k in range(11))
"""Edges of the bins of stated probability."""
ALL_CLAIMS: Final = "All claims together"

QuantityName = tuple[QuantityKind, str]


def form_calibrations(
    made: Mapping[str, Sequence[CalibrationReplication]],
) -> tuple[FormCalibration, ...]:
    """Summarise the replications of each form; uniformity is corrected over all of them."""
    positions = {form: _positions(_passed(found)) for form, found in made.items()}
    chances = {
        (form, name): rank_uniformity(values)
        for form, named in positions.items()
        for name, values in named.items()
    }
    tested = {key: p for key, p in chances.items() if p is not None}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    forms = []
    for form, found in made.items():
        everyone = _positions(found)
        rows = [
            _row(name, values, everyone[name], chances[form, name], corrected.get((form, name)))
            for name, values in positions[form].items()
        ]
        forms.append(_form(form, found, rows))
    return tuple(forms)


def state_of(forms: Sequence[FormCalibration]) -> State:
    """Whether uniformity is rejected, and whether anything could be tested at all."""
    if any(row.rejected for form in forms for row in form.rows):
        return "rejected"
    enough = all(any(row.p is not None for row in form.rows) for form in forms)
    return "not_rejected" if enough else "too_few"


def _passed(found: Sequence[CalibrationReplication]) -> list[CalibrationReplication]:
    return [each for each in found if each.status == "fitted"]


def _positions(found: Sequence[CalibrationReplication]) -> dict[QuantityName, Array]:
    positions: dict[QuantityName, list[float]] = {}
    for each in found:
        for ranked in each.ranks:
            positions.setdefault((ranked.kind, ranked.name), []).append(ranked.position)
    return {name: np.array(values) for name, values in positions.items()}


def _row(
    name: QuantityName, positions: Array, everyone: Array, p: float | None, corrected: float | None
) -> QuantityRow:
    return QuantityRow(
        kind=name[0],
        name=name[1],
        replications=positions.size,
        p=p,
        p_corrected=corrected,
        p_all=rank_uniformity(everyone),
        rejected=corrected is not None and corrected <= NOT_UNIFORM,
        shape=rank_shape(positions) if p is not None and p <= NOT_UNIFORM else None,
        mean=float(positions.mean()),
        spread=float(positions.std()),
        difference=tuple(difference(positions).tolist()),
    )


def _form(
    form: str, found: Sequence[CalibrationReplication], rows: Sequence[QuantityRow]
) -> FormCalibration:
    passed, status = _passed(found), [each.status for each in found]
    claims, everyone = _events(passed), _events(found)
    return FormCalibration(
        form=form,
        replications=len(found),
        passed=len(passed),
        not_converged=status.count("not_converged"),
        not_fitted=status.count("not_fitted"),
        divergent=sum(each.divergences > 0 for each in found),
        reasons=tuple(dict.fromkeys(each.reason for each in found if each.reason)),
        rows=tuple(sorted(rows, key=lambda row: 2.0 if row.p is None else row.p)),
        bands=tuple(_band(count) for count in sorted({row.replications for row in rows})),
        claims=tuple(_claims(claims)),
        claims_all=_together(everyone) if everyone and len(passed) < len(found) else None,
    )


def _band(count: int) -> Band:
    points, low, high = (tuple(part.tolist()) for part in band(count))
    return Band(replications=count, points=points, low=low, high=high)


class ClaimEvent(NamedTuple):
    """A claim that was given a probability, and the replication it belongs to."""

    number: int
    read: int
    """Draws behind the probability."""
    judged: Judged


class Outcomes(NamedTuple):
    """Stated probabilities, what came true, and the replication of each, ``(event,)``."""

    stated: Array
    came: NDArray[np.bool_]
    replication: NDArray[np.int64]

    def part(self, which: NDArray[np.bool_]) -> Outcomes:
        """Some of them."""
        return Outcomes(self.stated[which], self.came[which], self.replication[which])

    @property
    def replications(self) -> int:
        """How many replications they come from."""
        return int(np.unique(self.replication).size)

    @property
    def share(self) -> Share | None:
        """Share that came true; nothing of no events."""
        many = self.stated.size
        return share_of(float(self.came.sum()), many, self.replications) if many else None


def _events(found: Sequence[CalibrationReplication]) -> list[ClaimEvent]:
    return [ClaimEvent(each.number, each.read, judged) for each in found for judged in each.judged]


def _claims(events: Sequence[ClaimEvent]) -> Iterator[Reliability]:
    if not events:
        return
    yield _together(events)
    claims: dict[tuple[str, str, str], list[ClaimEvent]] = {}
    for event in events:
        judged = event.judged
        claims.setdefault((judged.tradition, judged.claim, judged.by), []).append(event)
    for some in claims.values():
        judged = some[0].judged
        yield _reliability(some, judged.tradition, judged.claim, judged.title, judged.by)


def _together(events: Sequence[ClaimEvent]) -> Reliability:
    return _reliability(events, "all", "", ALL_CLAIMS, None)


def _reliability(
    events: Sequence[ClaimEvent],
    tradition: Tradition | Literal["declared", "all"],
    claim: str,
    title: str,
    by: By | None,
) -> Reliability:
    outcomes = Outcomes(
        np.array([event.judged.probability for event in events], dtype="float64"),
        np.array([event.judged.truth for event in events]) > 0.5,
        np.array([event.number for event in events], dtype="int64"),
    )
    verdict = np.array([event.judged.verdict for event in events])
    costs = scores(outcomes, min(event.read for event in events))
    came = outcomes.share
    assert came is not None
    return Reliability(
        tradition=tradition,
        claim=claim,
        title=title,
        by=by,
        events=len(events),
        replications=outcomes.replications,
        stated=float(outcomes.stated.mean()),
        came=came,
        supported=outcomes.part(verdict == "supported").share,
        rejected=outcomes.part(verdict == "rejected").share,
        brier=costs.brier,
        brier_expected=costs.brier_expected,
        log_score=costs.log,
        log_score_expected=costs.log_expected,
        excess_z=costs.excess_z,
        bins=tuple(bins(outcomes)),
    )


def bins(outcomes: Outcomes) -> Iterator[Bin]:
    """Share that came true by stated probability."""
    which = np.clip(np.digitize(outcomes.stated, EDGES[1:-1], right=False), 0, len(EDGES) - 2)
    for k in range(len(EDGES) - 1):
        inside = outcomes.part(which == k)
        came = inside.share
        if came is not None:
            yield Bin(
                low=EDGES[k],
                high=EDGES[k + 1],
                stated=float(inside.stated.mean()),
                events=inside.stated.size,
                replications=inside.replications,
                came=came,
            )


class Scores(NamedTuple):
    """Mean scores, and what they would be on average if every stated probability were right."""

    brier: float
    brier_expected: float
    log: float
    log_expected: float
    excess_z: float | None
    """Share that came true less the mean probability stated, in its standard errors over replications;
    nothing where they do not differ."""


def scores(outcomes: Outcomes, draws: int) -> Scores:
    """Brier and logarithmic score (smaller is better), with their expectation.

    Parameters
    ----------
    outcomes
        At least one event.
    draws
        Draws behind each stated probability. In the logarithmic score it is smoothed by one draw to
        each side (Laplace's rule), or a 0 that comes true would cost infinitely much.
    """
    p, came = outcomes.stated, outcomes.came.astype("float64")
    smooth = (p * draws + 1) / (draws + 2)
    log_cost = -(came * np.log(smooth) + (1 - came) * np.log(1 - smooth))
    entropy = -(smooth * np.log(smooth) + (1 - smooth) * np.log(1 - smooth))
    _, code = np.unique(outcomes.replication, return_inverse=True)
    sums = np.bincount(code, came - p)
    error = float(np.sqrt((sums**2).sum()))
    return Scores(
        brier=float(((p - came) ** 2).mean()),
        brier_expected=float((p * (1 - p)).mean()),
        log=float(log_cost.mean()),
        log_expected=float(entropy.mean()),
        excess_z=float(sums.sum() / error) if error > 0 else None,
    )
