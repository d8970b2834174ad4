"""The log density of a whole model by numpy and scipy, written from the account of the priors.

It takes the point that PyMC takes: one value a free variable, on the unconstrained scale. Nothing
of `bayescluster.model` is used; of the design only its arrays and the names of what varies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit, gammaln, logit

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
    "human_capital": ("intercept", "human_capital"),
    "social_capital": ("intercept", "social_capital"),
    "additive": ("intercept", "human_capital", "social_capital"),
    "interaction": ("intercept", "human_capital", "social_capital", "interaction"),
    "conjunctive": (
        *("neither", "human_only", "social_only", "both"),
        *("human_threshold", "human_steepness", "social_threshold", "social_steepness"),
    ),
    "ces": ("intercept", "gain", "share", "substitution"),
}
"""Coefficients of the population, in order."""
REPLACED = {"conjunctive": "neither"}
"""What the cutpoints of an ordinal outcome stand for; the intercept, as a rule."""
INVERSE = {"identity": lambda x: x, "log": np.exp, "logit": expit, "probit": stats.norm.cdf}
FORWARD = {"identity": lambda x: x, "log": np.log, "logit": logit, "probit": stats.norm.ppf}


def conjunctive(c: Mapping[str, float], h: float, s: float, link: str) -> float:
    """Link of the mean of the four corners' expectations, weighted by two logistic gates."""
    gate_h = expit(np.exp(c["human_steepness"]) * (h - c["human_threshold"]))
    gate_s = expit(np.exp(c["social_steepness"]) * (s - c["social_threshold"]))
    mean = sum(
        weight * INVERSE[link](c[corner] + c["intercept"])
        for corner, weight in {
            "neither": (1 - gate_h) * (1 - gate_s),
            "human_only": gate_h * (1 - gate_s),
            "social_only": (1 - gate_h) * gate_s,
            "both": gate_h * gate_s,
        }.items()
    )
    return float(FORWARD[link](mean))


def ces(c: Mapping[str, float], h: float, s: float, _: str) -> float:
    """Level plus gain times the CES mean of ``exp(h)`` and ``exp(s)``, in logs."""
    d, r = expit(c["share"]), c["substitution"]
    mean = (d * np.exp(h) ** r + (1 - d) * np.exp(s) ** r) ** (1 / r)
    return float(c["intercept"] + np.exp(c["gain"]) * np.log(mean))


FORMS = {"conjunctive": conjunctive, "ces": ces}
LINKS = {"gaussian": "identity", "student_t": "identity"} | {
    "poisson": "log",
    "negative_binomial": "log",
    "lognormal": "log",
    "hurdle_lognormal": "log",
    "zero_inflated_poisson": "log",
    "zero_inflated_negative_binomial": "log",
    "probit": "probit",
}
PROBIT_UNIT = 0.5513288954217921
"""A logistic distribution has sd 1.8138, a standard normal 1."""


