"""The tradition of causes: how probabilities of causation are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from bayescluster.errors import Problem
from bayescluster.spec.base import Frozen, NonNegative, OpenProbability
from bayescluster.spec.columns import Where
from bayescluster.spec.data import Capital
from bayescluster.spec.hypotheses import Anchors

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis


class Arm(Frozen):
    """One arm of an experiment."""

    events: Annotated[int, Field(ge=0)]
    """Firms that had the outcome."""
    firms: Annotated[int, Field(ge=1)]
    """All firms of the arm."""

    @model_validator(mode="after")
    def _a_part(self) -> Arm:
        if self.events > self.firms:
            raise ValueError(
                f"{self.events} events are more than the {self.firms} firms of the arm"
            )
        return self


class Experiment(Frozen):
    """An experiment that raised one capital in firms like these, and its counts."""

    capital: Capital
    """The capital that was raised."""
    treated: Arm
    control: Arm


class Causes(Frozen):
    """How probabilities of causation are read for the claims table."""

    low: OpenProbability | None = None
    """Quantile of each capital that counts as low; without it, that of each claim."""
    high: OpenProbability | None = None
    """Quantile of each capital that counts as high; without it, that of each claim."""
    anchors: dict[Capital, Anchors] = {}
    """Low and high in units of the construct, in place of the quantiles."""
    pn_min: OpenProbability = 0.75
    """Necessary: a probability of necessity of at least this."""
    ps_min: OpenProbability = 0.75
    """Both sufficient: a probability of sufficiency of at least this."""
    ps_max: OpenProbability = 0.5
    """Alone not sufficient: a probability of sufficiency of at most this."""
    synergy_min: NonNegative = 0.0
    """Complements: more than this share of firms has the outcome with both high and with neither
    alone."""
    monotone: Literal["both"] | bool = "both"
    """Whether more of a capital is taken never to prevent the outcome. ``both`` decides without that
    and shows beside it what it would add."""
    experiment: Experiment | None = None
    """Counts of an experiment, for bounds from both."""

    @model_validator(mode="after")
    def _quantiles_in_order(self) -> Causes:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must be below high")
        return self


def causes_problems(analysis: Analysis, where: Where, *, bounded: bool) -> Iterator[Problem]:
    """Refuse a block that has no outcome to speak of, or that speaks of capitals that are not there.

    Parameters
    ----------
    analysis
        The analysis.
    where
        Says where a path stands in the file.
    bounded
        Whether the expected outcome is a probability or a share.
    """
    asked = analysis.traditions.causes
    place = where(("traditions", "causes"))
    if asked == Causes():
        return
    if not analysis.constructs:
        yield Problem(
            "traditions: causes asks about the capitals, but the analysis declares none",
            place,
            "leave causes out, or declare constructs",
        )
    elif not bounded:
        yield Problem(
            "traditions: causes needs an outcome that comes or does not, and the expected outcome of "
            f"family {analysis.equation.family} is no probability",
            place,
            "leave causes out, or take another outcome, such as an ordinal one with `at_least:`",
        )
    for name in asked.anchors:
        if asked.low is not None or asked.high is not None:
            yield Problem(
                f"traditions: causes has both quantiles and anchors for {name}",
                where(("traditions", "causes", "anchors", name)),
                "leave out low and high, or the anchors",
            )
