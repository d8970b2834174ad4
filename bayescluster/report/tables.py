"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from bayescluster.results.causes import (
    Benchmark,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
    Overturning,
)
from bayescluster.results.ceiling_models import DistanceRow, EffectSizeRow
from bayescluster.results.ceiling_models import NeededRow as LeastRow
from bayescluster.results.ceilings import FormCeiling, NeededRow
from bayescluster.results.claims import Reading
from bayescluster.results.comparison import (
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
    Score,
)
from bayescluster.results.facts import (
    CaseRow,
    Coefficient,
    DepartureRow,
    InformedPrior,
    Loading,
    Measured,
    SandwichRow,
    ShareRow,
)
from bayescluster.results.identification import Contraction, CornerWeight
from bayescluster.results.learning import (
    DominanceRow,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.results.likelihoods import LikelihoodRow
from bayescluster.results.model import (
    CheckItem,
    CornerRow,
    DifferenceRow,
    EffectRow,
    EquationResults,
    Estimate,
    PredictiveRow,
    ResidualRow,
    Results,
    Verdict,
    VerdictFigure,
)
from bayescluster.results.necessity import BottleneckRow, CeilingRow, Necessity
from bayescluster.results.sample import GroupRow
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
    Level,
    NeedRow,
    NodeRow,
    OptionRow,
    PlanRow,
    WeakestNode,
)

Value = str | int | float | bool | None
SPREAD = (Estimate, Score, CauseBounds, Overturning, Level)
"""Records that are spread over columns of their own."""
APART = ("figures", "probabilities")
"""Fields that have no column: the figures of a verdict have a table, the grid of confounders none."""
JOINED = "; "
"""Between the items of a list within a cell."""


