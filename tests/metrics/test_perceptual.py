"""LPIPS with random backbones: against torchmetrics, its zero, and its direction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.weights.making import store_with
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.functional.image import lpips as theirs

from retarget_cli.metrics import batches
from retarget_cli.metrics.base import Frames, Need
from retarget_cli.metrics.batches import signed
from retarget_cli.metrics.perceptual import LpipsMetric
from retarget_cli.networks.classic import Tapped, alexnet, vgg
from retarget_cli.weights.store import Store

CPU = torch.device("cpu")
KEYS = ("lpips-alex", "lpips-vgg")


def backbone(build: Callable[[], Tapped], seed: int) -> Tapped:
    torch.manual_seed(seed)
    network = build()
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return network


BACKBONES = {"alexnet": backbone(alexnet, 1), "vgg16": backbone(lambda: vgg(16), 2)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    classifier = {"classifier.1.weight": torch.zeros(2)}  # as the public files have one
    states = {key: network.state_dict() | classifier for key, network in BACKBONES.items()}
    return store_with(tmp_path_factory.mktemp("lpips"), states)


@pytest.fixture(scope="module")
def metric(store: Store) -> LpipsMetric:
    return LpipsMetric(KEYS, store, CPU)


def picture(count: int = 1, side: int = 64) -> Tensor:
    random = torch.Generator().manual_seed(4)
    coarse = torch.rand(count, 3, side // 8, side // 8, generator=random) * 255
    return functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 255).to(torch.uint8)


def scores(metric: LpipsMetric, rendered: Tensor, target: Tensor | None) -> dict[str, np.ndarray]:
    return dict(metric.begin().score(Frames(rendered, target)))


@pytest.mark.parametrize(("key", "kind", "weights"), [("lpips-alex", "alex", "alexnet"), ("lpips-vgg", "vgg", "vgg16")])
def test_the_same_as_torchmetrics_makes_of_the_same_backbone(
    metric: LpipsMetric, monkeypatch: pytest.MonkeyPatch, key: str, kind: str, weights: str
) -> None:
    layers = BACKBONES[weights].features
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda *_: layers)
    network = theirs._LPIPS(pretrained=True, net=kind, pnet_rand=True)  # random backbone, learned heads
    first, second = picture(2), picture(2).flip(0) // 2 + 30
    with torch.inference_mode():
        expected = network(signed(first.float()), signed(second.float())).flatten()
    found = scores(metric, first, second)[key]
    assert found == pytest.approx(expected.numpy(), rel=1e-4)
    assert found.min() > 0.01


def test_equal_pictures_have_no_distance(metric: LpipsMetric) -> None:
    assert all(value == 0 for values in scores(metric, picture(2), picture(2)).values() for value in values)


def test_more_noise_and_more_blur_are_further_away(metric: LpipsMetric) -> None:
    target = picture()
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(5))
    noisy = [(target + noise * sigma).clamp(0, 255).to(torch.uint8) for sigma in (2, 8, 30)]
    blurred = [
        functional.avg_pool2d(target.float(), size, 1, size // 2, count_include_pad=False).to(torch.uint8)
        for size in (3, 7, 17)
    ]
    for worse in (noisy, blurred):
        found = scores(metric, torch.cat(worse), target.repeat(3, 1, 1, 1))
        for values in found.values():
            assert 0 < values[0] < values[1] < values[2]


def test_frames_do_not_mix_whatever_goes_in_together(metric: LpipsMetric, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered, target = picture(7), picture(7).flip(0)
    alone = [scores(metric, rendered[index : index + 1], target[index : index + 1]) for index in range(7)]
    for at_once in (7, 3, 1, 0):
        monkeypatch.setattr(batches, "PIXELS_AT_ONCE", at_once * 64 * 64)
        for key, together in scores(metric, rendered, target).items():
            assert together == pytest.approx([float(each[key][0]) for each in alone], rel=1e-4, abs=1e-7)


def test_no_target_or_tiny_frames_have_no_value(metric: LpipsMetric) -> None:
    assert all(np.isnan(values).all() for values in scores(metric, picture(), None).values())
    tiny = picture(2)[..., :32, :]
    assert all(np.isnan(values).all() for values in scores(metric, tiny, tiny).values())


def test_what_stands_beside_the_number(metric: LpipsMetric, store: Store, tmp_path: Path) -> None:
    assert [info.key for info in metric.infos] == list(KEYS)
    assert metric.needs == {Need.TARGET}
    for info, weights in zip(metric.infos, ("alexnet", "vgg16"), strict=True):
        assert info.network == weights
        assert info.sha256 == store.good(weights)[1]
        assert "torchmetrics 1.9.0" in info.implementation
        assert not info.is_higher_better
    assert "df73285e" in metric.infos[0].implementation
