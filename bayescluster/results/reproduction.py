"""How the posterior was drawn, and what is needed to get it again."""

from __future__ import annotations

from bayescluster.results.base import Value


class FitFacts(Value):
    """How the posterior was drawn."""

    sampler: str
    chains: int
    draws: int
    tune: int
    seed: int
    target_accept: float
    divergences: int
    sampling_seconds: float
    total_seconds: float


class Reproduction(Value):
    """What is needed to get the same result again."""

    command: str
    analysis: str
    """The analysis as resolved, as YAML text."""
    key: str
    data_digest: str
    versions: dict[str, str]
    host: dict[str, str]
    started: str
