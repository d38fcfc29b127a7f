"""Clips that are perceived in parts and by several at once, through `open_driving` as a whole."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import Clip, make_video
from tests.perception.bodies import body
from tests.workflows.scenes import clip_of

from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Silence
from retarget_cli.core.subject import Image
from retarget_cli.perception import motion_reader
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.motion_file import load_motion
from retarget_cli.perception.person_tracker import State
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.workflows import source as source_module
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.driving import Driving, Excerpt, open_driving
from retarget_cli.workflows.overlap import overlapped
from retarget_cli.workflows.source import prepare_subject

COUNT = 100


class Told(Silence):
    """Remembers what it was told of poses."""

    def __init__(self) -> None:
        self.poses: list[tuple[int, int | None]] = []

    def stage(self, name: str, done: int, total: int | None) -> None:
        assert name == "pose"
        self.poses.append((done, total))


class Pretend:
    """A tracker whose answers depend on all pictures before; several may look at once."""

    looked, most = 0, 10**9
    seconds = 0.0
    lock = threading.Lock()

    def __init__(self, choice: object, video: bool, with_mask: bool) -> None:
        self.memory = 0

    def __enter__(self) -> Pretend:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def find(self, rgb: Image) -> PoseFinding | None:
        time.sleep(Pretend.seconds)
        with Pretend.lock:
            if Pretend.looked == Pretend.most:
                raise MemoryError
            Pretend.looked += 1
        self.memory = (self.memory * 31 + int(rgb.sum())) % 10007
        random = np.random.default_rng(self.memory)
        pose = random.random((33, 3), np.float32) * 50
        return None if self.memory % 9 == 0 else PoseFinding(pose, pose / 50 - 0.5, None)

    def state(self) -> State:
        return {"memory": np.array([self.memory])}

    def restore(self, state: State) -> None:
        self.memory = int(state["memory"][0])


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Pretend]]:
    monkeypatch.setattr(motion_reader, "PersonTracker", Pretend)
    Pretend.looked, Pretend.most, Pretend.seconds = 0, 10**9, 0.0
    yield Pretend
    Pretend.looked, Pretend.most, Pretend.seconds = 0, 10**9, 0.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "clip.mp4", Clip(count=COUNT))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**8)


def perceived(clip: Path, cache: Cache | None, told: Told | None = None) -> Motion:
    with open_driving(clip, body(), "largest", Excerpt(), cache, told or Told()) as driving:
        return join(list(driving.windows))


def assert_same(one: Motion, other: Motion) -> None:
    assert (one.times, one.size, one.body) == (other.times, other.size, other.body)
    for name in ("present", "pose", "world", "theta", "camera", "betas"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def journals(cache: Cache) -> list[Path]:
    folder = cache.folder / "journals"
    return list(folder.iterdir()) if folder.exists() else []


def test_an_undisturbed_perception_leaves_the_motion_and_no_journal(
    pretend: type[Pretend], clip: Path, cache: Cache
) -> None:
    told = Told()
    assert_same(perceived(clip, cache, told), perceived(clip, None))
    assert pretend.looked == 2 * COUNT
    assert journals(cache) == []
    assert cache.info().entries == 1
    done = [count for count, _ in told.poses]
    assert done == sorted(done)
    assert (told.poses[0][0], told.poses[-1]) == (0, (COUNT, COUNT))
    assert len(done) > COUNT


def test_a_perception_that_broke_off_is_gone_on_with(pretend: type[Pretend], clip: Path, cache: Cache) -> None:
    whole = perceived(clip, None)
    pretend.looked, pretend.most = 0, 70
    with pytest.raises(MemoryError):
        perceived(clip, cache)
    assert [len(list(journal.glob("0*"))) for journal in journals(cache)] == [2]
    pretend.looked, pretend.most = 0, COUNT
    told = Told()
    assert_same(perceived(clip, cache, told), whole)
    assert pretend.looked == COUNT - 64
    assert told.poses[-1] == (COUNT, COUNT)
    assert journals(cache) == []


def test_three_at_once_perceive_once(pretend: type[Pretend], clip: Path, cache: Cache) -> None:
    whole = perceived(clip, None)
    pretend.looked, pretend.seconds = 0, 0.002
    told = [Told() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        caches = [Cache(cache.folder, 10**8) for _ in told]
        motions = list(pool.map(perceived, [clip] * 3, caches, told))
    for motion in motions:
        assert_same(motion, whole)
    assert pretend.looked == COUNT
    assert [each.poses[-1] for each in told] == [(COUNT, COUNT)] * 3
    assert journals(cache) == []
    assert cache.info().entries == 1


def test_a_slow_user_of_the_reader_holds_nobody_up(pretend: type[Pretend], clip: Path, cache: Cache) -> None:
    with open_driving(clip, body(), "largest", Excerpt(), cache, Silence()) as slow:
        first = next(slow.windows)
        assert len(perceived(clip, Cache(cache.folder, 10**8))) == COUNT
        assert len(join([first, *slow.windows])) == COUNT
    assert pretend.looked == COUNT


def test_the_rest_comes_from_the_cache_where_the_journal_is_gone(
    pretend: type[Pretend], clip: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The follower sleeps while the reader ends, is done with the clip, and removes the journal."""
    may_wake = threading.Event()
    monkeypatch.setattr("retarget_cli.workflows.driving.rest", lambda seconds: may_wake.wait(60))
    pretend.seconds = 0.004
    told = Told()
    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(perceived, clip, cache)
        while not (journals(cache) and list(journals(cache)[0].glob("000001*rs"))):
            time.sleep(0.002)
        follower = pool.submit(perceived, clip, Cache(cache.folder, 10**8), told)
        whole = reader.result(60)
        assert not follower.done()
        assert journals(cache) == []
        may_wake.set()
        assert_same(follower.result(60), whole)
    assert pretend.looked == COUNT
    assert told.poses[-1] == (COUNT, COUNT)


