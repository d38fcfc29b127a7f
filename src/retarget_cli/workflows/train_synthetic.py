"""Albums of synthetic clips: their own truth, nothing is perceived."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.subject import Image
from retarget_cli.perception.cache import cache_key, content_hash
from retarget_cli.perception.motion_file import load_motion
from retarget_cli.training.album import Contents, save_album

VERSION = 1
# Renditions that show one person in one outfit in one place (docs/synth.md).
GROUPS = (("source", "self", "turn"), ("other", "turn_other"), ("garment", "clothes"))
# Those in which the camera may move.
_MOVING = ("self", "other", "clothes")
_PICTURE_HINT = "make the data set again with `retarget synth`"


def groups_of(clip: Path) -> list[tuple[str, ...]]:
    """The renditions of a clip that go into one album each."""
    there = [tuple(name for name in group if (clip / name / "truth.motion").is_file()) for group in GROUPS]
    return [group for group in there if group]


def key_of(clip: Path, group: Sequence[str], is_in_order: bool = False) -> str:
    """Of the album of some renditions: what was drawn, the bodies, and a picture of each."""
    parts = [clip / "clip.json"]
    for name in group:
        parts += [clip / name / "truth.motion", clip / name / "frames" / "000000.png"]
    options: dict[str, object] = {"what": f"synthetic album {VERSION}"}
    if is_in_order:
        options["in order"] = True
    return cache_key(" ".join(content_hash(part) for part in parts), options)


def write_synthetic(clip: Path, group: Sequence[str], path: Path) -> None:
    """Make an album of some renditions of a clip.

    Raises:
        InputError: a file of the clip is missing or damaged.
        OutputError: the album can't be written.
    """
    views = _views(clip)
    parts = [_rendition(clip / name, views if name in _MOVING else []) for name in group]
    motion = join([part[0] for part in parts])
    images, masks = (np.concatenate([part[row] for part in parts]) for row in (1, 2))
    plates = [part[3] for part in parts]
    if all(len(plate) == 1 for plate in plates):
        together = plates[0]
    else:
        spread = [np.broadcast_to(plate, part[1].shape) for plate, part in zip(plates, parts, strict=True)]
        together = np.concatenate(spread)
    assert motion.theta is not None
    assert motion.camera is not None
    assert motion.betas is not None
    runs = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    save_album(
        path,
        Contents(
            f"{clip.name}/{group[0]}", motion.body, images, masks, together, motion.pose, motion.world, motion.theta,
            motion.camera, motion.betas, runs,
        ),
    )  # fmt: skip


def _views(clip: Path) -> list[dict[str, float]]:
    """How the camera of a clip moves: zoom, right, down of each frame; empty when it rests."""
    try:
        found = json.loads((clip / "clip.json").read_text("utf-8"))
        return [dict(view) for view in found["drawn"]["views"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{clip / 'clip.json'} is damaged: {error}", _PICTURE_HINT) from error


def _rendition(
    folder: Path, views: Sequence[dict[str, float]]
) -> tuple[Motion, Image, NDArray[np.uint8], Image]:
    """Motion, pictures (T, H, W, 3), masks (T, H, W), plates (1 or T, H, W, 3)."""
    motion = load_motion(folder / "truth.motion")
    names = [f"{row:06d}.png" for row in range(len(motion))]
    images = np.stack([_read(folder / "frames" / name) for name in names])
    masks = np.stack([_read(folder / "mask" / name, cv2.IMREAD_GRAYSCALE) for name in names])
    plate = _read(folder / "plate.png")
    if not views:
        return motion, images, masks, plate[None]
    seen = [_moved(plate, view, image) for view, image in zip(views, images, strict=True)]
    return motion, images, masks, np.stack(seen)


def _moved(plate: Image, view: dict[str, float], image: Image) -> Image:
    """The room as a moving camera shows it in a frame.

    The plate is that of the first frame, where the camera is at rest. What it does not reach, at the border, is
    taken from the frame: nobody is there.
    """
    height, width = plate.shape[:2]
    zoom = view["zoom"]
    # Points are counted from the corner of a pixel, OpenCV counts from its middle.
    shift = [view[name] + (zoom - 1) / 2 for name in ("right", "down")]
    way = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64)
    warped = cv2.warpAffine(plate, way, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    reach = cv2.warpAffine(np.ones((height, width), np.float32), way, (width, height), flags=cv2.INTER_LINEAR)
    return np.where(reach[..., None] > 0.999, warped, image).astype(np.uint8)


def _read(path: Path, way: int = cv2.IMREAD_COLOR) -> NDArray[Any]:
    picture = cv2.imread(str(path), way)
    if picture is None:
        raise InputError(f"{path} is missing or damaged", _PICTURE_HINT)
    return np.ascontiguousarray(picture[..., ::-1]) if picture.ndim == 3 else picture
