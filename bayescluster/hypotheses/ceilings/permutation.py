"""Effect sizes against those of conditions and outcomes paired by chance.

The test is against independence. A condition that raises the outcome without being necessary is
not independent of it, so a small p does not tell necessity from a compensatory relation.

Source: J. Dul, E. van der Laan and R. Kuik, "A statistical significance test for necessary
condition analysis", Organizational Research Methods 23 (2020) 385-395.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.hypotheses.ceilings.observed import Cases, areas
from bayescluster.hypotheses.ceilings.peers import peers_of
from bayescluster.results.necessity import CeilingName

ROUNDING = 1e-12
"""Difference of effect sizes that rounding can make: the observed order of the cases must count."""
CELLS = 2_000_000
"""Outcomes permuted at once, which bounds the memory."""


class Permuted(NamedTuple):
    """An effect size among those of permuted outcomes.

    Attributes
    ----------
    p
        (number at least as large + 1) / (number of permutations + 1).
    mcse
        Monte Carlo standard error of p.
    mean
        Mean effect size of the permuted outcomes: what independence gives.
    undefined
        Permutations whose effect size is not defined; they count as at least as large.
    """

    p: float
    mcse: float
    mean: float
    undefined: int


def permuted(
    cases: Cases, ceilings: Sequence[CeilingName], count: int, rng: np.random.Generator
) -> dict[CeilingName, Permuted | None]:
    """Test effect sizes by permuting the outcomes over the cases, the same for all ceilings.

    Parameters
    ----------
    cases
        Cases in the unit square; of several sets of outcomes, the first.
    ceilings
        Ceilings to test.
    count
        Number of permutations.
    rng
        Source of the permutations.

    Returns
    -------
    dict
        By ceiling; None where the effect size is not defined.
    """
    observed = {name: areas(cases, name)[0] for name in ceilings}
    drawn: dict[CeilingName, list[np.ndarray]] = {name: [] for name in ceilings}
    chunk = max(1, CELLS // len(cases.u))
    for start in range(0, count, chunk):
        rows = min(chunk, count - start)
        v = rng.permuted(np.broadcast_to(cases.v[0], (rows, len(cases.u))), axis=1)
        mixed = cases._replace(v=v, peers=peers_of(cases.u, v))
        for name in ceilings:
            drawn[name].append(areas(mixed, name))
    return {name: _judged(observed[name], np.concatenate(drawn[name])) for name in ceilings}


def _judged(observed: float, drawn: np.ndarray) -> Permuted | None:
    if np.isnan(observed):
        return None
    known = drawn[~np.isnan(drawn)]
    undefined = len(drawn) - len(known)
    p = (int((known >= observed - ROUNDING).sum()) + undefined + 1) / (len(drawn) + 1)
    mean = float(known.mean()) if len(known) else np.nan
    return Permuted(p, float(np.sqrt(p * (1 - p) / len(drawn))), mean, undefined)
