"""Numbers and names as text: every number of the report is formatted here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from unicodedata import bidirectional

from bayescluster.kit.table import Look
from bayescluster.lookup import counted
from bayescluster.names import ALL, WITHIN, group_name
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.fit import CalibrationRow, FitChecks, PitRow, PredictiveCount
from bayescluster.results.model import EquationResults, Estimate, Results

MINUS: Final = "\u2212"
SIGNIFICANT = 2
"""Digits of the uncertainty that are shown; the value is cut at the same place."""
MOST_DECIMALS = 6
ODDS_SHOWN = 1000.0
"""Odds ratios beyond this, or its inverse, are only said to be beyond it."""
NONE: Final = "–"
"""Stands where there is no number."""
NOT_FOR_CITING: Final = "Did not pass its checks: not for citing"
"""Written across pages and figures of a fit whose gate failed."""

LONGEST_WORD: Final = 48
LONGEST_NAME: Final = 160
"""Characters of a name of the data that are shown."""
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
"""Around a name from right to left, so that it does not turn what follows."""
UNDIRECTED: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that change the direction of the text around them: names come without."""

SCOPES: Final = {
    "observed": "the firms as observed, each in its own cluster",
    "average_cluster": "an average cluster: deviations of clusters set to zero",
    "new_cluster": "a new cluster: its deviations drawn from their distribution",
    "new_industry": "a new industry, with a new cluster in it: the deviations of both drawn from "
    "their distributions",
}
CUT_OFFS: Final = {
    "kappa": "kappa: share of the way the other capital may cover alone",
    "eps": "eps: at most this, in kind",
    "theta": "theta: at least this is common",
    "theta_not": "theta_not: at most this is not enough",
    "delta": "delta: at least this below both high",
    "ratio": "ratio: share of the outcome with both high",
}
"""What each cut-off of a claim is."""
CORNERS: Final = {
    "LL": "both low",
    "HL": "human capital high, social capital low",
    "LH": "human capital low, social capital high",
    "HH": "both high",
}
MEASURES: Final = {
    "average_marginal_effect": "Average marginal effect",
    "contrast": "Contrast, low to high",
}
GROUPED: Final = {"all": "All firms", "industry": "Industry", "cluster": "Cluster"}
VERDICTS: Final[dict[str, str]] = {
    "supported": "Supported",
    "rejected": "Rejected",
    "undecided": "Undecided",
    "not assessable": "Not assessable",
    "negligible": "Negligible",
    "scale-dependent": "Scale-dependent",
    "depends on the form": "Depends on the form",
}
"""What can become of a claim."""
VERDICT_MEANINGS: Final[dict[str, str]] = {
    "supported": "the probability of the region reaches the level",
    "rejected": "it is at most one minus the level",
    "undecided": "neither, or the checks failed, or form or scores do not warrant a rejection",
    "not assessable": "the outcome stays rare even with both, or no firms are near a corner that decides",
    "negligible": "the effect is almost surely too small to matter",
    "scale-dependent": "it holds on the outcome scale only, where the link function alone can produce it",
    "depends on the form": "plausible forms decide it in opposite ways",
}
"""What each verdict means."""
ALONE: Final = (
    "Industry alone: from the rows of that industry by a normal approximation, with the population "
    "part of the model only, so no cluster or firm effects. It is another model, and its interval "
    "can be too narrow."
)
"""What the unpooled estimates are."""
EXPOSED: Final = "per unit of"
"""Stands in the label of an outcome that is counted over a declared exposure."""
FORM_NOTES: Final = {
    "verdicts": "A verdict has to hold under each plausible form; the "
    "probability shown is that of the plausible form that is least sure, nearest to one half.",
    "effects": "Effects, differences and ranks are averaged over the forms.",
    "corners": "The figure is of {0}, which has the largest weight.",
    "surface": "The surface is of {0}, which has the largest weight.",
    "readings": "Probabilities of causation are of {0}, which has the largest weight.",
    "checks": "The gate has a line for each form.",
    "fit": "This is of {0}, which has the largest weight.",
    "model": "This is the model of {0}, which has the largest weight.",
}
"""Of an analysis of several forms: what is averaged, and what is of the form that leads."""
LOOKS: Final[Mapping[str, Look]] = {"supported": "good", "rejected": "bad"}
"""How a cell with a verdict looks."""
SYNTHETIC: Final = "SYNTHETIC data: nothing here is evidence about real firms."
ICONS: Final[dict[str, str]] = {
    "supported": "✓",
    "rejected": "✕",
    "undecided": "?",
    "not assessable": "∅",
    "negligible": "≈",
    "scale-dependent": "~",
    "depends on the form": "↔",
}


