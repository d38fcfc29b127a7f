"""What happens in a batch, on its way to Prometheus."""

from __future__ import annotations

from retarget_cli.batch.board import Board
from retarget_cli.batch.endpoint import Endpoint
from retarget_cli.batch.watching import News


class Monitor:
    """Tells an endpoint how far the batch is.

    Args:
        endpoint: that is asked by others.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._board = endpoint, Board()

    def hear(self, news: News | None) -> None:
        """See `Watcher`."""
        board = self._board
        board.hear(news)
        self._endpoint.update(
            board.counts(), board.frames, board.speed(), board.seconds_left(), len(board.rows())
        )
