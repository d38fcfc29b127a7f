"""`retarget batch` as a process of its own, which tests disturb."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

WORDS = ("-s", "people", "-d", "dances", "--workers", "2")
PROGRAM = (sys.executable, "-m", "retarget_cli")


def batch(
    folder: Path, output: Path | str, *more: str, words: tuple[str, ...] = WORDS, program: tuple[str, ...] = PROGRAM
) -> subprocess.Popen[str]:
    """Start one; what is perceived is kept in the folder of the sources."""
    environment = {"RETARGET_CACHE": str(folder / "cache"), **os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    return subprocess.Popen(
        [*program, "batch", *words, "-o", str(output), *more], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 300) -> tuple[int, str, str]:
    out, told = process.communicate(timeout=seconds)
    assert "Traceback" not in told
    assert "unexpected" not in told
    return process.returncode, out, told


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    told = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(word) for word in told.read_text().split()] if told.exists() else []


def is_alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(found: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def closed(folder: Path) -> list[Path]:
    """Closed segments of films that are not finished."""
    return [path for path in folder.glob("*.progress/*.json") if path.name != "run.json"]