class Unit(NamedTuple):
    """How values on the scale of the outcome are written.

    ``factor`` turns a stored number into the number shown; ``level`` and ``effect`` follow it;
    ``name`` says the unit of an effect in a heading.
    """

    factor: float
    level: str
    effect: str
    name: str


def unit(outcome: OutcomeFacts) -> Unit:
    """Unit of an outcome, by its scale."""
    # the label names an exposure only where one was declared
    rate = outcome.label if EXPOSED in outcome.label else f"expected {outcome.column}"
    return {
        "probability": Unit(100.0, "%", " pp", "percentage points (pp)"),
        "share": Unit(100.0, "%", " pp", "percentage points (pp)"),
        "rate": Unit(1.0, "", "", rate),
        "mean": Unit(1.0, "", "", f"units of {outcome.column}"),
        "level": Unit(1.0, "", "", f"levels of {outcome.column}"),
    }[outcome.scale]


def css(verdict: str) -> str:
    """Name of a verdict as a class of the page."""
    return verdict.replace(" ", "-")


def reaching(outcome: OutcomeFacts, level: str) -> OutcomeFacts:
    """The outcome of a claim that asks for the probability of reaching a level."""
    return outcome.model_copy(update={"scale": "probability", "at_least": level})


def binary(results: Results, capital: str) -> bool:
    """Whether a capital is 0/1: it is then centred but not scaled."""
    return any(one.binary for one in results.measures if one.capital == capital)


def step(results: Results, capital: str) -> str:
    """Change of a capital that its average marginal effect stands for."""
    return "from no to yes (0 to 1)" if binary(results, capital) else "per standard deviation"


def scale(results: Results, capital: str) -> str:
    """Unit in which levels of a capital are shown."""
    return "0/1 less its mean" if binary(results, capital) else "sd"


def decimals(spread: float, digits: int = SIGNIFICANT) -> int:
    """Decimals at which a spread (a standard deviation) shows ``digits`` significant digits."""
    if not math.isfinite(spread) or spread <= 0:
        return 3
    return min(max(digits - 1 - math.floor(math.log10(spread)), 0), MOST_DECIMALS)


def fixed(value: float, places: int, *, signed: bool = False) -> str:
    """Write a number with a true minus, thousands separated, and no negative zero."""
    if not math.isfinite(value):
        return NONE
    rounded = round(value, places) + 0.0
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{places}f}"


def number(value: float | None, spread: float | None = None) -> str:
    """Write a number to the digits its spread allows, else to three significant digits."""
    if value is None or not math.isfinite(value):
        return NONE
    places = decimals(spread) if spread else decimals(abs(value), 3)
    return fixed(value, places)


def plain(found: Estimate) -> str:
    """Estimate without a unit: ``mean [low, high]``."""
    return _bracketed(found, Unit(1.0, "", "", ""), "", signed=False)


def signed(found: Estimate) -> str:
    """Estimate without a unit, with its sign: ``+0.12 [+0.08, +0.16]``."""
    return _bracketed(found, Unit(1.0, "", "", ""), "", signed=True)


