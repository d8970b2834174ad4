from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from bayescluster.results.model import Results

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PROBE = """<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(one => { one.open = true; });
  const width = document.documentElement.clientWidth;
  const clipped = [...document.querySelectorAll("main *, nav *, .ribbon *")].filter(one => {
    if (one.closest(".scroll, svg, pre") || one.closest(".watermark")) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1;
  }).map(one => one.tagName + "." + one.className);
  parent.postMessage({width, scroll: document.documentElement.scrollWidth, clipped}, "*");
});
</script></body>"""
FRAME = """<!doctype html><body style="margin:0"><pre id="found"></pre>
<script>addEventListener("message", event => {{
  document.getElementById("found").textContent = JSON.stringify(event.data);
}});</script>
<iframe src="probed.html" style="width:{width}px;height:2000px;border:0"></iframe></body>"""


def chromium(*arguments: str, profile: Path) -> str:
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def layout(page: str, width: int, directory: Path) -> dict[str, object]:
    # the page lets no script run but its own
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (directory / "probed.html").write_text(free.replace("</body>", PROBE), encoding="utf-8")
    frame = directory / "frame.html"
    # windows narrower than 500 px are not to be had: a frame is as narrow as it is told to be
    frame.write_text(FRAME.format(width=width), encoding="utf-8")
    dom = chromium(
        "--window-size=1400,1000",
        "--virtual-time-budget=8000",
        "--dump-dom",
        frame.as_uri(),
        profile=directory / "profile",
    )
    match = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert match is not None
    found = json.loads(unescape(match.group(1)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("name", ["page", "hostile_page"])
def test_nothing_overflows(
    width: int, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    found = layout(request.getfixturevalue(name), width, tmp_path)
    assert found == {"width": width, "scroll": width, "clipped": []}


@pytest.mark.parametrize("width", [1200, 390])
def test_it_makes_a_picture(width: int, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    picture = tmp_path / "report.png"
    chromium(
        f"--window-size={width},1600",
        f"--screenshot={picture}",
        path.as_uri(),
        profile=tmp_path / "profile",
    )
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 50_000


def test_it_prints(failed: Results, failed_page: str, tmp_path: Path) -> None:
    assert not failed.gate.passed
    path = tmp_path / "report.html"
    path.write_text(failed_page, encoding="utf-8")
    printed = tmp_path / "report.pdf"
    chromium(
        "--no-pdf-header-footer",
        f"--print-to-pdf={printed}",
        path.as_uri(),
        profile=tmp_path / "profile",
    )
    assert printed.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["page", "failed_page"])
def test_no_serious_fault_of_accessibility(
    which: str, scheme: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = tmp_path / "report.html"
    path.write_text(request.getfixturevalue(which), encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        # the page lets no script run but its own: here that of axe may as well
        page = browser.new_context(bypass_csp=True, color_scheme=scheme).new_page()
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found = axe.run(page).response["violations"]
        browser.close()
    serious = [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert not serious, "\n".join(serious)
