"""Places where libraries keep what they compiled, also where the home directory cannot be written to.

In containers and on clusters it often cannot: PyTensor would then end the program, and matplotlib warn.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

FLAGS: Final = "PYTENSOR_FLAGS"


def writable_caches() -> Path | None:
    """Lead the caches of PyTensor, numba and matplotlib to a place that can be written to.

    To be called before these libraries are imported. What a user has set stays.

    Returns
    -------
    The folder they were led to; None where the home directory serves.
    """
    if _serves(Path(os.path.expanduser("~"))):  # noqa: PTH111 - Path.home() raises where there is none
        return None
    own = getattr(os, "getuid", lambda: 0)()
    folder = Path(tempfile.gettempdir()) / f"bayescluster-caches-{own}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        safe = folder.stat().st_uid == own and not folder.is_symlink()
    except OSError:
        safe = False
    if not safe:  # somebody else's: compiled code is not to be loaded from there
        folder = Path(tempfile.mkdtemp(prefix="bayescluster-caches-"))
    flags = os.environ.get(FLAGS, "")
    if "compiledir" not in flags:
        place = f"base_compiledir={folder / 'pytensor'}"
        os.environ[FLAGS] = f"{flags},{place}" if flags else place
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder / "numba"))
    return folder


def _serves(home: Path) -> bool:
    """Whether folders for caches are there, or can be made, and written to."""
    try:
        cache = home / ".cache"
        cache.mkdir(exist_ok=True)
        for folder in (home, cache):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError:
        return False
    return True
