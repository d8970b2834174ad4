"""Which universes a sweep has, which of them can be fitted, and what they would cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.design.record import Design
from bayescluster.design.semantics import check_semantics
from bayescluster.errors import ConfigError, DataError, Problem
from bayescluster.results.model import Results
from bayescluster.runs.layout import MANIFEST, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.multiverse import DIMENSIONS, Multiverse
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.multiverse.alternatives import (
    Alternative,
    Made,
    changed,
    declared_alternatives,
    default_alternatives,
    where_of,
)
from bayescluster.workflow.prepare import (
    Asked,
    asked,
    designs_of,
    fitted_analysis,
    key_of,
    model_key_of,
)
from bayescluster.workflow.run import key_of_results

FOLDER: Final = "sweep"
UNIVERSES: Final = "universes"
"""Folder of the runs of universes, beside the sweeps of an analysis."""
BASE: Final = "as declared"
"""Name of the analysis as it is."""


class Options(NamedTuple):
    """What is asked for on the command line; what is left out is as in the analysis."""

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    jobs: int | None = None
    """Universes that are fitted at once, each in a process of its own where there are several; as many
    as have cores for all their chains without it."""


class Fit(NamedTuple):
    """A universe that can be fitted."""

    question: Asked
    run: RunDirectory
    key: str
    """Key of the fit."""
    results_key: str
    place: str
    """Its directory, from the folder of the runs."""
    rows: int
    firms: int

    @property
    def is_fitted(self) -> bool:
        """Whether the posterior is there."""
        several = len(self.question.analysis.equation.structure) > 1
        stage: StageName = "forms" if several else "posterior"
        return (self.run.path / MANIFEST).is_file() and self.run.is_done(stage, self.key)

    @property
    def results(self) -> Results | None:
        """Its results, where they are there."""
        there = (self.run.path / MANIFEST).is_file()
        if there and self.run.is_done("results", self.results_key):
            return self.run.load_results()
        return None


class Universe(NamedTuple):
    """The analysis with some choices made otherwise; with none it is the analysis as it is."""

    choices: tuple[Alternative, ...]
    fit: Fit | None
    """Nothing where it cannot be fitted."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot."""

    @property
    def name(self) -> str:
        """Its choices by name."""
        return name_of(self.choices)


class Plan(NamedTuple):
    """Every universe of a sweep, the analysis as it is first."""

    question: Asked
    multiverse: Multiverse
    declared: bool
    """Whether the alternatives are those of the analysis file."""
    run_key: str
    """Key of the fit of the analysis as it stands in the file."""
    model_key: str
    """Key of its model, however it is sampled."""
    synthetic: bool
    sampling: Sampling
    universes: tuple[Universe, ...]

    @property
    def analysis(self) -> Analysis:
        """The analysis as it stands in the file."""
        return self.question.analysis

    @property
    def pending(self) -> tuple[Fit, ...]:
        """What is still to be fitted or computed, each fit once."""
        found = {
            each.fit.run.path: each.fit
            for each in self.universes
            if each.fit is not None and each.fit.results is None
        }
        return tuple(found.values())


class SweepError(ConfigError):
    """An analysis that cannot be swept, or options that cannot be understood."""

    title = "There is no sweep of this"


def plan_of(source: Analysis | Path | str, root: Path, options: Options) -> Plan:
    """Read an analysis and work out its universes; nothing is fitted.

    Raises
    ------
    ConfigError, DataError
        If the analysis as it is cannot be fitted. A universe that cannot is listed instead.
    """
    question = asked(source)
    analysis = question.analysis
    if analysis.equation.structure == ("intercept",):
        place = question.where(("equations", analysis.equation_name, "structure"))
        raise SweepError(
            Problem(
                "structure 'intercept' uses neither capital: there is no claim to judge",
                place,
                "choose another structure",
            )
        )
    designs = designs_of(question)
    block = analysis.multiverse or Multiverse()
    declared = bool(block.alternatives)
    alternatives = tuple(
        declared_alternatives(block, analysis)
        if declared
        else default_alternatives(designs[0], analysis)
    )
    sets = _checked(_sets(alternatives, block), block, question)
    sampling = _sampling(analysis.sampling, options)
    base = Plan(
        question,
        block,
        declared,
        _key(analysis, designs),
        model_key_of(analysis, designs),
        designs[0].details.synthetic,
        sampling,
        (),
    )
    return base._replace(universes=tuple(_universe(base, choices, root) for choices in sets))


