"""All supported claims of a report at once: how many of them to expect to be false."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescluster.results.model import Together, Verdict
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.decide import events
from bayescluster.verdicts.events import Draws
from bayescluster.verdicts.evidence import Evidence


def together(verdicts: Sequence[Verdict], draws: Sequence[Sequence[Draws]]) -> Together | None:
    """Say how many of the supported claims to expect to be false, and how probable all of them are.

    Parameters
    ----------
    verdicts
        All verdicts of a report.
    draws
        Of each plausible form, the draws in the region of each verdict, ``(draw,)``.

    Returns
    -------
    Together or None
        None where no claim is supported.
    """
    supported = [k for k, verdict in enumerate(verdicts) if verdict.verdict == "supported"]
    if not supported:
        return None
    joint = [float(np.logical_and.reduce([form[k] for k in supported]).mean()) for form in draws]
    return Together(
        supported=len(supported),
        expected_false=sum(1 - verdicts[k].probability for k in supported),
        probability=min(joint),
    )


def region_draws(claims: Sequence[Hypothesis], evidence: Evidence) -> list[Draws]:
    """Draws in the region of every verdict on the claims, in their order."""
    return [event.posterior for claim in claims for event in events(claim, evidence)]
