"""A performer at work: motion in, every frame exactly once and in order out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.core.errors import BackendError
from retarget_cli.core.footage import Footage, spliced, unseen
from retarget_cli.core.motion import Motion, join

Part = Motion | Footage
"""Of a clip: placed motion, or the frames themselves."""


def perform(
    performer: Performer, motion: Iterable[Part], size: tuple[int, int], window: int, first: int = 0
) -> Iterator[tuple[Fraction, Tensor]]:
    """Let a performer move its subject: (time, RGBA (4, H, W)) of every frame, in order.

    Args:
        performer: of a backend.
        motion: placed, in parts of any length; or the driving frames, for a method that is led by pixels.
        size: (height, width) that frames must have.
        window: frames that the performer is handed at a time.
        first: index in the clip of the motion's first frame.

    Raises:
        BackendError: it gave back too few or too many frames, of another size, or left some unread.
    """
    times: deque[Fraction] = deque()
    taken = 0
    is_read = False

    def windows() -> Iterator[Window]:
        nonlocal taken, is_read
        for part in rewindowed(motion, window):
            times.extend(part.times)
            yield _window(first + taken, part)
            taken += len(part)
        is_read = True

    name = type(performer).__name__
    given = 0
    for rendered in performer.perform(windows()):
        if rendered.ndim != 4 or rendered.shape[1:] != (4, *size):
            raise BackendError(f"{name} gave frames of {tuple(rendered.shape)}, expected (T, 4, H, W)")
        for frame in rendered:
            if not times:
                raise BackendError(f"{name} gave more frames than it was asked for: {given + 1}")
            given += 1
            yield times.popleft(), frame
    if times or not is_read:
        raise BackendError(f"{name} stopped after {given} frames and left others undone")


def rewindowed(parts: Iterable[Part], length: int) -> Iterator[Part]:
    """The same motion in windows of `length` frames; the last may be shorter."""
    rest: Part | None = None
    for part in parts:
        rest = part if rest is None else _joined(rest, part)
        while len(rest) >= length:
            yield rest.rows(0, length)
            rest = rest.rows(length, len(rest))
    if rest is not None and len(rest):
        yield rest


def _window(start: int, part: Part) -> Window:
    return Window(start, unseen(part), part) if isinstance(part, Footage) else Window(start, part)


def _joined(one: Part, other: Part) -> Part:
    if isinstance(one, Footage) and isinstance(other, Footage):
        return spliced([one, other])
    if isinstance(one, Motion) and isinstance(other, Motion):
        return join([one, other])
    raise TypeError("a clip is either motion or frames")
