from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
from ruamel.yaml import YAML

from bayescluster.cli.main import COMMANDS, app
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call, write
from tests.undrawn import draw_all

ROOT = Path(__file__).parents[2]
OF_RUNS = ["list", "verify", "diff", "why", "reproduce", "prune", "export", "import"]
NAMES = [name for name, _ in COMMANDS] + [f"runs {name}" for name in OF_RUNS]
HEAVY = {"arviz", "matplotlib", "nutpie", "numpy", "pandas", "pymc", "pytensor", "scipy", "xarray"}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick(folder) -> Path:
    """A small analysis of four chains, in the working directory."""
    write(folder, {"chains: 2": "chains: 4", "tune: 500": "tune: 10, prior_draws: 200"})
    return folder


@pytest.fixture
def debugging():
    """Forget `--debug` when the test ends."""
    from bayescluster.cli.guard import settings

    yield
    settings.debug = False


def test_the_list_of_commands_is_whole():
    group = typer.main.get_command(app)
    assert sorted(group.commands) == sorted([name for name, _ in COMMANDS] + ["runs"])
    assert list(group.commands["runs"].commands) == OF_RUNS


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name):
    found = call(*name.split(), "--help")
    assert (found.code, found.err) == (0, "")
    usage, _, rest = found.out.partition("\n")
    assert usage.startswith(f"Usage: bayescluster {name} ")
    described = rest.strip().splitlines()[0]
    assert re.match(r"[A-Z][a-z]+ .+", described.strip())


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["runs", "verify", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    program = (
        "import sys\n"
        "from bayescluster.cli.main import app\n"
        "try:\n"
        f"    app({arguments!r})\n"
        "finally:\n"
        f"    sys.stderr.write(' '.join(sorted({HEAVY!r} & set(sys.modules))))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("Usage:")


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        (("app.report", "features.checklist.compute", "report.render"), {"matplotlib", "numpy"}),
        (("runs.store", "cli.tables", "report.answer"), set()),
    ],
    ids=["report", "show"],
)
def test_what_shows_results_loads_nothing_that_fits(modules, allowed):
    imports = "".join(f"import bayescluster.{name}\n" for name in modules)
    program = (
        f"import sys\n{imports}print(*sorted({HEAVY | {'numba', 'dask'}!r} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(found.stdout.split()) <= allowed


def test_unknown_command_and_option():
    assert call("fitt").code == 2
    assert "No such command 'fitt'" in call("fitt").err
    assert call("run", "--outt", "x").code == 2


def _schema() -> dict:
    return json.loads((ROOT / "configs" / "analysis.schema.json").read_text(encoding="utf-8"))


def test_the_shipped_schema_is_the_one_the_command_prints(folder):
    shipped = (ROOT / "configs" / "analysis.schema.json").read_text(encoding="utf-8")
    assert call("schema").out == shipped, "write it again: bayescluster schema --out configs/..."
    found = call("schema", "--out", "written.json")
    assert (found.code, found.out) == (0, "Schema: written.json\n")
    assert (folder / "written.json").read_text(encoding="utf-8") == shipped


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(_schema())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_analyses_fit_the_schema(path):
    plain = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(_schema()).validate(plain)


def test_the_schema_refuses_what_the_reader_refuses():
    path = ROOT / "configs" / "asian_clusters.yaml"
    plain = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    plain["equations"]["upgrading"]["family"] = "binomal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(_schema()).validate(plain)


def test_init_writes_an_analysis_that_can_be_read(folder):
    found = call("init", "mine.yaml")
    assert (found.code, found.err) == (0, "")
    assert found.out == (
        "Written: mine.yaml\nFill in the columns, then: bayescluster validate mine.yaml\n"
    )
    plain = YAML(typ="safe").load((folder / "mine.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(_schema()).validate(plain)
    # the form is right: what is missing is the data
    assert call("validate", "mine.yaml").err == (
        "The data do not fit the analysis:\n"
        "  mine.yaml:10:3: the data file 'firms.csv' does not exist\n"
        "    there is no data file in its folder\n"
    )


def test_validate_as_json(folder):
    write(folder)
    found = call("validate", "analysis.yaml", "--json")
    said = json.loads(found.out)
    lines = said.pop("lines")
    assert [one["what"] for one in said.pop("concerns")] == ["only 14 rows in all"]
    assert said == {
        "rows": 14,
        "clusters": 4,
        "industries": 2,
        "family": "bernoulli",
        "structure": "interaction",
        "synthetic": False,
    }
    memory = "memory: about 665 MB at most (firms 0 MB, draws 65 MB)"
    assert call("validate", "analysis.yaml").out.startswith(
        "\n".join(["analysis.yaml: valid.", *(f"  {line}" for line in (*lines, memory)), ""])
    )


def test_validate_tells_what_would_be_fitted(folder):
    write(folder)
    assert call("validate", "analysis.yaml").out == (
        "analysis.yaml: valid.\n"
        "  firms.csv: 14 of 14 rows\n"
        "  4 clusters, 2 industries, nested\n"
        "  upgraded: bernoulli, interaction (a + b_H H + b_S S + b_HS H S), 1 coded control\n"
        "  varying by industry (2 groups): intercept, human_capital\n"
        "  varying by cluster (4 groups): intercept\n"
        "  Fewer than 5 rows in cluster Hsinchu, Ludhiana, Penang, Sialkot: their effects lean on "
        "the others.\n"
        "  1 hypothesis\n"
        "  sampling: 2 chains of 500 draws\n"
        "  memory: about 665 MB at most (firms 0 MB, draws 65 MB)\n"
        "What looks wrong (all of it: `bayescluster check-data analysis.yaml`):\n"
        "  only 14 rows in all\n"
        "    claims by group will mostly stay undecided: `bayescluster design` says what so few firms can "
        "show, and how many would do\n"
    )


def _last_line(text: str) -> str:
    return text.rstrip("\n").splitlines()[-1]


@pytest.mark.usefixtures("quick")
def test_commands_on_a_run(instant, monkeypatch):
    draw_all(monkeypatch)
    found = call("run", "analysis.yaml")
    assert found.code == 0
    assert found.err.startswith("Reading the firms\nPreparing the model\nSampling 4 of 4 chains\n")
    assert "  chain 4: done, 510 of 510 draws" in found.err
    report = _last_line(found.out)
    assert re.fullmatch(r"Report: runs/small/[0-9a-f]{16}/report\.html", report)
    path = report.removeprefix("Report: ").removesuffix("/report.html")

    for place in (path, "runs/small"):
        shown = call("show", place)
        assert (shown.code, shown.err) == (0, "")
        assert _last_line(shown.out) == report
    said = json.loads(call("show", path, "--json").out)
    assert (said["name"], said["gate"]["passed"]) == ("small", True)

    verified = call("runs", "verify", path)
    assert (verified.code, verified.err) == (0, "")
    assert verified.out == f"{path}: every file is as it was written.\n"

    before = Path(path, "report.html").read_text(encoding="utf-8")
    Path(path, "report.html").unlink()
    again = call("report", path)
    assert (again.code, again.out, again.err) == (0, f"{report}\n", "")
    assert Path(path, "report.html").read_text(encoding="utf-8") == before
    assert instant.compiled == 1

    listed = call("runs", "list")
    assert (listed.code, listed.err) == (0, "")
    key = path.rpartition("/")[2]
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT[\d:]{{8}}  small  {key}  done, gate passed  {path}\n", listed.out
    )

    results = Path(path, "results.json")
    results.write_text(results.read_text(encoding="utf-8") + " ", encoding="utf-8")
    altered = call("runs", "verify", path)
    assert (altered.code, altered.out) == (5, "")
    assert altered.err.startswith(f"The run directory cannot be used:\n  {path}/results.json: ")


@pytest.mark.usefixtures("folder")
def test_no_runs():
    found = call("runs", "list")
    assert (found.code, found.err) == (0, "")
    assert found.out == "No runs in runs. `bayescluster run CONFIG` makes one.\n"


@pytest.mark.usefixtures("quick")
def test_an_interruption_keeps_finished_chains(instant):
    instant.stop_after = 2
    found = call("run", "analysis.yaml")
    assert (found.code, found.out) == (130, "")
    assert _last_line(found.err) == (
        "Interrupted. Finished chains are kept: the same command goes on from them."
    )
    (path,) = Path("runs/small").iterdir()
    assert RunDirectory(path).chain_numbers() == (0, 1)

    instant.stop_after = None
    again = call("fit", "analysis.yaml")
    assert (again.code, again.out.splitlines()[-1]) == (0, f"Posterior: {path}")
    assert "Sampling 2 of 4 chains (2 kept from before)\n" in again.err
    assert instant.sampled == [0, 1, 2, 3]


@pytest.mark.usefixtures("quick")
def test_an_unexpected_fault_is_told_without_traceback(instant):
    instant.fault = ZeroDivisionError("division by zero")
    found = call("fit", "analysis.yaml")
    assert (found.code, found.out) == (1, "")
    assert found.err == (
        "Reading the firms\nPreparing the model\nSampling 4 of 4 chains\n"
        "Unexpected problem: ZeroDivisionError: division by zero\n"
        "  This is a fault of bayescluster; `bayescluster --debug ...` shows where.\n"
    )


@pytest.mark.usefixtures("quick", "debugging")
def test_debug_shows_where(instant):
    from typer.testing import CliRunner

    instant.fault = ZeroDivisionError("division by zero")
    found = CliRunner().invoke(app, ["--debug", "fit", "analysis.yaml"])
    assert isinstance(found.exception, ZeroDivisionError)
    found = CliRunner().invoke(app, ["--debug", "validate", "nowhere.yaml"])
    assert type(found.exception).__name__ == "ConfigError"


@pytest.mark.usefixtures("quick")
def test_a_sampler_that_cannot_start(instant):
    from bayescluster.errors import FitError

    instant.fault = FitError("chain 1 stopped: the sampler found no point to start from")
    found = call("fit", "analysis.yaml")
    assert (found.code, found.out) == (4, "")
    assert found.err.endswith(
        "The model could not be fitted:\n"
        "  chain 1 stopped: the sampler found no point to start from\n"
    )


def test_simulate_refuses_what_is_no_scenario(folder):
    write(folder)
    found = call("simulate", "analysis.yaml", "--out", "made")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("The analysis cannot be read (")
    assert not (folder / "made").exists()
