"""The networks made ready for one subject and many frames: the same pictures as the plain modules, in less time.

    once a subject  volumes as tables of voxels; what the flow network makes of the source; weights, packed
    every frame     flow, reading, decoders, one frame at a time: what a layer leaves for the next is still in the cache

How many photos the volumes came from makes no difference. See `fast_layers`, `fast_flow`, `fast_reading`, `fast_photo`
and `fast_limbs` for what each does. For CPUs; elsewhere the plain modules run.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import torch
from torch import Tensor, nn

from retarget_cli.backends.bottleneck.blocks import Unit
from retarget_cli.backends.bottleneck.decoder import Decoder2D, Decoder3D
from retarget_cli.backends.bottleneck.design import BottleneckDesign
from retarget_cli.backends.bottleneck.fast_flow import FastFlow
from retarget_cli.backends.bottleneck.fast_layers import (
    Enlarging,
    FastHourglass,
    FastNorm,
    FastUnit,
    FastUp,
    Joined,
    TwoRows,
    everything,
    laid,
    weights,
)
from retarget_cli.backends.bottleneck.fast_limbs import occupancy
from retarget_cli.backends.bottleneck.fast_photo import FastPhoto
from retarget_cli.backends.bottleneck.fast_reading import Axes, Flow, home_of, read, table_of, volume_of
from retarget_cli.backends.bottleneck.model import Bottleneck, Made, composed
from retarget_cli.backends.bottleneck.sampling import Size, rigid_places
from retarget_cli.backends.bottleneck.volumes import Volumes
from retarget_cli.backends.stage.limbs import segments
from retarget_cli.backends.stage.posture import Posture


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
            self._flow = FastFlow(network.flow, picture, own, torch.float32)
            kept = volumes if design.skips else volumes.coarsest()
            # Behind a level's own features there is room for the body.
            self._tables = [table_of(level, int(design.has_body)) for level in kept.levels]
            self._sizes = design.sizes[-len(self._tables) :]
            self._home, wanted = home_of(design.sizes[0], picture), {*design.sizes, design.body_size}
            pairs = product({self._flow.size, design.sizes[0]}, wanted)
            self._ways = {(found, size): Flow(found, size) for found, size in pairs}
            self._bodies = [Axes.resizing(design.body_size, size) for size in design.sizes]
            self._photo = None
            if volumes.photo is not None and volumes.body is not None:
                self._photo = FastPhoto(volumes.photo, volumes.body)
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
        size, body, limbs = self._design.body_size, None, segments(target)
        if self._body is not None:
            body = occupancy(limbs, size, softness=2 / size[0])
        return self._shown(self._flow(target, limbs), self._flow.size, body)

    def _turned(self, rotation: Tensor) -> Tensor:
        """(1, 4, S, S) by one (1, 3, 3)."""
        size, body = self._design.sizes[0], None
        moved = rigid_places(rotation, size)[0].permute(3, 1, 2, 0).flatten(1) - self._home
        if self._body is not None:
            body = self._read(self._body, self._design.body_size, moved, size).T
        return self._shown(moved, size, body)

    def _shown(self, moved: Tensor, size: Size, body: Tensor | None) -> Tensor:
        """(1, 4, S, S) when the places are `moved` (3, P) from home, found at a size (D, H, W)."""
        levels = [self._read(table, own, moved, size) for table, own in zip(self._tables, self._sizes, strict=True)]
        beside = [] if body is None else [resize(body)[0] for resize in self._bodies]
        return self._plane(self._space(levels, beside), self._seen(moved, size, body))

    def _seen(self, moved: Tensor, size: Size, body: Tensor | None) -> Tensor | None:
        """(1, CHANNELS, S, S): the photo as the body (1, P) shows it."""
        if self._photo is None or body is None:
            return None
        flow = self._ways[size, self._design.body_size]
        return self._photo(body, flow.moved(moved), flow.places(moved))

    def _read(self, table: Tensor, own: Size, moved: Tensor, size: Size) -> Tensor:
        return read(table, own, self._ways[size, own].places(moved))


class _FastDecoder3D:
    def __init__(self, decoder: Decoder3D, design: BottleneckDesign, dtype: torch.dtype) -> None:
        self._dtype, self._sizes, self._has_skips = dtype, design.sizes, design.skips
        self._enter = [FastUnit(unit, dtype) for unit in decoder.enter]
        self._narrow = [Joined(layer, [everything(layer)], dtype) for layer in decoder.narrow]
        self._merges = [_FastMerge(unit, int(design.has_body), dtype) for unit in decoder.merges]

    def __call__(self, levels: list[Tensor], beside: list[Tensor]) -> Tensor:
        """(1, C, H, W, D).

        Args:
            levels: rows (P, C) of every level that is looked at, which may be overwritten; with a body one more column.
            beside: (P), the body at every size; or none.
        """
        if beside:
            for level, body in zip(levels, beside[-len(levels) :], strict=True):
                level[:, -1] = body
        x = self._volume(levels[-1], self._sizes[-1])
        for unit in self._enter:
            x = unit(x)
        rows = levels if self._has_skips else [body[:, None] for body in beside]
        for at in reversed(range(len(self._merges))):
            others = [self._volume(each, self._sizes[at]) for each in rows[at : at + 1]]
            x = self._merges[at](self._narrow[at](x), *others)
        return x

    def _volume(self, rows: Tensor, size: Size) -> Tensor:
        return volume_of(rows.to(self._dtype), size)


class _FastMerge:
    """A unit of a doubled volume, and of features that are put beside it: `beside` channels and the level's own."""

    def __init__(self, unit: nn.Module, beside: int, dtype: torch.dtype) -> None:
        assert isinstance(unit, Unit)
        doubled, body, own = everything(unit.conv).tensor_split([_fine(unit), _fine(unit) + beside])
        self._enlarge, self._norm = Enlarging(weights(unit.conv)[0][:, doubled], dtype), FastNorm(unit.norm)
        # The plain decoder has the body before the level's own features; here it comes behind them.
        order = torch.cat([own, body])
        self._beside = Joined(unit.conv, [order], dtype) if len(order) else None

    def __call__(self, x: Tensor, others: Tensor | None = None) -> Tensor:
        made = self._enlarge(x)
        if self._beside is not None and others is not None:
            made = self._beside(others, onto=made)
        return self._norm(made)


