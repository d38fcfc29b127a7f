"""A contact sheet: `python -m retarget_cli.workflows.sheet DRIVING RESULT OUT.png`, driving above, result below."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.core.subject import Image
from retarget_cli.media.images import write_png
from retarget_cli.media.reader import open_frames

WIDTH = 216
COLUMNS = 8


def contact_sheet(clips: Sequence[Path], columns: int = COLUMNS, width: int = WIDTH) -> Image:
    """(H, W, 3): one row a clip, `columns` frames of each, evenly spread, all of one width."""
    rows = [np.hstack([_scaled(frame, width) for frame in spread_frames(clip, columns)]) for clip in clips]
    widest = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows])


def spread_frames(clip: Path, count: int) -> list[Image]:
    """`count` frames of a clip, evenly spread over it; fewer where it has fewer."""
    with open_frames(clip) as source:
        total = sum(1 for _ in source)
    chosen = set(np.linspace(0, total - 1, count).astype(int).tolist())
    with open_frames(clip) as source:
        return [frame.rgb for frame in source if frame.index in chosen]


def _scaled(frame: Image, width: int) -> Image:
    size = (width, max(1, round(frame.shape[0] * width / frame.shape[1])))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    *films, target = (Path(argument) for argument in sys.argv[1:])
    write_png(target, contact_sheet(films))
