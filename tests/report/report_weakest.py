"""A made-up weakest node of the made-up results."""

from __future__ import annotations

import report_made as made

from bayescluster.features.ceilings.results import LeastLevel, Level
from bayescluster.features.weakest_node.results import (
    NodeRow,
    OptionRow,
    Plan,
    PlanRow,
    WeakestNode,
)
from bayescluster.results.model import Results

FAR = "only 3 of its firms can be raised, fewer than 5"
NONE, NEVER = Level(word="NN"), Level(word="NA")


def level(value: float) -> Level:
    return Level(sd=value, original=10.0 + 2.0 * value)


def option(group: str, name: str, place: int | None, mean: float) -> OptionRow:
    one, far = name != "both", group == made.INDUSTRIES[3] and name == "social_capital"
    placed = None if far else place
    return OptionRow(
        by="industry",
        group=group,
        option=name,
        place=placed,
        firms=280,
        raised=3 if far else 260,
        estimate=made.estimate(mean, 0.02),
        positive=0.98,
        fully=0.7,
        partly=0.2,
        none=0.1,
        taken=0.8 if one else None,
        cap=1.4 if one else None,
        near=0.9,
        unsupported=FAR if far else "",
        cost=0.8,
        per_cost=made.estimate(mean / 0.8, 0.025),
        best=placed and 0.25,
        loss=placed and 0.031,
        ranks=(0.25, 0.75) if placed else (),
    )


def node(group: str, probability: float, weakest: str, stopped: str = "") -> NodeRow:
    human = probability > 0.5
    return NodeRow(
        by="industry",
        group=group,
        weakest=weakest,
        reason=stopped or "so the draws say",
        stopped=stopped,
        probability=probability,
        mcse=0.01,
        prior_probability=0.5,
        better="human_capital" if human else "social_capital",
        difference=made.estimate(0.03, 0.02),
        loss_human_capital=0.0002 if human else 0.042,
        loss_social_capital=0.042 if human else 0.0002,
        extra=made.estimate(0.01, 0.02),
    )


def need(group: str, capital: str, target: float) -> LeastLevel:
    ends = (NONE, level(0.3), NEVER) if target < 0.5 else (level(-0.2), level(0.4), level(1.1))
    return LeastLevel(
        capital=capital,
        by="industry",
        group=group,
        target=target,
        target_percent=100 * target,
        low=ends[0],
        median=ends[1],
        high=ends[2],
        not_needed=0.2 if target < 0.5 else 0.0,
        not_reached=0.1 if target < 0.5 else 0.0,
    )


def asked(results: Results) -> Results:
    """The results of an analysis that asks for the weakest node, with costs and a budget."""
    first, second, third, fourth = made.INDUSTRIES
    rows = tuple(
        PlanRow(
            by="industry",
            group=group,
            before=before,
            after=after,
            share=share,
            firms=260,
            spent=100.0,
            estimate=made.estimate(20.0, 3.0),
        )
        for group, before, after, share in (
            (first, "none", "human_capital", 1.0),
            (first, "human_capital", "both", 1.0),
            (second, "none", "both", 1.0),
            (third, "human_capital", "social_capital", 0.4),
        )
    )
    names = ("human_capital", "social_capital", "both")
    found = WeakestNode(
        unit="sd",
        steps={"human_capital": 1.0, "social_capital": 0.5},
        steps_sd={"human_capital": 1.0, "social_capital": 0.5},
        costs={"human_capital": 1.0, "social_capital": 1.0},
        currency="kEUR",
        scope="observed",
        level=0.95,
        support=0.95,
        min_support=5,
        nearby=0.5,
        near_share=0.5,
        draws=2000,
        need_draws=400,
        by=("industry",),
        targets=(0.25, 0.5),
        options=tuple(
            option(group, name, None if name == "both" else 1 + 2 * g + k, 0.1 - 0.01 * (g + k))
            for g, group in enumerate(made.INDUSTRIES)
            for k, name in enumerate(names)
        ),
        nodes=(
            node(first, 0.98, "human_capital"),
            node(second, 0.02, "social_capital"),
            node(third, 0.6, "undecided"),
            node(fourth, 0.97, "undecided", f"Social capital: {FAR}."),
        ),
        needs=tuple(
            need(group, capital, target)
            for group in made.INDUSTRIES
            for capital in names[:2]
            for target in (0.25, 0.5)
        ),
        plans=(
            Plan(
                by="industry",
                budget=400.0,
                spent=400.0,
                rows=rows,
                gain=made.estimate(80.0, 9.0),
                first_best=0.61,
            ),
        ),
        gate_passed=True,
        notes=("A note on what is not there.",),
    )
    return results.model_copy(update={"weakest_node": found})
