"""Outcomes with a known truth, refitted and judged: the replications of a design analysis."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, cast, get_args

import numpy as np
from scipy.optimize import isotonic_regression

from bayescluster.arrays import Array
from bayescluster.design.arrays import with_data
from bayescluster.inference.density import Repeated, draw_prior
from bayescluster.inference.watch import Watch
from bayescluster.model.evaluate import Draws, draws_of, replicate
from bayescluster.model.priors import latent_capitals
from bayescluster.names import CAPITALS, OUTCOME, ROW
from bayescluster.results.base import VERDICT_STATES
from bayescluster.runs.keys import design_key
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.equation import StructureName
from bayescluster.studies.design_analysis.results import (
    COMPENSATORY,
    DESIGN_VERSION,
    PLAUSIBLE,
    DesignRow,
    Failures,
    Judged,
    Needed,
    Replication,
    Share,
    SizeFacts,
    Way,
)
from bayescluster.studies.design_analysis.truths import (
    FORMS,
    REPLICATIONS_MAX,
    SCENARIO_DRAWS,
    STREAMS,
    TrueStructure,
    Truth,
    form_design,
    has_base_rate,
    near_scenario,
    true_answers,
)
from bayescluster.studies.design_analysis.view import size_words
from bayescluster.studies.engine import Batch, Files
from bayescluster.studies.simulation import (
    OUTCOME_STREAM,
    PRIOR_DRAWS,
    PRIOR_STREAM,
    READ,
    TRUTH_STREAM,
    Answer,
    FormRefit,
    SimulationPlan,
    Size,
    answers,
    attempted,
    copied,
    judging,
    share_of,
)
from bayescluster.verdicts.evidence import Evidence

BASE_RATES: Final = (0.05, 0.15, 0.4)
"""Mean expected outcomes of the compensatory truths, where none are asked for."""
TARGET_ACCEPT: Final = 0.9


class Options(NamedTuple):
    """Settings of a design analysis."""

    forms: tuple[str, ...] | None = None
    """`FORMS` without them; of an analysis of one capital its own."""
    base_rates: tuple[float, ...] | None = None
    """Of the compensatory truths; `BASE_RATES` without it, if the outcome is yes or no or a share."""
    fit: Literal["own", "true"] = "own"
    replications: int = 20
    firms: tuple[float, ...] = (1.0,)
    clusters: tuple[float, ...] = (1.0,)
    draws: int = 500
    tune: int = 500
    chains: int = 2
    seed: int | None = None
    """That of the analysis without it."""
    jobs: int | None = None
    """As many as there are cores without it."""


class DesignPlan(SimulationPlan[Options]):
    """An analysis of which a design analysis can be made."""

    STREAM: ClassVar[int] = 27

    @cached_property
    def key(self) -> str:
        """Key of what each replication depends on."""
        truth = self.analysis.design.truths
        settings = {
            **self.refit_settings(),
            "version": DESIGN_VERSION,
            "truths": None if truth is None else truth.model_dump(),
        }
        return design_key(self.analysis, self.forms[0].details.digest, settings)


def true_forms(analysis: Analysis, options: Options) -> tuple[str, ...]:
    """Forms that outcomes are simulated from, with parameters from their prior."""
    if options.forms is not None:
        return options.forms
    own = analysis.equation.form
    return (own,) if own in CAPITALS else FORMS


def base_rates_of(analysis: Analysis, options: Options) -> tuple[float, ...]:
    """Mean expected outcomes at which compensatory truths are simulated; none of an amount."""
    if options.base_rates is not None:
        return options.base_rates
    two = analysis.equation.form not in CAPITALS
    return BASE_RATES if two and has_base_rate(analysis.equation) else ()


class Case(NamedTuple):
    """A replication: what is true, the forms that are fitted, and its number."""

    truth: TrueStructure
    forms: tuple[StructureName, ...]
    number: int

    @property
    def fitted(self) -> str:
        """What the verdicts rest on, in words."""
        return self.forms[0] if len(self.forms) == 1 else PLAUSIBLE


class Fitter(NamedTuple):
    """A compiled form, and draws of its prior."""

    repeated: Repeated
    prior: Draws


def replications(
    plan: DesignPlan, size: Size, directory: Path, watch: Watch
) -> Batch[Case, Replication]:
    """Plan the replications of a size."""
    name, folder = size_words(size.facts), directory / "replications" / size.name

    def path(case: Case) -> Path:
        fitted = case.fitted.replace(" ", "-")
        return folder / f"{case.truth.name}-as-{fitted}" / f"{case.number:03d}.json"

    def prepare(pending: Sequence[Case]) -> Callable[[Case], Replication]:
        fitters: dict[StructureName, Fitter] = {}
        for form in dict.fromkeys(form for case in pending for form in case.forms):
            watch.step(f"{name}: compiling {form}")
            design = form_design(plan.analysis, size, form)
            prior = draw_prior(design, PRIOR_DRAWS, plan.seed_of(PRIOR_STREAM, *size.stream))
            fitters[form] = Fitter(Repeated(design), draws_of(design, prior))
        drawn: dict[TrueStructure, Truth] = {}
        for truth in dict.fromkeys(case.truth for case in pending):
            watch.step(f"{name}: drawing truths of {truth.words}")
            drawn[truth] = truths(plan, size, truth)

        def replication(case: Case) -> Replication:
            stream = (*case.truth.stream, *size.stream, case.number)
            rng = plan.rng(OUTCOME_STREAM, *stream)
            truth, data = drawn[case.truth].number(case.number).with_capitals(rng)
            data[OUTCOME] = (ROW, simulated(truth, rng))
            sampling = plan.sampling(TARGET_ACCEPT, *stream)
            mine = [fitters[form] for form in case.forms]
            return judged_replication(truth, mine, case, data, sampling)

        return replication

    store = Files(path, Replication, DESIGN_VERSION)
    return Batch(tuple(_cases(plan)), store, prepare, name)


def _cases(plan: DesignPlan) -> Iterator[Case]:
    own = tuple(design.equation.form for design in plan.forms)
    asked = [
        TrueStructure(cast("StructureName", form))
        for form in true_forms(plan.analysis, plan.options)
    ]
    rates = base_rates_of(plan.analysis, plan.options)
    for truth in (*asked, *(TrueStructure(COMPENSATORY, rate) for rate in rates)):
        forms = own if plan.options.fit == "own" else (truth.form,)
        for number in range(plan.options.replications):
            yield Case(truth, forms, number)


def truths(plan: DesignPlan, size: Size, truth: TrueStructure) -> Truth:
    """Draw parameters from the prior of a form, as many as replications can be asked for.

    Of a compensatory truth the slopes and the base rate are stated and the rest is drawn. With a declared
    scenario the others are those draws that come near it, in the order in which they were drawn.

    Raises
    ------
    DesignError
        If fewer draws than there are replications come near the scenario.
    """
    scenario = plan.analysis.design.truths if truth.base_rate is None else None
    design = form_design(plan.analysis, size, truth.form)
    seed = plan.seed_of(TRUTH_STREAM, STREAMS.index(truth.form), *size.stream)
    prior = draw_prior(design, REPLICATIONS_MAX if scenario is None else SCENARIO_DRAWS, seed)
    latent = bool(latent_capitals(design))
    drawn = Truth(truth, design, draws_of(design, prior), prior if latent else None)
    if scenario is None:
        return drawn
    where = plan.source.where(("design", "truths"))
    return near_scenario(drawn, scenario, plan.options.replications, where)


def simulated(truth: Truth, rng: np.random.Generator) -> Array:
    """Outcome of every row, drawn from the truth, ``(row,)``."""
    return np.asarray(replicate(truth.design, truth.draws, rng)[0])


def judged_replication(
    truth: Truth,
    fitters: Sequence[Fitter],
    case: Case,
    data: Mapping[str, Any],
    sampling: Sampling,
) -> Replication:
    """Refit simulated data and judge every claim; where nothing was fitted everything is undecided.

    Parameters
    ----------
    truth
        What the outcome was drawn from.
    fitters
        The forms that are fitted; of several, those that the data leave plausible judge.
    case
        The replication.
    data
        The simulated outcome, and the answers that measure latent capitals, as variables of a design.
    sampling
        Settings of each refit.
    """
    started = time.perf_counter()
    real, by_equation = copied(truth.draws), {truth.design.equation_name: data}
    design = with_data(truth.design, by_equation)
    true = true_answers(truth, Evidence(design, real, real, sampling.seed))
    made = [
        attempted(each.repeated, with_data(each.repeated.design, by_equation), sampling)
        for each in fitters
    ]
    refits = [
        FormRefit(
            Evidence(
                one.refit.design, one.refit.draws.thinned_by_chain(READ), each.prior, sampling.seed
            ),
            one.refit.tree,
            one.status == "fitted",
        )
        for one, each in zip(made, fitters, strict=True)
        if one.refit is not None
    ]
    failed = next((one for one in made if one.refit is None), None)
    if failed is not None:
        status, reason = failed.status, failed.reason
        given = {key: Answer(each.title, None, "undecided") for key, each in true.items()}
    else:
        judges = judging(refits)
        given = answers(judges)
        status = "fitted" if judges.gate_passed else "not_converged"
        reason = "" if judges.gate_passed else next(one.reason for one in made if one.reason)
    return Replication(
        truth=case.truth.form,
        base_rate=case.truth.base_rate,
        fitted=case.fitted,
        number=case.number,
        status=status,
        reason=reason,
        rhat=max((one.rhat for one in made if one.rhat is not None), default=None),
        divergences=sum(one.divergences for one in made),
        seconds=round(time.perf_counter() - started, 3) if refits else 0.0,
        judged=tuple(
            answer.judged(key, true[key].holds, true[key].region)
            if key in true
            else answer.judged(key, None)
            for key, answer in given.items()
        ),
    )


ENOUGH: Final = 0.8
"""Share of right verdicts that is asked for: the usual power of a study."""
ALL_FORMS: Final = "all"
REASONS_SHOWN: Final = 3
ROUNDING: Final = 1e-12

ClaimKey = tuple[str, str, str, str]
"""Fitted form, tradition, claim and kind of group."""


class SizeReplications(NamedTuple):
    """A size with its replications."""

    size: SizeFacts
    replications: tuple[Replication, ...]


class _Verdict(NamedTuple):
    """A verdict whose truth is known, and the replication it belongs to."""

    replication: tuple[str, int]
    judged: Judged
    true: bool


_Truth = tuple[str, float | None]
"""Form and base rate."""


def design_rows(sizes: Sequence[SizeReplications], one_fit: str = "") -> tuple[DesignRow, ...]:
    """Count verdicts by size, truth, fitted form and claim; then over all true forms.

    Parameters
    ----------
    sizes
        Replications of each size.
    one_fit
        Stands for every fitted form, where they are to be taken together.
    """
    return tuple(row for each in sizes for row in _rows(each, one_fit))


def _rows(found: SizeReplications, one_fit: str) -> Iterator[DesignRow]:
    truths = list(dict.fromkeys((each.truth, each.base_rate) for each in found.replications))
    from_prior = [truth for truth in truths if truth[1] is None]
    everything: _Truth = (ALL_FORMS, None)
    cells: dict[tuple[_Truth, ClaimKey], list[_Verdict]] = {}
    for each in found.replications:
        own: _Truth = (each.truth, each.base_rate)
        # a compensatory truth is a question of its own, and no part of the average over the forms
        summed = [everything] if own in from_prior and len(from_prior) > 1 else []
        for judged in each.judged:
            key: ClaimKey = (
                one_fit or each.fitted,
                judged.tradition,
                judged.claim,
                judged.by,
            )
            for truth in (own, *summed):
                verdicts = cells.setdefault((truth, key), [])
                if judged.truth is not None:
                    true = judged.truth > 0.5
                    verdicts.append(_Verdict((each.truth, each.number), judged, true))
    order = [*from_prior, everything, *(truth for truth in truths if truth not in from_prior)]
    for truth, key in sorted(cells, key=lambda cell: order.index(cell[0])):
        if cells[truth, key]:
            yield _row(found.size, truth, key[0], cells[truth, key])


def _row(size: SizeFacts, truth: _Truth, fitted: str, verdicts: Sequence[_Verdict]) -> DesignRow:
    first = verdicts[0].judged
    outlooks = Counter(each.judged.outlook for each in verdicts)
    states = Counter(each.judged.verdict for each in verdicts)
    replications = _replications(verdicts)

    def share(count: int) -> Share:
        return share_of(count, len(verdicts), replications)

    true, false = ([each for each in verdicts if each.true is side] for side in (True, False))
    return DesignRow(
        firms_times=size.firms_times,
        clusters_times=size.clusters_times,
        truth=truth[0],
        base_rate=truth[1],
        fitted=fitted,
        tradition=first.tradition,
        claim=first.claim,
        title=first.title,
        by=first.by,
        replications=replications,
        verdicts=len(verdicts),
        true=len(true),
        region_only=sum((each.judged.region or 0) > 0.5 for each in false),
        right=share(outlooks["right"]),
        wrong=share(outlooks["wrong"]),
        **{
            state.replace(" ", "_").replace("-", "_"): share(states[state])
            for state in VERDICT_STATES
        },
        supported_where_true=_supported(true),
        supported_where_false=_supported(false),
    )


def _supported(verdicts: Sequence[_Verdict]) -> Share | None:
    if not verdicts:
        return None
    many = sum(each.judged.verdict == "supported" for each in verdicts)
    return share_of(many, len(verdicts), _replications(verdicts))


def _replications(verdicts: Sequence[_Verdict]) -> int:
    return len({each.replication for each in verdicts})


def failures(sizes: Sequence[SizeReplications]) -> tuple[Failures, ...]:
    """Count the replications that failed, by size and forms."""
    found = []
    for size, replications in sizes:
        pairs: dict[tuple[str, float | None, str], list[Replication]] = {}
        for each in replications:
            pairs.setdefault((each.truth, each.base_rate, each.fitted), []).append(each)
        for (truth, base_rate, fitted), some in pairs.items():
            status = Counter(each.status for each in some)
            reasons = dict.fromkeys(each.reason for each in some if each.reason)
            found.append(
                Failures(
                    firms_times=size.firms_times,
                    clusters_times=size.clusters_times,
                    truth=truth,
                    base_rate=base_rate,
                    fitted=fitted,
                    replications=len(some),
                    not_converged=status["not_converged"],
                    not_fitted=status["not_fitted"],
                    divergent=sum(each.divergences > 0 for each in some),
                    reasons=tuple(reasons)[:REASONS_SHOWN],
                )
            )
    return tuple(found)


def needed(sizes: Sequence[SizeReplications], rows: Sequence[DesignRow]) -> tuple[Needed, ...]:
    """Find at which of the sizes run each claim is judged right often enough, over all true forms.

    Along the firms with the clusters as they are, and the other way round; where the data's own size
    was not run, along the sizes nearest to it.
    """
    several = any(row.truth == ALL_FORMS for row in rows)
    at: dict[ClaimKey, dict[tuple[float, float], DesignRow]] = {}
    for row in rows:
        if row.base_rate is None and (row.truth == ALL_FORMS or not several):
            claim: ClaimKey = (row.fitted, row.tradition, row.claim, row.by)
            at.setdefault(claim, {})[row.firms_times, row.clusters_times] = row
    found, ways = list[Needed](), cast("tuple[Way, ...]", get_args(Way))
    for way in ways:
        line = _line([each.size for each in sizes], way)
        for mine in at.values():
            pairs = [(size, mine.get((size.firms_times, size.clusters_times))) for size in line]
            known = [(size, row) for size, row in pairs if row is not None]
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


def _needed(way: Way, known: Sequence[tuple[SizeFacts, DesignRow]]) -> Needed:
    row = known[0][1]
    shares = np.array([each.right.share for _, each in known])
    weights = np.array([float(each.replications) for _, each in known])
    smoothed = isotonic_regression(shares, weights=weights).x
    counts = [size.firms if way == "firms" else size.clusters for size, _ in known]
    reached = np.flatnonzero(smoothed >= ENOUGH - ROUNDING)
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
