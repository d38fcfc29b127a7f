"""Places in a volume, and volumes read at places: S of equation 1.

Convention: the cube [-1, 1]^3 is filled by voxels as a square is by pixels. The first voxel of W begins at -1, the last
    one ends at 1, and centres lie at (2 i + 1) / W - 1, so that volumes of all resolutions, and the picture in front of
    them, share the cube without a shift. A place is (x, y, z): across, down, away. `places` (B, D, H, W, 3) say for
    every voxel of the result where in the volume it comes from: backward flow, in absolute coordinates. Beyond the
    centres of the outermost voxels a volume goes on as these are.

Staying in place changes nothing, to the last bit where sides are powers of two.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.stage.frame import steps

Size = tuple[int, int, int]


def lattice(size: Size, like: Tensor) -> Tensor:
    """(D, H, W, 3): every voxel's own place, fp32, on the device of `like`."""
    away, down, across = torch.meshgrid(*(steps(length, like) for length in size), indexing="ij")
    return torch.stack([across, down, away], -1)


def sampled(volume: Tensor, places: Tensor) -> Tensor:
    """(B, C, *size): a volume (B, C, D, H, W), or (1, C, D, H, W), read at places (B, *size, 3), trilinear.

    Places are never rounded, whatever the precision around.
    """
    volume = volume.expand(len(places), -1, -1, -1, -1)
    with torch.autocast(volume.device.type, enabled=False):
        found = functional.grid_sample(volume.float(), places.float(), padding_mode="border", align_corners=False)
    return found.to(volume.dtype)


def resized_places(places: Tensor, size: Size) -> Tensor:
    """(B, *size, 3): places for the voxels of another resolution.

    What is resized is how far each voxel goes, so that one which stays, stays.
    """
    if places.shape[1:4] == size:
        return places
    moved = (places - lattice(_size(places), places)).permute(0, 4, 1, 2, 3)
    moved = functional.interpolate(moved, size, mode="trilinear", align_corners=False)
    return moved.permute(0, 2, 3, 4, 1) + lattice(size, places)


def rigid_places(rotation: Tensor, size: Size) -> Tensor:
    """(B, *size, 3): the places of contents that are turned about the cube's middle.

    Args:
        rotation: (B, 3, 3), what it does to the contents, as to points: y = R x. Places go the other way.
        size: (D, H, W).
    """
    with torch.autocast(rotation.device.type, enabled=False):
        return torch.einsum("dhwi,bij->bdhwj", lattice(size, rotation), rotation.float())


def turned(yaw: Tensor) -> Tensor:
    """(B, 3, 3): rotations about the vertical axis by (B) radians.

    As `viewpoint.turn_about`: what is to the right comes nearer, and more of the person's left is seen.
    """
    zero, one, cos, sin = torch.zeros_like(yaw), torch.ones_like(yaw), yaw.cos(), yaw.sin()
    rows = [torch.stack(row, -1) for row in ((cos, zero, sin), (zero, one, zero), (-sin, zero, cos))]
    return torch.stack(rows, -2)


def _size(places: Tensor) -> Size:
    _, depth, height, width, _ = places.shape
    return depth, height, width
