"""Where a person stands: procedural rooms and places, or a picture; and the shadow at the feet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.media.images import over_white, read_picture
from retarget_cli.synth.camera import STILL, View
from retarget_cli.synth.outfit import Color
from retarget_cli.synth.wardrobe import draw_color

Wall = Literal["plain", "bricks", "panels", "paper", "curtain", "gradient", "outdoors", "blobs"]
Floor = Literal["plain", "boards", "tiles", "carpet", "grass"]
WALLS: tuple[Wall, ...] = ("plain", "bricks", "panels", "paper", "curtain", "gradient", "outdoors", "blobs")
FLOORS: tuple[Floor, ...] = ("plain", "boards", "tiles", "carpet")

# The room goes on beyond the picture by this share of it on each side, for a moving camera.
MARGIN = 0.22
# It is drawn so much finer where the camera zooms.
FINER = 1.5


@dataclass(frozen=True, slots=True)
class Room:
    """Colours, patterns, and the height of the line between wall and floor as a share of the picture's.

    Attributes:
        wall, floor, accent: colours.
        line: where the floor begins.
        wall_kind, floor_kind: patterns.
        things: on the wall: (kind, left, top, width, height, colour), places as shares of the picture's height.
        seed: of what is not worth a name.
        picture: a file to show instead of all that; empty for none.
    """

    wall: Color = (206, 198, 186)
    floor: Color = (150, 126, 104)
    accent: Color = (120, 130, 140)
    line: float = 0.8
    wall_kind: Wall = "plain"
    floor_kind: Floor = "boards"
    things: tuple[tuple[str, float, float, float, float, Color], ...] = ()
    seed: int = 0
    picture: str = ""


def draw_room(rng: np.random.Generator, feet: float, aspect: float, pictures: tuple[str, ...]) -> Room:
    """A room whose floor is where the feet are.

    Args:
        rng: where it comes from.
        feet: row of the feet, as a share of the picture's height.
        aspect: width / height of the picture.
        pictures: files of the user's to choose from instead, as often as procedural rooms.
    """
    choice = int(rng.integers(0, 2**31))
    room = Room(
        wall=_soft(rng),
        floor=_soft(rng, 0.75),
        accent=draw_color(rng),
        line=float(np.clip(feet - rng.uniform(0.05, 0.17), 0.4, 0.93)),
        wall_kind=WALLS[int(rng.integers(0, len(WALLS)))],
        floor_kind=FLOORS[int(rng.integers(0, len(FLOORS)))],
        things=tuple(_thing(rng, aspect) for _ in range(int(rng.integers(0, 4)))),
        seed=choice,
    )
    if pictures and choice % 2:
        return Room(picture=pictures[(choice // 2) % len(pictures)], seed=choice, line=room.line)
    return room


def _soft(rng: np.random.Generator, light: float = 1.0) -> Color:
    red, green, blue = (round((0.45 * part + 0.55 * rng.uniform(120, 235)) * light) for part in draw_color(rng))
    return red, green, blue


def _thing(rng: np.random.Generator, aspect: float) -> tuple[str, float, float, float, float, Color]:
    kind = ("frame", "window", "shelf", "door")[int(rng.integers(0, 4))]
    width = float(rng.uniform(0.12, 0.3))
    height = {"frame": 0.8, "window": 1.2, "shelf": 0.25, "door": 2.6}[kind] * width
    left = float(rng.uniform(-MARGIN, aspect + MARGIN - width))
    return kind, left, float(rng.uniform(0.05, 0.4)), width, height, draw_color(rng)


def backdrop(room: Room, height: int, width: int) -> FloatArray:
    """(H, W, 3) in [0, 255]: the empty room, as the resting camera shows it."""
    return shown(wide_backdrop(room, height, width, 1.0), STILL, height, width, 1.0)


@lru_cache(maxsize=4)
def wide_backdrop(room: Room, height: int, width: int, finer: float) -> FloatArray:
    """The room with its margins, `finer` pixels for each of the picture; kept, for several renditions show it."""
    rows, columns = (round(side * (1 + 2 * MARGIN) * finer) for side in (height, width))
    if room.picture:
        return _covering(Path(room.picture), rows, columns)
    y = ((np.arange(rows, dtype=np.float32) + 0.5) / (finer * height) - MARGIN)[:, None] * np.ones((1, columns))
    x = ((np.arange(columns, dtype=np.float32) + 0.5) / (finer * width) - MARGIN)[None] * np.ones((rows, 1))
    x = x * (width / height)
    middle = 0.5 * width / height
    picture = _wall(room, x, y, middle)
    for thing in room.things if room.wall_kind not in {"outdoors", "blobs", "gradient"} else ():
        _hang(picture, thing, x, y, room.line)
    picture = np.where((y > room.line)[..., None], _floor(room, x, y, middle), picture)
    if room.wall_kind in {"plain", "bricks", "panels", "paper"}:
        skirting = (y > room.line - 0.022) & (y <= room.line)
        picture[skirting] = np.asarray(room.wall, np.float32) * 0.8
    made: FloatArray = picture.clip(0, 255).astype(np.float32)
    made.flags.writeable = False
    return made


def shown(wide: FloatArray, view: View, height: int, width: int, finer: float) -> FloatArray:
    """(H, W, 3): what the camera shows of a `wide_backdrop`."""
    rows, columns = wide.shape[:2]
    # Pixels have their middles at halves for us, at whole numbers for OpenCV.
    step = finer / view.zoom
    # Margins were rounded to whole pixels.
    left, top = (columns - finer * width) / 2, (rows - finer * height) / 2
    right = (0.5 - view.right) * step + left - 0.5
    down = (0.5 - view.down) * step + top - 0.5
    matrix = np.array([[step, 0, right], [0, step, down]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(wide, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT))


def _covering(path: Path, rows: int, columns: int) -> FloatArray:
    """A picture scaled and cut so that it fills the place."""
    pixels = over_white(read_picture(path))
    scale = max(rows / pixels.shape[0], columns / pixels.shape[1])
    size = (max(columns, round(pixels.shape[1] * scale)), max(rows, round(pixels.shape[0] * scale)))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (large.shape[0] - rows) // 2, (large.shape[1] - columns) // 2
    return np.asarray(large[top : top + rows, left : left + columns], np.float32)


def _wall(room: Room, x: FloatArray, y: FloatArray, middle: float) -> FloatArray:
    wall, accent = np.asarray(room.wall, np.float32), np.asarray(room.accent, np.float32)
    light = 1.06 - 0.22 * np.hypot(x - 0.7 * middle, y - 0.25)
    base = wall * light[..., None]
    if room.wall_kind == "bricks":
        row = np.floor(y * 22)
        joint = ((y * 22) % 1 < 0.1) | ((x * 9 + 0.5 * (row % 2)) % 1 < 0.05)
        tone = 1 + 0.1 * np.sin(12.9898 * np.floor(x * 9 + 0.5 * (row % 2)) + 78.233 * row)
        return np.where(joint[..., None], base * 1.12, base * (0.8 * tone)[..., None])
    if room.wall_kind == "panels":
        return base * np.where((x * 5) % 1 < 0.025, 0.85, 1.0)[..., None]
    if room.wall_kind == "paper":
        return np.where(((x * 11) % 1 < 0.5)[..., None], base, base * 0.9 + 0.1 * accent)
    if room.wall_kind == "curtain":
        return base * (0.86 + 0.14 * np.sin(38 * x + 2.2 * np.sin(9 * x + room.seed % 7)))[..., None]
    if room.wall_kind == "gradient":
        share = np.clip(y / max(room.line, 0.1), 0, 1)[..., None]
        return base * (1 - share) + accent * 0.5 * share + base * 0.5 * share
    if room.wall_kind == "outdoors":
        return _outdoors(room, x, y)
    if room.wall_kind == "blobs":
        return base + _noise(room.seed, x, y)[..., None] * (accent - wall) * 0.8
    return base


def _outdoors(room: Room, x: FloatArray, y: FloatArray) -> FloatArray:
    """Sky, distant hills, and bushes before them."""
    up = np.clip((room.line - y) / room.line, 0, 1)[..., None]
    sky = np.array([214, 226, 236], np.float32) * (1 - up) + np.array([122, 168, 214], np.float32) * up
    green = np.array([96, 124, 84], np.float32) * 0.75 + 0.25 * np.asarray(room.accent, np.float32)
    phase = room.seed % 13
    hills = room.line - 0.1 - 0.05 * np.sin(4 * x + phase) - 0.03 * np.sin(9 * x + 2 * phase)
    bushes = room.line - 0.03 - 0.035 * np.abs(np.sin(14 * x + phase)) - 0.02 * np.abs(np.sin(31 * x))
    leaves = (1 + 0.14 * np.sin(160 * x + 7 * np.sin(90 * y)) * np.sin(140 * y))[..., None]
    picture = np.where((y > hills)[..., None], green * 0.7 + 50, sky)
    return np.where((y > bushes)[..., None], green * 0.85 * leaves, picture)


def _noise(seed: int, x: FloatArray, y: FloatArray) -> FloatArray:
    """(H, W) in [0, 1]: soft blobs."""
    rng = np.random.default_rng(seed)
    total = np.zeros_like(x)
    for frequency in (3.0, 6.0, 13.0):
        angle, phase = rng.uniform(0, 6.3, 4), rng.uniform(0, 6.3, 4)
        for turn, shift in zip(angle, phase, strict=True):
            total += np.sin(frequency * (x * np.cos(turn) + y * np.sin(turn)) + shift) / frequency
    return np.asarray(0.5 + 0.5 * np.tanh(1.6 * total), np.float32)


def _floor(room: Room, x: FloatArray, y: FloatArray, middle: float) -> FloatArray:
    """Boards and tiles run towards a point behind the wall."""
    depth = np.clip((y - room.line) / max(1 - room.line, 0.05), 0, 1.6)
    color = np.asarray(room.floor, np.float32) * (0.82 + 0.25 * depth)[..., None]
    if room.wall_kind == "outdoors":
        blades = 1 + 0.1 * np.sin(210 * x) * np.sin(170 * y + 9 * np.sin(40 * x))
        return np.asarray((104, 128, 78), np.float32) * (0.9 + 0.15 * depth)[..., None] * blades[..., None]
    across = (x - middle) / (0.35 + depth)
    if room.floor_kind == "boards":
        return color * np.where((across * 9) % 1 < 0.03, 0.86, 1.0)[..., None]
    if room.floor_kind == "tiles":
        along = 3.2 / (0.35 + depth)
        return color * np.where(((across * 7) % 1 < 0.5) ^ ((along * 2) % 1 < 0.5), 0.88, 1.05)[..., None]
    if room.floor_kind == "carpet":
        inside = (np.abs(across) < 0.62) & (depth > 0.12) & (depth < 1.2)
        border = inside & ((np.abs(across) > 0.56) | (depth < 0.2))
        color = np.where(inside[..., None], np.asarray(room.accent, np.float32) * 0.9, color)
        return np.where(border[..., None], color * 0.75, color)
    return color


def _hang(
    picture: FloatArray, thing: tuple[str, float, float, float, float, Color], x: FloatArray, y: FloatArray, line: float
) -> None:
    """Paint a thing on the wall; `picture` is changed."""
    kind, left, top, width, height, color = thing
    if kind == "door":
        top = line - height
    u, v = (x - left) / width, (y - top) / height
    inside = (u > 0) & (u < 1) & (v > 0) & (v < 1)
    edge = inside & ((np.minimum(u, 1 - u) * width < 0.012) | (np.minimum(v, 1 - v) * height < 0.012))
    fill = np.asarray(color, np.float32)
    if kind == "window":
        picture[inside] = np.array([196, 216, 232]) - 40 * v[inside, None]
        edge |= inside & ((np.abs(u - 0.5) * width < 0.006) | (np.abs(v - 0.5) * height < 0.006))
        picture[edge] = 236
    elif kind == "shelf":
        books = fill * (0.6 + 0.5 * np.sin(37 * np.floor(u * 9))[..., None] ** 2)
        picture[inside] = books[inside]
        picture[inside & (v > 0.85)] = 90
    else:
        tone = 1 + 0.15 * np.sin(6 * u + 2) * np.sin(5 * v) if kind == "frame" else np.ones_like(u)
        picture[inside] = fill * tone[inside, None]
        picture[edge] = fill * 0.5


def with_shadow(picture: FloatArray, feet: FloatArray, size: float, dark: float = 0.45) -> FloatArray:
    """The picture with a soft shadow under each foot (F, 2) in pixels; `size` is the shadow's half width."""
    height, width = picture.shape[:2]
    reach = np.array([2.2 * size, 0.7 * size])
    low = np.floor((feet - reach).min(0)).astype(int).clip(0, (width, height))
    high = np.ceil((feet + reach).max(0)).astype(int).clip(0, (width, height))
    if (high <= low).any():
        return picture
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32) + np.float32(0.5)
    away = [((x - foot[0]) / size) ** 2 + ((y - foot[1]) / (0.28 * size)) ** 2 for foot in feet]
    out = picture.copy()
    out[low[1] : high[1], low[0] : high[0]] *= 1 - dark * np.exp(-np.min(away, 0))[..., None]
    return out
