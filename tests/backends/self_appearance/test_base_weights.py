"""The base weights that come along: a toy that they have never seen moves as another picture of it shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from retarget_cli.backends.base import Window
from retarget_cli.backends.registry import make_backend
from retarget_cli.core.footage import Footage, unseen
from retarget_cli.core.subject import pictured_subject
from retarget_cli.media.images import read_picture
from retarget_cli.workflows.synth_toys import ToyOptions, synthesize_toys

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[NDArray[np.uint8]]:
    """Of a cartoon head."""
    folder = tmp_path_factory.mktemp("toys") / "toys"
    options = ToyOptions(
        clips=1, frames=12, views=4, size=(160, 160), seed=77, camera="static", has_cross=False,
        families=("face",), workers=1,
    )  # fmt: skip
    synthesize_toys(folder, options)
    names = (
        *(f"source/frames/{row:06d}.png" for row in range(4)),
        *(f"self/frames/{row:06d}.png" for row in range(12)),
    )
    return [read_picture(Path(folder, "clips/0000", name)).rgb for name in names]


def test_a_toy_follows_and_stays_itself(frames: list[NDArray[np.uint8]]) -> None:
    views, clip = frames[:4], np.stack(frames[4:])
    backend = make_backend("self-appearance", {}, CPU)
    performer = backend.prepare(pictured_subject(views))
    footage = Footage(tuple(Fraction(row, 25) for row in range(len(clip))), clip)
    made = torch.cat(list(performer.perform(iter([Window(0, unseen(footage), footage)]))))[:, :3]
    wanted = torch.from_numpy(clip).permute(0, 3, 1, 2) / 255
    still = torch.from_numpy(views[0]).permute(2, 0, 1) / 255
    ours, theirs = (made - wanted).square().mean(), (still - wanted).square().mean()
    assert ours < 0.8 * theirs
    assert -10 * torch.log10(ours) > 20
