"""From a design to a program of the machine.

The model is that of `bayescluster.model.build`, which states it readably; a test holds value and gradient of
the two together for every family, form and hierarchy that is served. What is not served says so by
`unserved`, and is sampled by the PyMC graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.coding import Surroundings, monotonic_controls, surroundings_of
from bayescluster.design.record import Design, Grouping
from bayescluster.families.record import OVERDISPERSION, ZERO_SHARE
from bayescluster.families.zeros import INNER
from bayescluster.kernel import geometry, machine
from bayescluster.kernel.tape import Moved, Program, Tape, Watched, drawn, lkj_coordinates, start_of
from bayescluster.model.priors import (
    BACKGROUND_SD,
    CLUSTER_MEAN_SD,
    ERROR_SD,
    ITEM_INTERCEPT_SD,
    THRESHOLD_SD,
    drawn_before,
    effect_weights,
    loading_priors,
    model_priors,
    population_terms,
    usual_thresholds,
)
from bayescluster.spec.priors import (
    Distribution,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    Normal,
    StudentT,
)
from bayescluster.summaries.record import Summary, summary_of

FAMILIES: dict[str, machine.Operation] = {
    "bernoulli": machine.successes,
    "probit": machine.passes,
    "binomial": machine.successes,
    "gaussian": machine.amounts,
    "lognormal": machine.amounts,
    "student_t": machine.heavy_tailed,
    "beta": machine.shares,
    "poisson": machine.counts,
    "negative_binomial": machine.overdispersed_counts,
    "ordinal": machine.levels_reached,
}
"""Of families with zeros of their own, the plain one is looked up."""
LINKS = {"identity": machine.L_IDENTITY, "log": machine.L_LOG, "logit": machine.L_LOGIT}
GATES, CES = "conjunctive", "ces"


def unserved(design: Design) -> str | None:
    """Say what of a model the machine does not serve; None where it serves all."""
    analysis = design.analysis
    if analysis.residual_correlation:
        return "residual correlation"
    for each in design.equations:
        capitals = zip(names.CAPITALS, each.capitals, strict=True)
        scores = [values for name, values in capitals if not each.is_latent(name)]
        parts = [each.outcome, each.controls, each.predictors, *scores]
        if any(np.isnan(part).any() for part in parts):
            return "missing values that are imputed"
        if each.equation.priors.r2d2m2 is not None:
            return "the R2D2M2 prior"
        if monotonic_controls(each):
            return "monotonic controls"
        if (each.family.plain or each.family).name not in FAMILIES:
            return f"the family {each.family.name}"
        if not each.structure.is_linear and each.structure.name not in (GATES, CES):
            return f"the form {each.structure.name}"
        if each.structure.name == GATES and each.link == "probit":
            return "gates on the probit scale"
    return None


AllSeen = Mapping[tuple[str, str], geometry.Seen]
"""What rows say of the levels of groups, by equation and grouping."""


class _Effects(NamedTuple):
    """Effects of a grouping on its way to the tape."""

    grouping: Grouping
    seen: geometry.Seen
    is_watched: bool
    is_early: bool
    """Whether nothing in the model comes before them."""
    u: int
    """Place of the effects, ``(group, term)``; of them in independent units, of their sds, and of the weights of groups."""
    z: int
    sd: int
    weight: int
    factor: int
    """Place of the factor of their correlations, or of a 1."""

    @property
    def order(self) -> list[int]:
        """Terms in the order in which they are taken.

        The level of a group takes in its own slopes, unless they are correlated with it: then what rows
        tell best has to come first, and the level is that at 0 of their inputs.
        """
        terms = self.grouping.terms
        if self.grouping.correlated:
            return list(range(len(terms)))
        return sorted(range(len(terms)), key=lambda k: terms[k] == names.INTERCEPT)


class _Equation:
    """Writes one equation to a tape."""

    def __init__(
        self, tape: Tape, design: Design, order: NDArray[np.int64], seen: AllSeen | None
    ) -> None:
        settled = design.template
        template = design if settled is None else settled.turned_to(design.equation_name)
        self.tape, self.design, self.template, self.order = tape, design, template, order
        self.seen = seen
        self.priors = model_priors(template)
        self.terms: dict[str, int] = {}
        """Place of each population coefficient, on its working scale."""
        self.effects: dict[str, tuple[int, Grouping]] = {}
        """Place of the effects of each grouping, ``(group, term)``."""
        self.natural: dict[str, int] = {}
        """Place of each on its natural scale."""
        self.waiting = ""
        """Grouping whose slopes the level of the population waits for."""
        self.controls = -1
        self.order_of_groupings = geometry.sampling_order(template)
        self.taken: list[Grouping] = []

    def write(self, capitals: tuple[int, int], latent: bool) -> None:
        """Write everything; ``capitals`` are the places of those of the rows, in their order here."""
        self._controls()
        order = [self._opened(one) for one in self.order_of_groupings]
        self._population(order)
        for effects in order:
            self._grouping(effects)
        self._report_population()
        parameters = self._parameters()
        summary = summary_of(self.design)
        if summary is not None:
            self._summarised(summary, parameters)
            return
        cells, member = self._cells()
        eta = self._predictor(cells, member, capitals, latent)
        self._likelihood(eta, parameters)

    def _is_crossed(self, grouping: Grouping) -> bool:
        return geometry.is_crossed(self.template, grouping, self.order_of_groupings)

    def _controls(self) -> None:
        design, labels = self.design, self.design.control_names
        if labels:
            name = design.variable(names.CONTROLS)
            self.controls, _ = self.tape.vector(name, [self.priors.controls[c] for c in labels])
            dims = (design.variable(names.CONTROL),)
            self.tape.report(name, self.controls, (len(labels),), dims)

    def _population(self, groupings: Sequence[_Effects]) -> None:
        """Population coefficients: in units of what groups say of them, or as those of the mean row.

        The latter take in effects of which nothing is seen. The level of the population waits for the slopes
        of the groups that speak of it.
        """
        labels = population_terms(self.design)
        movable = [t for t in labels if isinstance(self.priors.population[t], Normal | StudentT)]
        spoken = {t: one for t in movable if (one := self._speaker(t, groupings)) is not None}
        shifts = {t: s for t in movable if (s := self._of_deviations(t, groupings))}
        levels = [term for term in self._level_terms(labels) if term not in spoken]
        name = self.design.variable(names.POPULATION)
        for term in labels:
            if term in spoken and term == names.INTERCEPT:
                self.waiting = spoken[term].grouping.name
            elif term in spoken:
                at = self.natural[term] = self.terms[term] = self.tape.room(1)
                speaker = spoken[term]
                place = next(k for k, one in enumerate(groupings) if one is speaker)
                crossed = {one.grouping: one.u for one in groupings[:place] if one.is_early}
                rest = self._of_earlier(speaker.grouping, term, crossed)
                self._weighed(term, at, speaker, self.tape.matrix(rest))
            elif term in levels:
                continue
            elif term in shifts:
                self.natural[term] = self.terms[term] = self._swept(term, shifts[term])
            else:
                prior = self.priors.population[term]
                value, line = self.tape.vector(f"{name}_{term}", [prior])
                self.natural[term], self.terms[term] = value, line
        shift = self._shift() if levels else []
        for term in levels:
            whole = [*shift, *shifts.get(term, [])]
            self.natural[term] = self.terms[term] = self._swept(term, whole)

    def _report_population(self) -> None:
        tape, design = self.tape, self.design
        if labels := population_terms(design):
            name = design.variable(names.POPULATION)
            at = tape.matrix([[(self.natural[term], 1.0)] for term in labels])
            tape.report(name, at, (len(labels),), (design.variable(names.TERM),))

    def _speaker(self, term: str, groupings: Sequence[_Effects]) -> _Effects | None:
        """The first grouping whose levels on a coefficient take in that of the population."""
        for one in groupings:
            if term not in one.grouping.terms or self._is_crossed(one.grouping):
                continue
            if not (one.seen.precision > 0).any():
                return None
            # what contains it would have to come before the population
            outer = (
                term in other.grouping.terms
                and geometry.contains(self.template, other.grouping, one.grouping)
                for other in groupings
            )
            return None if term != names.INTERCEPT and any(outer) else one
        return None

    def _weighed(self, term: str, at: int, speaker: _Effects, rest: int) -> None:
        """Sample a coefficient in units of what the levels of groups say of it."""
        tape, k, prior = self.tape, speaker.grouping.terms.index(term), self.priors.population[term]
        assert isinstance(prior, Normal | StudentT)
        name = f"{self.design.variable(names.POPULATION)}_{term}"
        x = tape.sample(name, 1, lambda rng, n: drawn(prior)(rng, n)[:, None])
        spread = prior.sd if isinstance(prior, Normal) else prior.scale
        known = tape.constants([prior.mean, spread**-2])
        seen = (tape.constants(values[:, k]) for values in speaker.seen)
        least = tape.constants(geometry.least_sd(speaker.seen)[k])
        groups = len(speaker.seen.level)
        tape.do(machine.weighed, x, rest, speaker.sd + k, at, groups, *seen, known, least)
        tape.prior(at, [prior])

    def _of_deviations(self, term: str, groupings: Sequence[_Effects]) -> list[tuple[int, float]]:
        """Mean over the rows of effects on a coefficient that come before it."""
        found = []
        own = geometry.inputs(self.template).get(term)
        weight = np.ones(self.template.size) if own is None else own**2
        for one in groupings:
            if term not in one.grouping.terms or not one.is_early:
                continue
            k = one.grouping.terms.index(term)
            index = self.template.index(one.grouping.name)
            groups, terms = one.seen.level.shape
            share = np.bincount(index, weight, groups) / weight.sum()
            found += [(one.u + g * terms + k, float(w)) for g, w in enumerate(share) if w]
        return found

    def _swept(self, term: str, shift: list[tuple[int, float]]) -> int:
        """Sample a coefficient with what inputs and controls add to it at their means."""
        tape, prior = self.tape, self.priors.population[term]
        name = f"{self.design.variable(names.POPULATION)}_{term}"
        x = tape.sample(name, 1, lambda rng, n: drawn(prior)(rng, n)[:, None], *start_of(prior))
        moved, value = tape.matrix([shift]), tape.room(1)
        tape.do(machine.swept, x, moved, value, 1)
        tape.prior(value, [prior])
        tape.moved.append(Moved(*(np.array([at]) for at in (x, value, moved))))
        return value

    def _level_terms(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Terms that set the level, whose priors can be moved, in the order of the labels."""
        if self.design.levels:
            return ()
        levels = {names.INTERCEPT} if self.design.structure.is_linear else set()
        if self.design.structure.name == CES:
            levels = {names.INTERCEPT}
        if self.design.structure.name == GATES:
            levels = {names.NEITHER, names.HUMAN_ONLY, names.SOCIAL_ONLY, names.BOTH}
        # the order is that of coordinates, and so must not be that of a set
        return tuple(
            term
            for term in labels
            if term in levels and isinstance(self.priors.population[term], Normal | StudentT)
        )

    def _shift(self) -> list[tuple[int, float]]:
        """What inputs and controls add to the level of the mean row."""
        everyone = np.zeros(self.template.size, dtype="int64")
        return self._at_means(geometry.means(self.template, everyone, 1, ()), 0)

    def _of_controls(self, mean: Array) -> list[tuple[int, float]]:
        return [(self.controls + k, float(value)) for k, value in enumerate(mean) if value]

    def _opened(self, grouping: Grouping) -> _Effects:
        """Write the sds of a grouping, and effects that nothing comes before."""
        tape, design = self.tape, self.design
        name, groups, terms = grouping.name, len(grouping.labels), len(grouping.terms)
        seen = geometry.asked(self.template, grouping)
        is_open = seen is None
        if seen is None:
            zeros = np.zeros((groups, terms))
            seen = geometry.Seen(zeros, zeros)
            if self.seen is not None:
                seen = self.seen[design.equation_name, name]
        weights = effect_weights(self.template, name)
        weight = tape.constants(np.ones(groups) if weights is None else weights)
        sd = self._sds(grouping, seen, weights is None)
        is_early = not seen.precision.any() or self._is_crossed(grouping)
        u, z = tape.room(groups * terms), tape.room(groups * terms)
        is_watched = is_open and self.seen is None
        opened = _Effects(grouping, seen, is_watched, is_early, u, z, sd, weight, -1)
        opened = opened._replace(factor=self._factor(opened))
        if is_early:
            for k in opened.order:
                self._of_term(opened, k, tape.room(groups))
        return opened

    def _sds(self, grouping: Grouping, seen: geometry.Seen, unweighted: bool) -> int:
        """Sample the sds of a grouping; with a sign that means nothing where the density allows it.

        So that 0 is no boundary: the logarithm of a sd of which little is known has a long tail. The
        unit up to which a sd is sampled as it is, and its logarithm beyond, is what rows can tell.
        """
        tape, design, terms = self.tape, self.design, len(grouping.terms)
        name, prior = (
            design.variable(names.group_sd(grouping.name)),
            self.priors.group_sd[grouping.name],
        )
        open_ = unweighted and not (seen.precision < 0).any()
        sd, reported = _sds_of(tape, name, prior, geometry.least_sd(seen) if open_ else None, terms)
        tape.report(name, reported, (terms,), (design.variable(names.group_term(grouping.name)),))
        return sd

    def _grouping(self, opened: _Effects) -> None:
        """Write what is left of the effects of a grouping."""
        tape, design, grouping, u = self.tape, self.design, opened.grouping, opened.u
        (groups, terms), name = opened.seen.level.shape, grouping.name
        for k in () if opened.is_early else opened.order:
            if name == self.waiting and grouping.terms[k] == names.INTERCEPT:
                at = self.natural[names.INTERCEPT] = self.terms[names.INTERCEPT] = tape.room(1)
                rows = self._centre(opened, k)
                rest = [[one for one in row if one[0] != at] for row in rows]
                self._weighed(names.INTERCEPT, at, opened, tape.matrix(rest))
            else:
                rows = self._centre(opened, k)
            self._of_term(opened, k, tape.matrix(rows))
        shape, dim = (groups, terms), design.variable(names.group_term(name))
        tape.report(
            design.variable(names.group_effect(name)), u, shape, (names.group_dim(name), dim)
        )
        if opened.is_watched:
            by_term = [self._centre(opened, k) for k in range(terms)]
            if self._is_crossed(grouping):
                # what makes up for their mean is not known: rows tell how groups differ from it
                mean = [
                    [(u + g * terms + k, -1.0 / groups) for g in range(groups)]
                    for k in range(terms)
                ]
                by_term = [[mean[k]] * groups for k in range(terms)]
            levels = tape.matrix(
                [
                    [(u + g * terms + k, 1.0), *by_term[k][g]]
                    for g in range(groups)
                    for k in range(terms)
                ]
            )
            tape.watched.append(Watched(design.equation_name, name, shape, levels, u, opened.sd))
        self.effects[name] = u, grouping
        self.taken.append(grouping)

    def _of_term(self, opened: _Effects, k: int, centre: int) -> None:
        """Effects on one coefficient, ``centre`` being the place of what the model says of its levels."""
        tape, (groups, terms), grouping = self.tape, opened.seen.level.shape, opened.grouping
        x = tape.noise(f"{self.design.variable(grouping.name)}_{grouping.terms[k]}", groups)
        u = opened.u + k
        at, z, factor = 0, opened.z + k, opened.factor
        if grouping.correlated:
            at, z = k, opened.z
            factor += at * terms
        level, precision = (tape.constants(values[:, k]) for values in opened.seen)
        told = opened.seen.precision[:, k]
        if self._is_crossed(grouping) and told.any() and (told >= 0).all():
            together = tape.room(groups)
            tape.do(machine.stretched, x, opened.sd + k, factor + at, together, groups, precision)
            x = together
        place = x, centre, opened.sd + k, u, groups, terms
        tape.do(machine.effects, *place, level, precision, opened.weight, factor, z, at)
        which, every = opened.seen.precision[:, k] < 0, np.arange(groups)
        moved = x + every, u + every * terms, centre + every
        tape.moved.append(Moved(*(places[which] for places in moved)))

    def _factor(self, opened: _Effects) -> int:
        tape, grouping, eta = self.tape, opened.grouping, self.priors.correlation
        terms, variable = len(grouping.terms), self.design.variable(grouping.name)
        if not grouping.correlated:
            return tape.room(1, 1.0)
        x = tape.sample(
            f"{variable}_cholesky",
            terms * (terms - 1) // 2,
            lambda rng, n: lkj_coordinates(rng, n, terms, eta),
        )
        factor = tape.room(terms * terms, np.eye(terms).ravel())
        tape.do(machine.cholesky, x, factor, terms, tape.constants([eta]))
        whole = tape.room(terms * terms, np.eye(terms).ravel())
        tape.do(machine.correlation, factor, whole, terms, opened.sd)
        dim = self.design.variable(names.group_term(grouping.name))
        label = self.design.variable(names.group_correlation(grouping.name))
        tape.report(label, whole, (terms, terms), (dim, f"{dim}_other"))
        return factor

    def _centre(self, opened: _Effects, k: int) -> list[list[tuple[int, float]]]:
        """What the rest of the model says of a coefficient of each group; places and weights.

        The level of a group is that of its mean row, by the slopes of this group: those of the
        population would move it where the rows tell both.
        """
        grouping, groups = opened.grouping, len(opened.grouping.labels)
        if self._is_crossed(grouping):
            return [[] for _ in range(groups)]
        term = grouping.terms[k]
        if term != names.INTERCEPT:
            rows = self._of_earlier(
                grouping, term, {one: self.effects[one.name][0] for one in self.taken}
            )
            own = [(self.terms[term], 1.0)] if term in self.terms else []
            return [[*own, *row] for row in rows]
        index, terms = self.template.index(grouping.name), grouping.terms
        means = geometry.means(self.template, index, groups, self.taken)
        slopes = {t: place for place, t in enumerate(terms) if t in means.inputs}
        if grouping.correlated:
            means = means.without(slopes)
            slopes = {}
        rows = [self._at_means(means, g) for g in range(groups)]
        for g, row in enumerate(rows):
            at = opened.u + g * len(terms)
            row += [(at + place, float(means.inputs[t][g])) for t, place in slopes.items()]
        for effect in means.effects:
            at, other = self.effects[effect.grouping]
            width, place = len(other.terms), other.terms.index(effect.term)
            for g, column, weight in zip(effect.row, effect.column, effect.weight, strict=True):
                rows[int(g)].append((int(at + column * width + place), float(weight)))
        return rows

    def _at_means(self, means: geometry.Means, group: int) -> list[tuple[int, float]]:
        """Level of the population at the inputs and controls of a group."""
        found = [(self.terms[t], 1.0) for t in (names.INTERCEPT,) if t in self.terms]
        found += [
            (self.terms[t], float(mean[group]))
            for t, mean in means.inputs.items()
            if t in self.terms
        ]
        return found + self._of_controls(means.controls[group])

    def _of_earlier(
        self, grouping: Grouping, term: str, earlier: Mapping[Grouping, int]
    ) -> list[list[tuple[int, float]]]:
        """What groupings taken before, at their places, add to a coefficient of each group."""
        rows: list[list[tuple[int, float]]] = [[] for _ in grouping.labels]
        for one, at in earlier.items():
            if term in one.terms:
                k, terms = one.terms.index(term), len(one.terms)
                shares = geometry.shares(self.template, grouping, one, term)
                for g, column, weight in zip(*shares, strict=True):
                    rows[int(g)].append((int(at + column * terms + k), float(weight)))
        return rows

    def _parameters(self) -> dict[str, int]:
        tape, design = self.tape, self.design
        found = {}
        for label, prior in self.priors.family.items():
            name = design.variable(label)
            found[label], _ = tape.vector(name, [prior])
            tape.report(name, found[label], (), ())
        if design.levels:
            name = design.variable(names.CUTPOINTS)
            means, sds = np.array(self.priors.cutpoints).T
            found[names.CUTPOINTS] = tape.ordered(name, means, float(sds[0]))
            tape.report(
                name, found[names.CUTPOINTS], (means.size,), (design.variable(names.CUTPOINT),)
            )
        return found

    def _cells(self) -> tuple[int, NDArray[np.int64]]:
        """Coefficients of each combination of groups, ``(cell, term)``, and the cell of each row."""
        design, order = self.design, self.order
        indices = [design.index(grouping.name)[order] for grouping in design.groupings]
        table = np.column_stack([*indices, np.zeros(design.size, dtype="int64")])
        cells, member = np.unique(table, axis=0, return_inverse=True)
        return self._coefficients(cells), member.reshape(-1)

    def _coefficients(self, cells: NDArray[np.int64]) -> int:
        """Coefficients of cells that are given by the positions of their groups."""
        design, rows = self.design, []
        for cell in cells:
            for term in design.terms:
                row = [(self.terms[term], 1.0)] if term in self.terms else []
                for grouping, group in zip(design.groupings, cell, strict=False):
                    if term in grouping.terms:
                        at, _ = self.effects[grouping.name]
                        place = int(group) * len(grouping.terms) + grouping.terms.index(term)
                        row.append((at + place, 1.0))
                rows.append(row)
        return self.tape.matrix(rows)

    def _summarised(self, summary: Summary, parameters: dict[str, int]) -> None:
        """Likelihood of many firms, from their summary."""
        tape, terms, controls = self.tape, len(self.design.terms), len(self.design.control_names)
        cells = self._coefficients(summary.groups)
        sigma, beta = parameters.get("sigma", -1), max(self.controls, 0)
        if summary.quadratic is not None:
            found = summary.quadratic
            numbers = found.centre, found.value, found.slope, found.curvature, found.size
            places = [tape.constants(values) for values in numbers]
            size = cells, len(summary.groups), terms, beta, controls
            tape.do(machine.quadratics, *size, *places, sigma)
            return
        lines = summary.lines
        assert lines is not None
        n, eta = lines.cell.size, tape.room(lines.cell.size)
        first = np.flatnonzero(np.diff(lines.cell, prepend=-1))
        starts, cell = tape.places([*first, n]), tape.places(lines.cell[first])
        known = tape.constants(lines.inputs[:, terms:].T), tape.constants(lines.offset)
        tape.do(machine.matvec, eta, n, beta, controls, *known)
        matrix = tape.constants(lines.inputs[:, :terms].T)
        tape.do(machine.rows_linear, eta, n, cells, terms, matrix, first.size, starts, cell, 0)
        self._density(eta, (lines.outcome, lines.size, np.ones(n)), parameters)

    def _predictor(
        self, cells: int, member: NDArray[np.int64], capitals: tuple[int, int], latent: bool
    ) -> int:
        tape, design, order = self.tape, self.design, self.order
        n, terms = design.size, len(design.terms)
        first = np.flatnonzero(np.diff(member, prepend=-1))
        starts, cell = tape.places([*first, n]), tape.places(member[first])
        runs = first.size
        shift = self._shift_of_rows(capitals)
        form = design.structure.name
        human, social = design.capitals
        own: dict[str, Array] = {}
        if design.structure.is_linear and not latent:
            own = {
                names.HUMAN_CAPITAL: human,
                names.SOCIAL_CAPITAL: social,
                names.INTERACTION: human * social,
            }
        own |= dict(zip(design.equation.entering, design.predictors.T, strict=True))
        own |= dict.fromkeys(moving := self._moving_contexts(), np.zeros(n))
        columns = np.zeros((terms, n))
        for k, term in enumerate(design.terms):
            if term in own:
                columns[k] = own[term][order]
        if form == GATES:
            if design.equation.entering:
                # outcomes of other equations shift the level, with a coefficient of their own
                kept = cells, terms, tape.constants(columns), runs, starts, cell
                tape.do(machine.rows_linear, shift, n, *kept, 1)
            self._follow(moving, shift, capitals, (cells, terms), (runs, starts, cell))
            eta = tape.room(n)
            tape.do(
                *(machine.rows_gates, eta, n, cells, terms, *capitals, runs, starts, cell),
                *(LINKS[design.link], shift, tape.room(6 * n)),
            )
            return eta
        linear = cells, terms, tape.constants(columns), runs, starts, cell
        if form == CES:
            slopes = tape.room(4 * n)
            tape.do(machine.rows_ces, shift, n, cells, terms, *capitals, runs, starts, cell, slopes)
            if design.equation.entering:
                tape.do(machine.rows_linear, shift, n, *linear, 1)
            self._follow(moving, shift, capitals, (cells, terms), (runs, starts, cell))
            return shift
        tape.do(machine.rows_linear, shift, n, *linear, 0)
        self._follow(moving, shift, capitals, (cells, terms), (runs, starts, cell))
        if latent and names.HUMAN_CAPITAL in design.terms:
            product = int(names.INTERACTION in design.terms)
            place = design.terms.index(names.HUMAN_CAPITAL)
            tape.do(
                *(machine.rows_capitals, shift, n, cells, terms, *capitals, runs, starts, cell),
                *(product, place),
            )
        return shift

    def _moving_contexts(self) -> tuple[str, ...]:
        """Contextual terms of latent capitals, whose means are variables."""
        contexts = self.design.equation.contexts
        return tuple(t for t, (_, capital) in contexts.items() if self.design.is_latent(capital))

    def _follow(
        self,
        moving: Sequence[str],
        eta: int,
        capitals: tuple[int, int],
        cells: tuple[int, int],
        runs: tuple[int, int, int],
    ) -> None:
        """Add contexts of latent capitals, with a coefficient each."""
        tape, design = self.tape, self.design
        for term in moving:
            level, capital = design.equation.contexts[term]
            around = surroundings_of(design, level)
            mean = self._around(around, capitals[names.CAPITALS.index(capital)])
            at = design.terms.index(term)
            tape.do(machine.rows_input, eta, design.size, *cells, mean, *runs, at)

    def _around(self, around: Surroundings, capital: int) -> int:
        """Means of a capital in what surrounds each row, in order; see `bayescluster.design.coding`."""
        tape, order = self.tape, self.order
        weight, rest = around.weight[order], around.rest[order]

        def sums(codes: NDArray[np.int64]) -> int:
            members: list[list[tuple[int, float]]] = [[] for _ in range(int(codes.max()) + 1)]
            for i, code in enumerate(codes):
                members[code].append((capital + i, float(weight[i])))
            return tape.matrix(members)

        group = around.group[order]
        total = sums(group)
        rows = [
            [(int(total + g), 1.0 / r)] if r > 0 else [] for g, r in zip(group, rest, strict=True)
        ]
        if around.own is not None:
            own = around.own[order]
            left = sums(own)
            for row, code, r in zip(rows, own, rest, strict=True):
                if row:
                    row.append((int(left + code), -1.0 / r))
        return tape.matrix(rows)

    def _shift_of_rows(self, capitals: tuple[int, int]) -> int:
        """Controls and offset, ``(row,)`` in order."""
        tape, design, order = self.tape, self.design, self.order
        n = design.size
        out = tape.room(n)
        offset = tape.constants(design.offset[order])
        owners = design.data[names.CONTROL_CAPITAL].to_numpy()
        count = len(design.control_names)
        bases = design.control_bases
        moving = [k for k in range(count) if owners[k] and design.is_latent(str(owners[k]))]
        columns = bases.copy()
        for k in range(count):
            if owners[k]:
                level = design.capitals[names.CAPITALS.index(str(owners[k]))]
                columns[:, k] = 0.0 if k in moving else bases[:, k] * level
        matrix = tape.constants(columns[order].T)
        tape.do(machine.matvec, out, n, max(self.controls, 0), count, matrix, offset)
        for k in moving:
            capital = capitals[names.CAPITALS.index(str(owners[k]))]
            base = tape.constants(bases[order, k])
            tape.do(machine.following, out, n, self.controls + k, capital, base)
        return out

    def _likelihood(self, eta: int, parameters: dict[str, int]) -> None:
        design, order = self.design, self.order
        family = design.family.plain or design.family
        likelihood, n = FAMILIES[family.name], design.size
        outcome = design.outcome[order]
        weight = np.ones(n) if design.weights is None else design.weights.rows[order]
        if design.family.plain is not None:
            outcome, weight = self._zeros(eta, parameters, outcome, weight)
        if family.name == "lognormal":
            outcome = np.log(outcome)
        extra = np.ones(n)
        if family.name == "binomial":
            assert design.rows.trials is not None
            extra = design.rows.trials[order]
        known = design.rows.standard_error
        if known is not None and family.name == "gaussian":
            likelihood, extra = machine.amounts_of_known_error, known[order]
        self._density(eta, (outcome, extra, weight), parameters, likelihood)

    def _density(
        self,
        eta: int,
        rows: tuple[Array, Array, Array],
        parameters: dict[str, int],
        likelihood: machine.Operation | None = None,
    ) -> None:
        """Density of rows: their outcome, what is known of it, and their weight."""
        tape, design, n = self.tape, self.design, rows[0].size
        likelihood = likelihood or FAMILIES[design.family.name]
        places = [tape.constants(values) for values in rows]
        if likelihood in (machine.successes, machine.counts):
            e = tape.room(n)
            tape.do(machine.exponentials, eta, e, n, likelihood is machine.successes)
            plain = bool((rows[2] == 1).all() and (rows[1] == 1).all())
            tape.do(likelihood, eta, n, *places, e, plain)
            return
        first = next(iter(parameters.values()), 0)
        first = parameters.get("sigma", parameters.get(names.CUTPOINTS, first))
        more = [first, parameters.get("nu", 0), len(design.levels)]
        if likelihood is machine.overdispersed_counts:
            outcome, _, weight = rows
            values, kind = np.unique(outcome, return_inverse=True)
            table = values, np.bincount(kind, weight)
            more = [first, *map(tape.constants, table), values.size]
        tape.do(likelihood, eta, n, *places, *more)

    def _zeros(
        self, eta: int, parameters: dict[str, int], outcome: Array, weight: Array
    ) -> tuple[Array, Array]:
        """Write the zeros; outcomes and weights of the plain likelihood, where zeros count for nothing."""
        tape, is_zero = self.tape, outcome == 0
        zeros, others = np.flatnonzero(is_zero), weight[~is_zero].sum()
        share = parameters[ZERO_SHARE.name]
        if self.design.family.counted:
            tape.do(
                *(machine.zeros_of_two_kinds, eta, zeros.size, tape.places(zeros)),
                *(tape.constants(weight[zeros]), share, tape.constants([others])),
                parameters.get(OVERDISPERSION.name, -1),
            )
        else:
            weights = tape.constants([weight[zeros].sum(), others])
            tape.do(machine.zeros_apart, share, weights)
        inner = outcome if self.design.family.counted else np.where(is_zero, INNER, outcome)
        return inner, np.where(is_zero, 0.0, weight)


