"""Source, driving and result side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.reader import open_frames
from retarget_cli.perception.motion_file import is_motion_file
from retarget_cli.workflows.background import Background, Film
from retarget_cli.workflows.driving import Excerpt

CHECK = 16  # pixels of a square of the pattern that stands for transparency


class Comparison:
    """Lays pictures beside each other, all at the source's height.

    Args:
        source: (H, W, 3).
        driving: the driving frames at (H, W'); None where there are no pixels (a motion file).
    """

    def __init__(self, source: Image, driving: Background | None) -> None:
        self._source, self._driving = source, driving

    def beside(self, since_start: Fraction, picture: Image) -> Image:
        """(H, W'', 3): source | driving | result, so many seconds after the result's first frame."""
        shown = [self._source, on_checks(picture) if picture.shape[2] == 4 else picture]
        frame = None if self._driving is None else self._driving.at(since_start)
        if frame is not None:
            shown.insert(1, frame)
        return np.ascontiguousarray(np.concatenate(shown, axis=1))


def on_checks(picture: Image) -> Image:
    """(H, W, 4) over a grey chequerboard."""
    rows, columns = np.indices(picture.shape[:2]) // CHECK
    plate = np.where((rows + columns) % 2, 170, 210).astype(np.float32)[..., None]
    alpha = picture[..., 3:].astype(np.float32) / 255
    return (picture[..., :3] * alpha + plate * (1 - alpha) + 0.5).astype(np.uint8)


@contextmanager
def open_comparison(subject: Subject, driving: Path | None, excerpt: Excerpt) -> Iterator[Comparison]:
    """Open the driving clip a second time, for its pictures; without one, source and result stand alone."""
    if driving is None or (driving.is_file() and is_motion_file(driving)):
        yield Comparison(subject.primary.image, None)
        return
    height = subject.size[0]
    with open_frames(
        driving, start=excerpt.start, end=excerpt.end, max_frames=excerpt.max_frames, long_side=2 * height
    ) as source:
        width = max(2, 2 * round(source.size[1] * height / source.size[0] / 2))
        yield Comparison(subject.primary.image, Film(source, (height, width)))
