"""How often the verdicts are right, on firms whose structure is known.

``python -m tests.statistical.verdict_table`` makes ``verdict_table.csv`` beside this file, data set by data
set: stop it at any time, and the same command goes on where it stopped. Each data set is firms of its own,
fitted under every form by the sampler of a run, and judged over the plausible forms as a run judges. The
checks of convergence are taken as passed: where one fails, a run says less than is counted here.

Of a compensatory truth a supported necessity or complementarity is an error, whatever the probabilities
at its corners are. Insufficiency and joint sufficiency are statements about these probabilities, and
hold or not by their declared regions at the true corners.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import beta

from bayescluster.checks.thresholds import KAPPA
from bayescluster.design.forms import of_form
from bayescluster.inference.density import Repeated, draw_prior
from bayescluster.model.evaluate import draws_of
from bayescluster.results.model import Verdict
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.simulation import FormRefit, judging
from bayescluster.verdicts.evidence import Evidence
from tests.factories import analysis_of, design_of

TABLE: Final = Path(__file__).with_name("verdict_table.csv")
FORMS: Final = ("interaction", "conjunctive", "ces", "additive")
CHAINS, DRAWS, TUNE = 2, 400, 300
Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]


def gates(*corners: float) -> Surface:
    """Four corners behind two gates: both low, human alone, social alone, both high."""

    def expected(h: np.ndarray, s: np.ndarray) -> np.ndarray:
        g, k = expit(3 * h), expit(3 * s)
        weights = ((1 - g) * (1 - k), g * (1 - k), (1 - g) * k, g * k)
        return np.asarray(sum(w * corner for w, corner in zip(weights, corners, strict=True)))

    return expected


def logit_sum(
    intercept: float, human: float = 1.0, social: float = 1.0, product: float = 0.0
) -> Surface:
    """A logit that is linear in the capitals and their product."""
    return lambda h, s: expit(intercept + human * h + social * s + product * h * s)


class Truth(NamedTuple):
    """Expected outcome, and whether its structure needs human capital and has complements."""

    surface: Surface
    structure: frozenset[str] = frozenset()

    def holds(self, claim: str) -> str:
        """Whether a claim holds: ``yes``, ``no``, or ``close`` to the bound of its region.

        ``region only`` says that its region holds although the structure is compensatory: a capital that
        does little makes up for little.
        """
        if claim in ("N", "C"):
            of_region = claim == "N" and self._other_covers_little()
            return "yes" if claim in self.structure else "region only" if of_region else "no"
        at = self.surface(HIGH * np.array([-1, 1, 1]), HIGH * np.array([-1, -1, 1]))
        answers = {_at_corners(claim, *(at + moved * BLUR)) for moved in (-1, 0, 1)}
        return answers.pop() if len(answers) == 1 else "close"

    def _other_covers_little(self) -> bool:
        """Whether necessity holds at the true corners, by the default region."""
        at = self.surface(HIGH * np.array([-1, -1, 1]), HIGH * np.array([-1, 1, 1]))
        neither, other, both = logit(at)
        way = both - neither
        little = way >= 0.5 and (other - neither) / way <= KAPPA
        return bool(at[2] >= 0.25 and little and at[1] <= at[2] / 3)


def _at_corners(claim: str, neither: float, human_only: float, both: float) -> str:
    """Whether insufficiency or joint sufficiency holds at known corners, by the default regions."""
    insufficient = both >= 0.25 and human_only <= 0.5 and both - human_only >= 0.1
    sufficient = both >= 0.75 > neither
    return "yes" if {"I": insufficient, "J": sufficient}[claim] else "no"


HIGH: Final = 1.28
"""The capitals at their quantile .9."""
BLUR: Final = 0.03
BOTH: Final = frozenset({"N", "C"})
TRUTHS: Final[dict[str, Truth]] = {
    "additive, a=-3": Truth(logit_sum(-3)),
    "additive, a=-2.5": Truth(logit_sum(-2.5)),
    "additive, a=-1": Truth(logit_sum(-1)),
    "additive, a=0": Truth(logit_sum(0)),
    "additive, slopes 1.6 and 0.4": Truth(logit_sum(-2.5, 1.6, 0.4)),
    "interaction": Truth(logit_sum(-2, 0.7, 0.7, 0.5), BOTH),
    "gates": Truth(gates(0.02, 0.05, 0.05, 0.80), BOTH),
    "gates, human capital only": Truth(gates(0.02, 0.55, 0.04, 0.80), BOTH),
    "flat .08": Truth(lambda h, _: np.full_like(h, 0.08)),
    "rare": Truth(gates(0.01, 0.02, 0.02, 0.09)),
}

CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "N": {"kind": "necessary", "capital": "human_capital"},
    "I": {"kind": "not_sufficient", "capital": "human_capital"},
    "J": {"kind": "joint_sufficiency"},
    "C": {"kind": "complementarity"},
}
STATES: Final = (
    "supported",
    "undecided",
    "rejected",
    "not assessable",
    "scale-dependent",
    "depends on the form",
)


class Firms(NamedTuple):
    """How the firms of a part of the table are made, and how their capitals are measured."""

    rows: int
    clustered: bool = False
    """Whether they are in 24 clusters of 4 industries that differ, or in none."""
    method: str = "single"
    """``single``: capitals are known; else three indicators of reliability .75 in all, by this method."""

    @property
    def name(self) -> str:
        """What the column ``firms`` of the table says."""
        measured = "known" if self.method == "single" else f"reliability .75, {self.method}"
        return f"{'4 industries, 24 clusters' if self.clustered else 'flat'}; capitals {measured}"


RELIABILITY: Final = 0.75
LOADING: Final = np.sqrt(RELIABILITY / (3 - 2 * RELIABILITY))
"""Three indicators of this loading have this reliability: 3 l^2 / (1 + 2 l^2)."""
INDUSTRIES, CLUSTERS = 4, 24
INDUSTRY_SD, CLUSTER_SD = 0.4, 0.3
"""By how much their intercepts differ, on the logit scale."""


def made(firms: Firms, truth: Truth, seed: int) -> pd.DataFrame:
    """Firms of a truth, new ones for each seed."""
    rows = firms.rows
    rng = np.random.default_rng([seed, rows])
    human, other = rng.normal(size=(2, rows))
    social = 0.2 * human + np.sqrt(0.96) * other
    expected = truth.surface(human, social)
    cluster = np.arange(rows) % CLUSTERS
    industry = cluster % INDUSTRIES
    if firms.clustered:
        shift = rng.normal(0, CLUSTER_SD, CLUSTERS)[cluster]
        shift = shift + rng.normal(0, INDUSTRY_SD, INDUSTRIES)[industry]
        expected = expit(logit(expected) + shift)
    frame = {
        "firm": [f"f{k}" for k in range(rows)],
        "cluster": [f"C{k}" for k in cluster],
        "industry": [f"I{k}" for k in industry],
        "training": human,
        "trust": social,
        "upgraded": (rng.random(rows) < expected).astype(float),
    }
    for name, capital in (("h", human), ("s", social)):
        for k in range(3):
            noise = rng.normal(size=rows)
            frame[f"{name}{k}"] = LOADING * capital + np.sqrt(1 - LOADING**2) * noise
    return pd.DataFrame(frame)


def judged(firms: Firms, truth: Truth, seed: int) -> dict[str, list[Verdict]]:
    """Verdicts on every claim for one data set, by group."""
    by = "industry" if firms.clustered else "all"
    constructs: dict[str, Any] = {
        f"{capital}_capital": {"indicators": [f"{capital[0]}{k}" for k in range(3)]}
        | {"method": firms.method}
        for capital in ("human", "social")
    }
    analysis = analysis_of(
        "bernoulli",
        list(FORMS),
        {"industry": "all", "cluster": ["intercept"]} if firms.clustered else {},
        data=None if firms.clustered else {"cluster": None, "industry": None},
        constructs=None if firms.method == "single" else constructs,
        hypotheses=[claim | {"by": by} for claim in CLAIMS.values()],
    )
    frame = made(firms, truth, seed)
    sampling = Sampling(draws=DRAWS, tune=TUNE, chains=CHAINS, seed=seed, target_accept=0.9)
    refits = []
    for form in FORMS:
        model = Repeated(design_of(of_form(analysis, form), frame))
        design, draws, tree = model.fit(model.design, sampling)
        prior = draws_of(design, draw_prior(design, 100, 3))
        refits.append(FormRefit(Evidence(design, draws, prior, 1), tree, True))
    found: dict[str, list[Verdict]] = {name: [] for name in CLAIMS}
    kinds = {claim["kind"]: name for name, claim in CLAIMS.items()}
    for one in judging(refits).judge(analysis.hypotheses):
        found[kinds[one.kind]].append(one)
    return found


class Row(NamedTuple):
    """How a claim was judged over the data sets of one truth and kind of firms; a line of the table."""

    firms: str
    rows: int
    truth: str
    claim: str
    holds: str
    sets: int
    verdicts: int
    states: Counter[str]

    @property
    def upper(self) -> float:
        """One-sided 95% bound (Clopper and Pearson) of the share supported.

        Verdicts of one data set share its outcome, so the bound counts data sets.
        """
        hits = self.states["supported"] / self.verdicts * self.sets
        return float(beta.ppf(0.95, hits + 1, self.sets - hits)) if hits < self.sets else 1.0

    def with_set(self, found: list[Verdict]) -> Row:
        """The row with one more data set."""
        states = self.states + Counter(one.verdict for one in found)
        more = self._replace(sets=self.sets + 1, verdicts=self.verdicts + len(found))
        return more._replace(states=states)


HEAD: Final = (
    *("firms", "rows", "truth", "claim", "holds", "data sets", "verdicts"),
    *(*STATES, "at most supported (95%)"),
)
Key = tuple[str, int, str, str]


def read(path: Path) -> dict[Key, Row]:
    """Rows of a table that was begun; none where there is no file."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    rows = [
        Row(
            firms=line["firms"],
            rows=int(line["rows"]),
            truth=line["truth"],
            claim=line["claim"],
            holds=line["holds"],
            sets=int(line["data sets"]),
            verdicts=int(line["verdicts"]),
            states=Counter({state: int(line[state]) for state in STATES}),
        )
        for line in lines
    ]
    return {row[:4]: row for row in rows}


