"""Attempts that make no video, for tests of Ray's engine: what happens is said by the item's option `driving`."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

from retarget_cli.batch.engine import Job, Progressed
from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.batch.ray_worker import Attempts, Report


def quick() -> Attempts:
    """What makes such attempts; imports nothing heavy."""
    return attempt


def broken() -> Attempts:
    """A worker that can't start."""
    raise ImportError("no module of this name")


def attempt(job: Job, report: Report) -> Outcome:
    """Do what the item says; a file beside its output tells which process does it."""
    mark = Path(f"{job.output}.pid")
    mark.write_text(str(os.getpid()))
    report(Progressed(job, "render", 1, 2))
    sys.stdout.write("noise from a native library\n")
    sys.stdout.flush()
    match job.item.options["driving"]:
        case "long":
            time.sleep(60)
        case "crash":
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "memory":
            return Outcome(Fault.MEMORY, "out of memory")
        case "short":
            time.sleep(0.5)
    report(Progressed(job, "render", 2, 2))
    told = (str(os.getpid()), os.getcwd(), os.environ.get("OMP_NUM_THREADS", ""), str("torch" in sys.modules))
    return Outcome(frames=2, notes=told)
