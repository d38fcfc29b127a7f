"""Anny's 104 bones merged into SMPL's 24 joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from retarget_cli.body.skeleton import JOINT, JOINT_NAMES

_MIDDLE = {
    "root": "pelvis",
    "spine05": "pelvis",
    "spine04": "spine1",
    "spine03": "spine1",
    "spine02": "spine2",
    "spine01": "spine3",
    "neck01": "neck",
    "neck02": "neck",
    "neck03": "neck",
    "head": "head",
}
_SIDED = {
    "pelvis": "pelvis",
    "upperleg01": "{side}_hip",
    "upperleg02": "{side}_hip",
    "lowerleg01": "{side}_knee",
    "lowerleg02": "{side}_knee",
    "foot": "{side}_ankle",
    "clavicle": "{side}_collar",
    "shoulder01": "{side}_collar",
    "upperarm01": "{side}_shoulder",
    "upperarm02": "{side}_shoulder",
    "lowerarm01": "{side}_elbow",
    "lowerarm02": "{side}_elbow",
    "wrist": "{side}_wrist",
    "eye": "head",
    # The thumb's metacarpal lies in the palm.
    "finger1-1": "{side}_wrist",
    **{f"metacarpal{ray}": "{side}_wrist" for ray in range(1, 5)},
    **{f"finger{ray}-{bone}": "{side}_hand" for ray in range(2, 6) for bone in range(1, 4)},
    "finger1-2": "{side}_hand",
    "finger1-3": "{side}_hand",
    **{f"toe{ray}-{bone}": "{side}_foot" for ray in range(1, 6) for bone in range(1, 4)},
}
_HEADS = {
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
    "foot": "toe2-1",
    "collar": "clavicle",
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
    "hand": "finger3-1",
}
_MIDDLE_HEADS = {
    "pelvis": "root",
    "spine1": "spine04",
    "spine2": "spine02",
    "spine3": "spine01",
    "neck": "neck01",
    "head": "head",
}
_SIDES = {"L": "left", "R": "right"}


def joint_of_bone(label: str) -> str:
    """The joint that a bone is merged into.

    Raises:
        KeyError: Anny has grown a bone that nobody has thought about.
    """
    if label in _MIDDLE:
        return _MIDDLE[label]
    bone, side = label.rsplit(".", 1)
    return _SIDED[bone].format(side=_SIDES[side])


def bone_at_joint(name: str) -> str:
    """The bone whose head is the joint's place."""
    if name in _MIDDLE_HEADS:
        return _MIDDLE_HEADS[name]
    side, part = name.split("_")
    return f"{_HEADS[part]}.{side[0].upper()}"


def joint_rows(labels: Sequence[str]) -> list[int]:
    """For each of the 24 joints, the row of its bone in `labels`."""
    return [labels.index(bone_at_joint(name)) for name in JOINT_NAMES]


def merged_weights(dense: Tensor, labels: Sequence[str], kept: int = 4) -> tuple[Tensor, Tensor, float]:
    """Add the skinning weights of merged bones and keep the strongest joints.

    Args:
        dense: (V, bones) weights that sum to 1.
        labels: bones' names.
        kept: joints to keep at each vertex.

    Returns:
        (V, kept) int64 joints, strongest first; (V, kept) float32 weights that sum to 1; the largest sum of
        weights that was dropped at any vertex.
    """
    target = torch.tensor([JOINT[joint_of_bone(label)] for label in labels])
    merged = dense.new_zeros(len(dense), len(JOINT_NAMES)).index_add(1, target, dense)
    weights, index = merged.sort(dim=1, descending=True, stable=True)
    # On the mid-line left and right weigh the same: keep both or neither.
    is_tied = (weights[:, kept - 1] - weights[:, kept]).abs() < 1e-5
    weights[:, kept - 1] = torch.where(is_tied, 0.0, weights[:, kept - 1])
    dropped = float(1 - weights[:, :kept].sum(1).min())
    weights, index = weights[:, :kept], index[:, :kept]
    weights = weights / weights.sum(1, keepdim=True)
    # A share of zero names the strongest joint again, so that no vertex mentions a joint it does not follow.
    index = torch.where(weights > 0, index, index[:, :1])
    return index, weights.float(), dropped


def mirrored_label(label: str) -> str:
    """The bone on the other side."""
    swap: Mapping[str, str] = {".L": ".R", ".R": ".L"}
    return label[:-2] + swap.get(label[-2:], label[-2:])
