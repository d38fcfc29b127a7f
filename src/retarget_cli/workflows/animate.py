"""The main job: photos of one person and the motion of another in, a video out.

This file is the way of a frame. Everything is pulled by the writer at the end:

    open_driving  frames -> pose -> fitted motion                (thread 1; or read from a file or the cache)
    fill, smooth, turn, place -> windows -> performer -> RGBA    (thread 2)
    compose over the background -> encode                        (the caller's thread)

Without a driving clip the person holds the photo's pose; `workflows.view` and `workflows.dress` come this way too.

Memory is a few windows, whatever the clip's length.
"""

from __future__ import annotations

import itertools
import os
import time as clock
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body
from retarget_cli.body.placement import Framing, MotionPath, Placer
from retarget_cli.body.viewpoint import Orbit, centre_of
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import BackendError, InputError, OutputError, UsageError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.parts import Parts
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.writer import Writer, can_hold_alpha, names_picture, open_writer
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.missing import Missing, fill_missing
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.smoothing import resample_motion, smooth_motion
from retarget_cli.workflows.background import TRANSPARENT, check_background, open_background
from retarget_cli.workflows.best_frame import best_frame
from retarget_cli.workflows.canvas import CanvasSize, parse_size
from retarget_cli.workflows.circling import RATE, circled, frozen, held, repeated, split, stopped
from retarget_cli.workflows.comparison import open_comparison
from retarget_cli.workflows.driving import Driving, Excerpt, open_driving
from retarget_cli.workflows.frames import composed
from retarget_cli.workflows.origin import choose_origin
from retarget_cli.workflows.output_name import output_path
from retarget_cli.workflows.overlap import overlapped
from retarget_cli.workflows.source import prepare_subject, source_files


@dataclass(frozen=True, slots=True)
class AnimateOptions:
    """Everything that a user can say about one animation.

    Attributes:
        sources: photos, globs, folders or a clip of one person.
        driving: a clip, animated picture, folder of frames or motion file. None: the photo's own pose is held.
        output: name or template of the result.
        backend, settings: the method (None: the subject file's, or the default), and its options as text.
        garment: pictures or a clip of somebody in other clothes, which the person of `sources` is to wear.
        parts: which of them.
        orbit: from where the person is seen; several viewpoints are spread over the driving clip.
        freeze: the moment of the driving clip, in seconds, whose pose is held; None lets the clip run.
        body: name of the body model.
        motion, framing, smooth, missing: how the motion is carried over.
        person, source_person, garment_person: whom to follow, to show, to take clothes from, where several are seen.
        find_best_frame: let the driving frame that is most like the source stand where the source stands.
        background: source, driving, transparent, #rrggbb, or a path.
        size: None, the longer side, or WIDTHxHEIGHT.
        fps: of the result; None keeps the driving clip's times exactly.
        excerpt: which part of the driving clip.
        has_audio: whether the driving clip's sound is copied.
        audio: another sound file, or None.
        codec, crf: see `media.writer.open_writer`.
        is_compared: source, driving and result side by side.
        may_overwrite: replace an output that exists.
        device: auto, cpu, cuda, mps.
        subject: a subject file, which stands for `sources`; None where there are sources.
    """

    sources: tuple[str, ...]
    driving: Path | None
    output: str = "{source}_{driving}.mp4"
    backend: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    garment: tuple[str, ...] = ()
    parts: Parts = Parts.BODY
    orbit: Orbit = field(default_factory=Orbit)
    freeze: Fraction | None = None
    body: str = "anny"
    motion: MotionPath = MotionPath.RELATIVE
    framing: Framing = Framing.FIT
    smooth: float = 0.35
    missing: Missing = Missing.HOLD
    person: Choice = "largest"
    source_person: Choice = "largest"
    garment_person: Choice = "largest"
    find_best_frame: bool = False
    background: str = "source"
    size: str | None = None
    fps: Fraction | None = None
    excerpt: Excerpt = field(default_factory=Excerpt)
    has_audio: bool = True
    audio: Path | None = None
    codec: str | None = None
    crf: int | None = None
    is_compared: bool = False
    may_overwrite: bool = False
    device: str = "auto"
    subject: Path | None = None


@dataclass(frozen=True, slots=True)
class AnimateResult:
    """What was made.

    Attributes:
        path: the finished file or folder.
        frames: how many frames it has.
        size: (height, width).
        rate: nominal frames a second.
        seconds: wall time.
        first_frame: seconds until the first frame was made.
        device: what ran, and why.
        notes: what the user should know.
    """

    path: Path
    frames: int
    size: tuple[int, int]
    rate: Fraction
    seconds: float
    first_frame: float
    device: str
    notes: tuple[str, ...]


