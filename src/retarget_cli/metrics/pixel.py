"""Measures of pixels: L1, PSNR, SSIM, MS-SSIM, of whole pictures and of the person in them.

`mask-` measures black out the background of both pictures by the true person and score the whole picture (REMOT,
4.2); `person-` measures count the true person's pixels only. The first rise with the share of background.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from retarget_cli.core.motion import FloatArray
from retarget_cli.metrics.base import FrameMetric, Frames, Info, Need, Scorer
from retarget_cli.metrics.structural import LEAST_MULTISCALE_SIDE, SIDE, multiscale, similarity

# Equal pictures have no noise; a mean over frames needs a number.
MOST_DB = 100.0
TORCHMETRICS = f"torchmetrics {version('torchmetrics')}"
OURS = f"retarget, 11x11 Gaussian window, sigma 1.5, mirrored borders, RGB averaged; as {TORCHMETRICS} to 1e-4"
BLACKED = "background of both blacked out by the true person, whole picture"
INSIDE = "true person's pixels only"

INFOS = {
    info.key: info
    for info in (
        Info("l1", "L1", "mean absolute difference, pixels in [0, 1]", False, "", f"numpy {np.__version__}"),
        Info("psnr", "PSNR", f"per frame, then averaged; at most {MOST_DB:g}", True, "dB", TORCHMETRICS),
        Info("ssim", "SSIM", "structural similarity, data range 1", True, "", OURS),
        Info("ms-ssim", "MS-SSIM", f"five scales; frames of {LEAST_MULTISCALE_SIDE} px and more", True, "", OURS),
        Info("mask-psnr", "mask-PSNR", f"PSNR; {BLACKED}", True, "dB", TORCHMETRICS),
        Info("mask-ssim", "mask-SSIM", f"SSIM; {BLACKED}", True, "", OURS),
        Info("person-psnr", "person-PSNR", f"PSNR; {INSIDE}", True, "dB", f"numpy {np.__version__}"),
        Info("person-ssim", "person-SSIM", f"mean of the SSIM map; {INSIDE}", True, "", OURS),
    )
}


class PixelMetrics(FrameMetric):
    """Any of the measures; those that share work do it once.

    Args:
        keys: of `INFOS`.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.infos = tuple(INFOS[key] for key in keys)
        of_person = any(key.startswith(("mask-", "person-")) for key in keys)
        self.needs = frozenset({Need.TARGET, *([Need.PERSON] if of_person else [])})

    def begin(self) -> Scorer:
        """Frames do not depend on each other."""
        return _PixelScorer([info.key for info in self.infos])


class _PixelScorer(Scorer):
    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def score(self, frames: Frames) -> dict[str, FloatArray]:
        """See `Scorer`."""
        rows = [self._found(frames, number) for number in range(len(frames))]
        return {key: np.array([row.get(key, math.nan) for row in rows], np.float32) for key in self._keys}

    def _found(self, frames: Frames, number: int) -> dict[str, float]:
        if frames.target is None:
            return {}
        pair = Pair.of(
            frames.rendered[number],
            frames.target[number],
            None if frames.person is None else frames.person[number],
        )
        return {key: MEASURES[key](pair) for key in self._keys}


@dataclass(slots=True)
class Pair:
    """A rendered and a true frame, (H, W, 3) float32 in [0, 1], and the true person (H, W) bool or None."""

    rendered: FloatArray
    target: FloatArray
    person: NDArray[np.bool_] | None
    _index: FloatArray | None = None
    _masked: Pair | None = None

    @classmethod
    def of(cls, rendered: Tensor, target: Tensor, person: Tensor | None) -> Pair:
        """From (3, H, W) uint8."""
        ours, theirs = (
            np.ascontiguousarray(frame.permute(1, 2, 0).numpy(), np.float32) / np.float32(255)
            for frame in (rendered, target)
        )
        return cls(ours, theirs, None if person is None else person.numpy())

    @property
    def has_windows(self) -> bool:
        return min(self.target.shape[:2]) >= SIDE

    def index(self) -> FloatArray:
        """The SSIM map, made once."""
        if self._index is None:
            self._index = similarity(self.rendered, self.target)[0]
        return self._index

    def masked(self, person: NDArray[np.bool_]) -> Pair:
        """On black, made once."""
        if self._masked is None:
            region = person[..., None]
            self._masked = Pair(self.rendered * region, self.target * region, person)
        return self._masked


def psnr(pair: Pair) -> float:
    """Decibel, at most `MOST_DB`."""
    both = torch.from_numpy(pair.rendered), torch.from_numpy(pair.target)
    return min(MOST_DB, float(peak_signal_noise_ratio(*both, data_range=1.0)))


def ssim(pair: Pair) -> float:
    """Mean of the map."""
    return float(pair.index().mean()) if pair.has_windows else math.nan


def inside_mean(values: FloatArray, region: NDArray[np.bool_]) -> float:
    """Mean of (H, W, 3) over a region (H, W) that is not empty."""
    return float(np.mean(cv2.mean(values, region.astype(np.uint8))[:3]))


def _l1(pair: Pair) -> float:
    return float(np.abs(pair.rendered - pair.target).mean())


def _multiscale(pair: Pair) -> float:
    is_large = min(pair.target.shape[:2]) >= LEAST_MULTISCALE_SIDE
    return multiscale(pair.rendered, pair.target) if is_large else math.nan


def _mask_psnr(pair: Pair) -> float:
    # Two black pictures are equal: a frame without anybody would give the best value for nothing.
    if pair.person is None or not pair.person.any():
        return math.nan
    return psnr(pair.masked(pair.person))


def _mask_ssim(pair: Pair) -> float:
    if pair.person is None or not pair.has_windows or not pair.person.any():
        return math.nan
    masked, (height, width) = pair.masked(pair.person), pair.person.shape
    rows, columns = np.flatnonzero(pair.person.any(1)), np.flatnonzero(pair.person.any(0))
    # Where windows see only black the index is 1: the rest is enough, with as much black as windows are wide.
    window = (
        slice(max(0, rows[0] - SIDE), min(height, rows[-1] + 1 + SIDE)),
        slice(max(0, columns[0] - SIDE), min(width, columns[-1] + 1 + SIDE)),
    )
    index = similarity(masked.rendered[window], masked.target[window])[0]
    return 1 - float((1 - index).sum()) / (3 * height * width)


def _person_psnr(pair: Pair) -> float:
    if pair.person is None or not pair.person.any():
        return math.nan
    square = inside_mean((pair.rendered - pair.target) ** 2, pair.person)
    return MOST_DB if square == 0 else min(MOST_DB, -10 * math.log10(square))


def _person_ssim(pair: Pair) -> float:
    if pair.person is None or not pair.has_windows or not pair.person.any():
        return math.nan
    return inside_mean(pair.index(), pair.person)


MEASURES: Mapping[str, Callable[[Pair], float]] = {
    "l1": _l1,
    "psnr": psnr,
    "ssim": ssim,
    "ms-ssim": _multiscale,
    "mask-psnr": _mask_psnr,
    "mask-ssim": _mask_ssim,
    "person-psnr": _person_psnr,
    "person-ssim": _person_ssim,
}
