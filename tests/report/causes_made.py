"""Made-up results of the tradition of causes."""

from __future__ import annotations

import numpy as np
from report_made import INDUSTRIES, estimate

from bayescluster.features.causes import results as c
from bayescluster.features.causes.probabilities import SIDES, STRENGTHS
from bayescluster.results.model import Results

GROUPS = (("all", "all"), *(("industry", name) for name in INDUSTRIES))


def bounds(low: float, high: float, pointed: bool = True) -> c.CauseBounds:
    return c.CauseBounds(
        lower=estimate(low, 0.03),
        upper=estimate(high, 0.02),
        point=estimate(low, 0.03) if pointed else None,
    )


def overturning(strength: float | None, against: bool = True) -> c.Overturning:
    u, e = np.meshgrid(STRENGTHS, STRENGTHS)
    start, slope = (0.99, -0.06) if against else (0.01, 0.06)
    grid = np.clip(start + slope * (u * e / (u + e - 1) - 1), 0, 1)
    return c.Overturning(
        threshold=4.4,
        inside=against,
        verdict=strength,
        words=f"Undecided once a confounder is {strength} strong." if strength else "Nothing does.",
        probabilities=tuple(tuple(float(cell) for cell in row) for row in grid),
        against=against,
    )


def verdict(claim: str, group: str, decision: str, beyond: c.Overturning | None) -> c.CauseVerdict:
    return c.CauseVerdict(
        claim=claim,
        title=f"Title of {claim}",
        by="industry",
        group=group,
        quantity=f"quantity of {claim}",
        bounds=bounds(0.8, 1.0),
        region="PN at least 0.75 (quantiles 0.1 and 0.9)",
        probability=0.972,
        possible=0.9996,
        prior_probability=0.2,
        verdict=decision,
        reason="97.2% of the posterior has its bounds wholly in the region.",
        with_monotonicity="rejected",
        flags=("bounds_only",),
        support=12,
        behind="at least 12 firms near each corner it rests on",
        overturning=beyond,
    )


def causes() -> c.CausesResults:
    return c.CausesResults(
        notes=("A note of the outcome.",),
        assumptions=("Exogeneity as stated.", "Consistency as stated."),
        settings={
            "pn_min": 0.75,
            "ps_min": 0.7,
            "ps_max": 0.5,
            "synergy_min": 0.0,
            "margin": 0.1,
            "monotone": "both",
            "level": 0.95,
        },
        strengths=STRENGTHS,
        contrasts=tuple(
            c.ContrastRow(
                contrast=name,
                by=by,
                group=group,
                scope="observed",
                declared="quantiles 0.1 and 0.9",
                exposed=estimate(0.7, 0.05),
                unexposed=estimate(0.1, 0.02),
                pn=bounds(0.86, 1.0),
                ps=bounds(0.67, 0.78),
                pns=bounds(0.6, 0.7),
                against_monotonicity=0.31 if name == "both" and by == "all" else 0.0,
                ratio=7.1,
                ratio_low=5.0,
                ratio_high=None,
                e_value=13.7,
                e_value_limit=9.5,
                support=12,
            )
            for name in SIDES
            for by, group in GROUPS
        ),
        verdicts=(
            verdict("N-H", INDUSTRIES[0], "supported", overturning(2.2)),
            verdict("N-H", INDUSTRIES[1], "undecided", overturning(None)),
            verdict("J", INDUSTRIES[0], "rejected", overturning(1.31, against=False)),
            verdict("C", INDUSTRIES[0], "supported", overturning(None)),
            verdict("D-H", "all", "supported", None),
        ),
        degrees=tuple(
            c.DegreeRow(
                of=of,
                by=by,
                group=group,
                necessity=estimate(0.6, 0.04),
                sufficiency=estimate(0.2, 0.03),
            )
            for of in ("all", "human_capital", "social_capital")
            for by, group in GROUPS
        ),
        degree_draws=400,
        benchmarks=(
            c.Benchmark(control="exporter", change="no to yes", outcome=1.42, absence=1.08),
        ),
    )


def caused(whole: Results, found: c.CausesResults | None = None) -> Results:
    """Results with the tradition of causes."""
    return whole.model_copy(update={"causes": found or causes()})
