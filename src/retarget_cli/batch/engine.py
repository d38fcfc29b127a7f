"""What runs a batch's items: the interface of the local engine and of Ray's.

The driver (`run`) hands jobs out one by one and hears events; who computes, and where, is the engine's affair. Whether
an item is tried again is the driver's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from retarget_cli.batch.item import Item, Outcome


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at an item. All of it is JSON but `item`, which `wire` turns into JSON.

    Attributes:
        item: what is to be made.
        output: the whole path or URL of what is to be made.
        window_share: the performer is handed 1 / so many frames at a time: 2 after it ran out of memory.
        is_retry: it was tried before in this run.
        is_help: another worker is at this item already; this one makes segments that are not begun, and does not join.
        cache: folder or URL of what was perceived; None: the user's own; "": none is kept.
    """

    item: Item
    output: str
    window_share: int = 1
    is_retry: bool = False
    is_help: bool = False
    cache: str | None = None


class Jobs(Protocol):
    """Where an engine gets its work from. Called in the thread that iterates over `Engine.run`."""

    def take(self) -> Job | None:
        """The next job; None while there is none. Ask again after the next event: there may be one then."""

    @property
    def is_over(self) -> bool:
        """No job will come any more, whatever becomes of those that run."""


@dataclass(frozen=True, slots=True)
class Started:
    """A worker has begun a job."""

    job: Job
    worker: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """So many units of a stage (`source`, `pose`, `render`, ...) are done; total is None where it is unknown."""

    job: Job
    stage: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A job is over, well or badly. Every job that was taken gets exactly one of these, unless the run is closed."""

    job: Job
    outcome: Outcome


Event = Started | Progressed | Finished


class Engine(ABC):
    """Runs jobs."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many jobs run at a time."""

    @abstractmethod
    def run(self, jobs: Jobs) -> Generator[Event | None]:
        """Take jobs as long as there are any, and tell what happens.

        Yields None at least every half second where nothing happens, so that the driver can look at its clock. Ends
        when `jobs.is_over` and nothing runs. Closing the generator stops everything at once: workers are ended, what
        they have closed stays.

        Raises:
            BackendError: the engine can't be started at all.
        """
