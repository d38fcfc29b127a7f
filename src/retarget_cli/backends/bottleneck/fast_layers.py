"""Units and hourglasses made ready for many frames, one at a time: the same as `blocks`, in less time.

    instance norm, ELU          one pass each, in place, behind a convolution with packed weights
    features side by side       a sum of one convolution of each: nothing is copied together
    features that never change  are convolved once; what is left of it is a map that is added
    doubled, then a convolution one convolution that enlarges: 4 products instead of 9, in space 8 instead of 27

Everything here lies with its channels last, and a volume's axes are (rows, columns, planes): so the features of a
picture (H, W, plane by plane all channels) are those of the volume, and lifting and dropping cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import Hourglass, Residual, Unit
from retarget_cli.networks.packed import Convolution, last_channels

_SPACE = 5


class Joined:
    """A convolution of several features, taken apart.

    Args:
        layer: nn.Conv2d or nn.Conv3d (planes, rows, columns).
        parts: of every input the channels of the layer that it has, in its own order.
        dtype: in which it is computed.
        fixed: further channels, and the features (1, C, h, w) that they always have.
        outputs: the order of what comes out.
    """

    def __init__(
        self,
        layer: nn.Module,
        parts: Sequence[Tensor],
        dtype: torch.dtype,
        fixed: tuple[Tensor, Tensor] | None = None,
        outputs: Tensor | None = None,
    ) -> None:
        weight, bias = weights(layer, outputs)
        self.dtype, padding, stride = dtype, *_form(layer)
        biases = [None] * (len(parts) - 1) + [None if bias is None else bias.to(dtype)]
        self._layers = [
            Convolution(weight[:, part].to(dtype), each, padding, stride)
            for part, each in zip(parts, biases, strict=True)
        ]
        self._constant = None
        if fixed is not None:
            channels, features = fixed
            once = Convolution(weight[:, channels].float(), None, padding, stride)
            self._constant = laid(once(laid(features, torch.float32)), dtype)

    def __call__(self, *given: Tensor, onto: Tensor | None = None) -> Tensor:
        """(1, C, ...) of every part's features; `onto` is something to add, and may be overwritten."""
        first, *others = [(layer, laid(x, self.dtype)) for layer, x in zip(self._layers, given, strict=True)]
        layer, x = first
        if onto is not None:
            made = layer.onto(onto, x)
        else:
            made = layer(x) if self._constant is None else layer.beside(self._constant, x)
        for layer, x in others:
            made = layer.onto(made, x)
        return made


class FastUnit:
    """Convolution, instance norm, ELU.

    Args:
        unit: with instance norm.
        dtype: see `Joined`, as the others.
    """

    def __init__(
        self,
        unit: nn.Module,
        dtype: torch.dtype,
        parts: Sequence[Tensor] | None = None,
        fixed: tuple[Tensor, Tensor] | None = None,
        outputs: Tensor | None = None,
    ) -> None:
        if not isinstance(unit, Unit):
            raise TypeError(f"{type(unit).__name__} is no unit")
        self._conv = Joined(unit.conv, parts or [everything(unit.conv)], dtype, fixed, outputs)
        self._norm = FastNorm(unit.norm, outputs)

    def __call__(self, *given: Tensor, onto: Tensor | None = None) -> Tensor:
        """See `Joined`."""
        return self._norm(self._conv(*given, onto=onto))


class FastUp:
    """A unit of doubled pixels, or voxels.

    Args:
        unit: with a kernel of 3.
        dtype: in which it is computed.
        inputs: the channels that are doubled; None: all.
    """

    def __init__(self, unit: nn.Module, dtype: torch.dtype, inputs: Tensor | None = None) -> None:
        if not isinstance(unit, Unit):
            raise TypeError(f"{type(unit).__name__} is no unit")
        chosen = everything(unit.conv) if inputs is None else inputs
        self.convolution, self.norm = Enlarging(weights(unit.conv)[0][:, chosen], dtype), FastNorm(unit.norm)

    def __call__(self, x: Tensor) -> Tensor:
        """(1, C', 2 h, 2 w) from (1, C, h, w)."""
        return self.norm(self.convolution(x))


