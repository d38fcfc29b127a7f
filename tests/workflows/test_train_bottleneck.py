"""Training the bottleneck on made-up people: stopped by the user and gone on with, it is as if never stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.workflows.impatience import Impatient, assert_same_when_stopped

from retarget_cli.backends.registry import make_backend
from retarget_cli.core.progress import Silence
from retarget_cli.perception.cache import Cache
from retarget_cli.training.draw import DrawOptions
from retarget_cli.training.loop import FitOptions
from retarget_cli.weights.checkpoints import read_weights
from retarget_cli.workflows.synth import SynthOptions, synthesize
from retarget_cli.workflows.train import train
from retarget_cli.workflows.train_options import TrainOptions

FORM = {"resolution": "64", "width": "4", "channels": "2"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("albums"), 10**9)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "people"
    synthesize(folder, SynthOptions(clips=1, frames=3, size=(64, 64), views=2, workers=1))
    return folder


@pytest.mark.slow
def test_stopped_and_resumed_is_the_same_as_not_stopped(people: Path, cache: Cache, tmp_path: Path) -> None:
    whole = TrainOptions(
        "bottleneck", (people,), tmp_path / "whole", FitOptions(3, ema=0.9), DrawOptions(64, batch=2, max_sources=2),
        settings={**FORM, "discriminator_width": "4"}, workers=1, device="cpu",
    )  # fmt: skip
    result = train(whole, cache, Silence(), Impatient())
    assert result.steps == 3
    assert set(result.losses) == {"generator", "discriminator"}
    assert {"person", "whole", "rotation", "matching", "background"} <= set(result.losses["generator"])
    assert_same_when_stopped(whole, result, tmp_path / "parts", cache)
    # What was learned is a method, with the form that it was given.
    _, label = read_weights(result.weights, "bottleneck")
    assert FORM.items() <= label.design.items()
    made = make_backend("bottleneck", {"weights": str(tmp_path / "whole")}, torch.device("cpu"))
    assert made.lineage()["base"]  # type: ignore[attr-defined]
