"""How many workers a machine bears: GPUs, cores and memory, within the bounds of a container."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retarget_cli.core.errors import UsageError

WORKER_MIB = 1536
"""What a worker holds at most in ordinary work: a clip of any length, up to 1080 lines."""

_ASKING_SECONDS = 20.0
_UNTOLD = 4  # workers at most, where the system does not tell how much memory there is


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the system's own files are found, and the variables of the environment; tests have others.

    Attributes:
        root: of the file system.
        variables: of the environment.
    """

    root: Path = Path("/")
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def default_workers(self) -> int:
        """As many as there are cores, and memory for."""
        memory = self.memory_mib()
        return max(1, min(self.cores(), _UNTOLD if memory is None else int(memory // WORKER_MIB)))

    def cores(self) -> int:
        """Those that this process may use."""
        count = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        for folder in self._groups("cpu"):
            quota, period = self._words(folder / "cpu.max")[:2] or ("", "")  # version 2 of control groups
            if not period:
                quota, period = (_first(self._words(folder / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
            if quota.isdigit() and period.isdigit() and int(period):
                count = min(count, int(quota) / int(period))
        return max(1, int(count))

    def memory_mib(self) -> float | None:
        """What is free, or could be at once; None where the system does not tell."""
        told = [line.split() for line in self._text(self.root / "proc/meminfo").splitlines()]
        kib = next((int(words[1]) for words in told if words[0] == "MemAvailable:"), None)
        free = [kib / 2**10] if kib is not None else [half / 2**20 for half in _half_of_all()]
        for folder in self._groups("memory"):
            free.extend(room / 2**20 for room in self._room(folder))
        return max(0.0, min(free)) if free else None

    def gpus(self) -> list[str]:
        """Names of the CUDA devices that a process sees, found without torch."""
        visible = self.variables.get("CUDA_VISIBLE_DEVICES")
        if visible is not None:
            names = [name.strip() for name in visible.split(",")]
            # CUDA takes those before the first that is none.
            count = next((n for n, name in enumerate(names) if name in ("", "-1")), len(names))
        else:
            count = self._gpu_count()
        return [f"cuda:{number}" for number in range(count)]

    def _gpu_count(self) -> int:
        try:
            done = subprocess.run(
                ["nvidia-smi", "-L"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_ASKING_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return 0
        return sum(line.startswith(b"GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0

    def _groups(self, controller: str) -> Iterator[Path]:
        """Folders of the control groups that this process is in, innermost first: any of them may have bounds."""
        for line in self._text(self.root / "proc/self/cgroup").splitlines():
            _, controllers, path = [*line.split(":", 2), "", ""][:3]
            if controllers and controller not in controllers.split(","):
                continue
            top = self.root / "sys/fs/cgroup" / (controllers and controller)
            inner = Path(path.lstrip("/"))
            yield from (top / each for each in (inner, *inner.parents))

    def _room(self, folder: Path) -> list[int]:
        """Bytes left under a control group's bound, if it has one. What only caches files can be had back."""
        for bound, used, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, now = (_first(self._words(folder / name)) for name in (bound, used))
            if most.isdigit() and now.isdigit():
                words = self._words(folder / "memory.stat")
                spare = dict(zip(words[::2], words[1::2], strict=False)).get(cached, "0")
                return [int(most) - int(now) + int(spare)]
        return []

    def _words(self, path: Path) -> list[str]:
        return self._text(path).split()

    def _text(self, path: Path) -> str:
        try:
            return path.read_text("utf-8", "replace")
        except OSError:
            return ""


def check_limits(workers: int | None, timeout: float | None) -> None:
    """Refuse numbers of workers and seconds that no engine can have.

    Raises:
        UsageError: one of them is impossible.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: expected 1 or more", "leave it out for as many as fit")
    if timeout is not None and not timeout > 0:
        raise UsageError(f"--timeout {timeout:g}: expected seconds above 0", "leave it out for none")


def _first(words: list[str]) -> str:
    return words[0] if words else ""


def _half_of_all() -> list[int]:
    """Half of the machine's memory, where it is known: what is free is not."""
    if sys.platform == "win32":
        return []
    try:
        return [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2]
    except (OSError, ValueError):
        return []
