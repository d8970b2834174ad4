"""A finished run in the formats of a paper: tables, figures, two paragraphs, and the report as a document.

Everything is made from the views, figures and sections of the report, so that numbers are those of the
page. Word and PDF are written by pandoc and typst, where these are installed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.text import Text

from bayescluster.errors import CommandError
from bayescluster.kit import words
from bayescluster.kit.figure import INK, NARROW, PAPER, WIDE, settings
from bayescluster.kit.table import Table, csv_text
from bayescluster.lookup import counted, first_of, listed
from bayescluster.names import CAPITALS
from bayescluster.report.answer import answer_of, question
from bayescluster.report.figures import FIGURES
from bayescluster.report.render import render_html
from bayescluster.report.sections import SECTIONS, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.files import write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd

    from bayescluster.report.answer import GridCell


WIDTHS: Final = {"3.5": (True, 3.5 / NARROW), "7": (False, 7.0 / WIDE)}
"""Widths of figures in inches: a column and a page of a journal; layout, and the factor to get there."""
RESOLUTION: Final = 300
"""Dots per inch of PNG."""
WITHOUT: Final = (
    "Word and PDF were not written: they need pandoc and typst. Install them with "
    "`pip install 'bayescluster[export]'` and run the command again."
)


class Exported(NamedTuple):
    """Files that were written, and what could not be and why."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def export(results: Results, folder: Path) -> Exported:
    """Write tables, figures, paragraphs and the report as documents.

    Parameters
    ----------
    results
        Results of a run.
    folder
        Where to write; made if it is not there. Files of an older export are replaced.

    Returns
    -------
    Exported
        Files, and notes on what could not be written.

    Raises
    ------
    CommandError
        If the folder holds files that no export has written.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CommandError(f"{folder} is no folder: choose another with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise CommandError(
            f"{folder} holds files that were not exported from a run: choose another with --out"
        )
    made = _Folder(folder)
    made.text(MARK, f"{results.name} {results.reproduction.key}\n")
    for table in raw_tables(results):
        made.text(f"tables/csv/{table.name}.csv", csv_text(table))
    for name, shown in shown_tables(results):
        made.text(f"tables/{name}.md", markdown(shown))
        made.text(f"tables/{name}.tex", latex(shown))
    made.notes += list(_figures(results, made))
    made.text("references.bib", BIBLIOGRAPHY)
    made.text("text.md", paragraphs(results))
    if pandoc_is_there():
        _documents(results, made)
    else:
        made.notes.append(WITHOUT)
    return Exported(tuple(made.paths), (*made.notes, *_left(made)))


def _left(made: _Folder) -> Iterator[str]:
    """Name the files of the folder that this export did not write."""
    there = {path for path in made.folder.rglob("*") if path.is_file()}
    names = sorted(path.relative_to(made.folder).as_posix() for path in there - {*made.paths})
    if names:
        yield (
            f"{made.folder} also holds what this export did not write: {first_of(names, LEFT_SHOWN)}. "
            "What an earlier export left there is not of this run: delete it, or export to another folder."
        )


LEFT_SHOWN: Final = 5
MARK: Final = "export.txt"
"""File by which an export knows its own folder."""


class _Folder:
    """Files as they are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self.notes: list[str] = []

    def text(self, name: str, text: str) -> None:
        path = self.folder / name
        write_text(path, text)
        self.paths.append(path)

    def bytes(self, name: str, content: bytes) -> None:
        path = self.folder / name
        write_bytes(path, content)
        self.paths.append(path)


# tables


def shown_tables(results: Results) -> Iterator[tuple[str, Table]]:
    """Every table that the page shows, by a name for its file; of a failed run each says so itself."""
    for name, table in _tables(results):
        if not results.gate.passed:
            table = table._replace(caption=f"{words.NOT_FOR_CITING}. {table.caption}")
        yield name, table


def _tables(results: Results) -> Iterator[tuple[str, Table]]:
    yield from _grids(results)
    taken: dict[str, int] = {}
    for section in SECTIONS:
        if not section.wanted(results):
            continue
        for view in section.views(results):
            if view.columns and view.rows:
                taken[view.name] = number = taken.get(view.name, 0) + 1
                yield (view.name if number == 1 else f"{view.name}_{number}", view.table)


def _grids(results: Results) -> Iterator[tuple[str, Table]]:
    from bayescluster.kit.table import Cell, Head

    for number, grid in enumerate(answer_of(results).grids, start=1):
        rows = tuple(
            (
                Cell(row.title),
                *(Cell(_told(cell)) for cell in row.cells),
            )
            for row in grid.rows
        )
        heads = (Head("Claim"), *map(Head, grid.heads))
        note = " ".join(f"{name}: {text}" for name, text in answer_of(results).limits)
        yield f"answer_{number}", Table("Verdicts by claim and group", heads, rows, note)


