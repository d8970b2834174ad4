"""Likely reasons of a failed check, from draws, design and predictive checks.

What the sampler shows (funnels, modes, tails) is searched for only where a check has failed: in good
draws it means nothing. What design and predictive checks show is reported whether or not the gate
was passed: the draws of a model that does not fit can be perfect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.checks import remedies, thresholds
from bayescluster.checks.convergence import element_names
from bayescluster.design.record import Design, Grouping
from bayescluster.estimands.levels import CORNER_TERMS, CORNERS, default_levels, support
from bayescluster.estimands.scopes import declared_groups
from bayescluster.model.priors import population_terms, scale_of
from bayescluster.results.fit import CheckItem, Gate, Reason, ReasonKind
from bayescluster.results.model import PredictiveRow
from bayescluster.structures.arithmetic import working

PARAMETERS_SHOWN = 6

Mask = NDArray[np.bool_]

TOLERANCE = 1e-6
"""Margins below it are those of the solver."""

SIDES = {"L": "low", "H": "high"}

FUNNELS_SHOWN = 3
GROUPS_SHOWN = 3

MIXING: Final = (remedies.RHAT, remedies.ESS_BULK, remedies.ESS_TAIL)
ALL: Final = (*MIXING, remedies.DIVERGENCES, remedies.ENERGY, remedies.TREE_DEPTH)

EXPLAINS: Final[Mapping[ReasonKind, tuple[str, ...]]] = {
    "centred_funnel": (*MIXING, remedies.DIVERGENCES, remedies.ENERGY),
    "funnel": (*MIXING, remedies.DIVERGENCES, remedies.ENERGY),
    "inverted_funnel": (*MIXING, remedies.TREE_DEPTH),
    "dominant_groups": (*MIXING, remedies.TREE_DEPTH),
    "several_modes": MIXING,
    "heavy_tails": (*MIXING, remedies.ENERGY),
    "separation": ALL,
    "collinear_capitals": (*MIXING, remedies.TREE_DEPTH),
    "empty_corner": MIXING,
    "misspecified_family": ALL,
}
"""Checks that each reason can make fail; the order is that of the reasons of a report.

