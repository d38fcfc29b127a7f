"""Toys in three dimensions, drawn by the project's rasterizer and shaded point by point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from retarget_cli.body.raster.numba_zbuffer import Buffers, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.light import Light
from retarget_cli.synth.render import blend
from retarget_cli.synth.toys.block import Block, block_faces
from retarget_cli.synth.toys.paint import colored
from retarget_cli.synth.toys.rig import Bone
from retarget_cli.synth.toys.toy import Drawn, Mark, Toy

SAMPLES = 2
# What lies so many pixels behind the surface still counts as the surface.
_NEAR = 2.0
# Units that a point may lie under its part's surface.
_DEEP = 0.1
_WHITE = 255.0


@dataclass(frozen=True, slots=True)
class Model:
    """A solid toy: its bones, the blocks of each by its name (none: it only carries), and its points."""

    bones: tuple[Bone, ...]
    blocks: Mapping[str, Sequence[Block]]
    marks: tuple[Mark, ...]


class SolidToy(Toy):
    """An instance.

    Args:
        model: what it is.
        light: that stays with the camera.
        fine: pixels of the picture a unit.
    """

    near = _NEAR

    def __init__(self, model: Model, light: Light, fine: float = 1.0) -> None:
        self.bones, self.marks = model.bones, model.marks
        self.deep = _DEEP * fine
        self._model, self._light = model, light
        pairs = [(row, block) for row, bone in enumerate(self.bones) for block in model.blocks.get(bone.name, ())]
        self._blocks = [block for _, block in pairs]
        rest = [block.vertices() for block in self._blocks]
        each, faces = len(rest[0]), block_faces()
        self._rest = np.concatenate(rest)
        self._faces = np.concatenate([faces + each * number for number in range(len(rest))]).astype(np.int32)
        self._of_face = np.repeat(np.arange(len(rest)), len(faces))
        self._rows = np.array([row for row, _ in pairs])
        self._row_of_vertex = np.repeat(self._rows, each)

    def sharpened(self, fine: float) -> SolidToy:
        """The same, in so many pixels a unit."""
        return SolidToy(self._model, self._light, fine)

    def _points(self, places: FloatArray) -> FloatArray:
        """(V, 3) by bones (P, 3, 4)."""
        way = places[self._row_of_vertex]
        return np.asarray(np.einsum("vij,vj->vi", way[..., :3], self._rest) + way[..., 3], np.float32)

    def bounds(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Toy`."""
        every = [self._points(row)[:, :2] for row in places]
        return np.min([points.min(0) for points in every], 0), np.max([points.max(0) for points in every], 0)

    def draw(self, places: FloatArray, size: tuple[int, int]) -> Drawn:
        """See `Toy`."""
        height, width = size
        points = self._points(places)
        surface = rasterize(points, self._faces, height, width)
        many = np.array([SAMPLES, SAMPLES, 1], np.float32)
        fine = rasterize(points * many, self._faces, height * SAMPLES, width * SAMPLES)
        full = self._shaded(fine, places)
        samples = (full[row::SAMPLES, column::SAMPLES] for row in range(SAMPLES) for column in range(SAMPLES))
        mean: FloatArray = reduce(np.add, samples) / np.float32(SAMPLES**2)
        cover = mean[..., 3]
        # A tip so thin that it lies between the samples of the picture is not in the picture.
        hit = (surface.face_index >= 0) & (cover > 0)
        faces = surface.face_index[hit]
        parts = np.zeros(size, np.uint8)
        parts[hit] = self._rows[self._of_face[faces]] + 1
        local = np.zeros((*size, 3), np.float32)
        local[hit] = blend(surface.barycentric[hit], self._faces[faces], self._rest)
        return Drawn(mean[..., :3], cover, parts, local, np.where(hit, surface.depth, np.inf).astype(np.float32))

    def _shaded(self, fine: Buffers, places: FloatArray) -> FloatArray:
        """(H, W, 4) colour and coverage of every sample."""
        full = np.zeros((*fine.face_index.shape, 4), np.float32)
        hit = np.flatnonzero(fine.face_index.ravel() >= 0)
        faces = fine.face_index.ravel()[hit]
        local = blend(fine.barycentric.reshape(-1, 3)[hit], self._faces[faces], self._rest)
        numbers = self._of_face[faces]
        color, normals, gloss = np.empty_like(local), np.empty_like(local), np.empty(len(local), np.float32)
        order = np.argsort(numbers, kind="stable")
        cuts = np.searchsorted(numbers[order], np.arange(len(self._blocks) + 1))
        for number, block in enumerate(self._blocks):
            mine = order[cuts[number] : cuts[number + 1]]
            if not len(mine):
                continue
            own = block.own(local[mine])
            color[mine] = colored(block.coat, own[:, 0] + 0.6 * own[:, 2], own[:, 1] + 0.15 * own[:, 2])
            axes = places[self._rows[number], :, :3].astype(np.float64)
            normals[mine] = block.normals(own) @ np.linalg.inv(axes).astype(np.float32)
            gloss[mine] = block.gloss
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        color *= self._light.shade(normals, np.ones(len(normals), np.float32))
        color += self._shine(normals, gloss)[:, None]
        flat = full.reshape(-1, 4)
        flat[hit, :3] = color.clip(0, _WHITE)
        flat[hit, 3] = 1
        return full

    def _shine(self, normals: FloatArray, gloss: FloatArray) -> FloatArray:
        """(N,) light that is thrown straight back."""
        half = np.asarray(self._light.direction, np.float32) + np.array([0, 0, -1], np.float32)
        half /= np.float32(max(float(np.linalg.norm(half)), 1e-6))
        return np.asarray(_WHITE * gloss * (normals @ half).clip(0, 1) ** 28, np.float32)
