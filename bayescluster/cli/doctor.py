"""``bayescluster doctor``: whether this machine can do the work."""

from __future__ import annotations

from bayescluster.cli.guard import GATE_FAILED, guarded, say


@guarded
def doctor() -> int:
    """Check the installation: versions, cores, and a tiny model from compiling to drawing."""
    from bayescluster.app.trial import trial_fit
    from bayescluster.runs.keys import host_facts, versions

    for name, version in versions().items():
        say(f"{name:<12} {version}")
    for name, fact in host_facts().items():
        say(f"{name:<12} {fact}")
    trial = trial_fit()
    say(f"trial model  {trial.words}")
    return 0 if trial.good else GATE_FAILED
