"""Time and memory of every stage and of the whole job; nothing is stated that was not measured in this run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer
from retarget_cli.perception.missing import Missing, fill_missing
from retarget_cli.perception.motion_reader import fit_windows, read_poses
from retarget_cli.perception.smoothing import smooth_motion
from retarget_cli.perception.turning import straighten
from retarget_cli.workflows.animate import AnimateOptions, animate, perform
from retarget_cli.workflows.background import Still
from retarget_cli.workflows.bench_process import first_start, peak_of_length
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.driving import Excerpt, perceived_side
from retarget_cli.workflows.extract import extract_motion
from retarget_cli.workflows.frames import composed
from retarget_cli.workflows.progress import Silence
from retarget_cli.workflows.source import prepare_subject

T = TypeVar("T")

DEFAULT_FRAMES = 300


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
    """One size. Times are ms a frame of a stage on its own; `fps` are of whole jobs, from file to file."""

    size: str
    frames: int
    decode: float
    pose: float
    fit: float
    render: float
    encode: float
    job_fps: float
    motion_fps: float
    to_pose: float
    first_frame: float


@dataclass(slots=True)
class BenchReport:
    """All that was measured."""

    device: str
    clip: str
    rows: list[SizeReport]
    starts: dict[str, float]
    memory: dict[str, float]

    def text(self) -> str:
        """Tables."""
        lines = [f"device: {self.device}", f"clip: {self.clip}"]
        head = ("size", "frames", "decode", "pose", "fit", "render", "encode")
        lines.append("".join(f"{name:>10}" for name in head) + "   ms a frame, each stage alone")
        for row in self.rows:
            times = (row.decode, row.pose, row.fit, row.render, row.encode)
            lines.append(f"{row.size:>10}{row.frames:>10}" + "".join(f"{value:10.2f}" for value in times))
        lines.append("")
        lines.append(f"{'size':>10}{'clip->file':>12}{'motion->file':>14}{'wall/pose':>11}{'first frame':>13}")
        for row in self.rows:
            lines.append(
                f"{row.size:>10}{row.job_fps:>8.1f} fps{row.motion_fps:>10.1f} fps"
                f"{row.to_pose:>11.2f}{row.first_frame:>11.2f} s"
            )
        lines += [f"{name}: {value:.2f} s" for name, value in self.starts.items()]
        lines += [f"{name}: {value:.0f} MiB" for name, value in self.memory.items()]
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
    starts: dict[str, float] = {}
    if options.is_cold:
        say("measuring first starts ...")
        with tempfile.TemporaryDirectory() as folder:
            starts["first frame of a new process, nothing compiled or cached"] = first_start(source, driving, folder)
            starts["first frame of a new process, compiled and cached"] = first_start(source, driving, folder)
    memory: dict[str, float] = {}
    if options.has_memory:
        for seconds in (10, 60):
            say(f"measuring memory of a {seconds} s clip ...")
            memory[f"peak memory, {seconds} s clip"] = peak_of_length(source, driving, seconds)
    return BenchReport(choice.reason, f"{source.name} x {driving.name}", rows, starts, memory)


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
        excerpt = Excerpt(max_frames=limit)
        whole = AnimateOptions((str(source),), driving, f"{folder}/whole.mp4", size=str(side), excerpt=excerpt)
        result, job = _timed(lambda: animate(whole), len(frames))
        saved = Path(folder, "saved.motion")
        extract_motion(driving, saved, excerpt=excerpt)
        again = AnimateOptions((str(source),), saved, f"{folder}/again.mp4", size=str(side))
        _, from_motion = _timed(lambda: animate(again), len(frames))
    return SizeReport(
        f"{subject.size[1]}x{subject.size[0]}",
        len(frames),
        decode,
        pose,
        fit,
        render,
        encode,
        1000 / job,
        1000 / from_motion,
        job / pose,
        result.first_frame,
    )


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
