from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
SAME_RUN = (
    "quickstart",
    "necessity_and_sufficiency",
    "comparing_industries",
    "inspecting_a_posterior",
)
"""In this order: the others find the run that the first has made."""

FITTED = (*SAME_RUN, "interactive_learning", "your_own_survey")
NAMES = (*FITTED, "planning_a_study")

DRAWS, CHAINS, REPLICATIONS = 100, 2, 2
"""Too few for the diagnostics gate, which the notebooks must bear."""

SECONDS_A_CELL = 300
LARGEST = 1_500_000
MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users|tmp|opt|work|var|usr)\b|\b[A-Z]:\\|/site-packages/"
)
"""Paths that tell of the machine a notebook was run on."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Set up a kernel of this very environment, for machines that have none registered, and runs."""
    root = tmp_path_factory.mktemp("jupyter")
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    }
    (root / "kernels" / "python3").mkdir(parents=True)
    (root / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(root))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(root / "runtime"))
        patch.setenv("IPYTHONDIR", str(root / "ipython"))
        patch.delenv("MPLBACKEND", raising=False)
        patch.setenv("BAYESCLUSTER_NOTEBOOK_DRAWS", str(DRAWS))
        patch.setenv("BAYESCLUSTER_NOTEBOOK_CHAINS", str(CHAINS))
        patch.setenv("BAYESCLUSTER_NOTEBOOK_REPLICATIONS", str(REPLICATIONS))
        patch.setenv("BAYESCLUSTER_NOTEBOOK_RUNS", str(root / "runs"))
        yield root


@pytest.fixture(scope="module")
def executed(kernel: Path) -> dict[str, Any]:
    """All notebooks, run one after the other on the same folder of runs."""
    found = {name: _read(name) for name in NAMES}
    for notebook in found.values():
        for cell in _code(notebook):
            cell.outputs = []
        NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(FOLDER)}},
        ).execute()
    return found | {"runs": sorted((kernel / "runs" / "asian-clusters").iterdir())}


def _read(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _errors(notebook: Any) -> list[str]:
    return [
        f"{output.ename}: {output.evalue}\n{cell.source}"
        for cell in _code(notebook)
        for output in cell.outputs
        if output.output_type == "error"
    ]


def _text(notebook: Any) -> str:
    """All that a notebook shows, pictures excepted."""
    shown = [output.get("text", "") for cell in _code(notebook) for output in cell.outputs]
    shown += [
        str(content)
        for cell in _code(notebook)
        for output in cell.outputs
        for kind, content in output.get("data", {}).items()
        if not kind.startswith("image/")
    ]
    return "\n".join(shown)


def _kinds(cell: Any) -> set[str]:
    """What a cell shows: printed text, tables, pictures; remarks on stderr do not count."""
    return {
        kind
        for output in cell.outputs
        if output.get("name") != "stderr"
        for kind in output.get("data", {"text": None})
    }


def test_all_notebooks_are_tested() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_runs_without_errors(executed: dict[str, Any], name: str) -> None:
    assert _errors(executed[name]) == []


@pytest.mark.parametrize("name", FITTED)
def test_bears_a_failed_gate(executed: dict[str, Any], name: str) -> None:
    assert "gate FAILED: " in _text(executed[name])


def test_all_questions_to_the_first_run_find_it(executed: dict[str, Any]) -> None:
    (run,) = executed["runs"]
    assert (run / "posterior.nc").is_file()


def test_by_hand_agrees_with_the_package(executed: dict[str, Any]) -> None:
    text = _text(executed["inspecting_a_posterior"])
    (density,) = re.findall(r"largest difference from the log likelihood: (\S+)", text)
    (marginal,) = re.findall(r"largest difference of any draw: (\S+)", text)
    assert float(density) < 1e-12
    assert float(marginal) < 1e-4


def test_what_is_wrong_with_the_survey_is_seen_and_corrected(executed: dict[str, Any]) -> None:
    text = _text(executed["your_own_survey"])
    for found in ("2,500 (row 51)", "-9 in 2 rows", "'n/a' in row 26", "row 193", "1 row"):
        assert found in text
    assert "survey.yaml: valid." in text
    assert "Corrected: 'Training hours' in row 51 from '2500' to '25'." in text
    assert "survey.csv: 189 of 192 rows" in text


@pytest.mark.parametrize("name", NAMES)
def test_committed_with_all_outputs(executed: dict[str, Any], name: str) -> None:
    committed, fresh = _code(_read(name)), _code(executed[name])
    lacking = [
        cell.source
        for cell, again in zip(committed, fresh, strict=True)
        if _kinds(cell) != _kinds(again)
    ]
    assert lacking == []


@pytest.mark.parametrize("name", NAMES)
def test_committed_from_one_run_in_order(name: str) -> None:
    counts = [cell.execution_count for cell in _code(_read(name))]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", FITTED)
def test_committed_with_the_gate_passed(name: str) -> None:
    text = _text(_read(name))
    assert "gate passed" in text
    assert "gate FAILED" not in text


@pytest.mark.parametrize("name", NAMES)
def test_committed_with_nothing_on_stderr(name: str) -> None:
    notebook = _read(name)
    streams = [o.name for cell in _code(notebook) for o in cell.outputs if "name" in o]
    assert "stderr" not in streams
    assert _errors(notebook) == []


@pytest.mark.parametrize("name", NAMES)
def test_committed_without_paths_of_a_machine(name: str) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert len(text) < LARGEST
    notebook = _read(name)
    sources = [cell.source for cell in notebook.cells]
    assert MACHINE.findall("\n".join([*sources, _text(notebook)])) == []


@pytest.mark.parametrize(
    "path", ["/home/ada/runs", "'/tmp/x'", "C:\\Users\\ada", "lib/python3/site-packages/arviz"]
)
def test_paths_of_a_machine_are_seen(path: str) -> None:
    assert MACHINE.search(path)


@pytest.mark.parametrize("words", ["../data/firms.csv", "0/1", "prior/posterior", "and/or"])
def test_other_slashes_are_not(words: str) -> None:
    assert not MACHINE.search(words)
