"""Several structural forms compared: how each predicts, what it weighs, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

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
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.claims import CornerRow, Corners
from bayescluster.results.fit import (
    Comparison,
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
    Score,
)
from bayescluster.results.model import Results, Verdict

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
        f"stacking weights by {by}, which averages of effects and corners use; verdicts are not averaged."
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
        compared=_compared(found).table,
        figures=figures(results, COMPARISON),
        corners=[_corners(table, results, found).table for table in results.corners],
        verdicts=_verdicts(results, found).table,
        clusters=_clusters(found).table,
    )


def views(results: Results) -> Iterator[View[Any]]:
    """How the forms compare; their corners, their verdicts and the clusters left out."""
    found = results.comparison
    if found is not None:
        yield _compared(found)
        yield View("form_corners", FormCorner, rows=found.corners)
        yield _verdicts(results, found)
        yield _clusters(found)


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
                link=lambda row: row.report,
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


def _corners(table: Corners, results: Results, found: Comparison) -> View[CornerRow]:
    of_form = {
        (one.form, str(one.by), one.group, str(one.corner)): one.estimate
        for one in found.corners
        if (one.scope, one.declared, one.at_least) == (table.scope, table.declared, table.at_least)
    }
    scope = words.SCOPES.get(table.scope, table.scope)
    level = table.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    declared = table.declared if level is None else f"{table.declared}, at least {level}"

    def estimates(name: str) -> Column[CornerRow]:
        """Expected outcome, its interval below: several stand side by side."""

        def parts(row: CornerRow) -> tuple[str, str]:
            own = row.estimate if name == AVERAGED else of_form.get(_key_of(row, name))
            mean, interval = words.level(own, outcome).split(" ", 1) if own else (words.NONE, "")
            return mean, interval

        return number(name, lambda row: parts(row)[0], note=lambda row: parts(row)[1])

    return View(
        "form_corners",
        CornerRow,
        f"Corners, averaged and by form, {declared}",
        (
            Column(
                "Group and corner",
                lambda row: words.group(row.by, row.group),
                note=lambda row: words.CORNERS[row.corner],
                look=lambda row: "head" if row.by == "all" else "",
            ),
            *map(estimates, (AVERAGED, *(row.form for row in found.forms))),
        ),
        tuple(row for row in table.rows if row.by != "cluster"),
        f"For {scope}.",
        f"Corners by form, {declared}, for {scope}",
        records=(),
    )


AVERAGED = "Averaged"
OVER_FORMS = "Over the plausible forms"


def _key_of(row: CornerRow, form: str) -> tuple[str, str, str, str]:
    return form, str(row.by), row.group, str(row.corner)


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
        "Verdicts, over the plausible forms and by form",
        (
            Column("Claim", lambda row: row.verdict.title),
            Column("Group", lambda row: words.group(row.verdict.by, row.verdict.group)),
            *map(verdicts, (OVER_FORMS, *names)),
        ),
        tuple(
            ClaimVerdicts(verdict, {name: own[claim, name] for name in names})
            for claim, verdict in enumerate(results.verdicts)
        ),
        "Posterior probability of the claim's region; over several forms, that of the least sure of the "
        "plausible ones. A verdict has to hold under each of these.",
        records=found.verdicts,
    )


class ClusterScores(NamedTuple):
    """A cluster left out, and how each form predicts it."""

    cluster: str
    own: dict[str, LeftOutCluster]


def _clusters(found: Comparison) -> View[ClusterScores]:
    names = [row.form for row in found.forms]
    scores: dict[str, dict[str, LeftOutCluster]] = {}
    for one in found.clusters:
        scores.setdefault(one.cluster, {})[one.form] = one

    def score(name: str) -> Column[ClusterScores]:
        return number(
            name,
            lambda row: words.fixed(row.own[name].elpd, 1),
            note=lambda row: f"k {words.number(row.own[name].khat, 0.1)}",
        )

    return View(
        "form_clusters",
        LeftOutCluster,
        "Clusters left out one by one",
        (
            Column("Cluster", "cluster"),
            number("Rows", lambda row: row.own[names[0]].rows, words.count),
            *map(score, names),
        ),
        tuple(ClusterScores(cluster, own) for cluster, own in scores.items()),
        "Log predictive density of all rows of the cluster jointly, as a new cluster; k is the "
        "Pareto k behind it.",
        f"All {words.count(len(scores))} clusters left out",
        records=found.clusters,
    )


FORMS = Section(
    "forms",
    "Forms compared",
    "Forms",
    body,
    lambda results: results.comparison is not None,
    views,
)
