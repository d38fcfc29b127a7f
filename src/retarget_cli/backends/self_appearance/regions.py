"""Regions of an articulated object, each with the ellipse that it covers; the background's motion; AVD.

Written from descriptions of articulated animation and recordings of what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Encoder, channels
from retarget_cli.backends.self_appearance.keypoints import (
    COLOURS,
    DetectorDesign,
    Finder,
    Keypoints,
    centres,
    inverse,
    product,
    transferred,
)
from retarget_cli.backends.self_appearance.sampling import coordinates

# Of a region's place and affine, as the AVD network has them.
_NUMBERS = 6
_AVD_WIDTHS = (256, 512, 1024)
_CODE = 64


@dataclass(frozen=True, slots=True)
class Regions:
    """Where an object's parts are in each of B pictures, and what they cover.

    Attributes:
        place: (B, K, 2): x, y in [-1, 1].
        affine: (B, K, 2, 2): a unit circle under it is the region's ellipse. Its columns are the axes; their signs
            say nothing.
        covariance: (B, K, 2, 2): affine times its transpose.
    """

    place: Tensor
    affine: Tensor
    covariance: Tensor

    def __len__(self) -> int:
        return self.place.shape[0]

    @property
    def keypoints(self) -> Keypoints:
        """The regions as keypoints with Jacobians."""
        return Keypoints(self.place, self.affine)


class RegionPredictor(Finder):
    """Regions by the mean and the principal axes of heat maps.

    Args:
        design: its form; it has no Jacobians.
    """

    def __init__(self, design: DetectorDesign) -> None:
        if design.jacobians:
            raise ValueError("regions have no maps of Jacobians")
        super().__init__(design)

    def forward(self, pictures: Tensor) -> Regions:
        """Of pictures (B, 3, H, W) in [0, 1]."""
        _, heat = self.seen(pictures)
        place = centres(heat)
        covariance = spread(heat, place)
        return Regions(place, principal_axes(covariance), covariance)


def spread(heat: Tensor, place: Tensor) -> Tensor:
    """(B, K, 2, 2): covariances of heat maps (B, K, h, w) of sum 1 about their means (B, K, 2)."""
    offset = coordinates(heat.shape[-2], heat.shape[-1], heat) - place[:, :, None, None]
    weighed = heat[..., None] * offset
    rows = [(weighed * offset[..., axis : axis + 1]).sum((2, 3)) for axis in (0, 1)]
    return torch.stack(rows, -2)


def principal_axes(covariance: Tensor) -> Tensor:
    """(B, K, 2, 2): its principal components as columns, as long as the deviation along them; the longer one first.

    Signs are those of LAPACK's SVD, which the released weights were trained with; it runs on the CPU therefore.
    """
    axes, squares, _ = torch.linalg.svd(covariance.cpu())
    return (axes * squares.sqrt()[..., None, :]).to(covariance.device)


def ellipses(regions: Regions, height: int, width: int) -> Tensor:
    """(B, K, height, width): Gaussian spots of the regions' covariances, 1 in the middle."""
    offset = coordinates(height, width, regions.place) - regions.place[:, :, None, None]
    inverted = inverse(regions.covariance)[:, :, None, None]
    across, down = offset.unbind(-1)
    square = (
        inverted[..., 0, 0] * across.square()
        + (inverted[..., 0, 1] + inverted[..., 1, 0]) * across * down
        + inverted[..., 1, 1] * down.square()
    )
    return torch.exp(-0.5 * square)


def moved_regions(source: Regions, driving: Regions, first: Regions, scale: float = 1.0) -> Regions:
    """Relative motion: see `keypoints.transferred`."""
    moved = transferred(source.keypoints, driving.keypoints, first.keypoints, scale)
    assert moved.jacobian is not None
    return Regions(moved.place, moved.jacobian, product(moved.jacobian, moved.jacobian.mT))


class BackgroundPredictor(nn.Module):
    """How the background moves from the driving picture to the source: an affine map, the identity at first.

    The order of the pictures and the direction of the map follow the released code: the source's channels come first,
    and the map takes places of the driving picture. Recordings can't tell, since their last layer is as it began.

    Args:
        width, levels, most: of its encoder.
        moves: False: it stays where it is, and there is no network.
    """

    def __init__(self, width: int = 32, levels: int = 5, most: int = 1024, moves: bool = True) -> None:
        super().__init__()
        self.moves = moves
        if not moves:
            return
        self.encoder = Encoder(2 * COLOURS, width, levels, most)
        self.affine = nn.Linear(channels(width, levels, most), _NUMBERS)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.eye(3)[:2].flatten())

    def forward(self, source: Tensor, driving: Tensor) -> Tensor:
        """(B, 3, 3) homographies, the last row 0, 0, 1.

        Args:
            source: (B, 3, H, W) or (1, 3, H, W) in [0, 1].
            driving: (B, 3, H, W), of the same size.
        """
        if not self.moves:
            return torch.eye(3, dtype=driving.dtype, device=driving.device).expand(len(driving), 3, 3)
        pair = torch.cat([source.expand_as(driving), driving], 1)
        rows = self.affine(self.encoder(pair)[-1].mean((-2, -1))).reshape(-1, 2, 3)
        last = rows.new_tensor([0.0, 0.0, 1.0]).expand(len(rows), 1, 3)
        return torch.cat([rows, last], 1)


class Disentangler(nn.Module):
    """AVD: the regions of one object in the pose of another ("animation via disentanglement").

    Args:
        count: of regions.
    """

    def __init__(self, count: int = 10) -> None:
        super().__init__()
        numbers = count * _NUMBERS
        self.identity = _perceptron(numbers, *_AVD_WIDTHS, _CODE)
        self.pose = _perceptron(numbers, *_AVD_WIDTHS, _CODE)
        self.decoder = _perceptron(2 * _CODE, *reversed(_AVD_WIDTHS), numbers)

    def forward(self, source: Regions, driving: Regions) -> Regions:
        """The source's regions in the driving pose.

        Args:
            source: of one picture, or of B.
            driving: of B pictures.
        """
        alike = likened(source.affine, driving.affine)
        identity = self.identity(_numbers(source.place.expand_as(driving.place), alike))
        code = torch.cat([self.pose(_numbers(driving.place, driving.affine)), identity], 1)
        made = self.decoder(code).float().reshape(len(driving), -1, _NUMBERS)
        affine = made[..., 2:].reshape(*made.shape[:2], 2, 2)
        return Regions(made[..., :2], affine, product(affine, affine.mT))


def likened(source: Tensor, driving: Tensor) -> Tensor:
    """(B, K, 2, 2): the source's affines, turned about where they would turn against the driving ones.

    That is where the first element of what maps the one to the other is negative, as `revert_axis_swap` has it.
    """
    return torch.where(product(source, inverse(driving))[..., :1, :1] < 0, -source, source)


def _numbers(place: Tensor, affine: Tensor) -> Tensor:
    """(B, 6 K): every region's place and affine."""
    return torch.cat([place, affine.flatten(-2)], -1).flatten(1)


def _perceptron(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
