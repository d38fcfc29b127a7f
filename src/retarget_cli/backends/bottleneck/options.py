"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retarget_cli.backends.designed import DesignedOptions
from retarget_cli.backends.words import AUTO, FULL, HALF, NO, OFF, ON, YES, Words, among, at_least, spoken, within
from retarget_cli.core.errors import UsageError

JOINTS, MAPS = "joints", "maps"
PLATE, NETWORK = "plate", "network"
RESOLUTION, WIDTH, CHANNELS, LEVELS = "resolution", "width", "channels", "levels"
SKIPS, DRIVEN_BY, PHOTO, BACKGROUND = "skips", "driven_by", "photo", "background_network"

# Beyond these nothing fits into a machine; a file that tells of more is damaged.
MOST: Mapping[str, int] = {RESOLUTION: 1024, WIDTH: 1024, CHANNELS: 256, LEVELS: 3}
# Source pictures that can be used.
MOST_VIEWS = 8
_USUAL = {
    RESOLUTION: "256", WIDTH: "32", CHANNELS: "16", LEVELS: "3", SKIPS: YES,
    DRIVEN_BY: JOINTS, PHOTO: YES, BACKGROUND: YES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BottleneckOptions(DesignedOptions):
    """Options of the flow-guided transformable bottleneck."""

    command: ClassVar[str] = "retarget train bottleneck"

    resolution: int = 0
    """side of the network's square pictures, a multiple of 32; 0: as the weights have it, 256 as published without
    any"""

    width: int = 0
    """channels of the two-dimensional networks at full size; 0: as the weights have it, 32 without any"""

    channels: int = 0
    """of the finest volume; every coarser one has twice as many; 0: as the weights have it, 16 without any"""

    levels: int = 0
    """volumes of different resolution (m in the paper); 1: without multi-resolution (Table 3); 0: as the weights have
    it, 3 without any"""

    skips: str = AUTO
    """whether the volumes of all levels are moved and decoded: yes; no, the coarsest alone (Table 3); auto: as the
    weights have it, yes without any"""

    driven_by: str = AUTO
    """what the flow network sees of a pose: maps, drawn in two dimensions as published; joints, the bones' own motions
    in three; auto: as the weights have it, joints without any"""

    photo: str = AUTO
    """driven by joints, whether the decoder sees the first photo itself as well, moved: yes; no, volumes alone, as
    published; auto: as the weights have it, yes without any"""

    background: str = PLATE
    """what stands behind the source person: plate, found without a network; network, the background network's"""

    background_network: str = AUTO
    """whether there is a background network: yes, no; auto: as the weights have it, yes without any"""

    references: int = MOST_VIEWS
    """source pictures that are used at most (Table 4), 1 to 8"""

    precision: str = FULL
    """in which frames are made: fp32; bf16, faster where the processor has it. Training goes its own way"""

    rotations: str = ON
    """in training: volumes are turned at random and judged (eq. 9): on, off (Table 3)"""

    adversarial: float = 1.0
    """in training: factor of the weights of all discriminators; 1 as published, 0 without any"""

    discriminator_width: int = 64
    """in training: channels after the first layer of each discriminator"""

    def __post_init__(self) -> None:
        among("skips", self.skips, (AUTO, YES, NO))
        among("driven_by", self.driven_by, (AUTO, JOINTS, MAPS))
        among("photo", self.photo, (AUTO, YES, NO))
        among("background", self.background, (PLATE, NETWORK))
        among("background_network", self.background_network, (AUTO, YES, NO))
        among("precision", self.precision, (FULL, HALF))
        among("rotations", self.rotations, (ON, OFF))
        if self.resolution and (self.resolution % 32 or not 64 <= self.resolution <= MOST[RESOLUTION]):
            raise UsageError(
                f"--set resolution={self.resolution}: out of bounds",
                f"a multiple of 32, 64 to {MOST[RESOLUTION]}; 0: as the weights have it",
            )
        for name, value in ((WIDTH, self.width), (CHANNELS, self.channels), (LEVELS, self.levels)):
            within(name, value, 1, MOST[name], unsaid=0)
        within("references", self.references, 1, MOST_VIEWS)
        at_least("adversarial", self.adversarial, 0)
        at_least("discriminator_width", self.discriminator_width, 1)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        return spoken({
            RESOLUTION: self.resolution, WIDTH: self.width, CHANNELS: self.channels, LEVELS: self.levels,
            SKIPS: self.skips, DRIVEN_BY: self.driven_by, PHOTO: self.photo, BACKGROUND: self.background_network,
        })  # fmt: skip

    def usual(self) -> Words:
        """See `DesignedOptions`."""
        return _USUAL

    def words(self, known: Words | None) -> dict[str, str]:
        """See `DesignedOptions`.

        Raises:
            UsageError: an option contradicts the weights, or asks for a part that they do not have.
        """
        words = DesignedOptions.words(self, known)
        if self.background == NETWORK and words[BACKGROUND] != YES:
            raise UsageError(
                "--set background=network: there is no background network",
                f"leave it out: the plate is used; or train others with --set {BACKGROUND}=yes",
            )
        return words
