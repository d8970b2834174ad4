"""Whether the sign of the product of the capitals depends on the likelihood."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.features.likelihoods.results import Likelihoods
from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """The answer in a sentence, then the table."""
    found = results.likelihoods
    assert found is not None
    return filled("likelihoods.html.j2", results=results, found=found, table=_table(found))


def _table(found: Likelihoods) -> Table:
    return Table(
        "The product of the capitals under other likelihoods",
        columns(
            "Likelihood",
            "Scale",
            "#Product term",
            "#P(above 0)",
            "#Cross difference",
            "#P(above 0)",
        ),
        rows(
            (
                Cell(row.likelihood, "of the analysis" if row.fitted else ""),
                row.scale,
                words.signed(row.term),
                words.probability(row.term_positive),
                words.signed(row.cross),
                words.probability(row.cross_positive),
            )
            for row in found.rows
        ),
        "Over all firms, by normal approximations at the mode, with the controls of the analysis; "
        "intercepts vary by its groupings, slopes are common to all groups. The product term is per "
        "standard deviation of each capital, on the scale named; it can be compared among likelihoods "
        "of one scale. The cross difference of the corners is in units of the outcome under all "
        f"({found.declared}).",
    )


LIKELIHOODS = Section(
    "likelihoods",
    "Would another likelihood say otherwise?",
    "Other likelihoods",
    body,
    wanted=lambda results: results.likelihoods is not None,
)
