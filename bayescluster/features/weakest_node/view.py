"""Which capital holds each industry and cluster back, and what a budget would buy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.weakest_node.results import (
    Level,
    NeedRow,
    NodeRow,
    OptionRow,
    Plan,
    PlanRow,
    WeakestNode,
)
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
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Cell, Section, Table, columns, figures, rows
from bayescluster.results.base import By, Estimate
from bayescluster.results.model import Results

CAPITALS: Final = ("human_capital", "social_capital")
OPTIONS: Final = {
    "human_capital": "Human capital",
    "social_capital": "Social capital",
    "both": "Both capitals",
}
UNDECIDED: Final = "undecided"
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


def kinds_told(found: WeakestNode) -> tuple[By, ...]:
    """Kinds of groups that are told of in sentences; clusters only where nothing else is asked."""
    above: tuple[By, ...] = tuple(by for by in found.by if by != "cluster")
    return above or found.by


def worth_of(results: Results) -> Worth:
    """Unit of worth: that of an effect, per so much cost that the numbers can be read."""
    found, kind = node_of(results), words.unit(results.outcome)
    if not found.costs:
        return Worth(kind.factor, kind.effect, "")
    largest = max(
        (abs(row.per_cost.mean) * kind.factor for row in found.options if row.per_cost), default=0.0
    )
    many = 10.0 ** math.ceil(-math.log10(largest)) if 0 < largest < 1 else 1.0
    one, several = (found.currency,) * 2 if found.currency else ("unit of cost", "units of cost")
    per = f"per {words.count(many)} {several}" if many > 1 else f"per {one}"
    return Worth(kind.factor * many, kind.effect, per)


def worth(row: OptionRow, results: Results) -> str:
    """Worth of an option with its interval."""
    if not node_of(results).costs:
        return words.effect(row.estimate, results.outcome)
    if row.per_cost is None:
        return words.NONE
    unit = worth_of(results)
    scaled = _scaled(row.per_cost, unit.factor)
    return f"{words.signed(scaled).replace(' [', f'{unit.unit} [', 1)}"


def _scaled(found: Estimate, factor: float) -> Estimate:
    values = {name: factor * getattr(found, name) for name in ("mean", "sd", "low", "high")}
    return found.model_copy(update=values)


def loss(value: float | None, results: Results) -> str:
    """Expected loss, in the unit of worth, to the digits of the largest there is."""
    if value is None:
        return words.NONE
    found, unit = node_of(results), worth_of(results)
    known = [row.loss for row in found.options]
    known += [
        one for row in found.nodes for one in (row.loss_human_capital, row.loss_social_capital)
    ]
    places = words.decimals(unit.factor * max(one for one in known if one is not None), LOSS_DIGITS)
    shown, least = value * unit.factor, 10.0**-places
    if 0 < shown < least / 2:
        return f"<{words.fixed(least, places)}{unit.unit}"
    return f"{words.fixed(shown, places)}{unit.unit}"


def step(results: Results, capital: str) -> str:
    """Size of the step of a capital."""
    found = node_of(results)
    if words.binary(results, capital):
        return "from no to yes"
    size = found.steps[capital]
    if found.unit == "sd":
        return f"{size:g} sd"
    unit = next(one.unit for one in results.measures if one.capital == capital)
    return f"{size:g} ({unit})"


def steps(results: Results) -> str:
    """Steps of both capitals."""
    return "; ".join(f"{words.label(name).lower()} {step(results, name)}" for name in CAPITALS)


def sentence(row: NodeRow, results: Results) -> str:
    """Say which capital holds a group back, how sure that is, and what an error would cost."""
    if row.probability is None or row.better is None:
        return f"The capitals cannot be compared. {row.stopped}"
    likely = "human_capital" if row.probability >= 0.5 else "social_capital"
    share = row.probability if likely == "human_capital" else 1 - row.probability
    gains = _gains(row, results)
    given = ", for what a step costs" if node_of(results).costs else ""
    if row.weakest == UNDECIDED:
        lead = (
            f"It is undecided which capital is the weakest node{given}; {words.label(likely).lower()} "
            f"is the likelier (probability {words.probability(share)})."
        )
    else:
        lead = (
            f"{words.label(row.weakest)} is the weakest node{given} (probability "
            f"{words.probability(share)})."
        )
    stopped = f" {row.stopped}" if row.stopped else ""
    return f"{lead}{stopped} {gains} {_choice(row, results)}"


def line(row: NodeRow, results: Results) -> str:
    """Say the same of a group in a line for a terminal."""
    if row.probability is None or row.better is None:
        return f"{row.weakest:<14}      {row.group}: {row.stopped}"
    losses = (loss(value, results) for value in (row.loss_human_capital, row.loss_social_capital))
    prior = (
        words.NONE if row.prior_probability is None else words.probability(row.prior_probability)
    )
    human, social = losses
    return (
        f"{row.weakest:<14} P(human) {words.probability(row.probability)} (prior {prior})  "
        f"{row.group}; expected loss of choosing human {human}, social {social}"
    )


def _gains(row: NodeRow, results: Results) -> str:
    found = {
        option.option: option
        for option in node_of(results).options
        if (option.by, option.group) == (row.by, row.group)
    }
    human, social = (
        words.effect(found[name].estimate, results.outcome) + _cost(found[name], results)
        for name in CAPITALS
    )
    return f"A step of human capital goes with {human}, one of social capital with {social}."


def _cost(row: OptionRow, results: Results) -> str:
    """Average cost a firm, in brackets; nothing where gains are not priced."""
    if row.cost is None:
        return ""
    return f" (at {money(row.cost, node_of(results).currency)} a firm)"


def money(value: float, currency: str) -> str:
    """Write an amount with its currency."""
    return f"{words.number(value)}{' ' + currency if currency else ''}"


def _choice(row: NodeRow, results: Results) -> str:
    other = next(name for name in CAPITALS if name != row.better)
    losses = {"human_capital": row.loss_human_capital, "social_capital": row.loss_social_capital}
    per = worth_of(results).per
    right, wrong = (loss(losses[str(name)], results) for name in (row.better, other))
    return (
        f"If one has to be chosen, {words.label(str(row.better)).lower()}: on average that forgoes "
        f"{right}{' ' if per else ''}{per} of what the better choice would give, choosing "
        f"{words.label(other).lower()} {wrong}."
    )


MOST_ROWS = 60
"""More groups than this are not drawn."""
APART = 0.17
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "human_capital": {"color": FIRST, "marker": "o"},
    "social_capital": {"color": SECOND, "marker": "s"},
}
"""Told apart by colour and by shape."""


class Row(NamedTuple):
    """A group in the figure, with the rows of its options of one capital."""

    label: str
    inside: bool
    options: tuple[OptionRow, ...]


def gains(results: Results, *, narrow: bool = False) -> Figure:
    """Draw what goes with a step of each capital, industry by industry, each above its clusters.

    Parameters
    ----------
    results
        Results of a run whose analysis asks for the weakest node.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is nothing to draw, or too much.
    """
    rows = gain_rows(results)
    if not rows:
        raise FigureError("The results hold no gains of raising a capital.")
    if len(rows) > MOST_ROWS:
        raise FigureError(
            f"There are {len(rows)} groups, more than the {MOST_ROWS} that can be drawn."
        )
    with settings():
        width, each = (NARROW, 0.55) if narrow else (WIDE, 0.33)
        figure = canvas(width, 1.05 + each * len(rows))
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _row(axes, place, row, words.unit(results.outcome).factor)
        _frame(axes, rows, results, narrow=narrow)
        return plain_text(figure)


def gain_rows(results: Results) -> list[Row]:
    """Groups from the top: all firms, then each industry followed by its clusters."""
    found = results.weakest_node
    if found is None:
        return []
    options: dict[tuple[str, str], list[OptionRow]] = {}
    for option in sorted(found.options, key=lambda option: option.option):
        if option.option != "both":
            options.setdefault((option.by, option.group), []).append(option)
    home = {row.group: row.industry for row in results.sample.groups if row.by == "cluster"}
    rows = []
    for by, group in [key for key in options if key[0] == "all"]:
        rows.append(Row(words.group(by, group), False, tuple(options.pop((by, group)))))
    for by, group in sorted(key for key in options if key[0] == "industry"):
        rows.append(Row(group, False, tuple(options.pop((by, group)))))
        inside = sorted(key for key in options if key[0] == "cluster" and home.get(key[1]) == group)
        rows += [Row(key[1], True, tuple(options.pop(key))) for key in inside]
    # clusters of no industry, or of several
    rows += [Row(key[1], False, tuple(options[key])) for key in sorted(options)]
    return rows


def _row(axes: Axes, place: int, row: Row, factor: float) -> None:
    size = 4.2 if row.inside else 5.5
    for side, option in zip((-APART, APART), row.options, strict=True):
        look = LOOKS[option.option]
        beyond = bool(option.unsupported)
        found = option.estimate
        axes.plot(
            (found.low * factor, found.high * factor),
            (place + side, place + side),
            color=look["color"],
            linewidth=1.1 if row.inside else 1.8,
            linestyle=(0, (2, 2)) if beyond else "-",
            zorder=2,
        )
        axes.plot(
            [found.mean * factor],
            [place + side],
            linestyle="",
            markersize=size,
            markerfacecolor=PAPER if beyond else look["color"],
            zorder=3,
            **look,
        )


def _frame(axes: Axes, rows: Sequence[Row], results: Results, *, narrow: bool) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    bare_rows(axes)
    names = [f"    {row.label}" if row.inside else row.label for row in rows]
    if narrow:
        axes.set_yticks([])
        for place, name in enumerate(names):
            axes.text(
                0,
                place - 0.27,
                folded(name.strip(), 34, 1),
                transform=axes.get_yaxis_transform(),
                va="bottom",
                color=MUTED if rows[place].inside else INK,
            )
        axes.set_ylim(len(rows) - 0.6, -0.75)
    else:
        axes.set_yticks(range(len(rows)), [folded(name.strip(), 34, 1) for name in names])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(MUTED if row.inside else INK)
        axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_xlabel(
        f"Gain with a step,{chr(10) if narrow else ' '}{words.unit(results.outcome).name}"
    )
    _key(axes, rows, narrow=narrow)


def _key(axes: Axes, rows: Sequence[Row], *, narrow: bool) -> None:
    for capital, look in LOOKS.items():
        axes.plot([], [], label=words.label(capital).lower(), markersize=5.5, **look)
    if any(option.unsupported for row in rows for option in row.options):
        axes.plot(
            [],
            [],
            label="beyond the sample",
            color=MUTED,
            marker="o",
            markersize=5.5,
            markerfacecolor=PAPER,
            linestyle=(0, (2, 2)),
        )
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2 if narrow else 3,
        borderaxespad=0,
        borderpad=0.3,
    )


def _caption(results: Results) -> str:
    found = node_of(results)
    return (
        f"Change of the average expected outcome with each capital raised by a step "
        f"({steps(results)}), no firm above the {words.share(found.support)} point of its group. "
        "Points are means, lines 90% intervals. Hollow points on broken lines go beyond the sample."
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{row.label}: "
        + ", ".join(
            f"{words.label(option.option).lower()} {words.effect(option.estimate, results.outcome)}"
            for option in row.options
        )
        for row in gain_rows(results)
        if not row.inside
    )
    return f"Gains with a step of each capital: {listed}."


GAINS = FigureSpec(
    name="gains",
    draw=lambda results, narrow: gains(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.weakest_node is not None,
)


FOLDED: Final = "cluster"
"""Kind of groups whose tables are folded away."""
WEAKEST: Final = {
    "human_capital": "Human capital",
    "social_capital": "Social capital",
    "undecided": "Undecided",
}


def body(results: Results) -> Markup:
    """Sentences, the figure, then options, plans and levels needed."""
    found = node_of(results)
    return filled(
        "weakest.html.j2",
        results=results,
        found=found,
        steps=steps(results),
        costs=[_declared(found.costs[name], found.currency) for name in found.costs],
        scope=words.SCOPES.get(found.scope, found.scope),
        sentences=[
            (words.group(row.by, row.group), sentence(row, results), row.weakest)
            for row in found.nodes
            if row.by in kinds_told(found)
        ],
        figures=figures(results, GAINS),
        nodes=[_nodes(results, by) for by in found.by],
        options=[_options(results, by) for by in found.by],
        plans=[_plan(results, plan) for plan in found.plans],
        needs=[table for by in found.by for table in _needs(results, by)],
    )


def _declared(value: float, currency: str) -> str:
    """Write an amount with the digits it was declared with."""
    return f"{value:,g}{' ' + currency if currency else ''}"


def _head(by: By) -> str:
    return {"all": "Group", "industry": "Industry", "cluster": "Cluster"}[by]


def _folded(by: By, text: str) -> str:
    return f"{text}, by cluster" if by == FOLDED else ""


def _nodes(results: Results, by: By) -> Table:
    found = node_of(results)
    per = worth_of(results).per
    caption = "Which capital is the weakest node"
    return Table(
        caption + (f", by gain {per}" if per else ""),
        columns(
            _head(by),
            "Weakest node",
            "#P(human capital)",
            "#Expected loss, human capital",
            "#Expected loss, social capital",
            "#Both less the sum of each alone",
        ),
        rows(_node(row, results) for row in found.nodes if row.by == by),
        f"P(human capital): probability that raising human capital is worth more than raising social "
        f"capital; named from {words.share(found.level)}. Expected loss: what choosing this capital "
        f"forgoes on average{', ' + per if per else ''}; the smaller of the two is what knowing for "
        "certain would be worth.",
        folded=_folded(by, caption),
    )


def _node(row: NodeRow, results: Results) -> list[Cell]:
    prior = row.prior_probability
    return [
        Cell(words.group(row.by, row.group)),
        Cell(WEAKEST[row.weakest], row.reason if row.weakest == UNDECIDED else ""),
        Cell(
            words.NONE if row.probability is None else words.probability(row.probability),
            "" if prior is None else f"prior {words.probability(prior)}",
        ),
        Cell(loss(row.loss_human_capital, results)),
        Cell(loss(row.loss_social_capital, results)),
        Cell(words.effect(row.extra, results.outcome)),
    ]


def _options(results: Results, by: By) -> Table:
    found = node_of(results)
    per = worth_of(results).per
    some = [row for row in found.options if row.by == by]
    priced = [f"#{words.sentence('gain ' + per)[:-1]}"] if per else []
    caption = "Where a step gains most: options of one capital, ranked" + (f" {per}" if per else "")
    return Table(
        caption,
        columns(
            _head(by),
            "Raised",
            "#Place",
            "#Gain",
            *priced,
            "#P(best)",
            "#Expected loss",
        ),
        rows(_option(row, results, priced=bool(per)) for row in some),
        "Gain: change of the average expected outcome of the group's firms. P(best) and expected loss "
        "are against all options with a place. Options that go beyond the sample have no place, nor "
        "have both capitals together.",
        folded=_folded(by, "Options ranked"),
    )


def _option(row: OptionRow, results: Results, *, priced: bool) -> list[Cell]:
    gain = words.effect(row.estimate, results.outcome)
    fully, partly = (words.fixed(100 * part, 0) for part in (row.fully, row.partly))
    cost = "" if row.cost is None else f"{words.number(row.cost)} a firm"
    beyond = f"beyond the sample: {row.unsupported}" if row.unsupported else ""
    return [
        Cell(words.group(row.by, row.group)),
        Cell(OPTIONS[row.option], f"{fully}% of firms fully, {partly}% partly"),
        Cell(words.count(row.place)),
        Cell(gain, beyond, "thin" if beyond else ""),
        *([Cell(worth(row, results), cost)] if priced else []),
        Cell(words.NONE if row.best is None else words.probability(row.best)),
        Cell(loss(row.loss, results)),
    ]


def _plan(results: Results, plan: Plan) -> Table:
    found = node_of(results)
    gain = _summed(results)
    first = "" if plan.first_best is None else words.probability(plan.first_best)
    best = (
        f" Probability that what comes first is truly the best to begin with: {first}."
        if first
        else ""
    )
    caption = f"What {_declared(plan.budget, found.currency)} would buy, by {plan.by}"
    return Table(
        caption if plan.by != "all" else caption.removesuffix(", by all"),
        columns(_head(plan.by), "Raise", "#Firms", "#Share of firms", "#Spent", f"#{gain}"),
        rows(
            [
                *(_step(row, found.currency) for row in plan.rows),
                [
                    Cell("Together", look="head"),
                    Cell(""),
                    Cell(""),
                    Cell(""),
                    Cell(money(plan.spent, found.currency)),
                    Cell(words.signed(plan.gain)),
                ],
            ]
        ),
        f"In the order of expected gain per cost, until the budget is spent or nothing more is gained. "
        "With gains and costs in proportion to the firms raised this is the plan with the largest "
        f"expected gain.{best} Which firms of a group are raised is left to chance; firms are those of "
        "the data.",
        folded=_folded(plan.by, f"What {_declared(plan.budget, found.currency)} would buy"),
    )


def _summed(results: Results) -> str:
    """Heading of gains that are summed over firms."""
    if results.outcome.scale == "probability":
        return "More firms expected with the outcome"
    return "Expected gain, summed over firms"


def _step(row: PlanRow, currency: str) -> list[Cell]:
    earlier = "" if row.before == "none" else f" (after {words.label(row.before).lower()})"
    after = row.after
    if row.before != "none" and row.after == "both":
        after = next(name for name in CAPITALS if name != row.before)
    elif row.before != "none":
        earlier = f" (in place of {words.label(row.before).lower()})"
    return [
        Cell(words.group(row.by, row.group)),
        Cell(f"{OPTIONS[after]}{earlier}"),
        Cell(words.count(row.firms)),
        Cell(f"{words.fixed(100 * row.share, 0)}%"),
        Cell(money(row.spent, currency)),
        Cell(words.signed(row.estimate)),
    ]


def _needs(results: Results, by: By) -> Iterator[Table]:
    found = node_of(results)
    for capital in CAPITALS if found.targets else ():
        some = [row for row in found.needs if (row.by, row.capital) == (by, capital)]
        by_group: dict[str, dict[float, NeedRow]] = {}
        for row in some:
            by_group.setdefault(row.group, {})[row.target] = row
        caption = f"Least {words.label(capital).lower()} needed for each level of the outcome"
        yield Table(
            f"{caption}, {_units(results, capital)}",
            columns(_head(by), *(f"#{_target(target, results)}" for target in found.targets)),
            rows(
                (
                    Cell(words.group(by, group)),
                    *(_need(wanted[target]) for target in found.targets),
                )
                for group, wanted in by_group.items()
            ),
            "Median [90% interval]. NN: none needed, the least that the group supports is enough. "
            "NA: not reachable within what it supports. The other capital is as it is.",
            folded=_folded(by, caption),
        )


def _units(results: Results, capital: str) -> str:
    if words.binary(results, capital):
        return "0 or 1"
    found = next(one for one in results.measures if one.capital == capital)
    return "sd" if found.method == "latent" else f"{found.unit}; below it in sd"


def _target(target: float, results: Results) -> str:
    kind = words.unit(results.outcome)
    return f"{target * kind.factor:g}{kind.level}"


def _need(row: NeedRow) -> Cell:
    ends = (row.middle, row.low, row.high)
    chances = ", ".join(
        f"P({word}) {words.probability(share)}"
        for word, share in (("NN", row.not_needed), ("NA", row.not_reached))
        if share > 0
    )
    original = any(end.original is not None for end in ends)
    shown = _range([end.original if original else end.value for end in ends], ends)
    below = _range([end.value for end in ends], ends) if original else ""
    same = below if below and below != shown else ""
    return Cell(shown, "; ".join(filter(None, (f"{same} sd" if same else "", chances))))


def _range(values: Sequence[float | None], ends: Sequence[Level]) -> str:
    """Middle, low and high to the digits of the largest; words where there is no number."""
    places = words.decimals(
        max((abs(value) for value in values if value is not None), default=1.0), 3
    )
    middle, low, high = (
        end.word if value is None else words.fixed(value, places)
        for value, end in zip(values, ends, strict=True)
    )
    return middle if middle == low == high else f"{middle} [{low}, {high}]"


WEAKEST_NODE = Section(
    "weakest-node",
    "Weakest node",
    "Weakest node",
    body,
    wanted=lambda results: results.weakest_node is not None,
)
