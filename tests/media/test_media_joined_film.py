"""A film joined from closed segments shows exactly their frames, at exactly their times, with its sound in step."""

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import media_maker as maker
from media_maker import Clip, make_video
from retarget_cli.core.errors import OutputError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.segments import FilmPlan, Joined, Segments
from retarget_cli.media.writer import SYNTHETIC, open_writer

NTSC = Fraction(30000, 1001)
SIZE = (63, 97)
LENGTHS = (16, 16, 7)
KINDS = [
    ("a.mp4", None, False),
    ("a.mov", None, False),
    ("a.mkv", None, False),
    ("a.webm", None, False),
    ("a.webm", None, True),
    ("a.mov", None, True),
    ("a.mov", "prores", False),
    ("a.mkv", None, True),
    ("a.mkv", "ffv1", False),
    ("a.mp4", "h265", False),
    ("a.webm", "av1", False),
]


def moving(count: int, channels: int = 3, size: tuple[int, int] = SIZE) -> list[maker.Pixels]:
    """Noise that travels over a picture: no two frames are alike, and encoders have something to predict."""
    noise = np.random.default_rng(5).integers(0, 60, (*size, 1), dtype=np.uint8)
    frames = []
    for i in range(count):
        pixels = maker.picture(*size, maker.shade_of(i)) // 2 + np.roll(noise, 3 * i, axis=1)
        alpha = np.roll(noise * 4, -5 * i, axis=0)
        frames.append(np.concatenate([pixels, alpha], axis=2) if channels == 4 else pixels)
    return frames


def times_of(count: int) -> list[Fraction]:
    return [7 + i / NTSC for i in range(count)]


def write_all(segments: Segments, frames: Sequence[maker.Pixels], times: Sequence[Fraction]) -> int:
    """All segments, the last one first: their order makes no difference."""
    begins = range(0, len(frames), 16)
    for begin in reversed(begins):
        part = slice(begin, begin + 16)
        assert segments.write(begin // 16, zip(times[part], frames[part], strict=True)) == len(frames[part])
    return len(begins)


def make(
    path: Path,
    frames: Sequence[maker.Pixels],
    times: Sequence[Fraction],
    audio: AudioTrack | None = None,
    **plan: object,
) -> tuple[Segments, Joined]:
    """(segments, what they were joined to)."""
    segments = Segments(path.parent / "p", FilmPlan(path, **{"rate": NTSC, **plan}))
    count = write_all(segments, frames, times)
    return segments, segments.join(count, lambda first: audio)


def packets_of(path: Path) -> list[tuple[int, int | None, int, bytes]]:
    """(pts, dts, duration, digest of content and side data)."""
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, content(packet))
            for packet in container.demux(container.streams.video[0])
            if packet.size
        ]


def content(packet: av.Packet) -> bytes:
    digest = hashlib.sha256(bytes(packet))
    for beside in packet.iter_sidedata():
        digest.update(beside.data_type.encode() + bytes(beside))
    return digest.digest()


def decoded(paths: Iterable[Path]) -> list[list[maker.Pixels]]:
    """Planes of every frame of every file; with libvpx, which alone decodes the transparency of VP9."""
    frames = []
    for path in paths:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            is_vp9 = stream.codec_context.codec.canonical_name == "vp9"
            decoder = av.CodecContext.create("libvpx-vp9", "r") if is_vp9 else stream.codec_context
            for packet in container.demux(stream):
                frames += [planes(frame) for frame in decoder.decode(packet if packet.size else None)]
    return frames


def planes(frame: av.VideoFrame) -> list[maker.Pixels]:
    """As they are decoded, without what lies beyond the border: converting to RGB is another matter."""
    found = []
    for number, plane in enumerate(frame.planes):
        is_packed = len(frame.planes) == 1
        sample = (frame.format.components[0 if is_packed else number].bits + 7) // 8
        width = plane.width * (frame.format.padded_bits_per_pixel // 8 if is_packed else sample)
        found.append(np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, :width].copy())
    return found


@pytest.mark.parametrize(("name", "codec", "alpha"), KINDS)
def test_a_film_is_its_segments(tmp_path: Path, name: str, codec: str | None, alpha: bool) -> None:
    frames = moving(sum(LENGTHS), 4 if alpha else 3)
    segments, joined = make(tmp_path / name, frames, times_of(len(frames)), codec=codec, alpha=alpha)
    assert (joined.path, joined.frames, joined.size, joined.notes) == (tmp_path / name, len(frames), SIZE, ())
    parts = [segments.folder / f"{number:06d}.mkv" for number in range(3)]
    shown = decoded([joined.path])
    assert len(shown) == len(frames)
    for ours, theirs in zip(shown, decoded(parts), strict=True):
        assert [plane.tobytes() for plane in ours] == [plane.tobytes() for plane in theirs]
    copied = [packet[3] for packet in packets_of(joined.path)]
    assert copied == [packet[3] for part in parts for packet in packets_of(part)]
    if alpha and len(shown[20]) == 4 and shown[20][3].shape[1] == 98:  # 8 bits: VP9
        assert np.abs(shown[20][3][:60, :90].astype(int) - frames[20][:60, :90, 3]).mean() < 12


