"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from retarget_cli.backends.designed import DesignedOptions
from retarget_cli.backends.remot.design import (
    ALIGNMENT,
    BOUNDS,
    COMPOSITION,
    RESIDUAL,
    RESOLUTION,
    SWITCHES,
    TEXTURE,
    USUAL,
    WIDTH,
    RemotDesign,
)
from retarget_cli.backends.remot.stages import TOGETHER, StagePlan
from retarget_cli.backends.words import AUTO, FULL, HALF, OFF, ON, Words, among, at_least, spoken, within


@dataclass(frozen=True, slots=True)
class RemotOptions(DesignedOptions):
    """Options of the region-to-whole framework."""

    command: ClassVar[str] = "retarget train remot"

    resolution: int = 0
    """height of the network's pictures, three quarters as wide, a multiple of 32; 0: as the weights have it, 256 as
    published without any"""

    width: int = 0
    """channels at full size; 0: as the weights have it, 64 as published without any"""

    alignment: str = AUTO
    """whether the source is brought to the size and place of the layout (eq. 4): on; off, as RGN without GAM (Tables 3
    and 4); auto: as the weights have it, on without any"""

    composition: str = AUTO
    """whether the regions go through the whole composition network: on; off, their sum is the person (without
    WCN); auto: as the weights have it, on without any"""

    texture: str = AUTO
    """whether the source's features are aligned by likeness (eq. 12): on; off, they are added where they are
    (without TAM); auto: as the weights have it, on without any"""

    residual: str = AUTO
    """what is painted: on, changes of the source's colours, and of the regions' sum; off, everything anew, as
    published; auto: as the weights have it, on without any"""

    precision: str = FULL
    """in which frames are made: fp32; bf16, faster where the processor has it. Training goes its own way"""

    stages: str = "1:1:1"
    """in training: shares of the steps in which layouts, regions and the whole are learned, one after the other; or
    together: all in every step. Personalisation learns together"""

    adversarial: float = 1.0
    """in training: factor of the weights of all discriminators; 1 as published, 0 without any"""

    discriminator_width: int = 64
    """in training: channels after the first layer of each discriminator"""

    def __post_init__(self) -> None:
        for name in SWITCHES:
            among(name, getattr(self, name), (AUTO, ON, OFF))
        among("precision", self.precision, (FULL, HALF))
        if self.stages != TOGETHER:
            StagePlan.of(self.stages)
        for name, number in ((RESOLUTION, self.resolution), (WIDTH, self.width)):
            within(name, number, *BOUNDS[name], unsaid=0)
        at_least("adversarial", self.adversarial, 0)
        at_least("discriminator_width", self.discriminator_width, 1)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        return spoken({
            RESOLUTION: self.resolution, WIDTH: self.width, ALIGNMENT: self.alignment,
            COMPOSITION: self.composition, TEXTURE: self.texture, RESIDUAL: self.residual,
        })  # fmt: skip

    def usual(self) -> Words:
        """See `DesignedOptions`."""
        return USUAL

    def words(self, known: Words | None) -> dict[str, str]:
        """See `DesignedOptions`.

        Raises:
            UsageError: an option contradicts the weights, or is out of bounds.
        """
        words = DesignedOptions.words(self, known)
        if known is None:
            RemotDesign.of(words)
        return words
