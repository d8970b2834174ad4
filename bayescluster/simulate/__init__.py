"""Simulated firms from a scenario whose every coefficient is known."""

from __future__ import annotations

from bayescluster.simulate.truth import Survey, Truth, simulate
from bayescluster.simulate.write import write_scenario

__all__ = ["Survey", "Truth", "simulate", "write_scenario"]
