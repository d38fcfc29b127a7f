"""Where something is in pictures of which nothing is known: what stands out from the border, and what moves."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.workflows.cropping import Box, spanned

# Pictures are looked at with a longer side of so many pixels.
_SIDE = 128
# Frames that a clip is told by, evenly spread.
_MOST_FRAMES = 48
# The least difference that is more than noise: of CIE Lab units, and of 255 levels.
_LEAST_CONTRAST, _LEAST_CHANGE = 10.0, 9.0
# Patches below this share of the largest are dirt; a thing has at least this share of the picture; a box with more than
# that is as good as the whole picture.
_DIRT, _SMALLEST, _LARGEST = 0.1, 0.002, 0.92
_BORDER_SAMPLES = 300
# A colour that has less than this share of the border belongs to what touches it.
_BORDER_SHARE = 0.04

Levels = NDArray[np.uint8]


def salient_box(image: Image) -> Box | None:
    """About what differs in colour from a picture's border; None where nothing does, or everything.

    The middle of the lower edge is no border: things stand there, and portraits end there.
    """
    return _boxed(_salient(_small(image)), (image.shape[0], image.shape[1]))


def moving_box(frames: Iterable[Image]) -> Box | None:
    """About what moves in frames of one size, and whatever stands out there; None where nothing moves, or everything.

    Memory is a few dozen small pictures, however many frames there are.
    """
    size: tuple[int, int] | None = None
    kept: list[Image] = []
    stride = 1
    for number, frame in enumerate(frames):
        size = frame.shape[0], frame.shape[1]
        if number % stride == 0:
            kept.append(_small(frame))
        if len(kept) > _MOST_FRAMES:
            kept, stride = kept[::2], 2 * stride
    if size is None or len(kept) < 2:
        return None
    stack = np.stack(kept).astype(np.float32)
    change = np.abs(stack - np.median(stack, axis=0)).max(-1)
    # The largest change is kept but for a frame or two, which may be flashes.
    level = np.sort(change, axis=0)[-1 - len(kept) // 16]
    moving = _patches(cv2.GaussianBlur(level, (5, 5), 0), _LEAST_CHANGE)
    found = _boxed(moving, size)
    return found if found is None else _boxed(_with_things(moving, kept[len(kept) // 2]), size) or found


def _with_things(moving: Levels, picture: Image) -> Levels:
    """What moves, and the things that it is a part of: of a face, only the mouth may move."""
    _, labels = cv2.connectedComponents(_salient(picture), connectivity=8)
    touched = np.unique(labels[moving > 0])
    return np.asarray((moving > 0) | (np.isin(labels, touched) & (labels > 0)), np.uint8)


def _salient(small: Image) -> Levels:
    """(H, W) 0 or 1: where a picture differs in colour from its border."""
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    border = _border(lab)
    rank = min(max(1, round(_BORDER_SHARE * len(border))), len(border) - 1)
    apart = np.stack([np.linalg.norm(lab - colour, axis=-1) for colour in border])
    nearest = np.partition(apart, rank, axis=0)[rank]
    return _patches(cv2.GaussianBlur(nearest, (5, 5), 0), _LEAST_CONTRAST)


def _small(image: Image) -> Image:
    factor = min(1.0, _SIDE / max(image.shape[:2]))
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _border(lab: FloatArray) -> FloatArray:
    """(N, 3): colours of the left, upper and right edges and of the lower one's ends."""
    width = lab.shape[1]
    edges = (lab[:2], lab[:, :2], lab[:, -2:], lab[-2:, : width // 5], lab[-2:, -(width // 5) :])
    colours = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    return np.asarray(colours[:: max(1, len(colours) // _BORDER_SAMPLES)], np.float32)


def _patches(level: FloatArray, least: float) -> Levels:
    """(H, W) 0 or 1: where a level is high, by Otsu's threshold, and not in specks."""
    scaled = np.clip(level / max(float(level.max()), 1e-6) * 255, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    threshold = max(least, 0.7 * otsu / 255 * float(level.max()))
    high = (level > threshold).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(high, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _boxed(patches: Levels, size: tuple[int, int]) -> Box | None:
    """About all patches but the smallest, in pixels of a picture of (height, width) `size`."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(patches, connectivity=8)
    parts = sorted((tuple(map(int, row)) for row in islice(stats, 1, count)), key=lambda row: -row[4])
    if not parts or parts[0][4] < _SMALLEST * patches.size:
        return None
    kept = [row for row in parts if row[4] >= _DIRT * parts[0][4]]
    left, top = min(row[0] for row in kept), min(row[1] for row in kept)
    right, bottom = max(row[0] + row[2] for row in kept), max(row[1] + row[3] for row in kept)
    if (right - left) * (bottom - top) > _LARGEST * patches.size:
        return None
    small = (patches.shape[0], patches.shape[1])
    return spanned(left, top, right, bottom, small).scaled(small, size)
