"""Albums of recorded clips: the person of every frame, perceived as sources are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.catalog import load_body
from retarget_cli.core.files import write_whole
from retarget_cli.core.motion import FloatArray, Motion, join
from retarget_cli.core.progress import Silence
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.evaluation.streams import bounded_size, facts, frames
from retarget_cli.perception.cache import cache_key, content_hash, default_cache
from retarget_cli.perception.mask import person_mask
from retarget_cli.perception.plate import empty_plate, median_plate
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.training.album import Contents, save_album
from retarget_cli.workflows.driving import open_driving
from retarget_cli.workflows.evaluate_sources import excerpt_of
from retarget_cli.workflows.source import Shot, fit_views

Rows = NDArray[np.int64]

VERSION = 1
NOBODY = "nobody is seen in it"
# Frames that are kept of a clip, evenly spread.
_FRAMES = 120
# Of those that must follow each other, so many at most, and so many at a time.
_FRAMES_IN_ORDER, _RUN = 360, 40
# Pictures are kept so much larger than they are learned from: a person seldom fills a frame.
_FINER = 1.5
# Levels by which the frames may differ from a common plate, off the person, when the camera rests.
_AT_REST = 10.0


def key_of(stream: Stream, size: int, is_in_order: bool = False) -> str:
    """Of a clip's album."""
    return album_key(f"album {VERSION}{' in order' if is_in_order else ''}", stream, size)


def album_key(what: str, stream: Stream, size: int) -> str:
    """Of an album of some kind, of a clip."""
    options = {"what": what, "size": size, "first": stream.first, "count": stream.count}
    return cache_key(content_hash(stream.path), options)


def nobody_file(path: Path) -> Path:
    """What stands in an album's place where nobody is seen in the clip."""
    return path.with_suffix(".nobody")


def write_clip(stream: Stream, name: str, size: int, path: Path, is_in_order: bool = False) -> bool:
    """Make the album of a clip.

    Args:
        stream: the clip.
        name: of the album.
        size: of the pictures that will be learned from, pixels.
        path: of the album.
        is_in_order: keep runs of consecutive frames, not frames that are evenly spread.

    Returns:
        False where the person is seen in fewer than two frames; that is remembered too.

    Raises:
        InputError: the clip can't be read.
        OutputError: the album can't be written.
    """
    motion = _motion(stream)
    rows = np.flatnonzero(motion.present)
    rows = rows[chosen_runs(len(rows), _FRAMES_IN_ORDER, _RUN) if is_in_order else _spread(len(rows), _FRAMES)]
    if len(rows) < 2:
        write_whole(nobody_file(path), b"")
        return False
    full = facts(stream).size
    small = bounded_size(full, round(_FINER * size))
    wanted = {int(row) for row in rows}
    pictures = {index: picture for index, picture in frames(stream, small) if index in wanted}
    shots = [_shot(np.ascontiguousarray(pictures[row]), motion, row) for row in sorted(pictures)]
    views, betas = fit_views(shots, load_body("anny"))
    images, masks = ([getattr(shot, part) for shot in shots] for part in ("image", "mask"))
    pose, world, theta, camera = (
        np.stack([getattr(view, part) for view in views]) for part in ("pose", "world", "theta", "camera")
    )
    covers = np.rint(np.stack(masks) * 255).astype(np.uint8)
    behind = plates(images, masks)
    runs = run_numbers(rows) if is_in_order else None
    save_album(
        path, Contents(name, "anny", np.stack(images), covers, behind, pose, world, theta, camera, betas, runs)
    )
    return True


def chosen_runs(count: int, most: int, length: int) -> Rows:
    """Which of `count` frames are kept: all, or runs of `length`, evenly spread, that are `most` together."""
    if count <= most:
        return np.arange(count)
    firsts = np.linspace(0, count - length, max(1, most // length)).round().astype(np.int64)
    return np.unique(firsts[:, None] + np.arange(length))


def run_numbers(rows: Rows) -> Rows:
    """(T,) of frames whose places in the clip are rows (T,): the same number where each follows the one before it."""
    return np.cumsum(np.diff(rows, prepend=rows[:1]) > 1)


def _spread(count: int, most: int) -> Rows:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def plates(images: list[Image], masks: list[FloatArray]) -> Image:
    """What is behind the person: (1, H, W, 3) where the camera rests, else (T, H, W, 3)."""
    common = median_plate(images, masks)
    apart = [
        float(np.median(cv2.absdiff(image, common)[mask < 0.05])) if (mask < 0.05).any() else 0.0
        for image, mask in zip(images, masks, strict=True)
    ]
    if np.quantile(apart, 0.9) < _AT_REST:
        return common[None]
    return np.stack([empty_plate(image, mask) for image, mask in zip(images, masks, strict=True)])


def _motion(stream: Stream) -> Motion:
    """Of all frames, from the cache where it is known."""
    excerpt = excerpt_of(stream)
    with open_driving(stream.path, load_body("anny"), "largest", excerpt, default_cache(), Silence()) as driving:
        return join(list(driving.windows))


def _shot(image: Image, motion: Motion, row: int) -> Shot:
    """A frame with its person; landmarks are brought to the picture's pixels."""
    factor = np.array([image.shape[1] / motion.size[1], image.shape[0] / motion.size[0], 1], np.float32)
    finding = PoseFinding(motion.pose[row] * factor, motion.world[row], None)
    mask = person_mask(image, finding, None)
    return Shot(image, mask, replace(finding, soft_mask=mask))
