"""What is painted on the sheets: the photo where it shows the part, and what it plausibly goes on with elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.backends.avatar.parts import BoolArray, Part, PartMap, cut_from
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

FACE_OVAL = (0, 1, 2, 3, 4, 5, 6, 9, 10)
EARS = (7, 8)


@dataclass(frozen=True, slots=True)
class Page:
    """A picture that sheets take their colours from; pixel (0, 0) of the page is (x, y) of the photo."""

    image: Image
    x: int
    y: int


def paint(image: Image, shown: BoolArray, sure: BoolArray, domain: BoolArray, margin: int) -> Page:
    """The photo where it shows the part, continued over the rest of its domain and a little beyond.

    Args:
        shown: (H, W) pixels of the photo that are kept as they are.
        sure: (H, W) pixels that are this part for sure, whose colours may be carried on.
        domain: (H, W) pixels that the sheet covers.
        margin: pixels beyond the domain that bilinear sampling may touch.
    """
    reach = cv2.dilate(domain.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0
    rows, columns = np.nonzero(reach)
    window = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    return Page(_continued(image[window], shown[window], sure[window], reach[window]), int(columns.min()), int(rows.min()))


def _continued(image: Image, kept: BoolArray, sure: BoolArray, wanted: BoolArray) -> Image:
    """Fill `wanted` but not `kept` from `sure`: nearest colours, smoothed the more the farther they were carried."""
    known = sure if sure.any() else kept
    if not known.any():
        return image.copy()
    away, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    table[nearest[known]] = image[known]
    filled = table[nearest]
    soft = cv2.GaussianBlur(filled, (0, 0), 4.0)
    share = np.clip(away / 12.0, 0, 1)[..., None] * (wanted & ~kept)[..., None]
    return np.where(kept[..., None], image, filled * (1 - share) + soft * share).astype(np.uint8)


def shown_core(parts: PartMap, part: Part, mask: FloatArray, inset: int) -> BoolArray:
    """Pixels that show the part and nothing else: away from the person's edge and from other parts' edges."""
    visible = parts.visible(part) & (mask > 0.5)
    core = cv2.erode(visible.astype(np.uint8), np.ones((2 * inset + 1,) * 2, np.uint8)) > 0
    return core & (mask > 0.95) if (core & (mask > 0.95)).any() else visible


def sure_core(parts: PartMap, part: Part, shown: BoolArray, border: float) -> BoolArray:
    """Those of the shown pixels that are farther than `border` pixels from any other part it is cut from."""
    others = np.isin(parts.labels, cut_from(part))
    away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5)
    return shown & (away > border)


def back_of_head(image: Image, pose: FloatArray, head: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Where the head shows a face, and where it shows hair.

    Args:
        pose: (33, 3) landmarks.
        head: (H, W) pixels of the head.

    Returns:
        (H, W) pixels to be painted over on the back, and (H, W) pixels whose colours may be used for it; the
        second is empty when no hair shows.
    """
    points = pose[:, :2]
    left, right = points[EARS[0]], points[EARS[1]]
    brow = points[[1, 2, 3, 4, 5, 6]].mean(0)
    mouth = points[[9, 10]].mean(0)
    down = mouth - brow
    length = float(np.linalg.norm(down)) + 1e-6
    across = max(float(np.linalg.norm(left - right)), 0.8 * length)
    center = brow + 0.45 * down
    angle = float(np.degrees(np.arctan2(down[1], down[0])))
    face = np.zeros(head.shape, np.uint8)
    axes = (max(1, round(1.45 * length)), max(1, round(0.6 * across)))
    cv2.ellipse(face, (round(float(center[0])), round(float(center[1]))), axes, angle, 0, 360, 1, -1)
    over = (face > 0) & head
    hair = head & ~over & ~_skin_like(image, over)
    return head & ~hair, hair


def _skin_like(image: Image, face: BoolArray) -> BoolArray:
    """(H, W): pixels of the colour of the cheeks."""
    if not face.any():
        return np.zeros(face.shape, bool)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    tone = skin_tone(image, face)
    reference = cv2.cvtColor(tone[None, None], cv2.COLOR_RGB2LAB).astype(np.float32)[0, 0]
    away = (lab - reference) * np.array([0.35, 1.0, 1.0], np.float32)
    return np.asarray(np.linalg.norm(away, axis=-1) < 18)


def skin_tone(image: Image, face: BoolArray) -> Image:
    """(3,) uint8: the median colour of the face's brighter half, which leaves out brows, lips and shadow."""
    colors = image[face].astype(np.float32)
    bright = colors.sum(1)
    return np.median(colors[bright >= np.median(bright)], axis=0).astype(np.uint8)
