"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from retarget_cli.backends.designed import DesignedOptions
from retarget_cli.backends.liquid_warp.generator import STRATEGIES, Design
from retarget_cli.backends.words import AUTO, NO, YES, Words, among, at_least, spoken, within, yes_or_no
from retarget_cli.core.errors import UsageError

# The strategy without a network: the sources' colours, moved.
WARP = "warp"
CLOTHED = "clothed"
STREAM = "background_stream"
_USUAL = {"strategy": "attention", "width": "64", "depth": "6", STREAM: NO}


@dataclass(frozen=True, slots=True)
class LiquidWarpOptions(DesignedOptions):
    """Options of liquid warping."""

    command: ClassVar[str] = "retarget train liquid-warp"

    strategy: str = AUTO
    """how source features get into the picture: attention, add, mean, gated-add, gated-mean, texture, concatenation;
    warp: the sources' colours moved, without any network; auto: as the weights have it, attention without any"""

    width: int = 0
    """channels at half resolution; 0: as the weights have it, 64 as published without any"""

    depth: int = 0
    """residual blocks; 0: as the weights have it, 6 as published without any"""

    background: str = "plate"
    """what stands behind the source person: plate, found without a network; network, the background stream"""

    background_stream: str = AUTO
    """whether the generator has a background stream: yes, no; auto: as the weights have it, no without any"""

    resolution: int = 256
    """longer side of the network's pictures, a multiple of 8"""

    flow: str = "body"
    """what moves the sources: body, the fitted body; clothed, the avatar's figure with its clothes and hair"""

    visible_only: bool = False
    """leave out what no source shows (Algorithm 1, line 11)"""

    discriminator_width: int = 64
    """channels after the first layer of each discriminator; 64 as published; nothing but training sees them"""

    personal_sources: int = 2
    """source pictures in a step of personalisation: the most frontal half and the most backward half"""

    def __post_init__(self) -> None:
        among("strategy", self.strategy, (AUTO, *STRATEGIES, WARP))
        among("background", self.background, ("plate", "network"))
        among(STREAM, self.background_stream, (AUTO, YES, NO))
        among("flow", self.flow, ("body", CLOTHED))
        if self.width < 0 or self.depth < 0:
            raise UsageError(f"--set width={self.width}, depth={self.depth}: must be 1 or more")
        if self.resolution % 8 or not 64 <= self.resolution <= 2048:
            raise UsageError(f"--set resolution={self.resolution}: out of bounds", "a multiple of 8, 64 to 2048")
        at_least("discriminator_width", self.discriminator_width, 1)
        within("personal_sources", self.personal_sources, 1, 8)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        return spoken({
            "strategy": self.strategy, "width": self.width, "depth": self.depth, STREAM: self.background_stream,
        })  # fmt: skip

    def usual(self) -> Words:
        """See `DesignedOptions`."""
        return _USUAL

    def words(self, known: Words | None) -> dict[str, str]:
        """See `DesignedOptions`; where weights are silent, what is said holds.

        Raises:
            UsageError: an option contradicts the weights, or asks for a part that they do not have.
        """
        words = DesignedOptions.words(self, None if known is None else {**self.said(), **known})
        if self.background == "network" and words[STREAM] != YES:
            raise UsageError(
                "--set background=network: the generator has no background stream",
                f"leave it out: the plate is used; or train others with --set {STREAM}=yes",
            )
        return words

    def design(self, known: Words | None) -> Design:
        """The generator's form; see `words`."""
        words = self.words(known)
        return Design(
            words["strategy"],  # type: ignore[arg-type]  # checked by whoever wrote it, and by `Generator`
            int(words["width"]),
            int(words["depth"]),
            words[STREAM] == YES,
        )


def described(design: Design) -> dict[str, str]:
    """A design as weights files hold it."""
    return {
        "strategy": design.strategy,
        "width": str(design.width),
        "depth": str(design.depth),
        STREAM: yes_or_no(design.has_background),
    }
