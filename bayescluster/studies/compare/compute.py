"""Finished runs side by side: effects, corners, verdicts, and differences where posteriors allow it.

Draws of two runs are subtracted only where the runs are independent of each other: no firm is in both.
Independent posteriors can be paired in any order, so the draws of the second are
permuted: what is left of the order of the chains in either does not go into the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import BaseModel

from bayescluster.app.collect import Fitted, evidence_of
from bayescluster.app.run import open_design
from bayescluster.arrays import Array
from bayescluster.errors import Problem, RunError
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.summary import estimate
from bayescluster.inference.watch import Silent, Watch
from bayescluster.names import CAPITALS, ROW
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import Results, Verdict
from bayescluster.runs.files import write_text
from bayescluster.runs.keys import comparison_key, without_directory
from bayescluster.runs.layout import FORMS, locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.constructs import Indicator
from bayescluster.spec.data import PackageSource
from bayescluster.spec.equation import ColumnControl, VaryingTerms
from bayescluster.spec.hypotheses import Claim, Difference
from bayescluster.spec.priors import Distribution
from bayescluster.studies.compare.results import (
    COMPARED_VERSION,
    CapitalUnit,
    Changes,
    Compared,
    ComparedCorner,
    ComparedDifference,
    ComparedEffect,
    ComparedRun,
    ComparedVerdict,
    DifferingSetting,
    Pair,
    Standing,
    ToldVerdict,
)
from bayescluster.verdicts.averaging import Averaged, WeightedForm
from bayescluster.verdicts.evidence import Evidence

KEY_SHOWN = 6


def run_facts(runs: Sequence[tuple[RunDirectory, Results, str]]) -> tuple[ComparedRun, ...]:
    """Facts of every run, each with a name of its own.

    Parameters
    ----------
    runs
        Directory, results, and the key of these.
    """
    names = [results.name for _, results, _ in runs]
    forms = [f"{results.name}: {', '.join(_forms(results))}" for _, results, _ in runs]
    keys = [f"{results.name} ({results.reproduction.key[:KEY_SHOWN]})" for _, results, _ in runs]
    labels = next((each for each in (names, forms) if len(set(each)) == len(each)), keys)
    return tuple(
        _facts(results, key, label) for (_, results, key), label in zip(runs, labels, strict=True)
    )


def _forms(results: Results) -> tuple[str, ...]:
    found = results.comparison
    return (results.model.structure,) if found is None else tuple(row.form for row in found.forms)


def _facts(results: Results, key: str, label: str) -> ComparedRun:
    sample, found = results.sample, results.comparison
    failing = (item.name for item in results.gate.items if item.passed is not True)
    return ComparedRun(
        label=label,
        name=results.name,
        title=results.title,
        run_key=results.reproduction.key,
        results_key=key,
        outcome=results.outcome,
        forms=_forms(results),
        leading=None if found is None else found.leading,
        data=without_directory(sample.label),
        data_digest=results.reproduction.data_digest,
        synthetic=sample.synthetic,
        gate_passed=results.gate.passed,
        failing=tuple(failing),
        rows=sample.rows,
        firms=sample.firms,
        clusters=sample.clusters,
        industries=sample.industries,
        capitals=_units(results),
    )


def _units(results: Results) -> tuple[CapitalUnit, ...]:
    first = results.corners[0] if results.corners else None
    ends = {
        "human_capital": (first.human_low, first.human_high) if first else (None, None),
        "social_capital": (first.social_low, first.social_high) if first else (None, None),
    }
    return tuple(
        CapitalUnit(
            capital=one.capital,
            unit=one.unit,
            center=one.center,
            scale=one.scale,
            low=ends[one.capital][0],
            high=ends[one.capital][1],
        )
        for one in results.measures
    )


def _side_by_side[T](
    runs: Iterable[Iterable[T]], key: Callable[[T], Hashable]
) -> dict[Hashable, list[T | None]]:
    """Rows by what they are of, a place a run, in the order in which they are first met."""
    whole = [list(rows) for rows in runs]
    found: dict[Hashable, list[T | None]] = {}
    for position, rows in enumerate(whole):
        for row in rows:
            found.setdefault(key(row), [None] * len(whole))[position] = row
    return found


def effect_rows(runs: Sequence[Results]) -> tuple[ComparedEffect, ...]:
    """Effects of the capitals overall and by industry."""
    kept = [[row for row in one.effects if row.by != "cluster"] for one in runs]
    found = _side_by_side(kept, lambda row: (row.capital, row.measure, row.by, row.group))
    rows = []
    for told in found.values():
        one = next(row for row in told if row is not None)
        rows.append(
            ComparedEffect(
                capital=one.capital,
                measure=one.measure,
                by=one.by,
                group=one.group,
                estimates=tuple(None if row is None else row.estimate for row in told),
                positive=tuple(None if row is None else row.positive for row in told),
            )
        )
    return tuple(rows)


def corner_rows(runs: Sequence[Results]) -> tuple[ComparedCorner, ...]:
    """Corners overall and by industry, those of the same declared levels and scope together."""
    kept = [
        [
            (table.scope, table.declared, table.at_least, row)
            for table in one.corners
            for row in table.rows
            if row.by != "cluster"
        ]
        for one in runs
    ]
    found = _side_by_side(kept, lambda each: (*each[:3], each[3].by, each[3].group, each[3].corner))
    rows = []
    for told in found.values():
        scope, declared, at_least, one = next(each for each in told if each is not None)
        rows.append(
            ComparedCorner(
                scope=scope,
                declared=declared,
                at_least=at_least,
                by=one.by,
                group=one.group,
                corner=one.corner,
                estimates=tuple(None if each is None else each[3].estimate for each in told),
            )
        )
    return tuple(rows)


def verdict_rows(runs: Sequence[Results]) -> tuple[ComparedVerdict, ...]:
    """Verdicts on the same claim, scope and group; the first where a run makes a claim twice."""
    kept: list[list[Verdict]] = []
    for one in runs:
        by_claim: dict[Hashable, Verdict] = {}
        for verdict in one.verdicts:
            by_claim.setdefault(_claim(verdict), verdict)
        kept.append(list(by_claim.values()))
    rows = []
    for told in _side_by_side(kept, _claim).values():
        one_verdict = next(verdict for verdict in told if verdict is not None)
        rows.append(
            ComparedVerdict(
                title=one_verdict.title,
                scope=one_verdict.scope,
                by=one_verdict.by,
                group=one_verdict.group,
                told=tuple(None if verdict is None else _verdict(verdict) for verdict in told),
            )
        )
    return tuple(rows)


def _claim(verdict: Verdict) -> Hashable:
    return verdict.title, verdict.scope, verdict.by, verdict.group


def _verdict(found: Verdict) -> ToldVerdict:
    return ToldVerdict(
        verdict=found.verdict,
        probability=found.probability,
        prior_probability=found.prior_probability,
        level=found.level,
        region=found.region,
        stopped=found.stopped,
    )


CHANGES: Final[dict[str, Changes]] = {
    "data": "model",
    "constructs": "model",
    "equations": "model",
    "residual_correlation": "model",
    "focus": "claims",
    "hypotheses": "claims",
    "traditions": "claims",
    "weakest_node": "claims",
    "sampling": "sampling",
    "name": "report",
    "description": "report",
    "limits": "report",
    "report": "report",
    "design": "report",
    "multiverse": "report",
}
"""What a part of the analysis bears on; options of studies beside the run change nothing in it."""
ORDER: Final[tuple[Changes, ...]] = ("model", "claims", "sampling", "report")
SOURCE: Final = "data.source"
GIVEN: Final = "given"
LISTED: Final = "listed"
EMPTY: Final = "none"


class Setting(NamedTuple):
    """A leaf of an analysis: its value as text, and whether that is what it is without a word."""

    text: str
    default: bool
    parts: frozenset[str] = frozenset()
    """Names of the blocks of a list, which stands for their order alone: each has a place of its own."""


def settings_of(analysis: Analysis) -> dict[str, Setting]:
    """Flatten an analysis: every leaf by its dotted place, what is not set left out."""
    return dict(_of_model(analysis, ""))


def differing(analyses: Sequence[Analysis], same_data: bool) -> tuple[DifferingSetting, ...]:
    """Settings in which analyses differ: what changes the model first, in the order of the file.

    Parameters
    ----------
    analyses
        The analysis of every run.
    same_data
        Whether all data have the same content; where they lie then changes nothing.
    """
    found = [settings_of(each) for each in analyses]
    rows = [
        DifferingSetting(
            place=place,
            changes="report" if place == SOURCE and same_data else CHANGES[place.partition(".")[0]],
            values=tuple(each[place].text if place in each else None for each in found),
        )
        for place in _in_order(found)
        if _differs([each.get(place) for each in found])
    ]
    shown = [row.place for row in rows]
    # that a block is given is told by what is set in it, where anything is
    told = [
        row
        for row in rows
        if not set(row.values) <= {GIVEN, LISTED, None}
        or not any(other.startswith(f"{row.place}.") for other in shown)
    ]
    return tuple(sorted(told, key=lambda row: ORDER.index(row.changes)))


def _in_order(found: Sequence[Mapping[str, Setting]]) -> list[str]:
    """Places of all analyses; what only later ones have stands behind what it follows there."""
    places: list[str] = []
    for each in found:
        after = 0
        for place in each:
            if place in places:
                after = places.index(place) + 1
            else:
                places.insert(after, place)
                after += 1
    return places


def _differs(found: Sequence[Setting | None]) -> bool:
    there = [each for each in found if each is not None]
    if any(each.parts for each in there):
        orders = {(each.parts, each.text) for each in there}
        return len(orders) > len({each.parts for each in there})
    if len(there) < len(found) and all(each.default for each in there):
        return False
    return len({None if each is None else each.text for each in found}) > 1


def _of_model(
    value: BaseModel, place: str, told: Collection[str] = ()
) -> Iterator[tuple[str, Setting]]:
    """Give the fields of a block, but for those that its name in a list has told."""
    for name, field in type(value).model_fields.items():
        if name in told:
            continue
        key = field.alias or name
        here = f"{place}.{key}" if place else key
        found = getattr(value, name)
        default = not field.is_required() and found == field.get_default(call_default_factory=True)
        if isinstance(found, BaseModel) and field.default is None:
            yield here, Setting(GIVEN, default=False)
        yield from _leaves(here, _written_out(name, found), default)


def _leaves(place: str, value: Any, default: bool) -> Iterator[tuple[str, Setting]]:
    if isinstance(value, Distribution):
        yield place, Setting(_prior(value), default)
    elif isinstance(value, PackageSource):
        yield place, Setting(f"{value.package} {value.name}", default)
    elif isinstance(value, BaseModel):
        yield from _of_model(value, place)
    elif isinstance(value, Mapping):
        yield from _of_mapping(value, place)
    elif isinstance(value, tuple):
        yield from _of_list(value, place, default)
    elif value is not None and value != "":
        yield place, Setting(_text(value), default)


def _of_mapping(value: Mapping[Any, Any], place: str) -> Iterator[tuple[str, Setting]]:
    for key, one in value.items():
        here = f"{place}.{_text(key)}"
        block = isinstance(one, BaseModel | Mapping) and not isinstance(one, Distribution)
        if block or one == ():
            yield here, Setting(GIVEN if block else EMPTY, default=False)
        yield from _leaves(here, one, default=False)


def _of_list(value: tuple[Any, ...], place: str, default: bool) -> Iterator[tuple[str, Setting]]:
    """Give a list as one value; of blocks their order, and then each by a name of its own."""
    if not value:
        return
    names = [_name(one) for one in value]
    before = [names[:k].count(name) for k, name in enumerate(names)]
    told = [f"{name} #{k + 1}" if k else name for name, k in zip(names, before, strict=True)]
    blocks = [
        (name, one) for name, one in zip(told, value, strict=True) if isinstance(one, BaseModel)
    ]
    parts = frozenset(name for name, _ in blocks)
    yield place, Setting(", ".join(told), default, parts)
    for name, one in blocks:
        yield f"{place}.{name}", Setting(LISTED, default=False)
        yield from _of_model(one, f"{place}.{name}", _named_by(one))


NAMING: Final = (
    ("kind", "capital", "by", "scope"),
    ("product",),
    ("name",),
    ("column",),
    ("kind",),
)
"""What names a block of a list: claims by the first that they have, all others by one alone."""


def _named_by(one: BaseModel) -> tuple[str, ...]:
    """Fields that name a block of a list, so that it is found wherever it stands in others."""
    fields = type(one).model_fields
    claim = isinstance(one, Claim | Difference)
    named = (NAMING[0],) if claim else NAMING[1:]
    found = next((each for each in named if each[0] in fields), ())
    return tuple(field for field in found if field in fields)


def _name(one: Any) -> str:
    if not isinstance(one, BaseModel):
        return _text(one)
    words = {field: getattr(one, field) for field in _named_by(one)}
    if "product" in words:
        return " x ".join(words["product"])
    if words.get("scope") == "observed":
        del words["scope"]
    if "by" in words:
        words["by"] = f"by {words['by']}"
    return " ".join(_text(word) for word in words.values()) or type(one).__name__


def _written_out(field: str, value: Any) -> Any:
    """Write out the shorthands of controls, indicators and varying effects."""
    if field == "varying" and isinstance(value, Mapping):
        return {key: _varying(one) for key, one in value.items()}
    if field == "controls" and isinstance(value, Mapping):
        return {key: _written_out(field, one) for key, one in value.items()}
    if field == "controls" and isinstance(value, tuple):
        return tuple(ColumnControl(column=one) if isinstance(one, str) else one for one in value)
    if field == "indicators":
        return tuple(Indicator(column=one) if isinstance(one, str) else one for one in value)
    return value


def _varying(value: Any) -> Any:
    if isinstance(value, Mapping):  # a set of alternatives, by grouping
        return {key: _varying(one) for key, one in value.items()}
    if isinstance(value, VaryingTerms):
        return value
    return VaryingTerms(terms=(value,) if isinstance(value, str) else value)


def _prior(value: Distribution) -> str:
    """Write a prior with every digit: those of a report are rounded."""
    numbers = value.model_dump(exclude={"distribution"})
    told = ", ".join(f"{key} {_text(one)}" for key, one in numbers.items())
    return f"{value.distribution}({told})"


def _text(value: Any) -> str:
    """Write a value as the analysis file does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


