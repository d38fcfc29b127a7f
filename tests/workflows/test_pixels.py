"""Sources and clips of methods that are led by pixels: laid on the canvas, cut, opened, and brought to another rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from tests.media_maker import Clip, index_in, make_video, picture
from tests.workflows.scenes import motion_of, waving
from tests.workflows.shifting_method import BRIGHT, DARK, Shifting, place, spot
from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.body.placement import Framing, MotionPath
from retarget_cli.body.viewpoint import Orbit
from retarget_cli.core.errors import BackendError, InputError, UsageError
from retarget_cli.core.footage import Footage
from retarget_cli.core.progress import Silence
from retarget_cli.core.subject import pictured_subject
from retarget_cli.media.images import write_png
from retarget_cli.perception.missing import Missing
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.canvas import CanvasSize, parse_size
from retarget_cli.workflows.cropping import Box
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.leading import Lead, cut_of, most_alike, open_footage, resampled
from retarget_cli.workflows.performing import perform, rewindowed
from retarget_cli.workflows.pixels import MOST_VIEWS, check_kind, framed, pictured, reframed

QUIET = Silence()
RATE = Fraction(24)


def saved(path: Path, pixels: np.ndarray) -> Path:
    Pillow.fromarray(pixels).save(path)
    return path


# Sources.


def test_a_picture_keeps_its_size_and_name_and_is_its_own_plate(tmp_path: Path) -> None:
    pixels = picture(48, 64)
    subject = pictured([saved(tmp_path / "me.png", pixels)], CanvasSize(), QUIET)
    assert np.array_equal(subject.primary.image, pixels)
    assert np.array_equal(subject.plate, pixels)
    assert subject.name == "me"
    assert subject.is_unperceived


def test_transparency_is_put_on_white_and_16_bits_and_grey_are_read(tmp_path: Path) -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:16] = (200, 10, 10, 255)
    rgba[16:] = (200, 10, 10, 51)
    shown = pictured([saved(tmp_path / "a.png", rgba)], CanvasSize(), QUIET).primary.image
    assert shown[0, 0].tolist() == [200, 10, 10]
    assert shown[31, 0].tolist() == [244, 206, 206]
    deep = (np.arange(32, dtype=np.uint16)[:, None] * 2114 * np.ones((1, 32), np.uint16)).astype(np.uint16)
    grey = pictured([saved(tmp_path / "b.png", deep)], CanvasSize(), QUIET).primary.image
    assert grey.shape == (32, 32, 3)
    assert np.abs(grey[:, 5, 1].astype(int) - np.round(deep[:, 5] / 257)).max() <= 1


@pytest.mark.parametrize(
    ("size", "text", "expected"),
    [
        ((48, 64), None, (48, 64)),
        ((49, 65), None, (48, 64)),
        ((1500, 2048), None, (750, 1024)),
        ((20, 20), None, (20, 20)),
        ((48, 64), "128", (96, 128)),
        ((48, 64), "32", (24, 32)),
        ((48, 64), "100x40", (40, 100)),
        ((3000, 8), None, (1024, 2)),
    ],
)
def test_sizes(size: tuple[int, int], text: str | None, expected: tuple[int, int]) -> None:
    assert framed([picture(*size)], parse_size(text), "it").subject.size == expected


@pytest.mark.parametrize("text", ["120x60", "60x120", "90x90"])
def test_an_exact_size_keeps_the_aspect_and_the_middle(text: str) -> None:
    shown = framed([spot((120, 160), 0.5, 0.5)], parse_size(text), "it").subject.primary.image
    rows, columns = np.nonzero(shown.min(-1) > 150)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)
    assert place(shown) == pytest.approx([0.5, 0.5], abs=0.02)
    assert np.abs(shown[0, 0].astype(int) - DARK).max() <= 2  # covered, without bars


def test_further_pictures_are_brought_to_the_first_s_size_with_their_aspect() -> None:
    subject = framed([picture(48, 64), spot((100, 100), 0.5, 0.5)], CanvasSize(), "it").subject
    other = subject.views[1].image
    assert other.shape == (48, 64, 3)
    rows, columns = np.nonzero(other.min(-1) > 150)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)


def test_a_clip_gives_frames_spread_over_it_and_pictures_beyond_the_most_are_not_read(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "it.mp4", Clip(count=12))
    subject = pictured([clip], CanvasSize(), QUIET)
    assert [index_in(view.image) for view in subject.views] == [0, 3, 6, 9]
    many = [saved(tmp_path / f"{n}.png", picture(32, 32, 20 + 10 * n)) for n in range(MOST_VIEWS)]
    subject = pictured([*many, tmp_path / "missing.png"], CanvasSize(), QUIET)
    assert [index_in(view.image) for view in subject.views] == list(range(MOST_VIEWS))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"something else"])
def test_what_is_no_picture_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.png") as caught:
        pictured([path], CanvasSize(), QUIET)
    assert "\n" not in caught.value.line


# Crops of sources.


def test_the_part_that_was_named_is_seen_and_the_whole_is_shown() -> None:
    image = spot((120, 160), 0.75, 0.5)
    found = framed([image], CanvasSize(), "it", Box(80, 20, 80, 80))
    assert found.subject.size == (120, 160)
    assert found.box == Box(80, 20, 80, 80)
    assert np.array_equal(found.seen.primary.image, image[20:100, 80:160])
    assert found.notes == ()


def test_a_box_is_in_pixels_of_the_picture_whatever_the_size_of_the_result() -> None:
    image = spot((120, 160), 0.75, 0.5)
    half = framed([image], parse_size("80"), "it", Box(80, 20, 80, 80))
    assert half.box == Box(40, 10, 40, 40)
    assert place(half.seen.primary.image) == pytest.approx([0.5, 0.5], abs=0.03)
    narrow = framed([image], parse_size("60x120"), "it", Box(80, 20, 80, 80))
    assert narrow.subject.size == (120, 60)
    assert place(narrow.seen.primary.image) == pytest.approx([0.5, 0.5], abs=0.05)  # it was not cut away


def test_a_box_beyond_the_picture_is_refused_with_its_size() -> None:
    with pytest.raises(InputError, match=r"--crop, me: 80,20,100x80 reaches beyond the picture's 160x120"):
        framed([picture(120, 160)], CanvasSize(), "me", Box(80, 20, 100, 80))


def test_auto_finds_the_thing_in_every_picture() -> None:
    found = framed([spot((120, 160), 0.75, 0.5), spot((120, 160), 0.25, 0.5)], CanvasSize(), "it", "auto")
    assert found.box is not None
    assert found.box.width == found.box.height
    assert found.box.width < 70
    for view in found.seen.views:
        assert view.image.shape[:2] == found.box.size
        assert place(view.image) == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.notes == ()


def test_auto_in_a_plain_picture_takes_it_whole_and_says_so() -> None:
    found = framed([np.full((40, 40, 3), 90, np.uint8)], CanvasSize(), "it", "auto")
    assert found.box is None
    assert found.seen is found.subject
    assert "nothing stands out" in found.notes[0]


def test_a_named_box_is_taken_of_further_pictures_of_that_size_only() -> None:
    same, other = spot((120, 160), 0.75, 0.5), spot((80, 80), 0.5, 0.5)
    found = framed([same, same, other], CanvasSize(), "it", Box(80, 20, 80, 80))
    assert np.array_equal(found.seen.views[1].image, found.seen.primary.image)
    assert found.seen.views[2].image.shape == (80, 80, 3)
    assert place(found.seen.views[2].image) == pytest.approx([0.5, 0.5], abs=0.03)


def test_a_subject_that_was_made_before_keeps_its_size_until_another_is_asked_for() -> None:
    subject = pictured_subject([picture(48, 64), picture(48, 64, 90)], "it")
    same = reframed(subject, CanvasSize()).subject
    assert [np.array_equal(a.image, b.image) for a, b in zip(same.views, subject.views, strict=True)] == [True, True]
    assert reframed(subject, parse_size("32")).subject.size == (24, 32)
    assert reframed(subject, CanvasSize(), Box(0, 0, 32, 32)).seen.size == (32, 32)


# What is refused, and what is idle.


def said(**changes: Any) -> AnimateOptions:
    return replace(AnimateOptions(("a.png",), Path("d.mp4")), **changes)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"orbit": Orbit((30.0,))}, "--azimuth"),
        ({"freeze": Fraction(1)}, "--freeze"),
        ({"garment": ("b.png",)}, "--garment"),
        ({"background": "#00ff00"}, "--background #00ff00"),
        ({"background": "transparent"}, "--background transparent"),
        ({"driving": None}, "no --driving"),
    ],
)
def test_what_needs_a_person_is_refused_in_one_line(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_kind(said(**changes), "first-order", is_led=True)
    assert caught.value.message.startswith(name)
    assert "--backend first-order is led by pixels" in caught.value.message
    assert "\n" not in caught.value.line


@pytest.mark.parametrize("changes", [{"crop": "auto"}, {"driving_crop": "0,0,64x64"}])
def test_crops_are_refused_where_a_person_is_looked_for(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} .*: --backend avatar finds the person itself"):
        check_kind(said(**changes), "avatar", is_led=False)


def test_what_is_without_effect_is_said() -> None:
    assert check_kind(said(), "first-order", is_led=True) == ()
    assert check_kind(said(adapts_scale=True, find_best_frame=True, crop="auto"), "first-order", is_led=True) == ()
    (note,) = check_kind(
        said(smooth=0.0, framing=Framing.FOLLOW, missing=Missing.SKIP, person="left"), "x", is_led=True
    )
    assert note == "--framing, --smooth, --missing, --person: without effect, x is led by pixels"
    (note,) = check_kind(said(adapts_scale=True, motion=MotionPath.ABSOLUTE), "x", is_led=True)
    assert "--adapt-scale with --motion absolute" in note
    assert check_kind(said(), "avatar", is_led=False) == ()
    assert "proportions" in check_kind(said(adapts_scale=True), "avatar", is_led=False)[0]


# Clips.


def read(lead: Lead) -> Footage:
    with open_footage(lead, QUIET) as (_, windows):
        parts = list(windows)
    assert all(part.reference is parts[0].reference for part in parts)
    return replace(parts[0], times=tuple(t for part in parts for t in part.times),
                   pictures=np.concatenate([part.pictures for part in parts]))  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames of 24 a second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "it.mp4"
    return make_video(path, Clip(count=40, audio_codec="aac", audio_seconds=1.6))


def test_a_clip_s_frames_come_with_their_times(clip: Path) -> None:
    whole = read(Lead(clip))
    assert whole.times == tuple(n / RATE for n in range(40))
    assert [index_in(each) for each in whole.pictures] == [n % 21 for n in range(40)]
    assert whole.reference is not None
    assert index_in(whole.reference) == 0
    with open_footage(Lead(clip), QUIET) as (driving, windows):
        assert (driving.size, driving.rate, driving.frame_count) == ((48, 64), RATE, 40)
        assert driving.audio is not None
        next(windows)
        assert driving.start() == 0


def test_an_excerpt_is_relative_to_its_own_first_frame(clip: Path) -> None:
    part = read(Lead(clip, Excerpt(5 / RATE, 30 / RATE, 20)))
    assert part.times == tuple(n / RATE for n in range(5, 25))
    assert part.reference is not None
    assert index_in(part.reference) == 5
    assert read(Lead(clip, is_relative=False)).reference is None
    assert read(Lead(clip, is_scaled=True)).is_scaled


def test_an_excerpt_without_frames_is_one_line(clip: Path) -> None:
    with pytest.raises(InputError, match=r"it\.mp4") as caught:
        read(Lead(clip, Excerpt(Fraction(500))))
    assert "\n" not in caught.value.line


def test_a_motion_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wave.motion"
    save_motion(path, motion_of(waving(2), (64, 48)), {})
    for work in (lambda: read(Lead(path)), lambda: cut_of(path, Excerpt(), "auto", 1.0)):
        with pytest.raises(UsageError, match="a motion file holds no pictures"):
            work()


def plainly(times: list[Fraction], rate: Fraction) -> list[tuple[Fraction, int]]:
    """The newest frame at every tick, by looking through all of them."""
    found = []
    for number in range(10_000):
        now = times[0] + number / rate
        if now > times[-1] and number:
            break
        found.append((now, max(row for row, time in enumerate(times) if time <= now)))
    return found


@pytest.mark.parametrize("rate", [Fraction(12), Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(7, 2)])
@pytest.mark.parametrize("start", [Fraction(0), Fraction(1, 3)])
def test_another_rate_is_exact(rate: Fraction, start: Fraction) -> None:
    numbers = (0, 1, 2, 5, 6, 7, 11, 12, 13, 16)
    times = [start + Fraction(n, 24) for n in numbers]
    frames = [(time, np.full((1, 1, 3), row, np.uint8)) for row, time in enumerate(times)]
    made = [(time, int(shown[0, 0, 0])) for time, shown in resampled(frames, rate)]
    assert made == plainly(times, rate)


def test_one_frame_and_none_at_another_rate() -> None:
    frame = np.zeros((1, 1, 3), np.uint8)
    assert [time for time, _ in resampled([(Fraction(3), frame)], Fraction(60))] == [3]
    assert list(resampled([], Fraction(60))) == []


def test_large_frames_are_made_small_and_parts_of_them_as_large_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, x in enumerate((0.4, 0.45, 0.5)):
        write_png(folder / f"{number}.png", spot((1200, 1600), x, 0.25, 0.1))
    assert read(Lead(folder)).pictures.shape == (3, 384, 512, 3)
    cut, notes = cut_of(folder, Excerpt(), Box(400, 0, 600, 600), 1.0)
    assert notes == ()
    part = read(Lead(folder, cut=cut))
    assert part.pictures.shape[1:] == (512, 512, 3)
    assert place(part.pictures[0]) == pytest.approx([(0.4 * 1600 - 400) / 600, 0.5], abs=0.02)
    cut, notes = cut_of(folder, Excerpt(), "auto", 1.0)
    assert notes == ()
    assert cut is not None
    assert cut.box.width == pytest.approx(cut.box.height, abs=4)
    assert cut.box.width < 600
    inside = read(Lead(folder, cut=cut))
    assert place(inside.pictures[1]) == pytest.approx([0.5, 0.5], abs=0.05)


def test_auto_in_a_still_clip_takes_it_whole_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        write_png(folder / f"{number}.png", spot((60, 60), 0.5, 0.5))
    cut, (note,) = cut_of(folder, Excerpt(), "auto", 1.0)
    assert cut is None
    assert note.startswith("--driving-crop auto: nothing moves")
    with pytest.raises(InputError, match=r"--driving-crop, .*frames: 0,0,80x20 reaches beyond the picture's 60x60"):
        cut_of(folder, Excerpt(), Box(0, 0, 80, 20), 1.0)


def test_a_picture_as_a_clip_is_one_frame_and_a_note(tmp_path: Path) -> None:
    path = saved(tmp_path / "still.png", picture())
    for is_relative in (True, False):
        with open_footage(Lead(path, is_relative=is_relative), QUIET) as (driving, windows):
            (window,) = windows
            assert len(window) == 1
            notes = driving.notes()
            assert any("--motion absolute" in note for note in notes) == is_relative


def test_the_frame_most_like_the_source(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    places = [0.2 + 0.03 * number for number in range(20)]  # more than a window
    for number, x in enumerate(places):
        write_png(folder / f"{number:02d}.png", spot((64, 64), x, 0.5))
    source = spot((64, 64), places[17], 0.5)
    assert np.array_equal(most_alike(Lead(folder), Shifting(source)), source)

    class Mute(Performer):
        def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
            raise AssertionError

    with pytest.raises(BackendError, match="can't tell"):
        most_alike(Lead(folder), Mute())


# On the way to the performer.


@pytest.mark.parametrize("length", [1, 4, 7, 100])
def test_windows_of_footage_have_the_wanted_length(clip: Path, length: int) -> None:
    with open_footage(Lead(clip), QUIET) as (_, windows):
        parts = list(rewindowed(windows, length))
    assert all(len(part) == length for part in parts[:-1])
    assert sum(map(len, parts)) == 40
    shown = [index_in(each) for part in parts if isinstance(part, Footage) for each in part.pictures]
    assert shown == [n % 21 for n in range(40)]


def test_a_performer_is_handed_the_frames_and_gives_their_times() -> None:
    pictures = np.stack([spot((32, 32), 0.3 + 0.05 * n, 0.5) for n in range(6)])
    footage = Footage(tuple(n / RATE for n in range(6)), pictures, pictures[0])
    made = list(perform(Shifting(spot((64, 64), 0.3, 0.5)), [footage.rows(0, 2), footage.rows(2, 6)], (64, 64), 4))
    assert tuple(time for time, _ in made) == footage.times
    for number, (_, frame) in enumerate(made):
        shown = (frame[:3].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        assert place(shown)[0] == pytest.approx(0.3 + 0.05 * number, abs=0.03)
        assert shown.max() == max(BRIGHT)


def test_a_clip_is_either_frames_or_motion() -> None:
    frames = Footage((Fraction(0),), np.zeros((1, 4, 4, 3), np.uint8))
    with pytest.raises(TypeError, match="either motion or frames"):
        list(rewindowed([frames, motion_of(waving(1), (64, 48))], 4))
