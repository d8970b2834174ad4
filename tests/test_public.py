from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

import bayescluster as bc
from bayescluster import api
from bayescluster.dataset.derive import TRANSFORMS
from bayescluster.families import FAMILIES
from bayescluster.names import CAPITALS
from bayescluster.spec import data
from bayescluster.spec.data import Indicator, TransformColumn
from bayescluster.spec.equation import ColumnControl, FamilyName, StructureName
from bayescluster.structures import STRUCTURES, TERMS
from tests.cli.small import call

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bayescluster"
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages([str(PACKAGE)], "bayescluster.")
    if not name.endswith("__main__")
)
SOURCES = sorted(PACKAGE.rglob("*.py"))
STANDARD = set(sys.stdlib_module_names)


def _imported(source: Path) -> set[str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            names.add(node.module or "")
    return names


def test_import_brings_in_the_standard_library_only():
    program = (
        "import sys; before = set(sys.modules); import bayescluster; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(found.stdout.split()) - STANDARD == {"bayescluster"}


@pytest.mark.parametrize("name", bc.__all__)
def test_public_names_resolve(name):
    found = getattr(bc, name)
    assert found.__name__ == name
    assert found.__doc__


def test_public_names_are_sorted_and_complete():
    assert sorted(bc.__all__) == bc.__all__ == dir(bc)
    errors = [name for name in bc.__all__ if name.endswith("Error")]
    assert sorted([*errors, *api.__all__]) == bc.__all__


def test_unknown_public_name():
    with pytest.raises(AttributeError) as caught:
        bc.fitt  # noqa: B018
    assert str(caught.value) == "module 'bayescluster' has no attribute 'fitt'"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_documented(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_pickled_or_fetched(source):
    refused = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    refused |= {"requests", "httpx", "urllib.request", "socket", "ftplib"}
    assert not _imported(source) & refused


def test_only_the_command_line_knows_typer():
    outside = [path for path in SOURCES if path.parent.name != "cli"]
    assert [path for path in outside if "typer" in _imported(path)] == []


def test_the_spec_knows_no_other_part_than_options_of_features_and_studies():
    allowed = {"errors", "lookup", "names", "spec"}
    for source in (PACKAGE / "spec").glob("*.py"):
        parts = {
            name.split(".")[1]
            for name in _imported(source)
            if name.startswith("bayescluster.") and not name.endswith(".spec")
        }
        assert parts <= allowed, source


def test_types_are_shipped():
    assert files("bayescluster").joinpath("py.typed").is_file()


def test_versions_agree():
    assert version("bayescluster") == bc.__version__
    assert call("--version").out == f"bayescluster {bc.__version__}\n"
    assert f"\n## {bc.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_names_of_the_file_are_keys_of_the_tables():
    assert list(get_args(FamilyName)) == list(FAMILIES)
    assert list(get_args(StructureName)) == list(STRUCTURES)
    assert {name: entry.name for name, entry in FAMILIES.items()} == {n: n for n in FAMILIES}
    assert {name: entry.name for name, entry in STRUCTURES.items()} == {n: n for n in STRUCTURES}
    terms = {term for structure in STRUCTURES.values() for term in structure.terms}
    assert terms == set(TERMS)
    assert tuple(CAPITALS) == data.CAPITALS == get_args(data.Capital)


@pytest.mark.parametrize(
    ("model", "field"),
    [(ColumnControl, "transform"), (Indicator, "transform"), (TransformColumn, "kind")],
)
def test_transforms_of_the_file_are_in_the_table(model, field):
    assert set(get_args(model.model_fields[field].annotation)) <= set(TRANSFORMS)
