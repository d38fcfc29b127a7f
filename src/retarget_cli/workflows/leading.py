"""Driving clips of methods that are led by pixels: their frames, as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from retarget_cli.backends.base import Comparing, Performer
from retarget_cli.core.errors import BackendError, InputError, UsageError
from retarget_cli.core.footage import Footage
from retarget_cli.core.progress import Progress, Silence, counted
from retarget_cli.core.subject import Image
from retarget_cli.media.reader import open_frames
from retarget_cli.media.source import FrameSource
from retarget_cli.perception.motion_file import is_motion_file
from retarget_cli.workflows.cropping import FOUND, WHOLE, Box, Crop, Cut, about, check_inside
from retarget_cli.workflows.driving import Driving, Excerpt
from retarget_cli.workflows.pixels import LONGEST
from retarget_cli.workflows.salience import moving_box

WINDOW = 16
# Where something moves is seen in small pictures.
_SEARCHED = 256


@dataclass(frozen=True, slots=True)
class Lead:
    """How a clip leads.

    Attributes:
        path: a clip, an animated picture or a folder of frames.
        excerpt: which part of its time.
        cut: which part of its pictures; None: all.
        rate: of the result; None keeps the clip's times.
        is_relative: motion is told relative to a frame.
        reference: that frame; None: the first.
        is_scaled: relative movements are scaled by the objects' sizes.
        notes: what was found while this was made.
    """

    path: Path
    excerpt: Excerpt = field(default_factory=Excerpt)
    cut: Cut | None = None
    rate: Fraction | None = None
    is_relative: bool = True
    reference: Image | None = None
    is_scaled: bool = False
    notes: tuple[str, ...] = ()


def cut_of(path: Path, excerpt: Excerpt, crop: Crop, aspect: float) -> tuple[Cut | None, tuple[str, ...]]:
    """The part of a clip's pictures that leads, and a note where there is something to say about it.

    Args:
        path: the clip.
        excerpt: in which something must move.
        crop: all; a box; or about what moves.
        aspect: width / height of what is moved, which the part that is found has too, where it fits.

    Raises:
        InputError: the box reaches beyond the picture, or the clip can't be read.
    """
    check_has_pictures(path)
    if crop == WHOLE:
        return None, ()
    with open_frames(path, max_frames=1) as probe:
        size = probe.size
    if isinstance(crop, Box):
        return Cut(check_inside(crop, size, f"--driving-crop, {path}"), size), ()
    assert crop == FOUND
    with open_frames(
        path, start=excerpt.start, end=excerpt.end, max_frames=excerpt.max_frames, long_side=_SEARCHED
    ) as source:
        found = moving_box(frame.rgb for frame in source)
        small = source.size
    if found is None:
        return None, ("--driving-crop auto: nothing moves before a still background; the whole picture leads",)
    return Cut(about(found.scaled(small, size), size, aspect), size), ()


def check_has_pictures(path: Path) -> None:
    """Refuse a motion file.

    Raises:
        UsageError: it is one, and holds no pictures.
    """
    if path.is_file() and is_motion_file(path):
        raise UsageError(
            f"--driving {path}: a motion file holds no pictures, and this method looks at nothing else",
            "give the clip itself, or choose --backend avatar",
        )


def most_alike(lead: Lead, performer: Performer) -> Image:
    """The driving frame that is most like the source, as first-order-model's --find_best_frame.

    Raises:
        BackendError: the method can't tell.
    """
    if not isinstance(performer, Comparing):
        raise BackendError("--find-best-frame: this method can't tell which frame is most like the source")
    best: tuple[float, Image] | None = None
    with open_footage(lead, Silence()) as (_, windows):
        for window in windows:
            apart = performer.apart(window)
            row = int(np.argmin(apart))
            if best is None or apart[row] < best[0]:
                best = (apart[row], window.pictures[row].copy())
    assert best is not None  # a clip without frames was an error
    return best[1]


@contextmanager
def open_footage(lead: Lead, progress: Progress) -> Iterator[tuple[Driving, Iterator[Footage]]]:
    """A clip's frames.

    Args:
        lead: which.
        progress: told of every frame.

    Raises:
        UsageError: it is a motion file, which holds no pictures.
        InputError: it can't be read, or no frame lies in the excerpt.
    """
    check_has_pictures(lead.path)
    excerpt, cut = lead.excerpt, lead.cut
    with open_frames(
        lead.path, start=excerpt.start, end=excerpt.end, max_frames=excerpt.max_frames,
        long_side=LONGEST if cut is None else cut.long_side(LONGEST),
    ) as source:  # fmt: skip
        started: list[Fraction] = []
        passed: list[int] = []
        frames = _timed(source, cut, started, passed, progress)
        frames = frames if lead.rate is None else resampled(frames, lead.rate)
        driving = Driving(
            iter(()), source.size, source.rate, source.time_base if source.variable else None, source.frame_count,
            source.audio_track(), lambda: started[0], False,
            lambda: (*lead.notes, *source.notes, *_stillness(lead, sum(passed))),
        )  # fmt: skip
        yield driving, _gathered(frames, lead)


def _stillness(lead: Lead, count: int) -> tuple[str, ...]:
    """A note about a clip of one frame, whose motion relative to itself is none."""
    if count != 1 or not lead.is_relative:
        return ()
    return ("the driving clip shows one frame, which moves nothing by itself; --motion absolute takes its pose over",)


def _timed(
    source: FrameSource, cut: Cut | None, started: list[Fraction], passed: list[int], progress: Progress
) -> Iterator[tuple[Fraction, Image]]:
    for frame in counted(source, "look", source.frame_count, progress):
        if not started:
            started.append(frame.time)
        passed[:] = [frame.index + 1]
        yield frame.time, frame.rgb if cut is None else cut.of(frame.rgb)


def resampled(frames: Iterable[tuple[Fraction, Image]], rate: Fraction) -> Iterator[tuple[Fraction, Image]]:
    """What is shown at every multiple of 1 / rate since the first frame, up to the last."""
    start: Fraction | None = None
    last = Fraction(0)
    number = 0
    shown: Image | None = None
    for time, picture in frames:
        start = time if start is None else start
        while shown is not None and start + number / rate < time:
            yield start + number / rate, shown
            number += 1
        shown, last = picture, time
    if start is not None and shown is not None and start + number / rate <= last:
        yield start + number / rate, shown


def _gathered(frames: Iterator[tuple[Fraction, Image]], lead: Lead) -> Iterator[Footage]:
    reference = lead.reference
    is_empty = True
    while part := list(islice(frames, WINDOW)):
        is_empty = False
        if reference is None:
            reference = part[0][1]
        times, pictures = tuple(time for time, _ in part), np.stack([picture for _, picture in part])
        yield Footage(times, pictures, reference if lead.is_relative else None, lead.is_scaled)
    if is_empty:
        raise InputError(f"{lead.path}: no frame lies in the part that was asked for", "check --start and --end")
