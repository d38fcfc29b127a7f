"""What is perceived of a person over time, free of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

LANDMARKS = 33
JOINTS = 24


@dataclass(frozen=True, slots=True)
class Motion:
    """Pose and body of one person over T frames (a clip, or a window of one).

    Attributes:
        size: (height, width) in pixels of the frames that it was seen in.
        times: T presentation times in seconds, exact, increasing.
        present: (T,) bool; False where nobody was found. The other rows hold zeros there.
        pose: (T, 33, 3) image landmarks: x, y in pixels, confidence in [0, 1].
        world: (T, 33, 3) metric landmarks about the hip centre: x right, y down, z away, in metres.
        body: name of the body model that `theta`, `betas` belong to; empty when not fitted yet.
        theta: (T, 24, 3) joint rotations, axis-angle, radians.
        camera: (T, 3) weak perspective: scale (pixels a metre), tx, ty (pixels); pixel = scale * metres + t.
        betas: (n,) shape of the person seen.
    """

    size: tuple[int, int]
    times: tuple[Fraction, ...]
    present: NDArray[np.bool_]
    pose: FloatArray
    world: FloatArray
    body: str = ""
    theta: FloatArray | None = None
    camera: FloatArray | None = None
    betas: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, start: int, stop: int) -> Motion:
        """The frames [start, stop) as a motion of their own."""
        return replace(
            self,
            times=self.times[start:stop],
            present=self.present[start:stop],
            pose=self.pose[start:stop],
            world=self.world[start:stop],
            theta=None if self.theta is None else self.theta[start:stop],
            camera=None if self.camera is None else self.camera[start:stop],
        )


def join(parts: Sequence[Motion]) -> Motion:
    """Windows of one clip, end to end. All must have the same size, body and betas."""
    first = parts[0]
    return replace(
        first,
        times=tuple(time for part in parts for time in part.times),
        present=np.concatenate([part.present for part in parts]),
        pose=np.concatenate([part.pose for part in parts]),
        world=np.concatenate([part.world for part in parts]),
        theta=None if first.theta is None else np.concatenate([_given(part.theta) for part in parts]),
        camera=None if first.camera is None else np.concatenate([_given(part.camera) for part in parts]),
    )


def _given(array: FloatArray | None) -> FloatArray:
    if array is None:
        raise ValueError("cannot join a fitted motion with one that is not")
    return array
