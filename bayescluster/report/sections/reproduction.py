"""What is needed to get the same result again."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Section, Table, columns, rows
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """Command, analysis, key, versions, machine and seeds."""
    return filled(
        "reproduction.html.j2",
        results=results,
        facts=_facts(results),
        versions=_listed("Versions", "Package", "Version", results.reproduction.versions),
        host=_listed("Machine", "Fact", "Value", results.reproduction.host),
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    made, fit = results.reproduction, results.fit
    tuned = f"after {words.count(fit.tune)} of tuning"
    return (
        ("Key of the run", made.key),
        ("Digest of the data", made.data_digest),
        ("Started", made.started),
        ("Sampler", fit.sampler),
        (
            "Draws",
            f"{fit.chains} chains of {words.count(fit.draws)} draws {tuned}",
        ),
        ("Seed", str(fit.seed)),
        ("Target acceptance", words.share(fit.target_accept)),
        ("Divergences", words.count(fit.divergences)),
        ("Time to sample", words.duration(fit.sampling_seconds)),
        ("Time in all", words.duration(fit.total_seconds)),
    )


def _listed(caption: str, first: str, second: str, found: dict[str, str]) -> Table:
    return Table(caption, columns(first, second), rows(found.items()))


REPRODUCTION = Section("reproduction", "Getting the same result again", "Reproduce", body)
