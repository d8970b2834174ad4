"""Ceiling models of a continuous outcome: which are fitted, over which scope, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bayescluster.spec.base import Frozen
from bayescluster.spec.data import Capital

CeilingModelName = Literal["ratio", "composed", "contaminated"]


class Limits(Frozen):
    """Lowest and highest value of an axis of the scope, in its own units."""

    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Limits:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class CeilingScope(Frozen):
    """Limits of the axes; those that are left out are the least and largest value in the data.

    A capital's are in the units of its construct, the outcome's in those of its column.
    """

    human_capital: Limits | None = None
    social_capital: Limits | None = None
    outcome: Limits | None = None


class CeilingModels(Frozen):
    """Multilevel models of the ceiling of an outcome over each capital."""

    models: Annotated[tuple[CeilingModelName, ...], Field(min_length=1)] = ("ratio",)
    """``ratio``: firms reach a share of a hard ceiling; ``composed``: with noise in the outcome;
    ``contaminated``: a few firms may stand above. Those fitted are compared by leave-one-out
    prediction, and every number is given under each."""
    capitals: Annotated[tuple[Capital, ...], Field(min_length=1)] = (
        "human_capital",
        "social_capital",
    )
    scope: CeilingScope = CeilingScope()
    floor: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.02
    """Least ceiling, as a share of the scope of the outcome."""
    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    """Draws kept in each chain."""
    tune: Annotated[int, Field(ge=10, le=100_000)] = 1000
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.95

    @model_validator(mode="after")
    def _each_once(self) -> CeilingModels:
        for key in ("models", "capitals"):
            names = getattr(self, key)
            if len(set(names)) < len(names):
                raise ValueError(f"{key} names one twice")
        return self
