"""The block that most of these networks are made of."""

from __future__ import annotations

from torch import Tensor, nn

Size = int | tuple[int, int]

TENSORFLOW_EPSILON = 1e-3
"""Batch normalization's, in networks that were trained with TensorFlow."""


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalization and, unless it is linear, ReLU; keys `conv`, `bn`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Size = 1,
        stride: int = 1,
        padding: Size = 0,
        epsilon: float = TENSORFLOW_EPSILON,
        is_linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=epsilon)
        self.is_linear = is_linear

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H', W')."""
        normed: Tensor = self.bn(self.conv(features))
        return normed if self.is_linear else normed.relu()
