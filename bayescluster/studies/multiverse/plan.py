"""Universes of a sweep, which of them can be fitted, and what fitting them would cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bayescluster.app.fit import BLOCK
from bayescluster.app.prepare import (
    AnalysisSource,
    analysis_source,
    designs_of,
    fitted_analysis,
    key_of,
    model_key_of,
)
from bayescluster.app.run import key_of_results
from bayescluster.checks.remedies import with_settings
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, DataError, Problem, RunError
from bayescluster.features.problems import check_semantics
from bayescluster.results.model import Results
from bayescluster.runs.keys import hash_of
from bayescluster.runs.layout import MANIFEST, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.studies.multiverse.alternatives import (
    Alternative,
    changed,
    declared_alternatives,
    default_alternatives,
    name_of,
    where_of,
)
from bayescluster.studies.multiverse.results import MULTIVERSE_VERSION
from bayescluster.studies.multiverse.spec import DIMENSIONS, Multiverse

NAME: Final = "sweep"
UNIVERSES: Final = "universes"
"""Folder of the runs of universes, next to the sweeps of an analysis."""
STAGES: Final = ("sampling", "posterior", "forms", "results")
"""Stages of a run whose times make up that of a fit."""


class Options(NamedTuple):
    """Settings of the fits; those that are not given are as in the analysis."""

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    jobs: int | None = None
    """Universes that are fitted at once, each in a process of its own where there are several; without
    it, as many as have cores for all their chains."""


class Fit(NamedTuple):
    """The fit of a universe."""

    source: AnalysisSource
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
        """Whether its posterior is there."""
        several = len(self.source.analysis.equation.structure) > 1
        return self._is_done("forms" if several else "posterior", self.key)

    @property
    def results(self) -> Results | None:
        """Its results, where they are there."""
        return self.run.load_results() if self._is_done("results", self.results_key) else None

    def _is_done(self, stage: StageName, key: str) -> bool:
        return (self.run.path / MANIFEST).is_file() and self.run.is_done(stage, key)


class PlannedUniverse(NamedTuple):
    """The analysis with some choices made otherwise; with none it is the analysis as declared."""

    choices: tuple[Alternative, ...]
    fit: Fit | None
    """None where it cannot be fitted."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot be fitted."""

    @property
    def name(self) -> str:
        """Its choices by name."""
        return name_of(self.choices)

    @property
    def words(self) -> str:
        """What its choices are."""
        return "; ".join(choice.words for choice in self.choices) or "the analysis as declared"

    @property
    def state(self) -> str:
        """Whether it is fitted."""
        if self.fit is None:
            return "cannot be fitted"
        if self.fit.results is not None:
            return "there"
        return "fitted, without results" if self.fit.is_fitted else "to fit"


class Plan(NamedTuple):
    """Every universe of a sweep, that of the analysis as declared first."""

    source: AnalysisSource
    multiverse: Multiverse
    declared: bool
    """Whether the alternatives are those of the analysis file."""
    run_key: str
    """Key of the fit of the analysis in its file."""
    model_key: str
    """Key of its model, however it is sampled."""
    synthetic: bool
    sampling: Sampling
    jobs: int | None
    home: Path
    universes: tuple[PlannedUniverse, ...] = ()

    @property
    def analysis(self) -> Analysis:
        """The analysis in its file."""
        return self.source.analysis

    @property
    def key(self) -> str:
        """Key of the sweep."""
        keys = {each.name: each.fit and each.fit.results_key for each in self.universes}
        settings = {
            "version": MULTIVERSE_VERSION,
            "declared": self.declared,
            "combine": self.multiverse.combine,
        }
        return hash_of({"run": self.run_key, "universes": keys, "settings": settings})

    @property
    def pending(self) -> tuple[Fit, ...]:
        """Fits whose results are not there yet, each once."""
        fits = {each.fit.run.path: each.fit for each in self.universes if each.fit is not None}
        return tuple(fit for fit in fits.values() if fit.results is None)


class SweepError(ConfigError):
    """An analysis that cannot be swept, or options that cannot be understood."""

    title = "There is no sweep of this"


def plan_of(source: Analysis | Path | str, options: Options, root: Path) -> Plan:
    """Read an analysis and work out its universes; nothing is fitted.

    Raises
    ------
    ConfigError, DataError
        If the analysis as declared cannot be fitted. A universe that cannot is listed instead.
    """
    opened = analysis_source(source)
    analysis = opened.analysis
    if analysis.equation.structure == ("intercept",):
        raise SweepError(
            Problem(
                "structure 'intercept' uses neither capital: there is no claim to judge",
                opened.where(("equations", analysis.equation_name, "structure")),
                "choose another structure",
            )
        )
    designs = designs_of(opened)
    block = analysis.multiverse or Multiverse()
    declared = bool(block.alternatives)
    alternatives = tuple(
        declared_alternatives(block, analysis)
        if declared
        else default_alternatives(designs[0], analysis)
    )
    sets = _choice_sets(alternatives, block)
    if len(sets) > block.cap:  # a declared set was checked as it was read
        raise SweepError(
            Problem(
                f"{len(sets):,} universes by default, and cap allows {block.cap:,}: each is a fit",
                opened.where(("multiverse", "cap")),
                "declare alternatives of your own under `multiverse:`, or raise cap",
            )
        )
    given = {name: getattr(options, name) for name in ("draws", "tune", "chains")}
    plan = Plan(
        source=opened,
        multiverse=block,
        declared=declared,
        run_key=_fit_key(analysis, designs),
        model_key=model_key_of(analysis, designs),
        synthetic=designs[0].details.synthetic,
        sampling=Sampling.model_validate(
            # a time limit is of no use where draws are given
            analysis.sampling.model_dump(exclude={"minutes"} if options.draws else None)
            | {k: v for k, v in given.items() if v is not None}
        ),
        jobs=options.jobs,
        home=root / analysis.name,
    )
    return plan._replace(universes=tuple(_universe(plan, choices) for choices in sets))


