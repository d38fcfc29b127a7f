"""Albums of pictures alone, for methods that are led by pixels: nothing is known of what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import NOBODY, Image, unperceived
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.evaluation.streams import bounded_size, facts, frames
from retarget_cli.perception.cache import cache_key, content_hash
from retarget_cli.training.album import Contents, save_album
from retarget_cli.workflows.spreading import spread
from retarget_cli.workflows.train_clips import album_key

VERSION = 1
# Renditions that show one thing in one place (docs/synth.md), from where it can be seen without going about it.
GROUPS = (("source", "self"), ("other",), ("garment", "clothes"))
STILL = "it has fewer than two frames"
# Frames that are kept of a recorded clip, evenly spread; and how much larger than they are learned from.
_FRAMES, _FINER = 120, 1.25


def groups_of(clip: Path) -> list[tuple[str, ...]]:
    """The renditions of a synthetic clip that go into one album each."""
    there = [tuple(name for name in group if (clip / name / "frames").is_dir()) for group in GROUPS]
    return [group for group in there if group]


def key_of(clip: Path, group: Sequence[str]) -> str:
    """Of the album of some renditions: what was drawn, and a picture of each."""
    parts = [clip / "clip.json", *(clip / name / "frames" / "000000.png" for name in group)]
    return cache_key(" ".join(content_hash(part) for part in parts), {"what": f"pictures {VERSION}"})


def stream_key(stream: Stream, size: int) -> str:
    """Of a clip's album."""
    return album_key(f"pictures {VERSION}", stream, size)


def write_group(clip: Path, group: Sequence[str], path: Path) -> None:
    """Make an album of some renditions of a clip.

    Raises:
        InputError: a picture is missing or damaged.
        OutputError: the album can't be written.
    """
    files = [file for name in group for file in sorted((clip / name / "frames").glob("*.png"))]
    save_album(path, contents_of(f"{clip.name}/{group[0]}", [_read(file) for file in files]))


def write_stream(stream: Stream, name: str, size: int, path: Path) -> bool:
    """Make the album of a clip.

    Args:
        stream: the clip.
        name: of the album.
        size: of the pictures that will be learned from, pixels.
        path: of the album.

    Returns:
        False where it has fewer than two frames.

    Raises:
        InputError: the clip can't be read.
        OutputError: the album can't be written.
    """
    full = facts(stream).size
    # The shorter side is what a square is cut from.
    small = bounded_size(full, round(_FINER * size * max(full) / min(full)))
    kept = spread(frames(stream, small), _FRAMES)
    if len(kept) < 2:
        return False
    save_album(path, contents_of(name, kept))
    return True


def contents_of(name: str, pictures: Sequence[Image]) -> Contents:
    """An album in which nobody is known."""
    images = np.stack(pictures)
    count, height, width = images.shape[:3]
    view = unperceived(images[0])
    pose, world, theta, camera = (
        np.stack([each] * count) for each in (view.pose, view.world, view.theta, view.camera)
    )
    return Contents(
        name, NOBODY, images, np.full((count, height, width), 255, np.uint8), np.zeros((1, height, width, 3), np.uint8),
        pose, world, theta, camera, np.zeros(0, np.float32),
    )  # fmt: skip


def _read(path: Path) -> Image:
    picture = cv2.imread(str(path))
    if picture is None:
        raise InputError(f"{path} is missing or damaged", "make the data set again with `retarget synth`")
    return np.ascontiguousarray(picture[..., ::-1])
