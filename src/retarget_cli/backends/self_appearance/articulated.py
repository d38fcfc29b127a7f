"""Articulated animation, whole (Siarohin et al., 2021)."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from retarget_cli.backends.self_appearance.dense_motion import DenseMotion, MotionDesign
from retarget_cli.backends.self_appearance.first_order import Made, Prepared, check_counts
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.regions import BackgroundPredictor, Disentangler, RegionPredictor, Regions
from retarget_cli.backends.self_appearance.sampling import ARTICULATED_ALIGN_CORNERS
from retarget_cli.backends.self_appearance.skip_generator import SkipGenerator


@dataclass(frozen=True, slots=True)
class ArticulatedDesign:
    """What the networks' form depends on; the counts of regions must be equal.

    Attributes:
        regions, motion, generator: of those networks.
        has_avd: whether there is a network that tells pose from identity.
        has_background: whether there is a network that tells how the background moves; without, it stays.
    """

    regions: DetectorDesign = field(default_factory=lambda: DetectorDesign(jacobians=0))
    motion: MotionDesign = field(default_factory=lambda: MotionDesign(kind="articulated"))
    generator: GeneratorDesign = field(default_factory=GeneratorDesign)
    has_avd: bool = False
    has_background: bool = True


class Articulated(nn.Module):
    """Regions, background, motion, generator; AVD where the design has it.

    Args:
        design: their form.
        align_corners: how pictures and features are read, see `sampling`; False for the released weights.
    """

    def __init__(self, design: ArticulatedDesign, align_corners: bool = ARTICULATED_ALIGN_CORNERS) -> None:
        super().__init__()
        check_counts(design.regions, design.motion)
        self.design = design
        self.regions = RegionPredictor(design.regions)
        form = design.regions
        self.background = BackgroundPredictor(form.width, form.levels, form.most, design.has_background)
        self.motion = DenseMotion(design.motion, align_corners)
        self.generator = SkipGenerator(design.generator, align_corners)
        self.avd = Disentangler(design.regions.count) if design.has_avd else None

    def encode(self, picture: Tensor) -> Prepared:
        """Once a source (1 or B, 3, H, W) in [0, 1]."""
        return Prepared(self.motion.encode(picture, self.regions(picture)), self.generator.encode(picture))

    def forward(self, source: Prepared, driving: Regions, background: Tensor | None = None) -> Made:
        """The source with the regions of B pictures.

        Args:
            source: one, or B.
            driving: regions.
            background: (B, 3, 3) from `background`; None: it stays, as in animating another's picture.
        """
        motion = self.motion(source.motion, driving, background)
        return Made(self.generator.decode(source.encoded, motion), motion)
