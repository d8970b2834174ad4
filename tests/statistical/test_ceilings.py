"""Effect sizes of nested ceilings are recovered, and their intervals hold what they promise."""

from __future__ import annotations

import pytest

from bayescluster.features.ceiling_models.model import CeilingSampler
from tests.statistical.ceilings import EQUAL, LIMITS, UNEQUAL, layout, recover

pytestmark = pytest.mark.slow

REPLICATIONS = 10


@pytest.mark.parametrize(
    ("sizes", "industries"), [(EQUAL, 1), (UNEQUAL, 1), (EQUAL, 2)], ids=["equal", "unequal", "two"]
)
def test_effect_sizes_are_recovered(sizes: tuple[int, ...], industries: int) -> None:
    """Twenty clusters: the mean within .02, clusters inside their 90% intervals."""
    where = layout(sizes, industries)
    sampler = CeilingSampler("ratio", where, LIMITS)
    for spread in (0.0, 0.1, 0.2, 0.3):
        found = recover(sampler, where, spread, REPLICATIONS)
        assert abs(found.bias) < 0.02, (spread, found)
        assert 0.80 <= found.covered <= 0.97, (spread, found)
        assert found.divergences == 0, (spread, found)
