"""The machine gives the density of the PyMC graph, in other coordinates, and its exact gradient.

The two differ in coordinates only: densities are compared with the Jacobian of one set by the other, which is
found by differences, at perturbed points. The graph samples every effect as a standard normal here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy.special import logit

from bayescluster.design.record import Design
from bayescluster.families import FAMILIES
from bayescluster.inference.assemble import reported_variables
from bayescluster.kernel import geometry, machine
from bayescluster.kernel.program import AllSeen, program_of, unserved
from bayescluster.kernel.tape import Program
from bayescluster.model.build import build_model
from bayescluster.model.priors import population_terms
from bayescluster.spec.analysis import Analysis
from bayescluster.structures import STRUCTURES
from tests.factories import CONTROLS, firms, small_design
from tests.model.test_log_prior import STATED
from tests.model.test_measurement import design_for
from tests.oracles import fast_compile
from tests.systems import equation, system

POINTS = 4
Point = dict[str, np.ndarray]
NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}
SLOPES = {
    "industry": ["intercept", "human_capital", "interaction"],
    "cluster": ["intercept", "social_capital"],
}
CROSSED = {"place": ["intercept", "human_capital"], "year": ["intercept"], "cluster": ["intercept"]}
SURROUNDED = {"industry": ["intercept", "cluster_human_capital"], "cluster": ["intercept"]}
BOTH_CAPITALS = ["human_capital", "social_capital"]
MANY = {"industries": 2, "clusters": 4}


def with_centred(design: Design, centred: bool) -> Design:
    """The same model with all effects sampled as levels, or none."""
    equations = {
        name: one.model_copy(
            update={
                "varying": {
                    grouping: terms.model_copy(update={"centred": centred})
                    for grouping, terms in one.groupings.items()
                }
            }
        )
        for name, one in design.analysis.equations.items()
    }
    analysis = design.analysis.model_copy(update={"equations": equations})
    others = tuple(replace(one, analysis=analysis) for one in design.others)
    return replace(design, analysis=analysis, others=others)


def anything_seen(design: Design) -> AllSeen:
    """Levels of groups with precisions between nothing and much, as if a pilot had seen them."""
    rng, found = np.random.default_rng(4), {}
    shapes = {
        (each.equation_name, grouping.name): (len(grouping.labels), len(grouping.terms))
        for each in design.equations
        for grouping in each.groupings
    }
    if "cluster" in design.data.coords:
        clusters = len(design.group_labels("cluster"))
        shapes |= {(f"latent {capital}", "cluster"): (clusters, 1) for capital in BOTH_CAPITALS}
    for key, shape in shapes.items():
        precision = np.exp(rng.normal(0.0, 3.0, shape))
        found[key] = geometry.Seen(rng.normal(size=shape), precision)
    return found


def written(design: Design, how: str) -> Program:
    """The program of a design whose effects are levels, deviations, or weighed against what is seen."""
    reported = reported_variables(design)
    sds = [name for name in reported if name.endswith("_capital_cluster_sd")]
    reported += tuple(f"{name.removesuffix('sd')}mean" for name in sds)
    if how == "weighed":
        return program_of(design, reported, anything_seen(design))
    return program_of(with_centred(design, how == "levels"), reported, {})


WAYS = ["levels", "deviations", "weighed"]


def correlated(**more: Any) -> Design:
    varying = {
        "industry": {"terms": ["intercept", "human_capital"], "correlated": True},
        "cluster": {"terms": ["intercept", "human_capital", "interaction"], "correlated": True},
    }
    return small_design(
        "gaussian", "interaction", varying, frame=firms(**MANY), controls=CONTROLS, **more
    )


def two_equations() -> Design:
    return system(
        {
            "buyers": equation("buyers", varying={"cluster": ["intercept"]}),
            "sales": equation(
                "sales",
                "gaussian",
                predictors=["buyers"],
                controls=["exporter"],
                varying={"industry": ["intercept", "buyers"]},
            ),
        }
    )


HIERARCHIES: dict[str, Callable[[], Design]] = {
    "no groups": lambda: small_design("gaussian", "interaction"),
    "slopes": lambda: small_design("bernoulli", "interaction", SLOPES, controls=CONTROLS),
    "crossed": lambda: small_design("gaussian", "interaction", CROSSED, controls=CONTROLS),
    "correlated": correlated,
    "stated priors": lambda: correlated(priors=STATED),
    "ces": lambda: small_design("student_t", "ces", {"cluster": ["share", "gain", "intercept"]}),
    "gates": lambda: small_design(
        "bernoulli",
        "conjunctive",
        {"industry": ["both", "neither"], "cluster": ["intercept"]},
        controls=CONTROLS,
    ),
    "known errors": lambda: small_design("gaussian", "additive", NESTED, standard_error="error"),
    "exposure": lambda: small_design("negative_binomial", "ces", NESTED, exposure="exposure"),
    "weights": lambda: small_design(
        "bernoulli", "interaction", SLOPES, data={"weight": "exposure"}, controls=CONTROLS
    ),
    "zeros, exposure and weights": lambda: small_design(
        *("zero_inflated_negative_binomial", "additive", NESTED),
        exposure="exposure",
        data={"weight": "error"},
    ),
    "zeros and weights": lambda: small_design(
        "hurdle_lognormal", "additive", NESTED, data={"weight": "error"}
    ),
    "two equations": two_equations,
    "both latent": lambda: design_for("both latent"),
    "discrete indicators": lambda: design_for("discrete only", "bernoulli"),
    "contextual": lambda: small_design(
        "bernoulli", "interaction", SURROUNDED, controls=CONTROLS, contextual=BOTH_CAPITALS
    ),
    "contextual of firms": lambda: small_design(
        "gaussian",
        "interaction",
        {"firm": ["intercept"]},
        data={"firm": "panel"},
        contextual={"cluster": BOTH_CAPITALS, "firm": ["human_capital"]},
    ),
    **{
        f"contextual, latent, {form}": partial(
            design_for, "both latent", structure=form, contextual=BOTH_CAPITALS
        )
        for form in ("interaction", "conjunctive", "ces")
    },
}
PAIRS = {
    f"{family}, {form}": (family, form)
    for family in FAMILIES
    for form in STRUCTURES
    if not (family == "probit" and form == "conjunctive")
    and (family == "bernoulli" or form not in BOTH_CAPITALS)
}
DESIGNS = HIERARCHIES | {
    name: partial(small_design, *pair, NESTED, controls=["exporter"])
    for name, pair in PAIRS.items()
}


class Graph(NamedTuple):
    """Log density of a PyMC model at a point, and the shapes of its free values."""

    shapes: dict[str, tuple[int, ...]]
    log_density: Callable[[Point], float]


@lru_cache(maxsize=1)
def density_of(name: str) -> Graph:
    """Build and compile the PyMC model of a named design, effects as deviations."""
    with fast_compile():
        model = build_model(with_centred(DESIGNS[name](), False))
        parts = [part.sum() for part in model.logp(sum=False)]
        shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
        function = model.compile_fn(parts, mode=Mode("py", "fast_compile"))
    return Graph(shapes, lambda point: float(sum(function(point))))


def graph_point(
    design: Design, program: Program, x: np.ndarray, shapes: Mapping[str, Any]
) -> Point:
    """The point of the graph that is the point ``x`` of the program."""
    v = program.values(x)
    named = {s.name: v[s.at : s.at + s.size].reshape(s.shape) for s in program.reported}
    free = {part.name: v[part.at : part.at + part.size] for part in program.free}
    rows = np.argsort(program.order)
    found: Point = {}
    for name in shapes:
        base = name.removesuffix("__").rsplit("_", 1)[0]
        if name in named:
            found[name] = named[name]
        elif name.endswith("_cholesky_cholesky_corr__"):
            found[name] = _unconstrained(named[name.split("_cholesky_")[0] + "_correlation"])
        elif name.endswith("_ordered__"):
            cut = named[base]
            found[name] = np.append(cut[:1], np.log(np.diff(cut)))
        elif "population_" in name or "controls_" in name:
            found[name] = _coefficient(design, named, name)
        elif name.endswith("_log__"):
            found[name] = np.log(named[base])
        elif name.endswith("_logodds__"):
            found[name] = logit(named[base])
        elif name.endswith("_z") and name in free:
            found[name] = free[name][rows]
        elif name in free:
            found[name] = free[name]
        else:
            found[name] = _standard(design, named, name)
        found[name] = np.asarray(found[name]).reshape(shapes[name])
    return found


def _coefficient(design: Design, named: Point, name: str) -> Any:
    """A coefficient that is a variable of its own."""
    kind = next((k for k in ("log", "logodds") if name.endswith(f"_{k}__")), "")
    whole = name.removesuffix(f"_{kind}__") if kind else name
    for each in design.equations:
        vectors = {"population": population_terms(each), "controls": each.control_names}
        for vector, labels in vectors.items():
            for position, label in enumerate(labels):
                if whole == f"{each.variable(vector)}_{label}":
                    value = named[each.variable(vector)][position]
                    return {"": float, "log": np.log, "logodds": logit}[kind](value)
    raise AssertionError(name)


def _standard(design: Design, named: Point, name: str) -> Any:
    """Standard normals of the effects of a grouping."""
    for each in design.equations:
        for grouping in each.groupings:
            variable = each.variable(grouping.name)
            effect, sd = named.get(f"{variable}_effect"), named.get(f"{variable}_sd")
            if effect is None or not name.startswith(f"{variable}_"):
                continue
            scaled = effect / sd
            if grouping.correlated:
                factor = np.linalg.cholesky(named[f"{variable}_correlation"])
                return np.linalg.solve(factor, scaled.T).T
            for k, term in enumerate(grouping.terms):
                if name == f"{variable}_{term}_z":
                    return scaled[:, k]
    raise AssertionError(name)


def _unconstrained(correlation: np.ndarray) -> np.ndarray:
    """Coordinates of PyMC, which fill the triangle from the last row, there and back."""
    factor = np.linalg.cholesky(correlation)
    inner = (factor / np.diag(factor)[:, None])[1:, :-1]
    size = len(inner)
    square = np.concatenate(
        [np.arange(size, size * (size + 1) // 2), np.arange(size * (size + 1) // 2)[::-1]]
    )
    at = square.reshape(size, size)
    lower = np.tril_indices(size)
    found = np.empty(size * (size + 1) // 2)
    found[at[lower]] = inner[lower]
    return found


def slope(function: Callable[[float], np.ndarray], h: float = 1e-5) -> np.ndarray:
    """Derivative at 0, to the fourth order."""
    near, far = function(h) - function(-h), function(2 * h) - function(-2 * h)
    return np.asarray((8 * near - far) / (12 * h))


USUAL = (
    *(*HIERARCHIES, "bernoulli, interaction", "ordinal, conjunctive", "beta, ces"),
    *("hurdle_lognormal, interaction", "zero_inflated_beta, conjunctive"),
    *("zero_inflated_poisson, ces", "zero_inflated_negative_binomial, interaction"),
)
"""Pairs of family and form are compared with the graph in the slow tests, the rest always.

