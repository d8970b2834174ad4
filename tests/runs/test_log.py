from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import pytest

from bayescluster.runs import store as logs
from bayescluster.runs.layout import LOG
from bayescluster.runs.store import RunDirectory


def lines(run: RunDirectory) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / LOG).read_text("utf-8").splitlines()]


def test_stages_and_warnings_of_libraries_are_logged(run: RunDirectory) -> None:
    with run.lock(), run.stage("design"), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)  # pytest has put its own in between
        for _ in range(2):
            warnings.warn("matrix is singular", RuntimeWarning, stacklevel=1)
        logging.getLogger("pymc").warning("the mass matrix is odd")
    found = lines(run)
    assert [line["event"] for line in found] == ["begun", "warning", "warning", "done"]
    assert "RuntimeWarning: matrix is singular" in found[1]["message"]
    assert (found[2]["source"], found[3]["stage"]) == ("pymc", "design")
    assert found[3]["seconds"] >= 0
    assert run.verify() == []


def test_how_it_ended_is_logged(run: RunDirectory) -> None:
    with pytest.raises(KeyboardInterrupt), run.lock(), run.stage("sampling"):
        raise KeyboardInterrupt
    assert [line["event"] for line in lines(run)] == ["begun", "interrupted", "stopped"]
    assert lines(run)[-1]["error"] == "KeyboardInterrupt"


def test_where_nothing_is_done_nothing_is_logged(run: RunDirectory) -> None:
    with run.lock():
        pass
    assert not (run.path / LOG).exists()


def test_a_log_that_cannot_be_written_stops_nothing(run: RunDirectory) -> None:
    (run.path / LOG).mkdir()
    with run.lock(), run.stage("design"):
        pass
    assert run.read_manifest().stages["design"].status == "done"


def test_a_log_does_not_grow_without_end(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 200)
    for number in range(50):
        logs.log(run.path, "stage", number=number, message="half a character: \ud800")
    assert (run.path / LOG).stat().st_size < 400
