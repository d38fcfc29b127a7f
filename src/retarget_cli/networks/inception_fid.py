"""Inception v3 as FID has always used it (Heusel et al., GANs trained by a two time-scale update rule, 2017).

The network of December 2015 differs from the published one: average pools leave padding out of the mean, the last
block takes a maximum instead, and pictures are enlarged as TensorFlow 1 did it. Keys are those of the file that
pytorch-fid and torch-fidelity share; the 1008-way classifier is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.blocks import ConvNorm

UNUSED = ("fc.",)
INPUT_SIZE = 299
DIMENSIONS = 2048


class FidInception(nn.Module):
    """21.8 million parameters without the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvNorm(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3)
        self.Mixed_5b = _A(192, 32)
        self.Mixed_5c = _A(256, 64)
        self.Mixed_5d = _A(288, 64)
        self.Mixed_6a = _B()
        self.Mixed_6b = _C(128)
        self.Mixed_6c = _C(160)
        self.Mixed_6d = _C(160)
        self.Mixed_6e = _C(192)
        self.Mixed_7a = _D()
        self.Mixed_7b = _E(1280, is_maximum=False)
        self.Mixed_7c = _E(2048, is_maximum=True)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 255], any size and type -> (N, 2048) of the last pool ("pool3")."""
        features = (resize_like_tensorflow(pictures.float(), INPUT_SIZE) - 128) / 128
        features = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(features)))
        features = functional.max_pool2d(features, 3, stride=2)
        features = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(features))
        features = functional.max_pool2d(features, 3, stride=2)
        features = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(features)))
        features = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(features)))
        features = self.Mixed_6e(self.Mixed_6d(features))
        features = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(features)))
        return features.mean(dim=(2, 3))


def resize_like_tensorflow(pictures: Tensor, side: int) -> Tensor:
    """Bilinear resize to a square as `tf.image.resize_bilinear` of TensorFlow 1 did it: pixel i of the result is read
    at i times the ratio of the sizes, without half a pixel's shift and without smoothing before.

    Args:
        pictures: (N, C, H, W).
        side: of the result.
    """
    rows = _between(pictures, side, dim=2)
    return _between(rows, side, dim=3)


def _between(pictures: Tensor, side: int, dim: int) -> Tensor:
    length = pictures.shape[dim]
    at = torch.arange(side, device=pictures.device, dtype=torch.float32) * (length / side)
    low = at.floor().long().clamp(max=length - 1)
    high = (low + 1).clamp(max=length - 1)
    weight = (at - low).to(pictures.dtype).view([-1 if axis == dim else 1 for axis in range(pictures.dim())])
    first = pictures.index_select(dim, low)
    return first + (pictures.index_select(dim, high) - first) * weight


def _mean_pool(features: Tensor) -> Tensor:
    """3 x 3 means of what lies inside."""
    return functional.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)


class _A(nn.Module):
    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNorm(inputs, 64)
        self.branch5x5_1 = ConvNorm(inputs, 48)
        self.branch5x5_2 = ConvNorm(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvNorm(inputs, 64)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, padding=1)
        self.branch_pool = ConvNorm(inputs, pooled)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat(
            [
                self.branch1x1(features),
                self.branch5x5_2(self.branch5x5_1(features)),
                self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(features))),
                self.branch_pool(_mean_pool(features)),
            ],
            dim=1,
        )


class _B(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = ConvNorm(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvNorm(288, 64)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(features)))
        return torch.cat([self.branch3x3(features), double, functional.max_pool2d(features, 3, stride=2)], dim=1)


class _C(nn.Module):
    def __init__(self, middle: int) -> None:
        super().__init__()
        across, down = {"kernel": (1, 7), "padding": (0, 3)}, {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = ConvNorm(768, 192)
        self.branch7x7_1 = ConvNorm(768, middle)
        self.branch7x7_2 = _long(middle, middle, across)
        self.branch7x7_3 = _long(middle, 192, down)
        self.branch7x7dbl_1 = ConvNorm(768, middle)
        self.branch7x7dbl_2 = _long(middle, middle, down)
        self.branch7x7dbl_3 = _long(middle, middle, across)
        self.branch7x7dbl_4 = _long(middle, middle, down)
        self.branch7x7dbl_5 = _long(middle, 192, across)
        self.branch_pool = ConvNorm(768, 192)

    def forward(self, features: Tensor) -> Tensor:
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(features)))
        return torch.cat(
            [
                self.branch1x1(features),
                self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(features))),
                self.branch7x7dbl_5(self.branch7x7dbl_4(double)),
                self.branch_pool(_mean_pool(features)),
            ],
            dim=1,
        )


def _long(inputs: int, outputs: int, shape: dict[str, tuple[int, int]]) -> ConvNorm:
    return ConvNorm(inputs, outputs, shape["kernel"], padding=shape["padding"])


class _D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = ConvNorm(768, 192)
        self.branch3x3_2 = ConvNorm(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvNorm(768, 192)
        self.branch7x7x3_2 = ConvNorm(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvNorm(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvNorm(192, 192, 3, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        long = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(features)))
        return torch.cat(
            [
                self.branch3x3_2(self.branch3x3_1(features)),
                self.branch7x7x3_4(long),
                functional.max_pool2d(features, 3, stride=2),
            ],
            dim=1,
        )


class _E(nn.Module):
    def __init__(self, inputs: int, is_maximum: bool) -> None:
        super().__init__()
        self.is_maximum = is_maximum
        self.branch1x1 = ConvNorm(inputs, 320)
        self.branch3x3_1 = ConvNorm(inputs, 384)
        self.branch3x3_2a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvNorm(inputs, 448)
        self.branch3x3dbl_2 = ConvNorm(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = ConvNorm(inputs, 192)

    def forward(self, features: Tensor) -> Tensor:
        single = self.branch3x3_1(features)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(features))
        # The file's own graph takes a maximum in the last block; papers show a mean.
        pooled = functional.max_pool2d(features, 3, 1, padding=1) if self.is_maximum else _mean_pool(features)
        return torch.cat(
            [
                self.branch1x1(features),
                self.branch3x3_2a(single),
                self.branch3x3_2b(single),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(pooled),
            ],
            dim=1,
        )
