"""The body as limbs: straight pieces between joints, each as thick as on people and rigid with one bone.

A limb runs from a joint to one of its children and moves with the joint. Where the skeleton ends, at head, hands and
feet, one more goes on in the direction in which the last bone came at rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.body.skeleton import JOINT_NAMES, PARENTS
from retarget_cli.geometry.segments import nearest

# Half the thickness of the limbs that begin at a joint, in metres; the child is named where they differ.
_RADII: Mapping[str, float] = MappingProxyType({
    "pelvis": 0.13, "hip": 0.085, "knee": 0.06, "ankle": 0.045, "foot": 0.04,
    "spine1": 0.13, "spine2": 0.13, "spine3": 0.1, "neck": 0.07, "head": 0.1,
    "collar": 0.08, "shoulder": 0.055, "elbow": 0.045, "wrist": 0.04, "hand": 0.035,
})  # fmt: skip
# How far a limb goes on behind a last joint, in lengths of the bone that leads there.
_BEYOND: Mapping[str, float] = MappingProxyType({"head": 1.0, "hand": 0.9, "foot": 0.4})


@dataclass(frozen=True, slots=True)
class Limb:
    """One straight piece of the body.

    Attributes:
        bone: the joint that it starts at and is rigid with.
        child: the joint at its end; None where the skeleton ends.
        radius: half its thickness, in units of the cube.
    """

    bone: int
    child: int | None
    radius: float


@dataclass(frozen=True, slots=True)
class Segments:
    """The limbs of B postures: (B, L, 3) where they start and end."""

    starts: Tensor
    ends: Tensor


def _part(joint: int) -> str:
    return JOINT_NAMES[joint].rpartition("_")[2]


def _limbs() -> tuple[Limb, ...]:
    inner = [Limb(parent, joint, _RADII[_part(parent)] / REACH) for joint, parent in enumerate(PARENTS) if parent >= 0]
    last = [joint for joint in range(len(PARENTS)) if joint not in PARENTS]
    return (*inner, *(Limb(joint, None, _RADII[_part(joint)] / REACH) for joint in last))


BODY = _limbs()
LIMBS = len(BODY)
"""How many there are."""


def segments(posture: Posture) -> Segments:
    """Where the limbs of (B) postures are."""
    joints = posture.joints
    ends = [_tip(limb.bone, posture) if limb.child is None else joints[:, limb.child] for limb in BODY]
    return Segments(joints[:, [limb.bone for limb in BODY]], torch.stack(ends, 1))


def bones() -> list[int]:
    """Of every limb the joint that it is rigid with."""
    return [limb.bone for limb in BODY]


def radii(like: Tensor) -> Tensor:
    """(L): half the thickness of every limb, in units of the cube."""
    return like.new_tensor([limb.radius for limb in BODY])


def powers(posture: Posture, places: Tensor) -> Tensor:
    """(B, L, ...): squared distance from the middle of every limb less its squared radius; 0 on its surface.

    Unlike distances from surfaces, which all are 0 inside, these tell limbs apart where they overlap.

    Args:
        posture: (B).
        places: (..., 3).
    """
    found = segments(posture)
    squared = nearest(places.reshape(-1, 3), found.starts, found.ends).squared
    return (squared - radii(squared)[:, None] ** 2).reshape(*squared.shape[:2], *places.shape[:-1])


def occupancy(posture: Posture, places: Tensor, softness: float) -> Tensor:
    """(B, 1, ...) in [0, 1]: whether a place is inside the body; 1/2 on its surface.

    Args:
        posture: (B).
        places: (..., 3).
        softness: from nearly inside to nearly outside, in units of the cube; with less than the places are apart, arms
            would fall between them.
    """
    found = segments(posture)
    squared = nearest(places.reshape(-1, 3), found.starts, found.ends).squared
    inside = radii(squared)[:, None] - squared.clamp_min(1e-12).sqrt()
    deepest = inside.amax(1, keepdim=True)
    return torch.sigmoid(deepest * (4 / softness)).reshape(-1, 1, *places.shape[:-1])


def _tip(joint: int, posture: Posture) -> Tensor:
    """(B, 3): the end of the limb behind a last joint."""
    bone = _at_rest(joint, posture) - _at_rest(PARENTS[joint], posture)
    return posture.joints[:, joint] + _BEYOND[_part(joint)] * _turned(posture.bones[:, joint, :3, :3], bone)


def _at_rest(joint: int, posture: Posture) -> Tensor:
    """(B, 3): where a joint is before the person moves."""
    bone = posture.bones[:, joint, :3]
    return _turned(bone[..., :3].transpose(-1, -2), posture.joints[:, joint] - bone[..., 3])


def _turned(rotation: Tensor, vector: Tensor) -> Tensor:
    return (rotation * vector[..., None, :]).sum(-1)
