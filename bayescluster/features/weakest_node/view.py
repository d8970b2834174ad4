"""Which capital holds each industry and cluster back, and what a budget would buy: words, tables, figure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import partial
from itertools import product, starmap
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.features.weakest_node.results import (
    NodeRow,
    OptionRow,
    Plan,
    PlanRow,
    WeakestNode,
)
from bayescluster.kit import words
from bayescluster.kit.figure import FigureSpec
from bayescluster.kit.intervals import Frame, Line, Mark, interval_rows
from bayescluster.kit.page import Section, figures, filled, group_column
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
from bayescluster.results.model import Results

MOST_ROWS: Final = 12
"""Groups in a table of the page."""
LOSS_DIGITS: Final = 3
"""Significant digits of the largest expected loss."""


class Worth(NamedTuple):
    """How worth is written: ``factor`` turns a stored number into the one shown, ``unit`` follows it.

    ``per`` says per how much cost; empty where gains are not priced.
    """

    factor: float
    unit: str
    per: str


def node_of(results: Results) -> WeakestNode:
    """The weakest node of results that have one."""
    assert results.weakest_node is not None
    return results.weakest_node


def kinds_with_sentences(node: WeakestNode) -> tuple[By, ...]:
    """Kinds of groups that have a sentence; clusters only where there is no other."""
    above: tuple[By, ...] = tuple(by for by in node.by if by != "cluster")
    return above or node.by


def worth_of(results: Results) -> Worth:
    """Unit of worth: that of an effect, per so much cost that the numbers can be read."""
    node, kind = node_of(results), words.unit(results.outcome)
    if not node.costs:
        return Worth(kind.factor, kind.effect, "")
    largest = max(
        (abs(row.per_cost.mean) * kind.factor for row in node.options if row.per_cost), default=0.0
    )
    many = 10.0 ** math.ceil(-math.log10(largest)) if 0 < largest < 1 else 1.0
    several = node.currency or "units of cost"
    per = f"per {words.count(many)} {several}" if many > 1 else f"per {_one(several)}"
    return Worth(kind.factor * many, kind.effect, per)


def loss(value: float | None, results: Results) -> str:
    """Expected loss, in the unit of worth, to the digits of the largest there is."""
    if value is None:
        return words.NONE
    node, unit = node_of(results), worth_of(results)
    losses = [row.loss for row in node.options]
    losses += [
        each for row in node.nodes for each in (row.loss_human_capital, row.loss_social_capital)
    ]
    largest = max(each for each in losses if each is not None)
    places = words.decimals(unit.factor * largest, LOSS_DIGITS)
    shown, least = value * unit.factor, 10.0**-places
    if 0 < shown < least / 2:
        return f"<{words.fixed(least, places)}{unit.unit}"
    return f"{words.fixed(shown, places)}{unit.unit}"


def steps(results: Results) -> str:
    """Sizes of the steps of both capitals."""
    node, sizes = node_of(results), []
    for name in CAPITALS:
        unit = next((one.unit for one in results.measures if one.capital == name), "")
        size = f"{node.steps[name]:g} " + ("sd" if node.unit == "sd" else f"({unit})")
        size = "from no to yes" if words.binary(results, name) else size
        sizes.append(f"{words.label(name).lower()} {size}")
    return "; ".join(sizes)


def money(value: float, currency: str) -> str:
    """Write an amount with its currency."""
    return _amount(words.number(value), currency)


def _declared(value: float, currency: str) -> str:
    """Write an amount with the digits it was declared with."""
    return _amount(f"{value:,g}", currency)


def _amount(number: str, currency: str) -> str:
    return f"{number} {_one(currency) if number == '1' else currency}".rstrip()


def _one(currency: str) -> str:
    """The singular of a currency that is a word in the plural: of ``cost units``, not of ``EUR``."""
    return re.sub(r"(?<=[a-z])(?<!s)s(?= of |$)", "", currency, count=1)


def views(results: Results) -> Iterator[View[Any]]:
    """Bottlenecks, options, plans and levels needed, as they are written."""
    node = node_of(results)
    for by in node.by:
        yield View("weakest_nodes", NodeRow, rows=tuple(row for row in node.nodes if row.by == by))
    for by in node.by:
        mine = tuple(row for row in node.options if row.by == by)
        yield View("weakest_options", OptionRow, rows=mine)
    for plan in node.plans:
        yield View("weakest_plans", PlanRow, rows=plan.rows)
    for by, capital in product(node.by, CAPITALS):
        needs = tuple(row for row in node.needs if (row.by, row.capital) == (by, capital))
        yield View("weakest_needs", LeastLevel, rows=needs)
    yield _nodes(results)


def _nodes(results: Results) -> View[NodeRow]:
    """Which capital is the weakest node, and what choosing the other would forgo."""
    node, per = node_of(results), worth_of(results).per
    above, lost = kinds_with_sentences(node), partial(loss, results=results)
    rows = tuple(row for row in node.nodes if row.by in above)
    reasons = {row.stopped for row in rows}
    of_all = reasons.pop() if len(rows) > 1 and len(reasons) == 1 else ""
    return View(
        "weakest_nodes",
        NodeRow,
        "Which capital is the weakest node" + (f", by gain {per}" if per else ""),
        (
            group_column("Group"),
            Column(
                "Weakest node", "weakest", words.label, lambda row: "" if of_all else row.stopped
            ),
            number("P(human capital)", "probability", words.maybe),
            number("Loss, human capital", "loss_human_capital", lost),
            number("Loss, social capital", "loss_social_capital", lost),
        ),
        rows[:MOST_ROWS],
        (f"{words.sentence(of_all)} " if of_all else "")
        + f"Named from a probability of {words.share(node.level)} on. Loss: what raising this capital rather "
        "than the better one is expected to forgo."
        + (f" {MOST_ROWS} of {len(rows)} groups." if len(rows) > MOST_ROWS else ""),
        records=(),
    )


def gains(results: Results, *, narrow: bool = False) -> Figure:
    """Draw what goes with a step of each capital, industry by industry, each above its clusters.

    Raises
    ------
    FigureError
        If there is nothing to draw, or too much.
    """
    label = f"Gain with a step, {words.unit(results.outcome).name}"
    key = tuple(words.label(name).lower() for name in CAPITALS)
    return interval_rows(gain_lines(results), Frame(label, 0.0, key=key), narrow=narrow)


def gain_lines(results: Results) -> list[Line]:
    """A row for all firms or each industry; for each cluster where there is no other kind of group."""
    node = results.weakest_node
    above = kinds_with_sentences(node) if node else ()
    groups: dict[tuple[str, str], dict[str, OptionRow]] = {}
    for option in node.options if node else ():
        if option.by in above:
            groups.setdefault((option.by, option.group), {})[option.option] = option
    factor = words.unit(results.outcome).factor
    return [
        Line(
            words.group(*key),
            tuple(
                Mark(
                    row.estimate.low * factor,
                    row.estimate.mean * factor,
                    row.estimate.high * factor,
                    look,
                    bool(row.unsupported),
                )
                for look, row in enumerate(groups[key][name] for name in CAPITALS)
            ),
        )
        for key in sorted(groups)
    ]


def _alternative(results: Results) -> str:
    unit = words.unit(results.outcome).effect
    listed = "; ".join(
        f"{line.label}: "
        + ", ".join(
            f"{words.label(name).lower()} {words.number(mark.middle)}{unit} "
            f"[{words.number(mark.low)}, {words.number(mark.high)}]"
            for name, mark in zip(CAPITALS, line.marks, strict=True)
        )
        for line in gain_lines(results)
    )
    return f"Gains with a step of each capital: {listed}."


GAINS = FigureSpec(
    name="gains",
    draw=lambda results, narrow: gains(results, narrow=narrow),
    caption=lambda results: (
        "Change of the average expected outcome when each capital is raised by a step, no firm above the "
        f"{words.share(node_of(results).support)} point of its group: mean and 90% interval."
    ),
    alternative=_alternative,
    wanted=lambda results: results.weakest_node is not None,
)


def body(results: Results) -> Markup:
    """A sentence of what is compared, the bottleneck of each industry, and the figure."""
    node = node_of(results)
    return filled(
        "weakest.html.j2",
        results=results,
        steps=steps(results),
        costs=[
            f"{_declared(cost, node.currency)} ({words.label(name).lower()})"
            for name, cost in node.costs.items()
        ],
        figures=figures(results, GAINS),
        table=_nodes(results).table,
        notes=node.notes,
    )


WEAKEST_NODE = Section(
    "weakest-node",
    "Weakest node",
    "Weakest node",
    body,
    wanted=lambda results: results.weakest_node is not None,
    views=views,
    layer="findings",
)


def _plan(results: Results, plan: Plan) -> View[PlanRow]:
    currency = node_of(results).currency
    firms = results.outcome.scale == "probability"
    best = (
        ""
        if plan.first_best is None
        else f"Probability that the first is truly the best: {words.probability(plan.first_best)}. "
    )
    total = ("", "", money(plan.spent, currency), words.signed(plan.gain))
    return View(
        "weakest_plans",
        PlanRow,
        f"What {_declared(plan.budget, currency)} would buy",
        (
            group_column("Group"),
            Column("Raise", _raised),
            number("Firms", "firms", words.count),
            number("Spent", "spent", partial(money, currency=currency)),
            number(
                "More firms with the outcome" if firms else "Gain, summed over firms",
                "estimate",
                words.signed,
            ),
        ),
        plan.rows[:MOST_ROWS],
        f"{best}In order of expected gain per cost, until the budget is spent or nothing more is gained; "
        "which firms of a group are raised is left to chance.",
        records=(),
        after=((Cell("Together", look="head"), *map(Cell, total)),),
    )


def _raised(row: PlanRow) -> str:
    if row.before == "none":
        return "Both capitals" if row.after == "both" else words.label(row.after)
    if row.after == "both":
        added = next(name for name in CAPITALS if name != row.before)
        return f"{words.label(added)} (after {words.label(row.before).lower()})"
    return f"{words.label(row.after)} (in place of {words.label(row.before).lower()})"


def _needs(results: Results) -> View[tuple[LeastLevel, ...]]:
    """The least of each capital for each target, a row a group and a column a capital and target."""
    node = node_of(results)
    above = kinds_with_sentences(node)
    groups: dict[tuple[By, str], list[LeastLevel]] = {}
    for row in node.needs:
        if row.by in above:
            groups.setdefault((row.by, row.group), []).append(row)
    kind = words.unit(results.outcome)

    def column(capital: str, target: float) -> Column[tuple[LeastLevel, ...]]:
        return number(
            f"{words.label(capital)} for {target * kind.factor:g}{kind.level}",
            lambda rows: next(
                (row for row in rows if (row.capital, row.target) == (capital, target)), None
            ),
            _median,
        )

    return View(
        "weakest_needs",
        LeastLevel,
        "Least capital for each level of the outcome",
        (
            Column("Group", lambda rows: words.group(rows[0].by, rows[0].group)),
            *starmap(column, product(CAPITALS, node.targets)),
        ),
        tuple(map(tuple, groups.values()))[:MOST_ROWS],
        f"Medians ({_units(results)}), the other capital as it is. NN: none needed. NA: not reachable "
        "within what the group supports.",
        records=(),
    )


def _units(results: Results) -> str:
    """Units of the levels needed, capital by capital."""
    units = {
        words.label(one.capital).lower(): "sd" if one.method == "latent" else one.unit
        for one in results.measures
        if one.capital in CAPITALS and not words.binary(results, one.capital)
    }
    return "; ".join(f"{name}: {unit}" for name, unit in units.items()) or "0 or 1"


def _median(row: LeastLevel | None) -> str:
    if row is None:
        return words.NONE
    value = row.median.sd if row.median.original is None else row.median.original
    return row.median.word or words.number(value)


def budget_body(results: Results) -> Markup:
    """The plan by industry, then the least of each capital that a level of the outcome needs."""
    return filled("budget.html.j2", tables=[view.table for view in budget_views(results)])


def budget_views(results: Results) -> Iterator[View[Any]]:
    """Plans and least levels of industries, as they are shown; all of them are written above."""
    node = node_of(results)
    for plan in node.plans:
        if plan.by in kinds_with_sentences(node):
            yield _plan(results, plan)
    if node.needs:
        yield _needs(results)


BUDGET = Section(
    "budget",
    "What would a budget buy?",
    "Budget",
    budget_body,
    wanted=lambda results: (
        results.weakest_node is not None
        and bool(results.weakest_node.plans or results.weakest_node.needs)
    ),
    views=budget_views,
)
