"""The generator: three streams (paper, 3.3 and figure 5), any resolution that is a multiple of 8.

    background stream  masked background -> whole background
    identity stream    sources -> features of every level -> sources again (a denoising auto-encoder)
    transfer stream    warped colours and condition -> person in the target's pose, with a liquid warping block
                       wherever the identity stream has features of the same size

Convention: colours in [-1, 1]; the mask heads are 1 on the BACKGROUND, inverted against equation 1, as in the released
    weights. A flow T (h, w, 2) holds (x, y) in [-1, 1] with half-pixel centres, and (-2, -2) where it leads nowhere;
    it is brought to a feature's size with align_corners=True and sampled with align_corners=False, zeros outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.liquid_warp.blocks import (
    AddBlock,
    AttentionBlock,
    GatedBlock,
    LiquidWarpingBlock,
    MeanBlock,
)

Strategy = Literal["attention", "add", "mean", "gated-add", "gated-mean", "texture", "concatenation"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
# Source pictures that are concatenated by the strategy of that name (paper, 4.2: two).
CONCATENATED = 2


@dataclass(frozen=True, slots=True)
class Design:
    """What the generator's form depends on.

    Attributes:
        strategy: how source information is propagated (paper, 5.3).
        width: channels at half resolution; 64 as published.
        depth: residual blocks; 6 as published.
        has_background: whether there is a background stream.
    """

    strategy: Strategy = "attention"
    width: int = 64
    depth: int = 6
    has_background: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """What the generator makes.

    Attributes:
        background: (B, 3, H, W), or None without a background stream.
        source_image, source_mask: (B, S, 3, H, W), (B, S, 1, H, W).
        image, mask: (B, 3, H, W), (B, 1, H, W) of the target.
    """

    background: Tensor | None
    source_image: Tensor
    source_mask: Tensor
    image: Tensor
    mask: Tensor


class Generator(nn.Module):
    """The three streams.

    Args:
        design: its form.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        self.background = BackgroundStream(design) if design.has_background else None
        self.identity = IdentityStream(design)
        self.transfer = TransferStream(design)

    def forward(self, batch: Mapping[str, Tensor]) -> Made:
        """All streams.

        Args:
            batch: `sources` (B, S, 6, H, W), `flows` (B, S, H, W, 2), `target_input` (B, 6, H, W) and, for the
                background stream, `background_input` (B, 4, H, W).
        """
        sources = batch["sources"]
        features = self.identity.encode(sources.flatten(0, 1))
        image, mask = self.identity.decode(features[-1])
        count = sources.shape[1]
        made = self.transfer(batch["target_input"], sources, features, batch["flows"])
        behind = None if self.background is None else self.background(batch["background_input"])
        return Made(behind, split(image, count), split(mask, count), *made)


class BackgroundStream(nn.Module):
    """Fills the hole that the person leaves.

    Args:
        design: its width and depth.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        w = design.width
        downs = [(4, w, 7, 1), (w, 2 * w, 3, 2), (2 * w, 2 * w, 3, 2), (2 * w, 4 * w, 3, 2)]
        self.encoder = nn.ModuleList(nn.Conv2d(a, b, k, s, padding=k // 2) for a, b, k, s in downs)
        self.residual = nn.ModuleList(Residual(4 * w, is_normalized=True) for _ in range(design.depth))
        ups = [(4 * w, 2 * w), (2 * w, 2 * w), (2 * w, w)]
        self.decoder = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in ups)
        self.colour = nn.Conv2d(w, 3, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) from the masked background and its mask (B, 4, H, W)."""
        for layer in self.encoder:
            x = functional.relu(functional.instance_norm(layer(x)))
        for layer in self.residual:
            x = layer(x)
        for layer in self.decoder:
            x = functional.relu(functional.instance_norm(layer(x)))
        return torch.tanh(self.colour(x))


