"""What to change after a failed check: the table of advice, and the steps that the sampler can take itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bayescluster.checks.thresholds import ESS_MIN
from bayescluster.results.fit import Change, CheckItem, Gate, Reason, ReasonKind
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.equation import VaryingTerms

if TYPE_CHECKING:
    from bayescluster.design.record import Design

RHAT: Final = "R-hat"
ESS_BULK: Final = "ESS, bulk"
ESS_TAIL: Final = "ESS, tail"
DIVERGENCES: Final = "Divergences"
ENERGY: Final = "E-BFMI"
TREE_DEPTH: Final = "Tree depth"
ANY: Final = "any check"
"""Of advice that is the same whichever check has failed."""
ONE_CHAIN: Final = "R-hat, one chain"
NOT_MADE: Final = "not made"


def predictive_of(family: str) -> str:
    """Name the predictive checks of a family, as the table has them."""
    return f"predictive checks, {family}"


class Advice(NamedTuple):
    """The next thing to try, with places for facts in braces, and its source."""

    text: str
    source: str


VEHTARI: Final = (
    "Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Analysis 16(2); "
    "Stan, Runtime warnings and convergence problems"
)
BETANCOURT: Final = (
    "Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo; "
    "Stan, Runtime warnings and convergence problems"
)
FUNNELS: Final = (
    "Betancourt and Girolami (2015), Hamiltonian Monte Carlo for hierarchical models; "
    "Papaspiliopoulos, Roberts and Sköld (2007), Statistical Science 22(1)"
)
PREDICTIVE: Final = "Gelman et al. (2020), Bayesian workflow, arXiv:2011.01808, section 6"

A_YES_OR_NO: Final = (
    "a yes or no has no variance of its own: choose another structure, add controls, or let "
    "more terms vary"
)
MISFIT: Final[Mapping[str, str]] = {
    "poisson": (
        "where counts spread more than the model makes, choose family: negative_binomial, which "
        "leaves their variance free; where only zeros are too few, zero_inflated_poisson"
    ),
    "negative_binomial": (
        "where the model makes too few zeros, choose family: zero_inflated_negative_binomial; look at "
        "largest counts, state an exposure if firms were seen for unequal times, "
        "or let the intercept vary by a further grouping"
    ),
    "binomial": (
        "where shares spread more than the model makes, let the intercept vary by firm or by a "
        "finer grouping, or explain the shares themselves with family: beta"
    ),
    "gaussian": "for rare large residuals choose family: student_t, for positive amounts lognormal",
    "student_t": "for positive, skewed amounts choose family: lognormal; for light tails gaussian",
    "lognormal": "explain the logarithm with family: student_t, or look for gross values",
    "hurdle_lognormal": (
        "zeros have one share everywhere: where it differs between groups, explain whether there is any "
        "in an equation of its own (derive a column with `kind: above`); or look for gross values"
    ),
    "zero_inflated_beta": (
        "zeros have one share everywhere: where it differs between groups, explain whether there is any "
        "in an equation of its own (derive a column with `kind: above`); or look for heaps of shares"
    ),
    "zero_inflated_poisson": (
        "where counts above 0 spread more than the model makes, choose family: "
        "zero_inflated_negative_binomial"
    ),
    "zero_inflated_negative_binomial": (
        "zeros have one share everywhere: where it differs between groups, explain whether there is any "
        "in an equation of its own (derive a column with `kind: above`)"
    ),
    "beta": "look for shares heaped near 0 or 1; where they are counts of trials, choose binomial",
    "bernoulli": A_YES_OR_NO,
    "probit": A_YES_OR_NO,
    "ordinal": (
        "merge levels that few firms gave, state a wider prior of the cutpoints, or explain whether "
        "a level is reached with family: bernoulli"
    ),
}
"""Advice by family where the predictive checks fail."""

SIMPLER: Final = (
    "let fewer terms vary, choose a simpler form, or measure latent capitals by the mean of their answers "
    "(constructs: method: mean), which leaves their error in the effects"
)
MORE_DRAWS: Final = (
    "raise sampling.draws about {factor} times (or sampling.minutes, where draws is left out)"
)
ADVICE: Final[Mapping[tuple[str, ReasonKind | None], Advice]] = {
    (RHAT, None): Advice(
        "double sampling.tune and sampling.draws (or sampling.minutes, where draws is left out); if it "
        "stays, the data do not determine all of this model: " + SIMPLER,
        VEHTARI,
    ),
    (ONE_CHAIN, None): Advice("run at least 2 chains (sampling.chains: 4)", VEHTARI),
    (ESS_BULK, None): Advice(MORE_DRAWS, VEHTARI),
    (ESS_TAIL, None): Advice(MORE_DRAWS, VEHTARI),
    (DIVERGENCES, None): Advice(
        "raise sampling.target_accept (0.95, then 0.99); if some stay, a group sd near 0 makes a "
        "funnel: let fewer terms vary, or state a tighter priors.group_sd",
        BETANCOURT,
    ),
    (ENERGY, None): Advice(
        "a parameter has heavy tails or a funnel: state tighter priors on the sds of groups "
        "(equations.NAME.priors.group_sd)",
        BETANCOURT,
    ),
    (TREE_DEPTH, None): Advice(
        "raise sampling.max_treedepth by 2; standardise inputs of very different sizes", BETANCOURT
    ),
    (NOT_MADE, None): Advice("run the fit again", "a check that was not made is not passed"),
    (ANY, "centred_funnel"): Advice(
        "sample {term} by {level} non-centred (equations.{equation}.varying.{level}.centred: {value}); if it "
        "stays, let {term} not vary by {level}, or state a tighter "
        "equations.{equation}.priors.group_sd.{level}",
        FUNNELS,
    ),
    (ANY, "funnel"): Advice(
        "raise sampling.target_accept (0.95, then 0.99); if it stays, {groups} groups do not "
        "determine the sd of {term} by {level}: let {term} not vary by {level}, or state a tighter "
        "equations.{equation}.priors.group_sd.{level}",
        FUNNELS,
    ),
    (ANY, "inverted_funnel"): Advice(
        "the groups say much of their own {term}: sample it centred by {level} "
        "(equations.{equation}.varying.{level}.centred: {value})",
        FUNNELS,
    ),
    (ANY, "dominant_groups"): Advice(
        "sample {term} by {level} centred (equations.{equation}.varying.{level}.centred: {value}): "
        "{names} {know} far more of {own} {term} than the other groups do",
        FUNNELS,
    ),
    (ANY, "several_modes"): Advice(
        "more draws will not help: each chain settled in a place of its own, farthest apart in {first}. "
        + SIMPLER.capitalize()
        + "; or state tighter priors (equations.{equation}.priors). Do not drop chains to make them agree",
        "Yao, Vehtari and Gelman (2022), Journal of Machine Learning Research 23(79)",
    ),
    (ANY, "heavy_tails"): Advice(
        "state priors with lighter tails on {first} (under equations.{equation}.priors: normal for "
        "student_t, half_normal for half_cauchy or half_student_t), and look for gross values in the data",
        BETANCOURT,
    ),
    (ANY, "separation"): Advice(
        "{columns} predict the outcome without error, so its likelihood has no maximum and "
        "only the prior holds the coefficients: keep a weakly informative prior on them "
        "(equations.{equation}.priors), leave the column out or merge its levels, or add firms "
        "that break the rule",
        "Albert and Anderson (1984), Biometrika 71(1); Gelman, Jakulin, Pittau and Su (2008), "
        "Annals of Applied Statistics 2(4)",
    ),
    (ANY, "collinear_capitals"): Advice(
        "the data hardly tell the capitals apart: do not read their effects one by one; leave out "
        "indicators that both share, state informative priors on their slopes, or add firms that "
        "have one capital without the other",
        "Dormann et al. (2013), Ecography 36(1)",
    ),
    (ANY, "empty_corner"): Advice(
        "estimates at this corner rest on the form and the prior, not on firms: declare levels "
        "nearer to the firms (low, high or anchors of the claim), judge no claim about it, or add "
        "firms there",
        "King and Zeng (2006), Political Analysis 14(2)",
    ),
    **{
        (predictive_of(family), "misspecified_family"): Advice(text, PREDICTIVE)
        for family, text in MISFIT.items()
    },
}
"""Advice by failed check and likely reason; None where no reason is recognised.

