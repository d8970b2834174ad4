"""Numbers of a failed gate on the terminal: struck through, with what to do first."""

from __future__ import annotations

import pytest

from bayescluster.cli.guard import say, striking
from bayescluster.cli.tables import print_effects, print_gate, print_summary
from bayescluster.kit.words import sentence
from tests.report import report_made as made


def test_estimates_are_struck_through_and_counts_and_names_are_not(capsys):
    with striking(failed=True):
        say("  supported  >.999 (prior 0.12, 40%)  Cluster 12 of 24 \u22120.31")
    say("0.5")
    assert capsys.readouterr().out == (
        "  supported  ~~>.999~~ (prior ~~0.12~~, ~~40%~~)  Cluster 12 of 24 ~~\u22120.31~~\n0.5\n"
    )


def test_a_terminal_draws_the_line(capsys, monkeypatch):
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with striking(failed=True):
        say("0.5")
    assert capsys.readouterr().out == "\x1b[9m0.5\x1b[29m\n"


def test_a_failed_fit_shows_its_numbers_struck_through(capsys):
    failed = made.results(passed=False)
    print_summary(failed)
    print_effects(failed)
    lines = capsys.readouterr().out.splitlines()
    at = next(k for k, line in enumerate(lines) if "The diagnostics gate FAILED" in line)
    first = sentence(failed.gate.first_step)
    assert lines[at + 1] == f"Numbers of these draws are struck through. First: {first}"
    verdicts = [line for line in lines if "(MCSE" in line]
    assert verdicts
    assert all("~~" in line for line in verdicts)
    mean = next(row.estimate.mean for row in failed.effects if row.by == "all")
    assert any(f"~~{mean:.3g}~~" in line for line in lines)


def test_a_fit_that_passed_shows_them_plain(capsys):
    passed = made.results()
    print_summary(passed)
    print_effects(passed)
    print_gate(passed)
    assert "~~" not in capsys.readouterr().out


@pytest.mark.parametrize("unconfirmed", [True, False])
def test_a_warning_is_no_failure(capsys, unconfirmed):
    passed = made.results()
    first, *rest = passed.gate.items
    update = {"warning": "what a refit says", "unconfirmed": unconfirmed}
    items = (first.model_copy(update=update), *rest)
    print_gate(passed.model_copy(update={"gate": passed.gate.model_copy(update={"items": items})}))
    out = capsys.readouterr().out
    assert f"{first.name:<12} WARNING   {first.found}" in out
    assert "what a refit says" in out
    assert "FAILED" not in out
