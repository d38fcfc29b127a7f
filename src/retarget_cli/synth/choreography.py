"""Which motion a person performs: kinds of it, drawn at random, or a given one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.clearance import parted
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.footing import hip_path
from retarget_cli.synth.jump import jumping
from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.performance import Performance
from retarget_cli.synth.pose import theta_of
from retarget_cli.synth.posed import skeleton_of
from retarget_cli.synth.splines import dancing, posing
from retarget_cli.synth.walk import turning, walking

TRIES = 6
# How far a motion may carry a person, in statures: to both sides together, and away or nearer.
WIDEST, DEEPEST = 0.7, 1.3

KINDS: Mapping[str, Callable[[np.random.Generator, Numbers], Performance]] = MappingProxyType(
    {"walk": walking, "turn": turning, "jump": jumping, "dance": dancing, "spline": posing}
)


@dataclass(frozen=True, slots=True)
class Steps:
    """A motion for any body.

    Attributes:
        kind: its name.
        theta: (T, 24, 3).
        path: (T, 3) of the hips: right, up off the floor, away, in statures.
        clearance: metres that arms keep from the trunk at least; negative is an overlap that is left.
    """

    kind: str
    theta: FloatArray
    path: Numbers
    clearance: float


@dataclass(frozen=True, slots=True)
class Given:
    """A motion out of a file: its name, theta (T, 24, 3), and path (T, 3) as of `Steps`."""

    name: str
    theta: FloatArray
    path: Numbers


def perform(kind: str, rng: np.random.Generator, times: Numbers, figures: tuple[Figure, ...]) -> Steps:
    """A motion of a kind at times (T,) seconds, feet on the floor for the first of these people."""
    best: Steps | None = None
    for _ in range(TRIES):
        drawn = KINDS[kind](rng, times)
        values, gap = parted(drawn.values, figures)
        theta = theta_of(values)
        path = hip_path(figures[0], skeleton_of(figures[0], theta), drawn.lift)
        steps = Steps(kind, theta, path, gap)
        if best is None or _fault(steps) < _fault(best):
            best = steps
        if _fault(steps) <= 0:
            break
    if best is None:
        raise ValueError("no motion was tried")
    return best


def _fault(steps: Steps) -> float:
    """How bad a motion is: overlaps in metres, and what of its way is too far, in statures; 0 is good."""
    wide, deep = np.ptp(steps.path[:, 0]), np.abs(steps.path[:, 2]).max()
    return float(max(0, -steps.clearance - 0.005) + max(0, wide - WIDEST) + max(0, deep - DEEPEST))


def excerpt(given: Given, rng: np.random.Generator, frames: int) -> Steps:
    """Some frames in a row of a given motion; a shorter one is played there and back."""
    count = len(given.theta)
    if count >= frames:
        start = int(rng.integers(0, count - frames + 1))
        rows = np.arange(start, start + frames)
    else:
        there_and_back = np.concatenate([np.arange(count), np.arange(count - 2, 0, -1)]) if count > 1 else np.zeros(1)
        rows = np.resize(there_and_back, frames).astype(np.int64)
    path = given.path[rows].copy()
    path[:, [0, 2]] -= path[0, [0, 2]]
    return Steps("file", given.theta[rows], path, 0.0)