BOUNDED: Final = ("probability", "share")
SAME: Final = 1e-9
"""Relative difference of centres and scales below which capitals have the same unit."""

Firms = frozenset[str] | None


def scale_of(run: ComparedRun) -> tuple[str, ...]:
    """Scale and unit of the outcome of a run: runs of the same can be subtracted."""
    outcome = run.outcome
    if outcome.scale in BOUNDED:
        return ("from 0 to 1",)
    return (outcome.scale, outcome.label, *outcome.levels)


def pair_of(
    places: tuple[int, int], runs: tuple[ComparedRun, ComparedRun], firms: tuple[Firms, Firms]
) -> Pair:
    """Say whether two runs can be subtracted, and why or why not.

    Parameters
    ----------
    places
        Positions of the runs.
    runs
        The runs.
    firms
        Identifiers of their firms; nothing where an analysis names no column of them.
    """
    one, other = firms
    shared = len(one & other) if one is not None and other is not None else 0
    standing, why = _standing(*runs, firms, shared)
    return Pair(first=places[0], second=places[1], standing=standing, why=why, firms_shared=shared)


def _standing(
    one: ComparedRun, other: ComparedRun, firms: tuple[Firms, Firms], shared: int
) -> tuple[Standing, str]:
    if scale_of(one) != scale_of(other):
        return "apart", (
            f"the outcomes are on other scales or in other units ({one.outcome.label}; "
            f"{other.outcome.label}): there is no difference to speak of"
        )
    same = one.data_digest == other.data_digest
    if same and (None in firms or shared):
        return "shared", (
            "both runs are of the same data: their posteriors depend on each other in a way that "
            "neither knows, so the difference has no interval"
        )
    if None in firms:
        return "shared", (
            "an analysis names no column that identifies the firms (`data: firm`), so that it cannot be "
            "ruled out that firms stand in both: the difference has no interval"
        )
    if shared:
        return "shared", (
            f"{shared:,} firm identifiers stand in both runs: if these are the same firms, the "
            "posteriors are not independent, so the difference has no interval (give firms of other "
            "places other identifiers)"
        )
    where = "one file, but no firm in both" if same else "other data and no firm in both"
    return "independent", f"{where}: draws are subtracted as independent"