def write(path: Path, rows: Mapping[Key, Row]) -> None:
    """Write a table whole, so that one that is stopped is never half written."""
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for row in rows.values():
            counts = [row.states[state] for state in STATES]
            writer.writerow((*row[:7], *counts, f"{row.upper:.3f}"))
    part.replace(path)


SOME: Final = ("additive, a=-2.5", "interaction", "gates")


class Part(NamedTuple):
    """A part of the table: firms, truths, and how many data sets of each."""

    firms: Firms
    truths: tuple[str, ...]
    sets: int


PLAN: Final = (
    *(Part(Firms(rows), tuple(TRUTHS), 50) for rows in (1200, 300, 4000)),
    Part(Firms(1200, clustered=True), tuple(TRUTHS), 50),
    *(Part(Firms(rows, method="mean"), SOME, 50) for rows in (1200, 300, 4000)),
    *(Part(Firms(rows, method="latent"), SOME, 50) for rows in (300, 1200)),
)
"""What is made first is what most depends on."""


def missing(rows: Mapping[Key, Row]) -> Iterator[tuple[Firms, str, int]]:
    """Data sets of the plan that a table lacks: firms, truth and seed."""
    done = {row[:3]: row.sets for row in rows.values()}
    for firms, truths, sets in PLAN:
        begun = {truth: done.get((firms.name, firms.rows, truth), 0) for truth in truths}
        for seed in range(sets):
            for truth in truths:
                if seed >= begun[truth]:
                    done[firms.name, firms.rows, truth] = seed + 1
                    yield firms, truth, seed


def holds(firms: Firms, truth: str, claim: str) -> str:
    """Whether a claim holds of firms of a truth.

    Where industries differ, so do the probabilities at the corners, and claims about these hold in some.
    """
    varies = firms.clustered and claim in ("I", "J")
    return "differs by industry" if varies else TRUTHS[truth].holds(claim)


def main() -> None:
    """Go on with the table."""
    parser = argparse.ArgumentParser(description="How often the verdicts are right.")
    parser.add_argument("--table", type=Path, default=TABLE)
    path = parser.parse_args().table
    rows = read(path)
    for firms, truth, seed in missing(dict(rows)):
        started = time.process_time()
        for claim, found in judged(firms, TRUTHS[truth], seed).items():
            key = (firms.name, firms.rows, truth, claim)
            row = rows.get(key, Row(*key, holds(firms, truth, claim), 0, 0, Counter()))
            rows[key] = row.with_set(found)
        write(path, rows)
        seconds = time.process_time() - started
        print(f"{firms.name}, {firms.rows} firms, {truth}, set {seed}: {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
