"""Sound stays in step with the pictures, whatever part of a clip is asked for."""

from fractions import Fraction
from pathlib import Path

import pytest

import media_maker as maker
from media_maker import Clip, make_video
from retarget_cli.core.errors import OutputError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.reader import open_frames
from retarget_cli.media.timeline import resample
from retarget_cli.media.writer import open_writer

NTSC = Fraction(30000, 1001)
BEEPS = [0.5, 1.25, 2.0, 3.1, 3.8]
PACKET = 0.025


def clip_with_sound(path: Path, **changes: object) -> Path:
    """Four seconds with beeps; a beep at t belongs to the frame on the screen at t."""
    options = {"rate": NTSC, "count": 120, "audio_codec": "aac", "audio_seconds": 4.0, "beeps": BEEPS}
    return make_video(path, Clip(**{**options, **changes}))


def retarget(source_path: Path, output: Path, **window: object) -> tuple[list[str], maker.Probe]:
    """Read, write again with the sound, and read that back."""
    fps = window.pop("fps", None)
    with open_frames(source_path, **window) as source:
        writer = open_writer(
            output,
            size=source.size,
            rate=fps or source.rate,
            time_base=source.time_base if source.variable else None,
            audio=source.audio_track(),
        )
        with writer:
            frames = ((frame.time, frame.rgb) for frame in source)
            for time, rgb in resample(frames, fps) if fps else frames:
                writer.write(rgb, time)
    return writer.notes, maker.probe(output)


