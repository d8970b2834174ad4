"""Design analysis: how often each verdict would be right, at the user's own firms and at other sizes.

Outcomes are simulated from every form with parameters from its prior, the analysis is fitted to
them, and its verdicts are set beside what was true. Each replication is a file of its own; what is
there is not made again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import beta

from bayescluster.app.collect import READERS, Asked, Reader, readings_of
from bayescluster.app.prepare import model_key_of
from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.design.resize import replaced
from bayescluster.errors import FitError
from bayescluster.estimands.summary import diagnostics, number
from bayescluster.families import Family, Rows
from bayescluster.features.ceilings.compute import NECESSITY
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.inference.watch import CountingWatch, Silent
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of, replicate
from bayescluster.names import DRAWN_AFTER
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import Verdict
from bayescluster.runs.files import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.layout import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.equation import StructureName
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.structures.additive import ADDITIVE
from bayescluster.studies.design_analysis.plan import (
    DESIGN_STREAM,
    FORMS,
    OUTCOME_STREAM,
    PRIOR_STREAM,
    REFIT_STREAM,
    Options,
    Plan,
    Size,
    form_design,
    plan_of,
    seed_of,
    sizes_of,
    truths,
)
from bayescluster.studies.design_analysis.results import (
    DECLARED,
    DESIGN_VERSION,
    TRUE_FORM,
    DesignAnalysis,
    DesignRow,
    Failures,
    Judged,
    Needed,
    Outlook,
    Replication,
    Share,
    SizeFacts,
    Way,
)
from bayescluster.studies.engine import in_threads, kept
from bayescluster.verdicts.claims import CLAIMS
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CORNER_WORDS
from bayescluster.verdicts.decide import verdicts


def design_notes(plan: Plan) -> Iterator[str]:
    """Say what the shares of a design analysis rest on."""
    design, asked = plan.own[0], plan.analysis.design.truths
    yield (
        "What is true is what the same reading says at the parameters that the outcome was simulated "
        "from; where the event itself is chance (a new cluster), what is more likely than not."
    )
    yield (
        "A ceiling claim asks for more than a compensatory model gives. It is false where the truth is "
        "additive; under the other forms it is taken as true where d is as large as declared."
    )
    if asked is None:
        yield (
            "Parameters are drawn from the prior of each form. How often a verdict is right therefore "
            "holds for truths such as the prior expects, not for the one that these firms live in."
        )
    else:
        told = ", ".join(
            f"{CORNER_WORDS[corner]} {value:g}" for corner, value in asked.corners.items()
        )
        yield (
            "Parameters are drawn from the prior of each form, and held to corners within "
            f"{asked.within:g} of the declared ones: {told}."
        )
    if design.family.on_link_scale is not None or design.family.link == "log":
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    if design.weights is not None:
        yield (
            "Survey weights enter refits and averages as in the analysis. Simulated outcomes do not "
            "depend on them: a sample that was drawn by its outcome is not simulated."
        )
    if len(plan.own) > 1 and plan.options.fit == "own":
        yield (
            "Each form of the analysis is fitted and judged by itself: the average over the forms, "
            "by which the analysis itself judges, is not simulated."
        )
    if len(plan.options.firms) + len(plan.options.clusters) > 2:
        yield (
            "Larger and smaller samples are made of the firms and clusters of the data: whole "
            "multiples take each so many times, a part beyond that is drawn without replacement."
        )


ENOUGH: Final = 0.8
"""Share of right verdicts that is asked for: the usual power of a study."""
ALL_FORMS: Final = "all"
REASONS_SHOWN: Final = 3


class Sized(NamedTuple):
    """A size with its replications."""

    size: SizeFacts
    replications: tuple[Replication, ...]


def share_of(count: float, size: float, clusters: int) -> Share:
    """A share with its Jeffreys interval.

    Groups of the same replication share its chance, so that the interval counts replications, not
    verdicts. Source: Brown, Cai and DasGupta (2001), Statistical Science 16(2).

    Parameters
    ----------
    count, size
        Verdicts of a kind, and verdicts.
    clusters
        Replications behind them.
    """
    share = count / size
    hits = share * clusters
    tail = (1 - INTERVAL) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits + 0.5, clusters - hits + 0.5))
    high = 1.0 if hits == clusters else float(beta.isf(tail, hits + 0.5, clusters - hits + 0.5))
    return Share(share=share, low=low, high=high)


def design_rows(sized: Sequence[Sized], one_fit: str = "") -> tuple[DesignRow, ...]:
    """Count verdicts by size, true form, fitted form and claim; then over all true forms.

    Parameters
    ----------
    sized
        Replications of each size.
    one_fit
        Stands for every fitted form, where they are to be taken together.
    """
    return tuple(row for one in sized for row in _rows_of_size(one, one_fit))


class _Outcome(NamedTuple):
    """A verdict, and the replication it belongs to."""

    replication: tuple[str, int]
    judged: Judged


Name = tuple[str, str, str, str, str]


def _rows_of_size(one: Sized, one_fit: str) -> Iterator[DesignRow]:
    found: dict[Name, list[_Outcome]] = {}
    forms = list(dict.fromkeys(each.truth for each in one.replications))
    for each in one.replications:
        for said in each.judged:
            case = _Outcome((each.truth, each.number), said)
            for truth in (each.truth, ALL_FORMS) if len(forms) > 1 else (each.truth,):
                key: Name = (truth, one_fit or each.fitted, said.tradition, said.claim, said.by)
                found.setdefault(key, []).append(case)
    order = [*forms, ALL_FORMS]
    for name in sorted(found, key=lambda name: order.index(name[0])):
        row = _row(one.size, name, found[name])
        if row is not None:
            yield row


def _row(size: SizeFacts, key: Name, cases: Sequence[_Outcome]) -> DesignRow | None:
    known = [case for case in cases if case.judged.truth is not None]
    if not known:
        return None
    outlooks = Counter(case.judged.outlook for case in known)
    replications = _replications(known)

    def share(outlook: Outlook) -> Share:
        return share_of(outlooks[outlook], len(known), replications)

    sides = {
        side: [case for case in known if ((case.judged.truth or 0.0) > 0.5) is side]
        for side in (True, False)
    }
    return DesignRow.model_validate(
        {
            "firms_times": size.firms_times,
            "clusters_times": size.clusters_times,
            "truth": key[0],
            "fitted": key[1],
            "tradition": key[2],
            "claim": key[3],
            "title": known[0].judged.title,
            "by": key[4],
            "replications": replications,
            "verdicts": len(known),
            "true": len(sides[True]),
            "right": share("right"),
            "wrong": share("wrong"),
            "undecided": share("undecided"),
            "supported_where_true": _supported(sides[True]),
            "supported_where_false": _supported(sides[False]),
        }
    )


def _supported(cases: Sequence[_Outcome]) -> Share | None:
    if not cases:
        return None
    many = sum(case.judged.verdict == "supported" for case in cases)
    return share_of(many, len(cases), _replications(cases))


def _replications(cases: Iterable[_Outcome]) -> int:
    return len({case.replication for case in cases})


def failures(sized: Sequence[Sized]) -> tuple[Failures, ...]:
    """Count the replications that failed, by size and forms."""
    found = []
    for size, replications in sized:
        pairs = dict.fromkeys((each.truth, each.fitted) for each in replications)
        for truth, fitted in pairs:
            mine = [each for each in replications if (each.truth, each.fitted) == (truth, fitted)]
            status = Counter(each.status for each in mine)
            reasons = dict.fromkeys(each.reason for each in mine if each.reason)
            found.append(
                Failures(
                    firms_times=size.firms_times,
                    clusters_times=size.clusters_times,
                    truth=truth,
                    fitted=fitted,
                    replications=len(mine),
                    not_converged=status["not_converged"],
                    not_fitted=status["not_fitted"],
                    divergent=sum(each.divergences > 0 for each in mine),
                    reasons=tuple(reasons)[:REASONS_SHOWN],
                )
            )
    return tuple(found)


def isotonic(values: Array, weights: Array) -> Array:
    """Nearest values that never fall, by pooling neighbours that do.

    Source: Barlow, Bartholomew, Bremner and Brunk (1972), pool adjacent violators.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, mass, count = blocks.pop()
            total = mass + block[1]
            block = ((mean * mass + block[0] * block[1]) / total, total, count + block[2])
        blocks.append(block)
    return np.array([mean for mean, _, count in blocks for _ in range(count)])


