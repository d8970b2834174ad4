"""Small synthetic firms, and designs built from them along the path that a real analysis takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.prepare import prepare
from bayescluster.dataset.read import Table
from bayescluster.design.build import build_design
from bayescluster.design.record import Design
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import needed_columns
from bayescluster.spec.load import dotted

OUTCOMES = {
    "bernoulli": "upgraded",
    "probit": "upgraded",
    "binomial": "successes",
    "beta": "share",
    "gaussian": "growth",
    "student_t": "growth",
    "lognormal": "value",
    "poisson": "patents",
    "negative_binomial": "patents",
    "ordinal": "grade",
    "hurdle_lognormal": "export_value",
    "zero_inflated_beta": "export_share",
    "zero_inflated_poisson": "licences",
    "zero_inflated_negative_binomial": "licences",
}
"""Column of the synthetic firms that each family can explain."""

EXTRA: dict[str, dict[str, Any]] = {"binomial": {"trials": "attempts"}}
"""What the equation of a family needs beside the outcome."""

CONTROLS = [{"column": "size", "transform": "log"}, "exporter", "region"]


def firms(
    rows: int = 48, industries: int = 2, clusters: int = 3, seed: int = 20080301
) -> pd.DataFrame:
    """Synthetic firms: ``clusters`` in each of ``industries``, every outcome and input."""
    rng = np.random.default_rng(seed)
    count = industries * clusters
    cluster = np.arange(rows) % count
    human, social = rng.normal(size=rows), rng.normal(size=rows)
    eta = 0.2 + 0.7 * human + 0.4 * social + 0.3 * human * social + rng.normal(size=count)[cluster]
    attempts = rng.integers(1, 9, rows)
    exposure = rng.uniform(0.5, 3.0, rows)
    share = 1 / (1 + np.exp(-eta))
    found = pd.DataFrame(
        {
            "firm": [f"f{k:02d}" for k in range(rows)],
            "industry": [f"I{k // clusters}" for k in cluster],
            "cluster": [f"C{k:02d}" for k in cluster],
            "year": 2001 + np.arange(rows) // 7 % 3,
            "place": [f"P{k % 4}" for k in range(rows)],
            "panel": [f"g{k // 4:02d}" for k in range(rows)],
            "training": 3.0 + 2.0 * human,
            "trust": 50.0 + 10.0 * social,
            "size": rng.lognormal(3.0, 1.0, rows).round() + 1,
            "exporter": rng.integers(0, 2, rows),
            "region": np.array(["north", "south", "west"])[rng.integers(0, 3, rows)],
            "upgraded": (rng.random(rows) < share).astype(int),
            "successes": rng.binomial(attempts, share),
            "attempts": attempts,
            "growth": 10.0 + 4.0 * eta + 3.0 * rng.normal(size=rows),
            "error": rng.uniform(1.0, 4.0, rows),
            "patents": rng.poisson(exposure * np.exp(0.5 * eta)),
            "exposure": exposure,
            "grade": np.clip(np.round(1.5 + eta + rng.logistic(size=rows)), 0, 3).astype(int),
            # later draws come after, so that the columns above stay what they were
            "share": rng.beta(6.0 * share, 6.0 * (1 - share)).clip(0.001, 0.999),
            "value": np.exp(5.0 + 0.5 * eta + 0.4 * rng.normal(size=rows)),
        }
    )
    exports = rng.random(rows) < 0.6
    zeros = {"value": "export_value", "share": "export_share", "patents": "licences"}
    return found.assign(**{name: found[of] * exports for of, name in zeros.items()})


def analysis_dict(
    family: str = "bernoulli",
    structure: str = "interaction",
    varying: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    constructs: Mapping[str, Any] | None = None,
    hypotheses: Sequence[Mapping[str, Any]] = (),
    **equation: Any,
) -> dict[str, Any]:
    """The plain content of an analysis file; further keys go to the equation."""
    capitals = {
        "human_capital": {"indicators": ["training"], "method": "single"},
        "social_capital": {"indicators": ["trust"], "method": "single"},
    }
    if structure in ("intercept", *capitals):
        capitals = {name: one for name, one in capitals.items() if name == structure}
    # panels of the synthetic firms run across clusters
    crossed = {"crossed": True} if (data or {}).get("firm") == "panel" else {}
    return {
        "name": "synthetic",
        "data": {"source": "firms.csv", "firm": "firm", "cluster": "cluster"}
        | {"industry": "industry"}
        | crossed
        | dict(data or {}),
        "constructs": capitals | dict(constructs or {}),
        "equations": {
            "upgrading": {
                "outcome": OUTCOMES[family],
                "family": family,
                "structure": structure,
                "varying": dict(varying or {}),
                **EXTRA.get(family, {}),
                **equation,
            }
        },
        "hypotheses": list(hypotheses),
    }


def analysis_of(*args: Any, **keys: Any) -> Analysis:
    """An analysis as it is after reading."""
    return Analysis.model_validate(analysis_dict(*args, **keys))


def where(path: Sequence[str | int]) -> str:
    """Place of a value, as messages name it."""
    return f"a.yaml:{dotted(path)}"


def design_of(
    analysis: Analysis, frame: pd.DataFrame | None = None, cases: CodedCases | None = None
) -> Design:
    """The design of an analysis on synthetic firms, by the path of a real one."""
    check_semantics(analysis, where)
    table = Table(firms() if frame is None else frame, "firms.csv", True, "Made firms", "0" * 64)
    prepared = prepare(table, analysis.data, needed_columns(analysis), where)
    by_equation = {} if cases is None else {analysis.equation_name: cases}
    return build_design(analysis, table, prepared, where, by_equation)


def small_design(
    *args: Any, frame: pd.DataFrame | None = None, cases: CodedCases | None = None, **keys: Any
) -> Design:
    """`design_of` and `analysis_of` in one step."""
    return design_of(analysis_of(*args, **keys), frame, cases)
