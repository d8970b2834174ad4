"""The page of a comparison of runs, from made-up results."""

from __future__ import annotations

import report_made as made
from report_reading import Page

from bayescluster.results.model import Results
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
from bayescluster.studies.compare.view import csv_tables, lead, page_text


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
    assert "<h1>Sialkot, Penang</h1>" in page
    assert "Sialkot less Penang" in page
    assert 'class="ribbon"' not in page
    assert "diagnostics gate failed" not in page.lower().replace(
        "the diagnostics gate failed: nothing", "x"
    )
    # a forest a capital, wide and narrow, on one axis for both runs
    assert page.count("<svg") == 4


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
    assert "Those of made: nothing they say is evidence about real firms." in page
    assert any("says nothing of real firms" in text for text in found.warnings)
    assert "Synthetic data" not in page_text(together(real, named(real, "too")))
    whole = page_text(together(made_up, named(made_up, "too")))
    assert "Nothing here is evidence about real firms." in whole


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