def _sds_of(
    tape: Tape, name: str, prior: Distribution, least: Array | None, terms: int = 1
) -> tuple[int, int]:
    """Sample sds; places of them, of either sign where ``least`` says what can be told, and of their sizes."""
    unfolded = None if least is None else _unfolded(prior)
    if least is None or unfolded is None:
        sd, _ = tape.vector(name, [prior] * terms)
        return sd, sd
    middle, draw = start_of(unfolded)[1], drawn(unfolded)
    unit = np.where(np.isfinite(least), 2.0 * least, 0.1 * middle)

    def line(rng: np.random.Generator, count: int) -> Array:
        values = np.column_stack([draw(rng, count) for _ in range(terms)])
        return np.arcsinh(values / unit)

    x = tape.sample(name, terms, line, np.arcsinh(middle / unit))
    sd, sizes = tape.room(terms, 1.0), tape.room(terms)
    tape.do(machine.either_sign, x, tape.constants(unit), sd, terms)
    tape.prior(sd, [unfolded] * terms)
    tape.do(machine.sizes, sd, sizes, terms)
    return sd, sizes


def _unfolded(prior: Distribution) -> Distribution | None:
    """The symmetric prior whose absolute value has a prior."""
    match prior:
        case HalfNormal():
            return Normal(mean=0.0, sd=prior.sd)
        case HalfStudentT():
            return StudentT(mean=0.0, df=prior.df, scale=prior.scale)
        case HalfCauchy():
            return StudentT(mean=0.0, df=1.0, scale=prior.scale)
        case _:
            return None


