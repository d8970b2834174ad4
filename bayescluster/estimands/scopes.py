"""For whom an estimand speaks: the firms as observed, the average cluster, or a new cluster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, GroupDraws
from bayescluster.names import CLUSTER, FIRM, INDUSTRY
from bayescluster.spec.hypotheses import Scope

NEW_CLUSTER_STREAM = 3


def scoped(design: Design, draws: Draws, scope: Scope, seed: int) -> Draws:
    """Draws under a scope, upstream equations included; see `_scoped`."""
    upstream = tuple(
        (each, _scoped(each, part, scope, (seed, NEW_CLUSTER_STREAM, position)))
        for position, (each, part) in enumerate(draws.upstream, start=1)
    )
    own = _scoped(design, draws, scope, (seed, NEW_CLUSTER_STREAM))
    return replace(own, upstream=upstream) if upstream else own


def _scoped(design: Design, draws: Draws, scope: Scope, entropy: tuple[int, ...]) -> Draws:
    """Replace the cluster effects of draws by those of a scope.

    Under ``new_cluster`` each industry has one new cluster at each draw, and rows whose firms have
    effects of their own have new ones too: the firms of a new cluster are new.
    """
    if scope == "observed" or CLUSTER not in draws.groups:
        return draws
    groups = dict(draws.groups)
    if scope == "average_cluster":
        cluster = groups[CLUSTER]
        groups[CLUSTER] = cluster._replace(effect=np.zeros_like(cluster.effect))
        return replace(draws, groups=groups)
    rng = np.random.default_rng(entropy)
    groups[CLUSTER] = _new_members(groups[CLUSTER], design.index(INDUSTRY), rng)
    if FIRM in groups:
        groups[FIRM] = _new_members(groups[FIRM], np.arange(design.size), rng)
    return replace(draws, groups=groups)


def _new_members(
    group: GroupDraws, member: NDArray[np.int64], rng: np.random.Generator
) -> GroupDraws:
    """Effects of members not in the data, drawn from their distribution at each draw."""
    draws, terms = group.sd.shape
    z = rng.standard_normal((draws, int(member.max()) + 1, terms))  # (draw, member, term)
    if group.correlation is not None:
        z = z @ np.swapaxes(np.linalg.cholesky(group.correlation), -1, -2)
    return group._replace(member=member, effect=z * group.sd[:, None, :])