def animate(
    options: AnimateOptions, cache: Cache | None = None, progress: Progress | None = None
) -> AnimateResult:
    """Make one video.

    Raises:
        RetargetError: whatever the user can act on; nothing is left behind then.
    """
    started = clock.perf_counter()
    progress = progress or Silence()
    origin = choose_origin(
        options.sources, options.subject, options.backend, dict(options.settings), options.body
    )
    path = output_path(options.output, origin.name, _moved_by(options), origin.backend)
    check(options, path)
    choice = choose_device(options.device)
    progress.note(f"device: {choice.reason}")
    backend = origin.open_backend(choice.device)
    body = load_body(origin.body)
    with ExitStack() as stack:
        driving = _opened(options, body, cache, progress, stack)
        subject = origin.open_subject(
            parse_size(options.size), options.source_person, body, cache, progress
        )
        if options.garment:
            subject = backend.dress(subject, _wearer(subject, options, body, cache, progress), options.parts)
        subject = backend.painted_behind(subject)
        background = stack.enter_context(
            open_background(options.background, subject, options.driving, options.person)
        )
        rate = options.fps or RATE
        if driving is None:
            driving = held(subject, options.orbit, rate)
            windows = _around(driving, subject, body, options.orbit)
        else:
            windows = _placed(driving, subject, body, options)
            driving = driving if options.freeze is None else stopped(driving, options.orbit, rate)
        performer = backend.prepare(subject)
        performed = perform(performer, windows, subject.size, backend.spec.window)
        rendered = stack.enter_context(overlapped(performed, ahead=2))
        frames = composed(rendered, background, subject.size)
        if options.is_compared:
            beside = None if options.freeze is not None else options.driving
            comparison = stack.enter_context(open_comparison(subject, beside, options.excerpt))
            frames = ((time, comparison.beside(time, picture)) for time, picture in frames)
        first = next(frames)
        first_frame = clock.perf_counter() - started
        size, writer = _write(itertools.chain([first], frames), path, driving, options, origin.backend, progress)
    seconds = clock.perf_counter() - started
    notes = (*driving.notes(), *writer.notes)
    return AnimateResult(
        path, writer.frames_written, size, options.fps or driving.rate, seconds, first_frame, choice.reason, notes
    )


def check(options: AnimateOptions, path: Path) -> None:
    """Find out before any work what would only fail at its end.

    Raises:
        UsageError, InputError, OutputError: see the messages.
    """
    if not 0 <= options.smooth <= 1:
        raise UsageError(f"--smooth {options.smooth}: expected 0 to 1", "0 leaves all jitter, 0.35 is usual")
    if options.driving is not None and not os.path.exists(options.driving):  # False for names that are too long
        raise InputError(
            f"--driving {options.driving}: there is no such file", "give a clip, or a folder of frames"
        )
    if options.audio is not None and not os.path.isfile(options.audio):
        raise InputError(f"--audio {options.audio}: there is no such file", "give a sound or video file")
    if os.path.exists(path) and not options.may_overwrite:
        raise OutputError(f"{path} exists", "choose another --output, or add --overwrite")
    if options.background == TRANSPARENT and not options.is_compared and not can_hold_alpha(path):
        raise UsageError(
            f"--background transparent: {path.suffix} files hold no transparency",
            "name the output .mov (ProRes 4444), .webm (VP9), or without an ending for a folder of PNGs",
        )
    if names_picture(path) and not _is_single(options):
        raise UsageError(
            f"{path.name}: one picture does not hold all frames",
            "name a film (.mp4), an animation (.gif), or a folder of PNGs (no ending)",
        )
    check_background(options.background, options.driving)
    parse_size(options.size)


def _is_single(options: AnimateOptions) -> bool:
    """Whether a single frame is asked for."""
    if options.driving is None or options.freeze is not None:
        return options.orbit.count == 1
    return options.excerpt.max_frames == 1


def _moved_by(options: AnimateOptions) -> str:
    """What stands for {driving} in the result's name."""
    if options.driving is not None:
        return options.driving.stem
    return Path(options.garment[0]).stem if options.garment else "view"


def _opened(
    options: AnimateOptions, body: Body, cache: Cache | None, progress: Progress, stack: ExitStack
) -> Driving | None:
    if options.driving is None:
        return None
    return stack.enter_context(
        open_driving(options.driving, body, options.person, options.excerpt, cache, progress)
    )


