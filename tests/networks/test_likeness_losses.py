"""Losses of pictures: their directions, and numbers that can be had another way."""

from __future__ import annotations

import pytest
import torch
from tests.reference_weights import official_shapes
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.adversarial_losses import MADE, REAL, WANTED, least_squares
from retarget_cli.networks.classic import VGG19_FIRST_TAPS, vgg
from retarget_cli.networks.crops import cropped, resized
from retarget_cli.networks.likeness_losses import NetworkLoss, PixelLoss, similarity, variation
from retarget_cli.networks.sphereface import Sphere20a


def pictures(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("box", [(0, 17, 0, 11), (3, 10, 2, 9), (16, 17, 10, 11), (5, 6, 0, 11)])
def test_a_crop_is_the_slice_resized(box: tuple[int, int, int, int]) -> None:
    x0, x1, y0, y1 = box
    whole = pictures(2, 3, 11, 17)
    sliced = functional.interpolate(whole[:, :, y0:y1, x0:x1], (7, 5), mode="bilinear", align_corners=True)
    torch.testing.assert_close(cropped(whole, torch.tensor([box] * 2), 7, 5), sliced, atol=1e-5, rtol=0)


def test_every_picture_has_its_own_box() -> None:
    whole = pictures(2, 1, 9, 9)
    boxes = torch.tensor([[0, 4, 0, 4], [5, 9, 5, 9]])
    found = cropped(whole, boxes, 4, 4)
    torch.testing.assert_close(found[0], whole[0, :, :4, :4], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1], whole[1, :, 5:, 5:], atol=1e-5, rtol=0)


def test_boxes_beyond_the_picture_or_without_pixels_give_finite_crops() -> None:
    whole = pictures(3, 1, 9, 9)
    found = cropped(whole, torch.tensor([[-5, 30, -5, 30], [4, 4, 4, 4], [40, 50, 40, 50]]), 9, 9)
    torch.testing.assert_close(found[0], whole[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1], whole[1, :, 4:5, 4:5].expand(1, 9, 9), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[2], whole[2, :, 8:, 8:].expand(1, 9, 9), atol=1e-5, rtol=0)


def test_the_right_size_is_not_resized() -> None:
    whole = pictures(1, 3, 8, 6)
    assert resized(whole, 8, 6) is whole
    assert resized(whole, 4, 3).shape == (1, 3, 4, 3)


def test_variation_of_a_ramp_is_its_slopes() -> None:
    ramp = 2.0 * torch.arange(5.0)[:, None] - 3.0 * torch.arange(7.0)
    assert variation(ramp[None, None]).item() == pytest.approx(5)
    assert variation(torch.ones(1, 1, 5, 7)).item() == 0


def test_least_squares_labels() -> None:
    assert (REAL, MADE, WANTED) == (1, -1, 0)
    scores = [torch.full((1, 1, 2, 2), 1.0), torch.full((1, 1, 9, 9), -1.0)]
    assert least_squares(scores[:1], REAL).item() == 0
    assert least_squares(scores[1:], MADE).item() == 0
    # Discriminators count the same, however many patches they judge.
    assert least_squares(scores, REAL).item() == pytest.approx(2)


def test_similarity_is_that_of_pictures_from_zero_up() -> None:
    first, second = pictures(2, 3, 20, 15), pictures(2, 3, 20, 15, seed=1) * 0.5 + 0.2
    one, other = (first.double() + 1) / 2, (second.double() + 1) / 2
    mean = [functional.avg_pool2d(each, 7, 1) for each in (one, other)]
    spread = [
        functional.avg_pool2d(a * b, 7, 1) - p * q
        for (a, b), (p, q) in (
            ((one, one), (mean[0], mean[0])),
            ((other, other), (mean[1], mean[1])),
            ((one, other), (mean[0], mean[1])),
        )
    ]
    top = (2 * mean[0] * mean[1] + 0.01**2) * (2 * spread[2] + 0.03**2)
    bottom = (mean[0] ** 2 + mean[1] ** 2 + 0.01**2) * (spread[0] + spread[1] + 0.03**2)
    assert similarity(first, second).item() == pytest.approx((top / bottom).mean().item(), abs=1e-5)
    assert similarity(first, first).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (33, 57), (7, 5), (112, 96)])
def test_pixel_loss_is_nothing_for_equals_and_grows_with_the_fault(size: tuple[int, int]) -> None:
    loss, target = PixelLoss(), functional.avg_pool2d(pictures(1, 3, size[0] * 4, size[1] * 4), 4)
    noise = pictures(1, 3, *size, seed=3)
    features = loss.features(target)
    values = [loss(target + amount * noise, features).item() for amount in (0, 0.05, 0.2, 0.6)]
    assert values[0] == pytest.approx(0, abs=1e-5)
    assert values == sorted(values)
    assert values[1] > 0.01


def test_pixel_loss_looks_at_coarse_scales_too() -> None:
    loss = PixelLoss()
    assert len(loss.features(pictures(1, 3, 256, 256))) == 4
    # A flat fault that a checker pattern has at the finest scale only weighs more.
    target = torch.zeros(1, 3, 64, 64)
    checker = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1).expand(1, 3, 64, 64) * 0.2
    flat = torch.full_like(target, 0.2)
    colours = [
        sum(functional.l1_loss(a, b) for a, b in zip(loss.extracted(each), loss.features(target), strict=True))
        for each in (flat, checker)
    ]
    assert colours[0] > 2 * colours[1]


class Scaled(nn.Module):
    """Five features, each the picture times a number."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x * factor for factor in (1.0, 2.0, 3.0, 4.0, 5.0)]


def test_network_loss_weighs_the_last_feature_most_and_resizes() -> None:
    loss = NetworkLoss(Scaled(), 6, 5)
    target, made = torch.zeros(1, 3, 12, 10), torch.ones(1, 3, 12, 10)
    assert loss.features(target)[0].shape == (1, 3, 6, 5)
    assert loss(made, loss.features(target)).item() == pytest.approx(1 / 32 + 2 / 16 + 3 / 8 + 4 / 4 + 5)


def test_only_what_is_made_gets_gradients() -> None:
    loss = NetworkLoss(Scaled(), 6, 5)
    made, target = pictures(1, 3, 8, 8).requires_grad_(), pictures(1, 3, 8, 8, seed=1).requires_grad_()
    loss(made, loss.features(target)).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert target.grad is None


def test_vgg_is_tapped_after_the_first_relu_of_each_stage() -> None:
    network = vgg(19, VGG19_FIRST_TAPS)
    convolutions = [layer for layer in network.features[: VGG19_FIRST_TAPS[-1]] if isinstance(layer, nn.Conv2d)]
    assert all(isinstance(network.features[tap], nn.ReLU) for tap in VGG19_FIRST_TAPS)
    assert len(convolutions) == 13  # up to conv5_1
    with torch.no_grad():
        shapes = [tuple(each.shape[1:]) for each in network(torch.zeros(1, 3, 32, 32))]
    assert shapes == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]


def test_sphereface_has_the_names_of_the_public_file() -> None:
    network = Sphere20a()
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == official_shapes(
        "iper_sphere20a"
    )


def test_sphereface_features() -> None:
    network = Sphere20a()
    assert sum(each.numel() for each in network.parameters()) == 22_670_656
    with torch.no_grad():
        shapes = [tuple(each.shape[1:]) for each in network(pictures(1, 3, 112, 96))]
    assert shapes == [(64, 56, 48), (128, 28, 24), (256, 14, 12), (512, 7, 6), (512,)]