def test_a_clip_without_anybody_keeps_its_journal(
    pretend: type[Pretend], clip: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pretend, "find", lambda tracker, rgb: None)
    assert not perceived(clip, cache).present.any()
    assert cache.info().entries == 1

    def never(*_: object) -> None:
        raise AssertionError("the networks were loaded again")

    monkeypatch.setattr(motion_reader, "PersonTracker", never)
    assert not perceived(clip, cache).present.any()


@pytest.mark.parametrize("nested", [False, True])
def test_a_follower_that_is_told_to_stop_does_so_at_once(
    pretend: type[Pretend], clip: Path, cache: Cache, nested: bool
) -> None:
    with open_driving(clip, body(), "largest", Excerpt(), cache, Silence()) as driving:
        next(driving.windows)
    (journal,) = journals(cache)
    (journal / "done").unlink(missing_ok=True)
    for path in journal.glob("00000[1-9]*"):
        path.unlink()
    with cache.claim(journal.name) as claim:
        assert claim.take()
        started = time.monotonic()
        follow(clip, Cache(cache.folder, 10**8), nested)
        assert time.monotonic() - started < 3


def follow(clip: Path, cache: Cache, nested: bool) -> None:
    """Be interrupted while waiting for a reader that does not go on; `nested`: while another stage pulls."""
    def stopped_in(driving: Driving) -> None:
        if not nested:
            time.sleep(0.3)
            raise KeyboardInterrupt
        with overlapped(driving.windows, 2):
            time.sleep(0.3)
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        open_driving(clip, body(), "largest", Excerpt(), cache, Silence()) as driving,
    ):
        stopped_in(driving)


def test_a_cache_that_can_not_be_written(
    pretend: type[Pretend], clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        motion = perceived(clip, Cache(tmp_path / "file", 10**8))
    assert_same(motion, perceived(clip, None))
    assert sum("cannot be cached" in record.message for record in caplog.records) == 1
    perceived(clip, Cache(tmp_path / "none", 0))
    assert not (tmp_path / "none").exists()


PROGRAM = """
import sys
from fractions import Fraction
from pathlib import Path
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.extract import extract_motion
extract_motion(Path(sys.argv[1]), Path(sys.argv[2]), cache=Cache(Path(sys.argv[3]), 10**9), may_overwrite=True)
"""


@pytest.mark.slow
def test_real_readers_killed_again_and_again_end_with_the_same_motion(tmp_path: Path) -> None:
    """`extract` with MediaPipe's networks; two at a time, both killed -9 at odd moments."""
    clip = clip_of(tmp_path / "dance.mp4", Clip((256, 192), count=200), empty=frozenset(range(70, 90)))

    def extracting(name: str, cache: str) -> subprocess.Popen[bytes]:
        words = [clip, tmp_path / name, tmp_path / cache]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, words)], env=dict(os.environ))

    assert extracting("whole.motion", "other").wait(300) == 0
    random = np.random.default_rng(5)
    for _ in range(4):
        both = [extracting(f"{n}.motion", "cache") for n in range(2)]
        time.sleep(float(random.uniform(2.5, 7)))
        for process in both:
            process.send_signal(signal.SIGKILL)
            process.wait()
    both = [extracting(f"{n}.motion", "cache") for n in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    for number in range(2):
        assert_same(load_motion(tmp_path / f"{number}.motion"), load_motion(tmp_path / "whole.motion"))
    assert journals(Cache(tmp_path / "cache", 10**9)) == []


def test_a_source_wanted_twice_at_once_is_looked_at_once(
    cache: Cache, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    real = source_module._looked_at

    def slowly(path: Path, *rest: object) -> object:
        looks.append(path)
        time.sleep(0.5)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(source_module, "_looked_at", slowly)
    film = clip_of(cache.folder.parent / "me.mp4", Clip((192, 128), count=1))

    def prepared(_: int) -> np.ndarray:
        mine = Cache(cache.folder, 10**8)
        subject = prepare_subject([film], parse_size("192"), "largest", body(), mine, Silence())
        return subject.primary.image

    with ThreadPoolExecutor(3) as pool:
        images = list(pool.map(prepared, range(3)))
    assert looks == [film]
    assert all(np.array_equal(image, images[0]) for image in images)
