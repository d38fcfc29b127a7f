"""All weights of backends that lie in the folders that are searched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.checkpoints import KIND, SUFFIX, Label, read_label, read_weights, read_words
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place, data_folder, own_places
from retarget_cli.weights.shipped import Shipped, fault_of, read_manifest


@dataclass(frozen=True, slots=True)
class Kept:
    """One file.

    Attributes:
        path: of the file; one that the manifest names may be missing.
        place: name of the folder that it lies in.
        label: what it says about itself; None where it can't be read.
        row: of the manifest, where that names it.
        fault: why it can't be used; empty where nothing is known against it.
    """

    path: Path
    place: str
    label: Label | None = None
    row: Shipped | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        """As `--set weights=` takes it."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def backend(self) -> str:
        """The method's name; empty where it is not known."""
        if self.label is not None:
            return self.label.backend
        return "" if self.row is None else self.row.backend


def kept_files(folder: Path | None = None) -> list[Kept]:
    """Files of weights in the folders' order, and what is wrong with them at a glance: they are not hashed.

    Other safetensors files are left out.

    Args:
        folder: searched before all others.
    """
    return [kept for place in own_places(folder) for kept in _kept_in(place)]


def checked(kept: Kept) -> Kept:
    """The same after a whole reading: hashed anew where the manifest has a hash, else every tensor is read."""
    if kept.fault:
        return kept
    fault = ""
    if kept.row is not None:
        fault = fault_of(kept.path, kept.row, Ledger(data_folder(os.environ) / "checked.json"), is_fresh=True)
    if not fault:
        try:
            read_weights(kept.path, kept.backend)
        except WeightsError as error:
            fault = error.message
    return Kept(kept.path, kept.place, kept.label, kept.row, fault)


def _kept_in(place: Place) -> list[Kept]:
    try:
        rows = {row.name: row for row in read_manifest(place.folder)}
    except WeightsError as error:
        return [Kept(place.folder, place.name, fault=error.message)]
    names = {path.name for path in place.folder.glob(f"*{SUFFIX}")} | set(rows)
    found = (_kept(place.folder / name, place.name, rows.get(name)) for name in sorted(names))
    return [kept for kept in found if kept is not None]


def _kept(path: Path, place: str, row: Shipped | None) -> Kept | None:
    try:
        if row is None and not read_words(path).get("format", "").startswith(KIND):
            return None
        label = read_label(path)
        fault = ""
        if row is not None and path.stat().st_size != row.bytes:
            fault = f"it has {path.stat().st_size} bytes instead of {row.bytes}"
    except WeightsError as error:
        return Kept(path, place, None, row, error.message)
    return Kept(path, place, label, row, fault)
