"""What is learned when (paper, 3.3): layouts, then regions, then the whole person out of what the former two make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from retarget_cli.core.errors import UsageError

TOGETHER = "together"


class Stage(Enum):
    """Which networks learn."""

    LAYOUT = "layout"
    REGION = "region"
    WHOLE = "whole"
    ALL = "all"


ORDER = (Stage.LAYOUT, Stage.REGION, Stage.WHOLE)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """Shares of a training's steps.

    Attributes:
        shares: of layout, region and whole; not all of them 0.
    """

    shares: tuple[float, float, float] = (1, 1, 1)

    @classmethod
    def of(cls, text: str) -> StagePlan:
        """`layout:region:whole`, for example 1:1:2.

        Raises:
            UsageError: it is something else.
        """
        try:
            layout, region, whole = (float(part) for part in text.split(":"))
        except ValueError as error:
            raise UsageError(f"--set stages={text}: expected layout:region:whole or {TOGETHER}", "1:1:1") from error
        shares = layout, region, whole
        if not all(0 <= share < float("inf") for share in shares) or not sum(shares):
            raise UsageError(f"--set stages={text}: expected shares of 0 or more, not all 0", "1:1:1")
        return cls(shares)

    @property
    def without_whole(self) -> StagePlan:
        """Where there is no whole composition: its steps are the regions'."""
        layout, region, whole = self.shares
        return StagePlan((layout, region + whole, 0.0))

    def stage(self, number: int, steps: int) -> Stage:
        """What step `number` (from 0) of `steps` learns."""
        return next((stage for stage, end in self._ends(steps) if number < end), ORDER[-1])

    def way(self, number: int, steps: int) -> float:
        """How far on that stage is before step `number`, 0 to 1."""
        begun = 0
        for _, end in self._ends(steps):
            if number < end:
                return (number - begun) / (end - begun)
            begun = end
        return 1.0

    def _ends(self, steps: int) -> list[tuple[Stage, int]]:
        """The stages in their order, and the number of the step at which each is over."""
        total = sum(self.shares)
        return [(stage, round(steps * sum(self.shares[: place + 1]) / total)) for place, stage in enumerate(ORDER)]
