"""Finished runs side by side; the sampler is instant, so that draws are of no posterior."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayescluster.api as bc
from bayescluster.app.run import fit_analysis
from bayescluster.errors import RunError
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.compare.results import Compared
from bayescluster.studies.compare.study import compare_runs
from tests.factories import analysis_dict, firms
from tests.fits import write_csv
from tests.quick import quick_runs

CLAIMS = [{"kind": "effect", "capital": "human_capital", "by": "all"}]
STRICT = [{"kind": "effect", "capital": "human_capital", "by": "all", "level": 0.99}]
SAMPLING = {"draws": 60, "tune": 10, "chains": 2, "prior_draws": 100}


def _analysis(folder: Path, name: str, frame: pd.DataFrame, *form: str, **more: Any) -> Analysis:
    source = write_csv(frame, folder, f"{name}.csv")
    family, structure = form or ("bernoulli", "additive")
    plain = analysis_dict(
        family,
        structure,
        more.pop("varying", {"industry": ["intercept"]}),
        {"source": source, **more.pop("data", {})},
        hypotheses=more.pop("hypotheses", CLAIMS),
    )
    sampling = SAMPLING | {"seed": more.pop("seed", 1)}
    return Analysis.model_validate(plain | {"name": name, "sampling": sampling} | more)


ONE_INDUSTRY: dict[str, Any] = {"varying": {"cluster": ["intercept"]}}


def _rows(label: str) -> dict[str, Any]:
    return {"keep": [{"column": "industry", "one_of": [label]}]}


def _frames() -> dict[str, pd.DataFrame]:
    here = firms(rows=60, industries=2, clusters=2)
    there = firms(rows=60, industries=2, clusters=2, seed=7)
    return {
        "here": here,
        "there": there.assign(firm="g" + there["firm"]),
        # other rows, but some of the firms of here
        "again": there.assign(firm=np.where(there.index < 10, here["firm"], "h" + there["firm"])),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: two countries, another outcome, another form, firms in both."""
    folder = tmp_path_factory.mktemp("compared")
    frames = _frames()
    analyses = (
        _analysis(folder, "here", frames["here"]),
        _analysis(folder, "there", frames["there"], seed=2, hypotheses=STRICT),
        _analysis(folder, "again", frames["again"], seed=3),
        _analysis(folder, "counts", frames["there"], "poisson", "additive", seed=4),
        _analysis(folder, "product", frames["here"], "bernoulli", "interaction", seed=5),
        _analysis(folder, "nameless", frames["there"], seed=6, data={"firm": None}),
        *(
            _analysis(folder, label, frames["here"], data=_rows(label), **ONE_INDUSTRY)
            for label in ("I0", "I1")
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        quick_runs(patch)
        for analysis in analyses:
            bc.fit(analysis, folder / "runs")
        fit_analysis(_analysis(folder, "begun", frames["here"]), folder / "runs")
    return folder / "runs"


@lru_cache
def compared(made: Path, *names: str) -> Compared:
    """Results of a comparison, which several tests look at."""
    return compare_runs([made / name for name in names]).results


def _warned(found: Compared, part: str) -> bool:
    return any(part in text for text in found.warnings)


def test_independent_runs_are_subtracted_draw_by_draw(made):
    found = compared(made, "here", "there")
    (pair,) = found.pairs
    assert (pair.standing, pair.firms_shared) == ("independent", 0)
    one, other = (
        bc.open_run(made / name)
        .effect_draws("industry")
        .sel(industry="I1", capital="social_capital")
        for name in ("here", "there")
    )
    # whatever the pairing: every draw of the one with every draw of the other
    less = np.subtract.outer(one.to_numpy().ravel(), other.to_numpy().ravel()).ravel()
    name = ("social_capital", "average_marginal_effect", "industry", "I1")
    (row,) = (row for row in found.differences if _about(row) == name)
    assert row.mean == pytest.approx(less.mean())
    assert row.estimate.mean == pytest.approx(less.mean())
    assert row.estimate.sd == pytest.approx(less.std(), rel=0.15)
    assert row.estimate.low == pytest.approx(np.quantile(less, 0.05), abs=0.4 * less.std())
    assert row.positive == pytest.approx((less > 0).mean(), abs=0.1)
    assert row.estimate.mcse > 0


def _about(row: Any) -> tuple[str, ...]:
    return row.capital, row.measure, row.by, row.group


def test_effects_are_those_of_the_runs(made):
    found = compared(made, "there", "here")
    for position, name in enumerate(("there", "here")):
        own = bc.open_run(made / name).results
        assert {_about(row): row.estimates[position] for row in found.effects} == {
            _about(row): row.estimate for row in own.effects if row.by != "cluster"
        }
        assert [row.told[position].probability for row in found.verdicts] == [
            verdict.probability for verdict in own.verdicts
        ]
        assert len(found.corners) == sum(row.by != "cluster" for row in own.corners[0].rows) * (
            1 + (found.corners[0].declared != found.corners[-1].declared)
        )


@pytest.mark.parametrize(
    ("other", "standing", "shared", "why"),
    [
        ("product", "shared", 60, "both runs are of the same data"),
        ("again", "shared", 10, "10 firm identifiers are in both runs"),
        ("nameless", "shared", 0, "an analysis names no column that identifies the firms"),
        ("counts", "apart", 0, "the outcomes are on other scales or in other units"),
    ],
)
def test_no_interval_where_draws_cannot_be_subtracted(other, standing, shared, why, made):
    found = compared(made, "here", other)
    (pair,) = found.pairs
    assert (pair.standing, pair.firms_shared) == (standing, shared)
    assert pair.why.startswith(why)
    if standing == "apart":
        assert found.differences == ()
        return
    assert found.differences
    assert all(row.estimate is None and row.positive is None for row in found.differences)
    row, effect = found.differences[0], found.effects[0]
    assert row.mean == effect.estimates[0].mean - effect.estimates[1].mean


def test_what_makes_runs_less_comparable_is_told(made):
    found = compared(made, "here", "there", "counts")
    # 60 draws are too few for the gate
    assert [run.label for run in found.failed] == ["here", "there", "counts"]
    assert _warned(found, "The diagnostics gate of here failed (")
    assert _warned(found, "The data differ (here: ")
    assert _warned(found, "The outcomes differ (here: probability of upgraded; ")
    assert _warned(found, "Human capital is standardised on other samples or measures")
    assert _warned(found, "Low and high social capital differ")
    assert _warned(found, "The level at which a claim is supported differs: More human capital")
    same = compared(made, "here", "product")
    assert not _warned(same, "The data differ")
    assert not _warned(same, "standardised on other samples")
    assert _warned(same, "The structural forms differ (here: additive; product: interaction)")


def _settings(found: Compared) -> dict[str, tuple[str, tuple[str | None, ...]]]:
    return {row.place: (row.changes, row.values) for row in found.settings}


def test_settings_of_the_runs_that_differ_are_told(made):
    claim = "effect human_capital by all"
    same = _settings(compared(made, "here", "product"))
    assert same["equations.upgrading.structure"] == ("model", ("additive", "interaction"))
    # one file under two names
    assert same["data.source"] == ("report", ("here.csv", "product.csv"))
    strict = _settings(compared(made, "here", "there"))
    assert strict[f"hypotheses.{claim}.level"] == ("claims", ("0.95", "0.99"))
    # other firms: where they lie is then of the model
    assert strict["data.source"] == ("model", ("here.csv", "there.csv"))
    assert "hypotheses" not in strict


def test_industries_of_one_file_are_independent(made):
    found = compared(made, "I0", "I1")
    (pair,) = found.pairs
    assert (pair.standing, pair.firms_shared) == ("independent", 0)
    assert pair.why == "one file, but no firm in both: draws are subtracted as independent"
    assert {row.group for row in found.differences} == {"all"}
    assert _warned(found, "The runs are of other rows of the same data (I0: ")
    overlap = compared(made, "here", "I0")
    assert (overlap.pairs[0].standing, overlap.pairs[0].firms_shared) == ("shared", 30)
    assert overlap.pairs[0].why.startswith("both runs are of the same data")


def test_files_stand_beside_the_runs_and_are_the_same_again(made):
    paths = [made / "here", made / "there"]
    first = compare_runs(paths)
    assert first.directory.parent == made / "compare"
    kept = {path.name: path.read_bytes() for path in first.directory.iterdir() if path.suffix}
    assert {"compare.json", "compare.csv", "compare.html"} <= set(kept)
    assert Compared.model_validate_json(kept["compare.json"]) == first.results
    assert first.results.run_keys == tuple(
        bc.open_run(path).results.reproduction.key for path in paths
    )
    again = compare_runs(paths)
    assert {name: (again.directory / name).read_bytes() for name in kept} == kept
    with (first.directory / "compare.csv").open() as stream:
        table = list(csv.DictReader(stream))
    effects = sum(one is not None for row in first.results.effects for one in row.estimates)
    assert len(table) == effects + len(first.results.differences)
    assert [row["standing"] for row in table[effects:]] == ["independent"] * (len(table) - effects)


def test_effects_by_a_column_are_subtracted_too(tmp_path):
    claims = [{"kind": "effect", "capital": "human_capital", "by": "region"}]
    runs = []
    with pytest.MonkeyPatch.context() as patch:
        quick_runs(patch)
        for name in ("here", "there"):
            analysis = _analysis(tmp_path, name, _frames()[name], hypotheses=claims)
            runs.append(bc.fit(analysis, tmp_path / "runs"))
    rows = [row for row in bc.compare(runs).results.differences if row.by == "region"]
    assert {row.group for row in rows} == {"north", "south", "west"}
    assert all(row.estimate is not None for row in rows)


def test_runs_of_one_name_are_told_apart(made, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        quick_runs(patch)
        other = bc.fit(_analysis(tmp_path, "here", _frames()["there"], seed=9), tmp_path / "runs")
    found = bc.compare([bc.open_run(made / "here"), other], tmp_path / "out").results
    keys = found.run_keys
    assert [run.label for run in found.runs] == [f"here ({key[:6]})" for key in keys]
    assert (tmp_path / "out" / "compare" / found.key / "compare.html").is_file()


def test_averaged_forms_are_subtracted_as_the_mixture_they_are(made, tmp_path):
    frame = _frames()["there"]
    structure = ["additive", "interaction"]
    with pytest.MonkeyPatch.context() as patch:
        quick_runs(patch)
        analysis = _analysis(tmp_path, "forms", frame, "bernoulli", structure)  # type: ignore[arg-type]
        run = bc.fit(analysis, tmp_path / "runs")
    found = bc.compare([run, made / "here"]).results
    assert found.runs[0].forms == ("additive", "interaction")
    assert found.runs[0].leading in structure
    run_forms = bc.compare([run.forms["additive"], run.forms["interaction"]]).results
    assert [each.label for each in run_forms.runs] == ["forms: additive", "forms: interaction"]
    assert (tmp_path / "runs" / "compare" / run_forms.key / "compare.json").is_file()
    for row in found.differences:
        # the mixture is thinned to the draws of the other run
        assert row.estimate.mean == pytest.approx(row.mean, abs=0.5 * row.estimate.sd)
        assert row.estimate.sd > 0
    assert any("averages over its forms" in note for note in found.notes)


def test_all_faults_are_told_at_once(made):
    with pytest.raises(RunError) as raised:
        compare_runs([made / "here", made / "thre", made / "begun", made / "here"])
    assert raised.value.exit_code == 5
    lines = str(raised.value).splitlines()
    begun = next(made.glob("begun/*"))
    assert lines == [
        "These runs cannot be compared (3 problems):",
        f"  {made / 'thre'}: there is no such run",
        "    did you mean 'there'?",
        f"  {begun}: the run has no finished results.json yet",
        "    run the same command again: only what is missing is made again",
        f"  {made / 'here'}: this run is named twice",
        "    name each run once; of several runs of one analysis, give the directories",
    ]


def test_a_single_run(made):
    with pytest.raises(RunError) as raised:
        compare_runs([made / "here"])
    assert str(raised.value) == (
        "These runs cannot be compared:\n"
        f"  {made / 'here'}: a single run has nothing to be compared with\n"
        "    name two or more, such as: bayescluster compare runs/ONE runs/OTHER"
    )
