"""Every kind of source gives upright frames with exact times, or an error that says why not."""

import contextlib
import logging
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import media_maker as maker
from media_maker import Clip, make_video
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.media.reader import Frame, open_frames

NTSC = Fraction(30000, 1001)


def read(path: Path, **options: object) -> list[Frame]:
    with open_frames(path, **options) as source:
        frames = list(source)
        assert all(frame.rgb.shape == (*source.size, 3) for frame in frames)
        assert all(frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous for frame in frames)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    return frames


def test_a_plain_film(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(rate=NTSC, count=30))
    with open_frames(path) as source:
        assert (source.kind, source.size, source.rate) == ("video", (48, 64), NTSC)
        assert (source.frame_count, source.variable, source.has_audio) == (30, False, False)
        assert source.origin == 0
        assert source.audio_track() is None
    frames = read(path)
    assert [frame.time for frame in frames] == [i / NTSC for i in range(30)]
    assert [maker.index_in(frame.rgb) for frame in frames] == [i % 21 for i in range(30)]
    assert maker.corners(frames[3].rgb) == maker.UPRIGHT
    assert np.abs(frames[5].rgb.astype(int) - maker.picture(shade=maker.shade_of(5))).mean() < 6


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_and_mirroring(tmp_path: Path, rotation: int, hflip: bool) -> None:
    shown = maker.picture()
    # FFmpeg's matrix turns counterclockwise by `rotation`, then mirrors; undone here from the end.
    stored = np.rot90(shown[:, ::-1] if hflip else shown, k=-rotation // 90)
    clip = Clip(size=stored.shape[:2], rotation=rotation, hflip=hflip)
    path = make_video(tmp_path / "a.mp4", clip, [np.ascontiguousarray(stored)] * 3)
    frame = read(path)[1]
    assert frame.rgb.shape == (48, 64, 3)
    assert maker.corners(frame.rgb) == maker.UPRIGHT


def test_phone_portrait_matrix(tmp_path: Path) -> None:
    """The numbers that phones write for an upright film stored on its side, checked byte by byte."""
    stored = np.ascontiguousarray(np.rot90(maker.picture(64, 48)))
    path = make_video(tmp_path / "a.mp4", Clip(size=(48, 64), rotation=90), [stored] * 2)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    data[at : at + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data)
    frame = read(path)[0]
    assert frame.rgb.shape == (64, 48, 3)
    assert maker.corners(frame.rgb) == maker.UPRIGHT


def test_rotated_and_shrunk(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(size=(96, 200), rotation=90))
    assert read(path, long_side=100)[0].rgb.shape == (100, 48, 3)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_pixel_formats_and_odd_sizes(tmp_path: Path, pixel_format: str, size: tuple[int, int]) -> None:
    odd_works = pixel_format == "yuv444p" or size[0] % 2 == 0
    codec = "libx264" if odd_works else "ffv1"
    path = make_video(tmp_path / "a.mkv", Clip(size=size, codec=codec, pixel_format=pixel_format, options={}))
    frames = read(path)
    assert frames[0].rgb.shape == (*size, 3)
    expected = maker.picture(*size, maker.shade_of(4)).astype(float)
    if pixel_format == "gray":
        expected = (expected @ [0.299, 0.587, 0.114])[..., None].repeat(3, axis=2)
    assert np.abs(frames[4].rgb - expected).mean() < (2 if pixel_format == "gray" else 7)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9, None])
def test_matrix_and_range_are_honoured(tmp_path: Path, matrix: int | None, full_range: bool) -> None:
    clip = Clip(codec="ffv1", pixel_format="yuv444p", options={}, matrix=matrix, full_range=full_range)
    frame = read(make_video(tmp_path / "a.mkv", clip))[0]
    assert np.abs(frame.rgb.astype(int) - maker.picture(shade=20)).max() <= 3


def test_full_range_jpeg_format(tmp_path: Path) -> None:
    clip = Clip(codec="mjpeg", pixel_format="yuvj420p", options={}, matrix=5, full_range=True)
    frame = read(make_video(tmp_path / "a.avi", clip))[0]
    assert np.abs(frame.rgb[2, 2].astype(int) - maker.RED).max() < 12


def test_untagged_hd_is_bt709(tmp_path: Path) -> None:
    size = (720, 1280)
    flat = [np.full((*size, 3), (30, 170, 40), np.uint8)]
    clip = Clip(size=size, codec="ffv1", pixel_format="yuv444p", options={}, matrix=None)
    untagged = read(make_video(tmp_path / "a.mkv", clip, flat))[0]
    # The maker codes untagged films with BT.601; read as BT.709, colours come out otherwise.
    assert np.abs(untagged.rgb[0, 0].astype(int) - (30, 170, 40)).max() > 8


