"""A player's turn as a module, so that processes can make their gradients agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from retarget_cli.backends.trainable import Batch, Game


class Turn(nn.Module):
    """The losses of one player as its network's `forward`.

    Only this network is registered: what wraps the module (DDP) sees no parameter of the others.

    Attributes:
        kept: what players of one step hand on. Not an argument: wrappers copy those.
    """

    def __init__(self, game: Game, player: str) -> None:
        super().__init__()
        self.network = game.players[player]
        self.kept: dict[str, Tensor] = {}
        self._game, self._player = game, player

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms by name."""
        return self._game.losses(self._player, batch, self.kept)


class Locks:
    """Which parameters learn: those of the player whose turn it is, and none that the game has frozen."""

    def __init__(self, game: Game) -> None:
        self._learning = {
            name: [each for each in network.parameters() if each.requires_grad]
            for name, network in game.players.items()
        }

    def parameters(self, player: str) -> list[nn.Parameter]:
        """What a player moves."""
        return self._learning[player]

    @contextmanager
    def only(self, player: str) -> Iterator[None]:
        """While it is a player's turn the others' parameters need no gradients."""
        others = [each for name, found in self._learning.items() if name != player for each in found]
        for each in others:
            each.requires_grad_(False)
        try:
            yield
        finally:
            for each in others:
                each.requires_grad_(True)
