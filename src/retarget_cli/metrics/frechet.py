"""The Frechet distance of two sets of features, each taken for a Gaussian (Heusel et al., 2017, equation 6).

With means m and covariances S, over n - 1:

    d^2 = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Moments:
    """Count, mean and covariance of features that come in parts, in float64; the features are not kept.

    Parts are merged by Chan, Golub and LeVeque's formula (1983), which does not lose the digits that sums of squares
    lose.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean = torch.zeros(0, dtype=torch.float64)
        self._scatter = torch.zeros(0, 0, dtype=torch.float64)

    @property
    def mean(self) -> Tensor:
        """(D,) float64; empty before anything was added."""
        return self._mean

    @property
    def covariance(self) -> Tensor:
        """(D, D) float64, over n - 1; NaN with fewer than two features."""
        return self._scatter / (self.count - 1) if self.count > 1 else torch.full_like(self._scatter, math.nan)

    def add(self, features: Tensor) -> None:
        """Take in features (N, D) of any type; N may be 0.

        Raises:
            ValueError: of another D than before.
        """
        if len(features) == 0:
            return
        part = Moments()
        given = features.detach().to("cpu", torch.float64)
        part.count = len(given)
        part._mean = given.mean(dim=0)
        away = given - part._mean
        part._scatter = away.T @ away
        self.merge(part)

    def merge(self, other: Moments) -> None:
        """Take in what another has seen.

        Raises:
            ValueError: of another D.
        """
        if other.count == 0:
            return
        if self.count == 0:
            self.count, self._mean, self._scatter = other.count, other._mean.clone(), other._scatter.clone()
            return
        if self._mean.shape != other._mean.shape:
            raise ValueError(f"features of {len(other._mean)} dimensions among features of {len(self._mean)}")
        total = self.count + other.count
        apart = other._mean - self._mean
        self._scatter += other._scatter + torch.outer(apart, apart) * (self.count * other.count / total)
        self._mean += apart * (other.count / total)
        self.count = total


def frechet_distance(first: Moments, second: Moments) -> float:
    """The squared distance d^2, as everybody reports it; NaN where a set has fewer than two features, or one of them
    is not finite.

    The trace of the root is taken from the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric: so it stays real
    and exact to rounding where there are fewer features than dimensions.

    Raises:
        ValueError: the features have different numbers of dimensions.
    """
    if first.count < 2 or second.count < 2:
        return math.nan
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"features of {len(first.mean)} and of {len(second.mean)} dimensions")
    if not (first.covariance.isfinite().all() and second.covariance.isfinite().all()):
        return math.nan
    values, vectors = torch.linalg.eigh(first.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    middle = root @ second.covariance @ root
    crossed = torch.linalg.eigvalsh((middle + middle.T) / 2).clamp(min=0).sqrt().sum()
    traces = first.covariance.trace() + second.covariance.trace()
    distance = (first.mean - second.mean).square().sum() + traces - 2 * crossed
    return max(0.0, float(distance))
