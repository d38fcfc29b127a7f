"""What is painted on the sheets: the photo where it shows the part, and what it plausibly goes on with elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.backends.avatar.parts import Part, PartMap, cut_from
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.regions import BoolArray

# Colours are carried at most so far before they have lost all detail, pixels.
DETAIL = 12.0


@dataclass(frozen=True, slots=True)
class Page:
    """A picture that sheets take their colours from; pixel (0, 0) of the page is (x, y) of the photo."""

    image: Image
    x: int
    y: int


def paint(image: Image, shown: BoolArray, domain: BoolArray, margin: int) -> Page:
    """The photo where it shows the part, continued over the rest of its domain and a little beyond.

    Args:
        shown: (H, W) pixels of the photo that are kept, and whose colours are carried on.
        domain: (H, W) pixels that the sheet covers.
        margin: pixels beyond the domain that bilinear sampling may touch.
    """
    reach = cv2.dilate(domain.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0
    rows, columns = np.nonzero(reach)
    window = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    return Page(continued(image[window], shown[window]), int(columns.min()), int(rows.min()))


def continued(image: Image, known: BoolArray) -> Image:
    """Fill what is not known from the nearest known colours, smoothed the more the farther they were carried."""
    if not known.any():
        return image.copy()
    away, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    table[nearest[known]] = image[known]
    filled = table[nearest]
    soft = cv2.GaussianBlur(filled, (0, 0), 4.0)
    share = np.clip(away / DETAIL, 0, 1)[..., None]
    return np.where(known[..., None], image, filled * (1 - share) + soft * share).astype(np.uint8)


def shown_core(parts: PartMap, part: Part, mask: FloatArray, border: float) -> BoolArray:
    """Pixels that show the part and nothing else: `border` pixels inside of the person and of other parts' edges."""
    visible = parts.visible(part) & (mask > 0.5)
    strange = (np.isin(parts.labels, cut_from(part)) & ~visible) | (mask < 0.9)
    away = cv2.distanceTransform((~strange).astype(np.uint8), cv2.DIST_L2, 5)
    core = visible & (away > border)
    return core if core.any() else visible
