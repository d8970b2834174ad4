"""What an analysis says before its data: outcomes, estimands and claims at draws of the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.app.prepare import analysis_source, cases_of, designs_of, model_key_of
from bayescluster.checks.thresholds import PRIOR_EDGE_SHARE, PRIOR_MAGNITUDES, PRIOR_ODDS
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.inference.watch import Watch
from bayescluster.results.base import INTERVAL
from bayescluster.runs.keys import design_key
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.engine import Study
from bayescluster.studies.prior.compute import (
    DRAWS_MIN,
    PRIOR_STREAM,
    DrawnPart,
    form_parts,
    notes_of,
    warnings_of,
)
from bayescluster.studies.prior.results import PRIOR_VERSION, PriorStudy
from bayescluster.studies.prior.view import csv_tables, page_text, printed

NAME: Final = "prior"
DRAWS_MAX: Final = 20_000


class Options(NamedTuple):
    """Draws from the prior, and their seed: that of the analysis where none is given."""

    draws: int = 2000
    seed: int | None = None


class PriorError(ConfigError):
    """Options that cannot be understood."""

    title = "There is no such study of the prior"


@dataclass(frozen=True)
class Plan:
    """An analysis whose prior is drawn, and the design of each of its forms."""

    analysis: Analysis
    designs: tuple[Design, ...]
    draws: int
    seed: int
    home: Path

    @cached_property
    def key(self) -> str:
        """Key of the draws and of what is computed from them."""
        settings = {
            "study": NAME,
            "version": PRIOR_VERSION,
            "seed": self.seed,
            "draws": self.draws,
            "cases": cases_of(self.designs[0]),
        }
        return design_key(self.analysis, self.designs[0].details.digest, settings)


def plan_of(source: Analysis | Path | str, options: Options, root: Path) -> Plan:
    """Read an analysis and its firms.

    Raises
    ------
    ConfigError, DataError
        If the analysis or the options cannot be understood, or the data do not fit the analysis.
    """
    question = analysis_source(source)
    if not DRAWS_MIN <= options.draws <= DRAWS_MAX:
        mend = f"ask for {DRAWS_MIN} to {DRAWS_MAX:,}"
        raise PriorError(Problem(f"{options.draws} draws from the prior", "--draws", mend))
    analysis = question.analysis
    seed = analysis.sampling.seed if options.seed is None else options.seed
    designs = designs_of(question)
    return Plan(analysis, designs, options.draws, seed, root / analysis.name)


def drawn_parts(plan: Plan, _directory: Path, watch: Watch) -> list[DrawnPart]:
    """Draw from the prior of every form."""
    parts: list[DrawnPart] = []
    for position, design in enumerate(plan.designs):
        watch.step(f"Drawing from the prior of {design.structure.name}")
        parts += form_parts(design, plan.draws, (plan.seed, PRIOR_STREAM, position))
    return parts


def summary(plan: Plan, parts: Sequence[DrawnPart]) -> PriorStudy:
    """Put the parts together with their warnings."""
    return PriorStudy(
        name=plan.analysis.name,
        title=plan.analysis.title,
        key=plan.key,
        model_key=model_key_of(plan.analysis, plan.designs),
        synthetic=plan.designs[0].details.synthetic,
        draws=plan.draws,
        seed=plan.seed,
        interval=INTERVAL,
        odds=PRIOR_ODDS,
        edge_share=PRIOR_EDGE_SHARE,
        magnitudes=PRIOR_MAGNITUDES,
        parts=tuple(each.part for each in parts),
        warnings=tuple(warning for each in parts for warning in warnings_of(each)),
        notes=tuple(notes_of(plan.designs)),
    )


study_prior = Study(NAME, Options, plan_of, drawn_parts, summary, csv_tables, page_text, printed)
"""Draw from the prior of every form, and summarise outcomes, estimands and claims."""
