"""Necessary condition analysis of a plain table: options, cases, ceilings, bottlenecks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd

from bayescluster.arrays import Array, Events
from bayescluster.dataset.plain import Reading, notes_of, read_plain
from bayescluster.dataset.values import as_float, labels, numeric_problem, rows_text
from bayescluster.errors import CommandError, DataError, Problem
from bayescluster.features.nca.observed import (
    BOTTLENECKS,
    CEILINGS,
    CORNERS,
    DUPLICATE_PEERS,
    TOLERANCE,
    Cases,
    Permuted,
    Scope,
    Shape,
    areas,
    from_unit,
    mirrored_x,
    mirrored_y,
    permuted,
    shape_of,
    supports,
    unit_cases,
)
from bayescluster.features.nca.results import (
    ALL_ROWS,
    BottleneckKind,
    BottleneckRow,
    Box,
    CeilingName,
    CeilingPath,
    CeilingRow,
    CornerName,
    DuplicatePeers,
    Necessity,
    Pair,
    Status,
)
from bayescluster.lookup import first_of, suggestion

NCA_STREAM: Final = 20
SIZES: tuple[tuple[float, str], ...] = (
    (0.1, "small"),
    (0.3, "medium"),
    (0.5, "large"),
    (np.inf, "very large"),
)
"""Dul's words for d below each bound (2016, p. 30): conventions of his."""
DIGITS: Final = 10
"""Decimals of percentages kept: 30%, not 30.000000000000004%."""
FEWEST: Final = 2
"""Cases below which nothing can be said at all."""
SHOWN: Final = 3
"""Cases named in a message."""


class Options(NamedTuple):
    """Options as the command line gives them.

    Attributes
    ----------
    table
        Path of the table.
    conditions, outcome
        Columns of the conditions and of the outcome.
    group, names
        Columns of the group and of the name of a case; none for no groups, and for the first
        column of text that tells the rows apart.
    ceilings, corner, bottleneck, duplicate_peers
        Names as in the tables of the same name.
    scope
        None, one for all conditions, or one a condition: ``xmin xmax ymin ymax``.
    steps, permutations, seed
        Steps of the bottleneck table, number of permutations (0 for no test), and their seed.
    reading
        How the table is read.
    """

    table: str
    conditions: tuple[str, ...]
    outcome: str
    group: str | None = None
    names: str | None = None
    ceilings: tuple[str, ...] = ("ce_fdh", "cr_fdh")
    corner: str = "upper_left"
    bottleneck: str = "percentage_range"
    duplicate_peers: str = "unique"
    scope: tuple[str, ...] = ()
    steps: int = 10
    permutations: int = 10_000
    seed: int = 1
    reading: Reading = Reading()


class Settings(NamedTuple):
    """How every pair of condition and outcome is analysed; see `Options`."""

    ceilings: tuple[CeilingName, ...] = ("ce_fdh", "cr_fdh")
    corner: CornerName = "upper_left"
    bottleneck: BottleneckKind = "percentage_range"
    steps: int = 10
    permutations: int = 10_000
    duplicate_peers: DuplicatePeers = "unique"


class Columns(NamedTuple):
    """What is taken from the table.

    Attributes
    ----------
    numbers
        Conditions and outcome by name; missing values are NaN. (row,)
    names, group
        Name and group of each row; a missing group is NaN. (row,)
    notes
        Remarks on the columns.
    """

    numbers: dict[str, Array]
    names: pd.Series[Any]
    group: pd.Series[Any] | None
    notes: tuple[str, ...]


class Observed(NamedTuple):
    """Complete cases of a condition and the outcome, in one group.

    Attributes
    ----------
    condition, group
        What they are called.
    names
        Of the cases. (case,)
    x, y
        Condition and outcome. (case,)
    incomplete
        Number of cases left out.
    declared
        Declared scope, if there is one.
    """

    condition: str
    group: str
    names: Sequence[str]
    x: Array
    y: Array
    incomplete: int = 0
    declared: Scope | None = None


class Unfit(NamedTuple):
    """Why cases cannot be analysed: as a problem to repair, and as a short reason."""

    problem: Problem
    reason: str