The way in which effects are sampled knows nothing of the family: of other pairs one way is enough.
"""


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in USUAL)) for n in DESIGNS]
)
def test_density_is_that_of_the_graph(name, how):
    design = DESIGNS[name]()
    assert unserved(design) is None
    plain = with_centred(design, False)
    graph = density_of(name)
    program = written(design, how)
    order = sorted(graph.shapes)

    def along(x: np.ndarray) -> np.ndarray:
        point = graph_point(plain, program, x, graph.shapes)
        return np.concatenate([np.ravel(point[key]) for key in order])

    rng, differences = np.random.default_rng(8), []
    for _ in range(POINTS):
        x = program.starting_point(rng)
        wanted = graph.log_density(graph_point(plain, program, x, graph.shapes))
        columns = [slope(lambda h, x=x, e=e: along(x + h * e)) for e in np.eye(x.size)]
        jacobian = np.linalg.slogdet(np.array(columns))[1]
        differences.append(program.density(x)[0] - wanted - jacobian)
    np.testing.assert_allclose(differences, differences[0], atol=2e-6)


@pytest.mark.parametrize(
    ("name", "how"),
    [(name, how) for name in DESIGNS for how in WAYS if name in USUAL or how == "weighed"],
)
def test_gradient_is_that_of_the_density(name, how):
    program = written(DESIGNS[name](), how)
    x = program.starting_point(np.random.default_rng(3))
    h = 1e-5
    slopes = [
        (program.density(x + h * e)[0] - program.density(x - h * e)[0]) / (2 * h)
        for e in np.eye(x.size)
    ]
    np.testing.assert_allclose(program.density(x)[1], slopes, rtol=1e-5, atol=1e-5)


def moved(program: Program, part: str) -> tuple[Point, Point]:
    """Reported values at a point, and after coordinates whose names begin with ``part`` have moved."""
    x = program.starting_point(np.random.default_rng(3))
    other = x + 0.7 * np.array([name.startswith(part) for name in program.names()])
    assert (x != other).any()
    found = []
    for point in (x, other):
        v = program.values(point)
        found.append({s.name: v[s.at : s.at + s.size].reshape(s.shape) for s in program.reported})
    return found[0], found[1]


def test_the_population_moves_no_coefficient_of_a_group_that_is_sampled_as_a_level():
    varying = {"cluster": {"terms": ["all"], "correlated": False}}
    design = small_design("gaussian", "interaction", varying, frame=firms(), controls=[])
    program = program_of(with_centred(design, True), reported_variables(design))
    before, after = moved(program, "population")
    gap = after["population"] - before["population"]
    assert np.abs(gap).min() > 0.1
    np.testing.assert_allclose(
        after["cluster_effect"], before["cluster_effect"] - gap[None], atol=1e-12
    )


def test_the_sd_of_deviations_does_not_move_the_mean_over_rows():
    varying = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
    design = small_design("gaussian", "interaction", varying, frame=firms(), controls=CONTROLS)
    program = program_of(with_centred(design, False), reported_variables(design))
    human = design.capitals[0]

    def means(values: Point) -> tuple[float, float]:
        terms = population_terms(design)
        known = dict(zip(terms, values["population"], strict=True))
        industry = values["industry_effect"][design.index("industry")]
        slope = known["human_capital"] + industry[:, 1]
        level = known["intercept"] + industry[:, 0]
        level = level + values["cluster_effect"][design.index("cluster"), 0]
        return float(level.mean()), float(np.average(slope, weights=human**2))

    before, after = moved(program, "industry_sd")
    assert np.abs(after["industry_effect"] - before["industry_effect"]).max() > 0.1
    np.testing.assert_allclose(means(after), means(before), atol=1e-12)


def test_known_levels_make_coordinates_standard_normals_whatever_the_sd_of_groups_is():
    design = small_design("gaussian", "additive", {"cluster": ["intercept"]}, frame=firms())
    index, sigma = design.index("cluster"), 0.7
    size = np.bincount(index)[:, None]
    level = np.bincount(index, design.outcome)[:, None] / size
    seen = {(design.equation_name, "cluster"): geometry.Seen(level, size / sigma**2)}
    program = program_of(design, reported_variables(design), seen)
    labels = program.names()
    which = [
        k for k, n in enumerate(labels) if n.startswith(("cluster_intercept", "population_int"))
    ]
    steps = 1e-4 * np.eye(len(labels))[which]
    x = np.zeros(len(labels))
    x[labels.index("sigma[0]")] = np.log(sigma)
    found = []
    for at in (-3.5, 0.3, 1.5, 5.0):
        x[labels.index("cluster_sd[0]")] = at
        slopes = [program.density(x + h)[1] - program.density(x - h)[1] for h in steps]
        curvature = np.array(slopes)[:, which] / 2e-4
        # next to 0 that of the population is held back
        population = labels.index("population_intercept[0]")
        held = -curvature[which.index(population), which.index(population)]
        assert held == pytest.approx(1.0, abs=0.01) if abs(at) > 3 else 1.0 < held < 3.0
        curvature[which.index(population), which.index(population)] = -1.0
        np.testing.assert_allclose(curvature, -np.eye(len(which)), atol=1e-3)
        v = program.values(x)
        found.append(v[next(s.at for s in program.reported if s.name == "cluster_sd")])
    assert min(found) > 0
    assert max(found) > 20 * min(found)


def panel() -> Design:
    """Twelve places that differ much, over eight years that differ little; places lie in industries."""
    frame, place = firms(rows=96), np.arange(96) // 8
    frame = frame.assign(place=[f"P{k:02d}" for k in place], year=2001 + np.arange(96) % 8)
    frame["industry"] = [f"I{k % 3}" for k in place]
    rng = np.random.default_rng(5)
    frame["growth"] = 10 + 3 * rng.normal(size=12)[place] + rng.normal(size=96)
    varying = {"place": ["intercept"], "industry": ["intercept"], "year": ["intercept"]}
    return small_design("gaussian", "additive", varying, {"cluster": None}, frame=frame)


def test_of_groupings_that_cut_across_each_other_the_one_that_others_lie_within_comes_last():
    design = panel()
    assert [one.name for one in geometry.sampling_order(design)] == ["year", "industry", "place"]
    told = {one.name: geometry.told_apart(design, one) for one in design.groupings}
    assert told["place"] > 10 > told["year"]
    # of two single ones the rows tell less of the first
    alone = replace(design, analysis=without(design, "industry"))
    assert [one.name for one in geometry.sampling_order(alone)] == ["year", "place"]


def without(design: Design, grouping: str) -> Analysis:
    """The analysis without one of the groupings."""
    varying = {name: of for name, of in design.equation.varying.items() if name != grouping}
    equation = design.equation.model_copy(update={"varying": varying})
    return design.analysis.model_copy(update={"equations": {design.equation_name: equation}})


def test_crossed_groups_make_coordinates_standard_normals_too():
    """In a balanced panel, also along the direction in which years make up for the level of all."""
    whole = panel()
    design = replace(whole, analysis=without(whole, "industry"))
    sigma, outcome, found = 1.0, design.outcome, {}
    for name, rows in (("place", 8), ("year", 12)):
        index = design.index(name)
        level = np.bincount(index, outcome)[:, None] / rows
        if name == "year":
            level = level - level.mean()
        found[design.equation_name, name] = geometry.Seen(
            level, np.full(level.shape, rows / sigma**2)
        )
    program = program_of(design, reported_variables(design), found)
    labels = program.names()
    own = ("place_intercept", "year_intercept", "population_int")
    which = [k for k, n in enumerate(labels) if n.startswith(own)]
    assert len(which) == 12 + 8 + 1
    steps = 1e-4 * np.eye(len(labels))[which]
    x = np.zeros(len(labels))
    x[labels.index("sigma[0]")] = np.log(sigma)
    for place_sd, year_sd in ((0.5, 0.1), (2.0, 0.1), (2.0, 1.0), (1.0, 3.0), (3.0, 3.0)):
        x[labels.index("place_sd[0]")], x[labels.index("year_sd[0]")] = place_sd, year_sd
        slopes = [program.density(x + h)[1] - program.density(x - h)[1] for h in steps]
        curvature = -np.array(slopes)[:, which] / 2e-4
        values = np.linalg.eigvalsh(curvature)
        assert values[0] > 0.99
        assert values[-1] < 1.3


def test_a_pilot_sees_what_rows_say_of_levels():
    rng = np.random.default_rng(2)
    draws, groups = 400, 30
    sd = np.exp(rng.normal(0.0, 0.5, (draws, 1)))
    centre = rng.normal(1.0, 0.3, draws)
    level = rng.normal(1.0, 1.0, groups)
    precision = np.geomspace(0.2, 200.0, groups)
    given = precision + sd**-2
    mean = (precision * level + sd**-2 * centre[:, None]) / given
    levels = mean + rng.normal(size=(draws, groups)) / np.sqrt(given)
    effects = levels - centre[:, None]
    found = geometry.seen(levels[..., None], effects[..., None], sd)
    ratio = found.precision[:, 0] / precision
    assert np.median(ratio) == pytest.approx(1.0, abs=0.2)
    assert np.quantile(ratio, 0.9) < 2
    well = precision > 2
    error = (found.level[:, 0] - level)[well] * np.sqrt(precision[well])
    assert np.abs(error).max() < 0.6


def test_coordinates_come_in_the_same_order_in_every_process():
    design = small_design("gaussian", "conjunctive", {"industry": ["all"]}, frame=firms())
    program = program_of(design, reported_variables(design))
    order = [part.name for part in program.free if part.name.startswith("population_")]
    gates = [f"population_{term}" for term in population_terms(design)]
    others = [name for name in gates if name.endswith(("threshold", "steepness"))]
    assert order == [*others, *(name for name in gates if name not in others)]


def test_without_a_place_to_keep_compiled_code_it_is_kept_for_the_process(monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    tried = []

    def compile_(function: Any) -> Any:
        tried.append(numba.config.CACHE_DIR)
        if not numba.config.CACHE_DIR:
            raise RuntimeError("cannot cache function 'f': no locator available for file 'f.py'")
        return function

    assert machine.kept(compile_, len) is len
    assert not tried[0]
    assert "bayescluster-" in tried[1]
    with pytest.raises(RuntimeError, match="another"):
        machine.kept(lambda _: (_ for _ in ()).throw(RuntimeError("another")), len)


def test_draws_are_the_same_whether_or_not_anything_had_to_be_compiled(tmp_path):
    """Two processes, the first of which compiles the machine."""
    script = """
from bayescluster.inference.density import compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.analysis import Sampling
from tests.factories import firms, small_design
design = small_design("bernoulli", "interaction", {"cluster": ["intercept"]}, frame=firms(120))
compiled = compile_design(design, 1)
sampling = Sampling(draws=100, tune=100, chains=1, seed=3)
(chain,) = sample_chains(compiled, sampling, [0])
print(chain.posterior["population"].to_numpy().tobytes().hex())
"""
    found = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())},
        ).stdout
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert any(tmp_path.rglob("*.nbi"))
