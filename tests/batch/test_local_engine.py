"""Worker processes: what they say, how they die, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.media_maker import Clip
from tests.workflows.scenes import clip_of, draw

from retarget_cli.batch import local as module
from retarget_cli.batch.engine import Finished, Job, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Value
from retarget_cli.batch.local import LocalEngine
from retarget_cli.core.errors import BackendError, OutputError, UsageError
from retarget_cli.media.images import write_png

FAKE = (sys.executable, "-P", "-S", str(Path(__file__).with_name("fake_worker.py")))
ODD = ["-rf ~", "a\nb", "\udcff\udc80.mp4", "\u202e\U0001f57a{0}", "'; $(x)", "\u2028", " "]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


class Given:
    """Jobs that are known beforehand, and those that come while others run."""

    def __init__(self, *jobs: Job, is_open: bool = False) -> None:
        self.left, self.is_open = list(jobs), is_open

    def take(self) -> Job | None:
        return self.left.pop(0) if self.left else None

    @property
    def is_over(self) -> bool:
        return not self.left and not self.is_open


def doing(*words: str) -> Given:
    return Given(*(job_of(number, {"do": word}, f"out {number}") for number, word in enumerate(words, 1)))


def job_of(number: int, options: dict[str, Value], output: str, **more: Any) -> Job:
    return Job(Item(number, options, "me", "dance", output), output, **more)


def engine(workers: int = 1, timeout: float | None = None, folder: Path | None = None, *words: str) -> LocalEngine:
    return LocalEngine(workers, timeout, folder, program=(*FAKE, *words))


def outcomes(engine: LocalEngine, jobs: Given) -> dict[int, Finished]:
    """What became of every job, by its number; no job may come to two ends."""
    found: dict[int, Finished] = {}
    for event in engine.run(jobs):
        if isinstance(event, Finished):
            assert event.job.item.number not in found
            found[event.job.item.number] = event
    return found


def children(pid: int) -> list[int]:
    """Workers that this process has started, and that still run; a session of tests has other processes too."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            program = (folder / "cmdline").read_bytes().partition(b"\0")[0]
        except OSError:
            continue
        if int(words[1]) == pid and program in (b"", os.fsencode(sys.executable)):  # b"": ended, and not waited for
            found.append(int(folder.name))
    return sorted(found)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(is_so: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = children(os.getpid()), threading.active_count(), len(os.listdir("/proc/self/fd"))
    yield
    assert (children(os.getpid()), threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_every_job_comes_to_one_end_and_workers_are_kept() -> None:
    found = outcomes(engine(2), doing(*["make"] * 20))
    assert sorted(found) == list(range(1, 21))
    assert all(each.outcome.fault is Fault.NONE and each.outcome.frames == 1 for each in found.values())
    assert 1 <= len({each.outcome.device for each in found.values()}) <= 2


def test_as_many_workers_as_jobs_and_no_more() -> None:
    with closing(engine(5).run(doing("sleep 0.3", "sleep 0.3"))) as events:
        most = max(len(children(os.getpid())) for event in events)
    assert most == 2


def test_jobs_run_side_by_side_and_begin_before_they_end() -> None:
    told = [event for event in engine(2).run(doing("sleep 0.4", "sleep 0.4")) if isinstance(event, Started | Finished)]
    assert [type(event) for event in told] == [Started, Started, Finished, Finished]
    assert {event.worker for event in told if isinstance(event, Started)} == {"worker 1", "worker 2"}


@pytest.mark.parametrize(
    ("do", "fault", "reason"),
    [
        (f"signal {signal.SIGKILL.value}", Fault.MEMORY, "signal 9 (SIGKILL): out of memory, or killed by somebody"),
        (f"signal {signal.SIGSEGV.value}", Fault.CRASH, "the worker ended by signal 11 (SIGSEGV)"),
        ("abort", Fault.MEMORY, "bad_alloc"),
        ("exit 3", Fault.CRASH, "the worker ended with 3; SomethingError: out 2 is cursed"),
        ("exit 0", Fault.CRASH, "ended with 0; SomethingError"),
    ],
)
def test_a_worker_that_dies_harms_only_its_own_item(do: str, fault: Fault, reason: str) -> None:
    found = outcomes(engine(), doing("make", do, "make", "make"))
    assert [each.outcome.fault for _, each in sorted(found.items())] == [Fault.NONE, fault, Fault.NONE, Fault.NONE]
    assert reason in found[2].outcome.reason
    assert "\n" not in found[2].outcome.reason
    assert found[2].outcome.seconds > 0
    assert found[1].outcome.device != found[3].outcome.device == found[4].outcome.device


def test_what_an_earlier_process_said_is_no_reason(tmp_path: Path) -> None:
    found = outcomes(engine(1, None, tmp_path), doing("exit 3", "signal 11"))
    assert "SomethingError" in (tmp_path / "worker-1.log").read_text()
    assert "SomethingError" not in found[2].outcome.reason


def test_whoever_takes_too_long_is_ended_and_the_others_go_on() -> None:
    started = time.monotonic()
    found = outcomes(engine(2, 0.5), doing("hang", "make", "make"))
    assert found[1].outcome.fault is Fault.TIMEOUT
    assert found[1].outcome.reason == "took longer than --timeout 0.5 s"
    assert 0.5 <= found[1].outcome.seconds < 3
    assert found[2].outcome.fault is found[3].outcome.fault is Fault.NONE
    assert time.monotonic() - started < 10


def test_time_to_start_is_not_the_items(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(f"import time, runpy\ntime.sleep(0.7)\nrunpy.run_path({FAKE[-1]!r})\n")
    found = outcomes(LocalEngine(1, 0.5, None, program=(*FAKE[:-1], str(slow))), doing("make"))
    assert found[1].outcome.fault is Fault.NONE
    monkeypatch.setattr(module, "_START_SECONDS", 0.2)
    with pytest.raises(BackendError, match=r"not ready after 0\.2 s"):
        outcomes(LocalEngine(1, None, None, program=(*FAKE[:-1], str(slow))), doing("make"))


def test_babble_is_no_event() -> None:
    events = [event for event in engine().run(doing("babble", "make")) if event is not None]
    assert [type(event) for event in events] == [Started, Progressed, Finished, Started, Finished]
    assert isinstance(events[1], Progressed)
    assert (events[1].stage, events[1].done, events[1].total) == ("render", 3, None)
    assert isinstance(events[2], Finished)
    assert events[2].outcome.frames == 1
    assert isinstance(events[4], Finished)
    assert events[4].outcome.frames == 1


@pytest.mark.parametrize("name", ODD)
def test_names_are_data(name: str) -> None:
    job = job_of(1, {"do": "echo", "source": (name,)}, name)
    outcome = outcomes(engine(), Given(job))[1].outcome
    assert outcome.device == name
    assert repr([name]) in outcome.notes[0]


def test_a_worker_that_leaves_is_replaced() -> None:
    found = outcomes(engine(), doing("leave", "make", "make"))
    pids = [each.outcome.device for _, each in sorted(found.items())]
    assert pids[0] != pids[1] == pids[2]


def test_an_idle_worker_that_was_killed_is_replaced() -> None:
    jobs = doing("make")
    jobs.is_open = True
    ended: list[Finished] = []
    with closing(engine().run(jobs)) as events:
        for event in events:
            if not isinstance(event, Finished):
                continue
            ended.append(event)
            if len(ended) == 2:
                jobs.is_open = False
                continue
            os.kill(int(event.outcome.device), signal.SIGKILL)
            jobs.left.extend(doing("make").left)
    assert [each.outcome.fault for each in ended] == [Fault.NONE, Fault.NONE]


def test_silence_is_told_twice_a_second_and_jobs_may_come_later() -> None:
    jobs = Given(is_open=True)
    times, ended = [], []
    for event in engine().run(jobs):
        times.append(time.monotonic())
        if len(times) == 2:
            jobs.left.extend(doing("sleep 0.9").left)
            jobs.is_open = False
        if isinstance(event, Finished):
            ended.append(event)
    assert len(ended) == 1
    assert max(after - before for before, after in pairwise(times)) < 1


def test_workers_that_never_start_are_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    with pytest.raises(BackendError, match="can't be started: the worker ended with 1; ImportError: there is no torch"):
        outcomes(engine(1, None, None, "false-starts", str(counter), "99"), doing("make", "make"))
    assert counter.read_text() == "xxx"


def test_two_false_starts_are_forgiven(tmp_path: Path) -> None:
    found = outcomes(engine(1, None, None, "false-starts", str(tmp_path / "counter"), "2"), doing("make"))
    assert found[1].outcome.fault is Fault.NONE


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="a worker can't be started: No such file"):
        outcomes(LocalEngine(1, None, None, program=(str(tmp_path / "none"),)), doing("make"))


@pytest.mark.parametrize("do", ["hang", "sleep 0.1"])
def test_closing_ends_all_workers_at_once(do: str) -> None:
    started = time.monotonic()
    with closing(engine(3).run(doing(do, "hang", "hang"))) as events:
        seen = 0
        while seen < 3:
            seen += isinstance(next(events), Started)
        assert len(children(os.getpid())) == 3
    assert children(os.getpid()) == []
    assert time.monotonic() - started < 5


def test_a_worker_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf.py"
    deaf.write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('{\"event\": \"ready\"}', flush=True)\ninput()\n"
        "print('{\"event\": \"started\", \"worker\": \"\"}', flush=True)\ntime.sleep(600)\n"
    )
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.3)
    with closing(LocalEngine(1, None, None, program=(sys.executable, str(deaf))).run(doing("make"))) as events:
        while not isinstance(next(events), Started):
            pass
    assert children(os.getpid()) == []


