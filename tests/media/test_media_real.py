"""The awkward files of real users, where they are at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import media_maker as maker
from retarget_cli.core.errors import InputError
from retarget_cli.media.images import read_picture
from retarget_cli.media.reader import open_frames

DATA = Path(__file__).parents[3] / "shared" / "data"
NASTY = DATA / "nasty" / "derived"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent: real media can't be tested"),
]

FILMS = {
    "derived/x01_rot90_phone_portrait.mp4": ((1280, 720), 65),
    "derived/x02_rot270_phone.mp4": ((1280, 720), 65),
    "derived/x03_rot180.mp4": ((1280, 720), 65),
    "derived/x04_vfr_dropped.mp4": ((720, 1280), 85),
    "derived/x05_odd_639x359_yuv444p.mp4": ((359, 639), 60),
    "derived/x06_hdr10_pq_bt2020_hevc10.mp4": ((360, 640), 72),
    "derived/x07_gray_h264.mp4": ((360, 640), 60),
    "derived/x08_alpha_vp9.webm": ((360, 640), 48),
    "derived/x09_single_frame.mp4": ((360, 640), 1),
    "derived/x10_prores_like_mpeg4_asp.avi": ((360, 640), 40),
    "derived/x16_sar16x9_360x360.mp4": ((360, 640), 48),
    "derived/y14_animated.webp": ((320, 180), 12),
    "derived/y15_apng.png": ((320, 180), 12),
    "n07_halfbody_asl_vfr.mkv": ((480, 640), 65),
    "n08_halfbody_asl_walk_fullrange.mkv": ((480, 640), 89),
    "n12_gif_single_ai_dance_vfr.gif": ((1024, 576), 19),
    "n22_10bit_hevc_testsrc.mp4": ((200, 200), 30),
    "n23_vfr_testsrc_yuv444.mp4": ((128, 128), 300),
    "n24_av1_mkv_testsrc.mkv": ((360, 640), 125),
}


@pytest.mark.parametrize("name", FILMS)
def test_films(name: str) -> None:
    size, count = FILMS[name]
    with open_frames(DATA / "nasty" / name, long_side=160) as source:
        times = [frame.time for frame in source]
    assert len(times) == count
    assert times[0] == 0
    assert times == sorted(set(times))
    with open_frames(DATA / "nasty" / name, max_frames=1) as source:
        assert source.size == size
        assert next(iter(source)).rgb.shape == (*size, 3)


def small(rgb: maker.Pixels) -> np.ndarray:
    return cv2.resize(rgb, (40, 40), interpolation=cv2.INTER_AREA).astype(float)


@pytest.mark.parametrize("name", ["x01_rot90_phone_portrait.mp4", "x02_rot270_phone.mp4", "x03_rot180.mp4"])
def test_turned_films_look_like_the_upright_one(name: str) -> None:
    upright = small(read_picture(DATA / "sources" / "s06_tfjs_squats_f0_real_woman.png").rgb)
    with open_frames(NASTY / name, max_frames=1) as source:
        turned = small(next(iter(source)).rgb)
    assert np.abs(turned - upright).mean() < 6


@pytest.mark.parametrize(
    "name",
    ["y03_exif6.jpg", "y04_exif7_mirrored.jpg", "y05_cmyk.jpg", "y08_16bit_rgb.png", "y17.avif", "y06.webp"],
)
def test_pictures_look_like_the_upright_one(name: str) -> None:
    upright = small(read_picture(DATA / "sources" / "s06_tfjs_squats_f0_real_woman.png").rgb)
    assert np.abs(small(read_picture(NASTY / name).rgb) - upright).mean() < 8


def test_hdr_has_the_brightness_of_the_original() -> None:
    with open_frames(NASTY / "x06_hdr10_pq_bt2020_hevc10.mp4", max_frames=1) as source:
        mapped = small(next(iter(source)).rgb)
    with open_frames(DATA / "selfreenact" / "r01_sam2_juggle.mp4", max_frames=1) as source:
        original = small(next(iter(source)).rgb)
    # The file's primaries were tagged BT.2020 without being converted, so hues differ a little.
    assert np.abs(mapped.mean(axis=2) - original.mean(axis=2)).mean() < 8
    assert np.abs(mapped - original).mean() < 12


@pytest.mark.parametrize(
    "name", sorted(p.name for p in NASTY.glob("y*") if p.suffix != ".webm" and "truncated" not in p.name)
)
def test_every_picture(name: str) -> None:
    picture = read_picture(NASTY / name)
    assert picture.rgb.ndim == 3
    assert (picture.alpha is not None) == ("ellipse" in name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x12_empty.mp4", "empty"),
        ("x13_text_renamed.mp4", "is not a video"),
        ("x14_text_renamed.png", "is not a video"),
        ("x15_audio_only.m4a.mp4", "sound but no pictures"),
        ("y16_truncated.jpg", "cut short"),
    ],
)
def test_errors(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        open_frames(NASTY / name)


def test_truncated_but_indexed_film_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with open_frames(NASTY / "x11_truncated_60pct.mp4", long_side=64) as source:
        assert 100 < len(list(source)) < 140
    assert "cut short" in caplog.text
