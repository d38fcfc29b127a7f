"""Rotations: hand cases, signs, round trips, gradients at the awkward places."""

import math

import pytest
import torch
from torch import Tensor

from retarget_cli.geometry import rotations as r

HALF = math.pi


def random_axis_angles(count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    axis = torch.randn(count, 3, generator=generator, dtype=dtype)
    return (
        axis / axis.norm(dim=1, keepdim=True) * torch.linspace(1e-9, HALF - 1e-6, count, dtype=dtype)[:, None]
    )


@pytest.mark.parametrize(
    ("axis_angle", "point", "expected"),
    [
        # Camera axes: x right, y down, z away. About z (away), right turns to down: clockwise on the screen.
        ([0, 0, HALF / 2], [1, 0, 0], [0, 1, 0]),
        # About y (down), away turns to right.
        ([0, HALF / 2, 0], [0, 0, 1], [1, 0, 0]),
        # About x (right), down turns to away.
        ([HALF / 2, 0, 0], [0, 1, 0], [0, 0, 1]),
    ],
)
def test_quarter_turns_follow_the_right_hand_rule(axis_angle, point, expected) -> None:
    matrix = r.axis_angle_to_matrix(torch.tensor(axis_angle, dtype=torch.float64))
    turned = matrix @ torch.tensor(point, dtype=torch.float64)
    assert torch.allclose(turned, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_quaternion_of_a_third_of_a_turn_is_the_known_one() -> None:
    axis_angle = torch.full((3,), 2 * HALF / 3 / math.sqrt(3), dtype=torch.float64)
    assert torch.allclose(r.axis_angle_to_quaternion(axis_angle), torch.full((4,), 0.5).double())
    permutation = torch.tensor([[0, 0, 1], [1, 0, 0], [0, 1, 0]]).double()
    assert torch.allclose(r.quaternion_to_matrix(torch.full((4,), 0.5).double()), permutation)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_form_comes_back(dtype: torch.dtype) -> None:
    axis_angle = random_axis_angles(400, dtype)
    close = {"atol": 3e-6 if dtype == torch.float32 else 1e-12, "rtol": 0.0}
    matrix = r.axis_angle_to_matrix(axis_angle)
    # Near half a turn float32 can't tell an axis from its opposite by less than this.
    limit = axis_angle.norm(dim=1) < HALF - 0.01
    assert torch.allclose(
        r.matrix_to_axis_angle(matrix)[limit],
        axis_angle[limit],
        atol=2e-4 if dtype == torch.float32 else 1e-9,
    )
    quaternion = r.axis_angle_to_quaternion(axis_angle)
    assert torch.allclose(quaternion.norm(dim=1), torch.ones(400, dtype=dtype), **close)
    assert torch.allclose(r.quaternion_to_matrix(quaternion), matrix, **close)
    assert torch.allclose(r.matrix_to_quaternion(matrix), quaternion, **close)
    assert torch.allclose(r.quaternion_to_axis_angle(-quaternion)[limit], axis_angle[limit], atol=2e-6)


def test_matrices_are_rotations_even_far_beyond_a_turn() -> None:
    matrix = r.axis_angle_to_matrix(7.3 * random_axis_angles(50))
    assert torch.allclose(matrix @ matrix.mT, torch.eye(3).double().expand(50, 3, 3), atol=1e-12)
    assert torch.allclose(torch.det(matrix), torch.ones(50).double())


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-0.6, 0.8, 0], [0, -0.6, -0.8]])
def test_half_turns_keep_their_axis_up_to_sign(axis) -> None:
    axis = torch.tensor(axis, dtype=torch.float64)
    found = r.matrix_to_axis_angle(2 * torch.outer(axis, axis) - torch.eye(3).double())
    assert torch.allclose(found.norm(), torch.tensor(HALF).double())
    assert torch.allclose((found / HALF @ axis).abs(), torch.tensor(1.0).double())


def test_identity_is_exact_and_has_a_gradient() -> None:
    zero = torch.zeros(2, 3, requires_grad=True)
    assert torch.equal(r.axis_angle_to_matrix(zero), torch.eye(3).expand(2, 3, 3))
    assert torch.equal(r.matrix_to_axis_angle(torch.eye(3)), torch.zeros(3))
    (gradient,) = torch.autograd.grad(r.axis_angle_to_matrix(zero)[0, 2, 1], zero)
    assert gradient.tolist() == [[1, 0, 0], [0, 0, 0]]


def awkward() -> Tensor:
    tiny = [[0.0, 0, 0], [1e-9, 0, 0], [0, 1e-3, -2e-3], [0.0099, 0, 0], [0.0101, 0, 0]]
    return torch.tensor([*tiny, [0.3, -1, 0.2], [0, HALF - 1e-3, 0], [2, 3, -4]], dtype=torch.float64)


@pytest.mark.parametrize(
    "function",
    [
        r.axis_angle_to_matrix,
        r.axis_angle_to_quaternion,
        lambda a: r.quaternion_to_matrix(r.axis_angle_to_quaternion(a)),
        lambda a: r.matrix_to_quaternion(r.axis_angle_to_matrix(a)),
        lambda a: r.matrix_to_axis_angle(r.axis_angle_to_matrix(a)),
        lambda a: r.quaternion_to_axis_angle(r.axis_angle_to_quaternion(a)),
    ],
)
def test_gradients_agree_with_differences(function) -> None:
    assert torch.autograd.gradcheck(function, awkward().requires_grad_(), eps=1e-6, atol=1e-5)


def test_no_gradient_is_nan_at_half_turns() -> None:
    matrix = torch.diag(torch.tensor([1.0, -1, -1])).requires_grad_()
    (gradient,) = torch.autograd.grad(r.matrix_to_axis_angle(matrix).sum(), matrix)
    assert gradient.isfinite().all()


def test_geodesic_angle_is_exact_near_zero_and_pi() -> None:
    for angle in (0.0, 1e-9, 1e-4, 1.0, HALF - 1e-7, HALF):
        turn = r.axis_angle_to_matrix(torch.tensor([0, angle, 0], dtype=torch.float64))
        base = r.axis_angle_to_matrix(torch.tensor([1.0, 2, 3], dtype=torch.float64))
        assert r.geodesic_angle(base, base @ turn).item() == pytest.approx(angle, abs=1e-12)


def test_projection_keeps_rotations_and_never_mirrors() -> None:
    matrix = r.axis_angle_to_matrix(random_axis_angles(20))
    assert torch.allclose(r.project_to_rotation(matrix), matrix, atol=1e-12)
    assert torch.allclose(r.project_to_rotation(3.5 * matrix), matrix, atol=1e-12)
    mirrored = matrix * torch.tensor([1.0, 1, -1]).double()
    assert torch.allclose(torch.det(r.project_to_rotation(mirrored)), torch.ones(20).double())
    noisy = matrix + 0.05 * torch.randn(20, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    nearest = r.project_to_rotation(noisy)
    nudged = nearest @ r.axis_angle_to_matrix(torch.tensor([0.01, -0.01, 0.02]).double())
    assert ((noisy - nearest).flatten(1).norm(dim=1) < (noisy - nudged).flatten(1).norm(dim=1)).all()


def test_skew_is_the_cross_product() -> None:
    first, second = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1)).unbind(0)
    product = (r.skew(first) @ second[..., None])[..., 0]
    assert torch.allclose(product, torch.linalg.cross(first, second), atol=1e-6)
