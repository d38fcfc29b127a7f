"""Ctrl-C while networks learn: asked for at any time, obeyed between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

Handler = Callable[[int, FrameType | None], object]


class Stop:
    """While this context is open, Ctrl-C and SIGTERM do not interrupt.

    Whoever handled them before still hears of them, and may count them, or end the process.

    Args:
        is_led: whether the process was started by a launcher, which repeats every signal: then those that follow the
            first one mean nothing.

    Attributes:
        is_asked: whether one came.
    """

    def __init__(self, is_led: bool = False) -> None:
        self.is_asked, self._is_led = False, is_led
        self._before: dict[int, Handler | int | None] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked and self._is_led:
            return
        self.is_asked = True
        before = self._before[number]
        if callable(before):
            try:
                before(number, frame)
            except KeyboardInterrupt:
                return  # it is heard; the step goes on to its end
