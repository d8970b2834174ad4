"""The first analysis gets the truth of its firms right.

Whether a claim is true is read off the true corners of each industry, which the simulation knows; that it
can be assessed at all too. A cell is clear where no corner moved by `BLUR` changes that. Complementarity is in
addition what was simulated: the sign of the product of the capitals.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bayescluster.app.prepare import analysis_source, designs_of
from bayescluster.app.run import run_analysis
from bayescluster.results.model import Results, Verdict
from bayescluster.spec.hypotheses import Corners
from bayescluster.verdicts.compensation import OutcomeScale, outcome_scale
from bayescluster.verdicts.regions import region_of

pytestmark = pytest.mark.slow

CONFIG = "configs/asian_clusters.yaml"
TRUTH = Path("data/asian_clusters/truth.json")
OUTCOME = "product_upgrading"
NAMES = {
    "LL": "neither",
    "HL": "human_capital_only",
    "LH": "social_capital_only",
    "HH": "both",
}
BLUR = 0.03
DECIDED = ("supported", "rejected", "not assessable")


class Cell(NamedTuple):
    """A claim about one industry: what is true, whether that is clear, and the verdict."""

    claim: str
    industry: str
    truth: str
    clear: bool
    verdict: Verdict

    @property
    def wrong(self) -> bool:
        """Whether a decision contradicts the truth; that a claim cannot be assessed contradicts none."""
        wanted = {"supported": "holds", "rejected": "fails"}.get(self.verdict.verdict)
        return wanted is not None and wanted != self.truth


def truth_at(claim: Corners, corners: dict[str, float], scale: OutcomeScale) -> str:
    """Whether a claim holds at known corners."""
    region = region_of(claim, {name: np.array([[p]]) for name, p in corners.items()}, scale)  # type: ignore[arg-type]
    if region.assessable is not None and not region.assessable.event.all():
        return "not assessable"
    return "holds" if region.event.all() else "fails"


def cells(results: Results, truth: dict[str, Any]) -> list[Cell]:
    """Every claim about corners in every industry beside its truth."""
    design = designs_of(analysis_source(CONFIG))[0]
    scale = outcome_scale(design)
    found = []
    claims = {
        (claim.kind, getattr(claim, "capital", None)): claim
        for claim in design.analysis.hypotheses
        if isinstance(claim, Corners) and claim.by == "industry"
    }
    for verdict in results.verdicts:
        claim = claims.get((verdict.kind, verdict.capital))
        if claim is None or verdict.by != "industry":
            continue
        known = truth["corners"][OUTCOME][verdict.group]
        corners = {corner: known[name] for corner, name in NAMES.items()}
        true = truth_at(claim, corners, scale)
        clear = {
            truth_at(claim, dict(zip(corners, moved, strict=True)), scale)
            for moved in product(*([p - BLUR, p, p + BLUR] for p in corners.values()))
        } == {true}
        simulated = truth["equations"][OUTCOME]["by_industry"][verdict.group]["product"]
        if verdict.kind == "complementarity" and simulated <= 0:
            true = "fails"
        name = " ".join(filter(None, (verdict.kind, verdict.capital)))
        found.append(Cell(name, verdict.group, true, clear, verdict))
    return found


def covered(results: Results, truth: dict[str, Any]) -> list[bool]:
    """Whether the interval of each corner of each industry holds the truth."""
    return [
        row.estimate.low
        <= truth["corners"][OUTCOME][row.group][NAMES[row.corner]]
        <= row.estimate.high
        for row in results.corners[0].rows
        if row.by == "industry"
    ]


def test_the_first_analysis_finds_the_truth(tmp_path) -> None:
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))
    results = run_analysis(CONFIG, tmp_path).results
    found = cells(results, truth)
    told = "\n".join(
        f"{cell.claim}, {cell.industry}: {cell.truth}{'' if cell.clear else ' (not clear)'}, "
        f"{cell.verdict.verdict} ({cell.verdict.probability:.3f})"
        for cell in found
    )
    assert results.gate.passed
    assert len(found) == 16
    assert not [cell for cell in found if cell.wrong], told
    clear = [cell for cell in found if cell.clear]
    decided = [cell for cell in clear if cell.verdict.verdict in DECIDED]
    assert len(clear) >= 10, told
    assert 2 * len(decided) >= len(clear), told
    # a reader sees each of these in an industry of its own
    for kind, industry, state in (
        ("necessary_not_sufficient", "Resource-based", "supported"),
        ("necessary_not_sufficient", "Specialised suppliers", "rejected"),
        ("necessary_not_sufficient", "Complex product systems", "not assessable"),
    ):
        states = [
            cell.verdict.verdict
            for cell in found
            if cell.verdict.kind == kind and cell.industry == industry
        ]
        assert state in states, told
    hits = covered(results, truth)
    assert len(hits) == 16
    assert sum(hits) >= 14, told
