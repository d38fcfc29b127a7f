"""PSNR and SSIM, of whole pictures and of a region."""

from __future__ import annotations

import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image


def psnr(first: Image, second: Image, region: object = None) -> float:
    """Peak signal-to-noise ratio in dB of two pictures (H, W, 3) uint8; infinite when they are equal.

    Args:
        region: (H, W) bool; only these pixels count. None counts all.
    """
    square = (torch.from_numpy(first).double() - torch.from_numpy(second).double()) ** 2
    if region is not None:
        square = square[torch.as_tensor(region)]
    mean = float(square.mean())
    return float("inf") if mean == 0 else float(10 * torch.log10(torch.tensor(255.0**2 / mean, dtype=torch.float64)))


def ssim_map(first: Image, second: Image) -> FloatArray:
    """(H, W) structural similarity, 11 x 11 Gaussian window of sigma 1.5, mean of the channels (Wang et al., 2004)."""
    pair = [torch.from_numpy(picture).permute(2, 0, 1)[None].float() for picture in (first, second)]
    _, full = structural_similarity_index_measure(*pair, data_range=255.0, return_full_image=True)
    return full[0].mean(0).numpy()


def ssim(first: Image, second: Image, region: object = None) -> float:
    """Mean of `ssim_map` over a region (H, W) bool, or over all."""
    found = torch.from_numpy(ssim_map(first, second))
    return float(found.mean() if region is None else found[torch.as_tensor(region)].mean())
