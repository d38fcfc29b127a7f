"""HDR comes out with the colours that it was made from."""

from pathlib import Path

import numpy as np
import pytest

import media_maker as maker
from media_maker import Clip
from retarget_cli.media.reader import open_frames
from retarget_cli.media.tonemap import HLG, PQ, linear_light, peak_luminance, tone_map_for

BT709_TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def pq_codes(rgb: maker.Pixels, white: float) -> np.ndarray:
    """SDR picture (gamma 2.2) as PQ in BT.2020 with its white at `white` nit: (H, W, 3) uint16."""
    nits = (rgb / 255.0) ** 2.2 @ BT709_TO_BT2020.T * white
    power = (nits / 10000) ** (2610 / 16384)
    code = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.rint(code * 65535).astype(np.uint16)


def test_tables_meet_the_standards() -> None:
    pq = linear_light(PQ)
    assert pq[0] == 0
    assert pq[65535] == pytest.approx(10000, rel=1e-4)
    assert pq[round(0.5081 * 65535)] == pytest.approx(100, rel=0.01)
    hlg = linear_light(HLG)
    assert hlg[round(0.75 * 65535)] / 1000 == pytest.approx(0.265, abs=0.001)
    assert hlg[65535] == pytest.approx(1000, rel=1e-3)


def test_sdr_carried_in_pq_comes_back() -> None:
    codes = pq_codes(maker.picture(), 100)
    mapping = tone_map_for(PQ, peak_luminance(codes))
    assert np.abs(mapping.applied(codes).astype(int) - maker.picture()).max() <= 2


def test_highlights_are_bent_not_clipped_and_nothing_flips() -> None:
    gray = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    codes = pq_codes(gray, 1000)
    shown = tone_map_for(PQ, 1000).applied(codes)[0].astype(int)
    assert (np.diff(shown[:, 0]) >= 0).all()
    assert (shown.max(axis=1) - shown.min(axis=1) <= 1).all()
    assert shown[-1, 0] >= 250
    white_at_203 = shown[round(255 * (203 / 1000) ** (1 / 2.2)), 0]
    assert 225 <= white_at_203 <= 250


def test_hlg_reference_white_is_bright_and_gray_stays_gray() -> None:
    code = np.full((2, 2, 3), round(0.75 * 65535), np.uint16)
    shown = tone_map_for(HLG, 0).applied(code)
    assert 225 <= shown.min() <= shown.max() <= 250
    assert shown.max() - shown.min() <= 1
    assert tone_map_for(HLG, 0).applied(np.zeros((1, 1, 3), np.uint16)).max() == 0


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_film_in_ten_bits(tmp_path: Path, transfer: int) -> None:
    options = {"x265-params": "log-level=none:lossless=1"}
    clip = Clip(
        codec="libx265",
        size=(96, 128),
        count=3,
        pixel_format="yuv444p10le",
        options=options,
        matrix=9,
        transfer=transfer,
    )
    codes = pq_codes(maker.picture(96, 128, 120), 100)
    path = maker.make_video(tmp_path / "a.mkv", clip, [codes] * 3)
    with open_frames(path) as source:
        frames = list(source)
    assert len(frames) == 3
    if transfer == PQ:
        shown = frames[1].rgb.astype(int)
        assert np.abs(shown - maker.picture(96, 128, 120)).mean() < 3
        for y, x in ((8, 8), (8, 120), (88, 8), (88, 120), (48, 64)):
            assert np.abs(shown[y, x] - maker.picture(96, 128, 120)[y, x]).max() <= 6


def test_brightness_is_measured_over_the_whole_clip(tmp_path: Path) -> None:
    """A clip whose bright scene comes later is not taken for SDR because of its dark first frame."""
    options = {"x265-params": "log-level=none:lossless=1"}
    clip = Clip(
        rate=maker.Fraction(10),
        count=30,
        codec="libx265",
        pixel_format="yuv444p10le",
        options=options,
        matrix=9,
        transfer=PQ,
        gop=5,
    )
    dark, bright = pq_codes(maker.picture(), 80), pq_codes(maker.picture(), 1000)
    path = maker.make_video(tmp_path / "a.mkv", clip, [dark] * 15 + [bright] * 15)
    with open_frames(path) as source:
        shown = [frame.rgb for frame in source]
    # Taken for SDR, everything above 100 nit would be white: gray 100 nit and 1000 nit alike.
    assert shown[0].max() < 200
    assert shown[20][4, 4].tolist() != [255, 255, 255]
    assert maker.corners(shown[20])[0] == "red"
