from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from bayescluster.errors import RunError
from bayescluster.runs import archive as archives
from bayescluster.runs.archive import pack, unpack
from bayescluster.runs.files import write_text
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call
from tests.runs.conftest import KEY

TOP = f"toy/{KEY}"

Entry = tuple[zipfile.ZipInfo | str, bytes]


@pytest.fixture
def whole(run: RunDirectory, chain_of) -> RunDirectory:
    """A run with a design, chains and a report."""
    with run.stage("design"):
        run.save_design(xr.DataTree(xr.Dataset({"y": ("firm", [0.0, 1.0])})))
    with run.stage("sampling"):
        for number in range(2):
            run.save_chain(chain_of(number))
    with run.stage("report", "r1"):
        write_text(run.path / "tables" / "verdicts.csv", "title\nTrust is necessary\n")
        write_text(run.report_path, "<html/>")
    return run


@pytest.fixture
def packed(whole: RunDirectory, tmp_path: Path) -> Path:
    path = tmp_path / "toy.zip"
    pack(whole, path)
    return path


def entries(packed: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(packed) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def repacked(packed: Path, *more: Entry, without: str = "", **contents: bytes) -> Path:
    """The archive with other members, or other contents of those it has."""
    path = packed.with_name("repacked.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries(packed).items():
            if name != f"{TOP}/{without}":
                made.writestr(name, contents.get(name.rpartition("/")[2].split(".")[0], content))
        for name, content in more:
            made.writestr(name, content)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def manifest_with(packed: Path, **changes: object) -> bytes:
    return json.dumps(json.loads(entries(packed)[f"{TOP}/manifest.json"]) | changes).encode()


def test_a_run_comes_out_as_it_went_in(whole: RunDirectory, packed: Path, tmp_path: Path) -> None:
    found = unpack(packed, tmp_path / "other")
    assert found.path == tmp_path / "other" / "toy" / KEY
    assert found.verify() == []
    assert found.read_manifest() == whole.read_manifest()
    for file in whole.read_manifest().files:
        assert (found.path / file).read_bytes() == (whole.path / file).read_bytes()
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["toy"]


def test_the_same_run_gives_the_same_bytes(whole: RunDirectory, packed: Path) -> None:
    again = packed.with_name("again.zip")
    assert len(pack(whole, again)) == 6
    assert again.read_bytes() == packed.read_bytes()


def test_what_a_killed_process_left_is_removed(whole: RunDirectory, tmp_path: Path) -> None:
    left, other = tmp_path / ".a.zip.17.partial", tmp_path / ".b.zip.17.partial"
    for each in (left, other):
        each.write_bytes(b"PK")
    pack(whole, tmp_path / "a.zip")
    assert (left.exists(), other.exists()) == (False, True)


def test_forms_go_along(whole: RunDirectory, tmp_path: Path) -> None:
    form = whole.form("additive")
    form.begin(whole.read_manifest().model_copy(update={"stages": {}}))
    manifest = whole.read_manifest().model_copy(update={"forms": ("additive", "interaction")})
    whole.write_manifest(manifest)
    files = pack(whole, tmp_path / "forms.zip")
    assert "forms/additive/manifest.json" in files
    assert unpack(tmp_path / "forms.zip", tmp_path / "other").form("additive").read_manifest()


def test_what_is_altered_is_not_packed(whole: RunDirectory, tmp_path: Path) -> None:
    whole.report_path.write_text("<html>other</html>")
    with pytest.raises(RunError, match="its checksum has changed"):
        pack(whole, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_run_that_is_written_is_not_packed(whole: RunDirectory, tmp_path: Path) -> None:
    with whole.lock(), pytest.raises(RunError, match="another process is writing"):
        pack(whole, tmp_path / "a.zip")


def test_nothing_is_replaced(whole: RunDirectory, packed: Path) -> None:
    before = packed.read_bytes()
    with pytest.raises(RunError, match="such a file already"):
        pack(whole, packed)
    with pytest.raises(RunError, match="this run is there already"):
        unpack(packed, whole.path.parents[1])
    assert packed.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: repacked(p, ("../a.txt", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, ("/etc/passwd", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, (f"{TOP}/../../a.txt", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, (f"{TOP}/tables/..\\a", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, ("C:/a.txt", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, ("a.txt", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, (f"{TOP}/tables//a.csv", b"x")), "is not in the place of a run"),
        (lambda p: repacked(p, (f"toy/{'f' * 16}/manifest.json", b"{}")), "more than one run"),
        (lambda p: repacked(p, (f"{TOP}/notes.txt", b"x")), "is no file of the run"),
        (lambda p: repacked(p, (f"{TOP}/tables/a.csv", b"x")), "is no file of the run"),
        (lambda p: repacked(p, (f"{TOP}/tables/", b"")), "is no plain file"),
        (
            lambda p: repacked(p, (special(f"{TOP}/a", stat.S_IFLNK | 0o777), b"/etc/passwd")),
            "is no plain file",
        ),
        *(
            (
                lambda p, kind=kind: repacked(p, (special(f"{TOP}/a", kind | 0o644), b"")),
                "is no plain file",
            )
            for kind in (stat.S_IFIFO, stat.S_IFDIR, stat.S_IFSOCK, stat.S_IFCHR)
        ),
        (lambda p: repacked(p, without="report.html"), "report.html is missing"),
        (lambda p: repacked(p, without="manifest.json"), "it has no manifest.json"),
        (lambda p: repacked(p, report=b"<html>evil</html>"), "its checksum has changed"),
        (
            lambda p: repacked(p, manifest=manifest_with(p, key="f" * 16)),
            "the manifest is that of another run",
        ),
        (
            lambda p: repacked(p, manifest=manifest_with(p, name="other")),
            "the manifest is that of another run",
        ),
        (lambda p: repacked(p, manifest=b"{}"), "schema version null"),
        (lambda p: repacked(p, manifest=b"[" * 100_000), "JSON that no run writes"),
        (lambda p: repacked(p, (f"{TOP}/a", bytes(10**8))), "times as large unpacked"),
    ],
)
def test_anything_else_is_refused(
    packed: Path, tmp_path: Path, change: Callable[[Path], Path], words: str
) -> None:
    (tmp_path / "other").mkdir()
    ran = call("runs", "import", str(change(packed)), "--out", str(tmp_path / "other"))
    assert ran.code == 5
    assert ran.err.startswith("The archive cannot be used")
    assert words in ran.err
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_file_is_in_it_twice(packed: Path, tmp_path: Path) -> None:
    path = repacked(packed, (f"{TOP}/report.html", b"<html>evil</html>"))
    with pytest.raises(RunError, match=r"report.html' is in it 2 times"):
        unpack(path, tmp_path / "other")


def test_bounds(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    with pytest.raises(RunError, match="it holds 6 files, a run at most 3"):
        unpack(packed, tmp_path / "other")
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    with pytest.raises(RunError, match="GB unpacked, a run at most"):
        unpack(packed, tmp_path / "other")
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MOST_OF_MANIFEST", 100)
    with pytest.raises(RunError, match="larger than any manifest"):
        unpack(packed, tmp_path / "other")
    monkeypatch.undo()
    with zipfile.ZipFile(packed) as opened:
        sizes = {info.filename: info.file_size for info in opened.infolist()}
    monkeypatch.setattr(archives, "MOST_FILES", len(sizes))
    monkeypatch.setattr(archives, "MOST_BYTES", sum(sizes.values()))
    monkeypatch.setattr(archives, "MOST_OF_MANIFEST", sizes[f"{TOP}/manifest.json"])
    assert unpack(packed, tmp_path / "other").verify() == []


def test_a_size_that_is_a_lie(packed: Path, tmp_path: Path) -> None:
    """The size in the directory of the archive is what is counted, and no more is unpacked."""
    path = repacked(packed)
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as opened:
        info = opened.getinfo(f"{TOP}/report.html")
    size = info.file_size.to_bytes(4, "little")
    at = raw.rindex(info.filename.encode()) - 46 + 24
    assert raw[at : at + 4] == size
    path.write_bytes(raw[:at] + (3).to_bytes(4, "little") + raw[at + 4 :])
    with pytest.raises(RunError):
        unpack(path, tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("version", [3, 99, "9" * 300])
def test_a_newer_version_is_refused_clearly(packed: Path, tmp_path: Path, version) -> None:
    path = repacked(packed, manifest=manifest_with(packed, schema_version=version))
    with pytest.raises(RunError) as error:
        unpack(path, tmp_path / "other")
    if isinstance(version, int):
        assert "it is of a newer bayescluster: update this one to open it" in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"no zip at all"])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    ran = call("runs", "import", str(tmp_path / "a.zip"), "--out", str(tmp_path / "other"))
    assert ran.code == 5
    assert "a.zip" in ran.err


@pytest.mark.parametrize("place", ["/dev/zero", "nowhere.zip", "."])
def test_no_file(place: str, tmp_path: Path) -> None:
    ran = call("runs", "import", place, "--out", str(tmp_path / "other"))
    assert ran.code == 5
    assert "name a file such as NAME-KEY.zip" in ran.err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o500)
    with pytest.raises(RunError, match="cannot be unpacked: Permission denied"):
        unpack(packed, tmp_path / "other")


def test_from_the_command_line(
    whole: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call("runs", "export", str(whole.path))
    assert ran.code == 0
    assert ran.out.startswith(f"Packed 6 files: toy-{KEY}.zip (")
    ran = call("runs", "import", f"toy-{KEY}.zip", "--out", "other")
    place = Path("other") / "toy" / KEY
    assert ran.out == f"Unpacked, and every file is as it was written: {place}\n"
