"""A tiny run of every stage on a figure that is drawn on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from retarget_cli.backends.registry import DEFAULT, make_backend
from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.placement import Placer, posed_landmarks
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import BackendError
from retarget_cli.core.motion import Motion
from retarget_cli.core.subject import Subject, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer
from retarget_cli.perception.pose import PoseEstimator
from retarget_cli.workflows.animate import perform
from retarget_cli.workflows.background import Still
from retarget_cli.workflows.frames import composed

SIZE = (192, 128)
CAMERA = np.array([95.0, 64.0, 96.0], np.float32)
FRAMES = 8


def run_self_test(folder: Path, device: str) -> int:
    """Start the pose network, move a drawn figure, encode, read back; returns the number of frames.

    Raises:
        RetargetError: a stage failed.
    """
    with PoseEstimator(video=False, with_mask=True) as estimator:
        estimator.find(np.zeros((64, 64, 3), np.uint8))
    subject = drawn_subject()
    backend = make_backend(DEFAULT, {}, choose_device(device).device)
    view = subject.primary
    placer = Placer(load_body("anny"), subject.betas, view.pose, view.theta, view.camera, SIZE)
    performed = perform(backend.prepare(subject), [placer.place(waving())], SIZE, backend.spec.window)
    frames = composed(performed, Still(subject.plate), SIZE)
    path = folder / "self_test.mp4"
    with open_writer(path, size=SIZE, rate=Fraction(25)) as writer:
        for time, picture in frames:
            writer.write(picture, time)
    with open_frames(path) as source:
        count = sum(1 for frame in source if frame.rgb.std() > 5)
    if count != FRAMES:
        raise BackendError(f"{count} of {FRAMES} frames came back from the encoder", "reinstall the package av")
    return count


def drawn_subject() -> Subject:
    """The mean body, lit from the front, before a plain wall."""
    body = load_body("anny")
    betas = np.zeros(body.shape_count, np.float32)
    shape = body.shaped(torch.from_numpy(betas))
    theta = np.zeros((24, 3), np.float32)
    rotations = axis_angle_to_matrix(torch.from_numpy(theta)[None])
    transforms = bone_transforms(shape.joints[None], body.parents, rotations)
    vertices = skin(shape.vertices[None], body.weights_index, body.weights, transforms)[0].numpy() * CAMERA[0]
    vertices[:, :2] += CAMERA[1:]
    faces = body.faces.numpy().astype(np.int32)
    drawn = rasterize(vertices.astype(np.float32), faces, *SIZE, cull=True)
    normal = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    light = -normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-9)
    mask = drawn.face_index >= 0
    image = np.full((*SIZE, 3), 120, np.uint8)
    image[mask] = (light[drawn.face_index[mask]][:, None] * np.array([220, 160, 140])).clip(0, 255)
    world = posed_landmarks(body, shape, torch.from_numpy(theta)[None])[0].numpy()
    pose = np.concatenate([world[:, :2] * CAMERA[0] + CAMERA[1:], np.ones((33, 1))], 1).astype(np.float32)
    view = View(image, mask.astype(np.float32), pose, world, theta, CAMERA)
    return Subject((view,), betas, "anny", np.full((*SIZE, 3), 120, np.uint8), "self test")


def waving() -> Motion:
    """One arm goes up."""
    theta = np.zeros((FRAMES, 24, 3), np.float32)
    theta[:, 16, 2] = np.linspace(0, -1.5, FRAMES)
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    pose = np.ones((FRAMES, 33, 3), np.float32)
    times = tuple(Fraction(row, 25) for row in range(FRAMES))
    present = np.ones(FRAMES, bool)
    return Motion(SIZE, times, present, pose, pose.copy(), "anny", theta, np.tile(CAMERA, (FRAMES, 1)), betas)
