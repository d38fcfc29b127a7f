"""OSNet x1.0: tells persons apart by their looks (Zhou et al., Omni-scale feature learning, ICCV 2019).

Keys are those of torchreid; the classifier over training identities is left out.
"""

from __future__ import annotations

from torch import Tensor, nn

from retarget_cli.networks.blocks import ConvNorm

UNUSED = ("classifier.",)
INPUT_SIZE = (256, 128)
"""(height, width) of the pictures it was trained on; normalized by ImageNet's mean and deviation."""
DIMENSIONS = 512

_EPSILON = 1e-5
_STAGES = ((64, 256), (256, 384), (384, 512))
_BOTTLENECK, _GATE_REDUCTION = 4, 16
_SCALES = (1, 2, 3, 4)


class _Light(nn.Module):
    """A 3 x 3 convolution as a linear 1 x 1 one and a depthwise one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False, groups=channels)
        self.bn = nn.BatchNorm2d(channels, eps=_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        normed: Tensor = self.bn(self.conv2(self.conv1(features)))
        return normed.relu()


class _Gate(nn.Module):
    """Weighs channels by their means; one gate serves all scales of a block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // _GATE_REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // _GATE_REDUCTION, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        means = features.mean(dim=(2, 3), keepdim=True)
        weights: Tensor = self.fc2(self.fc1(means).relu())
        return features * weights.sigmoid()


class _Block(nn.Module):
    """A residual block whose branches see 3, 5, 7 and 9 pixels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = outputs // _BOTTLENECK
        self.conv1 = ConvNorm(inputs, middle, epsilon=_EPSILON)
        # The single convolution of the first branch stands without a Sequential around it in the public files.
        self.conv2a = _Light(middle)
        self.conv2b, self.conv2c, self.conv2d = (
            nn.Sequential(*(_Light(middle) for _ in range(count))) for count in _SCALES[1:]
        )
        self.gate = _Gate(middle)
        self.conv3 = ConvNorm(middle, outputs, epsilon=_EPSILON, is_linear=True)
        self.downsample = None if inputs == outputs else ConvNorm(inputs, outputs, epsilon=_EPSILON, is_linear=True)

    def forward(self, features: Tensor) -> Tensor:
        narrow = self.conv1(features)
        branches = (self.conv2a, self.conv2b, self.conv2c, self.conv2d)
        mixed = sum(self.gate(branch(narrow)) for branch in branches)
        kept = features if self.downsample is None else self.downsample(features)
        wide: Tensor = self.conv3(mixed) + kept
        return wide.relu()


class OSNet(nn.Module):
    """2.17 million parameters without the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, 64, 7, stride=2, padding=3, epsilon=_EPSILON)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2, self.conv3, self.conv4 = (
            self._stage(inputs, outputs, is_halved=outputs != DIMENSIONS) for inputs, outputs in _STAGES
        )
        self.conv5 = ConvNorm(DIMENSIONS, DIMENSIONS, epsilon=_EPSILON)
        self.fc = nn.Sequential(nn.Linear(DIMENSIONS, DIMENSIONS), nn.BatchNorm1d(DIMENSIONS), nn.ReLU())

    @staticmethod
    def _stage(inputs: int, outputs: int, is_halved: bool) -> nn.Sequential:
        layers: list[nn.Module] = [_Block(inputs, outputs), _Block(outputs, outputs)]
        if is_halved:
            layers.append(nn.Sequential(ConvNorm(outputs, outputs, epsilon=_EPSILON), nn.AvgPool2d(2, stride=2)))
        return nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, 256, 128) normalized RGB -> (N, 512), not of unit length."""
        features = self.maxpool(self.conv1(pictures))
        features = self.conv5(self.conv4(self.conv3(self.conv2(features))))
        found: Tensor = self.fc(features.mean(dim=(2, 3)))
        return found
