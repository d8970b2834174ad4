"""The first page of the report: one sentence a group, its verdicts, the four corners, what limits it.

The same `Answer` is shown as HTML and on a terminal. It is made from the results by rule and says no more
than they do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MUTED,
    NARROW,
    SECOND,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import Section, figures, filled
from bayescluster.lookup import counted
from bayescluster.names import ALL
from bayescluster.results.base import VerdictState
from bayescluster.results.claims import CornerRow, Corners
from bayescluster.results.model import EffectRow, Results, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_GROUPS: Final = 6
"""More groups than this do not get a sentence and a panel each; the largest do."""
FEW_GROUPS: Final = 4
"""Of more groups, the figure alone has the numbers of the corners: all fits on two screens."""
MOST_LIMITS: Final = 5
MOST_PAIRS: Final = 3
ASSOCIATION: Final = "These are associations{}."
FEW_FIRMS: Final = 10
"""A corner with fewer firms around it (effective number) is marked where no claim declares its own."""
NECESSARY: Final = ("necessary", "necessary_not_sufficient")
NEEDS: Final = (*NECESSARY, "sufficient", "not_sufficient", "joint_sufficiency")
"""Claims of what the outcome needs; of others the question is what it depends on."""
WHERE: Final = {
    "average_cluster": ", in the average cluster",
    "new_cluster": ", in a new cluster",
    "new_industry": ", in a new industry",
}
"""Scopes other than the firms as observed, in a title."""
SHORT: Final = {
    "LL": "neither",
    "HL": "human capital only",
    "LH": "social capital only",
    "HH": "both",
}
MARKS: Final = {"attenuated": "†", "few": "‡"}


class Run(NamedTuple):
    """A piece of a sentence, and whether it is stressed."""

    text: str
    strong: bool = False


class GroupAnswer(NamedTuple):
    """What was found for one group: its name, its rows, and the sentences."""

    name: str
    rows: int | None
    runs: tuple[Run, ...]
    more: tuple[Run, ...] = ()
    """What the grid of verdicts says as well."""

    @property
    def short(self) -> str:
        """The sentences as plain text, without what the grid says as well."""
        return "".join(run.text for run in self.runs).strip()

    @property
    def text(self) -> str:
        """All sentences as plain text."""
        return "".join(run.text for run in (*self.runs, *self.more)).strip()


class Told(Protocol):
    """What became of a claim."""

    @property
    def verdict(self) -> VerdictState:
        """The verdict."""

    @property
    def probability(self) -> float:
        """Posterior probability of the region."""

    @property
    def among(self) -> tuple[float, float] | None:
        """The same under the plausible forms, least and largest."""

    @property
    def level(self) -> float:
        """Probability from which it is supported."""


class GridCell(NamedTuple):
    """A verdict in the grid, with the marks of its caveats; no verdict where the claim is not made.

    ``apart``: of several runs, another run says otherwise.
    """

    verdict: Told | None
    marks: str = ""
    apart: bool = False

    @property
    def share(self) -> str:
        """Probability that decides; nothing beside a verdict that another probability decides."""
        one = self.verdict
        if one is None or one.verdict not in ("supported", "rejected", "undecided"):
            return ""
        if one.verdict == "undecided" and (apart := forms_apart(one.among)):
            return "–".join(map(words.probability, apart))
        return words.below(one.probability, one.level)


class GridRow(NamedTuple):
    """A claim and its verdicts, one a group; ``anchor`` leads to how it was decided.

    Of several runs ``inner`` is the run, and the first of ``span`` rows names the claim for all.
    """

    title: str
    anchor: str
    cells: tuple[GridCell, ...]
    span: int = 1
    inner: str = ""


class Grid(NamedTuple):
    """Claims put to groups of one kind: a claim a row, a group a column; ``inner`` heads the runs."""

    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]
    inner: str = ""


class Answer(NamedTuple):
    """The first page."""

    question: str
    facts: tuple[str, ...]
    groups: tuple[GroupAnswer, ...]
    more: str
    """Groups that have no sentence of their own; nothing where all have."""
    grids: tuple[Grid, ...]
    """Verdicts by the kind of their groups, that of the sentences first."""
    further: tuple[tuple[str, tuple[tuple[VerdictState, int], ...]], ...]
    """Of claims about groups of other kinds: the kind, and how many have each verdict."""
    legend: tuple[tuple[str, str], ...]
    """Icon and meaning of each verdict shown."""
    limits: tuple[tuple[str, str], ...]
    """Name and text of what limits the answer, the weightiest first."""


def answer_of(results: Results) -> Answer:
    """Make the first page from results.

    Parameters
    ----------
    results
        Results of a run.
    """
    names = groups_of(results)
    shown = names[:MOST_GROUPS]
    said = tuple(one for one in (_group(name, results) for name in shown) if one.runs)
    if (pairs := _pairs(results)) is not None:
        said = (*said, pairs)
    more = ""
    if len(names) > len(shown):
        more = (
            f"The {len(shown)} largest of {len(names)} groups are shown; verdicts for all are in the "
            "appendix."
        )
    grids, limits = tuple(_grids(results)), _limits(results)
    further, legend = tuple(_further(results)), _legend(results)
    return Answer(question(results), _facts(results), said, more, grids, further, legend, limits)


def question(results: Results) -> str:
    """The question that the claims put, in words."""
    outcome = _outcome(results)
    needs = any(one.kind in NEEDS for one in results.verdicts)
    if needs or len(_capitals(results)) > 1:
        verb = "need" if needs else "depend on"
        return f"Does {outcome} {verb} human capital, social capital, or both?"
    only = _capitals(results)
    of = words.label(only[0]).lower() if only else "the capitals"
    return f"Does {outcome} depend on {of}?"


def _outcome(results: Results) -> str:
    return words.label(results.outcome.column).lower()


def _capitals(results: Results) -> list[str]:
    return [one.capital for one in results.measures]


def primary(results: Results) -> str:
    """Kind of the groups that the answer is by: that of most verdicts, else industries."""
    kinds = [one.by for one in results.verdicts if one.kind != "difference"]
    some = [by for by in kinds if by not in ("all", "cluster")]
    if some:
        return max(dict.fromkeys(some), key=some.count)
    if kinds and "cluster" not in kinds:
        return "all"
    return "industry" if results.sample.industries > 1 else "all"


def groups_of(results: Results, by: str = "") -> list[str]:
    """Groups of a kind, that of the answer if not said: as they come, the largest first of many."""
    by = by or primary(results)
    table = _corners(results)
    named = [row.group for row in table.rows if row.by == by] if table else []
    named += [row.group for row in results.verdicts if row.by == by and row.kind != "difference"]
    named += [row.group for row in results.effects if row.by == by]
    names = list(dict.fromkeys(named)) or [ALL]
    if len(names) > MOST_GROUPS:
        names.sort(key=lambda name: -(_rows(by, name, results) or 0))
    return names


def _rows(by: str, name: str, results: Results) -> int | None:
    rows = [row.rows for row in results.sample.groups if row.by == by and row.group == name]
    rows += [row.rows for row in results.effects if row.by == by and row.group == name]
    return rows[0] if rows else None


def _headed(by: str, name: str, results: Results) -> str:
    rows, title = _rows(by, name, results), words.group(by, name)
    return title if rows is None else f"{title} (n={words.count(rows)})"


def _corners(results: Results) -> Corners | None:
    return results.corners[0] if results.corners else None


def _facts(results: Results) -> tuple[str, ...]:
    sample = results.sample
    listed = [counted(sample.rows, "firm" if sample.rows == sample.firms else "row")]
    if sample.rows != sample.firms:
        listed.append(counted(sample.firms, "firm"))
    if sample.clusters:
        listed.append(counted(sample.clusters, "cluster"))
    if sample.industries > 1:
        listed.append(counted(sample.industries, "industry"))
    mean = next((row.outcome_mean for row in sample.groups if row.by == "all"), None)
    if mean is not None and results.outcome.yes_or_no:
        listed.append(f"{words.fixed(100 * mean, 0)}% with {_outcome(results)}")
    listed.append("diagnostics passed" if results.gate.passed else "✕ diagnostics failed")
    if results.reproduction.declared is not None:
        when = results.reproduction.declared.words
        listed.append(f"claims {when.replace('the first fit of these data', 'fitting')}")
    return tuple(listed)


# sentences


def _group(name: str, results: Results) -> GroupAnswer:
    by = primary(results)
    own = [one for one in results.verdicts if one.by == by and one.group == name]
    needed = {one.capital or "": one for one in own if one.kind in NECESSARY}
    corners = _at(name, results)
    if needed and corners:
        runs, more = tuple(_needs(needed)), tuple(_together(own))
        numbers = tuple(_numbers(corners, results)) if len(groups_of(results)) <= FEW_GROUPS else ()
        if all(one.verdict == "not assessable" for one in needed.values()):
            runs = (*runs, *numbers)
        else:
            runs = (*numbers, *_substitutes(needed), *runs)
    else:
        runs, more = tuple(_effects(name, own, results)), ()
    return GroupAnswer(words.group(by, name), _rows(by, name, results), runs, more)


def _at(name: str, results: Results) -> dict[str, CornerRow]:
    table, by = _corners(results), primary(results)
    rows = table.rows if table else ()
    return {row.corner: row for row in rows if row.by == by and row.group == name}


def _numbers(corners: dict[str, CornerRow], results: Results) -> Iterator[Run]:
    """What is expected at the corners."""
    human, social, both = (
        f"{_brief(row, results)}{MARKS['few'] if row.support < few_firms(results) else ''}"
        for row in (corners[at] for at in ("HL", "LH", "HH"))
    )
    yield Run(f"Human capital alone {human}, social {social}, both {both}. ")


def _substitutes(needed: dict[str, Verdict]) -> Iterator[Run]:
    """What it means that neither capital is necessary."""
    if len(needed) > 1 and {one.verdict for one in needed.values()} == {"rejected"}:
        yield Run("One makes up for the other", True)
        yield Run(". ")


def _brief(row: CornerRow, results: Results) -> str:
    unit = words.unit(results.outcome)
    if unit.level == "%":
        return f"{words.fixed(unit.factor * row.estimate.mean, 0)}%"
    return words.number(row.estimate.mean, row.estimate.sd)


def _needs(needed: dict[str, Verdict]) -> Iterator[Run]:
    first, *rest = needed.values()
    same = rest and all(_judged(one) == _judged(first) for one in rest)
    if same and first.verdict in ("supported", "rejected"):
        each = {capital.partition("_")[0]: _share(one) for capital, one in needed.items()}
        alike = len(set(each.values())) == 1
        shares = f"{_share(first)} each" if alike else ", ".join(map(" ".join, each.items()))
        weakest = min if first.verdict == "supported" else max
        yield Run("Each capital is ")
        yield Run(
            f"{words.likelihood(weakest(map(_probability, needed.values())))} to be {_what(first)}",
            True,
        )
        yield Run(f" ({shares}). ")
    elif same and first.verdict == "undecided":
        yield Run("Undecided", True)
        likely = "; ".join(
            f"{capital.partition('_')[0]} {_how_likely(one)}" for capital, one in needed.items()
        )
        yield Run(f" whether each capital is {_what(first)} ({likely}). ")
    elif same and first.verdict == "not assessable":
        yield Run("Necessity ")
        yield Run("cannot be judged", True)
        yield Run(f": {_why_not(first)}. ")
    else:
        for one in needed.values():
            said = one is not first and one.kind == first.kind and first.verdict in ASSESSED
            yield from _need(one, "" if said else f" whether {_what(one)}")


def _judged(verdict: Verdict) -> tuple[str, str, bool]:
    return verdict.kind, verdict.verdict, bool(verdict.unsupported)


APART: Final = 0.05
"""Forms whose probabilities of a claim differ by less say the same."""
ASSESSED: Final = ("supported", "rejected", "undecided")


def _need(one: Verdict, whether: str) -> Iterator[Run]:
    capital = words.label(one.capital or "")
    match one.verdict:
        case "not assessable":
            yield Run(f"Whether {capital.lower()} is necessary ")
            yield Run("cannot be judged", True)
            yield Run(f": {_why_not(one)}. ")
        case "depends on the form":
            yield Run(f"Plausible forms disagree on whether {capital.lower()} is necessary. ")
        case _:
            likely = words.likelihood(_probability(one))
            if one.verdict in ("supported", "rejected"):
                yield Run(f"{capital} is ")
                yield Run(f"{likely} to be {_what(one)}", True)
                yield Run(f" ({_share(one)}). ")
            else:
                yield Run(f"{capital}: ")
                yield Run("undecided", True)
                yield Run(f"{whether} ({_how_likely(one)}). ")


def _what(one: Verdict) -> str:
    if one.kind == "necessary":
        return "necessary"
    return "necessary but not sufficient"


def _why_not(one: Verdict) -> str:
    if one.unsupported:
        return "too few firms near a corner"
    return "the outcome stays rare even with both"


def _probability(one: Verdict) -> float:
    return one.given if one.verdict == "rejected" else one.probability


def forms_apart(among: tuple[float, float] | None) -> tuple[float, float] | None:
    """Least and largest probability under the plausible forms, where they say different things."""
    return among if among and among[1] - among[0] >= APART else None


def _how_likely(one: Verdict) -> str:
    """How probable what is undecided is, in words; of forms that differ, from the least to the largest."""
    if apart := forms_apart(one.among):
        return f"{' to '.join(map(words.percentage, apart))} by form"
    return f"{words.likelihood(_probability(one))}, {_share(one)}"


def _share(one: Verdict) -> str:
    """The probability in per cent, to a digit more where rounding would carry it across the level."""
    share = _probability(one)
    if abs(round(share, 2) - one.level) < 1e-9 and share < one.level:
        return f"{words.fixed(math.floor(1000 * share) / 10, 1)}%"
    return words.percentage(share)


def _together(own: Sequence[Verdict]) -> Iterator[Run]:
    """Whether both together suffice, and whether they are complements, where that is decided."""
    for one in own:
        match one.kind, one.verdict:
            case "joint_sufficiency", "supported":
                yield Run(f"Both together suffice ({_share(one)}). ")
            case "joint_sufficiency", "rejected":
                yield Run(f"Even both together do not suffice ({_share(one)}). ")
            case "complementarity", "supported":
                yield Run("They are ")
                yield Run("complements", True)
                yield Run(f" ({_share(one)}). ")


def _effects(name: str, own: Sequence[Verdict], results: Results) -> Iterator[Run]:
    """Without claims of necessity: the effects, and what was decided of them."""
    by = primary(results)
    judged = {one.capital: one for one in own if one.kind == "effect"}
    for row in results.effects:
        if (row.by, row.group, row.measure) == (by, name, "average_marginal_effect"):
            yield from _effect(row, judged.get(row.capital), results)


def _effect(row: EffectRow, verdict: Verdict | None, results: Results) -> Iterator[Run]:
    capital = words.label(row.capital).lower()
    step = "Having" if words.binary(results, row.capital) else "One sd more"
    yield Run(f"{step} {capital} goes with {words.effect(row.estimate, results.outcome)}")
    if verdict is None:
        yield Run(f" (above 0 with probability {words.probability(row.positive)}). ")
    else:
        yield Run(": ")
        yield Run(words.VERDICTS[verdict.verdict].lower(), True)
        yield Run(f" ({_share(verdict)}). ")


def _pairs(results: Results) -> GroupAnswer | None:
    """Whether industries differ, by the claims of differences; nothing where there are none."""
    claims = [one for one in results.verdicts if one.kind == "difference"]
    if not claims:
        return None
    decided = [one for one in claims if one.verdict == "supported"]
    runs = [
        Run(f"{_pair(one)}{_by_how_much(one, results)} ({_share(one)}). ")
        for one in decided[:MOST_PAIRS]
    ]
    if len(decided) > MOST_PAIRS:
        more = counted(len(decided) - MOST_PAIRS, "further difference")
        runs.append(Run(f"{more} {'is' if more.startswith('1 ') else 'are'} supported. "))
    if len(claims) > len(decided):
        other = "No other" if decided else "None"
        runs.append(Run(f"{other} of the {len(claims)} differences is supported."))
    return GroupAnswer("Differences", None, tuple(runs))


def _by_how_much(one: Verdict, results: Results) -> str:
    """The difference of effects that a claim rests on, where it is one of effects."""
    sizes = [part for part in one.figures if part.unit == "effect"]
    return f": {words.effect(sizes[0].estimate, results.outcome)}" if sizes else ""


def _pair(one: Verdict) -> str:
    title = one.title
    first, _, second = one.group.partition(" over ")
    for place, name in (("the first industry", first), ("the second", second)):
        title = title.replace(place, words.shown(name))
    return title


# the grid


def _grids(results: Results) -> Iterator[Grid]:
    claims = [claim for claim in claims_of(results) if claim.kind != "difference"]
    first = primary(results)
    for by in sorted(dict.fromkeys(claim.by for claim in claims), key=lambda by: by != first):
        names = groups_of(results, by)[:MOST_GROUPS]
        rows = tuple(_grid_row(claim, names) for claim in claims if claim.by == by)
        yield Grid(tuple(_headed(by, name, results) for name in names), rows)


def _further(results: Results) -> Iterator[tuple[str, tuple[tuple[VerdictState, int], ...]]]:
    first, counts = primary(results), dict[str, Counter[VerdictState]]()
    for one in results.verdicts:
        if one.by != first and one.kind != "difference":
            what = words.GROUPED["all"].lower() if one.by == "all" else words.kinds(one.by)
            kind = f"{what}{WHERE.get(one.scope, '')}"
            counts.setdefault(kind, Counter())[one.verdict] += 1
    for kind, found in counts.items():
        yield kind, tuple(found.items())


def _grid_row(claim: Claim, names: Sequence[str]) -> GridRow:
    own = {one.group: one for one in claim.verdicts}
    cells = (
        GridCell(own[name], marks(own[name])) if name in own else GridCell(None) for name in names
    )
    where = WHERE.get(claim.first.scope, "")
    return GridRow(f"{claim.title}{where}", claim.anchor, tuple(cells))


def marks(verdict: Verdict) -> str:
    """Signs of the caveats of a verdict; the limits below the grid explain them."""
    caveats = {"attenuated": verdict.attenuated, "few": verdict.unsupported}
    return "".join(MARKS[name] for name, text in caveats.items() if text)


def few_firms(results: Results) -> int:
    """Least effective number of firms around a corner: the most that a claim asks for."""
    asked = [one.min_support for one in results.verdicts if one.min_support is not None]
    return max(asked, default=FEW_FIRMS)


def _legend(results: Results) -> tuple[tuple[str, str], ...]:
    levels = sorted({one.level for one in results.verdicts})
    bounds = {
        "supported": f" (≥ {' or '.join(map(words.share, levels))})",
        "rejected": f" (≤ {' or '.join(words.share(1 - level) for level in levels)})",
        "not assessable": " (too few firms or outcomes)",
        "negligible": " (too small to matter)",
        "scale-dependent": " (may be due to the link)",
    }
    states = {one.verdict for one in results.verdicts if one.kind != "difference"}
    return tuple(
        (words.ICONS[state], f"{name.lower()}{bounds.get(state, '')}")
        for state, name in words.VERDICTS.items()
        if state in states
    )


class Claim(NamedTuple):
    """A claim and its verdicts, one a group; ``region`` is set where all of them share it."""

    anchor: str
    verdicts: tuple[Verdict, ...]

    @property
    def first(self) -> Verdict:
        """Verdict that stands for what all share."""
        return self.verdicts[0]

    @property
    def kind(self) -> str:
        """Kind of the claim."""
        return self.first.kind

    @property
    def by(self) -> str:
        """Kind of the groups it is put to."""
        return self.first.by

    @property
    def title(self) -> str:
        """The claim in words."""
        return self.first.title

    @property
    def region(self) -> str:
        """Declared region, where all groups share it."""
        regions = {one.region for one in self.verdicts}
        return regions.pop() if len(regions) == 1 else ""


def claims_of(results: Results) -> tuple[Claim, ...]:
    """Verdicts by claim, in the order of the analysis.

    A claim ends where its words change or a group comes again, so that two claims that differ in their
    region alone are kept apart.
    """
    runs: list[list[Verdict]] = []
    for verdict in results.verdicts:
        if runs and _continues(runs[-1], verdict):
            runs[-1].append(verdict)
        else:
            runs.append([verdict])
    return tuple(Claim(f"claim-{k}", tuple(run)) for k, run in enumerate(runs, start=1))


def _continues(run: Sequence[Verdict], verdict: Verdict) -> bool:
    first = run[0]
    same = ("kind", "capital", "by", "scope", "title", "level")
    return all(getattr(first, key) == getattr(verdict, key) for key in same) and all(
        verdict.group != other.group for other in run
    )


# what limits it


def _limits(results: Results) -> tuple[tuple[str, str], ...]:
    controlled = any(one.block == "controls" for one in results.model.coefficients)
    said = (
        ("Not causal", ASSOCIATION.format(" given the controls" if controlled else "")),
        ("Rows left out", _rows_lost(results)),
        (f"{MARKS['attenuated']} Measurement", _measured(results)),
        (f"{MARKS['few']} Few firms", _few(results)),
        ("Form", _forms(results)),
        (
            "Weights",
            "Survey weights enter the likelihood, so probabilities are approximate."
            if results.weighting
            else "",
        ),
        (
            "Many verdicts",
            results.together.words if results.together and results.together.supported > 1 else "",
        ),
    )
    return tuple((name, text) for name, text in said if text)[:MOST_LIMITS]


def _rows_lost(results: Results) -> str:
    sample = results.sample
    lost = sum(row.rows for row in sample.dropped)
    if not lost:
        return ""
    what = "lacks a value and is" if lost == 1 else "lack a value and are"
    return f"{words.count(lost)} of {counted(sample.rows + lost, 'row')} {what} left out."


def _measured(results: Results) -> str:
    told = next((one.attenuated for one in results.verdicts if one.attenuated), "")
    if not told:
        return ""
    parts = (part.removeprefix("attenuated: ") for part in told.split("; "))
    shares = "; ".join(part.replace("omega of", "reliability of") for part in parts)
    return f"Scores contain error ({shares}), which pulls corners together: necessity and joint sufficiency are not rejected."


def _few(results: Results) -> str:
    least, few = few_firms(results), {}
    for name in groups_of(results)[:MOST_GROUPS]:
        near = [row for row in _at(name, results).values() if row.support < least]
        if near:
            corners = (f"{SHORT[row.corner]} ({_firms(row)})" for row in near)
            few[words.group(primary(results), name)] = ", ".join(corners)
    if not few:
        return ""
    more = f"; and in {len(few) - 2} further groups" if len(few) > 2 else ""
    listed = "; ".join(f"{name}: {corners}" for name, corners in list(few.items())[:2])
    return f"Fewer than {least} near a corner in {listed}{more}."


def _firms(row: CornerRow) -> str:
    """Firms near a corner, whole ones: 9.6 are fewer than 10."""
    return words.fixed(math.floor(row.support), 0)


def _forms(results: Results) -> str:
    found = results.comparison
    if found is None:
        if any(one.withheld for one in results.verdicts):
            return (
                f"Only the {results.model.structure} form was fitted; it has no thresholds, so necessity "
                "cannot be rejected."
            )
        return ""
    plausible = [row.form for row in found.forms if row.plausible]
    out = [row.form for row in found.forms if not row.plausible]
    text = f"A verdict has to hold in every plausible form ({', '.join(plausible)})"
    if "additive" in plausible and any(one.kind == "complementarity" for one in results.verdicts):
        text += "; while the additive form is among them, the capitals cannot be shown to be complements"
    return (
        f"{text}; {', '.join(out)} {'is' if len(out) == 1 else 'are'} ruled out."
        if out
        else f"{text}."
    )


# the figure


def corners_figure(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the expected outcome at the four corners, one panel a group.

    Raises `FigureError` where the results hold no corners; see `FigureSpec.draw`.
    """
    names = [name for name in groups_of(results)[:MOST_GROUPS] if _at(name, results)]
    if not names:
        raise FigureError("The results hold no corners.")
    columns = 1 if narrow else len(names) if len(names) <= FEW_GROUPS else 3
    rows = -(-len(names) // columns)
    unit = words.unit(results.outcome)
    ends = [
        (row.estimate.low * unit.factor, row.estimate.high * unit.factor)
        for name in names
        for row in _at(name, results).values()
    ]
    low, high = min(end for end, _ in ends), max(end for _, end in ends)
    if unit.level == "%":
        low, high = 0.0, 100.0
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 0.45 + (1.35 if narrow else 1.3) * rows)
        for k, name in enumerate(names):
            axes = figure.add_subplot(rows, columns, k + 1)
            _panel(axes, name, results)
            axes.set_title(
                folded(words.group(primary(results), name), 40 if narrow else 19, 2), color=INK
            )
            room = (high - low) * (0.4 if narrow else 0.75)
            axes.set_xlim(low - 0.02 * (high - low), high + room)
            axes.tick_params(labelleft=narrow or k % columns == 0)
            if unit.level == "%":
                axes.set_xticks([0, 50, 100], ["0", "50", "100%"])
            axes.tick_params(axis="x", labelbottom=k + columns >= len(names))
        return plain_text(figure)


