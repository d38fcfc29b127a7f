"""How somebody stands, in the cube of the volumes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Posture:
    """Postures of the persons in B pictures; lengths in units of the cube [-1, 1]^3, whose middle is the hips.

    Attributes:
        joints: (B, 24, 3), posed places.
        bones: (B, 24, 4, 4), rest -> posed, rigid: where a point goes that is fixed to each joint's bone.
    """

    joints: Tensor
    bones: Tensor

    def expand(self, count: int) -> Posture:
        """The same for `count` pictures, of one or of as many."""
        return Posture(*(part.expand(count, *part.shape[1:]) for part in (self.joints, self.bones)))


def motions(source: Posture, target: Posture) -> Tensor:
    """(B, 24, 3, 4): z_s = M z_t, where in the source's cube a point of the target's lies that is fixed to a bone.

    M = B_s B_t^-1; of equal postures exactly nothing but rounding is left between M and the identity.
    """
    turn = source.bones[..., :3, :3] @ target.bones[..., :3, :3].transpose(-1, -2)
    shift = source.bones[..., :3, 3:] - turn @ target.bones[..., :3, 3:]
    return torch.cat([turn, shift], -1)
