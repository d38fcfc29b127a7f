"""The transfer stream made ready for one subject: the same pictures as the plain modules, in less time.

    once a subject  keys and values of the sources, which 1 x 1 convolutions make: they may be taken before warping
                    instead of after it; weights of all layers, packed
    once a size     the flows, resized, and what they say about which source pixels are summed
    every frame     convolutions of 3 x 3 and more, and one pass over what lies between them

The query meets the keys only in products, so its convolution is taken into the keys; whatever all sources' keys have
in common (their bias) leaves attention as it is, and one source needs none of it. Scale and shift of a normalization
are one convolution. The last layers, four channels of 5 x 5 pixels, make four pixels at once: see `_head`.

On a CPU frames are run one by one: what a layer leaves for the next is then still in the cache. Elsewhere a window is
run at once, on CUDA in bfloat16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.liquid_warp.blocks import AddBlock, AttentionBlock, GatedBlock, MeanBlock
from retarget_cli.backends.liquid_warp.fast_warp import Taps, table_of, taps_of
from retarget_cli.backends.liquid_warp.generator import Head, Residual, TransferStream
from retarget_cli.networks.packed import Convolution


class _Blend(Protocol):
    """A liquid warping block with the sources' features in it."""

    def __call__(self, x: Tensor, taps: Taps) -> Tensor:
        """(B, C, h, w) channels last; x may be overwritten."""


class FastTransfer:
    """A transfer stream and the sources of one subject.

    Args:
        stream: its weights are read here, and not again.
        sources: (S, 6, H, W).
        features: of `IdentityStream.encode` of them.
    """

    def __init__(self, stream: TransferStream, sources: Tensor, features: Sequence[Tensor]) -> None:
        with torch.inference_mode():
            self._stream, self._sources = stream, sources
            self._encoder = [Convolution.of(layer) for layer in stream.encoder]
            self._residual = [_FastResidual(layer) for layer in stream.residual]
            self._decoder = [Convolution.of(layer) for layer in stream.decoder]
            self._merge = [_Merge(layer, conv) for layer, conv in zip(stream.decoder, stream.merge, strict=False)]
            self._head = _head(stream.head)
            self._blends = [_blend(*pair) for pair in zip(stream.blocks, features, strict=False)]

    @torch.inference_mode()
    def __call__(self, inputs: Tensor, flows: Tensor) -> tuple[Tensor, Tensor]:
        """Colours (B, 3, H, W) in [-1, 1], and mask (B, 1, H, W), 1 on the background.

        Args:
            inputs: (B, 6, H, W) of the targets.
            flows: (B, S, H, W, 2).
        """
        device = inputs.device
        at_once = 1 if device.type == "cpu" else len(inputs)
        starts = range(0, len(inputs), at_once)
        with torch.autocast(device.type, torch.bfloat16, enabled=is_half_enough(device)):
            made = [self._run(inputs[at : at + at_once], flows[at : at + at_once]) for at in starts]
        images, masks = zip(*made, strict=True)
        return torch.cat(images).float(), torch.cat(masks).float()

    def _run(self, inputs: Tensor, flows: Tensor) -> tuple[Tensor, Tensor]:
        sources = self._sources.expand(len(inputs), *self._sources.shape)
        x = self._stream.first_input(inputs, sources, flows).contiguous(memory_format=torch.channels_last)
        taps: dict[tuple[int, int], Taps] = {}
        skips = []
        for level, layer in enumerate(self._encoder):
            x = self._blended(layer(x, rectified=True), level, flows, taps)
            skips.append(x)
        for level, residual in enumerate(self._residual, len(self._encoder)):
            x = self._blended(residual(x), level, flows, taps)
        for number, layer in enumerate(self._decoder):
            x = layer(x, rectified=True)
            if number < len(self._merge):
                x = self._merge[number](skips[1 - number], x)
        return self._painted(x)

    def _blended(self, x: Tensor, level: int, flows: Tensor, taps: dict[tuple[int, int], Taps]) -> Tensor:
        if not self._blends:
            return x
        height, width = x.shape[-2:]
        if (height, width) not in taps:
            taps[height, width] = taps_of(flows, height, width)
        return self._blends[level](x, taps[height, width])

    def _painted(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Colours and mask, from (B, C, H, W) in which two neighbours of a row are taken for one of 2C channels."""
        batch, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(batch, height, width // 2, 2 * channels)
        made = functional.pixel_shuffle(self._head(rows.permute(0, 3, 1, 2)).contiguous(), 2)
        return torch.tanh(made[:, :3]), torch.sigmoid(made[:, 3:])


class _Merge:
    """A convolution of two features side by side, as the sum of one of each: they need not be copied together."""

    def __init__(self, before: nn.Module, layer: nn.Module) -> None:
        if not isinstance(layer, nn.Conv2d) or not isinstance(before, nn.ConvTranspose2d):
            raise TypeError("a convolution after one that enlarges is expected")
        weight, skipped = layer.weight, layer.in_channels - before.out_channels
        self._skip = Convolution(weight[:, :skipped], layer.bias, (1, 1))
        self._below = Convolution(weight[:, skipped:], None, (1, 1))

    def __call__(self, skip: Tensor, below: Tensor) -> Tensor:
        return self._below.onto(self._skip(skip), below, rectified=True)


class _FastResidual:
    def __init__(self, layer: nn.Module) -> None:
        if not isinstance(layer, Residual) or layer.is_normalized:
            raise TypeError("only residual blocks without normalization are known here")
        self._first, self._second = Convolution.of(layer.first), Convolution.of(layer.second)

    def __call__(self, x: Tensor) -> Tensor:
        """x + both convolutions of x; x, which nobody else needs, is overwritten."""
        return self._second.onto(x, self._first(x, rectified=True))


@dataclass(frozen=True, slots=True)
class _Sum:
    """Of the transfer feature and the sources', or their mean."""

    table: Tensor
    divisor: int

    def __call__(self, x: Tensor, taps: Taps) -> Tensor:
        return (x + taps.summed(self.table)) / self.divisor


class _Gated:
    def __init__(self, block: GatedBlock, feature: Tensor) -> None:
        self._first, self._second = Convolution.of(block.gate[0]), Convolution.of(block.gate[2])
        self._table = table_of(feature / (len(feature) if block.is_mean else 1))

    def __call__(self, x: Tensor, taps: Taps) -> Tensor:
        gate = self._second(self._first(x, rectified=True)).sigmoid_()
        return torch.addcmul(x, gate, taps.summed(self._table))


class _Attention:
    def __init__(self, block: AttentionBlock, feature: Tensor) -> None:
        spade, channels = block.spade, feature.shape[1]
        self._shared = Convolution.of(spade.shared)
        weight = torch.cat([spade.scale.weight, spade.shift.weight])
        bias = torch.cat([_bias(spade.scale) + 1, _bias(spade.shift)])
        self._both, self._channels = Convolution(weight, bias, (1, 1)), channels
        rows = table_of(feature)
        self._values = rows @ _matrix(block.value).T
        self._bias = _bias(block.value)[:, None, None]
        self._keys = self._offsets = None
        if len(feature) > 1:
            keys = rows.double() @ _matrix(block.key).double().T / channels**0.5
            self._keys = (keys @ _matrix(block.query).double()).to(rows.dtype)
            self._offsets = (keys @ _bias(block.query).double()).to(rows.dtype)

    def __call__(self, x: Tensor, taps: Taps) -> Tensor:
        attended = taps.summed(self._values, self._shares(x, taps)) + self._bias
        both = self._both(self._shared(attended, rectified=True))
        scale, shift = both[:, : self._channels], both[:, self._channels :]
        return torch.addcmul(shift, _normalized(x), scale)

    def _shares(self, x: Tensor, taps: Taps) -> Tensor | None:
        """(B * h * w, S): how much every source is attended to; None for a single one."""
        if self._keys is None or self._offsets is None:
            return None
        queries = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1], 1)
        likeness = (taps.each(self._keys) @ queries)[..., 0]
        return torch.softmax(likeness + (self._offsets[taps.rows] * taps.weights).sum(-1), 1)


