"""Fit the body to landmarks: an analytic start, then damped Gauss-Newton steps over all frames at once.

The unknowns of a frame are 24 joint rotations and a weak-perspective camera; shape is shared by all frames.
Residuals, each weighted by the landmark's confidence:
  * reprojection, in units of the person's height in the picture;
  * limb vectors against the 3-D landmarks', in units of the limb's length (this is what decides depth);
  * the distance from the analytic start (damping), which holds whatever no landmark speaks of.
The Jacobian is the geometric one: turning joint j by w moves a point p that hangs on it by w x (p - p_j).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.body.kinematics import forward_kinematics
from retarget_cli.body.model import Body, Shape
from retarget_cli.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from retarget_cli.perception.analytic_pose import (
    ANKLES,
    ELBOWS,
    HEELS,
    HIPS,
    KNEES,
    SHOULDERS,
    TOES,
    WRISTS,
    analytic_pose,
    belief,
)

_PAIRS = ((SHOULDERS, ELBOWS), (ELBOWS, WRISTS), (HIPS, KNEES), (KNEES, ANKLES), (HEELS, TOES), (SHOULDERS, HIPS))
LIMBS = (
    *((start[side], end[side]) for start, end in _PAIRS for side in (0, 1)),
    (SHOULDERS[1], SHOULDERS[0]),
    (HIPS[1], HIPS[0]),
)

# Knuckles, eyes and mouth are noisier than joints: they steer, but do not pull.
_POOR = {
    0: 0.5,
    **dict.fromkeys(range(1, 7), 0.15),
    7: 0.5,
    8: 0.5,
    9: 0.3,
    10: 0.3,
    **dict.fromkeys(range(17, 23), 0.2),
}
_WEIGHT = torch.tensor([_POOR.get(i, 1.0) for i in range(33)])


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How hard each residual pulls.

    Attributes:
        steps: Gauss-Newton steps.
        limb: weight of limb vectors against reprojection.
        damping: weight of the distance from the last step, radians.
        hold: weight of the distance from the analytic start, radians.
        shape_rounds: how often shape and pose take turns; 0 keeps the given shape.
        shape_prior: weight of |betas|.
    """

    steps: int = 3
    limb: float = 0.12
    damping: float = 0.02
    hold: float = 0.03
    shape_rounds: int = 0
    shape_prior: float = 0.004


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found.

    Attributes:
        theta: (T, 24, 3) axis-angle, radians.
        camera: (T, 3) scale (pixels a metre), tx, ty.
        betas: (n,).
        error: (T,) mean reprojection error of believed landmarks, as a share of the body's height.
    """

    theta: Tensor
    camera: Tensor
    betas: Tensor
    error: Tensor


@dataclass(frozen=True, slots=True)
class _Posed:
    """Landmarks (T, 33, 3), joints (T, 24, 3), and each joint's parent's orientation (T, 24, 3, 3)."""

    landmarks: Tensor
    joints: Tensor
    above: Tensor


class BodyFitter:
    """Fits one body model.

    Args:
        body: the model.
        options: weights and number of steps.
    """

    def __init__(self, body: Body, options: FitOptions | None = None) -> None:
        self.body = body
        self.options = options or FitOptions()
        self._hangs_on = _descendants(body)

    @torch.no_grad()
    def fit(self, pose: Tensor, world: Tensor, betas: Tensor) -> Fit:
        """Fit T frames that show one person.

        Args:
            pose: (T, 33, 3) image landmarks: x, y in pixels, confidence.
            world: (T, 33, 3) metric landmarks.
            betas: (n,) shape to start from.
        """
        rotations = analytic_pose(self.body.shaped(betas), world, pose[..., 2])
        for turn in range(self.options.shape_rounds + 1):
            shape = self.body.shaped(betas)
            rotations, camera = self._fit_pose(shape, rotations, pose, world)
            if turn < self.options.shape_rounds:
                betas = self._fit_shape(betas, rotations, camera, pose, world)
        error = self._error(shape, rotations, camera, pose)
        return Fit(matrix_to_axis_angle(rotations), camera, betas, error)

    def _posed(self, shape: Shape, rotations: Tensor) -> _Posed:
        turned, joints = forward_kinematics(shape.joints[None], self.body.parents, rotations)
        carrier = list(self.body.landmark_joint)
        offset = shape.landmarks - shape.joints[carrier]
        landmarks = joints[:, carrier] + (turned[:, carrier] @ offset[..., None])[..., 0]
        above = turned[:, list(self.body.parents)]
        above[:, 0] = torch.eye(3)
        return _Posed(landmarks, joints, above)

    def _fit_pose(
        self, shape: Shape, rotations: Tensor, pose: Tensor, world: Tensor
    ) -> tuple[Tensor, Tensor]:
        start, options = rotations, self.options
        posed = self._posed(shape, rotations)
        weight = belief(pose[..., 2]) * _WEIGHT
        camera = closest_camera(posed.landmarks, pose[..., :2], weight)
        for _ in range(options.steps):
            height = camera[:, 0] * 1.7
            jacobian = self._jacobian(posed.landmarks, posed.joints)
            rows, residuals = _reprojection(jacobian, posed.landmarks, camera, pose, weight, height)
            more, extra = _limbs(jacobian, posed.landmarks, world, weight)
            rows = torch.cat([rows, options.limb * more], 1)
            residuals = torch.cat([residuals, options.limb * extra], 1)
            normal = rows.mT @ rows
            away = (posed.above @ matrix_to_axis_angle(start @ rotations.mT)[..., None]).flatten(1)
            gradient = (rows.mT @ residuals[..., None])[..., 0]
            gradient[:, :72] += options.hold**2 * away
            ridge = torch.full((75,), options.damping**2 + options.hold**2)
            ridge[72:] = 1e-6
            step = torch.linalg.solve(normal + torch.diag(ridge), gradient)
            rotations = _turn(rotations, step[:, :72].reshape(-1, 24, 3), posed.above)
            camera = _move_camera(camera, step[:, 72:], height)
            posed = self._posed(shape, rotations)
        return rotations, closest_camera(posed.landmarks, pose[..., :2], weight)

    def _jacobian(self, landmarks: Tensor, joints: Tensor) -> Tensor:
        """(T, 33, 3, 24, 3): how landmarks move, in metres, when joints turn about camera axes, in radians."""
        arm = landmarks[:, :, None] - joints[:, None]
        return _cross_matrix(-arm).permute(0, 1, 3, 2, 4) * self._hangs_on[None, :, None, :, None]

    def _fit_shape(
        self, betas: Tensor, rotations: Tensor, camera: Tensor, pose: Tensor, world: Tensor
    ) -> Tensor:
        """Ridge regression: with rotations fixed, posed landmarks are linear in betas."""
        weight = belief(pose[..., 2]) * _WEIGHT
        zero = self._posed(self.body.shaped(torch.zeros_like(betas)), rotations).landmarks
        columns = [
            self._posed(self.body.shaped(row), rotations).landmarks - zero for row in torch.eye(len(betas))
        ]
        basis = torch.stack(columns, -1)
        centred = basis - _centre(basis, weight)
        seen = (pose[..., :2] - camera[:, None, 1:]) / camera[:, :1, None]
        wanted = seen - zero[..., :2]
        wanted = wanted - _centre(wanted[..., None], weight)[..., 0]
        rows = (weight[..., None, None] * centred[:, :, :2]).flatten(0, 2)
        normal = rows.T @ rows / len(pose) + self.options.shape_prior * torch.eye(len(betas))
        target = (weight[..., None] * wanted).flatten()
        return torch.linalg.solve(normal, rows.T @ target / len(pose)).clamp(-3, 3)

    def _error(self, shape: Shape, rotations: Tensor, camera: Tensor, pose: Tensor) -> Tensor:
        weight = belief(pose[..., 2])
        seen = project(self._posed(shape, rotations).landmarks, camera)
        distance = (seen - pose[..., :2]).norm(dim=-1) / (camera[:, :1] * 1.7)
        return (distance * weight).sum(1) / weight.sum(1).clamp_min(1e-6)


def project(points: Tensor, camera: Tensor) -> Tensor:
    """Weak perspective: points (T, P, 3) in metres to pixels (T, P, 2)."""
    return points[..., :2] * camera[:, None, :1] + camera[:, None, 1:]


def closest_camera(points: Tensor, seen: Tensor, weight: Tensor) -> Tensor:
    """The camera (T, 3) that brings points (T, P, 3) closest to pixels (T, P, 2), in closed form."""
    share = weight / weight.sum(1, keepdim=True).clamp_min(1e-6)
    flat = points[..., :2]
    middle, target = (share[..., None] * flat).sum(1), (share[..., None] * seen).sum(1)
    spread, seen_spread = flat - middle[:, None], seen - target[:, None]
    over = (share[..., None] * spread * seen_spread).sum((1, 2))
    under = (share[..., None] * spread * spread).sum((1, 2)).clamp_min(1e-9)
    scale = (over / under).clamp_min(1e-3)
    return torch.cat([scale[:, None], target - scale[:, None] * middle], 1)


def _descendants(body: Body) -> Tensor:
    """(33, 24): 1 where the landmark moves with the joint."""
    hangs = torch.zeros(33, 24)
    for landmark, carrier in enumerate(body.landmark_joint):
        joint = carrier
        while joint >= 0:
            hangs[landmark, joint] = 1
            joint = body.parents[joint]
    return hangs


def _cross_matrix(vector: Tensor) -> Tensor:
    """(..., 3, 3) with M @ w = vector x w."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape, 3)


