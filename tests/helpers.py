"""Assertions about draws that know how precise the draws are, and rows of parametrised tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from bayescluster.estimands.diagnostics import diagnostics

MINIMUM_ESS = 400
FALSE_ALARM = 1e-6
"""Chance that a right program fails one call: tests are many, and they must not cry wolf."""


def assert_within_mcse(
    draws: ArrayLike, truth: ArrayLike, chains: int = 1, false_alarm: float = FALSE_ALARM
) -> None:
    """Assert that the mean of draws is the truth, as far as the draws can tell.

    A two-sided z test for each quantity, Bonferroni-corrected for their number. Fails too where
    the draws are too few to say anything: an effective sample size below `MINIMUM_ESS`.

    Parameters
    ----------
    draws
        ``(draw,)`` or ``(draw, quantity)``, the chains one after the other.
    truth
        One number, or one a quantity.
    chains
        Number of chains.
    false_alarm
        Chance of failing a right program, over all quantities.
    """
    values = np.asarray(draws, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    wanted = np.broadcast_to(np.asarray(truth, dtype=float), values.shape[1:])
    _, ess, _, mcse = diagnostics(values, chains)
    assert np.isfinite(mcse).all(), "a quantity does not vary: its error is unknown"
    assert ess.min() >= MINIMUM_ESS, f"ESS {ess.min():.0f} is too small to test with"
    z = (values.mean(axis=0) - wanted) / mcse
    limit = norm.isf(false_alarm / 2 / z.size)
    worst = int(np.abs(z).argmax())
    assert np.abs(z).max() <= limit, (
        f"quantity {worst} of {z.size}: mean {values[:, worst].mean():.6g}, truth "
        f"{wanted[worst]:.6g}, {abs(z[worst]):.1f} standard errors apart (limit {limit:.1f})"
    )


def row(*values: object) -> tuple[object, ...]:
    """A row of a parametrised table; strings over several lines are joined in it."""
    return values
