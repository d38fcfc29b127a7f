"""The avatar's kernels: numba and torch draw the same, and each step is right by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.perception.bodies import body, random_theta
from tests.workflows.scenes import motion_of, subject, waving

from retarget_cli.backends.avatar.backend import Avatar, AvatarOptions, AvatarPerformer, DevicePerformer
from retarget_cli.backends.avatar.draw import move, shade
from retarget_cli.backends.avatar.draw_torch import bilinear
from retarget_cli.backends.avatar.figure import strongest
from retarget_cli.backends.avatar.transforms import compose, invert, pose_transforms
from retarget_cli.backends.base import Window
from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import Subject

SIZE = (192, 128)
CPU = torch.device("cpu")


def performer(person: Subject, samples: int = 2) -> AvatarPerformer:
    found = Avatar(AvatarOptions(samples=samples), CPU).prepare(person)
    assert isinstance(found, AvatarPerformer)
    return found


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_torch_draws_what_numba_draws(samples: int) -> None:
    numba = performer(subject(SIZE), samples)
    other = DevicePerformer(numba.figure, numba.body, numba.shape, SIZE, samples, CPU)
    theta = waving(3)
    theta[2, 0, 1] = np.pi  # the back too
    motion = motion_of(theta, SIZE)
    one, two = (torch.cat(list(each.perform(iter([Window(0, motion)])))) for each in (numba, other))
    assert one.shape == two.shape
    assert float((one - two).abs().mean()) < 1 / 255
    assert float((one[:, 3] - two[:, 3]).abs().mean()) < 1 / 255


def test_more_samples_make_softer_edges_of_the_same_figure() -> None:
    motion = motion_of(waving(1), SIZE)
    person = subject(SIZE)
    hard, soft = (next(performer(person, n).perform(iter([Window(0, motion)])))[0, 3] for n in (1, 4))
    assert set(hard.unique().tolist()) <= {0.0, 1.0}
    assert len(soft.unique()) > 10
    assert float(hard.mean()) == pytest.approx(float(soft.mean()), rel=0.05)


def test_points_move_with_their_joints() -> None:
    points = np.float32([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    joints = np.int32([[0, 1], [1, 0], [0, 1]])
    weights = np.float32([[1, 0], [1, 0], [0.5, 0.5]])
    still = np.float32([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    shifted = still + np.float32([[0, 0, 0, 10], [0, 0, 0, 20], [0, 0, 0, 30]])
    out = np.empty_like(points)
    move(points, joints, weights, np.stack([still, shifted]), np.float32([2, 100, 200]), out)
    expected = [[102, 204, 6], [122, 244, 66], [112, 224, 36]]
    assert np.allclose(out, expected)


def test_a_turned_joint_turns_the_right_way() -> None:
    """A quarter turn about z takes x to y."""
    theta = np.zeros((1, 24, 3), np.float32)
    theta[0, 0, 2] = np.pi / 2
    shape = body().shaped(torch.zeros(body().shape_count))
    transform = pose_transforms(theta, body(), shape)[0]
    out = np.empty((1, 3), np.float32)
    point = np.float32([[0.5, 0.0, 0.0]])
    move(point, np.int32([[0]]), np.float32([[1]]), transform, np.float32([1, 0, 0]), out)
    assert np.allclose(out, [[0, 0.5, 0]], atol=1e-5)


def test_fragments_take_the_colour_of_their_place_in_the_atlas() -> None:
    atlas = np.zeros((2, 4, 3), np.uint8)
    atlas[:, :, 0] = [0, 100, 200, 250]
    uv = np.float32([[[0.5, 0.5], [2.5, 0.5], [0.5, 1.5]]])
    face_index = np.int32([[0, -1], [0, 0]])
    barycentric = np.float32([[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0.5, 0.5, 0]]])
    out = np.full((4, 2, 2), 9, np.float32)
    shade(face_index, barycentric, uv, atlas, 1, out)
    assert np.allclose(out[0] * 255, [[0, 0], [200, 100]], atol=1e-3)
    assert out[3].tolist() == [[1, 0], [1, 1]]
    assert not out[1:3].any()


def test_samples_are_averaged_into_straight_alpha() -> None:
    atlas = np.full((2, 2, 3), 200, np.uint8)
    uv = np.full((1, 3, 2), 0.5, np.float32)
    face_index = np.int32([[0, -1], [-1, -1]])
    out = np.empty((4, 1, 1), np.float32)
    shade(face_index, np.full((2, 2, 3), 1 / 3, np.float32), uv, atlas, 2, out)
    assert np.allclose(out[:, 0, 0], [200 / 255] * 3 + [0.25])


def test_uv_outside_of_the_atlas_takes_its_border() -> None:
    picture = torch.tensor([[[0, 0, 0], [255, 0, 0]]], dtype=torch.uint8)
    found = bilinear(picture, torch.tensor([[[-9.0, 0.5], [0.5, 0.5], [1.0, 0.5], [1.5, 7.0], [99.0, 0.5]]]))
    assert found[0, :, 0].tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def test_the_strongest_joints_keep_all_the_weight() -> None:
    weights = np.zeros((2, 24), np.float32)
    weights[0, [3, 5, 7, 9, 11]] = [0.3, 0.25, 0.2, 0.15, 0.1]
    weights[1, 23] = 1
    joints, shares = strongest(weights)
    assert joints[0].tolist() == [3, 5, 7, 9]
    assert joints[1, 0] == 23
    assert np.allclose(shares.sum(1), 1)
    assert np.allclose(shares[0], np.array([0.3, 0.25, 0.2, 0.15]) / 0.9)


def test_inverse_takes_a_pose_back() -> None:
    shape = body().shaped(torch.zeros(body().shape_count))
    posed = pose_transforms(random_theta(1, 0).numpy(), body(), shape)[0]
    same = compose(posed, invert(posed))
    assert np.allclose(same, np.broadcast_to(np.eye(3, 4, dtype=np.float32), (24, 3, 4)), atol=1e-5)


def test_compose_applies_the_first_first() -> None:
    turn = np.float32([[[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]])
    shift = np.float32([[[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0]]])
    point = np.float32([1, 0, 0, 1])
    assert (compose(shift, turn)[0] @ point).tolist() == [5, 1, 0]
    assert (compose(turn, shift)[0] @ point).tolist() == [0, 6, 0]


def test_a_figure_without_a_person_is_refused() -> None:
    person = subject(SIZE)
    person.primary.mask[:] = 0
    with pytest.raises(InputError, match="too little"):
        performer(person)
