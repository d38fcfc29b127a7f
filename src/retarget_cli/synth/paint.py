"""The colour of each point of a person, from where it lies at rest: crisp at any resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.layout import Labels
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import EARS, Figure, before_spine
from retarget_cli.synth.outfit import Pattern
from retarget_cli.synth.parts import Part
from retarget_cli.synth.visage import paint_face

BoolArray = NDArray[np.bool_]
TROUSERS = (Part.BOTTOM, Part.LEFT_TROUSER, Part.RIGHT_TROUSER)
TOPS = (Part.TOP, Part.LEFT_SLEEVE, Part.RIGHT_SLEEVE)


def paint(figure: Figure, fields: FloatArray, parts: Labels) -> FloatArray:
    """(N, 3) RGB in [0, 255] of points whose interpolated `Figure.fields` (N, 8) and labels (N,) are given."""
    color = _flat(figure)[parts]
    _paint(color, parts == Part.FACE, figure, fields, _skin)
    _paint(color, parts == Part.HAIR, figure, fields, _hair)
    _paint(color, np.isin(parts, TOPS), figure, fields, _top)
    _paint(color, np.isin(parts, TROUSERS), figure, fields, _bottom)
    _paint(color, parts == Part.SKIRT, figure, fields, _skirt)
    _paint(color, parts == Part.JACKET, figure, fields, _jacket)
    _paint(color, parts >= Part.LEFT_SHOE, figure, fields, _shoe)
    if figure.outfit.socks is not None:
        shin = ((parts == Part.LEFT_CALF) | (parts == Part.RIGHT_CALF)) & (fields[:, 4] > 1.72)
        color[shin] = figure.outfit.socks
    return color


def _paint(color: FloatArray, where: BoolArray, figure: Figure, fields: FloatArray, brush: object) -> None:
    if where.any() and callable(brush):
        color[where] = brush(figure, fields[where])


def _flat(figure: Figure) -> FloatArray:
    """(parts, 3): the colour that each part begins with."""
    table = np.empty((len(Part), 3), np.float32)
    table[:] = figure.face.skin
    return table


def _skin(figure: Figure, fields: FloatArray) -> FloatArray:
    return paint_face(figure, fields[:, :3])


def _hair(figure: Figure, fields: FloatArray) -> FloatArray:
    """Strands that run down from the crown, and the shine on it."""
    x, y, z = fields[:, :3].T
    ears = figure.shape.landmarks.numpy()[list(EARS)].mean(0)
    around = np.arctan2(x, z - ears[2] - 0.02) + 0.06 * np.sin(70 * y)
    strands = 1 + 0.05 * np.sin(47 * around) + 0.06 * np.sin(101 * around + 30 * y) + 0.04 * np.sin(213 * around)
    strands += 0.13 * np.exp(-(((y - ears[1] + 0.085) / 0.02) ** 2))
    return np.asarray(figure.face.hair) * strands[:, None]


def _top(figure: Figure, fields: FloatArray) -> FloatArray:
    outfit = figure.outfit
    x, y, z, arm = fields[:, :4].T
    along = np.where((arm > 0) & (outfit.pattern != "block"), 0.28 * arm, y)
    mark = _pattern(outfit.pattern, x, along, z, (arm <= 0) & (z < 0), outfit.scale * figure.size, figure)
    color = np.where(mark[:, None], outfit.top_accent, outfit.top).astype(np.float32)
    edge = (figure.hem - y < 0.012) & (arm <= 0)
    edge |= (arm > 0) & (outfit.sleeve - arm < 0.06)
    edge |= (arm <= 0) & (y - figure.collar(fields) < 0.012)
    return color * np.where(edge, 0.82, 1.0)[:, None] * _folds(fields, 0.05)[:, None]


def _pattern(
    pattern: Pattern, x: FloatArray, y: FloatArray, z: FloatArray, front: BoolArray, scale: float, figure: Figure
) -> BoolArray:
    """(N,): where the second colour lies."""
    across = np.where(np.abs(z) > 2 * np.abs(x), x, np.hypot(x, 0.3 * z) * np.sign(x))
    if pattern == "stripes":
        return (y * 22 / scale) % 1 < 0.42
    if pattern == "upright":
        return (across * 30 / scale) % 1 < 0.35
    if pattern == "checks":
        return ((y * 16 / scale) % 1 < 0.5) ^ ((across * 16 / scale) % 1 < 0.5)
    if pattern == "dots":
        row = np.floor(y * 20 / scale)
        u, v = (across * 20 / scale + 0.5 * (row % 2)) % 1 - 0.5, (y * 20 / scale) % 1 - 0.5
        return u**2 + v**2 < 0.075
    if pattern == "block":
        return y < float(figure.shape.joints[9, 1]) - 0.02
    if pattern == "print":
        ring = np.hypot(x, (y - float(figure.shape.joints[9, 1]) - 0.01) * 1.05) / scale
        return front & ((ring < 0.055) | ((ring > 0.075) & (ring < 0.09)))
    return np.zeros(len(x), bool)


def _bottom(figure: Figure, fields: FloatArray) -> FloatArray:
    outfit = figure.outfit
    x, y, z, _, leg = fields[:, :5].T
    if outfit.bottom_pattern == "upright":  # a stripe down each side
        bone = figure.shape.joints.numpy()[[1, 4, 7]]
        middle, depth = (np.interp(y, bone[:, 1], bone[:, axis]) for axis in (0, 2))
        mark = (np.abs(z - depth) < 0.018) & (np.abs(x) > middle)
    else:
        mark = _pattern(outfit.bottom_pattern, x, y, z, np.zeros(len(x), bool), outfit.scale * figure.size, figure)
    color = np.where(mark[:, None], outfit.bottom_accent, outfit.bottom).astype(np.float32)
    belt = np.abs(y - figure.hem) < 0.018
    edge = belt | ((leg > 0) & (outfit.leg - leg < 0.05))
    return color * np.where(edge, 0.75, 1.0)[:, None] * _folds(fields, 0.06)[:, None]


def _skirt(figure: Figure, fields: FloatArray) -> FloatArray:
    outfit = figure.outfit
    x, y, z = fields[:, :3].T
    angle = np.arctan2(z - float(figure.shape.joints[0, 2]), x)
    around = 0.16 * angle
    flat, scale = np.zeros(len(x), np.float32), outfit.scale * figure.size
    mark = _pattern(outfit.bottom_pattern, around, y, flat, flat > 0, scale, figure)
    color = np.where(mark[:, None], outfit.bottom_accent, outfit.bottom).astype(np.float32)
    pleat = 1 + 0.09 * outfit.flare * np.cos(12 * angle)
    return color * pleat[:, None]


def _jacket(figure: Figure, fields: FloatArray) -> FloatArray:
    outfit = figure.outfit
    x, y, _, arm = fields[:, :4].T
    base = np.asarray(outfit.jacket or (0, 0, 0), np.float32)
    chest = float(figure.shape.joints[9, 1])
    front = (arm <= 0) & (before_spine(fields[:, :3], figure.shape.joints.numpy()) > 0.02)
    lapel = front & (np.abs(x) - 0.1 * np.abs(y - chest) < 0.055)
    edge = lapel | ((arm <= 0) & (figure.hem - y < 0.025)) | ((arm > 0) & (outfit.jacket_sleeve - arm < 0.07))
    return base * np.where(edge, 0.78, 1.0)[:, None] * _folds(fields, 0.05)[:, None]


def _shoe(figure: Figure, fields: FloatArray) -> FloatArray:
    outfit = figure.outfit
    y, z, foot = fields[:, 1], fields[:, 2], fields[:, 7]
    ground = float(figure.shape.vertices[:, 1].max())
    color = np.broadcast_to(np.asarray(outfit.shoes, np.float32), (len(y), 3)).copy()
    ankle = float(figure.shape.joints[7, 2])
    middle = float(figure.shape.joints[10, 0])
    laces = (np.abs(np.abs(fields[:, 0]) - middle) < 0.018) & (z > ankle - 0.1) & ((z * 110) % 1 < 0.35)
    laces &= (z < ankle - 0.03) & (y < ground - 0.04)
    color[laces] = np.asarray(outfit.sole)
    color[(foot < 0.62)] *= 0.85
    color[y > ground - 0.018] = outfit.sole
    return color


def _folds(fields: FloatArray, strength: float) -> FloatArray:
    """(N,): brightness of cloth, a little uneven, more so at elbows, knees and waist."""
    x, y, z, arm, leg = fields[:, :5].T
    at_joint = np.exp(-(((arm - 1) / 0.2) ** 2)) + np.exp(-(((leg - 1) / 0.15) ** 2))
    wave = np.sin(55 * y + 23 * x + 9 * np.sin(31 * x + 17 * z)) * np.sin(19 * x - 27 * z + 11 * y)
    return 1 + strength * (0.5 + at_joint) * wave
