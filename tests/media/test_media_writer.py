"""What is written is what was asked for, at the right times, or nothing at all."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import media_maker as maker
from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.media.film_file import output_tick
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import SYNTHETIC, can_hold_alpha, open_writer

NTSC = Fraction(30000, 1001)


def pictures(count: int = 10, size: tuple[int, int] = (48, 64)) -> list[maker.Pixels]:
    return [maker.picture(*size, maker.shade_of(i)) for i in range(count)]


def write(path: Path, count: int = 10, size: tuple[int, int] = (48, 64), **options: object) -> list[str]:
    """Write a made clip and return the notes."""
    rate = options.pop("rate", NTSC)
    times = options.pop("times", [i / rate for i in range(count)])
    with open_writer(path, size=size, rate=rate, **options) as writer:
        for pixels, time in zip(pictures(len(times), size), times, strict=True):
            writer.write(pixels, time)
    return writer.notes


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [
        ("a.mp4", None, "h264"),
        ("a.m4v", None, "h264"),
        ("a.mov", None, "h264"),
        ("a.mkv", None, "h264"),
        ("a.webm", None, "vp9"),
        ("a.mp4", "H265", "hevc"),
        ("a.mp4", "av1", "libdav1d"),
        ("a.mkv", "vp9", "vp9"),
        ("a.mov", "prores", "prores"),
        ("a.mkv", "ffv1", "ffv1"),
    ],
)
def test_films(tmp_path: Path, name: str, codec: str | None, expected: str) -> None:
    size = (96, 128)
    assert write(tmp_path / name, 26, size, codec=codec) == []
    film = maker.probe(tmp_path / name)
    assert film.codec == expected
    assert film.size == size
    assert film.rate == NTSC
    tolerance = Fraction(1, 1000) if name.endswith(("mkv", "webm")) else 0
    assert all(abs(time - i / NTSC) <= tolerance for i, time in enumerate(film.times))
    assert [maker.index_in(frame) for frame in film.frames] == [i % 21 for i in range(26)]
    assert maker.corners(film.frames[7]) == maker.UPRIGHT
    assert SYNTHETIC in (film.tags.get("comment"), film.tags.get("COMMENT"))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("rate", [NTSC, Fraction(24), Fraction(25), Fraction(60000, 1001), Fraction(5)])
def test_duration_is_frames_over_rate(tmp_path: Path, rate: Fraction) -> None:
    write(tmp_path / "a.mp4", 31, rate=rate)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == 31 / rate
        assert stream.average_rate == rate
        assert stream.frames == 31
        assert stream.start_time == 0


def test_variable_times_stay(tmp_path: Path) -> None:
    times = [Fraction(t, 24000) for t in (0, 1000, 2000, 5016, 6000, 13000, 14001)]
    write(tmp_path / "a.mp4", rate=Fraction(24), times=times, time_base=Fraction(1, 24000))
    assert maker.probe(tmp_path / "a.mp4").times == times


def test_first_time_becomes_zero(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", rate=Fraction(25), times=[7 + Fraction(i, 25) for i in range(5)])
    assert maker.probe(tmp_path / "a.mp4").times == [Fraction(i, 25) for i in range(5)]


def test_colours_survive_and_are_tagged(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", crf=1)
    film = maker.probe(tmp_path / "a.mp4")
    assert film.colours == (1, 1, 1, 1)
    with open_frames(tmp_path / "a.mp4") as source:
        shown = next(iter(source)).rgb.astype(int)
    for y, x in ((5, 5), (5, 58), (42, 5), (42, 58)):
        assert np.abs(shown[y, x] - maker.picture()[y, x]).max() <= 3


@pytest.mark.parametrize("size", [(47, 63), (47, 64), (48, 63), (1, 1), (7, 720)])
def test_odd_sizes_get_one_more_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "a.mp4", 3, size)
    height, width = size
    film = maker.probe(tmp_path / "a.mp4")
    assert film.size == (height + height % 2, width + width % 2)
    assert np.abs(film.frames[1][-1].astype(int) - film.frames[1][-2]).max() < 30


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mov", None), ("a.webm", None), ("a.mkv", None), ("a.mkv", "vp9"), ("b", None)]
)
def test_alpha_is_kept(tmp_path: Path, name: str, codec: str | None) -> None:
    rgba = np.dstack([maker.picture(64, 96), np.zeros((64, 96), np.uint8)])
    rgba[:, 48:, 3] = 255
    with open_writer(tmp_path / name, size=(64, 96), rate=NTSC, alpha=True, codec=codec) as writer:
        for i in range(4):
            writer.write(rgba, i / NTSC)
        writer.write(rgba[..., :3], 4 / NTSC)  # opaque
    if name == "b":
        decoded = [np.asarray(Image.open(tmp_path / "b" / f"00000{i}.png")) for i in range(5)]
    else:
        decoded = decoded_rgba(tmp_path / name, vp9=writer.codec_used == "vp9")
    assert decoded[2][:, :40, 3].max() <= 3
    assert decoded[2][:, 56:, 3].min() >= 252
    assert decoded[4][..., 3].min() >= 252
    assert np.abs(decoded[2][5, 90, :3].astype(int) - maker.GREEN).max() < 12


def decoded_rgba(path: Path, *, vp9: bool) -> list[maker.Pixels]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if not vp9:
            return [frame.to_ndarray(format="rgba") for frame in container.decode(stream)]
        # Only libvpx decodes the alpha that lies beside the film.
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [
            frame for packet in container.demux(stream) if packet.size for frame in decoder.decode(packet)
        ]
        assert all(frame.format.name == "yuva420p" for frame in frames)
        return [frame.to_ndarray(format="rgba") for frame in frames]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", None), ("a.webm", "av1"), ("a.mov", "h264")])
def test_alpha_where_it_can_not_be_kept(tmp_path: Path, name: str, codec: str | None) -> None:
    with pytest.raises(UsageError, match="transparency") as caught:
        open_writer(tmp_path / name, size=(4, 4), rate=NTSC, alpha=True, codec=codec)
    assert ".mov" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_names_that_can_hold_alpha() -> None:
    assert [can_hold_alpha(Path(n)) for n in ("a.mov", "a", "x/%04d.png", "a.webm")] == [True] * 4
    assert not can_hold_alpha(Path("a.mp4"))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_animations(tmp_path: Path, name: str, alpha: bool) -> None:
    times = [Fraction(t, 100) for t in (0, 10, 30, 37)]
    with open_writer(tmp_path / name, size=(47, 63), rate=Fraction(10), alpha=alpha) as writer:
        for i, time in enumerate(times):
            rgba = np.dstack([maker.picture(47, 63, maker.shade_of(i)), np.full((47, 63), 255, np.uint8)])
            rgba[:, :5, 3] = 0
            writer.write(rgba, time)
    with Image.open(tmp_path / name) as image:
        assert (image.size, image.n_frames) == ((63, 47), 4)
        assert image.info["loop"] == 0
        delays = []
        for i in range(4):
            image.seek(i)
            image.load()
            delays.append(image.info["duration"])
            rgba = np.asarray(image.convert("RGBA"))
            assert maker.index_in(rgba[..., :3]) == i
            assert rgba[20, 2, 3] == (0 if alpha else 255)
            assert rgba[20, 30, 3] == 255
        assert delays == [100, 200, 70, 100]
    assert b"Synthetic" in (tmp_path / name).read_bytes()


def test_gif_does_not_drift(tmp_path: Path) -> None:
    write(tmp_path / "a.gif", 60, rate=Fraction(60))
    with Image.open(tmp_path / "a.gif") as image:
        delays = []
        for i in range(image.n_frames):
            image.seek(i)
            delays.append(image.info["duration"])
    assert min(delays) >= 20
    assert sum(delays) == pytest.approx(1000, abs=20)


def test_folder_of_frames(tmp_path: Path) -> None:
    write(tmp_path / "new" / "frames", 3)
    names = sorted(entry.name for entry in (tmp_path / "new" / "frames").iterdir())
    assert names == ["000000.png", "000001.png", "000002.png"]
    with Image.open(tmp_path / "new" / "frames" / "000001.png") as image:
        assert np.array_equal(np.asarray(image), pictures()[1])
        assert image.text["comment"] == SYNTHETIC


def test_folder_by_pattern(tmp_path: Path) -> None:
    write(tmp_path / "frames" / "f_%03d.png", 2)
    assert sorted(os.listdir(tmp_path / "frames")) == ["f_000.png", "f_001.png"]
    write(tmp_path / "frames" / "f_%03d.png", 3, overwrite=True)
    assert len(os.listdir(tmp_path / "frames")) == 3


def test_a_folder_with_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.png").write_bytes(b"x")
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            open_writer(tmp_path / "photos", size=(4, 4), rate=NTSC, overwrite=overwrite)
    assert os.listdir(tmp_path / "photos") == ["me.png"]


def test_existing_output_is_refused_before_any_work(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.gif", "a.webp"):
        path = tmp_path / name
        path.write_bytes(b"precious")
        with pytest.raises(OutputError, match="exists") as caught:
            open_writer(path, size=(48, 64), rate=NTSC)
        assert "--overwrite" in caught.value.hint
        assert path.read_bytes() == b"precious"
        write(path, overwrite=True)
        with open_frames(path) as source:
            assert len(list(source)) == 10
    assert len(list(tmp_path.iterdir())) == 3


def write_and_fail(path: Path, stop: type[BaseException], *, overwrite: bool = False) -> None:
    with open_writer(path, size=(48, 64), rate=NTSC, overwrite=overwrite) as writer:
        for i, pixels in enumerate(pictures(5)):
            writer.write(pixels, i / NTSC)
        raise stop


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp", "a.webm", "frames"])
@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_failure_leaves_nothing(tmp_path: Path, name: str, stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        write_and_fail(tmp_path / "made" / "for it" / name, stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "frames"])
def test_failure_keeps_what_was_there(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, 2)
    before = maker_bytes(tmp_path / name)
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(tmp_path / name, KeyboardInterrupt, overwrite=True)
    assert maker_bytes(tmp_path / name) == before
    assert len(list(tmp_path.iterdir())) == 1


def maker_bytes(path: Path) -> list[bytes]:
    return [p.read_bytes() for p in (sorted(path.iterdir()) if path.is_dir() else [path])]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "frames"])
def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path, name: str) -> None:
    def write_while_someone_else_does() -> None:
        with open_writer(tmp_path / name, size=(48, 64), rate=NTSC) as writer:
            writer.write(pictures()[0], Fraction(0))
            (tmp_path / name).write_bytes(b"theirs")

    with pytest.raises(OutputError, match="exists"):
        write_while_someone_else_does()
    assert (tmp_path / name).read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.mp4", "frames"])
def test_a_killed_run_is_no_obstacle(tmp_path: Path, name: str) -> None:
    writer = open_writer(tmp_path / name, size=(48, 64), rate=NTSC)
    writer.write(pictures()[0], Fraction(0))
    write(tmp_path / name, 3)  # same process id, as if the first had been killed
    assert (tmp_path / name).exists()
    writer.abort()
    assert os.listdir(tmp_path) == [name]


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.mp4", size=(48, 64), rate=NTSC) as writer:
        writer.write(pictures()[0], Fraction(0))
        assert not (tmp_path / "a.mp4").exists()
        assert all(entry.name.startswith(".") for entry in tmp_path.iterdir())
    assert (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "frames"])
def test_no_frame_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="no frame was written"):
        write(tmp_path / name, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("a.txt", {}, "no kind of output"),
        ("a.bmp", {}, "no kind of output"),
        ("a.mp4", {"codec": "h266"}, "did you mean h26"),
        ("a.webm", {"codec": "h264"}, "does not go into"),
        ("a.gif", {"codec": "h264"}, "does not go into"),
        ("a.mp4", {"crf": 99}, "crf is 99"),
        ("a.mov", {"codec": "prores", "crf": 5}, "crf is 5"),
        ("a.mp4", {"size": (0, 5)}, "size is 5x0"),
        ("a.mp4", {"rate": Fraction(0)}, "frame rate is 0"),
        ("a.gif", {"size": (4, 70000)}, "larger than"),
        ("a.webp", {"size": (4, 70000)}, "larger than"),
    ],
)
def test_impossible_orders(tmp_path: Path, name: str, options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        open_writer(tmp_path / name, **{"size": (48, 64), "rate": NTSC, **options})
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_wrong_frames_are_refused(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.mp4", size=(48, 64), rate=NTSC) as writer:
        writer.write(pictures()[0], Fraction(1))
        with pytest.raises(ValueError, match="expected"):
            writer.write(maker.picture(10, 10), Fraction(2))
        with pytest.raises(ValueError, match="does not follow"):
            writer.write(pictures()[0], Fraction(1))


def test_missing_gpu_falls_back_and_says_so(tmp_path: Path) -> None:
    notes = write(tmp_path / "a.mp4", 3, (256, 256), codec="nvenc")
    film = maker.probe(tmp_path / "a.mp4")
    assert film.codec == "h264"
    assert len(film.times) == 3
    if notes:
        assert "h264_nvenc" in notes[0]
        assert "h264 is used" in notes[0]


def test_an_encoder_that_refuses_the_size(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't encode 20000x20000"):
        open_writer(tmp_path / "x" / "a.mp4", size=(20000, 20000), rate=NTSC, codec="av1")
    assert list(tmp_path.iterdir()) == []


def test_unwritable_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutputError, match="can't write"):
        open_writer(tmp_path / "file" / "a.mp4", size=(4, 4), rate=NTSC)
    with pytest.raises(OutputError, match="can't write"):
        open_writer(tmp_path / ("n" * 300 + ".mp4"), size=(4, 4), rate=NTSC)
    (tmp_path / "dir.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        open_writer(tmp_path / "dir.mp4", size=(4, 4), rate=NTSC, overwrite=True)


FULL_DISK = """
import resource, signal, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from retarget_cli.core.errors import OutputError
from retarget_cli.media.writer import open_writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
noise = np.random.default_rng(0)
try:
    with open_writer(Path(sys.argv[1]), size=(128, 128), rate=Fraction(25)) as writer:
        for i in range(int(sys.argv[2])):
            writer.write(noise.integers(0, 255, (128, 128, 3), dtype=np.uint8), Fraction(i, 25))
