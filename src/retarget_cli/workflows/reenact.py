"""How well a person is moved like himself: the clip's first frame as source, the clip as driving."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import Image
from retarget_cli.media.images import write_png
from retarget_cli.media.reader import open_frames
from retarget_cli.metrics.image import psnr, ssim
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.workflows.animate import AnimateOptions, animate

LONGEST = 768
STRIDE = 3
NAMES = ("PSNR", "SSIM", "PSNR person", "SSIM person")


@dataclass(frozen=True, slots=True)
class Reenactment:
    """Means over every `STRIDE`th frame but the first.

    Attributes:
        clip: its name.
        backend: what moved the person.
        frames: how many were compared.
        moved, still: by the names of `NAMES`: of the result, and of frame 0 repeated.
    """

    clip: str
    backend: str
    frames: int
    moved: dict[str, float]
    still: dict[str, float]

    def text(self) -> str:
        """A table."""
        lines = [f"{self.clip}, {self.frames} frames, person by the pose network's mask"]
        lines.append(f"{'':14}{self.backend:>10}{'still':>10}{'margin':>10}")
        for name in NAMES:
            moved, still = self.moved[name], self.still[name]
            lines.append(f"{name:14}{moved:10.3f}{still:10.3f}{moved - still:+10.3f}")
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        names = ("clip", "backend", "frames", "moved", "still")
        return {name: getattr(self, name) for name in names}


def reenact_clip(path: Path, backend: str = "avatar", device: str = "auto") -> Reenactment:
    """Render the clip from its first frame and compare.

    Raises:
        InputError: fewer than two frames, or nobody in them.
    """
    with open_frames(path, long_side=LONGEST) as source:
        size = source.size
    height, width = (side - side % 2 for side in size)
    with tempfile.TemporaryDirectory() as folder:
        first, result = Path(folder, "first.png"), Path(folder, "out")
        with open_frames(path, long_side=LONGEST) as source:
            write_png(first, next(iter(source)).rgb[:height, :width])
        animate(AnimateOptions((str(first),), path, str(result), backend, size=f"{width}x{height}", device=device))
        return _compared(path, result, backend, height, width)


def _compared(path: Path, result: Path, backend: str, height: int, width: int) -> Reenactment:
    moved: list[list[float]] = []
    still: list[list[float]] = []
    with (
        open_frames(path, long_side=LONGEST) as truth,
        open_frames(result) as rendered,
        PersonTracker("largest", video=True, with_mask=True) as tracker,
    ):
        start: Image | None = None
        for true, made in zip(truth, rendered, strict=False):
            target = np.ascontiguousarray(true.rgb[:height, :width])
            start = target if start is None else start
            finding = tracker.find(target)
            if true.index % STRIDE != 1 or finding is None or finding.soft_mask is None:
                continue
            person = finding.soft_mask > 0.5
            moved.append(_scores(target, made.rgb, person))
            still.append(_scores(target, start, person))
    if not moved:
        raise InputError(f"{path}: no frame to compare", "use a clip of several frames that shows one person")
    mean = [dict(zip(NAMES, np.mean(rows, 0).tolist(), strict=True)) for rows in (moved, still)]
    return Reenactment(path.name, backend, len(moved), *mean)


def _scores(target: Image, picture: Image, person: object) -> list[float]:
    values = [psnr(target, picture), ssim(target, picture), psnr(target, picture, person)]
    return [min(value, 99.0) if math.isfinite(value) else 99.0 for value in (*values, ssim(target, picture, person))]
