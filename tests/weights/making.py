"""Rows and stores of tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from retarget_cli.weights.catalog import Row
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.shipped import Shipped
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


def shipped_row(path: Path, backend: str) -> Shipped:
    """A row that tells the truth about a file."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Shipped(path.name, backend, digest, len(content), "CC0-1.0", "made up", "a test", "none")


def write_manifest(folder: Path, *rows: Shipped) -> None:
    """A manifest of these rows."""
    text = "".join(
        "[[file]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in asdict(row).items()) for row in rows
    )
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
