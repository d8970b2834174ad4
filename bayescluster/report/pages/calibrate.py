"""A calibration as a page, and its ranks as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Final, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.calibration_plot import (
    ecdf_alternative,
    ecdf_plot,
    reliability_alternative,
    reliability_plot,
)
from bayescluster.report.figures.svg import Drawn, inline
from bayescluster.report.pages.calibrate_words import (
    KIND_WORDS,
    chance_words,
    claim_words,
    gate_words,
    interval_words,
    settings_words,
    share_words,
    source_words,
    state_words,
    verdict_words,
    worse_words,
)
from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.report.spreadsheet import harmless
from bayescluster.results.calibration import (
    Calibration,
    CalibrationReplication,
    FormCalibration,
    QuantityRow,
    Reliability,
)
from bayescluster.results.design_analysis import Share

SHOWN: Final = 12
"""Quantities whose ranks are drawn at once, worst first; others are folded away."""
FOLDED: Final = 36
"""Quantities that are drawn there; the rest stand in the table."""


class _Part(NamedTuple):
    """One form, as the page shows it."""

    form: str
    gate: str
    worse: tuple[str, ...]
    shown: Drawn
    others: Drawn | None
    quantities: Table
    reliability: Drawn | None
    claims: Table | None


def page_text(found: Calibration) -> str:
    """Write the page: whether ranks are uniform, whether probabilities are reliable, the refits."""
    return str(
        filled(
            "calibrate.html.j2",
            found=found,
            state=state_words(found),
            settings=settings_words(found),
            parts=tuple(_part(found, form) for form in found.forms),
        )
    )


def _part(found: Calibration, form: FormCalibration) -> _Part:
    shown, others = form.rows[:SHOWN], form.rows[SHOWN : SHOWN + FOLDED]
    return _Part(
        form.form,
        gate_words(found, form),
        tuple(worse_words(form)),
        _ecdf(found, form, shown, "ranks"),
        _ecdf(found, form, others, "other-ranks") if others else None,
        _quantities(form),
        _reliability(form.claims[0], form.form, found.interval) if form.claims else None,
        _claims(found, form) if form.claims else None,
    )


def _ecdf(
    found: Calibration, form: FormCalibration, some: Sequence[QuantityRow], name: str
) -> Drawn:
    bands = {band.replications: band for band in form.bands}
    caption = (
        f"How far the distribution of ranks is from uniform, {len(some)} quantities, those that stray "
        f"most first. A line that leaves its band anywhere has p at most {found.level:g} by itself; "
        "red and heavy where uniformity is rejected among all quantities. Above 0 on the left "
        "and below on the right: posterior too narrow. Below, then above: too wide. Above "
        "throughout: draws above the truths. Below throughout: draws below them."
    )
    return _drawn(
        f"{name}-{form.form}",
        caption,
        lambda narrow: ecdf_plot(some, bands, narrow=narrow),
        ecdf_alternative(some),
    )


def _reliability(row: Reliability, form: str, interval: float) -> Drawn:
    caption = (
        f"Claims by the probability stated, and the share of them that is true, with "
        f"{words.share(interval)} intervals that count replications. On the broken line every "
        f"probability is right; a red square is a share whose interval leaves out what was stated: "
        f"{words.share(1 - interval)} of them would by chance."
    )
    return _drawn(
        f"reliability-{form}",
        caption,
        lambda narrow: reliability_plot(row, narrow=narrow),
        reliability_alternative(row),
    )


def _drawn(name: str, caption: str, draw: Callable[[bool], Figure], label: str) -> Drawn:
    try:
        # a ValueError is what both our figures and matplotlib raise on numbers they cannot draw
        wide = inline(draw(False), f"{name}-wide", label)
        narrow = inline(draw(True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


def _quantities(form: FormCalibration) -> Table:
    labels = ("Quantity", "Kind", "#Ranks", "#p", "#p corrected", "What the ranks say")
    return Table(
        "Ranks of the true values, those that stray most first",
        columns(*labels, "#Mean", "#Spread", "#p with failed refits"),
        rows(
            (
                Cell(row.name, look="bad" if row.rejected else ""),
                KIND_WORDS[row.kind],
                words.count(row.replications),
                chance_words(row.p),
                Cell(chance_words(row.p_corrected), look="bad" if row.rejected else ""),
                verdict_words(row),
                f"{row.mean:.2f}",
                f"{row.spread:.2f}",
                chance_words(row.p_all),
            )
            for row in form.rows
        ),
        "p: chance that uniform ranks stray as far at their farthest point, by the exact simultaneous "
        "band of their ECDF; corrected for all quantities by Holm's method. Positions of truths "
        "among the draws run from 0 to 1: their mean should be 0.50, their spread (sd) 0.29.",
        folded=f"Table of all {len(form.rows)} quantities",
    )


def _claims(found: Calibration, form: FormCalibration) -> Table:
    labels = ("Claim", "Read by", "#Verdicts", "#Stated", "#True", "#Supported: true")
    more = ("#Rejected: true", "#Brier", "#Log score")
    some = [*form.claims]
    if form.claims_all is not None:
        title = f"{form.claims_all.title}, failed refits too"
        some.insert(1, form.claims_all.model_copy(update={"title": title}))
    return Table(
        "Reliability of the probabilities",
        columns(*labels, *more),
        rows(
            (
                Cell(claim_words(row), look="head" if row.by is None else ""),
                source_words(row),
                words.count(row.events),
                f"{100 * row.stated:.0f}%",
                _share(row.came),
                _share(row.supported),
                _share(row.rejected),
                Cell(f"{row.brier:.3f}", f"{row.brier_expected:.3f} expected"),
                Cell(f"{row.log_score:.3f}", f"{row.log_score_expected:.3f} expected"),
            )
            for row in some
        ),
        f"Shares with {words.share(found.interval)} Jeffreys intervals, which count replications: "
        "verdicts of one replication are not independent of each other. Scores are costs (smaller is "
        "better), beside what they would be on average if every stated probability were right.",
    )


def _share(found: Share | None) -> Cell:
    return Cell(share_words(found), interval_words(found))


def ranks_text(made: Iterable[CalibrationReplication]) -> str:
    """Write every rank as csv, with unrounded numbers."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ("kind", "name", "truth", "rank", "among", "position")
    writer.writerow(["form", "replication", "status", *names])
    for each in made:
        for one in each.ranks:
            writer.writerow(
                [
                    each.form,
                    each.number,
                    each.status,
                    *(harmless(getattr(one, name)) for name in names),
                ]
            )
    return buffer.getvalue()
