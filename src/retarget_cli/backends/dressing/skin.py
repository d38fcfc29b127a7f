"""Skin in another person's colour: its light and shade stay."""

from __future__ import annotations

import cv2
import numpy as np

from retarget_cli.core.subject import Image
from retarget_cli.perception.regions import BoolArray

# Edge of a recoloured region, pixels.
SOFT = 1.5


def recoloured(image: Image, skin: BoolArray, own: Image | None, other: Image | None) -> Image:
    """The picture with its skin in another colour.

    Args:
        image: (H, W, 3).
        skin: (H, W).
        own, other: (3,) uint8: what the skin's colour is, and shall be; None where it is not known: nothing changes.
    """
    if own is None or other is None or not skin.any():
        return image
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    before, after = (
        cv2.cvtColor(color.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0].astype(np.float32) for color in (own, other)
    )
    light = max(float(before[0]), 1.0)
    # Lightness is scaled, so that shade stays shade; colours move by as much as the skin is lit.
    lit = np.clip(lab[..., :1] / light, 0.3, 1.3)
    moved = np.concatenate([lab[..., :1] * (after[0] / light), lab[..., 1:] + lit * (after[1:] - before[1:])], -1)
    painted = cv2.cvtColor(moved.clip(0, 255).round().astype(np.uint8), cv2.COLOR_LAB2RGB)
    share = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), SOFT)[..., None]
    return np.asarray((image * (1 - share) + painted * share).round(), np.uint8)