Words of a reason hold whichever check has failed, but for predictive checks, whose advice depends
on the family.
"""

TITLES: Final[Mapping[ReasonKind, str]] = {
    "centred_funnel": "funnel: a group sd near 0, its effects sampled centred",
    "funnel": "funnel: a group sd near 0",
    "inverted_funnel": "inverted funnel: effects known better than their sd",
    "dominant_groups": "groups known far better than their prior",
    "several_modes": "several modes: chains sit in different places",
    "heavy_tails": "heavy tails",
    "separation": "separation: the outcome is predicted without error",
    "collinear_capitals": "collinear capitals",
    "empty_corner": "an empty corner",
    "misspecified_family": "a family that does not fit the outcome",
}
"""What each reason is, in words."""

NO_REASON: Final = "no likely reason was recognised"


def advice_for(check: str, reason: ReasonKind | None = None, **facts: object) -> Advice:
    """What to try next about a failed check; ``facts`` fill the gaps in the words (factor, level, …)."""
    found = ADVICE.get((check, reason)) or ADVICE[ANY, reason]
    return found._replace(text=found.text.format(**facts))


ACCEPTANCE: Final = (0.9, 0.95, 0.99)
"""Target acceptance, step by step: Stan, Runtime warnings and convergence problems."""
CHAINS: Final = 4
DEPTH_STEP: Final = 2
DEPTH_MAX: Final = 15
DRAWS_MAX: Final = 100_000
TUNE_MIN: Final = 500
"""Fewest draws of adaptation after a failure of it."""
RETRIES: Final = 3
"""Most attempts after the first: what three steps of the sampler do not repair, the model must."""


class Failure(NamedTuple):
    """Names of the checks that failed, and what their likely reasons are."""

    checks: tuple[str, ...]
    reasons: tuple[Reason, ...]


class Remedied(NamedTuple):
    """The analysis to try next, and what was changed in it."""

    analysis: Analysis
    changes: tuple[Change, ...]


def remedied(analysis: Analysis, failure: Failure, designs: Sequence[Design]) -> Remedied | None:
    """Change what the failed checks and their reasons name; None where nothing is left to change.

    The order is: target acceptance, draws and adaptation, tree depth, parameterisation. With the designs
    of several forms the parameterisation stays: which terms vary, and so whether their effects
    correlate, differs from form to form.
    """
    sampling, changes = _sampling(analysis.sampling, failure)
    tried = analysis.model_copy(update={"sampling": sampling})
    if len(designs) == 1:
        # one change a grouping at a time: the reasons of another term come again if they stay
        first = {reason.setting: reason for reason in reversed(failure.reasons)}
        for reason in failure.reasons:
            if first[reason.setting] is not reason:
                continue
            step = _parameterised(tried, reason, designs[0])
            if step is not None:
                tried, changes = step.analysis, (*changes, *step.changes)
    return Remedied(tried, changes) if changes else None


def _sampling(before: Sampling, failure: Failure) -> tuple[Sampling, tuple[Change, ...]]:
    update: dict[str, Any] = {}
    changes = []
    for name, value, why in _settings(before, failure):
        now = getattr(before, name)
        if value != now:
            update[name] = value
            setting = f"sampling.{name}"
            changes.append(Change(setting=setting, before=f"{now:g}", after=f"{value:g}", why=why))
    return before.model_copy(update=update), tuple(changes)


def _settings(now: Sampling, failure: Failure) -> Iterator[tuple[str, float, str]]:
    """Settings of the sampler that what failed asks for, in their order, with the reason."""
    failed, kinds = set(failure.checks), {reason.kind for reason in failure.reasons}
    if DIVERGENCES in failed or "funnel" in kinds:
        nearer = [step for step in ACCEPTANCE if step > now.target_accept]
        why = DIVERGENCES if DIVERGENCES in failed else "a funnel"
        yield "target_accept", min(nearer, default=now.target_accept), why
    mixing = [name for name in (RHAT, ESS_BULK, ESS_TAIL) if name in failed]
    # chains that each found a place of their own stay there however long they are
    if mixing and "several_modes" not in kinds and now.draws is not None:
        enough = max(2 * now.draws, ceil(2 * ESS_MIN / now.chains))
        yield "draws", min(enough, DRAWS_MAX), "; ".join(mixing)
    adapting = [name for name in (RHAT, ENERGY) if name in failed]
    if adapting:
        yield "tune", min(max(2 * now.tune, TUNE_MIN), DRAWS_MAX), "; ".join(adapting)
    if RHAT in failed and now.chains < 2:
        yield "chains", CHAINS, "one chain agrees with nothing"
    if TREE_DEPTH in failed:
        yield "max_treedepth", min(now.max_treedepth + DEPTH_STEP, DEPTH_MAX), TREE_DEPTH


def _parameterised(analysis: Analysis, reason: Reason, design: Design) -> Remedied | None:
    """Sample the effects of a grouping the way that a reason names; their distribution stays."""
    if not reason.setting or not reason.checks or reason.equation not in analysis.equations:
        return None
    equation = analysis.equations[reason.equation]
    here = {each.equation_name: each for each in design.equations}[reason.equation]
    now = {each.name: each for each in here.groupings}[reason.level]
    declared = equation.groupings[reason.level]
    centred: bool | tuple[str, ...] = reason.value == "true"
    if reason.value not in ("true", "false"):
        centred = tuple(part.strip() for part in reason.value.strip("[]").split(","))
    if centred == declared.centred:
        return None
    # which terms are centred decides, by default, whether effects correlate
    varying = VaryingTerms(terms=declared.terms, centred=centred, correlated=now.correlated)
    change = Change(
        setting=reason.setting,
        before=f"[{', '.join(now.centred)}]" if now.centred else "false",
        after=reason.value,
        why=reason.title,
    )
    changed = equation.model_copy(update={"varying": equation.varying | {reason.level: varying}})
    equations = analysis.equations | {reason.equation: changed}
    return Remedied(analysis.model_copy(update={"equations": equations}), (change,))


def settings_changed(first: Analysis, now: Analysis) -> dict[str, Any]:
    """Parts of an analysis file that turn the first analysis into the other, as plain values."""
    found: dict[str, Any] = {}
    before, after = first.sampling.model_dump(), now.sampling.model_dump()
    sampling = {name: value for name, value in after.items() if value != before[name]}
    if sampling:
        found["sampling"] = sampling
    for name, equation in now.equations.items():
        varying = {
            level: terms.model_dump(exclude_none=True)
            for level, terms in equation.groupings.items()
            if terms != first.equations[name].groupings[level]
        }
        if varying:
            found.setdefault("equations", {})[name] = {"varying": varying}
    return found


def with_settings(analysis: Analysis, settings: Mapping[str, Any]) -> Analysis:
    """Put the settings that `settings_changed` gives into an analysis."""
    equations = dict(analysis.equations)
    for name, changed in settings.get("equations", {}).items():
        varying = {
            level: VaryingTerms.model_validate(terms) for level, terms in changed["varying"].items()
        }
        equation = equations[name]
        equations[name] = equation.model_copy(update={"varying": equation.varying | varying})
    plain = analysis.sampling.model_dump() | settings.get("sampling", {})
    if plain["draws"] is not None:
        del plain["minutes"]
    update = {"sampling": Sampling.model_validate(plain), "equations": equations}
    return analysis.model_copy(update=update)


def likely_words(item: CheckItem, gate: Gate) -> str:
    """Likely reasons of a failed check in a line; that none was recognised where there is none."""
    found = gate.reasons_of(item)
    return "; ".join(f"{one.title} ({one.where})" for one in found) or NO_REASON