def _wearer(
    subject: Subject, options: AnimateOptions, body: Body, cache: Cache | None, progress: Progress
) -> Subject:
    """Whoever wears the garment, on the subject's canvas."""
    canvas = CanvasSize(max(subject.size), exact=subject.size)
    files = source_files(options.garment, "--garment")
    return prepare_subject(files, canvas, options.garment_person, body, cache, progress)


def _placed(driving: Driving, subject: Subject, body: Body, options: AnimateOptions) -> Iterator[Motion]:
    """The driving motion without gaps or jitter, in the source's place."""
    view = subject.primary
    placer = Placer(
        body,
        subject.betas,
        view.pose,
        view.theta,
        view.camera,
        subject.size,
        options.motion,
        options.framing,
    )
    windows: Iterable[Motion] = driving.windows
    centre = None
    if options.find_best_frame:
        whole = join(list(windows))
        row = best_frame(whole, view.theta)
        placer.refer_to(whole, row)
        centre = centre_of(whole, row, row, body)
        windows = split(whole)
    windows = fill_missing(windows, options.missing, view.theta, str(options.driving))
    windows = smooth_motion(windows, options.smooth)
    if options.freeze is not None:
        shot, centre = frozen(windows, options.freeze, driving, str(options.driving), placer, body)
        windows = split(repeated(shot, options.orbit.count, options.fps or RATE))
    elif options.fps is not None:
        windows = resample_motion(windows, options.fps)
    if not options.orbit.is_home:
        windows = circled(windows, options.orbit, placer, body, centre)
    return (placer.place(window) for window in windows)


def _around(driving: Driving, subject: Subject, body: Body, orbit: Orbit) -> Iterator[Motion]:
    """The source where it stands, from every viewpoint."""
    view = subject.primary
    placer = Placer(
        body, subject.betas, view.pose, view.theta, view.camera, subject.size, framing=Framing.EXACT
    )
    windows = driving.windows if orbit.is_home else circled(driving.windows, orbit, placer, body)
    return (placer.place(window) for window in windows)


def perform(
    performer: Performer, motion: Iterable[Motion], size: tuple[int, int], window: int
) -> Iterator[tuple[Fraction, Tensor]]:
    """Let a performer move its subject: (time, RGBA (4, H, W)) of every frame, in order.

    Args:
        performer: of a backend.
        motion: placed, in parts of any length.
        size: (height, width) that frames must have.
        window: frames that the performer is handed at a time.

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
            yield Window(taken, part)
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


def rewindowed(parts: Iterable[Motion], length: int) -> Iterator[Motion]:
    """The same motion in windows of `length` frames; the last may be shorter."""
    rest: Motion | None = None
    for part in parts:
        rest = part if rest is None else join([rest, part])
        while len(rest) >= length:
            yield rest.rows(0, length)
            rest = rest.rows(length, len(rest))
    if rest is not None and len(rest):
        yield rest


def _write(
    frames: Iterator[tuple[Fraction, Image]],
    path: Path,
    driving: Driving,
    options: AnimateOptions,
    backend: str,
    progress: Progress,
) -> tuple[tuple[int, int], Writer]:
    """Encode all frames; the file appears when the last one is in it."""
    total = driving.frame_count
    if total is not None and options.fps is not None:
        total = round(total * options.fps / driving.rate)
    first = next(frames)
    height, width = first[1].shape[:2]
    with open_writer(
        path,
        size=(height, width),
        rate=options.fps or driving.rate,
        time_base=None if options.fps else driving.time_base,
        alpha=options.background == TRANSPARENT and not options.is_compared,
        codec=options.codec,
        crf=options.crf,
        audio=_sound(options, driving, first[0]),
        metadata={"title": f"{_moved_by(options)}, moved by retarget", "encoder_backend": backend},
        overwrite=options.may_overwrite,
    ) as writer:
        for time, picture in itertools.chain([first], frames):
            writer.write(picture, time)
            progress.stage("render", writer.frames_written, total)
    progress.stage("render", writer.frames_written, writer.frames_written)
    return (height, width), writer


def _sound(options: AnimateOptions, driving: Driving, first: Fraction) -> AudioTrack | None:
    """The sound from the moment of the first frame written, which `--missing skip` may have made a later one."""
    if not options.has_audio:
        return None
    track = driving.audio if options.audio is None else AudioTrack(options.audio)
    return None if track is None else replace(track, start=track.start + first - driving.start())
