"""Faults of the block on probabilities of causation that need no data to be seen."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.errors import Problem
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.causes import Causes
from bayescluster.spec.columns import Where


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
