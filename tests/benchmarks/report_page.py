"""Time a report of made-up results: ``python tests/benchmarks/report_page.py --times 5``.

Prints medians of processor seconds: of a page, of a whole report with its files, and of what the two
are made of. Machines are noisy: compare ratios, those printed and those of a run before a change to one
after it. Not part of the test suite.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent / "report")]


def main() -> None:
    """Time each part several times, in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        parts = _parts(Path(folder))
        parts["page"]()  # fonts and templates are read once
        seconds = {name: [] for name in parts}
        for _ in range(times):
            for name, part in parts.items():
                start = time.process_time()
                part()
                seconds[name].append(time.process_time() - start)
    page = median(seconds["page"])
    for name, found in seconds.items():
        middle = median(found)
        sys.stdout.write(f"{name:<16} {middle:6.2f} s, {middle / page:5.2f} of a page\n")


def _parts(folder: Path) -> dict[str, Callable[[], object]]:
    import report_made

    from bayescluster.kit.figure import inline
    from bayescluster.report.figures import FIGURES
    from bayescluster.report.render import render_html, write_report
    from tests.undrawn import page_of

    results = report_made.results()
    specs = [spec for spec in FIGURES if spec.wanted(results)]

    def made() -> list[object]:
        return [spec.draw(results, narrow) for spec in specs for narrow in (False, True)]

    return {
        "page": lambda: render_html(results),
        "page, no figures": lambda: page_of(results),
        "figures made": made,
        "figures printed": lambda: [inline(one, "name", "label") for one in made()],
        "whole report": lambda: write_report(results, folder),
    }


if __name__ == "__main__":
    main()
