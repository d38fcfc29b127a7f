"""Albums of pictures alone, and a training from them: nobody is looked for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.media_maker import Clip, make_video

from retarget_cli.backends.registry import make_backend
from retarget_cli.core.errors import BackendError, InputError
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import read_picture, write_png
from retarget_cli.perception.cache import Cache
from retarget_cli.training.album import Album
from retarget_cli.training.draw import Drawer, DrawOptions
from retarget_cli.training.loop import FitOptions, Step
from retarget_cli.weights.checkpoints import read_weights
from retarget_cli.workflows import train_albums
from retarget_cli.workflows.synth_toys import ToyOptions, synthesize_toys
from retarget_cli.workflows.train import train
from retarget_cli.workflows.train_options import TrainOptions

SETTINGS = {"keypoints": "3", "width": "8", "most": "16"}


class Quiet(Silence):
    """Also of steps."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, step: Step, steps: int) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toys") / "toys"
    synthesize_toys(folder, ToyOptions(clips=2, frames=4, views=2, size=(64, 64), workers=1))
    return folder


def albums(data: Path, folder: Path, size: int = 32, notes: Quiet | None = None) -> list[Album]:
    return train_albums.albums((data,), 0, 0, size, folder / "albums", 1, notes or Quiet(), is_pictured=True)


def test_a_toy_in_its_place_is_an_album(toys: Path, tmp_path: Path) -> None:
    found = albums(toys, tmp_path)
    assert [(album.name, len(album)) for album in found] == [
        ("0000/source", 2 + 4), ("0000/other", 4), ("0001/source", 2 + 4), ("0001/other", 4),
    ]  # fmt: skip
    frame = toys / "clips/0001/self/frames/000001.png"
    assert np.array_equal(found[2].view(3).image, read_picture(frame).rgb)
    assert not found[0].view(0).pose.any()
    assert found[0].body == ""
    times = [album.path.stat().st_mtime_ns for album in found]
    assert [album.path.stat().st_mtime_ns for album in albums(toys, tmp_path)] == times


def test_clips_of_anything_are_spread_out_and_those_of_one_frame_left_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_video(data / "long.mp4", Clip((64, 48), Fraction(25), 300))
    (data / "one").mkdir()
    write_png(data / "one" / "0.png", np.full((48, 48, 3), 90, np.uint8))
    notes = Quiet()
    (found,) = albums(data, tmp_path, notes=notes)
    assert len(found) == 75  # every fourth of 300
    assert min(found.size) == 40  # 1.25 times what is learned from
    assert any("one is left out: it has fewer than two frames" in note for note in notes.notes)
    with pytest.raises(InputError, match="none of the clips") as caught:
        albums(data / "one", tmp_path)
    assert "two frames or more" in caught.value.line


def test_squares_are_cut_from_anywhere(toys: Path, tmp_path: Path) -> None:
    found = albums(toys, tmp_path)
    drawer = Drawer(found, DrawOptions(32, 2, 3, zoom=0.4, jitter=0.0), 5)
    corners = set()
    for number in range(12):
        for example in drawer.batch(number):
            assert example.target.image.shape == (32, 32, 3)
            corners.add(tuple(example.target.image[0, 0].tolist()))
    assert len(corners) > 8


def options(toys: Path, output: Path, steps: int) -> TrainOptions:
    return TrainOptions(
        "self-appearance", (toys,), output, FitOptions(steps), DrawOptions(32, batch=2, max_sources=2),
        settings=SETTINGS, save_every=2, sample_every=2, workers=1, device="cpu",
    )  # fmt: skip


def test_a_run_that_goes_on_ends_as_one_that_was_not_stopped(toys: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**9)
    train(options(toys, tmp_path / "whole", 4), cache, Quiet(), Quiet())
    train(options(toys, tmp_path / "parts", 2), cache, Quiet(), Quiet())
    longer = replace(options(toys, tmp_path / "parts", 4), may_resume=True)
    assert train(longer, cache, Quiet(), Quiet()).resumed == 2
    whole, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []
    state, label = read_weights(tmp_path / "whole" / "weights.safetensors", "self-appearance")
    assert label.design["resolution"] == "32"
    assert label.design["keypoints"] == "3"
    used = make_backend("self-appearance", {"weights": str(tmp_path / "whole")}, torch.device("cpu"))
    assert used.resolution == 32  # type: ignore[attr-defined]
    assert sum(each.numel() for each in state.values()) == sum(
        each.numel() for each in used.network.state_dict().values()  # type: ignore[attr-defined]
    )


def test_one_picture_that_becomes_a_point_is_told(toys: Path, tmp_path: Path) -> None:
    alone = replace(options(toys, tmp_path / "run", 1), draw=DrawOptions(32, batch=1, max_sources=1))
    with pytest.raises(BackendError, match="too small for this network to learn from one alone"):
        train(alone, Cache(tmp_path / "cache", 10**9), Quiet(), Quiet())