def test_numbers_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--workers 0"):
        LocalEngine(0, None, None)
    for timeout in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="--timeout"):
            LocalEngine(1, timeout, None)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match="can't make"):
        list(LocalEngine(1, None, file / "logs", program=FAKE).run(doing("make")))


def test_workers_are_bound_to_devices_in_turn(tmp_path: Path) -> None:
    told = tmp_path / "told.py"
    told.write_text(f"import sys, runpy\nopen({str(tmp_path / 'words')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
                    f"sys.argv[1:] = []\nrunpy.run_path({FAKE[-1]!r})\n")  # fmt: skip
    found = LocalEngine(None, None, None, ("cuda:0", "cuda:2"), (sys.executable, str(told)))
    assert found.workers == 2
    outcomes(found, doing("sleep 0.5", "sleep 0.5"))
    assert sorted((tmp_path / "words").read_text().splitlines()) == ["--device cuda:0", "--device cuda:2"]


NOISY = """
import os, sys, time
from retarget_cli.batch import attempt, worker
from retarget_cli.batch.engine import Progressed
from retarget_cli.batch.item import Fault, Outcome

def pretend(job, report, troupe):
    os.write(1, b'{"event": "finished"}')
    print("noise")
    report(Progressed(job, "render", 1, 2))
    if job.output == "hang":
        time.sleep(600)
    return Outcome(Fault(job.output), notes=(os.environ["OMP_NUM_THREADS"],))

attempt.attempt = pretend
worker.main()
"""


