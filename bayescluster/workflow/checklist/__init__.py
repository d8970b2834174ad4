"""What was done of all that guidelines ask of a Bayesian analysis: filled from files, not from memory.

The points are those of the Bayesian analysis reporting guidelines (BARG: Kruschke 2021, Nature Human
Behaviour 5, by step, and by its letter where that is sure), of the checklist WAMBS (Depaoli and van
de Schoot 2017, Psychological Methods 22(2), by point) and of Bayesian workflow (Gelman et al. 2020,
arXiv:2011.01808, by section); that on limits is item 19 of STROBE (von Elm et al. 2007, PLoS Medicine
4(10)). Whatever was not done says so. What every report does the same way is no point: it could not
come out otherwise.
"""

from __future__ import annotations

from os.path import relpath

from bayescluster.results.checklist import Checklist, ChecklistItem
from bayescluster.results.model import Results
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.checklist import (
    computation,
    decisions,
    model,
    posterior,
    reproduction,
    sensitivity,
    wording,
)
from bayescluster.workflow.checklist.doubled import doubled
from bayescluster.workflow.checklist.kept import kept_in
from bayescluster.workflow.checklist.record import Known
from bayescluster.workflow.studies import studies_of

__all__ = ["PARTS", "checklist_of", "filled"]

PARTS = (
    ("Question, model and priors", model.RULES),
    ("Computation", computation.RULES),
    ("Fit and posterior", posterior.RULES),
    ("Decisions and words", (*decisions.RULES, *wording.RULES)),
    ("Sensitivity", sensitivity.RULES),
    ("Reproduction", reproduction.RULES),
)


def checklist_of(directory: RunDirectory, results: Results, model_key: str) -> Checklist:
    """Fill the checklist of a run from its results and the studies that stand beside it.

    Parameters
    ----------
    directory
        The run.
    results
        Its results.
    model_key
        Key of its model, by which studies are found.
    """
    studies = studies_of(directory.path.parent, model_key)
    pages = {
        kind: relpath(study.page, directory.path).replace("\\", "/")
        for kind, study in studies.items()
    }
    analysis = Analysis.model_validate(directory.read_manifest().analysis)
    return filled(
        Known(
            results,
            studies,
            pages,
            doubled(directory, results, model_key),
            analysis,
            kept_in(directory, analysis, results),
        )
    )


def filled(known: Known) -> Checklist:
    """Fill the checklist from what is known."""
    items = []
    for part, rules in PARTS:
        for rule in rules:
            found = rule.answer(known)
            items.append(
                ChecklistItem(
                    part=part,
                    asked=rule.asked,
                    sources=rule.sources,
                    status=found.status,
                    found=found.found,
                    link=found.link,
                    next=found.next,
                )
            )
    return Checklist(items=tuple(items))