class FastNorm:
    """Instance norm of a single picture or volume, and ELU; what it is given may be overwritten.

    Args:
        norm: an instance norm that learns.
        order: of the channels.
    """

    def __init__(self, norm: nn.Module, order: Tensor | None = None) -> None:
        if not isinstance(norm, nn.InstanceNorm2d | nn.InstanceNorm3d):
            raise TypeError(f"{type(norm).__name__} is no instance norm")
        chosen = slice(None) if order is None else order
        self._scale, self._shift, self._least = norm.weight[chosen], norm.bias[chosen], norm.eps

    def __call__(self, x: Tensor) -> Tensor:
        """(1, C, ...)."""
        # Of a single picture both norms are the same, and this one leaves the channels last.
        normal = functional.batch_norm(x, None, None, self._scale, self._shift, training=True, eps=self._least)
        return functional.elu_(normal)


class FastHourglass:
    """An hourglass.

    Args:
        hourglass: the plain one.
        dtype: in which it is computed.
        inputs: the channels of its input that are given, in their order; None: all.
        fixed: the others, and the features (1, C, h, w) that they always have.
    """

    def __init__(
        self,
        hourglass: Hourglass,
        dtype: torch.dtype,
        inputs: Tensor | None = None,
        fixed: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self._downs = []
        for level, down in enumerate(hourglass.downs):
            assert isinstance(down, nn.Sequential)
            one, two = down
            first = _FastResidual(one, dtype, inputs, fixed) if level == 0 else _FastResidual(one, dtype)
            self._downs.append((first, _FastResidual(two, dtype)))
        self._ups = [FastUp(up, dtype) for up in hourglass.ups]
        self._merges = [_merge(hourglass, level, dtype, inputs, fixed) for level in range(len(self._ups))]

    def __call__(self, x: Tensor) -> Tensor:
        """(1, outputs, h, w) from (1, inputs, h, w)."""
        found = [x]
        for first, second in self._downs:
            found.append(second(first(found[-1])))
        made = found.pop()
        for up, merge, beside in zip(reversed(self._ups), reversed(self._merges), reversed(found), strict=True):
            made = merge(up(made), beside)
        return made


class _FastResidual:
    def __init__(
        self,
        layer: nn.Module,
        dtype: torch.dtype,
        inputs: Tensor | None = None,
        fixed: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        assert isinstance(layer, Residual)
        parts = [everything(layer.shortcut) if inputs is None else inputs]
        self._first, self._second = FastUnit(layer.first, dtype, parts, fixed), FastUnit(layer.second, dtype)
        self._third = Joined(layer.third, [everything(layer.third)], dtype)
        self._shortcut = Joined(layer.shortcut, parts, dtype, fixed)
        self._norm = FastNorm(layer.norm)

    def __call__(self, x: Tensor) -> Tensor:
        return self._norm(self._third(self._second(self._first(x)), onto=self._shortcut(x)))


class Enlarging:
    """Doubling every pixel, then summing three by three: summing two by two, with weights for each corner.

    In space two planes, whose channels lie side by side, are made as one of twice the channels: of few channels alone
    most of the processor's registers would stay empty.

    Args:
        weight: (C', C, 3, 3), or (C', C, 3, 3, 3), with zeros around.
        dtype: in which it is computed.
    """

    def __init__(self, weight: Tensor, dtype: torch.dtype) -> None:
        self.dtype, self._outputs, axes = dtype, len(weight), range(2, weight.dim())
        sums = functional.pad(weight.detach().flip(*axes).transpose(0, 1), (1, 1) * len(axes))
        for axis in axes:
            kernel = sums.shape[axis]
            sums = sums.narrow(axis, 1, kernel - 1) + sums.narrow(axis, 0, kernel - 1)
        stride = [2] * len(axes)
        if weight.dim() == _SPACE:
            # Of a pair of planes the first takes the corners 1 and 3 of the plane itself and the one before.
            none = torch.zeros_like(sums[..., :1])
            first, second = [none, sums[..., 1:2], sums[..., 3:]], [sums[..., :1], sums[..., 2:3], none]
            sums, stride[-1] = torch.cat([torch.cat(first, -1), torch.cat(second, -1)], 1), 1
        self._layer = Convolution(sums.to(dtype), None, (1,) * len(axes), tuple(stride), is_transposed=True)

    def __call__(self, x: Tensor) -> Tensor:
        """(1, C', 2 h, 2 w) from (1, C, h, w); in space (1, C', 2 h, 2 w, 2 d)."""
        made = self._layer(laid(x, self.dtype))
        if made.dim() < _SPACE:
            return made
        _, _, height, width, depth = made.shape
        pairs = made.permute(0, 2, 3, 4, 1)
        return pairs.reshape(1, height, width, 2 * depth, self._outputs).permute(0, 4, 1, 2, 3)


class TwoRows:
    """A convolution of few outputs, two rows at a time: alone they would leave most of the processor's registers empty.

    Args:
        layer: nn.Conv2d with an odd kernel, and zeros around.
        parts: as `Joined`.
        dtype: in which it is computed.
    """

    def __init__(self, layer: nn.Module, parts: Sequence[Tensor], dtype: torch.dtype) -> None:
        weight, bias = weights(layer)
        _, channels, side, _ = weight.shape
        two = weight.new_zeros(2, len(weight), channels, side + 1, side)
        two[0, :, :, :side], two[1, :, :, 1:] = weight, weight
        twice = None if bias is None else bias.repeat(2).to(dtype)
        two, around = two.flatten(0, 1), (side // 2,) * 2
        self.dtype, biases = dtype, [None] * (len(parts) - 1) + [twice]
        self._layers = [
            Convolution(two[:, part].to(dtype), each, around, (2, 1))
            for part, each in zip(parts, biases, strict=True)
        ]

    def __call__(self, *given: Tensor) -> Tensor:
        """(1, C', h, w), fp32 and planar, from every part's (1, C, h, w), h even."""
        first, *others = zip(self._layers, given, strict=True)
        made = first[0](laid(first[1], self.dtype))
        for layer, x in others:
            made = layer.onto(made, laid(x, self.dtype))
        _, outputs, half, width = made.shape
        rows = made.float().view(1, 2, outputs // 2, half, width)
        return rows.permute(0, 2, 3, 1, 4).reshape(1, outputs // 2, 2 * half, width)


def weights(layer: nn.Module, outputs: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Weights and bias of a convolution, in space with axes (rows, columns, planes); outputs in another order."""
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    weight, bias = layer.weight.detach(), None if layer.bias is None else layer.bias.detach()
    if weight.dim() == _SPACE:
        weight = weight.permute(0, 1, 3, 4, 2)
    if outputs is None:
        return weight, bias
    return weight[outputs], None if bias is None else bias[outputs]


def everything(layer: nn.Module) -> Tensor:
    """(C): all channels that come in."""
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    return torch.arange(layer.in_channels)


def laid(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Channels last."""
    return x.to(dtype).contiguous(memory_format=last_channels(x))


def _merge(
    hourglass: Hourglass,
    level: int,
    dtype: torch.dtype,
    inputs: Tensor | None,
    fixed: tuple[Tensor, Tensor] | None,
) -> FastUnit:
    up, merge = hourglass.ups[level], hourglass.merges[level]
    assert isinstance(up, Unit)
    assert isinstance(merge, Unit)
    first = weights(up.conv)[0].shape[0]
    given, others = everything(merge.conv).tensor_split([first])
    if level or inputs is None:
        return FastUnit(merge, dtype, [given, others])
    moved = None if fixed is None else (first + fixed[0], fixed[1])
    return FastUnit(merge, dtype, [given, first + inputs], moved)


def _form(layer: nn.Module) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Padding and stride, the same in all directions."""
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    assert not isinstance(layer.padding, str)
    return tuple(layer.padding), tuple(layer.stride)