def row_order(design: Design) -> NDArray[np.int64]:
    """An order of the rows in which those of the same groups stand together."""
    keys = [
        each.index(grouping.name)
        for each in design.equations
        for grouping in sorted(each.groupings, key=lambda grouping: -len(grouping.labels))
    ]
    return np.lexsort(keys) if keys else np.arange(design.size)


def program_of(design: Design, reported: Sequence[str], seen: AllSeen | None = None) -> Program:
    """Write the program of a design, which must be served; see `unserved`.

    Parameters
    ----------
    design
        The design in focus. Priors and geometry are those of its template, where it has one.
    reported
        Names of the variables that are kept, in order.
    seen
        What rows say of the levels of groups. Without it effects are sampled as deviations unless the
        analysis asks otherwise, and their levels are computed: the program of a pilot.
    """
    tape = Tape()
    order = row_order(design)
    capitals, latent = _capitals(tape, design, order, seen)
    for each in design.equations:
        _Equation(tape, each, order, seen).write(capitals, latent)
    return tape.finish(reported, order)


def _capitals(
    tape: Tape, design: Design, order: NDArray[np.int64], seen: AllSeen | None
) -> tuple[tuple[int, int], bool]:
    """Places of the capitals of the rows, in order, and whether any is latent."""
    found: dict[str, int] = {}
    for capital, values in zip(names.CAPITALS, design.capitals, strict=True):
        if not design.is_latent(capital):
            found[capital] = tape.room(design.size, np.nan_to_num(values[order]))
    latent = [capital for capital in names.CAPITALS if design.is_latent(capital)]
    for capital in latent:
        other = drawn_before(design, capital) or ""
        found[capital] = _latent(tape, design, capital, found.get(other, -1), order, seen)
    human, social = (found[capital] for capital in names.CAPITALS)
    return (human, social), bool(latent)


