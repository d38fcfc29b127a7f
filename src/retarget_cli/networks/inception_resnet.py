"""Inception-ResNet v1 for faces (Szegedy et al., Inception-v4, 2017; trained as FaceNet, Schroff et al., 2015).

Keys are those of facenet-pytorch; the classifier over training identities is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.blocks import TENSORFLOW_EPSILON, ConvNorm

UNUSED = ("logits.",)
INPUT_SIZE = 160
"""Pixels of a side; RGB as (value - 127.5) / 128."""
DIMENSIONS = 512


class _Residual(nn.Module):
    """Branches beside each other, brought to the input's channels and added to it.

    Args:
        channels: in and out.
        branches: named `branch0`, `branch1` and so on.
        width: channels of all branches together.
        scale: of what is added.
    """

    def __init__(
        self, channels: int, branches: Sequence[nn.Module], width: int, scale: float, is_linear: bool = False
    ) -> None:
        super().__init__()
        self.count = len(branches)
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)
        self.conv2d = nn.Conv2d(width, channels, 1)
        self.scale, self.is_linear = scale, is_linear

    def forward(self, features: Tensor) -> Tensor:
        mixed = torch.cat([self.get_submodule(f"branch{index}")(features) for index in range(self.count)], dim=1)
        added: Tensor = self.conv2d(mixed) * self.scale + features
        return added if self.is_linear else added.relu()


class _Reduction(nn.Module):
    """Branches beside each other that halve the size, the last of them a maximum."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.count = len(branches)
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        found = [self.get_submodule(f"branch{index}")(features) for index in range(self.count)]
        return torch.cat([*found, self.pool(features)], dim=1)


def _block35() -> _Residual:
    return _Residual(
        256,
        [
            ConvNorm(256, 32),
            nn.Sequential(ConvNorm(256, 32), ConvNorm(32, 32, 3, padding=1)),
            nn.Sequential(ConvNorm(256, 32), ConvNorm(32, 32, 3, padding=1), ConvNorm(32, 32, 3, padding=1)),
        ],
        width=96,
        scale=0.17,
    )


def _block17() -> _Residual:
    long = nn.Sequential(
        ConvNorm(896, 128), ConvNorm(128, 128, (1, 7), padding=(0, 3)), ConvNorm(128, 128, (7, 1), padding=(3, 0))
    )
    return _Residual(896, [ConvNorm(896, 128), long], width=256, scale=0.1)


def _block8(scale: float, is_linear: bool = False) -> _Residual:
    long = nn.Sequential(
        ConvNorm(1792, 192), ConvNorm(192, 192, (1, 3), padding=(0, 1)), ConvNorm(192, 192, (3, 1), padding=(1, 0))
    )
    return _Residual(1792, [ConvNorm(1792, 192), long], width=384, scale=scale, is_linear=is_linear)


class InceptionResnetV1(nn.Module):
    """23.5 million parameters without the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = ConvNorm(3, 32, 3, stride=2)
        self.conv2d_2a = ConvNorm(32, 32, 3)
        self.conv2d_2b = ConvNorm(32, 64, 3, padding=1)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = ConvNorm(64, 80)
        self.conv2d_4a = ConvNorm(80, 192, 3)
        self.conv2d_4b = ConvNorm(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = _Reduction(
            [
                ConvNorm(256, 384, 3, stride=2),
                nn.Sequential(ConvNorm(256, 192), ConvNorm(192, 192, 3, padding=1), ConvNorm(192, 256, 3, stride=2)),
            ]
        )
        self.repeat_2 = nn.Sequential(*(_block17() for _ in range(10)))
        self.mixed_7a = _Reduction(
            [
                nn.Sequential(ConvNorm(896, 256), ConvNorm(256, 384, 3, stride=2)),
                nn.Sequential(ConvNorm(896, 256), ConvNorm(256, 256, 3, stride=2)),
                nn.Sequential(ConvNorm(896, 256), ConvNorm(256, 256, 3, padding=1), ConvNorm(256, 256, 3, stride=2)),
            ]
        )
        self.repeat_3 = nn.Sequential(*(_block8(0.2) for _ in range(5)))
        self.block8 = _block8(1.0, is_linear=True)
        self.last_linear = nn.Linear(1792, DIMENSIONS, bias=False)
        self.last_bn = nn.BatchNorm1d(DIMENSIONS, eps=TENSORFLOW_EPSILON)

    def forward(self, faces: Tensor) -> Tensor:
        """(N, 3, 160, 160), RGB as (value - 127.5) / 128 -> (N, 512) of unit length."""
        features = self.maxpool_3a(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(faces))))
        features = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(features)))
        features = self.repeat_2(self.mixed_6a(self.repeat_1(features)))
        features = self.block8(self.repeat_3(self.mixed_7a(features)))
        found = self.last_bn(self.last_linear(features.mean(dim=(2, 3))))
        return functional.normalize(found, dim=1)
