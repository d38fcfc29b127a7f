"""The landmarks of a clip as they are read, kept window by window, so that nothing is read twice.

Reading poses costs more than anything else in perception. Whoever has the claim reads and keeps each window, with the
tracker's state after it, in the cache: a reading that was killed goes on after its last whole window, with the same
result. Whoever does not have the claim gives out windows as they appear, and goes on in the reader's place when that
one ends too early. Correct windows never depend on a claim: two readers of a clip write the same.

    CACHE/journals/KEY/000000.safetensors ...   one window each
    CACHE/journals/KEY/done                     JSON: how many windows there are, and notes on the clip
    CACHE/KEY.safetensors                       in the end: the fitted motion, and the journal is removed
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from retarget_cli.core.motion import Motion
from retarget_cli.perception.cache import Arrays, Cache
from retarget_cli.perception.cache_files import Claim, remove
from retarget_cli.perception.motion_arrays import packed, unpacked
from retarget_cli.perception.person_tracker import State

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
# A reader that has kept no window for so long is held to hang: its followers read for themselves then.
_PATIENCE = 120.0
_STATE = "tracker."

Read = Callable[[int, State | None], Iterator[tuple[Motion, State]]]
"""Reads a clip: (frames to leave out, the tracker's state after them) -> windows, each with the state after it."""


class MotionIsKnown(Exception):
    """The fitted motion is in the cache by now, and the journal may be gone."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__("the motion is in the cache")
        self.arrays = arrays


@dataclass(frozen=True, slots=True)
class KeptWindow:
    """One window of landmarks.

    Attributes:
        motion: not fitted.
        state: the tracker's after it.
    """

    motion: Motion
    state: State

    def packed(self) -> Arrays:
        """As plain arrays."""
        return packed(self.motion) | {_STATE + name: array for name, array in self.state.items()}

    @classmethod
    def unpacked(cls, arrays: Arrays) -> KeptWindow:
        """`packed`, the other way.

        Raises:
            KeyError, ValueError, IndexError, ZeroDivisionError: something is missing, or of another shape.
        """
        state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
        return cls(unpacked(arrays), state)


class Journal:
    """What is known so far of one clip's landmarks.

    Args:
        cache: where it lies; one that can keep something.
        key: of the clip's fitted motion.
        rest: sleeps for so many seconds, and raises where waiting is in vain.

    Attributes:
        notes: what another reader found odd about the clip; known once its last window has passed.
    """

    def __init__(self, cache: Cache, key: str, rest: Callable[[float], None] = time.sleep) -> None:
        self._cache = cache
        self._key = key
        self._rest = rest
        self.notes: tuple[str, ...] = ()

    def windows(self, read: Read, notes: Callable[[], tuple[str, ...]] = tuple) -> Iterator[Motion]:
        """All windows of landmarks in order: kept, or being kept by another process, or else read here.

        Args:
            read: the clip; called once at most.
            notes: what is odd about the clip, after it has been read.

        Raises:
            MotionIsKnown: no window is left to be given out, but the fitted motion is in the cache.
        """
        number, seen = 0, 0
        state: State | None = None
        with self._cache.claim(self._key) as claim:
            for kept in self._found(claim):
                number, seen, state = number + 1, seen + len(kept.motion), kept.state
                yield kept.motion
            if self._is_over(number):
                return
            is_kept = True
            for motion, after in read(seen, state):
                is_kept = is_kept and self._keep(number, KeptWindow(motion, after))
                if not is_kept:
                    claim.close()  # followers would wait for nothing
                number += 1
                yield motion
            if is_kept:
                self._end(number, notes())

    def remove(self) -> None:
        """Forget everything; followers may still be reading."""
        remove(self._cache.journal(self._key))

    def _found(self, claim: Claim) -> Iterator[KeptWindow]:
        """Windows that are there or appear, until there are no more or it is our turn to read them."""
        number = 0
        waiting_since = time.monotonic()
        while True:
            kept = self._load(number)
            if kept is not None:
                yield kept
                number += 1
                waiting_since = time.monotonic()
                continue
            if self._is_over(number):
                return
            known = self._cache.get_here(self._key)
            if known is not None:
                raise MotionIsKnown(known)
            if claim.is_held:
                return
            if claim.take():
                continue  # look once more: what was read until this moment is there now
            if time.monotonic() - waiting_since > _PATIENCE:
                logger.warning("another process keeps a clip's journal, but does not go on: it is read here")
                return
            self._rest(_POLL_SECONDS)

    def _window_path(self, number: int) -> Path:
        return self._cache.journal(self._key) / f"{number:06}.safetensors"

    def _load(self, number: int) -> KeptWindow | None:
        path = self._window_path(number)
        arrays = self._cache.read(path)
        if arrays is None:
            return None
        try:
            return KeptWindow.unpacked(arrays)
        except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
            logger.warning("removed a damaged journal file: %s (%s)", path, error)
            remove(path)
            return None

    def _keep(self, number: int, window: KeptWindow) -> bool:
        arrays = {name: np.ascontiguousarray(array) for name, array in window.packed().items()}
        return self._cache.write(self._window_path(number), save(arrays))

    def _end(self, count: int, notes: tuple[str, ...]) -> None:
        told = json.dumps({"windows": count, "notes": list(notes)})
        self._cache.write(self._cache.journal_end(self._key), told.encode())

    def _is_over(self, number: int) -> bool:
        """Whether the clip has `number` windows and no more."""
        path = self._cache.journal_end(self._key)
        try:
            told = json.loads(path.read_text("utf-8"))
            count, notes = int(told["windows"]), tuple(str(note) for note in told["notes"])
        except OSError:
            return False
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("removed a damaged journal file: %s (%s)", path, error)
            remove(path)
            return False
        if number == count:
            self.notes = notes
        return number == count
