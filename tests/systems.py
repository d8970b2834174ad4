"""Analyses of several equations on synthetic firms, and hand-made draws for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayescluster.design.record import Design, ancestors
from bayescluster.model.evaluate import Draws
from bayescluster.spec.analysis import Analysis
from tests.draws import known_draws
from tests.factories import analysis_dict, design_of, firms

LEARNING = ("buyers", "providers", "customers")


def learners(rows: int = 48, **keys: Any) -> pd.DataFrame:
    """Synthetic firms that learn, or not, from each of three; and a second outcome."""
    frame = firms(rows, **keys)
    rng = np.random.default_rng(5)
    human = (frame["training"] - 3.0) / 2.0
    for position, name in enumerate(LEARNING):
        share = 1 / (1 + np.exp(-(0.4 * position - 0.3 + 0.8 * human)))
        frame[name] = (rng.random(rows) < share).astype(int)
    lift = 0.8 * frame["buyers"] + 0.4 * frame["providers"] - 0.8
    frame["process"] = (rng.random(rows) < 1 / (1 + np.exp(-lift))).astype(int)
    frame["sales"] = 2.0 * frame["growth"] + 3.0 * frame["buyers"] + rng.normal(size=rows)
    return frame


def equation(outcome: str, family: str = "bernoulli", **keys: Any) -> dict[str, Any]:
    """An equation in plain values: additive, with nothing varying, unless told otherwise."""
    return {"outcome": outcome, "family": family, "structure": "additive"} | keys


def system_dict(equations: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """The plain content of an analysis of several equations."""
    return analysis_dict() | {"equations": dict(equations)} | top


def system(equations: Mapping[str, Any], frame: pd.DataFrame | None = None, **top: Any) -> Design:
    """Design of several equations; that of the one in focus, which carries the others."""
    analysis = Analysis.model_validate(system_dict(equations, **top))
    return design_of(analysis, learners() if frame is None else frame)


def system_draws(design: Design, size: int = 8, **centre: float) -> Draws:
    """Hand-made draws of an equation and of all it rests on, in causal order."""
    own = known_draws(design, size, seed=len(design.equation_name), **centre)
    beside = {each.equation_name: each for each in design.others}
    upstream = tuple(
        (beside[name], known_draws(beside[name], size, seed=20 + position))
        for position, name in enumerate(ancestors(design.analysis.equations, design.equation_name))
    )
    return replace(own, upstream=upstream)
