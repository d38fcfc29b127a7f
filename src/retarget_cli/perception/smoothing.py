"""One knob against jitter: local quadratic regression over time, without lag and without flattening peaks.

Each value is replaced by the value at its own time of a parabola fitted to its neighbours under a Gaussian window,
weighted by how well each frame was seen. A window is given in seconds, so frame rate does not matter; a clip
of few frames a second is left nearly as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

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
    theta, camera = _fitted(around)
    quaternions = align_signs(axis_angle_to_quaternion(theta).double())
    fine = regression(times[rows], times, seen, sigma)
    coarse = regression(times[rows], times, seen, sigma * SCALE_WINDOW)
    turned = torch.einsum("st,tjc->sjc", fine, quaternions)
    smooth = quaternion_to_axis_angle(torch.nn.functional.normalize(turned, dim=-1).float())
    root = fine @ camera[:, 1:].double()
    scale = (coarse @ camera[:, 0].double().clamp_min(1e-6).log()).exp()
    moved = torch.cat([scale[:, None], root], 1).float()
    return replace(parts[at], theta=smooth.numpy(), camera=moved.numpy())


def resample_motion(windows: Iterable[Motion], rate: Fraction) -> Iterator[Motion]:
    """The same motion at a constant rate: poses between two frames lie on the way from one to the other.

    Args:
        windows: consecutive fitted parts of one clip, without gaps.
        rate: frames a second of the result. Times are kept: the first frame's, then every 1 / rate seconds
            until the last frame's.
    """
    kept: Motion | None = None
    tick: Fraction | None = None
    for window in windows:
        known = window if kept is None else join([kept, window])
        tick = known.times[0] if tick is None else tick
        count = int((known.times[-1] - tick) * rate) + 1 if known.times[-1] >= tick else 0
        if count:
            times = tuple(tick + i / rate for i in range(count))
            yield _between(known, times)
            tick += count / rate
        kept = known.rows(len(known) - 1, len(known))


def _between(motion: Motion, times: tuple[Fraction, ...]) -> Motion:
    theta, camera = _fitted(motion)
    known = np.array([float(time) for time in motion.times])
    wanted = np.array([float(time) for time in times])
    after = np.clip(np.searchsorted(known, wanted, side="left"), 1, max(len(known) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(known) - 1)
    gap = np.maximum(known[after] - known[before], 1e-9)
    share = torch.from_numpy(np.clip((wanted - known[before]) / gap, 0, 1)).float()[:, None]
    nearest = np.where(share[:, 0].numpy() < 0.5, before, after)
    quaternions = align_signs(axis_angle_to_quaternion(theta))
    mixed = torch.lerp(quaternions[before], quaternions[after], share[..., None])
    turned = quaternion_to_axis_angle(torch.nn.functional.normalize(mixed, dim=-1))
    return replace(
        motion,
        times=times,
        present=motion.present[nearest],
        pose=motion.pose[nearest],
        world=motion.world[nearest],
        theta=turned.numpy(),
        camera=torch.lerp(camera[before], camera[after], share).numpy(),
    )


def _fitted(motion: Motion) -> tuple[Tensor, Tensor]:
    if motion.theta is None or motion.camera is None:
        raise ValueError("only a fitted motion can be smoothed")
    return torch.from_numpy(motion.theta), torch.from_numpy(motion.camera)


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