def analyse_necessity(
    options: Options, directory: Path = Path(), frame: pd.DataFrame | None = None
) -> Necessity:
    """Analyse a table: all rows, which must be fit for it, then the groups that are.

    Raises
    ------
    CommandError
        If the options contradict themselves or name what there is not.
    DataError
        If the table cannot be read, or a column is not there or cannot be analysed.
    """
    settings = settings_of(options)
    named = (options.group, options.names)
    table = read_plain(options.table, options.reading, named, directory, frame)
    columns = columns_of(table.frame, options)
    groups = () if columns.group is None else tuple(columns.group.dropna().unique())
    used = {*options.conditions, options.outcome}
    pairs, notes = [], [*notes_of(table, used), *columns.notes]
    for number, group in enumerate((None, *groups)):
        every = [cases_of(columns, options, name, group) for name in options.conditions]
        faults = [unfit_because(observed, options.outcome) for observed in every]
        if group is None and any(faults):
            raise DataError(dict.fromkeys(fault.problem for fault in faults if fault))
        for place, (observed, fault) in enumerate(zip(every, faults, strict=True)):
            if fault:
                notes.append(f"{group}, {observed.condition}: not analysed, {fault.reason}.")
                continue
            rng = np.random.default_rng((options.seed, NCA_STREAM, number, place))
            pairs.append(analyse_pair(observed, settings, rng))
    return Necessity(
        table=table.label,
        digest=table.digest,
        synthetic=table.synthetic,
        outcome=options.outcome,
        conditions=options.conditions,
        grouped_by=options.group,
        corner=settings.corner,
        bottleneck=settings.bottleneck,
        duplicate_peers=settings.duplicate_peers,
        permutations=options.permutations,
        seed=options.seed,
        pairs=tuple(pairs),
        notes=tuple(notes),
    )


def settings_of(options: Options) -> Settings:
    """Check options.

    Raises
    ------
    CommandError
        With every fault.
    """
    ceilings = tuple(dict.fromkeys(_spelled(name) for name in options.ceilings))
    corner, bottleneck, peers = map(
        _spelled, (options.corner, options.bottleneck, options.duplicate_peers)
    )
    chosen: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        *(("ceiling", name, CEILINGS) for name in ceilings),
        ("corner", corner, CORNERS),
        ("bottleneck", bottleneck, BOTTLENECKS),
        ("duplicate-peers", peers, DUPLICATE_PEERS),
    )
    problems = [
        Problem(
            f"unknown {option.replace('-', ' ')} '{name}'", f"--{option}", suggestion(name, known)
        )
        for option, name, known in chosen
        if name not in known
    ]
    problems += [*_column_problems(options), *_scope_problems(options)]
    if problems:
        raise CommandError(problems)
    return Settings(
        cast("tuple[CeilingName, ...]", ceilings),
        cast(CornerName, corner),
        cast(BottleneckKind, bottleneck),
        options.steps,
        options.permutations,
        cast(DuplicatePeers, peers),
    )


