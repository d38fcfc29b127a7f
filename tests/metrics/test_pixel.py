"""Pixel measures agree with the field's libraries, and fall when a picture gets worse."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tests.metrics import scenery
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from retarget_cli.core.motion import FloatArray
from retarget_cli.metrics.base import Frames, Need
from retarget_cli.metrics.pixel import INFOS, MOST_DB, Pair, PixelMetrics

KEYS = tuple(INFOS)


def scored(frames: Frames, *keys: str) -> dict[str, FloatArray]:
    return PixelMetrics(keys or KEYS).begin().score(frames)


def clip() -> Tensor:
    return scenery.gliding()


def unit(pictures: Tensor) -> Tensor:
    return pictures.float() / 255


def inverted(pictures: Tensor) -> Tensor:
    """Structure turned into its opposite: similarity is negative."""
    return 255 - pictures


@pytest.mark.parametrize("spoil", [scenery.noised, scenery.blurred, scenery.shifted, scenery.flickering, inverted])
def test_agrees_with_torchmetrics(spoil: Callable[[Tensor], Tensor]) -> None:
    target = clip()
    rendered = spoil(target)
    found = scored(scenery.frames(rendered, target))
    for number in range(len(target)):
        one = unit(rendered[number : number + 1]), unit(target[number : number + 1])
        assert found["ssim"][number] == pytest.approx(
            float(structural_similarity_index_measure(*one, data_range=1.0)), abs=1e-4
        )
        assert found["ms-ssim"][number] == pytest.approx(
            float(multiscale_structural_similarity_index_measure(*one, data_range=1.0)), abs=1e-4
        )


def test_agrees_with_scikit_image() -> None:
    """Its mean leaves the border out, where a window lies partly outside; so does this comparison."""
    target = clip()
    rendered = scenery.noised(target)
    found = scored(scenery.frames(rendered, target))
    for number in range(len(target)):
        ours, theirs = (each[number].permute(1, 2, 0).numpy() for each in (rendered, target))
        index = structural_similarity(
            ours, theirs, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=2
        )
        pair = Pair.of(rendered[number], target[number], None)
        assert float(pair.index()[5:-5, 5:-5].mean()) == pytest.approx(index, abs=1e-4)
        noise = peak_signal_noise_ratio(theirs, ours, data_range=255)
        assert found["psnr"][number] == pytest.approx(noise, abs=1e-4)
        difference = np.abs(ours.astype(float) - theirs).mean() / 255
        assert found["l1"][number] == pytest.approx(difference, abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(40, 160), slice(60, 120)),  # amidst
        (slice(0, 30), slice(150, 200)),  # in a corner
        (slice(180, 192), slice(0, 200)),  # along a border
        (slice(90, 91), slice(100, 101)),  # one pixel
        (slice(0, 192), slice(0, 200)),  # everywhere
    ],
)
def test_masked_index_agrees_with_torchmetrics(rows: slice, columns: slice) -> None:
    """Ours looks only about the person; theirs at the whole black picture."""
    target = clip()[:1]
    rendered = scenery.noised(target)
    where = torch.zeros(1, *target.shape[-2:], dtype=torch.bool)
    where[0, rows, columns] = True
    found = scored(Frames(rendered, target, where), "mask-ssim", "mask-psnr")
    both = unit(rendered) * where[:, None], unit(target) * where[:, None]
    whole = structural_similarity_index_measure(*both, data_range=1.0)
    assert found["mask-ssim"][0] == pytest.approx(float(whole), abs=1e-5)
    noise = peak_signal_noise_ratio(both[1].numpy(), both[0].numpy(), data_range=1)
    assert found["mask-psnr"][0] == pytest.approx(min(100, noise), abs=1e-3)


@pytest.mark.parametrize("shade", [0, 128, 200, 240, 254])
def test_flat_pictures_keep_close_to_exact_values(shade: int) -> None:
    """Studio backgrounds: variances are differences of nearly equal numbers. torchmetrics' own single precision is
    off by 0.002 here, so that the comparison is with its double precision."""
    target = torch.full((1, 3, 64, 64), shade, dtype=torch.uint8)
    found = scored(Frames(target + 1, target), "ssim")
    exact = structural_similarity_index_measure((target + 1).double() / 255, target.double() / 255, data_range=1.0)
    assert found["ssim"][0] == pytest.approx(float(exact), abs=2e-4)


def test_equal_frames_are_perfect() -> None:
    assert MOST_DB == 100
    found = scored(scenery.frames(clip(), clip()))
    for key, info in INFOS.items():
        best = 0 if key == "l1" else MOST_DB if info.unit == "dB" else 1
        assert found[key] == pytest.approx([best] * scenery.COUNT, abs=1e-6)


@pytest.mark.parametrize("spoil", [scenery.noised, scenery.blurred, scenery.shifted, scenery.flickering])
@pytest.mark.parametrize("key", KEYS)
def test_a_worse_clip_has_worse_values(key: str, spoil: Callable[[Tensor], Tensor]) -> None:
    target = clip()
    before, after = (scored(scenery.frames(each, target), key)[key].mean() for each in (target, spoil(target)))
    assert (after < before) == INFOS[key].is_higher_better


def test_more_noise_is_worse() -> None:
    target = clip()
    little, much = (scored(scenery.frames(scenery.noised(target, s), target)) for s in (5.0, 20.0))
    for key, info in INFOS.items():
        assert (much[key].mean() < little[key].mean()) == info.is_higher_better


def test_of_the_person_only_the_person_counts() -> None:
    target = clip()
    where = scenery.person(target)
    background, inside = target.clone(), target.clone()
    background[(~where)[:, None].expand_as(target)] = 0
    inside[where[:, None].expand_as(target)] = 0
    outside = scored(scenery.frames(background, target))
    assert outside["mask-psnr"] == pytest.approx([MOST_DB] * len(target))
    assert outside["person-psnr"] == pytest.approx([MOST_DB] * len(target))
    assert outside["mask-ssim"] == pytest.approx([1] * len(target), abs=1e-6)
    assert (outside["psnr"] < 20).all()
    hidden = scored(scenery.frames(inside, target))
    assert (hidden["person-psnr"] < hidden["mask-psnr"]).all()
    assert (hidden["person-ssim"] < hidden["mask-ssim"]).all()


def test_person_psnr_by_hand() -> None:
    """One of two person's pixels is off by 51 of 255 in all channels: the mean square is 0.04 / 2."""
    target = torch.zeros(1, 3, 12, 12, dtype=torch.uint8)
    rendered, where = target.clone(), torch.zeros(1, 12, 12, dtype=torch.bool)
    rendered[0, :, 5, 5], where[0, 5, 5], where[0, 6, 6] = 51, True, True
    found = scored(Frames(rendered, target, where), "person-psnr", "mask-psnr")
    assert found["person-psnr"][0] == pytest.approx(-10 * math.log10(0.02), abs=1e-4)
    assert found["mask-psnr"][0] == pytest.approx(-10 * math.log10(0.04 / 144), abs=1e-4)


