"""What the generator and its opponents want (paper, equations 3 to 8), as the published code has it.

    paper                                      code, and here
    L1 of the sources made again          (3)  half the sum of that and L1 of the background, x 10
    VGG-19 features of the target         (3)  relu1_1 to relu5_1, pictures of 224 x 224, x 10
    SphereFace features of the face       (4)  four stages and the last layer, x 5
    adversarial                           (5)  the mean over the discriminators, x 1
    squared distance of masks             (6)  binary cross-entropy of masks, x 5
    squared total variation of masks      (6)  absolute total variation, x 1

The generator minimises the sum (7), the discriminators the sum of (8).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.liquid_warp.generator import Made
from retarget_cli.networks.adversarial_losses import MADE, REAL, WANTED, least_squares
from retarget_cli.networks.likeness_losses import variation


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The lambdas of equation 7, and those of its parts.

    Attributes:
        reconstruction: of the sources and the background.
        perceptual: of the target.
        face: of the target's face.
        mask: of the masks' distance to the silhouettes.
        smoothness: of the masks' total variation.
        adversarial: of what the discriminators say; for them too.
    """

    reconstruction: float = 10.0
    perceptual: float = 10.0
    face: float = 5.0
    mask: float = 5.0
    smoothness: float = 1.0
    adversarial: float = 1.0


@dataclass(frozen=True, slots=True)
class Composed:
    """What the generator makes, in front of what is behind.

    Attributes:
        target: (B, 3, H, W) in [-1, 1].
        sources: (B, S, 3, H, W).
        masks: (B, S + 1, 1, H, W), of the sources and then the target; 1 on the background.
        background: (B, 3, H, W); None where the generator makes none.
    """

    target: Tensor
    sources: Tensor
    masks: Tensor
    background: Tensor | None


def composed(made: Made, plate: Tensor) -> Composed:
    """Equation 1, with masks that are 1 on the background.

    Args:
        made: the generator's.
        plate: (B, 3, H, W) in [-1, 1]: what is behind where the generator makes no background.
    """
    image, mask = made.image.float(), made.mask.float()
    source_image, source_mask = made.source_image.float(), made.source_mask.float()
    background = None if made.background is None else made.background.float()
    behind = plate if background is None else background
    return Composed(
        mask * behind + (1 - mask) * image,
        source_mask * behind[:, None] + (1 - source_mask) * source_image,
        torch.cat([source_mask, mask[:, None]], 1),
        background,
    )


def reconstruction(made: Composed, sources: Tensor, background: Tensor) -> Tensor:
    """First term of equation 3, shared half and half with the background's L1."""
    terms = [functional.l1_loss(made.sources, sources)]
    if made.background is not None:
        terms.append(functional.l1_loss(made.background, background))
    return torch.stack(terms).sum() / 2


def mask_distance(masks: Tensor, silhouettes: Tensor) -> Tensor:
    """First terms of equation 6: binary cross-entropy, both 1 on the background."""
    with torch.autocast(masks.device.type, enabled=False):  # torch refuses it under autocast
        return functional.binary_cross_entropy(masks, silhouettes)


def mask_smoothness(masks: Tensor) -> Tensor:
    """Last terms of equation 6."""
    return variation(masks)


def wanted(scores: dict[str, Tensor]) -> Tensor:
    """Equation 5."""
    return least_squares(list(scores.values()), WANTED)


def unmasked(real: dict[str, Tensor], made: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The two halves of equation 8: of real pictures, and of made ones."""
    return least_squares(list(real.values()), REAL), least_squares(list(made.values()), MADE)
