"""The page of a comparison of runs, from made-up results."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest
import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.kit.table import Table
from bayescluster.results.model import Results
from bayescluster.studies.compare.answer import answer_of, groups_of
from bayescluster.studies.compare.compute import (
    corner_rows,
    effect_rows,
    notes_of,
    run_facts,
    verdict_rows,
    warnings_of,
)
from bayescluster.studies.compare.results import (
    Compared,
    ComparedDifference,
    DifferingSetting,
    Pair,
)
from bayescluster.studies.compare.view import csv_tables, lead, page_text, printed

pytestmark = pytest.mark.usefixtures("unprinted_figures")


def setting(
    place: str, changes: str, first: str | None = "1", second: str | None = "2"
) -> DifferingSetting:
    return DifferingSetting(place=place, changes=changes, values=(first, second))  # type: ignore[arg-type]


def together(
    one: Results,
    other: Results,
    standing: str = "independent",
    settings: tuple[DifferingSetting, ...] = (),
) -> Compared:
    runs = run_facts([(one, "a"), (other, "b")])
    verdicts, effects = verdict_rows([one, other]), effect_rows([one, other])
    pair = Pair(first=0, second=1, standing=standing, why="because", firms_shared=0)  # type: ignore[arg-type]
    found = effects[0].estimates[0]
    less = ComparedDifference(
        first=0,
        second=1,
        capital=effects[0].capital,
        measure=effects[0].measure,
        by=effects[0].by,
        group=effects[0].group,
        mean=0.0125,
        estimate=found if standing == "independent" else None,
        positive=0.75 if standing == "independent" else None,
    )
    return Compared(
        key="k" * 16,
        run_keys=tuple(run.run_key for run in runs),
        interval=0.9,
        runs=runs,
        settings=settings,
        effects=effects,
        corners=corner_rows([one, other]),
        verdicts=verdicts,
        pairs=(pair,),
        differences=(less,),
        warnings=tuple(one.text for one in warnings_of(runs, verdicts, (pair,))),
        notes=tuple(notes_of(runs, (pair,))),
    )


def named(results: Results, name: str) -> Results:
    return results.model_copy(update={"name": name})


def test_the_page_sets_runs_side_by_side(results):
    page = page_text(together(named(results, "Sialkot"), named(results, "Penang")))
    outcome = words.label(results.outcome.column).lower()
    way = "depend on the capitals in the same way in Sialkot and Penang?"
    assert f"<h1>Does {outcome} {way}</h1>" in page
    assert "Sialkot less Penang" in page
    assert 'class="ribbon"' not in page
    assert "diagnostics gate failed" not in page.lower().replace(
        "the diagnostics gate failed: nothing", "x"
    )
    # corners and effects, wide and narrow, on one axis for both runs
    assert page.count("<svg") == 4
    read = Page(page)
    assert (read.faults, read.open) == ([], [])
    layers = [value for _, key, value in read.attributes if key == "data-layer"]
    assert layers == ["answer", "findings", "appendix"]
    anchors = read.values("id")
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in read.values("href") if link[0] == "#"} <= set(anchors)
    digest = b64encode(sha256(page.split("<script>")[1].split("</script>")[0].encode()).digest())
    assert f"script-src 'sha256-{digest.decode()}'" in unescape(page)


def judged(results: Results, *states: str) -> Results:
    """Results in which the claims on the first group of the grid have these verdicts, in turn."""
    first = results.verdicts[0]
    verdicts = []
    for verdict in results.verdicts:
        own = (verdict.by, verdict.group) == (first.by, first.group)
        state = states[len(verdicts) % len(states)] if own else verdict.verdict
        verdicts.append(verdict.model_copy(update={"verdict": state}))
    return results.model_copy(update={"verdicts": tuple(verdicts)})


def test_the_answer_names_what_differs(results):
    one = named(judged(results, "supported"), "one")
    other = named(judged(results, "rejected"), "other")
    same = answer_of(together(one, named(one, "again")))
    assert same.groups[0].text.startswith("The same verdict on ")
    assert not any(cell.apart for row in same.grid.rows for cell in row.cells)
    first = answer_of(together(one, other)).groups[0]
    assert first.short.startswith("0 of ")
    assert "supported in one, rejected in other" in first.text
    unsure = named(judged(results, "undecided"), "unsure")
    first = answer_of(together(one, unsure)).groups[0]
    assert "decided in one alone" in first.short
    assert "rejected" not in first.text


def test_effects_differ_only_where_draws_say_so_and_checks_passed(results, failed):
    def sure(found: Compared) -> Compared:
        by = found.verdicts[0].by
        group = groups_of(found)[0]
        update = {"by": by, "group": group, "positive": 0.02}
        update["measure"] = "average_marginal_effect"
        rows = tuple(row.model_copy(update=update) for row in found.differences)
        return found.model_copy(update={"differences": rows})

    one, other = named(results, "one"), named(results, "other")
    text = answer_of(sure(together(one, other))).groups[0].text
    assert "is extremely likely to be smaller in one than in other" in text
    doubtful = answer_of(sure(together(one, named(failed, "bad"))))
    assert "to be smaller" not in doubtful.groups[0].text
    assert doubtful.limits[0][0] == "Checks"


def test_the_terminal_has_a_screen(results, failed):
    groups = [f"Industry number {k}" for k in range(30)]
    update = {
        part: tuple(row.model_copy(update={"group": name}) for row in rows for name in groups)
        for part, rows in (("verdicts", results.verdicts), ("effects", results.effects))
    }
    many = results.model_copy(update={**update, "corners": ()})
    assert len(answer_of(together(many, many)).groups) == 8
    tables = 0
    for one in (results, failed, many):
        lines = 0
        for item in printed(together(named(one, "a" * 50), named(one, "b" * 50))):
            tables += isinstance(item, Table)
            lines += len(item.rows) + 3 if isinstance(item, Table) else 1
        assert lines + 2 <= 25  # a blank line, and the name of the page
    assert tables == 2  # signs of many groups are wider than a terminal


def test_a_failed_gate_has_a_ribbon(results, failed):
    page = page_text(together(named(results, "good"), named(failed, "bad")))
    assert 'class="ribbon"' in page
    assert "nothing that such a run says can be relied on" in page


def test_synthetic_runs_are_named(results):
    def sample(synthetic: bool) -> Results:
        update = {"sample": results.sample.model_copy(update={"synthetic": synthetic})}
        return results.model_copy(update=update)

    made_up, real = named(sample(True), "made"), named(sample(False), "real")
    found = together(made_up, real)
    page = page_text(found)
    assert "no evidence about real firms in made." in page
    assert any("says nothing of real firms" in text for text in found.warnings)
    assert "Synthetic data" not in page_text(together(real, named(real, "too")))
    whole = page_text(together(made_up, named(made_up, "too")))
    assert "Synthetic data:</strong> no evidence about real firms." in whole


def test_other_units_do_not_share_an_axis(results):
    outcome = results.outcome.model_copy(update={"scale": "rate", "label": "expected patents"})
    counted = results.model_copy(update={"outcome": outcome, "name": "counts"})
    page = page_text(together(named(results, "shares"), counted))
    assert page.count("<svg") == 8


def test_a_difference_without_interval_says_so(results):
    found = together(named(results, "a"), named(results, "b"), "shared")
    assert "(no interval)" in page_text(found)
    last = csv_tables(found)[0].rows[-1]
    assert last[:2] == ("a", "b")
    assert (last[-1], last[-2], last[8]) == ("shared", None, None)


def test_names_are_escaped(hostile):
    page = page_text(together(hostile, named(hostile, "<b>x</b>")))
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_runs_that_lack_rows_are_shown_with_a_dash(results):
    fewer = made.results(industries=made.INDUSTRIES[:1])
    found = together(named(results, "four"), named(fewer, "one"))
    lacking = [row for row in found.effects if row.estimates[1] is None]
    assert lacking
    assert all(row.by == "industry" for row in lacking)
    assert '<td class="number ">–</td>' in page_text(found)


def test_settings_that_differ_stand_in_a_table_of_their_kind(results):
    model = "equations.upgrading"
    settings = (
        setting(f"{model}.structure", "model", "interaction", "additive"),
        setting(f"{model}.controls", "model", "employees <b>", None),
        setting("sampling.draws", "sampling", "1000", "50"),
        setting("description", "report", "this", "that"),
    )
    found = together(named(results, "a"), named(results, "b"), settings=settings)
    raw = page_text(found)
    page = Page(raw).text
    places = [
        page.index(text)
        for text in (
            *("Changes the model", f"{model}.structure"),
            *("Changes the draws only", "sampling.draws"),
            *("Changes neither", "description"),
        )
    ]
    assert places == sorted(places)
    assert "Changes what is asked" not in page
    assert "employees &lt;b&gt;" in raw
    assert raw.count('<td class="thin">not set</td>') == 1
    assert raw.count("Places are those of the analysis file") == 1
    assert lead(found) == (
        "Settings that differ, by what they bear on (changes the model: 2; "
        "changes the draws only: 1; changes neither: 1)."
    )


def test_analyses_that_are_the_same_say_so(results):
    found = together(named(results, "a"), named(results, "b"))
    assert lead(found) == "The analyses are the same in every setting."
    assert "Changes the model" not in page_text(found)
    other = results.reproduction.model_copy(update={"data_digest": "f" * 64})
    apart = named(results.model_copy(update={"reproduction": other}), "b")
    assert lead(together(named(results, "a"), apart)) == (
        "The analyses are the same in every setting. The data differ in content, which is no setting."
    )
    draws = (setting("sampling.draws", "sampling"),)
    assert lead(together(named(results, "a"), named(results, "b"), settings=draws)) == (
        "Settings that differ, by what they bear on (changes the draws only: 1). No setting of the "
        "model differs."
    )
