"""Keep remarks of libraries off the terminal that a user can do nothing about."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

NO_BLAS = "PyTensor could not link to a BLAS installation"
"""Said of PyTensor's C code, which compiles nothing here: sampling runs on numba."""

POTENTIALS = "The effect of Potentials on other parameters is ignored"
"""Said of prior draws: what is added as a potential is data (indicators, weights), not a prior."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence PyMC's list of what it samples, and PyTensor's remark on BLAS."""
    log = logging.getLogger("pymc")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=NO_BLAS, category=UserWarning)
            warnings.filterwarnings("ignore", message=POTENTIALS, category=UserWarning)
            yield
    finally:
        log.setLevel(before)
