"""The driving side: a clip, a folder of frames, an animated picture, or a saved motion, as windows of motion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from retarget_cli.body.model import Body
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Progress, counted
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.reader import open_frames
from retarget_cli.media.source import FrameSource
from retarget_cli.perception.cache import Cache, cache_key, content_hash
from retarget_cli.perception.motion_file import is_motion_file, load_motion
from retarget_cli.perception.motion_reader import WINDOW, fit_windows, read_poses
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.turning import straighten
from retarget_cli.workflows.overlap import overlapped

# The pose network looks at 256 px around the person: half of the clip's longer side is enough, within these bounds.
LEAST_SIDE, MOST_SIDE = 512, 960
VERSION = 4
# Decoded frames that may wait for the pose network.
DECODED = 8
# Windows of landmarks that perception may be ahead: 25 kB each, and the source is prepared meanwhile.
AHEAD = 64


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Which part of the clip: seconds, and at most so many frames."""

    start: Fraction | None = None
    end: Fraction | None = None
    max_frames: int | None = None


@dataclass(frozen=True, slots=True)
class Driving:
    """An opened driving clip.

    Attributes:
        windows: fitted motion, in order; can be iterated once.
        size: (height, width) of the clip's frames.
        rate: nominal frames a second; exact.
        time_base: None where every multiple of 1 / rate will do.
        frame_count: an estimate, or None.
        audio: the sound that goes with it; its start falls on the clip's first frame.
        start: time of the clip's first frame; known once a window has passed.
        was_known: the motion came from a file or the cache, and no frame is decoded for it.
        notes: what is odd about the clip; complete once all windows have passed.
    """

    windows: Iterator[Motion]
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction | None
    frame_count: int | None
    audio: AudioTrack | None
    start: Callable[[], Fraction]
    was_known: bool
    notes: Callable[[], tuple[str, ...]]


@contextmanager
def open_driving(
    path: Path, body: Body, choice: Choice, excerpt: Excerpt, cache: Cache | None, progress: Progress
) -> Iterator[Driving]:
    """Open a driving clip; perception runs in a thread of its own while the caller pulls windows."""
    if path.is_file() and is_motion_file(path):
        yield _from_file(path, body, excerpt)
        return
    with ExitStack() as stack:
        source = stack.enter_context(
            open_frames(
                path,
                start=excerpt.start,
                end=excerpt.end,
                max_frames=excerpt.max_frames,
                long_side=perceived_side(path),
            )
        )
        key = _key(path, body, choice, excerpt) if cache is not None else ""
        known = cache.get(key) if cache is not None else None
        if known is not None:
            windows = _split(unpacked(known, body.name))
        else:
            frames = stack.enter_context(overlapped(_timed(source, progress), ahead=DECODED))
            poses = read_poses(frames, source.size, choice)
            ahead = stack.enter_context(overlapped(poses, ahead=AHEAD))
            windows = _remembered(fit_windows(straighten(ahead), body), cache, key)
        started: list[Fraction] = []
        yield Driving(
            _noting_start(windows, started),
            source.size,
            source.rate,
            source.time_base if source.variable else None,
            source.frame_count,
            source.audio_track(),
            lambda: started[0],
            known is not None,
            lambda: tuple(source.notes),
        )


def perceived_side(path: Path) -> int:
    """The longer side, in pixels, at which a clip's frames are looked at."""
    with open_frames(path, max_frames=1) as probe:
        return min(max(max(probe.size) // 2, LEAST_SIDE), MOST_SIDE)


def _noting_start(windows: Iterable[Motion], started: list[Fraction]) -> Iterator[Motion]:
    for window in windows:
        if not started:
            started.append(window.times[0])
        yield window


def _timed(source: FrameSource, progress: Progress) -> Iterator[tuple[Fraction, np.ndarray]]:  # type: ignore[type-arg]
    for frame in counted(source, "pose", source.frame_count, progress):
        yield frame.time, frame.rgb


def _key(path: Path, body: Body, choice: Choice, excerpt: Excerpt) -> str:
    options = {
        "what": f"motion {VERSION}",
        "body": body.name,
        "person": choice,
        "start": str(excerpt.start),
        "end": str(excerpt.end),
        "max_frames": excerpt.max_frames,
    }
    return cache_key(content_hash(path), options)


def _remembered(windows: Iterable[Motion], cache: Cache | None, key: str) -> Iterator[Motion]:
    """The same windows; once all have passed, the motion is put into the cache."""
    if cache is None:
        yield from windows
        return
    parts: list[Motion] = []
    for window in windows:
        parts.append(window)
        yield window
    if parts and any(part.present.any() for part in parts):
        cache.put(key, packed(join(parts)), {})


def packed(motion: Motion) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """A fitted motion as plain arrays."""
    denominator = math.lcm(*(time.denominator for time in motion.times))
    times = np.array([int(time * denominator) for time in motion.times], np.int64)
    arrays = {"times": times, "denominator": np.array([denominator]), "size": np.array(motion.size)}
    for name in ("present", "pose", "world", "theta", "camera", "betas"):
        arrays[name] = getattr(motion, name)
    return arrays


def unpacked(arrays: dict[str, np.ndarray], body: str) -> Motion:  # type: ignore[type-arg]
    """`packed`, the other way."""
    denominator = int(arrays["denominator"][0])
    height, width = (int(side) for side in arrays["size"])
    return Motion(
        (height, width),
        tuple(Fraction(int(time), denominator) for time in arrays["times"]),
        arrays["present"],
        arrays["pose"],
        arrays["world"],
        body,
        arrays["theta"],
        arrays["camera"],
        arrays["betas"],
    )


def _split(motion: Motion) -> Iterator[Motion]:
    for start in range(0, len(motion), WINDOW):
        yield motion.rows(start, start + WINDOW)


def _from_file(path: Path, body: Body, excerpt: Excerpt) -> Driving:
    motion = cut(load_motion(path), excerpt)
    if not len(motion):
        raise InputError(f"{path}: no frame lies between --start and --end", "the times are seconds")
    if motion.body != body.name:
        motion = join(list(fit_windows(_split(motion), body)))
    rate = nominal_rate(motion.times)
    return Driving(
        _split(motion),
        motion.size,
        rate,
        _tick(motion.times, rate),
        len(motion),
        None,
        lambda: motion.times[0],
        True,
        tuple,
    )


def cut(motion: Motion, excerpt: Excerpt) -> Motion:
    """The part of a motion that an excerpt names."""
    start = 0
    stop = len(motion)
    if excerpt.start is not None:
        start = next((i for i, time in enumerate(motion.times) if time >= excerpt.start), stop)
    if excerpt.end is not None:
        stop = next((i for i, time in enumerate(motion.times) if time >= excerpt.end), stop)
    if excerpt.max_frames is not None:
        stop = min(stop, start + excerpt.max_frames)
    return motion.rows(start, stop)


def nominal_rate(times: tuple[Fraction, ...]) -> Fraction:
    """Frames a second: one over the commonest distance between two frames; 25 for a single one."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if not gaps:
        return Fraction(25)
    return 1 / max(sorted(set(gaps)), key=gaps.count)


def _tick(times: tuple[Fraction, ...], rate: Fraction) -> Fraction | None:
    """None where all times are multiples of 1 / rate, else the coarsest time base that holds them all exactly."""
    if all((time * rate).denominator == 1 for time in times):
        return None
    return Fraction(1, math.lcm(*(time.denominator for time in times)))
