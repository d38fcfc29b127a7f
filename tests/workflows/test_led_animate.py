"""Methods that are led by pixels, from files to a film: what is made is read back from it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.media_maker import Clip, make_video, probe
from tests.workflows.shifting_method import DARK, Shifter, offer_where_nobody_is_looked_for, place, spot

from retarget_cli.backends.base import Performer
from retarget_cli.body.placement import MotionPath
from retarget_cli.core.errors import InputError, OutputError, UsageError, WeightsError
from retarget_cli.core.subject import Subject
from retarget_cli.media.images import write_png
from retarget_cli.workflows import filming
from retarget_cli.workflows.animate import AnimateResult, animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.troupe import Troupe
from retarget_cli.workflows.view import view

COUNT = 20
RATE = Fraction(25)
WAY = [0.35 + 0.3 * number / (COUNT - 1) for number in range(COUNT)]
BEEPS = (0.2, 0.5)
TINY = (("weights", "none"), ("width", "8"), ("most", "16"), ("keypoints", "3"), ("resolution", "64"))
FAMILY = ("first-order", "articulated", "self-appearance")
Make = Callable[..., AnimateResult]


@pytest.fixture(autouse=True)
def nobody_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_where_nobody_is_looked_for(monkeypatch)


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture 96 wide and 64 high with a spot in its middle, and a clip of one that goes from left to right."""
    folder = tmp_path_factory.mktemp("things")
    write_png(folder / "me.png", spot((64, 96), 0.5, 0.5))
    sound = {"audio_codec": "aac", "audio_seconds": 0.8, "beeps": BEEPS}
    make_video(folder / "way.mp4", Clip((64, 96), RATE, COUNT, **sound), [spot((64, 96), x, 0.5) for x in WAY])
    return folder


@pytest.fixture
def make(things: Path, tmp_path: Path) -> Make:
    """Let the picture follow the clip; anything can be said otherwise."""

    def made(output: str = "out.mkv", **changes: Any) -> AnimateResult:
        said: dict[str, Any] = {
            "sources": (str(things / "me.png"),), "driving": things / "way.mp4", "backend": "shifter", "device": "cpu",
            "codec": "ffv1" if output.endswith("mkv") else None, **changes,
        }  # fmt: skip
        troupe = said.pop("troupe", None)
        return animate(AnimateOptions(output=str(tmp_path / output), **said), None, None, troupe)

    return made


def places(path: Path) -> list[float]:
    """Where the spot is in every frame, across."""
    return [float(place(frame)[0]) for frame in probe(path).frames]


def test_relative_motion_starts_where_the_source_stands(make: Make) -> None:
    result = make()
    film = probe(result.path)
    assert [float(time) for time in film.times] == pytest.approx([n / 25 for n in range(COUNT)], abs=0.001)
    assert film.size == (64, 96) == result.size
    assert film.beeps == pytest.approx(BEEPS, abs=0.01)
    assert places(result.path) == pytest.approx([0.5 + x - WAY[0] for x in WAY], abs=0.02)
    assert result.notes == ()


def test_absolute_motion_stands_where_the_driving_thing_does(make: Make) -> None:
    assert places(make(motion=MotionPath.ABSOLUTE).path) == pytest.approx(WAY, abs=0.02)


def test_the_best_frame_stands_where_the_source_stands(make: Make) -> None:
    assert places(make(find_best_frame=True).path) == pytest.approx(WAY, abs=0.03)


def test_movements_are_scaled_by_the_sizes(make: Make, tmp_path: Path) -> None:
    write_png(tmp_path / "small.png", spot((64, 96), 0.5, 0.5, 0.125))
    small = {"sources": (str(tmp_path / "small.png"),)}
    plain = places(make("a.mkv", **small).path)
    scaled = places(make("b.mkv", adapts_scale=True, **small).path)
    assert plain[-1] - plain[0] == pytest.approx(0.3, abs=0.03)
    assert scaled[-1] - scaled[0] == pytest.approx(0.15, abs=0.03)


def test_an_excerpt_keeps_its_sound(make: Make) -> None:
    result = make(excerpt=Excerpt(10 / RATE, None, 8))
    assert places(result.path) == pytest.approx([0.5 + x - WAY[10] for x in WAY[10:18]], abs=0.02)
    assert probe(result.path).beeps == pytest.approx([BEEPS[1] - 0.4], abs=0.02)


