"""What an analysis says before its data: outcomes, estimands and claims at draws of the prior.

No posterior is drawn. The same definitions of estimands and events as after the fit are computed
from the prior, so that what is told here is what the verdicts start from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.prior import (
    needed_odds,
    outlook,
    prior_predictive,
    prior_ranges,
    turns_on,
)
from bayescluster.checks.thresholds import PRIOR_EDGE_SHARE, PRIOR_MAGNITUDES, PRIOR_ODDS
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.summary import probability_error
from bayescluster.hypotheses.evidence import Evidence, Looked
from bayescluster.hypotheses.verdicts import PRIOR_DRAWS_MIN, Event, events
from bayescluster.hypotheses.words import title_of
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.model.completion import completed
from bayescluster.model.evaluate import Draws, draws_of, expectation, linear_predictor, replicate
from bayescluster.results.base import INTERVAL
from bayescluster.results.prior import (
    PRIOR_VERSION,
    PriorEvent,
    PriorPart,
    PriorStudy,
    PriorWarning,
)
from bayescluster.runs.atomic import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.lock import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Difference, Hypothesis, Scope
from bayescluster.workflow.facts import model_facts, outcome_facts
from bayescluster.workflow.prepare import asked, cases_of, designs_of, model_key_of
from bayescluster.workflow.prior.blocks import Block, blocks
from bayescluster.workflow.prior.estimands import prior_estimands
from bayescluster.workflow.prior.words import notes_of, warnings_of
from bayescluster.workflow.watch import Silent, Watch

PRIOR_STREAM: Final = 28
"""Keeps the random streams of this study apart from all others."""
DRAW_STREAM, COMPLETION_STREAM, OUTCOME_STREAM = range(3)
"""What a stream of it is for."""

FOLDER: Final = "prior"
DRAWS_MIN, DRAWS_MAX = 200, 20_000
CELLS: Final = 20_000_000
"""Most replicated outcomes at once; fewer draws are replicated where there are many rows."""


class Options(NamedTuple):
    """What is asked for on the command line."""

    draws: int = 2000
    seed: int | None = None
    """That of the analysis without it."""


class Finished(NamedTuple):
    """A study of the prior, and where its files are."""

    directory: Path
    results: PriorStudy


class PriorError(ConfigError):
    """Options that cannot be understood."""

    title = "There is no such study of the prior"


class PriorEvidence(Evidence):
    """Evidence without a posterior: everything that is asked for is answered from the prior."""

    def __init__(self, design: Design, prior: Draws, seed: int) -> None:
        super().__init__(design, prior, prior, seed)

    def looked(self, scope: Scope, levels: Levels, source: str, at_least: Scalar | None) -> Looked:
        """Say what is looked at: the prior, whatever the source."""
        del source
        return super().looked(scope, levels, "prior", at_least)

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Nothing: where gates stand is for the data to say."""
        return {}


def study_prior(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: Watch | None = None,
) -> Finished:
    """Draw from the prior of every form, summarise outcomes, estimands and claims, and write it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Draws and seed.
    root
        Folder of the runs.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DataError, RunError
        See `bayescluster.errors`.
    """
    watch, options = watch or Silent(), options or Options()
    question = asked(source)
    if not DRAWS_MIN <= options.draws <= DRAWS_MAX:
        mend = f"ask for {DRAWS_MIN} to {DRAWS_MAX:,}"
        raise PriorError(Problem(f"{options.draws} draws from the prior", "--draws", mend))
    watch.step("Reading the firms")
    designs = designs_of(question)
    analysis = question.analysis
    seed = analysis.sampling.seed if options.seed is None else options.seed
    parts: list[PriorPart] = []
    warnings: list[PriorWarning] = []
    for position, design in enumerate(designs):
        watch.step(f"Drawing from the prior of {design.structure.name}")
        for part, warned in _form(design, options.draws, (seed, PRIOR_STREAM, position)):
            parts.append(part)
            warnings += warned
    results = _study(analysis, designs, options.draws, seed, (parts, warnings))
    directory = RunDirectory.create(Path(root) / analysis.name, FOLDER, results.key).path
    with locked(directory):
        write_prior(results, directory)
    return Finished(directory, results)


