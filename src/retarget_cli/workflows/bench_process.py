"""Measurements that need a process of their own: starts, and peak memory."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import BackendError
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer

LONGEST = 720
RATE = Fraction(30)
# Told by the child at its end: its peak resident memory in MiB.
PROBE = """
import sys
from retarget_cli.cli.app import app
from retarget_cli.core.memory import peak_mib

try:
    code = app(sys.argv[1:], standalone_mode=False)
finally:
    sys.stderr.write(f"\\n{peak_mib()}\\n")
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One `retarget animate` in a process of its own.

    Attributes:
        seconds: from starting the process to its end.
        first_frame: from starting the process to its first finished frame.
        peak_mib: the most memory that it held at a time, MiB.
        frames: how many it made.
    """

    seconds: float
    first_frame: float
    peak_mib: float
    frames: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What a measured job is told: animate's options of the same names."""

    source: Path
    driving: Path
    size: int
    frames: int | None
    backend: str
    device: str
    settings: tuple[tuple[str, str], ...] = ()


def run_job(setting: Setting, folder: Path, variables: dict[str, str], *more: str) -> Job:
    """Animate in a new process.

    Args:
        setting: what.
        folder: where the output goes.
        variables: of the environment, beside this process's own.
        more: further words of the command line.

    Raises:
        BackendError: the process failed.
    """
    words = ["animate", "-s", str(setting.source), "-d", str(setting.driving), "-o", str(folder / "job.mp4")]
    words += ["--size", str(setting.size), "--backend", setting.backend, "--device", setting.device]
    words += [word for name, value in setting.settings for word in ("--set", f"{name}={value}")]
    words += ["--overwrite", "--quiet", "--json", *more]
    if setting.frames is not None:
        words += ["--max-frames", str(setting.frames)]
    started = time.perf_counter()
    result, peak = measured(words, variables)
    seconds = time.perf_counter() - started
    first = seconds - (float(result["seconds"]) - float(result["first_frame_seconds"]))
    return Job(seconds, first, peak, int(result["frames"]))


def measure_starts(setting: Setting) -> dict[str, Job]:
    """The same job in new processes: with nothing compiled, with compiled code, and with known media."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = {"NUMBA_CACHE_DIR": str(folder / "numba"), "RETARGET_CACHE": str(folder / "cache")}
        return {
            "cold: nothing compiled": run_job(setting, folder, variables),
            "warm: compiled before": run_job(setting, folder, variables, "--no-cache"),
            "again: compiled, and perceived before": run_job(setting, folder, variables),
        }


def measure_lengths(setting: Setting, lengths: Sequence[int]) -> dict[int, Job]:
    """Animate the clip, repeated until it is so many seconds long."""
    jobs = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seconds in lengths:
            clip = folder / f"{seconds}.mp4"
            repeat(setting.driving, clip, seconds)
            longer = replace(setting, driving=clip, frames=None)
            jobs[seconds] = run_job(longer, folder, {}, "--no-cache")
    return jobs


def repeat(clip: Path, target: Path, seconds: int) -> None:
    """Write a clip over and over until `seconds` are full, forwards and backwards so that nothing jumps."""
    with open_frames(clip, long_side=LONGEST, max_frames=120) as source:
        frames = [frame.rgb for frame in source]
    height, width = frames[0].shape[:2]
    rocking = itertools.cycle([*frames, *frames[::-1]])
    with open_writer(target, size=(height, width), rate=RATE, overwrite=True) as writer:
        for number in range(int(seconds * RATE)):
            writer.write(next(rocking), number / RATE)


def measured(words: Sequence[str], variables: Mapping[str, str]) -> tuple[dict[str, Any], float]:
    """Run a command of ours that prints JSON in a new process.

    Args:
        words: of the command line, `--json` among them.
        variables: of the environment, beside this process's own.

    Returns:
        What it printed, and its peak resident memory in MiB.

    Raises:
        BackendError: the process failed.
    """
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not done.stdout.strip():
        told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        reason = told[-1].removeprefix("error: ") if told else f"it ended with {done.returncode}"
        raise BackendError(f"the measured process failed: {reason}", f"try the same with `retarget {words[0]}`")
    return json.loads(done.stdout), float(done.stderr.split()[-1])
