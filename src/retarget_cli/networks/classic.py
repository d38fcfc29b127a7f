"""AlexNet's and VGG's convolutions, tapped where perceptual metrics and losses want them.

Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014; Simonyan and Zisserman, Very deep
convolutional networks, 2015. Keys are those of torchvision's files (`features.N.weight`, `features.N.bias`); their
classifiers are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

UNUSED = ("classifier.",)
"""Prefixes of keys that the public files hold beside the convolutions."""

ALEXNET_TAPS = (1, 4, 7, 9, 11)
"""After each ReLU."""
VGG16_TAPS = (3, 8, 15, 22, 29)
"""relu1_2, relu2_2, relu3_3, relu4_3, relu5_3."""
VGG19_TAPS = (3, 8, 17, 26, 35)
"""relu1_2, relu2_2, relu3_4, relu4_4, relu5_4."""
VGG19_FIRST_TAPS = (1, 6, 11, 20, 29)
"""relu1_1, relu2_1, relu3_1, relu4_1, relu5_1: what perceptual losses look at."""

_VGG_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_VGG_CHANNELS = (64, 128, 256, 512, 512)

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of RGB in [0, 1]: what the networks of torchvision were trained on."""


class Tapped(nn.Module):
    """Layers in a row, of which some outputs are wanted.

    Args:
        layers: named `features.0`, `features.1` and so on in the state dict.
        taps: indices of layers, ascending; what comes after the last is not run.
    """

    def __init__(self, layers: Sequence[nn.Module], taps: Sequence[int]) -> None:
        super().__init__()
        self.features = nn.Sequential(*layers)
        self.taps = tuple(taps)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalized RGB -> a map (N, C, H', W') for each tap."""
        found = []
        for index, layer in enumerate(self.features):
            pictures = layer(pictures)
            if index in self.taps:
                found.append(pictures)
            if index == self.taps[-1]:
                break
        return found


def alexnet(taps: Sequence[int] = ALEXNET_TAPS) -> Tapped:
    """AlexNet's five convolutions; 64, 192, 384, 256, 256 channels."""
    return Tapped(
        [
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        ],
        taps,
    )


def vgg(depth: int, taps: Sequence[int] | None = None) -> Tapped:
    """VGG's convolutions; 64, 128, 256, 512, 512 channels.

    Args:
        depth: 16 or 19.
        taps: by default the last ReLU of each of the five stages.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for count, outputs in zip(_VGG_CONVOLUTIONS[depth], _VGG_CHANNELS, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, stride=2))
    return Tapped(layers, taps or (VGG16_TAPS if depth == 16 else VGG19_TAPS))
