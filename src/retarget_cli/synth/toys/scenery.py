"""What toys are before: plain, shaded, patterned, a room, or a picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.outfit import Color
from retarget_cli.synth.room import FINER, MARGIN, Room, draw_room, wide_backdrop
from retarget_cli.synth.toys.paint import Coat, Pattern, colored
from retarget_cli.synth.toys.palette import hsv

KINDS = ("plain", "shaded", "pattern", "room")
_PATTERNS: tuple[Pattern, ...] = ("stripes", "rings", "spots", "patches", "checks", "scales")


@dataclass(frozen=True, slots=True)
class Scenery:
    """A background: what kind, its colours, and a room for `room` or a picture of the user's."""

    kind: str
    first: Color
    second: Color
    coat: Coat
    angle: float
    room: Room = field(default_factory=Room)


def draw_scenery(rng: np.random.Generator, floor: float, aspect: float, pictures: tuple[str, ...]) -> Scenery:
    """Some scenery, with a floor at that share of the height where it has one; half the user's own, where given."""
    kind = str(rng.choice(KINDS, p=(0.2, 0.25, 0.25, 0.3)))
    hue, saturation = float(rng.random()), float(rng.uniform(0.04, 0.5))
    first = hsv(hue, saturation, float(rng.uniform(0.55, 1)))
    second = hsv(hue + float(rng.uniform(-0.12, 0.12)), saturation, float(rng.uniform(0.45, 0.95)))
    coat = Coat(first, second, _PATTERNS[int(rng.integers(len(_PATTERNS)))], float(rng.uniform(0.07, 0.3)),
                int(rng.integers(1000)))  # fmt: skip
    room = draw_room(rng, floor, aspect, pictures)
    return Scenery("room" if room.picture else kind, first, second, coat, float(rng.uniform(0, 6.3)), room)


def wide_scenery(scenery: Scenery, height: int, width: int) -> FloatArray:
    """With margins for a moving camera, `FINER` pixels for each of the picture; as `room.wide_backdrop`."""
    if scenery.kind == "room":
        return wide_backdrop(scenery.room, height, width, FINER)
    rows, columns = (round(side * (1 + 2 * MARGIN) * FINER) for side in (height, width))
    y, x = np.mgrid[:rows, :columns].astype(np.float32) / np.float32(FINER * height)
    first, second = np.asarray(scenery.first, np.float32), np.asarray(scenery.second, np.float32)
    if scenery.kind == "pattern":
        cos, sin = np.float32(np.cos(scenery.angle)), np.float32(np.sin(scenery.angle))
        return colored(scenery.coat, cos * x + sin * y, cos * y - sin * x)
    if scenery.kind == "plain":
        return np.broadcast_to(first, (rows, columns, 3)).copy()
    if scenery.angle < 3:  # a glow in the middle
        share = np.hypot(x - 0.5 * columns / rows * (1 + 2 * MARGIN), y - 0.6) / 0.9
    else:
        share = (np.cos(scenery.angle) * (x - 0.7) + np.sin(scenery.angle) * (y - 0.7)) / 1.4 + 0.5
    weight = share.clip(0, 1)[..., None]
    return np.asarray(first * (1 - weight) + second * weight, np.float32)