A failure of mixing names parameters: it is put down only to what concerns one of these.
"""


OF_TERMS: Final = frozenset({"centred_funnel", "funnel", "inverted_funnel", "dominant_groups"})
OF_DRAWS: Final = OF_TERMS | {"several_modes", "heavy_tails"}
"""Reasons of a term that varies, and all that show in the draws."""


class CheckedFit(NamedTuple):
    """Design, draws (posterior and sample_stats), and predictive checks by equation."""

    design: Design
    tree: xr.DataTree
    predictive: Mapping[str, tuple[PredictiveRow, ...]] = {}

    @property
    def stats(self) -> xr.Dataset:
        """What the sampler noted; empty where it noted nothing."""
        if "sample_stats" not in self.tree.children:
            return xr.Dataset()
        return self.tree["sample_stats"].to_dataset()


class Finding(NamedTuple):
    """What points to a reason: in words, as a number, and the threshold it is held against."""

    words: str
    number: float
    threshold: float


def likely_reasons(fit: CheckedFit, gate: Gate) -> tuple[Reason, ...]:
    """Find likely reasons of what failed, and what else is amiss.

    Those of the sampler come first; empty where none was recognised.
    """
    failed = [item for item in gate.items if item.passed is not True]
    found = [*_of_sampler(fit, gate)] if failed else []
    found += [*separated(fit), *collinear(fit), *empty_corners(fit), *misfit(fit)]
    explained = (
        each.model_copy(
            update={"checks": tuple(item.name for item in failed if _explains(each, item, fit))}
        )
        for each in found
    )
    # what the draws show is of interest only where it explains something
    return tuple(each for each in explained if each.checks or each.kind not in OF_DRAWS)


def _explains(found: Reason, item: CheckItem, fit: CheckedFit) -> bool:
    """Whether a reason can make a check fail, and concerns what the check names as worst."""
    if item.name not in EXPLAINS[found.kind]:
        return False
    if item.name not in MIXING:
        return True
    return any(concerns(found, name, fit) for name in item.worst)


def concerns(found: Reason, name: str, fit: CheckedFit) -> bool:
    """Whether a reason has to do with a parameter, or an estimand, of this name."""
    base, _, rest = name.partition("[")
    elements = {part.strip() for part in rest.rstrip("]").split(",")} if rest else set()
    if found.kind in OF_TERMS:
        design = next(d for d in fit.design.equations if d.equation_name == found.equation)
        varying = {names.group_sd(found.level), names.group_effect(found.level), names.POPULATION}
        return found.term in elements and base in {design.variable(each) for each in varying}
    if found.kind in ("several_modes", "heavy_tails"):
        return name in found.parameters
    if found.kind == "misspecified_family":
        design = next(d for d in fit.design.equations if d.equation_name == found.equation)
        own = (*(each.name for each in design.family.parameters), names.CUTPOINTS)
        return base in {design.variable(each) for each in own}
    if found.kind == "empty_corner":
        (corner,) = found.parameters
        at_corner = corner in name or CORNER_TERMS[corner.removeprefix("corner ")] in elements
        return at_corner and (not found.groups or any(group in name for group in found.groups))
    # columns: their coefficients and effects, and those of all that varies by them
    return any(column in elements or f"of {column} (" in name for column in found.parameters)


def _of_sampler(fit: CheckedFit, gate: Gate) -> Iterator[Reason]:
    """Reasons that show in the draws; each only where a check failed that it can explain."""
    failed = {item.name for item in gate.items if item.passed is not True}
    worst = {name for item in gate.items for name in item.worst}
    if "posterior" not in fit.tree.children:
        return
    modes = [*several_modes(fit, worst)] if remedies.RHAT in failed else []
    # chains in different places name every parameter: then only divergences point to a funnel
    yield from funnels(fit, set() if modes else failed, set() if modes else worst)
    yield from modes
    if failed & {remedies.ENERGY, remedies.ESS_TAIL}:
        yield from thick_tails(fit, remedies.ENERGY in failed, worst)


def reason(
    kind: ReasonKind, equation: str, finding: Finding, facts: Mapping[str, object], **where: Any
) -> Reason:
    """Put a reason together with the words of the table of advice.

    ``facts`` fill the gaps in the advice; among them ``check`` names the check whose advice it is, if
    not any. ``where`` gives level, term, groups and parameters of the reason.
    """
    rest = {"equation": equation} | {k: v for k, v in facts.items() if k != "check"}
    advice = remedies.advice_for(str(facts.get("check", remedies.ANY)), kind, **rest)
    return Reason(
        kind=kind,
        title=remedies.TITLES[kind],
        equation=equation,
        found=finding.words,
        number=finding.number,
        threshold=finding.threshold,
        advice=advice.text,
        source=advice.source,
        **where,
    )


def parameters(tree: xr.DataTree) -> Iterator[tuple[str, Array]]:
    """Every sampled scalar with its draws, ``(chain, draw)``; those not finite or still are left out."""
    for name, values in tree["posterior"].to_dataset().data_vars.items():
        if values.attrs.get(names.DRAWN_AFTER) or str(name).endswith("_correlation"):
            continue
        shaped = values.transpose(names.CHAIN, names.DRAW, ...).to_numpy()
        flat = shaped.reshape(*shaped.shape[:2], -1)
        for position, label in enumerate(element_names(values)):
            draws = np.asarray(flat[..., position], dtype="float64")
            if np.isfinite(draws).all() and np.ptp(draws) > 0:
                yield f"{name}{label}", draws


def on_working_scale(name: str, draws: Array) -> Array:
    """Draws where the sampler moves: the log of standard deviations."""
    positive = "_sd[" in name or name.endswith("_sd") or name in ("sigma", "nu", "overdispersion")
    return np.log(draws) if positive and (draws > 0).all() else draws


def correlation(first: Array, second: Array) -> float:
    """Correlation of two series of draws; 0 where one is constant or not finite."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return 0.0
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def several_modes(fit: CheckedFit, worst: set[str]) -> Iterator[Reason]:
    """See whether chains sit in different places and stay there, in the parameters that failed."""
    words = (
        "the means of the chains lie {0:.1f} times as far apart as the draws within a chain ({1}), "
        "and {2} parameters are so"
    )
    yield from _by_parameter(
        ("several_modes", thresholds.MODES_APART), fit, _separation_of_chains, words, worst
    )


