"""Others' postures: clips, motion files and folders of them, for `personalize` and for `train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import Clip, make_video
from tests.workflows.conftest import Scene
from tests.workflows.scenes import motion_of, waving
from tests.workflows.test_person_takes import SMALL
from tests.workflows.test_train import Notes

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.training.draw import DrawOptions
from retarget_cli.training.loop import FitOptions
from retarget_cli.workflows.others import other_clips, read_others
from retarget_cli.workflows.synth import SynthOptions, synthesize
from retarget_cli.workflows.train import train
from retarget_cli.workflows.train_options import TrainOptions

SIZE = (96, 64)


def saved(path: Path, count: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_motion(path, motion_of(waving(count), SIZE), {})
    return path


def test_folders_are_looked_through(tmp_path: Path) -> None:
    deep, beside = saved(tmp_path / "all/deep/walk.motion"), saved(tmp_path / "all/dance.motion")
    make_video(tmp_path / "all/dance.mp4", Clip(SIZE, count=2))  # what was perceived of it lies beside it
    film = make_video(tmp_path / "all/jump.MP4", Clip(SIZE, count=2))
    tmp_path.joinpath("all/notes.txt").write_text("no clip")
    frames = tmp_path / "frames"
    frames.mkdir()
    write_png(frames / "000000.png", np.zeros((8, 8, 3), np.uint8))
    lone = saved(tmp_path / "lone")
    assert other_clips([tmp_path / "all", frames, lone]) == [beside, deep, film, frames, lone]
    assert other_clips([]) == []


def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        other_clips([tmp_path / "absent.mp4"])
    with pytest.raises(InputError, match="no clips or motion files"):
        other_clips([tmp_path])

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match="can't be read: Permission denied"):
        other_clips([tmp_path])


def test_postures_are_those_of_the_files(tmp_path: Path) -> None:
    saved(tmp_path / "a.motion", 3)
    saved(tmp_path / "b.motion", 5)
    films = read_others(other_clips([tmp_path]), "anny", None, Silence())
    assert [len(film) for film in films] == [3, 5]
    assert np.allclose(films[1], waving(5), atol=1e-6)


def test_films_in_which_nobody_is_seen(scene: Scene, tmp_path: Path) -> None:
    empty = motion_of(waving(2), SIZE)
    save_motion(tmp_path / "empty.motion", replace(empty, present=np.zeros(2, bool)), {})
    with pytest.raises(InputError, match="nobody is seen"):
        read_others([tmp_path / "empty.motion"], "anny", scene.cache, Silence())


def test_training_of_one_person_with_others(scene: Scene, tmp_path: Path) -> None:
    data, others = tmp_path / "one", saved(tmp_path / "others/wave.motion", 9).parent
    synthesize(data, SynthOptions(clips=1, frames=12, size=(64, 64), views=1, workers=1, kinds=("dance",)))
    options = TrainOptions(
        "pose2video", (data,), tmp_path / "run", FitOptions(2), DrawOptions(32, batch=1), dict(SMALL[1:]), (others,),
        save_every=0, sample_every=0, workers=1, device="cpu",
    )  # fmt: skip
    notes = Notes()
    assert "unpaired" in train(options, scene.cache, notes, notes).losses["generator"]
    with pytest.raises(UsageError, match="begun with other options: driving"):
        train(replace(options, driving=(), may_resume=True), scene.cache, notes, notes)
    alone = replace(options, backend="liquid-warp", settings={}, output=tmp_path / "none")
    with pytest.raises(UsageError, match="learns nothing from others' postures"):
        train(alone, scene.cache, notes, notes)