def warnings_of(
    runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict], pairs: Sequence[Pair]
) -> tuple[str, ...]:
    """Warn of everything that makes the runs less comparable than they look."""
    return (
        *_gates(runs),
        *_synthetic(runs),
        *_data(runs, pairs),
        *_outcomes(runs),
        *_words_units(runs),
        *_claims(runs, verdicts),
    )


def _named(runs: Sequence[ComparedRun]) -> str:
    return ", ".join(run.label for run in runs)


def _gates(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for run in runs:
        if not run.gate_passed:
            checks = f" ({', '.join(run.failing)})" if run.failing else ""
            yield f"The diagnostics gate of {run.label} failed{checks}: nothing it says can be relied on."


def _synthetic(runs: Sequence[ComparedRun]) -> Iterator[str]:
    made = [run for run in runs if run.synthetic]
    if made and len(made) < len(runs):
        yield (
            f"The firms of {_named(made)} are synthetic, the others are not: what differs between them "
            "says nothing of real firms."
        )


def _data(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    digests = len({run.data_digest for run in runs})
    sizes = len({(run.rows, run.firms, run.clusters, run.industries) for run in runs})
    if digests == sizes == 1 and all(pair.standing != "independent" for pair in pairs):
        return
    told = "; ".join(
        f"{run.label}: {run.data}, {run.firms:,} firms in {run.clusters:,} clusters" for run in runs
    )
    what = "The data differ" if digests > 1 else "The runs are of other rows of the same data"
    yield (
        f"{what} ({told}): what differs may be how they were sampled and measured as much as the firms."
    )


def _outcomes(runs: Sequence[ComparedRun]) -> Iterator[str]:
    if len({run.outcome.label for run in runs}) > 1:
        told = "; ".join(f"{run.label}: {run.outcome.label}" for run in runs)
        yield f"The outcomes differ ({told})."
    forms = {run.forms for run in runs}
    if len(forms) > 1:
        told = "; ".join(f"{run.label}: {', '.join(run.forms)}" for run in runs)
        yield f"The structural forms differ ({told})."


def _words_units(runs: Sequence[ComparedRun]) -> Iterator[str]:
    names = dict.fromkeys(one.capital for run in runs for one in run.capitals)
    for name in names:
        found = [(run, one) for run in runs for one in run.capitals if one.capital == name]
        first = found[0][1]
        if any(not _same_unit(first, one) for _, one in found[1:]):
            told = "; ".join(
                f"{run.label}: {one.scale:.4g} ({one.unit}) around {one.center:.4g}"
                for run, one in found
            )
            yield (
                f"{_label(name)} is standardised on other samples or measures: one standard deviation "
                f"is another amount in each run ({told}). Effects per standard deviation are not "
                "effects of the same change."
            )
        if any(not _same_levels(first, one) for _, one in found[1:]):
            told = "; ".join(f"{run.label}: {_raw(one)}" for run, one in found)
            yield (
                f"Low and high {_label(name).lower()} differ ({told}): contrasts and corners are not "
                "at the same levels."
            )


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _same_unit(one: CapitalUnit, other: CapitalUnit) -> bool:
    numbers = np.isclose([one.center, one.scale], [other.center, other.scale], rtol=SAME, atol=SAME)
    return one.unit == other.unit and bool(numbers.all())


def _ends(one: CapitalUnit) -> list[float]:
    """Low and high in units of the construct."""
    if one.low is None or one.high is None:
        return []
    return [one.center + one.scale * end for end in (one.low, one.high)]


def _same_levels(one: CapitalUnit, other: CapitalUnit) -> bool:
    mine, theirs = _ends(one), _ends(other)
    if len(mine) != len(theirs):
        return True  # a run without corners has no levels to differ
    return bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-9))


