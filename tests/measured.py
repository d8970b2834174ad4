"""Firms whose capitals are measured by several indicators, and designs with latent capitals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.factories import firms

HUMAN: dict[str, Any] = {
    "method": "latent",
    "indicators": [
        "skill",
        "schooling",
        "hours",
        "engineers",
        {"column": "rank", "kind": "ordinal"},
    ],
}
SOCIAL: dict[str, Any] = {
    "method": "latent",
    "indicators": ["ties", "meetings", {"column": "distrust", "direction": "negative"}],
}
DISCRETE: dict[str, Any] = {
    "method": "latent",
    "indicators": ["engineers", {"column": "rank", "kind": "ordinal"}],
}
SINGLE_HUMAN: dict[str, Any] = {"method": "single", "indicators": ["training"]}
SINGLE_SOCIAL: dict[str, Any] = {"method": "single", "indicators": ["trust"]}

NO_CLUSTER: dict[str, Any] = {"cluster": None}
CONSTRUCTS: dict[str, dict[str, Any]] = {
    "human latent": {"human_capital": HUMAN, "social_capital": SINGLE_SOCIAL},
    "social latent": {"human_capital": SINGLE_HUMAN, "social_capital": SOCIAL},
    "both latent": {"human_capital": HUMAN, "social_capital": SOCIAL},
    "discrete only": {"human_capital": DISCRETE, "social_capital": SINGLE_SOCIAL},
}


def measured_firms(rows: int = 48, *, complete: bool = False, **keys: Any) -> pd.DataFrame:
    """Synthetic firms with indicators of both capitals; some answers missing, of one firm all."""
    frame = firms(rows, **keys)
    rng = np.random.default_rng(7)
    human = (frame["training"].to_numpy() - 3.0) / 2.0
    social = (frame["trust"].to_numpy() - 50.0) / 10.0
    noise = rng.normal(size=(rows, 6))
    response = human + rng.logistic(size=rows)
    added = {
        "skill": 2.0 + human + 0.6 * noise[:, 0],
        "schooling": 10.0 + 3.0 * human + 2.0 * noise[:, 1],
        "hours": 40.0 + 8.0 * human + 9.0 * noise[:, 2],
        "engineers": (response > 0.3).astype(float),
        "rank": np.digitize(human + rng.logistic(size=rows), [-1.0, 0.4, 1.5]).astype(float),
        "ties": 4.0 + social + 0.7 * noise[:, 3],
        "meetings": 6.0 + 2.0 * social + 1.5 * noise[:, 4],
        "distrust": 3.0 - social + 0.8 * noise[:, 5],
    }
    frame = frame.assign(**added)
    if not complete:
        frame.loc[frame.index[::5], "skill"] = np.nan
        frame.loc[frame.index[::7], "rank"] = np.nan
        frame.loc[frame.index[3], ["skill", "schooling", "hours", "engineers", "rank"]] = np.nan
        frame.loc[frame.index[4], ["skill", "schooling", "hours"]] = np.nan
        frame.loc[frame.index[6], ["ties", "meetings"]] = np.nan
    return frame