def _by_parameter(
    which: tuple[ReasonKind, float],
    fit: CheckedFit,
    measure: Callable[[Array], float],
    words: str,
    worst: set[str],
) -> Iterator[Reason]:
    """Name the parameters with a measure of their draws, ``(chain, draw)``, from a threshold on.

    ``which`` is the kind of the reason, and the threshold. ``words`` has places for the largest measure,
    its parameter, and the number of parameters. Only the ``worst`` are looked at, where checks name any.
    """
    kind, threshold = which
    measured = {
        name: measure(on_working_scale(name, draws))
        for name, draws in parameters(fit.tree)
        if not worst or name in worst
    }
    large = {name: value for name, value in measured.items() if value >= threshold}
    shown = tuple(sorted(large, key=lambda name: -large[name])[:PARAMETERS_SHOWN])
    if shown:
        first, largest = shown[0], large[shown[0]]
        finding = Finding(words.format(largest, first, len(large)), largest, threshold)
        equation = fit.design.equation_name
        yield reason(kind, equation, finding, {"first": first}, parameters=shown)


def _separation_of_chains(draws: Array) -> float:
    """Sd of the means of chains over the sd within; 0 where a chain still moves, or none does."""
    if draws.shape[0] < 2:
        return 0.0
    within = float(np.sqrt(draws.var(axis=1).mean()))
    if within == 0:
        return 0.0
    first, second = np.array_split(draws, 2, axis=1)
    drift = np.abs(second.mean(axis=1) - first.mean(axis=1)) / within
    between = float(draws.mean(axis=1).std(ddof=1))
    # chains on their way to one place are far apart as well, but none of them stays
    return between / within if float(np.median(drift)) <= thresholds.MODES_DRIFT else 0.0


def thick_tails(fit: CheckedFit, energy_failed: bool, worst: set[str]) -> Iterator[Reason]:
    """Name parameters with heavy tails; else those along which the energy is slow."""
    # the energy is of all parameters together
    among = set() if energy_failed else worst

    def kurtosis(draws: Array) -> float:
        return float(scipy.stats.kurtosis(draws.ravel()))

    words = "excess kurtosis {0:.1f} of {1}"
    heavy = [*_by_parameter(("heavy_tails", thresholds.KURTOSIS_MAX), fit, kurtosis, words, among)]
    yield from heavy
    if heavy or not energy_failed or "energy" not in fit.stats:
        return
    energy = (
        fit.stats["energy"].transpose(names.CHAIN, names.DRAW).to_numpy().ravel().astype("float64")
    )

    def along(draws: Array) -> float:
        return abs(correlation(draws.ravel(), energy))

    words = "correlation {0:.2f} of {1} with the energy"
    yield from _by_parameter(
        ("heavy_tails", thresholds.ENERGY_CORRELATION), fit, along, words, set()
    )


