"""What the fit of an equation comes to, in a line each: of the report and of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bayescluster.report import words
from bayescluster.results.fit_checks import CalibrationRow, FitChecks, PitRow, PredictiveCount
from bayescluster.results.model import EquationResults, Results

Row = PitRow | CalibrationRow


def equations(results: Results) -> Iterator[tuple[str, FitChecks]]:
    """Fit of every equation that has been looked at, that in focus first."""
    parts: tuple[Results | EquationResults, ...] = (results, *results.others)
    for one in parts:
        if one.fit_checks is not None:
            yield one.model.equation, one.fit_checks


def count(found: PredictiveCount) -> str:
    """Flags of the posterior predictive checks, beside those of chance."""
    verb = "is" if found.flagged == 1 else "are"
    return (
        f"{words.count(found.flagged)} of {words.count(found.checked)} predictive statistics {verb} "
        f"flagged; {chance(found.by_chance)}"
    )


def chance(flags: float) -> str:
    """Flags to expect of a model that is right."""
    return f"of a model that is right, chance flags {words.number(flags, 1.0)} on average, at most"


def pit(found: FitChecks) -> str:
    """Outcome of the LOO-PIT."""
    if found.pit is None:
        return f"LOO-PIT was not made: {found.pit_reason}"
    return f"LOO-PIT: {_tests(found.pit.groups)}"


def calibration(found: FitChecks) -> str:
    """Outcome of the calibration of probabilities."""
    if found.calibration is None:
        return f"Calibration was not looked at: {found.calibration_reason}"
    return f"Calibration: {_tests(found.calibration.rows)}"


def _tests(rows: Iterable[Row]) -> str:
    made = [row for row in rows if row.p is not None]
    if not made:
        return "no group could be tested"
    flagged = [row for row in made if row.flagged]
    if not flagged:
        return f"no sign of misfit in {len(made)} {'test' if len(made) == 1 else 'tests'}"
    # how the industries differ stands in the tables
    told = "; ".join(
        f"{name(row)}: {row.shape}" if row.by == "all" else name(row) for row in flagged
    )
    return f"{len(flagged)} of {len(made)} tests flag a misfit ({told})"


def name(row: Row) -> str:
    """Group of a test, with its event where it has one."""
    group = words.group(row.by, row.group)
    return f"{group}, {row.event}" if isinstance(row, CalibrationRow) else group


def lines(found: FitChecks) -> tuple[str, str, str]:
    """Say what was found, check by check."""
    return count(found.predictive), pit(found), calibration(found)
