"""Finished runs side by side: effects, corners, verdicts, and differences where posteriors allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.app.report import open_design
from bayescluster.errors import Problem, RunError
from bayescluster.estimands.levels import default_levels
from bayescluster.inference.watch import CountingWatch
from bayescluster.names import ROW
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import Results
from bayescluster.runs.keys import hash_of
from bayescluster.runs.layout import FORMS
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.compare.compute import (
    EffectDraws,
    Firms,
    corner_rows,
    differences,
    effect_rows,
    notes_of,
    pairs_of,
    run_facts,
    verdict_rows,
    warnings_of,
)
from bayescluster.studies.compare.results import COMPARED_VERSION, Compared
from bayescluster.studies.compare.settings import differing
from bayescluster.studies.compare.view import csv_tables, page_text, printed
from bayescluster.studies.engine import Study
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import Averaged, WeightedForm

NAME: Final = "compare"


class Options(NamedTuple):
    """Folder below which a comparison is written: that of the first run where none is given."""

    out: Path | None = None


class CompareError(RunError):
    """Runs that cannot be compared."""

    title = "These runs cannot be compared"


class FinishedRun(NamedTuple):
    """A run, its analysis and results, the key of these, and the identifiers of its firms."""

    directory: RunDirectory
    analysis: Analysis
    results: Results
    key: str
    firms: Firms


@dataclass(frozen=True)
class Plan:
    """The runs that are compared, and the folder below which the comparison is written."""

    runs: tuple[FinishedRun, ...]
    home: Path

    @cached_property
    def key(self) -> str:
        """Key of the results of the runs, in their order."""
        keys = [[run.results.reproduction.key, run.key] for run in self.runs]
        return hash_of({"study": NAME, "version": COMPARED_VERSION, "runs": keys})


def plan_of(paths: Sequence[Path | str], options: Options, root: Path) -> Plan:
    """Open run directories, or of folders of analyses the newest runs.

    ``root`` is where the comparison goes if the first run is in no folder of runs.

    Raises
    ------
    RunError
        If there is only one run, or runs are missing, unfinished or altered; every problem is reported.
    """
    problems: list[Problem] = []
    if len(paths) < 2:
        named = str(paths[0]) if paths else ""
        mend = "name two or more, such as: bayescluster compare runs/ONE runs/OTHER"
        problems.append(Problem("a single run has nothing to be compared with", named, mend))
    runs: list[FinishedRun] = []
    for path in map(Path, paths):
        try:
            run = _finished(path)
        except RunError as error:
            problems += error.problems
            continue
        place = run.directory.path.resolve()
        if any(place == other.directory.path.resolve() for other in runs):
            mend = "name each run once; of several runs of one analysis, give the directories"
            problems.append(Problem("this run is named twice", str(path), mend))
        runs.append(run)
    if problems:
        raise CompareError(dict.fromkeys(problems))
    return Plan(tuple(runs), options.out or _folder_of_runs(runs[0]) or root)


def _finished(path: Path) -> FinishedRun:
    directory = RunDirectory.open(path)
    results = directory.load_results()
    design = open_design(directory)
    manifest = directory.read_manifest()
    firms = None
    if design.analysis.data.firm is not None:
        labels = np.array(design.labels(ROW))
        _, first = np.unique(design.firms, return_index=True)
        repeated = first.size < design.size
        firms = frozenset(
            label.removesuffix(" #1") if repeated else label for label in labels[first].tolist()
        )
    return FinishedRun(
        directory, directory.analysis(), results, manifest.stages["results"].key, firms
    )


def _folder_of_runs(run: FinishedRun) -> Path | None:
    """Folder of the runs that a run is in; None where its directory was moved."""
    path = run.directory.path
    if path.parent.name == FORMS:  # nothing is written into a run that its manifest does not list
        return path.parents[3]
    return path.parents[1] if path.name == run.results.reproduction.key else None


def compared(plan: Plan, _directory: Path, watch: CountingWatch) -> Compared:
    """Match the results of the runs, and subtract effects where their posteriors allow it."""
    results = [run.results for run in plan.runs]
    facts = run_facts([(run.results, run.key) for run in plan.runs])
    pairs = pairs_of(facts, [run.firms for run in plan.runs])
    effects, verdicts = effect_rows(results), verdict_rows(results)

    @cache
    def draws(position: int) -> EffectDraws:
        watch.step(f"Reading the draws of {results[position].name}")
        return effect_draws(plan.runs[position])

    return Compared(
        key=plan.key,
        run_keys=tuple(each.reproduction.key for each in results),
        interval=INTERVAL,
        runs=facts,
        settings=differing(
            [run.analysis for run in plan.runs], len({run.data_digest for run in facts}) == 1
        ),
        effects=effects,
        corners=corner_rows(results),
        verdicts=verdicts,
        pairs=pairs,
        differences=tuple(differences(effects, pairs, draws)),
        warnings=tuple(one.text for one in warnings_of(facts, verdicts, pairs)),
        notes=tuple(notes_of(facts, pairs)),
    )


def effect_draws(run: FinishedRun) -> EffectDraws:
    """Draws of every effect, ``(draw,)``, from which the results of the run were computed."""
    evidence = _evidence(run)
    surface = evidence.surface("observed", default_levels(evidence.design))
    return {
        (capital, measure, by, label): values[capital][:, column]
        for measure, values in (
            ("average_marginal_effect", surface.marginal),
            ("contrast", surface.contrast),
        )
        for capital in values
        for by in evidence.kinds
        if by != "cluster"
        for column, label in evidence.columns(by)
    }


def _evidence(run: FinishedRun) -> Evidence:
    """Evidence of a run; of several forms, the mixture that its effects were computed from."""
    from bayescluster.app.collect import evidence_of

    comparison = run.results.comparison
    if comparison is None:
        return evidence_of(open_design(run.directory), run.directory.load_posterior())
    forms = run.directory.forms()
    weighed = []
    for row in comparison.forms:
        form = forms[row.form]
        evidence = evidence_of(open_design(form), form.load_posterior())
        weighed.append(WeightedForm(row.form, row.weight, evidence))
    return Averaged(weighed)


def _results(_: Plan, results: Compared) -> Compared:
    return results


compare_runs = Study(
    NAME,
    Options,
    plan_of,
    compared,
    _results,
    csv_tables,
    page_text,
    printed,
    "Opening the runs",
    notes=False,
)
"""Compare finished runs, and write what results."""
