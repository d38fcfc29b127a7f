"""The worker of `--engine ray`: what runs inside an actor of Ray's, on whatever machine that is.

One call of `run` is one job. Jobs come as JSON text, and events go back as JSON text while the job runs, as in the
worker of the local engine; nothing of ours is ever pickled.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue

from retarget_cli.batch.engine import Event, Finished, Job
from retarget_cli.batch.item import Outcome
from retarget_cli.batch.wear import Wear
from retarget_cli.batch.wire import LEAVING, event_to_json, job_from_json, message_to_json

Report = Callable[[Event], None]
Attempts = Callable[[Job, Report], Outcome]

ATTEMPTS = "retarget_cli.batch.ray_worker:real_attempts"


class RayWorker:
    """An actor. Everything heavy is imported when it is made, so that no item pays for it.

    Args:
        folder: the driver's working folder, which relative paths are meant from; ignored where it does not exist.
        attempts: "module:function" that gives what makes an attempt.
    """

    def __init__(self, folder: str, attempts: str = ATTEMPTS) -> None:
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C reaches all of a terminal's processes; the driver decides.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if Path(folder).is_dir():
            os.chdir(folder)
        module, _, name = attempts.partition(":")
        self._attempt: Attempts = getattr(import_module(module), name)()
        self._wear = Wear()

    def ready(self) -> str:
        """The worker's name, once it can work."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def run(self, text: str) -> Iterator[str]:
        """One job; its events as they happen, the end of the job last."""
        job = job_from_json(text)
        lines: SimpleQueue[str | None] = SimpleQueue()
        thread = threading.Thread(target=self._work, args=(job, lines), name="attempt", daemon=True)
        thread.start()
        while (line := lines.get()) is not None:
            yield line
        thread.join()

    def _work(self, job: Job, lines: SimpleQueue[str | None]) -> None:
        try:
            outcome = self._attempt(job, lambda event: lines.put(event_to_json(event)))
            if self._wear.is_too_much(outcome):
                lines.put(message_to_json(LEAVING))
            lines.put(event_to_json(Finished(job, outcome)))
        finally:
            lines.put(None)


def real_attempts() -> Attempts:
    """Attempts that make videos, with what one keeps for the next."""
    from retarget_cli.core.environment import prepare_environment

    prepare_environment(os.environ)
    from retarget_cli.batch.attempt import attempt
    from retarget_cli.batch.worker import limit_threads
    from retarget_cli.workflows.troupe import Troupe

    limit_threads()
    troupe = Troupe()
    return lambda job, report: attempt(job, report, troupe)

