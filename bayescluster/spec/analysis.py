"""The analysis: everything a user asks for, in one frozen value."""

from __future__ import annotations

from pydantic import Field, model_validator

from bayescluster.spec.base import Frozen, Name
from bayescluster.spec.constructs import CAPITALS, Capital, Construct
from bayescluster.spec.data import Data
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.spec.sampling import Report, Sampling


class Analysis(Frozen):
    """An analysis file, read and checked for its form."""

    name: Name
    """Name of the analysis; its runs are kept under it."""
    description: str = ""
    """What is asked, in a sentence or two; printed in the report."""
    limits: tuple[str, ...] = ()
    """What these data and this mapping cannot say; printed in the report."""
    data: Data
    constructs: dict[Capital, Construct] = {}
    equations: dict[Name, Equation] = Field(min_length=1, max_length=1)
    sampling: Sampling = Sampling()
    hypotheses: tuple[Hypothesis, ...] = ()
    report: Report = Report()

    @property
    def equation(self) -> Equation:
        """The equation of the analysis."""
        return next(iter(self.equations.values()))

    @property
    def equation_name(self) -> str:
        """The name the user gave the equation."""
        return next(iter(self.equations))

    @model_validator(mode="after")
    def _capitals_declared(self) -> Analysis:
        if self.equation.structure == ("intercept",):
            if self.constructs or self.hypotheses:
                raise ValueError(
                    "structure 'intercept' uses neither capital: leave out constructs and hypotheses"
                )
            return self
        lacking = [name for name in CAPITALS if name not in self.constructs]
        if lacking:
            raise ValueError(
                f"constructs lacks {' and '.join(lacking)}; "
                f"structure '{self.equation.form}' uses both capitals"
            )
        return self
