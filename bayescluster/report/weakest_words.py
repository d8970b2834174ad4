"""The weakest node in words: steps, worth, and a sentence for each group."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from bayescluster.report import words
from bayescluster.results.base import By, Estimate
from bayescluster.results.model import Results
from bayescluster.results.weakest_node import NodeRow, OptionRow, WeakestNode

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
