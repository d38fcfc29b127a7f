"""The method whose networks `retarget bench --ceiling` measures."""

from __future__ import annotations

import torch

from retarget_cli.backends.base import Backend
from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.workflows.bench_report import BenchOptions

_RESOLUTION = "resolution"


def opened(options: BenchOptions, device: torch.device, **more: str) -> Backend:
    """With its base weights or those that are named; where there are to be none, for pictures of the first size.

    Args:
        options: what is measured, `settings` before all.
        device: where.
        more: options of the method besides.

    Raises:
        UsageError: an option is wrong.
        WeightsError: there are no such weights.
    """
    said = {**dict(options.settings), **more}
    if said.get(WEIGHTS_OPTION) == UNTRAINED:
        said = {_RESOLUTION: str(options.sizes[0]), **said}
    return make_backend(options.backend, said, device)
