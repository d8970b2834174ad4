"""The posterior of one form: as many draws as asked for, or block by block until the checks pass.

Where the analysis does not say how many draws to make, all chains go on together and are held to
the convergence gate at the end of every block. What is decided there depends on the draws alone, so
that a run that was stopped ends with the draws of one that was not; only the time limit can differ,
and it is recorded where it cut the chains short.

The likelihood of many firms: whether its summary serves, and what is done where it does not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.app.collect import explained, named_estimands
from bayescluster.app.prepare import key_of
from bayescluster.arrays import Array
from bayescluster.checks.convergence import (
    STILL,
    confirmed,
    convergence_gate,
    element_names,
    means_of,
    needs_confirmation,
    with_confirmed,
)
from bayescluster.checks.loo import smoothed
from bayescluster.checks.remedies import (
    DIVERGENCES,
    ESS_BULK,
    ESS_TAIL,
    RETRIES,
    RHAT,
    Failure,
    Remedied,
    remedied,
    settings_changed,
    with_settings,
)
from bayescluster.checks.thresholds import ESS_MIN, RHAT_MAX
from bayescluster.design.arrays import design_from, design_tree
from bayescluster.design.record import Design
from bayescluster.errors import FitError, Problem
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.estimands.levels import default_levels
from bayescluster.inference.assemble import assemble, reported_variables
from bayescluster.inference.density import compile_design, draw_prior
from bayescluster.inference.nuts import Chain, sample_blocks, sample_chains
from bayescluster.inference.watch import Watch
from bayescluster.model.evaluate import draws_of
from bayescluster.model.imputation import completed, imputing
from bayescluster.names import CHAIN, DRAW, DRAWN_AFTER, POPULATION
from bayescluster.results.fit import Attempt, CheckItem, EstimandMeans, Gate
from bayescluster.runs.keys import key_of_arrays
from bayescluster.runs.layout import MANIFEST
from bayescluster.runs.manifest import LikelihoodUsed, Settled, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text
from bayescluster.summaries.build import kept_draws, ratios, resampled, with_every_firm
from bayescluster.summaries.likelihood import HELD_ROWS, Firms
from bayescluster.summaries.record import WORDS, summary_of
from bayescluster.verdicts.evidence import Evidence

PRIOR_STREAM: Final = 6
"""Keeps the seed of the prior draws apart from those of the chains."""
BLOCK: Final = 500
"""Draws of each chain from one look at the checks to the next."""
BLOCKS: Final = 10
"""Most blocks of an attempt: chains that need more draws than these need something else first."""
SURE: Final = 2
"""Blocks after which it is foreseen how many draws the chains need; fewer say too little of it."""
MIXING: Final = frozenset({RHAT, ESS_BULK, ESS_TAIL})
"""Checks that more draws can repair."""


class Form(NamedTuple):
    """A form that is fitted: its design, the directory of its run, and the watch."""

    design: Design
    directory: RunDirectory
    watch: Watch
    firms: Firms | None = None
    """All firms, where the design is of a sample of them."""


def begin_run(analysis: Analysis, design: Design, directory: RunDirectory) -> str:
    """Begin a run or go on with it; give its key."""
    details, key = design.details, key_of(analysis, design)
    directory.begin(
        new_manifest(analysis, key, data_label=details.label, data_digest=details.digest)
    )
    return key


def is_fitted(design: Design, directory: RunDirectory) -> bool:
    """Whether the posterior is there, and was not cut short by less time than there is now."""
    key = key_of(design.analysis, design)
    begun = (directory.path / MANIFEST).is_file()
    return begun and directory.is_done("posterior", key) and not has_more_time(design, directory)


def has_more_time(design: Design, directory: RunDirectory) -> bool:
    """Whether a time limit cut the draws short that was below that of the analysis."""
    if not (directory.path / MANIFEST).is_file():
        return False
    settled = directory.read_manifest().settled
    minutes = None if settled is None else settled.minutes
    return minutes is not None and design.analysis.sampling.minutes > minutes


def fit_form(form: Form) -> xr.DataTree | None:
    """Draw the posterior of a design, keep it, and give it; nothing where it is there already."""
    design, directory, watch, _ = form
    # begun again where nothing is fitted too: claims and texts may have changed
    key = begin_run(design.analysis, design, directory)
    arrays_key = key_of_arrays(key, design.analysis)
    if not directory.is_done("design", arrays_key):
        with directory.stage("design", arrays_key):
            directory.save_design(design_tree(design))
    if is_fitted(design, directory):
        watch.step("The posterior is there already: nothing is fitted again")
        return None
    if has_more_time(design, directory):
        watch.step("The time limit had cut the draws short: they are made again with more time")
        directory.discard_draws()
    chains = _chains(form)
    watch.step("Drawing the prior and replicated outcomes")
    with directory.stage("posterior"):
        sampling = design.analysis.sampling
        seed = sampling.seed + PRIOR_STREAM
        prior = draw_prior(design, sampling.prior_draws, seed)
        tree = assemble(design, chains, prior, sampling.seed)
        directory.save_posterior(tree)
    return tree


def _chains(form: Form) -> Sequence[Chain]:
    """Draw the chains, and weigh them where their likelihood is a summary that is not exact.

    Where the summary does not serve they are drawn again with the likelihood of every firm.
    """
    directory, firms = form.directory, form.firms
    form = form._replace(design=in_use(form.design, firms, directory))
    with directory.stage("sampling"):
        chains = _sample(form)
    exact = exact_use(form.design)
    if firms is None or exact is not None:
        if exact is not None and directory.read_manifest().likelihood is None:
            directory.record_likelihood(exact)
        return chains
    form.watch.step("Comparing the summaries with the likelihood of every firm")
    found = weighed(form.design, chains, firms)
    if found.passed:
        directory.record_likelihood(found.used)
        return by_weight(chains, found.weights)
    refuse_summary(found, firms)
    form.watch.step("The summaries do not serve: sampling with the likelihood of every firm")
    directory.discard_draws()
    directory.record_likelihood(found.used.model_copy(update={"kind": "rows"}))
    return _chains(form)


def gate_of_fit(design: Design, directory: RunDirectory, tree: xr.DataTree) -> Gate:
    """Hold the parameters of a finished fit to the gate, without estimands; with likely reasons."""
    settled = directory.read_manifest().settled
    gate = convergence_gate(tree, {}, design.analysis.sampling.max_treedepth)
    return explained(with_confirmed(gate, settled.checks if settled else ()), design, tree)


def _sample(form: Form) -> tuple[Chain, ...]:
    """Draw the chains that are not there yet, each kept when it is finished; give all of them."""
    design, directory, watch, _ = form
    manifest = directory.read_manifest()
    settled = manifest.settled.settings if manifest.settled else {}
    tried = with_settings(design.analysis, settled)
    if tried.sampling.draws is None:
        settled_chains = _settle(form, tried)
        for chain in settled_chains:
            directory.save_chain(chain)
        return settled_chains
    chains, kept = tried.sampling.chains, directory.load_chains()
    pending = sorted(set(range(chains)).difference(chain.number for chain in kept))
    if not pending:
        return tuple(kept)
    if tried.equations != design.analysis.equations:
        design = design_from(tried, design_tree(design))
    compiled = _compiled(form, design)
    before = f" ({len(kept)} kept from before)" if kept else ""
    watch.step(f"Sampling {len(pending)} of {chains} chains{before}")
    drawn = [*kept]
    for chain in sample_chains(compiled, tried.sampling, pending, watch.chain):
        directory.save_chain(chain)
        drawn.append(chain)
    return tuple(drawn)


def _compiled(form: Form, design: Design) -> Any:
    form.watch.step("Preparing the model")
    return compile_design(design, design.analysis.sampling.seed)


def _settle(form: Form, tried: Analysis) -> tuple[Chain, ...]:
    """Make attempts until the gate passes, nothing is left to change, or time is over.

    Each attempt is recorded before it begins, and the number of draws before any chain is kept:
    whatever is stopped in between goes on from there.
    """
    first, directory = form.design.analysis, form.directory
    manifest = directory.read_manifest()
    attempts = [*manifest.attempts] or [Attempt(number=0, key=manifest.key, gate_passed=False)]
    before = manifest.settled.before if manifest.settled else None
    until = time.monotonic() + 60 * first.sampling.minutes - manifest.stages["sampling"].seconds
    compiled, equations = None, None
    while True:
        attempt = form._replace(design=design_from(tried, design_tree(form.design)))
        if tried.equations != equations:
            equations = tried.equations
            compiled = _compiled(form, attempt.design)
        place = _Place(first=len(attempts) == 1, last=len(attempts) > RETRIES, before=before)
        ended = _attempt(attempt, compiled, until, place)
        settled = tried if ended.step else _with_draws(tried, ended.draws)
        attempts[-1] = _judged(attempts[-1], ended, settings_changed(first, settled))
        if ended.step is None:
            break
        tried, before = ended.step.analysis, ended.means
        attempts.append(
            Attempt(
                number=len(attempts),
                key=manifest.key,
                changes=ended.step.changes,
                gate_passed=False,
            )
        )
        directory.record_settled(
            Settled(settings=settings_changed(first, tried), before=before), tuple(attempts)
        )
        changed = ", ".join(map(str, ended.step.changes))
        form.watch.step(f"The chains begin again: {changed}")
    minutes = first.sampling.minutes if ended.out_of_time else None
    directory.record_settled(
        Settled(
            settings=settings_changed(first, settled),
            minutes=minutes,
            checks=ended.confirmed,
        ),
        tuple(attempts) if len(attempts) > 1 else (),
    )
    if minutes is not None:
        form.watch.step(f"The time limit of {minutes:g} minutes is over")
    return ended.chains


def lengthen(form: Form, gate: Gate) -> bool:
    """Ask for twice the draws where estimands of the results, looked at last, mix too slowly.

    Nothing is asked, and False returned, where the number of draws was given, another check failed,
    the draws are many already, or there is no time for them.
    """
    first, directory = form.design.analysis, form.directory
    manifest = directory.read_manifest()
    settled = manifest.settled
    if gate.passed or settled is None or settled.minutes or not MIXING.issuperset(gate.failing):
        return False
    now = with_settings(first, settled.settings)
    draws = 2 * (now.sampling.draws or BLOCK)
    late = 2 * manifest.stages["sampling"].seconds > 60 * first.sampling.minutes
    if late or draws > 2 * BLOCK * BLOCKS:
        if late:
            directory.record_settled(
                settled.model_copy(update={"minutes": first.sampling.minutes}), manifest.attempts
            )
        return False
    settings = settings_changed(first, _with_draws(now, draws))
    attempts = manifest.attempts
    if attempts:
        lines = yaml_text(settings)
        attempts = (*attempts[:-1], attempts[-1].model_copy(update={"settings": lines}))
    form.watch.step(f"Estimands need more draws than the parameters: {draws:,} draws a chain")
    directory.discard_draws()
    directory.record_settled(settled.model_copy(update={"settings": settings}), attempts)
    return True


def _with_draws(analysis: Analysis, draws: int) -> Analysis:
    sampling = analysis.sampling.model_copy(update={"draws": draws})
    return analysis.model_copy(update={"sampling": sampling})


class _Place(NamedTuple):
    """Place of an attempt among all."""

    first: bool
    last: bool
    """Whether no other is begun after it."""
    before: EstimandMeans | None
    """Estimands of the attempt before, where that passed but for a few divergences."""


class _Ended(NamedTuple):
    """An attempt at the end of a block: its chains, what the gate says, and what to try next."""

    chains: tuple[Chain, ...]
    gate: Gate
    means: EstimandMeans | None
    """Estimands, where a few divergences are to be confirmed by them."""
    confirmed: tuple[CheckItem, ...] = ()
    """Checks that the attempt before has settled."""
    step: Remedied | None = None
    out_of_time: bool = False

    @property
    def draws(self) -> int:
        """Draws of each chain."""
        return int(self.chains[0].posterior.sizes[DRAW])

    def held_against(self, before: EstimandMeans | None) -> _Ended:
        """Settle a few divergences by the attempt before, which had larger steps."""
        if before is None or self.means is None:
            return self
        gate = confirmed(self.gate, before, self.means)
        settled = tuple(item for item in gate.items if item not in self.gate.items)
        return self._replace(gate=gate, confirmed=settled)


def _judged(attempt: Attempt, ended: _Ended, settings: Mapping[str, Any]) -> Attempt:
    # draws of an attempt that another follows are not kept
    key = "" if ended.step else attempt.key
    failing = ended.gate.failing or ((DIVERGENCES,) if ended.step else ())
    return attempt.model_copy(
        update={
            "key": key,
            "gate_passed": not failing,
            "failing": failing,
            "settings": yaml_text(settings) if settings else "",
        }
    )


def _attempt(form: Form, compiled: Any, until: float, place: _Place) -> _Ended:
    """Draw block by block until the gate passes, or until more draws would not make it pass."""
    sampling = form.design.analysis.sampling
    form.watch.step(
        f"Sampling {sampling.chains} chains in blocks of {BLOCK} draws, for at most "
        f"{sampling.minutes:g} minutes"
    )
    began, first_block = time.monotonic(), 0.0
    blocks = range(BLOCK, BLOCK * BLOCKS + 1, BLOCK)
    drawn = sample_blocks(compiled, sampling, blocks, until, form.watch.chain)
    with closing(drawn):
        for chains in drawn:
            first_block = first_block or time.monotonic() - began
            tree = _tree(form.design, chains)
            ended = _Ended(chains, *_gate(form.design, tree)).held_against(place.before)
            form.watch.step(_block_words(ended, until))
            failing = _beyond_more_draws(ended, tree, place)
            if ended.gate.passed and not failing:
                return ended
            if not failing:
                continue
            step = None if place.last else _next_step(form.design, ended.gate, failing, tree)
            if step is not None:
                late = time.monotonic() + first_block > until
                return ended._replace(step=None if late else step, out_of_time=late)
            if not MIXING.issuperset(failing):
                return ended
    return ended._replace(out_of_time=ended.draws < blocks[-1])


def _beyond_more_draws(ended: _Ended, tree: xr.DataTree, place: _Place) -> set[str]:
    """Checks that only other settings can make pass.

    A few divergences are tolerated where a refit with smaller steps confirms the estimates. Such a
    refit may well have none: it begins at once where they show in the first block of all, and
    else when everything else has passed.
    """
    failing = set(ended.gate.failing)
    if MIXING & failing and _more_draws_help(ended.draws, tree):
        failing -= MIXING
    few = any(item.unconfirmed for item in ended.gate.items)
    if few and (ended.gate.passed or (place.first and ended.draws == BLOCK)):
        failing.add(DIVERGENCES)
    return failing


def _tree(design: Design, chains: Sequence[Chain]) -> xr.DataTree:
    """Draws and statistics of all chains, as the gate looks at them."""
    kept = list(reported_variables(design))
    posterior = xr.concat([chain.posterior[kept] for chain in chains], CHAIN)
    stats = xr.concat([chain.sample_stats for chain in chains], CHAIN)
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})


def _gate(design: Design, tree: xr.DataTree) -> tuple[Gate, EstimandMeans | None]:
    """Hold the parameters to the gate and, where they pass, the effects and corners of all firms.

    With few divergences the means of the latter are given as well, for the refit.
    """
    depth = design.analysis.sampling.max_treedepth
    gate = convergence_gate(tree, {}, depth)
    if not gate.passed:
        return gate, None
    posterior = tree["posterior"].to_dataset()
    estimands = _estimands(design, posterior)
    gate = convergence_gate(tree, estimands, depth)
    few = needs_confirmation(gate)
    return gate, means_of(estimands, posterior.sizes[CHAIN]) if few else None


def _estimands(design: Design, posterior: xr.Dataset) -> Mapping[str, Array]:
    """Effects and corners of all firms, industries and clusters; without capitals, the intercept."""
    seed = design.analysis.sampling.seed
    if not design.has_capitals:
        values = posterior[design.variable(POPULATION)].transpose(CHAIN, DRAW, ...)
        flat = values.to_numpy().reshape(values.sizes[CHAIN] * values.sizes[DRAW], -1)
        return {
            f"{POPULATION}{label}": draws
            for label, draws in zip(element_names(values), flat.T, strict=True)
        }
    draws = draws_of(design, completed(design, posterior, imputing(seed)))
    evidence = Evidence(design, draws, draws, seed)
    evidence.surface("observed", default_levels(design))
    return named_estimands(evidence)


def _more_draws_help(draws: int, tree: xr.DataTree) -> bool:
    """Whether chains that do not mix well enough would with more draws, within an attempt."""
    if draws >= BLOCK * BLOCKS:
        return False
    return draws < SURE * BLOCK or _draws_needed(tree) <= BLOCK * BLOCKS


def _draws_needed(tree: xr.DataTree) -> float:
    """Foresee how many draws of each chain the parameters need; inf where they never pass.

    An effective sample size grows with the draws, and R-hat falls towards 1 as their inverse, where
    the chains agree and only mix slowly (Vehtari et al. 2021, section 4).
    """
    values = [
        values.transpose(CHAIN, DRAW, ...)
        for values in tree["posterior"].to_dataset().data_vars.values()
        if not values.attrs.get(DRAWN_AFTER)
    ]
    chains, draws = values[0].sizes[CHAIN], values[0].sizes[DRAW]
    flat = np.concatenate([each.to_numpy().reshape(chains * draws, -1) for each in values], axis=1)
    flat = flat[:, np.ptp(flat, axis=0) > STILL]
    rhat, bulk, tail, _ = diagnostics(flat, chains)
    if chains > 1:
        times = max((rhat.max() - 1) / (RHAT_MAX - 1), ESS_MIN / min(bulk.min(), tail.min()))
    else:
        times = ESS_MIN / min(bulk.min(), tail.min())
    return float(draws * times) if np.isfinite(times) else np.inf


def _next_step(
    design: Design, gate: Gate, failing: AbstractSet[str], tree: xr.DataTree
) -> Remedied | None:
    """What failed checks and their likely reasons call for, in how the posterior is drawn."""
    reasons = tuple(
        reason for reason in explained(gate, design, tree).reasons if failing & set(reason.checks)
    )
    checks = tuple(item.name for item in gate.items if item.name in failing)
    return remedied(design.analysis, Failure(checks, reasons), (design,))


def _block_words(ended: _Ended, until: float) -> str:
    """What the gate says at the end of a block: all passed, or what failed and its worst case."""
    gate = ended.gate
    failed = (
        # how many quantities there are is the same in every block
        f"{item.name} {item.found.split(' over ')[0]}"
        + (f" ({item.worst[0]})" if item.worst else "")
        for item in gate.items
        if item.passed is not True
    )
    said = "; ".join(failed) or "all checks passed"
    few = [f"{item.name} {item.found}" for item in gate.items if item.unconfirmed]
    said += f" ({'; '.join(few)}: to be confirmed by smaller steps)" if few else ""
    left = max(0.0, (until - time.monotonic()) / 60)
    return f"{ended.draws:,} draws a chain: {said}; {left:.0f} minutes left"


KHAT_MAX: Final = 0.5
"""Pareto k from which the summary is not used."""
OFF_MAX: Final = 0.1
"""Largest sd of what third derivatives leave of the log ratio, where they stand for the exact ratio."""
EQUAL: Final = 1e-3
"""Log ratios that differ by less are all the same: their weights have no tail."""
SHARE_MIN: Final = 0.5
"""Least effective sample size of the weights over the number of draws."""


class Weighed(NamedTuple):
    """Draws from a quadratic likelihood against the exact one; ``weights`` are ``(draw,)``."""

    used: LikelihoodUsed
    weights: Array
    passed: bool


def in_use(design: Design, firms: Firms | None, directory: RunDirectory) -> Design:
    """The design with the likelihood that a run has come to use: the summary, or every firm."""
    used = directory.read_manifest().likelihood
    if firms is None or used is None or used.kind != "rows":
        return design
    return with_every_firm(design, firms)


def weighed(design: Design, chains: Sequence[Chain], firms: Firms) -> Weighed:
    """Weigh the draws of a quadratic likelihood by the exact one."""
    kept = list(reported_variables(design))
    ordered = sorted(chains, key=lambda chain: chain.number)
    posterior = xr.concat([chain.posterior[kept] for chain in ordered], CHAIN)
    found = ratios(design, posterior, firms)
    smooth = smoothed(found.log_ratios[None], 1.0)
    weights, khat = np.exp(smooth.log_weights[0]), float(smooth.khat[0])
    alike = np.ptp(found.log_ratios) < EQUAL
    share = float(1 / np.sum(weights**2) / weights.size)
    used = LikelihoodUsed(
        kind="quadratic",
        firms=firms.rows,
        khat=round(khat, 3) if np.isfinite(khat) else None,
        share=round(share, 4),
        draws=found.draws,
    )
    passed = (khat < KHAT_MAX or bool(alike)) and share >= SHARE_MIN and found.off < OFF_MAX
    return Weighed(used, weights, passed)


def by_weight(chains: Sequence[Chain], weights: Array) -> tuple[Chain, ...]:
    """Take draws in proportion to their weights, in each chain by itself and in their order."""
    ordered = sorted(chains, key=lambda chain: chain.number)
    which = kept_draws(weights.reshape(len(ordered), -1))
    return tuple(
        Chain(chain.number, resampled(chain.posterior, kept), resampled(chain.sample_stats, kept))
        for chain, kept in zip(ordered, which, strict=True)
    )


def exact_use(design: Design) -> LikelihoodUsed | None:
    """Form of a likelihood that needs no weights; None for quadratics and for designs of all rows."""
    summary = summary_of(design)
    if summary is None or summary.kind == "quadratic":
        return None
    return LikelihoodUsed(kind=summary.kind, firms=summary.rows)


def refuse_summary(found: Weighed, firms: Firms) -> None:
    """Say so where the summary does not serve and the firms are too many to be sampled one by one."""
    if not firms.are_few:
        raise FitError(
            Problem(
                f"the summaries do not stand for the likelihood of {firms.rows:,} firms: "
                f"{_words(found.used)}",
                mend=f"let fewer coefficients vary or merge small groups; up to {HELD_ROWS:,} firms "
                "the likelihood of every firm is used by itself",
            )
        )


def likelihood_words(used: LikelihoodUsed | None) -> str:
    """Say in what form the likelihood of many firms was used; nothing where it is that of the rows."""
    if used is None:
        return ""
    checked = f" ({_words(used)})" if used.draws else ""
    if used.kind == "rows" and used.draws:
        checked = f" (summaries did not serve: {_words(used)})"
    return f"{WORDS[used.kind]}, {used.firms:,} firms{checked}"


def _words(used: LikelihoodUsed) -> str:
    khat = "none, as all weights are alike" if used.khat is None else f"{used.khat:.2f}"
    return (
        f"Pareto k {khat}, effective sample size of the weights {100 * (used.share or 0):.0f}% of "
        f"draws, every firm computed at {used.draws:,} draws"
    )
