"""Ceiling models against densities written a second time with scipy, at perturbed points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayescluster.features.ceiling_models.model import (
    NUMPY,
    RESOLUTION,
    Layout,
    ModelName,
    build_ceiling_model,
    layout_of,
    log_composed,
    log_contaminated,
    log_ratio,
    prior_draws,
    reported,
)

LIMITS = (0.02, 1.0)
KINDS: tuple[ModelName, ...] = ("ratio", "composed", "contaminated")


def _firms(seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Clusters of very unequal size in three industries, firms at both ends of the scope."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(["a", "b", "c", "d", "e", "f"], [14, 1, 3, 11, 2, 5])
    industry = np.where(np.isin(cluster, ["a", "b"]), "P", np.where(cluster == "f", "R", "Q"))
    x, y = rng.random(cluster.size), rng.random(cluster.size)
    y[[0, 20]], y[[3, 14, 25]] = 1.0, (0.0, 0.005, 0.019)
    return cluster, industry, x, y


LAYOUTS = {
    "nested": lambda c, k: layout_of(c, k),
    "clusters alone": lambda c, _: layout_of(c, None),
    "industries alone": lambda _, k: layout_of(None, k),
    "one ceiling": lambda c, _: layout_of(np.full(c.size, "all"), None),
    "crossed": lambda c, k: layout_of(np.roll(c, 5), k),
}


def test_a_layout_places_firms_in_units_and_units_in_industries() -> None:
    cluster, industry, *_ = _firms()
    layout = layout_of(cluster, industry)
    assert layout.units == ("a", "b", "c", "d", "e", "f")
    assert [layout.industries[k] for k in layout.industry] == ["P", "P", "Q", "Q", "Q", "R"]
    assert list(layout.sizes) == [14, 1, 3, 11, 2, 5]
    assert [layout.units[k] for k in layout.unit] == list(cluster)
    for unit, row in enumerate(layout.members):
        assert set(row) - {cluster.size} == set(np.flatnonzero(layout.unit == unit))
    crossed = layout_of(np.array(["a", "a", "b"]), np.array(["P", "Q", "Q"]))
    assert crossed.units == ("a in P", "a in Q", "b in Q")


def _prior(layout: Layout, at: dict[str, np.ndarray]) -> tuple[float, np.ndarray, np.ndarray, Any]:
    """Log prior of all but the heights; slopes by unit, location and scale of the heights."""
    names = set(at)
    total = stats.halfnorm.logpdf(at["slope_mean"], scale=1.0)
    slope = np.full(len(layout.industries), at["slope_mean"])
    if "slope_sd" in names:
        total += stats.halfnorm.logpdf(at["slope_sd"], scale=1.0)
        total += stats.norm.logpdf(at["slope_raw"]).sum()
        slope = slope * np.exp(at["slope_sd"] * at["slope_raw"])
    location, scale = np.full(len(layout.units), 0.75), 0.35
    if "spread_beyond" in names:
        total += stats.norm.logpdf(at["location_mean"], 0.75, 0.35)
        total += stats.halfnorm.logpdf(at["spread_beyond"], scale=0.3)
        location, scale = (
            np.full(len(layout.units), at["location_mean"]),
            0.01 + at["spread_beyond"],
        )
    if "between_sd" in names:
        total += stats.halfnorm.logpdf(at["between_sd"], scale=0.2)
        total += stats.norm.logpdf(at["location_raw"]).sum()
        location = location + at["between_sd"] * at["location_raw"][layout.industry]
    total += stats.lognorm.logpdf([at["al"], at["be"]], 0.5).sum()
    return total, slope[layout.industry], location, scale * np.sqrt(3) / np.pi


def _firms_below(kind: str, at: dict[str, np.ndarray], y: np.ndarray, c: np.ndarray) -> float:
    """Log density of the firms, convolutions and constants by quadrature."""
    y, al, be = np.maximum(y, 1e-3), float(at["al"]), float(at["be"])
    if kind == "ratio":
        share = np.clip(y / c, 1e-3, 1 - 1e-3)
        return float((stats.beta.logpdf(share, al, be) - np.log(c)).sum())
    if kind == "composed":
        angle = np.linspace(0, np.pi / 2, 13)
        edge, middle = np.sin(angle) ** 2, np.sin((angle[1:] + angle[:-1]) / 2) ** 2
        mass = middle ** (al - 0.5) * (1 - middle) ** (be - 0.5)
        scale = (0.01 + float(at["noise_beyond"])) * np.sqrt(3) / np.pi
        low = stats.logistic.sf(y[:, None], c[:, None] * edge[:-1], scale)
        high = stats.logistic.sf(y[:, None], c[:, None] * edge[1:], scale)
        step = (high - low) / (c[:, None] * np.diff(edge))
        return float(
            (np.log((step * mass / mass.sum()).sum(axis=1))).sum()
            + stats.halfnorm.logpdf(at["noise_beyond"], scale=0.1)
        )
    soft = lambda r: (  # noqa: E731
        r ** (al - 1)
        * (0.01 * np.log1p(np.exp((1 - r) / 0.01))) ** (be - 1)
        * special.expit((1 - r) / 0.01)
    )
    whole = sum(
        integrate.quad(soft, *ends, limit=500)[0] for ends in ((0, 0.1), (0.1, 0.9), (0.9, 1.3))
    )
    share = float(at["contaminated_share"])
    inside = np.array([soft(r) if r < 6 else 0.0 for r in y / c])
    return float(
        np.log((1 - share) * inside / whole / c + share).sum() + stats.beta.logpdf(share, 1, 39)
    )


def _values(model: Any, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], float]:
    """A perturbed point, the same on its natural scale, and the log Jacobian between the two."""
    rng = np.random.default_rng(seed)
    point, natural, jacobian = model.initial_point(), {}, 0.0
    for name, value in point.items():
        point[name] = value + 0.7 * rng.normal(size=np.shape(value))
        plain = name.removesuffix("_log__").removesuffix("_logodds__")
        if name.endswith("_log__"):
            jacobian += float(np.sum(point[name]))
            natural[plain] = np.exp(point[name])
        elif name.endswith("_logodds__"):
            natural[plain] = special.expit(point[name])
            jacobian += float(np.log(natural[plain] * (1 - natural[plain])))
        else:
            natural[plain] = point[name]
    return point, natural, jacobian


CASES: tuple[tuple[ModelName, str], ...] = (
    *(("ratio", arranged) for arranged in LAYOUTS),
    *((kind, arranged) for kind in KINDS[1:] for arranged in ("nested", "one ceiling")),
)
"""A hard ceiling in every layout; of the soft ones those that differ most."""


@pytest.mark.parametrize(("kind", "arranged"), CASES)
def test_log_density_is_that_of_an_oracle(kind: ModelName, arranged: str) -> None:
    import pymc as pm
    import pytensor

    cluster, industry, x, y = _firms()
    layout = LAYOUTS[arranged](cluster, industry)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = build_ceiling_model(kind, layout, x, y, LIMITS)
        graph = model.replace_rvs_by_values([model["height"]])[0]
        heights = pm.compile(model.value_vars, graph, on_unused_input="ignore")
        logp = model.compile_logp()
        gradient = model.compile_dlogp()
    assert set(reported(kind, layout)) <= {variable.name for variable in model.unobserved_RVs}
    for seed in range(3):
        point, at, jacobian = _values(model, seed)
        total, slope, location, scale = _prior(layout, at)
        height = heights(**point)
        line = height[layout.unit] + slope[layout.unit] * (x - 0.5)
        c = np.clip(line, *LIMITS)
        if kind == "ratio":
            assert (c >= y - 1e-12)[y > LIMITS[0]].all()
            total += _place(at["place"], height, (slope, location, scale), (layout, x, y))
        else:
            jacobian += _raw(at["height_raw"], height, (location, scale), layout.sizes >= 10)
        total += stats.logistic.logpdf(height, location, scale).sum()
        total += _firms_below(kind, at, y, c)
        # the constant of a soft edge is summed over nodes, and a firm has it once
        error = 1e-3 * y.size if kind == "contaminated" else 1e-6
        assert float(logp(point)) == pytest.approx(total + jacobian, rel=1e-7, abs=error)
        assert np.isfinite(gradient(point)).all()


def _place(
    logit: np.ndarray,
    height: np.ndarray,
    population: tuple[np.ndarray, np.ndarray, Any],
    firms: tuple[Layout, np.ndarray, np.ndarray],
) -> float:
    """Log Jacobian of heights by their places, checked against the distribution itself."""
    (slope, location, scale), (layout, x, y) = population, firms
    least = np.full(len(layout.units), -3.0)
    for i in np.flatnonzero(y > LIMITS[0]):
        unit = layout.unit[i]
        least[unit] = max(least[unit], y[i] - slope[unit] * (x[i] - 0.5))
    spread = np.broadcast_to(scale, location.shape)
    survival = stats.logistic.sf(least, location, spread)
    np.testing.assert_allclose(
        1 - special.expit(logit), stats.logistic.sf(height, location, spread) / survival, rtol=1e-7
    )
    slopes = special.expit(logit) * special.expit(-logit) * survival
    return float(np.log(slopes / stats.logistic.pdf(height, location, spread)).sum())


def _raw(
    raw: np.ndarray, height: np.ndarray, population: tuple[np.ndarray, Any], centred: np.ndarray
) -> float:
    """Log Jacobian of heights by what is sampled: themselves, or deviations in scales."""
    location, scale = population
    spread = np.broadcast_to(scale, location.shape)
    np.testing.assert_allclose(height, np.where(centred, raw, location + spread * raw), rtol=1e-9)
    return float(np.log(spread[~centred]).sum())


@pytest.mark.parametrize(("al", "be", "c"), [(1.3, 0.8, 0.7), (0.6, 1.7, 0.3), (2.0, 2.0, 0.9)])
def test_densities_integrate_to_one_and_agree_where_there_is_no_noise(
    al: float, be: float, c: float
) -> None:
    def density(log: Any, extra: float, y: float) -> float:
        return float(np.exp(log(NUMPY, np.array([y]), np.array([c]), (al, be), extra))[0])

    for log, extra in ((log_composed, 0.03), (log_contaminated, 1e-9)):
        low = -3.0 if log is log_composed else 0.0
        pieces = ((low, 0.0), (0.0, 0.1), (0.1, c), (c, 1.3 * c), (1.3 * c, 3.0))
        whole = sum(
            integrate.quad(lambda y: density(log, extra, y), *ends, limit=400)[0]  # noqa: B023
            for ends in pieces
            if ends[0] < ends[1] and (log is log_composed or ends[1] <= 1.3 * c)
        )
        assert whole == pytest.approx(1.0, abs=1e-3)
    inside = c * np.linspace(0.15, 0.9, 7)
    hard = np.exp(log_ratio(NUMPY, inside, np.full(7, c), al, be))
    soft = [density(log_contaminated, 1e-9, y) for y in inside]
    np.testing.assert_allclose(soft, hard, rtol=0.01)
    noisy = [density(log_composed, 0.02 * c, y) for y in inside]
    convolved = [
        integrate.quad(
            lambda r, at=at: stats.beta.pdf(r, al, be) * stats.logistic.pdf(at, c * r, 0.02 * c),
            0,
            1,
            points=[at / c],
            limit=400,
        )[0]
        for at in inside
    ]
    np.testing.assert_allclose(noisy, convolved, rtol=0.03)
    assert RESOLUTION < 0.15 * c


def test_prior_draws_have_the_moments_of_the_prior() -> None:
    cluster, industry, *_ = _firms()
    found = prior_draws("composed", layout_of(cluster, industry), 40_000, np.random.default_rng(1))
    assert found.location.mean() == pytest.approx(0.75, abs=0.01)
    assert found.location[:, 0].std() == pytest.approx(np.hypot(0.35, 0.2), abs=0.01)
    deviation = found.height - found.location[:, [0, 0, 1, 1, 1, 2]]
    # sd of the mixture: root of the mean of (0.01 + half-normal(0.3)) squared
    assert deviation.std() == pytest.approx(np.sqrt(0.01**2 + 0.02 * 0.2394 + 0.09), abs=0.01)
    assert np.median(found.al) == pytest.approx(1.0, abs=0.01)
    # the mean of the log of a half-normal; what an industry adds has mean 0
    assert np.log(found.slope).mean() == pytest.approx(-(np.euler_gamma + np.log(2)) / 2, abs=0.02)
    assert found.extra.mean() == pytest.approx(0.01 + 0.1 * np.sqrt(2 / np.pi), abs=0.002)
