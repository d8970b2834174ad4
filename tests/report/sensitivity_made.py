"""Made-up results of power-scaling, for tests of the report."""

from __future__ import annotations

from typing import Any

from bayescluster.features.sensitivity import results as s
from bayescluster.results.model import Results

POWERS = (0.5, 2.0)
BLOCKS = ("population", "groups")
CONFLICT = "prior-data conflict"


def row(quantity: str, block: str, value: float, diagnosis: Any = "-", **more: Any) -> Any:
    kind = "estimand" if "group" in more else "parameter"
    return s.SensitivityRow(
        quantity=quantity,
        kind=kind,  # type: ignore[arg-type]
        block=block,
        value=value,
        noise=0.01,
        low=value - 0.02,
        high=value + 0.02,
        diagnosis=diagnosis,
        **more,
    )


def scaled(whole: Results) -> Results:
    """Results with sensitivities: one flag, one in the noise, one flip, and one not told."""
    effect = {"by": "industry", "group": whole.sample.groups[1].group}
    judged = tuple(
        s.ScaledVerdict(
            claim=claim,
            kind=verdict.kind,
            title=verdict.title,
            capital=verdict.capital,
            by=verdict.by,
            group=verdict.group,
            scope=verdict.scope,
            declared=verdict.verdict,
            block=block,
            power=power,
            probability=None if untold else 0.9412 if flips else verdict.probability,
            mcse=None if untold else 0.004,
            khat=0.93 if untold else 0.2,
            ess=4000.0,
            verdict="cannot be told" if untold else "undecided" if flips else verdict.verdict,
            flips=flips,
            certain=False,
        )
        for claim, verdict in enumerate(whole.verdicts)
        for block in (*BLOCKS, "all")
        for power in POWERS
        for flips in [claim == 0 and block == "groups" and power == 2.0]
        for untold in [block == "all" and power == 0.5]
    )
    found = s.Sensitivity(
        threshold=0.05,
        powers=POWERS,
        khat_threshold=0.7,
        blocks=tuple(
            s.SensitivityBlock(
                name=name,
                title=title,
                priors=(f"{name} <b> ~ Normal(0, 1)",),
                place=f"equations.upgrading.priors: {name}",
            )
            for name, title in zip(BLOCKS, ("population effects", "group sds"), strict=True)
        ),
        rows=(
            row("population[intercept]", "population", 0.0123),
            row("population[intercept]", "groups", 0.0771, CONFLICT),
            row("population[intercept]", "likelihood", 0.2),
            row("effect of human_capital", "population", 0.0612, "within noise", **effect),
            row("effect of human_capital", "groups", 0.031, **effect),
            row("effect of human_capital", "likelihood", 0.11, **effect),
        ),
        verdicts=judged,
        statements=("Something & something else stands out.",),
        not_made=("Models of the ceiling were not scaled.",),
    )
    return whole.model_copy(update={"sensitivity": found})
