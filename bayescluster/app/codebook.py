"""A codebook of a plain table, or of the table of an analysis with what the analysis makes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from bayescluster.app.prepare import AnalysisSource, analysis_source, designs_of, table_of_analysis
from bayescluster.dataset.constructs import Scored, score
from bayescluster.dataset.derive import as_used
from bayescluster.dataset.plain import Reading, read_plain
from bayescluster.dataset.prepare import Examined, examine, selected
from bayescluster.dataset.read import Note, Table
from bayescluster.design.record import Design
from bayescluster.errors import BayesClusterError, DataError
from bayescluster.features.codebook.compute import Sources, codebook_of, roles_of, suggests
from bayescluster.features.codebook.results import Codebook, Concern
from bayescluster.spec.columns import needed_columns
from bayescluster.spec.load import load_analysis

ANALYSIS_FILES = (".yaml", ".yml")
WIDE: Final = 1000
"""Columns above which `validate` looks at those alone that the analysis uses."""
SECONDS_OF_A_COLUMN: Final = 0.004
SECONDS_OF_A_TEXT: Final = 0.00002
"""Processor time that describing a column takes, and each cell of text."""
MOST_SECONDS: Final = 10
"""What takes longer is said first."""

type Notice = Callable[[str], object]


def codebook(path: Path, reading: Reading | None = None, notice: Notice | None = None) -> Codebook:
    """Make the codebook of a table, or of an analysis if the file is one.

    ``notice`` is given in words what will take long, before it does.

    Raises
    ------
    ConfigError, DataError
        If the analysis or the table cannot be read; other faults are part of the codebook.
    """
    if path.suffix.lower() in ANALYSIS_FILES:
        return _of_analysis(path, notice)
    return codebook_of(Sources(guessed_table(path, reading or Reading(), notice=notice)))


def guessed_table(
    path: Path, reading: Reading, groups: Collection[str] = (), notice: Notice | None = None
) -> Table:
    """Read a plain table, with the columns that seem to name firms and groups as they are written."""
    first = read_plain(str(path), reading)
    _say_cost(first, notice)
    # 10.1 and 10.10 are one number: what a name suggests is looked at as it is written
    named = [
        name
        for name in first.frame.columns
        if name in groups or any(suggests(role, name) for role in ("firm", "cluster", "industry"))
    ]
    return read_plain(str(path), reading, named) if named else first


def _say_cost(table: Table, notice: Notice | None) -> None:
    """Say of a very large table how long describing it takes."""
    rows, columns = table.frame.shape
    texts = table.frame.select_dtypes(exclude=["number", "bool"]).size
    seconds = columns * SECONDS_OF_A_COLUMN + texts * SECONDS_OF_A_TEXT
    if notice is not None and seconds > MOST_SECONDS:
        notice(
            f"{rows:,} rows and {columns:,} columns: describing them takes about {seconds:.0f} seconds."
        )


def _of_analysis(path: Path, notice: Notice | None) -> Codebook:
    loaded = load_analysis(path)
    source = AnalysisSource(loaded.value, loaded.directory, loaded.source.where)
    table = table_of_analysis(source)
    _say_cost(table, notice)
    try:
        return codebook_of(_sources(source, table, design=designs_of(analysis_source(path))[0]))
    except BayesClusterError as error:
        return codebook_of(_sources(source, table, tuple(map(str, error.problems))))


def _sources(
    source: AnalysisSource,
    table: Table,
    faults: tuple[str, ...] = (),
    design: Design | None = None,
) -> Sources:
    analysis = source.analysis
    found = examine(table, analysis.data, needed_columns(analysis), source.where)
    used = as_used(table, analysis.data, source.where)
    with contextlib.suppress(DataError, KeyError):  # among the faults already
        rows, steps = selected(used.frame, analysis.data, source.where)
        selections = (Note(f"Selected: {step}.") for step in steps)
        used = used._replace(frame=rows, notes=(*used.notes, *selections))
    return Sources(used, analysis, found, _scored(source, found), faults, design, len(table.frame))


def _scored(source: AnalysisSource, found: Examined) -> dict[str, Scored]:
    """Capitals that can be scored."""
    capitals: dict[str, Scored] = {}
    if found.firms is None:
        return capitals
    for name, construct in source.analysis.constructs.items():
        if {item.column for item in construct.items} <= set(found.firms.frame.columns):
            try:
                frame = found.firms.frame
                capitals[name] = score(frame, name, construct, source.where, impute=True)
            except DataError:
                continue
    return capitals


def concerns_of(
    source: AnalysisSource, table: Table, design: Design | None = None
) -> tuple[Concern, ...]:
    """What looks wrong in the columns that an analysis uses, and at the corners of its claims.

    Of a very wide table no other columns are described.
    """
    sources = _sources(source, table, design=design)
    frame = sources.table.frame
    if frame.shape[1] > WIDE:
        roles = roles_of(sources)
        kept = [name for name in frame.columns if name in roles]
        sources = sources._replace(table=sources.table._replace(frame=frame[kept]))
    found = codebook_of(sources)
    used = {row.column for row in found.columns if row.role}
    return tuple(
        one for one in found.concerns if not one.column or used & {one.column, *one.others}
    )
