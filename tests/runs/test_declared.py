"""Hypotheses declared before the data have spoken, or changed afterwards, by the history of the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bayescluster.runs.find import declared_before
from bayescluster.runs.keys import hypotheses_key
from bayescluster.runs.manifest import new_manifest, write_manifest
from bayescluster.runs.store import RunDirectory

FIRST = {"hypotheses": [{"kind": "effect", "capital": "human_capital"}]}
SECOND = {"hypotheses": [{"kind": "effect", "capital": "social_capital"}]}
THIRD = {"hypotheses": [{"kind": "joint_sufficiency"}]}
DATA = "d" * 64


@pytest.fixture
def declare(tmp_path, analysis_with, monkeypatch) -> Any:
    """Begin a run of some hypotheses, a minute after what was before."""
    clock = iter(range(60))
    monkeypatch.setattr(
        "bayescluster.runs.manifest.now", lambda: f"2026-03-01T09:{next(clock):02d}:00.000+00:00"
    )

    def begin(asked: dict[str, Any], key: str = "a" * 16, data: str = DATA) -> RunDirectory:
        analysis = analysis_with(**asked)
        run = RunDirectory.create(tmp_path, analysis.name, key)
        run.begin(new_manifest(analysis, key, data_label="firms.csv", data_digest=data))
        return run

    return begin


def finish(run: RunDirectory, *stages: str) -> None:
    for name in stages:
        with run.lock(), run.stage(name):
            pass


def words(run: RunDirectory, root: Path) -> str:
    return declared_before(root, run.read_manifest()).words


def test_first_of_all_comes_the_claim(declare, tmp_path):
    run = declare(FIRST)
    assert words(run, tmp_path) == "declared before the first fit of these data"
    finish(run, "posterior", "results")
    # the claim was there first, and stays so
    run = declare(FIRST)
    assert words(run, tmp_path) == "declared before the first fit of these data"
    found = declared_before(tmp_path, run.read_manifest())
    assert (found.at, found.changes) == ("2026-03-01T09:00:00.000+00:00", 0)


def test_claims_made_after_results_are_counted(declare, tmp_path):
    finish(declare(FIRST), "posterior", "results")
    assert words(declare(SECOND), tmp_path) == "changed after results were seen (once)"
    # another model of the same data has seen them too
    run = declare(THIRD, key="b" * 16)
    assert words(run, tmp_path) == "changed after results were seen (2 times)"
    # going back to the first claim: that one was declared before
    assert words(declare(FIRST), tmp_path) == "declared before the first fit of these data"


def test_a_fit_that_nobody_looked_at_is_no_result(declare, tmp_path):
    finish(declare(FIRST), "posterior")
    assert words(declare(SECOND), tmp_path) == (
        "declared after the first fit of these data, before results were computed"
    )


def test_other_data_have_told_nothing(declare, tmp_path):
    finish(declare(FIRST, data="e" * 64), "posterior", "results")
    run = declare(SECOND, key="b" * 16)
    assert words(run, tmp_path) == "declared before the first fit of these data"


def test_results_without_a_note_of_their_claims_were_seen_all_the_same(declare, tmp_path):
    run = declare(FIRST)
    finish(run, "posterior", "results")
    write_manifest(run.path, run.read_manifest().model_copy(update={"declarations": ()}))
    assert words(declare(SECOND), tmp_path) == "changed after results were seen (once)"


def test_the_hash_is_of_what_is_asked_with_its_defaults(analysis_with):
    asked = analysis_with(hypotheses=[{"kind": "joint_sufficiency"}])
    spelled = analysis_with(hypotheses=[{"kind": "joint_sufficiency", "level": 0.95}])
    other = analysis_with(hypotheses=[{"kind": "joint_sufficiency", "theta": 0.5}])
    assert hypotheses_key(asked) == hypotheses_key(spelled) != hypotheses_key(other)