def _reprojection(
    jacobian: Tensor, landmarks: Tensor, camera: Tensor, pose: Tensor, weight: Tensor, height: Tensor
) -> tuple[Tensor, Tensor]:
    """Rows (T, 66, 75) and residuals (T, 66); the last three columns are log scale, tx, ty (of the height)."""
    per = (weight / height[:, None])[..., None]
    turning = jacobian[:, :, :2].flatten(3) * (camera[:, 0, None, None] * per)[..., None]
    scaling = landmarks[..., :2] * camera[:, None, :1] * per
    shift = weight[..., None, None] * torch.eye(2)
    rows = torch.cat([turning, scaling[..., None], shift], -1).flatten(1, 2)
    return rows, ((pose[..., :2] - project(landmarks, camera)) * per).flatten(1)


def _limbs(jacobian: Tensor, landmarks: Tensor, world: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (T, 3L, 75) and residuals (T, 3L): limb vectors, each in units of its own length."""
    starts, ends = [a for a, _ in LIMBS], [b for _, b in LIMBS]
    limb = landmarks[:, ends] - landmarks[:, starts]
    seen = world[:, ends] - world[:, starts]
    length = limb.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    trust = torch.minimum(weight[:, starts], weight[:, ends])[..., None] / length
    rows = (jacobian[:, ends] - jacobian[:, starts]).flatten(3) * trust[..., None]
    wanted = seen / seen.norm(dim=-1, keepdim=True).clamp_min(1e-6) * length
    rows = torch.cat([rows, rows.new_zeros(*rows.shape[:3], 3)], -1)
    return rows.flatten(1, 2), ((wanted - limb) * trust).flatten(1)


def _centre(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over landmarks (T, 33, ...), kept as an axis of one."""
    share = weight / weight.sum(1, keepdim=True).clamp_min(1e-6)
    return (share[..., None, None] * values).sum(1, keepdim=True)


def _move_camera(camera: Tensor, step: Tensor, height: Tensor) -> Tensor:
    scale = camera[:, :1] * step[:, :1].clamp(-0.3, 0.3).exp()
    return torch.cat([scale, camera[:, 1:] + step[:, 1:] * height[:, None]], 1)


def _turn(rotations: Tensor, step: Tensor, above: Tensor) -> Tensor:
    """Apply small turns about camera axes (T, 24, 3) to local rotations (T, 24, 3, 3) under parents `above`."""
    return axis_angle_to_matrix((above.mT @ step[..., None])[..., 0]) @ rotations
