"""From a shape and joint rotations to a posed body: pure, batched, differentiable.

Convention: a joint's rotation turns everything below it, in axes that are the camera's at rest, about the
    joint's own rest place (SMPL's convention). B may be 1 in `joints`, `vertices` and `landmarks`: one person
    in many poses.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def forward_kinematics(joints: Tensor, parents: Sequence[int], rotations: Tensor) -> tuple[Tensor, Tensor]:
    """Chain the joint rotations down the tree.

    Args:
        joints: (B or 1, J, 3) rest places, metres.
        parents: J parents, -1 for the root, each before its children.
        rotations: (B, J, 3, 3) of each joint relative to its parent.

    Returns:
        (B, J, 3, 3) rotations from rest to posed, in camera axes, and (B, J, 3) posed places. The root keeps
        its rest place: there is no translation here.
    """
    batch = rotations.shape[0]
    turned: list[Tensor] = []
    placed: list[Tensor] = []
    for joint, parent in enumerate(parents):
        if parent < 0:
            turned.append(rotations[:, joint])
            placed.append(joints[:, joint].expand(batch, 3))
            continue
        bone = joints[:, joint] - joints[:, parent]
        turned.append(turned[parent] @ rotations[:, joint])
        placed.append(placed[parent] + _turn(turned[parent], bone))
    return torch.stack(turned, 1), torch.stack(placed, 1)


def bone_transforms(joints: Tensor, parents: Sequence[int], rotations: Tensor) -> Tensor:
    """Skinning matrices: where a point that is rigid with each joint goes.

    Args:
        joints: (B or 1, J, 3) rest places, metres.
        parents: J parents.
        rotations: (B, J, 3, 3).

    Returns:
        (B, J, 3, 4): rest -> posed, `posed = M[..., :3] @ rest + M[..., 3]`.
    """
    turned, placed = forward_kinematics(joints, parents, rotations)
    return torch.cat([turned, (placed - _turn(turned, joints))[..., None]], -1)


def skin(vertices: Tensor, weights_index: Tensor, weights: Tensor, transforms: Tensor) -> Tensor:
    """Linear blend skinning.

    Args:
        vertices: (B or 1, V, 3) at rest, metres.
        weights_index: (V, K) int64 joints.
        weights: (V, K) shares that sum to 1.
        transforms: (B, J, 3, 4) of `bone_transforms`.

    Returns:
        (B, V, 3) posed.
    """
    blended = blended_transforms(weights_index, weights, transforms)
    return _turn(blended[..., :3], vertices) + blended[..., 3]


def blended_transforms(weights_index: Tensor, weights: Tensor, transforms: Tensor) -> Tensor:
    """Each vertex's own matrix, (B, V, 3, 4): the weighted sum of its joints' `transforms`.

    Worth having on its own: inverting it takes a posed vertex back to rest.
    """
    dense = weights.new_zeros(len(weights), transforms.shape[1]).scatter_add(1, weights_index, weights)
    return torch.matmul(dense, transforms.flatten(2)).reshape(len(transforms), -1, 3, 4)


def landmarks(rest: Tensor, landmark_joint: Sequence[int], transforms: Tensor) -> Tensor:
    """The posed landmarks.

    Args:
        rest: (B or 1, L, 3) at rest, metres.
        landmark_joint: L joints that carry them.
        transforms: (B, J, 3, 4) of `bone_transforms`.

    Returns:
        (B, L, 3) metres.
    """
    chosen = transforms[:, list(landmark_joint)]
    return _turn(chosen[..., :3], rest) + chosen[..., 3]


def _turn(rotations: Tensor, points: Tensor) -> Tensor:
    """(..., 3, 3) times (..., 3), broadcast; products and sums are quicker than many tiny matmuls."""
    return (rotations * points[..., None, :]).sum(-1)
