"""``bayescluster doctor``: whether this machine can do the work."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from bayescluster.cli.guard import GATE_FAILED, guarded, say

Warm = Annotated[
    bool,
    typer.Option(
        "--warm", help="Only compile what sampling needs, so that the first fit does not."
    ),
]


@guarded
def doctor(warm: Warm = False) -> int:
    """Check the installation: versions, cores, compiled code, and a tiny model to its draws."""
    if not warm:
        from bayescluster.runs.keys import host_facts, versions

        for name, version in versions().items():
            say(f"{name:<12} {version}")
        for name, fact in host_facts().items():
            say(f"{name:<12} {fact}")
    from bayescluster.kernel.machine import compile_all

    started = time.perf_counter()
    count = compile_all()
    say(f"instructions {count} compiled or found compiled in {time.perf_counter() - started:.1f} s")
    if warm:
        return 0
    from bayescluster.app.trial import trial_fit

    trial = trial_fit()
    say(f"trial model  {trial.words}")
    return 0 if trial.good else GATE_FAILED
