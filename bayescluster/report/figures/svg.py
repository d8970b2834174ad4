"""Figures as SVG: for the page, where colours are CSS variables, and as files of their own.

matplotlib lays a figure out and draws it once; what the page and the file need is made of that.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from math import atan2, degrees, hypot
from typing import Any, NamedTuple, cast
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bayescluster.report.figures.record import FigureSpec
from bayescluster.report.figures.style import BAD, VARIABLES, settings
from bayescluster.results.model import Results

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"url\(#")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
GLYPH = 0.55
"""Usual width of a letter over the size of its font."""
STYLE = "*{stroke-linejoin:round;stroke-linecap:butt}svg{background:#fff}text{white-space:pre}"


class Drawn(NamedTuple):
    """A figure drawn for the page, or the reason why it is not."""

    name: str
    caption: str
    wide: Markup
    narrow: Markup
    failure: str


class _Kept(NamedTuple):
    """A drawing, and its results: while they are held, no others have their identity."""

    results: Results
    drawing: str


_KEPT: ContextVar[dict[tuple[int, str, bool], _Kept] | None] = ContextVar("kept", default=None)


@contextmanager
def drawings_kept() -> Iterator[None]:
    """Within it, each layout of a figure is drawn once for the same results, for page and file."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def drawn(spec: FigureSpec, results: Results) -> Drawn:
    """Draw a figure for the page in both layouts; a figure that cannot be drawn says why."""
    label = spec.alternative(results)
    try:
        # a ValueError is what both our figures and matplotlib raise on numbers they cannot draw
        wide = _inline(_drawing(spec, results, False), f"{spec.name}-wide", label)
        narrow = _inline(_drawing(spec, results, True), f"{spec.name}-narrow", label)
    except ValueError as error:
        return Drawn(spec.name, spec.caption(results), Markup(), Markup(), str(error))
    return Drawn(spec.name, spec.caption(results), wide, narrow, "")


def drawn_file(spec: FigureSpec, results: Results, mark: str = "") -> str:
    """Draw a figure as a file of its own; ``mark`` is written across it.

    Raises
    ------
    ValueError
        If the figure cannot be drawn.
    """
    drawing = _drawing(spec, results, False)
    return _standalone(drawing, spec.name, spec.alternative(results), mark)


def inline(figure: Figure, name: str, label: str) -> Markup:
    """SVG to stand in a page: own ids, colours as variables, described for screen readers."""
    return _inline(_printed(figure), name, label)


def standalone(figure: Figure, name: str, label: str, mark: str = "") -> str:
    """SVG as a file of its own, on white; ``mark`` is written across it."""
    return _standalone(_printed(figure), name, label, mark)


def _drawing(spec: FigureSpec, results: Results, narrow: bool) -> str:
    """Draw a layout of a figure, or take it from those kept."""
    kept = _KEPT.get()
    if kept is None:
        return _printed(spec.draw(results, narrow))
    key = (id(results), spec.name, narrow)
    if key not in kept:
        kept[key] = _Kept(results, _printed(spec.draw(results, narrow)))
    return kept[key].drawing


def _inline(drawing: str, name: str, label: str) -> Markup:
    root = _tree(drawing, name, label)
    for element in root.iter():
        style = element.get("style")
        if style:
            element.set("style", _COLOUR.sub(_variable, style))
    # ElementTree escapes every text and attribute, so this is markup
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _standalone(drawing: str, name: str, label: str, mark: str) -> str:
    root = _tree(drawing, name, f"{mark}. {label}" if mark else label)
    if mark:
        root.append(_watermark(mark, root.attrib["viewBox"]))
    root.set("xmlns", "http://www.w3.org/2000/svg")
    style = ElementTree.Element("style")
    style.text = STYLE
    root.insert(1, style)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _watermark(mark: str, view: str) -> ElementTree.Element:
    """Text along the diagonal of a figure, in front of all."""
    left, top, width, height = map(float, view.split())
    x, y, length = left + width / 2, top + height / 2, 0.8 * hypot(width, height)
    angle = degrees(atan2(height, width))
    found = ElementTree.Element("text")
    found.text = mark
    found.attrib.update(
        {
            "class": "watermark",
            "x": f"{x:.1f}",
            "y": f"{y:.1f}",
            "transform": f"rotate({-angle:.1f} {x:.1f} {y:.1f})",
            "textLength": f"{length:.1f}",
            "lengthAdjust": "spacingAndGlyphs",
            "text-anchor": "middle",
            "style": f"fill: {BAD}; opacity: 0.35; "
            f"font: bold {length / len(mark) / GLYPH:.1f}px sans-serif",
        }
    )
    return found


def _variable(match: re.Match[str]) -> str:
    colour = match.group()
    name = VARIABLES.get(colour)
    return f"var({name})" if name else colour


def _printed(figure: Figure) -> str:
    """SVG as matplotlib writes it.

    The SVG canvas is asked directly: `Figure.savefig` walks a figure that lays itself out once more
    before it draws, for the layout, which drawing does anyway; the bytes are the same.
    """
    buffer, canvas = BytesIO(), cast(Any, FigureCanvasSVG(figure))  # its methods have no types
    with settings(), warnings.catch_warnings():
        # text stays text, so the reader's fonts draw it: ours need not have the glyph
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    return _CONTROL.sub("\ufffd", buffer.getvalue().decode("utf-8"))


def _tree(drawing: str, name: str, label: str) -> ElementTree.Element:
    found = ElementTree.fromstring(drawing)
    for place in [child for child in found if child.tag != f"{SVG}g"]:
        if place.tag != f"{SVG}defs" or place.find(f"{SVG}style") is not None:
            found.remove(place)
    for element in found.iter():
        _own(element, name)
    for element in found.iter("g"):
        _share_style(element)
    for size in ("width", "height", "version"):
        found.attrib.pop(size, None)
    found.attrib.update({"role": "img", "aria-label": label})
    title = ElementTree.Element("title")
    title.text = label
    found.insert(0, title)
    return found


def _own(element: ElementTree.Element, name: str) -> None:
    """Drop namespaces, and give ids a prefix so that several figures can stand in one page."""
    element.tag = element.tag.removeprefix(SVG)
    known = dict(element.attrib)
    element.attrib.clear()
    for key, value in known.items():
        if key == "id":
            element.set("id", f"{name}-{value}")
        elif key in (LINK, "href"):
            element.set("href", f"#{name}-{value.removeprefix('#')}")
        elif key == "clip-path":
            element.set(key, _REFERENCE.sub(f"url(#{name}-", value))
        else:
            element.set(key, value)


def _share_style(group: ElementTree.Element) -> None:
    """Move the one style of many markers to their group: a third of the size."""
    uses = group.findall("use")
    styles = {use.get("style", "") for use in uses}
    if len(uses) > 1 and len(styles) == 1 and len(uses) == len(group):
        group.set("style", styles.pop())
        for use in uses:
            use.attrib.pop("style", None)