class _VaryingTerm(NamedTuple):
    """A term of a grouping, with the log of its sd and its effects at each draw."""

    design: Design
    grouping: Grouping
    term: str
    log_sd: Array
    effect: Array
    """``(draw, group)``."""
    mean: Array
    """Coefficient of the population on the scale of the effects, ``(draw,)``; 0 where it has none."""
    chains: int

    @property
    def centred(self) -> bool:
        return self.term in self.grouping.centred

    def within_chains(self, values: Array) -> float:
        """Correlation of something with the log sd, apart from where the chains sit."""
        pair = (each.reshape(self.chains, -1) for each in (self.log_sd, values))
        first, second = (each - each.mean(axis=1, keepdims=True) for each in pair)
        return correlation(first.ravel(), second.ravel())

    def known(self) -> Array:
        """Share of the prior variance of each group's coefficient that its rows take away, ``(group,)``."""
        after = (self.mean[:, None] + self.effect).var(axis=0)
        return np.clip(1 - after / np.exp(2 * self.log_sd).mean(), 0.0, 1.0)

    @property
    def sd_name(self) -> str:
        return f"{self.design.variable(names.group_sd(self.grouping.name))}[{self.term}]"

    def is_among(self, parameters: set[str]) -> bool:
        """Whether the sd or an effect of this term is named."""
        effect = f"{self.design.variable(names.group_effect(self.grouping.name))}["
        return self.sd_name in parameters or any(
            name.startswith(effect) and name.endswith(f", {self.term}]") for name in parameters
        )


def funnels(fit: CheckedFit, failed: set[str], worst: set[str]) -> Iterator[Reason]:
    """Find funnels at named groupings and terms, the plainest first.

    Divergences in the lowest quarter of a group sd show one. Where the checks that failed name a sd or
    its effects, so do effects that were sampled the wrong way for what their groups know. That a sd
    moves with the spread of its effects is no sign: it always does.
    """
    found = []
    for term in _varying_terms(fit):
        named = term.is_among(worst)
        funnel = _by_divergences(fit, term) or _by_shape(term, named, failed)
        if funnel is not None:
            found.append(funnel)
    found.sort(key=lambda each: -abs(each.number) / each.threshold)
    yield from found[:FUNNELS_SHOWN]


def _varying_terms(fit: CheckedFit) -> Iterator[_VaryingTerm]:
    posterior = fit.tree["posterior"].to_dataset()
    for design in fit.design.equations:
        for grouping in design.groupings:
            sd = design.variable(names.group_sd(grouping.name))
            effect = design.variable(names.group_effect(grouping.name))
            if sd not in posterior or effect not in posterior:
                continue
            sds = posterior[sd].transpose(names.CHAIN, names.DRAW, ...).to_numpy()
            effects = posterior[effect].transpose(names.CHAIN, names.DRAW, ...).to_numpy()
            for position, term in enumerate(grouping.terms):
                draws = sds[..., position].ravel().astype("float64")
                if not (np.isfinite(draws).all() and (draws > 0).all()):
                    continue
                values = effects[..., position].reshape(draws.size, -1).astype("float64")
                mean = _of_population(design, posterior, term, draws.size)
                yield _VaryingTerm(design, grouping, term, np.log(draws), values, mean, len(sds))


def _of_population(design: Design, posterior: xr.Dataset, term: str, size: int) -> Array:
    """Coefficient of the population on its working scale, ``(draw,)``; 0 where there is none."""
    name, terms = design.variable(names.POPULATION), population_terms(design)
    if name not in posterior or term not in terms:
        return np.zeros(size)
    values = posterior[name].transpose(names.CHAIN, names.DRAW, ...).to_numpy()
    drawn = values[..., terms.index(term)].ravel().astype("float64")
    return np.asarray(working(drawn, scale_of(term)))


