"""Flat tables of what the traditions say beside the corners, and of the weakest node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from bayescluster.report.flat import RawTable, flat, table, table_of
from bayescluster.results.causes import (
    Benchmark,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
)
from bayescluster.results.ceiling_models import DistanceRow, EffectSizeRow
from bayescluster.results.ceiling_models import NeededRow as LeastRow
from bayescluster.results.ceilings import FormCeiling, NeededRow
from bayescluster.results.likelihoods import LikelihoodRow
from bayescluster.results.model import (
    Results,
)
from bayescluster.results.necessity import BottleneckRow, CeilingRow, Necessity
from bayescluster.results.sensitivity import ScaledVerdict, Sensitivity, SensitivityRow
from bayescluster.results.sets import (
    Combination,
    PlainSets,
    SetMeasure,
    SetResults,
    SetRow,
    SetSpread,
    SolutionTerm,
    TruthTableRow,
)
from bayescluster.results.verdict_curves import VerdictBand, VerdictCurve
from bayescluster.results.weakest_node import (
    NeedRow,
    NodeRow,
    OptionRow,
    PlanRow,
    WeakestNode,
)


def ceiling_model_tables(results: Results) -> Iterator[RawTable]:
    """Effect sizes, least capital and distances to the ceiling, by capital and model."""
    if results.ceiling_models is None:
        return
    parts: dict[str, type[BaseModel]] = {
        "effects": EffectSizeRow,
        "needed": LeastRow,
        "distances": DistanceRow,
    }
    for name, kind in parts.items():
        found = (
            {"capital": one.capital, "model": fit.model, **flat(row)}
            for one in results.ceiling_models.capitals
            for fit in one.fits
            for row in getattr(fit, name)
        )
        yield table(f"ceiling_{name}", kind, found, ("capital", "model"))


def curve_tables(curves: Iterable[VerdictCurve]) -> Iterator[RawTable]:
    """Verdict curves point by point, and the runs of one verdict."""
    known = tuple(curves)
    points = (
        {name: getattr(one, name) for name in CURVE}
        | dict(zip(POINT, (cutoff, posterior, prior), strict=True))
        for one in known
        for cutoff, posterior, prior in zip(one.at, one.posterior, one.prior, strict=True)
    )
    columns = (*CURVE, *POINT)
    yield RawTable(
        "verdict_curves", columns, tuple(tuple(row[name] for name in columns) for row in points)
    )
    yield table(
        "verdict_bands",
        VerdictBand,
        (
            {name: getattr(one, name) for name in CURVE} | flat(band)
            for one in known
            for band in one.bands
        ),
        CURVE,
    )


CURVE = ("kind", "title", "by", "group", "scope", "at_least", "cutoff", "declared")
"""What tells a verdict curve."""


POINT = ("at", "posterior", "prior")
"""A point of a verdict curve."""


def ceiling_tables(results: Results) -> Iterator[RawTable]:
    """Ceilings with their bottlenecks, and the product of the capitals under other likelihoods."""
    found, others = results.ceilings, results.likelihoods
    if found is not None:
        yield table_of("ceilings", FormCeiling, found.rows)
        yield table_of("bottlenecks", NeededRow, found.bottlenecks)
    if others is not None:
        yield table_of("likelihoods", LikelihoodRow, others.rows)


def cause_tables(found: CausesResults | None) -> Iterator[RawTable]:
    """Bounds, verdicts, degrees and benchmarks of the tradition of causes."""
    if found is not None:
        yield table_of("causes_bounds", ContrastRow, found.contrasts)
        yield table_of("causes_verdicts", CauseVerdict, found.verdicts)
        yield table_of("causes_degrees", DegreeRow, found.degrees)
        yield table_of("causes_controls", Benchmark, found.benchmarks)


def set_raw_tables(found: SetResults | PlainSets) -> Iterator[RawTable]:
    """Tables of set theory, of a run or of a plain table."""
    yield table_of("sets", SetRow, found.sets)
    yield table_of("set_measures", SetMeasure, found.measures)
    yield table_of("set_truth_table", TruthTableRow, found.truth_table)
    yield table_of("set_solutions", SolutionTerm, found.solutions)
    yield table_of("set_spreads", SetSpread, found.spreads)
    yield table_of("set_combinations", Combination, found.combinations)


def weakest_tables(found: WeakestNode) -> Iterator[RawTable]:
    """Options, bottlenecks, levels needed and plans; none where they were not asked for."""
    yield table_of("weakest_options", OptionRow, found.options)
    yield table_of("weakest_nodes", NodeRow, found.nodes)
    yield table_of("weakest_needs", NeedRow, found.needs)
    yield table("weakest_plans", PlanRow, (flat(row) for plan in found.plans for row in plan.rows))


def sensitivity_tables(found: Sensitivity | None) -> Iterator[RawTable]:
    """Sensitivities by block of priors, and verdicts under other powers of them."""
    if found is not None:
        yield table_of("sensitivity", SensitivityRow, found.rows)
        yield table_of("scaled_verdicts", ScaledVerdict, found.verdicts)


def necessity_tables(found: Necessity) -> tuple[RawTable, ...]:
    """Tables of a necessary condition analysis."""
    pairs = found.pairs
    return (
        table_of("effect_sizes", CeilingRow, (row for pair in pairs for row in pair.ceilings)),
        table_of("bottlenecks", BottleneckRow, (row for pair in pairs for row in pair.bottlenecks)),
    )
