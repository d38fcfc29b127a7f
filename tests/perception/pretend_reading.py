"""A clip that is read without networks: each window depends on all before it, as a tracker's does.

Run as a program (`python pretend_reading.py CACHE LOG OUT WINDOWS SECONDS HALT`) it reads the clip through a journal,
tells each window that it really reads in LOG, and writes what it was given to OUT.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from retarget_cli.core.motion import Motion
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.journal import Journal
from retarget_cli.perception.person_tracker import State

KEY = "clip"
SIZE = (48, 64)
LENGTH = 32


class PretendClip:
    """So many windows, the last of 5 frames; each takes so long to read. One may never end: `halt`."""

    def __init__(self, windows: int, seconds: float = 0.0, log: Path | None = None, halt: int = -1) -> None:
        self.windows, self.seconds, self.log, self.halt = windows, seconds, log, halt
        self.read_here: list[int] = []

    def read(self, seen: int, state: State | None) -> Iterator[tuple[Motion, State]]:
        assert (state is None) == (seen == 0)
        memory = 1 if state is None else int(state["memory"][0])
        for number in range(-(-seen // LENGTH), self.windows):
            time.sleep(self.seconds)
            motion, memory = self._window(number, memory)
            self.read_here.append(number)
            if self.log is not None:
                with self.log.open("a") as file:
                    file.write(f"{os.getpid()} {number}\n")
            if number == self.halt:
                time.sleep(120)
            yield motion, {"memory": np.array([memory]), "nothing": np.zeros((0, 32, 3), np.uint8)}

    def _window(self, number: int, memory: int) -> tuple[Motion, int]:
        count = 5 if number == self.windows - 1 else LENGTH
        random = np.random.default_rng([memory, number])
        pose = random.normal(size=(count, 33, 3)).astype(np.float32)
        times = tuple(Fraction((number * LENGTH + n) * 1001, 30000) for n in range(count))
        return Motion(SIZE, times, random.random(count) > 0.3, pose, -pose), int(random.integers(2**60))


def told(motions: list[Motion]) -> str:
    """All of what was given, in one word."""
    digest = hashlib.sha256()
    for motion in motions:
        digest.update(repr((motion.size, motion.times, motion.present.tolist())).encode())
        digest.update(motion.pose.tobytes() + motion.world.tobytes())
    return digest.hexdigest()


def main() -> None:
    cache, log, out = map(Path, sys.argv[1:4])
    clip = PretendClip(int(sys.argv[4]), float(sys.argv[5]), log, int(sys.argv[6]))
    given = list(Journal(Cache(cache, 10**8), KEY).windows(clip.read))
    out.write_text(told(given))


if __name__ == "__main__":
    main()
