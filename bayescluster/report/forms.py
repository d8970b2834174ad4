"""Several structural forms compared: how each predicts, what it weighs, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.fit import (
    Comparison,
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
    Score,
)
from bayescluster.results.model import Results, Verdict


def body(results: Results) -> Markup:
    """Statements, the forms with their scores, and the verdicts that differ by form."""
    found = results.comparison
    if found is None:
        return Markup()
    return filled(
        "forms.html.j2",
        results=results,
        found=found,
        compared=_compared(found).table,
        verdicts=_verdicts(results, found).table,
    )


def views(results: Results) -> Iterator[View[Any]]:
    """How the forms compare; their corners, their verdicts and the clusters left out."""
    found = results.comparison
    if found is not None:
        yield _compared(found)
        yield View("form_corners", FormCorner, rows=found.corners)
        yield _verdicts(results, found)
        yield View("form_clusters", LeftOutCluster, rows=found.clusters)


def _compared(found: Comparison) -> View[FormRow]:
    with_clusters = all(row.clusters is not None for row in found.forms)
    limit = words.number(found.khat_threshold, 0.1)
    clusters = _score_columns("clusters", "Clusters") if with_clusters else ()
    return View(
        "forms",
        FormRow,
        "Forms, by weight",
        (
            Column(
                "Form",
                "form",
                note=lambda row: "plausible" if row.plausible else "predicts worse",
            ),
            number("Weight", "weight", partial(words.fixed, places=2)),
            *clusters,
            *_score_columns("rows", "Rows"),
            number("p_loo", "p_loo", partial(words.fixed, places=1)),
            number("Neither makes up for the other", "non_compensatory_probability", words.maybe),
            Column(
                "Gate",
                "gate_passed",
                lambda passed: "✓ passed" if passed else "✕ failed",
                lambda row: ", ".join(row.failing),
                lambda row: "good" if row.gate_passed else "bad",
            ),
        ),
        tuple(sorted(found.forms, key=lambda row: -row.weight)),
        "elpd: expected log predictive density, of all firms of a cluster jointly where clusters are "
        "left out. Differences are to the best form by the same criterion. Small print: stacking "
        "weight by that criterion, and how many left-out units have a Pareto k above the threshold"
        + (f" ({limit} for clusters)." if with_clusters else "."),
        records=found.forms,
    )


def _score_columns(name: str, label: str) -> tuple[Column[FormRow], ...]:
    """Difference to the best form and elpd of a criterion, each with its standard error."""

    def of(row: FormRow) -> Score:
        score: Score = getattr(row, name)
        return score

    return (
        number(
            f"{label} left out: difference (SE)",
            of,
            lambda one: f"{words.fixed(one.difference, 1)} ({words.fixed(one.difference_se, 1)})",
            note=lambda row: f"weight {words.fixed(of(row).weight, 2)}",
        ),
        number(
            "elpd (SE)",
            of,
            lambda one: f"{words.fixed(one.elpd, 1)} ({words.fixed(one.se, 1)})",
            note=lambda row: f"{words.count(of(row).bad) if of(row).bad else 'none'} above",
        ),
    )


OVER_FORMS = "Over the plausible forms"


class ClaimVerdicts(NamedTuple):
    """The verdict of a claim over the plausible forms, and those of each form."""

    verdict: Verdict
    own: dict[str, FormVerdict]


def _verdicts(results: Results, found: Comparison) -> View[ClaimVerdicts]:
    own = {(one.claim, one.form): one for one in found.verdicts}
    names = [row.form for row in found.forms]

    def verdicts(name: str) -> Column[ClaimVerdicts]:
        def of(row: ClaimVerdicts) -> Verdict | FormVerdict:
            return row.verdict if name == OVER_FORMS else row.own[name]

        return number(
            name,
            lambda row: of(row).probability,
            words.verdict_probability,
            note=lambda row: words.VERDICTS.get(of(row).verdict, ""),
        )

    return View(
        "form_verdicts",
        FormVerdict,
        "Verdicts that differ between forms",
        (
            Column("Claim", lambda row: row.verdict.title),
            Column("Group", lambda row: words.group(row.verdict.by, row.verdict.group)),
            *map(verdicts, (OVER_FORMS, *names)),
        ),
        tuple(
            ClaimVerdicts(verdict, {name: own[claim, name] for name in names})
            for claim, verdict in enumerate(results.verdicts)
            if len({own[claim, name].verdict for name in names}) > 1
        ),
        "Probability of the region; over the plausible forms, that of the least sure of them.",
        records=found.verdicts,
    )


FORMS = Section(
    "forms",
    "Which structural forms are plausible?",
    "Forms",
    body,
    lambda results: results.comparison is not None,
    views,
)
