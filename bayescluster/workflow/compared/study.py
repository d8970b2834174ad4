"""Finished runs side by side: effects, corners, verdicts, and differences where posteriors allow it.

Draws of two runs are subtracted only where the runs are independent of each other: no firm is in both.
Independent posteriors can be paired in any order, so the draws of the second are
permuted: what is left of the order of the chains in either does not go into the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.errors import Problem, RunError
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.summary import estimate
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.names import CAPITALS, ROW
from bayescluster.results.base import INTERVAL
from bayescluster.results.compared import (
    COMPARED_VERSION,
    Compared,
    ComparedDifference,
    ComparedEffect,
    Pair,
)
from bayescluster.results.model import Results
from bayescluster.runs.atomic import write_text
from bayescluster.runs.keys import comparison_key
from bayescluster.runs.layout import FORMS
from bayescluster.runs.lock import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.averaging import Averaged, Weighed
from bayescluster.workflow.collect import Fitted, evidence_of
from bayescluster.workflow.compared.rows import (
    corner_rows,
    effect_rows,
    run_facts,
    verdict_rows,
)
from bayescluster.workflow.compared.settings import differing
from bayescluster.workflow.compared.words import notes_of, pair_of, warnings_of
from bayescluster.workflow.finish import open_design
from bayescluster.workflow.watch import Silent, Watch

COMPARE_STREAM: Final = 34
"""Keeps the pairing of draws apart from all other uses of chance."""
FOLDER: Final = "compare"


class Finished(NamedTuple):
    """A comparison, and where its files are."""

    directory: Path
    results: Compared


class CompareError(RunError):
    """Runs that cannot be set side by side."""

    title = "These runs cannot be compared"


class _Opened(NamedTuple):
    """A run with its analysis, its results, the key of these, and the identifiers of its firms."""

    directory: RunDirectory
    analysis: Analysis
    results: Results
    key: str
    firms: frozenset[str] | None


def compare_runs(
    paths: Sequence[Path | str], root: Path | str | None = None, watch: Watch | None = None
) -> Finished:
    """Set finished runs side by side, and write what comes of it.

    Parameters
    ----------
    paths
        Run directories, or folders of analyses, whose newest runs are taken.
    root
        Folder of the runs; that of the first run without it.
    watch
        Told of the progress.

    Raises
    ------
    RunError
        If there is but one run, or runs are missing, unfinished or altered; all of them are told.
    """
    watch = watch or Silent()
    watch.step("Opening the runs")
    opened = _open([Path(path) for path in paths])
    facts = run_facts([(one.directory, one.results, one.key) for one in opened])
    firms = [one.firms for one in opened]
    pairs = tuple(
        pair_of((a, b), (facts[a], facts[b]), (firms[a], firms[b]))
        for a, b in combinations(range(len(opened)), 2)
    )
    effects = effect_rows([one.results for one in opened])
    verdicts = verdict_rows([one.results for one in opened])
    same_data = len({run.data_digest for run in facts}) == 1
    key = comparison_key(
        {
            "study": FOLDER,
            "version": COMPARED_VERSION,
            "runs": [[one.results.reproduction.key, one.key] for one in opened],
        }
    )
    results = Compared(
        key=key,
        run_keys=tuple(one.results.reproduction.key for one in opened),
        interval=INTERVAL,
        runs=facts,
        settings=differing([one.analysis for one in opened], same_data),
        effects=effects,
        corners=corner_rows([one.results for one in opened]),
        verdicts=verdicts,
        pairs=pairs,
        differences=tuple(_differences(opened, pairs, effects, watch)),
        warnings=warnings_of(facts, verdicts, pairs),
        notes=notes_of(facts, pairs),
    )
    start = _root(opened[0]) if root is None else Path(root)
    directory = RunDirectory.create(start, FOLDER, key).path
    with locked(directory):
        write_compared(results, directory)
    return Finished(directory, results)


def _root(one: _Opened) -> Path:
    """Folder of the runs that a run stands in; that of the working directory if it was moved."""
    path = one.directory.path
    if path.parent.name == FORMS:  # nothing is to stand in a run that its manifest does not know
        path = path.parents[1]
        return path.parents[1]
    return path.parents[1] if path.name == one.results.reproduction.key else Path("runs")


def _open(paths: Sequence[Path]) -> list[_Opened]:
    """Open every run, and tell all that is wrong with any at once."""
    problems: list[Problem] = []
    if len(paths) < 2:
        named = str(paths[0]) if paths else ""
        mend = "name two or more, such as: bayescluster compare runs/ONE runs/OTHER"
        problems.append(Problem("one run alone has nothing to be compared with", named, mend))
    opened: list[_Opened] = []
    for path in paths:
        try:
            found = _opened(path)
        except RunError as error:
            problems += error.problems
            continue
        same = found.directory.path.resolve()
        if any(same == other.directory.path.resolve() for other in opened):
            mend = "name each run once; of several runs of one analysis, give the directories"
            problems.append(Problem("this run is named twice", str(path), mend))
        opened.append(found)
    if problems:
        raise CompareError(dict.fromkeys(problems))
    return opened


def _opened(path: Path) -> _Opened:
    directory = RunDirectory.open(path)
    results = directory.load_results()
    design = open_design(directory)
    manifest = directory.read_manifest()
    firms = None
    if design.analysis.data.firm is not None:
        labels = np.array(design.labels(ROW))
        _, first = np.unique(design.firms, return_index=True)
        repeats = first.size < design.size
        firms = frozenset(
            label.removesuffix(" #1") if repeats else label for label in labels[first].tolist()
        )
    analysis = Analysis.model_validate(manifest.analysis)
    return _Opened(directory, analysis, results, manifest.stages["results"].key, firms)


def _differences(
    opened: Sequence[_Opened],
    pairs: Sequence[Pair],
    effects: Sequence[ComparedEffect],
    watch: Watch,
) -> Iterator[ComparedDifference]:
    draws: dict[int, dict[tuple[str, str, str, str], Array]] = {}
    for pair in pairs:
        if pair.standing == "apart" or not any(_both(row, pair) for row in effects):
            continue
        for position in (pair.first, pair.second):
            if pair.standing == "independent" and position not in draws:
                watch.step(f"Reading the draws of {opened[position].results.name}")
                draws[position] = _effect_draws(opened[position])
        entropy = (COMPARE_STREAM, pair.first, pair.second)
        for row in effects:
            yield from _difference(row, pair, draws, np.random.default_rng(entropy))


def _both(row: ComparedEffect, pair: Pair) -> bool:
    return row.estimates[pair.first] is not None and row.estimates[pair.second] is not None


def _difference(
    row: ComparedEffect,
    pair: Pair,
    draws: dict[int, dict[tuple[str, str, str, str], Array]],
    rng: np.random.Generator,
) -> Iterator[ComparedDifference]:
    first, second = row.estimates[pair.first], row.estimates[pair.second]
    if first is None or second is None:
        return
    found, positive = None, None
    if pair.standing == "independent":
        name = (row.capital, row.measure, row.by, row.group)
        one, other = draws[pair.first][name], draws[pair.second][name]
        count = min(one.size, other.size)
        less = one[_evenly(one.size, count)] - rng.permutation(other[_evenly(other.size, count)])
        found, positive = estimate(less), float((less > 0).mean())
        if first.mcse is not None and second.mcse is not None:
            error = float(np.hypot(first.mcse, second.mcse))
            found = found.model_copy(update={"mcse": error})
    yield ComparedDifference(
        first=pair.first,
        second=pair.second,
        capital=row.capital,
        measure=row.measure,
        by=row.by,
        group=row.group,
        mean=first.mean - second.mean,
        estimate=found,
        positive=positive,
    )


def _evenly(size: int, count: int) -> np.ndarray:
    return np.linspace(0, size - 1, count).astype("int64")


def _effect_draws(one: _Opened) -> dict[tuple[str, str, str, str], Array]:
    """Draws of every effect, ``(draw,)``, as they stand behind the results of the run."""
    evidence = _evidence(one)
    surface = evidence.surface("observed", default_levels(evidence.design))
    found = {}
    for capital in CAPITALS:
        for measure, values in (
            ("average_marginal_effect", surface.marginal[capital]),
            ("contrast", surface.contrast[capital]),
        ):
            for by in ("all", "industry"):
                for column, label in evidence.columns(by):
                    found[capital, measure, by, label] = values[:, column]
    return found


def _evidence(one: _Opened) -> Evidence:
    """Evidence of a run; of several forms, the mixture that its effects were computed from."""
    comparison = one.results.comparison
    if comparison is None:
        return evidence_of(Fitted(open_design(one.directory), one.directory.load_posterior()))
    runs = one.directory.forms()
    forms = []
    for row in comparison.forms:
        run = runs[row.form]
        evidence = evidence_of(Fitted(open_design(run), run.load_posterior()))
        forms.append(Weighed(row.form, row.weight, evidence, (), row.gate_passed))
    return Averaged(forms)


def write_compared(results: Compared, directory: Path) -> None:
    """Write ``compare.json``, ``compare.csv`` (effects and differences) and ``compare.html``."""
    from bayescluster.report.pages.compare import csv_text, page_text

    write_text(directory / "compare.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "compare.csv", csv_text(results))
    write_text(directory / "compare.html", page_text(results))