def test_non_square_pixels(tmp_path: Path) -> None:
    wide = make_video(tmp_path / "a.mp4", Clip(size=(48, 48), aspect=Fraction(16, 9)))
    assert read(wide)[0].rgb.shape == (48, 85, 3)
    tall = make_video(tmp_path / "b.mp4", Clip(size=(48, 48), aspect=Fraction(3, 4)))
    frame = read(tall)[0]
    assert frame.rgb.shape == (64, 48, 3)
    assert maker.corners(frame.rgb) == maker.UPRIGHT


def test_long_side_shrinks_and_never_enlarges(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(size=(90, 160)))
    frame = read(path, long_side=80)[0]
    assert frame.rgb.shape == (45, 80, 3)
    assert maker.corners(frame.rgb) == maker.UPRIGHT
    assert read(path, long_side=500)[0].rgb.shape == (90, 160, 3)
    with pytest.raises(UsageError):
        open_frames(path, long_side=0)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm", "a.ts"])
@pytest.mark.parametrize("rate", [NTSC, Fraction(24000, 1001), Fraction(25)])
def test_rates_stay_exact_in_every_container(tmp_path: Path, name: str, rate: Fraction) -> None:
    codec, options = ("libvpx-vp9", {"deadline": "realtime"}) if name.endswith("webm") else ("libx264", {})
    path = make_video(tmp_path / name, Clip(rate=rate, count=26, codec=codec, options=options))
    with open_frames(path) as source:
        assert source.rate == rate
        assert not source.variable
    times = [frame.time for frame in read(path)]
    tolerance = Fraction(1, 90000) if name.endswith("ts") else 0
    assert len(times) == 26
    assert all(abs(time - i / rate) <= tolerance for i, time in enumerate(times))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_rate_keeps_exact_times(tmp_path: Path, name: str) -> None:
    gaps = [1, 1, 2, 1, 5, 1, 1, 3, 1, 1, 2, 8, 1]
    times = [Fraction(7 * sum(gaps[:i]), 250) for i in range(len(gaps) + 1)]
    clip = Clip(times=times, tick=Fraction(1, 1000), rate=Fraction(25))
    path = make_video(tmp_path / name, clip)
    with open_frames(path) as source:
        assert source.variable
    assert [frame.time for frame in read(path)] == times


def test_start_end_and_max_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(rate=Fraction(10), count=40, gop=8))
    with open_frames(path, start=Fraction(2), end=Fraction(3)) as source:
        assert source.frame_count == 10
        assert source.origin == 2
        frames = list(source)
    assert [frame.time for frame in frames] == [Fraction(20 + i, 10) for i in range(10)]
    assert [maker.index_in(frame.rgb) for frame in frames] == [(20 + i) % 21 for i in range(10)]
    assert frames[0].index == 0
    assert [float(f.time) for f in read(path, start=Fraction(355, 100), max_frames=2)] == [3.6, 3.7]
    assert len(read(path, max_frames=3)) == 3
    assert len(read(path, end=Fraction(1, 20))) == 1
    with open_frames(path, start=Fraction(1), max_frames=500) as source:
        assert source.frame_count == 30


def test_impossible_windows(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"no frame from 9 s.*last frame is at 0\.458 s"):
        open_frames(path, start=Fraction(9))
    for window in ({"start": Fraction(-1)}, {"start": Fraction(2), "end": Fraction(2)}, {"max_frames": 0}):
        with pytest.raises(UsageError):
            open_frames(path, **window)


def test_a_film_that_starts_late_on_its_clock(tmp_path: Path) -> None:
    times = [Fraction(1, 2) + Fraction(i, 10) for i in range(10)]
    clip = Clip(times=times, rate=Fraction(10), audio_codec="aac", audio_seconds=1.4)
    path = make_video(tmp_path / "a.mkv", clip)
    with open_frames(path) as source:
        assert source.origin == pytest.approx(Fraction(1, 2), abs=0.03)
        assert source.has_audio
        track = source.audio_track()
        assert track is not None
        assert (track.path, track.start) == (path, source.origin)
        assert [frame.time for frame in source] == [Fraction(i, 10) for i in range(10)]


