"""Densities of an outcome below a ceiling, written once for numpy and PyTensor.

Everything is in shares of the scope: outcome ``y`` and ceiling ``c`` between 0 and 1. Firms reach a
share ``R`` of their ceiling, ``R ~ Beta(al, be)``.

- `log_ratio`: ``y = c R``. No firm stands above its ceiling.
- `log_composed`: ``y = c + v - w``, where the shortfall ``w = c (1 - R)`` cannot exceed the ceiling
  and the noise ``v`` is logistic. A half-normal shortfall, which can, leaves the ceiling far too low
  where firms spread over all that is possible. The convolution is exact for a density of ``R`` in
  steps: `STEPS` of them, finer towards both ends, with the masses of the Beta.
- `log_contaminated`: as ``y = c R`` for most firms, below an edge that is a little soft (`EDGE_WIDTH`)
  so that a ceiling can pass a firm; a share of the firms lies anywhere in the scope, above too.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from scipy import special

RESOLUTION: Final = 1e-3
"""Share of the scope, and of the ceiling, below which places are not told apart.

A firm at the very bottom, or at the flat top, of an empirical scope would otherwise have a density
of 0 or infinity under any Beta but the uniform, and decide its shape alone.
"""
STEPS: Final = 12
"""Steps of the density of ``R`` under noise."""
EDGE_WIDTH: Final = 0.01
"""Width of the soft edge of a contaminated ceiling, in shares of the ceiling."""
TINY: Final = 1e-300
FAR: Final = 500.0

ANGLES: Final = np.linspace(0.0, np.pi / 2, STEPS + 1)
EDGES: Final = np.sin(ANGLES) ** 2
"""Edges of the steps, ``(step + 1,)``: even in the angle, in which a Beta density is smooth."""
MIDDLES: Final = np.sin((ANGLES[1:] + ANGLES[:-1]) / 2) ** 2

Limits = tuple[float, float]


def _nodes() -> tuple[Any, Any]:
    """Places and weights of the integral of a density with a soft edge, by the midpoint rule.

    Even in the angle over the body, where the density may have a pole at 0; even, and finer than
    the edge is wide, around the edge.
    """
    start, end, many = 1 - 12 * EDGE_WIDTH, 1 + 25 * EDGE_WIDTH, 160
    angles = (np.arange(many) + 0.5) / many * np.pi / 2
    body, jacobian = start * np.sin(angles) ** 2, start * np.sin(2 * angles) * np.pi / 2 / many
    around = start + (np.arange(many) + 0.5) / many * (end - start)
    width = np.full(many, (end - start) / many)
    return np.concatenate([body, around]), np.concatenate([jacobian, width])


NODES, NODE_WEIGHTS = _nodes()


class Operations(NamedTuple):
    """Functions that numpy and PyTensor call by other names."""

    log: Any
    log1p: Any
    exp: Any
    clip: Any
    softplus: Any
    logaddexp: Any
    sigmoid: Any
    betaln: Any


NUMPY: Final = Operations(
    np.log,
    np.log1p,
    np.exp,
    np.clip,
    lambda z: np.logaddexp(0.0, z),
    np.logaddexp,
    special.expit,
    special.betaln,
)


def pytensor_operations() -> Operations:
    """Give the same functions for the graph of a model."""
    import pytensor.tensor as pt

    return Operations(
        pt.log,
        pt.log1p,
        pt.exp,
        pt.clip,
        pt.softplus,
        pt.logaddexp,
        pt.sigmoid,
        lambda a, b: pt.gammaln(a) + pt.gammaln(b) - pt.gammaln(a + b),
    )


def ceiling(op: Operations, height: Any, slope: Any, x: Any, limits: Limits) -> Any:
    """Ceiling at ``x``: a line of a height in the middle of the scope, within floor and top."""
    return op.clip(height + slope * (x - 0.5), *limits)


def log_ratio(op: Operations, y: Any, c: Any, al: Any, be: Any) -> Any:
    """Log density of an outcome below a hard ceiling; to be asked for ``y <= c`` only.

    ``y`` and ``c`` are ``(..., firm)``, ``al`` and ``be`` ``(..., 1)`` or scalars.
    """
    inner = op.clip(y / c, RESOLUTION, 1 - RESOLUTION)
    return (al - 1) * op.log(inner) + (be - 1) * op.log1p(-inner) - op.betaln(al, be) - op.log(c)


def log_composed(op: Operations, y: Any, c: Any, shape: tuple[Any, Any], scale: Any) -> Any:
    """Log density of an outcome with logistic noise of a scale around the share of its ceiling.

    ``y`` and ``c`` are ``(..., firm)``; ``shape`` holds ``al`` and ``be``, and these and ``scale``
    are ``(..., 1)`` or scalars.
    """
    al, be = shape
    # in the angle the Beta density gains half a power at either end
    raw = op.exp((al - 0.5) * np.log(MIDDLES) + (be - 0.5) * np.log1p(-MIDDLES))  # (..., step)
    density = raw / raw.sum(axis=-1, keepdims=True) / np.diff(EDGES)
    wide = scale[..., None] if getattr(scale, "ndim", 0) else scale
    # by the survival function, which keeps its digits where firms stand far above
    above = op.sigmoid((c[..., None] * EDGES - y[..., None]) / wide)  # (..., firm, edge)
    each = density[..., None, :] * (above[..., 1:] - above[..., :-1])
    return op.log(each.sum(axis=-1) + TINY) - op.log(c)


def log_soft_share(op: Operations, share: Any, al: Any, be: Any) -> Any:
    """Log density of a share of the ceiling below a soft edge, but for its constant.

    ``share^(al - 1) (1 - share)^(be - 1)`` below, falling off within `EDGE_WIDTH` of the edge.
    """
    way = (1 - share) / EDGE_WIDTH
    # far above the edge what is left would be 0 to the last digit; the last term goes on falling
    left = op.log(EDGE_WIDTH * op.softplus(op.clip(way, -FAR, FAR)))
    return (al - 1) * op.log(share) + (be - 1) * left - op.softplus(-way)


def log_contaminated(op: Operations, y: Any, c: Any, shape: tuple[Any, Any], share: Any) -> Any:
    """Log density where a share of the firms lies anywhere in the scope, whatever the ceiling.

    ``y`` and ``c`` are ``(..., firm)``; ``shape`` and ``share`` ``(..., 1)`` or scalars.
    """
    al, be = shape
    at_nodes = NODE_WEIGHTS * op.exp(log_soft_share(op, NODES, al, be))
    constant = op.log(at_nodes.sum(axis=-1, keepdims=True))
    inside = op.log1p(-share) + log_soft_share(op, y / c, al, be) - op.log(c) - constant
    return op.logaddexp(inside, op.log(share))
