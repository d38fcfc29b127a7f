"""The driving side: a clip, a folder of frames, an animated picture, or a saved motion, as windows of motion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

from retarget_cli.body.model import Body
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.reader import open_frames
from retarget_cli.media.source import FrameSource
from retarget_cli.perception.cache import Cache, cache_key, content_hash
from retarget_cli.perception.journal import Journal, MotionIsKnown
from retarget_cli.perception.motion_arrays import packed, unpacked
from retarget_cli.perception.motion_file import is_motion_file, load_motion
from retarget_cli.perception.motion_reader import WINDOW, fit_windows, read_on, read_poses
from retarget_cli.perception.person_tracker import State
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.turning import straighten
from retarget_cli.workflows.first import noting_first
from retarget_cli.workflows.overlap import overlapped, rest

# The pose network looks at 256 px around the person: half of the clip's longer side is enough, within these bounds.
LEAST_SIDE, MOST_SIDE = 512, 960
VERSION = 4
# Decoded frames that may wait for the pose network.
DECODED = 8
# Windows of landmarks that perception may be ahead without a journal: 25 kB each.
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
        source = stack.enter_context(_opened(path, excerpt))
        key = _key(path, body, choice, excerpt) if cache is not None else ""
        known = cache.get(key) if cache is not None else None
        journal = Journal(cache, key, rest) if cache is not None and cache.can_keep else None
        if known is not None:
            windows = _split(unpacked(known, body.name))
        elif cache is not None and journal is not None:
            poses = _journalled(journal, source, choice, progress)
            # No bound: others who want this clip must not wait for what is done with it here.
            ahead = stack.enter_context(overlapped(poses, ahead=0))
            windows = _remembered(fit_windows(straighten(ahead), body), cache, key, journal, body)
        else:
            ahead = stack.enter_context(overlapped(_read(source, choice, progress), ahead=AHEAD))
            windows = fit_windows(straighten(ahead), body)
        started: list[Fraction] = []
        yield Driving(
            noting_first(windows, lambda window: started.append(window.times[0])),
            source.size,
            source.rate,
            source.time_base if source.variable else None,
            source.frame_count,
            source.audio_track(),
            lambda: started[0],
            known is not None,
            lambda: _notes(source, journal),
        )


def _opened(path: Path, excerpt: Excerpt) -> FrameSource:
    return open_frames(
        path,
        start=excerpt.start,
        end=excerpt.end,
        max_frames=excerpt.max_frames,
        long_side=perceived_side(path),
    )


def _notes(source: FrameSource, journal: Journal | None) -> tuple[str, ...]:
    """What was found odd about the clip, here or by whoever else read it; each once."""
    return tuple(dict.fromkeys([*source.notes, *(journal.notes if journal is not None else ())]))


def perceived_side(path: Path) -> int:
    """The longer side, in pixels, at which a clip's frames are looked at."""
    with open_frames(path, max_frames=1) as probe:
        return min(max(max(probe.size) // 2, LEAST_SIDE), MOST_SIDE)


class _Count:
    """How many frames' poses are known, by whichever way; never falls."""

    def __init__(self, total: int | None, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done = 0
        progress.stage("pose", 0, total)

    def reach(self, done: int) -> None:
        """So many are known now."""
        if done > self._done:
            self._done = done
            self._progress.stage("pose", done, self._total)

    def finish(self) -> None:
        """There are no more."""
        self._progress.stage("pose", self._done, self._done)


def _timed(source: FrameSource, count: _Count) -> Iterator[tuple[Fraction, Image]]:
    for number, frame in enumerate(source):
        count.reach(number)
        yield frame.time, frame.rgb


def _counted(windows: Iterable[Motion], count: _Count) -> Iterator[Motion]:
    done = 0
    for window in windows:
        done += len(window)
        count.reach(done)
        yield window
    count.finish()


def _read(source: FrameSource, choice: Choice, progress: Progress) -> Iterator[Motion]:
    """Landmarks of the whole clip; it is decoded in a thread of its own."""
    count = _Count(source.frame_count, progress)
    with overlapped(_timed(source, count), ahead=DECODED) as frames:
        yield from _counted(read_poses(frames, source.size, choice), count)


def _journalled(journal: Journal, source: FrameSource, choice: Choice, progress: Progress) -> Iterator[Motion]:
    """Landmarks of the whole clip; it is decoded only where something in it has not been read yet."""
    count = _Count(source.frame_count, progress)

    def read(seen: int, state: State | None) -> Iterator[tuple[Motion, State]]:
        with overlapped(_timed(source, count), ahead=DECODED) as frames:
            yield from read_on(islice(frames, seen, None), source.size, choice, state)

    try:
        yield from _counted(journal.windows(read, lambda: tuple(source.notes)), count)
    except MotionIsKnown as known:
        count.reach(len(known.arrays["times"]))
        count.finish()
        raise


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


def _remembered(
    windows: Iterable[Motion], cache: Cache, key: str, journal: Journal, body: Body
) -> Iterator[Motion]:
    """The same windows; once all have passed, the motion is put into the cache, and its journal is removed.

    Where another process has done so meanwhile, the rest comes from the cache.
    """
    parts: list[Motion] = []
    try:
        for window in windows:
            parts.append(window)
            yield window
    except MotionIsKnown as known:
        motion = unpacked(known.arrays, body.name)
        yield from _split(motion.rows(sum(map(len, parts)), len(motion)))
        return
    if any(part.present.any() for part in parts) and cache.put(key, packed(join(parts)), {}):
        journal.remove()


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
