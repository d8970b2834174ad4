"""Explorers of made-up draws, and what Python says of the draws that they carry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import CORNERS, CornerSupport
from bayescluster.features.explorer.compute import claim_of, explorer_of, unpacked
from bayescluster.features.explorer.results import Explorer, ShownClaim
from bayescluster.results.model import Verdict
from bayescluster.verdicts import events
from bayescluster.verdicts.compensation import OutcomeScale, outcome_scale
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

VARYING = {"industry": ["intercept"], "cluster": ["intercept"]}
STRONG = {"human_capital": 1.2, "social_capital": 0.8, "interaction": 0.6, "intercept": -0.8}


def evidence_of(*args: Any, draws: int = 200, seed: int = 2, **keys: Any) -> Evidence:
    """Made-up draws of a small design."""
    design = small_design(*args, **{"varying": VARYING, "frame": firms(240)} | keys)
    known = {name: value for name, value in STRONG.items() if name in design.terms}
    posterior = known_draws(design, draws, 2, seed=seed, **known)
    return Evidence(design, posterior, known_draws(design, 50, 1, seed=3), 7)


def explorer(evidence: Evidence) -> Explorer:
    return explorer_of([evidence])


class Carried(Evidence):
    """Estimands of one surface of an explorer at chosen corners, from the draws that it carries."""

    def __init__(
        self, evidence: Evidence, found: Explorer, surface: int, nodes: tuple[int, int, int, int]
    ) -> None:
        # thinned draws are no chains
        super().__init__(evidence.design, replace(evidence.posterior, chains=0), evidence.prior, 0)
        shown, values = found.surfaces[surface], unpacked(found)[surface]
        self.step, self.gates = shown.step, shown.behind
        low_h, high_h, low_s, high_s = nodes
        firms = np.array(found.groups[shown.group].firms).reshape(values.shape[1:])
        at = {c: ((low_h, high_h)[c[0] == "H"], (low_s, high_s)[c[1] == "H"]) for c in CORNERS}
        self.corners: dict[str, Array] = {c: values[:, h, s][:, None] for c, (h, s) in at.items()}
        self.near = np.array([[firms[place]] for place in at.values()])

    def columns(self, by: str) -> list[tuple[int, str]]:
        return [(0, by)]

    def surface(self, *_: Any, **__: Any) -> SurfaceDraws:
        return SurfaceDraws({}, {}, self.corners)

    def support(self, _: Any) -> CornerSupport:
        return CornerSupport(self.near, np.ones_like(self.near, dtype=bool))

    @property
    def behind_gates(self) -> dict[str, Array]:  # type: ignore[override]
        return {c: np.full((1, 1), many) for c, many in zip(CORNERS, self.gates, strict=False)}


def verdict_of(
    carried: Carried, claim: ShownClaim, cutoffs: dict[str, float | None], level: Any = None
) -> Verdict:
    """Verdict of Python's own rules on these draws; the cut-offs are those of the page."""
    asked = claim_of(claim.kind, claim.capital)
    given = {k: v for k, v in cutoffs.items() if v is not None and hasattr(asked, k)}
    if claim.kind == "sufficient":
        given.pop("ratio", None)
    asked = asked.model_copy(update={"by": "all", "at_least": level, **given})

    def scale(design: Design, at_least: Any = None) -> OutcomeScale:
        return outcome_scale(design, at_least)._replace(rounding=2 * carried.step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "outcome_scale", scale)
        (found,) = verdicts((asked,), carried, gate_passed=True)
    return found
