"""Rows and stores of tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from retarget_cli.weights.catalog import Row
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store


def row(key: str, content: bytes, *urls: str, file: str = "", known: int = 64, is_sized: bool = True) -> Row:
    """A row that tells the truth about its content.

    Args:
        known: digits of the hash that the catalog has.
        is_sized: the catalog knows the size.
    """
    digest = hashlib.sha256(content).hexdigest()[:known]
    return Row(
        key,
        file or f"{key}.pth",
        urls,
        "MIT",
        digest,
        len(content) if is_sized else None,
        ("lpips-alex",),
        "https://a.test/",
    )


def store_of(folder: Path, *rows: Row) -> Store:
    """Looks into `folder/weights` alone."""
    places = [Place("given", folder / "weights")]
    return Store(places, Ledger(folder / "checked.json"), {each.key: each for each in rows})


def store_with(folder: Path, states: Mapping[str, Mapping[str, Tensor]]) -> Store:
    """Has files of these state dicts, by key of the catalog."""
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    rows = []
    for key, state in states.items():
        path = folder / "weights" / f"{key}.pth"
        torch.save(dict(state), path)
        rows.append(row(key, path.read_bytes()))
    return store_of(folder, *rows)
