"""Frames of a clip as they are, for methods that look at pictures and know nothing of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import LANDMARKS, Motion
from retarget_cli.core.subject import Image


@dataclass(frozen=True, slots=True)
class Footage:
    """T consecutive frames.

    Attributes:
        times: presentation times in seconds, exact, increasing.
        pictures: (T, H, W, 3) uint8.
        reference: (H, W, 3): the frame that motion is told relative to; None: motion is absolute.
        is_scaled: relative movements are scaled by how large the source is beside the driving object.
    """

    times: tuple[Fraction, ...]
    pictures: NDArray[np.uint8]
    reference: Image | None = None
    is_scaled: bool = False

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, start: int, stop: int) -> Footage:
        """The frames [start, stop)."""
        return replace(self, times=self.times[start:stop], pictures=self.pictures[start:stop])


def unseen(footage: Footage) -> Motion:
    """A motion of the same times in which nobody was looked for."""
    count = len(footage)
    nothing = np.zeros((count, LANDMARKS, 3), np.float32)
    height, width = footage.pictures.shape[1:3]
    return Motion((height, width), footage.times, np.zeros(count, np.bool_), nothing, nothing)


def spliced(parts: Sequence[Footage]) -> Footage:
    """Consecutive parts of one clip as a whole."""
    times = tuple(time for part in parts for time in part.times)
    return replace(parts[0], times=times, pictures=np.concatenate([part.pictures for part in parts]))
