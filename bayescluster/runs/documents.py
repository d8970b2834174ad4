"""Documents as text, and reading back what was saved; whatever is wrong with a file is told as a `RunError`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bayescluster.errors import Problem, RunError

if TYPE_CHECKING:
    import xarray as xr

SHOWN_FAULTS = 5
NAN_MEND = "this is a fault of bayescluster: report it with the analysis; what is saved is kept"
REMAKE = "delete it and run the same command again: only what is missing is made anew"


def document_text(document: BaseModel, path: Path) -> str:
    """Write a document as JSON text that can be read again.

    Parameters
    ----------
    document
        What is to be saved.
    path
        The file that will hold it.

    Raises
    ------
    RunError
        If a number that must be there is not one, so that the text could not be read again.
    """
    text = document.model_dump_json(indent=2) + "\n"
    try:
        type(document).model_validate_json(text)
    except ValidationError as error:
        raise RunError(_faults(error, path, NAN_MEND)) from None
    return text


def read_document[M: BaseModel](path: Path, model: type[M], version: int, mend: str) -> M:
    """Read a JSON file that holds a versioned model.

    Parameters
    ----------
    path
        The file.
    model
        What it holds.
    version
        The ``schema_version`` this package writes and reads.
    mend
        What a user can do if the file is broken.

    Raises
    ------
    RunError
        If the file cannot be read, is not JSON, has another version, or does not fit the model.
    """
    content = _read_json(path, mend)
    found = content.get("schema_version")
    if found != version:
        raise RunError(
            Problem(
                f"the file has schema version {json.dumps(found)}, "
                f"and this bayescluster reads version {version}",
                str(path),
                "open it with the bayescluster that wrote it, or run the analysis again",
            )
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RunError(_faults(error, path, mend)) from None


def _faults(error: ValidationError, path: Path, mend: str) -> tuple[Problem, ...]:
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
        raise _unreadable(path) from error
    return xr.DataTree.from_dict(groups)


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


def _unreadable(path: Path) -> RunError:
    return RunError(Problem("the file cannot be read as netCDF", str(path), REMAKE))
