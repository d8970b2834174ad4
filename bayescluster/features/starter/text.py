"""A draft as an analysis file, commented."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bayescluster.features.starter.draft import DEFAULT_REGIONS, Draft, Item, Recode, Scale
from bayescluster.lookup import scalar
from bayescluster.spec.load import FILL_IN


def name_of(stem: str) -> str:
    """Name of an analysis from the name of a file."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "analysis"
    return (name if name[0].isalpha() else f"analysis-{name}")[:60]


def analysis_text(name: str, source: str, draft: Draft, reading: Mapping[str, Any]) -> str:
    """Write the analysis file of a draft."""
    return "\n".join(_lines(name, source, draft, reading)) + "\n"


def _lines(name: str, source: str, draft: Draft, reading: Mapping[str, Any]) -> Iterator[str]:
    yield "# An analysis proposed from the columns of the table. Read it line by line: what follows `#` says"
    yield "# what was guessed, and from what. Then:"
    yield "#   bayescluster validate THIS_FILE      checks it against the data"
    yield "#   bayescluster run THIS_FILE           fits it and writes the report"
    yield "# `bayescluster explain KEY` says what a key does, and what else it takes."
    if draft.decisions:
        yield "#"
        yield "# ONLY YOU CAN DECIDE:"
        yield from (f"#   - {text}" for text in draft.decisions)
    if draft.guessed:
        yield "#"
        yield "# GUESSED, and to be checked:"
        yield from (f"#   - {text}" for text in draft.guessed)
    yield f"name: {scalar(name)}"
    yield 'description: ""                # what is asked, in a sentence; printed in the report'
    yield "limits:                        # what these data cannot say; printed in the report"
    yield '  - "Associations: nothing here shows that a capital causes the outcome."'
    yield ""
    yield from _data(source, draft, reading)
    yield ""
    yield from _constructs(draft)
    yield ""
    yield from _equations(draft)
    yield ""
    yield "sampling: {seed: 1}            # draws until the checks pass; or state draws, tune and chains"
    yield ""
    yield from _hypotheses(draft)


def _noted(line: str, note: str) -> str:
    return f"{line:<30} # {note}" if note else line


def _data(source: str, draft: Draft, reading: Mapping[str, Any]) -> Iterator[str]:
    yield "data:"
    yield f"  source: {scalar(source)}"
    for key, value in reading.items():
        yield f"  {key}: {scalar(value)}"
    for role in ("firm", "cluster", "industry"):
        column = getattr(draft, role)
        if column is not None:
            yield _noted(f"  {role}: {scalar(column)}", draft.reasons.get(column, ""))
    if draft.codes:
        codes = ", ".join(
            f"{scalar(column)}: [{', '.join(scalar(code) for code in found)}]"
            for column, found in draft.codes.items()
        )
        yield _noted(f"  missing_values: {{{codes}}}", "codes for no answer, by column")
    if draft.excluded:
        yield _noted(f"  {draft.excluded}", "rows that are no firms")
    if draft.lacking:
        rows = "1 row lacks" if draft.incomplete == 1 else f"{draft.incomplete} rows lack"
        told = f"{rows} an answer that is needed; or impute, or error"
        if not draft.incomplete:
            told = "no row is left out: a latent capital takes the answers that are given"
        yield _noted("  missing: drop", told)
    if draft.recodes or draft.scales:
        yield "  derive:"
        yield from (_recode(recode) for recode in draft.recodes)
        yield from (_scale(scale) for scale in draft.scales)


def _scale(scale: Scale) -> str:
    line = (
        f"    - {{kind: scale, name: {scalar(scale.name)}, of: {scalar(scale.column)}, "
        f"multiply: {scale.multiply:g}}}"
    )
    return _noted(line, scale.reason)


def _recode(recode: Recode) -> str:
    values = ", ".join(f"{scalar(old)}: {scalar(new)}" for old, new in recode.values.items())
    keep = ", otherwise: keep" if recode.keep else ""
    line = (
        f"    - {{kind: recode, name: {scalar(recode.name)}, of: {scalar(recode.column)}, "
        f"values: {{{values}}}{keep}}}"
    )
    return _noted(line, recode.reason)


