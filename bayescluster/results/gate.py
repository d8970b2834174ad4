"""The convergence gate: its checks, likely reasons of what failed, and what was tried after it."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import Value

ReasonKind = Literal[
    "centred_funnel",
    "funnel",
    "inverted_funnel",
    "several_modes",
    "heavy_tails",
    "separation",
    "collinear_capitals",
    "empty_corner",
    "misspecified_family",
]


class CheckItem(Value):
    """One diagnostic of the gate: what was asked, what was found, and what to do about it.

    ``passed`` is null where the check could not be made; the gate then fails.
    """

    name: str
    question: str
    found: str
    threshold: str
    passed: bool | None
    worst: tuple[str, ...] = ()
    """Names of the parameters or estimands that fail, worst first."""
    advice: str = ""


class Reason(Value):
    """A likely reason of a failed check: what it is, where it sits, and what to try."""

    kind: ReasonKind
    title: str
    """What it is, in words."""
    equation: str
    level: str = ""
    """Grouping it sits at, where it sits at one: industry, cluster."""
    term: str = ""
    """Coefficient that varies there."""
    groups: tuple[str, ...] = ()
    """Groups of firms it concerns, where not all."""
    parameters: tuple[str, ...] = ()
    """Parameters, columns or statistics it shows in, worst first."""
    found: str
    """What was found, in words."""
    number: float
    """The number behind it, held against the threshold."""
    threshold: float
    advice: str
    """The next thing to try."""
    source: str
    setting: str = ""
    """Setting of the analysis that changes how the model is sampled, and not the model; its value."""
    value: str = ""
    checks: tuple[str, ...] = ()
    """Failed checks that it may explain; none where it stands beside a gate that passed them."""

    @property
    def where(self) -> str:
        """Where it sits, in words."""
        at = ", ".join(part for part in (self.level, self.term) if part)
        return "; ".join(part for part in (at, ", ".join(self.groups)) if part) or self.equation


class Gate(Value):
    """The convergence gate: closed unless every check was made and passed."""

    passed: bool
    items: tuple[CheckItem, ...]
    reasons: tuple[Reason, ...] = ()
    """Likely reasons of what failed, and what else was seen in design and predictive checks."""

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the checks that failed, or could not be made."""
        return tuple(item.name for item in self.items if item.passed is not True)

    def reasons_of(self, item: CheckItem) -> tuple[Reason, ...]:
        """Likely reasons of one failed check."""
        return tuple(reason for reason in self.reasons if item.name in reason.checks)

    @property
    def beside(self) -> tuple[Reason, ...]:
        """What was seen and explains no failed check: the draws are not to blame for it."""
        return tuple(reason for reason in self.reasons if not reason.checks)


class Change(Value):
    """A setting that an attempt changed, and why."""

    setting: str
    """Place in the analysis file: ``sampling.target_accept``."""
    before: str
    after: str
    why: str

    def __str__(self) -> str:
        """What was changed, in words."""
        return f"{self.setting}: {self.before} to {self.after}"


class Attempt(Value):
    """One fit of a chain of attempts: what was changed, and what the gate then said."""

    number: int
    """0 is the analysis as asked."""
    key: str
    """Run directory it is kept in."""
    changes: tuple[Change, ...] = ()
    """Against the attempt before."""
    gate_passed: bool
    failing: tuple[str, ...] = ()
    """Checks that failed, or could not be made."""
    settings: str = ""
    """Lines of YAML that, put into the analysis as asked, give this attempt."""
