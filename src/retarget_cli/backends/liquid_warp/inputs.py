"""From people and poses to what the generator takes: sources once a subject, targets frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.liquid_warp.flow import (
    TEXTURE_MARGIN,
    condition,
    correspond,
    merged_texture,
    source_corners,
    textured,
    transformation_flow,
    visible_faces,
)
from retarget_cli.backends.liquid_warp.foreground import (
    BACKGROUND,
    CONFIDENT,
    PADDED,
    continued,
    kernel_of,
    masked_background,
)
from retarget_cli.backends.liquid_warp.topology import Chart, Topology, chart_of, topology_of
from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix

Size = tuple[int, int]

# What the network's picture is a multiple of.
STEP = 8
# The picture that sizes in pixels are given for.
USUAL = 256


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources, ready for any number of targets.

    Attributes:
        inputs: (S, 6, H, W) colours of the person continued beyond the outline, and condition.
        background: (4, H, W) masked background of the first, and its mask.
        corners: (S, F, 3, 2) where each face lies in them; nowhere, where that was asked for and it is not seen.
        texture: (3, U, U) all of them merged.
        size: (H, W) of the network's pictures.
    """

    inputs: Tensor
    background: Tensor
    corners: Tensor
    texture: Tensor
    size: Size


@dataclass(frozen=True, slots=True)
class Targets:
    """Some frames to be made.

    Attributes:
        inputs: (B, 6, H, W) colours moved there, and condition.
        flows: (B, S, H, W, 2) T to every source.
        hit: (B, H, W) where the body is.
    """

    inputs: Tensor
    flows: Tensor
    hit: Tensor


def network_size(size: Size, resolution: int) -> Size:
    """(height, width) of the network's pictures for a canvas: its longer side at most `resolution`, multiples of 8."""
    factor = min(1.0, resolution / max(size))
    height, width = (max(STEP, STEP * round(side * factor / STEP)) for side in size)
    return height, width


class Poser:
    """One person's body, put into pictures.

    Args:
        body: name of the model.
        betas: (n,) shape.
        canvas: (height, width) that cameras refer to.
        device: where places lie.
    """

    def __init__(self, body: str, betas: FloatArray, canvas: Size, device: torch.device) -> None:
        self.body: Body = load_body(body).to(device)
        self.shape: Shape = self.body.shaped(torch.from_numpy(betas).to(device))
        self.canvas, self.device = canvas, device

    def places(self, theta: FloatArray, camera: FloatArray) -> Tensor:
        """(B, V, 3) as `flow.correspond` takes them, from theta (B, 24, 3) and camera (B, 3) in canvas pixels."""
        body, shape = self.body, self.shape
        turns = axis_angle_to_matrix(torch.from_numpy(theta).to(self.device))
        bones = bone_transforms(shape.joints[None], body.parents, turns)
        moved = skin(shape.vertices[None], body.weights_index, body.weights, bones)
        cameras = torch.from_numpy(camera).to(self.device)[:, None]
        half = cameras.new_tensor([self.canvas[1] / 2, self.canvas[0] / 2])
        flat = (moved[..., :2] * cameras[..., :1] + cameras[..., 1:]) / half - 1
        return torch.cat([flat, moved[..., 2:]], -1)


@dataclass(frozen=True, slots=True)
class Cast:
    """One person who lends looks.

    Attributes:
        views: with masks, all of one canvas.
        poser: of the person in them.
        lent: (F,) bool, faces that are taken from this person; None: all.
    """

    views: Sequence[View]
    poser: Poser
    lent: Tensor | None = None


def build_sources(casts: Sequence[Cast], size: Size, *, visible_only: bool = False) -> Sources:
    """Everything about the sources that does not depend on a target.

    Args:
        casts: one person, or several of the same body model of whom each lends other faces (paper, 3.6).
        size: of the network's pictures.
        visible_only: a face that no source pixel shows leads nowhere (Algorithm 1, line 11; off in the released code).
    """
    parts = [_taken_apart(cast, size, visible_only) for cast in casts]
    texture = parts[0].texture
    for cast, part in zip(casts[1:], parts[1:], strict=True):
        _, chart = meshes(cast.poser.body.name, size, cast.poser.device)
        if cast.lent is not None:
            is_lent = (chart.face_index >= 0) & cast.lent[chart.face_index.clamp_min(0)]
            texture = torch.where(is_lent, part.texture, texture)
    return Sources(
        torch.cat([part.inputs for part in parts]),
        parts[0].background,
        torch.cat([part.corners for part in parts]),
        texture,
        size,
    )


def _taken_apart(cast: Cast, size: Size, visible_only: bool) -> Sources:
    """One person's pictures."""
    views, poser = cast.views, cast.poser
    mesh, chart = meshes(poser.body.name, size, poser.device)
    theta, camera = (np.stack([getattr(view, name) for view in views]) for name in ("theta", "camera"))
    places = poser.places(theta, camera)
    seen = correspond(places, mesh.faces, *size)
    scale = max(size) / USUAL
    pictures = [normalized(view.image, size) for view in views]
    people = [resized(view.mask, size) > 0.5 for view in views]
    bodies = seen.hit.cpu().numpy()
    foregrounds = [
        continued(picture, person, body, kernel_of(CONFIDENT, 1), kernel_of(PADDED, scale))
        for picture, person, body in zip(pictures, people, bodies, strict=True)
    ]
    colours = tensor(np.stack(foregrounds), poser.device)
    background = tensor(masked_background(pictures[0], people[0], kernel_of(BACKGROUND, scale))[None], poser.device)[0]
    visible = visible_faces(seen.face_index, mesh)
    corners = source_corners(places, mesh)
    texture = merged_texture(colours, corners, visible, chart, kernel_of(TEXTURE_MARGIN, scale))
    leading = visible if visible_only else torch.ones_like(visible)
    if cast.lent is not None:
        leading = leading & cast.lent
    if not bool(leading.all()):
        corners = source_corners(places, mesh, leading)
    return Sources(torch.cat([colours, condition(seen, mesh)], 1), background, corners, texture, size)


def build_targets(sources: Sources, places: Tensor, mesh: Topology) -> Targets:
    """Frames of the sources' person whose body lies at `places` (B, V, 3)."""
    seen = correspond(places, mesh.faces, *sources.size)
    colours = textured(sources.texture, seen, mesh)
    flows = transformation_flow(sources.corners, seen)
    return Targets(torch.cat([colours, condition(seen, mesh)], 1), flows, seen.hit)


def meshes(body: str, size: Size, device: torch.device) -> tuple[Topology, Chart]:
    """A body's faces and its texture's chart, as wide as the longer side of the picture."""
    chart = chart_of(body, max(size))
    return topology_of(body).to(device), Chart(chart.face_index.to(device), chart.weights.to(device))



def normalized(image: Image, size: Size) -> FloatArray:
    """(H, W, 3) in [-1, 1]."""
    return resized(image, size).astype(np.float32) / 127.5 - 1


def resized(picture: Image | FloatArray, size: Size) -> FloatArray:
    """A picture of any kind at (height, width)."""
    if picture.shape[:2] == size:
        return np.asarray(picture, np.float32)
    way = cv2.INTER_AREA if size[0] < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.asarray(picture, np.float32), size[::-1], interpolation=way), np.float32)


def tensor(pictures: FloatArray, device: torch.device) -> Tensor:
    """(N, C, H, W) from (N, H, W, C)."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).to(device)
