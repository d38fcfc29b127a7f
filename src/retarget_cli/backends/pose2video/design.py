"""What the form of the networks depends on."""

from __future__ import annotations

from dataclasses import dataclass

from retarget_cli.backends.stage.frame import Size
from retarget_cli.core.errors import UsageError
from retarget_cli.networks.residual_generator import TrunkDesign

# Pictures are twice as high as wide, and the person reaches so many metres aside from the hips: arms stretched out are
# in it. Upwards and down it is the frame's own reach, so pixels are 1.6 times as wide as high.
ASIDE = 1.0
_LEAST = 32


@dataclass(frozen=True, slots=True)
class Design:
    """The form of both stages.

    Attributes:
        resolution: height of the pictures; they are half as wide. 256 and 512 as published.
        width: channels of a generator at full size.
        levels: how often it halves the size.
        blocks: residual blocks at the smallest size.
        context: K, neighbours on either side that are seen besides a frame; 2 as published.
        is_causal: whether only those before it are seen, as in the baseline of Table 5.
        stages: 2; 1 without the texture refinement (Table 5).
        is_enhanced: whether each stage has a generator for half the size, learned first, and a local enhancer.
        is_recursive: whether the frame before, as it was made, is seen too, in place of stages and neighbours: the
            form of Everybody Dance Now, which the paper compares itself with.
        has_face: whether a network of its own adds to recursive frames where the head is, as published there.
        is_residual: whether the second stage makes what is to be changed of a frame of the first, and not the frame.
    """

    resolution: int = 256
    width: int = 64
    levels: int = 4
    blocks: int = 9
    context: int = 2
    is_causal: bool = False
    stages: int = 2
    is_enhanced: bool = False
    is_recursive: bool = False
    has_face: bool = False
    is_residual: bool = True

    def __post_init__(self) -> None:
        if self.resolution % self.step or self.resolution < max(_LEAST, 2 * self.step):
            raise UsageError(
                f"resolution={self.resolution}: out of bounds",
                f"with levels={self.levels} a multiple of {self.step}, {max(_LEAST, 2 * self.step)} or more",
            )
        if self.is_recursive and (self.stages > 1 or self.context):
            raise UsageError("recursive=yes: it has one stage, and sees one pose", "add stages=1 and context=0")
        if self.has_face and not self.is_recursive:
            raise UsageError("face=yes: it belongs to the recursive form", "add recursive=yes, stages=1 and context=0")

    @property
    def size(self) -> Size:
        """(h, w) of the pictures."""
        return self.resolution, self.resolution // 2

    @property
    def step(self) -> int:
        """What the height is a multiple of: twice what the width is one of."""
        return int(2 ** (self.levels + 1 + self.is_enhanced))

    @property
    def before(self) -> int:
        """Neighbours that are seen before a frame."""
        return self.context

    @property
    def after(self) -> int:
        """Neighbours that are seen behind a frame."""
        return 0 if self.is_causal else self.context

    @property
    def seen(self) -> int:
        """Frames that are seen for one: 2K + 1."""
        return self.before + 1 + self.after

    @property
    def trunk(self) -> TrunkDesign:
        """Of a generator; where there is an enhancer, of the one for half the size."""
        return TrunkDesign(self.width, self.levels, before=0, after=self.blocks)
