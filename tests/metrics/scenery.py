"""Clips that move like something real: a textured scene that glides by."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.subject import Image
from retarget_cli.media.images import write_png
from retarget_cli.metrics.base import Frames

SIZE = (192, 200)
COUNT = 6


def landscape(height: int, width: int, seed: int = 0) -> Image:
    """(H, W, 3): soft blobs of all sizes, as photographs have."""
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    layers = [cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1, 3, 9, 20)]
    total = np.sum(layers, 0)
    low, high = total.min(), total.max()
    return np.asarray(255 * (total - low) / (high - low), np.uint8)


def gliding(step: float = 2.0, count: int = COUNT, size: tuple[int, int] = SIZE) -> Tensor:
    """(T, 3, H, W) uint8: the landscape goes `step` pixels to the left a frame."""
    height, width = size
    wide = landscape(height, width + int(step * count) + 2)
    return torch.stack([tensor(wide[:, round(step * t) : round(step * t) + width]) for t in range(count)])


def tensor(picture: Image) -> Tensor:
    """(3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).contiguous()


def shifted(clip: Tensor, pixels: int = 3) -> Tensor:
    return torch.roll(clip, pixels, -1)


def blurred(clip: Tensor) -> Tensor:
    frames = [cv2.GaussianBlur(frame.permute(1, 2, 0).numpy(), (0, 0), 2.0) for frame in clip]
    return torch.stack([tensor(np.asarray(frame, np.uint8)) for frame in frames])


def noised(clip: Tensor, strength: float = 12.0) -> Tensor:
    noise = torch.from_numpy(np.random.default_rng(1).normal(0, strength, clip.shape))
    return (clip + noise).clamp(0, 255).to(torch.uint8)


def flickering(clip: Tensor, strength: int = 24) -> Tensor:
    """Every second frame is brighter."""
    bright = clip.to(torch.int16)
    bright[1::2] += strength
    return bright.clamp(0, 255).to(torch.uint8)


def person(clip: Tensor) -> Tensor:
    """(T, H, W) bool: a block in the middle."""
    where = torch.zeros(len(clip), *clip.shape[-2:], dtype=torch.bool)
    where[:, 40:160, 60:120] = True
    return where


def frames(rendered: Tensor, target: Tensor | None) -> Frames:
    return Frames(rendered, target, None if target is None else person(target))


def write_frames(folder: Path, clip: Tensor) -> Path:
    """The clip as 000000.png, 000001.png, ... in a new folder."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(clip):
        write_png(folder / f"{number:06d}.png", np.ascontiguousarray(frame.permute(1, 2, 0).numpy()))
    return folder
