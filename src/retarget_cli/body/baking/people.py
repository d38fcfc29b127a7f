"""Sampled bodies, and what of them a shape direction must move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.body.baking.bones import joint_rows, mirrored_label
from retarget_cli.body.baking.points import Rule


@dataclass(frozen=True, slots=True)
class People:
    """Sampled bodies in camera axes, the pelvis at the origin.

    vertices (N, V, 3); heads (N, bones, 3).
    """

    vertices: Tensor
    heads: Tensor


def camera_axes(points: Tensor) -> Tensor:
    """Anny's axes -> camera axes: (x, y, z) -> (x, -z, y)."""
    return torch.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def symmetric(person: People, twin: Tensor, labels: Sequence[str]) -> People:
    """The person averaged with their mirror image, so that rounding does not make the mean lopsided."""
    flip = torch.tensor([-1.0, 1.0, 1.0])
    bones = [labels.index(mirrored_label(label)) for label in labels]
    vertices = (person.vertices + person.vertices[:, twin] * flip) / 2
    return People(vertices, (person.heads + person.heads[:, bones] * flip) / 2)


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything that a direction must move: vertices (N, V, 3), joints (N, 24, 3), landmarks (N, 33, 3)."""

    vertices: Tensor
    joints: Tensor
    landmarks: Tensor

    def __sub__(self, other: Tracked) -> Tracked:
        return Tracked(
            self.vertices - other.vertices, self.joints - other.joints, self.landmarks - other.landmarks
        )


def tracked(people: People, rules: Sequence[Rule], labels: Sequence[str]) -> Tracked:
    """Joints and landmarks of bodies."""
    points = torch.stack([rule.place(people.vertices, people.heads) for rule in rules], 1)
    return Tracked(people.vertices, people.heads[:, joint_rows(labels)], points)
