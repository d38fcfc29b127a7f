"""Sources and clips for methods that are led by pixels: pictures of anything, in which nothing is perceived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.backends.base import Comparing, Performer
from retarget_cli.core.errors import BackendError, InputError, UsageError
from retarget_cli.core.footage import Footage
from retarget_cli.core.progress import Progress, Silence, counted
from retarget_cli.core.subject import Image, Subject, pictured_subject
from retarget_cli.media.images import is_picture, over_white, read_picture
from retarget_cli.media.reader import open_frames
from retarget_cli.media.source import FrameSource
from retarget_cli.perception.motion_file import is_motion_file
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.canvas import CanvasSize
from retarget_cli.workflows.driving import Driving, Excerpt

# The networks of such methods see a few hundred pixels.
LONGEST = 512
WINDOW = 16
MOST_VIEWS, CLIP_VIEWS = 8, 4


def pictured(files: Sequence[Path], canvas: CanvasSize, progress: Progress, clip_views: int = CLIP_VIEWS) -> Subject:
    """Pictures, or frames spread over a clip, as a subject of whom nothing is known. The first is what is moved.

    Args:
        files: pictures and clips.
        canvas: what size the first is brought to, and with it the others.
        progress: told of every file.
        clip_views: so many frames at most are taken from a clip.

    Raises:
        InputError: a file can't be read.
    """
    images = [image for path in counted(files, "source", len(files), progress) for image in _images(path, clip_views)]
    size = _size(images[0], canvas)
    return pictured_subject([_scaled(image, size) for image in images[:MOST_VIEWS]], files[0].stem)


def of_one_size(images: Sequence[Image]) -> list[Image]:
    """All of them at the first's size."""
    height, width = images[0].shape[:2]
    return [_scaled(image, (height, width)) for image in images]


def laid_on(subject: Subject, canvas: CanvasSize) -> Subject:
    """A subject's pictures, whatever is known of it; at another size, where one is asked for."""
    size = subject.size if canvas == CanvasSize() else _size(subject.primary.image, canvas)
    return pictured_subject([_scaled(view.image, size) for view in subject.views], subject.name)


def _images(path: Path, most: int) -> list[Image]:
    if is_picture(path):
        return [over_white(read_picture(path))]
    with open_frames(path) as clip:
        stride = max(1, (clip.frame_count or 1) // most)
        frames = (frame.rgb for frame in clip if frame.index % stride == 0)
        return list(islice(frames, most))


def _size(image: Image, canvas: CanvasSize) -> tuple[int, int]:
    """(height, width), both even."""
    if canvas.exact is not None:
        return canvas.exact
    factor = canvas.longest / max(image.shape[:2])
    if not canvas.may_enlarge:
        factor = min(1.0, factor)
    height, width = (max(2, 2 * round(side * factor / 2)) for side in image.shape[:2])
    return height, width


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    if image.shape[:2] == size:
        return image
    way = cv2.INTER_AREA if image.shape[0] > size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size[::-1], interpolation=way), dtype=np.uint8)


def check_pictured(options: AnimateOptions, backend: str) -> None:
    """Refuse what only means something where a person is known.

    Raises:
        UsageError: such an option is given.
    """
    faults = {
        "--azimuth, --elevation": not options.orbit.is_home,
        "--freeze": options.freeze is not None,
        "--garment": bool(options.garment),
        f"--background {options.background}": options.background != "source",
    }
    named = [name for name, is_given in faults.items() if is_given]
    if named:
        raise UsageError(
            f"{named[0]}: --backend {backend} is led by pixels and knows of no person",
            "choose --backend avatar for that",
        )


def most_alike(path: Path, excerpt: Excerpt, performer: Performer) -> Image:
    """The driving frame that is most like the source, as first-order-model's --find_best_frame.

    Raises:
        BackendError: the method can't tell.
    """
    if not isinstance(performer, Comparing):
        raise BackendError("--find_best_frame: this method can't tell which frame is most like the source")
    best: tuple[float, Image] | None = None
    with open_footage(
        path, excerpt, None, None, is_relative=False, is_scaled=False, progress=Silence()
    ) as (_, windows):
        for window in windows:
            apart = performer.apart(window)
            row = int(np.argmin(apart))
            if best is None or apart[row] < best[0]:
                best = (apart[row], window.pictures[row])
    if best is None:
        raise InputError(f"{path}: no frame lies in the part that was asked for", "check --start and --end")
    return best[1]


@contextmanager
def open_footage(
    path: Path,
    excerpt: Excerpt,
    rate: Fraction | None,
    reference: Image | None,
    *,
    is_relative: bool,
    is_scaled: bool,
    progress: Progress,
) -> Iterator[tuple[Driving, Iterator[Footage]]]:
    """A clip's frames.

    Args:
        path: a clip, an animated picture or a folder of frames.
        excerpt: which part.
        rate: of the result; None keeps the clip's times.
        reference: the frame that motion is told relative to, where it is relative; None: the first.
        is_relative: motion is told relative to a frame.
        is_scaled: movements are scaled by the objects' sizes.
        progress: told of every frame.

    Raises:
        UsageError: it is a motion file, which holds no pictures.
        InputError: it can't be read.
    """
    if path.is_file() and is_motion_file(path):
        raise UsageError(
            f"--driving {path}: a motion file holds no pictures, and this method looks at nothing else",
            "give the clip itself, or choose --backend avatar",
        )
    with open_frames(
        path, start=excerpt.start, end=excerpt.end, max_frames=excerpt.max_frames, long_side=LONGEST
    ) as source:
        started: list[Fraction] = []
        frames = _noting_start(source, started, progress)
        frames = frames if rate is None else resampled(frames, rate)
        driving = Driving(
            iter(()), source.size, source.rate, source.time_base if source.variable else None, source.frame_count,
            source.audio_track(), lambda: started[0], False, lambda: tuple(source.notes),
        )  # fmt: skip
        yield driving, _gathered(frames, path, reference, is_relative=is_relative, is_scaled=is_scaled)


def _noting_start(
    source: FrameSource, started: list[Fraction], progress: Progress
) -> Iterator[tuple[Fraction, Image]]:
    for frame in counted(source, "look", source.frame_count, progress):
        if not started:
            started.append(frame.time)
        yield frame.time, frame.rgb


def resampled(frames: Iterable[tuple[Fraction, Image]], rate: Fraction) -> Iterator[tuple[Fraction, Image]]:
    """What is shown at every multiple of 1 / rate since the first frame, up to the last."""
    start: Fraction | None = None
    number = 0
    shown: Image | None = None
    for time, picture in frames:
        start = time if start is None else start
        while shown is not None and start + number / rate < time:
            yield start + number / rate, shown
            number += 1
        shown = picture
    if start is not None and shown is not None:
        yield start + number / rate, shown


def _gathered(
    frames: Iterator[tuple[Fraction, Image]],
    path: Path,
    reference: Image | None,
    *,
    is_relative: bool,
    is_scaled: bool,
) -> Iterator[Footage]:
    is_empty = True
    while part := list(islice(frames, WINDOW)):
        is_empty = False
        if reference is None:
            reference = part[0][1]
        times, pictures = tuple(time for time, _ in part), np.stack([picture for _, picture in part])
        yield Footage(times, pictures, reference if is_relative else None, is_scaled)
    if is_empty:
        raise InputError(f"{path}: no frame lies in the part that was asked for", "check --start and --end")
