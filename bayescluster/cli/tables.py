"""Results as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from bayescluster.cli.guard import say, striking, written
from bayescluster.features.weakest_node import view as weakest_words
from bayescluster.kit import words as fit_words
from bayescluster.kit.words import (
    error,
    fixed,
    label,
    odds_ratio,
    sentence,
    step,
    verdict_probability,
)
from bayescluster.names import group_name
from bayescluster.report.checks import likely_words
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.fit import Attempt, CheckState, Gate, Reason
from bayescluster.results.model import EffectRow, Results, Verdict


def print_attempts(attempts: Sequence[Attempt]) -> None:
    """Print attempts after a failed gate: what was changed, and what the gate then said."""
    if not attempts:
        return
    say("\nAttempts (only how the posterior is drawn was changed, not the model)")
    for one in attempts:
        said = "passed" if one.gate_passed else f"FAILED ({', '.join(one.failing)})"
        changed = ", ".join(map(str, one.changes))
        kept = f"  [{one.key}]" if one.key else ""
        say(f"  {one.number}  {changed or 'the analysis as asked'}: {said}{kept}")


def print_outcome(attempts: Sequence[Attempt]) -> None:
    """Print which settings give the attempt that passed, or that none did."""
    if not attempts:
        return
    last = attempts[-1]
    if not last.gate_passed:
        say("No attempt passed. What is left to change is the model: see the likely reasons.")
        return
    say(f"Attempt {last.number} passed. In the analysis file it stands as:")
    for line in last.settings.splitlines():
        say(f"  {line}")


def print_time_limit(minutes: float | None) -> None:
    """Print that the time limit ended the sampling, where it did."""
    if minutes is not None:
        say(
            f"The time limit ended the sampling after {minutes:g} minutes. With a higher "
            "sampling.minutes the same command draws again, for longer."
        )


def offer_retry(command: str, config: Path) -> None:
    """Say that a failed fit can be drawn again."""
    say(
        f"`bayescluster {command} {config} --retry` draws again as advised, at most 3 times, each "
        "a run of its own; the model stays as it is."
    )


def print_summary(results: Results) -> None:
    """Print the verdicts, by claim."""
    if results.sample.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    if not results.gate.passed:
        failed = ", ".join(item.name for item in results.gate.items if item.passed is not True)
        say(f"The diagnostics gate FAILED ({failed}): no verdict can be relied on.")
        say(
            f"Numbers of these draws are struck through. First: {sentence(results.gate.first_step)}"
        )
    with striking(not results.gate.passed):
        print_forms(results)
        print_weakest_node(results)
        if not results.verdicts:
            say("No hypotheses were declared.")
            return
        for (title, _), verdicts in groupby(results.verdicts, key=attrgetter("title", "region")):
            print_claim(title, tuple(verdicts))
        if results.together is not None:
            say(f"\n{results.together.words}")
        print_sensitivity(results)
    if results.reproduction.declared is not None:
        say(f"\nHypotheses {results.reproduction.declared.words}.")
    say()


def print_claim(title: str, verdicts: Sequence[Verdict]) -> None:
    """Print the verdicts on one claim, with its region; and why, where no probability says it."""
    say(f"\n{title}")
    with striking(False):  # declared, not drawn
        say(f"  Region: {verdicts[0].region}.")
    for verdict in verdicts:
        say(
            f"  {verdict.verdict:<15} {verdict_probability(verdict.probability):>6} "
            f"(MCSE {error(verdict.mcse)}, prior {verdict_probability(verdict.prior_probability)}, "
            f"odds ratio {odds_ratio(verdict.odds_ratio)})  {group_name(verdict.by, verdict.group)}"
        )
        plain = verdict.verdict in ("supported", "rejected") or verdict.reason.endswith(UNDECIDED)
        for told in ("" if plain else verdict.reason, sentence(verdict.attenuated)):
            if told:
                say(f"      {told}")


UNDECIDED = "the data do not decide."
"""Ends the reason of a verdict that its probability leaves open: no need to say it again."""


def print_forms(results: Results) -> None:
    """Print how the forms compare, where there are several."""
    found = results.comparison
    if found is None:
        return
    say(f"\nForms, weighed by {found.criterion}")
    for row in sorted(found.forms, key=lambda row: -row.weight):
        score = row.rows if row.clusters is None else row.clusters
        gate = "" if row.gate_passed else f"  gate FAILED ({', '.join(row.failing)})"
        say(
            f"  {row.form:<12} {'plausible' if row.plausible else 'ruled out'}  weight {row.weight:.2f}  "
            f"elpd {fixed(score.difference, 1):>6} (SE {score.difference_se:.1f}) to the best{gate}"
        )
    for statement in found.statements:
        say(f"  {statement}")
    say(
        "  Verdicts hold under each plausible form; effects and corners are averages; all else is of "
        f"{found.leading}."
    )


def print_sensitivity(results: Results) -> None:
    """Print in one line what hangs on the priors; nothing where nothing was scaled."""
    found = results.sensitivity
    if found is None:
        return
    if not found.blocks:
        say(f"\nPriors: {' '.join(found.not_made)}")
        return
    flagged = {
        (row.quantity, row.group)
        for row in found.rows
        if row.diagnosis not in ("-", "within noise")
    }
    flips = {row.claim for row in found.verdicts if row.flips}
    untold = {row.claim for row in found.verdicts if row.verdict == "cannot be told"} - flips
    looked_at = {(row.quantity, row.group) for row in found.rows}
    parts = [f"{len(flagged)} of {len(looked_at)} parameters and estimands are sensitive to them"]
    if found.verdicts:
        judged = len({row.claim for row in found.verdicts})
        parts.append(f"{len(flips)} of {judged} verdicts flip with weaker or stronger ones")
    if untold:
        parts.append(f"{len(untold)} cannot be told at every power from these draws")
    say(f"\nPriors: {'; '.join(parts)}.")


def print_weakest_node(results: Results) -> None:
    """Print one line a group: which capital holds it back, how sure, and what an error costs."""
    found = results.weakest_node
    if found is None:
        return
    per = weakest_words.worth_of(results).per
    say(f"\nWeakest node, steps: {weakest_words.steps(results)}{'; losses ' + per if per else ''}")
    for row in found.nodes:
        if row.by in weakest_words.kinds_with_sentences(found):
            say(f"  {weakest_words.line(row, results)}")


def print_effects(results: Results) -> None:
    """Print average marginal effects for the sample and by industry, equation by equation."""
    with striking(not results.gate.passed):
        _print_effects(results, results.outcome, results.effects)
        for other in results.others:
            _print_effects(results, other.outcome, other.effects)


def _print_effects(results: Results, outcome: OutcomeFacts, effects: Sequence[EffectRow]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [
        row for row in effects if row.measure == "average_marginal_effect" and row.by != "cluster"
    ]
    if not rows:
        return
    table = Table(
        title=f"Average marginal effect, change {_steps(results, rows)}: {outcome.label}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for column in ("Capital", "For", "n", "Mean", "90% interval"):
        table.add_column(column, justify="right" if column in {"n", "Mean"} else "left")
    for row in rows:
        found = row.estimate
        table.add_row(
            label(row.capital),
            group_name(row.by, row.group),
            str(row.rows),
            Text.from_ansi(written(f"{found.mean:.3g}")),
            Text.from_ansi(written(f"[{found.low:.3g}, {found.high:.3g}]")),
        )
    Console(highlight=False, markup=False).print(table)


def _steps(results: Results, rows: Sequence[EffectRow]) -> str:
    """Change of a capital that the effects stand for, told apart where the capitals differ."""
    capitals = dict.fromkeys(row.capital for row in rows)
    steps = {capital: step(results, capital) for capital in capitals}
    if len(set(steps.values())) == 1:
        return next(iter(steps.values()))
    return "; ".join(f"{text} of {label(name).lower()}" for name, text in steps.items())


WORDS: Final[Mapping[CheckState, str]] = {
    "passed": "passed",
    "warning": "WARNING",
    "failed": "FAILED",
    "not made": "NOT MADE",
}


def print_checks(gate: Gate) -> None:
    """Print the diagnostics, a line each, with the worst case of what failed."""
    for item in gate.items:
        worst = f": {item.worst[0]}" if item.worst else ""
        say(f"{item.name:<12} {WORDS[item.state]:<9} {item.found} (asked: {item.threshold}){worst}")
        if item.warning:
            say(f"{'':<12} {item.warning}")


def print_gate(results: Results) -> None:
    """Print the diagnostics, with likely reasons and advice where one failed."""
    for item in results.gate.items:
        say(f"{item.name:<12} {WORDS[item.state]:<9} {item.found} (asked: {item.threshold})")
        for words in (item.warning, item.advice):
            if words:
                say(f"{'':<12} {words}")
        for name in item.worst:
            say(f"{'':<12} - {name}")
        if item.passed is not True:
            say(f"{'':<12} likely: {likely_words(item, results.gate)}")
    print_reasons(results.gate, results.gate.reasons)
    print_attempts(results.attempts)


def print_failures(gate: Gate) -> None:
    """Print what failed, why it probably did, and what to try next."""
    for item in gate.items:
        if item.passed is not True:
            say(f"  {item.name}: {item.found}; likely: {likely_words(item, gate)}")
            if not gate.reasons_of(item):
                say(f"    try: {item.advice}")
    print_reasons(gate, [reason for reason in gate.reasons if reason.checks])


def print_reasons(gate: Gate, reasons: Sequence[Reason]) -> None:
    """Print reasons, what was found and what to try; the rest beside a gate that passed them."""
    for reason in reasons:
        beside = " (the draws are not to blame)" if reason in gate.other_reasons else ""
        say(f"  {reason.title} ({reason.where}): {reason.found}{beside}")
        say(f"    try: {reason.advice}")


def print_fit(results: Results) -> None:
    """Print whether the model fits, a line a check."""
    for equation, found in fit_words.equations(results):
        of = f" ({equation})" if results.others else ""
        for line in fit_words.lines(found):
            say(f"Fit{of}: {line}")


def print_claims(results: Results) -> None:
    """Print what other readings say of each claim, in words."""
    found = results.claims
    if found is None or not found.rows:
        return
    say("Other readings of the same claims")
    for title, rows in groupby(found.rows, key=attrgetter("title")):
        say(f"\n{title}")
        with striking(not results.gate.passed):
            for row in rows:
                say(f"  {group_name(row.by, row.group)}: {row.words}")
                if row.disagreement:
                    say(f"    {row.disagreement}")
    say()