def _constructs(draft: Draft) -> Iterator[str]:
    yield "constructs:                    # method: single, mean, pca, or latent: measured in the model"
    for capital, items in draft.constructs.items():
        yield f"  {capital}:"
        method = "single" if len(items) < 2 else "mean" if len(items) == 2 else "latent"
        yield f"    method: {method}"
        yield "    indicators:"
        if not items:
            yield f"      - {FILL_IN}                # columns that measure it"
        yield from (_item(item) for item in items)


def _item(item: Item) -> str:
    line = scalar(item.column)
    if item.negative:
        line = f"{{column: {line}, direction: negative}}"
    return _noted(f"      - {line}", item.reason)


def _equations(draft: Draft) -> Iterator[str]:
    outcome = draft.outcome or FILL_IN
    yield "equations:"
    yield "  outcome:"
    yield _noted(f"    outcome: {scalar(outcome)}", draft.reasons.get(outcome, ""))
    yield _noted(f"    family: {draft.family}", "by what the outcome holds")
    if draft.exposure is not None:
        yield _noted(f"    exposure: {scalar(draft.exposure)}", "by its name")
    if draft.levels:
        levels = ", ".join(scalar(level) for level in draft.levels)
        ordered = not any("order of the levels" in text for text in draft.decisions)
        note = "from lowest to highest" if ordered else "put them in order, from lowest to highest"
        yield _noted(f"    levels: [{levels}]", note)
    if len(draft.constructs) > 1:
        yield "    # structure: left out, claims about corners are judged by interaction, conjunctive, ces and"
        yield "    # additive, each fitted in turn; `structure: interaction` fits one, in a quarter of the time"
    if draft.controls:
        yield "    controls:"
        for control in draft.controls:
            line = scalar(control.column)
            if control.transform != "none":
                line = f"{{column: {line}, transform: {control.transform}}}"
            if control.coding:
                line = f"{{column: {line}, coding: {control.coding}}}"
            yield _noted(f"      - {line}", control.reason)
    if draft.contextual:
        capitals = ", ".join(draft.contextual)
        yield _noted(
            f"    contextual: [{capitals}]",
            "their means among the other firms of the cluster: what the firm has, and what is around it",
        )
    yield from _varying(draft)


def _varying(draft: Draft) -> Iterator[str]:
    if draft.industry or draft.cluster or draft.panel:
        yield "    varying:                   # what may differ between groups"
    if draft.industry:
        yield "      industry: all"
    if draft.cluster:
        yield "      cluster: [intercept]"
    if draft.panel:
        yield _noted("      firm: [intercept]", "firms have several rows")


def _hypotheses(draft: Draft) -> Iterator[str]:
    by = "industry" if draft.industry else "all"
    yield "hypotheses:                    # claims; state regions before you look at results"
    for capital in draft.constructs:
        yield f"  - {{kind: effect, capital: {capital}, by: {by}}}"
    for capital in draft.contextual:
        yield f"  - {{kind: contextual, capital: {capital}, by: all}}"
    if len(draft.constructs) == 1:
        return
    if draft.family in DEFAULT_REGIONS:
        for capital in draft.constructs:
            yield f"  - {{kind: necessary_not_sufficient, capital: {capital}, by: {by}}}"
    elif draft.regions:
        theta, other, _, delta = draft.regions
        yield "  # regions are in units of the outcome, and taken from the data: state what counts in your field"
        yield f"  # theta, an expected outcome that is much: {theta.value:g} ({theta.words}), or"
        yield f"  #   {other.value:g} ({other.words}); delta, a gap that counts: {delta.value:g} ({delta.words})"
        for capital in draft.constructs:
            yield (
                f"  - {{kind: necessary_not_sufficient, capital: {capital}, by: {by}, "
                f"delta: {delta.value:g}}}"
            )
        yield f"  - {{kind: joint_sufficiency, by: {by}, theta: {theta.value:g}}}"
    yield f"  - {{kind: complementarity, by: {by}}}"
