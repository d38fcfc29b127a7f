"""Where the hips go when the feet do not slide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.placement import stature
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.posed import FEET, Skeleton

# Heel and toes of the left and of the right foot.
SOLES = ((29, 31), (30, 32))


def lowest_foot(skeleton: Skeleton) -> Numbers:
    """(T,) metres from the origin down to the lowest heel or toe."""
    return np.asarray(skeleton.landmarks[:, list(FEET), 1].max(1))


def stance_foot(skeleton: Skeleton) -> NDArray[np.int64]:
    """(T - 1,): 0 or 1, the foot that carries from a frame to the next: the lower one of both together."""
    height = np.stack([skeleton.landmarks[:, list(sole), 1].mean(1) for sole in SOLES], 1)
    return np.asarray((height[1:] + height[:-1]).argmax(1))


def hip_path(figure: Figure, skeleton: Skeleton, lift: Numbers) -> Numbers:
    """(T, 3): to the right, up, away, in statures, so that the carrying foot stays where it is.

    Args:
        figure: whose legs count.
        skeleton: the poses.
        lift: (T,) how far the lowest foot is off the floor, in statures.
    """
    tall = stature(figure.shape)
    soles = np.stack([skeleton.landmarks[:, list(sole)].mean(1) for sole in SOLES], 1)
    carrying = stance_foot(skeleton)
    rows = np.arange(len(carrying))
    step = soles[rows, carrying] - soles[rows + 1, carrying]
    # Nothing holds who is in the air; he goes on as he left the floor, which is at rest.
    step[(lift[1:] > 1e-4) | (lift[:-1] > 1e-4)] = 0
    path = np.zeros((len(soles), 3))
    path[1:] = np.cumsum(step, 0)
    path[:, 1] = lift * tall
    return np.asarray(path / tall)
