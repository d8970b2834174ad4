"""Whether the sign of the product of the capitals depends on the likelihood."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.features.likelihoods.results import LikelihoodRow
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """The answer in a sentence, then how sure each likelihood is of a positive product."""
    (view,) = views(results)
    return filled("likelihoods.html.j2", found=results.likelihoods, table=view.table)


def views(results: Results) -> tuple[View[LikelihoodRow]]:
    """How sure each likelihood is that the product term, and the cross difference, are positive."""
    found = results.likelihoods
    assert found is not None
    view = View(
        "likelihoods",
        LikelihoodRow,
        "Probability that human and social capital are complements",
        (
            Column("Likelihood", "likelihood", note=lambda row: "of the analysis" * row.fitted),
            number("By the product term", "term_positive", words.probability),
            number("By the corners", "cross_positive", words.probability),
        ),
        found.rows,
    )
    return (view,)


LIKELIHOODS = Section(
    "likelihoods",
    "Does the likelihood decide?",
    "Other likelihoods",
    body,
    wanted=lambda results: results.likelihoods is not None,
    views=views,
)
