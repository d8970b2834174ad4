"""The explorer as a reader uses it: what the browser computes is what Python says of the same draws."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bayescluster.app.facts import outcome_facts
from bayescluster.estimands.diagnostics import estimate
from bayescluster.estimands.levels import CORNERS
from bayescluster.features.explorer.compute import levels_shown, unpacked
from bayescluster.features.explorer.results import Explorer
from bayescluster.features.explorer.view import CUT_OFFS, EXPLORER
from bayescluster.kit import words
from bayescluster.kit.page import Section
from bayescluster.report import render
from bayescluster.report.sections import SECTIONS
from bayescluster.results.model import Results
from bayescluster.verdicts.evidence import Evidence
from tests.factories import firms
from tests.features.explorer.made import Carried, evidence_of, explorer, verdict_of

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

HOSTILE = "</script><script>window.harmed=1</script>", "<img src=x onerror=window.harmed=1>"
FITS = {
    "bernoulli": ("bernoulli", "interaction", {}),
    "probit": ("probit", "conjunctive", {}),
    "ordinal": ("ordinal", "interaction", {}),
    "gaussian": ("gaussian", "ces", {}),
    "poisson": ("poisson", "additive", {}),
    "zeros": ("zero_inflated_beta", "interaction", {}),
}
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"human": 2, "social": 9, "group": 1},
    {"human_low": 3, "social_high": 8, "cut_kappa": 0.62, "cut_level": 0.8, "cut_min_support": 1},
    {"group": 2, "cut_theta": 0.5, "cut_ratio": 0.5, "cut_eps": 0.2, "cut_assess": 0.1},
    {"level": -1, "cut_theta_not": 0.7, "cut_delta": 0.02, "cut_margin": 0, "cut_min_support": 3},
)


class Shown(NamedTuple):
    """A page with an explorer, and what it was made of."""

    evidence: Evidence
    explorer: Explorer
    results: Results
    path: Path


def shown(
    evidence: Evidence, results: Results, path: Path, sections: tuple[Section, ...] = (EXPLORER,)
) -> Shown:
    """Write a page, with nothing but the explorer where it is not that of a whole report."""
    found = explorer(evidence)
    outcome = outcome_facts(evidence.design)
    whole = results.model_copy(update={"explorer": found, "outcome": outcome, "likelihoods": None})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "SECTIONS", sections)
        path.write_text(render.render_html(whole), encoding="utf-8")
    return Shown(evidence, found, whole, path)


@pytest.fixture(scope="module", params=FITS)
def made(
    request: pytest.FixtureRequest, results: Results, tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    family, structure, keys = FITS[request.param]
    frame = firms(240).replace({"industry": dict(zip(("I0", "I1"), HOSTILE, strict=True))})
    evidence = evidence_of(family, structure, frame=frame, **keys)
    return shown(evidence, results, tmp_path_factory.mktemp("explorer") / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Any, made: Shown) -> Iterator[Any]:
    yield from opened(browser, made.path)


def opened(browser: Any, path: Path, **context: Any) -> Iterator[Any]:
    """Open a page; it may neither complain nor ask for anything."""
    place = browser.new_context(**context)
    found, heard = place.new_page(), []
    found.on("console", lambda message: heard.append(message.text))
    found.on("pageerror", lambda error: heard.append(str(error)))
    found.on("request", lambda asked: heard.append(asked.url))
    found.goto(path.as_uri())
    found.wait_for_selector("#explorer:not([hidden])")
    yield found
    assert heard == [path.as_uri()]
    assert found.evaluate("window.harmed") is None
    place.close()


def put(page: Any, name: str, value: Any) -> None:
    """Choose, slide or type as a hand does: the page hears of it by an event."""
    script = """(field, value) => {
      if (field.tagName === "SELECT" && value < 0) field.selectedIndex = field.options.length - 1;
      else field.value = value;
      field.dispatchEvent(new Event("input", {bubbles: true}));
    }"""
    page.locator(f'#explorer [name="{name}"]').evaluate(script, str(value) if value != -1 else -1)


def read(page: Any, name: str) -> str:
    return str(page.locator(f'#explorer [name="{name}"]').input_value())


def rows(page: Any, part: str) -> list[list[str]]:
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    found = page.locator(f'[data-part="{part}"] tr').evaluate_all(script)
    return [[str(cell) for cell in row] for row in found]


@pytest.mark.parametrize("k", range(len(SETTINGS)))
def test_the_browser_computes_what_python_does(k: int, page: Any, made: Shown) -> None:
    for name, value in sorted(SETTINGS[k].items(), key=lambda one: one[0].startswith("cut")):
        put(page, name, value)
    choice = {name: read(page, name) for name in ("form", "scope", "level", "group")}
    surface = next(
        n
        for n, one in enumerate(made.explorer.surfaces)
        if all(str(getattr(one, name)) == value for name, value in choice.items())
    )
    level = made.explorer.levels[int(choice["level"])]
    values = unpacked(made.explorer)[surface]
    node = {name: int(read(page, name)) for name in ("human", "social")}
    outcome = made.results.outcome
    if level.at_least is not None:
        outcome = words.reaching(outcome, level.at_least)
    here = values[:, node["human"], node["social"]]
    answer = words.level(estimate(here), outcome)
    assert page.locator('[data-part="value"]').inner_text() == answer
    mean, low, high = answer.replace("[", "").replace("]", "").replace(",", "").split()
    sentence = page.locator('[data-part="sentence"]').inner_text().replace(",", "")
    assert f"is {mean} 90% interval {low} to {high}" in sentence

    ends = [int(read(page, f"{c}_{end}")) for c, end in product(node, ("low", "high"))]
    carried = Carried(made.evidence, made.explorer, surface, (ends[0], ends[1], ends[2], ends[3]))
    assert [row[1:] for row in rows(page, "corners")] == [
        [words.level(estimate(carried.corners[c][:, 0]), outcome), words.fixed(near, 1)]
        for c, near in zip(CORNERS, carried.near[:, 0], strict=True)
    ]

    cutoffs = {name: as_typed(page, name, level.cutoffs[name]) for name in CUT_OFFS}
    asked = levels_shown(made.evidence.design)[int(choice["level"])]
    expected = []
    for claim in made.explorer.claims:
        if not level.bounded and has_no_region(claim.kind, cutoffs):
            continue
        found = verdict_of(carried, claim, cutoffs, asked)
        expected.append(
            [
                claim.title,
                f"{words.verdict_probability(found.probability)}\n± {words.error(found.mcse)}",
                f"{words.ICONS[found.verdict]} {words.VERDICTS[found.verdict]}",
            ]
        )
    assert [[*row[:2], verdict(row)] for row in rows(page, "claims")] == expected


def verdict(row: list[str]) -> str:
    """The verdict of a claim, without its reason."""
    return " ".join(row[2].split("\n")[:2])


def as_typed(page: Any, name: str, declared: float | None) -> float | None:
    typed = read(page, f"cut_{name}")
    if declared is not None and typed == f"{declared:.4g}":
        return declared
    return float(typed) if typed else None


def has_no_region(kind: str, cutoffs: dict[str, float | None]) -> bool:
    """Whether a claim about an amount lacks a cut-off that has no default."""
    if kind in ("sufficient", "joint_sufficiency"):
        return cutoffs["theta"] is None
    short = kind in ("not_sufficient", "necessary_not_sufficient")
    return short and cutoffs["theta_not"] is None and cutoffs["delta"] is None


def test_labels_of_the_data_are_text(page: Any) -> None:
    names = page.locator('#explorer [name="group"] option').all_inner_texts()
    assert [name.rsplit(" (n", 1)[0] for name in names[:3]] == ["All firms", *sorted(HOSTILE)]
    put(page, "group", 1)
    text = page.locator('[data-part="sentence"]').inner_text()
    assert text.startswith(min(HOSTILE))


@pytest.fixture(scope="module")
def plain(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    evidence = evidence_of("bernoulli", "interaction")
    return shown(evidence, results, tmp_path_factory.mktemp("plain") / "report.html", SECTIONS)


def test_everything_can_be_reached_and_moved_by_keyboard(browser: Any, plain: Shown) -> None:
    for page in opened(browser, plain.path):
        page.locator('#explorer [name="group"]').focus()
        reached = []
        for _ in range(30):
            reached.append(page.evaluate("document.activeElement.name || ''"))
            page.keyboard.press("Tab")
        assert {"scope", "human", "social_high", "cut_kappa", "cut_min_support"} <= set(reached)
        page.locator('#explorer [name="human"]').focus()
        before = page.locator('[data-part="sentence"]').inner_text()
        page.keyboard.press("Home")
        nodes = plain.explorer.human.nodes
        assert read(page, "human") == "0"
        spoken = page.locator('#explorer [name="human"]').get_attribute("aria-valuetext")
        assert spoken.startswith(f"{words.fixed(nodes[0], 2)} sd (training ")
        assert page.locator('[data-part="sentence"]').inner_text() != before
        # low and high do not meet
        put(page, "human_low", len(nodes) - 1)
        assert int(read(page, "human_low")) == int(read(page, "human_high")) - 1
        page.locator('[data-part="reset"]').press("Enter")
        assert int(read(page, "human_low")) == plain.explorer.human.low


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(scheme: str, browser: Any, plain: Shown) -> None:
    size = {"width": 360, "height": 700}
    for page in opened(browser, plain.path, viewport=size, color_scheme=scheme):
        script = """() => [...document.querySelectorAll("#explore *")].filter(one =>
          !one.closest("svg, .scroll") && one.getBoundingClientRect().right > 361).length"""
        assert page.evaluate(script) == 0
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.locator("#explore svg rect").count() > 100


def test_it_is_not_printed_and_a_page_without_scripts_says_so(browser: Any, plain: Shown) -> None:
    for page in opened(browser, plain.path):
        page.emulate_media(media="print")
        assert not page.locator("#explore").is_visible()
    still = browser.new_context(java_script_enabled=False).new_page()
    still.goto(plain.path.as_uri())
    assert (
        still.locator("#explore")
        .inner_text()
        .endswith("The explorer needs JavaScript. All else on this page can be read without it.")
    )


def test_a_failed_gate_strikes_numbers_and_decides_nothing(
    browser: Any, failed: Results, tmp_path: Path
) -> None:
    found = shown(evidence_of("bernoulli", "interaction"), failed, tmp_path / "report.html")
    for page in opened(browser, found.path):
        assert {verdict(row) for row in rows(page, "claims")} == {"? Undecided"}
        for place in ("[data-part=value]", "[data-part=claims] td.number"):
            script = "one => getComputedStyle(one).textDecorationLine"
            assert page.locator(place).first.evaluate(script) == "line-through"


def test_an_explorer_is_small(made: Shown) -> None:
    assert len(made.path.read_bytes()) < 740_000
