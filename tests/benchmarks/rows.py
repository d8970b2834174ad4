"""What is measured, against what, and the targets: the table of the benchmarks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from tests.benchmarks.measure import Use, apart_from, cold, fitted, used
from tests.benchmarks.surveys import Survey, analysis_of, table_of

OWN = "bayescluster"
CLI = str(Path(sys.executable).with_name("bayescluster"))
HERE = Path(__file__).resolve().parent
CONFIGS = HERE.parent.parent / "configs"

Program = Callable[[Path, int], Use]
"""Does the work once, in a folder that has been prepared, in a round counted from 1."""


class Target(NamedTuple):
    """What is to be reached: ``time`` (seconds), ``peak`` (MB) or a fact that a program leaves.

    Of a ratio to ``against`` where one is named. ``why`` says where it is missed, and what was tried.
    """

    of: str
    limit: float
    against: str | None = None
    at_least: bool = False
    why: str = ""


class Row(NamedTuple):
    """A line of the table: programs that take turns on the same work; the first is what is judged."""

    prepare: Callable[[Path, str], None]
    programs: dict[str, Program]
    targets: tuple[Target, ...]
    rounds: int = 3
    without_target: tuple[str, ...] = ()
    """Peers that are measured once, to be seen."""


VARYING = {
    "interaction": ["intercept", "human_capital", "social_capital", "interaction"],
    "conjunctive": ["neither", "human_only", "social_only", "both"],
    "ces": ["intercept", "gain", "share"],
}


def analysis(form: str, source: str, family: str = "bernoulli", **sampling: Any) -> dict[str, Any]:
    """Capitals of one column each, whose effects vary by industry and cluster, independently."""
    by = {"terms": VARYING[form], "correlated": False}
    unit = {"intercept": {"distribution": "normal", "mean": 0, "sd": 1}}
    return {
        "name": "benchmark",
        "data": {"source": source, "cluster": "cluster", "industry": "industry"},
        "constructs": {
            "human_capital": {"indicators": ["hc"], "method": "single"},
            "social_capital": {"indicators": ["sc"], "method": "single"},
        },
        "equations": {
            "upgrading": {
                "outcome": "y" if family == "bernoulli" else "amount",
                "family": family,
                "structure": form,
                "varying": {"industry": by, "cluster": by},
                "priors": {"terms": unit if form == "interaction" else {}},
            }
        },
        "sampling": {"seed": 1} | sampling,
    }


def firms(rows: int, seed: int) -> pd.DataFrame:
    """Firms whose coefficients vary by 4 industries and 24 clusters; inputs have mean 0 and sd 1."""
    truth = np.random.default_rng(1)
    by_industry = truth.normal(size=(4, 4)) * [0.5, 0.3, 0.25, 0.2]
    by_cluster = truth.normal(size=(24, 4)) * [0.4, 0.2, 0.2, 0.15]
    rng = np.random.default_rng([1, seed])
    cluster = rng.integers(0, 24, rows)
    human, social = rng.normal(size=(2, rows))
    human, social = ((x - x.mean()) / x.std(ddof=1) for x in (human, social))
    slopes = np.array([-0.5, 0.8, 0.5, 0.4]) + by_industry[cluster // 6] + by_cluster[cluster]
    eta = (np.column_stack([np.ones(rows), human, social, human * social]) * slopes).sum(axis=1)
    return pd.DataFrame(
        {
            "industry": pd.Categorical.from_codes(cluster // 6, [f"i{k}" for k in range(4)]),
            "cluster": pd.Categorical.from_codes(cluster, [f"c{k:02d}" for k in range(24)]),
            "hc": human,
            "sc": social,
            "y": rng.binomial(1, 1 / (1 + np.exp(-eta))).astype("int8"),
            "amount": eta + rng.normal(size=rows),
        }
    )


def write(folder: Path, plain: dict[str, Any]) -> None:
    """Put the analysis into a folder."""
    (folder / "analysis.yaml").write_text(yaml.safe_dump(plain))


def small(rows: int, form: str = "interaction", **sampling: Any) -> Callable[[Path, str], None]:
    """Firms in a csv file, and an analysis that draws as its peers do."""

    def prepare(folder: Path, _: str) -> None:
        firms(rows, 0).to_csv(folder / "firms.csv", index=False)
        as_peers = {"draws": 1000, "tune": 1000, "chains": 4, "target_accept": 0.9} | sampling
        write(folder, analysis(form, "firms.csv", **as_peers))

    return prepare


def large(millions: int, family: str) -> Callable[[Path, str], None]:
    """Firms in a Parquet file, written a million at a time, and an analysis that says nothing."""

    def prepare(folder: Path, _: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = folder / "firms.parquet"
        if not path.exists():
            schema = pa.Table.from_pandas(firms(1000, 0), preserve_index=False).schema
            with pq.ParquetWriter(path, schema) as file:
                for part in range(millions):
                    table = firms(1_000_000, part)
                    file.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))
        write(folder, analysis("interaction", "firms.parquet", family))

    return prepare


def fit(*options: str, fresh: bool = False) -> Program:
    """``bayescluster fit``, with another seed each round; ``fresh`` without anything compiled."""

    def program(folder: Path, round_: int) -> Use:
        path = folder / "analysis.yaml"
        plain = yaml.safe_load(path.read_text())
        plain["sampling"]["seed"] = round_
        write(folder, plain)
        shutil.rmtree(folder / "runs", ignore_errors=True)
        use = used([CLI, "fit", path.name, *options], folder, cold(folder) if fresh else None)
        return fitted(use, next(folder.glob("runs/*/*/manifest.json")).parent, again=bool(options))

    return program


def peer(name: str, form: str = "interaction", fresh: bool = False) -> Program:
    """Another program on the same firms and model."""

    def program(folder: Path, round_: int) -> Use:
        command = [(folder / "peers.txt").read_text(), str(HERE / "peers.py")]
        use = used([*command, name, form, str(round_)], folder, cold(folder) if fresh else None)
        return apart_from(use, folder, name, VARYING[form])

    return program


def finished(rows: int, **sampling: Any) -> Callable[[Path, str], None]:
    """A finished fit that results and report are asked of."""

    def prepare(folder: Path, peers: str) -> None:
        small(rows, **sampling)(folder, peers)
        used([CLI, "fit", "analysis.yaml"], folder)

    return prepare


def finished_surveys(*industries: int) -> Callable[[Path, str], None]:
    """Finished fits of one survey of so many industries, with a claim by industry each."""

    def prepare(folder: Path, _: str) -> None:
        for count in industries:
            survey = Survey(2610, count, 24, crossed=True, giant=950 / 2610)
            place = folder / str(count)
            place.mkdir()
            table_of(survey, 5).to_csv(place / "firms.csv", index=False)
            claims = [
                {"kind": "joint_sufficiency", "by": "industry"},
                {"kind": "effect", "capital": "human_capital", "by": "industry", "margin": 0.02},
            ]
            sampling = {"draws": 1500, "tune": 1000, "chains": 4, "seed": 1}
            write(place, analysis_of(survey) | {"hypotheses": claims, "sampling": sampling})
            used([CLI, "fit", "analysis.yaml"], place)

    return prepare


def report(part: str = ".") -> Program:
    """``bayescluster run`` of an analysis whose fit is finished: results and report."""

    def program(folder: Path, _: int) -> Use:
        place = folder / part
        again = place / "again"
        shutil.rmtree(again, ignore_errors=True)
        shutil.copytree(place / "runs", again)
        return used([CLI, "run", "analysis.yaml", "--out", "again"], place)

    return program


def shipped(name: str, fresh: bool = False) -> Program:
    """``bayescluster run`` of a shipped analysis: fit, results and report."""

    def program(folder: Path, _: int) -> Use:
        shutil.rmtree(folder / "runs", ignore_errors=True)
        command = [CLI, "run", str(CONFIGS / f"{name}.yaml"), "--out", "runs"]
        return used(command, folder, cold(folder) if fresh else None)

    return program


def python(*lines: str) -> Program:
    """A Python process of its own."""
    return lambda folder, _: used([sys.executable, "-c", "\n".join(lines)], folder)


def command(*arguments: str) -> Program:
    """A command that leaves no files."""
    return lambda folder, _: used([CLI, *arguments], folder)


def study(name: str, *options: str) -> Program:
    """A study of many fits, begun anew."""

    def program(folder: Path, _: int) -> Use:
        shutil.rmtree(folder / "studied", ignore_errors=True)
        if name == "check":
            shutil.copytree(folder / "runs", folder / "studied")
            run = next((folder / "studied").glob("*/*/manifest.json")).parent
            return used([CLI, "check", str(run), "--leave-out", "cluster", *options], folder)
        return used([CLI, name, "analysis.yaml", "--out", "studied", *options], folder)

    return program


def studied(folder: Path, _: str) -> None:
    """A small survey with a claim, fitted, for studies of many fits."""
    firms(600, 0).to_csv(folder / "firms.csv", index=False)
    plain = analysis("interaction", "firms.csv", draws=500, tune=500, chains=2)
    claims = [{"kind": "joint_sufficiency", "by": "industry"}]
    write(folder, plain | {"hypotheses": claims})
    used([CLI, "run", "analysis.yaml"], folder)


def nothing(_: Path, __: str) -> None:
    """No preparation."""


def leave_one_out(folder: Path, _: str) -> None:
    """A posterior of 4 x 1,000 draws, and the firms that it is to predict one by one."""
    firms(100_000, 0).to_csv(folder / "firms.csv", index=False)
    fast = analysis(
        "interaction", "firms.csv", draws=1000, tune=500, chains=4, likelihood="summary"
    )
    write(folder, fast)
    used([CLI, "fit", "analysis.yaml"], folder)
    fast["sampling"]["likelihood"] = "full"
    write(folder, fast)


LEAVE_ONE_OUT = """
import json, resource, time
from pathlib import Path
import numpy as np, xarray as xr
from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.checks.loo import left_out, relative_efficiency
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.runs.store import RunDirectory
design = design_of(analysis_source(Path("analysis.yaml")))
run = RunDirectory(next(Path().glob("runs/*/*/manifest.json")).parent)
posterior = run.load_posterior()["posterior"].to_dataset()
draws = draws_of(design, posterior)
def clock():
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), cpu.ru_utime + cpu.ru_stime
""".strip().splitlines()
OWN_LOO = """
start = clock()
found = left_out(design, draws, relative_efficiency(posterior)).scores.elpd
end = clock()
np.save("own.npy", found)
print(json.dumps({"wall": end[0] - start[0], "cpu": end[1] - start[1]}))
""".strip().splitlines()
AZ_LOO = """
import arviz as az
values = log_likelihood(design, draws).reshape(4, 1000, -1)
tree = az.from_dict({"posterior": {k: v.values for k, v in posterior.items() if v.dims[:2] == ("chain", "draw")},
                     "log_likelihood": {"y": values}})