class RawTable(NamedTuple):
    """A table as it is written: a file name without ending, headings and rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    verdicts, cases = results.verdicts, results.model.cases
    return (
        _table("effects", EffectRow, map(_flat, results.effects)),
        _table("differences", DifferenceRow, map(_flat, results.differences)),
        _table(
            "corners",
            CornerRow,
            (
                {name: getattr(found, name) for name in LEVELS} | _flat(row)
                for found in results.corners
                for row in found.rows
            ),
            LEVELS,
        ),
        _table("verdicts", Verdict, map(_flat, verdicts)),
        *_curves(results.verdict_curves),
        _table(
            "verdict_figures",
            VerdictFigure,
            (
                {name: getattr(verdict, name) for name in CLAIM} | _flat(figure)
                for verdict in verdicts
                for figure in verdict.figures
            ),
            CLAIM,
        ),
        _table(
            "coefficients",
            Coefficient,
            _by_equation(results, lambda one: one.model.coefficients),
            EQUATION,
        ),
        _table("case_priors", InformedPrior, map(_flat, cases.priors if cases else ())),
        _table("cases", CaseRow, map(_flat, cases.cases if cases else ())),
        _table("variance", ShareRow, map(_flat, results.variance.rows if results.variance else ())),
        _table(
            "sandwich", SandwichRow, map(_flat, results.weighting.rows if results.weighting else ())
        ),
        _table(
            "predictive",
            PredictiveRow,
            _by_equation(results, lambda one: one.predictive),
            EQUATION,
        ),
        _table("checks", CheckItem, map(_flat, results.gate.items)),
        _table("groups", GroupRow, map(_flat, results.sample.groups)),
        _table(
            "readings",
            Reading,
            (
                _flat(reading) | {"words": row.words}
                for row in (results.claims.rows if results.claims else ())
                for reading in row.readings
            ),
            ("words",),
        ),
        *_several(results),
        *_ceilings(results),
        *_of_forms(results),
        *_ceiling_models(results),
        *_causes(results.causes),
        *(set_raw_tables(results.sets) if results.sets else ()),
        *_measurement(results.measurement.capitals if results.measurement else ()),
        *(_weakest(results.weakest_node) if results.weakest_node else ()),
    )


def _ceiling_models(results: Results) -> Iterator[RawTable]:
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
            {"capital": one.capital, "model": fit.model, **_flat(row)}
            for one in results.ceiling_models.capitals
            for fit in one.fits
            for row in getattr(fit, name)
        )
        yield _table(f"ceiling_{name}", kind, found, ("capital", "model"))


def _curves(curves: Iterable[VerdictCurve]) -> Iterator[RawTable]:
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
    yield _table(
        "verdict_bands",
        VerdictBand,
        (
            {name: getattr(one, name) for name in CURVE} | _flat(band)
            for one in known
            for band in one.bands
        ),
        CURVE,
    )


def _ceilings(results: Results) -> Iterator[RawTable]:
    """Ceilings with their bottlenecks, and the product of the capitals under other likelihoods."""
    found, others = results.ceilings, results.likelihoods
    if found is not None:
        yield _table("ceilings", FormCeiling, map(_flat, found.rows))
        yield _table("bottlenecks", NeededRow, map(_flat, found.bottlenecks))
    if others is not None:
        yield _table("likelihoods", LikelihoodRow, map(_flat, others.rows))


def _of_forms(results: Results) -> Iterable[RawTable]:
    """Tables of the comparison of several forms, and of what the data say of one form."""
    found, known = results.comparison, results.model.identification
    if found is not None:
        yield _table("forms", FormRow, map(_flat, found.forms))
        yield _table("form_corners", FormCorner, map(_flat, found.corners))
        yield _table("form_verdicts", FormVerdict, map(_flat, found.verdicts))
        yield _table("form_clusters", LeftOutCluster, map(_flat, found.clusters))
    if known is not None:
        yield _table("contractions", Contraction, map(_flat, known.contractions))
        yield _table("gate_firms", CornerWeight, map(_flat, known.corners))


def _causes(found: CausesResults | None) -> Iterator[RawTable]:
    """Bounds, verdicts, degrees and benchmarks of the tradition of causes."""
    if found is not None:
        yield _table("causes_bounds", ContrastRow, map(_flat, found.contrasts))
        yield _table("causes_verdicts", CauseVerdict, map(_flat, found.verdicts))
        yield _table("causes_degrees", DegreeRow, map(_flat, found.degrees))
        yield _table("causes_controls", Benchmark, map(_flat, found.benchmarks))


def set_raw_tables(found: SetResults | PlainSets) -> Iterator[RawTable]:
    """Tables of set theory, of a run or of a plain table."""
    yield _table("sets", SetRow, map(_flat, found.sets))
    yield _table("set_measures", SetMeasure, map(_flat, found.measures))
    yield _table("set_truth_table", TruthTableRow, map(_flat, found.truth_table))
    yield _table("set_solutions", SolutionTerm, map(_flat, found.solutions))
    yield _table("set_spreads", SetSpread, map(_flat, found.spreads))
    yield _table("set_combinations", Combination, map(_flat, found.combinations))


def _measurement(capitals: Iterable[Measured]) -> Iterator[RawTable]:
    """Loadings, background and departures of latent capitals."""
    parts: dict[str, type[BaseModel]] = {
        "loadings": Loading,
        "background": Coefficient,
        "departures": DepartureRow,
    }
    known = tuple(capitals)
    for name, kind in parts.items():
        found = (
            {"capital": one.capital, **_flat(row)} for one in known for row in getattr(one, name)
        )
        yield _table(f"measurement_{name}", kind, found, ("capital",))


def _weakest(found: WeakestNode) -> Iterator[RawTable]:
    """Options, bottlenecks, levels needed and plans; none where they were not asked for."""
    yield _table("weakest_options", OptionRow, map(_flat, found.options))
    yield _table("weakest_nodes", NodeRow, map(_flat, found.nodes))
    yield _table("weakest_needs", NeedRow, map(_flat, found.needs))
    yield _table(
        "weakest_plans", PlanRow, (_flat(row) for plan in found.plans for row in plan.rows)
    )


def _by_equation(
    results: Results, part: Callable[[Results | EquationResults], Iterable[BaseModel]]
) -> Iterator[dict[str, Value]]:
    """Rows of the equation in focus, then of those beside it, each with its equation."""
    parts: tuple[Results | EquationResults, ...] = (results, *results.others)
    for one in parts:
        for row in part(one):
            yield {"equation": one.model.equation, **_flat(row)}


def _several(results: Results) -> tuple[RawTable, ...]:
    """Tables of what several equations add; none where there is one."""
    if not results.others:
        return ()
    found = results.learning
    return (
        _table(
            "equation_effects",
            EffectRow,
            (
                {"equation": one.model.equation, **_flat(row)}
                for one in results.others
                for row in one.effects
            ),
            EQUATION,
        ),
        _table("residuals", ResidualRow, map(_flat, results.residuals)),
        _table("learning_matrix", MatrixRow, map(_flat, found.matrix if found else ())),
        _table("learning_dominance", DominanceRow, map(_flat, found.dominance if found else ())),
        _table("learning_paths", PathRow, map(_flat, found.paths if found else ())),
        _table("learning_shares", MediatedRow, map(_flat, found.mediated if found else ())),
        _table(
            "learning_sensitivity", SensitivityRow, map(_flat, found.sensitivity if found else ())
        ),
        _table("learning_tipping", TippingRow, map(_flat, found.tipping if found else ())),
    )


EQUATION = ("equation",)
"""What tells the equation of a row."""


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""

CURVE = ("kind", "title", "by", "group", "scope", "at_least", "cutoff", "declared")
"""What tells a verdict curve."""

POINT = ("at", "posterior", "prior")
"""A point of a verdict curve."""

LEVELS = ("scope", "at_least", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""


def table_of(name: str, kind: type[BaseModel], records: Iterable[BaseModel]) -> RawTable:
    """Make a table of records of one kind, a column a field."""
    return _table(name, kind, map(_flat, records))


def necessity_tables(found: Necessity) -> tuple[RawTable, ...]:
    """Tables of a necessary condition analysis."""
    pairs = found.pairs
    return (
        table_of("effect_sizes", CeilingRow, (row for pair in pairs for row in pair.ceilings)),
        table_of("bottlenecks", BottleneckRow, (row for pair in pairs for row in pair.bottlenecks)),
    )


def _table(
    name: str,
    kind: type[BaseModel],
    rows: Iterable[Mapping[str, Value]],
    before: tuple[str, ...] = (),
) -> RawTable:
    columns = (*before, *_columns(kind))
    return RawTable(
        name, columns, tuple(tuple(row.get(column) for column in columns) for row in rows)
    )


def _columns(kind: type[BaseModel], prefix: str = "") -> list[str]:
    """Fields of a record, those of an estimate within it spread; what stands apart is left out."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        if (parts := _parts(field.annotation)) is not None:
            found += _columns(parts, _inside(prefix, name))
        elif name not in APART:
            found.append(f"{prefix}{name}")
    return found


def _inside(prefix: str, name: str) -> str:
    """Prefix of the columns of a record within a record; the estimate of a row has none."""
    return prefix if name == "estimate" else f"{prefix}{name}_"


def _parts(annotation: object) -> type[BaseModel] | None:
    """Record whose fields stand each in a column of its own; nothing for plain values."""
    return next((kind for kind in SPREAD if annotation in (kind, kind | None)), None)


def _flat(record: BaseModel, prefix: str = "") -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, SPREAD):
            flat |= _flat(value, _inside(prefix, name))
        elif isinstance(value, tuple):
            flat[f"{prefix}{name}"] = JOINED.join(str(item) for item in value)
        else:
            flat[f"{prefix}{name}"] = value
    return flat
