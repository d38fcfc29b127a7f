"""How well pose2video shows one person in poses that it has not seen, and in poses that were made worse.

    python benchmarks/pose2video_poses.py --clips CLIP... --runs RUN...

CLIP is a rendition of a synthetic clip, such as DIR/clips/0000/self, of the person whom the runs have learned
(`retarget train pose2video`). RUN are trainings in the order of the paper's Table 5: the first without augmentation,
and each with something more than the one before. Frames are compared before black, where the networks see the person;
intervals of 95 % are bootstrapped over seconds, for frames that follow each other are alike. The whole way:
`benchmarks/pose2video_ablation.sh`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.pose2video.augmentation import Strengths, draw_disturbance
from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.pose2video.design import ASIDE
from retarget_cli.backends.pose2video.film import Poses, film
from retarget_cli.backends.pose2video.model import COLOURS
from retarget_cli.backends.pose2video.options import Pose2VideoOptions
from retarget_cli.backends.pose2video.performer import shown
from retarget_cli.backends.pose2video.skeleton import points
from retarget_cli.backends.stage.frame import Frame, Size
from retarget_cli.backends.stage.pictures import seen_person
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.subject import View
from retarget_cli.evaluation.statistics import estimate
from retarget_cli.metrics.pixel import Pair, ssim
from retarget_cli.perception.motion_file import load_motion

CPU = torch.device("cpu")
# Frames that are made at a time, and that are drawn together in an interval's samples.
PART, SECOND = 8, 25
NOTHING = Strengths(flicker=0, loss=0, shift=0, stretched=0, stretch=0)
CLEAN = "as they are"
# After the point, of decibels and of SSIM, each in poses as they are and in worse ones.
DIGITS = 2, 2, 4, 4
WORSE = {
    CLEAN: NOTHING,
    "limbs missing": Strengths(flicker=0.15, loss=0, shift=0, stretched=0, stretch=0),
    "limbs stretched": Strengths(flicker=0, loss=0, shift=0, stretched=1, stretch=0.25),
    "joints trembling": Strengths(flicker=0, loss=0, shift=0.03, stretched=0, stretch=0),
}
"""Twice to three times as much as in training, where anything of the kind is done there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip: motion, and (T, 4, h, w) the person in [0, 1], premultiplied, and the mask."""

    motion: Motion
    truth: Tensor


def read_scene(clip: Path, size: Size) -> Scene:
    """With pictures as networks of this size see them."""
    motion = load_motion(clip / "truth.motion")
    assert motion.theta is not None
    assert motion.camera is not None
    pictures = []
    for row in range(len(motion)):
        image, mask = (
            cv2.imread(str(clip / kind / f"{row:06d}.png"), way) for kind, way in (("frames", 1), ("mask", 0))
        )
        rgb, alpha = np.ascontiguousarray(image[..., ::-1]), (mask / 255).astype(np.float32)
        view = View(rgb, alpha, motion.pose[row], motion.world[row], motion.theta[row], motion.camera[row])
        pictures.append(seen_person(view, Frame.of(view.camera, size, ASIDE)))
    seen = torch.stack(pictures)
    return Scene(motion, torch.cat([(seen[:, :COLOURS] + seen[:, COLOURS:]) / 2, seen[:, COLOURS:]], 1))


def rendered(backend: Pose2VideoBackend, motion: Motion, strengths: Strengths) -> Tensor:
    """(T, 3, h, w) in [0, 1], before black."""
    assert motion.theta is not None
    assert motion.betas is not None
    torch.manual_seed(0)
    tree = points(Poser("anny", motion.betas).posture(np.ascontiguousarray(motion.theta), CPU))[None]
    disturbance = draw_disturbance(tree, strengths)

    def poses() -> Iterator[Poses]:
        bent = disturbance.bent(tree)
        for start in range(0, bent.shape[1], PART):
            rows = slice(start, start + PART)
            drawn = Poses.of(bent[0, rows], backend.network.design)
            yield Poses(drawn.tree, drawn.maps * disturbance.kept[0, rows, :, None, None])

    with torch.inference_mode():
        return torch.cat([shown(made)[:, :COLOURS] for made in film(backend.network, poses())])


def scores(made: Tensor, truth: Tensor) -> FloatArray:
    """(S, 2) of S seconds: PSNR in dB where the person is, and SSIM of the whole picture, the measure of Table 5."""
    apart = (made - truth[:, :COLOURS]).square().mean(1)
    mask = truth[:, COLOURS]
    person = -10 * ((apart * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)).clamp_min(1e-10).log10()
    pairs = ((each.permute(1, 2, 0).numpy() for each in both) for both in zip(made, truth[:, :COLOURS], strict=True))
    likeness = [ssim(Pair(*pair, None)) for pair in pairs]
    frames = np.stack([person.numpy(), likeness], 1)
    return np.stack([second.mean(0) for second in np.array_split(frames, max(1, round(len(frames) / SECOND)))])


def told(values: FloatArray, digits: int = 2, sign: str = "") -> str:
    """The mean of seconds with its interval."""
    found = estimate(values.tolist())
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{mean} [{low}, {high}]"


def measured(run: Path, clips: list[Path]) -> dict[str, FloatArray]:
    """(S, 2) of the seconds of all clips, for each kind of poses."""
    backend = Pose2VideoBackend(Pose2VideoOptions(weights=str(run), generic="yes"), CPU)
    scenes = [read_scene(clip, backend.network.design.size) for clip in clips]
    return {
        name: np.concatenate([scores(rendered(backend, scene.motion, worse), scene.truth) for scene in scenes])
        for name, worse in WORSE.items()
    }


def write_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """As Markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n")


