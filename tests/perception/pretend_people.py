"""A pretend person for the landmark network: no pictures of people are needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from retarget_cli.perception.engine import Detection, Reading, Region

# x, y in units of half the body's height, from the hips; index = landmark.
_FIGURE = {
    0: (0, -0.9), 11: (0.2, -0.6), 12: (-0.2, -0.6), 13: (0.35, -0.3), 14: (-0.35, -0.3), 15: (0.4, 0),
    16: (-0.4, 0), 19: (0.42, 0.08), 20: (-0.42, 0.08), 23: (0.12, 0), 24: (-0.12, 0), 25: (0.14, 0.45),
    26: (-0.14, 0.45), 27: (0.15, 0.9), 28: (-0.15, 0.9), 31: (0.2, 0.98), 32: (-0.2, 0.98),
}  # fmt: skip


def figure(x: float, y: float, half_height: float, visibility: float = 0.99) -> np.ndarray:
    """(33, 3) landmarks of somebody standing with the hips at x, y."""
    pose = np.zeros((33, 3), dtype=np.float32)
    for landmark in range(33):
        dx, dy = _FIGURE.get(landmark, (0.05, -0.88))
        pose[landmark] = x + dx * half_height, y + dy * half_height, visibility
    return pose


def region_of(x: float, y: float, half_height: float) -> Region:
    """Where the network looks for `figure(x, y, half_height)`."""
    return Region(x, y, 2.5 * half_height, 0.0)


def reading_of(
    x: float, y: float, half_height: float, visibility: float = 0.99, mask: np.ndarray | None = None
) -> Reading:
    """What the network would say of that figure."""
    pose = figure(x, y, half_height, visibility)
    return Reading(
        pose, np.ones(33, np.float32), np.zeros((33, 3), np.float32), mask, region_of(x, y, half_height)
    )


class FakeReader:
    """Sees whichever of `people` (x, y, half height) is nearest to the region, when within it."""

    def __init__(self, people: list[tuple[float, float, float]], visibility: float = 0.99) -> None:
        self.people = people
        self.visibility = visibility
        self.calls = 0
        self.wobble: Callable[[int], float] = lambda call: 0.0
        self.fade: Callable[[int], float] = lambda call: 0.0

    def read(self, rgb: np.ndarray, region: Region) -> Reading | None:
        self.calls += 1
        near = [p for p in self.people if np.hypot(p[0] - region.x, p[1] - region.y) < region.side / 2]
        if not near:
            return None
        x, y, half = min(near, key=lambda p: np.hypot(p[0] - region.x, p[1] - region.y))
        mask = np.zeros(rgb.shape[:2], np.float32)
        return reading_of(x + self.wobble(self.calls), y, half, self.visibility - self.fade(self.calls), mask)

    def close(self) -> None:
        pass


class FakeDetector:
    """Detects `people`, in the order given, with falling certainty."""

    def __init__(self, people: list[tuple[float, float, float]]) -> None:
        self.people = people
        self.calls = 0

    def find(self, rgb: np.ndarray) -> list[Detection]:
        self.calls += 1
        return [Detection(0.95 - 0.05 * i, region_of(*person)) for i, person in enumerate(self.people)]

    def close(self) -> None:
        pass
