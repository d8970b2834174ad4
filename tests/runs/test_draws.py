"""Values of every firm at every draw are kept once: with their chains."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

from bayescluster.errors import RunError
from bayescluster.inference.nuts import Chain
from bayescluster.runs.store import RunDirectory

FIRMS = ["a", "b", "c", "d"]


def latent(number: int, shift: float = 0.0) -> Chain:
    rng = np.random.default_rng(number)
    coords = {"chain": [number], "draw": [0, 1, 2], "firm": FIRMS}
    found = xr.Dataset(
        {
            "population": (("chain", "draw"), rng.normal(size=(1, 3))),
            "human_capital": (("chain", "draw", "firm"), rng.normal(size=(1, 3, 4)) + shift),
            "loading": (("chain", "draw"), rng.normal(size=(1, 3))),
        },
        coords,
    )
    found["human_capital"][0, 1, 2] = np.nan  # a firm without a value is the same as itself
    stats = xr.Dataset({"energy": (("chain", "draw"), np.zeros((1, 3)))}, {"chain": [number]})
    return Chain(number, found, stats)


class Saved(NamedTuple):
    run: RunDirectory
    tree: xr.DataTree


@pytest.fixture
def saved(run: RunDirectory) -> Callable[[float], Saved]:
    """A run of two chains, and its posterior, whose firms are ``shift`` off those of the chains."""

    def made(shift: float) -> Saved:
        with run.stage("sampling"):
            for number in (1, 0):
                run.save_chain(latent(number))
        posterior = xr.concat([latent(k, shift).posterior for k in (0, 1)], "chain")
        tree = xr.DataTree.from_dict({"posterior": posterior, "prior": latent(7).posterior})
        with run.stage("posterior"):
            run.save_posterior(tree)
        return Saved(run, tree)

    return made


def on_disk(run: RunDirectory) -> set[str]:
    with xr.open_dataset(run.path / "posterior.nc", group="posterior", engine="h5netcdf") as found:
        return {str(name) for name in found.data_vars}


def test_what_the_chains_have_of_each_firm_is_not_kept_again(
    saved: Callable[[float], Saved],
) -> None:
    run, tree = saved(0.0)
    assert on_disk(run) == {"population", "loading"}
    found = run.load_posterior()
    for group in ("posterior", "prior"):
        xr.testing.assert_identical(found[group].to_dataset(), tree[group].to_dataset())
    assert list(found["posterior"].data_vars) == ["population", "human_capital", "loading"]
    assert run.verify() == []


def test_draws_that_are_not_those_of_the_chains_are_kept(saved: Callable[[float], Saved]) -> None:
    run, tree = saved(1e-15)
    assert on_disk(run) == {"population", "human_capital", "loading"}
    found = run.load_posterior()["posterior"].to_dataset()
    xr.testing.assert_identical(found, tree["posterior"].to_dataset())


def test_a_chain_that_is_gone_or_another_is_named(saved: Callable[[float], Saved]) -> None:
    run, _ = saved(0.0)
    chain = run.path / "chains" / "chain-2.npz"
    kept = chain.read_bytes()
    chain.unlink()
    with pytest.raises(RunError) as raised:
        run.load_posterior()
    assert f"{run.path / 'posterior.nc'}: the chains that it was made of are missing" in str(
        raised.value
    )
    chain.write_bytes(kept)
    with run.stage("sampling"):
        run.save_chain(latent(1, 1.0))
    with pytest.raises(RunError, match="the chains that it was made of are missing"):
        run.load_posterior()


@pytest.mark.parametrize(
    "said",
    ["{", "[]", '{"order": 3, "files": {}}', '["population"]', '{"order": ["x"], "files": FILES}'],
)
def test_a_posterior_that_says_something_else_of_its_chains_is_refused(
    saved: Callable[[float], Saved], said: str
) -> None:
    run, tree = saved(0.0)
    files = run.read_manifest().stages["sampling"].files
    posterior = tree["posterior"].to_dataset().drop_vars("human_capital")
    posterior.attrs["in_chains"] = said.replace("FILES", json.dumps(files))
    with run.stage("posterior"):
        run.save_posterior(xr.DataTree.from_dict({"posterior": posterior}))
    with pytest.raises(RunError, match="it does not fit its chains"):
        run.load_posterior()