def test_the_real_worker_keeps_its_stream_clean_ends_with_its_driver_and_leaves_after_a_fault(tmp_path: Path) -> None:
    program = (sys.executable, "-P", "-c", NOISY)
    jobs = Given(*(job_of(number, {}, output) for number, output in enumerate(("", "said", "bug", "", "hang"), 1)))
    pids: dict[int, int] = {}
    ended: dict[int, Finished] = {}
    with closing(LocalEngine(1, None, tmp_path, program=program).run(jobs)) as events:
        for event in events:
            if isinstance(event, Started):
                (pids[event.job.item.number],) = children(os.getpid())
                os.kill(pids[event.job.item.number], signal.SIGINT)  # as Ctrl-C does; the driver decides
            elif isinstance(event, Finished):
                ended[event.job.item.number] = event
            elif isinstance(event, Progressed) and event.job.output == "hang":
                break
    assert [ended[number].outcome.fault for number in (1, 2, 3, 4)] == [Fault.NONE, Fault.SAID, Fault.BUG, Fault.NONE]
    assert pids[1] == pids[2] == pids[3] != pids[4] == pids[5]
    assert ended[1].outcome.notes == ("1",)
    assert "noise" in (tmp_path / "worker-1.log").read_text()


DRIVER = """
import sys
from pathlib import Path
from retarget_cli.batch.engine import Job, Progressed
from retarget_cli.batch.item import Item
from retarget_cli.batch.local import LocalEngine

class Jobs:
    left = [Job(Item(n, {"source": (sys.argv[1],), "driving": sys.argv[2], "device": "cpu"}, "a", "b", f"{n}.mp4"),
                f"{sys.argv[3]}/{n}.mp4", cache="") for n in (1, 2)]
    take = lambda self: self.left.pop(0) if self.left else None
    is_over = property(lambda self: not self.left)

for event in LocalEngine(2, None, None).run(Jobs()):
    heavy = {"torch", "numpy", "av", "cv2", "mediapipe", "numba"} & set(sys.modules)
    assert not heavy, heavy
    if isinstance(event, Progressed) and event.done:
        print("at it", flush=True)
"""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A photo and a clip, with names that are no good for shells."""
    folder = tmp_path_factory.mktemp("-some 'media'")
    photo, clip = folder / "-me $(x) \U0001f57a\udcff.png", folder / "{dance}\n.mp4"
    write_png(photo, draw((120, 80)).image)
    clip_of(clip, Clip((128, 96), count=12))
    return str(photo), str(clip)


def test_real_items_and_a_worker_that_is_killed(media: tuple[str, str], tmp_path: Path) -> None:
    options: dict[str, Value] = {"source": (media[0],), "driving": media[1], "backend": "still", "device": "cpu"}
    names = [str(tmp_path / name) for name in ("a {x}.mp4", "-b.gif", "c\u202e.mp4", "d.mp4")]
    cache = str(tmp_path / "cache")
    jobs = Given(*(job_of(number, options, name, cache=cache) for number, name in enumerate(names, 1)))
    jobs.left[2] = job_of(3, {**options, "driving": media[1] + ".mp4"}, names[2], cache=cache)
    ended: list[Finished] = []
    for event in LocalEngine(1, None, None).run(jobs):
        if isinstance(event, Progressed) and event.job.output == names[0] and len(jobs.left) == 3:
            os.kill(children(os.getpid())[0], signal.SIGKILL)
            jobs.left.append(job_of(1, options, names[0], cache=cache, is_retry=True))
        elif isinstance(event, Finished):
            ended.append(event)
    assert [(each.job.item.number, each.outcome.fault) for each in ended] == [
        (1, Fault.MEMORY), (2, Fault.NONE), (3, Fault.SAID), (4, Fault.NONE), (1, Fault.NONE),
    ], [each.outcome.reason for each in ended]  # fmt: skip
    assert "there is no such file" in ended[2].outcome.reason
    for each in (ended[1], ended[3], ended[4]):
        assert (each.outcome.frames, each.outcome.width, each.outcome.height) == (12, 80, 120)
        assert Path(each.job.output).stat().st_size == each.outcome.size > 0
        assert len(each.outcome.sha256) == 64
    assert ended[3].outcome.sha256 == ended[4].outcome.sha256
    assert ended[4].outcome.seconds < 2


def test_nothing_outlives_a_driver_that_is_killed(media: tuple[str, str], tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *media, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with driver:
        assert driver.stdout is not None
        said = driver.stdout.readline()
        workers = children(driver.pid)
        driver.kill()
        assert said == b"at it\n", driver.stderr and driver.stderr.read()[-2000:]
        assert len(workers) == 2
        assert until(lambda: not any(map(runs, workers)), 2)