def is_half_enough(device: torch.device) -> bool:
    """Whether convolutions are computed in bfloat16: on CUDA devices that have it."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def _blend(block: nn.Module, feature: Tensor) -> _Blend:
    if isinstance(block, AttentionBlock):
        return _Attention(block, feature)
    if isinstance(block, GatedBlock):
        return _Gated(block, feature)
    if isinstance(block, AddBlock | MeanBlock):
        return _Sum(table_of(feature), 1 if isinstance(block, AddBlock) else len(feature) + 1)
    raise TypeError(f"{type(block).__name__} is not known here")


def _head(head: Head) -> Convolution:
    """Both heads in one, two by two pixels at a time: 16 channels fill the processor's registers, which 4 do not.

    Rows go by strides of two, columns as pairs that are channels already; the kernel of 5 x 5 is laid into 6 rows and 3
    pairs, once for each of the four pixels, whose channels `pixel_shuffle` puts in place.
    """
    weight = torch.cat([head.colour.weight, head.mask.weight])
    outputs, channels, side, _ = weight.shape
    laid = weight.new_zeros(outputs, 2, 2, 2, channels, side + 1, 3)  # pixel's row, column; half of a pair; kernel
    for row in range(2):
        for column in range(2):
            for across in range(side):
                pair, half = divmod(column + across, 2)
                laid[:, row, column, half, :, row : row + side, pair] = weight[..., across]
    merged = laid.reshape(4 * outputs, 2 * channels, side + 1, 3)
    return Convolution(merged, None, (side // 2, 1), (2, 1))


def _normalized(x: Tensor) -> Tensor:
    """Instance norm; of a single picture as batch norm, which does not leave channels last."""
    if len(x) == 1:
        return functional.batch_norm(x, None, None, training=True)
    return functional.instance_norm(x)


def _matrix(layer: nn.Conv2d) -> Tensor:
    return layer.weight[:, :, 0, 0]


def _bias(layer: nn.Conv2d) -> Tensor:
    if layer.bias is None:
        raise TypeError("a convolution without bias, where one is expected")
    return layer.bias
