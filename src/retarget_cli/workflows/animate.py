"""The main job: photos of one person and the motion of another in, a video out.

This file is the way of a frame. Everything is pulled by the writer at the end (`filming`):

    open_driving  frames -> pose -> fitted motion                (thread 1; or read from a file or the cache)
    fill, smooth, turn, place -> windows -> performer -> RGBA    (thread 2)
    compose over the background -> encode                        (the caller's thread)

Without a driving clip the person holds the photo's pose; `workflows.view` and `workflows.dress` come this way too.

Memory is a few windows, whatever the clip's length.
"""

from __future__ import annotations

import os
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch

from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body
from retarget_cli.body.placement import Framing, MotionPath, Placer
from retarget_cli.body.viewpoint import Orbit, centre_of
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import InputError, OutputError, UsageError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.parts import Parts
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.subject import Subject
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.segments import FilmPlan
from retarget_cli.media.writer import can_hold_alpha, names_picture
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
from retarget_cli.workflows.film_identity import film_identity, ready_key
from retarget_cli.workflows.filming import Shoot, film, film_in_segments
from retarget_cli.workflows.origin import Origin, choose_origin
from retarget_cli.workflows.output_name import output_path
from retarget_cli.workflows.source import prepare_subject, source_files
from retarget_cli.workflows.troupe import Ready, Troupe


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
        is_resumed: work in closed segments beside the output, and go on with those that are there; see `reel`.
        is_helping: another process leads at the same film; this one adds segments and does not finish it.
        window_share: the performer is handed one frame of so many that it could take at a time, against want of memory.
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
    is_resumed: bool = False
    is_helping: bool = False
    window_share: int = 1


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
        resumed: how many of the frames an earlier run had made.
    """

    path: Path
    frames: int
    size: tuple[int, int]
    rate: Fraction
    seconds: float
    first_frame: float
    device: str
    notes: tuple[str, ...]
    resumed: int = 0


def animate(
    options: AnimateOptions,
    cache: Cache | None = None,
    progress: Progress | None = None,
    troupe: Troupe | None = None,
) -> AnimateResult:
    """Make one video.

    Args:
        options: what is asked for.
        cache: of perception; None keeps nothing.
        progress: told of every stage.
        troupe: has performers of earlier runs, and gets this one's.

    Raises:
        RetargetError: whatever the user can act on; nothing is left behind then but segments, if asked for.
        Interrupted: by the user, where segments are kept.
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
    body = load_body(origin.body)
    with ExitStack() as stack:
        driving = _opened(options, body, cache, progress, stack)
        ready = (troupe or Troupe()).ready(
            ready_key(options, origin, choice.device),
            lambda: _ready(options, origin, body, choice.device, cache, progress),
        )
        subject = ready.subject
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
        comparison = None
        if options.is_compared:
            clip = None if options.freeze is not None else options.driving
            comparison = stack.enter_context(open_comparison(subject, clip, options.excerpt))
        window = max(1, ready.backend.spec.window // options.window_share)
        shoot = Shoot(
            _plan(options, path, driving, origin.backend), ready, windows, background, comparison, window,
            _total(options, driving), partial(_sound, options, driving),
        )  # fmt: skip
        if options.is_resumed:
            told = film_identity(options, origin, ready.backend)
            filmed = film_in_segments(shoot, told, progress, is_helping=options.is_helping)
        else:
            filmed = film(shoot, progress)
    return AnimateResult(
        path, filmed.frames, filmed.size, options.fps or driving.rate, clock.perf_counter() - started,
        filmed.first_at - started, choice.reason, (*driving.notes(), *filmed.notes), filmed.resumed,
    )  # fmt: skip


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


def _ready(
    options: AnimateOptions, origin: Origin, body: Body, device: torch.device, cache: Cache | None, progress: Progress
) -> Ready:
    """The person, dressed and on the method's stage."""
    backend = origin.open_backend(device)
    subject = origin.open_subject(parse_size(options.size), options.source_person, body, cache, progress)
    if options.garment:
        subject = backend.dress(subject, _wearer(subject, options, body, cache, progress), options.parts)
    subject = backend.painted_behind(subject)
    return Ready(backend, subject, backend.prepare(subject))


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


def _plan(options: AnimateOptions, path: Path, driving: Driving, backend: str) -> FilmPlan:
    return FilmPlan(
        path,
        options.fps or driving.rate,
        None if options.fps else driving.time_base,
        alpha=options.background == TRANSPARENT and not options.is_compared,
        codec=options.codec,
        crf=options.crf,
        metadata={"title": f"{_moved_by(options)}, moved by retarget", "encoder_backend": backend},
        overwrite=options.may_overwrite,
    )


def _total(options: AnimateOptions, driving: Driving) -> int | None:
    total = driving.frame_count
    if total is not None and options.fps is not None:
        return round(total * options.fps / driving.rate)
    return total


def _sound(options: AnimateOptions, driving: Driving, first: Fraction) -> AudioTrack | None:
    """The sound from the moment of the first frame written, which `--missing skip` may have made a later one."""
    if not options.has_audio:
        return None
    track = driving.audio if options.audio is None else AudioTrack(options.audio)
    return None if track is None else replace(track, start=track.start + first - driving.start())
