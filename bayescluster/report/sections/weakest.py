"""Which capital holds each industry and cluster back, and what a budget would buy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from bayescluster.report import weakest_words as told
from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.gains_plot import GAINS
from bayescluster.report.sections.record import Cell, Section, Table, columns, figures, rows
from bayescluster.results.base import By
from bayescluster.results.model import Results
from bayescluster.results.weakest_node import Level, NeedRow, NodeRow, OptionRow, Plan, PlanRow

FOLDED: Final = "cluster"
"""Kind of groups whose tables are folded away."""
WEAKEST: Final = {
    "human_capital": "Human capital",
    "social_capital": "Social capital",
    "undecided": "Undecided",
}


def body(results: Results) -> Markup:
    """Sentences, the figure, then options, plans and levels needed."""
    found = told.node_of(results)
    return filled(
        "weakest.html.j2",
        results=results,
        found=found,
        steps=told.steps(results),
        costs=[_declared(found.costs[name], found.currency) for name in found.costs],
        scope=words.SCOPES.get(found.scope, found.scope),
        sentences=[
            (words.group(row.by, row.group), told.sentence(row, results), row.weakest)
            for row in found.nodes
            if row.by in told.kinds_told(found)
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
    found = told.node_of(results)
    per = told.worth_of(results).per
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
        Cell(WEAKEST[row.weakest], row.reason if row.weakest == told.UNDECIDED else ""),
        Cell(
            words.NONE if row.probability is None else words.probability(row.probability),
            "" if prior is None else f"prior {words.probability(prior)}",
        ),
        Cell(told.loss(row.loss_human_capital, results)),
        Cell(told.loss(row.loss_social_capital, results)),
        Cell(words.effect(row.extra, results.outcome)),
    ]


def _options(results: Results, by: By) -> Table:
    found = told.node_of(results)
    per = told.worth_of(results).per
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
        Cell(told.OPTIONS[row.option], f"{fully}% of firms fully, {partly}% partly"),
        Cell(words.count(row.place)),
        Cell(gain, beyond, "thin" if beyond else ""),
        *([Cell(told.worth(row, results), cost)] if priced else []),
        Cell(words.NONE if row.best is None else words.probability(row.best)),
        Cell(told.loss(row.loss, results)),
    ]


def _plan(results: Results, plan: Plan) -> Table:
    found = told.node_of(results)
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
                    Cell(told.money(plan.spent, found.currency)),
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
        after = next(name for name in told.CAPITALS if name != row.before)
    elif row.before != "none":
        earlier = f" (in place of {words.label(row.before).lower()})"
    return [
        Cell(words.group(row.by, row.group)),
        Cell(f"{told.OPTIONS[after]}{earlier}"),
        Cell(words.count(row.firms)),
        Cell(f"{words.fixed(100 * row.share, 0)}%"),
        Cell(told.money(row.spent, currency)),
        Cell(words.signed(row.estimate)),
    ]


def _needs(results: Results, by: By) -> Iterator[Table]:
    found = told.node_of(results)
    for capital in told.CAPITALS if found.targets else ():
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
