"""A search for input that is not refused as it should be, guided by the code that it reaches.

``python -m tests.faults.fuzz TARGET --minutes N`` starts from small valid input and keeps what leads into
new branches. A finding is an exception that is not an error of bayescluster, one input that takes above
`MOST_SECONDS` or `MOST_BYTES`, or a file touched outside the working folder. Each is saved with its
traceback, once for each place in the code, and the search goes on. It ends with exit code 1 where
anything was found. What is found becomes a test of its own.

It needs atheris, which is no dependency: ``pip install atheris`` in an environment of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import os
import random
import re
import resource
import shutil
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.attempt import MOST_BYTES, MOST_SECONDS
from tests.faults.malformed import (
    CHANGES_OF_TEXT,
    NASTY_VALUES,
    archives,
    changed_tree,
    damaged,
    manifests,
)

WATCHED = ("bayescluster", "openpyxl", "ruamel")
"""Packages whose branches guide the search."""
READERS = ("spec", "dataset", "runs", "features/codebook", "features/starter")
"""Of bayescluster, parts that are watched: numba cannot compile what is, and the rest would cost time."""
WRITES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link")
AT_FOLDER = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}
"""Which argument is the open folder that a path starts from."""
TOP = "small"
Mutate = Callable[[bytes, int], bytes]


class Target(NamedTuple):
    """What is searched: valid input, ways to change it, and what reads it as a command does."""

    seeds: Callable[[Path], list[bytes]]
    change: Callable[[random.Random, bytes, Mutate], bytes]
    read: Callable[[bytes, Path], object]


# what is read


def analysis_seeds(_folder: Path) -> list[bytes]:
    """The shipped analyses, and the small one."""
    from tests.cli.small import ANALYSIS

    configs = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
    texts = [
        re.sub(r"source: \S*", "source: firms.csv", path.read_text("utf-8")) for path in configs
    ]
    return [text.encode() for text in (ANALYSIS, *texts)]


def read_analysis(raw: bytes, folder: Path) -> None:
    """As ``validate`` does."""
    from bayescluster.app.codebook import concerns_of
    from bayescluster.app.memory import memory_of
    from bayescluster.app.prepare import (
        analysis_source,
        design_summary,
        read_designs,
        table_in_memory,
    )

    path = folder / "a.yaml"
    path.write_bytes(raw)
    source = analysis_source(path)
    table = table_in_memory(source)
    found = read_designs(source, table)
    design_summary(found.designs)
    if table is not None:
        concerns_of(source, table, found.designs[0])
    memory_of(found.designs).lines()


def table_seeds(kind: str) -> Callable[[Path], list[bytes]]:
    """The firms as a file of a kind."""

    def seeds(folder: Path) -> list[bytes]:
        from tests.faults.test_malformed import original

        found = [original(kind, folder)]
        if kind == "csv":
            found += [found[0].replace(b",", b";"), found[0].decode().encode("utf-16")]
            found += [b"A survey,,\n\n" + found[0] + b"Total,,,275,44\nSource: own\n"]
        return found

    return seeds


def read_table(kind: str) -> Callable[[bytes, Path], None]:
    """As ``check-data`` and ``init`` do; what follows the reading takes longest, so one time in eight."""

    def read(raw: bytes, folder: Path) -> None:
        from bayescluster.app.codebook import codebook, guessed_table
        from bayescluster.app.starter import proposed
        from bayescluster.dataset.plain import Reading
        from bayescluster.features.codebook.view import printed
        from bayescluster.features.starter.draft import Choices

        path = folder / f"f.{kind}"
        path.write_bytes(raw)
        guessed_table(path, Reading())
        if sum(raw) % 8 == 0:
            list(printed(codebook(path)))
            proposed(path, Reading(), Choices())

    return read


def _made_run(folder: Path) -> Path:
    """A finished run of the small analysis, by the instant sampler."""
    import pytest

    from bayescluster.app.run import run_analysis
    from tests.cli.small import write
    from tests.faults.test_malformed_runs import SMALL
    from tests.instant import InstantSampler

    write(folder, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "made")
    return next((folder / "made" / TOP).iterdir())


def run_seeds(folder: Path) -> list[bytes]:
    """A run as its archive."""
    from bayescluster.runs.archive import pack
    from bayescluster.runs.store import RunDirectory

    archive = folder.with_name("seed.zip")
    pack(RunDirectory(_made_run(folder)), archive)
    return [archive.read_bytes()]


def read_archive(raw: bytes, folder: Path) -> None:
    """As ``runs import`` does."""
    from bayescluster.runs.archive import unpack

    (folder / "a.zip").write_bytes(raw)
    try:
        unpack(folder / "a.zip", folder / "runs")
    finally:
        shutil.rmtree(folder / "runs", ignore_errors=True)


def read_run(raw: bytes, folder: Path) -> None:
    """As all commands do that open a run; a stranger makes hashes fit, so every second time they do."""
    from bayescluster.app.prepare import read_designs
    from bayescluster.dataset.read import read_description
    from bayescluster.runs.find import list_runs
    from bayescluster.runs.store import RunDirectory
    from bayescluster.studies.compare.provenance import explain_run, source_of

    shutil.rmtree(folder / "runs", ignore_errors=True)
    run = folder / "runs" / TOP / "0123456789ab"
    for name, content in _members(raw).items():
        file = run / Path(name).name if name.count("/") < 3 else run / Path(*Path(name).parts[2:])
        if run in file.parents and ".." not in file.parts and len(str(file)) < 200:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    if sum(raw) % 2:
        _with_hashes(run)
    list_runs(folder / "runs")
    directory = RunDirectory.open(run)
    directory.verify()
    steps = (
        directory.analysis,
        directory.load_results,
        directory.load_design,
        directory.load_chains,
        directory.load_posterior,
        lambda: explain_run(run),
        lambda: read_description(run / "firms.csv"),
        lambda: read_designs(source_of(directory)),
    )
    errors = [error for step in steps if (error := _refused(step)) is not None]
    if errors:
        raise errors[0]


def _refused(step: Callable[[], object]) -> Exception | None:
    """What a step is refused with: one refusal does not keep the others from being tried."""
    from bayescluster.errors import BayesClusterError

    try:
        step()
    except BayesClusterError as error:
        return error
    return None


def _with_hashes(run: Path) -> None:
    """Have the manifest say of every file that it is as it was written."""
    try:
        manifest = json.loads((run / "manifest.json").read_bytes())
        manifest.pop("checksum", None)
        for stage in manifest["stages"].values():
            for name in stage["files"]:
                content = (run / name).read_bytes()
                stage["files"][name] = hashlib.sha256(content).hexdigest()
        (run / "manifest.json").write_text(json.dumps(manifest))
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError):
        return  # what is changed is the manifest


# how it is changed


def change_text(rng: random.Random, raw: bytes, mutate: Mutate) -> bytes:
    """Change text by its lines, keys and values, or its bytes."""
    if rng.random() < 0.4:
        return mutate(raw, len(raw) + 2000)
    text = raw.decode("utf-8", "replace") or "a: 1"
    return rng.choice(CHANGES_OF_TEXT)(rng, text).encode("utf-8", "surrogatepass")


def change_bytes(rng: random.Random, raw: bytes, mutate: Mutate) -> bytes:
    """Change bytes, by libFuzzer or in blocks; of a file with a header mostly there."""
    if rng.random() < 0.3:
        return damaged(rng, raw)
    if rng.random() < 0.5:
        head = rng.choice((200, 1000, 4000))
        return mutate(raw[:head], head + 500) + raw[head:]
    return mutate(raw, len(raw) + 2000)


def change_member(rng: random.Random, raw: bytes, mutate: Mutate) -> bytes:
    """Change one part of an archive by what it is, and pack it again."""
    if rng.random() < 0.1:
        return damaged(rng, raw)
    members = _members(raw)
    if not members:
        return damaged(rng, raw)
    # those that say how the others are read, more often
    name = rng.choice([each for each in members for _ in range(6 if _leads(each) else 1)])
    members[name] = _changed(rng, name, members[name], mutate)
    return _packed(members)


def change_archive(rng: random.Random, raw: bytes, mutate: Mutate) -> bytes:
    """Members of other names or kinds, twice or far too large, or one that is changed."""
    if rng.random() < 0.4 and (members := _members(raw)):
        return next(archives(_packed(members), 1, rng.randrange(10**9)))
    return change_member(rng, raw, mutate)


def _leads(name: str) -> bool:
    return name.endswith(("manifest.json", "sheet1.xml", "workbook.xml", "results.json", ".nc"))


def _packed(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def _members(raw: bytes) -> dict[str, bytes]:
    """Parts of an archive; those that cannot be read, or are far too large, are left out."""
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for info in packed.infolist():
                if info.file_size < 3_000_000 and not info.flag_bits & 1:
                    found[info.filename] = packed.read(info)
    except Exception:  # noqa: BLE001 - zipfile has many ways to refuse
        return found
    return found


def _changed(rng: random.Random, name: str, content: bytes, mutate: Mutate) -> bytes:
    if rng.random() < 0.25:
        return mutate(content[:100_000], len(content) + 1000)
    if name.endswith(".json"):
        return _changed_json(rng, name, content)
    if name.endswith((".xml", ".rels")):
        return _changed_xml(rng, content.decode("utf-8", "replace")).encode()
    return damaged(rng, content)


def _changed_json(rng: random.Random, name: str, content: bytes) -> bytes:
    try:
        text = content.decode()
        if name.endswith("manifest.json") and rng.random() < 0.3:
            return next(manifests(text, 1, rng.randrange(10**9))).encode("utf-8", "surrogatepass")
        return json.dumps(changed_tree(rng, json.loads(text))).encode()
    except (ValueError, IndexError, AttributeError, TypeError, RecursionError):
        return damaged(rng, content)


def _changed_xml(rng: random.Random, text: str) -> str:
    """Other values of attributes and texts; elements repeated, moved, renamed or left out."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        values = [*re.finditer(r'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)', text)]
        elements = [*re.finditer(r"<[^<>?]+>", text)]
        if rng.random() < 0.6 and values:
            place, other = rng.choice(values), rng.choice((*NASTY_VALUES, *CELLS))
        elif elements:
            place = rng.choice(elements)
            other = rng.choice(("", place[0] * 2, rng.choice(elements)[0], f"<{place[0][1:]}"))
        else:
            return text
        text = text[: place.start()] + other + text[place.end() :]
    return text