def _by_divergences(fit: CheckedFit, term: _VaryingTerm) -> Reason | None:
    """See whether the divergences lie in the neck."""
    if "diverging" not in fit.stats:
        return None
    diverging = (
        fit.stats["diverging"].transpose(names.CHAIN, names.DRAW).to_numpy().ravel().astype(bool)
    )
    count = int(diverging.sum())
    if count < thresholds.FUNNEL_DIVERGENCES_MIN:
        return None
    neck = np.quantile(term.log_sd, 0.25)
    share = float((term.log_sd[diverging] <= neck).mean())
    if share < thresholds.FUNNEL_DIVERGENCES:
        return None
    words = (
        f"{share:.0%} of {count} divergences lie where the sd of {term.term} by "
        f"{term.grouping.name} is in its lowest quarter, below {np.exp(neck):.2g}"
    )
    kind: ReasonKind = "centred_funnel" if term.centred else "funnel"
    return _funnel_reason(kind, term, Finding(words, share, thresholds.FUNNEL_DIVERGENCES))


def _by_shape(term: _VaryingTerm, named: bool, failed: set[str]) -> Reason | None:
    """See whether effects were sampled the wrong way for what their groups know."""
    spread = 0.5 * np.log(np.square(term.effect).mean(axis=1) + np.finfo(float).tiny)
    apart = term.within_chains(spread - term.log_sd)
    of = f"of {term.term} by {term.grouping.name}"
    if (named or remedies.TREE_DEPTH in failed) and not term.centred:
        if apart <= -thresholds.FUNNEL_CORRELATION:
            words = f"correlation {apart:.2f} of the sd {of} with the spread of its standardised "
            finding = Finding(f"{words}effects, in logs", apart, thresholds.FUNNEL_CORRELATION)
            return _funnel_reason("inverted_funnel", term, finding)
        return _dominant(term) if named else None
    if named and term.centred:
        known = term.known()
        few = int((known < thresholds.GROUP_UNKNOWN).sum())
        if 2 * few >= known.size:
            words = (
                f"{few} of {known.size} groups take less than {thresholds.GROUP_UNKNOWN:.0%} of the prior "
                f"variance {of} away"
            )
            finding = Finding(words, few / known.size, 0.5)
            return _funnel_reason("centred_funnel", term, finding)
    return None


def _dominant(term: _VaryingTerm) -> Reason | None:
    """Name groups whose own rows say far more of a coefficient than its prior does."""
    known = term.known()
    order = [int(k) for k in np.argsort(-known) if known[k] >= thresholds.GROUP_KNOWN]
    if not order:
        return None
    labels, rows = term.grouping.labels, np.bincount(term.design.index(term.grouping.name))
    shown = tuple(labels[k] for k in order[:GROUPS_SHOWN])
    sizes = ", ".join(
        f"{labels[k]} ({rows[k]} of {term.design.size} rows)" for k in order[:GROUPS_SHOWN]
    )
    most = float(known[order[0]])
    words = (
        f"the rows of {sizes} take {most:.0%} of the prior variance of {term.term} by "
        f"{term.grouping.name} away"
    )
    facts = {"names": " and ".join(shown), "know": "knows" if len(shown) == 1 else "know"}
    facts["own"] = "its" if len(shown) == 1 else "their"
    finding = Finding(words, most, thresholds.GROUP_KNOWN)
    return _funnel_reason("dominant_groups", term, finding, facts, shown)


def _funnel_reason(
    kind: ReasonKind,
    term: _VaryingTerm,
    finding: Finding,
    more: Mapping[str, object] = MappingProxyType({}),
    groups: tuple[str, ...] = (),
) -> Reason:
    grouping, equation = term.grouping, term.design.equation_name
    value = _parameterised(kind, term)
    facts = {"level": grouping.name, "term": term.term, "groups": len(grouping.labels)}
    return reason(
        kind,
        equation,
        finding,
        facts | {"value": value} | dict(more),
        level=grouping.name,
        term=term.term,
        groups=groups,
        parameters=(term.sd_name,),
        setting=f"equations.{equation}.varying.{grouping.name}.centred" if value else "",
        value=value,
    )


