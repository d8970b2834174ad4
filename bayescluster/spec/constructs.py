"""How a capital is made from the answers of a survey."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from bayescluster.spec.base import Column, Frozen

Capital = Literal["human_capital", "social_capital"]
CAPITALS: tuple[Capital, ...] = ("human_capital", "social_capital")


class Indicator(Frozen):
    """One answer that measures a construct."""

    column: Column
    direction: Literal["positive", "negative"] = "positive"
    """``negative`` where a high answer means little of the construct."""
    transform: Literal["none", "log", "log1p", "sqrt"] = "none"
    kind: Literal["continuous", "ordinal"] | None = None
    """For ``latent``: how the answer is measured. Columns of 0 and 1 are binary, others continuous."""


def _indicator_tag(value: Any) -> str:
    return "column" if isinstance(value, str) else "indicator"


IndicatorLike = Annotated[
    Annotated[Column, Tag("column")] | Annotated[Indicator, Tag("indicator")],
    Discriminator(_indicator_tag),
]


class Construct(Frozen):
    """A construct and the indicators it is measured by.

    Its score is put on mean 0 and standard deviation 1 (a single 0/1 indicator is centred only):
    priors, effects and levels are stated on that scale.
    """

    indicators: tuple[IndicatorLike, ...] = Field(min_length=1)
    method: Literal["single", "mean", "pca", "latent"]
    """``single``: the indicator itself; ``mean``: of the standardised indicators; ``pca``: first
    component; ``latent``: measured in the model, so that its error reaches every estimate."""
    minimum_answered: Annotated[int, Field(ge=1)] | None = None
    """For ``mean``: how many indicators a firm must have answered; all of them without it."""

    @property
    def items(self) -> tuple[Indicator, ...]:
        """The indicators, each in its long form."""
        return tuple(
            Indicator(column=item) if isinstance(item, str) else item for item in self.indicators
        )

    @model_validator(mode="after")
    def _method_fits(self) -> Construct:
        count, minimum = len(self.indicators), self.minimum_answered
        if self.method == "single" and count != 1:
            raise ValueError(
                f"method 'single' takes exactly one indicator, {count} given; use 'mean' or 'pca'"
            )
        if self.method in ("pca", "latent") and count < 2:
            raise ValueError(f"method '{self.method}' takes at least two indicators; use 'single'")
        if self.method != "latent" and any(item.kind is not None for item in self.items):
            raise ValueError("kind goes with method 'latent' only")
        if minimum is not None and self.method != "mean":
            raise ValueError("minimum_answered goes with method 'mean' only")
        if minimum is not None and minimum > count:
            raise ValueError(f"minimum_answered is {minimum}, but there are {count} indicators")
        columns = [item.column for item in self.items]
        if len(set(columns)) < count:
            raise ValueError("an indicator is listed twice")
        return self
