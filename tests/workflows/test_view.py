"""Novel views end to end, on a drawn person: how many, from where, in what kind of file, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.media_maker import probe
from tests.workflows.conftest import COUNT, PHOTO, Scene
from tests.workflows.scenes import NTSC

from retarget_cli.body.viewpoint import Orbit
from retarget_cli.core.errors import InputError, RetargetError, UsageError
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import write_png
from retarget_cli.workflows.animate import AnimateResult
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.view import view

WALL = (90, 140, 100)
Show = Callable[..., AnimateResult]


@pytest.fixture
def show(scene: Scene, tmp_path: Path) -> Show:
    """The scene's person seen from elsewhere, into the test's folder; anything can be said otherwise."""

    def shown(output: str = "turn.mp4", azimuth: object = (0.0,), **changes: object) -> AnimateResult:
        said: dict[str, object] = {
            "sources": (str(scene.photo),),
            "driving": None,
            "device": "cpu",
            "orbit": Orbit(azimuth, changes.pop("elevation", (0.0,))),  # type: ignore[arg-type]
            **changes,
        }
        return view(AnimateOptions(output=str(tmp_path / output), **said), scene.cache)  # type: ignore[arg-type]

    return shown


def people(rgb: np.ndarray) -> np.ndarray:
    return np.abs(rgb[..., :3].astype(int) - np.array(WALL)).max(-1) > 30


def frames_of(folder: Path) -> list[np.ndarray]:
    return [opened(path) for path in sorted(folder.glob("*.png"))]


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_turn_has_a_frame_for_each_view_and_begins_with_the_photo(show: Show, scene: Scene) -> None:
    result = show(azimuth=(0.0, 90.0, 180.0, 270.0), fps=Fraction(10))
    film = probe(result.path)
    assert result.frames == len(film.frames) == 4
    assert film.times == [Fraction(n, 10) for n in range(4)]
    assert film.size == PHOTO
    assert film.audio_codec is None
    photo = opened(scene.photo)
    assert np.abs(film.frames[0].astype(int) - photo).mean() < 6
    front, side, back, _ = (people(frame) for frame in film.frames)
    assert side.sum() < 0.85 * front.sum()
    assert np.abs(int(back.sum()) - int(front.sum())) < 0.1 * front.sum()
    # The feet stay where they are.
    lowest = [np.flatnonzero(shape.any(1)).max() for shape in (front, side, back)]
    assert np.ptp(lowest) <= 6


def test_left_is_left(show: Show, tmp_path: Path) -> None:
    """From the person's left the toes point to the left of the picture."""
    show("views", azimuth=(-60.0, 60.0))
    right, leftwards = (people(frame) for frame in frames_of(tmp_path / "views"))

    def lean(shape: np.ndarray) -> float:
        rows = np.flatnonzero(shape.any(1))
        top, height = rows.min(), np.ptp(rows)
        toes = np.nonzero(shape[int(top + 0.96 * height) :])[1].mean()
        ankles = np.nonzero(shape[int(top + 0.85 * height) : int(top + 0.9 * height)])[1].mean()
        return float(toes - ankles)

    assert lean(leftwards) < -0.4 < 0.4 < lean(right)


def test_height_makes_shorter(show: Show, tmp_path: Path) -> None:
    show("views", elevation=(0.0, 50.0))
    level, high = (people(frame) for frame in frames_of(tmp_path / "views"))
    assert np.ptp(np.flatnonzero(high.any(1))) < 0.85 * np.ptp(np.flatnonzero(level.any(1)))


@pytest.mark.parametrize("name", ["one.png", "one.jpg"])
def test_one_view_is_a_picture(show: Show, tmp_path: Path, name: str) -> None:
    show(name, azimuth=(35.0,))
    assert opened(tmp_path / name).shape[:2] == PHOTO
    assert left(tmp_path) == [name]


def test_a_transparent_picture(show: Show, tmp_path: Path) -> None:
    show("one.png", azimuth=(35.0,), background="transparent")
    alpha = opened(tmp_path / "one.png")[..., 3]
    assert alpha[:4].max() == 0
    assert alpha.max() == 255
    with pytest.raises(UsageError, match="no transparency"):
        show("one.jpg", azimuth=(35.0,), background="transparent")


