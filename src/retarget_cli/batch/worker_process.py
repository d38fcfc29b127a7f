"""A worker as its driver sees it: a process that is told lines and says lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import retarget_cli
from retarget_cli.batch.engine import Job
from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.batch.wire import job_to_json
from retarget_cli.core.environment import prepare_environment

PROGRAM = (sys.executable, "-P", "-m", "retarget_cli.batch.worker")
"""-P: what lies in the working folder is data, and must not be imported."""

_LONGEST_LINE = 2**20
_LOG_TAIL = 2**14


class WorkerProcess:
    """One process, from its start to its end.

    Args:
        name: for people.
        words: of the command line.
        log: where its stderr goes, behind what is there.
        hear: is given (this, line) for every line, and (this, None) once when it has ended; called from a thread.

    Attributes:
        name: for people.
        is_ready: it has imported everything.
        is_leaving: it takes no further job.
        job: what it is at, or will be when it is ready.
        has_begun: it has said that it is at the job.
        since: when it began that, was given it, or was started; `time.monotonic`.
        verdict: what is said of the job when the process ends; None: what its end tells.

    Raises:
        OSError: it can't be started.
    """

    def __init__(
        self, name: str, words: Sequence[str], log: Path, hear: Callable[[WorkerProcess, bytes | None], None]
    ) -> None:
        self.name = name
        self.is_ready = self.is_leaving = self.has_begun = False
        self.job: Job | None = None
        self.since = time.monotonic()
        self.verdict: Outcome | None = None
        self._log = log
        self._hear = hear
        with log.open("ab") as stream:
            self._log_start = stream.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [*words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=environment(os.environ),
                close_fds=True,
            )
        self._reader = threading.Thread(target=self._read, name=f"lines of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def seconds(self) -> float:
        """Since it began what it is at."""
        return time.monotonic() - self.since

    def begin(self, job: Job) -> bool:
        """Give it a job; False where it is gone, and has not seen it."""
        assert self._process.stdin is not None
        self.job, self.has_begun, self.since = job, False, time.monotonic()
        try:
            self._process.stdin.write(job_to_json(job).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def dismiss(self) -> None:
        """Let it end by itself, which it does at once."""
        self.is_leaving = True
        assert self._process.stdin is not None
        with suppress(OSError):  # what it was told last is still in the buffer, and nobody reads
            self._process.stdin.close()

    def terminate(self) -> None:
        """Ask it to end."""
        with suppress(OSError):
            self._process.terminate()

    def kill(self) -> None:
        """End it."""
        with suppress(OSError):
            self._process.kill()

    def join(self, seconds: float) -> bool:
        """Wait for its end, and give everything back; False where it has not ended."""
        self._reader.join(max(0.0, seconds))
        if self._reader.is_alive():
            return False
        self.dismiss()
        return True

    def end(self) -> Outcome:
        """What became of its job, from how it ended."""
        if self.verdict is not None:
            return self.verdict
        last = self._last_words()
        how = _manner(self._process.returncode)
        is_memory = self._process.returncode == -getattr(signal, "SIGKILL", 9) or "bad_alloc" in last
        if is_memory:
            how += ": out of memory, or killed by somebody"
        hint = " (fewer --workers or a smaller --size need less memory)" if is_memory else ""
        return Outcome(Fault.MEMORY if is_memory else Fault.CRASH, f"the worker {how}{last and f'; {last}'}{hint}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while line := stream.readline(_LONGEST_LINE):
                self._hear(self, line)
        self._process.wait()
        self._hear(self, None)

    def _last_words(self) -> str:
        """The line of its log that tells most of a sudden end."""
        try:
            with self._log.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(self._log_start, size - _LOG_TAIL))
                lines = stream.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        told = [" ".join(line.split()) for line in lines if line.strip() and not line.startswith("INFO ")]
        telling = [line for line in told if "error" in line.lower() or "bad_alloc" in line]
        return (telling or told or [""])[-1][:300]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What a worker finds: one thread an operation unless the user said otherwise, whatever the number of workers.

    The pipeline's stages have threads of their own, and results must not depend on how many workers there are.
    """
    given = dict(variables)
    prepare_environment(given)
    home = str(Path(retarget_cli.__file__).resolve().parents[1])
    if home not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):  # run from its sources
        given["PYTHONPATH"] = os.pathsep.join([*filter(None, [given.get("PYTHONPATH")]), home])
    return given


def _manner(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"ended by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"ended by signal {-code}"
