"""How well pictures are sorted into the six classes, against the truth of a synthetic data set.

    retarget synth DIR --clips 20 --frames 12 --size 256 --seed 11 --with none
    python benchmarks/parsing_iou.py DIR

Of every clip three frames of the motion and three sides of the source. Twice: with mask and body as they are perceived,
and with the true ones. The mean over clips of each clip's mean intersection over union; intervals of 95 % are
bootstrapped over clips.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from retarget_cli.body.catalog import load_body
from retarget_cli.core.layout import Labels, Region
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View
from retarget_cli.perception.mask import person_mask
from retarget_cli.perception.motion_file import load_motion
from retarget_cli.perception.parsing import Parser
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.workflows.source import Shot, fit_views

FRAMES = {"self": (1, 6, 10), "source": (1, 4, 6)}


@dataclass(frozen=True, slots=True)
class Seen:
    """Views of one clip with a shape (n,) and the true layouts."""

    views: list[View]
    betas: FloatArray
    truth: list[Labels]


def true_clip(clip: Path) -> Seen:
    """With the truth about mask and body."""
    views, truth, betas = [], [], np.zeros(0, np.float32)
    for rendition, rows in FRAMES.items():
        motion = load_motion(clip / rendition / "truth.motion")
        assert motion.theta is not None
        assert motion.camera is not None
        assert motion.betas is not None
        betas = motion.betas
        for row in rows:
            image, mask, labels = (
                cv2.imread(str(clip / rendition / kind / f"{row:06d}.png"), way)
                for kind, way in (("frames", 1), ("mask", 0), ("parsing", 0))
            )
            rgb, alpha = np.ascontiguousarray(image[..., ::-1]), (mask / 255).astype(np.float32)
            views.append(
                View(rgb, alpha, motion.pose[row], motion.world[row], motion.theta[row], motion.camera[row])
            )
            truth.append(np.asarray(labels, np.uint8))
    return Seen(views, betas, truth)


def perceived_clip(true: Seen, tracker: PersonTracker) -> Seen | None:
    """With mask and body as they are found; None where nobody is."""
    shots, truth = [], []
    for view, labels in zip(true.views, true.truth, strict=True):
        finding = tracker.find(view.image)
        if finding is not None:
            shots.append(Shot(view.image, person_mask(view.image, finding, None), finding))
            truth.append(labels)
    return Seen(*fit_views(shots, load_body("anny")), truth) if shots else None


def scores(seen: Seen, is_steady: bool, seconds: list[float]) -> FloatArray:
    """(7,) mean IoU of each class, and the share of right pixels on the person."""
    parser = Parser(load_body("anny"), seen.betas)
    outfit = parser.outfit(seen.views) if is_steady else None
    rows = []
    for view, truth in zip(seen.views, seen.truth, strict=True):
        begun = time.process_time()
        layout = parser.layout(view, outfit)
        seconds.append(time.process_time() - begun)
        pairs = [(layout == region, truth == region) for region in Region]
        each = [(a & b).sum() / (a | b).sum() if (a | b).any() else np.nan for a, b in pairs]
        both = (layout > 0) & (truth > 0)
        rows.append([*each, (layout == truth)[both].mean() if both.any() else np.nan])
    return np.nanmean(np.array(rows, np.float32), 0)


def table(clips: Sequence[FloatArray]) -> str:
    """Means over clips with intervals."""
    values = np.stack(clips)
    drawn = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    lines = []
    for column, name in enumerate([*(region.name.lower() for region in Region), "right on the person"]):
        means = np.nanmean(values[:, column][drawn], 1)
        low, high = np.nanquantile(means, [0.025, 0.975])
        lines.append(f"| {name} | {np.nanmean(values[:, column]):.3f} | {low:.3f} to {high:.3f} |")
    five = np.nanmean(values[:, 1:6])
    return "\n".join([*lines, f"| mean without background | {five:.3f} | |"])


def main() -> None:
    """Measure, and print tables for docs/benchmarks.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    folder: Path = arguments.parse_args().folder
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    true = [true_clip(clip) for clip in sorted((folder / "clips").iterdir()) if (clip / "clip.json").is_file()]
    with PersonTracker("largest", video=False, with_mask=True) as tracker:
        found = [seen for each in true if (seen := perceived_clip(each, tracker)) is not None]
    for title, clips in (("perceived", found), ("true", true)):
        for is_steady in (False, True):
            seconds: list[float] = []
            results = [scores(each, is_steady, seconds) for each in clips]
            what = "one outfit a clip" if is_steady else "each picture alone"
            pictures = sum(len(each.views) for each in clips)
            sys.stdout.write(
                f"\nmask and body {title}, {what}: {len(clips)} clips, {pictures} pictures, "
                f"{1000 * float(np.median(seconds)):.0f} ms of one core a picture\n"
                f"| class | IoU | 95 % |\n|---|---|---|\n{table(results)}\n"
            )


if __name__ == "__main__":
    main()
