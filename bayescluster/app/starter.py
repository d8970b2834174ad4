"""From a table to an analysis file that is proposed, written and checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from bayescluster.app.codebook import Notice, concerns_of, guessed_table
from bayescluster.app.prepare import analysis_source, read_designs, table_of_analysis
from bayescluster.dataset.plain import Reading
from bayescluster.errors import BayesClusterError, ConfigError, Problem
from bayescluster.features.codebook.results import Concern
from bayescluster.features.starter.draft import (
    NONE,
    Choices,
    Draft,
    columns_named,
    drafted,
    words_for_no_answer,
)
from bayescluster.features.starter.text import analysis_text, name_of
from bayescluster.lookup import suggestion


class Written(NamedTuple):
    """An analysis file that was written: what was proposed, and what is wrong with it still."""

    path: Path
    draft: Draft
    problems: tuple[Problem, ...]
    concerns: tuple[Concern, ...] = ()
    """What looks wrong in its columns, where it is valid."""


def proposed(
    table: Path, reading: Reading, choices: Choices, notice: Notice | None = None
) -> Draft:
    """Propose an analysis of a table; ``notice`` is given in words what will take long.

    Raises
    ------
    ConfigError
        If a column that is stated is not in the table.
    DataError
        If the table cannot be read.
    """
    stated = (choices.firm, choices.cluster, choices.industry)
    groups = [name for name in stated if name not in (None, NONE)]
    found = guessed_table(table, reading, groups, notice)
    known = list(found.frame.columns)
    choices = choices._replace(
        human=None if choices.human is None else columns_named(choices.human, known),
        social=None if choices.social is None else columns_named(choices.social, known),
        controls=None if choices.controls is None else columns_named(choices.controls, known),
    )
    faults = [
        Problem(f"no column '{name}' in '{table.name}'", "TABLE", suggestion(name, known))
        for name in choices.named
        if name not in known
    ]
    if faults:
        raise ConfigError(faults)
    words = words_for_no_answer(found, groups)
    if words:
        listed = (f"{name}={word}" for name, each in words.items() for word in each)
        codes = (*reading.missing_values, *listed)
        found = guessed_table(table, reading._replace(missing_values=codes), groups)
    return drafted(found, choices, words)


def write_analysis(
    table: Path, out: Path, draft: Draft, reading: Reading, force: bool = False
) -> Written:
    """Write the analysis file of a draft, and check it against the table.

    Raises
    ------
    ConfigError
        If the file is there already, and is not to be written over (``force``).
    """
    if out.exists() and not force:
        raise ConfigError(
            Problem(
                "the file is there already",
                str(out),
                "write over it with --force, or name another by --out",
            )
        )
    source = os.path.relpath(table.resolve(), out.resolve().parent)
    keys = {
        key: value
        for key, value in reading._asdict().items()
        if key != "missing_values" and value is not None
    }
    text = analysis_text(name_of(table.stem), source.replace(os.sep, "/"), draft, keys)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    if draft.decisions:
        return Written(out, draft, ())
    analysis = analysis_source(out)
    try:
        read = table_of_analysis(analysis)
        read_designs(analysis, read)
    except BayesClusterError as error:
        return Written(out, draft, error.problems)
    return Written(out, draft, (), concerns_of(analysis, read))
