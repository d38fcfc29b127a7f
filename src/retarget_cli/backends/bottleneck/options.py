"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retarget_cli.core.errors import UsageError

BASE, NONE, AUTO = "base", "none", "auto"
YES, NO = "yes", "no"
ON, OFF = "on", "off"
FULL, HALF = "fp32", "bf16"
JOINTS, MAPS = "joints", "maps"
PLATE, NETWORK = "plate", "network"
RESOLUTION, WIDTH, CHANNELS, LEVELS = "resolution", "width", "channels", "levels"
SKIPS, DRIVEN_BY, PHOTO, BACKGROUND = "skips", "driven_by", "photo", "background_network"

# Source pictures that can be used.
MOST_VIEWS = 8
_USUAL = {
    RESOLUTION: "256", WIDTH: "32", CHANNELS: "16", LEVELS: "3", SKIPS: YES,
    DRIVEN_BY: JOINTS, PHOTO: YES, BACKGROUND: YES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BottleneckOptions:
    """Options of the flow-guided transformable bottleneck."""

    weights: str = BASE
    """a weights file, a run of `retarget train`, or the name of an imported file; base: those that come along; none:
    untrained"""

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
        _among("skips", self.skips, (AUTO, YES, NO))
        _among("driven_by", self.driven_by, (AUTO, JOINTS, MAPS))
        _among("photo", self.photo, (AUTO, YES, NO))
        _among("background", self.background, (PLATE, NETWORK))
        _among("background_network", self.background_network, (AUTO, YES, NO))
        _among("precision", self.precision, (FULL, HALF))
        _among("rotations", self.rotations, (ON, OFF))
        if self.resolution and (self.resolution % 32 or not 64 <= self.resolution <= 1024):
            raise UsageError(
                f"--set resolution={self.resolution}: out of bounds",
                "a multiple of 32, 64 to 1024; 0: as the weights have it",
            )
        for name, value, most in (
            (WIDTH, self.width, 1024), (CHANNELS, self.channels, 256), (LEVELS, self.levels, 3),
        ):  # fmt: skip
            if not 0 <= value <= most:
                raise UsageError(f"--set {name}={value}: out of bounds", f"1 to {most}; 0: as the weights have it")
        if not 1 <= self.references <= MOST_VIEWS:
            raise UsageError(f"--set references={self.references}: out of bounds", f"1 to {MOST_VIEWS}")
        if not 0 <= self.adversarial < float("inf"):
            raise UsageError(f"--set adversarial={self.adversarial}: must be 0 or more")
        if self.discriminator_width < 1:
            raise UsageError(f"--set discriminator_width={self.discriminator_width}: must be 1 or more")

    def words(self, known: Mapping[str, str] | None) -> dict[str, str]:
        """The design: the weights' where there are any, else as said, else as usual.

        Args:
            known: the design that lies in a weights file, or None.

        Raises:
            UsageError: an option contradicts the weights, or asks for a part that they do not have.
        """
        said = self._said()
        for name, value in said.items():
            if known is not None and known.get(name, _USUAL[name]) != value:
                raise UsageError(
                    f"--set {name}={value}: the weights are of {name}={known.get(name, _USUAL[name])}",
                    "leave the option out, or train others with `retarget train bottleneck`",
                )
        words = {**_USUAL, **said, **(known or {})}
        if self.background == NETWORK and words[BACKGROUND] != YES:
            raise UsageError(
                "--set background=network: there is no background network",
                f"leave it out: the plate is used; or train others with --set {BACKGROUND}=yes",
            )
        return words

    def _said(self) -> dict[str, str]:
        """What of the design the user has said."""
        options = {
            RESOLUTION: self.resolution, WIDTH: self.width, CHANNELS: self.channels, LEVELS: self.levels,
            SKIPS: self.skips, DRIVEN_BY: self.driven_by, PHOTO: self.photo, BACKGROUND: self.background_network,
        }  # fmt: skip
        return {name: str(value) for name, value in options.items() if value not in (AUTO, 0)}


def _among(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"--set {name}={value}: unknown", f"one of {', '.join(known)}")
