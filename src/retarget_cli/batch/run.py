"""The driver of a batch: hands items to an engine, hears what becomes of them, and remembers it.

    plan -> items -> manifest        what is to be made, and what is made already   (the caller)
    Queue -> engine -> events        each item once; again where memory was wanting or a process died
    outcome -> manifest              before anything else happens: nothing that is told is forgotten
"""

from __future__ import annotations

import time as clock
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from retarget_cli.batch.engine import Engine, Event, Finished, Job, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome, State
from retarget_cli.batch.manifest import Entry, Manifest
from retarget_cli.batch.storage import exists, is_url, join_url
from retarget_cli.batch.verify import is_whole
from retarget_cli.batch.watching import Again, Begun, Checked, Helped, News, Over, Watcher
from retarget_cli.core.errors import Interrupted

# A worker that has nothing else to do helps with a film of which so many frames are left.
_WORTH_HELPING = 192
# What is tried once more: a process that died may have been in somebody's way, or too large.
_AGAIN = {Fault.MEMORY: 2, Fault.CRASH: 1}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a batch is run.

    Attributes:
        output: the folder or URL that items' outputs lie in.
        cache: folder or URL of what is perceived; None: the user's own; "": none is kept.
        has_retry: items that failed in earlier runs are tried again.
        halts: the first failure ends the run.
        may_help: a worker without work may help with another's film.
    """

    output: str
    cache: str | None = None
    has_retry: bool = False
    halts: bool = False
    may_help: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run.

    Attributes:
        done: items that it finished.
        failed: items that failed in it, with the reasons, in order of failing.
        skipped: items that were finished before, and whose outputs are as they were.
        failed_before: items that failed in an earlier run and were left at that.
        left: items that nobody came to, since the run was halted.
        frames: that it made.
        seconds: wall time.
    """

    done: int
    failed: tuple[tuple[Item, Outcome], ...]
    skipped: int
    failed_before: int
    left: int
    frames: int
    seconds: float


@dataclass(slots=True)
class _Running:
    """A film that a worker leads."""

    job: Job
    done: int = 0
    total: int | None = None
    helpers: int = 0


@dataclass(slots=True)
class Queue:
    """Jobs, as an engine takes them; see `engine.Jobs`.

    Attributes:
        items: those that wait, in order; read one by one, however many there are.
        options: how the batch is run.
        workers: how many jobs run at a time.
        is_halted: nothing more is begun.
    """

    items: Iterator[tuple[Item, int]]
    options: RunOptions
    workers: int
    is_halted: bool = False
    _again: deque[Job] = field(default_factory=deque)
    _running: dict[int, _Running] = field(default_factory=dict)
    _is_dry: bool = False

    def take(self) -> Job | None:
        """The next job: what is to be tried again, then what waits, then help with the longest film."""
        if self.is_halted:
            return None
        job = self._again.popleft() if self._again else self._next()
        if job is not None:
            self._running[job.item.number] = _Running(job)
            return job
        return self._help()

    @property
    def is_over(self) -> bool:
        """Nothing waits, and nothing that runs can come back."""
        return self.is_halted or (self._is_dry and not self._again and not self._running)

    def progressed(self, event: Progressed) -> None:
        """A film has grown."""
        running = self._running.get(event.job.item.number)
        if running is not None and event.stage == "render":
            running.done, running.total = max(running.done, event.done), event.total

    def over(self, job: Job) -> None:
        """A job that is no help is over."""
        self._running.pop(job.item.number, None)

    def again(self, job: Job) -> None:
        """It is to be tried once more, before anything else."""
        self._again.append(job)

    def _next(self) -> Job | None:
        found = next(self.items, None)
        if found is None:
            self._is_dry = True
            return None
        item = found[0]
        return Job(item, join_url(self.options.output, item.output), cache=self.options.cache)

    def _help(self) -> Job | None:
        """Help with the film that has most frames left; each is helped as often as there are others to help."""
        if not self.options.may_help:
            return None
        worthy = [
            each
            for each in self._running.values()
            if each.total is not None
            and each.total - each.done >= _WORTH_HELPING
            and each.helpers < self.workers - 1
        ]
        if not worthy:
            return None
        longest = max(worthy, key=lambda each: (each.total or 0) - each.done)
        longest.helpers += 1
        return replace(longest.job, is_help=True)


