"""The log density of a whole model by numpy and scipy, written from the account of the priors.

It takes the point that PyMC takes: one value a free variable, on the unconstrained scale. Nothing
of `bayescluster.model` is used; of the design only its arrays and the names of what varies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import gammaln, logit

from bayescluster.design.record import Design, Grouping
from tests.oracles import LIKELIHOODS

Array = np.ndarray[Any, np.dtype[np.float64]]
Point = Mapping[str, Array]

COVARIATES: dict[str, Callable[[Array, Array], Array]] = {
    "intercept": lambda h, _: np.ones_like(h),
    "human_capital": lambda h, _: h,
    "social_capital": lambda _, s: s,
    "interaction": lambda h, s: h * s,
}
TERMS = {
    "intercept": ("intercept",),
    "additive": ("intercept", "human_capital", "social_capital"),
    "interaction": ("intercept", "human_capital", "social_capital", "interaction"),
}
LINKS = {"gaussian": "identity", "student_t": "identity"} | {
    "poisson": "log",
    "negative_binomial": "log",
    "lognormal": "log",
    "probit": "probit",
}
PROBIT_UNIT = 0.5513288954217921
"""A logistic distribution has sd 1.8138, a standard normal 1."""


class Oracle:
    """Log density, linear predictor and parameters of one design at points."""

    def __init__(self, design: Design, correlation: float = 2.0) -> None:
        self.design = design
        equation = design.analysis.equation
        self.family = equation.family
        self.correlation = correlation
        link = LINKS.get(self.family, "logit")
        y = np.log(design.outcome) if self.family == "lognormal" else design.outcome
        self.spread = np.sqrt(((y - y.mean()) ** 2).sum() / (y.size - 1))
        self.unit = {"identity": self.spread, "probit": PROBIT_UNIT}.get(link, 1.0)
        rate = y.sum() / np.exp(design.offset).sum()
        self.intercept = {
            "identity": (y.mean(), 2.5 * self.unit),
            "log": (y.mean() if self.family == "lognormal" else np.log(rate), 1.5),
            "logit": (0.0, 1.5),
            "probit": (0.0, 1.5 * PROBIT_UNIT),
        }[link]
        terms = TERMS[equation.structure]
        self.terms = tuple(t for t in terms if not (t == "intercept" and self.family == "ordinal"))

    def log_density(self, point: Point) -> float:
        """Joint log density on the unconstrained scale."""
        total = self._coefficients(point)
        total += self.effects(point)[1]
        total += self._parameters(point)[1]
        return float(total + self.log_likelihood(point).sum())

    def log_likelihood(self, point: Point) -> Array:
        """Log density of each row."""
        design = self.design
        parameters, _ = self._parameters(point)
        eta = self.linear_predictor(point)
        return LIKELIHOODS[self.family](design.outcome, eta, parameters, design.rows)

    def linear_predictor(self, point: Point) -> Array:
        """Linear predictor of each row, term by term and row by row."""
        design = self.design
        human, social = design.capitals
        x = {term: COVARIATES[term](human, social) for term in COVARIATES}
        eta = design.offset.copy()
        for term, value in zip(self.terms, point.get("population", ()), strict=True):
            eta += value * x[term]
        if design.control_names:
            eta += design.controls @ point["controls"]
        found, _ = self.effects(point)
        for grouping in design.groupings:
            effects = found[grouping.name]
            for row, group in enumerate(design.index(grouping.name)):
                eta[row] += sum(
                    effects[group, k] * x[term][row] for k, term in enumerate(grouping.terms)
                )
        return eta

    def _coefficients(self, point: Point) -> float:
        total = 0.0
        for term, value in zip(self.terms, point.get("population", ()), strict=True):
            mean, sd = self.intercept if term == "intercept" else (0.0, self.unit)
            total += stats.norm.logpdf(value, mean, sd)
        return total + stats.norm.logpdf(point.get("controls", np.zeros(0)), 0, self.unit).sum()

    def _parameters(self, point: Point) -> tuple[dict[str, Any], float]:
        prior = {
            "sigma": stats.halfnorm(scale=self.spread),
            "nu": stats.gamma(2.0, scale=10.0),
            "precision": stats.gamma(2.0, scale=10.0),
            "overdispersion": stats.halfnorm(scale=1.0),
        }
        found: dict[str, Any] = {}
        total = 0.0
        for name, distribution in prior.items():
            if f"{name}_log__" in point:
                found[name] = np.exp(point[f"{name}_log__"])
                total += distribution.logpdf(found[name]) + point[f"{name}_log__"]
        if "cutpoints_ordered__" in point:
            free = point["cutpoints_ordered__"]
            found["cutpoints"] = free[0] + np.concatenate([[0.0], np.cumsum(np.exp(free[1:]))])
            share = np.arange(1, free.size + 1) / (free.size + 1)
            total += stats.norm.logpdf(found["cutpoints"], logit(share), 1.5).sum()
            total += free[1:].sum()
        return found, total

    def effects(self, point: Point) -> tuple[dict[str, Array], float]:
        """Deviations ``(group, term)`` by grouping, and the log density of all about them.

        A centred variable holds whole coefficients: the deviation is what is left after the
        population's coefficient and the deviations of the coarser groups around the group. Where a
        grouping cuts across the coarser ones it holds the deviation itself.
        """
        population = dict.fromkeys(COVARIATES, 0.0)
        population |= dict(zip(self.terms, point.get("population", ()), strict=True))
        around = {term: [(None, value)] for term, value in population.items()}
        found: dict[str, Array] = {}
        total = 0.0
        for grouping in sorted(self.design.groupings, key=lambda g: len(g.labels)):
            index = self.design.index(grouping.name)
            centre = np.zeros((len(grouping.labels), len(grouping.terms)))
            within = []
            for k, term in enumerate(grouping.terms):
                above = around[term][-1][0]
                nested = above is None or all(
                    np.unique(self.design.index(above)[index == group]).size == 1
                    for group in range(len(grouping.labels))
                )
                within.append(nested)
                for group in range(len(grouping.labels)) if nested else ():
                    row = int(np.flatnonzero(index == group)[0])
                    centre[group, k] = sum(
                        value if name is None else value[self.design.index(name)[row]]
                        for name, value in around[term]
                    )
            effects, density = self._group(grouping, point, centre)
            found[grouping.name] = effects
            total += density
            for k, term in enumerate(grouping.terms):
                if within[k]:
                    around[term].append((grouping.name, effects[:, k]))
        return found, total

    def _group(self, grouping: Grouping, point: Point, centre: Array) -> tuple[Array, float]:
        """Deviations ``(group, term)`` of one grouping, and their log density."""
        name = grouping.name
        free = point[f"{name}_sd_log__"]
        sd = np.exp(free)
        total = stats.halfnorm.logpdf(sd, scale=0.5 * self.unit).sum() + free.sum()
        if grouping.correlated:
            factor, jacobian = cholesky_of(point[f"{name}_cholesky_cholesky_corr__"], sd.size)
            total += lkj_log_density(factor, self.correlation) + jacobian
            if grouping.centred:
                effects = point[f"{name}_total"] - centre
                covariance = sd[:, None] * (factor @ factor.T) * sd
                zero = np.zeros(sd.size)
                return effects, total + sum(
                    stats.multivariate_normal.logpdf(row, zero, covariance) for row in effects
                )
            z = point[f"{name}_z"]
            return np.array([sd * (factor @ row) for row in z]), total + stats.norm.logpdf(z).sum()
        columns = []
        for k, term in enumerate(grouping.terms):
            if term in grouping.centred:
                effect = point[f"{name}_{term}_total"] - centre[:, k]
                total += stats.norm.logpdf(effect, 0, sd[k]).sum()
            else:
                z = point[f"{name}_{term}_z"]
                effect = sd[k] * z
                total += stats.norm.logpdf(z).sum()
            columns.append(effect)
        return np.column_stack(columns), total


def cholesky_of(free: Array, size: int) -> tuple[Array, float]:
    """Factor of a correlation matrix from free numbers, and its log Jacobian by differences."""
    lower = np.tril_indices(size, -1)
    step = 1e-5
    columns = []
    for k in range(free.size):
        shift = np.zeros(free.size)
        shift[k] = step
        up, down = (correlation_factor(free + sign * shift, size) for sign in (1, -1))
        columns.append((up - down)[lower] / (2 * step))
    return correlation_factor(free, size), np.linalg.slogdet(np.column_stack(columns))[1]


def correlation_factor(free: Array, size: int) -> Array:
    """Lower triangle with 1 on its diagonal, rows brought to length 1.

    The free numbers fill the triangle in the order of PyMC 6: its last row first.
    """
    inner = size - 1
    square = np.concatenate([free[inner:], free[::-1]]).reshape(inner, inner)
    factor = np.eye(size)
    factor[1:, :-1] += np.tril(square)
    return factor / np.linalg.norm(factor, axis=1, keepdims=True)


def lkj_log_density(factor: Array, eta: float) -> float:
    """Log density of the factor ``L`` where ``L L'`` is LKJ(eta); Lewandowski et al. (2009)."""
    size = len(factor)
    diagonal = np.log(np.diag(factor))
    k = np.arange(2, size + 1)
    kernel = ((size - k + 2 * eta - 2) * diagonal[1:]).sum()
    # normalising constant over correlation matrices, by their canonical partial correlations
    constant = 0.0
    for position in range(1, size):
        beta = eta + (size - position - 1) / 2
        log_beta = 2 * gammaln(beta) - gammaln(2 * beta)
        constant += (size - position) * ((2 * beta - 1) * np.log(2) + log_beta)
    return float(kernel - constant)


def perturbed(shapes: Mapping[str, tuple[int, ...]], seed: int, size: float = 0.4) -> Any:
    """A point away from every mode and symmetry."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0.1, size, shape) for name, shape in shapes.items()}
