"""What the explorer of a report computes from; a file of its own next to the results."""

from __future__ import annotations

from typing import Final

from bayescluster.results.base import By, Value

EXPLORER_VERSION: Final = 1


class Axis(Value):
    """Nodes of one capital, in standard deviations, at which the surface is known."""

    capital: str
    nodes: tuple[float, ...]
    amounts: tuple[str, ...]
    """The same in units of its indicator, where it has a single one; else empty."""
    low: int
    """Node of the low level that the analysis declares."""
    high: int


class ShownLevel(Value):
    """What is expected: the outcome as the equation reports it, or the probability of reaching a level.

    ``link`` is the scale on which claims are judged: ``logit`` between ``ends``, ``probit``,
    ``logarithmic``, or ``outcome`` itself. Values are kept on it too, probabilities and shares always
    between 0 and 1. ``cutoffs`` are those that decide claims, declared or by default; null where there is
    none.
    """

    at_least: str | None
    bounded: bool
    link: str
    ends: tuple[float, float]
    least_span: float
    has_ratio: bool
    sd: float
    cutoffs: dict[str, float | None]


class ShownGroup(Value):
    """A group, its rows, and the effective number of firms around each node, by human capital first."""

    by: By
    group: str
    rows: int
    firms: tuple[float, ...]


class ShownClaim(Value):
    """A claim about corners, and why it cannot be rejected; nothing where it can."""

    kind: str
    capital: str | None
    title: str
    withheld: str


class ShownSurface(Value):
    """One surface: positions of its form, level and group; values are ``offset + step * whole number``.

    ``behind`` has the firms that the gates of its form put behind each corner; empty for other forms.
    """

    form: int
    scope: str
    level: int
    group: int
    offset: float
    step: float
    behind: tuple[float, ...] = ()


class Explorer(Value):
    """Draws of the outcome surface at the nodes of a grid.

    ``data`` holds the whole numbers of all surfaces, ``(surface, draw, human, social)``, 16 bits each:
    differences along both capitals, all low bytes before all high ones, deflated, in base64.
    """

    schema_version: int = EXPLORER_VERSION
    human: Axis
    social: Axis
    forms: tuple[str, ...]
    levels: tuple[ShownLevel, ...]
    groups: tuple[ShownGroup, ...]
    claims: tuple[ShownClaim, ...]
    surfaces: tuple[ShownSurface, ...]
    draws: int
    of: int
    """Draws that these were taken from, evenly."""
    left_out: int
    """Groups that are left out, the smallest ones, so that the page stays small."""
    data: str