def _told(cell: GridCell) -> str:
    if cell.verdict is None:
        return words.NONE
    return f"{words.VERDICTS[cell.verdict.verdict]} {cell.share}".rstrip() + cell.marks


LINE: Final = 105
"""Characters of a line of a page, at the size of a table."""
WIDEST: Final = 40
"""Characters that a column is taken for at most; its words are never broken."""


PADDING: Final = 4
"""Characters that the space between columns takes, and a font that is wider than usual."""


def shares_of_line(columns: Iterable[Iterable[Iterable[str]]]) -> list[float]:
    """Shares of the width of a page, by column, from the lines in each of its cells.

    Each column has room for its longest word; what is left goes where lines are longer.
    """
    least, wanted = [], []
    for cells in columns:
        lines = [line for cell in cells for line in cell]
        least.append(PADDING + max((len(w) for line in lines for w in line.split(" ")), default=1))
        wanted.append(max(least[-1], min(WIDEST, PADDING + max(map(len, lines), default=1))))
    more = sum(wanted) - sum(least)
    part = min(1.0, max(0.0, (LINE - sum(least)) / more)) if more else 0.0
    widths = [low + part * (high - low) for low, high in zip(least, wanted, strict=True)]
    return [width / sum(widths) for width in widths]


def frame_of(table: Table) -> pd.DataFrame:
    """A table as it is shown, remarks in brackets behind their values."""
    import pandas as pd

    rows = [
        [f"{one.text} ({one.note})" if one.note else one.text for one in row] for row in table.rows
    ]
    return pd.DataFrame(rows, columns=[head.label for head in table.columns], dtype=object)


def latex(table: Table) -> str:
    """A table for LaTeX: caption, rules, note; every character of the data is escaped.

    One that is wider than a page has columns of set widths, whose text is broken over lines.
    """
    frame = frame_of(table)
    columns = [[[label], *([cell] for cell in frame.iloc[:, k])] for k, label in enumerate(frame)]
    wide = sum(max(len(line) for (line,) in cells) + PADDING for cells in columns) > LINE
    frame.columns = [tex(label) for label in frame.columns]
    body = frame.map(tex)
    form = "".join("r" if head.numeric else "l" for head in table.columns)
    if wide:
        sides = ("left" if one == "r" else "right" for one in form)
        form = "".join(
            rf">{{\ragged{side}\arraybackslash}}p{{\dimexpr {share:.3f}\linewidth-2\tabcolsep}}"
            for side, share in zip(sides, shares_of_line(columns), strict=True)
        )
    styled = body.style.hide(axis="index").to_latex(hrules=True, column_format=form)
    note = f"\n\\par\\smallskip\\footnotesize {tex(table.note)}" if table.note else ""
    return (
        f"% \\usepackage{{array, amssymb, booktabs}}\n\\begin{{table}}\n\\centering\n\\caption{{{tex(table.caption)}}}\n"
        f"{styled.strip()}{note}\n\\end{{table}}\n"
    )


TEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "\u2212": "$-$",
        "✓": r"\checkmark{}",
        "✕": r"$\times$",
        "≈": r"$\approx$",
        "∅": r"$\emptyset$",
        "↔": r"$\leftrightarrow$",
        "◐": "",
        "\n": " ",
    }
)


def tex(text: str) -> str:
    """Text for LaTeX, with nothing in it that LaTeX would run."""
    return text.translate(TEX)


def markdown(table: Table) -> str:
    """A table as a pipe table."""
    heads = [head.label for head in table.columns]
    rules = ["---:" if head.numeric else ":---" for head in table.columns]
    lines = [heads, rules, *frame_of(table).to_numpy().tolist()]
    rows = "\n".join(
        "| " + " | ".join(cell if line is rules else plain(cell) for cell in line) + " |"
        for line in lines
    )
    note = f"\n\n{plain(table.note)}" if table.note else ""
    return f"{plain(table.caption)}\n\n{rows}{note}\n"


_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|$~^@])")


