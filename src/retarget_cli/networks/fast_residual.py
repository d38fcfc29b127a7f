"""Residual and composite generators made ready for many frames: the same pictures in less time.

    a convolution            packed once for the processor; the rectifier is part of it where no statistics come between
    batch normalization      taken into the weights
    instance normalization   over channels that lie last; the bias before it, which it takes away, is left out
    a head                   two by two pixels at a time: together their few channels fill the processor's registers

The plain networks are read here once, and stay as they are.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.packed import Convolution
from retarget_cli.networks.residual_generator import Down, Head, Residual, Stem, Up

N = TypeVar("N", bound=nn.Module)


def made_ready(network: N, dtype: torch.dtype = torch.float32) -> N:
    """A copy of a network of the family, for inference alone.

    Args:
        network: in evaluation mode; its weights are read here, and not again.
        dtype: of the layers; what heads make is float32.
    """
    with torch.inference_mode():
        return _ready(network, dtype)


def _ready(module: N, dtype: torch.dtype) -> N:
    made = copy.copy(module)
    made._modules = {
        name: child if child is None else _layer(child, dtype) or _ready(child, dtype)
        for name, child in module._modules.items()
    }
    return made


def _layer(module: nn.Module, dtype: torch.dtype) -> nn.Module | None:
    """The fast form of a layer; None: it has none, its parts may have."""
    if isinstance(module, Stem):
        return _FastUnit(module.conv, module.norm, dtype, border=3)
    if isinstance(module, (Down, Up)):
        return _FastUnit(module.conv, module.norm, dtype)
    if isinstance(module, Residual):
        return _FastResidual(module, dtype)
    if isinstance(module, Head):
        return _FastHead(module, dtype)
    return None


class _Unit:
    """A convolution and the normalization behind it.

    Args:
        layer: its weights.
        norm: what follows it.
        dtype: of weights and of what it makes.
        border: pixels that are mirrored around what it is given.
    """

    def __init__(self, layer: nn.Module, norm: nn.Module, dtype: torch.dtype, border: int = 0) -> None:
        assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
        assert not isinstance(layer.padding, str)
        is_transposed = isinstance(layer, nn.ConvTranspose2d)
        self._border, self._dtype, self._norm = border, dtype, norm
        weight, bias = layer.weight, layer.bias
        if isinstance(norm, nn.BatchNorm2d):
            weight, bias = _folded(weight, bias, norm, is_transposed)
        self._is_folded = isinstance(norm, nn.BatchNorm2d)
        (down, across), (below, behind) = layer.stride, layer.output_padding
        rows, columns = (0, 0) if border else layer.padding
        self._run = Convolution(
            weight.to(dtype),
            bias.to(dtype) if self._is_folded and bias is not None else None,
            (rows, columns),
            (down, across),
            is_transposed=is_transposed,
            beyond=(below, behind),
        )

    def rectified(self, x: Tensor) -> Tensor:
        """(B, C', h', w') channels last of (B, C, h, w)."""
        x = _laid(x, self._dtype, self._border)
        return self._run(x, rectified=True) if self._is_folded else self._normed(self._run(x)).relu_()

    def beside(self, other: Tensor, x: Tensor) -> Tensor:
        """`other` + what it makes of x; both stay as they are."""
        x = _laid(x, self._dtype, self._border)
        return self._run.beside(other, x) if self._is_folded else self._normed(self._run(x)).add_(other)

    def _normed(self, x: Tensor) -> Tensor:
        """Of a single picture as batch normalization, which leaves channels last."""
        assert isinstance(self._norm, nn.InstanceNorm2d)
        singles = [
            functional.batch_norm(each, None, None, training=True, eps=self._norm.eps) for each in x.chunk(len(x))
        ]
        return singles[0] if len(singles) == 1 else torch.cat(singles)


class _FastUnit(nn.Module):
    def __init__(self, layer: nn.Module, norm: nn.Module, dtype: torch.dtype, border: int = 0) -> None:
        super().__init__()
        self._unit = _Unit(layer, norm, dtype, border)

    def forward(self, x: Tensor) -> Tensor:
        return self._unit.rectified(x)


class _FastResidual(nn.Module):
    def __init__(self, layer: Residual, dtype: torch.dtype) -> None:
        super().__init__()
        self._first = _Unit(layer.first, layer.first_norm, dtype, border=1)
        self._second = _Unit(layer.second, layer.second_norm, dtype, border=1)
        self._dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        x = _laid(x, self._dtype)
        return self._second.beside(x, self._first.rectified(x))


class _FastHead(nn.Module):
    """Two by two pixels at a time, as channels that are put in place afterwards."""

    def __init__(self, layer: Head, dtype: torch.dtype) -> None:
        super().__init__()
        weight, bias = layer.conv.weight, layer.conv.bias
        assert bias is not None
        outputs, channels, side, _ = weight.shape
        laid = weight.new_zeros(outputs, 2, 2, channels, side + 1, side + 1)
        for row in range(2):
            for column in range(2):
                laid[:, row, column, :, row : row + side, column : column + side] = weight
        merged = laid.reshape(-1, channels, side + 1, side + 1).to(dtype)
        self._border, self._dtype = side // 2, dtype
        self._run = Convolution(merged, bias.repeat_interleave(4).to(dtype), (0, 0), (2, 2))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        # An odd side gets a row of zeros more, which no pixel that is kept reaches.
        x = functional.pad(_laid(x, self._dtype, self._border), (0, width % 2, 0, height % 2))
        return functional.pixel_shuffle(self._run(x).float(), 2)[..., :height, :width]


def _folded(weight: Tensor, bias: Tensor | None, norm: nn.BatchNorm2d, is_transposed: bool) -> tuple[Tensor, Tensor]:
    """Weights and bias of a convolution with the normalization behind it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shape = (1, -1, 1, 1) if is_transposed else (-1, 1, 1, 1)
    shift = norm.bias - norm.running_mean * scale
    return weight * scale.reshape(shape), shift if bias is None else bias * scale + shift


def _laid(x: Tensor, dtype: torch.dtype, border: int = 0) -> Tensor:
    """Channels last, with a mirrored border."""
    x = x.to(dtype).contiguous(memory_format=torch.channels_last)
    return functional.pad(x, (border,) * 4, mode="reflect") if border else x
