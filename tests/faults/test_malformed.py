"""Malformed analysis and data files by the hundred: a message, an exit code by kind, no other file touched."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from tests.cases.test_formats import ods
from tests.cli.small import ANALYSIS, FIRMS, write
from tests.faults.attempt import attempt, snapshot
from tests.faults.malformed import analyses, damaged

CONFIGS = Path(__file__).parents[2] / "configs"
ANALYSES = 1000
FILES = int(os.environ.get("BAYESCLUSTER_FAULTS", "75"))
"""Data files of each format."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each attempt is forked"),
]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """A folder to work in; nothing above it may change."""
    # what the children need is imported once, here
    import bayescluster.app.codebook
    import bayescluster.app.prepare  # noqa: F401

    folder, notes = tmp_path / "above" / "work", tmp_path / "above" / "notes"
    folder.mkdir(parents=True)
    (folder.parent / "victim.txt").write_text("keep me")
    write(folder)
    before = snapshot(folder.parent, folder, notes)
    yield folder
    assert snapshot(folder.parent, folder, notes) == before


def test_analysis_files(work: Path) -> None:
    originals = [ANALYSIS, *(path.read_text("utf-8") for path in sorted(CONFIGS.glob("*.yaml")))]
    faults = []
    for number, text in enumerate(analyses(originals, ANALYSES, seed=17)):
        (work / "a.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        ended = attempt(("validate", str(work / "a.yaml")), work.parent / "notes")
        if ended.faults:
            faults.append((number, ended.faults, ended.text[-300:]))
    assert not faults


def original(kind: str, folder: Path) -> bytes:
    """The firms as a file of a kind."""
    firms, path = pd.read_csv(io.StringIO(FIRMS)), folder / f"original.{kind}"
    labels = {"variable_value_labels": {"upgraded": {0: "no", 1: "yes"}}}
    writers = {
        "csv": lambda: firms.to_csv(path, index=False),
        "xlsx": lambda: firms.to_excel(path, index=False),
        "parquet": lambda: firms.to_parquet(path),
        "dta": lambda: pyreadstat.write_dta(firms, str(path), **labels),
        "sav": lambda: pyreadstat.write_sav(firms, str(path), **labels),
        "zsav": lambda: pyreadstat.write_sav(firms, str(path), compress=True),
        "por": lambda: pyreadstat.write_por(firms, str(path)),
        "ods": lambda: ods(path, {"Firms": [list(firms.columns), *firms.to_numpy().tolist()]}),
    }
    writers[kind]()
    return path.read_bytes()


def inside(rng: random.Random, raw: bytes) -> bytes:
    """Damage one part of an archive, which stays whole otherwise."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(made, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            new.writestr(name, damaged(rng, old.read(name)) if name == chosen else old.read(name))
    return made.getvalue()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "dta", "sav", "zsav", "por", "ods"])
def test_data_files(work: Path, kind: str) -> None:
    raw, rng, faults = original(kind, work), random.Random(17), []
    for number in range(FILES):
        content = inside(rng, raw) if kind in {"xlsx", "ods"} and number % 2 else damaged(rng, raw)
        (work / f"f.{kind}").write_bytes(content)
        ended = attempt(("check-data", str(work / f"f.{kind}")), work.parent / "notes")
        if ended.faults:
            faults.append((number, ended.faults, ended.text[-300:]))
    assert not faults
