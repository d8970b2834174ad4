"""A study of the prior from the analysis to its files; the prior is drawn for real."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

import bayescluster.api as bc
from bayescluster.app.prepare import analysis_source, designs_of
from bayescluster.inference.density import draw_prior
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.prior.compute import DRAW_STREAM, PRIOR_STREAM
from bayescluster.studies.prior.results import PriorStudy
from bayescluster.studies.prior.study import Options, study_prior
from tests.factories import analysis_dict, firms
from tests.fits import write_csv

HYPOTHESES = [
    {"kind": "effect", "capital": "human_capital", "by": "all"},
    {"kind": "necessary", "capital": "human_capital", "by": "industry"},
    {"kind": "complementarity", "by": "all", "low": 0.2, "high": 0.8},
]
DRAWS = 400


def made(folder: Path, family: str = "bernoulli", form: Any = "additive", **more: Any) -> Analysis:
    equation = {name: more.pop(name) for name in ("priors", "varying") if name in more}
    source = write_csv(firms(rows=96, industries=2, clusters=4), folder)
    plain = analysis_dict(
        family, form, data={"source": source}, hypotheses=more.pop("hypotheses", ()), **equation
    )
    return Analysis.model_validate(plain | {"sampling": {"seed": 5}} | more)


def studied(folder: Path, *args: Any, **more: Any) -> PriorStudy:
    return study_prior(made(folder, *args, **more), Options(DRAWS), folder / "runs").results


def test_estimands_and_events_are_those_of_the_prior_draws(tmp_path):
    """By hand: the additive form at the draws of its own prior."""
    analysis = made(tmp_path, hypotheses=HYPOTHESES)
    found = study_prior(analysis, Options(DRAWS), tmp_path / "runs").results
    (design,) = designs_of(analysis_source(analysis))
    entropy = np.random.SeedSequence((5, PRIOR_STREAM, 0, DRAW_STREAM))
    seed = int(entropy.generate_state(1, np.uint32)[0])
    prior = draw_prior(design, DRAWS, seed)
    b = dict(zip(("level", "human", "social"), prior["population"].to_numpy()[0].T, strict=True))
    h, s = design.capitals

    def mean(human: Any, social: Any, rows: Any = slice(None)) -> np.ndarray:
        at = [np.broadcast_to(value, h.shape)[rows] for value in (human, social)]
        eta = b["level"][:, None] + np.outer(b["human"], at[0]) + np.outer(b["social"], at[1])
        return expit(eta).mean(axis=1)

    low, high = np.quantile(h, [0.1, 0.9])
    contrast = mean(high, s) - mean(low, s)
    (part,) = found.parts
    rows = {(row.kind, row.of, row.group, row.declared): row for row in part.estimands}
    row = rows["contrast", "human_capital", "all", "quantiles 0.1 and 0.9"]
    wanted = np.quantile(contrast, [0.05, 0.5, 0.95])
    assert [row.spread.low, row.spread.median, row.spread.high] == pytest.approx(list(wanted))
    assert row.positive == (contrast > 0).mean()
    ends = [np.quantile(values, [0.2, 0.8]) for values in (h, s)]
    corner = {
        a + c: mean(ends[0][int(a == "H")], ends[1][int(c == "H")]) for a in "LH" for c in "LH"
    }
    cross = corner["HH"] - corner["HL"] - corner["LH"] + corner["LL"]
    row = rows["cross_difference", "", "all", "quantiles 0.2 and 0.8"]
    assert row.spread.median == pytest.approx(np.median(cross))
    events = {(event.claim, event.group): event for event in part.events}
    assert events[1, "all"].probability == (b["human"] > 0).mean()
    # the additive form has no cross difference on the link scale: only covariates could make one
    link = logit(corner["HH"]) - logit(corner["HL"]) - logit(corner["LH"]) + logit(corner["LL"])
    wanted = (cross > 0.05) & (link > 1e-9)
    assert events[3, "all"].probability == wanted.mean() == 0.0
    first = design.index("industry") == 0
    s_high = np.quantile(s, 0.9)
    s_low = np.quantile(s, 0.1)
    neither, without, both = (
        mean(human, social, first)
        for human, social in ((low, s_low), (low, s_high), (high, s_high))
    )
    way = logit(both) - logit(neither)
    covered = (logit(without) - logit(neither)) / way
    needed = (both >= 0.25) & (way >= 0.5) & (without <= both / 3) & (covered <= 0.4)
    assert events[2, "I0"].probability == needed.mean()
    assert 0 < needed.mean() < 1
    error = events[2, "I0"].mcse
    assert error == pytest.approx(np.sqrt(needed.mean() * (1 - needed.mean()) / DRAWS), rel=0.05)
    expected = np.quantile(mean(h, s), [0.05, 0.5, 0.95])
    overall = part.ranges[0].spread
    assert [overall.low, overall.median, overall.high] == pytest.approx(list(expected))


def test_a_stated_prior_that_decides_is_told_with_its_block(tmp_path):
    priors = {"terms": {"human_capital": {"distribution": "normal", "mean": 1.0, "sd": 0.5}}}
    found = studied(tmp_path, priors=priors, hypotheses=HYPOTHESES[:1])
    (event,) = found.parts[0].events
    assert (event.outlook, event.probability > 0.95) == ("decided_for", True)
    assert event.turns_on == "priors: terms: human_capital (stated Normal(1, 0.5))"
    (warning,) = found.warnings
    assert warning.what.startswith(
        "More human capital goes with a higher expected outcome (all firms): the prior alone would "
        "support it."
    )
    assert warning.advice == (
        "A verdict in favour would repeat the prior. Move or widen it, or declare a region that asks "
        "for more: the event turns most on priors: terms: human_capital (stated Normal(1, 0.5))."
    )


def test_implausible_outcomes_are_told_with_the_block_that_makes_them(tmp_path):
    priors = {"terms": {"intercept": {"distribution": "normal", "mean": 0.0, "sd": 10.0}}}
    found = studied(tmp_path, priors=priors)
    (warning,) = found.warnings
    assert warning.about == "outcome"
    assert warning.what.endswith("; too much in 3 of 3 groups")
    assert "of the prior has mean within 0.01 of 0 or 1" in warning.what
    assert warning.advice == (
        "If that is not what you expect before any data, move or narrow priors: terms: intercept "
        "(stated Normal(0, 10))."
    )


def test_forms_and_equations_are_parts(tmp_path):
    analysis = made(tmp_path, form=["additive", "ces"], varying={"industry": ["intercept"]})
    found = study_prior(analysis, Options(DRAWS), tmp_path / "runs").results
    assert [(part.form, part.equation, part.focus) for part in found.parts] == [
        ("additive", "upgrading", True),
        ("ces", "upgrading", True),
    ]
    assert any("Each form is summarised by itself" in note for note in found.notes)
    plain = analysis.model_dump(exclude_unset=True)
    plain["equations"]["upgrading"] |= {"structure": "additive", "predictors": ["patenting"]}
    plain["equations"]["patenting"] = {
        "outcome": "patents",
        "family": "poisson",
        "structure": "additive",
    }
    plain["focus"] = "upgrading"
    found = study_prior(Analysis.model_validate(plain), Options(DRAWS), tmp_path / "runs").results
    assert [(part.equation, part.focus) for part in found.parts] == [
        ("upgrading", True),
        ("patenting", False),
    ]
    assert found.parts[1].outcome.scale == "rate"
    assert found.parts[1].estimands
    assert any("patenting are centred" in note for note in found.notes)


def test_an_analysis_without_capitals_has_outcomes_only(tmp_path):
    found = studied(tmp_path, "ordinal", "intercept")
    (part,) = found.parts
    assert (part.estimands, part.events) == ((), ())
    assert {row.statistic for row in part.predictive} > {"mean", "share of 0"}


def test_files_are_whole_and_the_same_again(tmp_path):
    analysis = made(tmp_path, hypotheses=HYPOTHESES)
    first = study_prior(analysis, Options(DRAWS), tmp_path / "runs")
    stored = {path.name: path.read_bytes() for path in first.directory.iterdir() if path.suffix}
    assert {"prior.json", "prior.csv", "prior.html"} <= set(stored)
    assert first.directory.parent == tmp_path / "runs" / "synthetic" / "prior"
    assert PriorStudy.model_validate(json.loads(stored["prior.json"])) == first.results
    again = study_prior(analysis, Options(DRAWS), tmp_path / "runs")
    assert again.directory == first.directory
    assert all((again.directory / name).read_bytes() == text for name, text in stored.items())
    other = study_prior(analysis, Options(DRAWS, seed=6), tmp_path / "runs")
    assert other.directory != first.directory
    assert other.results.parts[0].events != first.results.parts[0].events
    with (first.directory / "prior.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == len(first.results.parts[0].estimands)
    row = first.results.parts[0].estimands[0]
    assert float(table[0]["median"]) == row.spread.median
    assert (table[0]["kind"], table[0]["group"]) == (row.kind, row.group)


def test_from_python_and_with_the_key_of_the_run(tmp_path):
    from bayescluster.app.prepare import model_key_of

    analysis = made(tmp_path)
    found = bc.prior(analysis, {"draws": DRAWS}, tmp_path / "runs").results
    assert isinstance(found, PriorStudy)
    (design,) = designs_of(analysis_source(analysis))
    assert found.model_key == model_key_of(analysis, (design,))
    assert not found.synthetic
