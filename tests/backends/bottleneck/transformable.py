"""The transformable bottleneck network (TBN) that this method grew out of, put together from this project's modules.

Only what differs from the bottleneck is written here: how rotations are told, how views are averaged, and where masks
come from. Our weights' names are told in the official words, one to one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from retarget_cli.backends.bottleneck.blocks import Unit, chain, convolution, doubled
from retarget_cli.backends.bottleneck.decoder import Decoder2D
from retarget_cli.backends.bottleneck.encoder import Encoder2D
from retarget_cli.backends.bottleneck.sampling import lattice, rigid_places, sampled
from retarget_cli.backends.bottleneck.volumes import dropped, lifted
from retarget_cli.geometry.rotations import axis_angle_to_matrix

SIDE, WIDTH, FEATURES = 40, 32, 20


@dataclass(frozen=True)
class Shown:
    picture: Tensor
    warped: list[Tensor]
    occupancy: Tensor
    flat_masks: list[Tensor]
    mask: Tensor
    source_masks: list[Tensor]


class Transformable(nn.Module):
    """160 x 160 pixels, 40 x 40 x 40 voxels of 20 channels, batch normalization."""

    def __init__(self) -> None:
        super().__init__()
        flat = SIDE * FEATURES
        self.encoder = Encoder2D(3, WIDTH, flat, "batch")
        self.decoder = Decoder2D(flat, WIDTH, 4, "batch")
        self.volume_in = chain(3, (FEATURES, WIDTH, FEATURES), "batch")
        self.volume_out = chain(3, (FEATURES, WIDTH, FEATURES), "batch")
        self.flat_mask = convolution(2, flat, 1)
        units = [Unit(3, a, b, norm="batch") for a, b in pairwise((FEATURES, WIDTH, FEATURES, WIDTH, 1))]
        self.dense_1, self.dense_2, self.dense_3, self.dense_4 = units
        self.dense = nn.Sequential(*units)
        self.to_mask = convolution(2, SIDE, 1, 1)
        self.combined = nn.ModuleList([self.to_mask])

    def forward(self, pictures: Sequence[Tensor], turns: Sequence[Tensor]) -> Shown:
        """Pictures (1, 3, 160, 160) in [0, 1], and by what (1, 3, 3) the places of each are turned."""
        warped, dense, flat_masks = [], [], []
        for picture, turn in zip(pictures, turns, strict=True):
            features = self.encoder(picture)
            flat = torch.sigmoid(self.flat_mask(features))
            volume = self.volume_in(lifted(features, SIDE))
            places = backward_places(turn, SIDE)
            warped.append(quirky(volume, places))
            dense.append(quirky(self.dense(volume).softmax(2) * flat[:, :, None], places))
            flat_masks.append(doubled(doubled(flat)))
        occupancy = torch.stack(dense).mean(0)
        picture = torch.sigmoid(self.decoder(dropped(self.volume_out(torch.stack(warped).mean(0)))))
        back = [self._mask(quirky(occupancy, backward_places(turn.mT, SIDE))) for turn in turns]
        return Shown(picture, warped, occupancy, flat_masks, self._mask(occupancy), back)

    def _mask(self, occupancy: Tensor) -> Tensor:
        return doubled(doubled(torch.sigmoid(self.to_mask(occupancy[:, 0]))))


def turn(target_elevation: float, azimuth: float, source_elevation: float) -> Tensor:
    """(1, 3, 3) of degrees: undoes one elevation, turns about the vertical, does the other. It turns places."""
    about = [(-target_elevation, 0.0), (0.0, azimuth), (source_elevation, 0.0)]
    first, second, third = (
        axis_angle_to_matrix(torch.deg2rad(torch.tensor([x, y, 0.0], dtype=torch.float64))) for x, y in about
    )
    return (third @ second @ first).float()[None]


def backward_places(turned: Tensor, side: int) -> Tensor:
    return rigid_places(turned.mT, (side, side, side))


def quirky(volume: Tensor, places: Tensor) -> Tensor:
    """As their sampler has it: nothing comes from the volume's last planes, nor from behind them."""
    size = torch.tensor(volume.shape[:1:-1])
    voxel = ((places + 1) * size - 1) / 2
    return sampled(volume, places) * (voxel < size - 1).all(-1)[:, None]


def moved_by(offsets: Sequence[Tensor], size: tuple[int, int, int]) -> Tensor:
    """(B, D, H, W, 3): places that are so many voxels (B, D, H, W) along x, y and z from their own."""
    steps = 2 / torch.tensor(size[::-1])
    return lattice(size, offsets[0]) + torch.stack(tuple(offsets), -1) * steps


_PARTS = (
    (r"encoder\.first", r"in_conv.0"),
    (r"encoder\.second", r"conv1_2d_encode"),
    (r"decoder\.enlarger\.narrow", r"upconv1_2d_decode.conv1"),
    (r"decoder\.enlarger\.smooth", r"iconv1_2d_decode"),
    (r"decoder\.enlarger\.last", r"deconv.0.conv1"),
    (r"decoder\.enlarger\.picture", r"output_2d_decode.conv1"),
    (r"volume_in\.0", r"conv1_3d_encode"),
    (r"volume_in\.1", r"conv2_3d_encode"),
    (r"volume_out\.0", r"conv1_3d_decode"),
    (r"volume_out\.1", r"conv2_3d_decode"),
    (r"flat_mask", r"src_seg2d.conv1"),
    (r"dense_1", r"seg_conv1_3d_encode"),
    (r"dense_2", r"seg_conv2_3d_encode"),
    (r"dense_3", r"seg_conv1_3d_decode"),
    (r"dense_4", r"seg_conv2_3d_decode"),
    (r"dense", r"seg_conv_3d"),
    (r"to_mask", r"seg_conv_3d_to_2d.conv1"),
    (r"combined\.0", r"seg_conv_3d_combine.0.conv1"),
)
_RESIDUAL = {"first": "conv1", "second": "conv2", "third": "conv3", "shortcut": "conv4"}
_UNIT = {"conv": "conv_base", "norm": "normalize"}


def official_name(name: str) -> str:
    """What one of our weights is called there."""
    name = re.sub(r"\b(conv|norm)\b", lambda found: _UNIT[found[0]], name)
    glass = re.fullmatch(r"(en|de)coder\.hourglass\.(downs|ups|merges)\.(\d)(.*)", name)
    if glass is None:
        part, theirs = next(each for each in _PARTS if re.match(each[0] + r"\b(?!_)", name))
        return re.sub("^" + part, theirs, name)
    side, kind, level, rest = glass.groups()
    kinds = {"downs": ("conv", ""), "ups": ("upconv", ".conv1"), "merges": ("iconv", "")}
    rest = re.sub(r"\b(first|second|third|shortcut)\b", lambda found: _RESIDUAL[found[0]], rest)
    before, after = kinds[kind]
    return f"{before}{int(level) + 2}_2d_{side}code{after}{rest}"
