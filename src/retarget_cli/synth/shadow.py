"""Shadows that a person throws on himself: a depth map seen from the lamp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Faces

# Pixels a side of the map; metres within which a surface does not shade itself.
SIDE, BIAS = 224, 0.018


@dataclass(frozen=True, slots=True)
class ShadowMap:
    """What the lamp sees.

    Attributes:
        axes: (3, 3): right, down and away from the lamp, as rows.
        corner: (2,) metres of the map's corner along the first two.
        step: metres of a pixel.
        depth: (SIDE, SIDE) metres along the third.
    """

    axes: FloatArray
    corner: FloatArray
    step: float
    depth: FloatArray

    def lit(self, points: FloatArray) -> FloatArray:
        """(N,): how much of the lamp reaches points (N, 3), in [0, 1]; soft by as much as a pixel of the map."""
        seen = points @ self.axes.T
        place = (seen[:, :2] - self.corner) / self.step - 0.5
        whole = np.floor(place).astype(np.int64)
        right, down = (place - whole).T
        column, row = whole.clip(0, SIDE - 2).T
        near = seen[:, 2] - BIAS
        free = [
            (near <= self.depth[row + below, column + beside]) * np.where(beside, right, 1 - right)
            * np.where(below, down, 1 - down)
            for below in (0, 1) for beside in (0, 1)
        ]  # fmt: skip
        return np.asarray(np.sum(free, 0), np.float32)


def shadow_map(points: FloatArray, faces: Faces, towards: tuple[float, float, float]) -> ShadowMap:
    """What a lamp in a direction sees of posed points (V, 3)."""
    away = -np.asarray(towards, np.float32)
    right = np.cross([0.0, 1.0, 0.0], away)
    right = right / max(float(np.linalg.norm(right)), 1e-6)
    axes = np.stack([right, np.cross(away, right), away]).astype(np.float32)
    seen = points @ axes.T
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    step = float((high - low).max()) / (SIDE - 4)
    corner = low - 2 * step
    seen[:, :2] = (seen[:, :2] - corner) / step
    return ShadowMap(axes, corner, step, rasterize(seen.astype(np.float32), faces, SIDE, SIDE, cull=True).depth)
