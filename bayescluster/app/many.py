"""The likelihood of many firms: whether its summary serves, and what is done where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.loo import smoothed
from bayescluster.design.record import Design
from bayescluster.errors import FitError, Problem
from bayescluster.inference.assemble import reported_variables
from bayescluster.inference.nuts import Chain
from bayescluster.names import CHAIN
from bayescluster.runs.manifest import LikelihoodUsed
from bayescluster.runs.store import RunDirectory
from bayescluster.summaries.build import with_every_firm
from bayescluster.summaries.check import kept_draws, ratios, resampled
from bayescluster.summaries.likelihood import HELD_ROWS, Firms
from bayescluster.summaries.record import WORDS, summary_of

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
