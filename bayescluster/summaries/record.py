"""The likelihood of many firms in a few numbers, kept with the arrays of a design."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.names import LIKELIHOOD

Kind = Literal["moments", "quadratic", "counts", "rows"]
CELL, GROUPING = "likelihood_cell", "likelihood_grouping"
COEFFICIENT, OTHER, THIRD = (f"likelihood_coefficient{k}" for k in ("", "_2", "_3"))
LINE: Final = "likelihood_line"
WORDS: Final[dict[Kind, str]] = {
    "moments": "exact sufficient statistics",
    "quadratic": "quadratic summaries of the likelihood, corrected by importance weights",
    "counts": "exact counts of equal firms",
    "rows": "the likelihood of every firm",
}


class Quadratic(NamedTuple):
    """Log likelihood of each cell as a Taylor series in its coefficients.

    ``centre`` and ``slope`` are ``(cell, coefficient)``, ``value`` and ``size`` ``(cell,)``,
    ``curvature`` (minus the second derivatives) ``(cell, coefficient, coefficient)``, ``third`` the
    third derivatives, where they are kept. Of ``moments`` the density is that of noise with variance 1.
    """

    centre: Array
    value: Array
    slope: Array
    curvature: Array
    size: Array
    third: Array | None = None


class Lines(NamedTuple):
    """Firms, or firms that are equal in all but the outcome, a line each.

    ``inputs`` is ``(line, coefficient)``; ``outcome`` the total of their outcomes, ``size`` their
    trials or number, and ``offset`` the logarithm of their exposure.
    """

    inputs: Array
    cell: NDArray[np.int64]
    outcome: Array
    size: Array
    offset: Array


class Summary(NamedTuple):
    """Likelihood of an equation: by cells of all groups that vary, ``groups`` being ``(cell, grouping)``."""

    kind: Kind
    rows: int
    groups: NDArray[np.int64]
    quadratic: Quadratic | None = None
    lines: Lines | None = None


def with_summary(design: Design, summary: Summary) -> xr.Dataset:
    """Arrays of a design with its likelihood."""
    found: dict[str, tuple[tuple[str, ...], Any]] = {"groups": ((CELL, GROUPING), summary.groups)}
    if summary.quadratic is not None:
        dims = {
            "centre": (CELL, COEFFICIENT),
            "value": (CELL,),
            "slope": (CELL, COEFFICIENT),
            "curvature": (CELL, COEFFICIENT, OTHER),
            "size": (CELL,),
            "third": (CELL, COEFFICIENT, OTHER, THIRD),
        }
        found |= {
            name: (dims[name], values)
            for name, values in summary.quadratic._asdict().items()
            if values is not None
        }
    if summary.lines is not None:
        for name, values in summary.lines._asdict().items():
            found[name] = ((LINE, COEFFICIENT) if name == "inputs" else (LINE,), values)
    plain = without_summary(design.data)
    named = {f"{LIKELIHOOD}_{name}": (dims, values) for name, (dims, values) in found.items()}
    return plain.assign(named).assign_attrs({LIKELIHOOD: f"{summary.kind} {summary.rows}"})


def without_summary(data: xr.Dataset) -> xr.Dataset:
    """Arrays of a design without its likelihood."""
    plain = data.drop_vars(
        [name for name in data.data_vars if str(name).startswith(f"{LIKELIHOOD}_")]
    )
    plain.attrs.pop(LIKELIHOOD, None)
    return plain


def summary_of(design: Design) -> Summary | None:
    """Likelihood that a design carries; None where it is that of its rows."""
    text = design.data.attrs.get(LIKELIHOOD)
    if text is None:
        return None
    kind, rows = str(text).split()

    def part(name: str) -> Any:
        return np.asarray(design.data[f"{LIKELIHOOD}_{name}"].to_numpy())

    groups = part("groups").astype("int64")
    if kind in ("moments", "quadratic"):
        kept = [name for name in Quadratic._fields if f"{LIKELIHOOD}_{name}" in design.data]
        quadratic = Quadratic(*(part(name) for name in kept))
        return Summary(
            "moments" if kind == "moments" else "quadratic", int(rows), groups, quadratic
        )
    lines = Lines(*(part(name) for name in Lines._fields))
    return Summary("counts" if kind == "counts" else "rows", int(rows), groups, None, lines)