@pytest.mark.parametrize(("name", "codec", "alpha"), KINDS)
def test_it_says_of_itself_what_a_film_made_at_once_says(
    tmp_path: Path, name: str, codec: str | None, alpha: bool
) -> None:
    frames, times = moving(20, 4 if alpha else 3), times_of(20)
    make(tmp_path / name, frames, times, codec=codec, alpha=alpha, metadata={"title": "one"})
    whole = tmp_path / f"whole{Path(name).suffix}"
    tags = {"title": "one"}
    with open_writer(whole, size=SIZE, rate=NTSC, codec=codec, alpha=alpha, metadata=tags) as writer:
        for pixels, time in zip(frames, times, strict=True):
            writer.write(pixels, time)
    ours, theirs = maker.probe(tmp_path / name), maker.probe(whole)
    for what in ("times", "size", "rate", "codec", "pixel_format", "tags", "colours", "video_end"):
        assert getattr(ours, what) == getattr(theirs, what), what
    assert SYNTHETIC in ours.tags.values()
    with av.open(str(tmp_path / name)) as one, av.open(str(whole)) as other:
        assert one.streams.video[0].metadata == other.streams.video[0].metadata
        assert one.streams.video[0].codec_context.codec_tag == other.streams.video[0].codec_context.codec_tag
        assert one.duration == other.duration


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_packets_stand_in_a_lawful_order(tmp_path: Path, codec: str) -> None:
    frames = moving(sum(LENGTHS))
    make(tmp_path / "a.mp4", frames, times_of(len(frames)), codec=codec)
    packets = packets_of(tmp_path / "a.mp4")
    shown = [pts for pts, _, _, _ in packets]
    assert sorted(shown) == [i * 1001 for i in range(len(frames))]
    assert all(duration == 1001 for _, _, duration, _ in packets)
    decoded_at = [dts for _, dts, _, _ in packets]
    assert all(a < b for a, b in itertools.pairwise(decoded_at))
    assert all(pts >= dts for pts, dts, _, _ in packets)
    has_b_frames = shown != sorted(shown)
    assert has_b_frames == (codec != "av1")  # else this test would show little


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_times_stay(tmp_path: Path, name: str) -> None:
    tick = Fraction(1, 24000)
    steps = np.random.default_rng(2).integers(300, 4000, 40)
    times = [3 + int(ticks) * tick for ticks in np.cumsum(steps)]
    make(tmp_path / name, moving(40), times, rate=Fraction(24), time_base=tick)
    found = maker.probe(tmp_path / name).times
    tolerance = Fraction(1, 1000) if name.endswith("mkv") else 0
    assert all(abs(time - (wanted - times[0])) <= tolerance for time, wanted in zip(found, times, strict=True))
    packets = packets_of(tmp_path / name)
    if name.endswith("mp4"):
        assert all(pts >= dts for pts, dts, _, _ in packets)
        with av.open(str(tmp_path / name)) as container:
            film = container.streams.video[0]
            assert film.duration * film.time_base == times[-1] - times[0] + Fraction(1, 24)


def test_more_frames_a_second_than_the_segments_can_count(tmp_path: Path) -> None:
    rate = Fraction(2000)
    make(tmp_path / "a.mp4", moving(40), [i / rate for i in range(40)], rate=rate)
    film = maker.probe(tmp_path / "a.mp4")
    assert film.times == [i / rate for i in range(40)]
    assert len({frame.tobytes() for frame in film.frames}) == 40


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    _, joined = make(tmp_path / "a.mp4", moving(1), [Fraction(9)])
    assert maker.probe(tmp_path / "a.mp4").times == [Fraction(0)]
    assert joined.frames == 1


@pytest.mark.parametrize(("name", "codec", "expected"), [("a.mp4", "aac", "aac"), ("a.webm", "aac", "opus")])
def test_sound_is_that_of_a_film_made_at_once(tmp_path: Path, name: str, codec: str, expected: str) -> None:
    beeps = [0.5, 1.1, 1.25]
    clip = make_video(
        tmp_path / "in.mp4",
        Clip(rate=NTSC, count=60, size=(32, 32), audio_codec=codec, audio_seconds=2.0, beeps=beeps),
    )
    track = AudioTrack(clip, Fraction(1, 4))
    frames, times = moving(39), times_of(39)
    asked = []

    def audio(first: Fraction) -> AudioTrack:
        asked.append(first)
        return track

    segments = Segments(tmp_path / "p", FilmPlan(tmp_path / name, NTSC))
    joined = segments.join(write_all(segments, frames, times), audio)
    assert joined.notes == ()
    assert asked == [Fraction(7)]
    film = maker.probe(tmp_path / name)
    assert film.audio_codec == expected
    heard = [beep - 0.25 for beep in maker.heard(clip)[0]]
    assert film.beeps == pytest.approx(heard, abs=0.003)
    assert film.sound_end == pytest.approx(39 / NTSC, abs=0.03)
    whole = tmp_path / f"whole{Path(name).suffix}"
    with open_writer(whole, size=SIZE, rate=NTSC, audio=track) as writer:
        for pixels, time in zip(frames, times, strict=True):
            writer.write(pixels, time)
    assert sound_of(tmp_path / name) == sound_of(whole)


