"""Keys: short hashes of what a saved result depends on, so that nothing is computed twice.

A fit depends on the data, the model, the sampler and the packages that sample. What the results
say depends on the hypotheses and texts as well, which are hashed apart: changing them keeps the fit.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from bayescluster.results.base import Value
from bayescluster.runs.layout import FORMAT
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.columns import moderators

KEY_LENGTH = 16

SAMPLING_PACKAGES = ("bayescluster", "pymc", "pytensor", "nutpie", "numpy")
"""Packages whose version can change the draws."""
OTHER_PACKAGES = ("arviz", "xarray", "pandas")

RESULT_FIELDS = (
    "name",
    "description",
    "limits",
    "hypotheses",
    "traditions",
    "weakest_node",
    "report",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on; none is imported."""
    installed = {"python": platform.python_version()}
    for package in (*SAMPLING_PACKAGES, *OTHER_PACKAGES):
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def _sampling_versions() -> dict[str, str]:
    installed = versions()
    return {name: installed[name] for name in SAMPLING_PACKAGES}


def host_facts() -> dict[str, str]:
    """Facts of the machine that bear on the draws: system, processor, cores; nothing personal."""
    from bayescluster.inference.nuts import available_cores

    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": str(available_cores()),
    }


READING = ("encoding", "delimiter", "decimal", "thousands", "header_row")
"""Keys of the data that say how a file is read: what is read is in its digest."""


def fit_key(analysis: Analysis, data_digest: str, cases: Mapping[str, str] | None = None) -> str:
    """Hash what the posterior depends on, as 16 hex characters.

    Where data and cases lie is left out: the same rows give the same key wherever they are read from.

    Parameters
    ----------
    analysis
        The analysis; only data, constructs, equations, their correlation and sampling count.
    data_digest
        Digest of the table of firms as read.
    cases
        Digest of the table of cases that the priors are taken from, by equation.
    """
    parts = {name: getattr(analysis, name).model_dump() for name in ("data", "sampling")}
    parts |= {
        name: {str(key): value.model_dump() for key, value in getattr(analysis, name).items()}
        for name in ("constructs", "equations")
    }
    del parts["data"]["source"]
    # how long the sampler may take does not change what it ends with, unless it is cut short
    del parts["sampling"]["minutes"]
    if parts["sampling"]["likelihood"] == "auto":
        # so that keys made before there was such a key stay what they were
        del parts["sampling"]["likelihood"]
    for key in ("exclude", "fix", *READING):
        if not parts["data"][key]:
            # so that keys made before there was such a key stay what they were
            del parts["data"][key]
    for equation in parts["equations"].values():
        if not equation["contextual"]:
            del equation["contextual"]
    parts["residual_correlation"] = analysis.residual_correlation
    for name, equation in parts["equations"].items():
        if equation["priors"]["from"] is not None:
            equation["priors"]["from"]["cases"] = (cases or {}).get(name)
    parts |= {"data_digest": data_digest, "versions": _sampling_versions(), "format": FORMAT}
    return hash_of(parts)


def key_of_arrays(fit: str, analysis: Analysis) -> str:
    """Hash what the arrays of a design depend on: the fit, and the groupings asked for after it."""
    asked = moderators(analysis)
    return hash_of({"fit": fit, "moderators": list(asked)}) if asked else fit


def model_key(analysis: Analysis, data_digest: str, cases: Mapping[str, str] | None = None) -> str:
    """Hash what the model is, however it is sampled, as 16 hex characters.

    A study of a model (its prior, its calibration, its design) belongs to every fit of it, also to
    one with more draws; see `fit_key` for the parameters.
    """
    return fit_key(analysis.model_copy(update={"sampling": Sampling()}), data_digest, cases)


def results_key(fit: str, analysis: Analysis, extra: Mapping[str, Any] | None = None) -> str:
    """Hash what the results depend on: the fit, ``RESULT_FIELDS`` of the analysis, plain extras."""
    fields = analysis.model_dump(include=set(RESULT_FIELDS))
    return hash_of({"fit": fit, "asked": fields, "extra": dict(extra or {})})


def hypotheses_key(analysis: Analysis) -> str:
    """Hash the hypotheses block, all defaults written out: which claims were declared, and how."""
    return hash_of([claim.model_dump() for claim in analysis.hypotheses])


def report_key(results: str, *additions: Value | None) -> str:
    """Hash what a report depends on: the results, and what was added to them later."""
    plain = [None if each is None else each.model_dump() for each in additions]
    return hash_of({"results": results, "beside": plain}) if any(plain) else results


def ceiling_key(parts: Mapping[str, Any]) -> str:
    """Hash what the posterior of a ceiling model depends on: its firms, model and sampler."""
    return hash_of({"asked": parts, "versions": _sampling_versions()})


def design_key(analysis: Analysis, data_digest: str, settings: Mapping[str, Any]) -> str:
    """Hash what the replications of a design analysis depend on.

    Of the analysis, what makes its model, its hypotheses and its traditions count; ``settings`` of
    the simulation and the refits are plain values. How many replications, sizes and forms are asked
    for is left out: more of them go on from those that are there. So is the sampling of the
    analysis, which refits nothing here.
    """
    judged = analysis.model_dump(include={"hypotheses", "traditions"})
    return hash_of(
        {"fit": model_key(analysis, data_digest), "judged": judged, "settings": dict(settings)}
    )


def resolved(analysis: Analysis) -> dict[str, Any]:
    """Write an analysis out in full, defaults included, as plain values for JSON.

    A full path of the data, or of the cases, is cut to the name of the file, so that a run directory
    can be given to others.
    """
    plain: dict[str, Any] = _plain(analysis.model_dump())
    if isinstance(plain["data"]["source"], str):
        plain["data"]["source"] = without_directory(plain["data"]["source"])
    for equation in plain["equations"].values():
        if equation["priors"]["from"] is not None:
            cases = equation["priors"]["from"]["cases"]
            equation["priors"]["from"]["cases"] = without_directory(cases)
    for change in (plain["multiverse"] or {"priors": {}})["priors"].values():
        if change["from"] is not None:
            change["from"]["cases"] = without_directory(change["from"]["cases"])
    return plain


def without_directory(source: str) -> str:
    """Cut a full path to the name of the file; leave anything else as it is."""
    for path in (PurePosixPath(source), PureWindowsPath(source)):
        if path.is_absolute():
            return path.name
    return source


def hash_of(value: Any) -> str:
    """Hash plain values, as 16 hex characters."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _key_text(key: Any) -> str:
    # values to recode are compared as labels, where 3.0 and "3" are the same
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)
