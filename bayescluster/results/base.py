"""What all parts of the results share: how they are kept, and what an estimate is."""

from __future__ import annotations

from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 5
INTERVAL = 0.90
"""Probability inside every interval (equal tails)."""

By = str
"""Kind of a group: all, industry, cluster, a column, or two of these; see `bayescluster.names.WITHIN`."""
Decision = Literal["supported", "rejected", "undecided"]
"""What one probability decides."""
VerdictState = Literal[
    "supported",
    "rejected",
    "undecided",
    "not assessable",
    "negligible",
    "scale-dependent",
    "depends on the form",
]
"""What can become of a claim."""
VERDICT_STATES: Final[tuple[VerdictState, ...]] = get_args(VerdictState)


class Value(BaseModel):
    """Base of the parts: frozen, no unknown keys; infinities and missing numbers kept as null."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="null", use_attribute_docstrings=True
    )


class StudyResults(Value):
    """What the results of every study of an analysis say of themselves."""

    schema_version: int
    name: str
    title: str
    key: str
    model_key: str
    """Key of the model, by which a run of it finds this study."""
    synthetic: bool
    interval: float
    notes: tuple[str, ...]


class Spread(Value):
    """A record that is spread over columns of its own in a flat table."""


class Estimate(Spread):
    """A posterior quantity: mean, sd, 90% equal-tailed interval, and how well it is known.

    Where a few draws carry the mean beyond the interval, the median stands in its place, without mcse.
    The last four are null where they do not apply (no chains behind the number).
    """

    mean: float
    sd: float
    low: float
    high: float
    mcse: float | None = None
    rhat: float | None = None
    ess_bulk: float | None = None
    ess_tail: float | None = None

    def times(self, factor: float) -> Estimate:
        """The same quantity in another unit."""
        error = None if self.mcse is None else self.mcse * factor
        mean, sd, low, high = (factor * part for part in (self.mean, self.sd, self.low, self.high))
        others = {"rhat": self.rhat, "ess_bulk": self.ess_bulk, "ess_tail": self.ess_tail}
        return Estimate(mean=mean, sd=sd, low=low, high=high, mcse=error, **others)


class Curve(Value):
    """A quantity of one group along the levels of a capital: mean and 90% interval, as in `Estimate`."""

    capital: str
    group: str
    at: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
