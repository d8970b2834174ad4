"""Chains that are sampled side by side, block by block, by the real sampler."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

import bayescluster as bc
from bayescluster.app.run import fit_analysis
from bayescluster.errors import FitError
from bayescluster.inference.nuts import Chain, ChainState, sample_blocks, sample_chains
from bayescluster.runs.store import RunDirectory
from tests.conftest import SMALL
from tests.factories import firms

LONG = 10_000.0
STATISTICS = ("diverging", "energy", "depth", "n_steps", "step_size")


def assert_same(one: Chain, other: Chain) -> None:
    assert one.number == other.number
    xr.testing.assert_identical(one.posterior, other.posterior)
    for name in STATISTICS:
        xr.testing.assert_identical(one.sample_stats[name], other.sample_stats[name])


def test_a_chain_cut_at_a_block_is_the_chain_of_so_many_draws(small_run):
    sampling = bc.load(small_run.config).sampling
    seen: list[ChainState] = []
    until = time.monotonic() + LONG
    blocks = list(sample_blocks(small_run.compiled, sampling, [60, 150, 200], until, seen.append))
    assert [[chain.posterior.sizes["draw"] for chain in block] for block in blocks] == [
        [60, 60],
        [150, 150],
        [200, 200],
    ]
    for block in blocks:
        draws = block[0].posterior.sizes["draw"]
        exact = sampling.model_copy(update={"draws": draws})
        for alone in sample_chains(small_run.compiled, exact, [1, 0]):
            assert_same(block[alone.number], alone)
    # what is reported stays within the block
    assert all(state.finished <= state.total for state in seen)
    assert {state.total - sampling.tune for state in seen} <= {60, 150, 200}


def test_time_ends_it_after_the_first_block(small_run):
    sampling = bc.load(small_run.config).sampling
    over = time.monotonic() - 1.0
    (block,) = sample_blocks(small_run.compiled, sampling, [50, 100_000], over)
    assert [chain.posterior.sizes["draw"] for chain in block] == [50, 50]


def test_a_chain_that_fails_says_so(small_run, monkeypatch):
    sampling = bc.load(small_run.config).sampling

    class Failing:
        def is_finished(self) -> bool:
            return True

        def wait(self, _: object) -> None:
            raise RuntimeError("Logp function returned error: 3\nmore")

        def abort(self) -> None:
            """Nothing runs."""

        def pause(self) -> None:
            """Nothing runs."""

    kind = type(small_run.compiled)
    monkeypatch.setattr(kind, "_make_sampler", lambda *_, **__: Failing())
    with pytest.raises(FitError, match="chain 1 stopped: Logp function returned error: 3$"):
        list(sample_blocks(small_run.compiled, sampling, [50], time.monotonic() + LONG))


KILLED = """
import os, signal, sys
from bayescluster.app.run import fit_analysis
from bayescluster.inference.watch import Silent
from bayescluster.runs.store import RunDirectory

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

class Killing(Silent):
    def chain(self, state):
        if sys.argv[1] == "drawing" and not state.tuning and state.finished > 520:
            kill()

save = RunDirectory.save_chain

def save_two(self, chain):
    save(self, chain)
    if sys.argv[1] == "keeping" and chain.number == 1:
        kill()

RunDirectory.save_chain = save_two
fit_analysis("analysis.yaml", "killed", Killing())
"""


def test_a_fit_that_was_killed_ends_with_the_draws_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Killed once while it draws, and once while it keeps its chains."""
    monkeypatch.chdir(tmp_path)
    firms(rows=200, industries=2, clusters=4).to_csv("firms.csv", index=False)
    given = "{draws: 150, tune: 150, chains: 2, seed: 11, prior_draws: 300}"
    assert given in SMALL
    text = SMALL.replace(given, "{seed: 11, prior_draws: 300}")
    Path("analysis.yaml").write_text(text, encoding="utf-8")
    for moment in ("drawing", "keeping"):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, moment], capture_output=True, timeout=300, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    (path,) = Path("killed/small").iterdir()
    killed = RunDirectory(path)
    assert killed.chain_numbers() == (0, 1)
    resumed, never = fit_analysis("analysis.yaml", "killed"), fit_analysis("analysis.yaml", "never")
    assert resumed.path == path
    assert resumed.read_manifest().settled == never.read_manifest().settled
    assert resumed.read_manifest().attempts == never.read_manifest().attempts
    for one, other in zip(resumed.load_chains(), never.load_chains(), strict=True):
        assert_same(one, other)
    xr.testing.assert_identical(
        resumed.load_posterior()["posterior"].to_dataset(),
        never.load_posterior()["posterior"].to_dataset(),
    )
