"""The likelihood of many firms equals that of the same firms one by one, however they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayescluster.app.prepare import ReadDesigns, analysis_source, read_designs
from bayescluster.design.record import Design
from bayescluster.inference.assemble import reported_variables
from bayescluster.kernel.program import program_of
from bayescluster.spec.analysis import Analysis
from bayescluster.summaries import stream
from bayescluster.summaries.build import with_every_firm
from bayescluster.summaries.likelihood import LIKELIHOODS, Firms, series
from bayescluster.summaries.record import summary_of
from tests.factories import analysis_dict, firms

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept", "interaction"]}
CONTROLS = [
    {"column": "size", "transform": "log"},
    "exporter",
    "region",
    {"column": "year", "coding": "sum"},
]
MEAN = {
    "human_capital": {
        "indicators": ["training", {"column": "size", "transform": "log1p"}],
        "method": "mean",
    },
    "social_capital": {
        "indicators": [
            "trust",
            {"column": "attempts", "direction": "negative"},
            {"column": "exporter", "direction": "negative"},
        ],
        "method": "pca",
    },
}


def frame_of(rows: int = 600) -> pd.DataFrame:
    return firms(rows, seed=7)


def read(folder: Path, likelihood: str, family: str = "bernoulli", **more: Any) -> ReadDesigns:
    """Designs of synthetic firms in a Parquet file with groups of 100 rows."""
    path = folder / "firms.parquet"
    frame = more.pop("frame", None)
    if not path.exists():
        table = pa.Table.from_pandas(frame_of() if frame is None else frame, preserve_index=False)
        pq.write_table(table, path, row_group_size=100)
    return read_file(path, likelihood, family, **more)


def read_file(path: Path, likelihood: str, family: str = "bernoulli", **more: Any) -> ReadDesigns:
    data = {"source": str(path), **more.pop("data", {})}
    options = {"varying": VARYING, "controls": CONTROLS} | more
    plain = analysis_dict(family, options.pop("structure", "interaction"), data=data, **options)
    plain["sampling"] = {"seed": 3, "likelihood": likelihood}
    return read_designs(analysis_source(Analysis.model_validate(plain)))


def densities(design: Design, points: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Log density and gradient at points around the start."""
    program = program_of(design, reported_variables(design))
    rng = np.random.default_rng(1)
    found = [program.density(0.4 * rng.normal(size=program.size)) for _ in range(points)]
    return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])


def assert_same_density(one: Design, other: Design, tolerance: float = 1e-10) -> None:
    """Equal up to a constant, and of equal gradient."""
    values, gradients = zip(densities(one), densities(other), strict=True)
    gaps = values[0] - values[1]
    assert np.ptp(gaps) <= tolerance * np.abs(values[0]).max()
    scale = np.abs(gradients[0]).max()
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("family", ["gaussian", "lognormal"])
def test_moments_are_the_likelihood(tmp_path: Path, family: str) -> None:
    full, summary = (read(tmp_path, kind, family).designs[0] for kind in ("full", "summary"))
    found = summary_of(summary)
    assert found is not None
    assert (found.kind, found.rows) == ("moments", 600)
    assert_same_density(full, summary)


def test_a_mean_far_from_zero_costs_no_digits(tmp_path: Path) -> None:
    frame = frame_of().assign(growth=lambda table: table["growth"] + 1e6)
    full, summary = (
        read(tmp_path, kind, "gaussian", frame=frame).designs[0] for kind in ("full", "summary")
    )
    assert_same_density(full, summary, 1e-8)


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("bernoulli", {}),
        ("binomial", {"trials": "attempts"}),
        ("poisson", {"exposure": "exposure"}),
    ],
)
def test_counts_are_the_likelihood(tmp_path: Path, family: str, more: Mapping[str, Any]) -> None:
    frame = frame_of()
    frame["training"] = (frame["training"] > 3).astype(int)
    frame["trust"] = (frame["trust"] // 20).clip(1, 3)
    options = {"controls": ["exporter"], **more}
    full, summary = (
        read(tmp_path, kind, family, frame=frame, **options).designs[0]
        for kind in ("full", "summary")
    )
    found = summary_of(summary)
    assert found is not None
    assert found.lines is not None
    assert found.kind == "counts"
    assert found.lines.cell.size < 150
    assert_same_density(full, summary)


@pytest.mark.parametrize("family", list(LIKELIHOODS))
def test_every_firm_by_itself_is_the_likelihood(tmp_path: Path, family: str) -> None:
    more = {"trials": "attempts"} if family == "binomial" else {}
    full = read(tmp_path, "full", family, **more).designs[0]
    large = read(tmp_path, "summary", family, **more)
    assert_same_density(full, with_every_firm(large.designs[0], large.firms[0]))


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "probit", "poisson"])
def test_a_series_has_the_derivatives_of_the_likelihood(tmp_path: Path, family: str) -> None:
    more = {"trials": "attempts"} if family == "binomial" else {}
    large = read(tmp_path, "summary", family, **more)
    summary = summary_of(large.designs[0])
    assert summary is not None
    found = summary.quadratic
    assert found is not None
    assert found.third is not None
    blocks, step = list(large.firms[0].blocks()), 1e-5

    def at(shift: np.ndarray) -> Any:
        return series(blocks, family, found.centre + shift)

    for k in (0, 1, found.centre.shape[1] - 1):
        shift = step * np.eye(found.centre.shape[1])[k]
        more_, less = at(shift), at(-shift)
        size = found.size.max()
        np.testing.assert_allclose(
            (more_.value - less.value) / (2 * step), found.slope[:, k], atol=1e-7 * size
        )
        np.testing.assert_allclose(
            -(more_.slope - less.slope) / (2 * step), found.curvature[:, k], atol=1e-7 * size
        )
        low = np.tril(-(more_.curvature - less.curvature) / (2 * step))
        np.testing.assert_allclose(low, np.tril(found.third[:, k]), atol=1e-7 * size)


