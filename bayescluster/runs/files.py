"""Files that are whole or not there, and reading back what was saved.

Values of every firm at every draw, such as those of latent capitals, are kept once, with their chains.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from bayescluster.errors import Problem, RunError
from bayescluster.names import CHAIN, ROW
from bayescluster.runs.layout import PARTIAL

if TYPE_CHECKING:
    import xarray as xr


COMPRESSED_BYTES = 100_000
"""Arrays above this size are compressed; below it, chunks cost more than they save."""
COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}
HEADER = "dimensions"
"""Name of the dimensions of all arrays in a file of them."""
SHOWN_FAULTS = 5
SHOWN_VERSION = 40
WRITE_MEND = (
    "make room on the disk or allow writing there, then run the same command again: it goes on "
    "from what the run has finished, if anything"
)
NAN_MEND = "this is a fault of bayescluster: report it with the analysis; what is saved is kept"
REMAKE = "delete it and run the same command again: only what is missing is made again"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there afterwards takes the place of ``path``.

    If anything goes wrong before the end, ``path`` is as it was.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _flush(partial, os.O_RDWR)
            os.replace(partial, path)  # noqa: PTH105
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        if os.name != "nt":  # directories cannot be flushed on Windows
            _flush(path.parent, os.O_RDONLY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(
            Problem(f"the file cannot be written: {reason}", str(path), WRITE_MEND)
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write text atomically, as UTF-8 with the line ends it has."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically; numbers that JSON does not know are refused."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_netcdf(path: Path, data: xr.Dataset | xr.DataTree) -> None:
    """Write arrays atomically as netCDF-4, large ones compressed without loss.

    The file is made in memory: where a disk is full, HDF5 takes the whole process down with it.
    """
    import io

    import xarray as xr

    encoding = (
        {node.path: _encoding(node.to_dataset(inherit=False)) for node in data.subtree}
        if isinstance(data, xr.DataTree)
        else _encoding(data)
    )
    made = io.BytesIO()
    with _no_cluster():
        data.to_netcdf(made, engine="h5netcdf", encoding=encoding)
    with replacing(path) as partial:
        partial.write_bytes(made.getvalue())


def digest_of(path: Path) -> str:
    """Compute the sha256 of a file, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _no_cluster() -> AbstractContextManager[Any]:
    """Let xarray see no Dask cluster: it would ask it for a lock, which there is none of for a file in memory."""
    dask = sys.modules.get("dask")
    return nullcontext() if dask is None else dask.config.set(scheduler="synchronous")


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    return {
        str(name): dict(COMPRESSION)
        for name, array in dataset.variables.items()
        if array.dtype.kind in "fiub" and array.nbytes > COMPRESSED_BYTES
    }


def _flush(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def document_text(document: BaseModel, path: Path) -> str:
    """Write a document as JSON text that can be read again; ``path`` is the file for messages.

    Raises
    ------
    RunError
        If a number that must be there is not one, so that the text could not be read again.
    """
    text = document.model_dump_json(indent=2) + "\n"
    try:
        type(document).model_validate_json(text)
    except ValidationError as error:
        raise RunError(model_faults(error, path, NAN_MEND)) from None
    return text


def read_document[M: BaseModel](path: Path, model: type[M], version: int, mend: str) -> M:
    """Read a JSON file that holds a model of a ``schema_version``; ``mend`` helps if it is broken.

    Raises
    ------
    RunError
        If the file cannot be read, is not JSON, has another version, or does not fit the model.
    """
    content = _read_json(path, mend)
    written = content.get("schema_version")
    if written != version:
        newer = isinstance(written, int) and written > version
        raise RunError(
            Problem(
                f"the file has schema version {json.dumps(written)[:SHOWN_VERSION]}, "
                f"and this bayescluster reads version {version}",
                str(path),
                "it is of a newer bayescluster: update this one to open it"
                if newer
                else "open it with the bayescluster that wrote it, or run the analysis again",
            )
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RunError(model_faults(error, path, mend)) from None


def model_faults(error: ValidationError, path: Path, mend: str) -> tuple[Problem, ...]:
    """Describe what does not fit a model, the first few faults of a file."""
    return tuple(
        Problem(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}",
            str(path),
            mend,
        )
        for fault in error.errors()[:SHOWN_FAULTS]
    )


def read_tree(path: Path) -> xr.DataTree:
    """Read a netCDF file of several groups into memory, and close it."""
    import xarray as xr

    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            groups = {
                node.path: node.to_dataset(inherit=False).load().drop_encoding()
                for node in opened.subtree
            }
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        problem = Problem("the file cannot be read as netCDF", str(path), REMAKE)
        raise RunError(problem) from error
    return xr.DataTree.from_dict(groups)


def write_arrays(path: Path, tree: xr.DataTree) -> None:
    """Write arrays atomically and plainly: a zip of npy files, and a header that says their dimensions.

    Writing takes a few milliseconds where netCDF takes half a second, and the same arrays give the
    same bytes. Attributes are not kept.
    """
    import numpy as np

    arrays: dict[str, Any] = {}
    dims: dict[str, list[str]] = {}
    for node in tree.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            place = f"{node.path.strip('/')}/{name}"
            # labels are kept as text of one width: nothing is pickled
            text = variable.dtype.kind == "O"
            arrays[place] = variable.to_numpy().astype(str) if text else variable.to_numpy()
            dims[place] = [str(dim) for dim in variable.dims]
    header = np.frombuffer(json.dumps(dims).encode(), dtype="uint8")
    with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for place, array in {HEADER: header, **arrays}.items():
            with archive.open(zipfile.ZipInfo(f"{place}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.array(array, order="C"), allow_pickle=False)


def read_arrays(path: Path) -> xr.DataTree:
    """Read what `write_arrays` wrote into memory.

    Raises
    ------
    RunError
        If the file cannot be read as such.
    """
    import numpy as np
    import xarray as xr

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            dims = json.loads(archive[HEADER].tobytes())
            groups: dict[str, dict[str, Any]] = {}
            for place, along in dims.items():
                group, _, name = place.rpartition("/")
                groups.setdefault(group, {})[name] = (along, archive[place])
    except (OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(Problem("the file cannot be read as arrays", str(path), REMAKE)) from error
    return xr.DataTree.from_dict(
        {group: xr.Dataset(variables) for group, variables in groups.items()}
    )


def _read_json(path: Path, mend: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        what = "the file is not UTF-8 text"
    except json.JSONDecodeError as error:
        what = f"the file is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
    except (ValueError, RecursionError):  # a number of thousands of digits, endless nesting
        what = "the file holds JSON that no run writes: a number too long, or too deep a nesting"
    else:
        if isinstance(content, dict):
            return content
        what = "the file does not hold a JSON object"
    raise RunError(Problem(what, str(path), mend))


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