def _latent(
    tape: Tape,
    design: Design,
    capital: str,
    other: int,
    order: NDArray[np.int64],
    seen: AllSeen | None,
) -> int:
    """A latent capital and its indicators; see `bayescluster.model.build`."""
    n, items = design.size, design.items(capital)
    mean = _latent_mean(tape, design, capital, other, order, seen)
    loadings = _loadings(tape, capital, items)
    raw = tape.room(n)
    z = tape.noise(f"{capital}_z", n)
    width = len(items.continuous)
    intercept = error = 0
    if width:
        dim = (f"{names.item_dim(capital)}_continuous",)
        name = names.item_intercepts(capital)
        intercept, _ = tape.vector(name, [Normal(mean=0.0, sd=ITEM_INTERCEPT_SD)] * width)
        tape.report(name, intercept, (width,), dim)
        name = names.item_errors(capital)
        error, _ = tape.vector(name, [HalfNormal(sd=ERROR_SD)] * width)
        tape.report(name, error, (width,), dim)
    at = list(items.continuous)
    answers = items.values[:, at][order]
    listed = tape.places([loadings + k for k in at])
    known = tape.constants(np.nan_to_num(answers)), tape.places(np.isfinite(answers))
    complete = int(np.isfinite(answers).all())
    tape.do(machine.indicators, raw, n, mean, z, width, listed, intercept, error, *known, complete)
    for position, levels in enumerate(items.levels):
        if levels:
            _graded(tape, design, capital, (position, levels), (raw, loadings), order)
    out = tape.room(n)
    center, spread = tape.room(1), tape.room(1, 1.0)
    tape.do(machine.standardise, raw, n, out, center, spread)
    tape.report(names.raw_mean(capital), center, (), ())
    tape.report(names.raw_sd(capital), spread, (), ())
    back = tape.room(n)
    tape.do(machine.gather, out, back, n, tape.places(np.argsort(order)))
    tape.report(capital, back, (n,), (names.ROW,))
    return out


