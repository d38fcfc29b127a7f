"""The family's networks made ready for many frames: the same pictures as the plain modules, in less time.

Networks keep their form, of which a copy is made whose layers are replaced:

    batch normalization behind a convolution   is worked into its weights; what cuts off negatives runs inside it
    batch normalization before a residual      one pass over the features; the one between its convolutions is none
    doubled pixels, then a convolution         one convolution that enlarges: 16 products a pixel instead of 36
    convolutions with few channels             make four pixels at once: see `_FourAtOnce`
    reading features where a motion says       sums of rows: see `gathered`

Weights are packed for the processor. What finds parts and motions stays in full precision; the generator's layers may
be computed in bfloat16. The plain networks are read here once, and stay as they are.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.self_appearance.appearance import Appearance
from retarget_cli.backends.self_appearance.blocks import Down, Residual, Same, Size, Up
from retarget_cli.backends.self_appearance.evolution import FlowChange
from retarget_cli.backends.self_appearance.first_order import Prepared
from retarget_cli.backends.self_appearance.generator import Backbone
from retarget_cli.backends.self_appearance.rows import gathered
from retarget_cli.backends.words import FULL, HALF
from retarget_cli.networks.packed import Convolution, RowConvolution

N = TypeVar("N", bound=nn.Module)
# Up to so many pixels a convolution is a product of matrices; from so many on enlarging convolutions pay.
_FEW_PIXELS, _LEAST_PIXELS = 32, 64
# Convolutions that have fewer channels leave most of the processor's registers empty.
_FEW = 5


def made_ready(network: N, precision: str = FULL) -> N:
    """A copy of a network of the family, for inference alone.

    Args:
        network: in evaluation mode; its weights are read here, and not again.
        precision: of the generator, see `options`.
    """
    with torch.inference_mode():
        return _ready(network, torch.float32, torch.bfloat16 if precision == HALF else torch.float32)


def laid_out(source: Prepared) -> Prepared:
    """A source that the plain network has encoded, as the ready one reads it: channels last."""
    levels = tuple(level.contiguous(memory_format=torch.channels_last) for level in source.encoded.levels)
    return replace(source, encoded=replace(source.encoded, levels=levels))


def _ready(module: N, dtype: torch.dtype, painting: torch.dtype) -> N:
    if isinstance(module, Backbone):
        dtype = painting
    # What sees a source once needs no haste, and its features are read with all bits.
    kept = ("first", "down") if isinstance(module, Backbone) else ()
    made = copy.copy(module)
    made._modules = {
        name: child if child is None or name in kept else _layer(child, dtype) or _ready(child, dtype, painting)
        for name, child in module._modules.items()
    }
    if isinstance(made, (Backbone, Appearance)):
        made.read = gathered
    return made


def _layer(module: nn.Module, dtype: torch.dtype) -> nn.Module | None:
    """The fast form of a layer; None: it has none, its parts may have."""
    if isinstance(module, Down):
        return _FastDown(module, dtype)
    if isinstance(module, Up):
        return _FastUp(module, dtype)
    if isinstance(module, Same):
        return _FastSame(module, dtype)
    if isinstance(module, Residual):
        return _FastResidual(module, dtype)
    if isinstance(module, FlowChange):
        return _FastFlowChange(module, dtype)
    if isinstance(module, nn.Conv2d):
        return _FourAtOnce(module, dtype) if _is_thin(module) else _FastConvolution(module, dtype)
    return None


class _Run:
    """A convolution in the form that suits the size of its pictures; each form is made where it is first needed.

    Args:
        layer: its weights.
        dtype: of weights and of what it makes.
        norm: a normalization behind it, which is taken into the weights.
    """

    def __init__(self, layer: nn.Conv2d, dtype: torch.dtype, norm: nn.BatchNorm2d | None = None) -> None:
        self.dtype, self._layer, self._norm = dtype, layer, norm

    def __call__(self, x: Tensor, *, rectified: bool = False) -> Tensor:
        """(B, C', h', w') channels last of (B, C, h, w)."""
        x = _laid(x, self.dtype)
        is_small = _keeps_size(self._layer) and x.shape[-2] * x.shape[-1] <= _FEW_PIXELS
        return self._rows(x, rectified=rectified) if is_small else self.plain(x, rectified=rectified)

    @cached_property
    def plain(self) -> Convolution:
        """For pictures that outweigh the weights."""
        assert not isinstance(self._layer.padding, str)
        (rows, columns), (down, across) = self._layer.padding, self._layer.stride
        return Convolution(*self._weights, (rows, columns), (down, across))

    @cached_property
    def enlarging(self) -> Convolution:
        """Doubling every pixel and then summing three by three: summing two by two, with weights for each corner."""
        weight, bias = _folded(self._layer, self._norm)
        sums = functional.pad(weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
        sums = sums[..., 1:, :] + sums[..., :-1, :]
        sums = sums[..., 1:] + sums[..., :-1]
        return Convolution(sums.to(self.dtype), bias.to(self.dtype), (1, 1), (2, 2), is_transposed=True)

    @cached_property
    def _rows(self) -> RowConvolution:
        return RowConvolution(*self._weights)

    @property
    def _weights(self) -> tuple[Tensor, Tensor]:
        weight, bias = _folded(self._layer, self._norm)
        return weight.to(self.dtype), bias.to(self.dtype)


class _FastConvolution(nn.Module):
    """One that stands alone; what it makes is in full precision."""

    def __init__(self, layer: nn.Conv2d, dtype: torch.dtype) -> None:
        super().__init__()
        self._run = _Run(layer, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self._run(x).float()


class _FastSame(nn.Module):
    def __init__(self, layer: Same, dtype: torch.dtype) -> None:
        super().__init__()
        self._run = _Run(layer.conv, dtype, layer.norm)

    def forward(self, x: Tensor) -> Tensor:
        return self._run(x, rectified=True)


class _FastDown(_FastSame):
    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(super().forward(x), 2, ceil_mode=True)


class _FastUp(_FastSame):
    def forward(self, x: Tensor, size: Size | None = None) -> Tensor:
        height, width = x.shape[-2:]
        x = _laid(x, self._run.dtype)
        if size in (None, (2 * height, 2 * width)) and height * width >= _LEAST_PIXELS:
            return self._run.enlarging(x, rectified=True)
        doubled = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return super().forward(doubled if size is None else doubled[..., : size[0], : size[1]])


class _FastResidual(nn.Module):
    def __init__(self, layer: Residual, dtype: torch.dtype) -> None:
        super().__init__()
        scale, shift = _affine(layer.first_norm)
        self._scale, self._shift = scale[:, None, None].to(dtype), shift[:, None, None].to(dtype)
        self._first, self._second = _Run(layer.first, dtype, layer.second_norm), _Run(layer.second, dtype)

    def forward(self, x: Tensor) -> Tensor:
        x = _laid(x, self._first.dtype)
        y = torch.addcmul(self._shift, x, self._scale).relu_()
        return self._second.plain.beside(x, self._first(y, rectified=True))


class _FastFlowChange(nn.Module):
    """Called by the solver many times a frame: tangents run inside the convolutions."""

    def __init__(self, layer: FlowChange, dtype: torch.dtype) -> None:
        super().__init__()
        self._first, self._second, self._last = (_Run(each, dtype) for each in (layer.first, layer.second, layer.last))
        self.context = None if layer.context is None else _Run(layer.context, dtype)

    def told(self, features: Tensor) -> Tensor:
        assert self.context is not None
        return self.context(features)

    def forward(self, time: Tensor, motion: Tensor, told: Tensor | None = None) -> Tensor:
        clock = torch.ones_like(motion[:, :1]) * time
        seen, first = _laid(torch.cat([motion, clock], 1), self._first.dtype), self._first.plain
        hidden = first.tanh(seen) if told is None else first.beside(told, seen).tanh_()
        return self._last(self._second.plain.tanh(hidden))


class _FourAtOnce(nn.Module):
    """Few channels, as of colours, for two by two pixels at a time: together they fill the processor's registers."""

    def __init__(self, layer: nn.Conv2d, dtype: torch.dtype) -> None:
        super().__init__()
        weight = layer.weight
        outputs, channels, side, _ = weight.shape
        laid = weight.new_zeros(outputs, 2, 2, channels, side + 1, side + 1)
        for row in range(2):
            for column in range(2):
                laid[:, row, column, :, row : row + side, column : column + side] = weight
        bias = None if layer.bias is None else layer.bias.repeat_interleave(4).to(dtype)
        weight = laid.reshape(-1, channels, side + 1, side + 1).to(dtype)
        self._run = Convolution(weight, bias, (side // 2, side // 2), (2, 2))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = functional.pad(_laid(x, self._run.dtype), (0, width % 2, 0, height % 2))
        return functional.pixel_shuffle(self._run(x).float(), 2)[..., :height, :width]


def _is_thin(layer: nn.Conv2d) -> bool:
    """Whether it has a large kernel and makes few channels."""
    return _keeps_size(layer) and layer.kernel_size[0] > 3 and layer.out_channels <= _FEW


def _keeps_size(layer: nn.Conv2d) -> bool:
    rows, columns = layer.kernel_size
    return rows == columns and layer.padding == (rows // 2, columns // 2) and layer.stride == (1, 1) and rows % 2 == 1


def _folded(layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
    """Weights and bias of a convolution with the normalization behind it."""
    bias = layer.weight.new_zeros(layer.out_channels) if layer.bias is None else layer.bias
    if norm is None:
        return layer.weight, bias
    scale, shift = _affine(norm)
    return layer.weight * scale[:, None, None, None], bias * scale + shift


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What it multiplies by and adds, once it has learned."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - norm.running_mean * scale


def _laid(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Channels last."""
    return x.to(dtype).contiguous(memory_format=torch.channels_last)