def needed(sized: Sequence[Sized], rows: Sequence[DesignRow]) -> tuple[Needed, ...]:
    """Say at which of the sizes run each claim is judged right often enough, over all true forms.

    Along the firms with the clusters as they are, and the other way round; where the data's own size
    was not run, along the sizes nearest to it.
    """
    sizes = [one.size for one in sized]
    overall = {row.truth for row in rows}
    truth = ALL_FORMS if ALL_FORMS in overall else next(iter(overall), "")
    found = []
    ways: tuple[Way, ...] = ("firms", "clusters")
    for way in ways:
        line = _line(sizes, way)
        if len(line) < 2:
            continue
        names = dict.fromkeys(
            (row.fitted, row.tradition, row.claim, row.by) for row in rows if row.truth == truth
        )
        for name in names:
            along = [_find(rows, truth, name, size) for size in line]
            known = [(size, row) for size, row in zip(line, along, strict=True) if row is not None]
            if len(known) > 1:
                found.append(_needed(way, known))
    return tuple(found)


def _line(sizes: Sequence[SizeFacts], way: Way) -> list[SizeFacts]:
    """Sizes that differ in one way only, the other nearest to that of the data."""
    other: Way = "clusters" if way == "firms" else "firms"
    held = min((_times(size, other) for size in sizes), key=lambda times: abs(np.log(times)))
    line = [size for size in sizes if _times(size, other) == held]
    return sorted(line, key=lambda size: _times(size, way))


