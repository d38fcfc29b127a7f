"""The journal of a clip's landmarks: killed readers, several at once, damage, and caches that keep nothing."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.perception.pretend_reading import KEY, PretendClip, told

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion
from retarget_cli.perception import journal as journal_module
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.journal import Journal, MotionIsKnown
from retarget_cli.perception.person_tracker import State

PROGRAM = Path(__file__).with_name("pretend_reading.py")
WINDOWS = 8
UNDISTURBED = told([motion for motion, _ in PretendClip(WINDOWS).read(0, None)])


def cache_in(folder: Path) -> Cache:
    return Cache(folder / "cache", 10**8)


def read_all(folder: Path, clip: PretendClip) -> str:
    return told(list(Journal(cache_in(folder), KEY).windows(clip.read)))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "cache" / "journals" / KEY).iterdir())


def window_file(folder: Path, number: int) -> Path:
    return folder / "cache" / "journals" / KEY / f"{number:06}.safetensors"


def started(folder: Path, name: str, seconds: float = 0.0, halt: int = -1) -> subprocess.Popen[bytes]:
    words = [folder / "cache", folder / "log", folder / name, WINDOWS, seconds, halt]
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}{os.pathsep}{os.environ['PYTHONPATH']}"}
    return subprocess.Popen([sys.executable, str(PROGRAM), *map(str, words)], env=environment)


def logged(folder: Path) -> list[tuple[int, int]]:
    """(process, window) of all that was really read, in order."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def wait_for(folder: Path, count: int) -> None:
    end = time.monotonic() + 60
    while len(logged(folder)) < count:
        assert time.monotonic() < end, "nothing is being read"
        time.sleep(0.01)


def test_an_undisturbed_reading_is_kept_and_given_again(tmp_path: Path) -> None:
    first, second = PretendClip(WINDOWS), PretendClip(WINDOWS)
    assert read_all(tmp_path, first) == UNDISTURBED
    assert files(tmp_path) == [*(f"{n:06}.safetensors" for n in range(WINDOWS)), "done"]
    assert read_all(tmp_path, second) == UNDISTURBED
    assert (first.read_here, second.read_here) == (list(range(WINDOWS)), [])


@pytest.mark.parametrize("count", [0, 1])
def test_clips_of_no_window_and_of_one(tmp_path: Path, count: int) -> None:
    whole = told([motion for motion, _ in PretendClip(count).read(0, None)])
    assert read_all(tmp_path, PretendClip(count)) == whole
    again = PretendClip(count)
    assert read_all(tmp_path, again) == whole
    assert again.read_here == []


@pytest.mark.parametrize("halt", [0, 1, 4, WINDOWS - 1])
def test_a_reader_that_is_killed_loses_one_window_at_most(tmp_path: Path, halt: int) -> None:
    """It is killed when a window has been read but not been kept, the worst of all moments."""
    reader = started(tmp_path, "out", halt=halt)
    wait_for(tmp_path, halt + 1)
    reader.kill()
    assert reader.wait(60) == -signal.SIGKILL
    clip = PretendClip(WINDOWS)
    assert read_all(tmp_path, clip) == UNDISTURBED
    assert clip.read_here == list(range(halt, WINDOWS))


def test_two_at_once_read_once_in_sum(tmp_path: Path) -> None:
    both = [started(tmp_path, name, 0.06) for name in ("one", "two")]
    assert [process.wait(120) for process in both] == [0, 0]
    assert [(tmp_path / name).read_text() for name in ("one", "two")] == [UNDISTURBED] * 2
    assert [number for _, number in logged(tmp_path)] == list(range(WINDOWS))
    assert len({process for process, _ in logged(tmp_path)}) == 1


