"""The background without the person."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

# Inpainting works on this many pixels on the longer side: its cost grows with the square of the hole.
INPAINTED_SIDE = 512
# The person's shadow and the soft edge of the mask, as a share of the longer side.
HALO = 0.012


def empty_plate(image: Image, mask: FloatArray) -> Image:
    """(H, W, 3): a picture without the person of `mask` (H, W).

    The hole is filled at a reduced size by copying what lies around it along shifted pieces (texture goes on), and
    the seams are blended; the rest stays as it is.
    """
    hole = grown(mask > 0.05, HALO)
    if not hole.any() or hole.all():
        return image.copy()
    factor = min(1.0, INPAINTED_SIDE / max(image.shape[:2]))
    size = (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small_hole = cv2.resize(hole.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    small_hole = grown(small_hole, 0.004)
    filled = continued(np.asarray(small, np.uint8), small_hole)
    large = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(1 - away / max(2.0, 0.006 * max(image.shape[:2])), 0, 1)[..., None]
    return (image * (1 - share) + large * share + 0.5).astype(np.uint8)


def continued(image: Image, hole: np.ndarray) -> Image:  # type: ignore[type-arg]
    """Fill the hole (H, W) bool of a small picture."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    out = lab.copy()
    cv2.xphoto.inpaint(lab, np.where(hole, 0, 255).astype(np.uint8), out, cv2.xphoto.INPAINT_SHIFTMAP)
    return np.asarray(cv2.cvtColor(out, cv2.COLOR_LAB2RGB), np.uint8)


def median_plate(images: Sequence[Image], masks: Sequence[FloatArray]) -> Image:
    """(H, W, 3): per pixel the median of the frames that do not show the person there; the rest is filled in."""
    stack = np.stack(images).astype(np.float32)
    covered = np.stack([grown(mask > 0.05, HALO) for mask in masks])
    stack[covered] = np.nan
    never = covered.all(0)
    stack[0][never] = images[0][never]
    plate = np.nanmedian(stack, axis=0)
    return empty_plate((plate + 0.5).astype(np.uint8), never.astype(np.float32))


def grown(region: np.ndarray, share: float) -> np.ndarray:  # type: ignore[type-arg]
    """A region (H, W) bool, wider by a share of the longer side."""
    radius = max(1, round(share * max(region.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(region.astype(np.uint8), kernel) > 0)
