"""The explorer on the page: capitals, corners and cut-offs to move, computed by the reader's browser."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from bayescluster.features.explorer.results import Axis, Explorer, ShownLevel
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import Results

CUT_OFFS: Final = {
    "assess": "assess: least outcome with both high",
    **{name: words.CUT_OFFS[name] for name in ("ratio", "kappa", "theta", "theta_not", "delta")},
    "margin": "margin: least cross difference",
    "eps": words.CUT_OFFS["eps"],
    "level": "level: probability from which a claim is supported",
    "min_support": "min_support: least firms around a corner",
}
"""Cut-offs that a reader can move, in their order; see `bayescluster.spec.hypotheses`."""
CORNERS: Final = ("neither", "human capital only", "social capital only", "both")


def body(results: Results) -> Markup:
    """Controls, where answers appear, and the data: everything else is done by the script."""
    found = results.explorer
    assert found is not None
    return filled(
        "explorer.html.j2",
        results=results,
        explorer=found,
        data=htmlsafe_json_dumps(_data(results, found)),
        cutoffs=CUT_OFFS,
        error=words.error(0.5 / found.draws**0.5),
    )


def _data(results: Results, found: Explorer) -> dict[str, Any]:
    """What the script reads: the draws, and every word and unit that it writes."""
    stopped = {}
    if results.likelihoods is not None and results.likelihoods.depends:
        stopped["complementarity"] = results.likelihoods.depends
    if not results.gate.passed:
        stopped["all"] = "The diagnostics gate failed."
    plain = found.model_dump(mode="json")
    return plain | {
        "human": plain["human"] | _axis(results, found.human),
        "social": plain["social"] | _axis(results, found.social),
        "levels": [
            one | _level(results, level)
            for one, level in zip(plain["levels"], found.levels, strict=True)
        ],
        "groups": [
            one | {"label": words.group(one["by"], one["group"])} for one in plain["groups"]
        ],
        "scopes": {name: words.SCOPES[name] for name in {s.scope: None for s in found.surfaces}},
        "cutoffs": [{"name": name} for name in CUT_OFFS],
        "corners": CORNERS,
        "interval": INTERVAL,
        "verdicts": words.VERDICTS,
        "icons": words.ICONS,
        "stopped": stopped,
    }


def _axis(results: Results, axis: Axis) -> dict[str, str]:
    unit = words.scale(results, axis.capital)
    return {"unit": unit, "label": f"{words.label(axis.capital)} ({unit})"}


def _level(results: Results, level: ShownLevel) -> dict[str, Any]:
    outcome = results.outcome
    if level.at_least is not None and level.at_least != outcome.at_least:
        outcome = words.reaching(outcome, level.at_least)
        outcome = outcome.model_copy(
            update={"label": f"probability that {outcome.column} is at least {level.at_least}"}
        )
    unit = words.unit(outcome)
    return {"label": outcome.label, "unit": {"factor": unit.factor, "level": unit.level}}


@lru_cache(maxsize=1)
def scripts() -> tuple[Markup, ...]:
    """Scripts of the explorer: the library of its charts, and its own."""
    folder = Path(__file__).parent
    return tuple(
        Markup((folder / name).read_text(encoding="utf-8"))  # ours, so nothing to escape
        for name in ("plot.min.js", "explorer.js")
    )


EXPLORER = Section(
    "explorer-section",
    "What if the capitals, the corners or the cut-offs were others?",
    "Explore",
    body,
    wanted=lambda results: results.explorer is not None,
    layer="explore",
    scripts=scripts,
)