def _spelled(name: str) -> str:
    """Spelling of a name in the tables: CE-FDH is ce_fdh."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _column_problems(options: Options) -> Iterator[Problem]:
    for name in sorted({n for n in options.conditions if options.conditions.count(n) > 1}):
        yield Problem(f"the condition '{name}' is given twice", "--x", "leave one out")
    if options.outcome in options.conditions:
        yield Problem(
            f"'{options.outcome}' is a condition and the outcome",
            "--y",
            "name the outcome, which is none of the conditions",
        )


def _scope_problems(options: Options) -> Iterator[Problem]:
    if len(options.scope) not in (0, 1, len(options.conditions)):
        yield Problem(
            f"{len(options.scope)} scopes for {len(options.conditions)} conditions",
            "--scope",
            "give one for all conditions, or one for each in their order",
        )
    for text in options.scope:
        if fault := _scope_fault(text):
            yield Problem(
                f"'{text}' is no scope: {fault}",
                "--scope",
                'write it as "xmin xmax ymin ymax", for example "0 100 0 250"',
            )


def _scope_fault(text: str) -> str:
    try:
        numbers = _numbers(text)
    except ValueError:
        return "not all of it are numbers"
    sides = len(Scope._fields)
    if len(numbers) != sides:
        return f"{len(numbers)} numbers instead of {sides}"
    if not all(map(math.isfinite, numbers)):
        return "its numbers must be finite"
    for axis, (low, high) in {"x": numbers[:2], "y": numbers[2:]}.items():
        if low >= high:
            return f"{axis}min {low:g} is not below {axis}max {high:g}"
    return ""


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.replace(",", " ").split())


def columns_of(frame: pd.DataFrame, options: Options) -> Columns:
    """Take the columns that the options name.

    Raises
    ------
    DataError
        With every column that is not there, or is not of numbers.
    """
    roles = [("--x", name) for name in options.conditions] + [("--y", options.outcome)]
    labelled = [("--group", options.group), ("--names", options.names)]
    wanted = [*roles, *((option, name) for option, name in labelled if name is not None)]
    known = list(frame.columns)
    problems = [
        Problem(f"no column '{name}' in the table", option, suggestion(name, known))
        for option, name in wanted
        if name not in known
    ]
    if not problems:
        problems = [
            Problem(
                f"'{name}' is no column of numbers: {fault}",
                option,
                "recode it, or name codes for missing answers with --missing-value",
            )
            for option, name in roles
            if (fault := numeric_problem(frame[name])) is not None
        ]
    if problems:
        raise DataError(problems)
    group = None if options.group is None else labels(frame[options.group])
    notes = []
    if group is not None and group.isna().any():
        notes.append(
            f"'{options.group}' is missing in {int(group.isna().sum())} of {len(frame)} rows "
            f"({rows_text(frame.index[group.isna()])}): they count among all rows only."
        )
    numbers = {name: as_float(frame[name]) for _, name in roles}
    return Columns(numbers, _names(frame, options), group, tuple(notes))


def _names(frame: pd.DataFrame, options: Options) -> pd.Series[Any]:
    """Names of the rows: declared, else the first column of text that tells them apart."""
    rows = pd.Series([f"row {k + 1}" for k in range(len(frame))], frame.index, dtype=object)
    if options.names is None:
        taken = {*options.conditions, options.outcome, options.group}
        free = (name for name in frame if name not in taken)
        naming = next((name for name in free if _names_each_row(frame[name])), None)
        return rows if naming is None else labels(frame[naming])
    named = labels(frame[options.names])
    twice = named.duplicated(keep=False)
    return named.where(~twice, named + " (" + rows + ")").where(named.notna(), rows)


def _names_each_row(column: pd.Series[Any]) -> bool:
    if column.dtype != object and not pd.api.types.is_string_dtype(column):
        return False
    return bool(column.notna().all() and column.is_unique and isinstance(column.iloc[0], str))


def cases_of(columns: Columns, options: Options, condition: str, group: str | None) -> Observed:
    """Complete cases of a condition, of one group or (None) of all rows."""
    x, y = columns.numbers[condition], columns.numbers[options.outcome]
    inside = np.ones(len(x), bool)
    if group is not None and columns.group is not None:
        inside = (columns.group == group).to_numpy(bool)
    complete = inside & np.isfinite(x) & np.isfinite(y)
    declared = None
    if options.scope:
        place = options.conditions.index(condition) if len(options.scope) > 1 else 0
        declared = Scope(*_numbers(options.scope[place]))
    return Observed(
        condition,
        ALL_ROWS if group is None else group,
        columns.names[complete].tolist(),
        x[complete],
        y[complete],
        int(inside.sum() - complete.sum()),
        declared,
    )


def unfit_because(observed: Observed, outcome: str) -> Unfit | None:
    """Say why cases cannot be analysed; None where they can."""
    count, condition = len(observed.x), observed.condition
    if count < FEWEST:
        rows, whole = "only one row has" if count else "no row has", count + observed.incomplete
        what = f"{rows} both '{condition}' and '{outcome}'"
        repair = (
            f"the table has {whole} {'row' if whole == 1 else 'rows'}; at least 2 must have both"
        )
        return Unfit(Problem(what, "--x", repair), what)
    if observed.declared is not None:
        return _outside(observed, observed.declared, outcome)
    sides = (("--x", condition, observed.x), ("--y", outcome, observed.y))
    return next(filter(None, (_without_range(*side) for side in sides)), None)


def _outside(observed: Observed, scope: Scope, outcome: str) -> Unfit | None:
    """Say which cases lie outside a declared scope."""
    places = np.flatnonzero(scope.outside(observed.x, observed.y))
    if not places.size:
        return None
    cases = [
        f"{observed.names[k]} ({observed.condition} {observed.x[k]:g}, {outcome} {observed.y[k]:g})"
        for k in places.tolist()
    ]
    sides = " ".join(f"{side:g}" for side in scope)
    what = (
        f"the scope {sides} of '{observed.condition}' does not hold {first_of(cases, SHOWN, '; ')}"
    )
    return Unfit(Problem(what, "--scope", "widen it, or leave it out to take the range"), what)


def _without_range(option: str, name: str, values: Array) -> Unfit | None:
    """Say whether a column has no range to draw a ceiling in."""
    if values.max() > values.min():
        return None
    what = f"'{name}' is {values[0]:g} in all {len(values)} rows"
    repair = "without a range there is no ceiling; declare --scope where it could have varied"
    return Unfit(Problem(what, option, repair), what)


class _Analysis(NamedTuple):
    """Cases in the unit square, and the way back to their units."""

    observed: Observed
    cases: Cases
    settings: Settings
    scope: Scope

    def x_at(self, u: float) -> float:
        mirrored = mirrored_x(self.settings.corner)
        return from_unit(u, self.scope.xmin, self.scope.xmax, mirrored=mirrored)

    def y_at(self, v: float) -> float:
        mirrored = mirrored_y(self.settings.corner)
        return from_unit(v, self.scope.ymin, self.scope.ymax, mirrored=mirrored)

    def named(self, chosen: Events) -> tuple[str, ...]:
        """Names of cases, along the condition."""
        order = np.argsort(self.cases.u, kind="stable")
        return tuple(self.observed.names[place] for place in order if chosen[place])


def analyse_pair(observed: Observed, settings: Settings, rng: np.random.Generator) -> Pair:
    """Analyse one condition in one group.

    Raises
    ------
    ValueError
        As `effect_size` does.
    """
    x, y = observed.x, observed.y
    cases = unit_cases(x, y[None, :], settings.corner, observed.declared)
    cases = cases._replace(duplicate_peers=settings.duplicate_peers)
    ends = (float(end) for end in (np.min(x), np.max(x), np.min(y), np.max(y)))
    scope = observed.declared or Scope(*ends)
    analysis = _Analysis(observed, cases, settings, scope)
    shapes = {name: shape_of(cases, name) for name in settings.ceilings}
    tests: Mapping[CeilingName, Permuted | None] = {}
    if settings.permutations:
        tests = permuted(cases, settings.ceilings, settings.permutations, rng)
    return Pair(
        condition=observed.condition,
        group=observed.group,
        names=tuple(observed.names),
        x=tuple(x.tolist()),
        y=tuple(y.tolist()),
        incomplete=observed.incomplete,
        scope=Box(**scope._asdict(), declared=observed.declared is not None),
        ceilings=tuple(
            _ceiling(analysis, name, shape, tests.get(name)) for name, shape in shapes.items()
        ),
        paths=tuple(
            CeilingPath(
                ceiling=name,
                x=tuple(analysis.x_at(float(u)) for u in shape.u),
                y=tuple(analysis.y_at(float(v)) for v in shape.v),
            )
            for name, shape in shapes.items()
        ),
        bottlenecks=tuple(
            row for name, shape in shapes.items() for row in _bottlenecks(analysis, name, shape)
        ),
    )


def size_of(effect: float) -> str:
    """Dul's word for an effect size."""
    return next(word for bound, word in SIZES if effect < bound)


