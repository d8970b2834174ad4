"""The estimands that claims are judged by, each computed once per scope, levels and level of the outcome.

The same estimands are computed from the posterior and from the prior, so that every event has a
posterior and a prior probability from one definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.effects import SurfaceDraws, marginal_draws, surface_draws
from bayescluster.estimands.levels import Levels, behind_gates
from bayescluster.estimands.scopes import (
    as_member,
    scoped,
)
from bayescluster.model.evaluate import Draws
from bayescluster.names import CLUSTER, INDUSTRY, WITHIN
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import By, Scope
from bayescluster.verdicts.support import Sample


class SurfaceRequest(NamedTuple):
    """Estimands of the outcome surface to compute: source of draws, scope, levels, level to reach."""

    source: str
    scope: Scope
    levels: Levels
    at_least: Scalar | None


class Known:
    """Estimands of a fit that were computed already: small, next to the draws that they come from."""

    def __init__(self) -> None:
        self.surfaces: dict[SurfaceRequest, SurfaceDraws] = {}
        self.standardised: dict[tuple[str, int, Levels, str], SurfaceDraws] = {}


class Evidence(Sample):
    """Estimands of a fit, each computed when first needed.

    ``seed`` is that of the draws for new clusters; ``stopped`` gives, by kind of claim, why none can be
    decided whatever its probability. What is ``known`` of the same fit is not computed again, and what is
    computed here is known from then on.
    """

    def __init__(
        self,
        design: Design,
        posterior: Draws,
        prior: Draws,
        seed: int,
        stopped: Mapping[str, str] = MappingProxyType({}),
        known: Known | None = None,
    ) -> None:
        super().__init__(design)
        self.stopped = stopped
        self.posterior = posterior
        self.prior = prior
        self._draws = {"posterior": posterior, "prior": prior}
        self.seed = seed
        self._known = Known() if known is None else known
        self._made: dict[Callable[[Evidence], Any], Any] = {}

    def surface(
        self,
        scope: Scope,
        levels: Levels,
        source: str = "posterior",
        at_least: Scalar | None = None,
    ) -> SurfaceDraws:
        """Estimands of a scope at given levels, ``(draw, group)`` each.

        With ``at_least`` they are of the probability that the outcome is at least that; without it,
        of what the equation asks for.
        """
        key = self.request(scope, levels, source, at_least)
        if key not in self._known.surfaces:
            self._known.surfaces[key] = self._computed(key)
        return self._known.surfaces[key]

    def standardised(
        self, by: By, member: int, levels: Levels, source: str = "posterior"
    ) -> SurfaceDraws:
        """Marginal effects of one group over the firms of all, ``(draw, 1)``; see `as_member`.

        Contrasts and corners are left out: nothing asks for them, and it takes a pass over all firms
        for each group.
        """
        key = (by, member, levels, source)
        if key not in self._known.standardised:
            draws = as_member(self.design, self._draws[source], by, member)
            everyone = self.groups.weights[:, :1]
            marginal = marginal_draws(self.design, draws, everyone)
            self._known.standardised[key] = SurfaceDraws(marginal, {}, {})
        return self._known.standardised[key]

    def request(
        self, scope: Scope, levels: Levels, source: str, at_least: Scalar | None
    ) -> SurfaceRequest:
        """Key of a surface; the level is that of the equation where none is named."""
        level = self.design.equation.at_least if at_least is None else at_least
        return SurfaceRequest(source, scope, levels, level)

    def _computed(self, request: SurfaceRequest) -> SurfaceDraws:
        design = self.design.reaching(request.at_least)
        draws = scoped(design, self._draws[request.source], request.scope, self.seed)
        return surface_draws(design, draws, request.levels, self.groups.weights)

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Effective number of firms behind each corner of the conjunctive form, ``(draw, group)``.

        Nothing for other forms.
        """
        return behind_gates(self.design, self.posterior, self.groups.members)

    def once[T](self, make: Callable[[Evidence], T]) -> T:
        """Result of a function of this evidence, computed at the first call."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("T", self._made[make])

    def computed(self) -> dict[SurfaceRequest, SurfaceDraws]:
        """All surfaces computed so far, for the gate."""
        return dict(self._known.surfaces)


def kinds_in(evidence: Evidence, scope: Scope) -> tuple[By, ...]:
    """Kinds of groups that a scope has: a new cluster is none of the data, a new industry neither."""
    new = {"observed": (), "new_industry": (INDUSTRY, CLUSTER)}.get(scope, (CLUSTER,))
    return tuple(by for by in evidence.kinds if not set(by.split(WITHIN)) & set(new))
