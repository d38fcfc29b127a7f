"""A figure that has taken a pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from retarget_cli.body.kinematics import bone_transforms, landmarks
from retarget_cli.core.motion import FloatArray
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.mesh import grid_faces, vertex_normals
from retarget_cli.synth.skirt import COLUMNS, RINGS, pushed_out

FEET = (29, 30, 31, 32)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Joints and landmarks of a person in T poses, and what carries the surface.

    Attributes:
        transforms: (T, 24, 3, 4) of `bone_transforms`.
        joints: (T, 24, 3) metres; the pelvis keeps its rest place.
        landmarks: (T, 33, 3) metres.
    """

    transforms: FloatArray
    joints: FloatArray
    landmarks: FloatArray


@dataclass(frozen=True, slots=True)
class Posed:
    """One pose: points (V, 3) in metres, unit normals (V, 3)."""

    points: FloatArray
    normals: FloatArray


def skeleton_of(figure: Figure, theta: FloatArray) -> Skeleton:
    """All poses (T, 24, 3) at once."""
    shape, body = figure.shape, figure.body
    moved = bone_transforms(shape.joints[None], body.parents, axis_angle_to_matrix(torch.from_numpy(theta)))
    points = landmarks(shape.landmarks[None], body.landmark_joint, moved)
    joints = landmarks(shape.joints[None], tuple(range(24)), moved)
    return Skeleton(moved.numpy(), joints.numpy(), points.numpy())


def pose_figure(figure: Figure, skeleton: Skeleton, row: int) -> Posed:
    """The surface in one of the poses."""
    matrix = (figure.weights @ skeleton.transforms[row].reshape(24, 12)).reshape(-1, 3, 4)
    turn = matrix[..., :3]
    points = np.matmul(turn, figure.vertices[..., None])[..., 0] + matrix[..., 3]
    normals = np.matmul(turn, figure.normals[..., None])[..., 0]
    own = figure.skirt
    if own.stop > own.start:
        points[own] = pushed_out(points[own], skeleton.joints[row], figure.leg_radii)
        normals[own] = vertex_normals(points[own], grid_faces(RINGS, COLUMNS, is_ring=True))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return Posed(points.astype(np.float32), normals.astype(np.float32))
