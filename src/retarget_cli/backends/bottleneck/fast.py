"""The networks made ready for one subject and many frames: the same pictures as the plain modules, in less time.

    once a subject  volumes as tables of voxels; what the flow network makes of the source; weights, packed
    every frame     flow, reading, decoders, one frame at a time: what a layer leaves for the next is still in the cache

How many photos the volumes came from makes no difference. See `fast_layers`, `fast_flow`, `fast_reading` and
`fast_limbs` for what each does. For CPUs; elsewhere the plain modules run.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import Unit
from retarget_cli.backends.bottleneck.decoder import Decoder2D, Decoder3D
from retarget_cli.backends.bottleneck.design import BottleneckDesign
from retarget_cli.backends.bottleneck.fast_flow import FastFlow
from retarget_cli.backends.bottleneck.fast_layers import (
    FastHourglass,
    FastNorm,
    FastUnit,
    FastUp,
    Joined,
    enlarging,
    everything,
    four_at_once,
    laid,
    weights,
)
from retarget_cli.backends.bottleneck.fast_limbs import occupancy
from retarget_cli.backends.bottleneck.fast_reading import home_of, read, resized, table_of, volume_of
from retarget_cli.backends.bottleneck.model import Bottleneck, Made, composed
from retarget_cli.backends.bottleneck.photo import moved_photo
from retarget_cli.backends.bottleneck.posture import Posture
from retarget_cli.backends.bottleneck.sampling import Size, rigid_places
from retarget_cli.backends.bottleneck.volumes import Volumes


class FastBottleneck:
    """The generator and one person.

    Args:
        network: its weights are read here, and not again.
        picture: (1, 4, S, S) of the person, see `Bottleneck.encode`.
        own: (1) posture in it.
        volumes: (1) of the person, in that posture.
        dtype: in which the decoders' convolutions are computed; what finds the flow keeps full precision.
    """

    def __init__(
        self,
        network: Bottleneck,
        picture: Tensor,
        own: Posture,
        volumes: Volumes,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        with torch.inference_mode():
            design = network.design
            self._design, self._body = design, None if volumes.body is None else table_of(volumes.body)
            self._own, self._photo = volumes.body, volumes.photo
            self._flow = FastFlow(network.flow, picture, own, torch.float32)
            kept = volumes if design.skips else volumes.coarsest()
            self._tables = [table_of(level) for level in kept.levels]
            self._sizes = design.sizes[-len(self._tables) :]
            self._homes = {size: home_of(size, picture) for size in {*design.sizes, design.body_size}}
            self._space = _FastDecoder3D(network.decoder3d, design, dtype)
            self._plane = _FastDecoder2D(network.decoder, design, dtype)

    @torch.inference_mode()
    def posed(self, target: Posture) -> Made:
        """The person in (B) postures."""
        pairs = zip(target.joints[:, None], target.bones[:, None], strict=True)
        return _together(self._posed(Posture(*pair)) for pair in pairs)

    @torch.inference_mode()
    def turned(self, rotation: Tensor) -> Made:
        """The person in its own posture, turned about the hips by (B, 3, 3)."""
        return _together(self._turned(each) for each in rotation[:, None])

    def _posed(self, target: Posture) -> Tensor:
        """(1, 4, S, S) of one."""
        size, body = self._design.body_size, None
        if self._body is not None:
            body = occupancy(target, size, softness=2 / size[0])
        return self._shown(self._flow(target), self._flow.size, body)

    def _turned(self, rotation: Tensor) -> Tensor:
        """(1, 4, S, S) by one (1, 3, 3)."""
        size, body = self._design.sizes[0], None
        moved = rigid_places(rotation, size)[0].permute(3, 1, 2, 0).flatten(1) - self._homes[size]
        if self._body is not None:
            body = self._read(self._body, self._design.body_size, moved, size).T
        return self._shown(moved, size, body)

    def _shown(self, moved: Tensor, size: Size, body: Tensor | None) -> Tensor:
        """(1, 4, S, S) when the places are `moved` (3, P) from home, found at a size (D, H, W)."""
        levels = [self._read(table, own, moved, size) for table, own in zip(self._tables, self._sizes, strict=True)]
        beside = []
        if body is not None:
            beside = [resized(body, self._design.body_size, each).T for each in self._design.sizes]
        return self._plane(self._space(levels, beside), self._seen(moved, size, body))

    def _seen(self, moved: Tensor, size: Size, body: Tensor | None) -> Tensor | None:
        """(1, CHANNELS, S, S): the photo as the body (1, P) shows it."""
        if self._photo is None or self._own is None or body is None:
            return None
        fine = self._design.body_size
        places = resized(moved, size, fine) + self._homes[fine]
        (there,), across = (_in_space(each, fine) for each in (body, places))
        return moved_photo(self._photo, self._own, there[None, None], across.permute(1, 2, 3, 0)[None])

    def _read(self, table: Tensor, own: Size, moved: Tensor, size: Size) -> Tensor:
        return read(table, own, resized(moved, size, own) + self._homes[own])


class _FastDecoder3D:
    def __init__(self, decoder: Decoder3D, design: BottleneckDesign, dtype: torch.dtype) -> None:
        self._dtype, self._sizes, self._has_skips = dtype, design.sizes, design.skips
        self._enter = [FastUnit(unit, dtype) for unit in decoder.enter]
        self._narrow = [Joined(layer, [everything(layer)], dtype) for layer in decoder.narrow]
        self._merges = [_FastMerge(unit, int(design.has_body), dtype) for unit in decoder.merges]

    def __call__(self, levels: list[Tensor], beside: list[Tensor]) -> Tensor:
        """(1, C, H, W, D) from rows (P, C) of every level that is looked at, and (P, 1) of every size, or none."""
        x = self._volume([levels[-1], *beside[-1:]], self._sizes[-1])
        for unit in self._enter:
            x = unit(x)
        for level in reversed(range(len(self._merges))):
            parts = [*levels[level : level + 1]] if self._has_skips else []
            parts += beside[level : level + 1]
            x = self._merges[level](self._narrow[level](x), self._volume(parts, self._sizes[level]) if parts else None)
        return x

    def _volume(self, parts: list[Tensor], size: Size) -> Tensor:
        rows = torch.cat([part.to(self._dtype) for part in parts], 1)
        return volume_of(rows, size)


class _FastMerge:
    """A unit of a doubled volume, and of features that are put beside it: `beside` channels and the level's own."""

    def __init__(self, unit: nn.Module, beside: int, dtype: torch.dtype) -> None:
        assert isinstance(unit, Unit)
        doubled, body, own = everything(unit.conv).tensor_split([_fine(unit), _fine(unit) + beside])
        self._enlarge, self._norm = enlarging(weights(unit.conv)[0][:, doubled], dtype), FastNorm(unit.norm)
        # The plain decoder has the body before the level's own features; here it comes behind them.
        order = torch.cat([own, body])
        self._beside = Joined(unit.conv, [order], dtype) if len(order) else None

    def __call__(self, x: Tensor, others: Tensor | None) -> Tensor:
        made = self._enlarge(laid(x, self._enlarge.dtype))
        if self._beside is not None and others is not None:
            made = self._beside(others, onto=made)
        return self._norm(made)


