"""Workers on this machine: processes that are started as jobs need them and kept between jobs.

The thread that iterates over `LocalEngine.run` decides everything; a thread a worker only carries lines to it.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue

from retarget_cli.batch.capacity import Machine, check_limits
from retarget_cli.batch.engine import Engine, Event, Finished, Job, Jobs, Started
from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.batch.wire import LEAVING, READY, event_from_data, message_from_json
from retarget_cli.batch.worker_process import PROGRAM, WorkerProcess
from retarget_cli.core.errors import BackendError, OutputError

logger = logging.getLogger(__name__)

_SILENCE_SECONDS = 0.5
_START_SECONDS = 600.0
_MOST_FALSE_STARTS = 3
_PATIENCE_SECONDS = 5.0

Heard = tuple[WorkerProcess, bytes | None]


class LocalEngine(Engine):
    """Worker processes.

    Args:
        workers: how many at most; None: one a GPU, else as cores and memory allow.
        timeout: seconds that a job may take; None: any.
        log_folder: where workers' logs go; None: they are not kept.
        devices: what workers are bound to in turn, such as ("cuda:0", "cuda:1"), where an item names no certain one;
            none: all GPUs that there are.
        program: of a worker; `--device NAME` is added where it is bound.

    Raises:
        UsageError: a number is impossible.
    """

    def __init__(
        self,
        workers: int | None,
        timeout: float | None,
        log_folder: Path | None,
        devices: Sequence[str] = (),
        program: Sequence[str] = PROGRAM,
    ) -> None:
        check_limits(workers, timeout)
        machine = Machine()
        self._devices = tuple(devices) or tuple(machine.gpus())
        gpus = sum(name.startswith("cuda") for name in self._devices)
        self._workers = workers or gpus or machine.default_workers()
        self._timeout = timeout
        self._log_folder = log_folder
        self._program = tuple(program)

    @property
    def workers(self) -> int:
        """See `Engine`."""
        return self._workers

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        """See `Engine`."""
        with ExitStack() as stack:
            folder = self._log_folder
            if folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="retarget-logs-")))
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"can't make {folder}: {error.strerror or error}", "check the folder") from error
            crew = Crew(self._program, self._workers, self._timeout, folder, self._devices)
            stack.callback(crew.close)
            yield from crew.run(jobs)


class Crew:
    """The workers of one run; see `LocalEngine`."""

    def __init__(
        self, program: Sequence[str], most: int, timeout: float | None, folder: Path, devices: Sequence[str]
    ) -> None:
        self._program, self._most, self._timeout = tuple(program), most, timeout
        self._folder, self._devices = folder, tuple(devices)
        self._heard: SimpleQueue[Heard] = SimpleQueue()
        self._slots: list[WorkerProcess | None] = [None] * most
        self._leaving: list[WorkerProcess] = []
        self._false_starts = 0

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        """Take jobs and tell of them, until all is over."""
        while True:
            self._assign(jobs)
            if not any(worker and worker.job for worker in self._slots) and jobs.is_over:
                return
            try:
                worker, line = self._heard.get(timeout=self._pause())
            except Empty:
                self._kill_late()
                yield None
                continue
            event = self._ended(worker) if line is None else self._said(worker, line)
            self._kill_late()
            if event is not None:
                yield event

    def close(self) -> None:
        """End all workers; nothing of them is left: no process, thread or file."""
        workers = [*filter(None, self._slots), *self._leaving]
        self._slots, self._leaving = [None] * self._most, []
        for worker in workers:
            worker.dismiss()
            worker.terminate()
        until = time.monotonic() + _PATIENCE_SECONDS
        for worker in workers:
            if not worker.join(until - time.monotonic()):
                worker.kill()
                worker.join(_PATIENCE_SECONDS)

    def _assign(self, jobs: Jobs) -> None:
        """Give jobs to whoever is free, and start workers while there are more jobs than these."""
        order = sorted(range(self._most), key=lambda number: self._slots[number] is None)
        for number in order:
            worker = self._slots[number]
            if worker is not None and worker.job is not None:
                continue
            job = jobs.take()
            if job is None:
                return
            self._give(number, job)

    def _give(self, number: int, job: Job) -> None:
        """A job to the worker in a place; where it has just ended, or none is there, to a new one."""
        worker = self._slots[number]
        if worker is not None:
            if worker.begin(job):
                return
            worker.job = None
            self._leave(worker)
        self._start(number, job)

    def _start(self, number: int, job: Job) -> None:
        words = self._program
        if self._devices:
            words = (*words, "--device", self._devices[number % len(self._devices)])
        log = self._folder / f"worker-{number + 1}.log"
        try:
            worker = WorkerProcess(f"worker {number + 1}", words, log, lambda *heard: self._heard.put(heard))
        except OSError as error:
            reason = error.strerror or error
            raise BackendError(f"a worker can't be started: {reason}", f"check {words[0]} and {log}") from error
        worker.job = job
        self._slots[number] = worker

    def _said(self, worker: WorkerProcess, line: bytes) -> Event | None:
        """What a line means. Whatever is none of ours is for the log."""
        try:
            data = message_from_json(line.decode("utf-8", "replace"))
            if data["event"] == READY and not worker.is_ready and worker.job is not None:
                worker.is_ready = True
                worker.begin(worker.job)  # where that fails it has ended, and its end tells
                return None
            if data["event"] == LEAVING:
                worker.is_leaving = True
                return None
            if worker.job is None:
                raise ValueError(f"{worker.name} is at nothing, and says {data['event']}")
            event = event_from_data(data, worker.job)
        except ValueError as error:
            logger.debug("%s: %s", worker.name, error)
            return None
        if isinstance(event, Started):
            worker.has_begun, worker.since, self._false_starts = True, time.monotonic(), 0
            return Started(event.job, worker.name)
        if isinstance(event, Finished):
            worker.job = None
            if worker.is_leaving:
                self._leave(worker)
        return event

    def _ended(self, worker: WorkerProcess) -> Event | None:
        """A process is gone, and with it what it was at."""
        number = self._slots.index(worker) if worker in self._slots else None
        worker.join(_PATIENCE_SECONDS)
        if number is None:
            self._leaving.remove(worker)
            return None
        self._slots[number] = None
        job = worker.job
        if job is None:
            return None
        outcome = worker.end()
        if worker.has_begun:
            return Finished(job, Outcome(outcome.fault, outcome.reason, seconds=worker.seconds))
        self._false_starts += 1
        if self._false_starts >= _MOST_FALSE_STARTS:
            raise BackendError(f"workers can't be started: {outcome.reason}", "run `retarget doctor`")
        self._start(number, job)
        return None

    def _leave(self, worker: WorkerProcess) -> None:
        """Its place is free for another."""
        worker.dismiss()
        self._slots[self._slots.index(worker)] = None
        self._leaving.append(worker)

    def _limit(self, worker: WorkerProcess) -> float | None:
        """How many seconds a worker may be at what it is at."""
        if worker.job is None or worker.verdict is not None:
            return None
        return self._timeout if worker.has_begun else _START_SECONDS

    def _pause(self) -> float:
        """Seconds until something has to be looked at, even where nothing is heard."""
        limits = [
            limit - worker.seconds for worker in filter(None, self._slots) if (limit := self._limit(worker)) is not None
        ]
        return max(0.0, min([_SILENCE_SECONDS, *limits]))

    def _kill_late(self) -> None:
        for worker in filter(None, self._slots):
            limit = self._limit(worker)
            if limit is None or worker.seconds < limit:
                continue
            if worker.has_begun:
                worker.verdict = Outcome(Fault.TIMEOUT, f"took longer than --timeout {limit:g} s")
            else:
                worker.verdict = Outcome(Fault.TIMEOUT, f"a worker was not ready after {limit:g} s")
            worker.kill()
