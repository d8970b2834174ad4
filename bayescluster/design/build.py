"""Analysis and firms to a design, or all the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.constructs import Scored, Standardised, score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import (
    InputError,
    is_labelled,
    numbers,
    ordered_labels,
    sorted_labels,
)
from bayescluster.design.arrays import (
    Prepared,
    condition_variables,
    equation_data,
    group_labels,
    memberships,
)
from bayescluster.design.claims import claims_in_data, group_problems
from bayescluster.design.coding import (
    BETWEEN_MAX,
    BETWEEN_MIN,
    Coding,
    Surroundings,
    between_share,
    code_controls,
    dependent_columns,
    enters_as_categories,
    surroundings,
)
from bayescluster.design.forms import with_one_form
from bayescluster.design.missing import gap_problems, missing_cells, missing_notes
from bayescluster.design.outcome import YES, Outcome, as_predictor, outcome_of, row_number
from bayescluster.design.record import Design, Details, Measure, causal_order, details_text
from bayescluster.errors import DataError, DesignError, Problem
from bayescluster.families.zeros import zeros_family
from bayescluster.lookup import suggestion
from bayescluster.names import (
    ALL,
    AVERAGING_WEIGHT,
    CAPITALS,
    CLUSTER,
    CLUSTER_WEIGHT,
    DETAILS,
    FIRM,
    INTERCEPT,
    ROW,
    ROW_WEIGHT,
    WITHIN,
    group_dim,
    group_name,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import WEIGHTS, Where, imputes, moderators
from bayescluster.spec.equation import ColumnControl, ProductControl
from bayescluster.spec.hypotheses import Corners
from bayescluster.structures import STRUCTURES


def weight_variables(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Any]:
    """Read the survey weights; faults are added to ``problems``.

    Returns
    -------
    dict
        Variables of the design, scaled as the module says: ``row_weight`` and ``averaging_weight``,
        ``(row,)``, and ``cluster_weight``, ``(cluster,)``. Empty without weights, or with a fault.
    """
    before, declared = len(problems), {}
    for role in WEIGHTS:
        column = getattr(analysis.data, role)
        if column is not None:
            try:
                declared[role] = _positive(firms.frame, column, role)
            except InputError as error:
                problems.append(error.at(where(("data", role))))
    if not declared or len(problems) > before:
        return {}
    rows, of_clusters = declared.get("weight"), declared.get("cluster_weight")
    if of_clusters is not None:
        cluster = firms.frame["__cluster__"]
        try:
            _check_constant(of_clusters, cluster, str(analysis.data.cluster_weight))
        except InputError as error:
            problems.append(error.at(where(("data", "cluster_weight"))))
            return {}
        return _two_levels(rows, of_clusters, cluster)
    scaled = declared["weight"] / declared["weight"].mean()
    return {ROW_WEIGHT: (ROW, scaled), AVERAGING_WEIGHT: (ROW, scaled)}


def _positive(frame: pd.DataFrame, column: str, role: str) -> Array:
    what = f"the {role.replace('_', ' ')} '{column}'"
    values = numbers(frame[column], what)
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if bad.size:
        rest = f" and in {bad.size - 1} more" if bad.size > 1 else ""
        raise InputError(
            f"{what} must be above 0; found {values[bad[0]]:g} "
            f"in row {row_number(frame, int(bad[0]))}{rest}",
            "a row that represents no firm is not part of the sample: leave it out with `keep`",
        )
    return values


def _check_constant(weights: Array, cluster: pd.Series, column: str) -> None:
    of_cluster = pd.Series(weights, index=cluster.index).groupby(cluster)
    low, high = of_cluster.min(), of_cluster.max()
    varies = ~np.isclose(low, high, rtol=1e-9, atol=0.0)
    if varies.any():
        first, more = str(low.index[varies][0]), int(varies.sum()) - 1
        rest = f", and it varies within {more} more" if more else ""
        raise InputError(
            f"the cluster weight '{column}' varies within cluster '{first}' "
            f"({low[first]:g} to {high[first]:g}){rest}",
            "a cluster has one weight; weights of firms go under `weight`",
        )


def _two_levels(rows: Array | None, of_clusters: Array, cluster: pd.Series) -> dict[str, Any]:
    labels = sorted_labels(cluster.unique())
    code = cluster.map({label: k for k, label in enumerate(labels)}).to_numpy(dtype="int64")
    size = np.bincount(code)
    each = np.bincount(code, weights=of_clusters) / size
    each = each / each.mean()
    average = of_clusters if rows is None else rows
    within = np.ones(code.size)
    if rows is not None:
        within = rows / (np.bincount(code, weights=rows) / size)[code]
    return {
        ROW_WEIGHT: (ROW, within * each[code]),
        CLUSTER_WEIGHT: (group_dim(CLUSTER), each),
        AVERAGING_WEIGHT: (ROW, average / average.mean()),
    }


YES_NO_CODES = 2
FEW_ROWS = 5
"""Groups with fewer rows than this are named in the notes."""
FEW_IN_CATEGORY = 40
"""The same of groups that claims are asked by. A claim takes 10 effective firms around each of its
corners, of four in all."""


class _Sample(NamedTuple):
    """What all equations share, and the list that takes their faults."""

    firms: Firms
    capitals: dict[str, Scored]
    where: Where
    problems: list[Problem]


def build_design(
    analysis: Analysis,
    table: Table,
    firms: Firms,
    where: Where,
    cases: Mapping[str, CodedCases] | None = None,
) -> Design:
    """Turn an analysis, its firms and the cases behind its priors into named arrays.

    Of several structural forms the first is taken; see `bayescluster.design.forms`.

    Returns
    -------
    Design
        That of the equation in focus, which carries those of the others.

    Raises
    ------
    DesignError
        If a column is not a number, constant, collinear with others, or outside the support of the
        family; if a hypothesis names an industry the data lack. All such faults at once.
    """
    analysis = with_one_form(analysis)
    problems: list[Problem] = []
    capitals: dict[str, Scored] = {}
    for name, construct in analysis.constructs.items():
        try:
            capitals[name] = score(firms.frame, name, construct, where, imputes(analysis))
        except DataError as error:
            problems += error.problems
    groups = {by: group_labels(values) for by, values in memberships(analysis, firms).items()}
    problems += group_problems(analysis, groups | {ALL: [ALL]}, where)
    conditions = condition_variables(analysis, firms, where, problems)
    details = _details(analysis, table, firms, capitals)
    datasets: dict[str, xr.Dataset] = {}
    outcomes: dict[str, Outcome] = {}
    for each in causal_order(analysis.equations):
        sample = _Sample(firms, capitals, where, problems)
        data = _equation(analysis.for_equation(each), sample, outcomes)
        if data is not None:
            own = details._replace(cases=(cases or {}).get(each))
            datasets[each] = data.assign_attrs({DETAILS: details_text(own)})
    focus = analysis.equation_name
    levels = outcomes[focus].levels if focus in outcomes else ()
    observed = outcomes[focus].observed if focus in outcomes else None
    problems += claims_in_data(analysis, capitals, levels, where, observed)
    if problems:
        raise DesignError(list(dict.fromkeys(problems)))
    data = datasets.pop(focus).assign(conditions)
    others = tuple(Design(analysis, other, name) for name, other in datasets.items())
    design = Design(analysis, data, focus, others)
    if faults := gap_problems(design, firms, where):
        raise DesignError(faults)
    return design


def _equation(
    analysis: Analysis, sample: _Sample, outcomes: dict[str, Outcome]
) -> xr.Dataset | None:
    """Arrays of the one equation of an analysis; its outcome is added to ``outcomes``."""
    firms, capitals, where, problems = sample
    before = len(problems)
    outcome = outcome_of(analysis, firms, where, problems)
    values = {name: scored.values for name, scored in capitals.items()}
    base = ("equations", analysis.equation_name, "controls")
    coding = code_controls(analysis.equation.controls, firms.frame, values, base, where)
    problems += coding.problems
    problems += _unknown_terms(analysis, coding, where)
    problems += _context_problems(analysis, sample)
    if outcome is not None:
        outcomes[analysis.equation_name] = outcome
    if len(problems) > before or outcome is None or len(capitals) < len(analysis.constructs):
        return None
    weights = weight_variables(analysis, firms, where, problems)
    names = analysis.equation.predictors
    if any(name not in outcomes for name in names):
        return None
    scaled = [as_predictor(outcomes[name]) for name in names]
    scaled += _contexts(analysis, firms, capitals, weights.get(AVERAGING_WEIGHT))
    columns = dict(zip(analysis.equation.entering, (each.values for each in scaled), strict=True))
    problems += _collinear(analysis, values | columns, coding, where)
    prepared = Prepared(firms, capitals, outcome, coding, scaled)
    return equation_data(analysis, prepared).assign(weights)


def _contexts(
    analysis: Analysis, firms: Firms, capitals: Mapping[str, Scored], weight: Any
) -> Iterator[Standardised]:
    """Means of capitals in what surrounds each row, in units of the capital."""
    for level, capital in analysis.equation.contexts.values():
        around = surroundings_in(firms, level, None if weight is None else weight[1])
        yield Standardised(around.mean(capitals[capital].values), 0.0, 1.0)


def surroundings_in(firms: Firms, level: str, weight: Array | None = None) -> Surroundings:
    """Whom the mean of each row is taken over, of prepared firms."""
    group, firm = (
        pd.factorize(firms.frame[f"__{name}__"])[0].astype("int64") for name in (level, FIRM)
    )
    return surroundings(level, group, firm, weight)


def _context_problems(analysis: Analysis, sample: _Sample) -> Iterator[Problem]:
    """Refuse contexts of capitals that are not known of all firms, and firms that do not repeat."""
    firms, capitals, where, _ = sample
    for level, capital in analysis.equation.contexts.values():
        place = where(("equations", analysis.equation_name, "contextual"))
        if capital in capitals and not np.isfinite(capitals[capital].values).all():
            yield Problem(
                f"contextual takes the mean of {capital} over other firms, but some lack it",
                place,
                "measure it as latent, or leave such rows out with `missing: drop` under data",
            )
        if level == FIRM and not firms.frame["__firm__"].duplicated().any():
            yield Problem(
                "contextual takes means of firms over their rows, but each firm has one row",
                place,
                f"leave out `firm: [{capital}]`",
            )


def _unknown_terms(analysis: Analysis, coding: Coding, where: Where) -> Iterator[Problem]:
    equation = analysis.equation
    # the cutpoints of an ordinal outcome take the place of the intercept
    ordinal = equation.family == "ordinal"
    form = STRUCTURES[equation.form]
    known = [
        *(term for term in form.population if not (ordinal and term == form.level)),
        *equation.entering,
        *(name for coded in coding.columns for name in coded.names),
    ]
    for name in equation.priors.terms:
        if name not in known:
            yield Problem(
                f"a prior is given for the term '{name}', which is not in the model",
                where(("equations", analysis.equation_name, "priors", "terms", name)),
                suggestion(name, known),
            )


def _collinear(
    analysis: Analysis, capitals: dict[str, Array], coding: Coding, where: Where
) -> Iterator[Problem]:
    columns = dict(capitals)
    if analysis.equation.form == "interaction":
        human, social = (capitals[name] for name in CAPITALS)
        columns["interaction"] = human * social
    for coded in coding.columns:
        columns |= dict(zip(coded.names, coded.values.T, strict=True))
    dependent = dependent_columns(columns)
    if dependent:
        yield Problem(
            f"these columns are exactly collinear: {', '.join(dependent)}",
            where(("equations", analysis.equation_name)),
            "leave one of them out",
        )


def _details(
    analysis: Analysis, table: Table, firms: Firms, capitals: Mapping[str, Scored]
) -> Details:
    """Facts of a sample that reports print."""
    imputed, patterns = missing_cells(analysis, firms, capitals)
    notes = (
        *firms.notes,
        *_notes_of_codes(analysis, firms),
        *_notes_of_zeros(analysis, firms),
        *_notes_of_capitals(analysis, capitals),
        *_notes_of_groups(analysis, firms),
        *_notes_of_context(analysis, firms, capitals),
        *_notes_of_answers(capitals),
        *missing_notes(imputed, patterns, len(firms.frame)),
    )
    dropped = firms.dropped[["variable", "cluster", "rows"]].to_numpy()
    return Details(
        label=table.label,
        title=table.title,
        synthetic=table.synthetic,
        digest=table.digest,
        rows_read=firms.rows_read,
        dropped=tuple((str(name), str(cluster), int(rows)) for name, cluster, rows in dropped),
        filters=firms.filters,
        notes=notes,
        measures=tuple(
            Measure(
                name,
                item.method,
                item.unit,
                tuple(item.weights.items()),
                item.reliability,
                item.binary,
                item.units,
            )
            for name, item in capitals.items()
        ),
        imputed=imputed,
        patterns=patterns,
    )


def _notes_of_codes(analysis: Analysis, firms: Firms) -> Iterator[str]:
    """How columns with value labels enter, where that may not be what was meant."""
    for name in analysis.equations:
        for control in analysis.equations[name].controls:
            declared = ColumnControl(column=control) if isinstance(control, str) else control
            if isinstance(declared, ProductControl) or declared.coding or declared.monotonic:
                continue
            series = firms.frame[declared.column]
            if (
                enters_as_categories(declared, series)
                and len(ordered_labels(series)) > YES_NO_CODES
            ):
                yield (
                    f"The control '{declared.column}' has value labels and enters as categories; "
                    "`kind: continuous` enters its codes as numbers."
                )
    for capital, construct in analysis.constructs.items():
        for item in construct.items:
            named = ordered_labels(firms.frame[item.column])
            low = named[0].casefold() if len(named) == YES_NO_CODES else ""
            if (
                item.direction == "positive"
                and is_labelled(firms.frame[item.column])
                and low in YES
            ):
                yield (
                    f"The indicator '{item.column}' of {capital} has a lower code for "
                    f"'{named[0]}' than for '{named[1]}': a high answer means '{named[1]}'. If "
                    f"'{named[0]}' is more of the capital, write `direction: negative`."
                )


def _notes_of_zeros(analysis: Analysis, firms: Firms) -> Iterator[str]:
    """Outcomes with more zeros than their family can give."""
    for equation in analysis.equations.values():
        try:
            values = numbers(firms.frame[equation.outcome], equation.outcome)
        except InputError:
            continue  # words, of levels or by mistake
        known = values[np.isfinite(values)]
        if known.size and (better := zeros_family(known, equation.family)):
            yield (
                f"{float((known == 0).mean()):.0%} of the outcome '{equation.outcome}' is 0, more than "
                f"family {equation.family} can give. Write `family: {better}`, or ask first whether "
                f"there is any (derive a column with `kind: above, value: 0`), then how much."
            )


def _notes_of_capitals(analysis: Analysis, capitals: Mapping[str, Scored]) -> Iterator[str]:
    """Capitals of which low and high, as quantiles, are the same."""
    default = Corners()
    pairs = {(default.low, default.high)}
    pairs |= {(each.low, each.high) for each in analysis.hypotheses if isinstance(each, Corners)}
    for name, scored in capitals.items():
        known = scored.values[np.isfinite(scored.values)]
        if scored.binary:
            continue
        raw = scored.center + scored.scale * known
        for low, high in sorted(pairs):
            ends = np.quantile(known, [low, high])
            if ends[0] != ends[1]:
                continue
            share = float(np.mean(known == ends[0]))
            at = scored.center + scored.scale * float(ends[0])
            yield (
                f"Low and high of {name} fall together: {share:.0%} of rows have the value {at:.4g}, "
                f"which is both its {low:g} and its {high:g} quantile. In their place stand the "
                f"smallest and the largest value, {raw.min():.4g} and {raw.max():.4g}; state "
                f"`anchors: {{{name}: {{low: ..., high: ...}}}}` in the claims, or ask whether any of "
                f"it matters (a column of 0 and 1)."
            )
            break


def _notes_of_groups(analysis: Analysis, firms: Firms) -> Iterator[str]:
    repeated = int(firms.frame["__firm__"].duplicated().sum())
    if repeated and "firm" not in analysis.equation.varying:
        rows = "1 row repeats" if repeated == 1 else f"{repeated} rows repeat"
        yield (
            f"{rows} a firm, and no effect varies by firm: the rows are taken as "
            "independent, and intervals are too narrow. Add `firm: [intercept]` under varying."
        )
    asked = moderators(analysis)
    for name, values in memberships(analysis, firms).items():
        counts = values.value_counts()
        least, why = FEW_ROWS, "their effects lean on the others."
        if name in asked:
            least = FEW_IN_CATEGORY
            why = "they say little by themselves, and claims about corners are seldom assessable."
        few = [label for label in group_labels(values) if counts[label] < least]
        if few and name != "firm":
            named = [group_name(name, label) if name in asked else label for label in few[:6]]
            sign = "; " if WITHIN in name else ", "
            shown = sign.join(named) + (f" and {len(few) - 6} more" if len(few) > 6 else "")
            kind = "" if name in asked else f"{name} "
            yield f"Fewer than {least} rows in {kind}{shown}: {why}"
    yield from _notes_of_moderators(analysis, firms)


def _notes_of_moderators(analysis: Analysis, firms: Firms) -> Iterator[str]:
    """Rows that lack a category, and categories that can differ by their firms only."""
    groups = memberships(analysis, firms)
    for name in moderators(analysis):
        lacking = int(groups[name].isna().sum())
        if lacking:
            yield (
                f"{lacking} of {len(groups[name])} rows lack {name.replace(WITHIN, ' or ')}: they count "
                "in none of its groups."
            )
        slopes = {
            term
            for column in name.split(WITHIN)
            for term in (
                analysis.equation.groupings[column].terms
                if column in analysis.equation.groupings
                else ()
            )
        }
        if not slopes - {"intercept"}:
            yield (
                f"No slope varies by {name.replace(WITHIN, ' or ')}: its groups can differ by their "
                "firms only, not in what a capital does. Add it under varying, as "
                f"`{name.split(WITHIN)[-1]}: all`."
            )


ROWS_A_FIRM: Final = 1.5
"""Rows a firm has on average from which what varies within firms and between them is told apart."""


def _notes_of_context(
    analysis: Analysis, firms: Firms, capitals: Mapping[str, Scored]
) -> Iterator[str]:
    """How much of the capitals lies between clusters, or firms seen repeatedly, and what that asks for."""
    if STRUCTURES[analysis.equation.form].terms == (INTERCEPT,):
        return
    # a few firms seen twice say nothing of what lies between firms
    seen = firms.frame["__firm__"]
    repeated = len(seen) >= ROWS_A_FIRM * seen.nunique()
    wanted: dict[str, list[str]] = {}
    told = []
    for level, there in ((CLUSTER, analysis.data.cluster is not None), (FIRM, repeated)):
        shares = _between(firms, capitals, level) if there else {}
        entering = analysis.equation.contextual.get(level, ())  # type: ignore[call-overload]
        for name, share in shares.items():
            if BETWEEN_MIN < share < BETWEEN_MAX and name not in entering:
                wanted.setdefault(level, []).append(name)
                told.append(f"{share:.0%} of {name} lies between {level}s")
        if level == CLUSTER and entering:
            # a capital that cannot be scored is a fault of its own
            known = {name: shares[name] for name in entering if name in shares}
            yield from _notes_of_surroundings(firms, known)
    if wanted:
        entry = f"[{', '.join(wanted[CLUSTER])}]" if list(wanted) == [CLUSTER] else ""
        entry = entry or "{" + ", ".join(f"{k}: [{', '.join(v)}]" for k, v in wanted.items()) + "}"
        yield (
            f"{'; '.join(told)}: an effect is then a blend of what varies within and between them, "
            f"which depends on the number of rows in each. Add `contextual: {entry}` to the equation "
            "to tell them apart."
        )


def _between(firms: Firms, capitals: Mapping[str, Scored], level: str) -> dict[str, float]:
    codes = pd.factorize(firms.frame[f"__{level}__"])[0].astype("int64")
    return {name: between_share(one.values, codes) or 0.0 for name, one in capitals.items()}


def _notes_of_surroundings(firms: Firms, shares: Mapping[str, float]) -> Iterator[str]:
    """Rows without other firms, and how well the others tell their cluster."""
    alone = int(surroundings_in(firms, CLUSTER).alone.sum())
    if alone:
        yield (
            f"{alone} rows have no other firm in their cluster: the mean of all firms stands for theirs."
        )
    each = firms.frame.groupby("__cluster__")["__firm__"].nunique()
    size = float(each.median())
    for capital, share in sorted(shares.items()):
        known = size * share / (1 + (size - 1) * share)
        yield (
            f"The mean of {capital} over the other firms of a cluster (median {size:.0f}) measures that "
            f"of the cluster with reliability {known:.2f}: where the firms are a sample of their "
            f"cluster, its effect is drawn towards 0 by about {1 - known:.0%}."
        )


def _notes_of_answers(capitals: Mapping[str, Scored]) -> Iterator[str]:
    """Where a capital rests on fewer answers than were asked for."""
    for name, scored in capitals.items():
        # scores that are missing are noted with what is imputed
        if scored.missing_items and np.isfinite(scored.values).all():
            rests = (
                "The latent capital of such a row is known by the answers it gave."
                if scored.method == "latent"
                else "The score of such a row is the mean of the answers it gave."
            )
            yield f"Answers missing among the indicators of {name}: {scored.missing_items}. {rests}"