class Oracle:
    """Log density, linear predictor and parameters of one design at points."""

    def __init__(self, design: Design, correlation: float = 2.0) -> None:
        self.design = design
        equation = design.equation
        self.family = equation.family
        self.correlation = correlation
        link = LINKS.get(self.family, "logit")
        has_zeros = self.family.startswith(("hurdle", "zero_inflated"))
        some = design.outcome > 0 if has_zeros else np.ones(design.size, dtype=bool)
        in_logs = self.family.endswith("lognormal")
        y = np.log(design.outcome[some]) if in_logs else design.outcome[some]
        self.spread = np.sqrt(((y - y.mean()) ** 2).sum() / (y.size - 1))
        self.unit = {"identity": self.spread, "probit": PROBIT_UNIT}.get(link, 1.0)
        rate = y.sum() / np.exp(design.offset[some]).sum()
        self.intercept_link = link
        self.intercept = {
            "identity": (y.mean(), 2.5 * self.unit),
            "log": (y.mean() if in_logs else np.log(rate), 1.5),
            "logit": (0.0, 1.5),
            "probit": (0.0, 1.5 * PROBIT_UNIT),
        }[link]
        self.form = equation.form
        self.link = "identity" if self.family == "ordinal" else link
        replaced = REPLACED.get(self.form, "intercept") if self.family == "ordinal" else None
        own = tuple(term for term in TERMS[self.form] if term != replaced)
        self.terms = (*own, *equation.predictors)

    def log_density(self, point: Point) -> float:
        """Joint log density on the unconstrained scale."""
        total = self._coefficients(point)
        total += self.effects(point)[1]
        total += self._parameters(point)[1]
        # a Dirichlet of ones is flat: its density is (number of steps - 1)!
        for name in monotonic_names(self.design):
            shares, jacobian = shares_of(point, name)
            total += gammaln(shares.size) + jacobian
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
        shift = design.offset.copy()
        if design.control_names:
            shift += design.controls @ point["controls"]
            for name in monotonic_names(design):
                ladder = np.concatenate([[0.0], np.cumsum(shares_of(point, name)[0])])
                codes = design.data["monotonic_code"].sel(monotonic=name).to_numpy()
                equal = design.controls[:, design.control_names.index(name)]
                shift += point["controls"][design.control_names.index(name)] * (
                    ladder[codes] - equal
                )
        found, _ = self.effects(point)
        eta = np.zeros(design.size)
        for row in range(design.size):
            c = {"intercept": 0.0, "neither": 0.0} | self.population(point)[0]
            for grouping in design.groupings:
                group = design.index(grouping.name)[row]
                for k, term in enumerate(grouping.terms):
                    c[term] = c.get(term, 0.0) + found[grouping.name][group, k]
            c["intercept"] += shift[row]
            for k, name in enumerate(design.equation.predictors):
                c["intercept"] += c[name] * design.predictors[row, k]
            eta[row] = self._at(c, human[row], social[row])
        return eta

    def _at(self, c: Mapping[str, float], h: float, s: float) -> float:
        if self.form in FORMS:
            return FORMS[self.form](c, h, s, self.link)
        return float(sum(value * COVARIATES[t](h, s) for t, value in c.items() if t in COVARIATES))

    def population(self, point: Point) -> tuple[dict[str, float], float]:
        """Coefficients on their working scale, and the log density of all about them."""
        found: dict[str, float] = {}
        total = 0.0
        for position, term in enumerate(self.terms):
            name = f"population_{term}"
            if "population" in point:
                found[term] = float(point["population"][position])
            elif f"{name}_log__" in point or f"{name}_logodds__" in point:
                free = point.get(f"{name}_log__", point.get(f"{name}_logodds__"))
                found[term] = float(free)
            else:
                found[term] = float(point[name])
            total += self._prior(term, found[term])
        return found, total

    def _prior(self, term: str, value: float) -> float:
        """Log density of a coefficient on its working scale."""
        level, unit = self.intercept[0], self.unit
        tilt = {"neither": -2.0, "human_only": -1.0, "social_only": -1.0, "both": 1.0}
        if self.intercept_link not in ("logit", "probit"):
            tilt = {"neither": -0.5, "human_only": 0.0, "social_only": 0.0, "both": 0.5}
        if term in tilt:
            mean = tilt[term] - (tilt["neither"] if self.family == "ordinal" else 0.0)
            return float(stats.norm.logpdf(value, level + mean * unit, unit))
        if term.endswith("_threshold"):
            return float(stats.norm.logpdf(value, 0, 0.7))
        if term.endswith("_steepness"):
            return float(stats.norm.logpdf(value, np.log(2), 0.5))
        if term == "gain":
            return float(stats.halfnorm.logpdf(np.exp(value), scale=2 * unit) + value)
        if term == "share":
            share = expit(value)
            return float(stats.beta.logpdf(share, 2, 2) + np.log(share * (1 - share)))
        if term == "substitution":
            return float(stats.norm.logpdf(value, 0, 2))
        mean, sd = self.intercept if term == "intercept" else (0.0, unit)
        return float(stats.norm.logpdf(value, mean, sd))

    def _coefficients(self, point: Point) -> float:
        total = self.population(point)[1]
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
        if "zero_share_logodds__" in point:
            found["zero_share"] = expit(point["zero_share_logodds__"])
            # uniform, so that only the Jacobian is left
            total += np.log(found["zero_share"] * (1 - found["zero_share"]))
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
        population = dict.fromkeys((*COVARIATES, "neither"), 0.0) | self.population(point)[0]
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


def monotonic_names(design: Design) -> tuple[str, ...]:
    """Controls whose steps are estimated."""
    return design.labels("monotonic") if "monotonic" in design.data.coords else ()


def shares_of(point: Point, name: str) -> tuple[Array, float]:
    """Shares of the steps of a control, and the log Jacobian by differences."""
    free = np.atleast_1d(point[f"{name}_steps_simplex__"])

    def shares(x: Array) -> Array:
        odds = np.exp(np.concatenate([x, [-x.sum()]]))
        return odds / odds.sum()

    step = 1e-5
    columns = [
        (shares(free + shift) - shares(free - shift))[:-1] / (2 * step)
        for shift in step * np.eye(free.size)
    ]
    return shares(free), float(np.linalg.slogdet(np.column_stack(columns))[1])


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
