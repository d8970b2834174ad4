"""Text that a spreadsheet cannot take for a formula."""

from __future__ import annotations

from typing import Any, Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins with one of these could be run as a formula by a spreadsheet."""


def harmless(cell: Any) -> Any:
    """Keep text from being run as a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
