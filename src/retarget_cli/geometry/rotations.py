"""Rotations in three forms: axis-angle vectors, matrices, unit quaternions.

Convention: matrices act on column vectors from the left, `y = R @ x`. In camera axes (x right, y down, z
    away, which is right-handed) a positive angle turns by the right-hand rule about the axis. Quaternions are
    (w, x, y, z).

All functions take any leading batch shape, keep dtype and device, and have finite gradients everywhere, the
identity and half turns included.
"""

from __future__ import annotations

import torch
from torch import Tensor


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Rodrigues' formula.

    Args:
        axis_angle: (..., 3) unit axis times angle, radians; any angle.

    Returns:
        (..., 3, 3) rotation matrices.
    """
    squared = (axis_angle * axis_angle).sum(-1)
    sine, cosine = _sine_ratio(squared), _cosine_ratio(squared)
    cross = skew(axis_angle)
    outer = axis_angle[..., :, None] * axis_angle[..., None, :]
    eye = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    # cross @ cross = outer - |v|^2 I, which saves a product.
    second = outer - squared[..., None, None] * eye
    return eye + sine[..., None, None] * cross + cosine[..., None, None] * second


def matrix_to_axis_angle(matrix: Tensor) -> Tensor:
    """The shortest axis-angle vector of a rotation.

    Args:
        matrix: (..., 3, 3) rotation matrices.

    Returns:
        (..., 3) radians; the length is in [0, pi]. At exactly pi either of the two axes may come back.
    """
    return quaternion_to_axis_angle(matrix_to_quaternion(matrix))


def axis_angle_to_quaternion(axis_angle: Tensor) -> Tensor:
    """(..., 3) radians -> (..., 4) unit quaternions (w, x, y, z)."""
    squared = (axis_angle * axis_angle).sum(-1, keepdim=True)
    half = 0.5 * axis_angle
    # cos(a / 2) = 1 - (a / 2)^2 (1 - cos(a / 2)) / (a / 2)^2, smooth at zero.
    scalar = 1 - squared / 4 * _cosine_ratio(squared / 4)
    return torch.cat([scalar, half * _sine_ratio(squared / 4)], -1)


def quaternion_to_axis_angle(quaternion: Tensor) -> Tensor:
    """The shortest axis-angle vector; q and -q give the same.

    Args:
        quaternion: (..., 4) unit quaternions (w, x, y, z).

    Returns:
        (..., 3) radians; the length is in [0, pi].
    """
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    scalar, vector = quaternion[..., :1], quaternion[..., 1:]
    squared = (vector * vector).sum(-1, keepdim=True)
    length = _safe_sqrt(squared)
    is_small = squared < _tiny(quaternion)
    scale = 2 * torch.atan2(length, scalar) / torch.where(is_small, torch.ones_like(length), length)
    # atan(t) / t with t = s / w, for w near 1.
    safe = torch.where(is_small, scalar, torch.ones_like(scalar))
    ratio = squared / safe**2
    series = 2 / safe * (1 - ratio * (1 / 3 - ratio * (1 / 5 - ratio * (1 / 7 - ratio / 9))))
    return vector * torch.where(is_small, series, scale)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """(..., 4) quaternions (w, x, y, z), of any length but zero -> (..., 3, 3)."""
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).reshape(*w.shape, 3, 3)


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """Shepperd's method: divides by the largest of the four components, so it is stable everywhere.

    Args:
        matrix: (..., 3, 3) rotation matrices.

    Returns:
        (..., 4) unit quaternions (w, x, y, z) with w >= 0.
    """
    m = matrix
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Four times (w, x, y, z) times each of (w, x, y, z); every row is the quaternion, scaled.
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    candidates = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, wx, wy, wz], -1),
            torch.stack([wx, 1 + xx - yy - zz, xy, xz], -1),
            torch.stack([wy, xy, 1 - xx + yy - zz, yz], -1),
            torch.stack([wz, xz, yz, 1 - xx - yy + zz], -1),
        ],
        -2,
    )
    diagonal = torch.diagonal(candidates, dim1=-2, dim2=-1)
    choice = diagonal.argmax(-1)[..., None, None].expand(*matrix.shape[:-2], 1, 4)
    best = candidates.gather(-2, choice).squeeze(-2)
    quaternion = best / best.norm(dim=-1, keepdim=True)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def skew(vector: Tensor) -> Tensor:
    """(..., 3) -> (..., 3, 3) such that `skew(a) @ b` is the cross product a x b."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)


def geodesic_angle(first: Tensor, second: Tensor) -> Tensor:
    """The angle of the rotation from one to the other.

    Args:
        first: (..., 3, 3) rotation matrices.
        second: (..., 3, 3) rotation matrices.

    Returns:
        (...) radians in [0, pi]; exact near 0 and pi, where arccos of the trace is not.
    """
    quaternion = matrix_to_quaternion(first.transpose(-1, -2) @ second)
    squared = (quaternion[..., 1:] ** 2).sum(-1)
    return 2 * torch.atan2(_safe_sqrt(squared), quaternion[..., 0])


def project_to_rotation(matrix: Tensor) -> Tensor:
    """The nearest rotation in the Frobenius norm (orthogonal Procrustes; Schönemann 1966).

    Args:
        matrix: (..., 3, 3), any.

    Returns:
        (..., 3, 3) with determinant +1; a mirroring is not returned even where it would be nearer.
    """
    left, _, right = torch.linalg.svd(matrix)
    sign = torch.det(left @ right).sign()
    flip = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], -1)
    return torch.matmul(left * flip[..., None, :], right)


def _tiny(like: Tensor) -> float:
    """Squares below this take the series: its next term is then under the precision."""
    return 1e-4 if like.dtype == torch.float64 else 1e-2


def _safe_sqrt(squared: Tensor) -> Tensor:
    """sqrt with a zero gradient at zero, where the true one is infinite."""
    is_zero = squared <= 0
    return torch.where(is_zero, torch.zeros_like(squared), torch.where(is_zero, 1.0, squared).sqrt())


def _sine_ratio(squared: Tensor) -> Tensor:
    """sin(a) / a from a squared."""
    is_small = squared < _tiny(squared)
    angle = torch.where(is_small, 1.0, squared).sqrt()
    series = 1 - squared / 6 * (1 - squared / 20 * (1 - squared / 42))
    return torch.where(is_small, series, torch.sin(angle) / angle)


def _cosine_ratio(squared: Tensor) -> Tensor:
    """(1 - cos(a)) / a^2 from a squared."""
    is_small = squared < _tiny(squared)
    safe = torch.where(is_small, 1.0, squared)
    series = 0.5 - squared / 24 * (1 - squared / 30 * (1 - squared / 56))
    # 1 - cos(a) = 2 sin(a/2)^2 does not cancel.
    return torch.where(is_small, series, 2 * torch.sin(safe.sqrt() / 2) ** 2 / safe)
