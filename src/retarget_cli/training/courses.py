"""What goes on about a picture of an album: its neighbours in the clip that it comes from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.example import Course, Span
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View
from retarget_cli.training.album import Album

Rows = NDArray[np.int64]


def targets(album: Album, span: Span) -> Rows:
    """Rows of an album from which on as many are consecutive as are to be shown."""
    rows = np.arange(len(album) - span.shown + 1)
    return rows[album.runs[rows] == album.runs[rows + span.shown - 1]]


def around(album: Album, row: int, span: Span) -> Rows:
    """(N) rows about one of them; beyond the ends of its run the last ones are repeated."""
    run = np.flatnonzero(album.runs == album.runs[row])
    return np.clip(np.arange(row - span.before, row + span.after + 1), run[0], run[-1])


def course_of(
    album: Album,
    row: int,
    span: Span,
    shown: Callable[[int], View] | None = None,
    camera: Callable[[FloatArray], FloatArray] | None = None,
    others: FloatArray | None = None,
) -> Course:
    """The course of a target.

    Args:
        album: of the clip.
        row: the target's, one of `targets`.
        span: how much of it.
        shown: what becomes of a row's picture; None: it is as it lies there.
        camera: the same of its camera (3,).
        others: (N, 24, 3), see `Course`.
    """
    rows = around(album, row, span)
    cameras = album.camera[rows]
    if camera is not None:
        cameras = np.stack([camera(each) for each in cameras])
    following = tuple((shown or album.view)(row + place) for place in range(1, span.shown))
    return Course(album.theta[rows], cameras, following, others)


def passage(theta: FloatArray, rng: np.random.Generator, span: Span) -> FloatArray:
    """(N, 24, 3): some consecutive postures of a film (T, 24, 3), from anywhere in it."""
    count = span.before + 1 + span.after
    first = int(rng.integers(max(1, len(theta) - count + 1)))
    return theta[np.clip(np.arange(first, first + count), 0, len(theta) - 1)]
