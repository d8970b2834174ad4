"""Rules on the question, the model and its priors."""

from __future__ import annotations

from bayescluster.results.design_analysis import DesignAnalysis
from bayescluster.results.prior import PriorStudy
from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _question(known: Known) -> Answer:
    claims = {(verdict.kind, verdict.capital, verdict.title) for verdict in known.results.verdicts}
    if not claims:
        return Answer(
            "not done", "no claim is declared", "#effects", "declare hypotheses in the analysis"
        )
    what = f"{counted(len(claims), 'claim')} on {known.results.outcome.label}"
    return Answer("done", what, "#verdicts")


def _firms(known: Known) -> Answer:
    sample = known.results.sample
    lost = sum(row.rows for row in sample.dropped)
    filled = sum(row.cells for row in sample.imputed)
    gaps = [f"{lost:,} rows left out for missing values"] if lost else []
    gaps += [f"{filled:,} missing values estimated in the model"] if filled else []
    what = ", ".join([f"{sample.rows:,} rows of {sample.label}", *gaps])
    return Answer("done", f"{what}; synthetic data" if sample.synthetic else what, "#sample")


def _likelihood(known: Known) -> Answer:
    outcome, model = known.results.outcome, known.results.model
    levels = ", ".join(f"{each.groups} {each.name} groups" for each in model.groupings)
    what = f"{outcome.family} with {model.link} link, {model.structure}"
    return Answer("done", f"{what}; {levels or 'no groupings'}", "#model")


def _priors(known: Known) -> Answer:
    listed = sum(bool(each.prior) for each in known.results.model.coefficients)
    return Answer("done", f"the prior of {counted(listed, 'parameter')} is listed", "#model")


def _prior_predictive(known: Known) -> Answer:
    found = known.study("prior", PriorStudy)
    if found is None:
        return known.not_done("prior", "study of the prior")
    what = f"outcomes, effects and claims at {found.draws:,} draws of the prior"
    warned = len(found.warnings)
    if warned:
        return Answer(
            "look", f"{what}; {counted(warned, 'warning')}", known.pages["prior"], "see its page"
        )
    return Answer("done", f"{what}; no warning", known.pages["prior"])


def _prior_of_verdicts(known: Known) -> Answer:
    before = [verdict.prior_probability for verdict in known.results.verdicts]
    if not before:
        return Answer("not applicable", "no verdict")
    what = f"prior probabilities of the claims {min(before):.2f} to {max(before):.2f}"
    return Answer("done", what, "#verdicts")


def _design(known: Known) -> Answer:
    found = known.study("design", DesignAnalysis)
    if found is None:
        return known.not_done("design", "design analysis")
    forms = counted(len(found.forms), "true form")
    what = f"{counted(found.replications, 'replication')} of {forms}"
    return Answer("done", what, known.pages["design"])


RULES = (
    Rule("Is the question stated as claims?", ("BARG B",), _question),
    Rule("Are the data and what is missing described?", ("BARG 1.A",), _firms),
    Rule("Are likelihood and levels specified?", ("BARG 1.B", "BARG 1.D"), _likelihood),
    Rule("Are the priors stated?", ("BARG 1.C", "WAMBS 1"), _priors),
    Rule(
        "Does the prior make outcomes and effects that can be believed?",
        ("BARG 1.E", "WAMBS 1", "Workflow 2"),
        _prior_predictive,
    ),
    Rule("Is the prior probability of each claim given?", ("BARG 1.E",), _prior_of_verdicts),
    Rule(
        "Would such verdicts be right at this number of firms?",
        ("Workflow 4",),
        _design,
    ),
)
