"""Coded evidence on cases: who was rated on what, and which cases can inform a prior."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from bayescluster.dataset.read import read_table
from bayescluster.dataset.values import labels, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.constructs import CAPITALS
from bayescluster.spec.data import Data

COLUMNS: Final = ("case", "construct", "rating")
"""Columns of a table of cases; others (the fact, its source) are left to its readers."""
RATINGS: Final = ("low", "medium", "high")
FEWEST_CASES: Final = 2
"""Fewer cases than this are an anecdote."""

HUMAN, SOCIAL = CAPITALS
SIDE: Final = f"{SOCIAL}_"
"""Begins the name of a side of social capital: bonding, bridging, transnational, ..."""


class CodedCase(NamedTuple):
    """The ratings of a case that bear on the prior; ``lacks`` names what it was not rated on."""

    name: str
    human: str | None
    social: tuple[tuple[str, str], ...]
    """Rated sides of social capital, each with its rating."""
    outcome: str | None
    lacks: tuple[str, ...]


class CodedCases(NamedTuple):
    """A table of cases as read for one outcome; ``digest`` is that of the whole table."""

    label: str
    digest: str
    outcome: str
    cases: tuple[CodedCase, ...]

    @property
    def usable(self) -> tuple[CodedCase, ...]:
        """Cases that were rated on all that is needed."""
        return tuple(case for case in self.cases if not case.lacks)


def read_cases(analysis: Analysis, directory: Path, where: Where) -> CodedCases | None:
    """Read the cases under ``from`` in the priors of the equation; None where it has none.

    ``directory`` is the folder that the path of the cases starts from.

    Raises
    ------
    DataError
        If the table does not exist or lacks a column, a rating is unknown or given twice, no case
        is rated on the outcome, or fewer than two are rated on all that is needed.
    """
    equation = analysis.equation
    prior = equation.priors.from_
    if prior is None:
        return None
    base = ("equations", analysis.equation_name, "priors", "from")
    place = where((*base, "cases"))
    table = read_table(Data(source=prior.cases), directory, lambda _: place)
    problems = list(_table_problems(table.frame, table.label, place))
    if problems:
        raise DataError(problems)
    ratings = {
        (str(case), str(construct)): str(rating)
        for case, construct, rating in _text(table.frame).itertuples(index=False)
    }
    outcome = prior.outcome or equation.outcome
    cases = _coded(ratings, outcome, equation.structure != ("intercept",))
    coded = CodedCases(table.label, table.digest, outcome, cases)
    if not any(case.outcome for case in cases):
        constructs = dict.fromkeys(construct for _, construct in ratings)
        others = [name for name in constructs if name not in CAPITALS and not name.startswith(SIDE)]
        near = suggestion(outcome, others)
        raise DataError(
            Problem(
                f"no case in '{coded.label}' is rated on '{outcome}'",
                where(base),
                near if prior.outcome else f"name what represents it under `outcome:`; {near}",
            )
        )
    if len(coded.usable) < FEWEST_CASES:
        raise DataError(_too_few(coded, place))
    return coded


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: labels(frame[name]) for name in COLUMNS})


def _table_problems(frame: pd.DataFrame, label: str, place: str) -> Iterator[Problem]:
    missing = [name for name in COLUMNS if name not in frame]
    for name in missing:
        yield Problem(
            f"'{label}' has no column '{name}' (a table of cases has {', '.join(COLUMNS)})",
            place,
            suggestion(name, frame.columns),
        )
    if missing:
        return
    cells = _text(frame)
    for name in COLUMNS:
        empty = cells.index[cells[name].isna()]
        if len(empty):
            yield Problem(
                f"'{label}' has no {name} in {rows_text(empty)}",
                place,
                "fill it in, or leave the row out",
            )
    ratings = cells["rating"].dropna()
    for rating in ratings[~ratings.isin(RATINGS)].unique():
        at = rows_text(ratings.index[ratings == rating])
        yield Problem(
            f"'{label}' has an unknown rating '{rating}' in {at}",
            place,
            suggestion(str(rating), RATINGS),
        )
    named = cells.dropna()
    again = named[named.duplicated(["case", "construct"])]
    for row, case, construct in again[["case", "construct"]].itertuples():
        yield Problem(
            f"'{label}' rates {construct} of '{case}' a second time in {rows_text([row])}",
            place,
            "keep one of the ratings",
        )


def _coded(
    ratings: dict[tuple[str, str], str], outcome: str, capitals: bool
) -> tuple[CodedCase, ...]:
    """Gather the ratings by case; without capitals in the model, the outcome is enough."""
    cases = []
    for name in dict.fromkeys(case for case, _ in ratings):
        own = {construct: rating for (case, construct), rating in ratings.items() if case == name}
        human = own.get(HUMAN) if capitals else None
        sides = tuple(
            (construct, rating)
            for construct, rating in own.items()
            if capitals and (construct == SOCIAL or construct.startswith(SIDE))
        )
        needed: dict[str, object] = {HUMAN: human, SOCIAL: sides} if capitals else {}
        needed[outcome] = own.get(outcome)
        lacks = tuple(construct for construct, given in needed.items() if not given)
        cases.append(CodedCase(name, human, sides, own.get(outcome), lacks))
    return tuple(cases)


def _too_few(coded: CodedCases, place: str) -> Problem:
    count = len(coded.usable)
    lacking = [
        f"{', '.join(case.lacks[:-1])}{' and ' * (len(case.lacks) > 1)}{case.lacks[-1]} of "
        f"'{case.name}'"
        for case in coded.cases
        if case.lacks
    ]
    return Problem(
        f"a prior from cases needs {FEWEST_CASES} of them, and {count or 'none'} of "
        f"{len(coded.cases)} in '{coded.label}' {'is' if count == 1 else 'are'} rated on all that "
        "is needed",
        place,
        f"not rated: {'; '.join(lacking)}" if lacking else "add cases, or leave `from` out",
    )
