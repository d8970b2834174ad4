"""Posteriors of ceiling models: fitted for each capital and model, and kept in the run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.checks.ceiling_loo import Firms
from bayescluster.design.ceiling_scope import Axis, axis_of, known_rows, own_units
from bayescluster.design.record import Design
from bayescluster.inference.ceilings import CeilingSampler
from bayescluster.model.ceiling import ModelName
from bayescluster.model.ceiling_layout import Layout, layout_of
from bayescluster.names import ALL, CAPITALS, CLUSTER, INDUSTRY
from bayescluster.runs.keys import ceiling_key
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.ceiling_models import CeilingModels
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.watch import Watch

CEILING_STREAM = 21
"""Keeps the random streams of ceiling models apart from all others."""
TOP = 1.0
MODELS: tuple[ModelName, ...] = ("ratio", "composed", "contaminated")
KEY, SECONDS = "key", "seconds"


class Scoped(NamedTuple):
    """Firms of one capital in shares of the scope; ``rows`` are their places in the design."""

    capital: str
    rows: NDArray[np.int64]
    x_axis: Axis
    y_axis: Axis
    firms: Firms


class Fit(NamedTuple):
    """A ceiling model of one capital: its firms, and its draws."""

    scoped: Scoped
    kind: ModelName
    tree: xr.DataTree


def scoped_firms(design: Design, options: CeilingModels, capital: str) -> Scoped:
    """Take the firms whose capital and outcome are known, in shares of the scope."""
    known = known_rows(design)
    rows = np.flatnonzero(known[capital] & known["outcome"])
    x, y = own_units(design, capital)[rows], design.outcome[rows]
    x_axis = axis_of(x, getattr(options.scope, capital))
    y_axis = axis_of(y, options.scope.outcome)
    layout = _layout(design, rows)
    firms = Firms(layout, x_axis.share(x), y_axis.share(y), (options.floor, TOP))
    return Scoped(capital, rows, x_axis, y_axis, firms)


def _layout(design: Design, rows: NDArray[np.int64]) -> Layout:
    data = design.analysis.data
    labels = {
        name: np.array(design.group_labels(name))[design.index(name)][rows]
        for name in (CLUSTER, INDUSTRY)
        if getattr(data, name) is not None
    }
    if not labels:
        return layout_of(np.full(rows.size, ALL), None)
    return layout_of(labels.get(CLUSTER), labels.get(INDUSTRY))


def sampling_of(design: Design, options: CeilingModels, capital: str, kind: str) -> Sampling:
    """Settings of the sampler for one capital and model, with a seed of its own."""
    seed = design.analysis.sampling.seed
    entropy = (seed, CEILING_STREAM, CAPITALS.index(capital), MODELS.index(kind))
    return Sampling(
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        target_accept=options.target_accept,
        seed=int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1)),
    )


def key_of_fit(scoped: Scoped, kind: str, sampling: Sampling) -> str:
    """Hash what a fit depends on."""
    firms, digest = scoped.firms, hashlib.sha256()
    for values in (firms.x, firms.y, firms.layout.unit, firms.layout.industry):
        digest.update(np.ascontiguousarray(values).tobytes())
    asked: dict[str, Any] = {
        "model": kind,
        "firms": digest.hexdigest(),
        "units": [*firms.layout.units, *firms.layout.industries],
        "limits": firms.limits,
        "sampling": sampling.model_dump(),
    }
    return ceiling_key(asked)


def fit_ceiling_models(design: Design, directory: RunDirectory, watch: Watch) -> None:
    """Fit every ceiling model that is asked for, and keep it; those that are there are taken.

    Parameters
    ----------
    design
        Design of the analysis; of several forms, that of any.
    directory
        Run whose lock is held.
    watch
        Told of the progress.
    """
    options = design.analysis.traditions.ceiling_models
    if options is None:
        return
    pending = [job for job in _jobs(design, options) if _kept(directory, job) is None]
    if not pending:
        watch.step("The ceiling models are there already")
    samplers: dict[tuple[str, bytes], CeilingSampler] = {}
    with directory.stage("ceiling_models") if pending else nullcontext():
        for scoped, kind, sampling in pending:
            firms = scoped.firms
            shape = (kind, firms.layout.unit.tobytes())
            # both capitals of the same firms share one compiled model
            sampler = samplers.setdefault(shape, CeilingSampler(kind, firms.layout, firms.limits))
            watch.step(f"Sampling the ceiling model '{kind}' of {scoped.capital}")
            started = time.monotonic()
            tree = sampler.sample(firms.x, firms.y, sampling, watch.chain)
            tree.attrs = {
                KEY: key_of_fit(scoped, kind, sampling),
                SECONDS: round(time.monotonic() - started, 1),
            }
            directory.save_ceiling_model(scoped.capital, kind, tree)


class _Job(NamedTuple):
    scoped: Scoped
    kind: ModelName
    sampling: Sampling


def _jobs(design: Design, options: CeilingModels) -> Iterator[_Job]:
    for capital in options.capitals:
        scoped = scoped_firms(design, options, capital)
        for kind in options.models:
            yield _Job(scoped, kind, sampling_of(design, options, capital, kind))


def _kept(directory: RunDirectory, job: _Job) -> xr.DataTree | None:
    tree = directory.load_ceiling_model(job.scoped.capital, job.kind)
    if tree is None or tree.attrs.get(KEY) != key_of_fit(job.scoped, job.kind, job.sampling):
        return None
    return tree


def kept_fits(design: Design, directory: RunDirectory) -> tuple[Fit, ...]:
    """Fits that a run holds of what the analysis asks for, capital by capital."""
    options = design.analysis.traditions.ceiling_models
    if options is None:
        return ()
    found = ((job, _kept(directory, job)) for job in _jobs(design, options))
    return tuple(Fit(job.scoped, job.kind, tree) for job, tree in found if tree is not None)