def sound_of(path: Path) -> list[tuple[int, int, bytes]]:
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[0])
        return [(packet.pts, packet.duration, bytes(packet)) for packet in packets if packet.size]


def test_sound_lies_beside_its_pictures_in_the_file(tmp_path: Path) -> None:
    """Longer than what the library itself would hold back to put it right: ten seconds."""
    rate = Fraction(3)
    silence = Clip(rate=rate, count=60, size=(32, 32), audio_codec="aac", audio_seconds=20)
    clip = make_video(tmp_path / "in.mkv", silence)
    make(tmp_path / "a.mkv", moving(60), [i / rate for i in range(60)], AudioTrack(clip), rate=rate)
    latest = {"video": 0.0, "audio": 0.0}
    with av.open(str(tmp_path / "a.mkv")) as container:
        for packet in container.demux():
            if packet.size:
                latest[packet.stream.type] = float(packet.pts * packet.time_base)
                assert abs(latest["video"] - latest["audio"]) < 2
    assert min(latest.values()) > 19


def test_missing_sound_is_said(tmp_path: Path) -> None:
    silent = make_video(tmp_path / "in.mp4")
    _, joined = make(tmp_path / "a.mp4", moving(3), times_of(3), AudioTrack(silent))
    assert [note[:8] for note in joined.notes] == ["no sound"]
    assert len(maker.probe(tmp_path / "a.mp4").times) == 3


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("a.gif", False), ("a.gif", True), ("a.webp", True), ("frames", False), ("frames", True), ("f_%03d.png", False)],
)
def test_what_is_no_film_is_the_same_as_made_at_once(tmp_path: Path, name: str, alpha: bool) -> None:
    frames, times = moving(20, 4 if alpha else 3), [2 + Fraction(i * i, 90) for i in range(1, 21)]
    (tmp_path / "whole").mkdir()
    (tmp_path / "joined").mkdir()
    plan = {"rate": Fraction(10), "alpha": alpha}
    with open_writer(tmp_path / "whole" / "x" / name, size=SIZE, **plan) as writer:
        for pixels, time in zip(frames, times, strict=True):
            writer.write(pixels, time)
    segments = Segments(tmp_path / "p", FilmPlan(tmp_path / "joined" / "x" / name, **plan))
    joined = segments.join(write_all(segments, frames, times), lambda first: None)
    assert (joined.frames, joined.codec) == (20, writer.codec_used)
    assert files_in(tmp_path / "joined") == files_in(tmp_path / "whole")


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_picture(tmp_path: Path) -> None:
    frames = moving(1, 4)
    _, joined = make(tmp_path / "a.png", frames, [Fraction(0)], alpha=True)
    assert joined.codec == "png"
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), frames[0])


def test_an_output_that_exists_stays(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        make(tmp_path / "a.mp4", moving(3), times_of(3))
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"
    _, joined = make(tmp_path / "a.mp4", moving(3), times_of(3), overwrite=True)
    assert len(maker.probe(joined.path).times) == 3


JOIN = """
import resource, sys
from fractions import Fraction
from pathlib import Path
from retarget_cli.media.segments import FilmPlan, Segments
folder, count = Path(sys.argv[1]), int(sys.argv[2])
plan = FilmPlan(folder / f"{count}.mkv", Fraction(25), codec="ffv1")
print(Segments(folder / "p", plan).join(count, lambda first: None).frames)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (8, 360, 640, 3), dtype=np.uint8)
    segments = Segments(tmp_path / "p", FilmPlan(tmp_path / "a.mkv", Fraction(25), codec="ffv1"))
    segments.write(0, ((Fraction(i, 25), pixels) for i, pixels in enumerate(noise)))
    told = json.loads((tmp_path / "p" / "000000.json").read_text())
    for number in range(1, 20):
        shutil.copy(tmp_path / "p" / "000000.mkv", tmp_path / "p" / f"{number:06d}.mkv")
        told["times"] = [str(Fraction(8 * number + i, 25)) for i in range(8)]
        (tmp_path / "p" / f"{number:06d}.json").write_text(json.dumps(told))
    peaks = []
    for count in (2, 20):
        command = [sys.executable, "-c", JOIN, str(tmp_path), str(count)]
        frames, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert int(frames) == 8 * count
        peaks.append(int(peak))
    written = (tmp_path / "20.mkv").stat().st_size // 1024
    assert written > 60_000
    assert peaks[1] < peaks[0] + 10_000, (peaks, written)
