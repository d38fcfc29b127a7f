"""A dressed body at rest: where each vertex lies on the person, and how far clothes stand off it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.outfit import Outfit

ARMS = ((16, 18, 20), (17, 19, 21))
LEGS = ((1, 4, 7), (2, 5, 8))
HANDS, FEET, HEAD, NECK = [20, 21, 22, 23], [7, 8, 10, 11], 15, 12
EYES, EARS, MOUTH, NOSE = (2, 5), (7, 8), (9, 10), 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A person at rest.

    Attributes:
        body: the model.
        shape: the naked body.
        vertices: (V, 3) with clothes and hair, metres.
        fields: (V, 8) what `paint` needs at each vertex: rest x, y, z; how far down the arm and the leg (0 the
            first joint, 1 the second, 2 the third; negative elsewhere); shares of head, hand, foot.
        outfit: colours.
    """

    body: Body
    shape: Shape
    vertices: FloatArray
    fields: FloatArray
    outfit: Outfit


def dress(body: Body, betas: FloatArray, outfit: Outfit) -> Figure:
    """Put an outfit on a body of a shape (n,)."""
    shape = body.shaped(torch.from_numpy(betas))
    rest = shape.vertices.numpy().astype(np.float32)
    joints = shape.joints.numpy()
    weights = np.zeros((len(rest), 24), np.float32)
    np.add.at(weights, (np.arange(len(rest))[:, None], body.weights_index.numpy()), body.weights.numpy())
    arm, leg = _along(rest, joints, weights, ARMS, 0.45), _along(rest, joints, weights, LEGS, 0.3)
    shares = [weights[:, HEAD], weights[:, HANDS].sum(1), weights[:, FEET].sum(1)]
    fields = np.column_stack([rest, arm, leg, *shares]).astype(np.float32)
    normals = vertex_normals(rest, body.faces.numpy())
    off = _garments(fields, outfit, joints) + _hair(fields, outfit, shape.landmarks.numpy())
    return Figure(body, shape, (rest + normals * off[:, None]).astype(np.float32), fields, outfit)


def _along(
    rest: FloatArray, joints: FloatArray, weights: FloatArray, limbs: tuple[tuple[int, ...], ...], least: float
) -> FloatArray:
    """(V,): how far down a limb, in joints; -1 where the limb has less than `least` of the vertex."""
    along = np.full(len(rest), -1.0, np.float32)
    for chain in limbs:
        ends = [11 if joint == 8 else 10 if joint == 7 else joint + 2 for joint in chain[-1:]]
        own = weights[:, [*chain, *ends]].sum(1) > least
        for number, (start, end) in enumerate(pairwise(chain)):
            bone = joints[end] - joints[start]
            share = (rest - joints[start]) @ bone / (bone @ bone)
            here = own & (share >= 0) if number else own
            along[here] = np.maximum(number + np.clip(share[here], 0 if number else -0.2, 1), 0)
    return along


def _garments(fields: FloatArray, outfit: Outfit, joints: FloatArray) -> FloatArray:
    """(V,): metres that clothes stand off the body; wider at sleeves' and legs' ends."""
    _, y, _, arm, leg, head, hand, foot = fields.T
    off = np.zeros(len(fields), np.float32)
    trunk = (head < 0.3) & (hand < 0.3) & (arm < 0) & (leg < 0)
    collar, hem = joints[NECK, 1] - 0.015, hem_line(joints)
    top = trunk & (y > collar) & (y < hem)
    off[top] = 0.012 + 0.016 * np.clip((y[top] - collar) / (hem - collar), 0, 1) ** 2
    off[trunk & (y >= hem)] = 0.008
    off = np.maximum(off, np.where((leg >= 0) & (y < hem), 0.026, 0))
    sleeved = (arm >= 0) & (arm < outfit.sleeve) & (hand < 0.5)
    off[sleeved] = 0.012 + 0.014 * np.clip(arm[sleeved] / outfit.sleeve, 0, 1) * (outfit.sleeve < 1)
    covered = (leg >= 0) & (leg < outfit.leg) & (foot < 0.6) & (y >= hem)
    off[covered] = 0.008 + 0.016 * np.clip(leg[covered] / outfit.leg, 0, 1)
    off[foot > 0.6] = 0.012
    return off


def _hair(fields: FloatArray, outfit: Outfit, landmarks: FloatArray) -> FloatArray:
    """(V,): metres that hair stands off the head."""
    cover = hair_cover(fields[:, :3], landmarks, outfit.has_long_hair)
    # The ears' own normals point all ways: hair lies close there.
    beside = np.abs(fields[:, 0]) > np.abs(landmarks[list(EARS), 0]).min() - 0.006
    height = np.where(beside, 0.006, 0.03)
    return np.where(fields[:, 5] > 0.5, height * np.clip(cover / 0.03, 0, 1), 0).astype(np.float32)


def hair_cover(points: FloatArray, landmarks: FloatArray, is_long: bool) -> FloatArray:
    """(N,): how deep inside the hairy part of the head points (N, 3) at rest lie, metres; negative on the face."""
    eyes, ears = landmarks[list(EYES)].mean(0), landmarks[list(EARS)].mean(0)
    above = eyes[1] - 0.052 - points[:, 1]
    behind = points[:, 2] - (ears[2] - 0.012) if is_long else points[:, 2] - (ears[2] + 0.006)
    lowest = (0.1 if is_long else 0.035) + ears[1] - points[:, 1]
    return np.asarray(np.maximum(above, np.minimum(behind, lowest)), np.float32)


def hem_line(joints: FloatArray) -> float:
    """Height of the top's hem at rest, metres (y down)."""
    return float(joints[[1, 2], 1].mean() - 0.01)


def vertex_normals(vertices: FloatArray, faces: NDArray[np.int64]) -> FloatArray:
    """(V, 3) unit normals, outward, each the mean of its triangles' by area."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, corner], normal[:, axis], len(vertices)).astype(np.float32)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