def near(found: list[float], expected: list[float], tolerance: float = 0.003) -> bool:
    return len(found) == len(expected) and all(
        abs(f - e) <= tolerance for f, e in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize(
    ("source", "codec", "output", "expected"),
    [
        ("in.mp4", "aac", "out.mp4", "aac"),
        ("in.mp4", "aac", "out.mov", "aac"),
        ("in.mp4", "aac", "out.mkv", "aac"),
        ("in.mp4", "aac", "out.webm", "opus"),
        ("in.mkv", "libopus", "out.webm", "opus"),
        ("in.mkv", "libopus", "out.mp4", "aac"),
        ("in.mkv", "libopus", "out.mkv", "opus"),
        ("in.mkv", "flac", "out.mp4", "aac"),
        ("in.mkv", "pcm_s16le", "out.mp4", "aac"),
        ("in.mkv", "libmp3lame", "out.mp4", "mp3"),
        ("in.ts", "aac", "out.mp4", "aac"),
        ("in.ts", "aac", "out.mkv", "aac"),
    ],
)
@pytest.mark.parametrize("start", [None, Fraction(11, 10)])
def test_copied_or_encoded_in_step(
    tmp_path: Path, source: str, codec: str, output: str, expected: str, start: Fraction | None
) -> None:
    path = clip_with_sound(tmp_path / source, audio_codec=codec, size=(32, 32))
    notes, film = retarget(path, tmp_path / output, start=start, end=Fraction(35, 10))
    assert notes == []
    assert film.audio_codec == expected
    begin = 0.0 if start is None else 33 * 1001 / 30000
    wanted = [beep - begin for beep in maker.heard(path)[0] if begin < beep < 3.5]
    if source.endswith("ts"):
        # MPEG-TS clocks start somewhere; what counts is the distance to the first frame.
        with open_frames(path) as opened:
            wanted = [beep - begin - float(opened.origin) for beep in maker.heard(path)[0]]
            wanted = [beep for beep in wanted if 0 < beep < 3.5 - begin]
    shift = float(film.times[0])
    assert near([beep - shift for beep in film.beeps], wanted), (film.beeps, wanted, shift)
    assert abs(film.sound_end - film.video_end) < 2 * PACKET


@pytest.mark.parametrize("output", ["out.mp4", "out.webm"])
def test_ends_with_the_last_frame(tmp_path: Path, output: str) -> None:
    path = clip_with_sound(tmp_path / "in.mp4", size=(32, 32))
    _, film = retarget(path, tmp_path / output, max_frames=40)
    assert len(film.times) == 40
    assert abs(film.sound_end - 40 * 1001 / 30000) < PACKET


def test_another_rate_keeps_step(tmp_path: Path) -> None:
    path = clip_with_sound(tmp_path / "in.mp4", size=(32, 32))
    _, film = retarget(path, tmp_path / "out.mp4", fps=Fraction(25))
    assert film.rate == 25
    assert abs(film.video_end - 120 * 1001 / 30000) < 0.04
    assert near(film.beeps, BEEPS)


@pytest.mark.parametrize("name", ["in.mkv", "in.mp4"])
def test_film_that_starts_later_than_its_sound(tmp_path: Path, name: str) -> None:
    times = [Fraction(7, 10) + i / Fraction(25) for i in range(60)]
    path = clip_with_sound(tmp_path / name, times=times, rate=Fraction(25), size=(32, 32))
    _, film = retarget(path, tmp_path / "out.mp4")
    assert film.times[0] == 0
    assert near(film.beeps, [beep - 0.7 for beep in BEEPS if 0.7 < beep < 3.1], 0.025)


@pytest.mark.parametrize("output", ["out.mp4", "out.mkv", "out.webm"])
def test_sound_that_starts_later_than_the_film(tmp_path: Path, output: str) -> None:
    path = clip_with_sound(tmp_path / "in.mkv", audio_offset=Fraction(1, 2), audio_seconds=3.0, size=(32, 32))
    _, film = retarget(path, tmp_path / output)
    wanted = maker.heard(path)[0]
    assert near(wanted, [beep + 0.5 for beep in BEEPS if beep < 3], 0.03)
    assert near(film.beeps, wanted)


def test_sound_shorter_than_the_film(tmp_path: Path) -> None:
    path = clip_with_sound(tmp_path / "in.mp4", audio_seconds=1.0, size=(32, 32))
    for output in ("out.mp4", "out.webm"):
        notes, film = retarget(path, tmp_path / output)
        assert notes == []
        assert len(film.times) == 120
        assert near(film.beeps, [0.5])
    notes, film = retarget(path, tmp_path / "later.mp4", start=Fraction(2))
    assert film.audio_codec is None
    assert notes == ["no sound: in.mp4 has none at 2.00 s"]


def test_variable_rate(tmp_path: Path) -> None:
    times = [Fraction(t, 1000) for t in (0, 40, 80, 500, 540, 1200, 1240, 2000, 2500, 3300)]
    path = clip_with_sound(tmp_path / "in.mp4", times=times, tick=Fraction(1, 1000), size=(32, 32))
    _, film = retarget(path, tmp_path / "out.mp4")
    assert film.times == times
    assert near(film.beeps, [beep for beep in BEEPS if beep < 3.3])


def test_no_sound_is_no_note(tmp_path: Path) -> None:
    notes, film = retarget(make_video(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    assert notes == []
    assert film.audio_codec is None


@pytest.mark.parametrize("output", ["out.gif", "out.webp", "frames"])
def test_kinds_without_sound_say_so(tmp_path: Path, output: str) -> None:
    path = clip_with_sound(tmp_path / "in.mp4", count=3, size=(16, 16))
    with open_frames(path) as source:
        track = source.audio_track()
        with open_writer(tmp_path / output, size=(16, 16), rate=NTSC, audio=track) as writer:
            for frame in source:
                writer.write(frame.rgb, frame.time)
    assert writer.notes == [f"no sound: {output} can't hold any"]


def write_three(output: Path, track: AudioTrack) -> list[str]:
    with open_writer(output, size=(16, 16), rate=Fraction(25), audio=track) as writer:
        for i in range(3):
            writer.write(maker.picture(16, 16), Fraction(i, 25))
    return writer.notes


def test_sources_without_usable_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    silent = make_video(tmp_path / "silent.mp4")
    (tmp_path / "text.mp4").write_text("no sound here\n" * 20)
    for name in (silent.name, "text.mp4", "missing.mp4"):
        notes = write_three(tmp_path / f"out of {name}", AudioTrack(tmp_path / name))
        assert len(notes) == 1
        assert notes[0].startswith(f"no sound: {name}")
        film = maker.probe(tmp_path / f"out of {name}")
        assert len(film.times) == 3
        assert film.audio_codec is None
    assert "no sound" in caplog.text


@pytest.mark.parametrize("output", ["out.mp4", "out.webm"])
@pytest.mark.parametrize("codec", ["aac", "flac"])
def test_damaged_sound_never_costs_the_film(tmp_path: Path, codec: str, output: str) -> None:
    good = clip_with_sound(tmp_path / "in.mkv", audio_codec=codec, size=(32, 32))
    whole = good.read_bytes()
    for start, end in ((0.05, 1.0), (0.3, 0.6), (0.9, 1.0)):
        good.write_bytes(whole)
        maker.damage(good, start, end)
        name = tmp_path / f"{start}{output}"
        with open_writer(name, size=(16, 16), rate=Fraction(25), audio=AudioTrack(good)) as writer:
            for i in range(90):
                writer.write(maker.picture(16, 16), Fraction(i, 25))
        assert len(maker.probe(name).times) == 90
        if start < 0.1:
            assert any("sound" in note for note in writer.notes)


def test_track_end_stops_the_sound(tmp_path: Path) -> None:
    path = clip_with_sound(tmp_path / "in.mp4", size=(32, 32))
    for output in ("out.mp4", "out.webm"):
        track = AudioTrack(path, Fraction(1), Fraction(19, 10))
        with open_writer(tmp_path / output, size=(16, 16), rate=Fraction(25), audio=track) as writer:
            for i in range(75):
                writer.write(maker.picture(16, 16), Fraction(i, 25))
        film = maker.probe(tmp_path / output)
        assert near(film.beeps, [0.25])
        assert abs(film.sound_end - 0.9) < PACKET


def test_a_full_disk_is_no_damaged_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from av.error import OSError as FFmpegOSError

    from retarget_cli.media import sound

    path = clip_with_sound(tmp_path / "in.mp4", size=(32, 32))
    (tmp_path / "out").mkdir()

    def full(self: object, packet: object) -> None:
        raise FFmpegOSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sound.CopiedSound, "_advance", full)
    with pytest.raises(OutputError, match="No space left"):
        write_many(tmp_path / "out" / "a.mp4", AudioTrack(path))
    assert list((tmp_path / "out").iterdir()) == []


def write_many(output: Path, track: AudioTrack) -> None:
    with open_writer(output, size=(16, 16), rate=Fraction(25), audio=track) as writer:
        for i in range(30):
            writer.write(maker.picture(16, 16), Fraction(i, 25))
