"""A cache that several machines share: the local one, with a URL behind it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from retarget_cli.batch.storage import check_url, deliver, join_url, read_bytes
from retarget_cli.core.errors import RetargetError
from retarget_cli.perception.cache import Arrays, Cache

logger = logging.getLogger(__name__)


class RemoteCache(Cache):
    """The local cache first, then the remote one; what is put goes into both.

    A remote one that fails says so once and is then left alone: no item ends by it.

    Args:
        url: folder of the remote one.
        local: whose folder and limit are used here.
    """

    def __init__(self, url: str, local: Cache) -> None:
        super().__init__(local.folder, local.limit_bytes)
        self.url = url
        self._is_cut_off = False

    def get(self, key: str) -> Arrays | None:
        """The arrays put under a key here or elsewhere, or None."""
        found = super().get(key)
        if found is not None or self._is_cut_off:
            return found
        try:
            content = read_bytes(self._place(key), self.limit_bytes)
            if content is None:
                return None
            arrays: Arrays = load(content)
        except RetargetError as error:
            self._cut_off(error.line)
            return None
        except (SafetensorError, ValueError, KeyError) as error:
            logger.warning("a damaged entry of the remote cache is left aside: %s (%s)", self._place(key), error)
            return None
        super().put(key, arrays, {"origin": "remote"})
        return arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bool:
        """Keep arrays under a key, here and there; never raises for a storage that is full, forbidden or away.

        Returns:
            Whether they are kept here.
        """
        is_kept = super().put(key, arrays, metadata)
        if not self._is_cut_off and sum(array.nbytes for array in arrays.values()) <= self.limit_bytes:
            self._send(key, arrays, metadata)
        return is_kept

    def _send(self, key: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="retarget-") as folder:
                file = Path(folder) / "entry"
                save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file, dict(metadata))
                deliver(file, self._place(key))
        except RetargetError as error:
            self._cut_off(error.line)
        except (OSError, SafetensorError) as error:
            self._cut_off(str(error))

    def _place(self, key: str) -> str:
        return join_url(self.url, f"{key}.safetensors")

    def _cut_off(self, reason: str) -> None:
        self._is_cut_off = True
        logger.warning("the remote cache is left alone from now on: %s", reason)


def open_remote_cache(url: str, local: Cache) -> RemoteCache:
    """A cache behind a URL.

    Raises:
        OutputError: the URL is of a kind that can't be written.
    """
    check_url(url, may_write=True)
    return RemoteCache(url, local)
