"""Some of a clip's frames, however long it is."""

from __future__ import annotations

from collections.abc import Iterable

from retarget_cli.core.subject import Image


def spread(frames: Iterable[tuple[int, Image]], most: int) -> list[Image]:
    """Frames at even distances over a clip whose length nobody knows: more than half of `most`, where it has them.

    Args:
        frames: (index, picture), in order from index 0.
        most: how many are kept at most.
    """
    kept: list[Image] = []
    stride = 1
    for index, picture in frames:
        if index % stride:
            continue
        kept.append(picture)
        if len(kept) > most:
            kept, stride = kept[::2], 2 * stride
    return kept
