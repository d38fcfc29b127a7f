"""A person's skeleton, put into poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View
from retarget_cli.geometry.rotations import axis_angle_to_matrix


class Poser:
    """One person's skeleton, put into poses.

    Args:
        body: name of the model.
        betas: (n,) shape.
    """

    def __init__(self, body: str, betas: FloatArray) -> None:
        model = load_body(body)
        self._parents = model.parents
        self._rest = model.shaped_joints(torch.from_numpy(betas))

    def posture(self, theta: FloatArray, device: torch.device) -> Posture:
        """Of theta (B, 24, 3), in the cube. Two dozen tiny products: the CPU is quicker at it than any other device."""
        turns = axis_angle_to_matrix(torch.from_numpy(theta))
        moved = bone_transforms(self._rest[None], self._parents, turns)
        joints = (moved[..., :3] @ self._rest[..., None])[..., 0] + moved[..., 3]
        bones = torch.cat([moved, moved.new_tensor([0, 0, 0, 1]).expand(*moved.shape[:2], 1, 4)], 2)
        bones[..., :3, 3] /= REACH  # rest and posed places shrink alike, turns stay
        return Posture((joints / REACH).to(device), bones.to(device))


def thetas(views: Sequence[View]) -> FloatArray:
    """(N, 24, 3) of several views."""
    return np.stack([view.theta for view in views])
