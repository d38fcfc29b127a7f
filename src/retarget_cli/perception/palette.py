"""The few colours that a garment, somebody's hair or skin is made of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.regions import BoolArray

# Folds and shade change lightness more than anything else.
LIGHTNESS = 0.5
SAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours (K, 3) in Lab, lightness scaled; none of them where nothing was seen."""

    colors: FloatArray

    @classmethod
    def of(cls, image: Image, region: BoolArray, count: int) -> Palette:
        """The `count` colours that stand best for those of a region (H, W)."""
        pixels = _lab(image)[region]
        if len(pixels) < 8 * count:
            return cls(np.zeros((0, 3), np.float32))
        pixels = pixels[:: max(1, len(pixels) // SAMPLES)]
        cv2.setRNGSeed(1)
        rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
        _, _, centres = cv2.kmeans(pixels, count, None, rule, 2, cv2.KMEANS_PP_CENTERS)
        return cls(np.asarray(centres, np.float32))

    def away(self, image: Image) -> FloatArray:
        """(H, W): distance of each pixel from the nearest colour; infinite where there is none."""
        lab = _lab(image)
        nearest = np.full(image.shape[:2], np.inf, np.float32)
        for color in self.colors:
            np.minimum(nearest, np.linalg.norm(lab - color, axis=-1), out=nearest)
        return nearest


def _lab(image: Image) -> FloatArray:
    smooth = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), 0.8)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray(lab * np.array([LIGHTNESS, 1, 1], np.float32), np.float32)