def test_a_follower_goes_on_where_the_reader_was_killed(tmp_path: Path) -> None:
    reader = started(tmp_path, "one", halt=4)
    wait_for(tmp_path, 5)
    clip = PretendClip(WINDOWS)
    given: list[Motion] = []
    follower = threading.Thread(target=lambda: given.extend(Journal(cache_in(tmp_path), KEY).windows(clip.read)))
    follower.start()
    time.sleep(0.3)
    assert follower.is_alive()
    assert clip.read_here == []
    reader.kill()
    reader.wait(60)
    follower.join(60)
    assert not follower.is_alive()
    assert told(given) == UNDISTURBED
    assert clip.read_here == [4, 5, 6, 7]


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "other arrays", "missing"])
def test_damaged_windows_are_read_anew(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    read_all(tmp_path, PretendClip(WINDOWS))
    path = window_file(tmp_path, 3)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other arrays":
        Cache(path.parent, 10**6).put(path.stem, {"times": np.arange(3)}, {})
    else:
        path.write_bytes({"truncated": content[:-5], "text": b"hello", "empty": b""}[damage])
    clip = PretendClip(WINDOWS)
    with caplog.at_level(logging.WARNING):
        assert read_all(tmp_path, clip) == UNDISTURBED
    assert clip.read_here == [3, 4, 5, 6, 7]
    assert ("damaged" in caplog.text) == (damage != "missing")
    assert path.read_bytes() == content


@pytest.mark.parametrize("text", ["", "{", "[]", '{"windows": "many", "notes": []}', '{"windows": 3}'])
def test_a_damaged_end_is_found_anew(tmp_path: Path, text: str) -> None:
    read_all(tmp_path, PretendClip(WINDOWS))
    end = cache_in(tmp_path).journal_end(KEY)
    end.write_text(text)
    clip = PretendClip(WINDOWS)
    assert read_all(tmp_path, clip) == UNDISTURBED
    assert clip.read_here == []
    assert json.loads(end.read_text())["windows"] == WINDOWS


def test_notes_reach_those_who_did_not_read(tmp_path: Path) -> None:
    list(Journal(cache_in(tmp_path), KEY).windows(PretendClip(2).read, lambda: ("3 frames are damaged",)))
    journal = Journal(cache_in(tmp_path), KEY)
    list(journal.windows(PretendClip(2).read))
    assert journal.notes == ("3 frames are damaged",)


class FailingClip(PretendClip):
    """Fails before its third window."""

    def read(self, seen: int, state: State | None) -> Iterator[tuple[Motion, State]]:
        for window in super().read(seen, state):
            if self.read_here[-1] == 2:
                raise InputError("person 2 was asked for")
            yield window


def test_an_error_is_found_again_by_the_next(tmp_path: Path) -> None:
    first, second = FailingClip(WINDOWS), FailingClip(WINDOWS)
    for clip in (first, second):
        with pytest.raises(InputError, match="person 2"):
            read_all(tmp_path, clip)
    assert (first.read_here, second.read_here) == ([0, 1, 2], [2])
    assert not cache_in(tmp_path).journal_end(KEY).exists()


def test_a_cache_that_can_not_be_written_does_not_matter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    clip = PretendClip(WINDOWS)
    with caplog.at_level(logging.WARNING):
        assert read_all(tmp_path, clip) == UNDISTURBED
    assert clip.read_here == list(range(WINDOWS))
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_when_the_disk_is_full_followers_read_for_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, clip, other = cache_in(tmp_path), PretendClip(WINDOWS), PretendClip(WINDOWS)
    reading = Journal(cache, KEY).windows(clip.read)
    given = [next(reading), next(reading)]

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("retarget_cli.perception.cache.write_whole", full)
        given.append(next(reading))
    assert read_all(tmp_path, other) == UNDISTURBED  # while the first has not ended
    assert other.read_here == list(range(2, WINDOWS))
    assert told([*given, *reading]) == UNDISTURBED


def test_a_reader_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_PATIENCE", 0.2)
    hanging = Journal(cache_in(tmp_path), KEY).windows(PretendClip(WINDOWS).read)
    next(hanging)
    clip = PretendClip(WINDOWS)
    assert read_all(tmp_path, clip) == UNDISTURBED
    assert clip.read_here == list(range(1, WINDOWS))
    assert len(list(hanging)) == WINDOWS - 1


def test_who_finds_the_journal_gone_is_given_the_motion(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    reading = Journal(cache, KEY).windows(PretendClip(WINDOWS).read)
    next(reading)
    clip = PretendClip(WINDOWS)
    following = Journal(cache, KEY).windows(clip.read)
    next(following)
    list(reading)
    cache.put(KEY, {"motion": np.arange(3)}, {})
    Journal(cache, KEY).remove()
    with pytest.raises(MotionIsKnown) as known:
        next(following)
    assert known.value.arrays["motion"].tolist() == [0, 1, 2]
    assert clip.read_here == []


def test_who_finds_the_journal_cleared_away_reads_on(tmp_path: Path) -> None:
    cache, clip, other = cache_in(tmp_path), PretendClip(WINDOWS), PretendClip(WINDOWS)
    reading = Journal(cache, KEY).windows(clip.read)
    given = [next(reading) for _ in range(3)]
    following = Journal(cache, KEY).windows(other.read)
    followed = [next(following) for _ in range(2)]
    assert cache.clear() == 1
    assert list(cache.folder.iterdir()) == []
    assert told([*followed, *following]) == UNDISTURBED
    assert told([*given, *reading]) == UNDISTURBED
    assert other.read_here == list(range(2, WINDOWS))


def test_closing_a_reading_frees_the_claim(tmp_path: Path) -> None:
    reading = Journal(cache_in(tmp_path), KEY).windows(PretendClip(WINDOWS).read)
    next(reading)
    claim = cache_in(tmp_path).claim(KEY)
    assert not claim.take()
    reading.close()  # type: ignore[attr-defined]
    assert claim.take()
    claim.close()
