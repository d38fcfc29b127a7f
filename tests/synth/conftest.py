"""A tiny data set that several tests look at, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget_cli.workflows.synth import SynthOptions, synthesize

SMALL = SynthOptions(clips=2, frames=4, size=(96, 96), seed=3, views=3, workers=1)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two clips of four frames, all renditions. Not to be changed."""
    folder = tmp_path_factory.mktemp("synth") / "set"
    synthesize(folder, SMALL)
    return folder
