"""What to change after a failed gate, in a fixed order: how the posterior is drawn, never the model.

Priors, terms, family and data are left to the researcher: changed by a program until a check is
passed, they would be chosen by the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, Final, NamedTuple

from bayescluster.checks.advice import (
    DIVERGENCES,
    ENERGY,
    ESS_BULK,
    ESS_TAIL,
    RHAT,
    TREE_DEPTH,
)
from bayescluster.checks.thresholds import ESS_MIN
from bayescluster.design.record import Design
from bayescluster.results.gate import Change, Reason
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import VaryingTerms
from bayescluster.spec.sampling import Sampling

ACCEPTANCE: Final = (0.95, 0.99)
"""Target acceptance, step by step: Stan, Runtime warnings and convergence problems."""
CHAINS: Final = 4
DEPTH_STEP: Final = 2
DEPTH_MAX: Final = 15
DRAWS_MAX: Final = 100_000
TUNE_MIN: Final = 500
"""Fewest draws of adaptation after a failure of it."""


class Failure(NamedTuple):
    """Names of the checks that failed, and what their likely reasons are."""

    checks: tuple[str, ...]
    reasons: tuple[Reason, ...]


class Remedied(NamedTuple):
    """The analysis to try next, and what was changed in it."""

    analysis: Analysis
    changes: tuple[Change, ...]


def remedied(analysis: Analysis, failure: Failure, designs: Sequence[Design]) -> Remedied | None:
    """Change what the failed checks and their reasons name; nothing where nothing is left to change.

    The order is: target acceptance, draws and adaptation, tree depth, parameterisation.

    Parameters
    ----------
    analysis
        The analysis whose gate failed.
    failure
        What failed, and why.
    designs
        Design of each form. Of several forms the parameterisation stays: which terms vary, and so
        whether their effects correlate, differs from form to form.
    """
    sampling, changes = _sampling(analysis.sampling, failure)
    tried = analysis.model_copy(update={"sampling": sampling})
    if len(designs) == 1:
        # one change a grouping at a time: the reasons of another term come again if they stay
        first = {reason.setting: reason for reason in reversed(failure.reasons)}
        for reason in failure.reasons:
            if first[reason.setting] is not reason:
                continue
            step = _parameterised(tried, reason, designs[0])
            if step is not None:
                tried, changes = step.analysis, (*changes, *step.changes)
    return Remedied(tried, changes) if changes else None


def _sampling(before: Sampling, failure: Failure) -> tuple[Sampling, tuple[Change, ...]]:
    update: dict[str, Any] = {}
    changes = []
    for name, value, why in _settings(before, failure):
        if value != getattr(before, name):
            update[name] = value
            changes.append(
                Change(
                    setting=f"sampling.{name}",
                    before=f"{getattr(before, name):g}",
                    after=f"{value:g}",
                    why=why,
                )
            )
    return before.model_copy(update=update), tuple(changes)


def _settings(now: Sampling, failure: Failure) -> Iterator[tuple[str, float, str]]:
    """Settings of the sampler that what failed asks for, in their order, with the reason."""
    failed, kinds = set(failure.checks), {reason.kind for reason in failure.reasons}
    if DIVERGENCES in failed or "funnel" in kinds:
        nearer = [step for step in ACCEPTANCE if step > now.target_accept]
        why = DIVERGENCES if DIVERGENCES in failed else "a funnel"
        yield "target_accept", min(nearer, default=now.target_accept), why
    mixing = [name for name in (RHAT, ESS_BULK, ESS_TAIL) if name in failed]
    # chains that each found a place of their own stay there however long they are
    if mixing and "several_modes" not in kinds:
        enough = max(2 * now.draws, ceil(2 * ESS_MIN / now.chains))
        yield "draws", min(enough, DRAWS_MAX), "; ".join(mixing)
    adapting = [name for name in (RHAT, ENERGY) if name in failed]
    if adapting:
        yield "tune", min(max(2 * now.tune, TUNE_MIN), DRAWS_MAX), "; ".join(adapting)
    if RHAT in failed and now.chains < 2:
        yield "chains", CHAINS, "one chain agrees with nothing"
    if TREE_DEPTH in failed:
        yield "max_treedepth", min(now.max_treedepth + DEPTH_STEP, DEPTH_MAX), TREE_DEPTH


def _parameterised(analysis: Analysis, reason: Reason, design: Design) -> Remedied | None:
    """Sample the effects of a grouping the way that a reason names; their distribution stays."""
    if not reason.setting or not reason.checks or reason.equation not in analysis.equations:
        return None
    equation = analysis.equations[reason.equation]
    here = {each.equation_name: each for each in design.equations}[reason.equation]
    now = {each.name: each for each in here.groupings}[reason.level]
    asked = equation.groupings[reason.level]
    centred = _read(reason.value)
    if centred == asked.centred:
        return None
    # which terms are centred decides, where nothing is said, whether effects correlate
    varying = VaryingTerms(terms=asked.terms, centred=centred, correlated=now.correlated)
    change = Change(
        setting=reason.setting,
        before=f"[{', '.join(now.centred)}]" if now.centred else "false",
        after=reason.value,
        why=reason.title,
    )
    changed = equation.model_copy(update={"varying": equation.varying | {reason.level: varying}})
    equations = analysis.equations | {reason.equation: changed}
    return Remedied(analysis.model_copy(update={"equations": equations}), (change,))


def _read(value: str) -> bool | tuple[str, ...]:
    if value in ("true", "false"):
        return value == "true"
    return tuple(part.strip() for part in value.strip("[]").split(","))


def settings_changed(first: Analysis, now: Analysis) -> dict[str, Any]:
    """Parts of an analysis file that turn the first analysis into the other, as plain values."""
    found: dict[str, Any] = {}
    before, after = first.sampling.model_dump(), now.sampling.model_dump()
    sampling = {name: value for name, value in after.items() if value != before[name]}
    if sampling:
        found["sampling"] = sampling
    for name, equation in now.equations.items():
        varying = {
            level: terms.model_dump(exclude_none=True)
            for level, terms in equation.groupings.items()
            if terms != first.equations[name].groupings[level]
        }
        if varying:
            found.setdefault("equations", {})[name] = {"varying": varying}
    return found
