"""Reports without their drawings, for tests of what is said: drawing takes nine tenths of a page.

For pages that a test makes for itself. Pages that tests share are drawn whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bayescluster.kit import figure as svg
from bayescluster.kit.figure import FigureSpec
from bayescluster.report.render import render_html
from bayescluster.results.model import Results

DRAWING, PRINTED = svg._drawing, svg._printed
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g id="figure_1"/></svg>'


@contextmanager
def undrawn(*drawn: str) -> Iterator[None]:
    """Draw only the figures of a run that are named; an empty picture stands for the others."""
    draw = svg._drawing
    left = set(drawn)

    def drawing(spec: FigureSpec, results: Results, narrow: bool) -> str:
        left.discard(spec.name)
        return draw(spec, results, narrow) if spec.name in drawn else EMPTY

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(svg, "_drawing", drawing)
        yield
    assert not left, f"no figures of these names were asked for: {left}"


@contextmanager
def unprinted() -> Iterator[None]:
    """Make the figures of a study, so that one that cannot be made says so, but print none as SVG."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(svg, "_printed", lambda _: EMPTY)
        yield


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """Put an empty picture in the place of every figure: those of a study are made, but not printed."""
    patch.setattr(svg, "_drawing", lambda *_: EMPTY)
    patch.setattr(svg, "_printed", lambda _: EMPTY)


def draw_all(patch: pytest.MonkeyPatch) -> None:
    """Draw every figure again, in a test that has the instant sampler and looks at a report."""
    patch.setattr(svg, "_drawing", DRAWING)
    patch.setattr(svg, "_printed", PRINTED)


def page_of(results: Results, *drawn: str) -> str:
    """Render the report with no figures drawn but those named."""
    with undrawn(*drawn):
        return render_html(results)