def _latent_mean(
    tape: Tape,
    design: Design,
    capital: str,
    other: int,
    order: NDArray[np.int64],
    seen: AllSeen | None,
) -> int:
    """Prior mean of a latent capital, ``(row,)`` in order: controls, cluster, other capital."""
    n, columns = design.size, design.background
    background = means = slope = -1
    cluster = 0
    if columns:
        name = names.background(capital)
        beta, _ = tape.vector(name, [Normal(mean=0.0, sd=BACKGROUND_SD)] * len(columns))
        tape.report(name, beta, (len(columns),), (names.background_dim(capital),))
        background = tape.room(n)
        matrix = tape.constants(np.array([values[order] for values in columns.values()]))
        none = tape.constants(np.zeros(n))
        tape.do(machine.matvec, background, n, beta, len(columns), matrix, none)
    if design.analysis.data.cluster is not None:
        means = _cluster_means(tape, design, capital, seen)
        cluster = tape.places(design.index(names.CLUSTER)[order])
    if other >= 0:
        name = names.on_other(capital)
        slope, _ = tape.vector(name, [Normal(mean=0.0, sd=BACKGROUND_SD)])
        tape.report(name, slope, (), ())
    mean = tape.room(n)
    tape.do(machine.latent_mean, mean, n, background, means, cluster, slope, max(other, 0))
    return mean


