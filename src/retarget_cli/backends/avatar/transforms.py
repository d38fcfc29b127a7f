"""Bone transforms, (..., 3, 4): `[turn | move]` in metres."""

from __future__ import annotations

import numpy as np
import torch

from retarget_cli.body.kinematics import bone_transforms
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray
from retarget_cli.geometry.rotations import axis_angle_to_matrix


def pose_transforms(theta: FloatArray, body: Body, shape: Shape) -> FloatArray:
    """(T, 24, 3, 4): from rest to the poses `theta` (T, 24, 3)."""
    rotations = axis_angle_to_matrix(torch.from_numpy(theta))
    return np.asarray(bone_transforms(shape.joints[None], body.parents, rotations).numpy(), np.float32)


def invert(transforms: FloatArray) -> FloatArray:
    """(24, 3, 4) rigid transforms, the other way."""
    turned = transforms[..., :3].transpose(0, 2, 1)
    moved = -(turned @ transforms[..., 3:])
    return np.concatenate([turned, moved], -1).astype(np.float32)


def compose(second: FloatArray, first: FloatArray) -> FloatArray:
    """(..., 3, 4): `first`, then `second`."""
    turned = second[..., :3] @ first[..., :3]
    moved = second[..., :3] @ first[..., 3:] + second[..., 3:]
    return np.concatenate([turned, moved], -1).astype(np.float32)
