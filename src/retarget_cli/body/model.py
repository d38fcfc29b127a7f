"""A parametric body: what a shape is, and how it is made from betas."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from retarget_cli.core.errors import InputError

T = TypeVar("T", "Body", "Shape")


@dataclass(frozen=True, slots=True)
class Shape:
    """One person's body in the rest pose, or a batch of them (a leading B on every field).

    Attributes:
        vertices: (V, 3) metres, camera axes.
        joints: (24, 3) metres; the pelvis is the origin.
        landmarks: (33, 3) metres; MediaPipe's pose landmarks.
    """

    vertices: Tensor
    joints: Tensor
    landmarks: Tensor

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Shape:
        """The same on another device or in another floating type."""
        return _moved(self, device, dtype)


@dataclass(frozen=True, slots=True)
class Body:
    """A linear blend-skinned body model with SMPL's 24 joints.

    Convention: camera axes in metres, x to the viewer's right, y down, z away from the viewer. In the rest
        pose (theta = 0) the person stands upright and faces the viewer, so the person's left is at +x. The
        pelvis joint is the origin whatever the betas. Every joint's frame is axis-aligned at rest. Faces wind
        outward by the right-hand rule: (b - a) x (c - a) points out of the body; the axes are right-handed,
        so a face turned to the viewer has a negative signed area in pixels, which looks counter-clockwise on
        the screen.

    Attributes:
        name: "anny", "smpl".
        template: (V, 3) rest vertices at betas = 0.
        shape_directions: (S, V, 3) metres per unit of beta; betas ~ N(0, 1) for people at large.
        faces: (F, 3) int64.
        weights_index: (V, 4) int64, joints that move each vertex, strongest first.
        weights: (V, 4), their shares; sum to 1.
        parents: 24 parents, -1 for the root; a parent comes before its children.
        joint_template: (24, 3); joint_directions: (S, 24, 3).
        landmark_joint: the joint that carries each of the 33 MediaPipe landmarks rigidly.
        landmark_template: (33, 3); landmark_directions: (S, 33, 3).
        uv: (U, 2) texture coordinates in [0, 1]: u right, v DOWN from the texture's top left corner.
        uv_faces: (F, 3) int64 into `uv`, corner for corner with `faces`.
        shape_names: S names.
        twin: (V,) int64, the vertex on the other side of the body; itself on the mid-line.
        license: of the data.
    """

    name: str
    template: Tensor
    shape_directions: Tensor
    faces: Tensor
    weights_index: Tensor
    weights: Tensor
    parents: tuple[int, ...]
    joint_template: Tensor
    joint_directions: Tensor
    landmark_joint: tuple[int, ...]
    landmark_template: Tensor
    landmark_directions: Tensor
    uv: Tensor
    uv_faces: Tensor
    shape_names: tuple[str, ...]
    twin: Tensor
    license: str

    @property
    def shape_count(self) -> int:
        """S, the length of betas."""
        return len(self.shape_names)

    def shaped(self, betas: Tensor | None = None) -> Shape:
        """The rest pose of one person or of several.

        Args:
            betas: (n,) or (B, n) with n <= S; missing ones are zero. None is the mean person.

        Returns:
            Shape, with a leading B when betas has one. Differentiable in betas.

        Raises:
            InputError: betas is longer than S or has another number of dimensions.
        """
        if betas is None:
            return Shape(self.template, self.joint_template, self.landmark_template)
        return Shape(self.shaped_vertices(betas), self.shaped_joints(betas), self.shaped_landmarks(betas))

    def shaped_vertices(self, betas: Tensor) -> Tensor:
        """The mesh alone: (V, 3) or (B, V, 3). See `shaped`."""
        return self._combined(self.template, self.shape_directions, betas)

    def shaped_joints(self, betas: Tensor) -> Tensor:
        """The joints alone, which is all that a fit needs and a thousand times cheaper: (24, 3) or (B, 24,
        3).
        """
        return self._combined(self.joint_template, self.joint_directions, betas)

    def shaped_landmarks(self, betas: Tensor) -> Tensor:
        """The landmarks at rest alone: (33, 3) or (B, 33, 3)."""
        return self._combined(self.landmark_template, self.landmark_directions, betas)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Body:
        """The same on another device; `dtype` is for the floating tensors only."""
        return _moved(self, device, dtype)

    def _combined(self, template: Tensor, directions: Tensor, betas: Tensor) -> Tensor:
        count = betas.shape[-1] if betas.ndim else 0
        if betas.ndim not in {1, 2} or count > len(directions):
            raise InputError(
                f"betas has shape {tuple(betas.shape)}; the body {self.name!r} takes (n,) or (B, n), n <= "
                f"{len(directions)}",
                "use betas that were fitted with the same body model",
            )
        moved = betas.to(template.dtype) @ directions[:count].flatten(1)
        return template + moved.reshape(*betas.shape[:-1], *template.shape)


def _moved(item: T, device: torch.device | str, dtype: torch.dtype | None) -> T:
    """`item` with every tensor on `device`, the floating ones in `dtype`."""
    moved: dict[str, Any] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, Tensor):
            moved[field.name] = value.to(device, dtype if value.is_floating_point() else None)
    return replace(item, **moved)
