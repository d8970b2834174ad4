"""Numbers of a failed gate on the terminal: struck through, with what to do first."""

from __future__ import annotations

import pytest

from bayescluster.cli.guard import say, striking
from bayescluster.cli.tables import print_answer, print_checks, print_section
from bayescluster.errors import CommandError
from bayescluster.kit.words import effect, probability, sentence
from tests.report import report_made as made


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal of a usual width."""
    monkeypatch.setenv("COLUMNS", "120")


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
    print_answer(failed)
    out = capsys.readouterr().out
    assert "The diagnostics gate FAILED" in out
    assert f"First: {sentence(failed.gate.first_step)}" in out
    share = probability(failed.verdicts[0].probability)
    assert f"~~{share}~~" in out
    print_section(failed, "effects")
    row = next(row for row in failed.effects if row.by == "all")
    assert f"~~{effect(row.estimate, failed.outcome)}~~" in capsys.readouterr().out


def test_a_fit_that_passed_shows_them_plain(capsys):
    passed = made.results()
    print_answer(passed)
    for name in ("verdicts", "effects", "corners", "model"):
        print_section(passed, name)
    assert "~~" not in capsys.readouterr().out


def test_the_answer_fits_a_screen(capsys):
    print_answer(made.results())
    assert len(capsys.readouterr().out.splitlines()) <= 25


def test_a_section_that_is_not_there_is_a_usage_error():
    with pytest.raises(
        CommandError, match="no section 'effect' with tables: did you mean 'effects'"
    ):
        print_section(made.results(), "effect")


@pytest.mark.parametrize("unconfirmed", [True, False])
def test_a_warning_is_no_failure(capsys, unconfirmed):
    passed = made.results()
    first, *rest = passed.gate.items
    update = {"warning": "what a refit says", "unconfirmed": unconfirmed}
    items = (first.model_copy(update=update), *rest)
    print_checks(passed.gate.model_copy(update={"items": items}))
    out = capsys.readouterr().out
    assert f"{first.name:<12} WARNING   {first.found}" in out
    assert "what a refit says" in out
    assert "FAILED" not in out
