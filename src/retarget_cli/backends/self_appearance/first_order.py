"""The first order motion model, whole (Siarohin et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from retarget_cli.backends.self_appearance.dense_motion import DenseMotion, Motion, MotionDesign, Source
from retarget_cli.backends.self_appearance.generator import Encoded, Generator, GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import Detector, DetectorDesign, Keypoints
from retarget_cli.backends.self_appearance.sampling import FIRST_ORDER_ALIGN_CORNERS


@dataclass(frozen=True, slots=True)
class FirstOrderDesign:
    """What the networks' form depends on; the counts of keypoints must be equal."""

    detector: DetectorDesign = field(default_factory=DetectorDesign)
    motion: MotionDesign = field(default_factory=MotionDesign)
    generator: GeneratorDesign = field(default_factory=GeneratorDesign)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source, seen once.

    Attributes:
        motion: for the motion network.
        encoded: for the generator.
    """

    motion: Source
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Made:
    """B pictures (B, 3, H, W) in [0, 1], and the motion that they were made by."""

    pictures: Tensor
    motion: Motion


class FirstOrder(nn.Module):
    """The first order model.

    Args:
        design: its form.
        align_corners: how pictures and features are read, see `sampling`; True for the released weights.
    """

    def __init__(self, design: FirstOrderDesign, align_corners: bool = FIRST_ORDER_ALIGN_CORNERS) -> None:
        super().__init__()
        check_counts(design.detector, design.motion)
        self.design = design
        self.detector = Detector(design.detector)
        self.motion = DenseMotion(design.motion, align_corners)
        self.generator = Generator(design.generator, align_corners)

    def encode(self, picture: Tensor) -> Prepared:
        """Once a source (1 or B, 3, H, W) in [0, 1]."""
        return Prepared(self.motion.encode(picture, self.detector(picture)), self.generator.encode(picture))

    def forward(self, source: Prepared, driving: Keypoints) -> Made:
        """The source with the keypoints of B pictures."""
        motion = self.motion(source.motion, driving)
        return Made(self.generator.decode(source.encoded, motion), motion)


def check_counts(detector: DetectorDesign, motion: MotionDesign) -> None:
    """Refuse networks that don't go together.

    Raises:
        ValueError: as many keypoints or regions are not found as are moved.
    """
    if detector.count != motion.count:
        raise ValueError(f"{detector.count} parts are found, {motion.count} are moved")
