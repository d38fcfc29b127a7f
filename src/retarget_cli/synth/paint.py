"""The colour of each point of a person, from where it lies at rest: crisp at any resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import EYES, MOUTH, NECK, Figure, hair_cover, hem_line
from retarget_cli.synth.outfit import Color, Outfit

BoolArray = NDArray[np.bool_]


def paint(figure: Figure, fields: FloatArray) -> FloatArray:
    """(N, 3) RGB in [0, 255] of points whose interpolated `Figure.fields` (N, 8) are given."""
    outfit, joints = figure.outfit, figure.shape.joints.numpy()
    x, y, z, arm, leg, head, hand, foot = fields.T
    color = np.empty((len(fields), 3), np.float32)
    color[:] = outfit.skin
    _face(color, figure, fields[:, :3], head > 0.5)
    hairy = (head > 0.35) & (hair_cover(fields[:, :3], figure.shape.landmarks.numpy(), outfit.has_long_hair) > 0)
    strands = 1 + 0.12 * np.sin(420 * x + 90 * z) * np.sin(160 * y)
    color[hairy] = np.asarray(outfit.hair) * strands[hairy, None]
    hem = hem_line(joints)
    collar = joints[NECK, 1] - 0.005 + 0.6 * np.maximum(-z - 0.02, 0)
    below = (y > hem) & (leg < outfit.leg) & (arm < -0.4) & (foot < 0.55)
    color[below] = outfit.bottom
    color[below & (np.abs(y - hem) < 0.018)] = np.asarray(outfit.bottom) * 0.75
    top = (y > collar) & (y <= hem) & (arm < outfit.sleeve) & (hand < 0.5) & (head < 0.5)
    color[top] = _top(outfit, x, y, z, arm)[top]
    shod = foot > 0.55
    color[shod] = outfit.shoes
    ground = figure.fields[:, 1].max()
    color[shod & (y > ground - 0.018)] = outfit.sole
    return color


def _top(outfit: Outfit, x: FloatArray, y: FloatArray, z: FloatArray, arm: FloatArray) -> FloatArray:
    base, accent = np.asarray(outfit.top, np.float32), np.asarray(outfit.top_accent, np.float32)
    along = np.where(arm >= 0, 0.28 * arm, y)
    if outfit.pattern == "stripes":
        mark = (along * 22) % 1 < 0.42
    elif outfit.pattern == "checks":
        mark = ((along * 16) % 1 < 0.5) ^ ((x * 16) % 1 < 0.5)
    elif outfit.pattern == "print":
        ring = np.hypot(x, (y + 0.27) * 1.05)
        mark = (z < 0) & (arm < 0) & ((ring < 0.055) | ((ring > 0.075) & (ring < 0.09)))
    else:
        mark = np.zeros(len(x), bool)
    return np.where(mark[:, None], accent, base)


def _face(color: FloatArray, figure: Figure, points: FloatArray, is_head: BoolArray) -> None:
    """Eyes, brows and mouth, where the landmarks of the rest pose have them."""
    outfit, landmarks = figure.outfit, figure.shape.landmarks.numpy()
    front = is_head & (points[:, 2] < landmarks[list(EYES), 2].max() + 0.03)
    for eye in EYES:
        x, y = points[:, 0] - landmarks[eye, 0], points[:, 1] - landmarks[eye, 1]
        _ellipse(color, front, x, y, (0.0165, 0.0078), (244, 242, 238))
        _ellipse(color, front, x, y - 0.0005, (0.0068, 0.0068), outfit.iris)
        _ellipse(color, front, x, y - 0.0005, (0.0034, 0.0034), (16, 14, 14))
        _ellipse(color, front, x, y + 0.0085, (0.0175, 0.0016), (40, 30, 28))
        _ellipse(color, front, x, y + 0.0235 + 3.0 * x**2, (0.0205, 0.0038), outfit.hair)
    mouth = landmarks[list(MOUTH)].mean(0)
    x, y = points[:, 0] - mouth[0], points[:, 1] - mouth[1]
    smile = y + 7 * x**2
    _ellipse(color, front, x, smile, (0.0265, 0.0070), outfit.lips)
    _ellipse(color, front, x, smile - 0.0004, (0.0225, 0.0011), (96, 44, 44))
    for side in (-1, 1):
        _blend(color, front, x - side * 0.036, y + 0.03, 0.018, outfit.lips)


def _ellipse(
    color: FloatArray, where: BoolArray, x: FloatArray, y: FloatArray, radii: tuple[float, float], paint: Color
) -> None:
    color[where & ((x / radii[0]) ** 2 + (y / radii[1]) ** 2 < 1)] = paint


def _blend(color: FloatArray, where: BoolArray, x: FloatArray, y: FloatArray, radius: float, paint: Color) -> None:
    """A soft touch of colour, at most a quarter of it."""
    share = 0.25 * np.exp(-(x**2 + y**2) / radius**2) * where
    color += share[:, None] * (np.asarray(paint, np.float32) - color)
