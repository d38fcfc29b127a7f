"""Fill a hole of a picture with what lies around it.

Patches that touch the hole are matched to known ones, which then vote for the hole's pixels, by turns and from a
small picture to the full one: Wexler et al., Space-Time Completion of Video, PAMI 2007, with the search of
PatchMatch (Barnes et al., SIGGRAPH 2009). As in Image Melding (Darabi et al., SIGGRAPH 2012) a patch may be lighter
or darker than the place it goes to, and patches vote for the steps between pixels, from which the picture is solved:
so a wall's gradient runs on through the hole and no seam shows.

Compared on photos of the shared data: OpenCV's Telea, Navier-Stokes and FSR_FAST (at a quarter of the size) smear a
hole this large; SHIFTMAP (at half the size) leaves pixels unfilled and takes 2 to 20 s.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.inpainting_field import Field, finer_field, first_field
from retarget_cli.perception.inpainting_kernel import SIDE, keep_edges, measure, relax, search, vote
from retarget_cli.perception.inpainting_level import Level, Region, levels_of

# Turns of search and vote, from the coarsest level on; the last for all that follow.
_ROUNDS = (14, 12, 8, 3, 2)
# With more targets than this the field is only looked up.
_MOST_TARGETS = 500_000
# Half the square in which random search looks, at levels between the coarsest and the finest.
_WIDEST = 8
# What copying from the top of the picture to its bottom costs, in squared levels: pictures of standing people are
# layered (sky, wall, floor; far and near), so the same height is likelier right (offsets cluster so: He and Sun,
# Statistics of Patch Offsets for Image Completion, ECCV 2012).
_RISE = 1500.0
# How fast a patch's vote fades as it fits worse than those around it: averages of unlike patches are blurs.
_SHARP = 5.0
# A voted value weighs so much beside a voted step, and the equation is swept so often.
_HOLD = 1e-3
_SWEEPS = 30
# Where values and steps contradict each other by more levels than these there is an edge, not a seam.
_SEAM, _EDGE = 3.0, 8.0
# For pictures too small for a patch.
_TELEA_RADIUS = 3.0


def completed(image: Image, hole: Region) -> Image:
    """(H, W, 3) uint8 with the hole (H, W) filled; all other pixels stay as they are, and so do all where no pixel
    is known. The same input gives the same output.
    """
    if not hole.any() or hole.all():
        return image.copy()
    levels = levels_of(image, hole)
    if not levels[0].usable:
        return _smooth(image, hole)
    picture = levels[-1].picture.copy()
    field = first_field(levels[-1], picture, _rise(levels[-1]))
    for number, level in enumerate(reversed(levels)):
        if number > 0:
            coarse = cv2.resize(picture, level.hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
            picture = np.ascontiguousarray(np.where(level.hole[..., None], coarse, level.picture), np.float32)
            field = finer_field(level, field)
        finest = number == len(levels) - 1
        widest = max(level.hole.shape) if number == 0 else 2 if finest else _WIDEST
        rounds = _ROUNDS[min(number, len(_ROUNDS) - 1)] if len(level.targets) < _MOST_TARGETS else 0
        _refine(level, picture, field, rounds, widest)
    out = image.copy()
    out[hole] = np.clip(picture[hole][:, :3] + 0.5, 0, 255).astype(np.uint8)
    return out


def _rise(level: Level) -> float:
    return _RISE / level.hole.shape[0]


def _refine(level: Level, picture: FloatArray, field: Field, rounds: int, widest: int) -> None:
    """Search and vote by turns; `picture` (its hole) and `field` are improved."""
    error = np.zeros(level.hole.shape, np.float32)
    flat = picture.reshape(len(picture), -1)
    mean = cv2.blur(picture, (SIDE, SIDE))
    _fill(level, picture, mean, field, level.trust)
    for number in range(rounds):
        mean = cv2.blur(picture, (SIDE, SIDE))
        measure(flat, mean, level.targets, field, error, _rise(level))
        for backward in (False, True):
            seed = 2 * number + backward
            search(
                flat, mean, level.source, level.targets, field, error, _rise(level), backward, widest, seed
            )  # fmt: skip
        _fill(level, picture, mean, field, _weight(level, error))


def _weight(level: Level, error: FloatArray) -> FloatArray:
    """(H, W) how much each target's patch counts: by depth, and by its fit as compared with those around it."""
    box = (2 * SIDE - 1, 2 * SIDE - 1)
    usual = cv2.blur(error, box) / np.maximum(cv2.blur((error > 0).astype(np.float32), box), 1e-6)
    fit = np.exp(-_SHARP * np.maximum(error, 0) / (np.maximum(usual, 0) + 1))
    return np.asarray(level.trust * fit + 1e-12, np.float32)


def _fill(level: Level, picture: FloatArray, mean: FloatArray, field: Field, weight: FloatArray) -> None:
    """Let the patches vote, and solve for the hole's pixels."""
    votes = vote(picture, mean, level.targets, field, weight)
    votes /= np.maximum(votes[..., 10:], 1e-20)
    picture[level.hole] = votes[level.hole][:, :4]
    keep_edges(votes, picture, _SEAM, _EDGE)
    relax(picture, votes, level.pixels, _HOLD, _SWEEPS)


def _smooth(image: Image, hole: Region) -> Image:
    """For pictures in which no whole patch is known."""
    filled = cv2.inpaint(image, hole.astype(np.uint8), _TELEA_RADIUS, cv2.INPAINT_TELEA)
    return np.where(hole[..., None], filled, image).astype(np.uint8)
