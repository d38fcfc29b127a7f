"""What the networks want (paper, equations 6 to 10, and what it takes over from C2F-FWN).

    layout    cross entropy of the classes                        10   as C2F-FWN's parser has it
              features of true and made that its opponent sees    10
    region    L1 (6)                                              10   the sum over the five regions (9)
              VGG features, content and style (7)                 10
    whole     both of the picture, and of the person              10
              L1 of mask and silhouette                           10   or black cloth and nobody are one in equation 15
    flow      L1 to the flow of the real frames, pixels at 256     5   of layout GAN and whole composition
              L1 of the frame before, moved by it, to the frame   10
    opponents least squares (8, 10), a face's twice                1
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.networks.likeness_losses import Features, LikenessLoss, NetworkLoss
from retarget_cli.networks.previous_frame import moved_by

# A class is never impossible.
_LEAST = 1e-6
# The height of pictures in whose pixels flow is compared.
_FLOW_AT = 256


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The lambdas.

    Attributes:
        classes, matching: of layouts.
        reconstruction, perceptual: of regions and the whole (equation 9).
        mask: of the whole's outline.
        flow, moved: of flow, and of what it moves.
        adversarial, face: of what opponents say; of faces besides.
    """

    classes: float = 10.0
    matching: float = 10.0
    reconstruction: float = 10.0
    perceptual: float = 10.0
    mask: float = 10.0
    flow: float = 5.0
    moved: float = 10.0
    adversarial: float = 1.0
    face: float = 2.0


def class_distance(made: Tensor, true: Tensor) -> Tensor:
    """Cross entropy of shares (B, 6, H, W) against true shares; the mean over pixels."""
    return -(true * (made.float() + _LEAST).log()).sum(1).mean()


def gram(features: Tensor) -> Tensor:
    """(B, C, C): which features come together, of (B, C, H, W); by their count, so that sizes don't matter."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style_distance(made: Features, true: Features) -> Tensor:
    """Second term of equation 7: L1 of Gram matrices, summed over layers."""
    apart = [functional.l1_loss(gram(mine), gram(yours)) for mine, yours in zip(made, true, strict=True)]
    return torch.stack(apart).sum()


def perceptual_distance(loss: LikenessLoss, made: Tensor, true: Tensor) -> Tensor:
    """Equation 7 of pictures (B, 3, H, W); style only where a network sees them: three colours have none."""
    wanted, found = loss.features(true), loss.extracted(made)
    content = loss.distance(found, wanted)
    return content + style_distance(found, wanted) if isinstance(loss, NetworkLoss) else content


def flow_distance(flow: Tensor, true: Tensor, believed: Tensor) -> Tensor:
    """L1 of flows (B, 2, H, W) where the true one is believed (B, 1, H, W), in pixels of a picture 256 high."""
    apart = (flow.float() - true).abs().mean(1, keepdim=True) * believed
    return apart.sum() / believed.sum().clamp_min(1) * (_FLOW_AT / flow.shape[-2])


def moved_distance(flow: Tensor, before: Tensor, now: Tensor) -> Tensor:
    """L1 of the real frame before (B, C, H, W), moved by the flow, to the real frame."""
    return functional.l1_loss(moved_by(before, flow), now)
