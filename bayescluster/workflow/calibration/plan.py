"""What a calibration is asked for, and why some analyses cannot have one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.workflow.design_analysis.plan import Size, size_of, size_problems
from bayescluster.workflow.prepare import Asked, asked, designs_of

CALIBRATION_STREAM: Final = 31
"""Keeps the random streams of calibration apart from all others."""
SIZE_STREAM, TRUTH_STREAM, OUTCOME_STREAM, REFIT_STREAM, PRIOR_STREAM, RANK_STREAM = range(6)
"""What a stream of it is for."""

REPLICATIONS_MAX: Final = 1000
"""Truths that are drawn from the prior, whatever the number of replications."""


class Options(NamedTuple):
    """What is asked for on the command line."""

    replications: int = 100
    firms: float = 1.0
    clusters: float = 1.0
    draws: int = 500
    tune: int = 500
    chains: int = 2
    seed: int | None = None
    """That of the analysis without it."""
    jobs: int | None = None
    """As many as there are cores without it."""


class Plan(NamedTuple):
    """An analysis that can be simulated: the design of each of its forms, and what is asked for."""

    question: Asked
    own: tuple[Design, ...]
    options: Options
    seed: int

    @property
    def analysis(self) -> Analysis:
        """The analysis with all its forms."""
        return self.question.analysis

    def seed_of(self, stream: int, *further: int) -> int:
        """Seed of one use of chance."""
        entropy = (self.seed, CALIBRATION_STREAM, stream, *further)
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])

    def size(self) -> Size:
        """The firms that outcomes are simulated for."""
        firms, clusters = self.options.firms, self.options.clusters
        times = (round(1000 * firms), round(1000 * clusters))
        entropy = (self.seed, CALIBRATION_STREAM, SIZE_STREAM, *times)
        return size_of(self.own[0], firms, clusters, np.random.default_rng(entropy))


class CalibrationError(ConfigError):
    """An analysis that cannot be calibrated, or options that cannot be understood."""

    title = "This cannot be calibrated by simulation"


def plan_of(source: object, options: Options) -> Plan:
    """Read an analysis and its firms, and refuse what cannot be simulated from its own prior.

    Raises
    ------
    ConfigError
        If the analysis or the options cannot be understood, or cannot be simulated.
    DataError
        If the data are not there, or do not fit the analysis.
    """
    question = asked(source)  # type: ignore[arg-type]
    problems = [
        *_unsimulated(question.analysis, question.where),
        *_options(options, question.analysis),
    ]
    if problems:
        raise CalibrationError(problems)
    own = designs_of(question)
    seed = question.analysis.sampling.seed if options.seed is None else options.seed
    return Plan(question, own, options, seed)


def _unsimulated(analysis: Analysis, where: Where) -> Iterator[Problem]:
    for column in ("weight", "cluster_weight"):
        if getattr(analysis.data, column) is not None:
            yield Problem(
                "a likelihood raised to survey weights is that of no outcome that could be simulated",
                where(("data", column)),
                "leave the weights out for it: that calibrates the model of the firms as sampled",
            )


def _options(options: Options, analysis: Analysis) -> Iterator[Problem]:
    if not 1 <= options.replications <= REPLICATIONS_MAX:
        yield Problem(
            f"{options.replications} replications",
            "--replications",
            f"ask for 1 to {REPLICATIONS_MAX}",
        )
    yield from size_problems((options.firms,), (options.clusters,), analysis)
