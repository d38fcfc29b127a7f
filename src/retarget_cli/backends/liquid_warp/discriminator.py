"""The generator's opponents (paper, 3.4 and figure 5): patch discriminators of the picture and of its parts.

    global       picture and condition
    body         the same in the body's box, at half the size
    head         the same in the head's box, at a quarter
    background   what is behind and the mask of what was seen of it

Parts are resized so that the corners of a box become corners (align_corners), as the published code does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.trainable import Phase
from retarget_cli.networks.crops import cropped, resized
from retarget_cli.networks.patch_discriminator import PatchDiscriminator

# Colours and condition; colours and mask.
_CHANNELS, _BACKGROUND_CHANNELS = 6, 4
_BODY_SHRINK, _HEAD_SHRINK = 2, 4
# A head of a picture of 256 pixels, as small as four strided layers can judge; smaller parts are enlarged to this.
_LEAST_PART = 64


@dataclass(frozen=True, slots=True)
class Scene:
    """What is judged.

    Attributes:
        picture: (B, 3, H, W) in [-1, 1].
        condition: (B, 3, H, W).
        body, head: (B, 4) boxes x0, x1, y0, y1.
        background: (B, 4, H, W) colours and mask; None where there is nothing to judge.
    """

    picture: Tensor
    condition: Tensor
    body: Tensor
    head: Tensor
    background: Tensor | None


class Discriminator(nn.Module):
    """All the opponents of a phase: personalisation has the global one only.

    Args:
        phase: of the training.
        width: channels after the first layer; 64 as published.
        has_background: whether backgrounds are made that can be judged.
    """

    def __init__(self, phase: Phase, width: int = 64, has_background: bool = True) -> None:
        super().__init__()
        is_training = phase is Phase.TRAIN
        self.whole = PatchDiscriminator(_CHANNELS, width)
        self.body = PatchDiscriminator(_CHANNELS, width) if is_training else None
        self.head = PatchDiscriminator(_CHANNELS, width) if is_training else None
        self.background = PatchDiscriminator(_BACKGROUND_CHANNELS, width) if is_training and has_background else None

    def forward(self, scene: Scene) -> dict[str, Tensor]:
        """Maps of scores (B, 1, h, w) by the name of the part."""
        seen = torch.cat([scene.picture, scene.condition], 1)
        scores: dict[str, Tensor] = {"whole": self.whole(_large_enough(seen, self.whole.least_side))}
        for name, network, boxes, shrink in (
            ("body", self.body, scene.body, _BODY_SHRINK),
            ("head", self.head, scene.head, _HEAD_SHRINK),
        ):
            if network is not None:
                height, width = (max(side // shrink, _LEAST_PART) for side in seen.shape[-2:])
                scores[name] = network(cropped(seen, boxes, height, width))
        if self.background is not None and scene.background is not None:
            scores["background"] = self.background(_large_enough(scene.background, self.background.least_side))
        return scores


def _large_enough(pictures: Tensor, least: int) -> Tensor:
    """Enlarged where a side is too short to be judged."""
    height, width = (max(side, least) for side in pictures.shape[-2:])
    return resized(pictures, height, width)
