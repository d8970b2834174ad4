from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bayescluster.errors import RunError
from bayescluster.runs import layout as lock_module
from bayescluster.runs.layout import is_locked
from bayescluster.runs.store import RunDirectory

HOLD = (
    "import sys; from pathlib import Path; from bayescluster.runs.layout import locked;"
    "lock = locked(Path(sys.argv[1])); lock.__enter__(); print('held', flush=True);"
    "sys.stdin.read()"
)


def busy(path: Path) -> str:
    return (
        f"The run directory cannot be used:\n  {path}: another process is writing to this run\n"
        "    wait until it ends or stop it, then run the same command again: what is saved is kept"
    )


def test_a_second_writer_is_refused_until_the_first_is_killed(run: RunDirectory) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(run.path)
        with pytest.raises(RunError) as raised, run.lock():
            pass
        holder.kill()
    assert str(raised.value) == busy(run.path)
    assert not is_locked(run.path)
    with run.lock():
        pass


def test_lock_is_freed_after_an_error(run: RunDirectory) -> None:
    with pytest.raises(ZeroDivisionError), run.lock():  # noqa: PT012
        assert is_locked(run.path)
        with pytest.raises(RunError) as raised, run.lock():
            pass
        raise ZeroDivisionError
    assert str(raised.value) == busy(run.path)
    assert not is_locked(run.path)


def test_looking_for_a_lock_makes_none(run: RunDirectory) -> None:
    assert not is_locked(run.path)
    assert not (run.path / ".lock").exists()


def test_directory_that_cannot_be_locked(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lock_module.FileLock, "acquire", denied)
    with pytest.raises(RunError) as raised, run.lock():
        pass
    assert str(raised.value) == (
        f"The run directory cannot be used:\n"
        f"  {run.path}: the run cannot be locked for writing: Permission denied\n"
        "    allow writing there, or name another directory with --out"
    )
