"""Several structural forms compared: how each predicts, what it weighs, and what it says."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.comparison_plot import COMPARISON
from bayescluster.report.sections.record import Cell, Section, Table, columns, figures, rows
from bayescluster.results.comparison import Comparison, FormRow, Score
from bayescluster.results.corners import Corners
from bayescluster.results.model import (
    Estimate,
    Results,
    Verdict,
)
from bayescluster.results.sample import OutcomeFacts


def body(results: Results) -> Markup:
    """Statements, table and figure of the comparison; corners and verdicts by form."""
    found = results.comparison
    if found is None:
        return Markup()
    return filled(
        "forms.html.j2",
        results=results,
        found=found,
        weight=words.fixed(found.non_compensatory_weight, 2),
        compared=_compared(found),
        figures=figures(results, COMPARISON),
        corners=[_corners(table, results, found) for table in results.corners],
        verdicts=_verdicts(results, found),
        clusters=_clusters(found),
    )


def _compared(found: Comparison) -> Table:
    with_clusters = all(row.clusters is not None for row in found.forms)
    ordered = sorted(found.forms, key=lambda row: -row.weight)
    limit = words.number(found.khat_threshold, 0.1)
    return Table(
        "Forms, by weight",
        columns(
            "Form",
            "#Weight",
            *(("#Clusters left out: difference (SE)", "#elpd (SE)") if with_clusters else ()),
            "#Rows left out: difference (SE)",
            "#elpd (SE)",
            "#p_loo",
            "Gate",
        ),
        rows(_row(row, with_clusters=with_clusters) for row in ordered),
        "elpd: expected log predictive density, of all firms of a cluster jointly where clusters are "
        "left out. Differences are to the best form by the same criterion. Small print: stacking "
        "weight by that criterion, and how many left-out units have a Pareto k above the threshold"
        + (f" ({limit} for clusters)." if with_clusters else "."),
    )


def _row(row: FormRow, *, with_clusters: bool) -> tuple[Cell, ...]:
    gate = (
        Cell("✓ passed", look="good")
        if row.gate_passed
        else Cell("✕ failed", ", ".join(row.failing), "bad")
    )
    return (
        Cell(row.form, "non-compensatory" if row.non_compensatory else "", link=row.report),
        Cell(words.fixed(row.weight, 2)),
        *(_score(row.clusters) if with_clusters and row.clusters is not None else ()),
        *_score(row.rows),
        Cell(words.fixed(row.p_loo, 1)),
        gate,
    )


def _score(score: Score) -> tuple[Cell, Cell]:
    less = f"{words.fixed(score.difference, 1)} ({words.fixed(score.difference_se, 1)})"
    bad = f"{words.count(score.bad)} above" if score.bad else "none above"
    return (
        Cell(less, f"weight {words.fixed(score.weight, 2)}"),
        Cell(f"{words.fixed(score.elpd, 1)} ({words.fixed(score.se, 1)})", bad),
    )


def _corners(table: Corners, results: Results, found: Comparison) -> Table:
    names = [row.form for row in found.forms]
    of_form = {
        (one.form, one.by, one.group, one.corner): one.estimate
        for one in found.corners
        if (one.scope, one.declared, one.at_least) == (table.scope, table.declared, table.at_least)
    }
    scope = words.SCOPES.get(table.scope, table.scope)
    level = table.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    declared = table.declared if level is None else f"{table.declared}, at least {level}"
    return Table(
        f"Corners, averaged and by form, {declared}",
        columns("Group and corner", "#Averaged", *(f"#{name}" for name in names)),
        rows(
            (
                Cell(
                    words.group(row.by, row.group),
                    words.CORNERS[row.corner],
                    "head" if row.by == "all" else "",
                ),
                _level(row.estimate, outcome),
                *(
                    _level(of_form.get((name, row.by, row.group, row.corner)), outcome)
                    for name in names
                ),
            )
            for row in table.rows
            if row.by != "cluster"
        ),
        f"For {scope}.",
        folded=f"Corners by form, {declared}, for {scope}",
    )


def _level(found: Estimate | None, outcome: OutcomeFacts) -> Cell:
    """Expected outcome, its interval below: several stand side by side."""
    if found is None:
        return Cell(words.NONE)
    mean, interval = words.level(found, outcome).split(" ", 1)
    return Cell(mean, interval)


def _verdicts(results: Results, found: Comparison) -> Table:
    names = [row.form for row in found.forms]
    own = {(one.claim, one.form): one for one in found.verdicts}
    return Table(
        "Verdicts, averaged and by form",
        columns("Claim", "Group", "#Averaged", *(f"#{name}" for name in names)),
        rows(
            (
                verdict.title,
                words.group(verdict.by, verdict.group),
                _probability(verdict.probability, verdict),
                *(_probability(own[claim, name].probability, own[claim, name]) for name in names),
            )
            for claim, verdict in enumerate(results.verdicts)
        ),
        "Posterior probability of the claim's region; the average weighs the forms' own.",
    )


def _probability(share: float, one: Verdict | object) -> Cell:
    verdict = str(getattr(one, "verdict", ""))
    return Cell(words.verdict_probability(share), words.VERDICTS.get(verdict, ""))


def _clusters(found: Comparison) -> Table:
    names = [row.form for row in found.forms]
    own = {(one.form, one.cluster): one for one in found.clusters}
    labels: Sequence[str] = list(dict.fromkeys(one.cluster for one in found.clusters))
    return Table(
        "Clusters left out one by one",
        columns("Cluster", "#Rows", *(f"#{name}" for name in names)),
        rows(
            (
                label,
                words.count(own[names[0], label].rows),
                *(
                    Cell(
                        words.fixed(own[name, label].elpd, 1),
                        f"k {words.number(own[name, label].khat, 0.1)}",
                    )
                    for name in names
                ),
            )
            for label in labels
        ),
        "Log predictive density of all rows of the cluster jointly, as a new cluster; k is the "
        "Pareto k behind it.",
        folded=f"All {words.count(len(labels))} clusters left out",
    )


FORMS = Section(
    "forms", "Forms compared", "Forms", body, lambda results: results.comparison is not None
)