start = clock()
found = az.loo(tree, pointwise=True).elpd_i.values
end = clock()
gap = float(np.abs(np.load("own.npy") - found).max())
print(json.dumps({"wall": end[0] - start[0], "cpu": end[1] - start[1], "gap": gap}))
""".strip().splitlines()

IMPORTS = (
    "from bayescluster.cli.main import app",
    "import bayescluster.app.run, bayescluster.app.fit, bayescluster.app.prepare",
    "import bayescluster.inference.compiled, bayescluster.inference.nuts",
)

TWO, ONE = ("--jobs", "2"), ("--jobs", "1")
FEW = ("--replications", "12", "--draws", "300", "--tune", "300")


def _speed(name: str, *options: str) -> Row:
    """A study on two cores against the same on one."""
    programs = {OWN: study(name, *TWO, *options), "one core": study(name, *ONE, *options)}
    return Row(
        studied,
        programs,
        (
            Target(
                "time",
                1 / 1.9,
                "one core",
                why="fits of half a second each: two processes start and import as long as a few of them take, and "
                "one process computes in threads already; 100 calibrations take 36 s on two, 44 s in one",
            ),
        ),
    )


ROWS: dict[str, Row] = {
    "bernoulli-1200-warm": Row(
        small(1200),
        {
            OWN: fit(),
            **{name: peer(name) for name in ("bambi", "stanli", "pymc-nutpie", "pymc-numpyro")},
        },
        (
            Target(
                "time",
                0.25,
                "bambi",
                why="half of a fit is imports and writing files; sampling takes 1.1 s",
            ),
            Target("time", 0.65, "stanli"),
            Target("ess_per_second", 2, "stanli", at_least=True),
        ),
        without_target=("pymc-nutpie", "pymc-numpyro"),
    ),
    "bernoulli-1200-cold": Row(
        small(1200),
        {OWN: fit(fresh=True), "bambi": peer("bambi", fresh=True), "stanli": peer("stanli")},
        (
            Target(
                "time",
                0.2,
                "bambi",
                why="of one pair; 4 CPU seconds compile the operations, once a machine",
            ),
            Target("time", 1, "stanli"),
        ),
    ),
    "bernoulli-20000": Row(
        small(20_000, likelihood="full"),
        {OWN: fit(), "pymc-nutpie": peer("pymc-nutpie")},
        (Target("time", 0.1, "pymc-nutpie"), Target("sampling_seconds", 17)),
        rounds=1,
    ),
    "bernoulli-1000000": Row(
        large(1, "bernoulli"),
        {OWN: fit()},
        (Target("time", 30), Target("khat", 0.5), Target("peak", 1500)),
    ),
    "gaussian-1000000": Row(
        large(1, "gaussian"),
        {OWN: fit()},
        (
            Target(
                "sampling_seconds",
                1,
                why="the stage also holds the pilot that settles coordinates, the import of the sampler, and "
                "two looks of the gate at all effects and corners of 4,000 firms; drawing is a tenth of it",
            ),
            Target("seconds_after_reading", 6),
        ),
    ),
    **{
        f"{family}-50000000": Row(
            large(50, family),
            {OWN: fit(), "two workers": fit("--cluster", "local:2")},
            (Target("peak", 2000), Target("largest_gap", 1e-12, "two workers")),
            rounds=1,
        )
        for family in ("gaussian", "bernoulli")
    },
    **{
        f"{form}-1200": Row(
            small(1200, form),
            {OWN: fit(), "pymc-nutpie": peer("pymc-nutpie", form)},
            (
                Target(
                    "time",
                    0.25,
                    "pymc-nutpie",
                    why="two thirds is sampling at the same target_accept; the effective draws a second are the "
                    "better comparison: 4 times those of the peer for conjunctive",
                ),
            ),
        )
        for form in ("conjunctive", "ces")
    },
    "loo-100000": Row(
        leave_one_out,
        {OWN: python(*LEAVE_ONE_OUT, *OWN_LOO), "az.loo": python(*LEAVE_ONE_OUT, *AZ_LOO)},
        (
            Target(
                "time",
                0.1,
                "az.loo",
                why="most of it sorts the largest weights of each firm; with a twentieth of the memory",
            ),
            Target("peak", 0.4, "az.loo"),
            Target("gap", 1e-6, "az.loo"),
        ),
        rounds=1,
    ),
    "results-1200": Row(
        finished(1200, draws=1500),
        {OWN: report()},
        (
            Target(
                "time",
                8,
                why="imports are the largest part, then surfaces, figures and diagnostics, none of which stands out",
            ),
        ),
    ),
    "results-20000": Row(
        finished(20_000, draws=1500, tune=500, likelihood="full"),
        {OWN: report()},
        (
            Target(
                "peak",
                700,
                why="6,000 draws of 20,000 firms, each with its density for leave-one-out",
            ),
        ),
        rounds=1,
    ),
    "results-62-industries": Row(
        finished_surveys(62, 31),
        {OWN: report("62"), "31 industries": report("31")},
        (
            Target("time", 30),
            Target("time", 2, "31 industries"),
        ),
    ),
    "main": Row(
        nothing,
        {OWN: shipped("asian_clusters")},
        (
            Target(
                "time",
                60,
                why="three forms of latent capitals, 121 CPU seconds on two cores: half samples, a third computes "
                "results of every form, which verdicts need; 110 s before the posterior was read once and one "
                "report written",
            ),
        ),
    ),
    "main-cold": Row(nothing, {OWN: shipped("asian_clusters", True)}, (Target("time", 150),)),
    "forms": Row(nothing, {OWN: shipped("asian_clusters_forms")}, (Target("time", 60),)),
    "import": Row(nothing, {OWN: python("import bayescluster")}, (Target("time", 2),)),
    "import-fit": Row(
        nothing,
        {OWN: python(*IMPORTS)},
        (
            Target(
                "time",
                2,
                why="numba with its compiled operations, scipy, pandas and the models of the results; PyMC, arviz "
                "and Dask are not loaded; 2.06 at a load of 7",
            ),
        ),
    ),
    "help": Row(nothing, {OWN: command("--help")}, (Target("time", 0.2),)),
    "validate": Row(
        nothing,
        {OWN: command("validate", str(CONFIGS / "asian_clusters.yaml"))},
        (
            Target(
                "time",
                1.5,
                why="most of it imports pandas, xarray, scipy.special and pydantic's models; Dask and "
                "scipy.optimize are no longer among them (2.2 before, at half the load)",
            ),
        ),
    ),
    "calibrate": _speed("calibrate", *FEW),
    "design": _speed("design", "--replications", "2", *FEW[2:]),
    "sweep": _speed("sweep", "--draws", "300", "--tune", "300"),
    "folds": _speed("check", *FEW[2:]),
    "dask": Row(
        studied,
        {
            OWN: study("calibrate", "--cluster", "local:2", *FEW),
            "one core": study("calibrate", *ONE, *FEW),
        },
        (
            Target(
                "time",
                1 / (2 * 0.85),
                "one core",
                why="12 replications take 15 CPU seconds: scheduler and two workers, each with its own imports, "
                "take as long to start; the share falls with the number of replications",
            ),
        ),
    ),
}
