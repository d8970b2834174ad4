"""Design analysis: how often each verdict would be right, at the user's own firms and at other sizes.

Outcomes are simulated from every form with parameters from its prior, the analysis is fitted to
them, and its verdicts are compared with what was true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Final, get_args

from bayescluster.app.prepare import model_key_of
from bayescluster.errors import ConfigError, DesignError, Problem
from bayescluster.inference.watch import CountingWatch
from bayescluster.lookup import suggestion
from bayescluster.results.base import INTERVAL
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import StructureName
from bayescluster.studies.design_analysis.compute import (
    FORMS,
    REPLICATIONS_MAX,
    DesignPlan,
    Options,
    replications,
)
from bayescluster.studies.design_analysis.results import TRUE_FORM, DesignAnalysis
from bayescluster.studies.design_analysis.summary import (
    ENOUGH,
    SizeReplications,
    design_rows,
    failures,
    needed,
)
from bayescluster.studies.design_analysis.view import csv_tables, page_text, printed
from bayescluster.studies.engine import Study, records_of
from bayescluster.studies.simulation import RHAT_MAX, read_analysis, size_problems
from bayescluster.verdicts.regions import CORNER_WORDS

NAME: Final = "design"


class DesignAnalysisError(ConfigError):
    """An analysis that has no design analysis, or options that cannot be understood."""

    title = "There is no design analysis of this"


def numbers(text: str, place: str) -> tuple[float, ...]:
    """Read multipliers with commas between them.

    Raises
    ------
    ConfigError
        If one is not a number.
    """
    found = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            what = f"'{part.strip()}' is not a number"
            mend = "give multipliers with commas between them, such as 0.5,1,2"
            raise DesignAnalysisError(Problem(what, place, mend)) from None
    return tuple(found)


def plan_of(source: Analysis | Path | str, options: Options, root: Path) -> DesignPlan:
    """Read an analysis and its firms, and refuse what cannot be simulated faithfully.

    Raises
    ------
    ConfigError, DataError
        See `read_analysis`; missing values are a `DesignError`.
    """
    read, forms = read_analysis(
        source,
        lambda analysis, where: (*_unsimulated(analysis, where), *_options(options, analysis)),
        DesignAnalysisError,
    )
    if not forms[0].is_complete:
        raise DesignError(
            Problem(
                "values are missing, and a design analysis does not simulate which ones would be",
                read.where(("data", "missing")),
                "set `missing: drop` for it, or `error` on data without gaps",
            )
        )
    seed = read.analysis.sampling.seed if options.seed is None else options.seed
    return DesignPlan(read, forms, options, seed, root / read.analysis.name)


def _unsimulated(analysis: Analysis, where: Where) -> Iterator[Problem]:
    if len(analysis.equations) > 1:
        yield Problem(
            "a design analysis simulates one equation, and the analysis has "
            f"{len(analysis.equations)}",
            where(("equations",)),
            "leave the equation that the claims are about in a file of its own",
        )
    if any("intercept" in each.structure for each in analysis.equations.values()):
        yield Problem(
            "structure 'intercept' uses neither capital: there is no claim to judge",
            where(("equations", analysis.equation_name, "structure")),
            f"choose among {', '.join(FORMS)}",
        )
    for name, construct in analysis.constructs.items():
        if construct.method == "latent":
            yield Problem(
                f"{name} is latent, and a design analysis takes the capitals as measured",
                where(("constructs", name, "method")),
                "set `method: mean` for it: verdicts then are those without measurement error",
            )


def _options(options: Options, analysis: Analysis) -> Iterator[Problem]:
    known = [form for form in get_args(StructureName) if form in FORMS]
    for form in options.forms:
        if form not in FORMS:
            yield Problem(f"no form is called '{form}'", "--forms", suggestion(form, known))
    if len(set(options.forms)) < len(options.forms):
        yield Problem("a form is listed twice", "--forms", "name each once")
    if not 1 <= options.replications <= REPLICATIONS_MAX:
        yield Problem(
            f"{options.replications} replications of each form",
            "--replications",
            f"ask for 1 to {REPLICATIONS_MAX}",
        )
    yield from size_problems(options.firms, options.clusters, analysis)


def work(plan: DesignPlan, directory: Path, watch: CountingWatch) -> list[SizeReplications]:
    """Make the replications of every size, all pairs of the multipliers."""
    pairs = product(sorted(plan.options.firms), sorted(plan.options.clusters))
    sizes = [plan.size(firms, clusters) for firms, clusters in pairs]
    return [
        SizeReplications(
            size.facts,
            records_of(replications(plan, size, directory, watch), plan.options.jobs, watch),
        )
        for size in sizes
    ]


def summary(plan: DesignPlan, sizes: Sequence[SizeReplications]) -> DesignAnalysis:
    """Count the verdicts."""
    options, analysis = plan.options, plan.analysis
    one_fit = TRUE_FORM if options.fit == "true" else ""
    rows = design_rows(sizes, one_fit)
    return DesignAnalysis(
        name=analysis.name,
        title=analysis.title,
        key=plan.key,
        model_key=model_key_of(analysis, plan.forms),
        synthetic=plan.forms[0].details.synthetic,
        outcome=analysis.equation.outcome,
        level=analysis.traditions.level,
        enough=ENOUGH,
        interval=INTERVAL,
        forms=options.forms,
        fitted=(one_fit,) if one_fit else tuple(design.equation.form for design in plan.forms),
        replications=options.replications,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=plan.seed,
        rhat_max=RHAT_MAX,
        sizes=tuple(each.size for each in sizes),
        rows=rows,
        needed=needed(sizes, rows),
        failures=failures(sizes),
        notes=tuple(_notes(plan)),
    )


def _notes(plan: DesignPlan) -> Iterator[str]:
    """What the shares of a design analysis rest on."""
    design, scenario = plan.forms[0], plan.analysis.design.truths
    yield (
        "What is true is the answer of the same reading at the parameters that the outcome was simulated "
        "from; where the event itself is chance (a new cluster), what is more likely than not."
    )
    yield (
        "A ceiling claim asks for more than a compensatory model gives. It is false where the truth is "
        "additive; under the other forms it is taken as true where d is as large as declared."
    )
    if scenario is None:
        yield (
            "Parameters are drawn from the prior of each form. How often a verdict is right therefore "
            "holds for truths such as the prior expects, not for the one that holds for these firms."
        )
    else:
        corners = scenario.corners.items()
        declared = ", ".join(f"{CORNER_WORDS[corner]} {value:g}" for corner, value in corners)
        yield (
            "Parameters are drawn from the prior of each form, and held to corners within "
            f"{scenario.within:g} of the declared ones: {declared}."
        )
    if design.family.on_link_scale is not None or design.family.link == "log":
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    if design.weights is not None:
        yield (
            "Survey weights enter refits and averages as in the analysis. Simulated outcomes do not "
            "depend on them: a sample that was drawn by its outcome is not simulated."
        )
    if len(plan.forms) > 1 and plan.options.fit == "own":
        yield (
            "Each form of the analysis is fitted and judged by itself: the average over the forms, "
            "by which the analysis itself judges, is not simulated."
        )
    if len(plan.options.firms) + len(plan.options.clusters) > 2:
        yield (
            "Larger and smaller samples are made of the firms and clusters of the data: whole "
            "multiples take each so many times, a part beyond that is drawn without replacement."
        )


analyse_design = Study(
    NAME,
    Options,
    plan_of,
    work,
    summary,
    csv_tables,
    page_text,
    printed,
    kept="replications",
)
"""Simulate from known truths, refit, and count how often each verdict is right."""
