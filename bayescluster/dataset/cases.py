"""Coded evidence on cases: who was rated on what, which cases can inform a prior, and the prior they make.

The prior is a weighted linear regression on the logit. A case that is worth ``n`` firms, of which a share
``p`` upgraded, has an observed logit of ``p`` with a variance of about ``1 / (n p (1 - p))`` (the delta
method; the reciprocal of the Fisher information of the logit). With normal errors of that variance and a
normal prior of the coefficients, the posterior is normal and known exactly; its marginal means and sds are
returned, and the correlations between coefficients are dropped. As ``n`` goes to 0 the prior is left as it
was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logit

from bayescluster.arrays import Array
from bayescluster.dataset.read import read_table
from bayescluster.dataset.values import labels, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.data import CAPITALS, Data

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


LEVELS: Final[Mapping[str, float]] = {"low": -1.0, "medium": 0.0, "high": 1.0}
"""Level of a capital, in standard deviations of the firms.

A rating compares cases with each other, not with the firms of the analysis. One sd either way keeps
the cases within the firms that are usually there: about a sixth of them are further out.
"""
SHARES: Final[Mapping[str, float]] = {"low": 0.1, "medium": 0.4, "high": 0.7}
"""Share of firms that upgraded.

Low is where the claims call an outcome rare; high stays short of where they call it common, since no
case says that nearly all firms upgraded; medium lies halfway.
"""

MULTIPLIED_BY: Final[Mapping[str, Callable[[Array, Array], Array]]] = {
    INTERCEPT: lambda human, social: np.ones_like(human * social),
    HUMAN_CAPITAL: lambda human, social: human + 0 * social,
    SOCIAL_CAPITAL: lambda human, social: social + 0 * human,
    INTERACTION: lambda human, social: human * social,
}
"""What each coefficient is multiplied by: the terms for which cases can speak."""


class NormalMoments(NamedTuple):
    """Mean and standard deviation of a coefficient."""

    mean: float
    sd: float


def informed(
    cases: Sequence[CodedCase],
    strength: float,
    defaults: Mapping[str, NormalMoments],
    units: tuple[float, float] = (1.0, 1.0),
) -> dict[str, NormalMoments]:
    """Update the default priors by the cases.

    Parameters
    ----------
    cases
        Rated on the outcome, and on both capitals where a term needs them.
    strength
        How many firms one case is worth.
    defaults
        Mean and sd of each coefficient before any case; every one is a key of ``MULTIPLIED_BY``.
    units
        One standard deviation of human and of social capital on the scale of the design: 1, except
        for 0/1 capitals, which are not scaled.
    """
    human, social = (
        unit * np.array([level(case) for case in cases])
        for unit, level in zip(units, (human_level, social_level), strict=True)
    )
    share = np.array([SHARES[str(case.outcome)] for case in cases])
    columns = np.column_stack([MULTIPLIED_BY[term](human, social) for term in defaults])
    before = np.array(list(defaults.values()))  # (term, 2)
    means, sds = regression(columns, logit(share), strength * share * (1 - share), before)
    return {
        term: NormalMoments(float(mean), float(sd))
        for term, mean, sd in zip(defaults, means, sds, strict=True)
    }


def regression(
    columns: Array, observed: Array, precision: Array, before: Array
) -> tuple[Array, Array]:
    """Posterior means and marginal sds of a linear regression with known error variances.

    ``columns`` are ``(case, term)``; ``observed`` and its ``precision``, the reciprocal of the error
    variance, ``(case,)``; ``before`` holds the independent prior mean and sd of each coefficient,
    ``(term, 2)``.
    """
    mean, sd = before.T
    total = np.diag(sd**-2) + columns.T @ (precision[:, None] * columns)
    covariance = np.linalg.inv(total)
    means = covariance @ (mean / sd**2 + columns.T @ (precision * observed))
    return means, np.sqrt(np.diag(covariance))


def human_level(case: CodedCase) -> float:
    """Level of human capital in standard deviations; 0 where it was not rated."""
    return 0.0 if case.human is None else LEVELS[case.human]


def social_level(case: CodedCase) -> float:
    """Mean level of the rated sides of social capital; 0 where none was rated."""
    levels = [LEVELS[rating] for _, rating in case.social]
    return float(np.mean(levels)) if levels else 0.0
