"""Every error a user can meet: what was found, where, and how to mend it.

An error carries a list of problems, so that all faults of one input are told at once, and the
exit code of its kind, so that a script can tell a typing mistake from missing data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One fault: what was found, where it stands, and how to mend it."""

    what: str
    where: str = ""
    mend: str = ""

    def __str__(self) -> str:
        """Place and fault, then the remedies, one a line."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n    ".join([head, *self.mend.splitlines()])


class BayesClusterError(Exception):
    """Base of all errors that are the user's to mend.

    Parameters
    ----------
    problems
        One message, or all problems found in the input.
    """

    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Problem"

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = (Problem(problems),)
        elif isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        """All problems, one below the other."""
        count = len(self.problems)
        head = f"{self.title}:" if count == 1 else f"{self.title} ({count} problems):"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


class ConfigError(BayesClusterError):
    """The analysis file cannot be understood."""

    exit_code = 2
    title = "The analysis cannot be read"


class CommandError(ConfigError):
    """An option or argument of a command has a value that it cannot have."""

    title = "The command cannot be carried out"


class DataError(BayesClusterError):
    """The data are not there, or are not what the analysis says of them."""

    exit_code = 3
    title = "The data do not fit the analysis"


class DesignError(DataError):
    """The data are readable, but no model can be built on them as asked."""

    title = "The model cannot be built on these data"


class FitError(BayesClusterError):
    """The sampler could not run."""

    exit_code = 4
    title = "The model could not be fitted"


class RunError(BayesClusterError):
    """The run directory is missing, locked, or not as it was written."""

    exit_code = 5
    title = "The run directory cannot be used"
