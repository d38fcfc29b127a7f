"""Forward kinematics and skinning: hand cases, batches, gradients."""

import math

import pytest
import torch
from torch import Tensor

from retarget_cli.body.kinematics import (
    blended_transforms,
    bone_transforms,
    forward_kinematics,
    landmarks,
    skin,
)
from retarget_cli.geometry.rotations import axis_angle_to_matrix

# A chain to the right along x, and a branch down from its middle.
PARENTS = (-1, 0, 1, 1)
JOINTS = torch.tensor([[[1.0, 1, 0], [2, 1, 0], [3, 1, 0], [2, 3, 0]]], dtype=torch.float64)


def turns(**quarter: tuple[float, float, float]) -> Tensor:
    """(1, 4, 3, 3): quarter turns by joint number."""
    axis_angle = torch.zeros(1, 4, 3, dtype=torch.float64)
    for joint, axis in quarter.items():
        axis_angle[0, int(joint[1:])] = torch.tensor(axis) * math.pi / 2
    return axis_angle_to_matrix(axis_angle)


def test_rest_stays_at_rest() -> None:
    turned, placed = forward_kinematics(JOINTS, PARENTS, turns())
    assert torch.equal(placed, JOINTS)
    assert torch.equal(turned, torch.eye(3).double().expand(1, 4, 3, 3))


def test_a_joint_turns_what_is_below_it_and_itself_stays() -> None:
    _, placed = forward_kinematics(JOINTS, PARENTS, turns(j1=(0, 0, 1)))
    # Right goes down, down goes left.
    expected = torch.tensor([[1.0, 1, 0], [2, 1, 0], [2, 2, 0], [0, 1, 0]]).double()
    assert torch.allclose(placed[0], expected)


def test_rotations_compose_from_the_root_outwards() -> None:
    turned, placed = forward_kinematics(JOINTS, PARENTS, turns(j0=(0, 0, 1), j1=(1, 0, 0)))
    # Joint 1 turns about its own x, which the root has turned to point down.
    assert torch.allclose(turned[0, 1], turned[0, 0] @ turns(j1=(1, 0, 0))[0, 1])
    assert torch.allclose(placed[0, 2], torch.tensor([1.0, 3, 0]).double())
    # Rest offset (0, 2, 0): about x it becomes away (0, 0, 2), and the root leaves z alone.
    assert torch.allclose(placed[0, 3], torch.tensor([1.0, 2, 2]).double())


def test_bone_transforms_carry_rest_joints_to_posed_joints() -> None:
    rotations = axis_angle_to_matrix(
        torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    )
    transforms = bone_transforms(JOINTS, PARENTS, rotations)
    _, placed = forward_kinematics(JOINTS, PARENTS, rotations)
    assert transforms.shape == (5, 4, 3, 4)
    assert torch.allclose(landmarks(JOINTS, range(4), transforms), placed)


def test_skin_mixes_places_linearly() -> None:
    transforms = bone_transforms(JOINTS, PARENTS, turns(j1=(0, 0, 1)))
    vertices = torch.tensor([[[3.0, 1, 0], [3.0, 1, 0], [3.0, 1, 0]]]).double()
    index = torch.tensor([[0, 0], [1, 0], [0, 1]])
    weights = torch.tensor([[1.0, 0], [1, 0], [0.25, 0.75]]).double()
    posed = skin(vertices, index, weights, transforms)[0]
    assert posed[0].tolist() == [3, 1, 0]
    assert torch.allclose(posed[1], torch.tensor([2.0, 2, 0]).double())
    assert torch.allclose(posed[2], 0.25 * posed[0] + 0.75 * posed[1])


def test_a_joint_named_twice_counts_twice() -> None:
    transforms = bone_transforms(JOINTS, PARENTS, turns(j1=(0, 0, 1)))
    once = blended_transforms(torch.tensor([[1, 0]]), torch.tensor([[0.6, 0.4]]).double(), transforms)
    twice = blended_transforms(
        torch.tensor([[1, 1, 0]]), torch.tensor([[0.4, 0.2, 0.4]]).double(), transforms
    )
    assert torch.allclose(once, twice)


@pytest.mark.parametrize("people", [1, 3])
def test_batches_equal_one_by_one(people) -> None:
    generator = torch.Generator().manual_seed(2)
    joints = JOINTS + 0.1 * torch.randn(people, 4, 3, generator=generator).double()
    rotations = axis_angle_to_matrix(torch.randn(3, 4, 3, generator=generator).double())
    vertices = torch.randn(people, 6, 3, generator=generator).double()
    index = torch.randint(0, 4, (6, 4), generator=generator)
    weights = torch.rand(6, 4, generator=generator).double()
    weights = weights / weights.sum(1, keepdim=True)
    whole = skin(vertices, index, weights, bone_transforms(joints, PARENTS, rotations))
    for row in range(3):
        who = row % people
        one = bone_transforms(joints[who : who + 1], PARENTS, rotations[row : row + 1])
        assert torch.allclose(whole[row : row + 1], skin(vertices[who : who + 1], index, weights, one))


def test_gradients_reach_pose_and_shape() -> None:
    generator = torch.Generator().manual_seed(4)
    axis_angle = torch.randn(2, 4, 3, generator=generator).double().requires_grad_()
    joints = JOINTS.clone().requires_grad_()
    vertices = torch.randn(1, 3, 3, generator=generator).double().requires_grad_()
    index, weights = (
        torch.tensor([[0, 1], [2, 3], [3, 3]]),
        torch.tensor([[0.3, 0.7], [0.5, 0.5], [1, 0]]).double(),
    )

    def posed(angles: Tensor, places: Tensor, points: Tensor) -> Tensor:
        return skin(points, index, weights, bone_transforms(places, PARENTS, axis_angle_to_matrix(angles)))

    assert torch.autograd.gradcheck(posed, (axis_angle, joints, vertices))
