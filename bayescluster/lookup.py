"""Finding a name in a table, with the one "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or list those there are.

    Returns
    -------
    str
        ``did you mean 'x'?`` where one is close, else ``known: a, b, c``; empty if none is known.
    """
    names = [str(item) for item in known]
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12])
    return f"known: {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def find[T](name: str, table: Mapping[str, T], what: str) -> T:
    """Look a name up in a table.

    Raises
    ------
    KeyError
        If the table has no such name; the message suggests the nearest.
    """
    try:
        return table[name]
    except KeyError:
        raise KeyError(f"unknown {what} '{name}': {suggestion(name, table)}") from None
