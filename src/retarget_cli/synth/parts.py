"""What is seen at a point of a dressed person: the finer labels, and the six classes they make up."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.layout import Labels, Region
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import Figure, Layer, hair_cover

CLASSES = tuple(region.name.lower() for region in Region)


class Part(IntEnum):
    """A finer label."""

    BACKGROUND = 0
    HAIR = 1
    FACE = 2
    NECK = 3
    TOP = 4
    LEFT_SLEEVE = 5
    RIGHT_SLEEVE = 6
    JACKET = 7
    BOTTOM = 8
    LEFT_TROUSER = 9
    RIGHT_TROUSER = 10
    SKIRT = 11
    LEFT_UPPER_ARM = 12
    RIGHT_UPPER_ARM = 13
    LEFT_LOWER_ARM = 14
    RIGHT_LOWER_ARM = 15
    LEFT_HAND = 16
    RIGHT_HAND = 17
    LEFT_THIGH = 18
    RIGHT_THIGH = 19
    LEFT_CALF = 20
    RIGHT_CALF = 21
    LEFT_SHOE = 22
    RIGHT_SHOE = 23


_HEAD = (Part.HAIR, Part.FACE, Part.NECK)
_TOP = (Part.TOP, Part.LEFT_SLEEVE, Part.RIGHT_SLEEVE, Part.JACKET)
_BOTTOM = (Part.BOTTOM, Part.LEFT_TROUSER, Part.RIGHT_TROUSER, Part.SKIRT)
_SHOES = (Part.LEFT_SHOE, Part.RIGHT_SHOE)


def class_of(part: Part) -> Region:
    """The class of a finer label."""
    groups = (((Part.BACKGROUND,), Region.BACKGROUND), (_HEAD, Region.HEAD), (_TOP, Region.TOP))
    for group, region in (*groups, (_BOTTOM, Region.BOTTOM), (_SHOES, Region.SHOES)):
        if part in group:
            return region
    return Region.LIMBS


PARSING: Labels = np.array([class_of(part) for part in Part], np.uint8)


def parts_at(figure: Figure, fields: FloatArray, layer: Labels) -> Labels:
    """(N,) finer labels of points whose interpolated fields (N, 8) and layers (N,) are given."""
    outfit = figure.outfit
    x, y, _, arm, leg, head, hand, foot = fields.T
    right = (x < 0).astype(np.uint8)
    parts = np.full(len(fields), Part.NECK, np.uint8)
    on_arm, on_leg = arm > 0, leg > 0
    above = (y <= figure.hem) | (on_arm & (hand < 0.5))
    _set(parts, on_arm & (arm < 1), Part.LEFT_UPPER_ARM + right)
    _set(parts, on_arm & (arm >= 1), Part.LEFT_LOWER_ARM + right)
    _set(parts, ~above & ~on_arm, Part.BOTTOM + 0 * right)
    _set(parts, on_leg & (leg < 1) & ~above, Part.LEFT_THIGH + right)
    _set(parts, on_leg & (leg >= 1) & ~above, Part.LEFT_CALF + right)
    covered = on_leg & ~above & (leg < outfit.leg)
    _set(parts, covered, Part.LEFT_TROUSER + right)
    worn = ~on_arm & (y > figure.collar(fields)) & (y <= figure.hem) & (head < 0.5)
    _set(parts, worn, Part.TOP + 0 * right)
    _set(parts, on_arm & (arm < outfit.sleeve) & (hand < 0.5), Part.LEFT_SLEEVE + right)
    _set(parts, hand > 0.5, Part.LEFT_HAND + right)
    _set(parts, foot > 0.55, Part.LEFT_SHOE + right)
    _set(parts, head > 0.5, Part.FACE + 0 * right)
    if figure.face.style != "bald":
        cover = hair_cover(fields[:, :3], figure.shape.landmarks.numpy(), figure.face)
        _set(parts, (head > 0.35) & (cover > 0), Part.HAIR + 0 * right)
    for number, part in ((Layer.SKIRT, Part.SKIRT), (Layer.JACKET, Part.JACKET), (Layer.HAIR, Part.HAIR)):
        parts[layer == number] = part
    return parts


def _set(parts: Labels, where: NDArray[np.bool_], value: Labels) -> None:
    parts[where] = value[where]
