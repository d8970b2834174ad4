"""How often the compensatory null rejects: additive data, conjunctive data and data below a ceiling.

Run by itself it prints the table. Bivariate normal with r = .5 (no necessity at all): the mean CE-FDH
effect size is positive at every size, .280 / .248 / .215 at n = 30 / 100 / 1000 over thousands of data
sets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from tests.features.ceilings.test_null import p_value, plain, with_firms

pytestmark = pytest.mark.slow

REPLICATIONS: Final = 200
Array = np.ndarray


def additive(x: Array, _: Array, noise: Array) -> Array:
    return 0.5 * x + 0.75**0.5 * noise


def conjunctive(x: Array, other: Array, noise: Array) -> Array:
    return np.minimum(x, other) + 0.3 * noise


def below_a_ceiling(x: Array, _: Array, noise: Array) -> Array:
    share = np.argsort(np.argsort(noise)) / noise.size
    return share * np.clip(0.1 + 0.25 * (x + 2), 0, 1)


def repeated(rows: int, outcome: Callable[[Array, Array, Array], Array]) -> tuple[Array, Array]:
    """Observed effect sizes, and p-values, of many data sets."""
    rng = np.random.default_rng((rows, 22))
    design = plain(rows)
    found = []
    for _ in range(REPLICATIONS):
        x, other, noise = rng.normal(size=(3, rows))
        found.append(p_value(with_firms(design, x, other, outcome(x, other, noise)), rng))
    d, p = np.array(found).T
    return d, p


@pytest.mark.parametrize(("rows", "mean"), [(30, 0.280), (100, 0.248), (300, None), (1000, 0.215)])
def test_additive_data(rows: int, mean: float | None) -> None:
    d, p = repeated(rows, additive)
    # 200 replications at a rate of .05: beyond .11 with a chance of one in a thousand
    assert (p <= 0.05).mean() <= 0.11
    assert 0.4 < p.mean() < 0.6
    if mean is not None:
        assert d.mean() == pytest.approx(mean, abs=0.025)


@pytest.mark.parametrize("outcome", [conjunctive, below_a_ceiling])
def test_necessity_is_found_as_firms_grow_in_number(
    outcome: Callable[[Array, Array, Array], Array],
) -> None:
    power = [(repeated(rows, outcome)[1] <= 0.05).mean() for rows in (100, 300, 1000)]
    assert power == sorted(power)
    assert power[-1] > 0.8


if __name__ == "__main__":
    for kind in (additive, conjunctive, below_a_ceiling):
        for size in (30, 100, 300, 1000):
            sizes, values = repeated(size, kind)
            line = f"{kind.__name__:16} n {size:5} mean d {sizes.mean():.3f}"
            print(f"{line} p <= .05: {(values <= 0.05).mean():.3f}")
