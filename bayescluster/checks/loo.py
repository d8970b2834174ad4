"""Leave-one-out prediction by Pareto-smoothed importance sampling."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.results.model import Loo

WORST_SHOWN = 5


def psis_loo(design: Design, tree: xr.DataTree) -> Loo:
    """Estimate the expected log predictive density of rows left out one by one.

    Source: Vehtari, Gelman and Gabry (2017), as computed by arviz.
    """
    import arviz as az

    with warnings.catch_warnings():
        # arviz warns of large Pareto k; the report tells it row by row
        warnings.simplefilter("ignore", UserWarning)
        found = az.loo(tree, var_name=design.equation_name, pointwise=True)
    khat = np.asarray(found.pareto_k).ravel()
    draws = tree["posterior"].sizes[CHAIN] * tree["posterior"].sizes[DRAW]
    limit = khat_max(draws)
    order = np.argsort(-np.nan_to_num(khat, nan=np.inf))
    labels = np.array(design.labels(ROW))[design.answered]
    # a k that is not a number is not a good one
    bad = int((~(khat <= limit)).sum())
    return Loo(
        elpd=float(found.elpd),
        se=float(found.se),
        p_loo=float(found.p),
        khat_max=float(khat[np.isfinite(khat)].max(initial=0.0)),
        khat_threshold=limit,
        bad=bad,
        rows=int(design.answered.sum()),
        worst=tuple(f"{labels[k]} ({khat[k]:.2f})" for k in order[: min(bad, WORST_SHOWN)]),
        advice="the estimate leans on a few rows: read elpd with care, and look at these rows"
        if bad
        else "",
    )
