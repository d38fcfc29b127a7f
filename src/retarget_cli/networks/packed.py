"""Convolutions with weights that stay as they are: packed once for the processor, with what follows them fused in.

torch brings the weights of an ordinary convolution into the processor's own order at every call, and runs the
rectifier and the sum of a residual in passes of their own. oneDNN does all three at once for weights that were packed
before; torch offers that to its compiler only, under names that may change, so it is tried out first and done without
where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

# By whether they enlarge, and whether they are of volumes.
_PLAIN: Mapping[tuple[bool, bool], Callable[..., Tensor]] = MappingProxyType({
    (False, False): functional.conv2d, (False, True): functional.conv3d,
    (True, False): functional.conv_transpose2d, (True, True): functional.conv_transpose3d,
})  # fmt: skip


class Convolution:
    """One convolution, forwards only, of pictures or of volumes.

    Args:
        weight: as torch has it.
        bias: (C) or None.
        padding, stride: (rows, columns), or three of them in space; stride 1 where nothing is said.
        is_transposed: of the kind that enlarges.
        beyond: rows and columns that one of that kind makes more at the end.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        padding: tuple[int, ...],
        stride: tuple[int, ...] = (),
        *,
        is_transposed: bool = False,
        beyond: tuple[int, ...] = (),
    ) -> None:
        self._bias = None if bias is None else bias.detach()
        self._is_spatial, self._is_transposed = weight.dim() == 5, is_transposed
        self._once = [1] * len(padding)
        self._padding, self._stride = list(padding), list(stride) or self._once
        self._beyond = list(beyond) or [0] * len(padding)
        self.dtype = weight.dtype
        self._is_packed = weight.device.type == "cpu" and is_packable(weight.dtype)
        if self._is_spatial:
            self._is_packed = self._is_packed and can_pack_volumes()
        self._weight = weight.detach().contiguous(memory_format=last_channels(weight))
        # The processor's order depends on the pictures' size, so that the first ones are waited for. Others may follow:
        # weights that were packed for them would be a little faster then.
        self._is_waiting = self._is_packed

    @classmethod
    def of(cls, layer: nn.Module) -> Convolution:
        """A layer of the network."""
        if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) or isinstance(layer.padding, str):
            raise TypeError(f"{type(layer).__name__} is no convolution with padding in numbers")
        (rows, columns), (down, across) = layer.padding, layer.stride
        is_transposed = isinstance(layer, nn.ConvTranspose2d)
        below, behind = layer.output_padding
        shape = (rows, columns), (down, across)
        return cls(layer.weight, layer.bias, *shape, is_transposed=is_transposed, beyond=(below, behind))

    def __call__(self, x: Tensor, *, rectified: bool = False) -> Tensor:
        """(B, C', h', w') channels last, from (B, C, h, w) channels last; negatives cut off where that is asked for."""
        if self._is_packed:
            return self._run_packed(x, "relu" if rectified else "none")
        y = self._run_plain(x)
        return y.relu_() if rectified else y

    def tanh(self, x: Tensor) -> Tensor:
        """The same, with the hyperbolic tangent of what it makes."""
        return self._run_packed(x, "tanh") if self._is_packed else self(x).tanh_()

    def onto(self, other: Tensor, x: Tensor, *, rectified: bool = False) -> Tensor:
        """`other` + convolution of x, negatives cut off where that is asked for; `other` may be overwritten."""
        if not self._is_packed or self._is_transposed:
            y = other.add_(self(x))
            return y.relu_() if rectified else y
        self._pack(x)
        run, then = torch.ops.mkldnn._convolution_pointwise_.binary, "relu" if rectified else None
        shape = (self._padding, self._stride, self._once, 1)
        made: Tensor = run(other, x, self._weight, self._bias, *shape, "add", 1.0, then, [], None)
        return made

    def beside(self, other: Tensor, x: Tensor) -> Tensor:
        """`other` + convolution of x, both of which stay as they are."""
        if not self._is_packed or self._is_transposed:
            return other + self(x)
        self._pack(x)
        run, shape = torch.ops.mkldnn._convolution_pointwise.binary, (self._padding, self._stride, self._once, 1)
        made: Tensor = run(x, other, self._weight, self._bias, *shape, "add", 1.0, None, [], None)
        return made

    def _run_plain(self, x: Tensor) -> Tensor:
        run = _PLAIN[self._is_transposed, self._is_spatial]
        more = (self._beyond,) if self._is_transposed else ()
        return run(x, self._weight, self._bias, self._stride, self._padding, *more)

    def _run_packed(self, x: Tensor, then: str) -> Tensor:
        self._pack(x)
        ops, what, padding, stride = torch.ops.mkldnn, (x, self._weight, self._bias), self._padding, self._stride
        y: Tensor
        if self._is_transposed:
            y = ops._convolution_transpose_pointwise(*what, padding, self._beyond, stride, self._once, 1, then, [], "")
        else:
            y = ops._convolution_pointwise(*what, padding, stride, self._once, 1, then, [], "")
        return y

    def _pack(self, x: Tensor) -> None:
        """Bring the weights into the order for pictures like these, once."""
        if not self._is_waiting:
            return
        run, form = torch.ops.mkldnn._reorder_convolution_weight, [self._padding, self._stride]
        if self._is_transposed:
            form.insert(1, self._beyond)
            run = torch.ops.mkldnn._reorder_convolution_transpose_weight
        self._weight, self._is_waiting = run(self._weight, *form, self._once, 1, list(x.shape)), False


