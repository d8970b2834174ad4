"""What a figure is: data, a draw function, caption and alternative text; its style, panels and SVG."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from math import atan2, degrees, hypot
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from xml.etree import ElementTree

from markupsafe import Markup

from bayescluster.kit.words import UNDIRECTED
from bayescluster.results.model import Results

if TYPE_CHECKING:  # pages are described, and shown on a terminal, without drawing
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class FigureError(ValueError):
    """A figure cannot be drawn from these results; the message says why."""


class FigureSpec(NamedTuple):
    """A figure.

    Attributes
    ----------
    name
        Name of the file, and of the figure in the page.
    draw
        ``(results, narrow) -> Figure``; ``narrow`` asks for a layout that fits a telephone.
        Raises `FigureError` where the results cannot be drawn.
    caption
        What the figure shows and how to read it.
    alternative
        The figure in a sentence, for those who cannot see it.
    wanted
        Whether the results hold what the figure is about; it is left out of the report otherwise.
    """

    name: str
    draw: Callable[[Results, bool], Figure]
    caption: Callable[[Results], str]
    alternative: Callable[[Results], str]
    wanted: Callable[[Results], bool]


INK: Final = "#1d2733"
MUTED: Final = "#5c6875"
LINE: Final = "#d6dce3"
PAPER: Final = "#fffffe"
FIRST: Final = "#12608f"
SECOND: Final = "#b45a11"
BAD: Final = "#a82a17"
RAMP: Final = (
    "#f1f5f8",
    "#dfe9f0",
    "#cbdce7",
    "#b4cddd",
    "#9abdd2",
    "#7eaac5",
    "#6196b6",
    "#4581a5",
    "#2c6b92",
    "#17567d",
)
"""From a low to a high expected outcome."""

VARIABLES: Final[dict[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--card",
    FIRST: "--first",
    SECOND: "--second",
    BAD: "--bad",
} | {colour: f"--ramp-{k}" for k, colour in enumerate(RAMP)}
"""CSS variable of each colour; no other colour may stand in a figure."""

SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bayescluster",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}

WIDE: Final = 7.0
NARROW: Final = 3.7
"""Widths in inches: a column of text, and a telephone."""


@contextmanager
def settings() -> Iterator[None]:
    """Use the figures' settings, whatever the reader's own are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def canvas(width: float, height: float) -> Figure:
    """Make an empty figure, in inches, that lays itself out."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def plain_text(figure: Figure) -> Figure:
    """Keep every text as it is: a dollar sign in a name is no mathematics, an isolate no letter."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
        plain = text.get_text().translate(UNDIRECTED)
        if plain != text.get_text():
            text.set_text(plain)
    return figure


def folded(label: str, width: int, lines: int = 2) -> str:
    """Break a long name over lines, and cut it where it is longer still."""
    kept = wrap(label, width, max_lines=lines, placeholder=" …")
    if kept in ([], ["…"]):  # one long word
        return f"{label[: width - 1]}…"
    return "\n".join(kept)


def bare_rows(axes: Axes) -> None:
    """Leave rows without a frame: the labels are the axis."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")


MOST_PANELS = 24
"""More groups than this are not drawn."""


class Panels(NamedTuple):
    """A figure and its panels, one a group; ``bottom`` and ``left`` hold those at the edges."""

    figure: Figure
    axes: tuple[Axes, ...]
    bottom: tuple[Axes, ...]
    left: tuple[Axes, ...]


def panels(many: int, *, narrow: bool, height: float, extra: float, columns: int = 0) -> Panels:
    """Make panels of equal scale: two columns wide (three from five groups on), one narrow."""
    columns = min(many, 1 if narrow else columns or (2 if many <= 4 else 3))
    rows = math.ceil(many / columns)
    width = NARROW if narrow else WIDE
    each = height * (0.85 if narrow else 1.0 if columns < 3 else 0.75)
    figure = canvas(width, extra + each * rows)
    first: Axes | None = None
    axes: list[Axes] = []
    for k in range(many):
        panel = figure.add_subplot(rows, columns, k + 1, sharex=first, sharey=first)
        first = first or panel
        axes.append(panel)
    bottom = tuple(axes[k] for k in range(many) if k + columns >= many)
    left = tuple(axes[k] for k in range(0, many, columns))
    for k, panel in enumerate(axes):
        panel.tick_params(labelbottom=panel in bottom, labelleft=k % columns == 0)
    return Panels(figure, tuple(axes), bottom, left)


def small_multiples[Item](
    items: Sequence[tuple[str, Item]],
    draw: Callable[[Axes, Item], object],
    labels: tuple[str, str],
    *,
    narrow: bool,
    height: float,
    key: int = 2,
    columns: int = 0,
) -> Figure:
    """Draw a panel an item, all on one scale, with the labels of the axes at the edges and one key.

    Parameters
    ----------
    items
        Title and content of each panel.
    draw
        Draws the content into axes, which have their title already.
    labels
        Of the horizontal and of the vertical axis.
    narrow
        Lay the figure out for a telephone.
    height
        Inches of a panel.
    key
        Entries of the key side by side; none is drawn with 0.
    columns
        Panels side by side; by their number with 0.

    Raises
    ------
    FigureError
        If there are more panels than a figure holds.
    """
    if len(items) > MOST_PANELS:
        raise FigureError(f"{len(items)} panels are more than the {MOST_PANELS} a figure holds.")
    with settings():
        made = panels(len(items), narrow=narrow, height=height, extra=0.8, columns=columns)
        room = 34 if narrow or columns < 4 else 18  # characters of a title
        for axes, (title, item) in zip(made.axes, items, strict=True):
            axes.set_title(folded(title, room, 4), color=INK)
            draw(axes, item)
        for axes in made.bottom:
            axes.set_xlabel(folded(labels[0], room + 4))
        for axes in made.left:
            axes.set_ylabel(labels[1])
        if key:
            entries = made.axes[0].get_legend_handles_labels()
            made.figure.legend(*entries, loc="outside upper left", ncols=1 if narrow else key)
        return plain_text(made.figure)


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


def drawn_layouts(
    name: str, caption: str, alternative: str, draw: Callable[[bool], Figure]
) -> Drawn:
    """Draw a figure of a study in both layouts, by ``narrow -> Figure``, or say why it cannot be."""
    try:
        wide = inline(draw(False), f"{name}-wide", alternative)
        narrow = inline(draw(True), f"{name}-narrow", alternative)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


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
    from matplotlib.backends.backend_svg import FigureCanvasSVG

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
        # move the one style of many markers to their group: a third of the size
        uses = element.findall("use")
        styles = {use.get("style", "") for use in uses}
        if len(uses) > 1 and len(styles) == 1 and len(uses) == len(element):
            element.set("style", styles.pop())
            for use in uses:
                use.attrib.pop("style", None)
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
