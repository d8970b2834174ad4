"""Which ceiling model holds and how the effect size moves between them, in sentences by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bayescluster.checks.ceiling_loo import Firms
from bayescluster.checks.comparison import listed
from bayescluster.checks.thresholds import ELPD_DIFFERENCE_MIN, ELPD_DIFFERENCE_SES
from bayescluster.design.record import Design
from bayescluster.model.ceiling_density import RESOLUTION
from bayescluster.results.ceiling_models import CeilingFit

HEAP: Final = 0.05
"""Share of firms at an end of the scope of the outcome from which it is told."""


def apart(fit: CeilingFit) -> bool:
    """Whether a model predicts worse than the best, by more than the data leave open."""
    behind = -fit.difference
    return behind >= ELPD_DIFFERENCE_MIN and behind >= ELPD_DIFFERENCE_SES * fit.difference_se


def statement(fits: Sequence[CeilingFit]) -> str:
    """Say which model holds, and how ``d`` of all firms moves between the models."""
    best = next((fit for fit in fits if fit.best), None)
    if best is None:
        return (
            "No ceiling model passed its gate: no effect size is to be read from them. "
            + "; ".join(f"{fit.model}: {', '.join(fit.failing)}" for fit in fits)
            + "."
        )
    said = [_alone(best)] if len(fits) == 1 else [*_compared(best, fits), _moves(fits)]
    return " ".join([*said, *_troubles(fits)])


def _d(fit: CeilingFit) -> str:
    found = fit.effects[0].estimate
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _alone(fit: CeilingFit) -> str:
    return (
        f"Only the {fit.model} ceiling was fitted; under it d of all firms is {_d(fit)}. Whether "
        "another ceiling fits better, and how d would move, is not known: list composed and "
        "contaminated under ceiling_models."
    )


def _compared(best: CeilingFit, fits: Sequence[CeilingFit]) -> Iterator[str]:
    others = [fit for fit in fits if fit is not best and fit.gate_passed]
    alike = [fit.model for fit in others if not apart(fit)]
    worse = [
        f"{fit.model} by {-fit.difference:.1f} (SE {fit.difference_se:.1f})"
        for fit in others
        if apart(fit)
    ]
    if worse:
        yield f"The {best.model} ceiling predicts firms left out better than {listed(worse)} in elpd."
    if alike:
        yield f"The data cannot tell the {best.model} ceiling from {listed(alike)}" + (
            "." if worse else f", though {best.model} has the highest elpd."
        )


def _moves(fits: Sequence[CeilingFit]) -> str:
    means = [fit.effects[0].estimate.mean for fit in fits]
    each = listed([f"{_d(fit)} under {fit.model}" for fit in fits])
    return f"d of all firms is {each}: it moves by {max(means) - min(means):.2f}."


def _troubles(fits: Sequence[CeilingFit]) -> Iterator[str]:
    for fit in fits:
        if not fit.gate_passed and any(one.best for one in fits):
            yield f"The {fit.model} ceiling failed its gate ({'; '.join(fit.failing)})."
        flagged = [row.statistic for row in fit.distances if row.flagged]
        if flagged:
            yield (
                f"The {fit.model} ceiling does not make the distances to it that are seen "
                f"({listed(flagged)})."
            )
        if fit.bad:
            yield (
                f"Pareto k is above its threshold for {fit.bad} "
                f"{'firm' if fit.bad == 1 else 'firms'} under {fit.model}: read its elpd with care."
            )


def capital_notes(design: Design, capital: str, firms: Firms) -> tuple[str, ...]:
    """Say what the ceilings of a capital leave out."""
    return tuple(_notes(design, capital, firms))


def _notes(design: Design, capital: str, firms: Firms) -> Iterator[str]:
    missing = design.size - firms.y.size
    if missing:
        yield f"{missing} rows without the capital or the outcome are left out"
    if design.is_latent(capital):
        yield "the capital is latent: its score stands for it, as if measured without error"
    if design.is_binary(capital):
        yield "the capital is yes or no: between the two a ceiling means nothing"
    if design.weights is not None:
        yield "survey weights count in averages over firms, not in the ceilings themselves"
    if design.analysis.data.cluster is None:
        shared = "industry" if design.analysis.data.industry is not None else "the whole sample"
        yield f"no clusters are declared: all firms of {shared} share one ceiling"
    for share, where in (
        (np.mean(firms.y < RESOLUTION), "bottom"),
        (np.mean(firms.y > 1 - RESOLUTION), "top"),
    ):
        if share > HEAP:
            yield (
                f"{share:.0%} of the firms lie at the {where} of the scope of the outcome: these "
                "models are made for outcomes that spread over it"
            )
