"""The targets of speed, measured: ``python -m tests.benchmarks --peers PEERS/bin/python [ROW ...]``.

Each row of ``rows.py`` is a piece of work that bayescluster does from its command line, and that its peers do
on the same data and model. PEERS is an environment with bambi, numpyro, nutpie and stanli; what it lacks is
said in the table. Programs take turns, so that all meet the same machine; ratios are medians of those of each
round. Rows of ``targets.csv`` are kept and not measured again: delete a line to repeat its row. A row that was
interrupted goes on with the rounds it lacks (``--folder`` holds them, and the data until a row is done).

Columns: ``of_clock`` and ``of_cpu`` are what bayescluster takes of the peer's seconds; MB are those of the largest
process. A target in seconds is met where seconds by the clock are, or those of the processors: the latter are the
longest that a quiet machine takes, and the only ones that mean something where the ``load`` is above the number of
cores. A ratio is met ``yes`` by both, or ``by cpu`` or ``by clock`` alone.
``apart`` is the largest distance of a mean of a population coefficient from that of the peer, in Monte Carlo
errors: whether the same model was fitted.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import shutil
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.measure import FailedError, Use
from tests.benchmarks.rows import HERE, OWN, ROWS, Row, Target

UNMEASURED = "not measured"
TABLE = HERE / "targets.csv"
COLUMNS = (
    *("row", "target", "met", "bayescluster", "peer", "of_clock", "of_cpu"),
    *("seconds", "cpu_seconds", "peak_mb", "peer_seconds", "peer_cpu_seconds", "peer_peak_mb"),
    *("apart", "rounds", "load", "why"),
)
Rounds = dict[str, list[Use]]


def main() -> None:
    """Measure the rows that are asked for, or all that are not in the table yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="Python of the environment of the peers")
    parser.add_argument(
        "--folder", type=Path, default=Path("benchmarks"), help="room for large files"
    )
    parser.add_argument("--rounds", type=int, default=3, help="at most so many pairs of a row")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    asked = parser.parse_args()
    if unknown := [name for name in asked.rows if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    done = {line["row"] for line in _kept() if line["met"] != UNMEASURED}
    for name in asked.rows or ROWS:
        if name not in done:
            folder = (asked.folder / name).resolve()
            row = ROWS[name]._replace(rounds=min(ROWS[name].rounds, asked.rounds))
            _write(_lines(name, row, *_measured(row, folder, asked.peers)))
            shutil.rmtree(folder)


def _measured(row: Row, folder: Path, peers: str) -> tuple[Rounds, dict[str, str], float]:
    """All rounds of a row, why a program could not run, and the load that they met."""
    log, ready = folder / "rounds.jsonl", folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "peers.txt").write_text(peers)
        row.prepare(folder, peers)
        ready.touch()
        for name, program in row.programs.items():  # caches are warm from now on
            if row.rounds > 1 and name not in row.without_target:
                with contextlib.suppress(FailedError):  # said when its turn comes
                    program(folder, 0)
    found: Rounds = {}
    failed: dict[str, str] = {}
    loads = []
    for line in log.read_text().splitlines() if log.exists() else ():
        name, load, *use = json.loads(line)
        found.setdefault(name, []).append(Use(*use))
        loads.append(load)
    for round_ in range(1, row.rounds + 1):
        for name, program in row.programs.items():
            times = 1 if name in row.without_target else row.rounds
            if len(found.get(name, ())) >= min(round_, times) or name in failed:
                continue
            try:
                use = program(folder, round_)
            except FailedError as error:
                failed[name] = str(error)
                continue
            loads.append(os.getloadavg()[0])
            found.setdefault(name, []).append(use)
            with log.open("a") as file:
                file.write(json.dumps([name, loads[-1], *use]) + "\n")
            print(f"round {round_}: {name} {use}", flush=True)
    return found, failed, median(loads or [0.0])


def _lines(
    name: str, row: Row, found: Rounds, failed: dict[str, str], load: float
) -> list[dict[str, Any]]:
    """A line for each target, and for each peer that is measured without one."""
    targets = [*row.targets, *(Target("time", float("inf"), peer) for peer in row.without_target)]
    lines = []
    for target in targets:
        line: dict[str, Any] = {"row": name, "peer": target.against or "", "load": round(load, 1)}
        if why := failed.get(OWN) or failed.get(target.against or OWN):
            lines.append(line | {"met": UNMEASURED, "why": why})
            continue
        lines.append(line | _judged(target, found))
    return lines


def _judged(target: Target, found: Rounds) -> dict[str, Any]:
    own, other = found[OWN], found.get(target.against or "", [])
    pairs = list(zip(own, other, strict=False))
    line = _uses(own, "") | (_uses(other, "peer_") if other else {}) | {"rounds": len(other or own)}
    if other:
        line["of_clock"] = round(median(a.wall / b.wall for a, b in pairs), 3)
        line["of_cpu"] = round(median(a.cpu / b.cpu for a, b in pairs), 3)
        if apart := [use.facts["apart"] for use in other if "apart" in use.facts]:
            line["apart"] = round(median(apart), 1)
    if target.limit == float("inf"):
        return line
    if other and target.of == "time":
        value = line["of_clock"]
        clock, cpu = value <= target.limit, line["of_cpu"] <= target.limit
        met = "yes" if clock and cpu else "by cpu" if cpu else "by clock" if clock else "no"
    else:
        if target.of in {use for one in other for use in one.facts} - {*own[0].facts}:
            value = median(use.value(target.of) for use in other)  # how the two differ
        elif other:
            value = median(a.value(target.of) / b.value(target.of) for a, b in pairs)
        else:
            value = median(use.value(target.of) for use in own)
        met = (
            "yes" if (value >= target.limit if target.at_least else value <= target.limit) else "no"
        )
    return line | {
        "target": f"{target.of} {'>=' if target.at_least else '<='} {target.limit:.4g}"
        + (f" of {target.against}" if other else ""),
        "met": met,
        "bayescluster": f"{value:.4g}",
        "why": target.why if met != "yes" else "",
    }


def _uses(uses: list[Use], before: str) -> dict[str, Any]:
    measured = {"seconds": "wall", "cpu_seconds": "cpu", "peak_mb": "peak"}
    return {
        before + column: round(median(getattr(use, field) for use in uses), 1 + (field != "peak"))
        for column, field in measured.items()
    }


def _kept() -> list[dict[str, str]]:
    if not TABLE.exists():
        return []
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(lines: list[dict[str, Any]]) -> None:
    """Put lines into the table, in the order of the rows."""
    order = list(ROWS)
    new = {line["row"] for line in lines}
    kept = sorted(
        [*(line for line in _kept() if line["row"] not in new), *lines],
        key=lambda line: order.index(line["row"]),
    )
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    for line in lines:
        print({key: value for key, value in line.items() if value != ""}, flush=True)


if __name__ == "__main__":
    main()
