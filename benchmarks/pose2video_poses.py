"""How well pose2video shows one person in poses that it has not seen, and in poses that were made worse.

    python benchmarks/pose2video_poses.py CLIP RUN...

CLIP is a rendition of a synthetic clip, such as DIR/clips/0000/self, of the person whom the runs have learned
(`retarget train pose2video`). Frames are compared before black, where the networks see the person; intervals of 95 %
are bootstrapped over seconds of the clip, for frames that follow each other are alike. The whole way:
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
from retarget_cli.backends.pose2video.model import COLOURS, Made
from retarget_cli.backends.pose2video.options import Pose2VideoOptions
from retarget_cli.backends.pose2video.skeleton import points
from retarget_cli.backends.stage.frame import Frame, Size
from retarget_cli.backends.stage.pictures import seen_person
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.subject import View
from retarget_cli.perception.motion_file import load_motion

CPU = torch.device("cpu")
# Frames that are made at a time, and that are drawn together in an interval's samples.
PART, SECOND = 8, 25
NOTHING = Strengths(flicker=0, loss=0, shift=0, stretched=0, stretch=0)
WORSE = {
    "as they are": NOTHING,
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

    def shown(made: Made) -> Tensor:
        mask = made.mask.float().clamp(0, 1)
        return (made.colours.float() / 2 + 0.5).clamp(0, 1) * mask

    with torch.inference_mode():
        return torch.cat([shown(made) for made in film(backend.network, poses())])


def ratios(made: Tensor, truth: Tensor) -> FloatArray:
    """(T, 2) PSNR in dB: of the whole picture, and where the person is."""
    apart = (made - truth[:, :COLOURS]).square().mean(1)
    mask = truth[:, COLOURS]
    whole, person = apart.mean((1, 2)), (apart * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)
    return (-10 * torch.stack([whole, person], 1).clamp_min(1e-10).log10()).numpy()


def interval(values: FloatArray) -> str:
    """The mean of (T), with an interval over its seconds."""
    seconds = np.array([part.mean() for part in np.array_split(values, max(1, round(len(values) / SECOND)))])
    drawn = seconds[np.random.default_rng(0).integers(0, len(seconds), (2000, len(seconds)))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Measure, and print a table for docs/benchmarks.md; differences are of the person, frame by frame."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("clip", type=Path)
    arguments.add_argument("runs", type=Path, nargs="+")
    said = arguments.parse_args()
    torch.set_num_threads(1)
    first: dict[str, FloatArray] = {}
    heads = "run", "poses", "PSNR, whole", "on the person", "less than the first run", "less than as they are"
    sys.stdout.write(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n")
    for run in said.runs:
        backend = Pose2VideoBackend(Pose2VideoOptions(weights=str(run), generic="yes"), CPU)
        scene = read_scene(said.clip, backend.network.design.size)
        clean: FloatArray | None = None
        for name, strengths in WORSE.items():
            found = ratios(rendered(backend, scene.motion, strengths), scene.truth)
            person = found[:, 1]
            clean = person if clean is None else clean
            lost = interval(first.setdefault(name, person) - person), interval(clean - person)
            cells = run.name, name, interval(found[:, 0]), interval(person), *lost
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
