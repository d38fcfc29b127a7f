"""A relaxed hand at rest: the fingers curl a little, as in photos, instead of spreading."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from retarget_cli.geometry.rotations import axis_angle_to_matrix

CURL_DEGREES = (14.0, 20.0, 14.0)
"""How much each of a finger's three joints flexes beyond the rest pose."""


def relaxed(vertices: Tensor, heads: Tensor, dense: Tensor, labels: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Curl the four fingers of both hands.

    Args:
        vertices: (B, V, 3) at rest; changed in place.
        heads: (B, bones, 3) bone heads; changed in place.
        dense: (V, bones) skinning weights.
        labels: bones' names.

    Returns:
        The two, changed.
    """
    for side in ("L", "R"):
        axis = flexion_axis(heads, labels, side)
        for ray in range(2, 6):
            bones = [labels.index(f"finger{ray}-{bone}.{side}") for bone in range(1, 4)]
            _curl(vertices, heads, dense, bones, axis)
    return vertices, heads


def flexion_axis(heads: Tensor, labels: Sequence[str], side: str) -> Tensor:
    """(B, 3) unit axis about which a positive angle closes the hand: along the knuckles."""
    place = {label: heads[:, index] for index, label in enumerate(labels)}
    knuckles = place[f"finger5-1.{side}"] - place[f"finger2-1.{side}"]
    bends = torch.zeros_like(knuckles)
    for ray in range(2, 6):
        first = place[f"finger{ray}-2.{side}"] - place[f"finger{ray}-1.{side}"]
        second = place[f"finger{ray}-3.{side}"] - place[f"finger{ray}-2.{side}"]
        bends = bends + torch.linalg.cross(first, second)
    sign = (knuckles * bends).sum(-1, keepdim=True).sign()
    axis: Tensor = sign * knuckles / knuckles.norm(dim=-1, keepdim=True)
    return axis


def _curl(vertices: Tensor, heads: Tensor, dense: Tensor, bones: Sequence[int], axis: Tensor) -> None:
    moving = dense[:, list(bones)].sum(1) > 0
    rest, moved = vertices[:, moving], vertices[:, moving].clone()
    turn = torch.eye(3, dtype=vertices.dtype).expand(len(vertices), 3, 3)
    shift = vertices.new_zeros(len(vertices), 3)
    old_heads = heads[:, list(bones)].clone()
    for step, (bone, degrees) in enumerate(zip(bones, CURL_DEGREES, strict=True)):
        pivot = _apply(turn, shift, old_heads[:, step : step + 1])[:, 0]
        heads[:, bone] = pivot
        turn = axis_angle_to_matrix(axis * torch.deg2rad(torch.tensor(degrees))) @ turn
        shift = pivot - (turn @ old_heads[:, step, :, None])[..., 0]
        moved += dense[moving, bone, None] * (_apply(turn, shift, rest) - rest)
    vertices[:, moving] = moved


def _apply(turn: Tensor, shift: Tensor, points: Tensor) -> Tensor:
    return torch.matmul(points, turn.transpose(-1, -2)) + shift[:, None]
