"""The main job: photos of one person and the motion of another in, a video out.

This file is the way of a frame. Everything is pulled by the writer at the end (`filming`):

    open_driving  frames -> pose -> fitted motion                (thread 1; or read from a file or the cache)
    fill, smooth, turn, place -> windows -> performer -> RGBA    (thread 2)
    compose over the background -> encode                        (the caller's thread)

A method that is led by pixels gets the clip's frames themselves in place of a motion (`_led`). Without a driving clip
the person holds the photo's pose; `workflows.view` and `workflows.dress` come this way too.

Memory is a few windows, whatever the clip's length.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch

from retarget_cli.backends.registry import backend_class
from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body
from retarget_cli.body.placement import Framing, MotionPath, Placer
from retarget_cli.body.viewpoint import Orbit, centre_of
from retarget_cli.core.device import choose_device
from retarget_cli.core.footage import Footage
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.subject import Subject
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.segments import FilmPlan
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.missing import fill_missing
from retarget_cli.perception.smoothing import resample_motion, smooth_motion
from retarget_cli.workflows.animate_options import AnimateOptions, check_options
from retarget_cli.workflows.background import TRANSPARENT, open_background
from retarget_cli.workflows.best_frame import best_frame
from retarget_cli.workflows.canvas import CanvasSize, parse_size
from retarget_cli.workflows.circling import RATE, circled, frozen, held, repeated, split, stopped
from retarget_cli.workflows.comparison import Comparison, open_comparison
from retarget_cli.workflows.cropping import parse_crop
from retarget_cli.workflows.driving import Driving, open_driving
from retarget_cli.workflows.film_identity import film_identity, ready_key
from retarget_cli.workflows.filming import Shoot, film, film_in_segments
from retarget_cli.workflows.leading import Lead, cut_of, most_alike, open_footage
from retarget_cli.workflows.origin import Origin, choose_origin
from retarget_cli.workflows.output_name import output_path
from retarget_cli.workflows.pasting import Pasted
from retarget_cli.workflows.performing import Part
from retarget_cli.workflows.pixels import check_kind
from retarget_cli.workflows.source import prepare_subject, source_files
from retarget_cli.workflows.troupe import Ready, Troupe
from retarget_cli.workflows.volume_views import check_volume, show_volume


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
    check_options(options, path)
    choice = choose_device(options.device)
    progress.note(f"device: {choice.reason}")
    is_led = backend_class(origin.backend).spec.is_led_by_pixels
    notes = check_kind(options, origin.backend, is_led=is_led)
    check_volume(options, origin.backend)
    with ExitStack() as stack:
        take = partial((troupe or Troupe()).ready, ready_key(options, origin, choice.device))
        if is_led:
            ready, driving, windows = _led(options, origin, choice.device, take, progress, stack)
        else:
            ready, driving, windows = _embodied(options, origin, choice.device, take, cache, progress, stack)
        show_volume(ready.performer, options)
        subject = ready.subject
        background = stack.enter_context(
            open_background(options.background, subject, options.driving, options.person)
        )
        shoot = Shoot(
            _plan(options, path, driving, origin.backend), ready, windows, background,
            _beside(options, subject, stack), max(1, ready.backend.spec.window // options.window_share),
            _total(options, driving), partial(_sound, options, driving),
        )  # fmt: skip
        if options.is_resumed:
            told = film_identity(options, origin, ready.backend)
            filmed = film_in_segments(shoot, told, progress, is_helping=options.is_helping)
        else:
            filmed = film(shoot, progress)
    return AnimateResult(
        path, filmed.frames, filmed.size, options.fps or driving.rate, clock.perf_counter() - started,
        filmed.first_at - started, choice.reason, (*notes, *ready.notes, *driving.notes(), *filmed.notes),
        filmed.resumed,
    )  # fmt: skip


def _moved_by(options: AnimateOptions) -> str:
    """What stands for {driving} in the result's name."""
    if options.driving is not None:
        return options.driving.stem
    return Path(options.garment[0]).stem if options.garment else "view"


Take = Callable[[Callable[[], Ready]], Ready]
"""Gives what is ready on a stage; what is handed in prepares it where it is not."""


def _embodied(
    options: AnimateOptions, origin: Origin, device: torch.device, take: Take, cache: Cache | None,
    progress: Progress, stack: ExitStack,
) -> tuple[Ready, Driving, Iterator[Part]]:  # fmt: skip
    """A person, and the motion of another's body placed on this one."""
    body = load_body(origin.body)
    opened = _opened(options, body, cache, progress, stack)
    ready = take(partial(_ready, options, origin, body, device, cache, progress))
    return ready, *_moving(opened, ready.subject, body, options)


def _led(
    options: AnimateOptions, origin: Origin, device: torch.device, take: Take, progress: Progress, stack: ExitStack
) -> tuple[Ready, Driving, Iterator[Part]]:
    """Pictures of anything, and the driving frames as they are."""
    ready = take(partial(_pictured, options, origin, device, progress))
    return ready, *_looked_at(options, ready, progress, stack)


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


def _pictured(options: AnimateOptions, origin: Origin, device: torch.device, progress: Progress) -> Ready:
    """Pictures of anything, on the stage of a method that is led by pixels."""
    backend = origin.open_backend(device)
    found = origin.open_pictures(parse_size(options.size), progress, parse_crop("--crop", options.crop))
    performer = backend.prepare(found.seen)
    if found.box is not None:
        performer = Pasted(performer, found.subject.primary.image, found.box)
    return Ready(backend, found.subject, performer, found.box, found.notes)


def _looked_at(
    options: AnimateOptions, ready: Ready, progress: Progress, stack: ExitStack
) -> tuple[Driving, Iterator[Footage]]:
    """The driving frames as they are, or a part of each."""
    assert options.driving is not None  # `check_kind` has refused that
    height, width = ready.subject.size if ready.box is None else ready.box.size
    crop = parse_crop("--driving-crop", options.driving_crop)
    cut, notes = cut_of(options.driving, options.excerpt, crop, width / height)
    is_relative = options.motion is MotionPath.RELATIVE
    lead = Lead(
        options.driving, options.excerpt, cut, options.fps, is_relative, None, options.adapts_scale and is_relative,
        notes,
    )  # fmt: skip
    if options.find_best_frame and is_relative:
        lead = replace(lead, reference=most_alike(replace(lead, rate=None), ready.performer))
    return stack.enter_context(open_footage(lead, progress))


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


def _moving(
    driving: Driving | None, subject: Subject, body: Body, options: AnimateOptions
) -> tuple[Driving, Iterator[Motion]]:
    """What moves the subject, and its motion in the subject's place; without a clip the photo's pose is held."""
    rate = options.fps or RATE
    if driving is None:
        driving = held(subject, options.orbit, rate)
        return driving, _around(driving, subject, body, options.orbit)
    windows = _placed(driving, subject, body, options)
    return driving if options.freeze is None else stopped(driving, options.orbit, rate), windows


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


def _beside(options: AnimateOptions, subject: Subject, stack: ExitStack) -> Comparison | None:
    if not options.is_compared:
        return None
    clip = None if options.freeze is not None else options.driving
    return stack.enter_context(open_comparison(subject, clip, options.excerpt))


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