def test_raw_stream_without_times(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.h264", Clip(rate=Fraction(25), count=10), None)
    times = [frame.time for frame in read(path)]
    assert times == [Fraction(i, 25) for i in range(10)]


def test_times_always_rise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times that are missing, doubled or fall back, as broken recorders write them."""
    path = make_video(tmp_path / "a.mp4", Clip(rate=Fraction(10), count=6))
    given = iter([Fraction(0), Fraction(1, 10), Fraction(1, 10), None, Fraction(0), Fraction(9, 10)])
    monkeypatch.setattr("retarget_cli.media.decoder.frame_time", lambda frame: next(given))
    assert [frame.time for frame in read(path)] == [Fraction(t, 10) for t in (0, 1, 2, 3, 4, 9)]


@pytest.mark.parametrize("codec", ["libx265", "libsvtav1", "libvpx-vp9", "mpeg4", "prores_ks", "ffv1"])
def test_codecs(tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    options = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"deadline": "realtime"}}
    form = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    clip = Clip(size=(96, 128), count=5, codec=codec, pixel_format=form, options=options.get(codec, {}))
    frames = read(make_video(tmp_path / "a.mkv", clip))
    assert len(frames) == 5
    assert maker.corners(frames[2].rgb) == maker.UPRIGHT


def test_one_frame(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(count=1))
    with open_frames(path) as source:
        assert source.frame_count == 1
        assert source.rate == 24
        assert len(list(source)) == 1


def test_alpha_film_loses_alpha_only(tmp_path: Path) -> None:
    clip = Clip(codec="libvpx-vp9", pixel_format="yuva420p", options={"auto-alt-ref": "0"})
    frames = read(make_video(tmp_path / "a.webm", clip))
    assert len(frames) == 12
    assert maker.corners(frames[0].rgb) == maker.UPRIGHT


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animations(tmp_path: Path, name: str) -> None:
    images = [Image.fromarray(maker.picture(shade=maker.shade_of(i))) for i in range(4)]
    options = {"lossless": True} if name.endswith("webp") else {}
    delays = [100, 200, 50, 1000]
    images[0].save(tmp_path / name, save_all=True, append_images=images[1:], duration=delays, **options)
    with open_frames(tmp_path / name) as source:
        assert (source.kind, source.frame_count, source.variable) == ("animation", 4, True)
    frames = read(tmp_path / name)
    assert [frame.time for frame in frames] == [Fraction(t, 1000) for t in (0, 100, 300, 350)]
    assert [maker.index_in(frame.rgb) for frame in frames] == [0, 1, 2, 3]
    assert [float(f.time) for f in read(tmp_path / name, start=Fraction(3, 10))] == [0.3, 0.35]


def test_animation_of_an_even_rate(tmp_path: Path) -> None:
    images = [Image.fromarray(maker.picture(shade=maker.shade_of(i))) for i in range(7)]
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:], duration=1000 / 30)
    with open_frames(tmp_path / "a.png") as source:
        assert source.rate == 30
        assert not source.variable
        assert [frame.time for frame in source] == [Fraction(i, 30) for i in range(7)]


def test_still_picture_is_one_frame(tmp_path: Path) -> None:
    Image.fromarray(maker.picture()).save(tmp_path / "named_like_a_film.mp4", format="PNG")
    with open_frames(tmp_path / "named_like_a_film.mp4") as source:
        assert (source.kind, source.frame_count, source.has_audio) == ("picture", 1, False)
        assert [maker.corners(frame.rgb) for frame in source] == [maker.UPRIGHT]


def test_transparent_picture_is_put_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png")[0].rgb.min() == 255


def make_folder(path: Path, count: int = 12) -> Path:
    path.mkdir()
    for i in range(count):
        Image.fromarray(maker.picture(shade=maker.shade_of(i))).save(path / f"frame{i}.png")
    (path / "notes.txt").write_text("no frame")
    (path / ".hidden.png").write_bytes(b"")
    return path


def test_folder_in_natural_order(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "frames")
    with open_frames(folder) as source:
        assert (source.kind, source.rate, source.frame_count) == ("folder", 25, 12)
    frames = read(folder, folder_rate=NTSC)
    assert [maker.index_in(frame.rgb) for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == [i / NTSC for i in range(12)]
    part = read(folder, start=Fraction(2, 25), max_frames=3)
    assert [maker.index_in(frame.rgb) for frame in part] == [2, 3, 4]


def test_folder_with_a_damaged_frame(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = make_folder(tmp_path / "frames", 5)
    maker.truncate(folder / "frame2.png", 0.4)
    frames = read(folder)
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in (0, 1, 3, 4)]
    assert "frame2.png" in caplog.text


def test_folder_errors(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        open_frames(tmp_path / "none")
    folder = make_folder(tmp_path / "frames", 3)
    Image.fromarray(maker.picture(50, 50)).save(folder / "frame1.png")
    with pytest.raises(InputError, match=r"frame1\.png is 50x50, expected 64x48"):
        read(folder)
    with pytest.raises(UsageError):
        open_frames(folder, folder_rate=Fraction(0))


def text_file(path: Path) -> None:
    path.write_text("hello\nthis is text\n" * 50)


def headless(path: Path) -> None:
    maker.truncate(make_video(path), 0.6)  # the index of an mp4 lies at its end


def sound_only(path: Path) -> None:
    import av

    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=maker.SAMPLE_RATE)
        stream.layout = "mono"
        for frame in maker._sound_frames(Clip(audio_seconds=0.3)):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def nothing_decodable(path: Path) -> None:
    make_video(path, Clip(size=(240, 320), count=20))
    maker.damage(path, 0.02, 0.75)


def playlist(path: Path) -> None:
    make_video(path.with_name("secret.mp4"))
    path.write_text("ffconcat version 1.0\nfile secret.mp4\n")


BAD = {
    "does not exist": lambda path: None,
    "is empty": lambda path: path.write_bytes(b""),
    "is not a video": text_file,
    "cut short or damaged": headless,
    "sound but no pictures": sound_only,
    "not a video, an": playlist,
}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.txt", "clip.mkv"])
@pytest.mark.parametrize("reason", BAD)
def test_bad_files_say_what_and_where(tmp_path: Path, reason: str, name: str) -> None:
    if reason == "cut short or damaged" and name != "clip.mp4":
        pytest.skip("only an mp4 has its index at the end")
    path = tmp_path / name
    BAD[reason](path)
    with pytest.raises(InputError, match=reason) as caught:
        open_frames(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_no_frame_can_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    make_video(path, Clip(codec="ffv1", options={}))
    data = bytearray(path.read_bytes())
    first_cluster = data.index(b"\x1f\x43\xb6\x75")
    for at in range(first_cluster + 40, len(data)):
        data[at] = 0
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(path) in caught.value.message


def test_damage_in_the_middle_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_video(tmp_path / "a.mp4", Clip(size=(240, 320), count=60, gop=10, options={"crf": "1"}))
    maker.damage(path, 0.45, 0.55)
    with caplog.at_level(logging.WARNING), open_frames(path) as source:
        frames = list(source)
    assert 30 <= len(frames) < 60
    assert frames[0].time == 0
    assert frames[-1].time == Fraction(59, 24)
    assert maker.index_in(frames[-1].rgb) == 59 % 21
    assert "damaged" in caplog.text
    assert source.notes


def test_cut_short_but_indexed_gives_what_is_there(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", Clip(size=(240, 320), count=60, gop=5, options={"crf": "1"}))
    maker.truncate(path, 0.5)
    frames = read(path)
    assert 10 < len(frames) < 50


def test_noise_anywhere_never_escapes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for name in ("a.mp4", "a.mkv", "a.avi"):
        codec = "mpeg4" if name.endswith("avi") else "libx264"
        make_video(tmp_path / name, Clip(count=6, codec=codec, options={}))
        whole = (tmp_path / name).read_bytes()
        for _ in range(15):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 12):
                data[at] = rng.integers(256)
            (tmp_path / name).write_bytes(data)
            with contextlib.suppress(InputError):
                read(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["with space.mp4", "-dash.mp4", "größe 人.mp4", "100%03d.mp4", "file:x.mp4", "concat:a|b.mp4"]
)
def test_names_are_plain_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video(tmp_path / "plain.mp4").rename(tmp_path / name)
    assert len(read(tmp_path / name)) == 12
    monkeypatch.chdir(tmp_path)
    assert len(read(Path(name))) == 12


def test_iterates_once_and_closes_twice(tmp_path: Path) -> None:
    source = open_frames(make_video(tmp_path / "a.mp4"))
    list(source)
    with pytest.raises(RuntimeError, match="once"):
        iter(source)
    source.close()
    source.close()


def test_pictures_of_music_do_not_count(tmp_path: Path) -> None:
    import av

    path = tmp_path / "song.mp4"
    Image.fromarray(maker.picture()).save(tmp_path / "cover.jpg")
    with av.open(str(path), "w") as output, av.open(str(tmp_path / "cover.jpg")) as cover:
        sound = output.add_stream("aac", rate=maker.SAMPLE_RATE)
        sound.layout = "mono"
        picture = output.add_stream_from_template(cover.streams.video[0])
        picture.disposition = av.stream.Disposition.attached_pic
        for packet in cover.demux(cover.streams.video[0]):
            if packet.size:
                packet.stream = picture
                output.mux_one(packet)
        for frame in maker._sound_frames(Clip(audio_seconds=0.3)):
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with pytest.raises(InputError, match="sound but no pictures"):
        open_frames(path)
