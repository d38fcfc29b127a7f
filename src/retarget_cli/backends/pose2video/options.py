"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retarget_cli.backends.designed import DesignedOptions
from retarget_cli.backends.pose2video.design import Design
from retarget_cli.backends.words import (
    AUTO,
    FULL,
    HALF,
    NO,
    OFF,
    ON,
    YES,
    Words,
    among,
    at_least,
    is_so,
    number,
    spoken,
    within,
)
from retarget_cli.core.errors import UsageError

RESOLUTION, WIDTH, LEVELS, BLOCKS, STAGES, CONTEXT = "resolution", "width", "levels", "blocks", "stages", "context"
CAUSAL, ENHANCED, RECURSIVE, FACE, RESIDUAL = "causal", "enhanced", "recursive", "face", "residual"

# Bounds of what numbers may be; beyond them nothing fits into a machine, and a file that tells of more is damaged.
_BOUNDS: Mapping[str, tuple[int, int]] = {
    RESOLUTION: (32, 1024), WIDTH: (1, 256), LEVELS: (1, 6), BLOCKS: (1, 32), STAGES: (1, 2), CONTEXT: (0, 8),
}  # fmt: skip
_SWITCHES = (CAUSAL, ENHANCED, RECURSIVE, FACE, RESIDUAL)
_USUAL = {
    RESOLUTION: "256", WIDTH: "64", LEVELS: "4", BLOCKS: "9", STAGES: "2", CONTEXT: "2", CAUSAL: NO, ENHANCED: NO,
    RECURSIVE: NO, FACE: NO, RESIDUAL: YES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pose2VideoOptions(DesignedOptions):
    """Options of motion transfer from poses in the wild."""

    command: ClassVar[str] = "retarget train pose2video"

    generic: str = NO
    """whether weights that were tuned to nobody may be shown: no; yes, whoever they happen to know"""

    resolution: int = 0
    """height of the network's pictures, which are half as wide; 0: as the weights have it, 256 without any"""

    width: int = 0
    """channels of each generator at full size; 0: as the weights have it, 64 as published without any"""

    levels: int = 0
    """how often a generator halves the size; 0: as the weights have it, 4 as published without any"""

    blocks: int = 0
    """residual blocks of a generator; 0: as the weights have it, 9 as published without any"""

    stages: int = 0
    """1: poses to film alone; 2: refined by a second network (Table 5); 0: as the weights have it, 2 without any"""

    context: int = -1
    """neighbouring frames that are seen on either side (K in the paper); -1: as the weights have it, 2 without any"""

    causal: str = AUTO
    """whether only earlier neighbours are seen (Table 5): yes, no; auto: as the weights have it, no without any"""

    enhanced: str = AUTO
    """whether half the size is learned first, and then enhanced: yes, no; auto: as the weights have it, no without
    any"""

    recursive: str = AUTO
    """whether the frame before is seen as it was made, in one stage, the way of Everybody Dance Now: yes, with stages=1
    and context=0; no; auto: as the weights have it, no without any"""

    face: str = AUTO
    """whether a network of its own adds to frames where the head is: yes, with recursive=yes; no; auto: as the weights
    have it, no without any"""

    residual: str = AUTO
    """whether the second stage makes what is to be changed of the first one's frame: yes; no, the frame anew; auto: as
    the weights have it, yes without any"""

    precision: str = FULL
    """in which frames are made: fp32; bf16, faster where the processor has it. Training goes its own way"""

    augment: str = ON
    """in training: poses are disturbed (Table 5): on, off"""

    unpaired: str = ON
    """in training: frames in other people's poses are judged, where such are given (Table 5): on, off"""

    share: float = 0.5
    """in training: of all steps, in which the first stage learns; in the rest the second does, or the face"""

    adversarial: float = 1.0
    """in training: factor of all that comes from discriminators; 1 as published, 0 without any"""

    discriminator_width: int = 64
    """in training: channels after the first layer of each discriminator"""

    def __post_init__(self) -> None:
        for name in _SWITCHES:
            among(name, getattr(self, name), (AUTO, YES, NO))
        among("generic", self.generic, (YES, NO))
        among("precision", self.precision, (FULL, HALF))
        among("augment", self.augment, (ON, OFF))
        among("unpaired", self.unpaired, (ON, OFF))
        for name, bounds in _BOUNDS.items():
            within(name, getattr(self, name), *bounds, unsaid=_unsaid(name))
        if not 0 < self.share < 1:
            raise UsageError(f"--set share={self.share}: must be between 0 and 1", "0.5 is usual")
        at_least("adversarial", self.adversarial, 0)
        at_least("discriminator_width", self.discriminator_width, 1)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        said = spoken({name: getattr(self, name) for name in (*_BOUNDS, *_SWITCHES) if name != CONTEXT})
        return said | spoken({CONTEXT: self.context}, _unsaid(CONTEXT))

    def usual(self) -> Words:
        """See `DesignedOptions`."""
        return _USUAL

    def words_about(self, part: Words) -> dict[str, str]:
        """The design of networks that begin with a part of them: the part's where it tells, else as said or usual.

        Raises:
            UsageError: an option contradicts the part.
        """
        told = {name: word for name, word in part.items() if name in _USUAL}
        return self.words({**_USUAL, **self.said(), **told})


def design_of(words: Words) -> Design:
    """The form that words tell.

    Raises:
        ValueError, UsageError: they tell nonsense.
        KeyError: they are silent about something.
    """
    numbers = {name: number(words, name, *bounds) for name, bounds in _BOUNDS.items()}
    return Design(
        resolution=numbers[RESOLUTION],
        width=numbers[WIDTH],
        levels=numbers[LEVELS],
        blocks=numbers[BLOCKS],
        stages=numbers[STAGES],
        context=numbers[CONTEXT],
        is_causal=is_so(words, CAUSAL),
        is_enhanced=is_so(words, ENHANCED),
        is_recursive=is_so(words, RECURSIVE),
        has_face=is_so(words, FACE),
        is_residual=is_so(words, RESIDUAL),
    )


def _unsaid(name: str) -> int:
    """What a number is where nothing was said; no neighbours at all is something to say."""
    return -1 if name == CONTEXT else 0
