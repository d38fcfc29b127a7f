"""The driving side, without perception: excerpts, rates, what the cache keeps; sources by name; best frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import Clip, make_video
from tests.perception.bodies import body
from tests.workflows.scenes import NTSC, Shotlike, draw, motion_of, waving

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Silence, counted
from retarget_cli.core.subject import View
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.motion_arrays import packed, unpacked
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.workflows.best_frame import best_frame
from retarget_cli.workflows.driving import Excerpt, cut, nominal_rate, open_driving, perceived_side
from retarget_cli.workflows.source import facing_angle, fit_views, quality, source_files

SIZE = (192, 128)


def timed(times: list[Fraction]) -> Motion:
    count = len(times)
    pose = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((33, 3), np.float32)
    theta, camera = np.zeros((count, 24, 3), np.float32), np.ones((count, 3), np.float32)
    present = np.arange(count) % 3 > 0
    return Motion((40, 30), tuple(times), present, pose, -pose, "anny", theta, camera, np.float32([1, 2]))


EVEN = [i / NTSC for i in range(12)]


@pytest.mark.parametrize(
    ("excerpt", "expected"),
    [
        (Excerpt(), list(range(12))),
        (Excerpt(max_frames=3), [0, 1, 2]),
        (Excerpt(start=Fraction(0)), list(range(12))),
        (Excerpt(start=4 / NTSC), list(range(4, 12))),
        (Excerpt(start=Fraction(7, 2) / NTSC), list(range(4, 12))),
        (Excerpt(end=4 / NTSC), [0, 1, 2, 3]),
        (Excerpt(start=2 / NTSC, end=9 / NTSC, max_frames=4), [2, 3, 4, 5]),
        (Excerpt(start=2 / NTSC, end=4 / NTSC, max_frames=40), [2, 3]),
        (Excerpt(start=Fraction(60)), []),
        (Excerpt(end=Fraction(0)), []),
    ],
)
def test_an_excerpt_of_a_motion_is_that_of_its_clip(excerpt: Excerpt, expected: list[int]) -> None:
    motion = timed(EVEN)
    assert [int(value) for value in cut(motion, excerpt).pose[:, 0, 0]] == expected


def test_a_motion_that_begins_later_keeps_the_clock_of_its_clip() -> None:
    motion = timed([Fraction(5 + n) for n in range(6)])
    assert cut(motion, Excerpt(Fraction(6), Fraction(8))).times == (6, 7)


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([Fraction(0)], Fraction(25)),
        (EVEN, NTSC),
        ([Fraction(n, 24) for n in (0, 1, 2, 5, 6, 9, 10)], Fraction(24)),
        ([Fraction(0), Fraction(1, 2)], Fraction(2)),
    ],
)
def test_the_rate_is_that_of_the_commonest_distance(times: list[Fraction], rate: Fraction) -> None:
    assert nominal_rate(tuple(times)) == rate


def test_what_the_cache_keeps_comes_back_exactly(tmp_path: Path) -> None:
    motion = timed([Fraction(1, 3), Fraction(1, 2), Fraction(1001, 30000) + 1, Fraction(7)])
    cache = Cache(tmp_path, 10**6)
    cache.put("key", packed(motion), {})
    kept = cache.get("key")
    assert kept is not None
    again = unpacked(kept, "anny")
    assert (again.times, again.size, again.body) == (motion.times, motion.size, "anny")
    for name in ("present", "pose", "world", "theta", "camera", "betas"):
        assert np.array_equal(getattr(again, name), getattr(motion, name))
        assert getattr(again, name).dtype == getattr(motion, name).dtype


def opened(path: Path, excerpt: Excerpt = Excerpt()) -> tuple[Motion, Fraction, Fraction | None, Fraction]:  # noqa: B008
    with open_driving(path, body(), "largest", excerpt, None, Silence()) as driving:
        motion = join(list(driving.windows))
        assert driving.was_known
        assert driving.audio is None
        assert driving.frame_count == len(motion)
        return motion, driving.rate, driving.time_base, driving.start()


def test_a_motion_file_is_driving(tmp_path: Path) -> None:
    motion = motion_of(waving(40), SIZE, NTSC)
    save_motion(tmp_path / "wave.motion", motion, {})
    again, rate, tick, start = opened(tmp_path / "wave.motion")
    assert again.times == motion.times
    assert (rate, tick, start) == (NTSC, None, 0)
    assert np.array_equal(again.theta, motion.theta)  # type: ignore[arg-type]


def test_a_motion_file_of_uneven_times_keeps_them(tmp_path: Path) -> None:
    times = (*(Fraction(n, 24) for n in (0, 1, 4, 5, 6)), Fraction(1, 3) + Fraction(1, 10**6))
    even = motion_of(waving(6), SIZE)
    save_motion(tmp_path / "wave", Motion(**{**fields_of(even), "times": times}), {})
    again, rate, tick, _ = opened(tmp_path / "wave")
    assert again.times == times
    assert rate == 24
    assert tick is not None
    assert all((time / tick).denominator == 1 for time in times)


def test_a_part_of_a_motion_file(tmp_path: Path) -> None:
    save_motion(tmp_path / "wave.motion", motion_of(waving(12), SIZE, Fraction(12)), {})
    again, _, _, start = opened(tmp_path / "wave.motion", Excerpt(Fraction(1, 4), Fraction(3, 4)))
    assert again.times == tuple(Fraction(n, 12) for n in range(3, 9))
    assert start == Fraction(1, 4)
    with pytest.raises(InputError, match="no frame"):
        opened(tmp_path / "wave.motion", Excerpt(Fraction(5)))


def test_landmarks_alone_are_fitted(tmp_path: Path) -> None:
    whole = fields_of(motion_of(waving(12), SIZE))
    bare = Motion(**{**whole, "body": "", "theta": None, "camera": None, "betas": None})
    save_motion(tmp_path / "bare.motion", bare, {})
    again = opened(tmp_path / "bare.motion")[0]
    assert again.body == "anny"
    assert again.theta is not None


def fields_of(motion: Motion) -> dict[str, object]:
    return {name: getattr(motion, name) for name in Motion.__slots__}


@pytest.mark.parametrize(("long_side", "expected"), [(64, 512), (1100, 550), (2000, 960)])
def test_clips_are_looked_at_in_bounds(tmp_path: Path, long_side: int, expected: int) -> None:
    path = make_video(tmp_path / "clip.mp4", Clip(size=(32, long_side), count=2, pixel_format="yuv420p"))
    assert perceived_side(path) == expected


def test_progress_counts_what_passes_and_ends_with_a_total() -> None:
    told: list[tuple[str, int, int | None]] = []

    class Told(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            told.append((name, done, total))

    assert list(counted("ab", "pose", None, Told())) == ["a", "b"]
    assert told == [("pose", 0, None), ("pose", 1, None), ("pose", 2, None), ("pose", 2, 2)]


def test_sources_are_files_globs_and_folders_in_order(tmp_path: Path) -> None:
    for name in ("b2.png", "b10.png", "a.jpg", "note.txt"):
        (tmp_path / name).write_bytes(b"x")
    names = [path.name for path in source_files([str(tmp_path)])]
    assert names == ["a.jpg", "b2.png", "b10.png"]
    found = source_files([str(tmp_path / "b10.png"), str(tmp_path / "?.jpg"), str(tmp_path / "b*.png")])
    assert [path.name for path in found] == ["b10.png", "a.jpg", "b10.png", "b2.png"]


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    (tmp_path / "me[1].png").touch()
    assert source_files([str(tmp_path / "me[1].png")]) == [tmp_path / "me[1].png"]


@pytest.mark.parametrize("name", ["no.png", "*.png", "none/", "x" * 400, "a\0b"])
def test_a_source_that_names_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        source_files([f"{tmp_path}/{name}"])


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        source_files([str(tmp_path)])


def test_the_best_frame_is_the_one_most_like_the_source() -> None:
    motion = motion_of(waving(12), SIZE)
    assert motion.theta is not None
    assert best_frame(motion, motion.theta[5] + 0.02) == 5
    motion.present[5] = False
    assert best_frame(motion, motion.theta[5]) in {4, 6, 7}
    motion.present[:] = False
    with pytest.raises(InputError, match="no person"):
        best_frame(motion, motion.theta[5])


def view_at(turn: float, share: float = 0.85) -> View:
    theta = np.zeros((24, 3), np.float32)
    theta[0, 1] = turn
    return draw(SIZE, theta).view


def test_the_front_is_the_best_view() -> None:
    scores = [quality(view_at(turn)) for turn in (0.0, 0.7, 1.5, np.pi)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("turn", [0.0, 0.6, -0.6, 2.5])
def test_the_facing_angle_is_the_turn(turn: float) -> None:
    assert abs(facing_angle(view_at(turn).world)) == pytest.approx(abs(turn), abs=0.15)


def test_views_are_fitted_with_one_shape_each_in_its_own_pixels() -> None:
    shots = [Shotlike.of(draw(SIZE)), Shotlike.of(draw((384, 256)))]
    views, betas = fit_views(shots, body())  # type: ignore[arg-type]
    assert betas.shape == (body().shape_count,)
    assert float(views[1].camera[0] / views[0].camera[0]) == pytest.approx(2, rel=0.05)
    assert float(views[0].camera[0]) == pytest.approx(draw(SIZE).camera[0], rel=0.1)