def _study(
    analysis: Analysis,
    designs: Sequence[Design],
    draws: int,
    seed: int,
    found: tuple[Sequence[PriorPart], Sequence[PriorWarning]],
) -> PriorStudy:
    details = designs[0].details
    settings = {
        "study": FOLDER,
        "version": PRIOR_VERSION,
        "seed": seed,
        "draws": draws,
        "cases": cases_of(designs[0]),
    }
    parts, warnings = found
    return PriorStudy(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=design_key(analysis, details.digest, settings),
        model_key=model_key_of(analysis, designs),
        synthetic=details.synthetic,
        draws=draws,
        seed=seed,
        interval=INTERVAL,
        odds=PRIOR_ODDS,
        edge_share=PRIOR_EDGE_SHARE,
        magnitudes=PRIOR_MAGNITUDES,
        parts=tuple(parts),
        warnings=tuple(warnings),
        notes=notes_of(designs),
    )


def _form(
    design: Design, count: int, entropy: tuple[int, int, int]
) -> Iterator[tuple[PriorPart, tuple[PriorWarning, ...]]]:
    """The equations of one form, that in focus first, with what is warned of each."""
    seed = int(np.random.SeedSequence((*entropy, DRAW_STREAM)).generate_state(1, np.uint32)[0])
    prior = sample_prior(design, build_model(design), reported_variables(design), count, seed)
    forward = np.random.default_rng((*entropy, COMPLETION_STREAM))
    prior = completed(design, prior, forward, posterior=False)
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    for position, each in enumerate(turned):
        drawn = replace(draws_of(each, prior), chains=0)
        rng = np.random.default_rng((*entropy, OUTCOME_STREAM, position))
        yield _equation(each, drawn, rng, focus=position == 0)


def _equation(
    design: Design, drawn: Draws, rng: np.random.Generator, *, focus: bool
) -> tuple[PriorPart, tuple[PriorWarning, ...]]:
    known = blocks(design, drawn)
    evidence = PriorEvidence(design, drawn, design.analysis.sampling.seed)
    some = drawn.thinned(max(CELLS // design.size, DRAWS_MIN))
    with np.errstate(all="ignore"):  # a prior may reach values that have no number
        replicated = replicate(design, some, rng)
        expected = expectation(design, linear_predictor(design, some) - design.offset, some)
        ranged = prior_ranges(design, expected, replicated)
        claims = design.analysis.hypotheses if focus and design.has_capitals else ()
        part = PriorPart(
            form=design.structure.name,
            equation=design.equation_name,
            focus=focus,
            outcome=outcome_facts(design),
            coefficients=model_facts(design, drawn).coefficients,
            ranges=tuple(each.row for each in ranged),
            predictive=prior_predictive(design, replicated),
            estimands=prior_estimands(evidence, claims),
            events=tuple(_events(claims, evidence, known)),
        )
    return part, warnings_of(part, ranged, blocks(design, some))


def _events(
    claims: Sequence[Hypothesis], evidence: Evidence, known: Iterable[Block]
) -> Iterator[PriorEvent]:
    parameters = {block.words: block.draws for block in known}
    for number, claim in enumerate(claims, start=1):
        for event in events(claim, evidence):
            yield _event(number, claim, event, parameters)


def _event(
    number: int, claim: Hypothesis, event: Event, parameters: dict[str, Array]
) -> PriorEvent:
    probability = float(event.prior.mean())
    few = round(min(probability, 1 - probability) * event.prior.size) < PRIOR_DRAWS_MIN
    support, reject = (None, None) if few else needed_odds(probability, claim.level)
    turned = turns_on(event.prior, parameters)
    error = probability_error(event.prior, 0)
    return PriorEvent(
        claim=number,
        kind=claim.kind,
        capital=getattr(claim, "capital", None),
        title=title_of(claim),
        by="industry" if isinstance(claim, Difference) else claim.by,
        group=event.group,
        scope=claim.scope,
        region=event.words,
        level=claim.level,
        probability=probability,
        mcse=error,
        outlook=outlook(probability, claim.level, error),
        to_support=support,
        to_reject=reject,
        turns_on=turned[0] if turned else "",
        unsupported=event.unsupported,
    )


def write_prior(results: PriorStudy, directory: Path) -> None:
    """Write ``prior.json``, ``prior.csv`` (the estimands) and ``prior.html``."""
    from bayescluster.report.pages.prior import csv_text, page_text

    write_text(directory / "prior.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "prior.csv", csv_text(results))
    write_text(directory / "prior.html", page_text(results))