def test_what_can_not_be_measured_is_no_number() -> None:
    tiny = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    found = scored(Frames(tiny, tiny, torch.zeros(2, 8, 8, dtype=torch.bool)))
    assert all(np.isnan(found[key]).all() for key in ("ssim", "ms-ssim", "mask-ssim", "person-ssim", "person-psnr"))
    assert (found["l1"] == 0).all()
    alone = scored(Frames(clip()))
    assert all(np.isnan(values).all() for values in alone.values())
    unknown = scored(Frames(clip(), clip()))
    assert np.isnan(unknown["mask-psnr"]).all()
    assert not np.isnan(unknown["psnr"]).any()


def test_nobody_in_the_frame_is_no_value() -> None:
    """Two black pictures would be equal, and lift a mean for nothing."""
    target = clip()[:2]
    where = scenery.person(target)
    where[1] = False
    found = scored(Frames(scenery.noised(target), target, where))
    for key in ("mask-psnr", "mask-ssim", "person-psnr", "person-ssim"):
        assert np.isfinite(found[key]).tolist() == [True, False]
    assert np.isfinite(found["ssim"]).all()


@pytest.mark.parametrize(("side", "has_value"), [(175, False), (176, True)])
def test_five_scales_need_so_many_pixels(side: int, has_value: bool) -> None:
    target = scenery.gliding(count=1, size=(side, 200))
    assert np.isfinite(scored(Frames(target, target), "ms-ssim")["ms-ssim"][0]) == has_value


def test_windows_do_not_matter() -> None:
    target = clip()
    rendered = scenery.noised(target)
    whole = scored(scenery.frames(rendered, target))
    scorer = PixelMetrics(KEYS).begin()
    parts = [scorer.score(scenery.frames(rendered[a:b], target[a:b])) for a, b in ((0, 1), (1, 4), (4, 6))]
    for key in KEYS:
        assert np.concatenate([part[key] for part in parts]) == pytest.approx(whole[key])


def test_it_says_what_it_needs() -> None:
    assert PixelMetrics(["psnr"]).needs == {Need.TARGET}
    assert PixelMetrics(["psnr", "mask-ssim"]).needs == {Need.TARGET, Need.PERSON}
