"""Design analysis: how often each verdict would be right, at the user's own firms and at other sizes.

Outcomes are simulated from every form with parameters from its prior, and from a sum of the capitals at
stated base rates; the analysis is fitted to them, and its verdicts are compared with what was true.
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
from bayescluster.model.priors import latent_capitals
from bayescluster.names import CAPITALS
from bayescluster.results.base import INTERVAL
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import StructureName
from bayescluster.studies.design_analysis.compute import (
    ENOUGH,
    DesignPlan,
    Options,
    SizeReplications,
    base_rates_of,
    design_rows,
    failures,
    needed,
    replications,
    true_forms,
)
from bayescluster.studies.design_analysis.results import PLAUSIBLE, TRUE_FORM, DesignAnalysis
from bayescluster.studies.design_analysis.truths import (
    FORMS,
    REPLICATIONS_MAX,
    SLOPES,
    has_base_rate,
)
from bayescluster.studies.design_analysis.view import csv_tables, page_text, printed
from bayescluster.studies.engine import Study, records_of
from bayescluster.studies.simulation import RHAT_MAX, read_analysis, size_problems
from bayescluster.verdicts.regions import CORNER_WORDS

NAME: Final = "design"


ONE_CAPITAL: Final = (
    "A claim is true where its event holds at the parameters that the outcome was simulated from; where that "
    "itself is chance (a new cluster), what is more likely than not."
)


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
    return _numbers(text, place, "give multipliers with commas between them, such as 0.5,1,2")


def base_rates(text: str | None) -> tuple[float, ...] | None:
    """Read base rates with commas between them, or ``none``; nothing where none are given.

    Raises
    ------
    ConfigError
        If one is not a number.
    """
    if text is None or text.strip() == "none":
        return None if text is None else ()
    return _numbers(text, "--base-rates", f"give {RATES_SUCH_AS}")


RATES_SUCH_AS: Final = "shares with commas between them, such as 0.05,0.15,0.4, or none"


def _numbers(text: str, place: str, mend: str) -> tuple[float, ...]:
    found = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            what = f"'{part.strip()}' is not a number"
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


def _options(options: Options, analysis: Analysis) -> Iterator[Problem]:
    known = [form for form in get_args(StructureName) if form in FORMS]
    asked, own = options.forms or (), analysis.equation.form
    if own in CAPITALS and (asked or options.base_rates):
        yield Problem(
            f"the analysis has {own} alone: outcomes are simulated from its effect, and nothing makes up for it",
            "--forms" if asked else "--base-rates",
            "leave it out",
        )
        return
    for form in asked:
        if form not in FORMS:
            yield Problem(f"no form is called '{form}'", "--forms", suggestion(form, known))
    if len(set(asked)) < len(asked):
        yield Problem("a form is listed twice", "--forms", "name each once")
    if not 1 <= options.replications <= REPLICATIONS_MAX:
        yield Problem(
            f"{options.replications} replications of each form",
            "--replications",
            f"ask for 1 to {REPLICATIONS_MAX}",
        )
    yield from _base_rates(options.base_rates or (), analysis)
    yield from size_problems(options.firms, options.clusters, analysis)


def _base_rates(rates: Sequence[float], analysis: Analysis) -> Iterator[Problem]:
    """Report what is wrong with base rates that are asked for."""
    place = "--base-rates"
    if rates and not has_base_rate(analysis.equation):
        yield Problem(
            f"{analysis.equation.outcome} is neither yes or no nor a share without zeros of their own: it has "
            "no base rate",
            place,
            "leave it out",
        )
    for rate in rates:
        if not 0 < rate < 1:  # not a number is caught too
            yield Problem(f"a base rate of {rate:g}", place, f"give {RATES_SUCH_AS}")
    if len(set(rates)) < len(rates):
        yield Problem("a base rate is listed twice", place, "name each once")


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
        forms=true_forms(analysis, options),
        base_rates=base_rates_of(analysis, options),
        fitted=one_fit or (PLAUSIBLE if len(plan.forms) > 1 else plan.forms[0].equation.form),
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
        ONE_CAPITAL
        if plan.forms[0].equation.form in CAPITALS
        else (
            "What is true is the structure that was simulated. In an additive truth each capital makes up for "
            "the other: that one is necessary, or that they are complements, is false there even where "
            "the declared region holds, as it can where the other capital does little. Every other "
            "claim is true where its region holds at the parameters that the outcome was simulated from; where "
            "that itself is chance (a new cluster), what is more likely than not."
        )
    )
    rates = base_rates_of(plan.analysis, plan.options)
    if rates:
        yield (
            f"Compensatory truths are additive: the intercept is set so that the mean expected outcome over "
            f"the firms is the base rate ({', '.join(f'{rate:g}' for rate in rates)}), and a standard "
            f"deviation of each capital adds {SLOPES[design.family.link]:g} on the {design.family.link} "
            "scale. How industries and clusters differ is drawn from the prior."
        )
    if scenario is None:
        yield (
            "Parameters of each true form are drawn from its prior: how often a verdict is right "
            "there holds for truths such as the prior expects, not for the one that holds for these firms."
        )
    else:
        corners = scenario.corners.items()
        declared = ", ".join(f"{CORNER_WORDS[corner]} {value:g}" for corner, value in corners)
        yield (
            "Parameters of each true form are drawn from its prior, and held to corners within "
            f"{scenario.within:g} of the declared ones: {declared}."
        )
    latent = latent_capitals(design)
    if latent:
        yield (
            f"The answers that measure {' and '.join(latent)} are simulated too, missing where they are "
            "missing in the data. Claims are true or false of the capitals behind them."
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
            "Every form of the analysis is fitted to each simulated outcome, and a verdict has to hold under "
            "each form that the data leave plausible, as in a run."
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
