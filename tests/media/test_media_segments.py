"""A segment is closed whole or not at all, is made by one process at a time, and is the same whoever makes it."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.workflows.full_disk import disk_of

import media_maker as maker
from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.media.segments import FilmPlan, Segments

RATE = Fraction(25)
# x264 takes one thread for 64 rows: in less it would have no choice.
SIZE = (128, 160)


def frames_of(number: int, count: int = 16, size: tuple[int, int] = SIZE) -> list[tuple[Fraction, maker.Pixels]]:
    """(time, RGBA) of a segment, whatever process asks."""
    noise = np.random.default_rng(3).integers(0, 80, (*size, 4), dtype=np.uint8)
    begin = 16 * number
    return [
        (Fraction(begin + i) / RATE, np.roll(noise, 3 * (begin + i), axis=1) + maker.shade_of(begin + i) // 2)
        for i in range(count)
    ]


def segments_of(folder: Path, name: str = "a.mp4", **plan: object) -> Segments:
    return Segments(folder / "p", FilmPlan(folder / name, RATE, **plan))


def join(segments: Segments, count: int) -> Path:
    return segments.join(count, lambda first: None).path


def packets_of(film: Path) -> list[tuple[int, bytes]]:
    with av.open(str(film)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        return [(packet.pts, bytes(packet) + b"".join(map(bytes, packet.iter_sidedata()))) for packet in packets]


def in_another_process(program: str, *words: object) -> "subprocess.Popen[str]":
    head = f"""
        import os, signal, sys
        from fractions import Fraction
        from pathlib import Path
        sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]!r}
        from test_media_segments import frames_of, segments_of
        folder = Path(sys.argv[1])
    """
    text = textwrap.dedent(head) + textwrap.dedent(program)
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_segment_is_closed_when_it_is_written(tmp_path: Path) -> None:
    segments = segments_of(tmp_path)
    assert not segments.folder.exists()
    assert not segments.is_closed(0)
    assert segments.write(0, iter(frames_of(0))) == 16
    assert segments.is_closed(0)
    assert not segments.is_closed(1)
    assert sorted(os.listdir(segments.folder)) == ["000000.json", "000000.mkv"]
    told = json.loads((segments.folder / "000000.json").read_text())
    assert [Fraction(time) for time in told["times"]] == [time for time, _ in frames_of(0)]
    assert (told["codec"], told["size"]) == ("h264", list(SIZE))


CODECS = {
    "a.mp4": {"codec": "h264"},
    "b.mp4": {"codec": "h265"},
    "c.webm": {"alpha": True},
    "d.webm": {"codec": "av1"},
    "e.mov": {"alpha": True},
    "f.mkv": {"alpha": True},
    "g.gif": {},
}


def test_another_process_on_fewer_cores_makes_the_same(tmp_path: Path) -> None:
    """Left to themselves, x264 and x265 would not: they take as many threads as there are cores, and look ahead so."""
    for folder in ("alone", "shared"):
        (tmp_path / folder).mkdir()
    program = f"""
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:1]))
        for name, plan in {CODECS!r}.items():
            (folder / name).mkdir()
            segments_of(folder / name, name, **plan).write(1, frames_of(1))
    """
    with in_another_process(program, tmp_path / "shared") as other:
        for name, plan in CODECS.items():
            alone = segments_of(tmp_path / "alone" / name, name, **plan)
            for number in range(3):
                alone.write(number, frames_of(number))
    assert other.returncode == 0
    for name, plan in CODECS.items():
        shared = segments_of(tmp_path / "shared" / name, name, **plan)
        for number in (2, 0):
            shared.write(number, frames_of(number))
        join(shared, 3)
        join(segments_of(tmp_path / "alone" / name, name, **plan), 3)
        ours, theirs = tmp_path / "shared" / name / name, tmp_path / "alone" / name / name
        if name.endswith(("mkv", "webm")):  # these hold a random number
            assert packets_of(ours) == packets_of(theirs), name
        else:
            assert ours.read_bytes() == theirs.read_bytes(), name


def test_a_process_that_is_killed_leaves_no_closed_segment(tmp_path: Path) -> None:
    program = """
        def frames():
            for i, frame in enumerate(frames_of(0)):
                if i == 12:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield frame
        segments = segments_of(folder)
        with segments.claimed(0) as is_ours:
            assert is_ours
            segments.write(0, frames())
    """
    with in_another_process(program, tmp_path) as other:
        other.wait(60)
    assert other.returncode == -9
    segments = segments_of(tmp_path)
    assert any(path.name.startswith(".000000.mkv") for path in segments.folder.iterdir())
    assert not segments.is_closed(0)
    with segments.claimed(0) as is_ours:
        assert is_ours
        assert not list(segments.folder.glob(".*"))
        segments.write(0, frames_of(0))
    assert len(maker.probe(join(segments, 1)).times) == 16


@pytest.mark.parametrize("name", ["a.mp4", "a [1].gif", "frames", "frames/f_%02d.png"])
def test_a_join_that_is_killed_costs_nothing(tmp_path: Path, name: str) -> None:
    program = """
        def sound(first):
            writer = open_writer(Path(sys.argv[2]), size=(128, 160), rate=Fraction(25))
            os.kill(os.getpid(), signal.SIGKILL)
        from retarget_cli.media.writer import open_writer
        segments = segments_of(folder, sys.argv[2])
        segments.write(0, frames_of(0))
        segments.join(1, sound)
    """
    with in_another_process(program, tmp_path, tmp_path / name) as other:
        other.wait(60)
    assert other.returncode == -9
    left = {path.name for path in tmp_path.iterdir()} - {"p"}
    assert len(left) == 1
    assert left.pop().startswith(".")
    join(segments_of(tmp_path, name), 1)
    assert {path.name for path in tmp_path.iterdir()} == {"p", name.partition("/")[0]}


def test_a_film_without_its_record_is_not_closed(tmp_path: Path) -> None:
    segments = segments_of(tmp_path)
    segments.write(0, frames_of(0))
    (segments.folder / "000000.json").unlink()
    assert not segments.is_closed(0)
    with pytest.raises(OutputError, match=r"segment 0 .*is missing"):
        join(segments, 1)
    segments.write(0, frames_of(0))
    assert len(maker.probe(join(segments, 1)).times) == 16


def test_a_claim_goes_with_its_process(tmp_path: Path) -> None:
    program = """
        with segments_of(folder).claimed(3) as is_ours:
            print(is_ours, flush=True)
            sys.stdin.readline()
    """
    segments = segments_of(tmp_path)
    with in_another_process(program, tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with segments.claimed(3) as is_ours:
            assert not is_ours
        with segments.claimed(4) as is_ours:
            assert is_ours
        other.kill()
    with segments.claimed(3) as is_ours:
        assert is_ours
        with segments_of(tmp_path).claimed(3) as is_ours_too:
            assert not is_ours_too
        segments.write(3, frames_of(3))
    with segments.claimed(3) as is_ours:
        assert not is_ours  # closed meanwhile


def test_a_claim_ends_with_its_block(tmp_path: Path) -> None:
    def fail() -> None:
        with segments_of(tmp_path).claimed(0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with segments_of(tmp_path).claimed(0) as is_ours:
        assert is_ours


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_segment_is_said_before_anything_is_written(tmp_path: Path, missing: int) -> None:
    segments = segments_of(tmp_path)
    for number in {0, 1, 2} - {missing}:
        segments.write(number, frames_of(number))
    with pytest.raises(OutputError, match=f"segment {missing} of .*a.mp4 is missing") as caught:
        join(segments, 3)
    assert "again" in caught.value.hint
    assert os.listdir(tmp_path) == ["p"]


@pytest.mark.parametrize("harm", ["cut", "record", "swapped", "gone"])
def test_a_damaged_segment_is_said_and_made_anew(tmp_path: Path, harm: str) -> None:
    segments = segments_of(tmp_path)
    for number in (0, 1):
        segments.write(number, frames_of(number))
    film, record = segments.folder / "000001.mkv", segments.folder / "000001.json"
    if harm == "cut":
        maker.truncate(film, 0.7)
    elif harm == "record":
        record.write_text(record.read_text()[:50])
    elif harm == "swapped":
        film.write_bytes(bytes(film.stat().st_size))
    else:
        film.unlink()
    with pytest.raises(OutputError, match=r"000001.mkv is damaged") as caught:
        join(segments, 2)
    assert "anew" in caught.value.hint
    assert "\n" not in caught.value.line
    assert os.listdir(tmp_path) == ["p"]
    assert segments.is_closed(0)
    assert not segments.is_closed(1)
    segments.write(1, frames_of(1))
    assert len(maker.probe(join(segments, 2)).times) == 32


def test_a_lossless_segment_that_lost_frames_is_said(tmp_path: Path) -> None:
    segments = segments_of(tmp_path, "frames")
    segments.write(0, frames_of(0))
    record = segments.folder / "000000.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "times": [*told["times"], "99"]}))
    with pytest.raises(OutputError, match="it holds 16 of 17 frames"):
        join(segments, 1)
    assert os.listdir(tmp_path) == ["p"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codec": "h265"}, "segment 1 of .* was encoded as h265, the first as h264"),
        ({"size": [48, 64]}, "segment 1 of .* is 64x48, the first 160x128"),
        ({"head": "00"}, "segment 1 of .* was made by another encoder for h264"),
    ],
)
def test_segments_that_do_not_go_together(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    segments = segments_of(tmp_path)
    for number in (0, 1):
        segments.write(number, frames_of(number))
    record = segments.folder / "000001.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **change}))
    with pytest.raises(OutputError, match=reason) as caught:
        join(segments, 2)
    assert "begin anew" in caught.value.hint
    assert str(segments.folder) in caught.value.hint
    assert segments.is_closed(1)


def test_segments_that_overlap_are_refused(tmp_path: Path) -> None:
    segments = segments_of(tmp_path)
    segments.write(0, frames_of(0))
    segments.write(1, frames_of(0))
    with pytest.raises(OutputError, match=r"segment 1 of .* begins at 0 s, before the one before has ended"):
        join(segments, 2)


def test_wrong_frames_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    segments = segments_of(tmp_path)
    frames = frames_of(0)
    with pytest.raises(OutputError, match="no frame was written"):
        segments.write(0, [])
    with pytest.raises(ValueError, match="does not follow"):
        segments.write(0, [frames[1], frames[0]])
    with pytest.raises(ValueError, match="expected"):
        segments.write(0, [frames[0], (Fraction(1), maker.picture(10, 10))])
    with pytest.raises(OutputError, match="no frame was written"):
        join(segments, 0)
    assert not segments.is_closed(0)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "plan", "reason"),
    [
        ("a.mp4", {"codec": "h266"}, "did you mean"),
        ("a.webm", {"codec": "h264"}, "does not go into"),
        ("a.gif", {"codec": "h264"}, "does not go into"),
        ("a.txt", {}, "no kind of output"),
        ("a.mp4", {"alpha": True}, "transparency"),
        ("a.mp4", {"crf": 99}, "crf is 99"),
    ],
)
def test_impossible_plans_are_refused_at_once(tmp_path: Path, name: str, plan: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        segments_of(tmp_path, name, **plan)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_costs_one_segment(tmp_path: Path) -> None:
    segments = segments_of(tmp_path)
    segments.write(0, frames_of(0))
    with disk_of(5_000), pytest.raises(OutputError, match=r"can't write .*000001.mkv"):
        segments.write(1, frames_of(1))
    assert sorted(os.listdir(segments.folder)) == ["000000.json", "000000.mkv"]
    segments.write(1, frames_of(1))
    with disk_of(5_000), pytest.raises(OutputError, match=r"can't write .*a.mp4"):
        join(segments, 2)
    assert os.listdir(tmp_path) == ["p"]
    assert len(maker.probe(join(segments, 2)).times) == 32


def test_a_disk_too_full_for_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        if not os.readlink(f"/proc/self/fd/{descriptor}").endswith(".mkv"):
            raise OSError(28, "No space left on device")

    segments = segments_of(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"can't write .*000000\.json: No space left"):
        segments.write(0, frames_of(0))
    assert not segments.is_closed(0)
    assert os.listdir(segments.folder) == ["000000.mkv"]


def test_folders_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"a file")
    segments = segments_of(tmp_path)
    with pytest.raises(OutputError, match="can't write"):
        segments.write(0, frames_of(0))
    with pytest.raises(OutputError, match="can't write"), segments.claimed(0):
        pass
    (tmp_path / "p").unlink()
    segments.write(0, frames_of(0))
    nowhere = Segments(tmp_path / "p", FilmPlan(tmp_path / "p" / "000000.mkv" / "a.mp4", RATE))
    with pytest.raises(OutputError, match="can't write"):
        join(nowhere, 1)
    assert segments.is_closed(0)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user to whom permissions apply; they don't to root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_read_only_folder() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own lies where others may not even look
        folder = Path(name)
        segments = segments_of(folder)
        segments.write(0, frames_of(0))
        segments.folder.chmod(0o555)
        folder.chmod(0o555)
        with without_rights():
            with pytest.raises(OutputError, match=r"can't write .*000001\.mkv"):
                segments.write(1, frames_of(1))
            with pytest.raises(OutputError, match=r"can't write .*000001\.mkv"), segments.claimed(1):
                pass
            with pytest.raises(OutputError, match=r"can't write .*a\.mp4"):
                join(segments, 1)
            assert segments.is_closed(0)
        folder.chmod(0o755)
        segments.folder.chmod(0o755)
        assert len(maker.probe(join(segments, 1)).times) == 16