@pytest.mark.parametrize("fps", [Fraction(10), Fraction(30000, 1001)])
def test_another_rate(make: Make, fps: Fraction) -> None:
    film = probe(make("out.mp4", fps=fps).path)
    assert film.times == [n / fps for n in range(100) if n / fps <= (COUNT - 1) / RATE]


def test_uneven_times_are_kept(make: Make, tmp_path: Path) -> None:
    times = [Fraction(n, 24) for n in (0, 1, 2, 5, 6, 7, 11)]
    frames = [spot((64, 96), x, 0.5) for x in WAY[:7]]
    clip = make_video(tmp_path / "vfr.mp4", Clip((64, 96), Fraction(24), times=times), frames)
    assert probe(make("out.mp4", driving=clip).path).times == times


def test_source_driving_and_result_side_by_side(make: Make) -> None:
    film = probe(make(is_compared=True).path)
    assert film.size == (64, 3 * 96)
    left, middle, right = (place(film.frames[-1][:, n * 96 : (n + 1) * 96])[0] for n in range(3))
    assert (left, middle, right) == pytest.approx((0.5, WAY[-1], 0.8), abs=0.02)


def test_one_frame_a_picture_that_drives_and_a_clip_without_motion(make: Make, things: Path, tmp_path: Path) -> None:
    one = make("one.png", excerpt=Excerpt(max_frames=1))
    assert (one.frames, one.path.suffix) == (1, ".png")
    assert any("--motion absolute" in note for note in one.notes)
    write_png(tmp_path / "pose.png", spot((64, 96), 0.3, 0.5))
    still = make("still.mkv", driving=tmp_path / "pose.png", motion=MotionPath.ABSOLUTE)
    assert places(still.path) == pytest.approx([0.3], abs=0.02)
    clip = make_video(tmp_path / "rest.mp4", Clip((64, 96), RATE, 3), [spot((64, 96), 0.3, 0.5)] * 3)
    assert places(make("rest.mkv", driving=clip).path) == pytest.approx([0.5] * 3, abs=0.02)


def test_the_source_is_cut_and_pasted_back(make: Make, tmp_path: Path) -> None:
    """What lies outside of the crop is the source's; inside, the thing moves by shares of the crop."""
    picture = spot((128, 256), 0.25, 0.5, 0.3)
    picture[:, 192:] = (90, 20, 120)
    write_png(tmp_path / "wide.png", picture)
    wide = {"sources": (str(tmp_path / "wide.png"),)}
    result = make("a.mkv", crop="0,0,128x128", **wide)
    assert result.size == (128, 256)
    film = probe(result.path)
    for frame in film.frames:
        assert np.array_equal(frame[:, 192:], picture[:, 192:])
        assert np.abs(frame[:, 120:190].astype(int) - DARK).max() < 12
    found = [float(place(frame[:, :128])[0]) for frame in film.frames]
    assert found[0] == pytest.approx(0.5, abs=0.02)
    assert found[-1] == pytest.approx(0.8, abs=0.03)
    auto = make("b.mkv", crop="auto", **wide)
    assert auto.size == (128, 256)
    assert np.array_equal(probe(auto.path).frames[-1][:, 200:], picture[:, 200:])