def _choice_sets(
    alternatives: Sequence[Alternative], block: Multiverse
) -> list[tuple[Alternative, ...]]:
    """Sets of choices, that of the analysis as declared first."""
    if block.combine == "one_at_a_time":
        return [(), *((each,) for each in alternatives)]
    groups = [
        [None, *(each for each in alternatives if each.dimension == dimension)]
        for dimension in DIMENSIONS
    ]
    sets = [tuple(each for each in some if each is not None) for some in product(*groups)]
    return sorted(sets, key=len)


def _universe(plan: Plan, choices: tuple[Alternative, ...]) -> PlannedUniverse:
    analysis = plan.analysis.model_copy(update={"sampling": plan.sampling})
    directory, where = plan.source.directory, where_of(plan.source.where, choices, analysis)
    try:
        analysis = changed(
            analysis,
            choices,
            lambda each: designs_of(AnalysisSource(each, directory, where)),
            where,
        )
        check_semantics(analysis, where)
        source = AnalysisSource(analysis, directory, where)
        designs = designs_of(source)
    except (ConfigError, DataError) as error:
        if not choices:
            raise
        return PlannedUniverse(choices, None, error.problems)
    key = _fit_key(analysis, designs)
    run = _run(plan, key)
    fit = Fit(
        source=source,
        run=run,
        key=key,
        results_key=key_of_results(key, analysis),
        place=run.path.relative_to(plan.home.parent).as_posix(),
        rows=designs[0].size,
        firms=int(np.unique(designs[0].firms).size),
    )
    return PlannedUniverse(choices, fit)


def _fit_key(analysis: Analysis, designs: Sequence[Design]) -> str:
    return key_of(fitted_analysis(analysis, designs), designs[0])


def _run(plan: Plan, key: str) -> RunDirectory:
    """Directory of a universe: that of an ordinary run of it, or one among those of sweeps.

    Runs that nobody started by themselves stay out of the folder of the analysis, whose newest run is
    taken where only the folder is named.
    """
    ordinary = plan.home / key
    if key == plan.run_key or (ordinary / MANIFEST).is_file():
        return RunDirectory(ordinary)
    return RunDirectory(plan.home / NAME / UNIVERSES / key)


class Cost(NamedTuple):
    """What a sweep would still take."""

    universes: int
    fitted: int
    """Universes whose results are there."""
    refits: int
    unfitted: int
    """Universes that cannot be fitted."""
    draws: int
    """Draws of a refit, those for tuning included, over all chains."""
    seconds: float | None
    """Of all refits one after the other, by the time that the fit of the analysis took; None where it
    was never fitted."""


def cost_of(plan: Plan) -> Cost:
    """Count the fits that are still to be made, and estimate how long they would take."""
    refits = sum(not fit.is_fitted for fit in plan.pending)
    unfitted = sum(each.fit is None for each in plan.universes)
    draws = _draws(plan.sampling)
    once = _seconds(plan, draws)
    return Cost(
        universes=len(plan.universes),
        fitted=len(plan.universes) - unfitted - len(plan.pending),
        refits=refits,
        unfitted=unfitted,
        draws=draws,
        seconds=None if once is None else once * refits,
    )


def _draws(sampling: Sampling) -> int:
    """Draws of all chains, at least."""
    return sampling.chains * ((sampling.draws or BLOCK) + sampling.tune)


def _seconds(plan: Plan, draws: int) -> float | None:
    """Time of one fit, in proportion to the draws of the fit of the analysis, if there is one."""
    try:
        manifest = RunDirectory(plan.home / plan.run_key).read_manifest()
    except RunError:
        return None
    stages, settled = manifest.stages, manifest.settled
    made = with_settings(plan.analysis, settled.settings if settled else {}).sampling
    # a fit that settles its draws itself takes about as many as the first
    times = draws / _draws(made) if plan.sampling.draws else 1.0
    seconds = [stages[name].seconds for name in STAGES if name in stages]
    return sum(seconds) * times if seconds else None


def plan_json(plan: Plan) -> dict[str, Any]:
    """Universes and their cost as plain values."""
    return {
        "declared": plan.declared,
        "combine": plan.multiverse.combine,
        "run_key": plan.run_key,
        "cost": cost_of(plan)._asdict(),
        "universes": [
            {
                "name": universe.name,
                "choices": [choice.record.model_dump() for choice in universe.choices],
                "state": universe.state,
                "key": universe.fit and universe.fit.key,
                "run": universe.fit and universe.fit.place,
                "rows": universe.fit and universe.fit.rows,
                "problems": list(map(str, universe.problems)),
            }
            for universe in plan.universes
        ],
    }