def name_of(choices: Sequence[Alternative]) -> str:
    """Name of a universe: its choices, or that there are none."""
    return ", ".join(f"{one.dimension}: {one.name}" for one in choices) or BASE


def _sets(alternatives: Sequence[Alternative], block: Multiverse) -> list[tuple[Alternative, ...]]:
    """Sets of choices, that of the analysis as it is first."""
    if block.combine == "one_at_a_time":
        return [(), *((one,) for one in alternatives)]
    groups = [
        [None, *(one for one in alternatives if one.dimension == dimension)]
        for dimension in DIMENSIONS
    ]
    found = [tuple(one for one in some if one is not None) for some in product(*groups)]
    return sorted(found, key=len)


def _checked(
    sets: list[tuple[Alternative, ...]], block: Multiverse, question: Asked
) -> list[tuple[Alternative, ...]]:
    """Refuse more universes than the cap allows, as a set by default can be too."""
    if len(sets) <= block.cap:
        return sets
    raise SweepError(
        Problem(
            f"{len(sets):,} universes by default, and cap allows {block.cap:,}: each is a fit",
            question.where(("multiverse", "cap")),
            "declare alternatives of your own under `multiverse:`, or raise cap",
        )
    )


def _sampling(stated: Sampling, options: Options) -> Sampling:
    given = {name: getattr(options, name) for name in ("draws", "tune", "chains")}
    update = {name: value for name, value in given.items() if value is not None}
    return Sampling.model_validate(stated.model_dump() | update)


def _universe(plan: Plan, choices: tuple[Alternative, ...], root: Path) -> Universe:
    directory, where = plan.question.directory, plan.question.where
    analysis = plan.analysis.model_copy(update={"sampling": plan.sampling})
    place = where_of(where, choices, analysis)
    made = Made(lambda one: designs_of(Asked(one, directory, place)), place)
    try:
        analysis = changed(analysis, choices, made)
        check_semantics(analysis, place)
        question = Asked(analysis, directory, place)
        designs = designs_of(question)
    except (ConfigError, DataError) as error:
        if not choices:
            raise
        return Universe(choices, None, error.problems)
    return Universe(choices, _fit(plan, question, designs, root))


def _fit(plan: Plan, question: Asked, designs: Sequence[Design], root: Path) -> Fit:
    analysis, key = question.analysis, _key(question.analysis, designs)
    run = _run(plan, root, analysis, key)
    return Fit(
        question,
        run,
        key,
        key_of_results(key, analysis),
        run.path.relative_to(root).as_posix(),
        designs[0].size,
        int(np.unique(designs[0].firms).size),
    )


def _run(plan: Plan, root: Path, analysis: Analysis, key: str) -> RunDirectory:
    """Directory of a universe: that of an ordinary run of it, or one among those of sweeps.

    Runs that nobody asked for by themselves stay out of the folder of the analysis, where the newest
    run is taken for the one that is meant.
    """
    ordinary = root / analysis.name / key
    if key == plan.run_key or (ordinary / MANIFEST).is_file():
        return RunDirectory(ordinary)
    return RunDirectory(root / analysis.name / FOLDER / UNIVERSES / key)


def _key(analysis: Analysis, designs: Sequence[Design]) -> str:
    return key_of(fitted_analysis(analysis, designs), designs[0])
