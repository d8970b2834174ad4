"""How much work is done, where that is the same on every machine: what is loaded, compiled, evaluated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from bayescluster.checks import convergence
from bayescluster.inference.density import compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.spec.analysis import Sampling
from tests.checks.test_convergence import gate, posterior
from tests.factories import analysis_dict, firms, small_design

ROOT = Path(__file__).parents[1]
PLOTS = {"arviz", "matplotlib", "pymc", "pytensor", "nutpie", "openpyxl", "pyreadstat"}


def loaded(folder: Path, *command: str) -> set[str]:
    """Packages that a command has imported, by the end."""
    script = (
        "import sys\n"
        "from bayescluster.cli.main import main\n"
        f"sys.argv = ['bayescluster', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('loaded', *{name.partition('.')[0] for name in sys.modules}, 'scipy.stats' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    last = found.stdout.splitlines()[-1].split()
    assert last[0] == "loaded", found.stderr
    return {*last[1:-1], *(["scipy.stats"] if last[-1] == "True" else [])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    firms(60).to_csv(tmp_path / "firms.csv", index=False)
    plain = analysis_dict("bernoulli", "additive", {"cluster": ["intercept"]})
    plain["data"]["source"] = "firms.csv"
    plain["sampling"] = {"draws": 50, "tune": 50, "chains": 2, "seed": 1, "prior_draws": 50}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    return tmp_path


def test_validate_loads_neither_plots_nor_compilers(folder):
    assert not loaded(folder, "validate", "a.yaml") & {"numba", "scipy.stats", *PLOTS}


def test_a_fit_loads_neither_plots_nor_the_graph(folder):
    found = loaded(folder, "fit", "a.yaml")
    assert "numba" in found
    assert not found & (PLOTS - {"nutpie"})


def test_evaluations_of_a_fit_do_not_grow():
    design = small_design("bernoulli", "interaction", {"cluster": ["intercept"]}, frame=firms(120))
    compiled = compile_design(design, 1)
    sampling = Sampling(draws=200, tune=200, chains=1, seed=3)
    (chain,) = sample_chains(compiled, sampling, [0])
    steps = chain.sample_stats["n_steps"].to_numpy()
    # 7.9 when this was written
    assert steps.mean() < 12


def test_estimands_are_diagnosed_together_however_many_they_are(monkeypatch):
    calls = []

    def counted(draws, chains):
        calls.append(draws.shape[1])
        return plain(draws, chains)

    plain = convergence.diagnostics
    monkeypatch.setattr(convergence, "diagnostics", counted)
    draws = np.random.default_rng(1).normal(size=(300, 1600))
    gate({f"effect {k}": values for k, values in enumerate(draws)})
    variables = len(posterior().data_vars)
    assert len(calls) == variables + 1
    assert calls[-1] == 300


def test_compiled_code_is_found_again_by_the_next_process(tmp_path):
    script = (
        "from bayescluster.kernel import machine\n"
        "machine.address_of(machine.successes)\n"
        "kept = [machine.density_callback, *machine._compiled.values()]\n"
        "print(sum(one.cache_hits for one in kept), len(kept))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        ).stdout.split()
        for _ in range(2)
    ]
    assert found == [["0", "2"], ["2", "2"]]