COLOURS: Final = {"LL": MUTED, "HL": FIRST, "LH": SECOND, "HH": INK}
SHAPES: Final = {"LL": "o", "HL": "s", "LH": "D", "HH": "o"}


def _panel(axes: Axes, name: str, results: Results) -> None:
    unit = words.unit(results.outcome)
    for place, (at, row) in enumerate(_at(name, results).items()):
        mean, low, high = (
            unit.factor * value
            for value in (row.estimate.mean, row.estimate.low, row.estimate.high)
        )
        few = row.support < few_firms(results)
        axes.plot(
            [low, high],
            [place, place],
            color=COLOURS[at],
            linewidth=2,
            linestyle=(0, (2, 2)) if few else "-",
        )
        axes.plot([mean], [place], color=COLOURS[at], marker=SHAPES[at], markersize=5, linestyle="")
        axes.annotate(
            _brief(row, results),
            (high, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
        axes.annotate(
            f"{_firms(row)}{MARKS['few'] if few else ''}",
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            color=MUTED,
            fontsize=7.5,
        )
    axes.annotate(
        "firms",
        (1, -0.55),
        xycoords=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        color=MUTED,
        fontsize=7.5,
    )
    axes.set_yticks(range(4), [words.sentence(SHORT[at])[:-1] for at in SHORT])
    axes.set_ylim(3.5, -0.5)
    bare_rows(axes)


def _caption(results: Results) -> str:
    table = _corners(results)
    if table is None:
        return ""
    what = f"Expected {results.outcome.label}"
    if results.outcome.yes_or_no:
        what = f"Expected share of firms with {_outcome(results)}"
    return (
        f"{what}, each capital low or high ({table.declared}): posterior mean, 90% interval, effective "
        "number of firms nearby."
    )


def _alternative(results: Results) -> str:
    said = (
        f"{words.group(primary(results), name)}: "
        + ", ".join(
            f"{SHORT[at]} {words.level(row.estimate, results.outcome)}"
            for at, row in _at(name, results).items()
        )
        for name in groups_of(results)[:MOST_GROUPS]
    )
    return f"Expected outcome at the four corners. {'; '.join(said)}."


CORNERS_FIGURE: Final = FigureSpec(
    name="corners",
    draw=lambda results, narrow: corners_figure(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(results.corners),
)


def body(results: Results) -> Markup:
    """The first page as HTML."""
    return filled(
        "answer.html.j2",
        results=results,
        answer=answer_of(results),
        figures=figures(results, CORNERS_FIGURE),
    )


ANSWER: Final = Section("top", "Answer", "Answer", body, layer="answer")
