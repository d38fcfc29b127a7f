"""A-CE2P, which tells garments and limbs apart (Ruan et al., 2019), as self-correction trained it (Li et al., 2020).

Names of modules are those of the public checkpoints of SCHP. Its layers of normalization were trained as in-place
activated ones: they scale by the size of their weight, whatever its sign.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = (3, 4, 23, 3)
POOLED = (1, 2, 3, 6)
_EPSILON, _SLOPE = 1e-5, 0.01
_EXPANSION, _EDGE = 4, 256


class Normed(nn.Module):
    """Batch normalization with known statistics and, unless it is linear, a leaky ReLU."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, is_linear: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.is_linear = is_linear

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W), twice."""
        scale = self.weight.abs() + _EPSILON
        normed = functional.batch_norm(features, self.running_mean, self.running_var, scale, self.bias, eps=_EPSILON)
        return normed if self.is_linear else functional.leaky_relu(normed, _SLOPE)


def _normed(inputs: int, outputs: int, kernel: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), Normed(outputs)]


class _Bottleneck(nn.Module):
    """Narrow, look around, widen; and what came in."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = Normed(width, is_linear=True)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = Normed(width, is_linear=True)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = Normed(outputs, is_linear=True)
        self.downsample = (
            None
            if stride == 1 and inputs == outputs
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), Normed(outputs, is_linear=True))
        )

    def forward(self, features: Tensor) -> Tensor:
        narrow = self.bn2(self.conv2(self.bn1(self.conv1(features)).relu())).relu()
        kept = features if self.downsample is None else self.downsample(features)
        wide: Tensor = self.bn3(self.conv3(narrow)) + kept
        return wide.relu()


class _Context(nn.Module):
    """Features with their means over the picture's parts."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(size), *_normed(inputs, outputs)) for size in POOLED
        )
        self.bottleneck = nn.Sequential(*_normed(inputs + len(POOLED) * outputs, outputs, 3))

    def forward(self, features: Tensor) -> Tensor:
        means = [_resized(stage(features), features) for stage in self.stages]
        found: Tensor = self.bottleneck(torch.cat([*means, features], 1))
        return found


class _Edge(nn.Module):
    """Features about borders between parts, from three scales; `conv4` and `conv5` draw them, in training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (nn.Sequential(*_normed(width, _EDGE)) for width in (256, 512, 1024))
        self.conv4 = nn.Conv2d(_EDGE, 2, 3, padding=1)
        self.conv5 = nn.Conv2d(6, 2, 1)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        """(N, 768, H, W) at the size of the finest."""
        first: Tensor = self.conv1(fine)
        return torch.cat([first, _resized(self.conv2(middle), first), _resized(self.conv3(coarse), first)], 1)


class _Decoder(nn.Module):
    """Context and fine features together; `conv4` draws parts from them alone, in training."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Sequential(*_normed(512, 256)), nn.Sequential(*_normed(256, 48))
        self.conv3 = nn.Sequential(*_normed(304, 256), *_normed(256, 256))
        self.conv4 = nn.Conv2d(256, classes, 1)

    def forward(self, context: Tensor, fine: Tensor) -> Tensor:
        detail = self.conv2(fine)
        found: Tensor = self.conv3(torch.cat([_resized(self.conv1(context), detail), detail], 1))
        return found


class HumanParser(nn.Module):
    """ResNet-101 with pyramid pooling, an edge branch and a decoder: 66.7 million parameters for 20 classes.

    Args:
        classes: 20 of LIP, 18 of ATR.
        blocks: of the four stages; fewer are for tests.
    """

    def __init__(self, classes: int, blocks: tuple[int, int, int, int] = BLOCKS) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        self.bn1 = Normed(64, is_linear=True)
        self.conv2 = nn.Conv2d(64, 64, 3, 1, 1, bias=False)
        self.bn2 = Normed(64, is_linear=True)
        self.conv3 = nn.Conv2d(64, 128, 3, 1, 1, bias=False)
        self.bn3 = Normed(128, is_linear=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(128, 64, blocks[0])
        self.layer2 = _stage(256, 128, blocks[1], stride=2)
        self.layer3 = _stage(512, 256, blocks[2], stride=2)
        self.layer4 = _stage(1024, 512, blocks[3], dilation=2)
        self.context_encoding = _Context(2048, 512)
        self.edge = _Edge()
        self.decoder = _Decoder(classes)
        # The misspelt name is the public one; dropout has no weights, and keeps the numbers of what follows.
        self.fushion = nn.Sequential(*_normed(1024, 256), nn.Dropout2d(0.1), nn.Conv2d(256, classes, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores of each class.

        Args:
            pictures: (N, 3, H, W) BGR, normalized by ImageNet's mean and deviation; 473 px a side for LIP, 512 for ATR.

        Returns:
            (N, classes, H / 4, W / 4) before softmax.
        """
        features = self.bn1(self.conv1(pictures)).relu()
        features = self.bn2(self.conv2(features)).relu()
        features = self.maxpool(self.bn3(self.conv3(features)).relu())
        fine = self.layer1(features)
        middle = self.layer2(fine)
        coarse = self.layer3(middle)
        context = self.context_encoding(self.layer4(coarse))
        together = torch.cat([self.decoder(context, fine), self.edge(fine, middle, coarse)], 1)
        scores: Tensor = self.fushion(together)
        return scores


def _stage(inputs: int, width: int, count: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    wide = width * _EXPANSION
    first = _Bottleneck(inputs, width, stride, dilation)
    return nn.Sequential(first, *(_Bottleneck(wide, width, 1, dilation) for _ in range(count - 1)))


def _resized(features: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(features, like.shape[2:], mode="bilinear", align_corners=True)
