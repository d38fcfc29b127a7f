"""Weights by key: found, checked, pulled and loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.catalog import CATALOG, Row, row_of
from retarget_cli.weights.download import Progress, download
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place, data_folder, places

if TYPE_CHECKING:
    from torch import nn


class Condition(Enum):
    """Of a file that a row names."""

    GOOD = "good"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNCHECKED = "unchecked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class State:
    """What is there of a row.

    Attributes:
        row: of the catalog.
        condition: `UNCHECKED` where the size is right and the hash was not asked for; `UNKNOWN` where the catalog has
            no hash to compare with.
        path: of the file; None where it is missing.
        place: in which it lies; empty where it is missing.
        sha256: of the file; empty where it was not hashed.
        reason: why it is not good; empty where it is.
    """

    row: Row
    condition: Condition
    path: Path | None = None
    place: str = ""
    sha256: str = ""
    reason: str = ""


class Store:
    """Finds weights in folders, in order; `default_store` gives the user's.

    Args:
        folders: as from `places`; the first is pulled into.
        ledger: remembers hashes.
        catalog: what there can be; by default `CATALOG`.
    """

    def __init__(self, folders: Sequence[Place], ledger: Ledger, catalog: Mapping[str, Row] | None = None) -> None:
        self.folders = tuple(folders)
        self.catalog = dict(CATALOG if catalog is None else catalog)
        self._ledger = ledger

    def find(self, key: str) -> tuple[Path, Place] | None:
        """The first file of the row's name, whatever is in it.

        Raises:
            UsageError: the key is unknown.
        """
        row = row_of(key, self.catalog)
        for place in self.folders:
            for name in (row.file, *row.aliases):
                path = place.folder / name
                if path.is_file():
                    return path, place
        return None

    def state(self, key: str, is_hashed: bool = True, is_fresh: bool = False) -> State:
        """What is there; never raises for what it finds.

        Args:
            is_hashed: compare the hash too; a second's work for 500 MB, once.
            is_fresh: also where the hash is remembered.

        Raises:
            UsageError: the key is unknown.
        """
        row, found = row_of(key, self.catalog), self.find(key)
        if found is None:
            return State(row, Condition.MISSING, reason="it is in none of the folders that are searched")
        path, place = found
        try:
            size = path.stat().st_size
            if row.size is not None and size != row.size:
                reason = f"it has {size} bytes instead of {row.size}"
                return State(row, Condition.DAMAGED, path, place.name, reason=reason)
            if not is_hashed:
                return State(row, Condition.UNCHECKED, path, place.name)
            digest = self._ledger.sha256(path, is_fresh)
        except (OSError, WeightsError) as error:
            return State(row, Condition.DAMAGED, path, place.name, reason=str(error))
        if not digest.startswith(row.sha256):
            reason = f"its sha256 is {digest[:16]}..., expected {row.sha256[:16]}..."
            return State(row, Condition.DAMAGED, path, place.name, digest, reason)
        return State(row, Condition.GOOD if row.sha256 else Condition.UNKNOWN, path, place.name, digest)

    def good(self, key: str) -> tuple[Path, str]:
        """Path and sha256 of a file that is what the catalog says, as far as it says anything.

        Raises:
            WeightsError: it is missing or damaged; the hint is the command that gets it.
            UsageError: the key is unknown.
        """
        state = self.state(key)
        command = f"retarget weights pull {key}"
        if state.path is None:
            raise WeightsError(f"the weights {key} ({state.row.file}) are missing", command)
        if state.condition is Condition.DAMAGED:
            raise WeightsError(f"{state.path} is damaged, or not the weights {key}: {state.reason}", command)
        return state.path, state.sha256

    def load_into(self, key: str, module: nn.Module, unused: Sequence[str] = ()) -> str:
        """Fill a network with a row's weights, and set it to inference.

        Args:
            unused: prefixes of keys of the file that the network leaves out.

        Returns:
            sha256 of the file.

        Raises:
            WeightsError: the file is missing, damaged, or of another network.
        """
        from retarget_cli.weights.state import load_into, read_state

        path, digest = self.good(key)
        load_into(module, read_state(path), key, unused)
        module.eval().requires_grad_(False)
        return digest

    def target(self, key: str) -> Path:
        """Where a pulled file is put: in the first folder, which is searched first."""
        return self.folders[0].folder / row_of(key, self.catalog).file

    def pull(self, key: str, progress: Progress | None = None) -> State:
        """Get a file over the network; one that is there and good is left alone.

        Raises:
            WeightsError: the network, the disk or the file did not do; nothing unfinished is left behind.
            UsageError: the key is unknown.
        """
        state = self.state(key)
        if state.condition in (Condition.GOOD, Condition.UNKNOWN):
            return state
        download(state.row, self.target(key), progress)
        return self.state(key)


def default_store(given: Path | None = None) -> Store:
    """The store of this user.

    Args:
        given: a folder that is searched first, and pulled into.
    """
    return Store(places(given), Ledger(data_folder(os.environ) / "checked.json"))
