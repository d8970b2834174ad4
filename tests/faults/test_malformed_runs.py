"""Malformed run directories and archives by the hundred: exit code 5, and no other file touched."""

from __future__ import annotations

import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayescluster.app.run import run_analysis
from bayescluster.runs.archive import pack
from bayescluster.runs.store import RunDirectory
from tests.cli.small import write
from tests.faults.attempt import attempt, snapshot
from tests.faults.malformed import archives, damaged, manifests
from tests.instant import InstantSampler

SEEDS = range(17, 22)
DIRECTORIES = ARCHIVES = int(os.environ.get("BAYESCLUSTER_FAULTS", "50"))
"""How many are made from each seed: 250 run directories and 250 archives."""
SMALL = {"draws: 500, tune: 500": "draws: 100, tune: 10, prior_draws: 200"}
READERS = (
    ("runs", "verify"),
    ("show",),
    ("report",),
    ("runs", "why"),
    ("runs", "export"),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each attempt is forked"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made once; everything that reads one is imported by it."""
    import bayescluster.report.paper
    import bayescluster.studies.compare.provenance  # noqa: F401

    folder = tmp_path_factory.mktemp("made")
    write(folder, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "runs")
    return folder


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, which is the working directory; nothing above it may change."""
    folder, notes = tmp_path / "above" / "work", tmp_path / "above" / "notes"
    folder.mkdir(parents=True)
    (folder.parent / "victim.txt").write_text("keep me")
    (folder.parent / ".victim.txt.1.partial").write_text("keep me")
    monkeypatch.chdir(folder)
    before = snapshot(folder.parent, folder, notes)
    yield folder
    assert snapshot(folder.parent, folder, notes) == before


@pytest.mark.parametrize("seed", SEEDS)
def test_run_directories(made: Path, work: Path, seed: int) -> None:
    rng, faults, refused = random.Random(seed), [], 0
    source = next(made.glob("runs/small/*"))
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    texts = manifests((source / "manifest.json").read_text(), DIRECTORIES, seed)
    for number, text in enumerate(texts):
        run = work / "runs" / "small" / source.name
        shutil.rmtree(work / "runs", ignore_errors=True)
        shutil.copytree(source, run)
        what = rng.choice(("manifest", "manifest", "file", "hash", "link"))
        chosen = run / rng.choice(names)
        if what == "manifest":
            (run / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        elif what == "link":
            chosen.unlink()
            chosen.symlink_to(rng.choice((work.parent, work.parent / "victim.txt", "/dev/zero")))
        else:
            content = damaged(rng, chosen.read_bytes())
            chosen.write_bytes(content)
            if what == "hash":  # as a stranger would do it: the manifest says that all is well
                _recorded(run, chosen, content)
        words = rng.choice(READERS)
        ended = attempt((*words, str(run)), work.parent / "notes")
        listed = attempt(("runs", "list", "--out", "runs"), work.parent / "notes")
        refused += ended.code == 5
        if ended.faults or listed.faults or listed.code or ended.code in (2, 3):
            faults.append((number, what, words, ended.code, ended.faults, ended.text[-500:]))
    assert not faults
    assert refused > DIRECTORIES / 3


def _recorded(run: Path, file: Path, content: bytes) -> None:
    import hashlib

    path = run / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError:  # it is the manifest that was damaged
        return
    for stage in manifest["stages"].values():
        name = file.relative_to(run).as_posix()
        if name in stage["files"]:
            stage["files"][name] = hashlib.sha256(content).hexdigest()
    del manifest["checksum"]
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives(made: Path, work: Path, seed: int) -> None:
    faults, imported = [], 0
    original = work / "original.zip"
    pack(RunDirectory(next(made.glob("runs/small/*"))), original)
    inside = {original.name, "a.zip", "runs"}
    for number, raw in enumerate(archives(original.read_bytes(), ARCHIVES, seed)):
        shutil.rmtree(work / "runs", ignore_errors=True)
        (work / "a.zip").write_bytes(raw)
        ended = attempt(("runs", "import", "a.zip", "--out", "runs"), work.parent / "notes")
        left = [path.name for path in (work / "runs").glob("*")] if not ended.code else []
        imported += ended.code == 0
        wrong = ended.code not in (0, 5) or {path.name for path in work.iterdir()} - inside
        if ended.faults or wrong or left not in ([], ["small"]):
            faults.append((number, ended.code, ended.faults, left, ended.text[-500:]))
        elif not ended.code:
            run = RunDirectory.open(work / "runs" / "small")
            assert run.verify() == []
        else:
            assert [*(work / "runs").rglob("*")] == []
    assert not faults
    assert imported < ARCHIVES / 4
    assert zipfile.is_zipfile(original)
