"""What coded cases did to the priors, for the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayescluster.dataset.cases import CodedCase, CodedCases
from bayescluster.design.cases import LEVELS, SHARES, human_level, social_level
from bayescluster.design.record import Design
from bayescluster.model.distributions import prior_text
from bayescluster.model.priors import case_priors, default_priors, model_priors
from bayescluster.results.facts import (
    CaseFacts,
    CaseRow,
    Coefficient,
    InformedPrior,
)

CAUTION = (
    "A few cases illustrate: they are no sample of clusters, and each rating is the judgement of "
    "whoever coded it, relative to the other cases. The prior used is therefore an assumption and not "
    "evidence from the firms of this analysis; it is part of the prior probability of every verdict "
    "too. Before leaning on a verdict, see whether it stands with the default priors."
)


def case_facts(design: Design, coefficients: Sequence[Coefficient]) -> CaseFacts | None:
    """Priors before and after the cases, beside the posterior; None without cases.

    Parameters
    ----------
    design
        The design.
    coefficients
        Coefficients of the model as estimated.
    """
    asked, coded = design.equation.priors.from_, design.details.cases
    if asked is None or coded is None:
        return None
    return CaseFacts(
        label=coded.label,
        digest=coded.digest,
        outcome=coded.outcome,
        strength=asked.strength,
        account=_account(coded, asked.strength, design.has_capitals),
        caution=CAUTION,
        priors=_priors(design, coefficients),
        cases=tuple(_row(case, design.has_capitals) for case in coded.cases),
    )


def _priors(design: Design, coefficients: Sequence[Coefficient]) -> tuple[InformedPrior, ...]:
    default, of_cases = default_priors(design), case_priors(design)
    used = model_priors(design).population
    stated = design.equation.priors.terms
    estimates = {one.name: one.estimate for one in coefficients if one.block == "population"}
    return tuple(
        InformedPrior(
            term=term,
            default=prior_text(default[term]),
            cases_mean=of_cases[term].mean,
            cases_sd=of_cases[term].sd,
            from_cases=prior_text(of_cases[term]),
            used=prior_text(used[term]),
            stated=term in stated,
            estimate=estimates[term],
        )
        for term in used
    )


def _row(case: CodedCase, capitals: bool) -> CaseRow:
    return CaseRow(
        case=case.name,
        human_capital=case.human,
        social_capital=tuple(f"{side}: {rating}" for side, rating in case.social),
        outcome=case.outcome,
        human_level=human_level(case) if capitals and case.human else None,
        social_level=social_level(case) if capitals and case.social else None,
        share=SHARES[case.outcome] if case.outcome else None,
        lacks=case.lacks,
    )


def _account(coded: CodedCases, strength: float, capitals: bool) -> str:
    """Say in two sentences how ratings became priors, with the numbers in use."""
    ratings, shares = _either(SHARES), _either(f"{100 * share:g}%" for share in SHARES.values())
    levels = _either(f"{level:+g}" if level else "0" for level in LEVELS.values())
    firms = "1 firm" if strength == 1 else f"{strength:g} firms"
    read = (
        "puts human capital, and the mean of the rated sides of social capital, at "
        f"{levels} standard deviations from the mean of the firms, and {coded.outcome}"
        if capitals
        else f"puts {coded.outcome}"
    )
    return (
        f"Each of the {len(coded.usable)} cases counts as {firms}: a rating of {ratings} {read} at a "
        f"share of {shares} of such firms. A linear regression of the "
        "logit of that share p, weighted by n p (1 - p) for n firms a case and begun from the default "
        "priors, gives mean and standard deviation of each term; the correlations between terms that it "
        "finds are dropped."
    )


def _either(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}"
