"""Simulated firms from a scenario whose every coefficient is known."""

from __future__ import annotations

from bayescluster.simulate.engine import Firms, simulate
from bayescluster.simulate.truth import Truth
from bayescluster.simulate.write import write_scenario

__all__ = ["Firms", "Truth", "simulate", "write_scenario"]