def _ceiling(
    analysis: _Analysis, name: CeilingName, shape: Shape, test: Permuted | None
) -> CeilingRow:
    cases, area = analysis.cases, analysis.scope.area
    effect, none = float(areas(cases, name)[0]), not len(shape.u)
    over = np.zeros(len(cases.u), bool)
    condition = outcome = relative = None
    if not none:
        over = cases.v[0] > shape.height(cases.u) + TOLERANCE
        top = shape.needed(1.0)
        condition, outcome = 0.0 if top is None else 1 - top, float(shape.v[0])
        relative = condition + outcome - condition * outcome
    slope, intercept = _line(analysis, shape)
    undefined = ""
    if test and test.undefined:
        undefined = (
            f"In {test.undefined} permutations no line can be drawn; they count as at least as "
            "large."
        )
    return CeilingRow(
        condition=analysis.observed.condition,
        group=analysis.observed.group,
        ceiling=name,
        cases=len(over),
        effect_size=None if none else effect,
        size="" if none else size_of(effect),
        p=test.p if test else None,
        p_mcse=test.mcse if test else None,
        independent=test.mean if test else None,
        zone=None if none else effect * area,
        scope=area,
        above=None if none else int(over.sum()),
        accuracy=None if none else float(1 - over.mean()),
        fit=_fit(cases, effect),
        slope=slope,
        intercept=intercept,
        condition_inefficiency=condition,
        outcome_inefficiency=outcome,
        relative_inefficiency=relative,
        absolute_inefficiency=None if relative is None else relative * area,
        peers=analysis.named(supports(cases, name, shape)),
        outliers=analysis.named(over),
        note=" ".join(filter(None, (shape.note, undefined))),
    )


