"""Optical flow between two frames, and which of it is to be believed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

NAME = f"OpenCV {cv2.__version__} DIS optical flow, fast preset"
# The squared distance between beginning and end of the way there and back may be this many square pixels, and this
# share of both flows' squared lengths (Sundaram et al., 2010).
SLACK, SHARE = 0.5, 0.01
# On smaller pictures OpenCV's search reads beyond its pyramid and may take the process down (opencv issue 14554).
LEAST_SIDE = 32


class OpticalFlow:
    """Dense inverse search (Kroeger et al., 2016). One instance a thread."""

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, here: Image, there: Image) -> FloatArray:
        """(H, W, 2) `flow_here_to_there`: for each pixel of `here`, how far (dx, dy) its point lies off in `there`."""
        start, end = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (here, there))
        return np.asarray(self._search.calc(start, end, np.zeros((*start.shape, 2), np.float32)), np.float32)

    def believed(self, here: Image, there: Image) -> tuple[FloatArray, NDArray[np.bool_]]:
        """The flow, and (H, W) where the way there and back ends where it began, inside the picture.

        In pictures with a side below `LEAST_SIDE` none is believed.
        """
        height, width = here.shape[:2]
        if min(height, width) < LEAST_SIDE:
            return np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.bool_)
        forth, back = self.between(here, there), self.between(there, here)
        x, y = targets(forth)
        returned = cv2.remap(back, x, y, cv2.INTER_LINEAR)
        # By components: sums over a last axis of two are slow.
        (u, v), (du, dv) = cv2.split(forth), cv2.split(returned)
        square = u * u + v * v + du * du + dv * dv
        is_same = (u + du) ** 2 + (v + dv) ** 2 <= SHARE * square + SLACK
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        return forth, is_same & inside


def targets(flow: FloatArray) -> tuple[FloatArray, FloatArray]:
    """x and y, each (H, W), of where the flow (H, W, 2) of each pixel points; the first pixel's centre is 0, 0."""
    height, width = flow.shape[:2]
    return (
        flow[..., 0] + np.arange(width, dtype=np.float32),
        flow[..., 1] + np.arange(height, dtype=np.float32)[:, None],
    )


def warp(there: FloatArray, flow: FloatArray) -> FloatArray:
    """(H, W, C) `there`, sampled bilinearly where the flow (H, W, 2) of each pixel points."""
    return np.asarray(cv2.remap(there, *targets(flow), cv2.INTER_LINEAR), np.float32)
