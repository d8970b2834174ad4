"""The same work on a Dask cluster: same answers, and workers that die are done without."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.app.prepare import analysis_source, read_designs
from bayescluster.errors import ConfigError
from bayescluster.runs.files import write_netcdf
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.calibration.compute import Options
from bayescluster.studies.calibration.study import calibrate_analysis
from bayescluster.workers import cluster_of, mapped, on_cluster
from tests.factories import analysis_dict, firms
from tests.summaries.test_likelihood import assert_same

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:ResourceWarning")


@pytest.fixture(scope="module")
def address() -> Any:
    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        yield cluster.scheduler_address


def test_a_task_whose_worker_is_killed_is_done_by_another(address: str, tmp_path: Path) -> None:
    killed: list[int] = []

    # inside, so that a worker need not import this module
    def process(number: int, folder: str) -> int:
        """Note who does it; the first to do number 3 is slow enough to be killed."""
        mark = Path(folder) / f"begun {number} {os.getpid()}"
        mark.touch()
        others = [path for path in Path(folder).glob(f"begun {number} *") if path != mark]
        if number == 3 and not others:
            time.sleep(60)
        return number * number

    def kill() -> None:
        for _ in range(1200):
            for path in tmp_path.glob("begun 3 *"):
                killed.append(int(path.name.split()[-1]))
                os.kill(killed[0], signal.SIGKILL)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    with on_cluster(address):
        found = list(mapped(process, range(8), [str(tmp_path)] * 8))
    thread.join()
    assert found == [k * k for k in range(8)]
    assert killed
    assert len(list(tmp_path.glob("begun 3 *"))) == 2


def test_summaries_of_a_cluster_are_those_of_this_process(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(firms(600, seed=7), preserve_index=False)
    pq.write_table(table, tmp_path / "firms.parquet", row_group_size=100)
    plain = analysis_dict("gaussian", varying={"cluster": ["intercept", "human_capital"]})
    plain["data"]["source"] = str(tmp_path / "firms.parquet")
    plain["sampling"] = {"likelihood": "summary"}
    source = analysis_source(Analysis.model_validate(plain))
    monkeypatch.setattr("bayescluster.summaries.stream.ROWS_A_PART", 100)
    monkeypatch.setattr("bayescluster.summaries.likelihood.HELD_ROWS", 0)
    here = read_designs(source)
    with on_cluster(address):
        there = read_designs(source)
    assert_same(here, there)
    for name in here.designs[0].data:
        np.testing.assert_array_equal(here.designs[0].data[name], there.designs[0].data[name])


def test_files_are_written_here_and_by_workers(address: str, tmp_path: Path) -> None:
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"a": ("draw", np.arange(3.0))})})
    paths = [tmp_path / "here.nc", tmp_path / "there.nc"]
    with on_cluster(address):
        write_netcdf(paths[0], tree)
        assert list(mapped(write_netcdf, paths[1:], [tree])) == [None]
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as kept:
            assert kept["posterior"]["a"].values.tolist() == [0.0, 1.0, 2.0]


def test_replications_of_a_cluster_are_those_of_this_process(address: str, tmp_path: Path) -> None:
    pd.DataFrame(firms()).to_csv(tmp_path / "firms.csv", index=False)
    plain = analysis_dict("gaussian", varying={"cluster": ["intercept"]})
    plain["data"]["source"] = str(tmp_path / "firms.csv")
    analysis = Analysis.model_validate(plain)
    options = Options(replications=4, draws=50, tune=50)
    here = calibrate_analysis(analysis, options, tmp_path / "here").results
    with on_cluster(address):
        there = calibrate_analysis(analysis, options, tmp_path / "there").results
    assert here == there


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ("slrum", "there is no kind of cluster called 'slrum'"),
        ("slurm:2", "the Slurm cluster is not configured"),
    ],
)
def test_a_cluster_that_is_not_there_is_refused(asked: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what), cluster_of(asked):
        pass
