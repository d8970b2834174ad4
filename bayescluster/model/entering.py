"""What enters the equations of a model, with imputed values in the place of missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescluster.design.gaps import Configurations, Gap, enters
from bayescluster.design.record import Design
from bayescluster.names import CAPITALS, PREDICTOR_CENTER, PREDICTOR_SCALE


class Inputs(NamedTuple):
    """What enters the equations of a model.

    ``capitals`` are ``(row,)``; ``continuous`` holds, by gap, the variable of its missing cells, an
    outcome's on its own scale; ``cases`` the combinations of discrete values, where any is missing.
    """

    gaps: tuple[Gap, ...]
    capitals: tuple[Any, Any]
    continuous: dict[str, Any]
    cases: Configurations | None
    codes: dict[str, Any]
    """Codes of discrete inputs in each case, ``(case,)``."""
    densities: list[Any]
    """Log densities of the cases, ``(case,)`` each: their sum is that of all that is summed out."""


class Entering(NamedTuple):
    """What enters one equation, one a row, or one a case where ``row`` says which row a case is of.

    ``added`` holds imputed values by control or predictor, 0 where the value is known.
    """

    human: Any
    social: Any
    added: Mapping[str, Any]
    row: NDArray[np.int64] | None

    def spread(self, values: Any) -> Any:
        """Values of the rows, as the equation takes them; what is the same for all stays so."""
        return values if self.row is None or np.ndim(values) == 0 else values[self.row]


def entering(equation: Design, made: Inputs) -> Entering:
    """What enters one equation, with imputed values in the place of missing ones."""
    mine = [gap for gap in made.gaps if enters(gap, equation)]
    cases = made.cases if any(gap.levels for gap in mine) else None
    row = None if cases is None else cases.row
    capitals = dict(zip(CAPITALS, made.capitals, strict=True))
    if row is not None:
        capitals = {name: values[row] for name, values in capitals.items()}
    added: dict[str, Any] = {}
    for gap in mine:
        if gap.levels:
            assert cases is not None
            missing = gap.missing[cases.row]
            if gap.place == "capital":
                capitals[gap.name] = levels_at(gap, made.codes[gap.name])
            elif gap.name != equation.equation_name:
                values = np.array(gap.levels)[cases.codes[gap.name]]
                added[gap.name] = np.where(missing, values, 0.0)
        elif gap.place != "capital" and gap.name != equation.equation_name:
            cells = _as_it_enters(equation, gap, made.continuous[gap.name])
            whole = pt.set_subtensor(pt.zeros(equation.size)[gap.rows], cells)
            added[gap.name] = whole if row is None else whole[row]
    return Entering(capitals[CAPITALS[0]], capitals[CAPITALS[1]], added, row)


def levels_at(gap: Gap, codes: Any) -> Any:
    """Values of a discrete gap at codes, which are numbers or a variable of the graph."""
    levels = np.array(gap.levels)
    return levels[codes] if isinstance(codes, np.ndarray) else pt.as_tensor_variable(levels)[codes]


def _as_it_enters(equation: Design, gap: Gap, cells: Any) -> Any:
    """Outcomes on the scale on which they enter another equation; inputs as they are."""
    if gap.place != "outcome":
        return cells
    position = equation.equation.predictors.index(gap.name)
    center, scale = (
        float(equation.data[name].to_numpy()[position])
        for name in (PREDICTOR_CENTER, PREDICTOR_SCALE)
    )
    return (cells - center) / scale
