"""What reasons are found from, and the values of draws that they look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.advice import ANY, TITLES, advice_for
from bayescluster.checks.convergence import element_names
from bayescluster.design.record import Design
from bayescluster.names import CHAIN, DRAW, DRAWN_AFTER
from bayescluster.results.gate import Reason, ReasonKind
from bayescluster.results.model import PredictiveRow

PARAMETERS_SHOWN = 6


class Seen(NamedTuple):
    """Design, draws (posterior and sample_stats), and predictive checks by equation."""

    design: Design
    tree: xr.DataTree
    predictive: Mapping[str, tuple[PredictiveRow, ...]] = {}

    @property
    def stats(self) -> xr.Dataset:
        """What the sampler noted; empty where it noted nothing."""
        if "sample_stats" not in self.tree.children:
            return xr.Dataset()
        return self.tree["sample_stats"].to_dataset()


class Found(NamedTuple):
    """What was found: in words, as a number, and the threshold it is held against."""

    words: str
    number: float
    threshold: float


def reason(
    kind: ReasonKind, equation: str, found: Found, facts: Mapping[str, object], **where: Any
) -> Reason:
    """Put a reason together with the words of the table of advice.

    Parameters
    ----------
    kind
        The reason.
    equation
        Equation it concerns.
    found
        What was found.
    facts
        What the advice leaves open; ``check`` names the check whose advice it is, if not any.
    **where
        Level, term, groups and parameters of the reason.
    """
    rest = {"equation": equation} | {k: v for k, v in facts.items() if k != "check"}
    advice = advice_for(str(facts.get("check", ANY)), kind, **rest)
    return Reason(
        kind=kind,
        title=TITLES[kind],
        equation=equation,
        found=found.words,
        number=found.number,
        threshold=found.threshold,
        advice=advice.text,
        source=advice.source,
        **where,
    )


def parameters(tree: xr.DataTree) -> Iterator[tuple[str, Array]]:
    """Every sampled scalar with its draws, ``(chain, draw)``; those not finite or still are left out."""
    for name, values in tree["posterior"].to_dataset().data_vars.items():
        if values.attrs.get(DRAWN_AFTER) or str(name).endswith("_correlation"):
            continue
        shaped = values.transpose(CHAIN, DRAW, ...).to_numpy()
        flat = shaped.reshape(*shaped.shape[:2], -1)
        for position, label in enumerate(element_names(values)):
            draws = np.asarray(flat[..., position], dtype="float64")
            if np.isfinite(draws).all() and np.ptp(draws) > 0:
                yield f"{name}{label}", draws


def on_working_scale(name: str, draws: Array) -> Array:
    """Draws where the sampler moves: the log of standard deviations."""
    positive = "_sd[" in name or name.endswith("_sd") or name in ("sigma", "nu", "overdispersion")
    return np.log(draws) if positive and (draws > 0).all() else draws


def correlation(first: Array, second: Array) -> float:
    """Correlation of two series of draws; 0 where one stands still or is not finite."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return 0.0
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
