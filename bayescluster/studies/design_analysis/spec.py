"""What a design analysis takes for true, beside the prior."""

from __future__ import annotations

from pydantic import model_validator

from bayescluster.spec.base import Frozen, Positive

Expected = float | None


class Truths(Frozen):
    """Expected outcomes at the corners of the whole sample, for a scenario that is argued for.

    Parameters are still drawn from the prior of each form: of its draws those are taken whose corners
    come this near. Corners that are left out can be anything.
    """

    neither: Expected = None
    """Both capitals low."""
    human_only: Expected = None
    """Human capital high, social capital low."""
    social_only: Expected = None
    """Social capital high, human capital low."""
    both: Expected = None
    """Both capitals high."""
    within: Positive = 0.1
    """How far each corner may be from what is declared."""

    @model_validator(mode="after")
    def _any(self) -> Truths:
        if not self.corners:
            raise ValueError(
                "truths names no corner: give neither, human_only, social_only or both"
            )
        return self

    @property
    def corners(self) -> dict[str, float]:
        """What is declared, by corner (LL, HL, LH, HH)."""
        named = {
            "LL": self.neither,
            "HL": self.human_only,
            "LH": self.social_only,
            "HH": self.both,
        }
        return {corner: value for corner, value in named.items() if value is not None}


class DesignOptions(Frozen):
    """Settings of `bayescluster design`; nothing else looks at them."""

    truths: Truths | None = None
    """A scenario to which the truths are held; the whole prior of each form without it."""
