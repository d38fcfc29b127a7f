"""Where a film of somebody is cut: what was before has nothing to say about what follows."""

from __future__ import annotations

import numpy as np
import torch

from retarget_cli.core.motion import FloatArray
from retarget_cli.geometry.rotations import axis_angle_to_matrix

# The root and the joints that carry large limbs; fingers and heads may whirl.
_LARGE = (0, 1, 2, 4, 5, 16, 17)
# From one frame to the next nobody turns all of these by so much in the mean, radians. In seven clips of real people
# the most was 0.75, in a spin and at five frames a second.
_TURN = 0.9
# Nor does anybody get so far, metres, as a sprinter does in a 25th of a second; or so much nearer (there at most 1.15).
_WAY, _NEARER = 0.4, 1.2


def is_cut(theta: FloatArray, camera: FloatArray) -> bool:
    """Whether two consecutive frames can't be of one shot.

    Args:
        theta: (2, 24, 3) joint rotations, axis-angle, radians.
        camera: (2, 3) scale (pixels a metre), tx, ty.
    """
    turns = axis_angle_to_matrix(torch.from_numpy(np.ascontiguousarray(theta[:, list(_LARGE)])))
    relative = turns[0].transpose(-1, -2) @ turns[1]
    cosine = (relative.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    scale = np.maximum(camera[:, 0], 1e-6)
    way = float(np.linalg.norm(camera[1, 1:] - camera[0, 1:])) / float(scale.mean())
    is_turned = float(cosine.clamp(-1, 1).arccos().mean()) > _TURN
    return is_turned or way > _WAY or float(scale.max() / scale.min()) > _NEARER
