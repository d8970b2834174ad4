"""The analysis: everything a user asks for, in one frozen value."""

from __future__ import annotations

from pydantic import Field, model_validator

from bayescluster.lookup import suggestion
from bayescluster.spec.base import Frozen, Name
from bayescluster.spec.constructs import CAPITALS, Capital, Construct
from bayescluster.spec.data import Data
from bayescluster.spec.design_analysis import DesignOptions
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.spec.multiverse import Multiverse
from bayescluster.spec.sampling import Report, Sampling
from bayescluster.spec.traditions import Traditions
from bayescluster.spec.weakest_node import WeakestNode


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
    equations: dict[Name, Equation] = Field(min_length=1)
    """One or several; the outcome of one may be a predictor in another."""
    focus: Name | None = None
    """The equation that hypotheses and effects speak about; the last one without it."""
    residual_correlation: tuple[Name, ...] = ()
    """Equations whose unexplained parts correlate: all of family probit, or all gaussian."""
    sampling: Sampling = Sampling()
    hypotheses: tuple[Hypothesis, ...] = ()
    traditions: Traditions = Traditions()
    """How four traditions read the claims of the claims table."""
    weakest_node: WeakestNode | None = None
    """Which capital holds each industry and cluster back; not asked without it."""
    report: Report = Report()
    design: DesignOptions = DesignOptions()
    """Of `bayescluster design` alone."""
    multiverse: Multiverse | None = None
    """Of `bayescluster sweep` alone: alternatives to refit under; a default set without it."""

    @property
    def equation(self) -> Equation:
        """The equation in focus."""
        return self.equations[self.equation_name]

    @property
    def equation_name(self) -> str:
        """Name of the equation in focus."""
        return self.focus or list(self.equations)[-1]

    def alone(self, name: str) -> Analysis:
        """The same analysis with one of its equations only."""
        return self.model_copy(update={"equations": {name: self.equations[name]}, "focus": None})

    @model_validator(mode="after")
    def _equations_agree(self) -> Analysis:
        named = {"residual_correlation": self.residual_correlation}
        named["focus"] = (self.focus,) if self.focus else ()
        for key, names in named.items():
            for name in names:
                if name not in self.equations:
                    raise ValueError(
                        f"{key} names '{name}', which is no equation; "
                        f"{suggestion(name, self.equations)}"
                    )
        if len(self.equations) > 1 and any(
            len(each.structure) > 1 for each in self.equations.values()
        ):
            raise ValueError(
                "several structural forms are compared for one equation at a time; "
                "leave one form in each equation, or one equation in the file"
            )
        return self

    @model_validator(mode="after")
    def _capitals_declared(self) -> Analysis:
        if all(each.structure == ("intercept",) for each in self.equations.values()):
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
