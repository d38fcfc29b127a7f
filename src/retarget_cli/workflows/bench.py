"""Time and memory of every stage and of the whole job; nothing is stated that was not measured in this run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from retarget_cli.backends.base import Performer
from retarget_cli.backends.registry import backend_class, make_backend
from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import Placer
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import InputError
from retarget_cli.core.footage import Footage, spliced
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Silence
from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer
from retarget_cli.perception.missing import Missing, fill_missing
from retarget_cli.perception.motion_reader import fit_windows, read_poses
from retarget_cli.perception.smoothing import smooth_motion
from retarget_cli.perception.turning import straighten
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.background import Still
from retarget_cli.workflows.bench_process import Job, Setting, measure_lengths, measure_starts, run_job
from retarget_cli.workflows.bench_report import BenchOptions, BenchReport, SizeReport
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.driving import Excerpt, perceived_side
from retarget_cli.workflows.extract import extract_motion
from retarget_cli.workflows.frames import composed
from retarget_cli.workflows.leading import Lead, open_footage
from retarget_cli.workflows.performing import perform
from retarget_cli.workflows.pixels import pictured
from retarget_cli.workflows.source import prepare_subject

T = TypeVar("T")

DEFAULT_FRAMES = 300
LENGTHS = (10, 60)


def measure(options: BenchOptions, say: Callable[[str], None]) -> BenchReport:
    """Run everything that was asked for, one after the other.

    Raises:
        InputError: no clip or picture to measure with.
    """
    source = options.source or example("source.png")
    driving = options.driving or example("driving.mp4")
    choice = choose_device(options.device)
    is_led = backend_class(options.backend).spec.is_led_by_pixels
    rows = []
    for side in options.sizes:
        say(f"measuring at {side} px ...")
        rows.append((measure_led if is_led else _measure_size)(source, driving, side, options))
    setting = setting_of(source, driving, options.sizes[0], options.frames, options)
    starts: dict[str, Job] = {}
    if options.is_cold:
        say("measuring starts: nothing compiled, compiled, and perceived before ...")
        starts = measure_starts(setting)
    lengths: dict[int, Job] = {}
    if options.has_memory:
        say(f"measuring memory of clips of {' and '.join(map(str, LENGTHS))} s ...")
        lengths = measure_lengths(setting, LENGTHS)
    return BenchReport(choice.reason, f"{source.name} x {driving.name}", rows, starts, lengths)


def example(name: str) -> Path:
    """A file of the examples folder, from the checkout's root or beside the package's source.

    Raises:
        InputError: there is none.
    """
    for folder in (Path("examples"), Path(__file__).parents[3] / "examples"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"examples/{name} is not here", "run in the checkout, or give --source and --driving")


def _measure_size(source: Path, driving: Path, side: int, options: BenchOptions) -> SizeReport:
    body = load_body("anny")
    limit = options.frames or DEFAULT_FRAMES
    subject = prepare_subject([source], parse_size(str(side)), "largest", body, None, Silence())
    frames, size, decode = _decoded(driving, limit)
    list(read_poses(frames[:4], size, "largest"))  # loads the networks
    poses, pose = timed(lambda: list(read_poses(frames, size, "largest")), len(frames))
    motion, fit = timed(lambda: join(list(fit_windows(straighten(poses), body))), len(frames))
    placed = _placed(motion, subject)
    backend = make_backend(options.backend, dict(options.settings), choose_device(options.device).device)
    performer = backend.prepare(subject)
    window = backend.spec.window
    _render(performer, placed[:1], subject, window)  # compiles, where nothing is compiled yet
    pictures, render = timed(lambda: _render(performer, placed, subject, window), len(frames))
    with tempfile.TemporaryDirectory() as folder:
        _, encode = timed(lambda: encoded(pictures, Path(folder, "encode.mp4")), len(frames))
        job, from_motion = _whole_jobs(source, driving, side, options, Path(folder), len(frames))
        setting = setting_of(source, driving, side, limit, options)
        process = run_job(setting, Path(folder), {}, "--no-cache")
    return SizeReport(
        f"{subject.size[1]}x{subject.size[0]}",
        len(frames),
        decode,
        pose,
        fit,
        render,
        encode,
        job * len(frames) / 1000,
        1000 / job,
        1000 / from_motion,
        job / pose,
        process,
    )


def measure_led(source: Path, driving: Path, side: int, options: BenchOptions) -> SizeReport:
    """One size of a method that is led by pixels: nothing is perceived, and there are no motion files."""
    limit = options.frames or DEFAULT_FRAMES
    backend = make_backend(options.backend, dict(options.settings), choose_device(options.device).device)
    subject = pictured([source], parse_size(str(side)), Silence())
    performer, window = backend.prepare(subject), backend.spec.window
    with open_footage(Lead(driving, Excerpt(max_frames=limit)), Silence()) as (_, parts):
        footage, _ = timed(lambda: spliced(list(parts)), 1)
    count = len(footage)
    _, decode = timed(lambda: _decoded(driving, count), count)

    def render(part: Footage) -> list[Image]:
        performed = perform(performer, [part], subject.size, window)
        return [picture for _, picture in composed(performed, Still(subject.plate), subject.size)]

    render(footage.rows(0, 1))  # packs the weights
    pictures, rendering = timed(lambda: render(footage), count)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, encoding = timed(lambda: encoded(pictures, folder / "encode.mp4"), count)
        whole = _whole(source, driving, side, options, folder, count)
        _, job = timed(lambda: animate(whole), count)
        process = run_job(setting_of(source, driving, side, limit, options), folder, {}, "--no-cache")
    size = f"{subject.size[1]}x{subject.size[0]}"
    return SizeReport(
        size, count, decode, None, None, rendering, encoding, job * count / 1000, 1000 / job, None, None, process
    )


def setting_of(source: Path, driving: Path, side: int, frames: int | None, options: BenchOptions) -> Setting:
    """The same for a process of its own."""
    return Setting(source, driving, side, frames, options.backend, options.device, options.settings)


def _whole(source: Path, driving: Path, side: int, options: BenchOptions, folder: Path, frames: int) -> AnimateOptions:
    return AnimateOptions(
        (str(source),), driving, str(folder / "whole.mp4"), options.backend, size=str(side),
        excerpt=Excerpt(max_frames=frames), device=options.device, settings=options.settings,
    )  # fmt: skip


def _whole_jobs(
    source: Path, driving: Path, side: int, options: BenchOptions, folder: Path, frames: int
) -> tuple[float, float]:
    """Ms a frame from clip to file, and from a saved motion to file."""
    whole = _whole(source, driving, side, options, folder, frames)
    _, job = timed(lambda: animate(whole), frames)
    saved = folder / "saved.motion"
    extract_motion(driving, saved, excerpt=whole.excerpt)
    again = replace(whole, driving=saved, output=str(folder / "again.mp4"), excerpt=Excerpt())
    _, from_motion = timed(lambda: animate(again), frames)
    return job, from_motion


def timed(work: Callable[[], T], frames: int) -> tuple[T, float]:
    """The result of `work`, and ms a frame."""
    started = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - started) * 1000 / frames


def _decoded(driving: Path, limit: int) -> tuple[list[tuple[Fraction, Image]], tuple[int, int], float]:
    started = time.perf_counter()
    with open_frames(driving, max_frames=limit, long_side=perceived_side(driving)) as clip:
        frames = [(frame.time, frame.rgb) for frame in clip]
        size = clip.size
    return frames, size, (time.perf_counter() - started) * 1000 / len(frames)


def _placed(motion: Motion, subject: Subject) -> list[Motion]:
    view = subject.primary
    placer = Placer(load_body("anny"), subject.betas, view.pose, view.theta, view.camera, subject.size)
    windows = [motion.rows(at, at + 32) for at in range(0, len(motion), 32)]
    smooth = smooth_motion(fill_missing(windows, Missing.HOLD, view.theta), 0.35)
    return [placer.place(window) for window in smooth]


def _render(performer: Performer, motion: list[Motion], subject: Subject, window: int) -> list[Image]:
    performed = perform(performer, motion, subject.size, window)
    return [picture for _, picture in composed(performed, Still(subject.plate), subject.size)]


def encoded(pictures: list[Image], path: Path) -> None:
    height, width = pictures[0].shape[:2]
    with open_writer(path, size=(height, width), rate=Fraction(30)) as writer:
        for number, picture in enumerate(pictures):
            writer.write(picture, Fraction(number, 30))
