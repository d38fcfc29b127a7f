"""Depth and skinning weights of one part on the lattice of its sheet, front and back.

On the body they are read off the fitted mesh; clothes and hair beyond its outline take those of the nearest body,
smoothed, and are given a rounded thickness, so that the part is a closed pillow and not a piece of paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.backends.avatar.parts import TRACE, Part, PosedBody
from retarget_cli.body.raster.numba_zbuffer import interpolate, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.perception.regions import BoolArray

# Radius of the rounding at the edge of clothes, as a share of the person's height.
ROUND = 0.022


@dataclass(frozen=True, slots=True)
class Lattice:
    """Nodes every `step` pixels, one row and column beyond each side of the picture.

    Node (i, j) lies at pixel ((j - 0.5) * step, (i - 0.5) * step).
    """

    step: float
    rows: int
    columns: int

    @classmethod
    def over(cls, height: int, width: int, step: float) -> Lattice:
        """The lattice that covers a picture."""
        return cls(step, int(np.ceil(height / step)) + 2, int(np.ceil(width / step)) + 2)

    def points(self) -> FloatArray:
        """(rows, columns, 2) x, y in pixels."""
        y, x = np.mgrid[: self.rows, : self.columns].astype(np.float32)
        return np.stack([(x - 0.5) * self.step, (y - 0.5) * self.step], -1)

    def inward(self, vertices: FloatArray) -> FloatArray:
        """Vertices (V, 3) in pixels to lattice units, for rasterizing on it: node (i, j) is pixel (i, j)."""
        out = vertices / self.step
        out[:, :2] += 1
        return out.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Relief:
    """One part on a lattice.

    Attributes:
        middle: (R, C) depth half way between front and back, pixels.
        thickness: (R, C) half the distance between front and back, pixels.
        front, back: (R, C, 24) skinning weights of either side; equal at the edge.
    """

    middle: FloatArray
    thickness: FloatArray
    front: FloatArray
    back: FloatArray


def relieve(body: PosedBody, part: Part, lattice: Lattice, domain: BoolArray, inset: FloatArray) -> Relief:
    """Depth and weights of a part.

    Args:
        domain: (R, C) nodes in or next to the part.
        inset: (R, C) distance to the part's edge in pixels, positive inside.
    """
    faces = body.faces_of(part, TRACE)
    points = lattice.inward(body.vertices)
    front = rasterize(points, faces, lattice.rows, lattice.columns)
    points[:, 2] *= -1
    back = rasterize(points, faces, lattice.rows, lattice.columns)
    hit = front.face_index >= 0
    near = np.where(hit, front.depth, 0) * lattice.step
    far = np.where(hit, -back.depth, 0) * lattice.step
    sides = [interpolate(drawn, faces, body.weights) for drawn in (front, back)]
    if not hit.any():  # the part projects between the nodes
        hit, sides = np.ones_like(hit), [side + body.weights.mean(0) for side in sides]
    spread = ROUND * body.height / lattice.step
    middle = _extended((near + far)[..., None] / 2, hit, domain, spread)[..., 0]
    thickness = np.where(hit, (far - near) / 2, 0).astype(np.float32)
    radius = ROUND * body.height
    round_edge = _rounded(inset, radius)
    # An ellipse where the body is thicker than its clothes are wide at the edge: no walls, no scallops.
    thickness = np.maximum(round_edge, _soft(thickness) * round_edge / radius)
    sides = [_extended(side, hit, domain, spread) for side in sides]
    mean = (sides[0] + sides[1]) / 2
    apart = np.clip(inset / radius, 0, 1)[..., None]
    sides = [_shares(mean + (side - mean) * apart) for side in sides]
    return Relief(middle, thickness.astype(np.float32), *sides)


def _shares(weights: FloatArray) -> FloatArray:
    return (weights / np.maximum(weights.sum(-1, keepdims=True), 1e-6)).astype(np.float32)


def _extended(values: FloatArray, known: BoolArray, domain: BoolArray, spread: float) -> FloatArray:
    """Values (R, C, N) carried from known nodes to the rest of the domain, smooth across the border."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, values.shape[-1]), np.float32)
    table[nearest[known]] = values[known]
    filled = table[nearest]
    inside = domain.astype(np.float32)[..., None]
    weight = cv2.GaussianBlur(inside, (0, 0), max(spread, 0.5))
    weight = np.maximum(weight, 1e-6).reshape(inside.shape)
    blurred = _blur(filled * inside, max(spread, 0.5)) / weight
    mild = _blur(filled, 0.7)
    return np.where(known[..., None], mild, blurred).astype(np.float32)


def _blur(values: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of (R, C, N), any N."""
    channels = [cv2.GaussianBlur(values[..., i], (0, 0), sigma) for i in range(values.shape[-1])]
    return np.stack(channels, -1).astype(np.float32)


def _soft(thickness: FloatArray) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(thickness, (0, 0), 0.8), np.float32)


def _rounded(inset: FloatArray, radius: float) -> FloatArray:
    """Height of a quarter circle of `radius` over the distance from the edge."""
    within = np.clip(inset, 0, radius)
    return np.sqrt(within * (2 * radius - within)).astype(np.float32)


def edge_distance(domain: NDArray[np.bool_], lattice: Lattice) -> tuple[FloatArray, FloatArray]:
    """Signed distance to the domain's edge at each node, and the direction inwards.

    Nothing lies outside the picture, so a figure that is cut by the picture's border has its edge there.

    Returns:
        (R, C) pixels, positive inside, and (R, C, 2) its gradient (x, y).
    """
    pad = int(np.ceil(lattice.step)) + 3
    padded = np.pad(domain, pad)
    inside = cv2.distanceTransform(padded.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~padded).astype(np.uint8), cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(np.where(padded, inside - 0.5, 0.5 - outside).astype(np.float32), (0, 0), 1.0)
    slopes = (
        cv2.Sobel(signed, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(signed, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    # The centre of pixel 0 lies at 0.5.
    at = lattice.points() + (pad - 0.5)
    sample = [cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR) for field in (signed, *slopes)]
    return np.asarray(sample[0], np.float32), np.stack(sample[1:], -1).astype(np.float32)
