"""Speed and memory of `retarget eval`, on clips that are drawn for it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from retarget_cli.core.subject import Image
from retarget_cli.evaluation.protocols import Pick, Protocol
from retarget_cli.evaluation.scoring import Material, score_clip
from retarget_cli.media.images import write_png
from retarget_cli.media.reader import open_frames
from retarget_cli.workflows.bench_process import measured
from retarget_cli.workflows.evaluate import EvaluateOptions, evaluate
from retarget_cli.workflows.measuring import load_measures

SIDE = 256
FRAMES = 96
SETS = {"L1, PSNR, SSIM": ("l1", "psnr", "ssim"), "all without learned weights": ("no-weights",)}
# Need no landmarks: those take both cores, as rendering does, and nothing can overlap.
STEADY = ("l1", "psnr", "ssim", "ms-ssim", "tcm")
FEW, MANY = 2, 12


@dataclass(frozen=True, slots=True)
class EvaluationBench:
    """What was measured.

    Attributes:
        fps: by set of metrics: frames a second, both clips' frames in memory, persons known.
        clips: how many clips each of the two measured processes scored.
        peak_mib: peak memory of these two.
        alone: seconds that rendering all clips took, and scoring them, one after the other.
        together: seconds of the whole run, in which they overlap.
    """

    fps: dict[str, float]
    clips: tuple[int, int]
    peak_mib: tuple[float, float]
    alone: tuple[float, float]
    together: float

    def text(self) -> str:
        """A line a figure."""
        lines = [f"{name:30}{value:8.1f} frames/s at {SIDE} px" for name, value in self.fps.items()]
        (few, many), (low, high) = self.clips, self.peak_mib
        lines.append(f"peak memory: {low:.0f} MiB with {few} clips, {high:.0f} MiB with {many}")
        render, score = self.alone
        lines.append(f"render {render:.1f} s, score {score:.1f} s, both in one run {self.together:.1f} s")
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


def measure_evaluation(driving: Path, say: Callable[[str], None]) -> EvaluationBench:
    """Measure with the first frames of a clip of somebody, and the same with noise as what was rendered.

    Raises:
        InputError: the clip can't be read.
    """
    with open_frames(driving, long_side=SIDE, max_frames=FRAMES) as source:
        target = [np.ascontiguousarray(frame.rgb) for frame in source]
    noise = np.random.default_rng(0)
    rendered = [(picture + noise.integers(0, 6, picture.shape)).clip(0, 255).astype(np.uint8) for picture in target]
    fps = {}
    for name, keys in SETS.items():
        say(f"measuring {name} ...")
        fps[name] = _speed(rendered, target, keys)
    with tempfile.TemporaryDirectory() as folder:
        say(f"measuring memory of {FEW} and {MANY} clips ...")
        peaks = tuple(_peak(Path(folder), target, count) for count in (FEW, MANY))
        say("measuring a run with rendering and scoring ...")
        alone, together = _overlap(Path(folder), target)
    return EvaluationBench(fps, (FEW, MANY), (peaks[0], peaks[1]), alone, together)


def _speed(rendered: Sequence[Image], target: Sequence[Image], keys: Sequence[str]) -> float:
    measures = load_measures(keys, None, torch.device("cpu")).measures
    person = np.zeros(target[0].shape[:2], bool)
    person[SIDE // 8 : -SIDE // 8, SIDE // 3 : -SIDE // 3] = True

    def score(ours: Sequence[Image], theirs: Sequence[Image]) -> None:
        score_clip(Material(enumerate(ours), enumerate(theirs), iter([person] * len(ours)), None, "bench"), measures)

    # Loads networks; mirrored, so that no frame that counts is known already.
    score(*([np.ascontiguousarray(picture[:, ::-1]) for picture in each[:16]] for each in (rendered, target)))
    started = time.perf_counter()
    score(rendered, target)
    return len(target) / (time.perf_counter() - started)


def _write(folder: Path, pictures: Sequence[Image], clips: int) -> Path:
    for clip in range(clips):
        (folder / f"{clip:03d}").mkdir(parents=True)
        for number, picture in enumerate(pictures):
            write_png(folder / f"{clip:03d}" / f"{number:06d}.png", picture)
    return folder


def _peak(folder: Path, pictures: Sequence[Image], clips: int) -> float:
    """MiB of a process that scores so many clips."""
    target = _write(folder / f"target{clips}", pictures, clips)
    words = ["eval", "score", "--rendered", str(target), "--target", str(target), "-o", str(folder / f"run{clips}")]
    _, peak = measured([*words, "-m", "pixels", "--no-report", "--json", "--quiet"], {})
    return peak


def _overlap(folder: Path, pictures: Sequence[Image]) -> tuple[tuple[float, float], float]:
    """Seconds of rendering and of scoring alone, and of both in one run."""
    data = _write(folder / "data", pictures[:48], 3)
    protocol = Protocol(pick=Pick.FIRST, size=(SIDE, SIDE))

    def run(output: str, metrics: tuple[str, ...]) -> float:
        started = time.perf_counter()
        evaluate(EvaluateOptions(data, folder / output, ("avatar",), protocol, metrics=metrics, device="cpu"))
        return time.perf_counter() - started

    run("warm", ("l1",))
    together = run("both", STEADY)
    render = run("render", ())
    shutil.rmtree(folder / "both" / "scores")
    score = run("both", STEADY)
    return (render, score), together