def _parameterised(kind: ReasonKind, term: _VaryingTerm) -> str:
    """Which terms to sample centred instead; nothing where that would not help.

    Correlated effects are centred all together, or not at all.
    """
    grouping = term.grouping
    if kind == "funnel":
        return ""
    if kind in ("inverted_funnel", "dominant_groups"):
        centred = tuple(t for t in grouping.terms if t in (*grouping.centred, term.term))
        if grouping.correlated or centred == grouping.terms:
            return "true"
    else:
        centred = tuple(t for t in grouping.centred if t != term.term)
        centred = () if grouping.correlated else centred
    return f"[{', '.join(centred)}]" if centred else "false"


def separated(fit: CheckedFit) -> Iterator[Reason]:
    """See whether predictors give a yes or no without error."""
    for design in fit.design.equations:
        if design.family.scale != "probability":
            continue
        columns = _columns(design)
        known = np.isfinite(np.column_stack([design.outcome, *columns.values()])).all(axis=1)
        trials = np.ones(design.size) if design.rows.trials is None else design.rows.trials
        some = {name: values[known] for name, values in columns.items()}
        outcome = design.outcome[known]
        found = separation(some, outcome > 0, outcome < trials[known])
        if found is None:
            continue
        kind = "complete" if found.complete else "quasi-complete"
        words = (
            f"{kind} separation by {', '.join(found.columns)}: {found.share:.0%} of "
            f"{int(known.sum())} rows are predicted without error"
        )
        yield reason(
            "separation",
            design.equation_name,
            Finding(words, found.share, 0.0),
            {"columns": ", ".join(found.columns)},
            parameters=found.columns,
        )


def _columns(design: Design) -> dict[str, Array]:
    """Coded predictors of a linear rule, ``(row,)`` each; NaN where missing."""
    found: dict[str, Array] = {}
    if design.has_capitals:
        known = dict(zip(names.CAPITALS, design.capitals, strict=True))
        found |= {capital: known[capital] for capital in design.present}
        if names.INTERACTION in design.structure.terms:
            found[names.INTERACTION] = design.capitals[0] * design.capitals[1]
    found |= dict(zip(design.control_names, design.controls.T, strict=True))
    found |= dict(zip(design.equation.entering, design.predictors.T, strict=True))
    return found


class Separation(NamedTuple):
    """Columns that separate, whether completely, and the share of rows predicted without error."""

    columns: tuple[str, ...]
    complete: bool
    share: float


def separation(columns: Mapping[str, Array], yes: Mask, no: Mask) -> Separation | None:
    """Look for separation of a yes or no outcome by a linear predictor.

    Parameters
    ----------
    columns
        Coded predictors by name, ``(row,)`` each, without the constant; finite.
    yes, no
        Whether a row has any yes, and any no, ``(row,)``: a row of several trials can have both.

    Returns
    -------
    Separation or None
        Columns that separate by themselves, or else a smallest set that does so together; None
        where the outcome overlaps everywhere, or has one value only.
    """
    known = {
        name: (values - values.mean()) / values.std()
        for name, values in columns.items()
        if values.std() > 0
    }
    if not known or not (yes.any() and no.any()):
        return None
    whole = _rule(list(known.values()), yes, no)
    if whole is None:
        return None
    alone = [name for name, values in known.items() if _rule([values], yes, no) is not None]
    signed = _signed(list(known.values()), yes, no)
    size = signed.shape[1]
    found = scipy.optimize.linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.column_stack([-signed, np.ones(len(signed))]),
        b_ub=np.zeros(len(signed)),
        bounds=[(-1.0, 1.0)] * size + [(0.0, 1.0)],
    )
    complete = found.x is not None and float(found.x[-1]) > TOLERANCE
    right = 1.0 if complete else float((signed @ whole > TOLERANCE).mean())
    return Separation(tuple(alone or _fewest(known, yes, no)), complete, right)


