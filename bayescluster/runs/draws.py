"""Values of every firm at every draw, such as those of latent capitals: kept once, with their chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import TypeAdapter

from bayescluster.names import CHAIN, ROW

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain

POSTERIOR: Final = "posterior"
IN_CHAINS: Final = "in_chains"
"""Attribute of a saved posterior: its variables in their order, and the files that hold the others."""


class InChains(NamedTuple):
    """Variables of a posterior in their order, and digests of the chains that some are read from."""

    order: tuple[str, ...]
    files: dict[str, str]


INSIDE: Final = TypeAdapter(InChains)


def by_firm(tree: xr.DataTree) -> tuple[str, ...]:
    """Variables of the posterior that have a value for every firm at every draw."""
    posterior = tree[POSTERIOR].to_dataset()
    return tuple(str(name) for name, each in posterior.data_vars.items() if ROW in each.dims)


def without_rows(
    tree: xr.DataTree, chains: Sequence[Chain], files: Mapping[str, str]
) -> xr.DataTree:
    """Leave out what the chains have, to the last bit, for every firm at every draw.

    Draws that were weighed or completed after the fit are not those of the chains: they are kept.

    Parameters
    ----------
    tree
        Everything the fit knows.
    chains
        The chains, in the order of their numbers.
    files
        Digest of the file of each chain.
    """
    import numpy as np
    import xarray as xr

    posterior = tree[POSTERIOR].to_dataset()

    def same(name: str) -> bool:
        values = posterior[name].to_numpy()
        return len(values) == len(chains) and all(
            name in chain.posterior
            and np.array_equal(values[k : k + 1], chain.posterior[name].to_numpy(), equal_nan=True)
            for k, chain in enumerate(chains)
        )

    left_out = [name for name in by_firm(tree) if same(name)]
    if not left_out:
        return tree
    order = [str(name) for name in posterior.data_vars]
    kept = posterior.drop_vars(left_out)
    inside = INSIDE.dump_json(InChains(tuple(order), dict(files))).decode()
    kept.attrs = {**posterior.attrs, IN_CHAINS: inside}
    groups = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    return xr.DataTree.from_dict({**groups, f"/{POSTERIOR}": kept})


def in_chains(tree: xr.DataTree) -> InChains | None:
    """What a saved posterior lacks because the chains have it; nothing where it is whole.

    Raises
    ------
    ValueError
        If that is not said as `without_rows` says it.
    """
    found = tree[POSTERIOR].attrs.get(IN_CHAINS) if POSTERIOR in tree else None
    return None if found is None else INSIDE.validate_json(str(found))


def with_rows(tree: xr.DataTree, chains: Sequence[Chain], order: Sequence[str]) -> xr.DataTree:
    """Put back what `without_rows` has left out; `KeyError` or `ValueError` where it does not fit."""
    import xarray as xr

    kept = tree[POSTERIOR].to_dataset()
    lacking = [name for name in order if name not in kept]
    rows = xr.concat([chain.posterior[lacking] for chain in chains], CHAIN)
    whole = kept.assign({name: rows[name].variable for name in lacking})[list(order)]
    whole.attrs = {name: text for name, text in kept.attrs.items() if name != IN_CHAINS}
    groups = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    return xr.DataTree.from_dict({**groups, f"/{POSTERIOR}": whole})
