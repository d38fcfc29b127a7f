"""Draw a dressed person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.placement import posed_landmarks
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.synth.figure import Figure, vertex_normals
from retarget_cli.synth.paint import paint
from retarget_cli.synth.room import Room, backdrop, with_shadow

SAMPLES = 2
LIGHT = np.array([-0.45, -0.6, -0.66], np.float32)
FEET = (29, 30, 31, 32)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a person, with what is true about it.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) float32 in [0, 1].
        landmarks: (33, 2) pixels.
        camera: (3,) scale, tx, ty; theta (24, 3) goes with it.
    """

    image: Image
    mask: FloatArray
    landmarks: FloatArray
    camera: FloatArray


def standing_camera(figure: Figure, theta: FloatArray, x: float, scale: float, floor: float) -> FloatArray:
    """(3,): hips `x` pixels from the left, the lowest foot on the line `floor`."""
    points = posed_landmarks(figure.body, figure.shape, torch.from_numpy(theta)[None])[0]
    lowest = float(points[list(FEET), 1].max())
    return np.array([scale, x, floor - scale * lowest], np.float32)


def draw(figure: Figure, theta: FloatArray, camera: FloatArray, room: Room, size: tuple[int, int]) -> Picture:
    """One picture of size (height, width), from theta (24, 3) and camera (3,)."""
    height, width = size
    pose = torch.from_numpy(theta)[None]
    landmarks = posed_landmarks(figure.body, figure.shape, pose)[0, :, :2].numpy() * camera[0] + camera[1:]
    empty = with_shadow(backdrop(room, height, width), landmarks[[29, 30]], 0.16 * float(camera[0]))
    color, cover = _figure(figure, pose, camera, height, width)
    image = (color + empty * (1 - cover[..., None])).clip(0, 255).astype(np.uint8)
    return Picture(image, cover, landmarks.astype(np.float32), camera)


def _figure(
    figure: Figure, pose: torch.Tensor, camera: FloatArray, height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    """Premultiplied colour (H, W, 3) and coverage (H, W)."""
    body = figure.body
    transforms = bone_transforms(figure.shape.joints[None], body.parents, axis_angle_to_matrix(pose))
    moved = skin(torch.from_numpy(figure.vertices)[None], body.weights_index, body.weights, transforms)[0].numpy()
    points = moved * camera[0] * SAMPLES
    points[:, :2] += camera[1:] * SAMPLES
    faces = body.faces.numpy()
    drawn = rasterize(points.astype(np.float32), faces.astype(np.int32), height * SAMPLES, width * SAMPLES, cull=True)
    hit = drawn.face_index >= 0
    corners = faces[drawn.face_index[hit]]
    share = drawn.barycentric[hit][..., None]
    color = paint(figure, (share * figure.fields[corners]).sum(1))
    normal = (share * vertex_normals(moved, faces)[corners]).sum(1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    shade = 0.62 + 0.42 * np.clip(normal @ LIGHT, -0.35, 1)
    full = np.zeros((height * SAMPLES, width * SAMPLES, 4), np.float32)
    full[hit, :3] = color * shade[:, None]
    full[hit, 3] = 1
    mean = full.reshape(height, SAMPLES, width, SAMPLES, 4).mean((1, 3))
    return mean[..., :3], mean[..., 3]
