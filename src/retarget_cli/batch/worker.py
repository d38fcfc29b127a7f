"""A worker: `python -m retarget_cli.batch.worker [--device NAME]`.

Jobs come as lines of JSON from stdin, events go as lines of JSON to stdout (`wire`). Everything that is heavy is
imported before `ready` is said, so that no item pays for it. When stdin ends, the driver has gone, and the worker
ends at once, whatever it is at: what it has closed stays, and nothing outlives the driver.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import BinaryIO

from retarget_cli.batch.engine import Event, Finished, Job, Started
from retarget_cli.batch.wear import Wear
from retarget_cli.batch.wire import LEAVING, READY, event_to_json, job_from_json, message_to_json
from retarget_cli.core.environment import prepare_environment

logger = logging.getLogger(__name__)


class Outlet:
    """Lines to the driver: a copy of stdout of its own, where no library can write between."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """One line, at once."""
        with self._lock:
            try:
                self._stream.write(line.encode("ascii") + b"\n")
                self._stream.flush()
            except OSError:  # nobody listens any more
                os._exit(1)


def main() -> None:
    """Work until there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes; the driver decides
    outlet = Outlet(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    faulthandler.enable()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("retarget_cli").setLevel(logging.INFO)
    jobs: SimpleQueue[Job] = SimpleQueue()
    prepare_environment(os.environ)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs), name="jobs", daemon=True).start()
    work(jobs, outlet, sys.argv[2] if sys.argv[1:2] == ["--device"] else "")


def work(jobs: SimpleQueue[Job], outlet: Outlet, device: str) -> None:
    """One job after the other; ends after one that leaves the process in a state not to be trusted.

    Args:
        jobs: as they come.
        outlet: hears all events.
        device: what items are made on that name none; empty: whatever they find.
    """
    from retarget_cli.batch.attempt import attempt
    from retarget_cli.workflows.troupe import Troupe

    limit_threads()
    device = usable(device)
    wear, troupe = Wear(), Troupe()
    outlet.say(message_to_json(READY))
    is_last = False
    while not is_last:
        job = jobs.get()
        outlet.say(event_to_json(Started(job, "")))
        outcome = attempt(bound(job, device), _teller(outlet), troupe)
        is_last = wear.is_too_much(outcome)
        if is_last:
            outlet.say(message_to_json(LEAVING))
        outlet.say(event_to_json(Finished(job, outcome)))
    os._exit(0)


def bound(job: Job, device: str) -> Job:
    """The same job on this worker's device, unless it names a certain one."""
    asked = str(job.item.options.get("device", "auto"))
    if not device or (asked != "auto" and asked != device.partition(":")[0]):
        return job
    return replace(job, item=replace(job.item, options={**job.item.options, "device": device}))


def usable(device: str) -> str:
    """The device if torch has it, else none: the driver counts GPUs, and torch may have been built without CUDA."""
    from retarget_cli.core.device import choose_device
    from retarget_cli.core.errors import DeviceError

    try:
        return str(choose_device(device).device) if device else ""
    except DeviceError as error:
        logger.warning("%s", error.line)
        return ""


def limit_threads() -> None:
    """OpenCV counts cores by itself, in pools that its variable does not bound."""
    import cv2

    cv2.setNumThreads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _teller(outlet: Outlet) -> Callable[[Event], None]:
    return lambda event: outlet.say(event_to_json(event))


def _listen(stream: BinaryIO, jobs: SimpleQueue[Job]) -> None:
    """Jobs from stdin. At its end everything ends, in the middle of native code too."""
    try:
        for line in stream:
            jobs.put(job_from_json(line.decode("ascii")))
    except (OSError, ValueError) as error:
        logger.error("the driver can't be understood: %s", error)
    os._exit(0)


if __name__ == "__main__":
    main()
