"""A calibration as a page, on the terminal, and its ranks as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    WIDE,
    Drawn,
    FigureError,
    canvas,
    drawn_layouts,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, RawTable, Table, View, number, raw_tables
from bayescluster.studies.calibration.results import (
    Band,
    Bin,
    Calibration,
    CalibrationReplication,
    FormCalibration,
    QuantityRow,
    Ranked,
    Reliability,
)
from bayescluster.studies.design_analysis.view import (
    group_words,
    share_column,
    size_words,
    times_words,
    tradition_words,
)

SHOWN: Final = 12
"""Quantities whose ranks are drawn at once, worst first; others are folded away."""
FOLDED: Final = 36
"""Quantities that are drawn there; the rest are in the table."""
PRINTED: Final = 10
"""Quantities that are printed, worst first, and all that are rejected."""


class FormPart(NamedTuple):
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


def _part(found: Calibration, form: FormCalibration) -> FormPart:
    shown, others = form.rows[:SHOWN], form.rows[SHOWN : SHOWN + FOLDED]
    return FormPart(
        form.form,
        gate_words(found, form),
        tuple(
            f"{row.name}: {SHAPE_WORDS[row.shape]}"
            for row in form.rows
            if row.rejected and row.shape is not None
        ),
        _ecdf_figure(found, form, shown, "ranks"),
        _ecdf_figure(found, form, others, "other-ranks") if others else None,
        _quantities(form, form.rows).table,
        _reliability_figure(form.claims[0], form.form, found.interval) if form.claims else None,
        _claims(found, form).table if form.claims else None,
    )


def printed(found: Calibration) -> Iterator[str | Table]:
    """Print whether ranks are uniform, the worst of them, and how reliable probabilities are."""
    yield settings_words(found)
    for form in found.forms:
        yield gate_words(found, form)
    for form in found.forms:
        rows = tuple(row for k, row in enumerate(form.rows) if k < PRINTED or row.rejected)
        title = f"{form.form}: ranks of true values, the worst {len(rows)} of {len(form.rows)}"
        yield _quantities(form, rows).table._replace(caption=title)
        if form.claims:
            title = f"{form.form}: are stated probabilities reliable?"
            yield _claims(found, form).table._replace(caption=title)
    yield ""
    yield state_words(found)


def csv_tables(made: Iterable[CalibrationReplication]) -> tuple[RawTable, ...]:
    """Every rank, with unrounded numbers."""
    return raw_tables(
        View(
            "ranks",
            Ranked,
            records=each.ranks,
            before={"form": each.form, "replication": each.number, "status": each.status},
        )
        for each in made
    )


def _quantities(form: FormCalibration, rows: tuple[QuantityRow, ...]) -> View[QuantityRow]:
    return View(
        "calibration_ranks",
        QuantityRow,
        "Ranks of the true values, those that stray most first",
        (
            Column("Quantity", "name", look=_rejected),
            Column("Kind", "kind", KIND_WORDS.__getitem__),
            number("Ranks", "replications", words.count),
            number("p", "p", chance_words),
            number("p corrected", "p_corrected", chance_words, look=_rejected),
            Column("What the ranks say", verdict_words),
            number("Mean", "mean", "{:.2f}".format),
            number("Spread", "spread", "{:.2f}".format),
            number("p with failed refits", "p_all", chance_words),
        ),
        rows,
        "p: chance that uniform ranks stray as far at their farthest point, by the exact simultaneous "
        "band of their ECDF; corrected for all quantities by Holm's method. Positions of truths "
        "among the draws run from 0 to 1: their mean should be 0.50, their spread (sd) 0.29.",
        folded=f"Table of all {len(form.rows)} quantities",
    )


def _rejected(row: QuantityRow) -> Literal["bad", ""]:
    return "bad" if row.rejected else ""


def _claims(found: Calibration, form: FormCalibration) -> View[Reliability]:
    rows = [*form.claims]
    if form.claims_all is not None:
        title = f"{form.claims_all.title}, failed refits too"
        rows.insert(1, form.claims_all.model_copy(update={"title": title}))
    shares = (("True", "came"), ("Supported: true", "supported"), ("Rejected: true", "rejected"))
    return View(
        "calibration_claims",
        Reliability,
        "Reliability of the probabilities",
        (
            Column("Claim", claim_words, look=lambda row: "head" if row.by is None else ""),
            Column("Read by", "tradition", source_words),
            number("Verdicts", "events", words.count),
            number("Stated", "stated", lambda share: f"{100 * share:.0f}%"),
            *(share_column(label, name) for label, name in shares),
            *(
                _score(label, name)
                for label, name in (("Brier", "brier"), ("Log score", "log_score"))
            ),
        ),
        tuple(rows),
        f"Shares with {words.share(found.interval)} Jeffreys intervals, which count replications: "
        "verdicts of one replication are not independent of each other. Scores are costs (smaller is "
        "better), next to what they would be on average if every stated probability were right.",
    )


def _score(label: str, name: str) -> Column[Reliability]:
    """A cost, and what it would be on average if every stated probability were right."""
    return number(
        label,
        name,
        "{:.3f}".format,
        note=lambda row: f"{getattr(row, f'{name}_expected'):.3f} expected",
    )


SHAPE_WORDS: Final = {
    "overconfident": "too narrow (overconfident): truths lie outside the draws too often",
    "underconfident": "too wide (underconfident): truths lie in the middle of the draws too often",
    "too_low": "shifted down: the draws lie below the truths",
    "too_high": "shifted up: the draws lie above the truths",
    "other": "not uniform, but neither shifted nor too wide or narrow",
}
"""What a posterior is whose ranks are not uniform."""

KIND_WORDS: Final = {
    "parameter": "Parameter",
    "effect": "Effect",
    "corner": "Corner",
    "likelihood": "Test quantity",
}


def state_words(found: Calibration) -> str:
    """What the ranks say, in a sentence."""
    tested = sum(row.p is not None for form in found.forms for row in form.rows)
    wrong = [row for form in found.forms for row in form.rows if row.rejected]
    if found.state == "rejected":
        return (
            f"Calibration is REJECTED: the ranks of {len(wrong)} of {tested} quantities are not "
            "uniform. Simulator, prior, sampler or estimands disagree with each other."
        )
    if found.state == "too_few":
        return f"Nothing can be said: fewer than {found.replications_min} replications passed the gate."
    return (
        f"No sign of miscalibration: uniformity is rejected of none of {tested} quantities, with a "
        f"{words.share(found.level)} chance of a false alarm over all of them."
    )


def settings_words(found: Calibration) -> str:
    """How the replications were made."""
    return (
        f"{found.replications} replications of {size_words(found.size)} ({times_words(found.size)}), "
        f"each refitted with {found.chains} chains of {found.draws} draws."
    )


def gate_words(found: Calibration, form: FormCalibration) -> str:
    """How many refits of a form passed the gate, and why others did not."""
    parts = [f"{form.passed} of {form.replications} refits passed the gate"]
    if form.not_converged:
        parts.append(f"{form.not_converged} did not converge")
    if form.not_fitted:
        parts.append(f"{form.not_fitted} could not be fitted")
    if form.divergent:
        parts.append(f"{form.divergent} had divergences")
    why = f" ({'; '.join(form.reasons)})" if form.reasons else ""
    ahead = f"{form.form}: " if len(found.forms) > 1 else ""
    return f"{ahead}{', '.join(parts)}{why}."


def verdict_words(row: QuantityRow) -> str:
    """What the ranks of a quantity say."""
    if row.p is None:
        return "too few replications"
    if row.rejected and row.shape is not None:
        return SHAPE_WORDS[row.shape]
    if row.shape is not None:
        return "low by itself, not among so many quantities"
    return "uniform as far as can be seen"


def chance_words(p: float | None) -> str:
    """A probability of ranks that stray as far."""
    if p is None:
        return words.NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def claim_words(row: Reliability) -> str:
    """Name of a claim and the groups it is for."""
    return row.title if row.by is None else f"{row.title}, {group_words(row.by)}"


def source_words(tradition: str) -> str:
    """Who reads a claim."""
    return "all" if tradition == "all" else tradition_words(tradition)


PANEL: Final = 1.25
"""Height of a panel in inches, without its title."""


def _ecdf_figure(
    found: Calibration, form: FormCalibration, rows: Sequence[QuantityRow], name: str
) -> Drawn:
    bands = {band.replications: band for band in form.bands}
    wrong = [row.name for row in rows if row.rejected]
    stray = f"not uniform: {'; '.join(wrong)}" if wrong else "none of them rejected"
    caption = (
        f"How far the distribution of ranks is from uniform, {len(rows)} quantities, those that stray "
        f"most first. A line that leaves its band anywhere has p at most {found.level:g} by itself; "
        "red and heavy where uniformity is rejected among all quantities. Above 0 on the left "
        "and below on the right: posterior too narrow. Below, then above: too wide. Above "
        "throughout: draws above the truths. Below throughout: draws below them."
    )
    return drawn_layouts(
        f"{name}-{form.form}",
        caption,
        f"ECDF differences of the ranks of {len(rows)} quantities with bands; {stray}.",
        lambda narrow: ecdf_plot(rows, bands, narrow=narrow),
    )


def ecdf_plot(
    rows: Sequence[QuantityRow], bands: Mapping[int, Band], *, narrow: bool = False
) -> Figure:
    """Draw the ECDF of ranks less the uniform distribution with bands, one panel a quantity.

    Raises
    ------
    FigureError
        If there is no quantity.
    """
    if not rows:
        raise FigureError("No quantity was ranked.")
    columns = 2 if narrow else 4
    lines = math.ceil(len(rows) / columns)
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 0.3 + (PANEL + 0.45) * lines)
        first: Axes | None = None
        for k, row in enumerate(rows):
            axes = figure.add_subplot(lines, columns, k + 1, sharex=first, sharey=first)
            first = first or axes
            band = bands[row.replications]
            at = (0.0, *band.points, 1.0)
            low, high, found = ((0.0, *part, 0.0) for part in (band.low, band.high, row.difference))
            axes.fill_between(at, low, high, color=LINE, linewidth=0, zorder=1)
            axes.axhline(0, color=MUTED, linewidth=0.6, zorder=2)
            colour = BAD if row.rejected else FIRST
            axes.plot(at, found, color=colour, linewidth=1.4 if row.rejected else 1.1, zorder=3)
            # names of variables have no place to be broken at
            title = row.name.replace("_", " ").replace("[", " [")
            axes.set_title(folded(title, 25, 3), fontsize=7, color=BAD if row.rejected else INK)
            axes.tick_params(labelsize=7)
            axes.tick_params(labelbottom=k + columns >= len(rows), labelleft=k % columns == 0)
        assert first is not None
        first.set_xlim(0, 1)
        first.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        return plain_text(figure)


def _reliability_figure(row: Reliability, form: str, interval: float) -> Drawn:
    caption = (
        f"Claims by the probability stated, and the share of them that is true, with "
        f"{words.share(interval)} intervals that count replications. On the broken line every "
        f"probability is right; a red square is a share whose interval leaves out what was stated: "
        f"{words.share(1 - interval)} of them would by chance."
    )
    shares = "; ".join(
        f"{100 * each.stated:.0f}% stated, {100 * each.came.share:.0f}% true of {each.events}"
        for each in row.bins
    )
    return drawn_layouts(
        f"reliability-{form}",
        caption,
        f"Share true by stated probability. {shares}.",
        lambda narrow: reliability_plot(row, narrow=narrow),
    )


def reliability_plot(found: Reliability, *, narrow: bool = False) -> Figure:
    """Draw the observed share of events against their stated probability, with intervals.

    Raises
    ------
    FigureError
        If there is no event.
    """
    if not found.bins:
        raise FigureError("No probability was stated.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 3.4)
        axes = figure.add_subplot()
        axes.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=2)
        for each in found.bins:
            _bin(axes, each)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.02)
        ticks, labels = [0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100%"]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.grid(visible=True)
        axes.set_xlabel("Probability stated")
        axes.set_ylabel("Share true")
        return plain_text(figure)


def _bin(axes: Axes, each: Bin) -> None:
    off = not each.came.low <= each.stated <= each.came.high
    colour = BAD if off else FIRST
    ends = (each.came.low, each.came.high)
    axes.plot((each.stated, each.stated), ends, color=colour, linewidth=1.4, zorder=3)
    axes.plot(
        [each.stated],
        [each.came.share],
        marker="s" if off else "o",
        markersize=5.5,
        color=colour,
        linestyle="none",
        zorder=4,
    )
