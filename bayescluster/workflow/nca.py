"""Necessary condition analysis of a plain table: options, cases, ceilings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bayescluster.dataset.read import read_table
from bayescluster.errors import DataError
from bayescluster.hypotheses.ceilings.describe import Observed, described
from bayescluster.results.necessity import Necessity, Pair
from bayescluster.spec.data import Data
from bayescluster.workflow.nca_cases import Columns, cases_of, columns_of, unfit
from bayescluster.workflow.nca_options import Options, Question, question_of

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
