"""Joint rotations straight from 3-D landmarks, without iterating.

Every rotation is found from the root outwards: trunk and head from frames that their landmarks span, limbs by
the shortest swing from the direction that they have when the parent alone has moved. A swing has no twist, so
nothing flips between frames; `fit` refines the result against the image.

Convention: camera axes in metres (x right, y down, z away); theta = 0 stands upright, facing the viewer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.body.model import Shape
from retarget_cli.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle

# MediaPipe's landmark numbers, left before right.
NOSE, EARS, MOUTH = 0, (7, 8), (9, 10)
SHOULDERS, ELBOWS, WRISTS = (11, 12), (13, 14), (15, 16)
PINKIES, INDEXES = (17, 18), (19, 20)
HIPS, KNEES, ANKLES, HEELS, TOES = (23, 24), (25, 26), (27, 28), (29, 30), (31, 32)

# Joint numbers.
PELVIS, SPINE1, SPINE2, SPINE3, NECK, HEAD = 0, 3, 6, 9, 12, 15
HIP_J, KNEE_J, ANKLE_J = (1, 2), (4, 5), (7, 8)
SHOULDER_J, ELBOW_J, WRIST_J = (16, 17), (18, 19), (20, 21)

# A landmark that the detector hardly believes in says nothing; a believed one says all.
DOUBTED, BELIEVED = 0.25, 0.6


def unit(vector: Tensor) -> Tensor:
    """(..., 3) scaled to length one."""
    return vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-8)


def swing(start: Tensor, end: Tensor) -> Tensor:
    """The shortest rotation (..., 3, 3) that turns direction `start` (..., 3) into `end` (..., 3)."""
    start, end = unit(start), unit(end)
    axis = torch.linalg.cross(start, end)
    sine = axis.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(-1, keepdim=True)
    angle = torch.atan2(sine, cosine)
    return axis_angle_to_matrix(axis / sine.clamp_min(1e-8) * angle)


def frame(across: Tensor, down: Tensor) -> Tensor:
    """Right-handed axes (..., 3, 3), as columns: `across` kept, `down` made perpendicular to it."""
    x = unit(across)
    y = unit(down - (down * x).sum(-1, keepdim=True) * x)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def belief(confidence: Tensor) -> Tensor:
    """Confidence in [0, 1] as a weight that is 0 below `DOUBTED` and 1 above `BELIEVED`, smooth between."""
    ramp = ((confidence - DOUBTED) / (BELIEVED - DOUBTED)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def middle(points: Tensor, pair: tuple[int, int]) -> Tensor:
    """(..., 3): half way between two of the points (..., P, 3)."""
    return (points[..., pair[0], :] + points[..., pair[1], :]) / 2


def between(points: Tensor, start: int, end: int) -> Tensor:
    """(..., 3): from one of the points (..., P, 3) to another."""
    return points[..., end, :] - points[..., start, :]


def fraction_of(rotation: Tensor, share: float) -> Tensor:
    """The same turn (..., 3, 3) about the same axis by `share` of its angle."""
    return axis_angle_to_matrix(matrix_to_axis_angle(rotation) * share)


def trunk_frame(points: Tensor, across: tuple[int, int]) -> Tensor:
    """Axes of the pelvis or the chest: left minus right, and from the shoulders down to the hips."""
    return frame(between(points, across[1], across[0]), middle(points, HIPS) - middle(points, SHOULDERS))


def head_frame(points: Tensor) -> Tensor:
    """Axes of the head: left ear minus right ear, and from the ears down to the mouth."""
    return frame(between(points, EARS[1], EARS[0]), middle(points, MOUTH) - middle(points, EARS))


def analytic_pose(shape: Shape, world: Tensor, confidence: Tensor) -> Tensor:
    """Local rotations (T, 24, 3, 3) that give the body the directions of the landmarks.

    Args:
        shape: of the person seen; its rest directions are what the rotations start from.
        world: (T, 33, 3) metric landmarks.
        confidence: (T, 33) in [0, 1]; limbs that are not believed keep their rest direction.
    """
    rest, trust = shape.landmarks, belief(confidence)
    count = world.shape[0]
    local = torch.eye(3).repeat(count, 24, 1, 1)
    hips = trunk_frame(world, HIPS) @ trunk_frame(rest, HIPS).mT
    chest = trunk_frame(world, SHOULDERS) @ trunk_frame(rest, SHOULDERS).mT
    # Hips and shoulders are often cut off or hidden in half bodies: the trunk then turns as one piece.
    seen_hips = trust[:, list(HIPS)].amin(1)
    hips = chest @ fraction_by(chest.mT @ hips, seen_hips)
    local[:, PELVIS] = hips
    bend = fraction_of(hips.mT @ chest, 1 / 3)
    local[:, SPINE1] = local[:, SPINE2] = local[:, SPINE3] = bend
    chest = hips @ bend @ bend @ bend
    head = head_frame(world) @ head_frame(rest).mT
    nod = fraction_of(chest.mT @ head, 0.5)
    local[:, NECK] = local[:, HEAD] = nod
    for side in (0, 1):
        _pose_arm(local, rest, world, trust, chest, side)
        _pose_leg(local, rest, world, trust, hips, side)
    return local


def fraction_by(rotation: Tensor, share: Tensor) -> Tensor:
    """As `fraction_of`, with a share (T,) a rotation (T, 3, 3)."""
    return axis_angle_to_matrix(matrix_to_axis_angle(rotation) * share[:, None])


def _pose_arm(local: Tensor, rest: Tensor, world: Tensor, trust: Tensor, chest: Tensor, side: int) -> None:
    shoulder, elbow, wrist = SHOULDERS[side], ELBOWS[side], WRISTS[side]
    # The swing starts from the arm held out sideways: what is singular then is an arm that points through the
    # chest, which nobody can do. From the hanging rest pose it would be an arm raised overhead.
    rest_upper = between(rest, shoulder, elbow)
    sideways = torch.tensor([1.0 if side == 0 else -1.0, 0.0, 0.0])
    lift = swing(rest_upper, sideways)
    wanted = _believed(chest.mT @ between(world, shoulder, elbow)[..., None], rest_upper, trust[:, elbow])
    local[:, SHOULDER_J[side]] = upper = swing(sideways.expand_as(wanted), wanted) @ lift
    above = chest @ upper
    rest_fore = between(rest, elbow, wrist)
    wanted = _believed(above.mT @ between(world, elbow, wrist)[..., None], rest_fore, trust[:, wrist])
    local[:, ELBOW_J[side]] = fore = swing(rest_fore.expand_as(wanted), wanted)
    above = above @ fore
    rest_hand = middle(rest, (PINKIES[side], INDEXES[side])) - rest[wrist]
    hand = middle(world, (PINKIES[side], INDEXES[side])) - world[:, wrist]
    wanted = _believed(above.mT @ hand[..., None], rest_hand, trust[:, INDEXES[side]])
    # Knuckles jitter: the hand follows half of what they say.
    local[:, WRIST_J[side]] = fraction_of(swing(rest_hand.expand_as(wanted), wanted), 0.5)


def _pose_leg(local: Tensor, rest: Tensor, world: Tensor, trust: Tensor, hips: Tensor, side: int) -> None:
    above = hips
    foot = trust[:, ANKLES[side]] * trust[:, TOES[side]]
    for joint, start, end, sure in (
        (HIP_J[side], HIPS[side], KNEES[side], trust[:, KNEES[side]]),
        (KNEE_J[side], KNEES[side], ANKLES[side], trust[:, ANKLES[side]]),
        (ANKLE_J[side], HEELS[side], TOES[side], foot),
    ):
        resting = between(rest, start, end)
        wanted = _believed(above.mT @ between(world, start, end)[..., None], resting, sure)
        local[:, joint] = turn = swing(resting.expand_as(wanted), wanted)
        above = above @ turn


def _believed(seen: Tensor, resting: Tensor, sure: Tensor) -> Tensor:
    """Directions (T, 3): what was seen (T, 3, 1) where it is sure (T,), else what the rest pose has (3,)."""
    return unit(sure[:, None] * unit(seen[..., 0]) + (1 - sure[:, None]) * unit(resting))