def test_many_views_are_no_picture(show: Show, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one picture"):
        show("one.png", azimuth=(0.0, 10.0))
    with pytest.raises(UsageError, match="one picture"):
        show("one.png", elevation=(0.0, 10.0))
    assert left(tmp_path) == []


def test_bullet_time_keeps_frames_times_and_sound(show: Show, scene: Scene) -> None:
    result = show(azimuth=(0.0, 180.0), driving=scene.clip)
    film = probe(result.path)
    assert len(film.frames) == COUNT == result.frames
    assert film.rate == NTSC
    assert film.audio_codec == "aac"
    front, middle = (people(film.frames[at]).sum() for at in (0, COUNT // 2))
    assert middle < 0.95 * front


def test_one_viewpoint_holds_for_the_whole_clip(show: Show, scene: Scene, tmp_path: Path) -> None:
    show("side", azimuth=(90.0,), driving=scene.clip, excerpt=Excerpt(max_frames=3))
    show("round", azimuth=(90.0, 90.0), driving=scene.clip, excerpt=Excerpt(max_frames=3))
    pairs = zip(frames_of(tmp_path / "side"), frames_of(tmp_path / "round"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_a_frozen_moment_has_no_sound_and_one_pose(show: Show, scene: Scene, tmp_path: Path) -> None:
    moment = Fraction(9) / NTSC
    result = show("f.mp4", azimuth=(0.0, 0.0, 0.0), driving=scene.clip, freeze=moment, fps=Fraction(5))
    film = probe(result.path)
    assert (len(film.frames), film.audio_codec, film.rate) == (3, None, 5)
    assert np.abs(film.frames[0].astype(int) - film.frames[2]).mean() < 1
    show("plain", driving=scene.clip)
    moving = frames_of(tmp_path / "plain")
    apart = [np.abs(film.frames[0].astype(int) - frame).mean() for frame in moving]
    assert abs(int(np.argmin(apart)) - 9) <= 1
    show("frozen.png", azimuth=(20.0,), driving=scene.clip, freeze=moment)


def test_a_moment_beyond_the_clip(show: Show, scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--freeze 50: .*ends at 0:00\.60"):
        show(driving=scene.clip, freeze=Fraction(50))
    with pytest.raises(UsageError, match="no clip to freeze") as caught:
        show(freeze=Fraction(1))
    assert "--driving" in caught.value.hint
    assert left(tmp_path) == []


def test_the_baseline_has_no_other_side(show: Show, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="still") as caught:
        show(azimuth=(90.0,), backend="still")
    assert "avatar" in caught.value.hint
    assert "still" not in caught.value.hint
    assert left(tmp_path) == []


def test_there_is_no_driving_background_without_a_clip(show: Show, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no driving clip"):
        show(background="driving")
    assert left(tmp_path) == []


def test_nobody_in_the_photo(show: Show, tmp_path: Path) -> None:
    write_png(tmp_path / "wall.png", np.full((120, 90, 3), 128, np.uint8))
    with pytest.raises(InputError, match="no person"):
        show(sources=(str(tmp_path / "wall.png"),))
    assert left(tmp_path) == ["wall.png"]


def test_an_interruption_leaves_nothing(scene: Scene, tmp_path: Path) -> None:
    class Impatient(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            if name == "render":
                raise KeyboardInterrupt

    options = AnimateOptions(
        (str(scene.photo),), None, str(tmp_path / "new" / "turn.mp4"), device="cpu", orbit=Orbit((0.0, 5.0, 10.0))
    )
    with pytest.raises(KeyboardInterrupt):
        view(options, scene.cache, Impatient())
    assert left(tmp_path) == []


def test_names_without_a_clip(show: Show, tmp_path: Path) -> None:
    assert show("{source}_{driving}.png").path == tmp_path / "me_view.png"
    with pytest.raises(RetargetError, match="exists"):
        show("{source}_{driving}.png")


def test_compared_with_the_photo_alone(show: Show, tmp_path: Path) -> None:
    show("both.png", is_compared=True)
    assert opened(tmp_path / "both.png").shape[:2] == (PHOTO[0], 2 * PHOTO[1])
