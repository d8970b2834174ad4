"""Rules on words: what the analyst wrote, as the report prints it.

Words of the report itself are the same in every run and are no point of the checklist: they speak
of posterior probabilities of stated regions, and of associations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bayescluster.workflow.checklist.record import Answer, Known, Rule

NOT_BAYESIAN: Final = re.compile(
    r"statistical(?:ly)? significan(?:t|ce|tly)|\bsignificantly\b|\bp[- ]values?\b"
    r"|\bconfidence (?:interval|level)s?\b|\breject\w* the null\b|\bnull hypothes[ie]s\b",
    re.IGNORECASE,
)
"""Terms of other inference: no number of a report is one of these."""
CAUSAL: Final = re.compile(
    r"\bcaus(?:es?|ed|ing|al|ally)\b|\bleads? to\b|\bled to\b|\bimpacts?\b|\bbecause of\b",
    re.IGNORECASE,
)
"""Words that claim more than an association adjusted for controls."""
ARGUED: Final = re.compile(
    r"exogen|confound|causal|causation|as good as random|association|experiment", re.IGNORECASE
)
"""Words by which limits speak of what a causal reading would take."""
SYNTHETIC: Final = re.compile(r"synthetic|simulat|made[- ]up|invented", re.IGNORECASE)


def _words(known: Known) -> Answer:
    results = known.results
    own = " ".join((results.title, results.description, *results.limits))
    faults = list(_faults(known, own))
    if faults:
        told = "; ".join(fault for fault, _ in faults)
        return Answer("look", told, "#top", "; ".join(mend for _, mend in faults))
    if not results.description and not results.limits:
        return Answer("not applicable", "the analysis has no description and no limits to look at")
    what = "title, description and limits speak of no significance, and of no cause without what it takes"
    if results.sample.synthetic:
        what += "; they say that the firms are synthetic"
    return Answer("done", what, "#top")


def _faults(known: Known, own: str) -> Iterator[tuple[str, str]]:
    """Say what claims too much, and how to mend it."""
    results = known.results
    terms = _found(NOT_BAYESIAN, own)
    if terms:
        yield f"they say {terms}, which no number here is", "speak of posterior probabilities"
    causal = _found(CAUSAL, f"{results.title} {results.description}")
    experiment = known.analysis is not None and known.analysis.traditions.causes.experiment
    if causal and not experiment and not ARGUED.search(" ".join(results.limits)):
        yield (
            f"the description says {causal}, and no limit says what a causal reading would take",
            "argue it under limits, or speak of associations",
        )
    if results.sample.synthetic and not SYNTHETIC.search(own):
        yield "the firms are synthetic, and none of these words says so", "say so under limits"


def _found(terms: re.Pattern[str], text: str) -> str:
    found = dict.fromkeys(each.group().lower() for each in terms.finditer(text))
    return ", ".join(f"“{term}”" for term in found)


RULES = (Rule("Do the words of the analysis claim no more than it can?", ("WAMBS 10",), _words),)
