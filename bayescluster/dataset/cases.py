"""Coded evidence on cases: who was rated on what, and which cases can inform a prior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from bayescluster.spec.priors import CasePrior

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
    """Read the cases that the priors are to be taken from; None where none are asked for.

    Parameters
    ----------
    analysis
        The analysis; `from` among the priors of its equation counts.
    directory
        Folder of the analysis file, from which the path of the cases starts.
    where
        Says where a path stands in the analysis file.

    Raises
    ------
    DataError
        If the table is not there or lacks a column, a rating is unknown or given twice, nobody
        rated the outcome, or fewer than two cases are rated on all that is needed.
    """
    equation = analysis.equation
    asked = equation.priors.from_
    if asked is None:
        return None
    base = ("equations", analysis.equation_name, "priors", "from")
    place = where((*base, "cases"))
    table = read_table(Data(source=asked.cases), directory, lambda _: place)
    problems = list(_table_problems(table.frame, table.label, place))
    if problems:
        raise DataError(problems)
    rated = {
        (str(case), str(construct)): str(rating)
        for case, construct, rating in _text(table.frame).itertuples(index=False)
    }
    outcome = asked.outcome or equation.outcome
    found = _coded(rated, outcome, equation.structure != ("intercept",))
    coded = CodedCases(table.label, table.digest, outcome, found)
    if not any(case.outcome for case in found):
        raise DataError(_unrated(coded, rated, asked, where(base)))
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
            f"'{label}' rates {construct} of '{case}' once more in {rows_text([row])}",
            place,
            "keep one of the ratings",
        )


def _coded(
    rated: dict[tuple[str, str], str], outcome: str, capitals: bool
) -> tuple[CodedCase, ...]:
    """Gather the ratings by case; without capitals in the model, the outcome is enough."""
    found = []
    for name in dict.fromkeys(case for case, _ in rated):
        of_case = {construct: rating for (case, construct), rating in rated.items() if case == name}
        human = of_case.get(HUMAN) if capitals else None
        sides = tuple(
            (construct, rating)
            for construct, rating in of_case.items()
            if capitals and (construct == SOCIAL or construct.startswith(SIDE))
        )
        needed: dict[str, object] = {HUMAN: human, SOCIAL: sides} if capitals else {}
        needed[outcome] = of_case.get(outcome)
        lacks = tuple(construct for construct, given in needed.items() if not given)
        found.append(CodedCase(name, human, sides, of_case.get(outcome), lacks))
    return tuple(found)


def _unrated(
    coded: CodedCases, rated: dict[tuple[str, str], str], asked: CasePrior, place: str
) -> Problem:
    constructs = dict.fromkeys(construct for _, construct in rated)
    known = [name for name in constructs if name not in CAPITALS and not name.startswith(SIDE)]
    near = suggestion(coded.outcome, known)
    return Problem(
        f"no case in '{coded.label}' is rated on '{coded.outcome}'",
        place,
        near if asked.outcome else f"say by `outcome:` what stands for it; {near}",
    )


def _too_few(coded: CodedCases, place: str) -> Problem:
    count = len(coded.usable)
    lacking = [case for case in coded.cases if case.lacks]
    return Problem(
        f"a prior from cases needs {FEWEST_CASES} of them, and {_count(count)} of "
        f"{len(coded.cases)} in '{coded.label}' {'is' if count == 1 else 'are'} rated on all that "
        "is needed",
        place,
        "not rated: " + "; ".join(f"{_joined(case.lacks)} of '{case.name}'" for case in lacking)
        if lacking
        else "add cases, or leave `from` out",
    )


def _count(number: int) -> str:
    return str(number) if number else "none"


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
