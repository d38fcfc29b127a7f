"""Workers wherever Ray has room for them.

Ray places actors, gives them their share of CPUs and GPUs, and tells when one is gone; here each that is free is given
the next job. A lost actor is not revived by Ray (`max_restarts=0`): so Ray says what became of it, and another takes
its place, on whatever machine is left. Jobs and events travel as JSON; films and what was perceived do not pass
through Ray at all, but through the output and the cache, which all machines must reach (a shared folder, or URLs).
"""

from __future__ import annotations

import math
import os
import re
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from retarget_cli.batch.capacity import WORKER_MIB, Machine, check_limits
from retarget_cli.batch.engine import Engine, Event, Finished, Job, Jobs, Progressed, Started
from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.batch.ray_cluster import RayCluster, check_address, join_ray, start_ray
from retarget_cli.batch.ray_fate import fate, first_line, last_line
from retarget_cli.batch.ray_worker import ATTEMPTS, RayWorker
from retarget_cli.batch.wire import LEAVING, event_from_data, job_to_json, message_from_json
from retarget_cli.batch.worker_process import environment
from retarget_cli.core.environment import QUIET, THREADS
from retarget_cli.core.errors import BackendError, UsageError

_SILENCE_SECONDS = 0.4
_START_SECONDS = 300.0
_MOST_FALSE_STARTS = 3
_CARRIED = re.compile(r"PYTHONPATH|RETARGET_\w+|" + "|".join([*THREADS, *QUIET]), re.ASCII)


