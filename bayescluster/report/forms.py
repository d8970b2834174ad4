"""Several structural forms compared: how each predicts, what it weighs, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.claims import Corners
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.fit import Comparison, FormRow, Score
from bayescluster.results.model import Estimate, Results, Verdict

CLUSTERS: Mapping[str, Any] = {"color": FIRST, "marker": "o", "markersize": 5.5}
ROWS: Mapping[str, Any] = {
    "color": SECOND,
    "marker": "s",
    "markersize": 5.5,
    "markerfacecolor": PAPER,
}
APART = 0.16
"""How far the two criteria of a form stand from its middle."""


def comparison(results: Results, *, narrow: bool = False) -> Figure:
    """Draw differences in elpd with their standard errors, and the weights of the forms.

    Parameters
    ----------
    results
        Results of a run of several forms.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results compare no forms.
    """
    found = results.comparison
    if found is None:
        raise FigureError("The results compare no forms.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 1.1 + 0.42 * len(found.forms))
        left, right = figure.subplots(1, 2, width_ratios=(2.4, 1), sharey=True)
        for place, row in enumerate(found.forms):
            _differences(left, place, row)
        _weights(right, found.forms)
        left.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        left.set_yticks(range(len(found.forms)), [row.form for row in found.forms])
        left.set_ylim(len(found.forms) - 0.45, -0.55)
        left.set_xlabel("elpd less that of the best" + ("" if narrow else ", with standard error"))
        for axes in (left, right):
            bare_rows(axes)
        _key(figure, left, found, narrow=narrow)
        return plain_text(figure)


def _differences(axes: Axes, place: int, row: FormRow) -> None:
    if row.clusters is None:
        _difference(axes, place, row.rows, ROWS)
        return
    _difference(axes, place - APART, row.clusters, CLUSTERS)
    _difference(axes, place + APART, row.rows, ROWS)


def _difference(axes: Axes, place: float, score: Score, look: Mapping[str, Any]) -> None:
    ends = (score.difference - score.difference_se, score.difference + score.difference_se)
    axes.plot(ends, (place, place), color=look["color"], linewidth=1.8, zorder=2)
    axes.plot([score.difference], [place], linestyle="", zorder=3, **look)


def _weights(axes: Axes, rows: Sequence[FormRow]) -> None:
    for place, row in enumerate(rows):
        axes.barh([place], [row.weight], height=0.42, color=FIRST, zorder=2)
        axes.text(
            row.weight + 0.03, place, f"{row.weight:.2f}", va="center", color=INK, fontsize=8.5
        )
    axes.set_xlim(0, 1.18)
    axes.set_xticks((0, 0.5, 1), ("0", "0.5", "1"))
    axes.set_xlabel("weight")


def _key(figure: Figure, axes: Axes, found: Comparison, *, narrow: bool) -> None:
    if all(row.clusters is not None for row in found.forms):
        axes.plot([], [], label="clusters left out", **CLUSTERS)
    axes.plot([], [], label="rows left out", **ROWS)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 2)


def _caption(results: Results) -> str:
    found = results.comparison
    by = found.criterion if found is not None else ""
    return (
        "Left: expected log predictive density (elpd) of each form less that of the best by the same "
        "criterion, with one standard error of the difference; further left predicts worse. Right: "
        f"stacking weights by {by}, which the averages use."
    )


def _alternative(results: Results) -> str:
    found = results.comparison
    listed = "; ".join(
        f"{row.form} weight {row.weight:.2f}, rows left out "
        f"{words.fixed(row.rows.difference, 1)} with standard error {row.rows.difference_se:.1f}"
        + (
            f", clusters left out {words.fixed(row.clusters.difference, 1)} with standard error "
            f"{row.clusters.difference_se:.1f}"
            if row.clusters
            else ""
        )
        for row in (found.forms if found is not None else ())
    )
    return f"Forms compared by elpd and weight: {listed}."


COMPARISON = FigureSpec(
    name="comparison",
    draw=lambda results, narrow: comparison(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.comparison is not None,
)


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
