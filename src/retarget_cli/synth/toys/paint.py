"""Paint one part of a flat toy into a small picture of its own: colour, pattern, shade, outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.outfit import Color
from retarget_cli.synth.toys.shapes import Shape

Pattern = Literal["plain", "stripes", "rings", "spots", "patches", "checks", "fade", "scales"]
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "rings", "spots", "patches", "checks", "fade", "scales")
# A patch is painted so much finer than it is kept.
FINER = 2


@dataclass(frozen=True, slots=True)
class Coat:
    """A colour, and a pattern of a second one; `scale` is the pattern's period in units, `seed` shifts it."""

    color: Color
    accent: Color
    pattern: Pattern = "plain"
    scale: float = 0.2
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A shape with paint.

    Attributes:
        shape: in the part's axes.
        coat: its colours.
        is_inside: only where the part has been painted before: eyes, bellies, buttons.
        has_line: with an outline, in styles that have one.
    """

    shape: Shape
    coat: Coat
    is_inside: bool = False
    has_line: bool = True


@dataclass(frozen=True, slots=True)
class Style:
    """How an instance is drawn.

    Attributes:
        line: half of the outline's width, units; 0 for none.
        ink: the outline's colour.
        shade: how much darker the side away from the light is.
        rim: how much lighter the edge towards it is.
        grain: of felt or paper.
    """

    line: float
    ink: Color
    shade: float
    rim: float
    grain: float


@dataclass(frozen=True, slots=True)
class Patch:
    """A painted part.

    Attributes:
        pixels: (h, w, 4) colour times alpha, and alpha, in [0, 255] and [0, 1].
        left, top: of the patch in the part's axes.
        fine: pixels a unit.
    """

    pixels: FloatArray
    left: float
    top: float
    fine: float


def draw_style(rng: np.random.Generator, ink: Color) -> Style:
    """Some manner of drawing."""
    line = float(rng.choice([0.0, 0.005, 0.008, 0.012], p=(0.3, 0.3, 0.25, 0.15)))
    shade, rim = float(rng.uniform(0, 0.34)), float(rng.uniform(0, 0.25))
    grain = float(rng.choice([0.0, 0.03, 0.05]))
    return Style(line, ink, shade, rim, grain)


def paint_part(pieces: Sequence[Piece], style: Style, fine: float, seed: int) -> Patch:
    """One part's patch.

    Args:
        pieces: from the back to the front; at least one.
        style: of the toy.
        fine: pixels a unit.
        seed: of the grain.
    """
    bounds = np.array([piece.shape.bounds() for piece in pieces])
    margin = style.line + 2 / fine
    left, top = (float(bounds[:, axis].min()) - margin for axis in (0, 1))
    width, height = (
        int(np.ceil((float(bounds[:, axis + 2].max()) + margin - start) * fine)) for axis,
                     start in ((0, left), (1, top))
    )
    rows, columns = np.mgrid[: height * FINER, : width * FINER].astype(np.float32)
    x, y = left + (columns + 0.5) / (FINER * fine), top + (rows + 0.5) / (FINER * fine)
    pixels = np.zeros((height * FINER, width * FINER, 4), np.float32)
    for piece in pieces:
        _add(pixels, piece, style, x.astype(np.float32), y.astype(np.float32), FINER * fine)
    if style.grain:
        noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
        felt = cv2.resize(noise, (width * FINER, height * FINER), interpolation=cv2.INTER_LINEAR)
        pixels[..., :3] *= (1 + style.grain * felt[..., None]).clip(0.6, 1.3)
    np.minimum(pixels[..., :3], 255 * pixels[..., 3:], out=pixels[..., :3])
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return Patch(np.ascontiguousarray(small, np.float32), left, top, fine)


def _add(pixels: FloatArray, piece: Piece, style: Style, x: FloatArray, y: FloatArray, fine: float) -> None:
    """One more piece on a patch."""
    distance = piece.shape.distance(x, y)
    line = style.line if piece.has_line else 0.0
    alpha = (0.5 - (distance - line) * fine).clip(0, 1)[..., None]
    if piece.is_inside:
        alpha = alpha * (pixels[..., 3:] > 0.5)
    color = colored(piece.coat, x, y)
    if piece.has_line:
        left, top, right, bottom = piece.shape.bounds()
        across = (x - left) / max(right - left, 1e-3) * 0.5 + (y - top) / max(bottom - top, 1e-3)
        color *= (1 - style.shade * (across - 0.5).clip(0, 1))[..., None]
        edge = np.exp(-(((distance + 0.05) / 0.04) ** 2)) * (across < 0.6)
        color += style.rim * 90 * edge[..., None]
    if line:
        ink = (0.5 + (distance + line) * fine).clip(0, 1)[..., None]
        color = color * (1 - ink) + np.asarray(style.ink, np.float32) * ink
    pixels *= 1 - alpha
    pixels[..., :3] += color.clip(0, 255) * alpha
    pixels[..., 3:] += alpha


def colored(coat: Coat, x: FloatArray, y: FloatArray) -> FloatArray:
    """(..., 3) colours of places in a part."""
    share = _share(coat, x, y)[..., None]
    first, second = np.asarray(coat.color, np.float32), np.asarray(coat.accent, np.float32)
    return np.asarray(first * (1 - share) + second * share, np.float32)


def _share(coat: Coat, x: FloatArray, y: FloatArray) -> FloatArray:
    """How much of the second colour there is."""
    u, v = x / coat.scale + 0.37 * (coat.seed % 17), y / coat.scale + 0.53 * (coat.seed % 13)
    if coat.pattern == "stripes":
        return np.asarray((u + 0.16 * np.sin(3 * v)) % 1 < 0.42, np.float32)
    if coat.pattern == "rings":
        return np.asarray(v % 1 < 0.42, np.float32)
    if coat.pattern == "spots":
        row = np.floor(v)
        a, b = (u + 0.5 * (row % 2)) % 1 - 0.5, v % 1 - 0.5
        size = 0.07 + 0.05 * np.sin(5.1 * np.floor(u + 0.5 * (row % 2)) + 2.3 * row)
        return np.asarray(a**2 + b**2 < size, np.float32)
    if coat.pattern == "patches":
        wave = np.sin(2.1 * u + 1.3 * np.sin(1.7 * v)) + np.sin(2.3 * v + 1.1 * np.sin(1.3 * u))
        return np.asarray(wave > 0.55, np.float32)
    if coat.pattern == "checks":
        return np.asarray((u % 1 < 0.5) ^ (v % 1 < 0.5), np.float32)
    if coat.pattern == "fade":
        return np.asarray((0.5 + 0.3 * y / coat.scale).clip(0, 1), np.float32)
    if coat.pattern == "scales":
        a, b = (u + 0.5 * (np.floor(2 * v) % 2)) % 1 - 0.5, (2 * v) % 1
        return np.asarray((np.hypot(a, 0.5 * b - 0.5) > 0.5) * 0.8, np.float32)
    return np.zeros(np.broadcast(x, y).shape, np.float32)
