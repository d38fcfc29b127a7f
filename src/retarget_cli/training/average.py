"""A running mean of a network's weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from retarget_cli.core.errors import WeightsError


class Average:
    """Exponential moving average of everything in a network's state.

    The decay warms up, min(decay, (1 + n) / (10 + n)) after n updates, so that the beginning is soon forgotten.
    Counters and other whole numbers are copied.

    Args:
        network: whose weights are averaged.
        decay: in [0, 1); 0 keeps nothing and costs nothing.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self._kept = {key: value.detach().clone() for key, value in network.state_dict().items()} if decay else {}

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take in the weights after update `number`, counted from 0."""
        if not self._kept:
            return
        decay = min(self._decay, (1 + number) / (10 + number))
        for key, value in self._network.state_dict().items():
            kept = self._kept[key]
            if kept.is_floating_point():
                kept.lerp_(value.to(kept.dtype), 1 - decay)
            else:
                kept.copy_(value)

    def weights(self) -> dict[str, Tensor]:
        """The mean, or the network's own weights where none is kept."""
        return dict(self._kept) if self._kept else dict(self._network.state_dict())

    def state(self) -> dict[str, Tensor]:
        """What is kept; nothing without a decay."""
        return dict(self._kept)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`.

        Raises:
            WeightsError: it is not of this network.
        """
        if set(state) != set(self._kept):
            raise WeightsError("the checkpoint's averaged weights are of another network", "begin a new run")
        for key, kept in self._kept.items():
            kept.copy_(state[key])
