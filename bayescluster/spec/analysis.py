"""The analysis: everything a user asks for, in one frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from bayescluster.features.causes.spec import Causes
from bayescluster.features.ceiling_models.spec import CeilingModels
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.features.sets.spec import Sets
from bayescluster.features.weakest_node.spec import WeakestNode
from bayescluster.lookup import suggestion
from bayescluster.spec.base import Frozen, Name, NonNegative
from bayescluster.spec.data import CAPITALS, Capital, Construct, Data
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import By, Hypothesis
from bayescluster.studies.design_analysis.spec import DesignOptions
from bayescluster.studies.multiverse.spec import Multiverse

MINUTES: Final = 10.0


class Sampling(Frozen):
    """Settings of the No-U-Turn sampler; without ``draws`` it settles itself how long to go on."""

    draws: Annotated[int, Field(ge=10, le=100_000)] | None = None
    """Draws kept in each chain. Without it they come in blocks, until every check of convergence is
    passed or ``minutes`` are over; where more draws would not help, the chains begin again with the
    settings that the failed checks call for."""
    tune: Annotated[int, Field(ge=10, le=100_000)] = 500
    """Draws spent on adapting each chain, not kept."""
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    target_accept: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.9
    """Aim for the acceptance rate: nearer to 1 means smaller, safer, slower steps. 0.8 where a capital is
    latent, unless it is given."""
    max_treedepth: Annotated[int, Field(ge=3, le=15)] = 10
    prior_draws: Annotated[int, Field(ge=100, le=20_000)] = 2000
    """Draws from the prior, for the prior probability of every verdict."""
    minutes: Annotated[float, Field(gt=0.0, le=100_000)] = MINUTES
    """Longest time to sample each structural form, where ``draws`` is not given; the first block is always
    finished."""
    likelihood: Literal["auto", "full", "summary"] = "auto"
    """Of a Parquet or csv file: whether its firms are summarised while it is read in parts, so that time
    and memory hardly depend on their number. ``auto``: from 50,000 rows, where summaries serve the model."""

    @model_validator(mode="after")
    def _time_or_draws(self) -> Sampling:
        if self.draws is not None and self.minutes != MINUTES:
            raise ValueError(
                "minutes limits a sampler that settles the number of draws itself, but draws is "
                "given: leave one of the two out"
            )
        if self.draws is None and self.chains < 2:
            raise ValueError(
                "without draws the chains go on until they agree with each other, and there is only "
                "1: run at least 2 chains, or give draws"
            )
        return self


class Report(Frozen):
    """What is written at the end of a run."""

    title: str | None = None
    formats: tuple[Literal["html"], ...] = ("html",)


class Traditions(Frozen):
    """How corners, ceilings, sets and causes are read for the claims table."""

    by: Annotated[tuple[By, ...], Field(min_length=1)] | None = None
    """Groups that have a row each: ``all``, ``industry``, ``cluster``; without it the industries, or
    all firms where the data declare no industry."""
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    """Supported at or above this probability, rejected at or below one minus it."""
    margin: NonNegative | None = None
    """Smallest difference between the industries with the largest and the smallest effect that
    counts; 0.1 for probabilities and shares where none is given."""
    ceiling_models: CeilingModels | None = None
    """Multilevel models of the ceiling of a continuous outcome; none is fitted without it."""
    causes: Causes = Causes()
    """Probabilities of causation."""
    sets: Sets = Sets()
    """How the set-theoretic tradition calibrates and judges."""
    ceilings: Ceilings = Ceilings()


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
    """Which capital holds each industry and cluster back; none is computed without it."""
    report: Report = Report()
    design: DesignOptions = DesignOptions()
    """For `bayescluster design` only."""
    multiverse: Multiverse | None = None
    """For `bayescluster sweep` only: alternatives to refit under; a default set without it."""

    @property
    def title(self) -> str:
        """Title of its report and studies: as stated, or its name in words."""
        return self.report.title or self.name.replace("-", " ").replace("_", " ")

    @property
    def equation(self) -> Equation:
        """The equation in focus."""
        return self.equations[self.equation_name]

    @property
    def equation_name(self) -> str:
        """Name of the equation in focus."""
        return self.focus or list(self.equations)[-1]

    def for_equation(self, name: str) -> Analysis:
        """The same analysis with one of its equations only."""
        return self.model_copy(update={"equations": {name: self.equations[name]}, "focus": None})

    @model_validator(mode="after")
    def _equations_agree(self) -> Analysis:
        focus = (self.focus,) if self.focus else ()
        for key, names in (("residual_correlation", self.residual_correlation), ("focus", focus)):
            for name in names:
                if name not in self.equations:
                    near = suggestion(name, self.equations)
                    raise ValueError(f"{key} names '{name}', which is not an equation; {near}")
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
        if len(lacking) == len(CAPITALS):
            raise ValueError(
                f"constructs lacks {' and '.join(lacking)}: declare one, or both; or take structure "
                "'intercept', which uses neither capital"
            )
        for each in self.equations.values():
            for form in each.structure:
                if form in CAPITALS and not lacking:
                    raise ValueError(
                        f"structure '{form}' is that of an analysis with one capital, and constructs "
                        "has both: leave the other out of constructs, or take structure 'additive'"
                    )
                if form not in ("intercept", *self.constructs) and lacking:
                    raise ValueError(
                        f"constructs lacks {lacking[0]}; structure '{form}' uses both capitals: declare "
                        f"it, or leave structure out, and the effect of {next(iter(self.constructs))} "
                        "alone is estimated"
                    )
        return self

    @model_validator(mode="before")
    @classmethod
    def _one_capital(cls, given: Any) -> Any:
        """Take the one capital that is declared as the form of every equation that leaves it open."""
        constructs = given.get("constructs") if isinstance(given, dict) else None
        equations = given.get("equations") if isinstance(given, dict) else None
        if not (isinstance(constructs, dict) and isinstance(equations, dict)):
            return given
        (capital, *others) = constructs or ("",)
        if capital not in CAPITALS or others:
            return given
        filled = {
            name: {**each, "structure": capital}
            if isinstance(each, dict)
            and each.get("structure", "additive") in ("additive", ["additive"])
            else each
            for name, each in equations.items()
        }
        return {**given, "equations": filled}
