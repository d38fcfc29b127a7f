"""Weights made ready to ship."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.checkpoints import Label, read_weights, write_weights
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.shipped import MANIFEST, check_shipped, read_manifest
from retarget_cli.weights.shipping import main


def _run(folder: Path, value: float) -> Path:
    path = folder / "weights.safetensors"
    write_weights(path, {"layer.weight": torch.full((2, 3), value)}, Label("some", {"width": "4"}, ("a note",), 7))
    return path


def _ship(source: Path, target: Path) -> None:
    words = ["--license", 'CC0, "free"', "--provenance", "made up", "--made-by", "make it", "--data", "none"]
    main([str(source), str(target), *words])


def test_a_run_becomes_a_file_and_a_row(tmp_path: Path) -> None:
    target = tmp_path / "shelf" / "some-256.safetensors"
    target.parent.mkdir()
    (target.parent / MANIFEST).write_text("# What ships.\n", encoding="utf-8")
    _ship(_run(tmp_path, 1 / 3), target)
    state, label = read_weights(target, "some")
    assert torch.allclose(state["layer.weight"], torch.tensor(1 / 3), atol=1e-4)
    assert (label.license, label.notes, label.steps, label.design) == ('CC0, "free"', ("a note",), 7, {"width": "4"})
    (row,) = read_manifest(target.parent)
    assert (row.name, row.backend, row.license, row.made_by) == (target.name, "some", 'CC0, "free"', "make it")
    assert (target.parent / MANIFEST).read_text(encoding="utf-8").startswith("# What ships.\n")
    check_shipped(target, Ledger(tmp_path / "checked.json"))


def test_shipping_again_replaces_the_row_and_leaves_others(tmp_path: Path) -> None:
    first, second = tmp_path / "some-256.safetensors", tmp_path / "some-512.safetensors"
    for target, value in ((first, 1.0), (second, 2.0), (first, 3.0)):
        _ship(_run(tmp_path / "run", value), target)
    assert [row.name for row in read_manifest(tmp_path)] == [first.name, second.name]
    ledger = Ledger(tmp_path / "checked.json")
    for target in (first, second):
        check_shipped(target, ledger)
    assert float(read_weights(first, "some")[0]["layer.weight"][0, 0]) == 3.0


def test_a_damaged_run_ships_nothing(tmp_path: Path) -> None:
    source = tmp_path / "weights.safetensors"
    source.write_bytes(b"nothing")
    with pytest.raises(WeightsError):
        _ship(source, tmp_path / "some-256.safetensors")
    assert not (tmp_path / MANIFEST).exists()
