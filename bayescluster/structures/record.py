"""What a structural form is: how the two capitals enter the linear predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """A structural form.

    Attributes
    ----------
    name
        Name in the analysis file.
    terms
        Coefficients of the form, each of which may vary by any grouping.
    contribution
        ``(human_capital, social_capital, coefficients) -> linear predictor``. Written with plain
        arithmetic, so that numpy arrays and PyTensor variables both pass through it: the model that
        is sampled and the estimands computed from it share one definition.
    formula
        The form in words of algebra, for reports.
    """

    name: str
    terms: tuple[str, ...]
    contribution: Callable[[Any, Any, Mapping[str, Any]], Any]
    formula: str
