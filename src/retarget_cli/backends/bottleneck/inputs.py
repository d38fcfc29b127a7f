"""From people and poses to what the networks take: pictures in the person's own square, postures in its cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.bottleneck.frame import REACH, Frame
from retarget_cli.backends.bottleneck.posture import Posture
from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix

# The person's square that sizes in pixels are given for.
USUAL = 256
# How far beyond the person's outline nothing of a background is believed: the side of a smaller square.
_RIM = 11
# What a mask must say at least where somebody is.
_SOMEBODY = 0.05


class Poser:
    """One person's skeleton, put into poses.

    Args:
        body: name of the model.
        betas: (n,) shape.
    """

    def __init__(self, body: str, betas: FloatArray) -> None:
        model = load_body(body)
        self._parents = model.parents
        self._rest = model.shaped_joints(torch.from_numpy(betas))

    def posture(self, theta: FloatArray, device: torch.device) -> Posture:
        """Of theta (B, 24, 3), in the cube. Two dozen tiny products: the CPU is quicker at it than any other device."""
        turns = axis_angle_to_matrix(torch.from_numpy(theta))
        moved = bone_transforms(self._rest[None], self._parents, turns)
        joints = (moved[..., :3] @ self._rest[..., None])[..., 0] + moved[..., 3]
        bones = torch.cat([moved, moved.new_tensor([0, 0, 0, 1]).expand(*moved.shape[:2], 1, 4)], 2)
        bones[..., :3, 3] /= REACH  # rest and posed places shrink alike, turns stay
        return Posture((joints / REACH).to(device), bones.to(device))


def seen_person(view: View, side: int) -> Tensor:
    """(4, S, S): colours of the person in [-1, 1], 0 outside, and the mask in [0, 1]."""
    mask = torch.from_numpy(view.mask)[None].float()
    return _shares(Frame.of(view.camera, side).cut(torch.cat([colours(view.image) * mask, mask])))


def seen_whole(image: Image, frame: Frame) -> Tensor:
    """(3, S, S): everything in the square in [-1, 1]; 0 beyond the picture."""
    return frame.cut(colours(image)).clamp(-1, 1)


def seen_behind(view: View, frame: Frame) -> Tensor:
    """(4, S, S): what `emptied` makes of a square of the view's picture."""
    mask = frame.cut(torch.from_numpy(view.mask)[None].float())
    return emptied(seen_whole(view.image, frame), mask, frame.side / USUAL)


def emptied(picture: Tensor, mask: Tensor, scale: float) -> Tensor:
    """(4, H, W): a picture (3, H, W) in [-1, 1] without the person, 0 there; and 1 where the person was, else 0.

    Args:
        picture: of any size.
        mask: (1, H, W) of the person; a rim around it goes as well.
        scale: of the picture, to one in which the person's square has 256 pixels.
    """
    rim = 2 * max(1, round(_RIM * scale / 2)) + 1
    gone = functional.max_pool2d((mask > _SOMEBODY).float()[None], rim, 1, rim // 2)[0]
    return torch.cat([picture * (1 - gone), gone])


def colours(image: Image) -> Tensor:
    """(3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 127.5 - 1


def thetas(views: Sequence[View]) -> FloatArray:
    """(N, 24, 3) of several views."""
    return np.stack([view.theta for view in views])


def _shares(picture: Tensor) -> Tensor:
    """Sums of weights may be a shade more than 1, which no logarithm of a loss takes."""
    return torch.cat([picture[:3].clamp(-1, 1), picture[3:].clamp(0, 1)])
