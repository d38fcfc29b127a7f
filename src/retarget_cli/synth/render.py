"""Draw a dressed person, with what is true about each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.raster.numba_zbuffer import Buffers, rasterize
from retarget_cli.core.layout import Labels
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.light import Light
from retarget_cli.synth.paint import paint
from retarget_cli.synth.parts import parts_at
from retarget_cli.synth.posed import Posed
from retarget_cli.synth.shadow import shadow_map

# Colours and coverage are the mean of so many samples across a pixel; labels are those of its middle.
SAMPLES = 2
# The inner side of cloth is in the shade.
INNER = 0.55


@dataclass(frozen=True, slots=True)
class Drawn:
    """A person in a picture.

    Attributes:
        color: (H, W, 3) float32 in [0, 255], multiplied with `cover`.
        cover: (H, W) float32 in [0, 1].
        parts: (H, W) uint8 finer labels of the pixels' middles.
        surface: which triangle is seen at each pixel's middle; depth in metres from the hips.
    """

    color: FloatArray
    cover: FloatArray
    parts: Labels
    surface: Buffers


def projected(points: FloatArray, camera: FloatArray, samples: int = 1) -> FloatArray:
    """(V, 3): x, y in pixels (of 1 / samples), z in metres, of points (V, 3) seen by a camera (3,)."""
    seen = points.copy()
    seen[:, :2] = (points[:, :2] * camera[0] + camera[1:]) * samples
    return seen.astype(np.float32)


def draw_figure(figure: Figure, posed: Posed, camera: FloatArray, light: Light, size: tuple[int, int]) -> Drawn:
    """One picture of size (height, width)."""
    height, width = size
    surface = rasterize(projected(posed.points, camera), figure.faces, height, width, cull=True)
    hit = surface.face_index >= 0
    parts = np.zeros(size, np.uint8)
    faces = surface.face_index[hit]
    fields = blend(surface.barycentric[hit], figure.faces[faces], figure.fields)
    parts[hit] = parts_at(figure, fields, figure.layer[faces])
    color, cover = _colored(figure, posed, camera, light, size)
    # A tip so thin that it lies between the samples of the picture is not in the picture.
    unseen = hit & (cover == 0)
    parts[unseen], surface.face_index[unseen], surface.depth[unseen] = 0, -1, np.inf
    return Drawn(color, cover, parts, surface)


def _colored(
    figure: Figure, posed: Posed, camera: FloatArray, light: Light, size: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Premultiplied colour (H, W, 3) and coverage (H, W)."""
    height, width = size
    drawn = rasterize(
        projected(posed.points, camera, SAMPLES), figure.faces, height * SAMPLES, width * SAMPLES, cull=True
    )
    hit = drawn.face_index >= 0
    faces, share = drawn.face_index[hit], drawn.barycentric[hit]
    corners = figure.faces[faces]
    seen = blend(share, corners, np.concatenate([figure.fields, posed.normals, posed.points], 1))
    fields, normal, points = seen[:, :8], seen[:, 8:11], seen[:, 11:]
    color = paint(figure, fields, parts_at(figure, fields, figure.layer[faces]))
    inside = figure.is_inside[faces]
    normal[inside] *= -1
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    # From a little before the surface, lest it shades itself where the lamp grazes it.
    before = points + np.float32(0.01) * normal
    lit = shadow_map(posed.points, figure.faces, light.direction).lit(before)
    color *= light.shade(normal, lit) * np.where(inside, INNER, 1.0)[:, None].astype(np.float32)
    full = np.zeros((height * SAMPLES, width * SAMPLES, 4), np.float32)
    full[hit, :3] = color.clip(0, 255)
    full[hit, 3] = 1
    # Many times faster than a mean over two axes of a view.
    samples = (full[row::SAMPLES, column::SAMPLES] for row in range(SAMPLES) for column in range(SAMPLES))
    mean: FloatArray = reduce(np.add, samples) / np.float32(SAMPLES**2)
    return mean[..., :3], mean[..., 3]


def blend(share: FloatArray, corners: NDArray[np.int32], values: FloatArray) -> FloatArray:
    """(N, C): values (V, C) of the vertices at points of triangles: shares (N, 3) of corners (N, 3)."""
    blended: FloatArray = (
        share[:, :1] * values[corners[:, 0]]
        + share[:, 1:2] * values[corners[:, 1]]
        + share[:, 2:] * values[corners[:, 2]]
    )
    return blended


def composed(drawn: Drawn, backdrop: FloatArray) -> Image:
    """(H, W, 3) uint8: the person in front of a backdrop (H, W, 3) in [0, 255]."""
    picture = drawn.color + backdrop * (1 - drawn.cover[..., None])
    return np.rint(picture.clip(0, 255)).astype(np.uint8)
