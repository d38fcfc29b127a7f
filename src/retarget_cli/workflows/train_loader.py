"""Batches, made ahead in threads, in the order of their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from retarget_cli.backends.trainable import Batch, Trainable
from retarget_cli.core.closing import Closing
from retarget_cli.training.draw import Drawer


class Loader(Closing):
    """Makes batches while the networks are busy; each depends on its number alone.

    Args:
        backend: makes tensors of examples.
        drawer: draws the examples.
        workers: threads.
        is_pinned: whether tensors are laid where a GPU fetches them faster.
    """

    def __init__(self, backend: Trainable, drawer: Drawer, workers: int, is_pinned: bool = False) -> None:
        self._backend, self._drawer, self._is_pinned = backend, drawer, is_pinned
        # One thread each: what is made side by side must not fight for the cores. This thread's own number stays.
        self._pool = ThreadPoolExecutor(workers, "examples", initializer=torch.set_num_threads, initargs=(1,))
        # So many batches that all threads have something to do.
        self._ahead = 2 + -(-workers // drawer.options.batch)

    def batches(self, start: int) -> Iterator[Batch]:
        """Batch `start` and those that follow, without end."""
        waiting: deque[Future[Batch]] = deque()
        number = start
        while True:
            while len(waiting) < self._ahead:
                waiting.append(self._begun(number))
                number += 1
            yield waiting.popleft().result()

    def batch(self, number: int) -> Batch:
        """One batch, now."""
        return self._begun(number).result()

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begun(self, number: int) -> Future[Batch]:
        sources = self._drawer.sources(number)
        places = range(self._drawer.options.batch)
        parts = [self._pool.submit(self._made, number, place, sources) for place in places]
        # Threads take tasks in order: whoever waits for these parts, they are being made or are done.
        return self._pool.submit(self._stacked, parts)

    def _made(self, number: int, place: int, sources: int) -> dict[str, Tensor]:
        return self._backend.tensors(self._drawer.example(number, place, sources))

    def _stacked(self, parts: list[Future[dict[str, Tensor]]]) -> Batch:
        examples = [part.result() for part in parts]
        batch = {name: torch.stack([example[name] for example in examples]) for name in examples[0]}
        return {name: each.pin_memory() for name, each in batch.items()} if self._is_pinned else batch
