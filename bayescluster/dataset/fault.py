"""A fault of some data, before it is known where the analysis asks for them."""

from __future__ import annotations


class FaultError(Exception):
    """A fault of a table or a column.

    Parameters
    ----------
    what
        What was found.
    mend
        How to mend it.
    key
        Which part of what the analysis says there it belongs to; the usual one without it.
    """

    def __init__(self, what: str, mend: str = "", key: str | None = None) -> None:
        self.what, self.mend, self.key = what, mend, key
        super().__init__(what)
