"""Results of ceiling models, made up: two models of the ceiling over each capital."""

from __future__ import annotations

from report_made import INDUSTRIES, estimate

from bayescluster.features.ceiling_models import results as c
from bayescluster.features.ceilings.results import CeilingLine, LeastLevel, Level
from bayescluster.results.model import Results

STATEMENT = "The ratio ceiling holds; under the contaminated one d is smaller by 0.03."


def modelled(whole: Results) -> Results:
    """Results that hold two models of the ceiling, of which the first is best."""
    found = tuple(_of_capital(capital) for capital in ("human_capital", "social_capital"))
    return whole.model_copy(
        update={"ceiling_models": c.CeilingModelsResults(floor=0.02, capitals=found)}
    )


def _of_capital(capital: str) -> c.CeilingOfCapital:
    return c.CeilingOfCapital(
        capital=capital,
        low=-2.0,
        high=2.0,
        outcome_low=0.0,
        outcome_high=10.0,
        declared="range of the firms",
        firms=1187,
        points=tuple((k / 4 - 2, 3.0 + k / 4, INDUSTRIES[k % 4]) for k in range(16)),
        fits=(_fit(capital, "ratio", best=True), _fit(capital, "contaminated", best=False)),
        statement=STATEMENT,
        notes=("13 firms lack the capital.",),
    )


def _fit(capital: str, model: c.ModelName, *, best: bool) -> c.CeilingFit:
    size = 0.4 if best else 0.37
    groups = [("all", "all"), *(("industry", name) for name in INDUSTRIES), ("cluster", "Jepara")]
    return c.CeilingFit(
        model=model,
        gate_passed=best,
        failing=() if best else ("bulk ESS 134",),
        elpd=-812.3 if best else -815.9,
        se=21.2,
        difference=0.0 if best else -3.6,
        difference_se=0.0 if best else 2.4,
        bad=0 if best else 7,
        khat_max=0.41 if best else 0.93,
        best=best,
        extra=None if best else estimate(0.03, 0.01),
        shape=(estimate(1.4, 0.1), estimate(1.1, 0.1)),
        slopes={name: estimate(0.6, 0.05) for name in INDUSTRIES},
        distances=(
            c.DistanceRow(
                statistic="median", observed=0.52, low=0.48, high=0.56, tail=0.4, flagged=False
            ),
        ),
        effects=tuple(
            c.EffectSizeRow(
                by=by,
                group=group,
                new=False,
                rows=300,
                estimate=estimate(size, 0.02),
                prior=estimate(0.35, 0.2),
            )
            for by, group in groups
        ),
        lines=tuple(
            CeilingLine(
                capital=capital,
                by=by,
                group=group,
                at=(-2.0, 0.0, 2.0),
                mean=(2.0, 5.0, 9.0),
                low=(1.5, 4.5, 8.5),
                high=(2.5, 5.5, 9.5),
            )
            for by, group in groups[:-1]
        ),
        needed=tuple(_needed(capital, by, group) for by, group in groups[:-1]),
        seconds=31.0,
    )


def _needed(capital: str, by: str, group: str) -> LeastLevel:
    return LeastLevel(
        capital=capital,
        by=by,
        group=group,
        target=5.0,
        target_percent=50.0,
        low=Level(word="NN"),
        median=Level(original=0.1, percent=52.5),
        high=Level(original=0.4, percent=60.0),
        not_needed=0.07,
        not_reached=0.0,
    )
