"""Measurements that need a process of their own: first starts, and peak memory."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import BackendError
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer

LONGEST = 720
RATE = Fraction(30)
# Printed by the child at its end: peak resident memory as the kernel counts it.
PROBE = (
    "import resource, sys; from retarget_cli.cli.app import app\n"
    "try: app(sys.argv[1:], standalone_mode=False)\n"
    "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def first_start(source: Path, driving: Path, folder: str) -> float:
    """Seconds from starting a process to its first frame; compiled code and cache lie in `folder`.

    Raises:
        BackendError: the process failed.
    """
    environment = {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/numba", "RETARGET_CACHE": f"{folder}/cache"}
    started = time.perf_counter()
    out, _ = _child(
        ["-m", "retarget_cli", "animate", *_arguments(source, driving, f"{folder}/out.mp4"), "--max-frames", "64"],
        environment,
    )
    wall = time.perf_counter() - started
    result = json.loads(out)
    return float(wall - (result["seconds"] - result["first_frame_seconds"]))


def peak_of_length(source: Path, driving: Path, seconds: int) -> float:
    """Peak memory in MiB of animating the clip, repeated until it is `seconds` long."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "long.mp4")
        repeat(driving, clip, seconds)
        arguments = ["-c", PROBE, "animate", *_arguments(source, clip, f"{folder}/out.mp4"), "--no-cache"]
        _, error = _child(arguments, dict(os.environ))
    return int(error.split()[-1]) / 1024


def repeat(clip: Path, target: Path, seconds: int) -> None:
    """Write a clip over and over until `seconds` are full, forwards and backwards so that nothing jumps."""
    with open_frames(clip, long_side=LONGEST, max_frames=120) as source:
        frames = [frame.rgb for frame in source]
    height, width = frames[0].shape[:2]
    rocking = itertools.cycle([*frames, *frames[::-1]])
    with open_writer(target, size=(height, width), rate=RATE, overwrite=True) as writer:
        for number in range(int(seconds * RATE)):
            writer.write(next(rocking), number / RATE)


def _arguments(source: Path, driving: Path, output: str) -> list[str]:
    paths = ["-s", str(source), "-d", str(driving), "-o", output]
    return [*paths, "--size", "512", "--overwrite", "--quiet", "--json"]


def _child(arguments: list[str], environment: dict[str, str]) -> tuple[str, str]:
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackendError(f"the measured process failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout, done.stderr
