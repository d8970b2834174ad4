"""Necessary condition analysis of a plain table: options, cases, ceilings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.dataset.read import read_table
from bayescluster.dataset.values import as_float, labels, numeric_problem, rows_text
from bayescluster.errors import ConfigError, DataError, Problem
from bayescluster.features.nca.observed import (
    BOTTLENECKS,
    CEILINGS,
    CORNERS,
    DUPLICATE_PEERS,
    TOLERANCE,
    Cases,
    Floats,
    Need,
    Permuted,
    Scope,
    Shape,
    areas,
    empirical,
    from_unit,
    levels_of,
    mirrored_x,
    mirrored_y,
    needs,
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
)
from bayescluster.lookup import suggestion
from bayescluster.spec.data import Data

SIZES: tuple[tuple[float, str], ...] = (
    (0.1, "small"),
    (0.3, "medium"),
    (0.5, "large"),
    (np.inf, "very large"),
)
"""Dul's words for d below each bound (2016, p. 30): conventions of his."""
PERCENT = 100.0
DIGITS = 10
"""Decimals of percentages kept: 30%, not 30.000000000000004%."""


class Asked(NamedTuple):
    """What is asked of every pair of condition and outcome.

    Attributes
    ----------
    ceilings
        Ceilings, in order.
    corner
        Corner that is empty where the condition is necessary.
    bottleneck, steps
        Unit of the bottleneck table, and its number of steps from the lowest to the highest level.
    permutations
        Number of permutations; 0 for no test.
    duplicate_peers
        How peers in the same place count in a regression.
    """

    ceilings: tuple[CeilingName, ...] = ("ce_fdh", "cr_fdh")
    corner: CornerName = "upper_left"
    bottleneck: BottleneckKind = "percentage_range"
    steps: int = 10
    permutations: int = 10_000
    duplicate_peers: DuplicatePeers = "unique"


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
    x: Floats
    y: Floats
    incomplete: int = 0
    declared: Scope | None = None


def described(observed: Observed, asked: Asked, rng: np.random.Generator) -> Pair:
    """Analyse one condition.

    Raises
    ------
    ValueError
        As `effect_size` does.
    """
    cases = unit_cases(observed.x, observed.y[None, :], asked.corner, observed.declared)
    cases = cases._replace(duplicate_peers=asked.duplicate_peers)
    view = _View(observed, cases, asked, observed.declared or empirical(observed.x, observed.y))
    shapes = {name: shape_of(cases, name) for name in asked.ceilings}
    tests: Mapping[CeilingName, Permuted | None] = (
        permuted(cases, asked.ceilings, asked.permutations, rng) if asked.permutations else {}
    )
    return Pair(
        condition=observed.condition,
        group=observed.group,
        names=tuple(observed.names),
        x=tuple(observed.x.tolist()),
        y=tuple(observed.y.tolist()),
        incomplete=observed.incomplete,
        scope=Box(**view.scope._asdict(), declared=observed.declared is not None),
        ceilings=tuple(_row(view, name, shape, tests.get(name)) for name, shape in shapes.items()),
        paths=tuple(_path(view, name, shape) for name, shape in shapes.items()),
        bottlenecks=tuple(
            row for name, shape in shapes.items() for row in _bottlenecks(view, name, shape)
        ),
    )


def size_of(effect: float) -> str:
    """Dul's word for an effect size."""
    return next(word for bound, word in SIZES if effect < bound)


