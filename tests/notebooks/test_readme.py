from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayescluster.cli.main import COMMANDS
from bayescluster.cli.runs import app as runs
from bayescluster.cli.guard import STOPS
from bayescluster.errors import ConfigError, DataError, FitError, RunError
from bayescluster.spec.load import load_analysis

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = "python -m venv .venv && .venv/bin/pip install -c constraints.txt "


@pytest.mark.parametrize(
    "command",
    [
        f"{INSTALL}. && .venv/bin/bayescluster run configs/asian_clusters.yaml",
        f'{INSTALL}-e ".[test]" && .venv/bin/pytest -n auto --dist loadfile',
    ],
)
def test_both_commands_stand_alone(command: str) -> None:
    assert f"```sh\n{command}\n```" in README


def test_every_command_has_its_row_in_order() -> None:
    named = [f"bayescluster {name}" for name, _ in COMMANDS]
    named += [f"bayescluster runs {command.name}" for command in runs.registered_commands]
    rows = re.findall(r"^\| (`bayescluster .*?) \|", README, flags=re.MULTILINE)
    found = re.findall(r"`(bayescluster (?:runs )?[a-z-]+)", "\n".join(rows))
    assert sorted(found) == sorted(named)


def test_exit_codes() -> None:
    sentence = README[README.index("Exit codes:") :].split("\n\n")[0]
    told = {int(code) for code in re.findall(r"\b(\d+) [a-z]", sentence)}
    kinds = (ConfigError, DataError, FitError, RunError)
    stopped = {128 + sent for sent in STOPS if sent}
    assert told == {0, 1, 130} | stopped | {kind.exit_code for kind in kinds}


def test_the_example_is_an_analysis(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    path = tmp_path / "analysis.yaml"
    path.write_text(example, encoding="utf-8")
    analysis = load_analysis(path).value
    assert [claim.kind for claim in analysis.hypotheses] == [
        "necessary_not_sufficient",
        "complementarity",
    ]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "configs/README.md"])
def test_files_that_are_named_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    bases = (ROOT, ROOT / "bayescluster", (ROOT / page).parent)
    named = re.findall(r"`([\w.-]+/[\w./*-]*)`", text) + re.findall(r"\]\(([^)]+)\)", text)
    lacking = [name for name in named if not any(any(base.glob(name)) for base in bases)]
    assert named
    assert lacking == []
