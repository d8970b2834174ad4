"""Refits without rows at once, from no posterior, for tests of the plumbing."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayescluster.design.arrays import with_unit_weights
from bayescluster.design.record import Design
from bayescluster.errors import FitError
from bayescluster.inference.density import Refit
from bayescluster.model.evaluate import draws_of
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.folds import refits as folds_refits
from tests.instant import _statistics, _whole


class InstantLeftOut:
    """Stands in for `Repeated` where groups are left out, and notes what it was asked for.

    Attributes
    ----------
    compiled
        How many models were compiled.
    held
        Positions of the rows without weight, fit by fit.
    samplings
        Settings, fit by fit.
    stop_after
        Raise ``KeyboardInterrupt`` in place of the fit after so many.
    apart
        Distance between the chains: 0 for chains that agree.
    apart_without
        Only where this row is left out; everywhere where it is nothing.
    fault
        Raised in place of a fit.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.held: list[tuple[int, ...]] = []
        self.samplings: list[Sampling] = []
        self.stop_after: int | None = None
        self.apart = 0.0
        self.apart_without: int | None = None
        self.fault: FitError | None = None

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of model, compiler and sampler."""
        patch.setattr(folds_refits, "Repeated", self.of)

    def of(self, design: Design, weighted: bool = False) -> Refitting:
        """Stand in for the compiler."""
        assert weighted
        self.compiled += 1
        return Refitting(with_unit_weights(design), self)


class Refitting:
    """Stands in for a compiled model."""

    def __init__(self, design: Design, log: InstantLeftOut) -> None:
        self.design, self._log = design, log

    def fit(self, design: Design, sampling: Sampling) -> Refit:
        """Draw at once."""
        log = self._log
        if len(log.held) == log.stop_after:
            raise KeyboardInterrupt
        assert design.weights is not None
        held = tuple(int(row) for row in np.flatnonzero(design.weights.rows == 0))
        log.held.append(held)
        log.samplings.append(sampling)
        if log.fault is not None:
            raise log.fault
        rng = np.random.default_rng(sampling.seed)
        drawn = _whole(self.design, list(range(sampling.chains)), sampling.draws, rng)
        if log.apart_without is None or log.apart_without in held:
            drawn = drawn + log.apart * drawn["chain"]
        tree = {"posterior": drawn, "sample_stats": _statistics(drawn, rng)}
        return Refit(design, draws_of(design, drawn), xr.DataTree.from_dict(tree))
