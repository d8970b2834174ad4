from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
import report_made as made
from pydantic import BaseModel

from bayescluster.errors import RunError
from bayescluster.kit import figure as svg
from bayescluster.report.figures import FIGURES
from bayescluster.report.render import write_report
from bayescluster.report.sections import raw_tables, views_of
from bayescluster.results.model import Results
from tests.undrawn import undrawn

TABLES = (
    "verdicts",
    "verdict_figures",
    "effects",
    "context",
    "differences",
    "ranks",
    "corners",
    "groups",
    "dropped",
    "imputed",
    "missing_together",
    "measures",
    "groupings",
    "coefficients",
    "case_priors",
    "cases",
    "variance",
    "sandwich",
    "checks",
    "reasons",
    "attempts",
    "thresholds",
    "predictive",
    "fit_loo_pit",
    "fit_loo_pit_curve",
    "fit_calibration",
    "fit_calibration_curve",
    "readings",
    "ceilings",
    "bottlenecks",
    "checklist",
)


def rows_of(directory: Path, name: str) -> list[dict[str, str]]:
    with (directory / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files(results: Results, page: str, tmp_path: Path, written: Path) -> None:
    again = write_report(results, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in again] == [
        "report.html",
        *(f"figures/{spec.name}.svg" for spec in FIGURES if spec.wanted(results)),
        *(f"tables/{name}.csv" for name in TABLES),
    ]
    assert again[0].read_text(encoding="utf-8") == page
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(again)
    for path in again:  # equal results give equal bytes
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes()


def test_figures_are_svg_with_text_as_text(results: Results, written: Path) -> None:
    for spec in (spec for spec in FIGURES if spec.wanted(results)):
        text = (written / "figures" / f"{spec.name}.svg").read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "viewBox" in root.attrib
        assert root.attrib["aria-label"] == spec.alternative(results)
        texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts


def test_effects_round_trip(results: Results, written: Path) -> None:
    rows = rows_of(written, "effects")
    assert len(rows) == len(results.effects)
    known = {(one.capital, one.measure, one.by, one.group): one for one in results.effects}
    for row in rows:
        effect = known.pop((row["capital"], row["measure"], row["by"], row["group"]))
        assert int(row["rows"]) == effect.rows
        for name in ("mean", "sd", "low", "high", "mcse", "rhat", "ess_bulk", "ess_tail"):
            assert float(row[name]) == getattr(effect.estimate, name)
        assert float(row["positive"]) == effect.positive
        if effect.unpooled is None:
            assert row["unpooled_mean"] == ""
        else:
            assert float(row["unpooled_mean"]) == effect.unpooled.mean


def test_verdicts_round_trip(hostile: Results, tmp_path: Path) -> None:
    with undrawn():
        write_report(hostile, tmp_path)
    rows = rows_of(tmp_path, "verdicts")
    assert [row["group"] for row in rows] == [verdict.group for verdict in hostile.verdicts]
    for row, verdict in zip(rows, hostile.verdicts, strict=True):
        assert float(row["probability"]) == verdict.probability
        assert (float(row["odds_ratio"]) if row["odds_ratio"] else None) == verdict.odds_ratio
    figures = rows_of(tmp_path, "verdict_figures")
    told = [figure for verdict in hostile.verdicts for figure in verdict.figures]
    assert [float(row["mean"]) for row in figures] == [figure.estimate.mean for figure in told]


def records(value: object) -> Iterator[BaseModel]:
    """Every record in a value, those inside of records too."""
    if isinstance(value, BaseModel):
        yield value
        value = tuple(getattr(value, name) for name in type(value).model_fields)
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for part in value:
            yield from records(part)


def cells(record: BaseModel) -> set[object]:
    """Numbers and words of a record, and of the estimates in it."""
    values = [getattr(record, name) for name in type(record).model_fields]
    inner = [cells(value) for value in values if isinstance(value, BaseModel)]
    return {value for value in values if isinstance(value, int | float | str)}.union(*inner)


COMPUTED = {"ThresholdRow", "PitPoint", "CalibrationPoint"}
"""Records that tables are made of and results do not hold as such."""


def test_every_value_of_every_record_is_in_a_table_once(drawn_whole: Results) -> None:
    held: dict[type, list[BaseModel]] = {}
    for record in records(drawn_whole):
        held.setdefault(type(record), []).append(record)
    written: dict[type, list[tuple[object, ...]]] = {}
    for view in views_of(drawn_whole):
        written.setdefault(view.kind, []).extend(view.raw.rows)
    assert len(written) > 50
    assert sum(map(len, written.values())) > 1_500
    for kind, rows in written.items():
        if kind.__name__ in COMPUTED:
            continue
        assert len(rows) == len(held.get(kind, ())), kind
        left = list(map(set, rows))
        for record in held.get(kind, ()):
            found = next((row for row in left if cells(record) <= row), None)
            assert found is not None, record
            left.remove(found)


def test_checks_not_made_are_empty(failed: Results) -> None:
    (table,) = (table for table in raw_tables(failed) if table.name == "checks")
    column = table.columns.index("passed")
    assert [row[column] for row in table.rows] == [False, True, True, True, None, True]
    assert table.rows[0][table.columns.index("worst")] == "; ".join(failed.gate.items[0].worst)


def test_tables_without_rows_keep_their_headings(bare: Results, tmp_path: Path) -> None:
    write_report(bare, tmp_path)
    text = (tmp_path / "tables" / "effects.csv").read_text(encoding="utf-8")
    assert text.startswith("capital,measure,by,group,scope,rows,mean,sd,low,high,mcse,")
    assert text.count("\n") == 1


def test_text_is_not_run_as_a_formula(results: Results, tmp_path: Path) -> None:
    names = ("=1+1", "+A1", "-A1", "@SUM(A1)", "plain -1")
    found = results.effects[0].estimate.model_copy(update={"mean": -0.25})
    effects = tuple(
        results.effects[0].model_copy(update={"group": name, "estimate": found}) for name in names
    )
    with undrawn():
        write_report(results.model_copy(update={"effects": effects}), tmp_path)
    rows = rows_of(tmp_path, "effects")
    assert [row["group"] for row in rows] == ["'=1+1", "'+A1", "'-A1", "'@SUM(A1)", "plain -1"]
    assert {row["mean"] for row in rows} == {"-0.25"}


def test_files_half_written_are_those_that_a_run_cleans(
    bare: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def replace(source: Path, target: Path) -> None:
        seen.append(source.name)
        source.rename(target)

    monkeypatch.setattr(os, "replace", replace)
    written = write_report(bare, tmp_path)
    assert seen == [f".{path.name}.{os.getpid()}.partial" for path in written]


def test_figures_of_an_older_report_go(bare: Results, tmp_path: Path) -> None:
    old = tmp_path / "figures" / "surface.svg"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    write_report(bare, tmp_path)
    assert list(old.parent.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(
    bare: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "report.html"
    old.write_text("old", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError) as raised:
        write_report(bare, tmp_path)
    assert str(old) in str(raised.value)
    assert "the file cannot be written: No space left on device" in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert old.read_text(encoding="utf-8") == "old"


def test_page_and_file_share_a_drawing(
    bare: Results, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed, count = svg._printed, []
    monkeypatch.setattr(svg, "_printed", lambda figure: count.append(figure) or printed(figure))
    checked = bare.model_copy(update={"fit_checks": results.fit_checks})
    write_report(checked, tmp_path)
    assert len(count) == 2  # calibration, wide and narrow
    write_report(checked, tmp_path)
    assert len(count) == 4, "nothing is kept from one report for another"


def test_drawings_are_those_of_their_results(results: Results) -> None:
    other = made.results(industries=made.INDUSTRIES[:2])
    spec = next(spec for spec in FIGURES if spec.name == "effects")
    alone = svg.drawn_file(spec, results)
    with svg.drawings_kept():
        first = svg.drawn_file(spec, other)
        assert svg.drawn_file(spec, results) == alone != first
        assert svg.drawn_file(spec, other) == first
