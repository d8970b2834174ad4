"""What a calibration is asked for, and why some analyses cannot have one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.app.prepare import AnalysisSource, analysis_source, designs_of
from bayescluster.arrays import Array
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.estimands.levels import default_levels
from bayescluster.features.learning.compute import learned, learning_estimands
from bayescluster.features.measurement.compute import (
    capital_correlation,
    omega,
    posterior_spread,
    standardised_loadings,
)
from bayescluster.inference.assemble import reported_variables
from bayescluster.model.evaluate import Draws, log_likelihood
from bayescluster.model.measurement import latent_capitals
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    DRAW,
    INDUSTRY,
    RESIDUAL_CORRELATION,
    ROW,
    group_correlation,
    group_effect,
    imputed,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.studies.calibration.results import QuantityKind
from bayescluster.studies.design_analysis.plan import Size, size_of, size_problems
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, CORNER_WORDS

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

    question: AnalysisSource
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
    question = analysis_source(source)  # type: ignore[arg-type]
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


MEMBERS_MAX: Final = 6
"""Effects of groupings with more groups than this are looked at by their spread, not one by one."""

LIKELIHOOD: Final = "joint log likelihood of the outcome"
LIKELIHOOD_OF_ALL: Final = "joint log likelihood of all outcomes"


class Quantity(NamedTuple):
    """A quantity at each draw, ``(draw,)``, the chains one after the other."""

    kind: QuantityKind
    name: str
    values: Array


class Reading(NamedTuple):
    """What quantities are read from: the equation in focus, and those beside it."""

    evidence: Evidence
    beside: tuple[Evidence, ...] = ()

    @property
    def systems(self) -> list[tuple[Design, Draws]]:
        """Every equation with its draws, that in focus first."""
        return [(each.design, each.posterior) for each in (self.evidence, *self.beside)]


def parameters(design: Design, group: xr.Dataset) -> list[Quantity]:
    """Parameters of a posterior or prior.

    Of effects of many groups, of latent capitals and of missing cells, a few numbers that say much of
    them.
    """
    found = [
        Quantity("parameter", name, values)
        for variable in reported_variables(design)
        for name, values in _parts(design, variable, group[variable])
    ]
    return found + [Quantity("parameter", *each) for each in _measured(design, group)]


def _parts(design: Design, name: str, found: xr.DataArray) -> Iterator[tuple[str, Array]]:
    shaped = found.stack(all_draws=(CHAIN, DRAW)).transpose("all_draws", ...)
    values = np.asarray(shaped.to_numpy(), dtype="float64")
    dims = [dim for dim in found.dims if dim not in (CHAIN, DRAW)]
    labels = [[str(label) for label in found[dim].to_numpy()] for dim in dims]
    if ROW in dims:
        yield from _by_industry(design, name, values)
        return
    if name in {imputed(gap.name) for gap in gaps(design)}:
        yield f"{name}[{labels[0][0]}]", values[:, 0]
        if len(labels[0]) > 1:
            yield f"mean of {name}", values.mean(axis=1)
        return
    if name in _of_groups(design, group_effect) and len(labels[0]) > MEMBERS_MAX:
        for k, term in enumerate(labels[1]):
            yield f"spread of {name}[{term}]", values[:, :, k].std(axis=1)
        return
    triangle = {RESIDUAL_CORRELATION, *_of_groups(design, group_correlation)}
    for place in np.ndindex(*values.shape[1:]):
        # a correlation matrix says everything below its diagonal
        if name in triangle and place[0] <= place[1]:
            continue
        inside = ", ".join(part[k] for part, k in zip(labels, place, strict=True))
        yield f"{name}[{inside}]" if inside else name, values[(slice(None), *place)]


def _of_groups(design: Design, name: Callable[[str], str]) -> set[str]:
    """Names that a variable of groupings has in any of the equations."""
    return {
        each.variable(name(grouping.name))
        for each in design.equations
        for grouping in each.groupings
    }


def _by_industry(design: Design, name: str, values: Array) -> Iterator[tuple[str, Array]]:
    """A latent capital, ``(draw, row)``: that of one firm, and its mean in each industry."""
    yield f"{name}[{design.labels(ROW)[0]}]", values[:, 0]
    index, labels = design.index(INDUSTRY), design.group_labels(INDUSTRY)
    # the mean over all firms is 0 in every draw
    for k, label in enumerate(labels if len(labels) > 1 else ()):
        yield f"mean of {name}[{label}]", values[:, index == k].mean(axis=1)


def _measured(design: Design, group: xr.Dataset) -> Iterator[tuple[str, Array]]:
    """What a report says of latent capitals: reliability, and how they go together."""
    latent = latent_capitals(design)
    for capital in latent:
        spread = posterior_spread(group, capital)
        loadings = standardised_loadings(design, group, capital, spread)
        yield f"reliability of {capital}", omega(loadings)
    if latent:
        yield "correlation of the capitals", capital_correlation(design, group)


def estimands(reading: Reading) -> list[Quantity]:
    """Effects and corners that a report has for all firms and each industry, and the likelihood."""
    density = [log_likelihood(design, draws).sum(axis=1) for design, draws in reading.systems]
    name = LIKELIHOOD_OF_ALL if reading.beside else LIKELIHOOD
    found = [Quantity("likelihood", name, np.sum(density, axis=0))]
    if reading.evidence.design.has_capitals:
        found += _in_focus(reading.evidence)
    system = learned(reading.systems)
    effects: Mapping[str, Array] = (
        dict(_beside(reading.beside)) if system is None else learning_estimands(system)
    )
    return found + [Quantity("effect", *item) for item in effects.items()]


def _beside(others: Sequence[Evidence]) -> Iterator[tuple[str, Array]]:
    """Marginal effects on the outcomes of the equations beside."""
    for each in others:
        if not each.design.has_capitals:
            continue
        surface = each.surface("observed", default_levels(each.design))
        for by in ("all", "industry"):
            for column, group in each.columns(by):
                label = "all firms" if by == "all" else group
                for capital, values in surface.marginal.items():
                    word = CAPITAL_WORDS[capital]
                    name = f"{each.design.equation_name}: average marginal effect: {word}, {label}"
                    yield name, values[:, column]


def _in_focus(evidence: Evidence) -> list[Quantity]:
    """Effects and corners of the equation in focus."""
    design, found = evidence.design, list[Quantity]()
    surface = evidence.surface("observed", default_levels(design))
    for by in ("all", "industry"):
        for column, group in evidence.columns(by):
            label = "all firms" if by == "all" else group
            for capital in CAPITALS:
                word = CAPITAL_WORDS[capital]
                for what, values in (
                    ("average marginal effect", surface.marginal[capital]),
                    ("contrast of low and high", surface.contrast[capital]),
                ):
                    name = f"{what}: {word}, {label}"
                    found.append(Quantity("effect", name, values[:, column]))
            for corner, values in surface.corners.items():
                name = f"corner with {CORNER_WORDS[corner]}, {label}"
                found.append(Quantity("corner", name, values[:, column]))
            cross = surface.cross_difference[:, column]
            found.append(Quantity("corner", f"cross difference, {label}", cross))
    return found