def plain(text: str) -> str:
    """Text for Markdown, with nothing in it that would be formatted or run."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


# figures


def _figures(results: Results, made: _Folder) -> Iterator[str]:
    """Draw every figure in every width and format; what cannot be drawn is noted."""
    for spec in FIGURES:
        if not spec.wanted(results):
            continue
        for name, (narrow, factor) in WIDTHS.items():
            try:
                figure = spec.draw(results, narrow)
            except ValueError as error:
                yield f"figure {spec.name}: {error}"
                break
            _resize(figure, factor, "" if results.gate.passed else words.NOT_FOR_CITING)
            _lay_out(figure)
            for kind in ("pdf", "svg", "png"):
                made.bytes(f"figures/{spec.name}-{name}.{kind}", printed(figure, kind))


def _resize(figure: Figure, factor: float, mark: str) -> None:
    figure.set_size_inches(*(factor * size for size in figure.get_size_inches()))
    figure.set_facecolor(PAPER)
    if mark:
        figure.text(0.5, 0.5, mark, rotation=24, ha="center", va="center", alpha=0.3, color=INK)
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def _lay_out(figure: Figure) -> None:
    """Lay a figure out once, for all formats: it takes longer than to draw it."""
    with settings(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def printed(figure: Figure, kind: str) -> bytes:
    """A figure as the bytes of a file; equal figures give equal bytes."""
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = BytesIO()
    figure.set_dpi(RESOLUTION)
    # asked directly: `Figure.savefig` draws a figure that has a layout twice
    canvas: Any = {"pdf": FigureCanvasPdf, "svg": FigureCanvasSVG, "png": FigureCanvasAgg}[kind](
        figure
    )
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    with settings(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        getattr(canvas, f"print_{kind}")(buffer, metadata=dates[kind])
    return buffer.getvalue()


# text


def paragraphs(results: Results) -> str:
    """A paragraph on methods and one on results, with citations, as Markdown."""
    return f"# Methods\n\n{methods(results)}\n\n# Results\n\n{found(results)}\n"


def methods(results: Results) -> str:
    """How the answer was arrived at: sample, model, sampling, checks, rules of the verdicts."""
    sample, model, fit = results.sample, results.model, results.fit
    forms = (
        [row.form for row in results.comparison.forms] if results.comparison else [model.structure]
    )
    synthetic = " (synthetic data)" if sample.synthetic else ""
    nested = ""
    if sample.clusters:
        nested = f" in {counted(sample.clusters, 'cluster')}"
        if sample.industries > 1:
            nested += f" of {counted(sample.industries, 'industry')}"
    rows = counted(sample.rows, "firm" if sample.rows == sample.firms else "row")
    lost = sum(row.rows for row in sample.dropped)
    were = "was" if lost == 1 else "were"
    left_out = f" {counted(lost, 'row')} with missing values {were} left out." if lost else ""
    levels = "; ".join(
        f"the {listed([words.label(term).lower() for term in one.terms])} "
        f"{'varies' if len(one.terms) == 1 else 'vary'} by {one.name}"
        + (" (correlated)" if one.correlated else "")
        for one in model.groupings
    )
    measures = "; ".join(
        f"{words.label(one.capital).lower()} is measured by "
        f"{listed([part.column for part in one.indicators] or ['one column'])} ({one.method})"
        for one in results.measures
    )
    several, family = len(forms) > 1, words.label(results.outcome.family).lower()
    for name in ("bernoulli", "gaussian", "poisson"):
        family = family.replace(name, name.title())
    lines = [
        f"We analyse {rows}{nested}{synthetic}.{left_out}",
        f"The outcome, {results.outcome.column}, has a {family} "
        f"likelihood with a {model.link} link" + (f"; {measures}." if measures else "."),
        (
            f"{words.label(model.structure)} enters with a slope"
            if model.structure in CAPITALS
            else f"The capitals combine in the {listed(forms)} form{'s' if several else ''}"
        )
        + (f"; {levels}." if levels else ".")
        + cited("lkj", when=any(one.correlated for one in model.groupings)),
        "Effects and interactions are averages on the outcome scale" + cited("ai_norton") + ".",
        f"The posterior was drawn with {counted(fit.chains, 'chain')} of {words.count(fit.draws)} draws "
        f"after {words.count(fit.tune)} of tuning"
        + cited("nuts", "pymc")
        + "; convergence was judged by "
        "rank-normalised R-hat and effective sample sizes of all parameters and reported quantities"
        + cited("rhat")
        + (", and passed." if results.gate.passed else ", and FAILED."),
    ]
    if several:
        lines.append(
            "A verdict has to hold under every form that predicts about as well as the best by "
            "leave-one-out cross-validation"
            + cited("loo")
            + "; effects are averaged over forms"
            + cited("stacking")
            + "."
        )
    if results.verdicts:
        shares = ", ".join(dict.fromkeys(words.share(one.level) for one in results.verdicts))
        lines.append(
            f"Each claim has a declared region; it is supported where the posterior probability of the "
            f"region is at least {shares}. Probabilities are put in words by a fixed scale"
            + cited("ipcc")
            + "."
        )
    return " ".join(lines)


def found(results: Results) -> str:
    """What was found, in the sentences of the first page."""
    answer = answer_of(results)
    said = " ".join(f"{group.name}: {group.text.strip()}" for group in answer.groups)
    limits = " ".join(f"{name}: {text}" for name, text in answer.limits)
    failed = (
        "" if results.gate.passed else f"{words.NOT_FOR_CITING}: the diagnostics gate failed.\n\n"
    )
    return f"{failed}{plain(said)}\n\n{plain(limits)}"


# documents


def pandoc_is_there() -> bool:
    """Whether Word and PDF can be written."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("pypandoc", "typst"))


