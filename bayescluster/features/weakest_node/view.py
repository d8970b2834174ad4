"""Which capital holds each industry and cluster back, and what a budget would buy: words, tables, figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.features.ceilings.view import chances, ends_text, own_unit
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
from bayescluster.kit.page import Section, figures, filled, tables
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
from bayescluster.results.model import Results

HEADS: Final[dict[By, str]] = {"all": "Group", "industry": "Industry", "cluster": "Cluster"}
FOLDED: Final = "cluster"
"""Kind of groups whose tables are folded away."""
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
    one, several = (node.currency,) * 2 if node.currency else ("unit of cost", "units of cost")
    per = f"per {words.count(many)} {several}" if many > 1 else f"per {one}"
    return Worth(kind.factor * many, kind.effect, per)


def worth(row: OptionRow, results: Results) -> str:
    """Gain of an option per unit of cost, with its interval."""
    if row.per_cost is None:
        return words.NONE
    unit = worth_of(results)
    return words.signed(row.per_cost.times(unit.factor)).replace(" [", f"{unit.unit} [", 1)


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


def sentence(row: NodeRow, results: Results) -> str:
    """Say which capital holds a group back, how sure that is, and what an error would cost."""
    if row.probability is None or row.better is None:
        return f"The capitals cannot be compared. {row.stopped}"
    node, human = node_of(results), row.probability >= 0.5
    share = words.probability(row.probability if human else 1 - row.probability)
    given = ", for what a step costs" if node.costs else ""
    if row.weakest == "undecided":
        likely = "human capital" if human else "social capital"
        lead = (
            f"It is undecided which capital is the weakest node{given}; {likely} is the likelier "
            f"(probability {share})."
        )
    else:
        lead = f"{words.label(row.weakest)} is the weakest node{given} (probability {share})."
    gains = {
        option.option: words.effect(option.estimate, results.outcome)
        + ("" if option.cost is None else f" (at {money(option.cost, node.currency)} a firm)")
        for option in node.options
        if (option.by, option.group) == (row.by, row.group)
    }
    better, other = row.better, next(name for name in CAPITALS if name != row.better)
    losses = {"human_capital": row.loss_human_capital, "social_capital": row.loss_social_capital}
    per = worth_of(results).per
    steps = (
        f"A step of human capital goes with {gains['human_capital']}, one of social capital with "
        f"{gains['social_capital']}."
    )
    choice = (
        f"If one has to be chosen, {words.label(better).lower()}: on average that forgoes "
        f"{loss(losses[better], results)}{' ' if per else ''}{per} of what the better choice would "
        f"give, choosing {words.label(other).lower()} {loss(losses[other], results)}."
    )
    return " ".join(filter(None, (lead, row.stopped, steps, choice)))


def line(row: NodeRow, results: Results) -> str:
    """Say the same of a group in a line for a terminal."""
    if row.probability is None or row.better is None:
        return f"{row.weakest:<14}      {row.group}: {row.stopped}"
    return (
        f"{row.weakest:<14} P(human) {words.probability(row.probability)} (prior "
        f"{words.maybe(row.prior_probability)})  {row.group}; expected loss of choosing human "
        f"{loss(row.loss_human_capital, results)}, social {loss(row.loss_social_capital, results)}"
    )


def money(value: float, currency: str) -> str:
    """Write an amount with its currency."""
    return f"{words.number(value)}{' ' + currency if currency else ''}"


def _declared(value: float, currency: str) -> str:
    """Write an amount with the digits it was declared with."""
    return f"{value:,g}{' ' + currency if currency else ''}"


def views(results: Results) -> Iterator[View[Any]]:
    """Bottlenecks, options, plans and levels needed, a view for each kind of groups."""
    node = node_of(results)
    yield from (_nodes(results, by) for by in node.by)
    yield from (_options(results, by) for by in node.by)
    yield from (_plan(results, plan) for plan in node.plans)
    yield from (_needs(results, by, capital) for by in node.by for capital in CAPITALS)


def _group(by: By) -> Column[NodeRow | OptionRow | PlanRow]:
    return Column(HEADS.get(by, HEADS["all"]), lambda row: words.group(row.by, row.group))


def _folded(by: By, text: str) -> str:
    return f"{text}, by cluster" if by == FOLDED else ""


def _nodes(results: Results, by: By) -> View[NodeRow]:
    node, per = node_of(results), worth_of(results).per
    caption, lost = "Which capital is the weakest node", partial(loss, results=results)
    return View(
        "weakest_nodes",
        NodeRow,
        caption + (f", by gain {per}" if per else ""),
        (
            _group(by),
            Column(
                "Weakest node",
                "weakest",
                words.label,
                lambda row: row.reason if row.weakest == "undecided" else "",
            ),
            number("P(human capital)", "probability", words.maybe, note=_prior),
            number("Expected loss, human capital", "loss_human_capital", lost),
            number("Expected loss, social capital", "loss_social_capital", lost),
            number(
                "Both less the sum of each alone",
                "extra",
                partial(words.effect, outcome=results.outcome),
            ),
        ),
        tuple(row for row in node.nodes if row.by == by),
        f"P(human capital): probability that raising human capital is worth more than raising social "
        f"capital; named from {words.share(node.level)}. Expected loss: what choosing this capital "
        f"forgoes on average{', ' + per if per else ''}; the smaller of the two is what knowing for "
        "certain would be worth.",
        _folded(by, caption),
    )


def _prior(row: NodeRow) -> str:
    prior = row.prior_probability
    return "" if prior is None else f"prior {words.probability(prior)}"


def _options(results: Results, by: By) -> View[OptionRow]:
    per = worth_of(results).per
    gain = number(
        words.sentence("gain " + per)[:-1],
        lambda row: row,
        partial(worth, results=results),
        note=lambda row: "" if row.cost is None else f"{words.number(row.cost)} a firm",
    )
    return View(
        "weakest_options",
        OptionRow,
        "Where a step gains most: options of one capital, ranked" + (f" {per}" if per else ""),
        (
            _group(by),
            Column("Raised", "option", _option, _reached),
            number("Place", "place", words.count),
            number(
                "Gain",
                "estimate",
                partial(words.effect, outcome=results.outcome),
                note=lambda row: row.unsupported and f"beyond the sample: {row.unsupported}",
                look=lambda row: "thin" if row.unsupported else "",
            ),
            *([gain] if per else []),
            number("P(best)", "best", words.maybe),
            number("Expected loss", "loss", partial(loss, results=results)),
        ),
        tuple(row for row in node_of(results).options if row.by == by),
        "Gain: change of the average expected outcome of the group's firms. P(best) and expected loss "
        "are against all options with a place. Options that go beyond the sample have no place, nor "
        "have both capitals together.",
        _folded(by, "Options ranked"),
    )


def _option(option: str) -> str:
    return "Both capitals" if option == "both" else words.label(option)


def _reached(row: OptionRow) -> str:
    fully, partly = (words.fixed(100 * part, 0) for part in (row.fully, row.partly))
    return f"{fully}% of firms fully, {partly}% partly"


def _plan(results: Results, plan: Plan) -> View[PlanRow]:
    currency = node_of(results).currency
    firms = results.outcome.scale == "probability"
    best = (
        ""
        if plan.first_best is None
        else " Probability that what comes first is truly the best to begin with: "
        f"{words.probability(plan.first_best)}."
    )
    caption = f"What {_declared(plan.budget, currency)} would buy"
    total = ("", "", "", money(plan.spent, currency), words.signed(plan.gain))
    return View(
        "weakest_plans",
        PlanRow,
        caption + (f", by {plan.by}" if plan.by != "all" else ""),
        (
            _group(plan.by),
            Column("Raise", _raised),
            number("Firms", "firms", words.count),
            number("Share of firms", "share", lambda part: f"{words.fixed(100 * part, 0)}%"),
            number("Spent", "spent", partial(money, currency=currency)),
            number(
                "More firms expected with the outcome"
                if firms
                else "Expected gain, summed over firms",
                "estimate",
                words.signed,
            ),
        ),
        plan.rows,
        f"In the order of expected gain per cost, until the budget is spent or nothing more is gained. "
        "With gains and costs in proportion to the firms raised this is the plan with the largest "
        f"expected gain.{best} Which firms of a group are raised is left to chance; firms are those of "
        "the data.",
        _folded(plan.by, caption),
        after=((Cell("Together", look="head"), *map(Cell, total)),),
    )


def _raised(row: PlanRow) -> str:
    if row.before == "none":
        return _option(row.after)
    if row.after == "both":
        added = next(name for name in CAPITALS if name != row.before)
        return f"{words.label(added)} (after {words.label(row.before).lower()})"
    return f"{words.label(row.after)} (in place of {words.label(row.before).lower()})"


def _needs(results: Results, by: By, capital: str) -> View[Mapping[float, LeastLevel]]:
    """The least needed for each target: shown a row a group, written a row a group and target."""
    node = node_of(results)
    needs = tuple(row for row in node.needs if (row.by, row.capital) == (by, capital))
    groups: dict[str, dict[float, LeastLevel]] = {}
    for row in needs:
        groups.setdefault(row.group, {})[row.target] = row
    caption, units = (
        f"Least {words.label(capital).lower()} needed for each level of the outcome",
        "",
    )
    if needs and not words.binary(results, capital):
        measured = next(one for one in results.measures if one.capital == capital)
        units = "sd" if measured.method == "latent" else f"{measured.unit}; below it in sd"
    group: Column[Mapping[float, LeastLevel]] = Column(
        HEADS.get(by, HEADS["all"]), lambda rows: words.group(by, rows[node.targets[0]].group)
    )
    targets = (_need_column(results, target) for target in node.targets)
    return View(
        "weakest_needs",
        LeastLevel,
        f"{caption}, {units or '0 or 1'}",
        (group, *targets) if needs else (),
        tuple(groups.values()),
        "Median [90% interval]. NN: none needed, the least that the group supports is enough. "
        "NA: not reachable within what it supports. The other capital is as it is.",
        _folded(by, caption),
        records=needs,
    )


def _need_column(results: Results, target: float) -> Column[Mapping[float, LeastLevel]]:
    kind = words.unit(results.outcome)
    return number(
        f"{target * kind.factor:g}{kind.level}",
        lambda needs: needs[target],
        _level,
        note=lambda needs: _level_note(needs[target]),
    )


def _level(row: LeastLevel) -> str:
    return _in_digits(row, own_unit(row))


def _level_note(row: LeastLevel) -> str:
    """The same in sd where it is shown in original units, and the chances of NN and NA."""
    sd = _in_digits(row, "sd")
    return "; ".join(filter(None, (f"{sd} sd" if sd != _level(row) else "", chances(row))))


def _in_digits(row: LeastLevel, unit: str) -> str:
    """Median, low and high to three digits of the largest."""
    values = (getattr(end, unit) for end in (row.low, row.median, row.high))
    largest = max((abs(value) for value in values if value is not None), default=1.0)
    return ends_text(row, unit, partial(words.fixed, places=words.decimals(largest, 3)))


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
    """Groups from the top: all firms, then each industry followed by its clusters."""
    home = {row.group: row.industry for row in results.sample.groups if row.by == "cluster"}
    groups: dict[tuple[str, str], dict[str, OptionRow]] = {}
    for option in results.weakest_node.options if results.weakest_node else ():
        groups.setdefault((option.by, option.group), {})[option.option] = option
    industries = {group for by, group in groups if by == "industry"}

    def place(key: tuple[str, str]) -> tuple[int, str, bool, str]:
        by, group = key
        parent = home.get(group) if by == "cluster" else group
        inside = by == "cluster" and parent in industries
        # clusters of no industry, or of several, come last
        return 0 if by == "all" else 1 if parent in industries else 2, str(parent), inside, group

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
            place(key)[2],
        )
        for key in sorted(groups, key=place)
    ]


def _caption(results: Results) -> str:
    return (
        f"Change of the average expected outcome with each capital raised by a step "
        f"({steps(results)}), no firm above the {words.share(node_of(results).support)} point of its "
        "group. Points are means, lines 90% intervals. Hollow points on broken lines go beyond the "
        "sample."
    )


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
        if not line.inside
    )
    return f"Gains with a step of each capital: {listed}."


GAINS = FigureSpec(
    name="gains",
    draw=lambda results, narrow: gains(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.weakest_node is not None,
)


def body(results: Results) -> Markup:
    """Sentences, the figure, then bottlenecks, options, plans and levels needed."""
    node = node_of(results)
    return filled(
        "weakest.html.j2",
        results=results,
        node=node,
        steps=steps(results),
        costs=[_declared(node.costs[name], node.currency) for name in node.costs],
        scope=words.SCOPES.get(node.scope, node.scope),
        sentences=[
            (words.group(row.by, row.group), sentence(row, results))
            for row in node.nodes
            if row.by in kinds_with_sentences(node)
        ],
        figures=figures(results, GAINS),
        tables=tables(views(results)),
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
