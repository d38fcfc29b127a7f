"""PSNR and SSIM against their definitions and against scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from retarget_cli.core.subject import Image
from retarget_cli.metrics.image import psnr, ssim, ssim_map


def noisy(seed: int, strength: float = 20.0) -> tuple[Image, Image]:
    """A smooth picture (48, 80, 3), and the same with noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((48, 80))
    picture = np.stack([rows * 4, columns * 3, (rows + columns) * 2], -1).clip(0, 255).astype(np.uint8)
    return picture, (picture + rng.normal(0, strength, picture.shape)).clip(0, 255).astype(np.uint8)


def test_equal_pictures() -> None:
    picture, _ = noisy(0)
    assert psnr(picture, picture) == math.inf
    assert ssim(picture, picture) == pytest.approx(1, abs=1e-6)


def test_psnr_of_a_known_difference() -> None:
    black = np.zeros((4, 6, 3), np.uint8)
    grey = black + np.uint8(16)
    assert psnr(black, grey) == pytest.approx(20 * math.log10(255 / 16))
    white = black + np.uint8(255)
    assert psnr(black, white) == pytest.approx(0)  # and no wrapping round of bytes
    assert psnr(white, black) == pytest.approx(0)


@pytest.mark.parametrize("strength", [5.0, 20.0, 60.0])
def test_as_scikit_image_says(strength: float) -> None:
    one, two = noisy(1, strength)
    assert psnr(one, two) == pytest.approx(peak_signal_noise_ratio(one, two, data_range=255), rel=1e-6)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    _, full = structural_similarity(one, two, channel_axis=2, full=True, **options)
    found = ssim_map(one, two)
    assert found.shape == (48, 80)
    inside = (slice(6, -6), slice(6, -6))  # the borders are padded in different ways
    assert np.abs(found[inside] - full.mean(-1)[inside]).max() < 1e-3


def test_more_noise_is_worse() -> None:
    scores = [(psnr(*noisy(2, s)), ssim(*noisy(2, s))) for s in (3.0, 10.0, 30.0)]
    assert scores == sorted(scores, reverse=True)


def test_only_the_region_counts() -> None:
    one, two = noisy(3)
    region = np.zeros((48, 80), bool)
    region[10:30, 20:50] = True
    spoiled = two.copy()
    spoiled[~region] = 0
    assert psnr(one, spoiled, region) == pytest.approx(psnr(one[10:30, 20:50], two[10:30, 20:50]))
    clean = one.copy()
    clean[~region] = 0
    assert psnr(one, clean, region) == math.inf
    assert ssim(one, two, region) == pytest.approx(float(ssim_map(one, two)[region].mean()), rel=1e-5)