def write_order(found: dict[str, dict[str, FloatArray]]) -> None:
    """Table 5: each run, and what it gains over the one before, in poses as they are and in worse ones."""
    rows: list[tuple[str, ...]] = []
    before: list[FloatArray] = []
    for name, kinds in found.items():
        worse = np.mean([kinds[kind] for kind in kinds if kind != CLEAN], 0)
        now = [values[:, column] for column in (0, 1) for values in (kinds[CLEAN], worse)]
        cells = [told(values, digits) for values, digits in zip(now, DIGITS, strict=True)]
        if before:
            gains = zip(now, before, DIGITS, strict=True)
            gained = [told(values - former, digits, "+") for values, former, digits in gains]
            cells = [f"{cell}; {gain}" for cell, gain in zip(cells, gained, strict=True)]
        rows.append((name, *cells))
        before = now
    heads = (f"{measure}, {poses}; gain" for measure in ("PSNR of the person", "SSIM") for poses in (CLEAN, "worse"))
    write_table(("run", *heads), rows)


def write_worse(found: dict[str, dict[str, FloatArray]]) -> None:
    """What worse poses cost on the person, and how much less than they cost the first run."""
    rows = []
    first = next(iter(found.values()))
    for name, kinds in found.items():
        costs = {kind: (kinds[CLEAN] - kinds[kind])[:, 0] for kind in kinds if kind != CLEAN}
        saved = [told((first[CLEAN] - first[kind])[:, 0] - cost) for kind, cost in costs.items()]
        cells = (f"{cost.mean():.2f}; {less}" for cost, less in zip(costs.values(), saved, strict=True))
        rows.append((name, *cells))
    write_table(("run: decibels lost; less than the first", *(kind for kind in first if kind != CLEAN)), rows)


def main() -> None:
    """Measure, and print both tables for docs/benchmarks.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clips", type=Path, nargs="+", required=True)
    arguments.add_argument("--runs", type=Path, nargs="+", required=True)
    said = arguments.parse_args()
    torch.set_num_threads(1)
    found = {run.name: measured(run, said.clips) for run in said.runs}
    write_order(found)
    write_worse(found)


if __name__ == "__main__":
    main()
