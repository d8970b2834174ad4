"""Quantities that a calibration ranks: parameters, estimands, and the likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.features.learning.compute import learned, learning_estimands
from bayescluster.features.measurement.compute import (
    capital_correlation,
    omega,
    posterior_spread,
    standardised_loadings,
)
from bayescluster.inference.assemble import reported_variables
from bayescluster.model.evaluate import Draws, draws_of, log_likelihood
from bayescluster.model.measures import latent_capitals
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
from bayescluster.studies.calibration.results import QuantityKind
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, CORNER_WORDS

MEMBERS_MAX: Final = 6
"""Effects of groupings with more groups than this are summarised by their spread, not one by one."""

LIKELIHOOD: Final = "joint log likelihood of the outcome"
LIKELIHOOD_OF_ALL: Final = "joint log likelihood of all outcomes"


class Quantity(NamedTuple):
    """A quantity at each draw, ``(draw,)``, the chains one after the other."""

    kind: QuantityKind
    name: str
    values: Array


class Reading(NamedTuple):
    """What quantities are read from: the equation in focus, and the others."""

    evidence: Evidence
    others: tuple[Evidence, ...] = ()


def reading_of(
    design: Design,
    group: xr.Dataset,
    some: Callable[[Draws], Draws],
    prior: Draws | None,
    seed: int,
) -> Reading:
    """Read every equation from some of the draws of a group.

    Without a prior of the equation in focus they are their own, as are those of the others.
    """
    equations = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    drawn = [some(draws_of(each, group)) for each in equations]
    priors = [drawn[0] if prior is None else prior, *drawn[1:]]
    focus, *others = (Evidence(*each, seed) for each in zip(equations, drawn, priors, strict=True))
    return Reading(focus, tuple(others))


def parameters(design: Design, group: xr.Dataset) -> list[Quantity]:
    """Parameters of a posterior or prior.

    Of effects of many groups, of latent capitals and of missing cells, a few numbers that say much of
    them.
    """
    named = [
        pair
        for variable in reported_variables(design)
        for pair in _parts(design, variable, group[variable])
    ]
    return [Quantity("parameter", *pair) for pair in (*named, *_measured(design, group))]


def _parts(design: Design, name: str, variable: xr.DataArray) -> Iterator[tuple[str, Array]]:
    stacked = variable.stack(all_draws=(CHAIN, DRAW)).transpose("all_draws", ...)
    values = np.asarray(stacked.to_numpy(), dtype="float64")  # (draw, ...)
    dims = [dim for dim in variable.dims if dim not in (CHAIN, DRAW)]
    labels = [[str(label) for label in variable[dim].to_numpy()] for dim in dims]
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
    """Reliability of latent capitals, and how they go together."""
    latent = latent_capitals(design)
    for capital in latent:
        loadings = standardised_loadings(design, group, capital, posterior_spread(group, capital))
        yield f"reliability of {capital}", omega(loadings)
    if latent:
        yield "correlation of the capitals", capital_correlation(design, group)


def estimands(reading: Reading) -> list[Quantity]:
    """Effects and corners that a report has for all firms and each industry, and the likelihood."""
    systems = [(each.design, each.posterior) for each in (reading.evidence, *reading.others)]
    density = [log_likelihood(design, draws).sum(axis=1) for design, draws in systems]
    name = LIKELIHOOD_OF_ALL if reading.others else LIKELIHOOD
    found = [Quantity("likelihood", name, np.sum(density, axis=0))]
    if reading.evidence.design.has_capitals:
        found += _in_focus(reading.evidence)
    system = learned(systems)
    effects = _of_others(reading.others) if system is None else learning_estimands(system).items()
    return found + [Quantity("effect", *item) for item in effects]


def _of_others(others: tuple[Evidence, ...]) -> Iterator[tuple[str, Array]]:
    """Marginal effects on the outcomes of the other equations."""
    for each in others:
        if each.design.has_capitals:
            surface = each.surface("observed", default_levels(each.design))
            for column, label in _groups(each):
                for capital, values in surface.marginal.items():
                    effect = f"average marginal effect: {CAPITAL_WORDS[capital]}, {label}"
                    yield f"{each.design.equation_name}: {effect}", values[:, column]


def _groups(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Columns of all firms and of each industry, with their labels."""
    for by in ("all", "industry"):
        for column, group in evidence.columns(by):
            yield column, "all firms" if by == "all" else group


def _in_focus(evidence: Evidence) -> Iterator[Quantity]:
    """Effects and corners of the equation in focus."""
    surface = evidence.surface("observed", default_levels(evidence.design))
    for column, label in _groups(evidence):
        for capital in CAPITALS:
            about = f"{CAPITAL_WORDS[capital]}, {label}"
            marginal, contrast = surface.marginal[capital], surface.contrast[capital]
            yield Quantity("effect", f"average marginal effect: {about}", marginal[:, column])
            yield Quantity("effect", f"contrast of low and high: {about}", contrast[:, column])
        for corner, values in surface.corners.items():
            name = f"corner with {CORNER_WORDS[corner]}, {label}"
            yield Quantity("corner", name, values[:, column])
        cross = surface.cross_difference[:, column]
        yield Quantity("corner", f"cross difference, {label}", cross)
