"""The Frechet distance against closed forms, scipy and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from retarget_cli.metrics.frechet import Moments, frechet_distance


def moments(*parts: Tensor) -> Moments:
    found = Moments()
    for part in parts:
        found.add(part)
    return found


def test_by_hand() -> None:
    """Means (0, 0) and (3, 4); variances (2, 2) and (8, 0) without covariance: 25 + (sqrt 2 - sqrt 8)^2 + 2."""
    first = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]]) * math.sqrt(2)
    second = torch.tensor([[3 + 4.0, 4.0], [3 - 4.0, 4.0], [3.0, 4.0], [3.0, 4.0], [3.0, 4.0]])
    assert torch.allclose(moments(first).covariance, torch.eye(2, dtype=torch.float64) * 2)
    assert frechet_distance(moments(first), moments(second)) == pytest.approx(25 + 2 + 2)


def test_general_covariances_as_by_scipys_root() -> None:
    random = np.random.default_rng(3)
    first = random.normal(size=(400, 12)) @ random.normal(size=(12, 12)) + random.normal(size=12)
    second = random.normal(size=(300, 12)) @ random.normal(size=(12, 12))
    covariances = np.cov(first.T), np.cov(second.T)
    expected = np.square(first.mean(0) - second.mean(0)).sum() + np.trace(
        covariances[0] + covariances[1] - 2 * sqrtm(covariances[0] @ covariances[1]).real
    )
    found = frechet_distance(moments(torch.from_numpy(first)), moments(torch.from_numpy(second)))
    assert found == pytest.approx(expected, rel=1e-8)


class Tiny(nn.Module):
    """Stands for Inception: nine smooth numbers of a picture."""

    num_features = 9

    def forward(self, pictures: Tensor) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(pictures.float() / 255, (2, 2)).flatten(1)
        return torch.sin(pooled[:, :9] * torch.arange(1, 10))


def test_as_torchmetrics_has_it() -> None:
    torch.manual_seed(0)
    real = torch.randint(0, 256, (60, 3, 8, 8), dtype=torch.uint8)
    fake = (torch.randint(0, 256, (50, 3, 8, 8)) // 2 + 40).to(torch.uint8)
    theirs = FrechetInceptionDistance(feature=Tiny(), normalize=False)
    theirs.set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    ours = frechet_distance(moments(Tiny()(real)), moments(Tiny()(fake)))
    assert ours == pytest.approx(float(theirs.compute()), rel=1e-3)


def test_parts_and_merges_are_the_same_as_the_whole() -> None:
    features = torch.randn(50, 5, dtype=torch.float64) * 3 + 1e4
    halves = moments(features[:20]), moments(features[20:])
    halves[0].merge(halves[1])
    for found in (moments(*features.split(7)), halves[0], moments(features, features[:0])):
        assert found.count == 50
        assert torch.allclose(found.mean, features.mean(0), rtol=1e-12)
        assert torch.allclose(found.covariance, torch.cov(features.T), rtol=1e-9)


def test_merging_leaves_the_other_as_it_was() -> None:
    one, other = Moments(), moments(torch.randn(4, 3))
    kept = other.mean.clone()
    one.merge(other)
    one.add(torch.randn(4, 3) + 5)
    assert torch.equal(other.mean, kept)
    assert other.count == 4


def test_of_equal_sets_it_is_zero_also_with_few_features() -> None:
    features = torch.randn(6, 40)
    assert frechet_distance(moments(features), moments(features)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_features_have_no_distance(count: int) -> None:
    assert math.isnan(frechet_distance(moments(torch.randn(count, 3)), moments(torch.randn(5, 3))))
    assert math.isnan(frechet_distance(moments(torch.randn(5, 3)), moments(torch.randn(count, 3))))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_features_that_are_no_numbers_have_no_distance(value: float) -> None:
    broken = torch.randn(5, 3)
    broken[2, 1] = value
    assert math.isnan(frechet_distance(moments(broken), moments(torch.randn(5, 3))))
    assert math.isnan(frechet_distance(moments(torch.randn(5, 3)), moments(broken)))


def test_dimensions_must_agree() -> None:
    with pytest.raises(ValueError, match="2 and of 3 dim"):
        frechet_distance(moments(torch.randn(5, 2)), moments(torch.randn(5, 3)))
    with pytest.raises(ValueError, match="3 dimensions among features of 2"):
        moments(torch.randn(5, 2), torch.randn(5, 3))
