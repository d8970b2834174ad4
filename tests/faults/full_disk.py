"""Runs on a disk that gets full; for a process that may mount one: ``unshare -rm python -m ... FOLDER``."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bayescluster.app.run import run_analysis
from bayescluster.errors import RunError
from bayescluster.runs.store import RunDirectory
from tests.cli.small import write
from tests.faults.test_kills import PLAIN, child, state
from tests.instant import InstantSampler

SMALLEST, LARGEST = 40, 1000
"""Kilobytes: from no room for the design to room for nearly everything."""
MESSAGE = "the file cannot be written: No space left on device"


def main(folder: Path, times: int) -> None:
    """Fill disks of sizes by chance, then make room and go on."""
    disk, notes, rng = folder / "disk", folder / "said", random.Random(times)
    disk.mkdir()
    write(folder, PLAIN)

    def work() -> None:
        try:
            run_analysis(folder / "analysis.yaml", disk / "runs")
        except RunError as error:
            notes.write_text(str(error))

    def mounted(size: int, how: str = "") -> None:
        options = f"{how}size={size}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)

    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        mounted(100_000)
        child(work, disk)
        whole, full = state(disk), 0
        subprocess.run(["umount", str(disk)], check=True)
        for _ in range(times):
            mounted(rng.randint(SMALLEST, LARGEST))
            notes.write_text("")
            child(work, disk)
            full += MESSAGE in notes.read_text()
            assert MESSAGE in notes.read_text() or not notes.read_text(), notes.read_text()
            mounted(100_000, "remount,")
            notes.write_text("")
            child(work, disk)
            assert notes.read_text() == ""
            assert state(disk) == whole
            assert RunDirectory.open(disk / "runs" / "small").verify() == []
            subprocess.run(["umount", str(disk)], check=True)
    print(f"{full} of {times} disks were full", flush=True)
    os._exit(0 if full else 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
