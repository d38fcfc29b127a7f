"""Where a person stands: a wall, a floor, and the shadow at the feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.outfit import Color


@dataclass(frozen=True, slots=True)
class Room:
    """Colours, and the height of the line between wall and floor as a share of the picture's."""

    wall: Color = (206, 198, 186)
    floor: Color = (150, 126, 104)
    line: float = 0.8
    has_boards: bool = True


def backdrop(room: Room, height: int, width: int) -> FloatArray:
    """(H, W, 3) in [0, 255]: the empty room."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / height
    light = 1.06 - 0.22 * np.hypot(x - 0.35 * width / height, y - 0.25)
    picture = np.asarray(room.wall, np.float32) * light[..., None]
    depth = np.clip((y - room.line) / (1 - room.line), 0, 1)
    floor = np.asarray(room.floor, np.float32) * (0.82 + 0.25 * depth)[..., None]
    if room.has_boards:
        board = ((x - 0.5 * width / height) / (0.35 + depth) * 9) % 1
        floor *= np.where(board < 0.03, 0.86, 1.0)[..., None]
    picture = np.where((y > room.line)[..., None], floor, picture)
    skirting = (y > room.line - 0.022) & (y <= room.line)
    picture[skirting] = np.asarray(room.wall, np.float32) * 0.8
    return picture.astype(np.float32)


def with_shadow(picture: FloatArray, feet: FloatArray, size: float) -> FloatArray:
    """The picture with a soft shadow under each foot (F, 2) in pixels; `size` is the shadow's half width."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dark = np.zeros((height, width), np.float32)
    for foot in feet:
        away = ((x - foot[0]) / size) ** 2 + ((y - foot[1]) / (0.28 * size)) ** 2
        dark = np.maximum(dark, 0.45 * np.exp(-away))
    return picture * (1 - dark[..., None])