def level(found: Estimate, outcome: OutcomeFacts) -> str:
    """Expected outcome: ``34.2% [30.1, 38.5]``."""
    kind = unit(outcome)
    return _bracketed(found, kind, kind.level, signed=False)


def effect(found: Estimate, outcome: OutcomeFacts) -> str:
    """Change in the expected outcome, with its sign: ``+12.3 pp [+8.1, +16.4]``."""
    kind = unit(outcome)
    return _bracketed(found, kind, kind.effect, signed=True)


def _bracketed(found: Estimate, kind: Unit, suffix: str, *, signed: bool) -> str:
    places = decimals(found.sd * kind.factor)
    mean, low, high = (
        fixed(value * kind.factor, places, signed=signed)
        for value in (found.mean, found.low, found.high)
    )
    return f"{mean}{suffix} [{low}, {high}]"


def probability(share: float, places: int = 2) -> str:
    """Write a probability, never rounded to certainty: ``0.87``, ``>0.99``, ``<0.01``."""
    edge = 10.0**-places
    if share > 1 - edge:
        return f">{1 - edge:.{places}f}"
    if share < edge:
        return f"<{edge:.{places}f}"
    return f"{share:.{places}f}"


def below(share: float, level: float) -> str:
    """Write a probability, to a digit more where rounding would carry it up to the level."""
    if share < level <= round(share, 2):
        return fixed(math.floor(1000 * share) / 1000, 3)
    return probability(share)


def maybe(share: float | None) -> str:
    """Write a probability, or that there is none."""
    return NONE if share is None else probability(share)


LIKELIHOODS: Final = (
    (0.99, "virtually certain"),
    (0.95, "extremely likely"),
    (0.90, "very likely"),
    (0.66, "likely"),
    (0.33, "about as likely as not"),
    (0.10, "unlikely"),
    (0.05, "very unlikely"),
    (0.01, "extremely unlikely"),
)
"""Least probability of each word: the scale of the IPCC (Mastrandrea et al. 2010, table 1)."""


def likelihood(share: float) -> str:
    """Say a probability in the words of a fixed, published scale."""
    return next((word for least, word in LIKELIHOODS if share >= least), "exceptionally unlikely")


def percentage(share: float) -> str:
    """Write a probability in per cent, never rounded to certainty: ``97%``, ``>99%``, ``<1%``."""
    if share > 0.99:
        return ">99%"
    return "<1%" if share < 0.01 else f"{fixed(100 * share, 0)}%"


def verdict_probability(share: float) -> str:
    """Write a verdict's probability, with a digit more: 0.949 is not yet 0.95."""
    return probability(share, 3)


def error(mcse: float | None) -> str:
    """Write a Monte Carlo standard error to one significant digit."""
    return NONE if mcse is None else fixed(mcse, decimals(mcse, 1))


def odds_ratio(ratio: float | None) -> str:
    """Write an odds ratio to two or three significant digits; nothing where it is not defined."""
    if ratio is None:
        return "not defined"
    if ratio > ODDS_SHOWN:
        return f">{ODDS_SHOWN:,.0f}"
    if ratio < 1 / ODDS_SHOWN:
        return f"<{1 / ODDS_SHOWN:g}"
    return fixed(ratio, decimals(ratio))


def share(part: float) -> str:
    """Write a share as per cent without decimals, for declared levels such as 95%."""
    return f"{100 * part:.4g}%"


def count(many: float | None) -> str:
    """Write a whole number with thousands separated."""
    return NONE if many is None else fixed(many, 0)


def rhat(value: float | None) -> str:
    """R-hat with three decimals: its threshold is 1.01."""
    return NONE if value is None else fixed(value, 3)


def firms(many: float) -> str:
    """Count of firms, in words."""
    return counted(round(many), "firm")


