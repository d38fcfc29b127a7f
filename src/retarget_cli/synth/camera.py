"""The weak-perspective camera: where the person stands in the picture, and how picture and room move together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Numbers


@dataclass(frozen=True, slots=True)
class View:
    """How the resting picture is shown in a frame: zoomed by `zoom`, then moved by (right, down) pixels."""

    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def of_room(self, points: Numbers) -> FloatArray:
        """Where points (..., 2) of the resting picture are in the frame."""
        return np.asarray(points * self.zoom + (self.right, self.down), np.float32)

    def to_room(self, points: Numbers) -> FloatArray:
        """Where points (..., 2) of the frame are in the resting picture."""
        return np.asarray((points - (self.right, self.down)) / self.zoom, np.float32)

    def camera(self, resting: Numbers) -> FloatArray:
        """(3,) the camera of the frame from that of the resting picture (3,)."""
        scale, right, down = (float(number) for number in resting)
        moved = [self.zoom * scale, self.zoom * right + self.right, self.zoom * down + self.down]
        return np.array(moved, np.float32)


STILL = View()


def draw_views(rng: np.random.Generator, frames: int, seconds: float, size: tuple[int, int]) -> tuple[View, ...]:
    """A hand-held, gently zooming and panning camera; it begins at rest."""
    height, width = size
    knots = max(3, round(seconds / 0.8) + 1)
    times = np.linspace(0, 1, knots)
    steps = rng.standard_normal((knots, 3)) * np.array([0.035, 0.035 * width, 0.02 * height])
    path = np.cumsum(steps, 0) * 0.7
    path = np.clip(path - path[0], *(sign * np.array([0.12, 0.1 * width, 0.06 * height]) for sign in (-1, 1)))
    smooth = CubicSpline(times, path, bc_type="clamped")(np.linspace(0, 1, frames))
    smooth = np.clip(smooth, *(sign * np.array([0.13, 0.11 * width, 0.07 * height]) for sign in (-1, 1)))
    views = []
    for change, right, down in smooth:
        zoom = float(np.exp(change))
        middle = (1 - zoom) * np.array([width / 2, height / 2])
        views.append(View(zoom, float(middle[0] + right), float(middle[1] + down)))
    return tuple(views)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where people stand in the resting picture.

    Attributes:
        scale: pixels a metre where the motion begins.
        x, floor: pixels: the hips' column and the feet's row there.
        far: distance of the camera in statures: coming nearer makes larger.
        eye: the camera's height over the floor in statures.
    """

    scale: float
    x: float
    floor: float
    far: float = 7.0
    eye: float = 0.8

    def cameras(self, path: Numbers, lowest: Numbers, tall: float) -> FloatArray:
        """Resting cameras (T, 3) of a person.

        Args:
            path: (T, 3) in statures: to the right, lifted off the floor, away; from where the person began.
            lowest: (T,) metres from hips down to the lowest foot.
            tall: the person's stature in metres.
        """
        scale = self.scale * self.sizes(path)
        x = self.x + scale * tall * path[:, 0]
        # The floor of a nearer person is lower in the picture, for the camera looks at it from above.
        floor = self.floor + self.eye * tall * (scale - self.scale)
        hips = floor - scale * (lowest + tall * path[:, 1])
        return np.stack([scale, x, hips], 1).astype(np.float32)

    def sizes(self, path: Numbers) -> Numbers:
        """(T,): by how much the person appears larger than at the beginning, of a path (T, 3)."""
        return np.asarray(self.far / np.maximum(self.far + path[:, 2], 0.3 * self.far))
