from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TIMES = os.environ.get("BAYESCLUSTER_KILLS", "6")
MAY_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    ).returncode
    == 0
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MAY_MOUNT, reason="no file system can be mounted here"),
]


def test_a_full_disk_ends_in_a_message_and_the_run_goes_on(tmp_path: Path) -> None:
    words = ["unshare", "-rm", sys.executable, "-m", "tests.faults.full_disk", str(tmp_path), TIMES]
    root = Path(__file__).parents[2]
    ran = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
