"""How the posterior is drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bayescluster.spec.base import Frozen


class Sampling(Frozen):
    """Settings of the No-U-Turn sampler."""

    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    """Draws kept in each chain."""
    tune: Annotated[int, Field(ge=10, le=100_000)] = 1000
    """Draws spent on adapting each chain, not kept."""
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    target_accept: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.9
    """Aim for the acceptance rate: nearer to 1 means smaller, safer, slower steps."""
    max_treedepth: Annotated[int, Field(ge=3, le=15)] = 10
    prior_draws: Annotated[int, Field(ge=100, le=20_000)] = 2000
    """Draws from the prior, for the prior probability of every verdict."""


class Report(Frozen):
    """What is written at the end of a run."""

    title: str | None = None
    formats: tuple[Literal["html"], ...] = ("html",)
