"""Where the source person stands while moving: the driving path, carried over into the source's picture.

Joint rotations are taken over as they are; bone lengths stay the source's. What is decided here is the camera
of each frame. Feet, where both clips show them, are kept on the driving feet's path, since a floating foot is
seen at once; otherwise the hips are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from retarget_cli.body.kinematics import forward_kinematics
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.geometry.rotations import axis_angle_to_matrix

FEET = (27, 28, 29, 30, 31, 32)
ANKLES = (27, 28)


class MotionPath(Enum):
    """Whose place: `RELATIVE` starts where the source stands, `ABSOLUTE` stands where the driving person does."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


class Framing(Enum):
    """What happens when the path leaves the picture.

    `FIT` bends the path so that the person stays inside; `FOLLOW` moves the frame with the person, who keeps the
    place of the source; `EXACT` lets the person walk out.
    """

    FIT = "fit"
    FOLLOW = "follow"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Stance:
    """A person in one frame, in pixels: hips (x, y), lowest foot (y), scale (pixels a metre), feet seen [0, 1]."""

    hips: Tensor
    floor: Tensor
    scale: Tensor
    feet: Tensor


class Placer:
    """Carries driving windows over into the source's picture.

    Args:
        body: the model that both people were fitted with.
        betas: (n,) the source person's shape.
        pose, theta, camera: of the source's primary view: (33, 3), (24, 3), (3,).
        size: (height, width) of the canvas.
        path, framing: see the enums.
    """

    def __init__(
        self,
        body: Body,
        betas: FloatArray,
        pose: FloatArray,
        theta: FloatArray,
        camera: FloatArray,
        size: tuple[int, int],
        path: MotionPath = MotionPath.RELATIVE,
        framing: Framing = Framing.FIT,
    ) -> None:
        self.body, self.size, self.path, self.framing = body, size, path, framing
        self.betas = betas
        self.shape = body.shaped(torch.from_numpy(betas))
        self.home = stance(body, self.shape, *(torch.from_numpy(a)[None] for a in (pose, theta, camera)))
        self.height = stature(self.shape)
        self._reference: Stance | None = None

    def refer_to(self, motion: Motion, row: int) -> None:
        """Make this frame of a fitted motion the one that stands where the source stands."""
        self._reference = _row(self._stance(motion), row)

    def place(self, motion: Motion) -> Motion:
        """The window with `camera` and `betas` of the source person in the canvas. `theta` stays."""
        driving = self._stance(motion)
        driver = self._driver(motion)
        if self._reference is None and motion.present.any():
            self.refer_to(motion, int(np.argmax(motion.present)))
        if self._reference is None:
            hips, floor, scale = (a.expand(len(motion), *a.shape[1:]) for a in _where(self.home))
            feet = driving.feet
        elif self.path is MotionPath.RELATIVE:
            hips, floor, scale, feet = self._relative(driving, stature(driver))
        else:
            hips, floor, scale, feet = self._absolute(driving, stature(driver), motion.size)
        scale, hips, floor = self._framed(scale, hips, floor)
        if self.framing is Framing.FOLLOW:
            # The hips keep their place; how far below them the floor lies depends on how near the driver comes.
            feet = torch.zeros_like(feet)
        camera = self._camera(motion, hips, floor, scale, feet)
        return replace(motion, size=self.size, camera=camera.numpy(), betas=self.betas)

    def _driver(self, motion: Motion) -> Shape:
        if motion.betas is None:
            raise ValueError("only a fitted motion can be placed")
        return self.body.shaped(torch.from_numpy(motion.betas))

    def _stance(self, motion: Motion) -> Stance:
        if motion.theta is None or motion.camera is None:
            raise ValueError("only a fitted motion can be placed")
        arrays = (motion.pose, motion.theta, motion.camera)
        return stance(self.body, self._driver(motion), *(torch.from_numpy(a) for a in arrays))

    def _relative(self, driving: Stance, height: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        start, home = self._reference, self.home
        if start is None:
            raise ValueError("no reference frame")
        ratio = home.scale * self.height / (start.scale * height)
        hips = home.hips + ratio[:, None] * (driving.hips - start.hips)
        floor = home.floor + ratio * (driving.floor - start.floor)
        scale = home.scale * (driving.scale / start.scale).clamp(0.4, 2.5)
        return hips, floor, scale, driving.feet * start.feet * home.feet

    def _absolute(
        self, driving: Stance, height: float, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The driving frame is laid centred and whole into the canvas."""
        ratio = min(self.size[0] / size[0], self.size[1] / size[1])
        corner = torch.tensor([(self.size[1] - ratio * size[1]) / 2, (self.size[0] - ratio * size[0]) / 2])
        hips = driving.hips * ratio + corner
        floor = driving.floor * ratio + corner[1]
        return hips, floor, driving.scale * ratio * height / self.height, driving.feet

    def _framed(self, scale: Tensor, hips: Tensor, floor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.framing is Framing.EXACT:
            return scale, hips, floor
        home = self.home.hips[0]
        if self.framing is Framing.FOLLOW:
            return self.home.scale.expand_as(scale), home.expand_as(hips), floor
        return self._inside(scale, hips, floor)

    def _inside(self, scale: Tensor, hips: Tensor, floor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns = self.size
        relative = self.path is MotionPath.RELATIVE
        # Nobody grows taller than the picture, unless the source already is.
        usual = self.home.scale if relative else scale.median()
        tallest = torch.maximum(0.88 * rows / torch.tensor(self.height), usual)
        wanted = scale
        scale = bounded(scale, torch.minimum(usual, tallest), 0.3 * tallest, tallest)
        # A figure with its elbows out is about half as wide as tall.
        margin = 0.24 * self.height * scale
        home = self.home.hips[0, 0].expand_as(margin) if relative else torch.full_like(margin, columns / 2)
        x = bounded(hips[:, 0], home, torch.minimum(margin, home), torch.maximum(columns - margin, home))
        ground = self.home.floor.expand_as(scale) if relative else torch.full_like(scale, 0.9 * rows)
        top = torch.minimum(1.04 * self.height * scale, ground)
        y = bounded(floor, ground, top, (0.985 * rows * torch.ones_like(ground)).maximum(ground))
        above = (hips[:, 1] - floor) * scale / wanted
        # A figure that the photo cuts off below must not float: it neither rises nor shrinks.
        if relative and self.home.feet[0] < 0.5 and self.home.floor[0] > rows:
            scale = scale.clamp_min(float(self.home.scale))
            lifted = (hips[:, 1] - self.home.hips[0, 1]).clamp_min(0)
            return scale, torch.stack([x, self.home.hips[0, 1] + lifted], 1), y
        return scale, torch.stack([x, y + above], 1), y

    def _camera(self, motion: Motion, hips: Tensor, floor: Tensor, scale: Tensor, feet: Tensor) -> Tensor:
        """(T, 3): so that the hips, or the lowest foot where feet count, lie where they should."""
        theta = torch.from_numpy(motion.theta)
        posed = posed_landmarks(self.body, self.shape, theta)
        pelvis = self.shape.joints[0, :2]
        x = hips[:, 0] - scale * pelvis[0]
        by_hips = hips[:, 1] - scale * pelvis[1]
        by_floor = floor - scale * posed[:, list(FEET), 1].amax(1)
        return torch.stack([scale, x, torch.lerp(by_hips, by_floor, feet)], 1)


def posed_landmarks(body: Body, shape: Shape, theta: Tensor) -> Tensor:
    """Landmarks (T, 33, 3) in metres, pelvis at its rest place."""
    turned, joints = forward_kinematics(shape.joints[None], body.parents, axis_angle_to_matrix(theta))
    carrier = list(body.landmark_joint)
    offset = shape.landmarks - shape.joints[carrier]
    return joints[:, carrier] + (turned[:, carrier] @ offset[..., None])[..., 0]


def stance(body: Body, shape: Shape, pose: Tensor, theta: Tensor, camera: Tensor) -> Stance:
    """Where T people stand, from pose (T, 33, 3), theta (T, 24, 3) and camera (T, 3)."""
    landmarks = posed_landmarks(body, shape, theta)
    scale = camera[:, 0]
    hips = scale[:, None] * shape.joints[0, :2] + camera[:, 1:]
    floor = scale * landmarks[:, list(FEET), 1].amax(1) + camera[:, 2]
    sure = ((pose[:, list(ANKLES), 2].amin(1) - 0.3) / 0.3).clamp(0, 1)
    return Stance(hips, floor, scale, sure)


def stature(shape: Shape) -> float:
    """Height in metres, from the vertices at rest."""
    return float(shape.vertices[:, 1].max() - shape.vertices[:, 1].min())


def bounded(value: Tensor, home: Tensor | float, low: Tensor | float, high: Tensor | float) -> Tensor:
    """`value` bent smoothly into [low, high]: as it is up to half way from `home` to an end, never beyond it."""
    away = value - home
    above = torch.as_tensor(high) - home
    room = torch.where(away > 0, above, torch.as_tensor(home) - low).clamp_min(1e-6)
    share = away.abs() / room
    knee = 0.5
    bent = knee + (1 - knee) * torch.tanh((share - knee).clamp_min(0) / (1 - knee))
    return home + away.sign() * room * torch.where(share <= knee, share, bent)


def _where(home: Stance) -> tuple[Tensor, Tensor, Tensor]:
    return home.hips, home.floor, home.scale


def _row(stance: Stance, row: int) -> Stance:
    at = slice(row, row + 1)
    return Stance(stance.hips[at], stance.floor[at], stance.scale[at], stance.feet[at])
