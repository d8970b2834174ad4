"""The claims that capitals are necessary, and that industries differ, read off ceilings.

Supported takes two things: that the ceiling effect size is large enough with enough probability,
and that a compensatory model does not give the observed one as well. A ceiling lower than the top
of the scope is no sign of necessity by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.summary import estimates
from bayescluster.hypotheses.ceilings.found import Key, OneCeiling
from bayescluster.hypotheses.ceilings.null import CLUSTER_MIN, NullTest
from bayescluster.hypotheses.claims import CAPITAL_OF, groups_asked
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import GATE_FAILED, ROUNDING, decide
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.names import ALL
from bayescluster.results.claims import ClaimName, Flag, Reading

MARGIN: Final = 0.10
"""Default of a difference between industries in d that counts."""
NECESSITY: Final[tuple[ClaimName, ...]] = ("N-H", "N-S")
DIFFERENCES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


class Preferred(NamedTuple):
    """Effect sizes from a ceiling model, in place of those of the fitted form.

    ``names`` are the models in words; ``d`` and ``prior`` are ``(draw,)``, all by capital and group;
    ``chains`` stand behind ``d``. Groups they lack keep the ceiling of the fitted form.
    """

    names: Mapping[Key, str]
    d: Mapping[Key, Array]
    prior: Mapping[Key, Array]
    chains: int


class _Size(NamedTuple):
    """Draws of an effect size, their prior, and whose ceiling it is."""

    d: Array
    prior: Array | None
    chains: int
    whose: str


def ceiling_readings(
    evidence: Evidence, gate_passed: bool, preferred: Preferred | None = None
) -> Iterator[Reading]:
    """Read the claims that speak of ceilings, for the groups that ``traditions`` names.

    Parameters
    ----------
    evidence
        Estimands of the fit.
    gate_passed
        Whether the diagnostics gate passed.
    preferred
        Effect sizes that take the place of those of the fitted form, from a model of the ceiling
        itself. The compensatory null stays: it looks at the observed firms.
    """
    for name in NECESSITY:
        capital = CAPITAL_OF[name]
        for by in groups_asked(evidence.design):
            for _, label in evidence.columns(by):
                found = evidence.ceilings.of.get((capital, by, label))
                if found is not None:
                    key = (capital, by, label)
                    size = _size(evidence, key, found, preferred)
                    yield _necessity(name, key, evidence, _Judged(size, found, gate_passed))
    for name in DIFFERENCES:
        yield from _differences(name, evidence, gate_passed, preferred)


def _size(evidence: Evidence, key: Key, found: OneCeiling, preferred: Preferred | None) -> _Size:
    if preferred is not None and key in preferred.d:
        return _Size(
            preferred.d[key],
            preferred.prior.get(key),
            preferred.chains,
            f", by {preferred.names[key]}",
        )
    return _Size(found.ceiling.d, found.prior.d, evidence.ceilings.chains, "")


class _Judged(NamedTuple):
    size: _Size
    found: OneCeiling
    gate_passed: bool


def _necessity(name: ClaimName, key: Key, evidence: Evidence, judged: _Judged) -> Reading:
    asked = evidence.design.analysis.traditions
    size, found, gate_passed = judged
    level, d_min = asked.level, asked.ceilings.d_min
    probability = float((size.d >= d_min).mean())
    prior = None if size.prior is None else float((size.prior >= d_min).mean())
    large = _null_as_large(found.null, level)
    # a ceiling effect that is too small is too small whatever the null says
    reached = probability >= level
    stopped = "" if gate_passed else GATE_FAILED
    stopped = stopped or _too_few(found.rows) or (large if reached else "")
    verdict, reason = decide(probability, level, stopped)
    flags: list[Flag] = []
    if reached and found.null is not None and large:
        flags.append("null_as_large")
    if found.rows < CLUSTER_MIN:
        flags.append("thin")
    if verdict == "supported" and prior is not None and prior >= level:
        flags.append("prior_decides")
    return Reading(
        tradition="ceilings",
        claim=name,
        by=key[1],
        group=key[2],
        quantity=f"ceiling effect size d of {CAPITAL_WORDS[key[0]]}{size.whose}",
        estimate=estimates(size.d[:, None], size.chains)[0],
        region=f"ceiling effect size d at least {d_min:g}, and larger than a compensatory model "
        f"gives (its p at most {1 - level:.2g})",
        probability=probability,
        prior_probability=prior,
        verdict=verdict,
        reason=reason,
        behind=_behind(found),
        flags=tuple(flags),
    )


def _null_as_large(null: NullTest | None, level: float) -> str:
    """Why the null keeps a claim from being supported; nothing where it does not."""
    if null is None:
        return (
            "No compensatory model could be held against the effect size of the observed firms: "
            "d alone is positive with no necessity at all."
        )
    if null.p <= 1 - level + ROUNDING:
        return ""
    return (
        f"A compensatory model gives an effect size as large as that of the observed firms "
        f"({null.observed:.2f}) with probability {null.p:.2f}: d alone is no sign of necessity."
    )


def _too_few(rows: int) -> str:
    if rows >= CLUSTER_MIN:
        return ""
    return f"Only {rows} firms stand below this ceiling, fewer than {CLUSTER_MIN}."


def _behind(found: OneCeiling) -> str:
    firms = f"{found.rows} firms"
    if found.null is None or not found.null.clusters:
        return firms
    return f"{firms}, the null over {found.null.clusters} clusters"


def _differences(
    name: ClaimName, evidence: Evidence, gate_passed: bool, preferred: Preferred | None
) -> Iterator[Reading]:
    """Read whether d differs between industries by more than the margin."""
    asked = evidence.design.analysis.traditions
    margin = MARGIN if asked.margin is None else asked.margin
    sizes = _industries(CAPITAL_OF[name], evidence, preferred)
    whose = {(size.chains, size.whose, size.d.size) for size in sizes}
    if len(sizes) < 2 or len(whose) > 1:
        return
    spread = np.ptp(np.column_stack([size.d for size in sizes]), axis=1)
    priors = [size.prior for size in sizes if size.prior is not None]
    known = len(priors) == len(sizes)
    before = np.ptp(np.column_stack(priors), axis=1) if known else None
    probability = float((spread > margin).mean())
    prior = None if before is None else float((before > margin).mean())
    verdict, reason = decide(probability, asked.level, "" if gate_passed else GATE_FAILED)
    within = sizes[0].whose
    decided = verdict == "supported" and prior is not None and prior >= asked.level
    yield Reading(
        tradition="ceilings",
        claim=name,
        by="all",
        group=ALL,
        quantity=f"largest less smallest ceiling effect size d of the industries{within}",
        estimate=estimates(spread[:, None], sizes[0].chains)[0],
        region=f"largest less smallest ceiling effect size d{within} above {margin:g}",
        probability=probability,
        prior_probability=prior,
        verdict=verdict,
        reason=reason,
        behind=f"{len(sizes)} industries",
        flags=("prior_decides",) if decided else (),
    )


def _industries(capital: str, evidence: Evidence, preferred: Preferred | None) -> list[_Size]:
    """Effect sizes of a capital in every industry that has a ceiling.

    Of an expectation the part within reach: the rest differs with how common the outcome is, which
    says nothing of the capital.
    """
    ceilings = evidence.ceilings
    sizes = []
    for _, label in evidence.columns("industry"):
        key: Key = (capital, "industry", label)
        found = ceilings.of.get(key)
        if found is None:
            continue
        size = _size(evidence, key, found, preferred)
        if not size.whose and not ceilings.is_quantile:
            within = found.ceiling.reached, found.prior.reached
            size = _Size(*within, ceilings.chains, ", within reach")
        sizes.append(size)
    return sizes