class RayEngine(Engine):
    """Actors of Ray.

    Args:
        address: HOST:PORT of a cluster's head, or `auto`; None: a private Ray on this machine.
        workers: how many at most; None: one for each share of a GPU, else as CPUs and memory allow.
        gpus_per_worker: may be a fraction; None: a whole one where there are any.
        timeout: seconds that a job may take; None: any.
        attempts: "module:function" that gives a worker what makes an attempt; tests have others.

    Raises:
        UsageError: a number or the address is impossible.
    """

    def __init__(
        self,
        address: str | None,
        workers: int | None,
        gpus_per_worker: float | None,
        timeout: float | None,
        *,
        attempts: str = ATTEMPTS,
    ) -> None:
        if address is not None:
            check_address(address)
        check_limits(workers, timeout)
        if gpus_per_worker is not None and not _is_share(gpus_per_worker):
            raise UsageError(
                f"--gpus-per-worker {gpus_per_worker:g}: expected a fraction such as 0.5, or a whole number",
                "0 for workers without a GPU",
            )
        self._address, self._asked, self._gpus = address, workers, gpus_per_worker
        self._timeout, self._attempts = timeout, attempts
        self._cluster: RayCluster | None = None

    @property
    def workers(self) -> int:
        """See `Engine`. Where the number depends on a cluster's size, the cluster is joined to learn it."""
        if self._asked is not None:
            return self._asked
        if self._address is None:
            machine = Machine()
            return _fitting(len(machine.gpus()), self._gpus) or machine.default_workers()
        cluster = self._connected()
        by_memory = int(cluster.total("memory") / 2**20 // WORKER_MIB)
        return _fitting(cluster.total("GPU"), self._gpus) or max(1, min(int(cluster.total("CPU")), by_memory))

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        """See `Engine`."""
        with closing(self._connected()) as cluster:
            try:
                gpus = self._gpus if self._gpus is not None else float(cluster.total("GPU") >= 1)
                if cluster.is_started and gpus > cluster.total("GPU"):
                    raise BackendError(
                        f"--gpus-per-worker {gpus:g}: this machine has {cluster.total('GPU'):g} GPUs that Ray can see",
                        "leave it out, or see `retarget doctor`",
                    )
                with closing(_Crew(cluster.ray, self.workers, gpus, self._timeout, self._attempts)) as crew:
                    yield from crew.run(jobs)
            finally:
                self._cluster = None

    def _connected(self) -> RayCluster:
        if self._cluster is None:
            self._cluster = start_ray(self.workers) if self._address is None else join_ray(self._address)
        return self._cluster


@dataclass(slots=True, eq=False)
class _Seat:
    """An actor and what it is at.

    Attributes:
        actor: Ray's handle.
        awaits: its name while it starts; the stream of a job's events; None while it is free.
        since: when it began that; `time.monotonic`.
        name: for people, once it is ready.
        job: what it is at.
        is_leaving: it takes no further job.
    """

    actor: Any
    awaits: Any
    since: float
    name: str = ""
    job: Job | None = None
    is_leaving: bool = False

    @property
    def is_free(self) -> bool:
        """A job can begin here at once."""
        return self.awaits is None

    @property
    def is_starting(self) -> bool:
        """Nothing is known of it yet."""
        return not self.name


class _Crew:
    """The actors of one run; see `RayEngine`."""

    def __init__(self, ray: Any, most: int, gpus: float, timeout: float | None, attempts: str) -> None:
        self._ray, self._most, self._timeout, self._attempts = ray, most, timeout, attempts
        self._gpus = gpus
        self._kind = ray.remote(RayWorker).options(
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=0,
            max_task_retries=0,
            runtime_env={"env_vars": _carried()},
        )
        self._seats: list[_Seat] = []
        self._hand: deque[Job] = deque()  # taken, for actors that are starting
        self._false_starts = 0
        self._heard = time.monotonic()

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        """Take jobs and tell of them, until all is over."""
        try:
            while True:
                self._take(jobs)
                yield from self._begin()
                if not self._hand and not any(seat.job for seat in self._seats) and jobs.is_over:
                    return
                yield self._next_event()
                yield from self._late()
        except (self._ray.exceptions.RaySystemError, self._ray.exceptions.LocalRayletDiedError) as error:
            raise BackendError(f"Ray has gone: {first_line(error)}", "the same command goes on") from error

    def close(self) -> None:
        """End all actors."""
        for seat in self._seats:
            self._end(seat)
        self._seats = []

    def _take(self, jobs: Jobs) -> None:
        """As many jobs as could begin; and actors for those that none is free for, or starting."""
        room = self._most - sum(seat.job is not None for seat in self._seats)
        while len(self._hand) < room and (job := jobs.take()) is not None:
            self._hand.append(job)
        spare = sum(seat.job is None for seat in self._seats)
        for _ in range(min(len(self._hand) - spare, self._most - len(self._seats))):
            actor = self._kind.remote(os.getcwd(), self._attempts)
            self._seats.append(_Seat(actor, actor.ready.remote(), time.monotonic()))

    def _begin(self) -> Iterator[Event]:
        for seat in self._seats:
            if not self._hand:
                return
            if seat.is_free:
                seat.job = self._hand.popleft()
                seat.since = self._heard = time.monotonic()
                run = seat.actor.run.options(num_returns="streaming")
                seat.awaits = run.remote(job_to_json(seat.job))
                yield Started(seat.job, seat.name)

    def _next_event(self) -> Event | None:
        """What is heard next of any actor; None after a while of silence."""
        awaited = {seat.awaits: seat for seat in self._seats if seat.awaits is not None}
        if not awaited:
            time.sleep(_SILENCE_SECONDS)
            return None
        ready, _ = self._ray.wait([*awaited], num_returns=1, timeout=_SILENCE_SECONDS)
        if not ready:
            self._check_start()
            return None
        seat = awaited[ready[0]]
        # The next call looks at the others first: one that has much to tell must not silence them.
        self._seats.remove(seat)
        self._seats.append(seat)
        try:
            if not seat.is_starting:
                return self._said(seat)
            self._started(seat)
        except self._ray.exceptions.RayError as error:
            return self._lost(seat, error)
        return None

    def _started(self, seat: _Seat) -> None:
        seat.name = self._ray.get(seat.awaits)
        seat.awaits = None
        self._false_starts = 0

    def _said(self, seat: _Seat) -> Event | None:
        job = seat.job
        assert job is not None
        try:
            data = message_from_json(self._ray.get(next(seat.awaits)))
        except StopIteration:
            return self._over(seat, job, Outcome(Fault.BUG, "the worker told no end; see Ray's logs"))
        if data["event"] == LEAVING:
            seat.is_leaving = True
            return None
        event = event_from_data(data, job)
        if isinstance(event, Finished):
            return self._over(seat, job, event.outcome)
        return event if isinstance(event, Progressed) else None

    def _over(self, seat: _Seat, job: Job, outcome: Outcome) -> Finished:
        """A job has ended, and its actor is free, or goes."""
        seat.job = seat.awaits = None
        if seat.is_leaving:
            self._seats.remove(seat)
            self._end(seat)
        return Finished(job, outcome)

    def _lost(self, seat: _Seat, error: Exception) -> Finished | None:
        """An actor is gone, and with it what it was at."""
        seat.is_leaving = True
        if seat.job is not None:
            outcome = fate(error, self._ray.exceptions.OutOfMemoryError)
            return self._over(
                seat, seat.job, Outcome(outcome.fault, outcome.reason, seconds=time.monotonic() - seat.since)
            )
        self._seats.remove(seat)
        self._false_starts += 1
        if self._false_starts >= _MOST_FALSE_STARTS:
            raise BackendError(f"Ray's workers can't be started: {last_line(error)}", "run `retarget doctor` there")
        return None

    def _late(self) -> Iterator[Event]:
        """Jobs that took too long."""
        if self._timeout is None:
            return
        for seat in [each for each in self._seats if each.job is not None]:
            seconds = time.monotonic() - seat.since
            if seat.job is not None and seconds > self._timeout:
                seat.is_leaving = True
                reason = f"took longer than --timeout {self._timeout:g} s"
                yield self._over(seat, seat.job, Outcome(Fault.TIMEOUT, reason, seconds=seconds))

    def _check_start(self) -> None:
        """Give up where Ray gives no worker at all."""
        if any(not seat.is_starting for seat in self._seats):
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > _START_SECONDS:
            raise BackendError(
                f"Ray gave no worker within {_START_SECONDS:g} s; each needs 1 CPU and {self._gpus:g} GPU",
                "`ray status` tells what is free",
            )

    def _end(self, seat: _Seat) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):  # it has ended by itself
            self._ray.kill(seat.actor, no_restart=True)


def _fitting(gpus: float, share: float | None) -> int:
    """How many workers so many GPUs bear; 0 where they are not for them."""
    if share == 0:
        return 0
    return int(gpus / (share or 1.0))


def _is_share(gpus: float) -> bool:
    """Whether Ray can give so much of a GPU."""
    return math.isfinite(gpus) and gpus >= 0 and (gpus <= 1 or gpus == int(gpus))


def _carried() -> dict[str, str]:
    """What workers find in their environment, as the local engine's do; whole paths, since they begin elsewhere."""
    given = environment(os.environ)
    carried = {name: value for name, value in given.items() if _CARRIED.fullmatch(name)}
    if path := carried.get("PYTHONPATH"):
        carried["PYTHONPATH"] = os.pathsep.join(os.path.abspath(each) for each in path.split(os.pathsep) if each)
    return carried
