"""Runs for tests of what is done with finished ones: instant draws, and results without traditions."""

from __future__ import annotations

from typing import Any

import pytest

from bayescluster.app import collect, run
from bayescluster.app import facts as fit_checks
from tests.instant import InstantSampler

TRADITIONS = ("causes_of", "set_results", "ceiling_results")


def _nothing(*_: Any) -> None:
    return None


def without_traditions(patch: pytest.MonkeyPatch) -> None:
    """Leave out what takes most of the time of results: traditions, and what others would find."""
    for name in (*TRADITIONS, "other_likelihoods", "sensitivity_of"):
        patch.setattr(collect, name, _nothing)
    patch.setattr(collect, "claims_table", _nothing)
    patch.setattr(collect, "readings_of", _nothing)
    patch.setattr(collect, "unpooled_estimates", lambda *_: {})


def without_report(patch: pytest.MonkeyPatch) -> None:
    """Write no report."""
    patch.setattr(run, "finish_report", _nothing)


def quick_runs(patch: pytest.MonkeyPatch, sampler: InstantSampler | None = None) -> InstantSampler:
    """Make runs quick: an instant sampler, no traditions beside the corners, few checks, no report."""
    sampler = sampler or InstantSampler()
    sampler.stand_in(patch)
    without_traditions(patch)
    patch.setattr(fit_checks, "fit_checks", _nothing)
    without_report(patch)
    return sampler