def _times(size: SizeFacts, way: Way) -> float:
    return size.firms_times if way == "firms" else size.clusters_times


def _find(
    rows: Sequence[DesignRow], truth: str, name: tuple[str, ...], size: SizeFacts
) -> DesignRow | None:
    for row in rows:
        here = (row.firms_times, row.clusters_times) == (size.firms_times, size.clusters_times)
        if here and row.truth == truth and (row.fitted, row.tradition, row.claim, row.by) == name:
            return row
    return None


def _needed(way: Way, known: Sequence[tuple[SizeFacts, DesignRow]]) -> Needed:
    row = known[0][1]
    shares = np.array([each.right.share for _, each in known])
    weights = np.array([float(each.replications) for _, each in known])
    smoothed = isotonic(shares, weights)
    counts = [size.firms if way == "firms" else size.clusters for size, _ in known]
    reached = np.flatnonzero(smoothed >= ENOUGH - 1e-12)
    first = int(reached[0]) if reached.size else None
    return Needed(
        fitted=row.fitted,
        tradition=row.tradition,
        claim=row.claim,
        title=row.title,
        by=row.by,
        way=way,
        enough=None if first is None else counts[first],
        at_most=first == 0,
        largest=counts[-1],
        smoothed=tuple(float(value) for value in smoothed),
        sizes=tuple(counts),
    )


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


FOLDER: Final = "design"
REPLICATIONS: Final = "replications"
TARGET_ACCEPT: Final = 0.9
PRIOR_DRAWS: Final = 200
"""Prior draws of the refitted form: no verdict rests on them."""


class Finished(NamedTuple):
    """A design analysis, and where its files are."""

    directory: Path
    results: DesignAnalysis


class _Case(NamedTuple):
    """A replication: the form that is true, the form that is fitted, and its number."""

    truth: StructureName
    fitted: StructureName
    number: int

    def path(self, directory: Path, size: Size) -> Path:
        """Place of its file."""
        folder = directory / REPLICATIONS / size.name / f"{self.truth}-as-{self.fitted}"
        return folder / f"{self.number:03d}.json"


