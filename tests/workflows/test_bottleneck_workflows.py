"""The flow-guided bottleneck from end to end, tiny and untrained: a clip, views, a subject file, a score.

What it shows is nobody yet; that frames come, where, how many and of what, depends on no weights.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.media_maker import probe
from tests.workflows.conftest import COUNT, PHOTO, Make, Scene

from retarget_cli.body.viewpoint import Orbit
from retarget_cli.core.errors import BackendError, OutputError, UsageError
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.media.images import write_png
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.evaluate import EvaluateOptions, evaluate
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, personalize
from retarget_cli.workflows.subject_file import load_subject
from retarget_cli.workflows.view import view
from retarget_cli.workflows.volume_views import SLICES, TURNTABLE, VIEWS, slices, write_volume

SMALL = (("weights", "none"), ("resolution", "64"), ("width", "4"), ("channels", "4"), ("discriminator_width", "4"))
BOTTLENECK = {"backend": "bottleneck", "settings": SMALL}


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def volume(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, and the source's volume beside it."""
    folder = tmp_path_factory.mktemp("clip")
    said = AnimateOptions(
        (str(scene.photo),), scene.clip, str(folder / "out.mp4"), device="cpu", debug_volume=folder / "in" / "volume",
        **BOTTLENECK,  # type: ignore[arg-type]
    )  # fmt: skip
    assert animate(said, scene.cache).frames == COUNT
    return folder / "in" / "volume"


def test_a_clip_moves_the_photo(volume: Path, scene: Scene) -> None:
    film = probe(volume.parents[1] / "out.mp4")
    assert (len(film.frames), film.size, film.audio_codec) == (COUNT, PHOTO, "aac")
    photo = opened(scene.photo)
    changed = [np.abs(frame.astype(int) - photo).mean() for frame in film.frames]
    assert min(changed) > 1
    moved = np.abs(film.frames[0].astype(int) - film.frames[COUNT // 2]).max(-1)
    assert moved.max() > 20


def test_the_volume_is_written_as_slices_and_turned(volume: Path) -> None:
    assert sorted(path.name for path in volume.iterdir()) == [SLICES, TURNTABLE]
    with Image.open(volume / TURNTABLE) as turned:
        assert turned.n_frames == VIEWS  # type: ignore[attr-defined]
        assert turned.size == (64, 64)
    # Eight planes of 16 x 16 cells, sixfold, with a line after each.
    assert opened(volume / SLICES).shape == (98, 8 * 98, 3)


def test_slices_stand_side_by_side_the_nearest_first() -> None:
    planes = torch.zeros(10, 48, 48)
    planes[0, 0, 0] = 1
    planes[9, 47, 47] = 0.5
    sheet = slices(planes)
    assert sheet.shape == (2 * 98, 8 * 98, 3)
    assert sheet[0, 0, 0] == sheet[1, 1, 0] == 255
    assert sheet[98 + 95, 98 + 95, 0] == 128
    assert not sheet[:96, 98:194].any()


def test_volumes_of_a_method_without_and_in_the_way(make: Make, volume: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="avatar has no volumes") as told:
        make(debug_volume=tmp_path / "volume")
    assert "bottleneck" in told.value.hint
    with pytest.raises(OutputError, match="exists"):
        make(debug_volume=volume, **BOTTLENECK)
    made = make("going_on.mp4", debug_volume=volume, is_resumed=True, excerpt=Excerpt(max_frames=2), **BOTTLENECK)
    made.path.unlink()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="can't be made"):
        make(debug_volume=tmp_path / "file" / "volume", **BOTTLENECK)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(BackendError, match="no volumes"):
        write_volume(object(), tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("driven_by", ["joints", "maps"])
def test_views_from_all_sides(scene: Scene, tmp_path: Path, driven_by: str) -> None:
    settings = (*SMALL, ("driven_by", driven_by))
    options = AnimateOptions(
        (str(scene.photo),), None, str(tmp_path / "views"), "bottleneck", settings, device="cpu",
        orbit=Orbit((0.0, 90.0, 180.0)), background="transparent",
    )  # fmt: skip
    assert view(options, scene.cache).frames == 3
    shown = [opened(path).astype(int) for path in sorted((tmp_path / "views").iterdir())]
    assert [picture.shape[:2] for picture in shown] == [PHOTO] * 3
    assert np.abs(shown[0] - shown[1]).max() > 20


def test_a_background_that_is_painted(make: Make, scene: Scene) -> None:
    """The same person before another background, which is another where the person was alone."""
    shown = []
    for background in ("plate", "network"):
        torch.manual_seed(0)  # the networks begin at random
        settings = (*SMALL, ("background", background))
        made = make(background, backend="bottleneck", settings=settings, excerpt=Excerpt(max_frames=1))
        shown.append(opened(made.path / "000000.png").astype(int))
    apart = np.abs(shown[0] - shown[1]).max(-1)
    assert apart.max() > 5
    assert apart[:6, :6].max() == apart[-6:, -6:].max() == 0
    with pytest.raises(UsageError, match="no background network"):
        make("x", backend="bottleneck", settings=(*settings, ("background_network", "no")))


def test_a_subject_file_has_what_was_learned(scene: Scene, tmp_path: Path) -> None:
    options = PersonalizeOptions(
        (str(scene.photo),), str(tmp_path / "me"), "bottleneck", SMALL, LessonOptions(2), is_half=False, device="cpu"
    )
    path = personalize(options, scene.cache).path
    saved = load_subject(path)
    assert saved.backend == "bottleneck"
    assert (saved.design["resolution"], saved.design["driven_by"]) == ("64", "joints")
    said = AnimateOptions(
        (), scene.clip, str(tmp_path / "out.mp4"), subject=path, device="cpu", excerpt=Excerpt(max_frames=2),
    )  # fmt: skip
    assert animate(said, scene.cache).frames == 2


def test_it_can_be_measured(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "data" / "clip").mkdir(parents=True)
    for number, frame in enumerate(probe(scene.clip).frames[:3]):
        write_png(tmp_path / "data" / "clip" / f"{number:06d}.png", frame)
    shutil.copytree(tmp_path / "data" / "clip", tmp_path / "data" / "other")
    method = "bottleneck:" + ",".join(f"{name}={value}" for name, value in SMALL)
    protocol = Protocol(task=Task.SELF, size=(96, 96), pick=Pick.FIRST)
    options = EvaluateOptions(
        tmp_path / "data", tmp_path / "run", (method,), protocol, metrics=("psnr",), device="cpu"
    )
    found = evaluate(options, scene.cache)
    assert (found.failed, found.total) == (0, 2)
    assert found.report.overall[method]["psnr"].mean > 3  # type: ignore[operator]
