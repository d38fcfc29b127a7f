"""Small files that claim, or unpack into, far more than a machine has: one clear line each, before memory is spent."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from bomb_maker import archives, chunk, deflated_zeros, film, gif, icon, png, tiff, webp

from media_maker import Clip, make_video, picture
from retarget_cli.core.errors import InputError
from retarget_cli.media import limits
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.audio_input import AudioInput, NoSoundError
from retarget_cli.media.images import read_picture, write_png
from retarget_cli.media.reader import open_frames

TRIAL = Path(__file__).with_name("bomb_trial.py")
SMALL = png(64, 48, depth=8)
SQUEEZED = deflated_zeros(300 << 20)
MANY = struct.pack(">II", 2**31 - 1, 0)
FIRST_FRAME = struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 25, 0, 0)
# What the line about a picture and a clip must hold.
TOO_LARGE, DAMAGED, NO_FILM, NO_PICTURE = "too large", "is a damaged picture", "is not a video", "is not a picture"
BOMBS: dict[str, tuple[bytes, str, str]] = {
    "wide.png": (png(100_000, 100_000, rows=False), TOO_LARGE, TOO_LARGE),
    "real.png": (png(40_000, 40_000), TOO_LARGE, TOO_LARGE),
    "thin.png": (png(1, 150_000_000, rows=False), "1x150000000", "1x150000000"),
    "text.png": (png(8, 8, chunk(b"zTXt", b"k\0\0" + SQUEEZED)), DAMAGED, DAMAGED),
    "profile.png": (png(8, 8, chunk(b"iCCP", b"k\0\0" + SQUEEZED)), DAMAGED, DAMAGED),
    "endless.png": (
        png(8, 8, chunk(b"acTL", MANY), chunk(b"fcTL", FIRST_FRAME)), "seen: (8, 8, 3)", "2147483647 frames",
    ),
    "screen.gif": (gif(65_535, 65_535, 2), TOO_LARGE, TOO_LARGE),
    "growing.gif": (gif(8, 8, 3)[:-1] + gif(8, 8, 3, (65_535, 65_535))[19:], "seen: (8, 8, 3)", TOO_LARGE),
    "many.gif": (gif(8, 8, limits.MAX_ANIMATION_FRAMES + 1), "seen: (8, 8, 3)", "has 100001 frames"),
    "canvas.webp": (webp(1 << 24, 1 << 24), TOO_LARGE, TOO_LARGE),
    "largest.webp": (webp(16_383, 16_383), TOO_LARGE, TOO_LARGE),
    "wide.tif": (tiff(100_000, 100_000), TOO_LARGE, TOO_LARGE),
    "samples.tif": (tiff(1000, 1000, samples=60_000), NO_PICTURE, NO_FILM),
    "wide.ppm": (b"P6 100000 100000 255 x", TOO_LARGE, TOO_LARGE),
    "inside.ico": (icon(png(15_000, 15_000, rows=False)), TOO_LARGE, TOO_LARGE),
}  # fmt: skip


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What every bomb gave, in a process that may have 3 GiB of addresses."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (content, _, _) in BOMBS.items():
        (folder / name).write_bytes(content)
    for name, content in archives():
        (folder / name).write_bytes(content)
    times, large = [0, 40, 80], png(16_000, 16_000, depth=8)
    film(folder / "large.mov", (16_000, 16_000), [large] * 3, times)
    film(folder / "late.mov", (64, 48), [SMALL, large, SMALL], times)
    film(folder / "header.mov", (60_000, 60_000), [SMALL] * 3, times)
    done = subprocess.run(
        [sys.executable, str(TRIAL), str(folder)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_one_clear_line(name: str, tried: dict[str, dict[str, str]]) -> None:
    _, picture_says, clip_says = BOMBS[name]
    assert picture_says in tried[name]["picture"]
    assert clip_says in tried[name]["clip"]
    assert tried[name]["clip"].startswith("InputError: ")
    assert "\n" not in tried[name]["clip"] + tried[name]["picture"]


@pytest.mark.parametrize("name", [name for name, _ in archives()])
def test_archives_lists_and_drawings_are_never_looked_into(name: str, tried: dict[str, dict[str, str]]) -> None:
    assert f"{name} {NO_PICTURE}" in tried[name]["picture"]
    assert f"{name} {NO_FILM}" in tried[name]["clip"]


def test_films_of_too_large_frames(tried: dict[str, dict[str, str]]) -> None:
    assert "whose frames are too large" in tried["large.mov"]["clip"]
    assert "at most 67 megapixels" in tried["large.mov"]["clip"]
    assert tried["late.mov"]["clip"].startswith("seen: 2 frames of (48, 64)")
    assert "1 damaged place skipped" in tried["late.mov"]["clip"]
    assert tried["header.mov"]["clip"].startswith("seen: 3 frames")  # only the header lies


def test_none_of_them_costs_memory(tried: dict[str, dict[str, str]]) -> None:
    assert max(int(each["peak_mib"]) for each in tried.values()) < 500


def test_a_film_larger_than_the_limit_names_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.mp4")
    monkeypatch.setattr(limits, "MAX_FILM_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError, match="64x48"), open_frames(path):
        pass
    monkeypatch.setattr(limits, "MAX_FILM_PIXELS", 64 * 48)
    with open_frames(path) as source:
        assert source.size == (48, 64)


def test_a_clip_that_stands_still_for_years(tmp_path: Path) -> None:
    times = [Fraction(0), Fraction(1, 25), Fraction(1_000_000)]
    path = make_video(tmp_path / "years.mkv", Clip(times=times, tick=Fraction(1, 1000)))
    with pytest.raises(InputError, match=r"nothing new from 0\.04 s to 1000000\.00 s"), open_frames(path) as source:
        list(source)
    patient = make_video(tmp_path / "minutes.mkv", Clip(times=[Fraction(0), Fraction(899)], tick=Fraction(1, 1000)))
    with open_frames(patient) as source:
        assert [frame.time for frame in source] == [0, 899]


def test_frames_of_different_sizes(tmp_path: Path) -> None:
    (tmp_path / "grows.gif").write_bytes(gif(8, 8, 3)[:-1] + gif(8, 8, 3, (16, 16))[19:])
    with pytest.raises(InputError, match=r"grows\.gif"), open_frames(tmp_path / "grows.gif") as source:
        list(source)


def test_sound_is_never_sought_in_lists(tmp_path: Path) -> None:
    for name, content in archives():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(NoSoundError):
            AudioInput(AudioTrack(tmp_path / name, start=Fraction(0)))


def test_memory_that_runs_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(tmp_path / "a.png", picture())

    def starved(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("retarget_cli.media.images._to_srgb", starved)
    with pytest.raises(InputError, match=r"a\.png \(64x48\) needs more memory than there is"):
        read_picture(tmp_path / "a.png")


def test_what_films_are_opened_as() -> None:
    allowed = set(limits.input_options()["format_whitelist"].split(","))
    assert {"mov", "mp4", "matroska", "webm", "avi", "mpegts", "flac", "wav"} <= allowed
    assert not {"hls", "concat", "dash", "sdp", "rtsp", "png_pipe", "svg_pipe", "tty", "lavfi"} & allowed
    assert "hls" in av.formats_available  # or the test above says nothing


def test_deep_pictures_keep_their_values(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=">u2").reshape(1, 256) * 257
    rows = b"".join(b"\0" + ramp.tobytes() for _ in range(2))
    head = struct.pack(">IIBBBBB", 256, 2, 16, 0, 0, 0, 0)
    data = SMALL[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(data)
    assert read_picture(tmp_path / "deep.png").rgb[1, :, 0].tolist() == list(range(256))