def analyse_design(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished:
    """Simulate, refit and judge, and write what comes of it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Forms, replications, sizes and settings.
    root
        Folder of the runs.
    watch
        Told of the progress.

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
    with locked(directory):
        sized = []
        for size in sizes_of(plan):
            _make(plan, size, directory, watch)
            found = [_kept(case.path(directory, size)) for case in _cases(plan)]
            sized.append(Sized(size.facts, tuple(each for each in found if each is not None)))
        results = _results(plan, key, sized)
        write_design(results, directory)
    return Finished(directory, results)


def _key(plan: Plan) -> str:
    asked, truth = plan.options, plan.analysis.design.truths
    settings = {
        "version": DESIGN_VERSION,
        "seed": plan.seed,
        "draws": asked.draws,
        "tune": asked.tune,
        "chains": asked.chains,
        "truths": None if truth is None else truth.model_dump(),
    }
    return design_key(plan.analysis, plan.own[0].details.digest, settings)


def _cases(plan: Plan) -> Iterator[_Case]:
    for truth in plan.forms:
        own = [design.equation.form for design in plan.own]
        for fitted in own if plan.options.fit == "own" else [truth]:
            for k in range(plan.options.replications):
                yield _Case(truth, fitted, k)


def _kept(path: Path) -> Replication | None:
    """A replication that is there; a file that cannot be understood counts as none."""
    return kept(path, Replication, DESIGN_VERSION)


def _make(plan: Plan, size: Size, directory: Path, watch: CountingWatch) -> None:
    """Make the replications of a size that are not there."""
    cases = list(_cases(plan))
    pending = [case for case in cases if _kept(case.path(directory, size)) is None]
    what = size_words(size)
    if not pending:
        watch.step(f"{what}: all replications are there already")
        return
    fitters: dict[StructureName, Fitter] = {}
    for form in dict.fromkeys(case.fitted for case in pending):
        watch.step(f"{what}: compiling {form}")
        fitters[form] = _fitter(plan, size, form)
    drawn: dict[StructureName, tuple[Design, Draws]] = {}
    for form in dict.fromkeys(case.truth for case in pending):
        watch.step(f"{what}: drawing truths of {form}")
        design = form_design(plan, size, form)
        drawn[form] = design, truths(plan, size, design)
    found = f" ({len(cases) - len(pending)} kept from before)" if len(pending) < len(cases) else ""
    watch.step(f"{what}: {len(pending)} replications{found}")

    def work(case: _Case) -> None:
        design, all_truths = drawn[case.truth]
        truth = Truth(design, all_truths.part(np.array([case.number])))
        made = _replication(plan, size, case, truth, fitters[case.fitted])
        write_text(case.path(directory, size), made.model_dump_json(indent=1) + "\n")

    watch.count("replications", 0, len(pending))
    for done in in_threads(work, pending, plan.options.jobs):
        watch.count("replications", done, len(pending))


def _fitter(plan: Plan, size: Size, form: StructureName) -> Fitter:
    design = form_design(plan, size, form)
    seed = seed_of(plan, PRIOR_STREAM, *size.stream)
    prior = sample_prior(design, build_model(design), reported_variables(design), PRIOR_DRAWS, seed)
    return Fitter(Repeated(design), draws_of(design, prior))


def _replication(plan: Plan, size: Size, case: _Case, truth: Truth, fitter: Fitter) -> Replication:
    place = (FORMS.index(case.truth), *size.stream, case.number)
    rng = np.random.default_rng((plan.seed, DESIGN_STREAM, OUTCOME_STREAM, *place))
    asked = plan.options
    sampling = Sampling(
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=seed_of(plan, REFIT_STREAM, *place),
        target_accept=TARGET_ACCEPT,
    )
    return judged_replication(truth, fitter, case.number, simulated(truth, rng), sampling)


def size_words(size: Size) -> str:
    """Name a size by what is in it."""
    facts = size.facts
    inside = f" in {facts.clusters:,} clusters" if facts.clusters else ""
    return f"{facts.firms:,} firms{inside}"


def _results(plan: Plan, key: str, sized: Sequence[Sized]) -> DesignAnalysis:
    asked, analysis = plan.options, plan.analysis
    one_fit = TRUE_FORM if asked.fit == "true" else ""
    rows = design_rows(sized, one_fit)
    fitted = (one_fit,) if one_fit else tuple(design.equation.form for design in plan.own)
    return DesignAnalysis(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=key,
        model_key=model_key_of(analysis, plan.own),
        synthetic=plan.own[0].details.synthetic,
        outcome=analysis.equation.outcome,
        level=analysis.traditions.level,
        enough=ENOUGH,
        interval=INTERVAL,
        forms=plan.forms,
        fitted=fitted,
        replications=asked.replications,
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=plan.seed,
        rhat_max=RHAT_MAX,
        sizes=tuple(one.size for one in sized),
        rows=rows,
        needed=needed(sized, rows),
        failures=failures(sized),
        notes=tuple(design_notes(plan)),
    )


def write_design(results: DesignAnalysis, directory: Path) -> None:
    """Write ``design.json``, ``design.csv`` and ``design.html``."""
    from bayescluster.studies.design_analysis.view import csv_text, page_text

    write_text(directory / "design.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "design.csv", csv_text(results))
    write_text(directory / "design.html", page_text(results))