_FIGURE: Final = re.compile(
    r'<figure id="figure-([\w-]+)">(.*?)<figcaption>(.*?)</figcaption>\s*</figure>', re.DOTALL
)
_DROPPED: Final = re.compile(
    r'<script.*?</script>|<title>.*?</title>|<nav.*?</nav>|<p class="search">.*?</p>|<div class="watermark".*?</div>'
    r'|<a class="skip".*?</a>|<style>.*?</style>|<section id="explore".*?</section>\s*(?=<section id=)',
    re.DOTALL,
)


_TABLE: Final = re.compile(r"<table[^>]*>.*?(?=<thead>)(.*?)</table>", re.DOTALL)
_VERDICT: Final = re.compile(rf"(<td[^>]*>\s*[{re.escape(''.join(words.ICONS.values()))}]) ")
"""Icon at the begin of a cell: it stays on the line of its verdict."""
_CELL: Final = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)


def _with_widths(match: re.Match[str]) -> str:
    """Give the columns of a table room by their texts: without it all are as wide in Word and PDF."""
    rows = [
        [
            [unescape(re.sub(r"<[^>]+>", "", line)).strip() for line in cell.split("<small>")]
            for cell in _CELL.findall(row)
        ]
        for row in match[1].split("</tr>")
    ]
    most = max(map(len, rows))
    shares = shares_of_line(zip(*(row for row in rows if len(row) == most), strict=True))
    columns = "".join(f'<col style="width:{100 * share:.1f}%">' for share in shares)
    return match[0].replace("<thead>", f"<colgroup>{columns}</colgroup><thead>", 1)


_TYPST: Final = """#show table: set text(size: 8pt)
#show table: set par(justify: false)
#show figure.where(kind: table): set align(left)
#show figure.where(kind: table): set block(breakable: true)
#show figure.caption: set block(sticky: true)
#set table(align: left)
"""


def _whole_row(match: re.Match[str]) -> str:
    """A row of a Word table that is not broken over two pages."""
    whole = "<w:trPr><w:cantSplit/>"
    return f"<w:tr>{whole}" if match[1] else f"<w:tr>{whole}</w:trPr>"


_WORD: Final[dict[str, tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]]] = {
    "word/styles.xml": (
        (r'(<w:szC?s? w:val=")24"', r'\g<1>19"'),
        (
            r'(w:styleId="Compact">.*?)(</w:style>)',
            r'\1<w:rPr><w:sz w:val="16"/><w:szCs w:val="16"/></w:rPr>\2',
        ),
    ),
    "word/document.xml": (
        (r"<w:tr>(<w:trPr>)?", _whole_row),
        (
            r"(<w:sectPr>)",
            (
                r'\1<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" '
                r'w:footer="567" w:gutter="0"/>'
            ),
        ),
    ),
}
"""Smaller text, that of cells (``Compact``) still smaller, and margins of 2 cm: room for tables."""


