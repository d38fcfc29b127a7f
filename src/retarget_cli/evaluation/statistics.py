"""How sure a mean is: bootstrap over clips, paired differences, and shares of answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from retarget_cli.evaluation.results import Estimate

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20211
# Two-sided 95 % quantile of the normal distribution.
Z = 1.959963984540054


def estimate(means: Sequence[float | None], frames: int = 0) -> Estimate:
    """The mean of clips' means with its 95 % percentile bootstrap interval over clips.

    Frames of a clip resemble each other, so the clip and not the frame is what is drawn anew (Efron, 1979).

    Args:
        means: one for each clip; None and NaN are clips without a value.
        frames: how many frames are behind them.
    """
    there = np.array([value for value in means if value is not None and math.isfinite(value)], np.float64)
    if not len(there):
        return Estimate(None, frames=frames)
    if len(there) == 1:
        return Estimate(float(there[0]), clips=1, frames=frames)
    drawn = np.random.default_rng(SEED).integers(0, len(there), (RESAMPLES, len(there)))
    low, high = np.quantile(there[drawn].mean(1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(there.mean()), float(low), float(high), len(there), frames)


def paired(first: Sequence[float | None], second: Sequence[float | None]) -> Estimate:
    """The mean of `first - second` over the clips that have both, with its interval."""
    both = [
        one - other
        for one, other in zip(first, second, strict=True)
        if one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    ]
    return estimate(both)


def proportion(successes: int, trials: int) -> tuple[float, float, float]:
    """(share, low, high): Wilson's 95 % score interval, which stays within [0, 1] and holds for few trials.

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}")
    share = successes / trials
    middle = share + Z**2 / (2 * trials)
    reach = Z * math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    scale = 1 + Z**2 / trials
    return share, max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
