"""Shapes of regions: grown, opened, closed, without holes, carried on. Radii are in pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


def disk(radius: float) -> NDArray[np.uint8]:
    """A round structuring element."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def grown(region: BoolArray, radius: float) -> BoolArray:
    """(H, W) wider by `radius`."""
    return np.asarray(cv2.dilate(region.astype(np.uint8), disk(radius)) > 0)


def opened(region: BoolArray, radius: float) -> BoolArray:
    """(H, W) without what is thinner than twice `radius`."""
    return np.asarray(cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, disk(radius)) > 0)


def closed(region: BoolArray, radius: float) -> BoolArray:
    """(H, W) with gaps thinner than twice `radius` filled."""
    return np.asarray(cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, disk(radius)) > 0)


def without_holes(region: BoolArray, side: float) -> BoolArray:
    """(H, W) with holes smaller than `side` squared filled."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((~region).astype(np.uint8), connectivity=4)
    small = np.flatnonzero(facts[:, cv2.CC_STAT_AREA] < side * side)
    return region | np.isin(labels, small[small > 0]) if count > 1 else region


def nearest_value(values: NDArray[Any], known: BoolArray) -> NDArray[Any]:
    """(H, W): at each pixel the value (H, W) of the nearest known one; zero when none is known."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(nearest.max()) + 1, values.dtype)
    table[nearest[known]] = values[known]
    return table[nearest]
