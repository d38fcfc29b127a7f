"""What the form of the networks depends on, and the words in which weights carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retarget_cli.backends.words import ON, Words, is_on, number
from retarget_cli.core.errors import UsageError
from retarget_cli.core.layout import Region
from retarget_cli.networks.composite_generator import CompositeDesign
from retarget_cli.networks.residual_generator import TrunkDesign

Size = tuple[int, int]

RESOLUTION, WIDTH = "resolution", "width"
ALIGNMENT, COMPOSITION, TEXTURE, RESIDUAL = "alignment", "composition", "texture", "residual"
SWITCHES = (ALIGNMENT, COMPOSITION, TEXTURE, RESIDUAL)
USUAL: Words = {
    RESOLUTION: "256", WIDTH: "64", ALIGNMENT: ON, COMPOSITION: ON, TEXTURE: ON, RESIDUAL: ON,
}  # fmt: skip

CLASSES = len(Region)
REGIONS = CLASSES - 1
"""Parts that are generated: all classes but the background."""
COLOURS = 3
BEFORE = 2
"""Frames that are remembered."""
BOUNDS: Mapping[str, tuple[int, int]] = {RESOLUTION: (64, 1024), WIDTH: (1, 512)}
# Pictures are three quarters as wide as high, and both sides are halved three times.
_STEP = 32
# Pixels of flow that a head's 1 means in pictures of this height, as published.
_FLOW, _FLOW_AT = 20.0, 256


@dataclass(frozen=True, slots=True)
class RemotDesign:
    """The form of a `Remot`.

    Attributes:
        resolution: H, the height of its pictures, a multiple of 32; 256 as published.
        width: channels of the finest features; 64 as in the networks that the paper builds on.
        has_alignment: whether the source is brought to the size and place of the target's layout (equation 4).
        has_composition: whether the regions go through the whole composition network; else their sum is the person.
        has_texture: whether the source's features are aligned by their likeness (equations 12 and 13); else added.
        is_residual: whether regions are changes of the source's colours, and the whole is a change of their sum; else
            both are painted anew, as published.
    """

    resolution: int = 256
    width: int = 64
    has_alignment: bool = True
    has_composition: bool = True
    has_texture: bool = True
    is_residual: bool = True

    def __post_init__(self) -> None:
        least, most = BOUNDS[RESOLUTION]
        if self.resolution % _STEP or not least <= self.resolution <= most:
            raise UsageError(
                f"resolution={self.resolution}: out of bounds", f"a multiple of {_STEP}, {least} to {most}"
            )
        narrowest, widest = BOUNDS[WIDTH]
        if not narrowest <= self.width <= widest:
            raise UsageError(f"width={self.width}: out of bounds", f"{narrowest} to {widest}")

    @classmethod
    def of(cls, words: Words) -> RemotDesign:
        """The form that words tell.

        Raises:
            ValueError, UsageError: they tell nonsense.
            KeyError: they are silent about something.
        """
        resolution, width = (number(words, name, *BOUNDS[name]) for name in (RESOLUTION, WIDTH))
        return cls(resolution, width, *(is_on(words, name) for name in SWITCHES))

    @property
    def size(self) -> Size:
        """(H, W) of its pictures, 4 to 3."""
        return self.resolution, self.resolution * 3 // 4

    @property
    def layout(self) -> CompositeDesign:
        """Of the layout GAN (equation 2): source layout; three poses; two layouts before."""
        inputs = (CLASSES, (BEFORE + 1) * COLOURS, BEFORE * CLASSES)
        return CompositeDesign(
            inputs, (1, 2), CLASSES, "softmax", flow_scale=self._flow_scale, trunk=self._trunk
        )

    @property
    def region(self) -> CompositeDesign:
        """Of the region GAN (equation 3): a region's mask; its two pictures before and the source's."""
        return CompositeDesign((1, (BEFORE + 1) * COLOURS), has_flow=False, trunk=self._trunk)

    @property
    def whole(self) -> CompositeDesign:
        """Of the whole composition (equations 14, 15): source; two persons before and the sum; layouts and poses."""
        inputs = (COLOURS, (BEFORE + 1) * COLOURS, (BEFORE + 1) * (CLASSES + COLOURS))
        return CompositeDesign(inputs, (1, 2), has_mask=True, flow_scale=self._flow_scale, trunk=self._trunk)

    @property
    def _trunk(self) -> TrunkDesign:
        # Not of each picture by itself: of nothing but black, such as the frames before the first, that is noise.
        return TrunkDesign(self.width, levels=3, before=5, after=4, norm="batch")

    @property
    def _flow_scale(self) -> float:
        return _FLOW * self.resolution / _FLOW_AT
