"""Faults of hypotheses that only the data show: what is not there, anchors upside down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bayescluster.dataset.constructs import Scored
from bayescluster.dataset.indicators import raw_score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import label_of
from bayescluster.design.coding import sorted_labels
from bayescluster.errors import Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.hypotheses import Corners, Difference


def claims_in_data(
    analysis: Analysis, capitals: Mapping[str, Scored], levels: tuple[str, ...], where: Where
) -> Iterator[Problem]:
    """Hold the corner claims against the data.

    Parameters
    ----------
    analysis
        The analysis.
    capitals
        The scored constructs.
    levels
        Levels of an ordinal outcome in focus, lowest first; empty for others.
    where
        Says where a path stands in the analysis file.
    """
    for position, claim in enumerate(analysis.hypotheses):
        if not isinstance(claim, Corners):
            continue
        level = None if claim.at_least is None else label_of(claim.at_least)
        if levels and level is not None and level not in levels[1:]:
            yield Problem(
                f"at_least names '{level}', which is no level above the lowest",
                where(("hypotheses", position, "at_least")),
                suggestion(level, levels[1:]),
            )
        yield from _upside_down(claim, capitals, ("hypotheses", position, "anchors"), where)


def _upside_down(
    claim: Corners, capitals: Mapping[str, Scored], base: tuple[str | int, ...], where: Where
) -> Iterator[Problem]:
    for capital, anchors in claim.anchors.items():
        units = capitals[capital].units if capital in capitals else ()
        if isinstance(anchors.low, float) or isinstance(anchors.high, float) or not units:
            continue
        low, high = (raw_score(units, values) for values in (anchors.low, anchors.high))
        if low >= high:
            yield Problem(
                f"the low anchor of {capital} is not below the high one: "
                f"they are scores of {low:.3g} and {high:.3g}",
                where((*base, capital)),
                "mind the direction of each indicator",
            )


def unknown_industries(analysis: Analysis, firms: Firms, where: Where) -> Iterator[Problem]:
    """Find claims of differences between industries that the data lack."""
    labels = sorted_labels(firms.frame["__industry__"].unique())
    for position, hypothesis in enumerate(analysis.hypotheses):
        if not isinstance(hypothesis, Difference):
            continue
        if len(labels) < 2:
            yield Problem(
                f"a difference needs two industries, and all firms are in '{labels[0]}'",
                where(("hypotheses", position)),
                "leave the hypothesis out",
            )
        for name in hypothesis.between or ():
            if name not in labels:
                yield Problem(
                    f"no firm is in an industry called '{name}'",
                    where(("hypotheses", position, "between")),
                    suggestion(name, labels),
                )
