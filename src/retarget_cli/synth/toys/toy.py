"""What every toy is: bones, parts with names, points with names, and a way to be drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.toys.rig import Bone, Place, placed
from retarget_cli.synth.toys.waves import Performance


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a part that can be found again: its name, its part, and where in the part's axes."""

    name: str
    part: str
    place: Place = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A toy in a picture.

    Attributes:
        color: (H, W, 3) RGB in [0, 255], times the coverage.
        cover: (H, W) how much of each pixel it covers.
        parts: (H, W) label at each pixel's middle: 0 nobody, else one more than the place of the bone.
        local: (H, W, 3) what is seen there, in its part's axes.
        depth: (H, W) of it; smaller is nearer, inf where nobody is.
    """

    color: FloatArray
    cover: FloatArray
    parts: NDArray[np.uint8]
    local: FloatArray
    depth: FloatArray


class Toy(ABC):
    """One instance of a species."""

    bones: tuple[Bone, ...]
    marks: tuple[Mark, ...]
    # How much deeper than what is in front of it something may lie and still be seen, in `Drawn.depth`.
    near: float
    # The same for marks, which may lie inside their part.
    deep: float

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of labels from 1 on."""
        return tuple(bone.name for bone in self.bones)

    def placed(self, performance: Performance) -> FloatArray:
        """(T, P, 3, 4) of every bone, in the toy's units."""
        return placed(self.bones, performance)

    @abstractmethod
    def bounds(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest (x, y) that it reaches in frames (T, P, 3, 4)."""

    @abstractmethod
    def draw(self, places: FloatArray, size: tuple[int, int]) -> Drawn:
        """It in a picture of (height, width), by bones (P, 3, 4) that lead to pixels."""

    def mark_places(self, places: FloatArray) -> FloatArray:
        """(K, 3) of its marks by bones (P, 3, 4)."""
        rows = [self.part_names.index(mark.part) for mark in self.marks]
        points = np.array([(*mark.place, 1.0) for mark in self.marks], np.float32)
        return np.asarray(np.einsum("kij,kj->ki", places[rows], points), np.float32)

    def onto(self, places: FloatArray, scale: float, right: float, down: float) -> FloatArray:
        """Bones (..., P, 3, 4) that lead to pixels: so many a unit, and where the toy's origin is."""
        out = places * np.float32(scale)
        out[..., :2, 3] += np.array([right, down], np.float32)
        return np.asarray(out, np.float32)

    @abstractmethod
    def sharpened(self, fine: float) -> Toy:
        """The same, made for so many pixels a unit."""