except OutputError as error:
    print(error.message)
"""


@pytest.mark.parametrize(("name", "count"), [("a.mp4", 40), ("a.mp4", 6), ("a.gif", 20), ("a.webp", 20)])
def test_full_disk(tmp_path: Path, name: str, count: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / name), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "can't write" in done.stdout, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["with space.mp4", "-dash.mp4", "größe 人.webm", "100%03d.mp4", "file:x.mkv"]
)
def test_names_are_plain_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path(name), 2)
    assert os.listdir(tmp_path) == [name]


def test_ticks_hold_rate_and_source_times() -> None:
    for rate in (NTSC, Fraction(24), Fraction(25), Fraction(5), Fraction(680, 39)):
        for base in (None, Fraction(1, 1000), Fraction(1, 15360), Fraction(1, 90000)):
            tick = output_tick(rate, base)
            assert (1 / rate / tick).denominator == 1
            assert tick <= Fraction(1, 10000)
            assert tick.denominator < 2**31
    assert (Fraction(1, 15360) / output_tick(Fraction(30), Fraction(1, 15360))).denominator == 1


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times the frames take hardly more memory, reading and writing, for every kind."""
    for name in ("a.mp4", "a.gif", "a.webp"):
        peaks = [peak_of(tmp_path / f"{count}{name}", count) for count in (15, 150)]
        assert peaks[1] < 1.15 * peaks[0] + 8_000, (name, peaks)


LONG = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer
path, count = Path(sys.argv[1]), int(sys.argv[2])
still = np.zeros((360, 640, 3), np.uint8)
with open_writer(path, size=(360, 640), rate=Fraction(25)) as writer:
    for i in range(count):
        still[:, i % 640] = i % 256
        writer.write(still, Fraction(i, 25))
with open_frames(path) as source:
    assert sum(1 for _ in source) == count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_of(path: Path, count: int) -> int:
    command = [sys.executable, "-c", LONG, str(path), str(count)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
