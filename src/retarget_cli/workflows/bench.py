"""Time and memory of every stage and of the whole job; nothing is stated that was not measured in this run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from retarget_cli.backends.base import Performer
from retarget_cli.backends.registry import make_backend
from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import Placer
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import InputError
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
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.driving import Excerpt, perceived_side
from retarget_cli.workflows.extract import extract_motion
from retarget_cli.workflows.frames import composed
from retarget_cli.workflows.performing import perform
from retarget_cli.workflows.source import prepare_subject

T = TypeVar("T")

DEFAULT_FRAMES = 300
LENGTHS = (10, 60)


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to measure; see `cli.bench` for the meanings."""

    source: Path | None
    driving: Path | None
    sizes: tuple[int, ...]
    frames: int | None
    backend: str
    device: str
    is_cold: bool
    has_memory: bool


@dataclass(frozen=True, slots=True)
class SizeReport:
    """One size.

    Attributes:
        size: WIDTHxHEIGHT of the result.
        frames: how many were measured.
        decode, pose, fit, render, encode: ms a frame of the stage on its own.
        job_seconds, job_fps: from clip to file, in this process, with nothing cached.
        motion_fps: from a saved motion to file, the preparation of the source included.
        to_pose: wall time of clip to file over that of the pose network alone on the same frames.
        process: the same job in a process of its own: start, imports and all.
    """

    size: str
    frames: int
    decode: float
    pose: float
    fit: float
    render: float
    encode: float
    job_seconds: float
    job_fps: float
    motion_fps: float
    to_pose: float
    process: Job


@dataclass(slots=True)
class BenchReport:
    """All that was measured."""

    device: str
    clip: str
    rows: list[SizeReport]
    starts: dict[str, Job]
    lengths: dict[int, Job]

    def text(self) -> str:
        """Tables."""
        lines = [f"device: {self.device}", f"clip: {self.clip}"]
        head = ("size", "frames", "decode", "pose", "fit", "render", "encode")
        lines.append("".join(f"{name:>10}" for name in head) + "   ms a frame, each stage alone")
        for row in self.rows:
            times = (row.decode, row.pose, row.fit, row.render, row.encode)
            lines.append(f"{row.size:>10}{row.frames:>10}" + "".join(f"{value:10.2f}" for value in times))
            lines.append(f"{'':20}" + "".join(f"{1000 / value:6.0f} fps" for value in times))
        lines.append("")
        lines.append(f"{'size':>10}{'clip->file':>20}{'motion->file':>14}{'wall/pose':>11}   whole job, this process")
        for row in self.rows:
            lines.append(
                f"{row.size:>10}{row.job_seconds:>8.2f} s{row.job_fps:>6.1f} fps"
                f"{row.motion_fps:>10.1f} fps{row.to_pose:>11.2f}"
            )
        named = [(f"{row.size}: compiled before", row.process) for row in self.rows]
        first = self.rows[0].size  # starts and lengths are measured at the first size
        named += [(f"{first}: {name}", job) for name, job in self.starts.items()]
        named += [(f"{first}: clip of {seconds} s", job) for seconds, job in self.lengths.items()]
        lines += ["", f"{'':48}{'wall':>10}{'':>10}{'first frame':>13}{'peak memory':>14}   whole job, new process"]
        lines += [
            f"{name:48}{job.seconds:>8.2f} s{job.frames / job.seconds:>6.1f} fps{job.first_frame:>11.2f} s"
            f"{job.peak_mib:>10.0f} MiB"
            for name, job in named
        ]
        if len(self.lengths) > 1:
            short, long = (self.lengths[key].peak_mib for key in (min(self.lengths), max(self.lengths)))
            lines.append(f"peak memory grows by {100 * (long / short - 1):.1f} % over that length")
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


def measure(options: BenchOptions, say: Callable[[str], None]) -> BenchReport:
    """Run everything that was asked for, one after the other.

    Raises:
        InputError: no clip or picture to measure with.
    """
    source = options.source or example("source.png")
    driving = options.driving or example("driving.mp4")
    choice = choose_device(options.device)
    rows = []
    for side in options.sizes:
        say(f"measuring at {side} px ...")
        rows.append(_measure_size(source, driving, side, options))
    setting = Setting(source, driving, options.sizes[0], options.frames, options.backend, options.device)
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
    poses, pose = _timed(lambda: list(read_poses(frames, size, "largest")), len(frames))
    motion, fit = _timed(lambda: join(list(fit_windows(straighten(poses), body))), len(frames))
    placed = _placed(motion, subject)
    backend = make_backend(options.backend, {}, choose_device(options.device).device)
    performer = backend.prepare(subject)
    window = backend.spec.window
    _render(performer, placed[:1], subject, window)  # compiles, where nothing is compiled yet
    pictures, render = _timed(lambda: _render(performer, placed, subject, window), len(frames))
    with tempfile.TemporaryDirectory() as folder:
        _, encode = _timed(lambda: _encode(pictures, Path(folder, "encode.mp4")), len(frames))
        job, from_motion = _whole_jobs(source, driving, side, options, Path(folder), len(frames))
        setting = Setting(source, driving, side, limit, options.backend, options.device)
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


def _whole_jobs(
    source: Path, driving: Path, side: int, options: BenchOptions, folder: Path, frames: int
) -> tuple[float, float]:
    """Ms a frame from clip to file, and from a saved motion to file."""
    excerpt = Excerpt(max_frames=frames)
    whole = AnimateOptions(
        (str(source),),
        driving,
        str(folder / "whole.mp4"),
        options.backend,
        size=str(side),
        excerpt=excerpt,
        device=options.device,
    )
    _, job = _timed(lambda: animate(whole), frames)
    saved = folder / "saved.motion"
    extract_motion(driving, saved, excerpt=excerpt)
    again = replace(whole, driving=saved, output=str(folder / "again.mp4"), excerpt=Excerpt())
    _, from_motion = _timed(lambda: animate(again), frames)
    return job, from_motion


def _timed(work: Callable[[], T], frames: int) -> tuple[T, float]:
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


def _encode(pictures: list[Image], path: Path) -> None:
    height, width = pictures[0].shape[:2]
    with open_writer(path, size=(height, width), rate=Fraction(30)) as writer:
        for number, picture in enumerate(pictures):
            writer.write(picture, Fraction(number, 30))