def _fewest(known: Mapping[str, Array], yes: Mask, no: Mask) -> list[str]:
    """Columns that separate together and no longer do when one more is left out."""
    kept = dict(known)
    for name in known:
        rest = [values for other, values in kept.items() if other != name]
        if rest and _rule(rest, yes, no) is not None:
            del kept[name]
    return list(kept)


def _rule(columns: list[Array], yes: Mask, no: Mask) -> Array | None:
    """Coefficients with no row on the wrong side and some on the right one."""
    signed = _signed(columns, yes, no)
    found = scipy.optimize.linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0)
    )
    if found.x is None or -found.fun <= TOLERANCE * len(signed):
        return None
    return np.asarray(found.x)


def _signed(columns: list[Array], yes: Mask, no: Mask) -> Array:
    """Rows with the constant, turned round for each no, ``(observation, coefficient)``."""
    rows = np.column_stack([np.ones(len(yes)), *columns])
    return np.concatenate([rows[yes], -rows[no]])


def collinear(fit: CheckedFit) -> Iterator[Reason]:
    """See whether the capitals rise and fall together."""
    design = fit.design
    if not design.has_both:
        return
    pair = np.column_stack(design.capitals)
    pair = pair[np.isfinite(pair).all(axis=1)]
    if len(pair) < 3:
        return
    found = correlation(pair[:, 0], pair[:, 1])
    if abs(found) >= thresholds.COLLINEAR:
        words = f"correlation {found:.2f} of human and social capital over {len(pair)} rows"
        yield reason(
            "collinear_capitals",
            design.equation_name,
            Finding(words, found, thresholds.COLLINEAR),
            {},
            parameters=names.CAPITALS,
        )


def empty_corners(fit: CheckedFit) -> Iterator[Reason]:
    """Name corners with no firm near them: of the whole sample, or of industries."""
    design = fit.design
    if not design.has_both:
        return
    levels = default_levels(design)
    near = {
        groups.by: (groups.labels, support(design, levels, groups.members).firms.astype(int))
        for groups in declared_groups(design)
        if groups.by != "cluster"
    }
    for position, corner in enumerate(CORNERS):
        for by, (labels, counts) in near.items():
            firms = counts[position]
            if firms.min() >= thresholds.CORNER_FIRMS_MIN:
                continue
            fewest = int(firms.min())
            empty = tuple(
                names.group_name(by, label)
                for label, n in zip(labels, firms, strict=True)
                if n == fewest
            )
            yield _empty_corner(design, corner, empty if len(labels) > 1 else (), fewest)
            break  # what no firm has, no industry has


def _empty_corner(design: Design, corner: str, groups: tuple[str, ...], firms: int) -> Reason:
    of = f" of {', '.join(groups)}" if groups else ""
    words = (
        f"{firms or 'no'} firm{of} is near the corner with {SIDES[corner[0]]} human capital "
        f"and {SIDES[corner[1]]} social capital"
    )
    return reason(
        "empty_corner",
        design.equation_name,
        Finding(words, float(firms), float(thresholds.CORNER_FIRMS_MIN)),
        {},
        groups=groups,
        parameters=(f"corner {corner}",),
    )


def misfit(fit: CheckedFit) -> Iterator[Reason]:
    """Name statistics of the whole sample that the model does not make."""
    for design in fit.design.equations:
        rows = fit.predictive.get(design.equation_name, ())
        flagged = [row for row in rows if row.by == "all" and row.flagged]
        if not flagged:
            continue
        flagged.sort(key=lambda row: min(row.tail, 1 - row.tail))
        words = "; ".join(
            f"{row.statistic} {row.observed:.3g} observed, {row.low:.3g} to {row.high:.3g} replicated"
            for row in flagged
        )
        worst = min(flagged[0].tail, 1 - flagged[0].tail)
        yield reason(
            "misspecified_family",
            design.equation_name,
            Finding(words, worst, thresholds.PREDICTIVE_TAIL),
            {"check": remedies.predictive_of(design.equation.family)},
            parameters=tuple(row.statistic for row in flagged),
        )