CELLS = (
    "s", "n", "b", "e", "d", "str", "inlineStr", "A1", "XFD1048576", "AAAA1", "A0", "A99999999", "1:1",
    "A1:XFD1048576", "45000.5", "-1", "2958466", "99999999999", "2001-13-45T00:00:00", "rId1", "rId99",
    "../../evil.xml", "/xl/workbook.xml", "veryHidden", "&lt;", "&#0;", "&x;", "0", "4294967296",
)  # fmt: skip


TARGETS: dict[str, Target] = {
    "analysis": Target(analysis_seeds, change_text, read_analysis),
    "csv": Target(table_seeds("csv"), change_text, read_table("csv")),
    "dta": Target(table_seeds("dta"), change_bytes, read_table("dta")),
    "sav": Target(table_seeds("sav"), change_bytes, read_table("sav")),
    "xlsx": Target(table_seeds("xlsx"), change_member, read_table("xlsx")),
    "archive": Target(run_seeds, change_archive, read_archive),
    "run": Target(run_seeds, change_member, read_run),
}


# the search


class Search:
    """One input after the other is read, and what is wrong with how that ends is kept."""

    def __init__(self, name: str, folder: Path, findings: Path) -> None:
        self.name, self.folder, self.findings = name, folder, findings
        self.end = math.inf
        self.read = TARGETS[name].read
        self.tried = self.refused = 0
        self.slowest = 0.0
        self.known: set[str] = set()
        self.touched: list[str] = []
        self.inside = False

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what is written, removed or linked outside the folder; a hook of the interpreter."""
        if not self.inside or event not in WRITES or not isinstance(arguments[0], str | bytes):
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        place = os.fsdecode(arguments[0])
        if event in AT_FOLDER and (handle := arguments[AT_FOLDER[event]]) >= 0:
            place = os.path.join(os.readlink(f"/proc/self/fd/{handle}"), place)  # noqa: PTH115, PTH118
        place = os.path.abspath(place)  # noqa: PTH100
        if not place.startswith(str(self.folder)) and "__pycache__" not in place:
            self.touched.append(f"{event} {place}")

    def one(self, raw: bytes) -> None:
        """Read one input, as a command does."""
        from bayescluster.errors import BayesClusterError

        if time.monotonic() > self.end:
            self.finish()
        before, peak = _seconds(), _peak()
        self.touched.clear()
        self.tried += 1
        self.inside = True
        try:
            self.read(raw, self.folder)
        except BayesClusterError:
            self.refused += 1
        except Exception as error:  # noqa: BLE001 - this is what is searched for
            self.inside = False
            frames = traceback.extract_tb(error.__traceback__)
            own = [f for f in frames if "/bayescluster/" in f.filename] or frames
            place = f"{type(error).__name__} {own[-1].name} {frames[-1].name}"
            self.keep(raw, place, "".join(traceback.format_exception(error)))
        finally:
            self.inside = False
        taken = _seconds() - before
        self.slowest = max(self.slowest, taken)
        if taken > MOST_SECONDS:
            self.keep(raw, "slow", f"{taken:.1f} seconds")
        if _peak() - peak > MOST_BYTES:
            self.keep(raw, "large", f"{(_peak() - peak) / 1e9:.1f} GB")
        if self.touched:
            self.keep(raw, f"touched {self.touched[0].split()[0]}", "\n".join(self.touched))

    def keep(self, raw: bytes, place: str, why: str) -> None:
        """Save a finding, once for each place."""
        if place in self.known:
            return
        self.known.add(place)
        stem = f"{self.name}-{re.sub(r'[^A-Za-z_]+', '-', place)}"
        (self.findings / stem).write_bytes(raw)
        (self.findings / f"{stem}.txt").write_text(why)
        print(f"found: {place} ({self.findings / stem})", flush=True)

    def finish(self) -> None:
        """Print what was done, and end the process: libFuzzer ends it without a word."""
        print(
            f"{self.name}: {self.tried:,} inputs, {self.refused:,} refused, slowest "
            f"{self.slowest:.2f} s, {len(self.known)} findings",
            flush=True,
        )
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        os._exit(1 if self.known else 0)


def _left_out() -> list[str]:
    """Modules of bayescluster that are no readers."""
    top = Path(__file__).parents[2]
    files = (path.relative_to(top) for path in sorted((top / "bayescluster").rglob("*.py")))
    return [
        ".".join(file.with_suffix("").parts)
        for file in files
        if not file.as_posix().startswith(tuple(f"bayescluster/{part}/" for part in READERS))
    ]


def _seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Search one target for some minutes."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "findings")
    asked = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris (in an environment of its own)")
    asked.findings.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    target = TARGETS[asked.target]
    watching = atheris.instrument_imports(include=[*WATCHED], exclude=_left_out())
    with tempfile.TemporaryDirectory() as made, watching:
        folder, seeds = Path(made, "work").resolve(), Path(made, "seeds")
        for each in (folder, seeds):
            each.mkdir()
        from tests.cli.small import write

        write(folder)
        search = Search(asked.target, folder, asked.findings)
        for number, raw in enumerate(target.seeds(folder)):
            (seeds / str(number)).write_bytes(raw)
            search.one(raw)  # what is imported late is instrumented too
        search.end = time.monotonic() + 60 * asked.minutes
        sys.addaudithook(search.watch)

        def changed(raw: bytes, most: int, seed: int) -> bytes:
            rng = random.Random(seed)
            try:
                return target.change(rng, raw, atheris.Mutate)[:most]
            except (ValueError, LookupError, StopIteration, struct.error):  # too broken for it
                return damaged(rng, raw)[:most]

        options = [
            sys.argv[0],
            str(seeds),
            f"-seed={asked.seed}",
            "-max_len=3000000",
            "-len_control=0",
            "-timeout=300",
            "-rss_limit_mb=6000",
            f"-artifact_prefix={asked.findings}/{asked.target}-lost-",
            "-verbosity=0",
        ]
        atheris.Setup(options, search.one, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
