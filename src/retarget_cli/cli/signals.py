"""Ctrl-C and SIGTERM end a run as an exception does, so that every `with` block cleans up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_PATIENCE = 3


class Signals:
    """While this context is open the first signal raises KeyboardInterrupt in the main thread.

    A second one is ignored, since impatient fingers must not break the cleaning up; the third ends the process
    at once.

    Attributes:
        received: number of the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._count = 0
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    @property
    def exit_code(self) -> int:
        """130 for Ctrl-C, 143 for SIGTERM, as shells count."""
        return 128 + (self.received or signal.SIGINT)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._raise)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count >= _PATIENCE:
            os._exit(128 + number)
        if self.received is None:
            self.received = number
            raise KeyboardInterrupt
