"""Fixtures for the whole suite: one real small fit, and a sampler that is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

# a slow machine is no fault of the code: no test asks how long an example takes
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

SMALL = """\
name: small
data:
  source: firms.csv
  firm: firm
  cluster: cluster
  industry: industry
constructs:
  human_capital: {indicators: [training], method: single}
  social_capital: {indicators: [trust], method: single}
equations:
  upgrading:
    outcome: upgraded
    family: bernoulli
    structure: interaction
    controls: [{column: size, transform: log}]
    varying:
      industry: [intercept, human_capital]
      cluster: [intercept]
sampling: {draws: 150, tune: 150, chains: 2, seed: 11, prior_draws: 300}
hypotheses:
  - {kind: effect, capital: human_capital, by: industry}
  - {kind: necessary_not_sufficient, capital: human_capital, by: all}
  - {kind: difference, capital: social_capital}
"""


class SmallRun(NamedTuple):
    """A real fit of 200 synthetic firms, the analysis file, and the compiled model."""

    run: Any
    config: Path
    root: Path
    compiled: Any


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Fit 200 firms of two industries with two chains of 150 draws, once for all tests."""
    import bayescluster as bc
    from bayescluster.app import fit as workflow
    from tests.factories import firms

    folder = tmp_path_factory.mktemp("small")
    firms(rows=200, industries=2, clusters=4).to_csv(folder / "firms.csv", index=False)
    config = folder / "analysis.yaml"
    config.write_text(SMALL, encoding="utf-8")
    kept: list[Any] = []
    compile_design = workflow.compile_design

    def compile_and_keep(*arguments: Any) -> Any:
        kept.append(compile_design(*arguments))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow, "compile_design", compile_and_keep)
        run = bc.fit(config, folder / "runs")
    return SmallRun(run, config, folder / "runs", kept[0])


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sampler that draws at once, from no posterior; see `tests.instant`."""
    from tests.instant import InstantSampler

    sampler = InstantSampler()
    sampler.stand_in(monkeypatch)
    return sampler