class IdentityStream(nn.Module):
    """What the sources look like, at every level.

    Args:
        design: its width and depth.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        w = design.width
        self.encoder = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in ((6, w), (w, 2 * w), (2 * w, 4 * w)))
        self.residual = nn.ModuleList(Residual(4 * w) for _ in range(design.depth))
        ups = ((4 * w, 4 * w), (4 * w, 2 * w), (2 * w, w))
        self.decoder = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in ups)
        self.head = Head(w)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Features after every encoder stage and every residual block, of sources (N, 6, H, W)."""
        features = []
        for layer in self.encoder:
            x = functional.relu(layer(x))
            features.append(x)
        for layer in self.residual:
            x = layer(x)
            features.append(x)
        return features

    def decode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Colours and mask of the sources, from the last feature."""
        for layer in self.decoder:
            x = functional.relu(layer(x))
        colour, mask = self.head(x)
        return colour, mask


class TransferStream(nn.Module):
    """The person in another pose: a ResUnet with liquid warping blocks.

    Args:
        design: its form.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        w, self.strategy = design.width, design.strategy
        channels = CONCATENATED * 6 + 3 if design.strategy == "concatenation" else 6
        downs = ((channels, w), (w, 2 * w), (2 * w, 4 * w))
        self.encoder = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in downs)
        self.residual = nn.ModuleList(Residual(4 * w) for _ in range(design.depth))
        sizes = [w, 2 * w, 4 * w, *(4 * w for _ in range(design.depth))]
        self.blocks = nn.ModuleList() if is_without_blocks(design.strategy) else nn.ModuleList(
            _block(design.strategy, size, 2 * w) for size in sizes
        )  # fmt: skip
        ups = ((4 * w, 4 * w), (4 * w, 2 * w), (2 * w, w))
        self.decoder = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in ups)
        merges = ((6 * w, 4 * w), (3 * w, 2 * w))
        self.merge = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in merges)
        self.head = Head(w)

    def forward(
        self, target_input: Tensor, sources: Tensor, features: Sequence[Tensor], flows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Colours (B, 3, H, W) and mask (B, 1, H, W).

        Args:
            target_input: (B, 6, H, W) warped colours and condition of the target.
            sources: (B, S, 6, H, W); only the strategies `texture` and `concatenation` look at them.
            features: of `IdentityStream.encode`, each (B * S, C, h, w).
            flows: (B, S, H, W, 2).
        """
        warped = WarpedFeatures(features, flows)
        skips = []
        x = self.first_input(target_input, sources, flows)
        for level, layer in enumerate(self.encoder):
            x = self._blended(functional.relu(layer(x)), level, warped)
            skips.append(x)
        for level, layer in enumerate(self.residual, len(self.encoder)):
            x = self._blended(layer(x), level, warped)
        for number, layer in enumerate(self.decoder):
            x = functional.relu(layer(x))
            if number < len(self.merge):
                x = functional.relu(self.merge[number](torch.cat([skips[1 - number], x], 1)))
        colour, mask = self.head(x)
        return colour, mask

    def _blended(self, x: Tensor, level: int, warped: WarpedFeatures) -> Tensor:
        return self.blocks[level](x, warped.at(level)) if len(self.blocks) else x

    def first_input(self, target_input: Tensor, sources: Tensor, flows: Tensor) -> Tensor:
        """What the first layer sees."""
        condition = target_input[:, 3:]
        if self.strategy == "texture":
            return torch.cat([overlapped(sources[:, :, :3], flows), condition], 1)
        if self.strategy == "concatenation":
            chosen = [sources[:, number % sources.shape[1]] for number in range(CONCATENATED)]
            return torch.cat([*chosen, condition], 1)
        return target_input


class WarpedFeatures:
    """Source features in the target's place, level by level.

    Args:
        features: each (B * S, C, h, w).
        flows: (B, S, H, W, 2).
    """

    def __init__(self, features: Sequence[Tensor], flows: Tensor) -> None:
        self._features, self._flows = features, flows
        self._resized: dict[tuple[int, int], Tensor] = {}

    def at(self, level: int) -> Tensor:
        """(B, S, C, h, w)."""
        feature = self._features[level]
        height, width = feature.shape[-2:]
        if (height, width) not in self._resized:
            self._resized[height, width] = resized_flow(self._flows.flatten(0, 1), height, width)
        grid = self._resized[height, width]
        if feature.shape[0] != grid.shape[0]:  # one subject's features serve a window of frames
            feature = feature.repeat(grid.shape[0] // feature.shape[0], 1, 1, 1)
        warped = functional.grid_sample(feature, grid, align_corners=False)
        return split(warped, self._flows.shape[1])


class Residual(nn.Module):
    """x + conv(relu(conv(x))), with instance norm after both convolutions where that is asked for.

    Args:
        channels: in and out.
        is_normalized: instance norm without affine.
    """

    def __init__(self, channels: int, is_normalized: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.is_normalized = is_normalized

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w)."""
        if self.is_normalized:
            y = functional.relu(functional.instance_norm(self.first(x)))
            return x + functional.instance_norm(self.second(y))
        return x + self.second(functional.relu(self.first(x)))


class Head(nn.Module):
    """Colours by tanh and a mask by sigmoid.

    Args:
        width: channels in.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.colour = nn.Conv2d(width, 3, 5, padding=2, bias=False)
        self.mask = nn.Conv2d(width, 1, 5, padding=2, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [-1, 1], (B, 1, H, W) in [0, 1]."""
        return torch.tanh(self.colour(x)), torch.sigmoid(self.mask(x))


def is_without_blocks(strategy: Strategy) -> bool:
    """The paper's baselines that propagate pictures instead of features."""
    return strategy in ("texture", "concatenation")


def _block(strategy: Strategy, channels: int, hidden: int) -> LiquidWarpingBlock:
    if strategy == "attention":
        return AttentionBlock(channels, hidden)
    if strategy in ("gated-add", "gated-mean"):
        return GatedBlock(channels, is_mean=strategy == "gated-mean")
    return AddBlock() if strategy == "add" else MeanBlock()


def split(tensor: Tensor, count: int) -> Tensor:
    """(B, S, ...) from (B * S, ...), `count` being S."""
    return tensor.reshape(-1, count, *tensor.shape[1:])


def resized_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """(N, h, w, 2) from (N, H, W, 2), as the released weights expect it."""
    if flow.shape[1:3] == (height, width):
        return flow
    moved = functional.interpolate(flow.permute(0, 3, 1, 2), (height, width), mode="bilinear", align_corners=True)
    return moved.permute(0, 2, 3, 1)


def overlapped(pictures: Tensor, flows: Tensor) -> Tensor:
    """(B, 3, H, W): sources (B, S, 3, H, W) in the target's place, their mean where several are seen."""
    warped = functional.grid_sample(pictures.flatten(0, 1), flows.flatten(0, 1), align_corners=False)
    seen = (flows.abs().amax(-1) <= 1).to(warped.dtype)[:, :, None]
    warped = split(warped, flows.shape[1]) * seen
    return warped.sum(1) / seen.sum(1).clamp_min(1)
