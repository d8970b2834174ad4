"""A process that is killed at any of its writes, or at any time, and goes on as if nothing had happened.

The state of a disk changes only where a file is opened for writing, renamed, or removed: a child is
killed just before the n-th of these, for n by chance. ``BAYESCLUSTER_KILLS`` sets how many children of
each command are killed (6 without it); the sampler is instant.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bayescluster.app.report import write_run_report
from bayescluster.app.run import fit_analysis, run_analysis
from bayescluster.errors import RunError
from bayescluster.runs.archive import pack, unpack
from bayescluster.runs.layout import LOCK, LOG, MANIFEST
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.calibration.compute import Options as CalibrationOptions
from bayescluster.studies.calibration.study import calibrate_analysis
from bayescluster.studies.multiverse.plan import Options as SweepOptions
from bayescluster.studies.multiverse.study import sweep_analysis
from tests.cli.small import write
from tests.instant import InstantRepeated, InstantSampler
from tests.quick import quick_runs

KILLS = int(os.environ.get("BAYESCLUSTER_KILLS", "6"))
PLAIN = {
    "draws: 500, tune: 500, chains: 2": "draws: 100, tune: 10, prior_draws: 200, chains: 4",
    "hypotheses:": "multiverse: {structures: [additive], families: [probit]}\nhypotheses:",
}
WRITES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
TIMES = ("seconds", "started", "declared", "fitted", "seen", "time", "declarations", "checksum")
KILLED = -signal.SIGKILL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked"),
]


class Command(NamedTuple):
    """What is killed: the work, and what stands in for the sampler."""

    work: Callable[[Path], Any]
    patch: Callable[[pytest.MonkeyPatch], Any]
    ready: Callable[[Path], Any] | None = None
    """What has to be there before it."""


def config(folder: Path) -> Path:
    return folder / "analysis.yaml"


def only_run(folder: Path) -> RunDirectory:
    return RunDirectory.open(folder / "runs" / "small")


def fit(folder: Path) -> None:
    fit_analysis(config(folder), folder / "runs")


def run(folder: Path) -> None:
    run_analysis(config(folder), folder / "runs")


def report(folder: Path) -> None:
    directory = only_run(folder)
    with directory.lock():
        write_run_report(directory, directory.load_results())


def sweep(folder: Path) -> None:
    sweep_analysis(config(folder), SweepOptions(jobs=1), folder / "runs")


def calibrate(folder: Path) -> None:
    options = CalibrationOptions(replications=4, draws=50, tune=50, chains=2, jobs=1)
    calibrate_analysis(config(folder), options, folder / "runs")


def export(folder: Path) -> None:
    archive, other = folder / "small.zip", folder / "other"
    if not archive.exists():
        pack(only_run(folder), archive)
    if not any(other.glob("small/*")):
        unpack(archive, other)


def instant(patch: pytest.MonkeyPatch) -> None:
    InstantSampler().stand_in(patch)


COMMANDS = {
    "fit": Command(fit, instant),
    "run": Command(run, instant),
    "report": Command(report, instant, run),
    "sweep": Command(sweep, quick_runs),
    "calibrate": Command(calibrate, lambda patch: InstantRepeated().stand_in(patch)),
    "export": Command(export, instant, run),
}


def child(work: Callable[[], Any], folder: Path, stop: int | None = None) -> tuple[int, int]:
    """Do work in a child that dies before its ``stop``-th write; its code, and how many it made."""
    notes = folder.with_name("notes")
    notes.write_text("0")
    number = os.fork()
    if number == 0:
        _as_child(work, folder, notes, stop)
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    text = notes.read_text()
    assert code in (0, KILLED), text
    return code, int(text)


def _as_child(work: Callable[[], Any], folder: Path, notes: Path, stop: int | None) -> None:
    """Never returns."""
    made, inside, place = 0, True, str(folder)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal made
        if not inside or event not in WRITES or not str(arguments[0]).startswith(place):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        made += 1
        if made == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(watch)
        work()
        inside = False
        notes.write_text(str(made))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it is, the process ends here
        inside = False
        text = io.StringIO()
        traceback.print_exc(file=text)
        notes.write_text(text.getvalue())
    finally:
        os._exit(1)


def state(folder: Path) -> dict[str, Any]:
    """All files by name with their content, times and the order of the log left out."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (LOCK, LOG, "small.zip") and path.suffix != ".html":
            name = path.relative_to(folder).as_posix()
            text = path.suffix == ".json"
            found[name] = _plain(json.loads(path.read_text())) if text else path.read_bytes()
    return found


