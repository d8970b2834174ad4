"""How much memory a fit takes, foreseen from its sizes, against what the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.names import CAPITALS
from bayescluster.summaries.likelihood import HELD_ROWS

PROGRAM: Final = 600e6
"""Python, PyMC, numba and the other packages of a fit."""
A_CELL: Final = 60.0
"""Bytes of a cell of the table while it is read and checked, of numbers and text on average."""
MOST_DRAWS: Final = 5_000
"""Draws of a chain where the sampler settles their number: the most of an attempt."""
COPIES: Final = 3
"""Draws are held as they come, put together, and written."""
CHUNKS: Final = 4 * 16e6
"""What is held of rows at draws, chunk by chunk."""
STATED_FROM: Final = 1e9
"""Bytes from which a fit states them as it begins; `validate` always does."""
CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


class Memory(NamedTuple):
    """Bytes that a fit takes at most, and in what."""

    program: float
    firms: float
    draws: float
    machine: float
    """What the machine, or the container, has; infinite where it does not say."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.program + self.firms + self.draws

    def lines(self) -> Iterator[str]:
        """Say it, and warn where it is more than there is."""
        parts = f"firms {_size(self.firms)}, draws {_size(self.draws)}"
        yield f"memory: about {_size(self.total)} at most ({parts})"
        if self.total > self.machine:
            yield f"that is more than this machine has ({_size(self.machine)}): {REMEDY}"


REMEDY: Final = (
    "give fewer draws or chains, or save many firms as a Parquet or csv file, which are summarised "
    "while they are read (`sampling.likelihood`)"
)


def memory_of(designs: Sequence[Design]) -> Memory:
    """Foresee the memory of a fit from firms, draws, and what of them is held."""
    first = max(designs, key=_values)
    sampling, rows = first.analysis.sampling, first.firms_fitted
    columns = sum(each.data.nbytes for each in first.equations) / max(first.size, 1) / 8
    if rows > first.size:
        # a sample is held, and the rows of all where they are few
        firms = first.data.nbytes * 3 + min(rows, HELD_ROWS) * (columns + 4) * 8 * 3
    else:
        firms = rows * columns * (A_CELL + 3 * 8)
    kept = sampling.chains * (sampling.draws or MOST_DRAWS)
    draws = kept * _values(first) * 8 * COPIES + CHUNKS
    return Memory(PROGRAM, firms, draws, machine_memory())


def _values(design: Design) -> int:
    """Numbers of a draw: coefficients, effects of groups, and what is latent or missing in rows."""
    found = 0
    for each in design.equations:
        found += len(each.terms) + len(each.control_names) + len(each.levels) + 4
        for grouping in each.groupings:
            found += (len(grouping.labels) + 1 + len(grouping.terms)) * len(grouping.terms)
        found += 0 if each.is_complete else each.size
    return found + design.size * sum(map(design.is_latent, CAPITALS))


def refuse_too_much(memory: Memory) -> None:
    """Refuse a fit that the machine has no memory for.

    Raises
    ------
    ConfigError
        With what would help.
    """
    if memory.total > memory.machine:
        raise ConfigError(
            Problem(
                f"the fit would take about {_size(memory.total)} of memory, and this machine has "
                f"{_size(memory.machine)}",
                mend=REMEDY,
            )
        )


def machine_memory() -> float:
    """Bytes of memory of this machine, or of the container it runs in."""
    try:
        whole = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")
    try:
        limit = CGROUP.read_text().strip()
    except OSError:
        return whole
    return min(whole, float(limit)) if limit.isdigit() else whole


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
