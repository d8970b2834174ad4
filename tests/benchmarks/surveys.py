"""Whether twenty simulated surveys pass the gate by default, and in what time.

``python -m tests.benchmarks.surveys OUT.csv [NAME ...]`` fits each by the command line, as a user would, and
writes a line for each. A survey whose line is there is not fitted again. ``surveys.csv`` next to this file is of
a machine with two cores and much else to do: its CPU seconds count, not those of the clock.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

LEVEL, ALL = ["intercept"], "all"


class Survey(NamedTuple):
    """A survey: its firms, groups, outcome and model."""

    firms: int
    industries: int
    clusters: int
    family: str = "bernoulli"
    varying: dict[str, Any] = {"industry": LEVEL, "cluster": LEVEL}
    structure: str = "interaction"
    level: float = -0.8
    """Linear predictor of the mean firm: low where the outcome is rare."""
    crossed: bool = False
    giant: float = 0.0
    """Share of the firms in the largest cluster."""
    years: int = 1
    binary: bool = False
    """Whether controls are of yes or no."""


NESTED, CROSSED = {"industry": LEVEL, "cluster": LEVEL}, {"industry": LEVEL, "cluster": LEVEL}
SLOPES = {"industry": ALL, "cluster": ALL}
PANEL = {"firm": LEVEL, "industry": LEVEL, "year": LEVEL}

SURVEYS = {
    "small": Survey(300, 2, 8),
    "small, slopes": Survey(300, 4, 12, varying=SLOPES),
    "small, amounts": Survey(300, 4, 12, "gaussian", SLOPES),
    "main": Survey(1200, 4, 24, varying=SLOPES),
    "main, amounts": Survey(1200, 4, 24, "gaussian", SLOPES),
    "many industries": Survey(2600, 60, 24, crossed=True),
    "many industries, amounts": Survey(2600, 60, 24, "gaussian", crossed=True),
    "many industries, slopes": Survey(3000, 60, 20, varying=SLOPES, crossed=True),
    "giant cluster": Survey(2600, 30, 24, crossed=True, giant=0.4),
    "giant cluster, nested": Survey(1500, 5, 25, giant=0.3, varying=SLOPES),
    "rare": Survey(1500, 8, 24, level=-4.0),
    "rare, slopes": Survey(3000, 4, 24, varying=SLOPES, level=-4.0),
    "binary controls": Survey(900, 6, 18, binary=True),
    "binary controls, rare": Survey(1200, 12, 30, binary=True, level=-3.5, crossed=True),
    "panel": Survey(140, 9, 9, "gaussian", PANEL, years=8),
    "panel, yes or no": Survey(300, 8, 8, varying=PANEL, years=5),
    "counts": Survey(1000, 10, 20, "negative_binomial", level=0.5),
    "counts, slopes": Survey(800, 4, 16, "poisson", SLOPES, level=0.3),
    "gates": Survey(1000, 4, 16, structure="conjunctive", varying=NESTED),
    "two industries, large": Survey(3000, 2, 40, varying=SLOPES, crossed=True),
}


def table_of(survey: Survey, seed: int) -> pd.DataFrame:
    """Firms of a survey, a row a firm and year."""
    rng = np.random.default_rng(seed)
    firms, industries, clusters = survey.firms, survey.industries, survey.clusters
    share = rng.dirichlet(np.full(clusters, 2.0))
    if survey.giant:
        share = np.append(survey.giant, share[1:] / share[1:].sum() * (1 - survey.giant))
    cluster = rng.choice(clusters, firms, p=share)
    by_share = rng.choice(industries, firms, p=rng.dirichlet(np.full(industries, 2.0)))
    industry = by_share if survey.crossed else cluster % industries
    index, year = np.repeat(np.arange(firms), survey.years), np.tile(np.arange(survey.years), firms)
    rows = index.size
    human, social = rng.normal(size=(2, rows)) + 0.5 * rng.normal(size=(2, firms))[:, index]
    one = rng.binomial(1, 0.3, rows) if survey.binary else rng.normal(size=rows)
    other = rng.binomial(1, 0.05, rows) if survey.binary else rng.normal(2, 1.3, rows)
    slopes = np.array([0.0, 0.4, 0.3, 0.15])
    of_industry, of_cluster = (
        rng.normal(0, [0.4, 0.2, 0.2, 0.1], (industries, 4)),
        rng.normal(0, [0.4, 0.15, 0.15, 0.1], (clusters, 4)),
    )
    if ALL not in survey.varying.values():
        of_industry[:, 1:] = of_cluster[:, 1:] = 0.0
    coefficients = slopes + of_industry[industry[index]] + of_cluster[cluster[index]]
    inputs = np.column_stack([np.ones(rows), human, social, human * social])
    eta = survey.level + (inputs * coefficients).sum(axis=1) + 0.4 * (one - one.mean())
    if survey.years > 1:
        eta = eta + rng.normal(0, 0.7, firms)[index] + rng.normal(0, 0.3, survey.years)[year]
    match survey.family:
        case "gaussian":
            y = eta + rng.normal(0, 0.5 if survey.years > 1 else 1.0, rows)
        case "bernoulli":
            y = rng.binomial(1, 1 / (1 + np.exp(-eta)))
        case "poisson":
            y = rng.poisson(np.exp(np.minimum(eta, 4.0)))
        case _:
            y = rng.poisson(np.exp(np.minimum(eta, 4.0)) * rng.gamma(2.0, 0.5, rows))
    named = {
        "firm": [f"F{k:04d}" for k in index],
        "cluster": [f"C{cluster[k]:02d}" for k in index],
        "industry": [f"I{industry[k]:02d}" for k in index],
        "year": 2001 + year,
    }
    return pd.DataFrame(
        named | {"y": y, "human": human, "social": social, "one": one, "other": other}
    )


def analysis_of(survey: Survey) -> dict[str, Any]:
    """The analysis of a survey, with the default sampler."""
    data: dict[str, Any] = {"source": "firms.csv", "industry": "industry"}
    if survey.crossed:
        data["crossed"] = True
    if survey.years > 1:
        data["firm"] = "firm"
    else:
        data["cluster"] = "cluster"
    equation: dict[str, Any] = {
        "outcome": "y",
        "family": survey.family,
        "structure": survey.structure,
        "controls": ["one", "other"],
        "varying": survey.varying,
    }
    single = {"method": "single"}
    return {
        "name": "survey",
        "data": data,
        "constructs": {
            "human_capital": {"indicators": ["human"], **single},
            "social_capital": {"indicators": ["social"], **single},
        },
        "equations": {"outcome": equation},
    }


def measured(name: str, survey: Survey, seed: int) -> dict[str, object]:
    """Fit a survey in a process of its own, and say how it went."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = table_of(survey, seed)
        table.to_csv(folder / "firms.csv", index=False)
        (folder / "analysis.yaml").write_text(yaml.safe_dump(analysis_of(survey)))
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = ["bayescluster", "fit", "analysis.yaml"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        runs = [*folder.glob("runs/survey/*/manifest.json")]
        if not runs:
            raise RuntimeError(f"{name}: {done.stderr}")
        manifest = json.loads(runs[0].read_text())
    settled = manifest["settled"] or {}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    failed = [line for line in done.stdout.splitlines() if " FAILED  " in line]
    return {
        "survey": name,
        "rows": len(table),
        "share_of_ones": round(float(table["y"].mean()), 3) if survey.family == "bernoulli" else "",
        "exit_code": done.returncode,
        "draws": settled.get("settings", {}).get("sampling", {}).get("draws", ""),
        "attempts": max(1, len(manifest["attempts"])),
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "failed": "; ".join(failed),
    }


def main() -> None:
    """Fit what is asked for, or all, and keep what is done."""
    path, *chosen = sys.argv[1:]
    out = Path(path)
    done = pd.read_csv(out)["survey"].tolist() if out.exists() else []
    for number, (name, survey) in enumerate(SURVEYS.items()):
        if name in done or (chosen and name not in chosen):
            continue
        found = measured(name, survey, 100 + number)
        begun = out.exists()
        with out.open("a", newline="") as file:
            writer = csv.DictWriter(file, found)
            if not begun:
                writer.writeheader()
            writer.writerow(found)
        print(found, flush=True)


if __name__ == "__main__":
    main()
