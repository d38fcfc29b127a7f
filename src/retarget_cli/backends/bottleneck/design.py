"""What the form of the networks depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retarget_cli.core.errors import UsageError

Driven = Literal["joints", "maps"]
Size = tuple[int, int, int]

DRIVEN: tuple[Driven, ...] = ("joints", "maps")
# Three halvings below a quarter of the picture, and two pixels left at least, which a normalization needs.
_STEP, _LEAST = 32, 64
_MOST_LEVELS = 3


@dataclass(frozen=True, slots=True)
class BottleneckDesign:
    """The form of a `Bottleneck`.

    Attributes:
        resolution: S, the side of its pictures, a multiple of 32; 256 as published.
        width: channels of the two-dimensional networks at full size.
        channels: of the finest volume; every coarser one has twice as many.
        levels: m, how many volumes there are; 1: a single resolution (Table 3).
        skips: whether every volume is moved and decoded; False: the coarsest alone (Table 3, without skip connections).
        driven_by: joints, the bones' motions in space, which the network mixes and corrects; maps, as published,
            pictures of the limbs alone, from which it must find the flow.
        background: whether there is a background network.
        photo: whether the photo itself goes along, where it is known where the body is: driven by joints.
    """

    resolution: int = 256
    width: int = 32
    channels: int = 16
    levels: int = 3
    skips: bool = True
    driven_by: Driven = "joints"
    background: bool = True
    photo: bool = True

    def __post_init__(self) -> None:
        if self.resolution % _STEP or self.resolution < _LEAST:
            raise UsageError(f"resolution={self.resolution}: out of bounds", f"a multiple of {_STEP}, {_LEAST} or more")
        if self.width < 1 or self.channels < 1:
            raise UsageError(f"width={self.width}, channels={self.channels}: must be 1 or more")
        if not 1 <= self.levels <= _MOST_LEVELS:
            raise UsageError(f"levels={self.levels}: out of bounds", f"1 to {_MOST_LEVELS}")
        if self.driven_by not in DRIVEN:
            raise UsageError(f"driven_by={self.driven_by}: unknown", f"one of {', '.join(DRIVEN)}")

    @property
    def has_body(self) -> bool:
        """Whether the networks are told where in space the body is."""
        return self.driven_by == "joints"

    @property
    def has_photo(self) -> bool:
        """Whether the decoder sees the photo moved."""
        return self.photo and self.has_body

    @property
    def sizes(self) -> tuple[Size, ...]:
        """(D, H, W) of every volume, the finest first: a quarter of the picture's side, half as many planes."""
        sides = (self.resolution // (4 << level) for level in range(self.levels))
        return tuple((side // 2, side, side) for side in sides)

    @property
    def body_size(self) -> Size:
        """(D, H, W) at which the body is told, equally fine in all directions: a limb may lie in any."""
        side = self.resolution // 8
        return side, side, side

    @property
    def flow_size(self) -> Size:
        """(D, H, W) at which the flow is found: an eighth of the picture's side."""
        side = self.resolution // 8
        return side // 2, side, side
