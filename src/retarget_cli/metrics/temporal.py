"""How steady a clip is: each frame against the one before, carried along by the optical flow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.metrics.base import FrameMetric, Frames, Info, Need, Scorer
from retarget_cli.metrics.pixel import inside_mean
from retarget_cli.perception.optical_flow import NAME, OpticalFlow, warp

# Mean square change below which a pair of frames counts as still: half a grey level. Without it a still scene
# would divide nothing by nothing.
STILL = (0.5 / 255) ** 2

INFOS = {
    info.key: info
    for info in (
        Info(
            "tcm",
            "TCM",
            "exp(-|E rendered / E target - 1|), E the mean square change along the target's flow, unoccluded pixels; "
            "1 is as steady as the target; another flow than the papers', so not comparable with published values",
            True,
            "",
            f"retarget, after Yao et al. 2017; {NAME}",
        ),
        Info(
            "warp-error",
            "warping error",
            "mean absolute change along the rendered clip's own flow, unoccluded pixels in [0, 1]; needs no truth",
            False,
            "",
            f"retarget; {NAME}",
        ),
    )
}


class TemporalMetrics(FrameMetric):
    """Any of the measures.

    Args:
        keys: of `INFOS`.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.infos = tuple(INFOS[key] for key in keys)
        self.needs = frozenset([Need.TARGET] if "tcm" in keys else [])

    def begin(self) -> Scorer:
        """Remembers the frame before."""
        return _TemporalScorer([info.key for info in self.infos])


def without_truth(keys: Sequence[str]) -> TemporalMetrics:
    """A metric of its own for the keys that need no truth, so that it runs where those that do can't."""
    return TemporalMetrics(keys)


class _TemporalScorer(Scorer):
    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)
        self._flow = OpticalFlow()
        self._rendered: Image | None = None
        self._target: Image | None = None

    def score(self, frames: Frames) -> dict[str, FloatArray]:
        """See `Scorer`; the first frame of a clip has no value, nor has a picture too small for optical flow."""
        found: dict[str, list[float]] = {key: [] for key in self._keys}
        for number in range(len(frames)):
            rendered = picture(frames.rendered[number])
            target = None if frames.target is None else picture(frames.target[number])
            if "tcm" in found:
                found["tcm"].append(self._tcm(rendered, target))
            if "warp-error" in found:
                found["warp-error"].append(self._warp_error(rendered))
            self._rendered, self._target = rendered, target
        return {key: np.array(values, np.float32) for key, values in found.items()}

    def _tcm(self, rendered: Image, target: Image | None) -> float:
        if target is None or self._target is None or self._rendered is None:
            return math.nan
        flow, believed = self._flow.believed(target, self._target)
        if not believed.any():
            return math.nan
        return consistency(
            change(rendered, self._rendered, flow, believed), change(target, self._target, flow, believed)
        )

    def _warp_error(self, rendered: Image) -> float:
        if self._rendered is None:
            return math.nan
        flow, believed = self._flow.believed(rendered, self._rendered)
        if not believed.any():
            return math.nan
        return inside_mean(np.abs(difference(rendered, self._rendered, flow)), believed)


def consistency(rendered: float, target: float) -> float:
    """TCM of one pair of frames from the mean square changes of the rendered and of the true pair."""
    return math.exp(-abs((rendered + STILL) / (target + STILL) - 1))


def change(now: Image, before: Image, flow: FloatArray, believed: NDArray[np.bool_]) -> float:
    """Mean square difference of a frame to the one before, carried along `flow_now_to_before`; pixels in [0, 1]."""
    return inside_mean(difference(now, before, flow) ** 2, believed)


def difference(now: Image, before: Image, flow: FloatArray) -> FloatArray:
    """(H, W, 3) in [-1, 1]."""
    return (now - warp(before.astype(np.float32), flow)) * np.float32(1 / 255)


def picture(frame: Tensor) -> Image:
    """(3, H, W) uint8 -> (H, W, 3)."""
    return np.ascontiguousarray(frame.permute(1, 2, 0).numpy())
