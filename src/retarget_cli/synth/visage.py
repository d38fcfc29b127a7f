"""A painted face: eyes, brows, mouth, beard, lines, glasses, where the rest pose's landmarks have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import EYES, MOUTH, NOSE, USUAL_EYES, Figure
from retarget_cli.synth.outfit import Color

BoolArray = NDArray[np.bool_]


def paint_face(figure: Figure, points: FloatArray) -> FloatArray:
    """(N, 3) RGB in [0, 255] of points of the head's skin (N, 3) at rest."""
    face, landmarks = figure.face, figure.shape.landmarks.numpy()
    size = float(landmarks[EYES[0], 0] - landmarks[EYES[1], 0]) / USUAL_EYES
    color = np.empty((len(points), 3), np.float32)
    color[:] = face.skin
    front = points[:, 2] < landmarks[list(EYES), 2].max() + 0.03 * size
    mouth, nose = landmarks[list(MOUTH)].mean(0), landmarks[NOSE]
    for side in (-1, 1):
        cheek = (points[:, 0] - side * 0.036 * size, points[:, 1] - mouth[1] + 0.03 * size)
        _touch(color, front, *cheek, 0.018 * size, face.lips)
    if face.beard:
        _beard(color, figure, points, mouth, size)
    for eye in EYES:
        x, y = (points[:, axis] - landmarks[eye, axis] for axis in (0, 1))
        _eye(color, front, x / size, y / size, figure)
    x, y = (points[:, 0] - mouth[0]) / size, (points[:, 1] - mouth[1]) / size
    smile = y + 9 * x**2
    _ellipse(color, front, x, smile, (0.0265, 0.0070), face.lips)
    _ellipse(color, front, x, smile - 0.0004, (0.0225, 0.0011), (96, 44, 44))
    if face.age > 0.3:
        _lines(color, front, points[:, 0] / size, (points[:, 1] - nose[1]) / size, face.age)
    return color


def _eye(color: FloatArray, front: BoolArray, x: FloatArray, y: FloatArray, figure: Figure) -> None:
    """One eye; x, y (N,) from its middle, in metres of an adult's face."""
    face = figure.face
    _ellipse(color, front, x, y, (0.0165, 0.0078), (244, 242, 238))
    _ellipse(color, front, x, y - 0.0005, (0.0068, 0.0068), face.iris)
    _ellipse(color, front, x, y - 0.0005, (0.0034, 0.0034), (16, 14, 14))
    _ellipse(color, front, x, y + 0.0085, (0.0175, 0.0016), (40, 30, 28))
    _ellipse(color, front, x, y + 0.0262 - 5.0 * x**2, (0.0205, 0.0038 * face.brow), _darker(face.hair))
    if face.has_glasses:
        ring = np.hypot(x / 0.026, (y - 0.002) / 0.021)
        color[front & (np.abs(ring - 1) < 0.085)] = (30, 28, 30)


def _beard(color: FloatArray, figure: Figure, points: FloatArray, mouth: FloatArray, size: float) -> None:
    x, y, z = points.T
    ear = float(figure.shape.landmarks[[7, 8], 2].mean())
    line = mouth[1] - 0.008 * size - 0.35 * np.maximum(np.abs(x) - 0.03 * size, 0)
    where = (y > line) & (z < ear - 0.008)
    where |= (np.abs(y - mouth[1] + 0.014 * size) < 0.006 * size) & (np.abs(x) < 0.03 * size) & (z < ear - 0.05)
    share = 0.18 if figure.face.beard == 1 else 0.85
    color[where] += share * (np.asarray(figure.face.hair, np.float32) - color[where])


def _lines(color: FloatArray, front: BoolArray, x: FloatArray, y: FloatArray, age: float) -> None:
    """Lines of age on the forehead and beside nose and mouth; x, y from the nose."""
    depth = 1 - 0.22 * age
    forehead = front & (np.abs(x) < 0.04) & (y < -0.075) & (np.sin(y * 480 + 6 * x**2 * 100) > 0.8)
    fold = front & (np.abs(np.abs(x) - 0.024 - 0.35 * (y + 0.005)) < 0.0016) & (y > -0.002) & (y < 0.045)
    color[forehead | fold] *= depth


def _darker(color: Color) -> Color:
    return color[0] * 3 // 4, color[1] * 3 // 4, color[2] * 3 // 4


def _ellipse(
    color: FloatArray, where: BoolArray, x: FloatArray, y: FloatArray, radii: tuple[float, float], paint: Color
) -> None:
    color[where & ((x / radii[0]) ** 2 + (y / radii[1]) ** 2 < 1)] = paint


def _touch(color: FloatArray, where: BoolArray, x: FloatArray, y: FloatArray, radius: float, paint: Color) -> None:
    """A soft touch of colour, at most a quarter of it."""
    share = 0.25 * np.exp(-(x**2 + y**2) / radius**2) * where
    color += share[:, None] * (np.asarray(paint, np.float32) - color)