class _FastDecoder2D:
    def __init__(self, decoder: Decoder2D, design: BottleneckDesign, dtype: torch.dtype) -> None:
        depth, enlarger = design.sizes[0][0], decoder.enlarger
        plane_by_plane = torch.arange(design.channels * depth).view(-1, depth).T.flatten()
        self._hourglass = FastHourglass(decoder.hourglass, dtype, plane_by_plane)
        self._narrow, self._smooth = FastUp(enlarger.narrow, dtype), FastUnit(enlarger.smooth, dtype)
        self._last, own = _FastLast(enlarger.last, dtype), _fine(enlarger.last)
        every = everything(enlarger.picture)
        self._picture = TwoRows(enlarger.picture, [every[:own], every[own:]] if design.has_photo else [every], dtype)

    def __call__(self, volume: Tensor, photo: Tensor | None) -> Tensor:
        """(1, 4, S, S): colours in [-1, 1] and confidence in [0, 1], from (1, C, H, W, D) and the photo moved."""
        flat = volume.permute(0, 2, 3, 4, 1).flatten(3).permute(0, 3, 1, 2)
        half, beside = self._smooth(self._narrow(self._hourglass(flat))), []
        if photo is not None:
            beside = [laid(photo, self._picture.dtype)]
        return composed(self._picture(self._last(half, *beside), *beside), photo)


class _FastLast:
    """A unit of doubled pixels, and of a photo of their size that may be put beside them."""

    def __init__(self, unit: nn.Module, dtype: torch.dtype) -> None:
        assert isinstance(unit, Unit)
        doubled, photo = everything(unit.conv).tensor_split([_fine(unit)])
        self._up = FastUp(unit, dtype, doubled)
        self._beside = Joined(unit.conv, [photo], dtype) if len(photo) else None

    def __call__(self, x: Tensor, photo: Tensor | None = None) -> Tensor:
        made = self._up.convolution(x)
        if self._beside is not None and photo is not None:
            made = self._beside(photo, onto=made)
        return self._up.norm(made)


def _fine(unit: Unit) -> int:
    """How many channels it makes."""
    return weights(unit.conv)[0].shape[0]


def _together(shown: Iterable[Tensor]) -> Made:
    made = torch.cat(list(shown))
    return Made(made[:, :3], made[:, 3:])
