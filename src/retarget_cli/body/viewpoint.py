"""Where the camera stands about the person: a motion as it looks from another side.

Convention: azimuth and elevation are degrees. 0, 0 is the photo's (or the driving clip's) own view. A positive azimuth
takes the camera to the person's left, so that more of the left side is seen; 180 shows the back. A positive elevation
raises the camera; 90 looks down on the head. Axes are the camera's: x right, y down, z away: a camera that walks to the
left of somebody who faces it sees him turn about +y, and a raised one sees him turn about +x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from retarget_cli.body.model import Body, Shape
from retarget_cli.body.placement import posed_landmarks, stance
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle


@dataclass(frozen=True, slots=True)
class Orbit:
    """The camera's way about the person, one viewpoint after the other.

    Attributes:
        azimuth: degrees, any; at least one.
        elevation: degrees in [-90, 90]; at least one.
    """

    azimuth: tuple[float, ...] = (0.0,)
    elevation: tuple[float, ...] = (0.0,)

    @property
    def count(self) -> int:
        """How many viewpoints there are; of two lists of different lengths the shorter is spread over the longer."""
        return max(len(self.azimuth), len(self.elevation))

    @property
    def is_home(self) -> bool:
        """Whether the camera stays where the photo was taken."""
        return not any(self.azimuth) and not any(self.elevation)

    def turns(self, count: int) -> Tensor:
        """(count, 3, 3): what the camera's way does to the person, spread over so many frames."""
        return turn_about(spread(self.azimuth, count), spread(self.elevation, count))


@dataclass(frozen=True, slots=True)
class Centre:
    """What the camera circles: a point on the ground, x and y in pixels, and the scale there, pixels a metre."""

    x: float
    y: float
    scale: float


def spread(angles: Sequence[float], count: int) -> FloatArray:
    """(count,) angles on the way along `angles`, first and last kept; between two of them the way is straight."""
    at = np.linspace(0, len(angles) - 1, count)
    return np.interp(at, np.arange(len(angles)), angles).astype(np.float32)


def turn_about(azimuth: FloatArray, elevation: FloatArray) -> Tensor:
    """(T, 3, 3) rotations of the person that a camera at these angles (T,), degrees, sees."""
    zero = np.zeros_like(azimuth)
    about_y = torch.from_numpy(np.stack([zero, np.radians(azimuth), zero], -1))
    about_x = torch.from_numpy(np.stack([np.radians(elevation), zero, zero], -1))
    return axis_angle_to_matrix(about_x) @ axis_angle_to_matrix(about_y)


def centre_of(motion: Motion, row: int, ground: int, body: Body) -> Centre:
    """The point on the ground under the person of frame `row`.

    Args:
        motion: fitted.
        ground: the frame whose lowest foot is on the ground.
    """
    theta, camera, shape = _fitted(motion, body)
    stood = stance(body, shape, torch.from_numpy(motion.pose), theta, camera)
    return Centre(float(stood.hips[row, 0]), float(stood.floor[ground]), float(stood.scale[ground]))


def seen_from(motion: Motion, turns: Tensor, centre: Centre, body: Body) -> Motion:
    """A motion as another camera sees it that looks at `centre`.

    The person stays on the centre, since it is the camera that moves. How far away somebody is shows in the scale
    alone; from the other side a person who came nearer has gone away.

    Args:
        motion: fitted, T frames.
        turns: (T, 3, 3) of `Orbit.turns`.
        centre: in the motion's own pixels.

    Returns:
        The motion with `theta`, `camera`, `world` and the landmarks' places turned; confidences stay.
    """
    theta, camera, shape = _fitted(motion, body)
    root = matrix_to_axis_angle(turns @ axis_angle_to_matrix(theta[:, 0]))
    turned = torch.cat([root[:, None], theta[:, 1:]], 1)
    scale = centre.scale * (camera[:, 0] / centre.scale) ** turns[:, 2, 2]
    pivot = torch.tensor([centre.x, centre.y])
    away = camera[:, :1] * shape.joints[0, :2] + camera[:, 1:] - pivot
    # Lengths over the ground are seen at the size that people have after the turn.
    away = (turns[:, :2, :2] @ away[..., None])[..., 0] * (scale / camera[:, 0])[:, None]
    moved = torch.cat([scale[:, None], pivot + away - scale[:, None] * shape.joints[0, :2]], 1)
    before, after = (
        posed_landmarks(body, shape, bones)[..., :2] * lens[:, None, :1] + lens[:, None, 1:]
        for bones, lens in ((theta, camera), (turned, moved))
    )
    pose = motion.pose.copy()
    pose[..., :2] += (after - before).numpy()
    world = (torch.from_numpy(motion.world) @ turns.transpose(1, 2)).numpy()
    return replace(motion, pose=pose, world=world, theta=turned.numpy(), camera=moved.numpy())


def _fitted(motion: Motion, body: Body) -> tuple[Tensor, Tensor, Shape]:
    if motion.theta is None or motion.camera is None or motion.betas is None:
        raise ValueError("only a fitted motion can be seen from another side")
    shape = body.shaped(torch.from_numpy(motion.betas))
    return torch.from_numpy(motion.theta), torch.from_numpy(motion.camera), shape
