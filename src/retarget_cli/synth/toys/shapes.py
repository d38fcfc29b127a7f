"""Outlines of flat pieces as distances: negative inside, in the piece's own units, y down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from retarget_cli.core.motion import FloatArray

Point = tuple[float, float]
Bounds = tuple[float, float, float, float]


class Shape(ABC):
    """Something flat with an inside."""

    @abstractmethod
    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """How far points are outside; negative inside."""

    @abstractmethod
    def bounds(self) -> Bounds:
        """Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Blob(Shape):
    """An ellipse; `power` above 2 makes it squarer, `turn` turns it (radians)."""

    x: float
    y: float
    wide: float
    tall: float
    turn: float = 0.0
    power: float = 2.0

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """See `Shape`; to the first order, which is exact at the outline."""
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        u, v = x - np.float32(self.x), y - np.float32(self.y)
        right, down = np.abs(cos * u + sin * v) / self.wide, np.abs(cos * v - sin * u) / self.tall
        level = (right**self.power + down**self.power) ** (1 / self.power)
        slope_x = (right / np.maximum(level, 1e-3)) ** (self.power - 1) / self.wide
        slope_y = (down / np.maximum(level, 1e-3)) ** (self.power - 1) / self.tall
        slope = np.maximum(np.hypot(slope_x, slope_y), 1 / max(self.wide, self.tall))
        return np.asarray((level - 1) / slope, np.float32)

    def bounds(self) -> Bounds:
        """See `Shape`."""
        cos, sin = abs(np.cos(self.turn)), abs(np.sin(self.turn))
        if self.power > 2:  # a square one may reach its box's corners
            wide, tall = cos * self.wide + sin * self.tall, sin * self.wide + cos * self.tall
        else:
            wide, tall = np.hypot(cos * self.wide, sin * self.tall), np.hypot(sin * self.wide, cos * self.tall)
        return self.x - float(wide), self.y - float(tall), self.x + float(wide), self.y + float(tall)


@dataclass(frozen=True, slots=True)
class Limb(Shape):
    """A capsule between two points, with a radius at each."""

    start: Point
    end: Point
    first: float
    last: float

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """See `Shape`."""
        way = np.subtract(self.end, self.start)
        length = max(float(way @ way), 1e-9)
        u, v = x - np.float32(self.start[0]), y - np.float32(self.start[1])
        share = ((u * way[0] + v * way[1]) / length).clip(0, 1)
        radius = self.first + (self.last - self.first) * share
        return np.asarray(np.hypot(u - share * way[0], v - share * way[1]) - radius, np.float32)

    def bounds(self) -> Bounds:
        """See `Shape`."""
        (a, b), (c, d) = self.start, self.end
        return (
            min(a - self.first, c - self.last), min(b - self.first, d - self.last),
            max(a + self.first, c + self.last), max(b + self.first, d + self.last),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outline(Shape):
    """A polygon whose corners are rounded by `round`, outwards."""

    points: tuple[Point, ...]
    round: float = 0.0

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """See `Shape`."""
        nearest = np.full(x.shape, np.inf, np.float32)
        inside = np.zeros(x.shape, bool)
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:] + self.points[:1], strict=True):
            way_x, way_y = bx - ax, by - ay
            u, v = x - np.float32(ax), y - np.float32(ay)
            share = ((u * way_x + v * way_y) / max(way_x**2 + way_y**2, 1e-9)).clip(0, 1)
            nearest = np.minimum(nearest, np.hypot(u - share * way_x, v - share * way_y))
            if ay != by:
                inside ^= ((ay > y) != (by > y)) & (u < way_x * v / way_y)
        return np.asarray(np.where(inside, -nearest, nearest) - self.round, np.float32)

    def bounds(self) -> Bounds:
        """See `Shape`."""
        low, high = np.min(self.points, 0) - self.round, np.max(self.points, 0) + self.round
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True, slots=True)
class Crescent(Shape):
    """A curved stroke, such as a smile: `wide` to each side, its ends `rise` higher than its middle."""

    x: float
    y: float
    wide: float
    rise: float
    thick: float

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """See `Shape`; a parabola's, near enough for a thin stroke."""
        u = ((x - np.float32(self.x)) / self.wide).clip(-1, 1)
        bow = np.float32(self.y) - self.rise * u**2
        slope = np.hypot(1, 2 * self.rise * u / self.wide)
        beyond = np.abs(x - np.float32(self.x)) - self.wide
        away = np.hypot((y - bow) / slope, np.maximum(beyond, 0))
        return np.asarray(away - self.thick, np.float32)

    def bounds(self) -> Bounds:
        """See `Shape`."""
        edge = self.thick * 2
        low, high = sorted((self.y, self.y - self.rise))
        return self.x - self.wide - edge, low - edge, self.x + self.wide + edge, high + edge


def moved(points: list[Point], x: float, y: float) -> tuple[Point, ...]:
    """Points, all moved alike."""
    return tuple((a + x, b + y) for a, b in points)