def _fit(cases: Cases, effect: float) -> float | None:
    """Share of the effect size of CE-FDH; none above 1, where it is no measure of closeness."""
    whole = float(areas(cases, "ce_fdh")[0])
    if np.isnan(effect) or whole == 0 or effect > whole * (1 + TOLERANCE):
        return None
    return min(effect / whole, 1.0)


def _line(analysis: _Analysis, shape: Shape) -> tuple[float | None, float | None]:
    """Slope and intercept in the units of condition and outcome."""
    if shape.line is None:
        return None, None
    first, last = (analysis.y_at(shape.line[0] + shape.line[1] * u) for u in (0.0, 1.0))
    slope = (last - first) / (analysis.x_at(1.0) - analysis.x_at(0.0))
    return slope, first - slope * analysis.x_at(0.0)


def _bottlenecks(analysis: _Analysis, name: CeilingName, shape: Shape) -> Iterator[BottleneckRow]:
    """What levels of the outcome need, from the least demanding.

    Levels are shares of the range of the outcome, or of the cases for percentiles: 40% is then the
    outcome that 40% of the cases do not exceed (linear interpolation between them).
    """
    cases, settings = analysis.cases, analysis.settings
    shares = np.arange(settings.steps + 1) / settings.steps
    percentile, actual = (settings.bottleneck == kind for kind in ("percentile", "actual"))
    outcomes = np.quantile(cases.v[0], shares) if percentile else shares
    for share, outcome in zip(shares.tolist(), outcomes.tolist(), strict=True):
        least, short = shape.needed(outcome), 0
        status: Status = "needed"
        if least is None:
            status, short = "NA", len(cases.u)
        elif least <= 0:
            status, least = "NN", None
        needed = value = None
        if least is not None:
            short = int((cases.u < least - TOLERANCE).sum())
            value = analysis.x_at(least)
            needed = _percent(least, mirrored=mirrored_x(settings.corner))
            if percentile:
                needed = _percent(short / len(cases.u), mirrored=False)
        level = _percent(share, mirrored=mirrored_y(settings.corner))
        yield BottleneckRow(
            condition=analysis.observed.condition,
            group=analysis.observed.group,
            ceiling=name,
            level=analysis.y_at(share) if actual else level,
            outcome=analysis.y_at(outcome),
            status=status,
            needed=value if actual else needed,
            value=value,
            short=short,
        )


def _percent(share: float, *, mirrored: bool) -> float:
    return round(100 * (1 - share if mirrored else share), DIGITS)