def duration(seconds: float) -> str:
    """Time in hours, minutes and seconds."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def label(name: str) -> str:
    """Name of a variable as words: ``human_capital`` is ``Human capital``."""
    text = shown(name.replace("_", " ").strip())
    return text[:1].upper() + text[1:]


def group(by: str, name: str) -> str:
    """Name of a group: industries and clusters by their own name, others with that of the column."""
    return GROUPED["all"] if by == "all" else shown(group_name(by, name))


def kinds(by: str) -> str:
    """What the groups of a kind are called, several of them: ``industries``, ``groups by tier``."""
    known = {"industry": "industries", "cluster": "clusters"}
    return known.get(by) or f"groups by {by.replace(WITHIN, ' and ')}"


def panel(name: str) -> str:
    """Name of a group in a figure of groups: all firms where no industry is declared."""
    return GROUPED["all"] if name == ALL else shown(name)


def shown(name: str) -> str:
    """A name of the data as text: cut where it is very long, its direction kept to itself.

    Files of numbers have names whole.
    """
    name = " ".join(_cut(word, LONGEST_WORD) for word in name.translate(UNDIRECTED).split(" "))
    name = _cut(name, LONGEST_NAME)
    mixed = any(bidirectional(one) in ("R", "AL") for one in name)
    return f"{ISOLATE}{name}{END_ISOLATE}" if mixed else name


def _cut(text: str, most: int) -> str:
    """Leave out the middle of what is too long: names often differ at their ends."""
    return text if len(text) <= most else f"{text[: 2 * most // 3]}…{text[-most // 4 :]}"


def form_note(results: Results, section: str) -> str:
    """Say of a section whether it is averaged over forms, or of the one that leads."""
    found = results.comparison
    return "" if found is None else FORM_NOTES.get(section, "").format(found.leading)


def through(results: Results) -> str:
    """Equations that effects of the capitals act through as well, named; nothing where none."""
    return ", ".join(results.learning.through) if results.learning else ""


def total(results: Results) -> str:
    """Say that effects are total effects, where they are."""
    names = through(results)
    if not names:
        return ""
    return f"These are total effects: what acts through {names} is in them."


def outcome_of(results: Results, equation: str) -> OutcomeFacts:
    """Outcome of an equation, in focus or beside it."""
    beside = {other.model.equation: other.outcome for other in results.others}
    return beside.get(equation, results.outcome)


def sentence(text: str) -> str:
    """Text with a first capital letter and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


Row = PitRow | CalibrationRow


def equations(results: Results) -> Iterator[tuple[str, FitChecks]]:
    """Fit of every equation that has been looked at, that in focus first."""
    parts: tuple[Results | EquationResults, ...] = (results, *results.others)
    for one in parts:
        if one.fit_checks is not None:
            yield one.model.equation, one.fit_checks


def count_words(found: PredictiveCount) -> str:
    """Flags of the posterior predictive checks, and those to be expected by chance."""
    verb = "is" if found.flagged == 1 else "are"
    return (
        f"{count(found.flagged)} of {count(found.checked)} predictive statistics {verb} "
        f"flagged; {chance(found.by_chance)}"
    )


def chance(flags: float) -> str:
    """Flags to expect of a model that is right."""
    return f"chance alone flags at most {number(flags, 1.0)} on average of a correct model"


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
        return f"no sign of misfit in {counted(len(made), 'test')}"
    listed = "; ".join(
        f"{name(row)}: {row.shape}" if row.by == "all" else name(row) for row in flagged
    )
    flag = "flags" if len(flagged) == 1 else "flag"
    return f"{len(flagged)} of {counted(len(made), 'test')} {flag} a misfit ({listed})"


def name(row: Row) -> str:
    """Group of a test, with its event where it has one."""
    where = group(row.by, row.group)
    return f"{where}, {row.event}" if isinstance(row, CalibrationRow) else where


def lines(found: FitChecks) -> tuple[str, str, str]:
    """Say what was found, check by check."""
    return count_words(found.predictive), pit(found), calibration(found)
