"""Design analysis: how often each verdict would be right, at the user's own firms and at other sizes.

Outcomes are simulated from every form with parameters from its prior, the analysis is fitted to
them, and its verdicts are set beside what was true. Each replication is a file of its own; what is
there is not made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.design.record import Design
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.repeated import Repeated
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.results.base import INTERVAL
from bayescluster.results.design_analysis import (
    DESIGN_VERSION,
    TRUE_FORM,
    DesignAnalysis,
    Replication,
)
from bayescluster.runs.atomic import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.lock import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import StructureName
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.design_analysis.notes import design_notes
from bayescluster.workflow.design_analysis.plan import (
    DESIGN_STREAM,
    FORMS,
    OUTCOME_STREAM,
    PRIOR_STREAM,
    REFIT_STREAM,
    Options,
    Plan,
    Size,
    plan_of,
    sizes_of,
)
from bayescluster.workflow.design_analysis.summary import (
    ENOUGH,
    Sized,
    design_rows,
    failures,
    needed,
)
from bayescluster.workflow.design_analysis.truths import form_design, seed_of, truths
from bayescluster.workflow.prepare import model_key_of
from bayescluster.workflow.replication import (
    RHAT_MAX,
    Fitter,
    Truth,
    judged_replication,
    simulated,
)
from bayescluster.workflow.resumed import in_threads, kept
from bayescluster.workflow.watch import CountingWatch, Silent

FOLDER: Final = "design"
REPLICATIONS: Final = "replications"
TARGET_ACCEPT: Final = 0.9
PRIOR_DRAWS: Final = 200
"""Prior draws of the refitted form: no verdict rests on them."""


class Finished(NamedTuple):
    """A design analysis, and where its files are."""

    directory: Path
    results: DesignAnalysis


class _Case(NamedTuple):
    """A replication: the form that is true, the form that is fitted, and its number."""

    truth: StructureName
    fitted: StructureName
    number: int

    def path(self, directory: Path, size: Size) -> Path:
        """Place of its file."""
        folder = directory / REPLICATIONS / size.name / f"{self.truth}-as-{self.fitted}"
        return folder / f"{self.number:03d}.json"


def analyse_design(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished:
    """Simulate, refit and judge, and write what comes of it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Forms, replications, sizes and settings.
    root
        Folder of the runs.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Replications that were finished before are kept.
    """
    watch = watch or Silent()
    watch.step("Reading the firms")
    plan = plan_of(source, options or Options())
    key = _key(plan)
    directory = RunDirectory.create(Path(root) / plan.analysis.name, FOLDER, key).path
    with locked(directory):
        sized = []
        for size in sizes_of(plan):
            _make(plan, size, directory, watch)
            found = [_kept(case.path(directory, size)) for case in _cases(plan)]
            sized.append(Sized(size.facts, tuple(each for each in found if each is not None)))
        results = _results(plan, key, sized)
        write_design(results, directory)
    return Finished(directory, results)


def _key(plan: Plan) -> str:
    asked, truth = plan.options, plan.analysis.design.truths
    settings = {
        "version": DESIGN_VERSION,
        "seed": plan.seed,
        "draws": asked.draws,
        "tune": asked.tune,
        "chains": asked.chains,
        "truths": None if truth is None else truth.model_dump(),
    }
    return design_key(plan.analysis, plan.own[0].details.digest, settings)


def _cases(plan: Plan) -> Iterator[_Case]:
    for truth in plan.forms:
        own = [design.equation.form for design in plan.own]
        for fitted in own if plan.options.fit == "own" else [truth]:
            for number in range(plan.options.replications):
                yield _Case(truth, fitted, number)


def _kept(path: Path) -> Replication | None:
    """A replication that is there; a file that cannot be understood counts as none."""
    return kept(path, Replication, DESIGN_VERSION)


def _make(plan: Plan, size: Size, directory: Path, watch: CountingWatch) -> None:
    """Make the replications of a size that are not there."""
    cases = list(_cases(plan))
    pending = [case for case in cases if _kept(case.path(directory, size)) is None]
    what = size_words(size)
    if not pending:
        watch.step(f"{what}: all replications are there already")
        return
    fitters: dict[StructureName, Fitter] = {}
    for form in dict.fromkeys(case.fitted for case in pending):
        watch.step(f"{what}: compiling {form}")
        fitters[form] = _fitter(plan, size, form)
    drawn: dict[StructureName, tuple[Design, Draws]] = {}
    for form in dict.fromkeys(case.truth for case in pending):
        watch.step(f"{what}: drawing truths of {form}")
        design = form_design(plan, size, form)
        drawn[form] = design, truths(plan, size, design)
    found = f" ({len(cases) - len(pending)} kept from before)" if len(pending) < len(cases) else ""
    watch.step(f"{what}: {len(pending)} replications{found}")

    def work(case: _Case) -> None:
        design, all_truths = drawn[case.truth]
        truth = Truth(design, all_truths.part(np.array([case.number])))
        made = _replication(plan, size, case, truth, fitters[case.fitted])
        write_text(case.path(directory, size), made.model_dump_json(indent=1) + "\n")

    watch.count("replications", 0, len(pending))
    for done in in_threads(work, pending, plan.options.jobs):
        watch.count("replications", done, len(pending))


def _fitter(plan: Plan, size: Size, form: StructureName) -> Fitter:
    design = form_design(plan, size, form)
    seed = seed_of(plan, PRIOR_STREAM, *size.stream)
    prior = sample_prior(design, build_model(design), reported_variables(design), PRIOR_DRAWS, seed)
    return Fitter(Repeated(design), draws_of(design, prior))


def _replication(plan: Plan, size: Size, case: _Case, truth: Truth, fitter: Fitter) -> Replication:
    place = (FORMS.index(case.truth), *size.stream, case.number)
    rng = np.random.default_rng((plan.seed, DESIGN_STREAM, OUTCOME_STREAM, *place))
    asked = plan.options
    sampling = Sampling(
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=seed_of(plan, REFIT_STREAM, *place),
        target_accept=TARGET_ACCEPT,
    )
    return judged_replication(truth, fitter, case.number, simulated(truth, rng), sampling)


def size_words(size: Size) -> str:
    """Name a size by what is in it."""
    facts = size.facts
    inside = f" in {facts.clusters:,} clusters" if facts.clusters else ""
    return f"{facts.firms:,} firms{inside}"


def _results(plan: Plan, key: str, sized: Sequence[Sized]) -> DesignAnalysis:
    asked, analysis = plan.options, plan.analysis
    one_fit = TRUE_FORM if asked.fit == "true" else ""
    rows = design_rows(sized, one_fit)
    fitted = (one_fit,) if one_fit else tuple(design.equation.form for design in plan.own)
    return DesignAnalysis(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=key,
        model_key=model_key_of(analysis, plan.own),
        synthetic=plan.own[0].details.synthetic,
        outcome=analysis.equation.outcome,
        level=analysis.traditions.level,
        enough=ENOUGH,
        interval=INTERVAL,
        forms=plan.forms,
        fitted=fitted,
        replications=asked.replications,
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=plan.seed,
        rhat_max=RHAT_MAX,
        sizes=tuple(one.size for one in sized),
        rows=rows,
        needed=needed(sized, rows),
        failures=failures(sized),
        notes=tuple(design_notes(plan)),
    )


def write_design(results: DesignAnalysis, directory: Path) -> None:
    """Write ``design.json``, ``design.csv`` and ``design.html``."""
    from bayescluster.report.pages.design import csv_text, page_text

    write_text(directory / "design.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "design.csv", csv_text(results))
    write_text(directory / "design.html", page_text(results))
