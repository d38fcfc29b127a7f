"""A user who does not wait for the end of a training."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from retarget_cli.core.errors import Interrupted
from retarget_cli.core.progress import Silence
from retarget_cli.perception.cache import Cache
from retarget_cli.training.loop import Step
from retarget_cli.workflows.train import TrainResult, train
from retarget_cli.workflows.train_options import TrainOptions


class Impatient(Silence):
    """Presses Ctrl-C after a step."""

    def __init__(self, after: int = 0) -> None:
        self._after = after

    def step(self, step: Step, steps: int) -> None:
        if step.number == self._after:
            os.kill(os.getpid(), signal.SIGINT)


def assert_same_when_stopped(whole: TrainOptions, result: TrainResult, output: Path, cache: Cache) -> None:
    """Stopped after two of three steps and gone on with in another folder, a training ends as it did in one go."""
    parts = replace(whole, output=output)
    stopped = Impatient(after=1)  # heard when the next step is done
    with pytest.raises(Interrupted, match="2 of 3 steps"):
        train(parts, cache, stopped, stopped)
    resumed = train(replace(parts, may_resume=True), cache, Silence(), Impatient())
    assert (resumed.steps, resumed.resumed) == (3, 2)
    one, other = load_file(result.weights), load_file(resumed.weights)
    assert all(torch.equal(one[name], other[name]) for name in one)
