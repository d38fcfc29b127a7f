"""Speed and memory of a batch: `retarget bench --batch`."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from retarget_cli.batch.item import Item, Outcome, Value
from retarget_cli.batch.local import LocalEngine
from retarget_cli.batch.manifest import Manifest
from retarget_cli.batch.run import RunOptions, run_batch
from retarget_cli.batch.watching import News, Over
from retarget_cli.core.errors import BackendError
from retarget_cli.workflows.bench_process import repeat

SECONDS = 30
SIDE = "512"
FEW, MANY = 4, 40
QUEUED = 10_000
# Queues items in a process of its own, lists them, and tells times and memory.
_QUEUE = """
import json, sys, time
from pathlib import Path
from retarget_cli.batch.item import Item, State
from retarget_cli.batch.manifest import Manifest
from retarget_cli.batch.status import status
from retarget_cli.core.memory import peak_mib
folder, count = Path(sys.argv[1]), int(sys.argv[2])
began = time.perf_counter()
with Manifest.open(folder, may_make=True) as manifest:
    names = [f"{number:05d}" for number in range(1, count + 1)]
    told = [(n, {"source": f"/p/{s}.jpg", "driving": "/d/d.mp4"}, s, "d", f"{s}.mp4") for n, s in enumerate(names, 1)]
    items = [Item(*each) for each in told]
    manifest.add(items)
queued = time.perf_counter()
with Manifest.open(folder, may_make=False) as manifest:
    listed = sum(1 for _ in manifest.rows())
status(folder).text()
told = {"queue": queued - began, "list": time.perf_counter() - queued, "listed": listed, "peak": peak_mib()}
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class BatchBench:
    """What was measured.

    Attributes:
        frames: of each of the two long films.
        one_by_one, together: seconds for both, with one worker and with two; workers' start included, nothing perceived
            before.
        on_one_core: seconds for both with one worker that may use a single core; not a number where that can't be said.
        overhead: seconds of each of many short items beyond its own work.
        counts: after how many items the peak memory of a worker was read.
        peak_mib: that.
        queued: items in the queue that was measured.
        queue_seconds, list_seconds: to put them there, and to list them all.
        driver_mib: peak memory of that process.
    """

    frames: int
    one_by_one: float
    together: float
    on_one_core: float
    overhead: float
    counts: tuple[int, int]
    peak_mib: tuple[float, float]
    queued: int
    queue_seconds: float
    list_seconds: float
    driver_mib: float

    def text(self) -> str:
        """A line a figure."""
        (few, many), (low, high) = self.counts, self.peak_mib
        return "\n".join([
            f"two films of {self.frames} frames: one worker {self.one_by_one:.1f} s, two {self.together:.1f} s, "
            f"{self.together / self.one_by_one:.2f} of it; one worker on one core {self.on_one_core:.1f} s, "
            f"{self.together / self.on_one_core:.2f} of that",
            f"overhead of an item beyond its own work: {1000 * self.overhead:.0f} ms",
            f"peak memory of a worker: {low:.0f} MiB after {few} items, {high:.0f} MiB after {many}",
            f"{self.queued} items: queued in {self.queue_seconds:.2f} s, listed in {self.list_seconds:.2f} s, "
            f"{self.driver_mib:.0f} MiB",
        ])  # fmt: skip

    def data(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


def measure_batch(source: Path, driving: Path, say: Callable[[str], None]) -> BatchBench:
    """Measure with a photo and a clip.

    Raises:
        RetargetError: they can't be read, or an item fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"measuring two films of {SECONDS} s ...")
        clips = [folder / "a.mp4", folder / "b.mp4"]
        for clip, seconds in zip(clips, (SECONDS, SECONDS + 1), strict=True):  # two clips, not one twice
            repeat(driving, clip, seconds)
        long: list[dict[str, Value]] = [{"source": str(source), "driving": str(clip), "size": SIDE} for clip in clips]
        alone, frames = _timed(folder / "one", long, 1)
        together, _ = _timed(folder / "two", long, 2)
        with _one_core() as is_held:
            on_one_core = _timed(folder / "core", long, 1)[0] if is_held else math.nan
        say(f"measuring {MANY} short films ...")
        short: dict[str, Value] = {"source": str(source), "driving": str(driving), "max_frames": "8", "size": "256"}
        overhead, peaks = _overhead(folder / "short", [short] * MANY)
        say(f"measuring a queue of {QUEUED} ...")
        queue = _queue(folder / "queue")
    return BatchBench(
        frames, alone, together, on_one_core, overhead, (FEW, MANY), peaks,
        QUEUED, queue["queue"], queue["list"], queue["peak"],
    )  # fmt: skip


@contextmanager
def _one_core() -> Iterator[bool]:
    """Processes that are started meanwhile run on a single core; False where the system can't do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


class _Ends:
    """Every outcome, and when it came."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[float, Outcome]] = []

    def hear(self, news: News | None) -> None:
        if isinstance(news, Over):
            self.outcomes.append((time.perf_counter(), news.attempt.outcome))


def _run(folder: Path, wanted: Sequence[dict[str, Value]], workers: int) -> list[tuple[float, Outcome]]:
    ends = _Ends()
    items = [Item(n, options, str(n), "d", f"{n}.mp4") for n, options in enumerate(wanted, 1)]
    with Manifest.open(folder, may_make=True) as manifest:
        manifest.add(items)
        options = RunOptions(str(folder), cache=str(folder / "cache"))
        summary = run_batch(manifest, LocalEngine(workers, None, None), options, [ends])
    if summary.failed:
        raise BackendError(f"a measured item failed: {summary.failed[0][1].reason}")
    return ends.outcomes


def _timed(folder: Path, wanted: Sequence[dict[str, Value]], workers: int) -> tuple[float, int]:
    started = time.perf_counter()
    outcomes = _run(folder, wanted, workers)
    return time.perf_counter() - started, outcomes[0][1].frames


def _overhead(folder: Path, wanted: Sequence[dict[str, Value]]) -> tuple[float, tuple[float, float]]:
    """Seconds an item beyond its own, of those after the first; and the worker's peak memory, MiB."""
    ends = _run(folder, wanted, 1)
    spent = ends[-1][0] - ends[0][0]
    work = sum(outcome.seconds for _, outcome in ends[1:])
    return (spent - work) / (len(ends) - 1), (ends[FEW - 1][1].peak_mib, ends[-1][1].peak_mib)


def _queue(folder: Path) -> dict[str, float]:
    words = [sys.executable, "-c", _QUEUE, str(folder), str(QUEUED)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendError(f"the queue can't be measured: {done.stderr.strip().splitlines()[-1:]}")
    told: dict[str, float] = json.loads(done.stdout)
    return told
