"""A drawn person, plain enough to be made in a moment and real enough for MediaPipe: photos, clips and motions.

The figure is the mean body, lit from the front, before a wall; the same that `retarget doctor` tests itself with.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from tests.media_maker import Clip, make_video

from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.placement import posed_landmarks
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.perception.pose import PoseFinding

NTSC = Fraction(30000, 1001)
WALL = (120, 120, 120)
SKIN = (220, 160, 140)


@dataclass(frozen=True)
class Drawn:
    """A picture of somebody, and the truth about it."""

    image: Image
    mask: FloatArray
    pose: FloatArray
    world: FloatArray
    theta: FloatArray
    camera: FloatArray

    @property
    def view(self) -> View:
        return View(self.image, self.mask, self.pose, self.world, self.theta, self.camera)


def camera_for(size: tuple[int, int], share: float = 0.85, x: float = 0.5) -> FloatArray:
    """Somebody of this share of the picture's height, upright in its middle."""
    scale = share * size[0] / 1.68
    return np.array([scale, x * size[1], size[0] * 0.5 - 0.1 * scale], np.float32)


def draw(
    size: tuple[int, int], theta: FloatArray | None = None, camera: FloatArray | None = None, wall: object = WALL
) -> Drawn:
    """The body in a pose, (H, W, 3); `wall` is a colour or a picture."""
    body = load_body("anny")
    camera = camera_for(size) if camera is None else camera
    theta = np.zeros((24, 3), np.float32) if theta is None else theta
    shape = body.shaped(torch.zeros(body.shape_count))
    turns = axis_angle_to_matrix(torch.from_numpy(theta)[None])
    transforms = bone_transforms(shape.joints[None], body.parents, turns)
    points = skin(shape.vertices[None], body.weights_index, body.weights, transforms)[0].numpy() * camera[0]
    points[:, :2] += camera[1:]
    faces = body.faces.numpy().astype(np.int32)
    drawn = rasterize(points.astype(np.float32), faces, *size, cull=True)
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    light = -normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-9)
    mask = drawn.face_index >= 0
    image = np.empty((*size, 3), np.uint8)
    image[:] = wall
    image[mask] = (light[drawn.face_index[mask]][:, None] * np.array(SKIN)).clip(0, 255)
    world = posed_landmarks(body, shape, torch.from_numpy(theta)[None])[0].numpy()
    pose = np.concatenate([world[:, :2] * camera[0] + camera[1:], np.ones((33, 1))], 1).astype(np.float32)
    return Drawn(image, mask.astype(np.float32), pose, world, theta, camera)


def subject(size: tuple[int, int] = (192, 128), *turns: float) -> Subject:
    """The drawn person seen from the front, and turned by further angles about the vertical, radians."""
    views = []
    for turn in (0.0, *turns):
        theta = np.zeros((24, 3), np.float32)
        theta[0, 1] = turn
        views.append(draw(size, theta).view)
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    return Subject(tuple(views), betas, "anny", np.full((*size, 3), 120, np.uint8), "drawn")


def waving(count: int) -> FloatArray:
    """(T, 24, 3): one arm goes up and down again, the other a little, the trunk sways."""
    theta = np.zeros((count, 24, 3), np.float32)
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    theta[:, 16, 2] = -0.75 + 0.75 * np.cos(t)
    theta[:, 17, 2] = 0.2 - 0.2 * np.cos(t)
    theta[:, 3, 2] = 0.1 * np.sin(t)
    return theta


def motion_of(theta: FloatArray, size: tuple[int, int], rate: Fraction = Fraction(25)) -> Motion:
    """A fitted motion of the drawn person standing in a picture of this size."""
    count = len(theta)
    shots = [draw(size, each) for each in theta]
    camera = np.tile(camera_for(size), (count, 1))
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    pose, world = (np.stack([getattr(shot, name) for shot in shots]) for name in ("pose", "world"))
    times = tuple(i / rate for i in range(count))
    return Motion(size, times, np.ones(count, bool), pose, world, "anny", theta, camera, betas)


def clip_of(path: Path, clip: Clip, empty: frozenset[int] = frozenset(), x: float = 0.5) -> Path:
    """A film of the person waving; frames of `empty` show the wall alone."""
    times = clip.times if clip.times is not None else [None] * clip.count
    frames = []
    for number, theta in enumerate(waving(len(times))):
        wall = np.full((*clip.size, 3), WALL, np.uint8)
        frames.append(wall if number in empty else draw(clip.size, theta, camera_for(clip.size, x=x)).image)
    return make_video(path, clip, frames)


@dataclass(frozen=True)
class Shotlike:
    """What `workflows.source.Shot` is, from a drawn picture."""

    image: Image
    mask: FloatArray
    finding: PoseFinding

    @classmethod
    def of(cls, drawn: Drawn) -> Shotlike:
        return cls(drawn.image, drawn.mask, PoseFinding(drawn.pose, drawn.world, drawn.mask))
