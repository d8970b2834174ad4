"""What can be asked of the draws of a run: predictions, corners, and claims written as expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import estimate
from bayescluster.estimands.effects import Own, Setting, outcome_surface
from bayescluster.estimands.levels import CORNERS, Levels, levels_of
from bayescluster.estimands.scopes import scoped
from bayescluster.lookup import suggestion
from bayescluster.names import CAPITALS
from bayescluster.spec.hypotheses import Corners, Scope
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import Averaged, WeightedForm

if TYPE_CHECKING:
    from bayescluster.design.record import Design

type Level = float | Sequence[float] | None
"""A level of a capital, several of them, or none: as observed."""


class Posterior(NamedTuple):
    """Draws of a run by form, and of their mixture where there are several."""

    forms: Mapping[str, Evidence]
    mixed: Evidence

    @property
    def parts(self) -> Iterable[Evidence]:
        """Evidence whose draws, one after the other, are those of the answer."""
        return self.mixed.parts if isinstance(self.mixed, Averaged) else (self.mixed,)

    @property
    def chains(self) -> int:
        """Chains of the draws; a mixture of forms has none, and counts as one."""
        return max(self.mixed.posterior.chains, 1)

    @property
    def design(self) -> Design:
        """Design of the form with the largest weight."""
        return self.mixed.design


def mixed(forms: Mapping[str, tuple[float, Evidence]]) -> Posterior:
    """Put the draws of several forms together, by their weights."""
    evidence = {name: one for name, (_, one) in forms.items()}
    if len(forms) == 1:
        return Posterior(evidence, next(iter(evidence.values())))
    some = [WeightedForm(name, weight, one) for name, (weight, one) in forms.items()]
    return Posterior(evidence, Averaged(some))


def predicted(
    posterior: Posterior, levels: Mapping[str, Level], by: str, scope: Scope, unit: str
) -> pd.DataFrame:
    """Expected outcome with the capitals at given levels, averaged over the firms of each group.

    Parameters
    ----------
    posterior
        Draws of a run.
    levels
        Level or levels of each capital; None leaves it as observed.
    by, scope
        Groups, and for which clusters; see `bayescluster.kit.words.SCOPES`.
    unit
        ``sd`` for standard deviations, ``score`` for the capital's own unit.

    Returns
    -------
    pandas.DataFrame
        A row for each combination of levels and group: mean, sd and 90% interval.
    """
    listed = [_listed(posterior.design, name, levels.get(name), unit) for name in CAPITALS]
    pairs = list(product(*listed))
    settings = [Setting(*(Own() if at is None else at for _, at in pair)) for pair in pairs]
    draws = np.concatenate([_surface(part, settings, scope) for part in posterior.parts])
    columns = _columns(posterior, by)
    rows = []
    for k, pair in enumerate(pairs):
        for column, label in columns:
            found = estimate(draws[:, k, column])
            given = {name: shown for name, (shown, _) in zip(CAPITALS, pair, strict=True)}
            rows.append({**given, "group": label, **_interval(found)})
    return pd.DataFrame(rows)


def _listed(
    design: Design, name: str, level: Level, unit: str
) -> list[tuple[float | None, float | None]]:
    """Levels as they were given, and in standard deviations."""
    if level is None:
        return [(None, None)]
    given = [float(one) for one in np.atleast_1d(np.asarray(level, dtype="float64"))]
    if not given or not np.isfinite(given).all():
        raise ValueError(f"{name}: levels have to be finite numbers")
    scaling = design.scaling(name)
    center, scale = (scaling.center, scaling.scale) if unit == "score" else (0.0, 1.0)
    return [(one, (one - center) / scale) for one in given]


def _surface(part: Evidence, settings: Sequence[Setting], scope: Scope) -> Array:
    draws = scoped(part.design, part.posterior, scope, part.seed)
    return outcome_surface(part.design, draws, settings, part.groups.weights)


def _interval(found: Any) -> dict[str, float]:
    return {name: getattr(found, name) for name in ("mean", "sd", "low", "high")}


def _columns(posterior: Posterior, by: str) -> list[tuple[int, str]]:
    columns = posterior.mixed.columns(by)
    if not columns:
        raise ValueError(f"unknown by '{by}': {suggestion(by, posterior.mixed.kinds)}")
    return columns


def corner_draws(
    posterior: Posterior, by: str, scope: Scope, low: float, high: float
) -> xr.DataArray:
    """Expected outcome at the corners, draw by draw: ``(corner, chain, draw, <by>)``."""
    levels = levels_of(posterior.design, Corners(low=low, high=high))
    columns, labels = zip(*_columns(posterior, by), strict=True)
    corners = posterior.mixed.surface(scope, levels).corners
    shape = (posterior.chains, -1, len(columns))
    return xr.DataArray(
        [corners[name][:, list(columns)].reshape(shape) for name in CORNERS],
        dims=("corner", "chain", "draw", by),
        coords={"corner": list(CORNERS), by: list(labels)},
        name="expected_outcome",
    )


def draws_frame(posterior: Posterior, by: str, scope: Scope) -> pd.DataFrame:
    """Effects and corners as tidy draws: a row for each draw, quantity and group.

    Columns: ``chain, draw, group, quantity, value``; quantities are the corners ``LL, HL, LH, HH``
    (level of human capital, then of social capital), ``effect_<capital>`` per standard deviation and
    ``contrast_<capital>`` from low to high.
    """
    levels = levels_of(posterior.design, Corners())
    surface = posterior.mixed.surface(scope, levels)
    quantities = {
        **surface.corners,
        **{f"effect_{name}": values for name, values in surface.marginal.items()},
        **{f"contrast_{name}": values for name, values in surface.contrast.items()},
    }
    columns, labels = zip(*_columns(posterior, by), strict=True)
    size = next(iter(quantities.values())).shape[0]
    each = size // posterior.chains
    index = np.arange(size)
    parts = [
        pd.DataFrame(
            {
                "chain": np.repeat(index // each, len(labels)),
                "draw": np.repeat(index % each, len(labels)),
                "group": np.tile(labels, size),
                "quantity": name,
                "value": values[:, list(columns)].ravel(),
            }
        )
        for name, values in quantities.items()
    ]
    return pd.concat(parts, ignore_index=True)


# expressions


def probability(
    posterior: Posterior, expression: str, by: str, scope: Scope, levels: Levels
) -> pd.DataFrame:
    """Probability of a statement about the corners, before and after the data.

    Returns
    -------
    pandas.DataFrame
        A row for each group: posterior and prior probability, and one under each form where there are
        several.

    Raises
    ------
    ValueError
        If the expression is not a statement about corners; the message names the place.
    """
    holds = statement(expression)
    columns = _columns(posterior, by)
    found = holds(posterior.mixed.surface(scope, levels).corners)
    prior = holds(posterior.mixed.surface(scope, levels, "prior").corners)
    forms = {}
    if len(posterior.forms) > 1:
        forms = {
            name: holds(one.surface(scope, levels).corners) for name, one in posterior.forms.items()
        }
    return pd.DataFrame(
        [
            {
                "group": label,
                "probability": float(found[:, column].mean()),
                "prior_probability": float(prior[:, column].mean()),
                **{name: float(one[:, column].mean()) for name, one in forms.items()},
            }
            for column, label in columns
        ]
    )


ARITHMETIC: Final[Mapping[type, Callable[..., Array]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARISONS: Final[Mapping[type, Callable[..., Array]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Final[Mapping[str, Callable[..., Array]]] = {
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "logit": lambda p: np.log(p) - np.log1p(-p),
    "min": np.minimum,
    "max": np.maximum,
}
LONGEST: Final = 1000
"""Characters of an expression."""


def statement(expression: str) -> Callable[[Mapping[str, Array]], Array]:
    """Read a statement about the corners, such as ``LH / HH <= 1/3 and HH >= 0.25``.

    Names are the corners LL, HL, LH, HH; there are ``+ - * /``, comparisons, ``and or not``, brackets,
    numbers, and the functions abs, exp, log, logit, min and max. Nothing else is read, and nothing is
    run but these.

    Raises
    ------
    ValueError
        If something else is in it.
    """
    if len(expression) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"'{expression}' cannot be read as an expression of corners") from error
    if not _is_statement(tree):
        raise ValueError(f"'{expression}' is no statement: compare something, e.g. HH - LH > 0.1")
    _value(tree, dict.fromkeys(CORNERS, np.ones(1)))  # refuses what is not part of the language
    return lambda corners: np.asarray(_value(tree, corners), dtype=bool)


def _is_statement(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(map(_is_statement, node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _is_statement(node.operand)
    return isinstance(node, ast.Compare)


def _value(node: ast.AST, corners: Mapping[str, Array]) -> Any:
    """Value of an expression, ``(draw, group)``; what is not part of the language is named."""
    match node:
        case ast.Name(id=name):
            if name not in corners:
                raise ValueError(f"unknown name '{name}': {suggestion(name, CORNERS)}")
            return corners[name]
        case ast.Constant(value=value) if type(value) in (int, float):
            return value
        case ast.BoolOp(op=op, values=values):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce([_value(one, corners) for one in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_value(operand, corners))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in ARITHMETIC:
            return ARITHMETIC[type(op)](_value(operand, corners))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
            with np.errstate(divide="ignore", invalid="ignore"):
                return ARITHMETIC[type(op)](_value(left, corners), _value(right, corners))
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(
            type(op) in COMPARISONS for op in ops
        ):
            sides = [_value(one, corners) for one in (left, *rest)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            return np.logical_and.reduce(
                [np.asarray(COMPARISONS[type(op)](a, b)) for op, a, b in pairs]
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS and len(
            args
        ) == (2 if name in ("min", "max") else 1):
            with np.errstate(divide="ignore", invalid="ignore"):
                return FUNCTIONS[name](*(_value(one, corners) for one in args))
    raise ValueError(f"'{ast.unparse(node)}' cannot be part of a statement about corners")
