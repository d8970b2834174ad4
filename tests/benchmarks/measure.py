"""One process measured: seconds by the clock and of the processors, memory, and what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.runs.store import RunDirectory


class Use(NamedTuple):
    """What a program took: seconds, MB of the largest of its processes, and further facts."""

    wall: float
    cpu: float
    peak: float
    facts: dict[str, float] = {}

    @property
    def time(self) -> float:
        """Seconds by the clock on a quiet machine, at most: those of the processors where others wait too."""
        return min(self.wall, self.cpu)

    def value(self, name: str) -> float:
        """A measure by its name."""
        found = {"time": self.time, "peak": self.peak} | self.facts
        return found[name]


class FailedError(Exception):
    """A program ended otherwise than it should; the text is its last words."""


LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, use = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), wall, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024], file)
"""
"""Starts the program: a process is never said to be smaller than the one that started it."""


def used(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> Use:
    """Run a command in a folder. It may end with 4, a failed gate, and print facts as a last line of JSON."""
    around = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.NamedTemporaryFile("r") as said:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, said.name, *command],
            cwd=folder,
            env=around | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        code, wall, cpu, peak = json.load(said)
    text = done.stdout.strip()
    if code not in (0, 4):
        raise FailedError((done.stderr.strip() or text or f"exit code {code}").splitlines()[-1])
    last = text.rpartition("\n")[2]
    facts = json.loads(last) if last.startswith("{") and last.endswith("}") else {}
    return Use(facts.pop("wall", wall), facts.pop("cpu", cpu), peak, facts)


def cold(folder: Path) -> dict[str, str]:
    """Caches of compiled code in an empty place."""
    place = tempfile.mkdtemp(prefix="cold-", dir=folder)
    return {
        "PYTENSOR_FLAGS": f"base_compiledir={place}/pytensor",
        "NUMBA_CACHE_DIR": f"{place}/numba",
    }


def fitted(use: Use, directory: Path, again: bool = False) -> Use:
    """Facts of a fit: seconds of its stages, the likelihood used, and how well its draws mix.

    Stages are timed by the clock; on a machine that does other work too, that is scaled by the share of
    the time in which the whole process was on a processor. A fit that is done ``again``, another way, is
    compared with the first: ``largest_gap`` is that of their draws.
    """
    run = RunDirectory(directory)
    manifest = run.read_manifest()
    share = min(1.0, use.cpu / use.wall)
    seconds = {name: stage.seconds * share for name, stage in manifest.stages.items()}
    facts = {
        "sampling_seconds": seconds["sampling"],
        "seconds_after_reading": sum(seconds.values()) - seconds["design"],
    }
    if manifest.likelihood is not None and manifest.likelihood.khat is not None:
        facts["khat"] = manifest.likelihood.khat
    posterior = run.load_posterior()["posterior"].to_dataset()
    kept = posterior["population"].transpose("chain", "draw", "term")
    terms = {str(term): kept.sel(term=term).to_numpy()[..., None] for term in kept["term"].values}
    sds = [posterior[f"{group}_sd"].to_numpy() for group in ("industry", "cluster")]
    first, found = directory.parents[2] / "own.npz", terms | {"sds": np.concatenate(sds, axis=-1)}
    if again:
        known = np.load(first)
        facts["largest_gap"] = max(float(np.abs(known[k] - found[k]).max()) for k in found)
    else:
        np.savez(first, **found)
    moving = [values for values in terms.values() if np.ptp(values) > 0]
    facts["ess_per_second"] = (
        _smallest_ess(np.concatenate([*moving, found["sds"]], axis=-1)) / use.time
    )
    return use._replace(facts=facts)


def _smallest_ess(draws: Array) -> float:
    """Of ``(chain, draw, quantity)``."""
    flat = draws.reshape(-1, draws.shape[-1])
    return float(diagnostics(flat, draws.shape[0]).ess_bulk.min())


def apart_from(use: Use, folder: Path, name: str, terms: list[str]) -> Use:
    """Facts of a peer: how well its draws mix, and how far its means are from our own, in Monte Carlo errors."""
    drawn, own = np.load(folder / f"{name}.npz"), np.load(folder / "own.npz")
    population = drawn["population"]
    both = np.concatenate([population, drawn["sds"]], axis=-1)
    ours = np.concatenate([own[term] for term in terms], axis=-1)
    found = []
    for values in (ours, population):
        flat = values.reshape(-1, values.shape[-1])
        found.append((flat.mean(axis=0), diagnostics(flat, len(values)).mcse))
    gap = np.abs(found[0][0] - found[1][0]) / np.hypot(found[0][1], found[1][1])
    facts = {"ess_per_second": _smallest_ess(both) / use.time, "apart": float(gap.max())}
    return use._replace(facts=facts)