class _FastDecoder2D:
    def __init__(self, decoder: Decoder2D, design: BottleneckDesign, dtype: torch.dtype) -> None:
        depth, enlarger = design.sizes[0][0], decoder.enlarger
        plane_by_plane = torch.arange(design.channels * depth).view(-1, depth).T.flatten()
        self._hourglass = FastHourglass(decoder.hourglass, dtype, plane_by_plane)
        self._narrow, self._smooth = FastUp(enlarger.narrow, dtype), FastUnit(enlarger.smooth, dtype)
        self._last, self._picture = _FastLast(enlarger.last, dtype), four_at_once(enlarger.picture, dtype)

    def __call__(self, volume: Tensor, photo: Tensor | None) -> Tensor:
        """(1, 4, S, S): colours in [-1, 1] and confidence in [0, 1], from (1, C, H, W, D) and the photo moved."""
        flat = volume.permute(0, 2, 3, 4, 1).flatten(3).permute(0, 3, 1, 2)
        half = self._smooth(self._narrow(self._hourglass(flat)))
        shown = self._last(half, photo)
        if photo is not None:
            shown = torch.cat([shown, photo.to(shown.dtype)], 1)
        made = functional.pixel_shuffle(self._picture(laid(shown, self._picture.dtype)).float(), 2)
        return composed(made, photo)


class _FastLast:
    """A unit of doubled pixels, and of a photo of their size that may be put beside them."""

    def __init__(self, unit: nn.Module, dtype: torch.dtype) -> None:
        assert isinstance(unit, Unit)
        doubled, photo = everything(unit.conv).tensor_split([_fine(unit)])
        self._up = FastUp(unit, dtype, doubled)
        self._beside = Joined(unit.conv, [photo], dtype) if len(photo) else None

    def __call__(self, x: Tensor, photo: Tensor | None) -> Tensor:
        made = self._up.convolution(laid(x, self._up.convolution.dtype))
        if self._beside is not None and photo is not None:
            made = self._beside(photo, onto=made)
        return self._up.norm(made)


def _fine(unit: Unit) -> int:
    """How many channels it makes."""
    return weights(unit.conv)[0].shape[0]


def _together(shown: Iterable[Tensor]) -> Made:
    made = torch.cat(list(shown))
    return Made(made[:, :3], made[:, 3:])


def _in_space(values: Tensor, size: Size) -> Tensor:
    """(C, D, H, W) from (C, H * W * D)."""
    depth, height, width = size
    return values.reshape(-1, height, width, depth).permute(0, 3, 1, 2)
