"""Components of the explained variance under the R2D2M2 prior; see `bayescluster.model.variance`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.design.record import Design
from bayescluster.model.priors import population_terms


class Component(NamedTuple):
    """Something that may explain: ``level`` is population, controls or a grouping."""

    level: str
    term: str
    variance: float
    """Variance of its input over the rows."""

    @property
    def label(self) -> str:
        """Name along the dimension of the shares."""
        return f"{self.level}: {self.term}"


def variance_components(design: Design) -> tuple[Component, ...]:
    """Name everything the variance is shared among; nothing without the R2D2M2 prior."""
    if design.equation.priors.r2d2m2 is None:
        return ()
    inputs = _inputs(design)
    level = design.structure.level
    found = [
        Component(names.POPULATION, term, _variance(inputs[term]))
        for term in population_terms(design)
        if term != level
    ]
    found += [
        Component(names.CONTROLS, name, _variance(design.controls[:, k]))
        for k, name in enumerate(design.control_names)
    ]
    found += [
        Component(grouping.name, term, 1.0 if term == level else _variance(inputs[term]))
        for grouping in design.groupings
        for term in grouping.terms
    ]
    return tuple(found)


def _variance(values: NDArray[np.float64]) -> float:
    """Variance of what is known."""
    return float(values[np.isfinite(values)].var())


def _inputs(design: Design) -> dict[str, NDArray[np.float64]]:
    """What each slope multiplies, ``(row,)``."""
    human, social = design.capitals
    own = {
        names.HUMAN_CAPITAL: human,
        names.SOCIAL_CAPITAL: social,
        names.INTERACTION: human * social,
    }
    return own | dict(zip(design.equation.entering, design.predictors.T, strict=True))