def _raw(one: CapitalUnit) -> str:
    return " to ".join(f"{end:.4g}" for end in _ends(one)) or "none"


def _claims(runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict]) -> Iterator[str]:
    levels: dict[str, None] = {}
    regions: dict[str, None] = {}
    scopes: dict[str, dict[int, set[str]]] = {}
    for row in verdicts:
        told = [one for one in row.told if one is not None]
        if len({one.level for one in told}) > 1:
            levels[row.title] = None
        if len({one.region for one in told}) > 1:
            regions[row.title] = None
        for position, one in enumerate(row.told):
            if one is not None:
                scopes.setdefault(row.title, {}).setdefault(position, set()).add(row.scope)
    for titles, what in (
        (levels, "The level at which a claim is supported differs"),
        (regions, "The declared region differs"),
    ):
        if titles:
            yield f"{what}: {'; '.join(titles)}. The verdicts answer other questions."
    for title, found in scopes.items():
        if len({frozenset(each) for each in found.values()}) > 1:
            told_ = "; ".join(
                f"{runs[k].label}: {', '.join(sorted(each)).replace('_', ' ')}"
                for k, each in found.items()
            )
            yield f"The scope of a claim differs: {title} ({told_})."


def notes_of(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Say what the numbers rest on."""
    return tuple(_notes(runs, pairs))


def _notes(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    if any(pair.standing == "independent" for pair in pairs):
        yield (
            "A difference with an interval subtracts draws of one posterior from those of another as "
            "independent: what both analyses assume in common, and what both measure wrongly, is in "
            "neither interval."
        )
    yield "Industries are set side by side where their names are the same, letter by letter."
    averaged = [run for run in runs if run.leading is not None]
    if averaged:
        yield f"Effects, corners and verdicts of {_named(averaged)} are averages over its forms."
    yield (
        "That a claim is supported in one run and not in another does not show that the runs differ: "
        "look at the differences."
    )


COMPARE_STREAM: Final = 34
"""Keeps the pairing of draws apart from all other uses of chance."""
FOLDER: Final = "compare"


class Finished(NamedTuple):
    """A comparison, and where its files are."""

    directory: Path
    results: Compared


class CompareError(RunError):
    """Runs that cannot be set side by side."""

    title = "These runs cannot be compared"


class _Opened(NamedTuple):
    """A run with its analysis, its results, the key of these, and the identifiers of its firms."""

    directory: RunDirectory
    analysis: Analysis
    results: Results
    key: str
    firms: frozenset[str] | None


def compare_runs(
    paths: Sequence[Path | str], root: Path | str | None = None, watch: Watch | None = None
) -> Finished:
    """Set finished runs side by side, and write what comes of it.

    Parameters
    ----------
    paths
        Run directories, or folders of analyses, whose newest runs are taken.
    root
        Folder of the runs; that of the first run without it.
    watch
        Told of the progress.

    Raises
    ------
    RunError
        If there is but one run, or runs are missing, unfinished or altered; all of them are told.
    """
    watch = watch or Silent()
    watch.step("Opening the runs")
    opened = _open([Path(path) for path in paths])
    facts = run_facts([(one.directory, one.results, one.key) for one in opened])
    firms = [one.firms for one in opened]
    pairs = tuple(
        pair_of((a, b), (facts[a], facts[b]), (firms[a], firms[b]))
        for a, b in combinations(range(len(opened)), 2)
    )
    effects = effect_rows([one.results for one in opened])
    verdicts = verdict_rows([one.results for one in opened])
    same_data = len({run.data_digest for run in facts}) == 1
    key = comparison_key(
        {
            "study": FOLDER,
            "version": COMPARED_VERSION,
            "runs": [[one.results.reproduction.key, one.key] for one in opened],
        }
    )
    results = Compared(
        key=key,
        run_keys=tuple(one.results.reproduction.key for one in opened),
        interval=INTERVAL,
        runs=facts,
        settings=differing([one.analysis for one in opened], same_data),
        effects=effects,
        corners=corner_rows([one.results for one in opened]),
        verdicts=verdicts,
        pairs=pairs,
        differences=tuple(_differences(opened, pairs, effects, watch)),
        warnings=warnings_of(facts, verdicts, pairs),
        notes=notes_of(facts, pairs),
    )
    start = _root(opened[0]) if root is None else Path(root)
    directory = RunDirectory.create(start, FOLDER, key).path
    with locked(directory):
        write_compared(results, directory)
    return Finished(directory, results)


def _root(one: _Opened) -> Path:
    """Folder of the runs that a run stands in; that of the working directory if it was moved."""
    path = one.directory.path
    if path.parent.name == FORMS:  # nothing is to stand in a run that its manifest does not know
        path = path.parents[1]
        return path.parents[1]
    return path.parents[1] if path.name == one.results.reproduction.key else Path("runs")


def _open(paths: Sequence[Path]) -> list[_Opened]:
    """Open every run, and tell all that is wrong with any at once."""
    problems: list[Problem] = []
    if len(paths) < 2:
        named = str(paths[0]) if paths else ""
        mend = "name two or more, such as: bayescluster compare runs/ONE runs/OTHER"
        problems.append(Problem("one run alone has nothing to be compared with", named, mend))
    opened: list[_Opened] = []
    for path in paths:
        try:
            found = _opened(path)
        except RunError as error:
            problems += error.problems
            continue
        same = found.directory.path.resolve()
        if any(same == other.directory.path.resolve() for other in opened):
            mend = "name each run once; of several runs of one analysis, give the directories"
            problems.append(Problem("this run is named twice", str(path), mend))
        opened.append(found)
    if problems:
        raise CompareError(dict.fromkeys(problems))
    return opened


def _opened(path: Path) -> _Opened:
    directory = RunDirectory.open(path)
    results = directory.load_results()
    design = open_design(directory)
    manifest = directory.read_manifest()
    firms = None
    if design.analysis.data.firm is not None:
        labels = np.array(design.labels(ROW))
        _, first = np.unique(design.firms, return_index=True)
        repeats = first.size < design.size
        firms = frozenset(
            label.removesuffix(" #1") if repeats else label for label in labels[first].tolist()
        )
    analysis = Analysis.model_validate(manifest.analysis)
    return _Opened(directory, analysis, results, manifest.stages["results"].key, firms)


def _differences(
    opened: Sequence[_Opened],
    pairs: Sequence[Pair],
    effects: Sequence[ComparedEffect],
    watch: Watch,
) -> Iterator[ComparedDifference]:
    draws: dict[int, dict[tuple[str, str, str, str], Array]] = {}
    for pair in pairs:
        if pair.standing == "apart" or not any(_both(row, pair) for row in effects):
            continue
        for position in (pair.first, pair.second):
            if pair.standing == "independent" and position not in draws:
                watch.step(f"Reading the draws of {opened[position].results.name}")
                draws[position] = _effect_draws(opened[position])
        entropy = (COMPARE_STREAM, pair.first, pair.second)
        for row in effects:
            yield from _difference(row, pair, draws, np.random.default_rng(entropy))


def _both(row: ComparedEffect, pair: Pair) -> bool:
    return row.estimates[pair.first] is not None and row.estimates[pair.second] is not None


def _difference(
    row: ComparedEffect,
    pair: Pair,
    draws: dict[int, dict[tuple[str, str, str, str], Array]],
    rng: np.random.Generator,
) -> Iterator[ComparedDifference]:
    first, second = row.estimates[pair.first], row.estimates[pair.second]
    if first is None or second is None:
        return
    found, positive = None, None
    if pair.standing == "independent":
        name = (row.capital, row.measure, row.by, row.group)
        one, other = draws[pair.first][name], draws[pair.second][name]
        count = min(one.size, other.size)
        less = one[_evenly(one.size, count)] - rng.permutation(other[_evenly(other.size, count)])
        found, positive = estimate(less), float((less > 0).mean())
        if first.mcse is not None and second.mcse is not None:
            error = float(np.hypot(first.mcse, second.mcse))
            found = found.model_copy(update={"mcse": error})
    yield ComparedDifference(
        first=pair.first,
        second=pair.second,
        capital=row.capital,
        measure=row.measure,
        by=row.by,
        group=row.group,
        mean=first.mean - second.mean,
        estimate=found,
        positive=positive,
    )


def _evenly(size: int, count: int) -> np.ndarray:
    return np.linspace(0, size - 1, count).astype("int64")


def _effect_draws(one: _Opened) -> dict[tuple[str, str, str, str], Array]:
    """Draws of every effect, ``(draw,)``, as they stand behind the results of the run."""
    evidence = _evidence(one)
    surface = evidence.surface("observed", default_levels(evidence.design))
    found = {}
    for capital in CAPITALS:
        for measure, values in (
            ("average_marginal_effect", surface.marginal[capital]),
            ("contrast", surface.contrast[capital]),
        ):
            for by in ("all", "industry"):
                for column, label in evidence.columns(by):
                    found[capital, measure, by, label] = values[:, column]
    return found


def _evidence(one: _Opened) -> Evidence:
    """Evidence of a run; of several forms, the mixture that its effects were computed from."""
    comparison = one.results.comparison
    if comparison is None:
        return evidence_of(Fitted(open_design(one.directory), one.directory.load_posterior()))
    runs = one.directory.forms()
    forms = []
    for row in comparison.forms:
        run = runs[row.form]
        evidence = evidence_of(Fitted(open_design(run), run.load_posterior()))
        forms.append(WeightedForm(row.form, row.weight, evidence, (), row.gate_passed))
    return Averaged(forms)


def write_compared(results: Compared, directory: Path) -> None:
    """Write ``compare.json``, ``compare.csv`` (effects and differences) and ``compare.html``."""
    from bayescluster.studies.compare.view import csv_text, page_text

    write_text(directory / "compare.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "compare.csv", csv_text(results))
    write_text(directory / "compare.html", page_text(results))
