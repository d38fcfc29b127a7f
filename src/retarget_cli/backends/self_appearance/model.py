"""Self-appearance-aided differential evolution, whole (Liu et al., 2021).

    detector     keypoints of the driving picture and of every view                       F_K, eq. 1
    motion       coarse, of every view                                                    F_C, eq. 2 and 3
    evolution    coarse to dense                                                          F_E, eq. 4
    generator    features of every view, moved; with those that they borrow               F_G, F_A, eq. 5
    confidence   of every view, of sum 1 at every place; features are their mean by it    eq. 6

With evolution off, appearance off and one view it is the model whose kind of first motion it has: Monkey-Net's with
`displacements`, the first order model with `first-order`, articulated animation with `articulated`, which brings its
regions, its background and its generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.appearance import Appearance, AppearanceDesign
from retarget_cli.backends.self_appearance.blocks import channels
from retarget_cli.backends.self_appearance.dense_motion import DenseMotion, Motion, MotionDesign
from retarget_cli.backends.self_appearance.evolution import Evolution, EvolutionOptions
from retarget_cli.backends.self_appearance.first_order import Made, Prepared, check_counts
from retarget_cli.backends.self_appearance.generator import Backbone, Generator, GeneratorDesign, Moved
from retarget_cli.backends.self_appearance.keypoints import Detector, DetectorDesign, Keypoints
from retarget_cli.backends.self_appearance.regions import BackgroundPredictor, RegionPredictor, Regions
from retarget_cli.backends.self_appearance.sampling import coordinates, resized
from retarget_cli.backends.self_appearance.skip_generator import SkipGenerator

_KERNEL = 7


@dataclass(frozen=True, slots=True)
class SelfAppearanceDesign:
    """What the networks' form depends on; the counts of keypoints or regions must be equal.

    Attributes:
        evolution: how eq. 4 is integrated; `off` leaves it out.
        appearance: of F_A; None leaves eq. 5 out.
        has_context: F_E sees the features that the coarse motion was read from; False: eq. 4 to the letter.
    """

    detector: DetectorDesign = field(default_factory=lambda: DetectorDesign(jacobians=0))
    motion: MotionDesign = field(default_factory=lambda: MotionDesign("displacements", has_occlusion=False))
    generator: GeneratorDesign = field(default_factory=GeneratorDesign)
    evolution: EvolutionOptions = field(default_factory=EvolutionOptions)
    appearance: AppearanceDesign | None = field(default_factory=AppearanceDesign)
    has_context: bool = False


class SelfAppearance(nn.Module):
    """All networks.

    Args:
        design: their form.
        align_corners: how pictures and features are read, see `sampling`.
    """

    def __init__(self, design: SelfAppearanceDesign, align_corners: bool = True) -> None:
        super().__init__()
        check_counts(design.detector, design.motion)
        self.design = design
        form = design.detector
        has_regions = design.motion.kind == "articulated"
        self.detector: Detector | RegionPredictor = RegionPredictor(form) if has_regions else Detector(form)
        self.background = BackgroundPredictor(form.width, form.levels, form.most) if has_regions else None
        self.motion = DenseMotion(design.motion, align_corners)
        self.confidence = nn.Conv2d(self.motion.hourglass.outputs, 1, _KERNEL, padding=_KERNEL // 2)
        self.evolution = Evolution(design.evolution, self.motion.hourglass.outputs if design.has_context else 0)
        self.generator: Backbone = (SkipGenerator if has_regions else Generator)(design.generator, align_corners)
        width = channels(design.generator.width, design.generator.levels, design.generator.most)
        self.appearance = None if design.appearance is None else Appearance(width, design.appearance, align_corners)

    def encode(self, picture: Tensor) -> Prepared:
        """Once a view (1 or B, 3, H, W) in [0, 1]."""
        return Prepared(self.motion.encode(picture, self.detector(picture)), self.generator.encode(picture))

    def forward(
        self,
        views: Sequence[Prepared],
        driving: Keypoints | Regions,
        backgrounds: Sequence[Tensor | None] | None = None,
    ) -> Made:
        """The person of the views with the parts of B pictures; `motion` is the first view's.

        Args:
            views: the source first, then references.
            driving: what `detector` finds.
            backgrounds: (B, 3, 3) from `background` for every view; None: it stays.
        """
        behind = [None] * len(views) if backgrounds is None else backgrounds
        motions = [
            self.evolved(self.motion(view.motion, driving, each)) for view, each in zip(views, behind, strict=True)
        ]
        moved = [self.generator.moved(view.encoded, motion) for view, motion in zip(views, motions, strict=True)]
        return Made(self.generator.finish(self.fused(moved, motions), views[0].encoded.sizes), motions[0])

    def fused(self, moved: Sequence[Moved], motions: Sequence[Motion]) -> Moved:
        """All views as one, with what they borrow at the smallest level (eq. 5 and 6)."""
        told = self.confidences(motions)
        levels = [averaged([each.levels[row] for each in moved], told) for row in range(len(moved[0].levels))]
        if self.appearance is not None:
            borrowed = [self.appearance.borrowed(each.levels[-1]) for each in moved]
            levels[-1] = self.appearance.merged(averaged(borrowed, told), levels[-1])
        shown = [each.shown for each in moved if each.shown is not None]
        return Moved(tuple(levels), averaged(shown, told) if shown else None)

    def evolved(self, motion: Motion) -> Motion:
        """The motion with T(1) for T(0)."""
        if self.design.evolution.solver == "off":
            return motion
        here = coordinates(motion.flow.shape[1], motion.flow.shape[2], motion.flow)
        offset = self.evolution((motion.flow - here).permute(0, 3, 1, 2), motion.features).permute(0, 2, 3, 1)
        return replace(motion, flow=here + offset)

    def confidences(self, motions: Sequence[Motion]) -> list[Tensor]:
        """(B, 1, h, w) for every view, of any size; none where there is a single view."""
        return [self.confidence(motion.features) for motion in motions] if len(motions) > 1 else []


def averaged(features: Sequence[Tensor], told: Sequence[Tensor]) -> Tensor:
    """(B, C, h, w): features of all views by what is told about their confidence (eq. 6)."""
    return mean(features, shares(told, features[0].shape[-2], features[0].shape[-1]))


def shares(told: Sequence[Tensor], height: int, width: int) -> list[Tensor]:
    """(B, 1, height, width) for every view, of sum 1; none where nothing is told.

    The paper leaves the activation open: the exponential here, so that the normalised maps are a softmax.
    """
    return list(torch.softmax(torch.stack([resized(each, height, width) for each in told]), 0)) if told else []


def mean(features: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """(B, C, h, w): features of all views by their weights; of a single view, itself."""
    if len(features) == 1:
        return features[0]
    return torch.stack([each * weight for each, weight in zip(features, weights, strict=True)]).sum(0)