def _cluster_means(tape: Tape, design: Design, capital: str, seen: AllSeen | None) -> int:
    """Means of a latent capital in clusters, weighed against what their firms say."""
    groups, key = len(design.group_labels(names.CLUSTER)), (f"latent {capital}", names.CLUSTER)
    zeros = np.zeros((groups, 1))
    own = (seen or {}).get(key, geometry.Seen(zeros, zeros))
    name = names.capital_cluster_sd(capital)
    sd, size = _sds_of(tape, name, HalfNormal(sd=CLUSTER_MEAN_SD), geometry.least_sd(own))
    tape.report(name, size, (), ())
    x = tape.noise(f"{capital}_cluster_mean", groups)
    means, known = tape.room(groups), (tape.constants(values) for values in own)
    tape.report(f"{capital}_cluster_mean", means, (groups,), (names.CLUSTER,))
    place = x, tape.room(groups), sd, means, groups, 1
    last = tape.constants(np.ones(groups)), tape.room(1, 1.0), tape.room(groups), 0
    tape.do(machine.effects, *place, *known, *last)
    if seen is None:
        tape.watched.append(Watched(*key, (groups, 1), means, means, sd))
    return means


def _loadings(tape: Tape, capital: str, items: Any) -> int:
    priors = loading_priors(items)
    at, _ = tape.vector(names.item_loadings(capital), priors)
    tape.report(names.item_loadings(capital), at, (len(priors),), (names.item_dim(capital),))
    return at


def _graded(
    tape: Tape,
    design: Design,
    capital: str,
    item: tuple[int, int],
    places: tuple[int, int],
    order: NDArray[np.int64],
) -> None:
    position, levels = item
    raw, loadings = places
    values = design.items(capital).values[:, position][order]
    answered = np.flatnonzero(np.isfinite(values))
    prior = (design.template or design).items(capital).values[:, position]
    usual = usual_thresholds(prior[np.isfinite(prior)], levels)
    column = design.items(capital).columns[position]
    name = names.item_thresholds(capital, column)
    if levels == 2:
        cut, _ = tape.vector(name, [Normal(mean=float(usual[0]), sd=THRESHOLD_SD)])
    else:
        cut = tape.ordered(name, usual, THRESHOLD_SD)
    tape.report(name, cut, (levels - 1,), ())
    codes = tape.constants(values[answered])
    tape.do(
        *(machine.graded, raw, answered.size, tape.places(answered), codes),
        *(loadings + position, cut, levels),
    )