class _View(NamedTuple):
    observed: Observed
    cases: Cases
    asked: Asked
    scope: Scope

    def x_at(self, u: float) -> float:
        mirrored = mirrored_x(self.asked.corner)
        return from_unit(u, self.scope.xmin, self.scope.xmax, mirrored=mirrored)

    def y_at(self, v: float) -> float:
        mirrored = mirrored_y(self.asked.corner)
        return from_unit(v, self.scope.ymin, self.scope.ymax, mirrored=mirrored)

    def named(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        """Names of cases, along the condition."""
        order = np.argsort(self.cases.u, kind="stable")
        return tuple(self.observed.names[place] for place in order if chosen[place])


def _row(view: _View, name: CeilingName, shape: Shape, test: Permuted | None) -> CeilingRow:
    effect, area = float(areas(view.cases, name)[0]), view.scope.area
    none = np.isnan(effect)
    over = np.zeros(len(view.cases.u), bool)
    if not none:
        over = view.cases.v[0] > shape.height(view.cases.u) + TOLERANCE
    slope, intercept = _line(view, shape)
    return CeilingRow(
        condition=view.observed.condition,
        group=view.observed.group,
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
        fit=_fit(view.cases, effect),
        slope=slope,
        intercept=intercept,
        **_inefficiencies(shape, area),
        peers=view.named(supports(view.cases, name, shape)),
        outliers=view.named(over),
        note=" ".join(filter(None, (shape.note, _undefined(test)))),
    )


def _undefined(test: Permuted | None) -> str:
    if test is None or not test.undefined:
        return ""
    return (
        f"In {test.undefined} permutations no line can be drawn; they count as at least as large."
    )


def _fit(cases: Cases, effect: float) -> float | None:
    """Share of the effect size of CE-FDH; none above 1, where it is no measure of closeness."""
    whole = float(areas(cases, "ce_fdh")[0])
    if np.isnan(effect) or whole == 0 or effect > whole * (1 + TOLERANCE):
        return None
    return min(effect / whole, 1.0)


def _line(view: _View, shape: Shape) -> tuple[float | None, float | None]:
    """Slope and intercept in the units of condition and outcome."""
    if shape.line is None:
        return None, None
    first, last = (view.y_at(shape.line[0] + shape.line[1] * u) for u in (0.0, 1.0))
    slope = (last - first) / (view.x_at(1.0) - view.x_at(0.0))
    return slope, first - slope * view.x_at(0.0)


def _inefficiencies(shape: Shape, area: float) -> dict[str, float | None]:
    if not len(shape.u):
        return dict.fromkeys(
            f"{kind}_inefficiency" for kind in ("condition", "outcome", "relative", "absolute")
        )
    top = shape.needed(1.0)
    condition = 0.0 if top is None else 1 - top
    outcome = float(shape.v[0])
    relative = condition + outcome - condition * outcome
    return {
        "condition_inefficiency": condition,
        "outcome_inefficiency": outcome,
        "relative_inefficiency": relative,
        "absolute_inefficiency": relative * area,
    }


def _path(view: _View, name: CeilingName, shape: Shape) -> CeilingPath:
    return CeilingPath(
        ceiling=name,
        x=tuple(view.x_at(float(u)) for u in shape.u),
        y=tuple(view.y_at(float(v)) for v in shape.v),
    )


def _bottlenecks(view: _View, name: CeilingName, shape: Shape) -> list[BottleneckRow]:
    shares, outcomes = levels_of(view.asked.bottleneck, view.cases, view.asked.steps)
    level, need = UNITS[view.asked.bottleneck]
    return [
        BottleneckRow(
            condition=view.observed.condition,
            group=view.observed.group,
            ceiling=name,
            level=level(view, float(share)),
            outcome=view.y_at(found.v),
            status=found.status,
            needed=need(view, found) if found.status == "needed" else None,
            value=view.x_at(found.u) if found.status == "needed" else None,
            short=found.short,
        )
        for share, found in zip(shares, needs(view.cases, shape, outcomes), strict=True)
    ]


def _percent(share: float, *, mirrored: bool) -> float:
    return round(PERCENT * (1 - share if mirrored else share), DIGITS)


def _share_level(view: _View, share: float) -> float:
    return _percent(share, mirrored=mirrored_y(view.asked.corner))


UNITS: Mapping[
    BottleneckKind, tuple[Callable[[_View, float], float], Callable[[_View, Need], float]]
] = {
    "percentage_range": (
        _share_level,
        lambda view, need: _percent(need.u, mirrored=mirrored_x(view.asked.corner)),
    ),
    "actual": (
        lambda view, share: view.y_at(share),
        lambda view, need: view.x_at(need.u),
    ),
    "percentile": (
        _share_level,
        lambda view, need: _percent(need.short / len(view.cases.u), mirrored=False),
    ),
}
"""Level and need in the unit of each kind of bottleneck table."""


SIDES = ("xmin", "xmax", "ymin", "ymax")


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
    missing_values, sheet
        Codes that mean "no answer"; sheet of an xlsx file.
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
    missing_values: tuple[str, ...] = ()
    sheet: str | None = None


class Question(NamedTuple):
    """Options that hold together.

    Attributes
    ----------
    scopes
        Declared scope by condition; empty where the range of the cases is taken.
    asked
        What is asked of every condition.
    """

    conditions: tuple[str, ...]
    outcome: str
    group: str | None
    names: str | None
    scopes: dict[str, Scope]
    asked: Asked
    seed: int


def question_of(options: Options) -> Question:
    """Check options.

    Raises
    ------
    ConfigError
        With every fault.
    """
    ceilings = tuple(dict.fromkeys(_plain(name) for name in options.ceilings))
    problems = [*_unknown(options, ceilings), *_columns(options), *_of_scopes(options)]
    if problems:
        raise ConfigError(problems)
    declared = [Scope(*_numbers(text)) for text in options.scope]
    if len(declared) == 1:
        declared *= len(options.conditions)
    return Question(
        options.conditions,
        options.outcome,
        options.group,
        options.names,
        dict(zip(options.conditions, declared, strict=False)),
        Asked(
            cast("tuple[CeilingName, ...]", ceilings),
            cast(CornerName, _plain(options.corner)),
            cast(BottleneckKind, _plain(options.bottleneck)),
            options.steps,
            options.permutations,
            cast(DuplicatePeers, _plain(options.duplicate_peers)),
        ),
        options.seed,
    )


def _plain(name: str) -> str:
    """Spelling of a name in the tables: CE-FDH is ce_fdh."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _unknown(options: Options, ceilings: Sequence[str]) -> Iterator[Problem]:
    chosen: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        *(("ceiling", name, CEILINGS) for name in ceilings),
        ("corner", _plain(options.corner), CORNERS),
        ("bottleneck", _plain(options.bottleneck), BOTTLENECKS),
        ("duplicate-peers", _plain(options.duplicate_peers), DUPLICATE_PEERS),
    )
    for option, name, known in chosen:
        if name not in known:
            yield Problem(
                f"unknown {option.replace('-', ' ')} '{name}'",
                f"--{option}",
                suggestion(name, known),
            )


def _columns(options: Options) -> Iterator[Problem]:
    for name in sorted({n for n in options.conditions if options.conditions.count(n) > 1}):
        yield Problem(f"the condition '{name}' is given twice", "--x", "leave one out")
    if options.outcome in options.conditions:
        yield Problem(
            f"'{options.outcome}' is a condition and the outcome",
            "--y",
            "name the outcome, which is none of the conditions",
        )


def _of_scopes(options: Options) -> Iterator[Problem]:
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
        found = _numbers(text)
    except ValueError:
        return "not all of it are numbers"
    if len(found) != len(SIDES):
        return f"{len(found)} numbers instead of {len(SIDES)}"
    if not all(map(math.isfinite, found)):
        return "its numbers must be finite"
    for axis, (low, high) in {"x": found[:2], "y": found[2:]}.items():
        if low >= high:
            return f"{axis}min {low:g} is not below {axis}max {high:g}"
    return ""


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.replace(",", " ").split())


FEWEST = 2
"""Cases below which nothing can be said at all."""
SHOWN = 3
"""Cases named in a message."""


class Columns(NamedTuple):
    """What is taken from the table.

    Attributes
    ----------
    numbers
        Conditions and outcome by name; missing values are NaN. (row,)
    names, group
        Name and group of each row; a missing group is NaN. (row,)
    notes
        What is to be said of the columns.
    """

    numbers: dict[str, Floats]
    names: pd.Series[Any]
    group: pd.Series[Any] | None
    notes: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in the order of the rows."""
        return () if self.group is None else tuple(self.group.dropna().unique())


class Unfit(NamedTuple):
    """Why cases cannot be analysed: as a problem to mend, and as a short reason."""

    problem: Problem
    reason: str


def columns_of(frame: pd.DataFrame, question: Question) -> Columns:
    """Take the columns that are asked for.

    Raises
    ------
    DataError
        With every column that is not there, or is not of numbers.
    """
    roles = [("--x", name) for name in question.conditions] + [("--y", question.outcome)]
    labelled = [("--group", question.group), ("--names", question.names)]
    wanted = [*roles, *((option, name) for option, name in labelled if name is not None)]
    problems = list(_absent(frame, wanted)) or list(_wordy(frame, roles))
    if problems:
        raise DataError(problems)
    group = None if question.group is None else labels(frame[question.group])
    notes = []
    if group is not None and group.isna().any():
        notes.append(
            f"'{question.group}' is missing in {int(group.isna().sum())} of {len(frame)} rows "
            f"({rows_text(frame.index[group.isna()])}): they count among all rows only."
        )
    numbers = {name: as_float(frame[name]) for _, name in roles}
    return Columns(numbers, _names(frame, question), group, tuple(notes))


def cases_of(columns: Columns, question: Question, condition: str, group: str | None) -> Observed:
    """Complete cases of a condition, of one group or (None) of all rows."""
    x, y = columns.numbers[condition], columns.numbers[question.outcome]
    inside = np.ones(len(x), bool)
    if group is not None and columns.group is not None:
        inside = (columns.group == group).to_numpy(bool)
    complete = inside & np.isfinite(x) & np.isfinite(y)
    return Observed(
        condition,
        ALL_ROWS if group is None else group,
        columns.names[complete].tolist(),
        x[complete],
        y[complete],
        int(inside.sum() - complete.sum()),
        question.scopes.get(condition),
    )


def unfit(case: Observed, question: Question) -> Unfit | None:
    """Say why cases cannot be analysed; None where they can."""
    count = len(case.x)
    if count < FEWEST:
        return _too_few(case, question)
    if case.declared is not None:
        return _outside(case, question)
    sides = (("--x", case.condition, case.x), ("--y", question.outcome, case.y))
    return next(filter(None, (_flat(*side) for side in sides)), None)


def _flat(option: str, name: str, values: Floats) -> Unfit | None:
    """Say whether a column has no range to draw a ceiling in."""
    # halved first: the range of numbers near the ends of what floats hold is no number
    half = values.max() / 2 - values.min() / 2
    if half > np.finfo(float).max / 2:
        what = f"'{name}' goes from {values.min():g} to {values.max():g}"
        return Unfit(Problem(what, option, "its range is no number; change its unit"), what)
    if values.max() > values.min():
        return None
    what = f"'{name}' is {values[0]:g} in all {len(values)} rows"
    mend = "without a range there is no ceiling; declare --scope where it could have varied"
    return Unfit(Problem(what, option, mend), what)


def _too_few(case: Observed, question: Question) -> Unfit:
    rows = "only one row has" if len(case.x) else "no row has"
    what = f"{rows} both '{case.condition}' and '{question.outcome}'"
    whole = len(case.x) + case.incomplete
    mend = f"the table has {whole} {'row' if whole == 1 else 'rows'}; at least 2 must have both"
    return Unfit(Problem(what, "--x", mend), what)


def _outside(case: Observed, question: Question) -> Unfit | None:
    scope = case.declared
    if scope is None or scope.holds(case.x, case.y):
        return None
    beyond = (
        (case.x < scope.xmin)
        | (case.x > scope.xmax)
        | (case.y < scope.ymin)
        | (case.y > scope.ymax)
    )
    places = np.flatnonzero(beyond)
    shown = "; ".join(
        f"{case.names[k]} ({case.condition} {case.x[k]:g}, {question.outcome} {case.y[k]:g})"
        for k in places[:SHOWN]
    )
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    sides = " ".join(f"{side:g}" for side in scope)
    what = f"the scope {sides} of '{case.condition}' does not hold {shown}{more}"
    return Unfit(Problem(what, "--scope", "widen it, or leave it out to take the range"), what)


def _absent(frame: pd.DataFrame, wanted: list[tuple[str, str]]) -> Iterator[Problem]:
    known = list(frame.columns)
    for option, name in wanted:
        if name not in known:
            yield Problem(f"no column '{name}' in the table", option, suggestion(name, known))


def _wordy(frame: pd.DataFrame, roles: list[tuple[str, str]]) -> Iterator[Problem]:
    for option, name in roles:
        fault = numeric_problem(frame[name])
        if fault is not None:
            yield Problem(
                f"'{name}' is no column of numbers: {fault}",
                option,
                "recode it, or name codes for missing answers with --missing-value",
            )


def _names(frame: pd.DataFrame, question: Question) -> pd.Series[Any]:
    """Names of the rows: declared, else the first column of text that tells them apart."""
    rows = pd.Series([f"row {k + 1}" for k in range(len(frame))], frame.index, dtype=object)
    taken = {*question.conditions, question.outcome, question.group}
    if question.names is None:
        found = next((name for name in frame if name not in taken and _tells(frame[name])), None)
        return rows if found is None else labels(frame[found])
    named = labels(frame[question.names])
    twice = named.duplicated(keep=False)
    return named.where(~twice, named + " (" + rows + ")").where(named.notna(), rows)


def _tells(column: pd.Series[Any]) -> bool:
    """Whether a column is of text, and a name of its own for every row."""
    if column.dtype != object and not pd.api.types.is_string_dtype(column):
        return False
    return bool(column.notna().all() and column.is_unique and isinstance(column.iloc[0], str))


NCA_STREAM = 20


class _Analysed(NamedTuple):
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def analyse_necessity(options: Options, directory: Path = Path()) -> Necessity:
    """Analyse a table as the options say.

    Parameters
    ----------
    options
        What the command line says.
    directory
        Folder from which the path of the table starts.

    Raises
    ------
    ConfigError
        If the options contradict themselves or name what there is not.
    DataError
        If the table cannot be read, or a column is not there or cannot be analysed.
    """
    question = question_of(options)
    data = Data(source=options.table, missing_values=options.missing_values, sheet=options.sheet)
    table = read_table(data, directory, lambda path: PLACES.get(str(path[-1]), "TABLE"))
    columns = columns_of(table.frame, question)
    found = _analysed(columns, question)
    return Necessity(
        table=table.label,
        digest=table.digest,
        synthetic=table.synthetic,
        outcome=question.outcome,
        conditions=question.conditions,
        grouped_by=question.group,
        corner=question.asked.corner,
        bottleneck=question.asked.bottleneck,
        duplicate_peers=question.asked.duplicate_peers,
        permutations=question.asked.permutations,
        seed=question.seed,
        pairs=found.pairs,
        notes=found.notes,
    )


PLACES = {"sheet": "--sheet", "missing_values": "--missing-value"}
"""Options by the key of the data section they stand for."""


def _analysed(columns: Columns, question: Question) -> _Analysed:
    """Analyse all rows, which must be fit for it, then the groups that are."""
    whole = [cases_of(columns, question, name, None) for name in question.conditions]
    problems = [fault.problem for case in whole if (fault := unfit(case, question))]
    if problems:
        raise DataError(dict.fromkeys(problems))
    pairs = [_pair(case, question, 0) for case in whole]
    notes = list(columns.notes)
    for number, group in enumerate(columns.groups, start=1):
        for name in question.conditions:
            case = cases_of(columns, question, name, group)
            fault = unfit(case, question)
            if fault is None:
                pairs.append(_pair(case, question, number))
            else:
                notes.append(f"{group}, {name}: not analysed, {fault.reason}.")
    return _Analysed(tuple(pairs), tuple(notes))


def _pair(case: Observed, question: Question, group: int) -> Pair:
    place = question.conditions.index(case.condition)
    rng = np.random.default_rng((question.seed, NCA_STREAM, group, place))
    return described(case, question.asked, rng)
