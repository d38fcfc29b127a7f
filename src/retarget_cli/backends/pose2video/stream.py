"""Frames with their neighbours: of a stream, whose end nobody knows, and of a few that are all there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def beside(parts: Iterable[Tensor], before: int, after: int) -> Iterator[Tensor]:
    """Every frame of a stream once, its neighbours' channels beside its own, in the order of time.

    Before the first frame the first one is taken again, behind the last the last one. No more is kept than neighbours
    ask for, and frames come as soon as those behind them are there.

    Args:
        parts: (b, C, h, w), consecutive, b > 0.
        before, after: neighbours on either side.

    Yields:
        (b', (before + 1 + after) * C, h, w), b' > 0.
    """
    kept: Tensor | None = None
    for part in parts:
        # As the networks want it, before every frame is there 2K + 1 times.
        laid = part.contiguous(memory_format=torch.channels_last)
        kept = torch.cat([*([laid[:1]] * before), laid] if kept is None else [kept, laid])
        if len(kept) > before + after:
            yield stacked(kept[None], before + 1 + after)
            kept = kept[len(kept) - before - after :]
    if kept is not None and after:
        yield stacked(torch.cat([kept, *([kept[-1:]] * after)])[None], before + 1 + after)


def stacked(frames: Tensor, count: int) -> Tensor:
    """(B * (R - count + 1), count * C, h, w): of frames (B, R, C, h, w) every `count` consecutive ones side by side."""
    rows = frames.shape[1] - count + 1
    return torch.cat([frames[:, place : place + rows].flatten(0, 1) for place in range(count)], 1)
