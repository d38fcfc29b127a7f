"""What stands behind the person, and what stands beside it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.media_maker import Clip, corners, index_in, make_video, picture
from tests.workflows.scenes import motion_of, subject, waving

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.media.images import write_png
from retarget_cli.media.reader import open_frames
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.workflows import background as module
from retarget_cli.workflows.background import (
    Film,
    Still,
    check_background,
    covering,
    driving_plate,
    open_background,
    parse_color,
)
from retarget_cli.workflows.comparison import Comparison, on_checks, open_comparison
from retarget_cli.workflows.compose import cut_out, over
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.frames import composed

SIZE = (48, 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("#00ff7F", (0, 255, 127)), ("#fff", (255, 255, 255)), ("#1a0", (17, 170, 0)), ("source", None), ("a#b", None)],
)
def test_colours(text: str, expected: tuple[int, int, int] | None) -> None:
    assert parse_color(text) == expected


@pytest.mark.parametrize("text", ["#", "#12", "#12345", "#1234567", "#ggg", "#ffff", "#-1234a", "# fff", "#１２３"])
def test_other_colours_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a colour"):
        parse_color(text)


def background_of(name: str, driving: Path = Path("none"), size: tuple[int, int] = SIZE):  # type: ignore[no-untyped-def]
    person = subject((192, 128))
    person = type(person)(person.views, person.betas, person.body, person.plate)
    return open_background(name, person, driving, "largest")


def test_named_backgrounds(tmp_path: Path) -> None:
    with background_of("source") as chosen:
        assert chosen.at(Fraction(3)).shape == (192, 128, 3)
        assert (chosen.at(Fraction(0)) == 120).all()
    with background_of("transparent") as chosen:
        assert chosen.at(Fraction(0)) is None
    with background_of("#0a0b0c") as chosen:
        assert (chosen.at(Fraction(9)) == (10, 11, 12)).all()
    write_png(tmp_path / "wall.png", picture(192, 128))
    with background_of(str(tmp_path / "wall.png")) as chosen:
        assert np.array_equal(chosen.at(Fraction(0)), picture(192, 128))


def test_a_background_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no such file") as caught, background_of("no/such.png"):
        pass
    assert "transparent" in caught.value.hint


def test_a_damaged_background(tmp_path: Path) -> None:
    (tmp_path / "wall.png").write_bytes(b"not a picture at all")
    with pytest.raises(InputError), background_of(str(tmp_path / "wall.png")):
        pass


def test_a_film_runs_beside_the_result_and_its_last_frame_stays(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", Clip(rate=Fraction(10), count=5, size=SIZE))
    with open_frames(path) as source:
        film = Film(source, SIZE)
        shown = [index_in(film.at(Fraction(n, 30))) for n in range(0, 30, 2)]
    assert shown == [0, 0, 1, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4]


def test_a_slow_result_skips_frames_of_the_film(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", Clip(rate=Fraction(30), count=12, size=SIZE))
    with open_frames(path) as source:
        film = Film(source, SIZE)
        assert [index_in(film.at(Fraction(n, 10))) for n in range(5)] == [0, 3, 6, 9, 11]


def test_a_clip_behind_covers_the_canvas(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", Clip(rate=Fraction(10), count=3, size=SIZE))
    with background_of(str(path)) as chosen:
        assert chosen.at(Fraction(0)).shape == (192, 128, 3)


@pytest.mark.parametrize("size", [(40, 40), (96, 128), (10, 200), (200, 10), (48, 64), (1, 1)])
@pytest.mark.parametrize("whole", [False, True])
def test_covering_gives_the_size(size: tuple[int, int], whole: bool) -> None:
    assert covering(picture(48, 64), size, whole=whole).shape == (*size, 3)


def test_covering_cuts_about_the_middle_and_whole_cuts_nothing() -> None:
    wide = covering(picture(48, 200), (48, 48))
    assert corners(wide) == ["red", "green", "blue", "white"]
    whole = covering(picture(48, 96, shade=200), (96, 96), whole=True)
    assert whole[48, 48].tolist() == [200, 200, 200]
    assert corners(whole) == ["red", "green", "blue", "white"]  # the border is continued


def test_the_plate_of_a_motion_file_is_refused(tmp_path: Path) -> None:
    save_motion(tmp_path / "dance", motion_of(waving(2), (192, 128)), {})
    with pytest.raises(UsageError, match="motion file"):
        check_background("driving", tmp_path / "dance")


class Nobody:
    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> Nobody:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def find(self, rgb: object) -> None:
        return None


def test_the_driving_plate_is_laid_in_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PersonTracker", Nobody)
    path = make_video(tmp_path / "dance.mp4", Clip(size=SIZE, count=30))
    plate = driving_plate(path, "largest", 64)
    assert plate.shape == (*SIZE, 3)
    with background_of("driving", path) as chosen:
        found = chosen.at(Fraction(0))
        assert found.shape == (192, 128, 3)
        assert corners(found) == ["red", "green", "blue", "white"]


def half_red(size: tuple[int, int] = (4, 6)) -> torch.Tensor:
    """Opaque red on the left, half of it in the middle, nothing on the right; colour everywhere."""
    frame = torch.zeros(4, *size)
    frame[0] = 1
    frame[3, :, :2], frame[3, :, 2:4] = 1, 0.5
    return frame


def test_over_and_cut_out() -> None:
    plate = np.full((4, 6, 3), 100, np.uint8)
    out = np.empty((4, 6, 3), np.uint8)
    over(half_red().numpy(), plate, out)
    assert out[0, ::2].tolist() == [[255, 0, 0], [178, 50, 50], [100, 100, 100]]
    matte = np.empty((4, 6, 4), np.uint8)
    cut_out(half_red().numpy(), matte)
    assert matte[0, ::2].tolist() == [[255, 0, 0, 255], [255, 0, 0, 128], [255, 0, 0, 0]]
    over(half_red().numpy() * 1.2 - 0.05, plate, out)  # a little out of range is cut, not wrapped
    assert out[0, 0].tolist() == [255, 0, 0]


class Clockwork(module.Background):
    def __init__(self) -> None:
        self.asked: list[Fraction] = []

    def at(self, time: Fraction) -> np.ndarray:
        self.asked.append(time)
        return np.full((4, 6, 3), int(time * 10), np.uint8)


def test_the_background_is_asked_for_times_since_the_first_frame() -> None:
    times = [Fraction(5), Fraction(26, 5), Fraction(7)]
    clockwork = Clockwork()
    done = list(composed(((time, half_red()) for time in times), clockwork, (4, 6)))
    assert [time for time, _ in done] == times
    assert clockwork.asked == [0, Fraction(1, 5), 2]
    assert [int(rgb[0, 5, 0]) for _, rgb in done] == [0, 2, 20]
    assert next(composed([(Fraction(0), half_red())], Still(None), (4, 6)))[1].shape == (4, 6, 4)


def test_comparison_lays_source_driving_and_result_beside_each_other() -> None:
    source, result = np.full((4, 3, 3), 1, np.uint8), np.full((4, 5, 3), 2, np.uint8)
    clockwork = Clockwork()
    beside = Comparison(source, clockwork).beside(Fraction(0), result)
    assert beside.shape == (4, 3 + 6 + 5, 3)
    assert (beside[:, :3] == 1).all()
    assert (beside[:, -5:] == 2).all()
    assert clockwork.asked == [0]
    assert Comparison(source, None).beside(Fraction(0), result).shape == (4, 8, 3)


def test_transparency_is_shown_on_checks() -> None:
    clear = np.zeros((64, 64, 4), np.uint8)
    shown = on_checks(clear)
    assert sorted(np.unique(shown).tolist()) == [170, 210]
    assert shown[0, 0, 0] != shown[0, 16, 0]
    clear[..., 3] = 255
    assert not on_checks(clear).any()


def test_comparison_follows_the_excerpt(tmp_path: Path) -> None:
    path = make_video(tmp_path / "dance.mp4", Clip(size=SIZE, count=12, rate=Fraction(24)))
    person = subject((192, 128))
    with open_comparison(person, path, Excerpt(start=Fraction(1, 4), max_frames=3)) as comparison:
        result = np.zeros((192, 128, 3), np.uint8)
        shown = [comparison.beside(Fraction(n, 24), result) for n in range(3)]
    assert shown[0].shape == (192, 128 + 256 + 128, 3)
    assert [index_in(rgb[:, 128:-128]) for rgb in shown] == [6, 7, 8]
