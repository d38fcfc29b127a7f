"""How much memory this process holds, and held at most."""

from __future__ import annotations

import sys

NAN = float("nan")


def peak_mib() -> float:
    """The most resident memory that this process ever had, MiB; not a number where the system does not tell.

    Linux's ru_maxrss is inherited from the process that started this one, so there the kernel's own high-water mark
    is read; macOS counts bytes; Windows has neither.
    """
    if sys.platform != "linux":
        try:
            import resource
        except ImportError:
            return NAN
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return _told("VmHWM")


def held_mib() -> float:
    """The resident memory of this process now, MiB; not a number where only the peak is told."""
    return _told("VmRSS") if sys.platform == "linux" else NAN


def _told(name: str) -> float:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) / 2**10 for line in status if line.startswith(f"{name}:"))
    except (OSError, StopIteration):
        return NAN
