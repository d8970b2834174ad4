"""How the program ends where nobody takes its output, or the system stops it; each in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.small import write

PROGRAM = f"{sys.executable} -c 'from bayescluster.cli.main import main; main()'"
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shells and signals of Unix")


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of bash in which BC is the program; its code is that of the program."""
    text = f"set -o pipefail; {command.replace('BC', PROGRAM)}"
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [
        ("BC --help | head -1", ""),
        ("BC --help | head -1", "1"),
        ("BC run --help | true", ""),
        ("BC validate analysis.yaml | head -1", ""),
        ("BC validate analysis.yaml | true", "1"),
        ("BC validate analysis.yaml >&- 2>&-", ""),
        ("BC --help >&-", "1"),
        ("BC validate analysis.yaml <&-", ""),
    ],
)
def test_output_that_nobody_takes_is_no_fault(folder: Path, command: str, unbuffered: str) -> None:
    ran = shell(command, folder, PYTHONUNBUFFERED=unbuffered)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="no full device here")
@pytest.mark.parametrize(
    ("command", "unbuffered"), [("validate analysis.yaml", ""), ("--help", "1"), ("schema", "")]
)
def test_a_full_disk_for_the_output(folder: Path, command: str, unbuffered: str) -> None:
    ran = shell(f"BC {command} > {FULL}", folder, PYTHONUNBUFFERED=unbuffered)
    assert ran.returncode == 1
    assert ran.stderr == (
        "The output cannot be written:\n"
        "  No space left on device; files that were written are whole\n"
        "    make room, or write it elsewhere\n"
    )


def test_errors_that_nobody_reads_keep_their_code(folder: Path) -> None:
    assert shell("BC validate nowhere.yaml 2>&-", folder).returncode == 2
    if FULL.exists():
        assert shell(f"BC validate nowhere.yaml 2>{FULL}", folder).returncode == 2


@pytest.mark.parametrize(
    ("number", "code", "how"),
    [
        (signal.SIGTERM, 143, "Stopped by the system"),
        (signal.SIGHUP, 129, "Stopped by the system"),
        (signal.SIGINT, 130, "Interrupted"),
    ],
)
def test_a_signal_ends_the_work_soon_and_says_what_is_kept(
    folder: Path, number: signal.Signals, code: int, how: str
) -> None:
    write(folder, {"draws: 500, tune: 500": "draws: 90000, tune: 50000"})
    with subprocess.Popen(
        ["bash", "-c", f"exec {PROGRAM} run analysis.yaml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell in the background has its children ignore some signals
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Sampling" in line:
                break
        time.sleep(1)
        process.send_signal(number)
        began = time.monotonic()
        said = process.stderr.read()
        assert process.wait() == code
    kept = "Finished chains are kept: the same command goes on from them."
    assert said.endswith(f"{how}. {kept}\n")
    assert time.monotonic() - began < 20
    manifest = next(folder.glob("runs/small/*/manifest.json"))
    assert '"status": "interrupted"' in manifest.read_text()


def test_a_home_that_cannot_be_written_to(folder: Path) -> None:
    ran = shell("BC validate analysis.yaml", folder, HOME="/proc/none")
    assert ran.returncode == 0
    assert ran.stderr.startswith("The home directory cannot be written to: caches are kept in ")
    ran = shell("BC doctor", folder, HOME="/proc/none")
    assert ran.returncode == 0, ran


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="times of other processes")
@pytest.mark.parametrize("command", ["fit", "run"])
def test_the_end_comes_soon_after_the_last_message(folder: Path, command: str) -> None:
    write(folder, {"draws: 500, tune: 500": "draws: 100, tune: 100, prior_draws: 200"})
    program = "from bayescluster.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program, command, "analysis.yaml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for _ in lines:
            said, taken = time.monotonic(), processor_time(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 4)
    # in processor time; that nothing waits for something idle is what the clock tells
    assert used.ru_utime + used.ru_stime - taken < 2
    assert time.monotonic() - said < 60


def processor_time(number: int) -> float:
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
