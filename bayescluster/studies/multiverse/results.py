"""Every number of a multiverse: which choice flips which verdict."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, StudyResults, Value, VerdictState

MULTIVERSE_VERSION = 1

AnswerStatus = Literal["asked", "not_asked", "unchecked", "not_fitted"]


class Choice(Value):
    """One choice that is made otherwise."""

    dimension: str
    """What is chosen: priors, exclude, constructs, controls, families, structures, varying."""
    name: str
    words: str
    """What it is, in words."""


class Universe(Value):
    """The analysis with some choices made otherwise; the first one is the analysis as declared."""

    name: str
    choices: tuple[Choice, ...]
    status: Literal["passed", "unchecked", "not_fitted"]
    """``unchecked``: the diagnostics gate failed, so that there is no verdict."""
    message: str = ""
    """What the gate found, or why it cannot be fitted."""
    same_as: str = ""
    """An earlier universe with the same fit, where there is one."""
    key: str | None = None
    run: str = ""
    """Folder of its run, from the folder of the runs."""
    rows: int | None = None
    firms: int | None = None
    rhat: float | None = None
    """Largest R-hat among the quantities of its verdicts and effects."""
    divergences: int | None = None
    flips: int = 0
    """Claims whose verdict differs from that of the analysis as declared."""
    compared: int = 0
    """Claims with a verdict both here and in the analysis as declared."""


class Answer(Value):
    """The verdict of one universe on one claim.

    ``unchecked``: its gate failed. ``not_asked``: the claim does not exist there.
    """

    universe: str
    status: AnswerStatus
    verdict: VerdictState | None = None
    probability: float | None = None
    mcse: float | None = None
    prior_probability: float | None = None
    region: str = ""
    reason: str = ""
    stopped: str = ""
    """Why it is undecided whatever the probability; nothing where the probability decides."""
    flip: bool = False
    """Whether the verdict differs from that of the analysis as declared."""
    near: bool = False
    """A flip that Monte Carlo error could make by itself: one of the two lies so near its bound."""


class ClaimRow(Value):
    """One claim for one group in every universe, in their order."""

    kind: str
    capital: str | None
    by: By
    group: str
    scope: str
    at_least: str | None
    title: str
    level: float
    """Supported at or above this probability."""
    region: str
    """The declared region in the analysis as declared."""
    answers: tuple[Answer, ...]
    supported: int
    rejected: int
    undecided: int
    flips: int
    lowest: float | None
    highest: float | None
    """Range of the probability over the universes that passed their checks."""
    words: str
    """The verdicts of all universes, in a sentence."""


class EffectPoint(Value):
    """Average marginal effect of a capital over all firms in one universe."""

    universe: str
    capital: str
    scale: str
    """What the effect is a change of, and per what; effects on different scales do not compare."""
    unit: str
    """Unit in which effects are shown."""
    factor: float
    """By what the estimate is multiplied to be in that unit."""
    rows: int
    estimate: Estimate
    positive: float


class ChoiceRow(Value):
    """How much depends on one choice."""

    choice: Choice
    universes: int
    """Universes with it."""
    passed: int
    """Of those, how many passed their checks."""
    compared: int
    """Claims, over those universes, with a verdict both there and in the analysis as declared."""
    flips: int
    turned: int
    """Flips between supported and rejected or negligible."""
    claims: tuple[str, ...]
    """Claims that flip with it, each named once."""


class Sampler(Value):
    """Settings of every fit."""

    draws: int | None
    """Draws of each chain; null where each fit settles them itself."""
    tune: int
    chains: int
    seed: int
    as_declared: bool
    """Whether they are those of the analysis file."""


class Multiverse(StudyResults):
    """A whole sweep."""

    schema_version: int = MULTIVERSE_VERSION
    run_key: str
    """Key of the fit of the analysis in its file."""
    outcome: str
    declared: bool
    """Whether the alternatives are those of the analysis file, or a default set."""
    combine: Literal["one_at_a_time", "all"]
    near: float
    """Standard errors of a probability from its bound within which a flip is near."""
    sampler: Sampler
    universes: tuple[Universe, ...]
    claims: tuple[ClaimRow, ...]
    effects: tuple[EffectPoint, ...]
    choices: tuple[ChoiceRow, ...]

    @property
    def base(self) -> Universe:
        """The analysis as declared."""
        return self.universes[0]
