"""From placed motion to a finished file: rendered, composed, encoded; at one go, or in segments."""

from __future__ import annotations

import itertools
import time as clock
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor

from retarget_cli.core.errors import Interrupted
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.segments import FilmPlan
from retarget_cli.media.writer import open_writer
from retarget_cli.workflows.background import Background
from retarget_cli.workflows.comparison import Comparison
from retarget_cli.workflows.first import noting_first
from retarget_cli.workflows.frames import composed
from retarget_cli.workflows.overlap import overlapped
from retarget_cli.workflows.performing import Part, perform
from retarget_cli.workflows.reel import Reel, open_reel
from retarget_cli.workflows.troupe import Ready

# Rendered frames that may wait for the encoder.
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Shoot:
    """Everything that a film is made of.

    Attributes:
        plan: where it goes, and how it is encoded.
        ready: who is shown, and by which method.
        motion: placed, in parts of any length; can be iterated once.
        background: what stands behind.
        comparison: what stands beside, or None.
        window: frames that the performer is handed at a time.
        total: how many frames there will be, or None.
        audio: the sound, by the time of the first frame written.
    """

    plan: FilmPlan
    ready: Ready
    motion: Iterable[Part]
    background: Background
    comparison: Comparison | None
    window: int
    total: int | None
    audio: Callable[[Fraction], AudioTrack | None]


@dataclass(frozen=True, slots=True)
class Filmed:
    """What was made.

    Attributes:
        frames: of the finished film; of one that this process only helped with, those that it made.
        size: (height, width).
        first_at: when the first frame was made, by `time.perf_counter`.
        notes: what the user should know of the file.
        resumed: how many frames were there already.
    """

    frames: int
    size: tuple[int, int]
    first_at: float
    notes: tuple[str, ...]
    resumed: int = 0


def film(shoot: Shoot, progress: Progress) -> Filmed:
    """Make the whole film; the file appears when the last frame is in it, and nothing is left otherwise.

    Raises:
        OutputError, BackendError: it can't be written, or the method broke its word.
    """
    plan, subject = shoot.plan, shoot.ready.subject
    performed = perform(shoot.ready.performer, shoot.motion, subject.size, shoot.window)
    with overlapped(performed, ahead=_AHEAD) as rendered:
        frames = _pictures(shoot, rendered)
        first = next(frames)
        first_at = clock.perf_counter()
        size = (first[1].shape[0], first[1].shape[1])
        with open_writer(
            plan.path, size=size, rate=plan.rate, time_base=plan.time_base, alpha=plan.alpha, codec=plan.codec,
            crf=plan.crf, audio=shoot.audio(first[0]), metadata=plan.metadata, overwrite=plan.overwrite,
        ) as writer:  # fmt: skip
            for time, picture in itertools.chain([first], frames):
                writer.write(picture, time)
                progress.stage("render", writer.frames_written, shoot.total)
    progress.stage("render", writer.frames_written, writer.frames_written)
    return Filmed(writer.frames_written, size, first_at, tuple(writer.notes))


def film_in_segments(shoot: Shoot, told: Mapping[str, str], progress: Progress, *, is_helping: bool = False) -> Filmed:
    """Make what is left of a film (see `reel`), and join it; whatever stops this keeps the segments that are closed.

    Args:
        shoot: what it is made of.
        told: everything that its frames depend on.
        progress: told of every frame.
        is_helping: another process leads: make segments that nobody makes, and do not join.

    Raises:
        OutputError, BackendError: it can't be written, or the method broke its word.
        Interrupted: by the user.
    """
    ready = shoot.ready
    seen: list[float] = []
    with open_reel(shoot.plan, told, progress, is_helping=is_helping) as reel:
        try:
            performed = reel.rendered(
                ready.performer, shoot.motion, ready.subject.size, shoot.window, ready.backend.spec
            )
            with ExitStack() as stack:
                rendered = stack.enter_context(overlapped(performed, ahead=_AHEAD))
                stack.callback(reel.stop)
                pictures = noting_first(_pictures(shoot, rendered, reel), lambda _: seen.append(clock.perf_counter()))
                reel.film(pictures, progress, shoot.total)
            if is_helping:
                return Filmed(reel.made, ready.subject.size, _first(seen), (), reel.found)
            joined = reel.join(shoot.audio)
        except KeyboardInterrupt as error:
            raise Interrupted(reel.kept(), "the same command goes on") from error
    progress.stage("render", joined.frames, joined.frames)
    return Filmed(joined.frames, joined.size, _first(seen), joined.notes, reel.found)


def _pictures(
    shoot: Shoot, rendered: Iterable[tuple[Fraction, Tensor]], reel: Reel | None = None
) -> Iterator[tuple[Fraction, Image]]:
    """(time, (H, W, 3 or 4)) as they are encoded."""
    began: list[Fraction] = []

    def start() -> Fraction:
        return began[0] if reel is None else reel.start()

    frames = noting_first(rendered, lambda frame: began.append(frame[0]))
    for time, picture in composed(frames, shoot.background, shoot.ready.subject.size, start):
        beside = shoot.comparison
        yield time, picture if beside is None else beside.beside(time - start(), picture)


def _first(seen: list[float]) -> float:
    return seen[0] if seen else clock.perf_counter()