class RowConvolution:
    """One convolution of pictures so small that its weights outweigh them: a product of two matrices.

    Args:
        weight: (C', C, k, k), k odd; padding keeps the size.
        bias: (C').
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._side = weight.shape[-1]
        self._bias = bias.detach()
        self._is_packed = weight.device.type == "cpu" and is_packable(weight.dtype) and can_pack_rows()
        self._weight = weight.detach().permute(0, 2, 3, 1).flatten(1).contiguous()
        if self._is_packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight)

    def __call__(self, x: Tensor, *, rectified: bool = False) -> Tensor:
        """As `Convolution`."""
        batch, channels, height, width = x.shape
        side, reach = self._side, self._side // 2
        padded = functional.pad(x, (reach,) * 4).permute(0, 2, 3, 1)
        near = [padded[:, row : row + height, at : at + width] for row in range(side) for at in range(side)]
        rows = torch.stack(near, 3).reshape(-1, side * side * channels)
        if self._is_packed:
            then = "relu" if rectified else "none"
            made = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, then, [], "")
        else:
            made = functional.linear(rows, self._weight, self._bias)
            made = made.relu_() if rectified else made
        found: Tensor = made.reshape(batch, height, width, -1).permute(0, 3, 1, 2)
        return found


def last_channels(x: Tensor) -> torch.memory_format:
    """The layout in which a pixel's, or a voxel's, channels lie side by side."""
    return torch.channels_last_3d if x.dim() == 5 else torch.channels_last


def is_packable(dtype: torch.dtype) -> bool:
    """Whether there are packed convolutions of this type, and the processor has instructions for it."""
    if dtype == torch.float32:
        return can_pack()
    return dtype == torch.bfloat16 and can_pack() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


@lru_cache(maxsize=1)
def can_pack() -> bool:
    """Whether this build of torch has packed convolutions, and they compute what ordinary ones do."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    x, square = torch.linspace(-1, 1, 400).reshape(1, 4, 10, 10), torch.linspace(-1, 1, 144).reshape(4, 4, 3, 3)
    x, bias, one = x.contiguous(memory_format=torch.channels_last), torch.linspace(-1, 1, 4), [1, 1]
    plain = functional.conv2d(x, square, bias, padding=1)
    larger = functional.conv_transpose2d(x, square, bias, padding=1)
    try:
        ops = torch.ops.mkldnn
        packed = ops._reorder_convolution_weight(square, one, one, one, 1)
        one_after = ops._convolution_pointwise(x, packed, bias, one, one, one, 1, "relu", [], "")
        run = ops._convolution_pointwise_.binary
        summed = run(x.clone(), x, packed, bias, one, one, one, 1, "add", 1.0, "relu", [], None)
        run = ops._convolution_pointwise.binary
        bent = ops._convolution_pointwise(x, packed, bias, one, one, one, 1, "tanh", [], "")
        beside = run(x, x, packed, bias, one, one, one, 1, "add", 1.0, None, [], None)
        packed = ops._reorder_convolution_transpose_weight(square, one, [0, 0], one, one, 1)
        enlarged = ops._convolution_transpose_pointwise(x, packed, bias, one, [0, 0], one, one, 1, "none", [], "")
    except (RuntimeError, AttributeError, TypeError):
        return False
    pairs = (
        (one_after, plain.relu()),
        (bent, plain.tanh()),
        (summed, (x + plain).relu()),
        (beside, x + plain),
        (enlarged, larger),
    )
    return all(torch.allclose(ours, wanted, atol=1e-4) for ours, wanted in pairs)


@lru_cache(maxsize=1)
def can_pack_rows() -> bool:
    """Whether this build of torch has packed matrix products, and they compute what ordinary ones do."""
    x, weight, bias = torch.linspace(-1, 1, 64).reshape(4, 16), torch.linspace(-1, 1, 48).reshape(3, 16), torch.ones(3)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight)
        made = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "relu", [], "")
    except (RuntimeError, AttributeError, TypeError):
        return False
    return torch.allclose(made, functional.linear(x, weight, bias).relu(), atol=1e-4)


@lru_cache(maxsize=1)
def can_pack_volumes() -> bool:
    """Whether this build of torch has packed convolutions in space, and they compute what ordinary ones do."""
    x, cube = torch.linspace(-1, 1, 256).reshape(1, 4, 4, 4, 4), torch.linspace(-1, 1, 432).reshape(4, 4, 3, 3, 3)
    x, bias, once = x.contiguous(memory_format=torch.channels_last_3d), torch.linspace(-1, 1, 4), [1, 1, 1]
    plain = functional.conv3d(x, cube, bias, padding=1)
    larger = functional.conv_transpose3d(x, cube, None, padding=1)
    try:
        ops, none = torch.ops.mkldnn, [0, 0, 0]
        packed = ops._reorder_convolution_weight(cube, once, once, once, 1)
        made = ops._convolution_pointwise(x, packed, bias, once, once, once, 1, "none", [], "")
        run = ops._convolution_pointwise_.binary
        summed = run(x.clone(), x, packed, bias, once, once, once, 1, "add", 1.0, None, [], None)
        packed = ops._reorder_convolution_transpose_weight(cube, once, none, once, once, 1)
        enlarged = ops._convolution_transpose_pointwise(x, packed, None, once, none, once, once, 1, "none", [], "")
    except (RuntimeError, AttributeError, TypeError):
        return False
    pairs = ((made, plain), (summed, x + plain), (enlarged, larger))
    return all(torch.allclose(ours, wanted, atol=1e-4) for ours, wanted in pairs)