def test_the_clip_is_cut(make: Make) -> None:
    """Of the middle half, where the spot is to be seen, the way is twice as long."""
    half = make("a.mkv", driving_crop="24,0,48x64", motion=MotionPath.ABSOLUTE)
    assert places(half.path) == pytest.approx([2 * (x - 0.25) for x in WAY], abs=0.03)
    auto = places(make("b.mkv", driving_crop="auto", motion=MotionPath.ABSOLUTE).path)
    assert auto[-1] - auto[0] > 0.32
    assert (auto[0] + auto[-1]) / 2 == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"crop": "0,0,97x64"}, InputError, "--crop, me: 0,0,97x64 reaches beyond the picture's 96x64"),
        ({"driving_crop": "0,0,97x64"}, InputError, "--driving-crop, .*way.mp4: 0,0,97x64 reaches beyond"),
        ({"crop": "face"}, UsageError, "--crop 'face': expected none, auto or X,Y,WIDTHxHEIGHT"),
        ({"backend": "avatar", "crop": "auto"}, UsageError, "--crop auto: --backend avatar finds the person itself"),
        ({"background": "transparent"}, UsageError, "--background transparent"),
        ({"driving": None}, UsageError, "no --driving"),
        ({"excerpt": Excerpt(Fraction(90))}, InputError, "way.mp4"),
        ({"backend": "first-order", "settings": (("weights", "no-such-file"),)}, WeightsError, "no-such-file"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    make: Make, tmp_path: Path, changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        make(**changes)
    assert "\n" not in getattr(caught.value, "line", "\n")
    assert not list(tmp_path.iterdir())


def test_other_sides_are_refused(things: Path, tmp_path: Path) -> None:
    options = AnimateOptions((str(things / "me.png"),), None, str(tmp_path / "o.mp4"), "shifter")
    with pytest.raises(UsageError, match="led by pixels"):
        view(options)


def test_a_film_that_was_stopped_goes_on_to_the_same_bytes(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, things: Path
) -> None:
    long = make_video(
        tmp_path / "long.mp4", Clip((64, 96), Fraction(5), 40), [spot((64, 96), 0.3 + n / 100, 0.5) for n in range(40)]
    )
    whole = make("whole.mp4", driving=long, is_resumed=True, find_best_frame=True)
    real = filming.composed
    left = [22]

    def breaking(*words: Any) -> Any:
        for each in real(*words):
            left[0] -= 1
            if left[0] < 0:
                raise OutputError("the disk is full")
            yield each

    monkeypatch.setattr(filming, "composed", breaking)
    with pytest.raises(OutputError, match="full"):
        make("again.mp4", driving=long, is_resumed=True, find_best_frame=True)
    left[0] = 1000
    again = make("again.mp4", driving=long, is_resumed=True, find_best_frame=True)
    assert again.resumed == 16
    assert again.path.read_bytes() == whole.path.read_bytes()
    # With anything else that changes the picture, nothing of it is used.
    left[0] = 22
    with pytest.raises(OutputError):
        make("other.mp4", driving=long, is_resumed=True)
    left[0] = 1000
    assert make("other.mp4", driving=long, is_resumed=True, driving_crop="0,0,64x64").resumed == 0


def test_a_troupe_keeps_a_puppet_by_its_crop(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[int, int]] = []
    real = Shifter.prepare

    def noting(self: Shifter, subject: Subject) -> Performer:
        prepared.append(subject.size)
        return real(self, subject)

    monkeypatch.setattr(Shifter, "prepare", noting)
    troupe = Troupe(4)
    for number, crop in enumerate(("none", "24,0,48x64", "none")):
        make(f"{number}.mkv", troupe=troupe, crop=crop, excerpt=Excerpt(max_frames=2))
    assert prepared == [(64, 96), (64, 48)]


@pytest.mark.parametrize("backend", FAMILY)
def test_an_untrained_network_of_the_family_makes_a_film(make: Make, backend: str) -> None:
    result = make("out.mp4", backend=backend, settings=TINY, crop="16,0,64x64", driving_crop="auto", adapts_scale=True)
    film = probe(result.path)
    assert (result.frames, film.size) == (COUNT, (64, 96))
    assert film.times == [n / RATE for n in range(COUNT)]
    assert film.beeps == pytest.approx(BEEPS, abs=0.01)


@pytest.mark.parametrize("size", [(20, 20), (16, 300)])
def test_small_and_narrow_pictures(make: Make, tmp_path: Path, size: tuple[int, int]) -> None:
    write_png(tmp_path / "small.png", spot(size, 0.5, 0.5))
    small = (str(tmp_path / "small.png"),)
    result = make("out.mp4", sources=small, backend="first-order", settings=TINY, excerpt=Excerpt(max_frames=3))
    assert result.size == size
    assert len(probe(result.path).frames) == 3


@pytest.mark.slow
def test_a_huge_picture(make: Make, tmp_path: Path) -> None:
    huge = np.concatenate([spot((8000, 8000), 0.75, 0.5), np.full((8000, 8000, 1), 200, np.uint8)], -1)
    write_png(tmp_path / "huge.png", huge)
    del huge
    huge_one = (str(tmp_path / "huge.png"),)
    result = make("out.mp4", sources=huge_one, crop="auto", excerpt=Excerpt(max_frames=2))
    assert result.size == (1024, 1024)
    frame = probe(result.path).frames[0]
    assert place(frame) != pytest.approx([0.5, 0.5], abs=0.1)
    assert np.abs(frame[0, 0].astype(int) - (np.array(DARK) * 200 + 255 * 55) / 255).max() < 4