def test_a_sample_is_coded_as_the_whole(tmp_path: Path) -> None:
    options = {"constructs": MEAN, "controls": ["region", {"column": "year", "coding": "sum"}]}
    full, summary = (read(tmp_path, kind, **options).designs[0] for kind in ("full", "summary"))
    assert summary.firms_fitted == full.size == 600
    for name in ("human_capital", "social_capital", "controls", "control_base", "capital_scale"):
        np.testing.assert_allclose(summary.data[name], full.data[name], atol=1e-12, err_msg=name)
    for one, other in zip(full.details.measures, summary.details.measures, strict=True):
        assert one.reliability == pytest.approx(other.reliability)
        for unit, other_unit in zip(one.units, other.units, strict=True):
            assert unit[:3] == other_unit[:3]
            assert unit[3:] == pytest.approx(other_unit[3:])


def assert_same(one: ReadDesigns, other: ReadDesigns, digits: float = 1e-9) -> None:
    first, second = one.designs[0].data, other.designs[0].data
    assert set(first) == set(second)
    for name in first:
        # the centre of a series is a matter of taste
        if first[name].dtype.kind in "fi" and not str(name).startswith("likelihood"):
            np.testing.assert_allclose(
                first[name], second[name], rtol=digits, atol=digits, err_msg=str(name)
            )
    if "moments" in first.attrs["likelihood"]:
        assert_same_density(one.designs[0], other.designs[0], digits)


def test_parts_add_up_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SAMPLE", 150)
    whole = read(tmp_path, "summary", "gaussian")
    monkeypatch.setattr(stream, "ROWS_A_PART", 100)
    monkeypatch.setattr(stream, "ROWS_A_BATCH", 37)
    monkeypatch.setattr("bayescluster.summaries.likelihood.HELD_ROWS", 0)
    parts = read(tmp_path, "summary", "gaussian")
    assert len(parts.firms[0].parts) == 6
    assert parts.designs[0].size < 180
    assert_same(whole, parts)


def test_a_csv_file_is_read_as_parquet_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame_of().to_csv(tmp_path / "firms.csv", index=False)
    monkeypatch.setattr(stream, "BLOCK_BYTES", 10_000)
    parquet = read(tmp_path, "summary")
    assert_same(parquet, read_file(tmp_path / "firms.csv", "summary"))


def test_rows_are_left_out_and_made_as_in_any_table(tmp_path: Path) -> None:
    frame = frame_of()
    frame.loc[::50, "training"] = -9
    data = {
        "missing_values": [-9],
        "missing": "drop",
        "keep": [{"column": "region", "one_of": ["north", "south"]}],
        "exclude": [{"column": "size", "above": 100}],
        "derive": [{"kind": "at_least", "name": "many", "of": "size", "value": 20}],
    }
    options = {"data": data, "controls": ["many", "region"], "frame": frame}
    full, summary = (
        read(tmp_path, kind, "gaussian", **options).designs[0] for kind in ("full", "summary")
    )
    assert full.size == summary.firms_fitted < 450
    assert summary.details.rows_read == 600
    assert_same_density(full, summary)


def test_firms_that_are_read_again_have_the_same_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = read(tmp_path, "summary").firms[0]
    centre = np.full((len(held.coder.cells), held.coder.width), 0.1)
    one = held.series(centre, cubic=True)
    monkeypatch.setattr("bayescluster.summaries.likelihood.HELD_ROWS", 0)
    again = Firms(stream.parts_of(tmp_path / "firms.parquet"), held.coder, held.rows).series(
        centre, True
    )
    for first, second in zip(one, again, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-10, atol=1e-10)
