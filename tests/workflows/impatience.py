"""A user who does not wait for the end of a training."""

from __future__ import annotations

import os
import signal

from retarget_cli.core.progress import Silence
from retarget_cli.training.loop import Step


class Impatient(Silence):
    """Presses Ctrl-C after a step."""

    def __init__(self, after: int = 0) -> None:
        self._after = after

    def step(self, step: Step, steps: int) -> None:
        if step.number == self._after:
            os.kill(os.getpid(), signal.SIGINT)
