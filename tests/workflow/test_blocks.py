"""Fits that settle the number of draws themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.app import fit
from bayescluster.app.fit import BLOCK, BLOCKS
from bayescluster.app.run import fit_analysis, run_analysis, run_with_retries
from bayescluster.inference.nuts import Chain
from bayescluster.results.fit import Gate
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call, write
from tests.instant import InstantSampler
from tests.quick import quick_runs

SETTLING = {"draws: 500, tune: 500, chains: 2, seed: 1": "seed: 1, prior_draws: 200"}
SHORT = {"draws: 500, tune: 500, chains: 2, seed: 1": "seed: 1, prior_draws: 200, minutes: 2"}


STAYS = 8


class Slow(InstantSampler):
    """Chains that stay where they are for several draws: one block of them is too few.

    Attributes
    ----------
    diverging
        One draw in a hundred diverges, unless the target acceptance is at least .95.
    few
        One draw of the first chain diverges, whatever the target acceptance.
    moving
        The draws are elsewhere with a target acceptance of .99.
    stuck
        Each chain has a place of its own.
    """

    diverging = False
    few = False
    moving = False
    stuck = False

    def chain(self, design: Any, sampling: Any, number: int, draws: int) -> Chain:
        """Draw, and then stay there."""
        self.apart = 3.0 if self.stuck else 0.0
        whole = super().chain(design, sampling, number, draws)
        along = np.arange(draws)
        stays = whole.posterior.isel(draw=along // STAYS).assign_coords(draw=along)
        diverging = self.diverging & (sampling.target_accept < 0.95) & (along % 100 == 7)
        diverging |= self.few & (number == 0) & (along == 7)
        whole.sample_stats["diverging"][:] = diverging
        shift = 1.0 if self.moving and sampling.target_accept > 0.95 else 0.0
        return whole._replace(posterior=stays + shift)


class Told:
    """Notes the steps it is told of."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, message: str) -> None:
        self.steps.append(message)

    def chain(self, _state: Any) -> None:
        """Take no notice."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, SETTLING)
    return tmp_path


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    sampler = Slow()
    quick_runs(monkeypatch, sampler)
    return sampler


def _fit(folder: Path, told: Told | None = None) -> RunDirectory:
    return fit_analysis(folder / "analysis.yaml", folder / "runs", told)


def _chains(directory: RunDirectory) -> xr.Dataset:
    return xr.concat([chain.posterior for chain in directory.load_chains()], "chain")


def _the_run(folder: Path) -> RunDirectory:
    (path,) = (folder / "runs" / "small").iterdir()
    return RunDirectory(path)


def test_draws_come_in_blocks_until_the_checks_pass(slow, folder):
    told = Told()
    directory = _fit(folder, told)
    draws = slow.blocks[-1]
    assert slow.blocks == [*range(BLOCK, draws + 1, BLOCK)]
    assert BLOCK < draws < BLOCK * BLOCKS
    manifest = directory.read_manifest()
    assert manifest.settled is not None
    assert manifest.settled.settings == {"sampling": {"draws": draws}}
    assert (manifest.settled.minutes, manifest.attempts) == (None, ())
    assert manifest.analysis["sampling"]["draws"] is None
    assert directory.load_posterior()["posterior"].sizes["draw"] == draws
    assert directory.verify() == []
    assert told.steps[2] == "Sampling 4 chains in blocks of 500 draws, for at most 10 minutes"
    assert told.steps[3].startswith("500 draws a chain: R-hat largest ")
    assert told.steps[-2].startswith(f"{draws:,} draws a chain: all checks passed; ")


@pytest.mark.usefixtures("slow")
def test_the_settled_numbers_give_the_same_draws(folder):
    settled = _fit(folder)
    draws = settled.load_posterior()["posterior"].sizes["draw"]
    given = f"draws: {draws}, seed: 1, prior_draws: 200"
    write(folder, {"draws: 500, tune: 500, chains: 2, seed: 1": given})
    asked = _fit(folder)
    assert asked.path != settled.path
    assert asked.read_manifest().settled is None
    xr.testing.assert_identical(_chains(asked), _chains(settled))


@pytest.mark.usefixtures("instant")
def test_minutes_that_did_not_cut_are_no_other_run(folder, instant):
    first = _fit(folder)
    write(folder, SHORT)
    assert _fit(folder).path == first.path
    assert instant.compiled == 1


def test_divergences_begin_again_with_smaller_steps(slow, folder):
    slow.diverging = True
    told = Told()
    finished = run_analysis(folder / "analysis.yaml", folder / "runs", told)
    first, second = finished.results.attempts
    assert (first.gate_passed, second.gate_passed) == (False, True)
    assert "Divergences" in first.failing
    assert [str(change) for change in second.changes] == ["sampling.target_accept: 0.9 to 0.95"]
    assert (first.key, second.key) == ("", finished.directory.path.name)
    draws = finished.results.fit.draws
    assert second.settings == f"sampling:\n  draws: {draws}\n  target_accept: 0.95\n"
    assert finished.results.fit.target_accept == 0.95
    assert slow.compiled == 1
    assert "The chains begin again: sampling.target_accept: 0.9 to 0.95" in told.steps
    again = run_with_retries(folder / "analysis.yaml", folder / "runs")
    assert again.attempts == finished.results.attempts
    assert slow.compiled == 1


def test_a_few_divergences_are_confirmed_by_smaller_steps(slow, folder):
    slow.few = True
    finished = run_analysis(folder / "analysis.yaml", folder / "runs")
    attempts = finished.results.attempts
    assert [str(change) for attempt in attempts for change in attempt.changes] == [
        "sampling.target_accept: 0.9 to 0.95",
        "sampling.target_accept: 0.95 to 0.99",
    ]
    # the first is left in its first block, the second once all else has passed
    assert "ESS, bulk" in attempts[0].failing
    assert attempts[1].failing == ("Divergences",)
    assert attempts[2].gate_passed
    (item,) = finished.results.gate.warnings
    assert (item.name, item.unconfirmed) == ("Divergences", False)
    assert item.warning.startswith("confirmed by a refit at a higher target_accept: of ")
    found = call("fit", "analysis.yaml")
    assert found.code == 0
    assert f"Divergences  WARNING   {item.found}" in found.out
    assert item.warning in found.out


def test_a_few_divergences_that_move_an_estimate_fail(slow, folder):
    slow.few = slow.moving = True
    finished = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert [attempt.gate_passed for attempt in finished.results.attempts] == [False] * 3
    assert finished.results.gate.failing == ("Divergences",)
    (item,) = (item for item in finished.results.gate.items if item.passed is False)
    assert "a refit at a higher target_accept moves" in item.found


def test_attempts_end_where_nothing_is_left_to_change(slow, folder):
    slow.stuck = True
    directory = _fit(folder)
    attempts = directory.read_manifest().attempts
    assert 1 < len(attempts) <= 4
    assert not any(attempt.gate_passed for attempt in attempts)
    settled = directory.read_manifest().settled
    assert settled is not None
    assert settled.minutes is None
    assert settled.settings["sampling"]["tune"] > 500


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("saved", [0, 2])
def test_a_fit_killed_while_chains_are_kept_ends_with_the_same_draws(
    slow, folder, tmp_path, monkeypatch, saved
):
    slow.diverging = True
    whole = _chains(_fit(folder))
    kept = RunDirectory.save_chain

    def save(directory: RunDirectory, chain: Chain) -> None:
        if chain.number == saved:
            raise Killed
        kept(directory, chain)

    other = tmp_path / "other"
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "save_chain", save)
        with pytest.raises(Killed):
            fit_analysis(folder / "analysis.yaml", other)
    slow.sampled.clear()
    slow.blocks.clear()
    resumed = fit_analysis(folder / "analysis.yaml", other)
    assert (slow.sampled, slow.blocks) == ([*range(saved, 4)], [])
    xr.testing.assert_identical(_chains(resumed), whole)


def test_a_fit_killed_in_an_attempt_goes_on_with_it(slow, folder, tmp_path, monkeypatch):
    slow.diverging = True
    never = _fit(folder)
    blocks = slow.blocks.copy()
    sample = slow.sample_blocks

    def killed(design: Any, sampling: Any, *rest: Any) -> Iterator[Any]:
        for chains in sample(design, sampling, *rest):
            if sampling.target_accept == 0.95:
                raise Killed
            yield chains

    other = tmp_path / "other"
    with monkeypatch.context() as patch:
        patch.setattr(fit, "sample_blocks", killed)
        with pytest.raises(Killed):
            fit_analysis(folder / "analysis.yaml", other)
    slow.blocks.clear()
    resumed = fit_analysis(folder / "analysis.yaml", other)
    assert slow.blocks == blocks[1:]
    xr.testing.assert_identical(_chains(resumed), _chains(never))
    assert resumed.read_manifest().attempts == never.read_manifest().attempts
    assert resumed.read_manifest().settled == never.read_manifest().settled


def test_a_time_limit_that_cut_is_recorded_and_can_be_raised(slow, folder):
    slow.time_for = 1
    write(folder, SHORT)
    told = Told()
    cut = _fit(folder, told)
    settled = cut.read_manifest().settled
    assert settled is not None
    assert (settled.minutes, settled.settings) == (2.0, {"sampling": {"draws": BLOCK}})
    assert told.steps[-2] == "The time limit of 2 minutes is over"
    compiled = slow.compiled
    assert _fit(folder).path == cut.path
    assert slow.compiled == compiled

    slow.time_for = None
    write(folder, SETTLING)
    more = _fit(folder, told)
    assert more.path == cut.path
    assert (
        "The time limit had cut the draws short: they are made again with more time" in told.steps
    )
    settled = more.read_manifest().settled
    assert settled is not None
    assert settled.minutes is None
    assert more.load_posterior()["posterior"].sizes["draw"] > BLOCK
    assert more.verify() == []


def test_results_of_draws_that_were_cut_are_made_again_too(slow, folder):
    slow.time_for = 1
    write(folder, SHORT)
    cut = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert (cut.results.gate.passed, cut.results.fit.minutes) == (False, 2.0)
    slow.time_for = None
    write(folder, SETTLING)
    more = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert (more.results.gate.passed, more.results.fit.minutes) == (True, None)
    assert more.directory.verify() == []


def test_estimands_of_the_results_can_ask_for_more_draws(slow, folder, monkeypatch):
    passed = Gate(passed=True, items=())
    monkeypatch.setattr(fit, "convergence_gate", lambda *_: passed)
    told = Told()
    finished = run_analysis(folder / "analysis.yaml", folder / "runs", told)
    draws = finished.results.fit.draws
    assert slow.blocks == [BLOCK]
    assert f"Estimands need more draws than the parameters: {draws:,} draws a chain" in told.steps
    assert draws > BLOCK
    assert finished.results.gate.passed
    assert finished.directory.verify() == []
    again = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert again.results == finished.results


def test_no_attempt_begins_for_which_there_is_no_time(slow, folder, monkeypatch):
    slow.diverging = True
    clock = iter(range(0, 10**6, 50))
    monkeypatch.setattr(fit.time, "monotonic", lambda: float(next(clock)))
    write(folder, SHORT)
    directory = _fit(folder)
    settled = directory.read_manifest().settled
    assert settled is not None
    assert settled.minutes == 2.0
    assert directory.read_manifest().attempts == ()


@pytest.mark.usefixtures("slow")
def test_several_forms_settle_each_for_itself(folder):
    write(folder, SETTLING | {"structure: interaction": "structure: [additive, interaction]"})
    directory = _fit(folder)
    for form in directory.forms().values():
        settled = form.read_manifest().settled
        assert settled is not None
        assert settled.settings["sampling"]["draws"] > BLOCK
    assert directory.read_manifest().settled is None


@pytest.mark.usefixtures("folder")
@pytest.mark.usefixtures("slow")
def test_the_terminal_says_how_well_the_chains_agree():
    found = call("fit", "analysis.yaml")
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0].startswith("R-hat        passed    largest 1.0")
    assert any(line.startswith("ESS, tail    passed    smallest ") for line in lines)
    assert any(line.startswith("Divergences  passed    0 of ") for line in lines)
    assert lines[-1].startswith("Posterior: runs/small/")


@pytest.mark.usefixtures("folder")
def test_the_terminal_ends_with_the_code_of_the_gate(slow):
    slow.stuck = True
    found = call("fit", "analysis.yaml")
    assert found.code == 4
    assert "R-hat        FAILED    largest " in found.out
    assert "The diagnostics gate FAILED (R-hat" in found.out
    assert "Attempts (only how the posterior is drawn was changed, not the model)" in found.out
    assert "--retry" not in found.out


@pytest.mark.usefixtures("folder")
def test_the_terminal_says_that_time_was_over(slow, folder):
    slow.time_for = 1
    write(folder, SHORT)
    found = call("run", "analysis.yaml")
    assert found.code == 4
    assert (
        "The time limit ended the sampling after 2 minutes. With a higher sampling.minutes the same "
        "command draws again, for longer." in found.out
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "draws: 500, minutes: 3, seed: 1",
            "but draws is given: leave one of the two out",
        ),
        (
            "chains: 1, seed: 1",
            "there is only 1: run at least 2 chains, or give draws",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_contradictions_are_refused(folder, given, message):
    write(folder, {"draws: 500, tune: 500, chains: 2, seed: 1": given})
    found = call("validate", "analysis.yaml")
    assert found.code == 2
    assert message in found.err
