"""Fill a hole of a picture with what lies around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.inpainting_kernel import COUNT, REACH, SIDE, measure, peel, relax, search, vote

COARSEST_REACH = 8.0
COARSEST_SHORT = 24
ROUNDS = (6, 5, 4, 3, 2)
SEED = 20
RISE = 2000.0
TEXTURE = 10.0
SHARP = 5.0
HOLD = 1e-3
SWEEPS = 30
LOW, HIGH = 3.0, 8.0


@dataclass
class Level:
    lab: FloatArray
    hole: np.ndarray
    source: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    trust: FloatArray


def make_level(lab, hole):
    h, w = hole.shape
    size = np.ones((SIDE, SIDE), np.uint8)
    touches = cv2.dilate(hole.astype(np.uint8), size) > 0
    inside = np.zeros_like(hole)
    inside[REACH : h - REACH, REACH : w - REACH] = True
    wider = cv2.dilate(hole.astype(np.uint8), np.ones((SIDE + 2, SIDE + 2), np.uint8)) > 0
    source = inside & ~wider
    source[h - REACH - 1 :] = False
    source[:, w - REACH - 1 :] = False
    rows, columns = np.nonzero(inside & touches)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    trust = np.power(np.float32(1.3), -np.minimum(depth, 60)).astype(np.float32)
    return Level(lab, hole, source, rows, columns, trust)


def pyramid(lab, hole):
    levels = [make_level(lab, hole)]
    known = (~hole).astype(np.float32)
    lab = lab.copy()
    while True:
        depth = cv2.distanceTransform(levels[-1].hole.astype(np.uint8), cv2.DIST_L2, 3).max()
        h, w = levels[-1].hole.shape
        if depth <= COARSEST_REACH or min(h, w) // 2 < COARSEST_SHORT:
            return levels
        size = ((w + 1) // 2, (h + 1) // 2)
        a = cv2.resize(lab * known[..., None], size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        lab = a / np.maximum(share, 1e-3)[..., None]
        hole = share < 0.5
        known = (~hole).astype(np.float32)
        level = make_level(lab, hole)
        if level.source.sum() < 50 or not len(level.rows):
            return levels
        levels.append(level)


def completed(image, hole, debug=None):
    lab = np.dstack([image.astype(np.float32), texture(image, hole)])
    levels = pyramid(lab, hole)
    field = None
    for number in range(len(levels) - 1, -1, -1):
        level = levels[number]
        picture = np.ascontiguousarray(level.lab)
        rise = RISE / picture.shape[0]
        if field is None:
            field = started(level, picture, rise)
            blank = True
        else:
            field = upsampled(level, field)
            blank = False
            grown = cv2.resize(previous, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            picture[level.hole] = grown[level.hole]
        n = ROUNDS[min(len(levels) - 1 - number, len(ROUNDS) - 1)]
        h, w = level.hole.shape
        refined(level, picture, field, rise, n, 1 << 30 if number == len(levels) - 1 else 8 if number else 2)
        previous = picture
        if debug is not None:
            debug.append(picture[..., :3].copy())
    return np.clip(picture[..., :3] + 0.5, 0, 255).astype(np.uint8)


def texture(image, hole):
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    size = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 4
    slope = np.minimum(slope, 40)
    slope[size] = 0
    known = (~size).astype(np.float32)
    radius = (15, 15)
    return TEXTURE * cv2.blur(slope, radius) / np.maximum(cv2.blur(known, radius), 1e-3)


def started(level, picture, rise):
    field = np.full((*level.hole.shape, 2), -1, np.int32)
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 5)
    order = np.lexsort((np.arange(level.hole.sum()), depth[level.hole]))
    ys, xs = np.nonzero(level.hole)
    flat = picture.reshape(picture.shape[0], -1)
    sy, sx = np.nonzero(level.source)
    peel(flat, ~level.hole, sy, sx, ys[order], xs[order], field, rise)
    return filled_field(level, field)


def filled_field(level, field):
    """give each target a legal source: nearest one"""
    near = ndimage.distance_transform_edt(~level.source, return_distances=False, return_indices=True)
    h, w = level.hole.shape
    has = field[..., 0] >= 0
    # those without: from nearest that has
    idx = ndimage.distance_transform_edt(~has, return_distances=False, return_indices=True)
    yy, xx = np.mgrid[:h, :w]
    y = field[idx[0], idx[1], 0] + yy - idx[0]
    x = field[idx[0], idx[1], 1] + xx - idx[1]
    y = np.clip(y, 0, h - 1)
    x = np.clip(x, 0, w - 1)
    out = np.full_like(field, -1)
    r, c = level.rows, level.columns
    out[r, c, 0] = near[0][y[r, c], x[r, c]]
    out[r, c, 1] = near[1][y[r, c], x[r, c]]
    return out


def upsampled(level, field):
    h, w = level.hole.shape
    out = np.full((h, w, 2), -1, np.int32)
    yy, xx = np.mgrid[:h, :w]
    small = field[yy // 2, xx // 2]
    has = small[..., 0] >= 0
    out[..., 0] = np.where(has, small[..., 0] * 2 + yy % 2, -1)
    out[..., 1] = np.where(has, small[..., 1] * 2 + xx % 2, -1)
    return filled_field(level, out)


def refined(level, picture, field, rise, rounds, widest):
    flat = picture.reshape(picture.shape[0], -1)
    error = np.zeros(level.hole.shape, np.float32)
    widest = min(widest, max(level.hole.shape))
    # first vote from the field itself
    voted(level, picture, field, None)
    for number in range(rounds):
        mean = cv2.blur(picture, (SIDE, SIDE))
        measure(flat, mean, level.rows, level.columns, field, error, rise)
        for k in range(2):
            search(flat, mean, level.source, level.rows, level.columns, field, error, rise, bool(k), widest, SEED + number * 2 + k)
        voted(level, picture, field, error)


def settle(votes, picture, hole):
    """Where the voted steps contradict the voted colours much, the colours are right: an edge, no seam."""
    colour = picture[..., :3]
    touched = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    for part, axis in ((votes[:, :, 4:7], 1), (votes[:, :, 7:10], 0)):
        step = np.diff(colour, axis=axis)
        there = part[:, :-1] if axis else part[:-1]
        apart = step - there
        size = np.abs(apart).max(-1, keepdims=True)
        share = np.clip((size - LOW) / (HIGH - LOW), 0, 1)
        there += share * apart


def voted(level, picture, field, error):
    flat = picture.reshape(picture.shape[0], -1)
    if error is None:
        weight = level.trust
        mean = cv2.blur(picture, (SIDE, SIDE))
    else:
        mean = cv2.blur(picture, (SIDE, SIDE))
        near = cv2.boxFilter(error, -1, (2 * SIDE - 1, 2 * SIDE - 1), normalize=False)
        many = cv2.boxFilter((error > 0).astype(np.float32), -1, (2 * SIDE - 1, 2 * SIDE - 1), normalize=False)
        weight = level.trust * np.exp(-SHARP * error / (near / np.maximum(many, 1) + 1)) + 1e-12
    total = vote(flat, mean, level.rows, level.columns, field, weight.astype(np.float32))
    total /= np.maximum(total[..., 10:], 1e-20)
    picture[level.hole] = total[level.hole][:, :4]
    ys, xs = np.nonzero(level.hole)
    settle(total, picture, level.hole)
    relax(picture, total, ys, xs, HOLD, SWEEPS)
