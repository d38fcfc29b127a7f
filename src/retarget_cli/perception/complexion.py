"""The person's own colours: skin from the cheeks, hair from around the face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.regions import BoolArray

EARS, EYES, MOUTH = (7, 8), (1, 2, 3, 4, 5, 6), (9, 10)
# Distances in Lab with lightness at a third: shade changes lightness, and little else.
LIGHTNESS = 0.35
SKIN_REACH, HAIR_REACH = 17.0, 16.0


@dataclass(frozen=True, slots=True)
class Complexion:
    """Colours of skin and hair.

    Attributes:
        skin: (3,) uint8 RGB; None when no face is seen.
        hair: (3,) uint8 RGB; None when none shows, or it can't be told from skin.
        face: (H, W) the oval of the face.
    """

    skin: Image | None
    hair: Image | None
    face: BoolArray

    def is_skin(self, image: Image, tolerance: float = 1.0) -> BoolArray:
        """(H, W): pixels of the colour of the person's skin; a larger tolerance allows for deep shadow."""
        return _alike(image, self.skin, SKIN_REACH * tolerance)

    def is_hair(self, image: Image) -> BoolArray:
        """(H, W): pixels of the colour of the person's hair."""
        hair = _alike(image, self.hair, HAIR_REACH)
        return hair & (_distance(image, self.hair) < _distance(image, self.skin)) if hair.any() else hair


def complexion(image: Image, pose: FloatArray, head: BoolArray) -> Complexion:
    """Read the colours off a picture.

    Args:
        pose: (33, 3) landmarks.
        head: (H, W) pixels of the head, hair included.
    """
    face = face_oval(pose, head.shape) & head
    if not face.any() or pose[0, 2] < 0.5:
        return Complexion(None, None, face)
    colors = image[face].astype(np.float32)
    brightness = colors.sum(1)
    # The brighter half leaves out brows, lips, beard and shadow.
    skin = np.median(colors[brightness >= np.median(brightness)], axis=0).astype(np.uint8)
    ears = pose[list(EARS), 1].max()
    rows = np.arange(head.shape[0])[:, None]
    around = head & ~face & (rows < ears)
    around &= ~_alike(image, skin, SKIN_REACH)
    if around.sum() < 0.08 * face.sum():
        return Complexion(skin, None, face)
    return Complexion(skin, np.median(image[around], axis=0).astype(np.uint8), face)


def face_oval(pose: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    """(H, W): the face from brow to chin, from the landmarks of eyes, ears and mouth."""
    points = pose[:, :2]
    eyes, mouth = points[list(EYES)].mean(0), points[list(MOUTH)].mean(0)
    down = mouth - eyes
    length = float(np.linalg.norm(down)) + 1e-6
    across = max(float(np.linalg.norm(points[EARS[0]] - points[EARS[1]])), 0.8 * length)
    center = eyes + 0.45 * down
    oval = np.zeros(shape, np.uint8)
    axes = (max(1, round(1.45 * length)), max(1, round(0.6 * across)))
    angle = float(np.degrees(np.arctan2(down[1], down[0])))
    cv2.ellipse(oval, (round(float(center[0])), round(float(center[1]))), axes, angle, 0, 360, 1, -1)
    return oval > 0


def _alike(image: Image, color: Image | None, reach: float) -> BoolArray:
    return _distance(image, color) < reach


def _distance(image: Image, color: Image | None) -> FloatArray:
    """(H, W) distance from one colour; infinite where there is none to compare with."""
    if color is None:
        return np.full(image.shape[:2], np.inf, np.float32)
    return color_distance(image, np.broadcast_to(color, image.shape))


def color_distance(one: Image, other: Image, lightness: float = LIGHTNESS) -> FloatArray:
    """(H, W) distance of two pictures (H, W, 3) in Lab, with lightness scaled by `lightness`."""
    first, second = (
        cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)
        for picture in (one, other)
    )
    away = (first - second) * np.array([lightness, 1, 1], np.float32)
    return np.asarray(np.linalg.norm(away, axis=-1), np.float32)
