"""One knob against jitter: local quadratic regression over time, without lag and without flattening peaks.

Each value is replaced by the value at its own time of a parabola fitted to its neighbours under a Gaussian window,
weighted by how well each frame was seen. A window is given in seconds, so frame rate does not matter; a clip
of few frames a second is left nearly as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.motion import Motion, join
from retarget_cli.geometry.rotations import (
    axis_angle_to_quaternion,
    quaternion_to_axis_angle,
)

# At full strength a Gaussian of this many seconds; body size on screen changes slowly and is smoothed harder.
FULL_WINDOW = 0.16
SCALE_WINDOW = 3.0
REACH = 2.5


def smooth_motion(windows: Iterable[Motion], strength: float) -> Iterator[Motion]:
    """The same windows, smoothed; holds back as many as one Gaussian reaches.

    Args:
        windows: consecutive fitted parts of one clip.
        strength: 0 (nothing is changed) to 1.
    """
    if strength <= 0:
        yield from windows
        return
    sigma = FULL_WINDOW * strength
    reach = REACH * sigma * SCALE_WINDOW
    waiting: list[Motion] = []
    at = 0  # the next of `waiting` to be yielded
    for window in windows:
        waiting.append(window)
        while at < len(waiting) and float(window.times[-1] - waiting[at].times[-1]) > reach:
            yield _smoothed(waiting, at, sigma)
            at += 1
            while at > 0 and float(waiting[at].times[0] - waiting[0].times[-1]) > reach:
                waiting.pop(0)
                at -= 1
    while at < len(waiting):
        yield _smoothed(waiting, at, sigma)
        at += 1


def _smoothed(parts: list[Motion], at: int, sigma: float) -> Motion:
    around = join(parts)
    start = sum(len(part) for part in parts[:at])
    rows = slice(start, start + len(parts[at]))
    times = torch.tensor([float(time) for time in around.times], dtype=torch.float64)
    seen = torch.from_numpy(around.present * np.maximum(around.pose[..., 2].mean(1), 0.05)).double()
    assert_fitted(around)
    quaternions = align_signs(axis_angle_to_quaternion(torch.from_numpy(around.theta)).double())
    fine = regression(times[rows], times, seen, sigma)
    coarse = regression(times[rows], times, seen, sigma * SCALE_WINDOW)
    turned = torch.einsum("st,tjc->sjc", fine, quaternions)
    theta = quaternion_to_axis_angle(torch.nn.functional.normalize(turned, dim=-1).float())
    camera = torch.from_numpy(around.camera).double()
    root = fine @ camera[:, 1:]
    scale = (coarse @ camera[:, 0].clamp_min(1e-6).log()).exp()
    moved = torch.cat([scale[:, None], root], 1).float()
    return replace(parts[at], theta=theta.numpy(), camera=moved.numpy())


def assert_fitted(motion: Motion) -> None:
    """Raise ValueError where a motion has no body."""
    if motion.theta is None or motion.camera is None:
        raise ValueError("only a fitted motion can be smoothed")


def align_signs(quaternions: Tensor) -> Tensor:
    """(T, J, 4) with each quaternion in the half-space of the one before, so that they can be averaged."""
    dots = (quaternions[1:] * quaternions[:-1]).sum(-1)
    flips = torch.where(dots < 0, -1.0, 1.0).cumprod(0)
    return torch.cat([quaternions[:1], quaternions[1:] * flips[..., None]])


def regression(at: Tensor, times: Tensor, seen: Tensor, sigma: float) -> Tensor:
    """Weights (S, T) that give a local parabola's value at times `at` (S,) from samples at `times` (T,).

    Rows sum to one. Frames with `seen` = 0 do not count; where nothing nearby was seen the frame keeps its value.
    """
    away = (times[None] - at[:, None]) / sigma
    window = torch.exp(-0.5 * away**2) * seen
    same = (away == 0).double()
    window = torch.where(window.sum(1, keepdim=True) > 1e-3, window, same)
    basis = torch.stack([torch.ones_like(away), away, away**2], -1)
    normal = torch.einsum("st,sti,stj->sij", window, basis, basis)
    # Slope and curvature are penalised, so that two or three lone frames give their mean, not a wild parabola.
    ridge = torch.diag(torch.tensor([0.0, 1e-2, 1e-2], dtype=torch.float64))
    unknown = torch.linalg.solve(normal + ridge + 1e-12 * torch.eye(3), torch.eye(3, dtype=torch.float64)[0])
    weights = torch.einsum("si,sti,st->st", unknown, basis, window)
    return weights / weights.sum(1, keepdim=True)
