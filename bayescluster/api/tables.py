"""Analyses of a plain table, without a model: necessary conditions, and sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from bayescluster.features.nca.results import Necessity
    from bayescluster.features.sets.results import PlainSets
    from bayescluster.spec.base import Scalar

IN_MEMORY = "table"
"""What a table that has no file is called."""


def nca(  # noqa: PLR0913 - each option of the analysis is a parameter
    table: pd.DataFrame | Path | str,
    x: str | Sequence[str],
    y: str,
    *,
    ceilings: Sequence[str] = ("ce_fdh", "cr_fdh"),
    corner: str = "upper_left",
    scope: Sequence[Sequence[float]] = (),
    bottleneck: str = "percentage_range",
    steps: int = 10,
    permutations: int = 10_000,
    seed: int = 1,
    duplicate_peers: str = "unique",
    group: str | None = None,
    names: str | None = None,
    missing_values: Sequence[Scalar] = (),
) -> Necessity:
    """Analyse necessary conditions in a table: ceilings, effect sizes, bottlenecks.

    Parameters
    ----------
    table
        Rows are cases; a file is csv, xlsx, dta, sav or parquet.
    x, y
        Columns of the conditions and of the outcome.
    ceilings
        ``ce_fdh``, ``cr_fdh``, ``ce_vrs``, ``cr_vrs``, ``cols`` or ``c_lp``.
    corner
        Corner that is empty where the condition is necessary.
    scope
        ``(xmin, xmax, ymin, ymax)``, once or once a condition; the range of the rows without it.
    bottleneck, steps
        Unit and number of steps of the bottleneck table.
    permutations, seed
        Number of permutations, 0 for no test, and their seed.
    duplicate_peers
        Peers in one place count once (``unique``) or each (``keep``).
    group, names
        Column of groups, each analysed too; column that names the rows.
    missing_values
        Codes for no answer.

    Returns
    -------
    Necessity
        Effect sizes, p-values, peers and bottlenecks of each condition.

    Raises
    ------
    ConfigError, DataError
        With every fault of the options, or of the columns.
    """
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.nca.compute import Options, analyse_necessity

    options = Options(
        table=IN_MEMORY if isinstance(table, pd.DataFrame) else str(table),
        conditions=(x,) if isinstance(x, str) else tuple(x),
        outcome=y,
        group=group,
        names=names,
        ceilings=tuple(ceilings),
        corner=corner,
        bottleneck=bottleneck,
        duplicate_peers=duplicate_peers,
        scope=tuple(" ".join(map(repr, map(float, box))) for box in scope),
        steps=steps,
        permutations=permutations,
        seed=seed,
        reading=Reading(missing_values=tuple(map(str, missing_values))),
    )
    return analyse_necessity(options, frame=table if isinstance(table, pd.DataFrame) else None)


def qca(  # noqa: PLR0913 - each option of the analysis is a parameter
    table: pd.DataFrame | Path | str,
    outcome: str,
    conditions: Sequence[str],
    *,
    calibrate: Mapping[str, tuple[float, float, float]] | None = None,
    expect: Mapping[str, Literal["present", "absent"]] | None = None,
    names: str | None = None,
    group: str | None = None,
    incl_cut: float = 0.8,
    n_cut: int = 1,
    pri_cut: float = 0.0,
    remainders: bool = False,
    necessity_cut: float = 0.9,
    ron_cut: float = 0.5,
) -> PlainSets:
    """Analyse a table as fuzzy or crisp sets: necessity, sufficiency, truth table, solutions.

    Parameters
    ----------
    table
        Rows are cases; a file is csv, xlsx, dta, sav or parquet.
    outcome, conditions
        Columns; ``~NAME`` for the absence of the outcome.
    calibrate
        Exclusion, crossover and inclusion by column; other columns hold memberships already.
    expect
        Whether the presence or the absence of a condition is expected to go with the outcome.
    names, group
        Column that names the cases; column of groups to compare.
    incl_cut, n_cut, pri_cut
        Least consistency, number of cases and PRI of a row of the truth table.
    remainders
        Whether parsimonious and intermediate solutions are shown too.
    necessity_cut, ron_cut
        Least consistency and relevance of a combination that is necessary.

    Returns
    -------
    PlainSets
        Measures, truth table and solutions.

    Raises
    ------
    ConfigError, DataError
        With every fault of the options, or of the cells.
    """
    from bayescluster.features.sets.qca import Request, plain_sets
    from bayescluster.features.sets.truth_table import Cuts

    frame = table if isinstance(table, pd.DataFrame) else None
    request = Request(
        table=Path(IN_MEMORY) if isinstance(table, pd.DataFrame) else Path(table),
        outcome=outcome,
        conditions=tuple(conditions),
        anchors=calibrate or {},
        expected=expect or {},
        names=names,
        group=group,
        cuts=Cuts(n_cut, incl_cut, pri_cut),
        remainders=remainders,
        necessity_cuts=(necessity_cut, ron_cut),
    )
    return plain_sets(request, frame)
