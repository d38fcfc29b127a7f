"""A skirt: a tube around hips and legs, skinned to them and pushed away by the legs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from retarget_cli.body.limbs import LEGS
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import Skin
from retarget_cli.synth.mesh import Numbers, Sheet, grid_faces
from retarget_cli.synth.outfit import Outfit

RINGS, COLUMNS = 22, 60
# Of a leg's turn, how much the cloth over it takes part in.
FOLLOWS = 0.9
GAP = 0.012


def skirt_layer(skin: Skin, worn: Sheet, outfit: Outfit) -> Sheet:
    """The tube, from the waist down to `outfit.skirt` along the leg."""
    waist = float(skin.joints[3, 1]) - 0.2 * (skin.hem - float(skin.joints[3, 1]))
    knee, ankle = (float(skin.joints[[leg[row] for leg in LEGS], 1].mean()) for row in (1, 2))
    hip = float(skin.joints[[1, 2], 1].mean())
    end = np.interp(outfit.skirt, [0, 1, 2], [hip, knee, ankle])
    levels = np.linspace(waist, end, RINGS)
    angles = np.arange(COLUMNS) / COLUMNS * 2 * np.pi
    radius = _profile(skin, worn, levels, angles)
    down = (levels - waist) / (end - waist)
    radius += GAP + outfit.flare * 0.35 * (end - waist) * down[:, None] ** 1.3
    # Pleats, deeper towards the hem.
    radius += 0.016 * outfit.flare * down[:, None] * np.cos(12 * angles)[None]
    centre = float(skin.joints[0, 2])
    grid = np.stack(
        [
            radius * np.cos(angles),
            np.broadcast_to(levels[:, None], radius.shape),
            centre + radius * np.sin(angles),
        ],
        -1,
    )
    vertices = grid.reshape(-1, 3).astype(np.float32)
    fields = np.full((len(vertices), 8), -1.0, np.float32)
    fields[:, :3], fields[:, 5:] = vertices, 0
    return Sheet(vertices, grid_faces(RINGS, COLUMNS, is_ring=True), _weights(levels, angles, hip, knee), fields)


def _weights(levels: Numbers, angles: Numbers, hip: float, knee: float) -> FloatArray:
    """(V, 24): the waist follows the pelvis, the hem the thighs, each on its side."""
    down = np.clip((levels - hip + 0.06) / (0.7 * (knee - hip)), 0, 1)
    share = FOLLOWS * down**2 * (3 - 2 * down)
    left = np.clip(0.5 + 0.75 * np.cos(angles), 0, 1)
    left = left**2 * (3 - 2 * left)
    weights = np.zeros((RINGS, COLUMNS, 24), np.float32)
    # What hangs lower than the knees goes along with the shins, as cloth that falls over a bent knee.
    below = np.clip((levels - knee + 0.06) / 0.22, 0, 1)
    below = (0.7 * below**2 * (3 - 2 * below))[:, None]
    weights[..., 0] = 1 - share[:, None]
    for hip_joint, knee_joint, side in ((1, 4, left), (2, 5, 1 - left)):
        weights[..., hip_joint] = share[:, None] * side * (1 - below)
        weights[..., knee_joint] = share[:, None] * side * below
    return weights.reshape(-1, 24)


def _profile(skin: Skin, worn: Sheet, levels: Numbers, angles: Numbers) -> Numbers:
    """(RINGS, COLUMNS): how far trunk and legs reach from the middle, each level at least as wide as before."""
    fields = worn.fields
    own = (fields[:, 3] < 0) & (fields[:, 6] < 0.3)
    points = worn.vertices[own] - np.array([0, 0, skin.joints[0, 2]])
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    radius = np.zeros((len(levels), len(angles)))
    for row, level in enumerate(levels):
        near = points[np.abs(points[:, 1] - level) < 0.022]
        if len(near) == 0:
            radius[row] = radius[row - 1]
            continue
        # The reach of the convex hull along each direction, drawn in to the radius of an ellipse-like ring.
        reach = (near[:, [0, 2]] @ directions.T).max(0)
        around = reach[None] / np.maximum(np.cos(angles[:, None] - angles[None]), 1e-3)
        around[np.cos(angles[:, None] - angles[None]) < 0.15] = np.inf
        radius[row] = around.min(1)
    hips = int(np.argmin(np.abs(levels - skin.hem)))
    # Below the hips cloth hangs: no narrower than above it, nor follows each leg.
    for row in range(hips + 1, len(levels)):
        radius[row] = np.maximum(radius[row - 1], np.minimum(radius[row], radius[hips] * 1.1))
    return radius


def leg_radii(skin: Skin, worn: Sheet) -> FloatArray:
    """(2, 3) metres: how thick each leg is at hip, knee and ankle, clothes included."""
    radii = np.zeros((2, 3), np.float32)
    for side, chain in enumerate(LEGS):
        own = (worn.fields[:, 4] >= 0) & (worn.vertices[:, 0] * (1 - 2 * side) > 0) & (worn.fields[:, 7] < 0.5)
        points, along = worn.vertices[own], worn.fields[own, 4]
        for row, wanted in enumerate((0.45, 1.0, 1.9)):
            start, end = (skin.joints[chain[k]] for k in ((0, 1) if wanted <= 1 else (1, 2)))
            near = points[np.abs(along - wanted) < 0.08]
            axis = (end - start) / np.linalg.norm(end - start)
            away = near - start
            away = away - (away @ axis)[:, None] * axis
            radii[side, row] = np.percentile(np.linalg.norm(away, axis=1), 75) if len(near) else 0.07
    return radii


def pushed_out(points: FloatArray, joints: FloatArray, radii: FloatArray) -> FloatArray:
    """Skirt vertices (V, 3) moved out of the posed legs, and the dents evened.

    Args:
        points: (V, 3) skinned, metres.
        joints: (24, 3) posed.
        radii: (2, 3) of `leg_radii`.
    """
    moved = points.copy()
    for side, chain in enumerate(LEGS):
        for row, (start, end) in enumerate(pairwise(chain)):
            bone = joints[end] - joints[start]
            # Near the hips the cloth lies as it was cut.
            share = np.clip((moved - joints[start]) @ bone / (bone @ bone), 0 if row else 0.4, 1)[:, None]
            away = moved - joints[start] - share * bone
            distance = np.linalg.norm(away, axis=1, keepdims=True)
            least = radii[side, row] + share * (radii[side, row + 1] - radii[side, row]) + 1.5 * GAP
            moved += away / np.maximum(distance, 1e-6) * np.maximum(least - distance, 0)
    push = (moved - points).reshape(RINGS, COLUMNS, 3)
    for _ in range(2):
        even = (np.roll(push, 1, 1) + np.roll(push, -1, 1)) / 2
        push = np.where(np.abs(even) > np.abs(push), even, push)
    return points + push.reshape(-1, 3)
