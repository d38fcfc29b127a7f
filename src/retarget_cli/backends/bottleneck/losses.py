"""What the networks and their opponents want (paper, equations 4 to 10).

    paper                                              here                                                  weight
    D_fg, D_bg: log loss                     (4, 5)    least squares, as in the work that it follows              1
    -                                                  their features of made and true, as there                 10
    D_rot: log loss                          (9)       least squares; the volume turned about the vertical        1
    VGG features of person and picture       (6)       of both; `background`'s picture too                       10
    L1 of every source, without flow         (7)       of the first, in whose pose the sum of all stands          1
    L1 of masks, every level and source      (8)       and of the confidence with which the target is laid over   1
    -                                                  L1 of what the background network paints                   1

The work that the paper follows for its opponents is pix2pixHD (Wang et al., 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.networks.adversarial_losses import features_apart
from retarget_cli.networks.multiscale_discriminator import Judgement


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The lambdas of equation 10, and those of what the paper leaves out.

    Attributes:
        foreground, whole, rotation: of what the opponents say who see the person, the whole picture, and the person
            from another side; for them too.
        matching: of the features of the first two.
        perceptual: of the person, the whole picture and the background.
        reconstruction: of the first source, and of the background.
        mask: of occupancies and of the confidence.
    """

    foreground: float = 1.0
    whole: float = 1.0
    rotation: float = 1.0
    matching: float = 10.0
    perceptual: float = 10.0
    reconstruction: float = 1.0
    mask: float = 1.0


def person_of(colour: Tensor, confidence: Tensor) -> Tensor:
    """(B, 3, S, S) in [-1, 1]: the person alone, 0 outside, as pictures of people are given to the networks.

    What the decoder paints where nobody is has no meaning, and is not looked at.
    """
    return confidence.float() * colour.float()


def composed(person: Tensor, confidence: Tensor, behind: Tensor) -> Tensor:
    """Equation 3; `person` is already weighed with the confidence."""
    return person + (1 - confidence.float()) * behind.float()


def mask_distance(levels: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Equation 8 of one or more pictures: the mean over levels of the L1 distance to the mask, averaged to their size.

    Args:
        levels: (B, 1, h, w) in [0, 1] of every level.
        masks: (B, 1, H, W) in [0, 1]; sides are multiples of every h and w.
    """
    truth = [functional.interpolate(masks, level.shape[-2:], mode="area") for level in levels]
    apart = [functional.l1_loss(level.float(), true) for level, true in zip(levels, truth, strict=True)]
    return torch.stack(apart).mean()


def unlikeness(made: Sequence[Judgement], true: Sequence[Judgement]) -> Tensor:
    """L1 of an opponent's features: summed over layers, the mean over scales; the true ones get no gradients."""
    return torch.stack([layers.sum() for layers in features_apart(made, true)]).mean()
