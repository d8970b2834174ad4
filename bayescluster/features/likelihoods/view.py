"""Whether the sign of the product of the capitals depends on the likelihood."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.features.likelihoods.results import LikelihoodRow
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled, tables
from bayescluster.kit.table import Column, View, number
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """The answer in a sentence, then the table."""
    found, (table,) = results.likelihoods, tables(views(results))
    return filled("likelihoods.html.j2", results=results, found=found, table=table)


def views(results: Results) -> tuple[View[LikelihoodRow]]:
    """The product term and the cross difference under each likelihood."""
    found = results.likelihoods
    assert found is not None
    view = View(
        "likelihoods",
        LikelihoodRow,
        "The product of the capitals under other likelihoods",
        (
            Column("Likelihood", "likelihood", note=lambda row: "of the analysis" * row.fitted),
            Column("Scale", "scale"),
            number("Product term", "term", words.signed),
            number("P(above 0)", "term_positive", words.probability),
            number("Cross difference", "cross", words.signed),
            number("P(above 0)", "cross_positive", words.probability),
        ),
        found.rows,
        "Over all firms, by normal approximations at the mode, with the controls of the analysis; "
        "intercepts vary by its groupings, slopes are common to all groups. The product term is per "
        "standard deviation of each capital, on the scale named; it can be compared among likelihoods "
        "of one scale. The cross difference of the corners is in units of the outcome under all "
        f"({found.declared}).",
    )
    return (view,)


LIKELIHOODS = Section(
    "likelihoods",
    "Would another likelihood say otherwise?",
    "Other likelihoods",
    body,
    wanted=lambda results: results.likelihoods is not None,
    views=views,
)