def run_batch(
    manifest: Manifest, engine: Engine, options: RunOptions, watchers: Sequence[Watcher] = ()
) -> Summary:
    """Make everything that waits.

    Args:
        manifest: what is to be made; told of everything that happens.
        engine: who makes it.
        options: how.
        watchers: told as well.

    Raises:
        RetargetError: the engine can't be started, or the manifest can't be written.
        Interrupted: by the user; what is closed stays, and the same command goes on.
    """
    started = clock.monotonic()
    manifest.reset_running()
    queue = Queue(manifest.waiting(), options, engine.workers)
    record = _Record(manifest, queue, options, watchers)
    try:
        skipped = recheck(manifest, options.output, watchers)
        if options.has_retry:
            manifest.wait_again(entry.item.number for entry in _failed(manifest))
        record.tell(Begun(manifest.counts(), engine.workers))
        with closing(engine.run(queue)) as events:
            for event in events:
                record.take(event)
    except KeyboardInterrupt as error:
        manifest.reset_running()
        raise Interrupted(
            f"{manifest.counts()[State.DONE]} of {sum(manifest.counts().values())} videos are done, and what is "
            f"closed of the others is kept in {options.output}",
            "the same command goes on",
        ) from error
    manifest.reset_running()
    counts = manifest.counts()
    failed = tuple(record.failed)
    return Summary(
        record.done, failed, skipped, counts[State.FAILED] - len(failed), counts[State.WAITING], record.frames,
        clock.monotonic() - started,
    )  # fmt: skip


def _failed(manifest: Manifest) -> list[Entry]:
    return [entry for entry in manifest.rows(State.FAILED) if entry.in_plan]


def recheck(manifest: Manifest, output: str, watchers: Sequence[Watcher] = ()) -> int:
    """Look whether finished outputs are what they were; those that are not wait again.

    Returns:
        How many are intact.
    """
    intact = 0
    broken = []
    for entry in manifest.rows(State.DONE):
        if not entry.in_plan or entry.outcome is None:
            continue
        known = entry.outcome
        is_there = _is_there(join_url(output, entry.item.output), known)
        for watcher in watchers:
            watcher.hear(Checked(entry.item, is_there))
        if is_there:
            intact += 1
        else:
            broken.append(entry.item.number)
    manifest.wait_again(broken)
    return intact


def _is_there(place: str, outcome: Outcome) -> bool:
    """Whether an output is what it was; of one that lies elsewhere, whether there is one."""
    return exists(place) if is_url(place) else is_whole(Path(place), outcome.size, outcome.sha256)


class _Record:
    """Events on their way to the manifest and the watcher."""

    def __init__(self, manifest: Manifest, queue: Queue, options: RunOptions, watchers: Sequence[Watcher]) -> None:
        self._manifest, self._queue, self._options, self._watchers = manifest, queue, options, watchers
        self.done = self.frames = 0
        self.failed: list[tuple[Item, Outcome]] = []

    def tell(self, news: News | None) -> None:
        """All who look on."""
        for watcher in self._watchers:
            watcher.hear(news)

    def take(self, event: Event | None) -> None:
        """One event."""
        if isinstance(event, Finished):
            self.tell(self._finished(event))
            return
        if isinstance(event, Started) and not event.job.is_help:
            self._manifest.begin(event.job.item.number, event.worker)
        elif isinstance(event, Progressed):
            self._queue.progressed(event)
        self.tell(event)

    def _finished(self, event: Finished) -> News:
        job, outcome = event.job, event.outcome
        if job.is_help:
            return Helped(event)
        self._queue.over(job)
        share = _AGAIN.get(outcome.fault)
        if share is not None and not job.is_retry:
            self._queue.again(replace(job, window_share=share, is_retry=True))
            return Again(event)
        self._manifest.finish(job.item.number, outcome)
        if outcome.state is State.FAILED:
            self.failed.append((job.item, outcome))
            self._queue.is_halted |= self._options.halts
        else:
            self.done += 1
            self.frames += outcome.frames - outcome.resumed
        return Over(event, self._manifest.counts())
