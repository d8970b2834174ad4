"""The quantities whose ranks are looked at: parameters, estimands, and the joint log likelihood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.words import CAPITAL_WORDS, CORNER_WORDS
from bayescluster.inference.reported import reported_variables
from bayescluster.model.evaluate import Array, log_likelihood
from bayescluster.names import CAPITALS, CHAIN, DRAW, group_correlation, group_effect
from bayescluster.results.calibration import QuantityKind

MEMBERS_MAX: Final = 6
"""Effects of groupings with more groups than this are looked at by their spread, not one by one."""

LIKELIHOOD: Final = "joint log likelihood of the outcome"


class Quantity(NamedTuple):
    """A quantity at each draw, ``(draw,)``, the chains one after the other."""

    kind: QuantityKind
    name: str
    values: Array


def parameters(design: Design, group: xr.Dataset) -> list[Quantity]:
    """Parameters of a posterior or prior, and the spread of effects of many groups."""
    return [
        Quantity("parameter", name, values)
        for variable in reported_variables(design)
        for name, values in _parts(design, variable, group[variable])
    ]


def _parts(design: Design, name: str, found: xr.DataArray) -> Iterator[tuple[str, Array]]:
    shaped = found.stack(all_draws=(CHAIN, DRAW)).transpose("all_draws", ...)
    values = np.asarray(shaped.to_numpy(), dtype="float64")
    dims = [dim for dim in found.dims if dim not in (CHAIN, DRAW)]
    labels = [[str(label) for label in found[dim].to_numpy()] for dim in dims]
    for grouping in design.groupings:
        if name == design.variable(group_effect(grouping.name)) and len(labels[0]) > MEMBERS_MAX:
            for k, term in enumerate(labels[1]):
                yield f"spread of {name}[{term}]", values[:, :, k].std(axis=1)
            return
    triangle = {design.variable(group_correlation(each.name)) for each in design.groupings}
    for place in np.ndindex(*values.shape[1:]):
        # a correlation matrix says everything below its diagonal
        if name in triangle and place[0] <= place[1]:
            continue
        inside = ", ".join(part[k] for part, k in zip(labels, place, strict=True))
        yield f"{name}[{inside}]" if inside else name, values[(slice(None), *place)]


def estimands(evidence: Evidence) -> list[Quantity]:
    """Effects and corners that a report has for all firms and each industry, and the likelihood."""
    design, draws = evidence.design, evidence.posterior
    density = log_likelihood(design, draws).sum(axis=1)
    found = [Quantity("likelihood", LIKELIHOOD, density)]
    if not design.has_capitals:
        return found
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
