"""I3D: Inception v1 with time as a third dimension (Carreira and Zisserman, Quo vadis, action recognition?, 2017).

Keys are those of pytorch-i3d, whose files were converted from DeepMind's; others converted more of them for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.blocks import TENSORFLOW_EPSILON

INPUT_SIZE = 224
CLASSES = 400

Sizes = tuple[int, int, int]

_ONE: Sizes = (1, 1, 1)
_THREE: Sizes = (3, 3, 3)
# Channels into a block; then of its branches: 1x1, 3x3 after its 1x1, the second 3x3 after its 1x1, and pooled.
_BLOCKS = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}


def _padded(features: Tensor, kernel: Sizes, stride: Sizes) -> Tensor:
    """Zeros about (N, C, T, H, W) as TensorFlow's SAME has it: the odd one goes behind."""
    pads: list[int] = []
    for length, size, step in zip(features.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        missing = max(size - (length % step or step), 0)
        pads += [missing // 2, missing - missing // 2]
    return functional.pad(features, pads)


def _pooled(features: Tensor, kernel: Sizes, stride: Sizes) -> Tensor:
    """A maximum; what it sees of the padding is zero, and all that comes here is the output of a ReLU."""
    return functional.max_pool3d(_padded(features, kernel, stride), kernel, stride)


class _Unit(nn.Module):
    """Convolution, batch normalization and ReLU; keys `conv3d`, `bn`."""

    def __init__(self, inputs: int, outputs: int, kernel: Sizes = _ONE, stride: Sizes = _ONE) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs)
        self.kernel, self.stride = kernel, stride

    def forward(self, features: Tensor) -> Tensor:
        normed: Tensor = self.bn(self.conv3d(_padded(features, self.kernel, self.stride)))
        return normed.relu()


class _Classifier(nn.Module):
    """A 1 x 1 x 1 convolution with bias; key `conv3d`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(1024, CLASSES, 1)

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.conv3d(features)
        return found


class _Mixed(nn.Module):
    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        plain, first_in, first, second_in, second, pooled = widths
        self.b0 = _Unit(inputs, plain)
        self.b1a = _Unit(inputs, first_in)
        self.b1b = _Unit(first_in, first, _THREE)
        self.b2a = _Unit(inputs, second_in)
        self.b2b = _Unit(second_in, second, _THREE)
        self.b3b = _Unit(inputs, pooled)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat(
            [
                self.b0(features),
                self.b1b(self.b1a(features)),
                self.b2b(self.b2a(features)),
                self.b3b(_pooled(features, _THREE, _ONE)),
            ],
            dim=1,
        )


class I3D(nn.Module):
    """12.7 million parameters.

    Args:
        epsilon: of batch normalization; a property of the weights that their file does not hold.
    """

    def __init__(self, epsilon: float = TENSORFLOW_EPSILON) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, (7, 7, 7), (2, 2, 2))
        self.Conv3d_2b_1x1 = _Unit(64, 64)
        self.Conv3d_2c_3x3 = _Unit(64, 192, _THREE)
        for name, (inputs, widths) in _BLOCKS.items():
            self.add_module(name, _Mixed(inputs, widths))
        self.logits = _Classifier()
        for part in self.modules():
            if isinstance(part, nn.BatchNorm3d):
                part.eps = epsilon

    def forward(self, clips: Tensor) -> Tensor:
        """(N, 3, T, 224, 224) RGB in [-1, 1], T >= 9 -> (N, 400) logits, their mean over time."""
        features = _pooled(self.Conv3d_1a_7x7(clips), (1, 3, 3), (1, 2, 2))
        features = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(features))
        features = _pooled(features, (1, 3, 3), (1, 2, 2))
        for name in _BLOCKS:
            if name == "Mixed_4b":
                features = _pooled(features, _THREE, (2, 2, 2))
            elif name == "Mixed_5b":
                features = _pooled(features, (2, 2, 2), (2, 2, 2))
            features = self.get_submodule(name)(features)
        features = functional.avg_pool3d(features, (2, 7, 7), stride=1)
        found: Tensor = self.logits(features)
        return found.mean(dim=(2, 3, 4))