def _plain(value: Any) -> Any:
    """JSON without times, and without hashes of files that hold times."""
    if isinstance(value, dict):
        return {
            key: _plain(one)
            for key, one in value.items()
            if not any(word in key for word in TIMES) and not key.endswith((".json", ".html"))
        }
    return [_plain(one) for one in value] if isinstance(value, list) else value


def finished_units(folder: Path) -> dict[Path, tuple[int, int]]:
    """Files that may not be made again: draws that a manifest lists, and records of tasks."""
    units = [path for path in folder.rglob("*.json") if path.parent.name.startswith("replic")]
    for manifest in folder.rglob(MANIFEST):
        if ".import-" in str(manifest):  # an import begins anew
            continue
        try:
            stages = RunDirectory(manifest.parent).read_manifest().stages
        except RunError:
            pytest.fail(f"{manifest} cannot be read after a kill")
        for name in ("design", "sampling", "posterior"):
            # a chain counts once it is recorded, the rest with its stage
            if name in stages and (name == "sampling" or stages[name].status == "done"):
                units += [manifest.parent / file for file in stages[name].files]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in units if path.exists()}


@pytest.fixture(params=COMMANDS)
def command(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Command]]:
    chosen = COMMANDS[request.param]
    chosen.patch(monkeypatch)
    return request.param, chosen


def begun(folder: Path, ready: Path | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write(folder, PLAIN)
    if ready is not None:
        shutil.copytree(ready / "runs", folder / "runs")


def test_a_kill_at_any_write_loses_nothing(
    command: tuple[str, Command], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, chosen = command
    ready, folder = None, tmp_path / "work"
    monkeypatch.chdir(tmp_path)
    if chosen.ready is not None:
        ready = tmp_path / "ready"
        begun(ready, None)
        child(lambda: chosen.ready(ready), ready)
    begun(folder, ready)
    assert child(lambda: chosen.work(folder), folder)[0] == 0
    begun(folder, ready)
    # twice: what is imported or compiled once is no write of the second
    _, writes = child(lambda: chosen.work(folder), folder)
    whole = state(folder)
    rng, killed = random.Random(f"{name} {KILLS}"), 0
    for _ in range(KILLS):
        begun(folder, ready)
        stops = [rng.randint(1, writes)]
        if rng.random() < 0.3:  # once more while it goes on
            stops.append(rng.randint(1, writes))
        for stop in stops:
            code, _ = child(lambda: chosen.work(folder), folder, stop)
            killed += code == KILLED
        units = finished_units(folder)
        assert child(lambda: chosen.work(folder), folder)[0] == 0
        kept = finished_units(folder)
        assert {path: kept.get(path) for path in units} == units, stops
        assert state(folder) == whole, stops
        for manifest in folder.rglob(MANIFEST):
            assert RunDirectory(manifest.parent).verify() == [], stops
        assert [*folder.rglob(".*.partial")] == [], stops
    assert killed >= KILLS


def test_a_kill_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from outside: also in the middle of a write."""
    InstantSampler().stand_in(monkeypatch)
    folder = tmp_path / "work"
    begun(folder, None)
    began = time.monotonic()
    child(lambda: run(folder), folder)
    usual, whole, rng = time.monotonic() - began, state(folder), random.Random(KILLS)
    for _ in range(KILLS):
        begun(folder, None)
        number = os.fork()
        if number == 0:
            _as_child(lambda: run(folder), folder, folder.with_name("notes"), None)
        time.sleep(rng.uniform(0, usual))
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        units = finished_units(folder)
        assert child(lambda: run(folder), folder)[0] == 0
        kept = finished_units(folder)
        assert {path: kept.get(path) for path in units} == units
        assert state(folder) == whole
        assert only_run(folder).verify() == []
