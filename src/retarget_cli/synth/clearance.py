"""Arms beside, not inside: how far forearms and hands are from trunk, thighs and head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from retarget_cli.synth.figure import Figure
from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.pose import COLUMN, Angles, limited, theta_of
from retarget_cli.synth.posed import Skeleton, skeleton_of

ELBOWS, WRISTS, HANDS, SHOULDERS = (18, 19), (20, 21), (22, 23), (16, 17)
# Parts of the trunk, each from the height of one joint to that of another.
TRUNK = ((0, 3), (3, 6), (6, 9), (9, 12))
LIMB, HAND = 0.05, 0.05
ROUNDS, STEP = 8, 0.11


@dataclass(frozen=True, slots=True)
class Girth:
    """Half widths and half depths (4, 2) of the trunk's parts, their middles' z (4,), and thighs' radii (2,)."""

    half: Numbers
    middle: Numbers
    thigh: Numbers


def girth_of(figure: Figure) -> Girth:
    """How thick the clothed trunk is."""
    fields, joints = figure.fields, figure.shape.joints.numpy()
    trunk = (fields[:, 3] < 0) & (fields[:, 5] < 0.3) & (fields[:, 6] < 0.3)
    half, middle = np.zeros((4, 2)), np.zeros(4)
    for row, (below, above) in enumerate(TRUNK):
        high, low = joints[above, 1], joints[below, 1] + (0.12 if row == 0 else 0)
        near = figure.vertices[trunk & (figure.vertices[:, 1] > high) & (figure.vertices[:, 1] < low)]
        x, z = np.abs(near[:, 0]), near[:, 2]
        middle[row] = (z.min() + z.max()) / 2
        half[row] = np.percentile(x, 95 if row < 3 else 60), (z.max() - z.min()) / 2
    return Girth(half, middle, figure.leg_radii[:, 0])


def clearance(figure: Figure, girth: Girth, skeleton: Skeleton) -> Numbers:
    """(T, 2) metres between each arm's surface and the rest of the body; negative inside it."""
    rest, joints = figure.shape.joints.numpy(), skeleton.joints
    tops = skeleton.landmarks[:, [7, 8]].mean(1)
    sides = []
    for side in range(2):
        elbow, wrist, hand = (joints[:, pair[side]] for pair in (ELBOWS, WRISTS, HANDS))
        finger = hand + 0.8 * (hand - wrist)
        points = np.stack([elbow, (elbow + wrist) / 2, wrist, hand, finger], 1)
        gaps = [_from_trunk(points, rest, girth, skeleton) - LIMB]
        gaps.append(np.linalg.norm(points[:, 1:] - tops[:, None], axis=-1).min(1) - 0.15)
        gaps += [
            _from_bone(points[:, 2:], joints[:, 1 + leg], joints[:, 4 + leg]) - girth.thigh[leg] - HAND
            for leg in range(2)
        ]
        sides.append(np.min(gaps, 0))
    return np.stack(sides, 1)


def _from_trunk(points: Numbers, rest: Numbers, girth: Girth, skeleton: Skeleton) -> Numbers:
    """(T,): the least distance of points (T, P, 3) from the trunk's parts, each an elliptic cylinder."""
    least = np.full(len(points), np.inf)
    for row, (below, above) in enumerate(TRUNK):
        matrix = skeleton.transforms[:, below]
        local = np.einsum("tij,tpi->tpj", matrix[..., :3], points - matrix[:, None, :, 3])
        x, z = local[..., 0], local[..., 2] - girth.middle[row]
        radius = np.hypot(x / girth.half[row, 0], z / girth.half[row, 1])
        away = np.hypot(x, z) * (1 - 1 / np.maximum(radius, 1e-6))
        low = rest[below, 1] + (0.1 if row == 0 else 0.01)
        here = (local[..., 1] > rest[above, 1] - 0.01) & (local[..., 1] < low)
        least = np.minimum(least, np.where(here, away, np.inf).min(1))
    return least


def _from_bone(points: Numbers, start: Numbers, end: Numbers) -> Numbers:
    bone = (end - start)[:, None]
    share = ((points - start[:, None]) * bone).sum(-1) / (bone**2).sum(-1)
    near = start[:, None] + np.clip(share, 0, 1)[..., None] * bone
    return np.asarray(np.linalg.norm(points - near, axis=-1).min(1))


def parted(values: Angles, figures: tuple[Figure, ...]) -> tuple[Angles, float]:
    """Poses (T, 22) with arms moved away from all these people's bodies, and what is left of the worst overlap.

    Returns:
        The poses, and the least clearance in metres: negative where an arm is still inside.
    """
    girths = [girth_of(figure) for figure in figures]
    worst = -np.inf
    for number in range(ROUNDS + 1):
        theta = theta_of(limited(values))
        gaps = [clearance(f, g, skeleton_of(f, theta)) for f, g in zip(figures, girths, strict=True)]
        gap = np.min(gaps, 0)
        worst = float(gap.min())
        if worst > 0 or number == ROUNDS:
            break
        values = values.copy()
        for side, letter in enumerate("lr"):
            need = (gap[:, side] < 0.01).astype(np.float64)
            if len(need) > 3:
                need = gaussian_filter1d(maximum_filter1d(need, 9), 2.5)
            values[:, COLUMN[f"lift_{letter}"]] += STEP * need
            twist, swing = COLUMN[f"twist_{letter}"], COLUMN[f"swing_{letter}"]
            values[:, twist] += 0.6 * STEP * need * (values[:, twist] < 0.3)
            values[:, swing] *= 1 - 0.12 * need * (values[:, swing] < 0)
    return limited(values), worst