def _make_room(path: Path) -> None:
    """Give a Word document of pandoc the sizes of a page of tables."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            for pattern, instead in _WORD.get(name, ()):
                most = 0 if callable(instead) else 2  # every row; but of styles the first alone
                text = re.sub(pattern, instead, text.decode(), count=most, flags=re.DOTALL).encode()
            new.writestr(name, text)
    write_bytes(path, made.getvalue())


def document(results: Results) -> str:
    """The three layers of the report as HTML without styles and scripts, figures as files."""
    page = _DROPPED.sub("", render_html(results))

    def picture(match: re.Match[str]) -> str:
        name, caption = match[1], match[3]
        if "<svg" not in match[2]:  # it could not be drawn, and says why
            return f"<p>{match[2]}</p>"
        label = escape(unescape(re.sub(r"<[^>]+>", "", caption)), quote=True)
        return f'<p><img src="figures/{name}-7.png" alt="{label}"></p><p><em>{caption}</em></p>'

    page = _VERDICT.sub("\\1\u00a0", _FIGURE.sub(picture, page))
    page = _TABLE.sub(_with_widths, page)
    for old, new in (
        ("<main>", ""),  # pandoc reads nothing outside it: the ribbon of a failed run
        ("</main>", ""),
        ("<details", "<div"),
        ("</details>", "</div>"),
        ("<summary>", ""),
        ("</summary>", ""),
        ("<small>", "<br><small>"),
        ("</dt>", ":</dt>"),
    ):
        page = page.replace(old, new)
    return page


def _documents(results: Results, made: _Folder) -> None:
    import pypandoc
    import typst

    title = f"pagetitle:{question(results)}"
    here, folder = document(results), str(made.folder)
    common = [f"--resource-path={folder}", f"--metadata={title}"]
    report = made.folder / "report.docx"
    pypandoc.convert_text(here, "docx", "html", outputfile=str(report), extra_args=common)
    _make_room(report)
    set_by = [*common, "--standalone", "-V", "fontsize=10pt", "-V", f"header-includes={_TYPST}"]
    source = pypandoc.convert_text(here, "typst", "html", extra_args=set_by)
    source = source.replace("align(center)[#table(", "align(left)[#table(")
    made.text("report.typ", source)
    made.bytes("report.pdf", typst.compile(str(made.folder / "report.typ"), root=folder))
    text = paragraphs(results)
    cite = ["--citeproc", f"--bibliography={made.folder / 'references.bib'}"]
    words_file = made.folder / "text.docx"
    pypandoc.convert_text(text, "docx", "markdown", outputfile=str(words_file), extra_args=cite)
    made.text("text.tex", pypandoc.convert_text(text, "latex", "markdown", extra_args=["--natbib"]))
    made.paths += [report, words_file]


BIBLIOGRAPHY: Final = """\
@article{ai_norton,
  author = {Ai, Chunrong and Norton, Edward C.},
  title = {Interaction terms in logit and probit models},
  journal = {Economics Letters}, volume = {80}, number = {1}, pages = {123--129}, year = {2003}
}
@article{rhat,
  author = {Vehtari, Aki and Gelman, Andrew and Simpson, Daniel and Carpenter, Bob and B{\\"u}rkner, Paul-Christian},
  title = {Rank-normalization, folding, and localization: An improved R-hat for assessing convergence of MCMC},
  journal = {Bayesian Analysis}, volume = {16}, number = {2}, pages = {667--718}, year = {2021}
}
@article{loo,
  author = {Vehtari, Aki and Gelman, Andrew and Gabry, Jonah},
  title = {Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC},
  journal = {Statistics and Computing}, volume = {27}, number = {5}, pages = {1413--1432}, year = {2017}
}
@article{stacking,
  author = {Yao, Yuling and Vehtari, Aki and Simpson, Daniel and Gelman, Andrew},
  title = {Using stacking to average Bayesian predictive distributions},
  journal = {Bayesian Analysis}, volume = {13}, number = {3}, pages = {917--1007}, year = {2018}
}
@article{nuts,
  author = {Hoffman, Matthew D. and Gelman, Andrew},
  title = {The No-U-Turn Sampler: Adaptively setting path lengths in Hamiltonian Monte Carlo},
  journal = {Journal of Machine Learning Research}, volume = {15}, pages = {1593--1623}, year = {2014}
}
@article{pymc,
  author = {Abril-Pla, Oriol and others},
  title = {{PyMC}: a modern, and comprehensive probabilistic programming framework in {Python}},
  journal = {PeerJ Computer Science}, volume = {9}, pages = {e1516}, year = {2023}
}
@article{lkj,
  author = {Lewandowski, Daniel and Kurowicka, Dorota and Joe, Harry},
  title = {Generating random correlation matrices based on vines and extended onion method},
  journal = {Journal of Multivariate Analysis}, volume = {100}, number = {9}, pages = {1989--2001}, year = {2009}
}
@techreport{ipcc,
  author = {Mastrandrea, Michael D. and others},
  title = {Guidance note for lead authors of the {IPCC} Fifth Assessment Report on consistent treatment of uncertainties},
  institution = {Intergovernmental Panel on Climate Change}, year = {2010}
}
"""


def cited(*keys: str, when: bool = True) -> str:
    """A citation of these sources in pandoc's Markdown; nothing where it does not apply."""
    return f" [{'; '.join(f'@{key}' for key in keys)}]" if when else ""
