"""Frames in which nobody was seen: hold, skip or fail. Time is never lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from fractions import Fraction

import numpy as np

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion


class Missing(Enum):
    """`HOLD` keeps the last pose, `SKIP` leaves the frame out (its time stays), `FAIL` stops with an error."""

    HOLD = "hold"
    SKIP = "skip"
    FAIL = "fail"


def clock(time: Fraction) -> str:
    """A time in seconds as people write it: 83.5 -> '1:23.50'."""
    return f"{int(time // 60)}:{float(time % 60):05.2f}"


def fill_missing(
    windows: Iterable[Motion], policy: Missing, start: FloatArray, name: str = "the driving clip"
) -> Iterator[Motion]:
    """Windows of a fitted motion without gaps.

    Args:
        windows: consecutive parts of one clip.
        policy: what to do where `present` is False.
        start: (24, 3) the pose to hold before anybody was seen: the source's own.
        name: of the clip, for messages.

    Raises:
        InputError: `FAIL`, at the first such frame; or nobody was seen in the whole clip.
    """
    held: tuple[FloatArray, FloatArray] | None = None
    seen = False
    for window in windows:
        theta, camera = window.theta, window.camera
        if theta is None or camera is None:
            raise ValueError("only a fitted motion can be filled")
        seen = seen or bool(window.present.any())
        if policy is Missing.FAIL and not window.present.all():
            at = window.times[int(np.argmin(window.present))]
            raise InputError(
                f"{name}: nobody is seen at {clock(at)}",
                "--missing hold keeps the last pose there, --missing skip leaves such frames out",
            )
        if policy is Missing.SKIP:
            kept = np.flatnonzero(window.present)
            if len(kept):
                yield _only(window, kept)
            continue
        theta, camera = theta.copy(), camera.copy()
        for row in range(len(window)):
            if window.present[row]:
                held = theta[row], camera[row]
            elif held is not None:
                theta[row], camera[row] = held
            else:
                theta[row] = start
        yield replace(window, theta=theta, camera=camera)
    if not seen:
        raise InputError(
            f"{name}: no person is seen in any frame",
            "use a clip that shows one person, ideally from head to foot",
        )


def _only(window: Motion, rows: np.ndarray) -> Motion:  # type: ignore[type-arg]
    return replace(
        window,
        times=tuple(window.times[row] for row in rows),
        present=window.present[rows],
        pose=window.pose[rows],
        world=window.world[rows],
        theta=None if window.theta is None else window.theta[rows],
        camera=None if window.camera is None else window.camera[rows],
    )
