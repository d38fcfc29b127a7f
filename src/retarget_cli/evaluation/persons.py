"""Where the person is in the true frames: from the data set's masks, or from the pose network's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from retarget_cli.evaluation.recordings import Masks, Stream
from retarget_cli.evaluation.streams import frames
from retarget_cli.media.files import write_whole
from retarget_cli.perception.person_tracker import PersonTracker

BoolArray = NDArray[np.bool_]


def true_persons(masks: Masks, like: Stream, size: tuple[int, int]) -> Iterator[BoolArray]:
    """(H, W) of every frame of a stream, from the data set's own masks.

    Raises:
        InputError: a mask is missing or damaged.
    """
    for _, picture in frames(replace(like, path=masks.path), size):
        yield picture[..., 0] >= masks.least


def perceived_persons(
    target: Stream, size: tuple[int, int], path: Path, tracker: PersonTracker
) -> Iterator[BoolArray]:
    """(H, W) of every frame of a stream, as the pose network sees it; remembered in a file for the next method.

    Frames in which nobody is found have no person: all False.

    Args:
        tracker: of films, with masks; it is started afresh.
    """
    known = _load(path)
    if known is not None and known.shape[1:] == (size[0], -(-size[1] // 8)):
        for row in known:
            yield np.unpackbits(row, axis=1, count=size[1]).astype(bool)
        return
    found: list[NDArray[np.uint8]] = []
    tracker.restart()
    for _, picture in frames(target, size):
        finding = tracker.find(np.ascontiguousarray(picture))
        soft = None if finding is None else finding.soft_mask
        person = np.zeros(size, bool) if soft is None else soft > 0.5
        found.append(np.packbits(person, axis=1))
        yield person
    write_whole(path, save({"packed": np.stack(found)}))


def _load(path: Path) -> NDArray[np.uint8] | None:
    """None where there is no such file, or it was cut short: then the frames are looked at again."""
    if not path.is_file():
        return None
    try:
        return np.asarray(load_file(path)["packed"])
    except (SafetensorError, KeyError, OSError):
        return None
