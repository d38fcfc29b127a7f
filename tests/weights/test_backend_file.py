"""Weights of backends: what is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from retarget_cli.core import files
from retarget_cli.core.errors import OutputError, WeightsError
from retarget_cli.core.version import installed_version
from retarget_cli.weights.backend_file import Label, read_label, read_weights, write_weights

LABEL = Label("warper", {"width": "64"}, ("a loss stood in",), 30, "made up", "CC0-1.0", others={"sha256": "ab"})
STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3)}


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.safetensors"
    write_weights(path, {**STATE, "turned": STATE["a.weight"].T, "same": STATE["a.weight"]}, LABEL)
    state, label = read_weights(path, "warper")
    assert label == read_label(path)
    assert (label.backend, label.design, label.notes, label.steps) == ("warper", LABEL.design, LABEL.notes, 30)
    assert (label.provenance, label.license, label.others) == ("made up", "CC0-1.0", {"sha256": "ab"})
    assert label.version == (installed_version() or "")
    assert all(torch.equal(state[name], tensor) for name, tensor in STATE.items())
    assert torch.equal(state["turned"], STATE["a.weight"].T)
    assert [each.name for each in path.parent.iterdir()] == ["w.safetensors"]


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, {"a": torch.tensor([1.5]).half(), "b": torch.tensor([1.5]).bfloat16()}, LABEL)
    state, _ = read_weights(path, "warper")
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    assert state["a"].item() == state["b"].item() == 1.5


def test_weights_of_another_method(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, STATE, LABEL)
    with pytest.raises(WeightsError, match="weights of warper, not of other") as caught:
        read_weights(path, "other")
    assert caught.value.hint == "--backend warper takes them"


@pytest.mark.parametrize(
    ("told", "message", "hint"),
    [
        ({"format": "retarget-subject"}, "is a subject file", "--subject"),
        ({"format": "retarget-checkpoint"}, "is a checkpoint of a run", "weights.safetensors"),
        ({}, "does not say which method", "weights import"),
        ({"format": "retarget-weights 2"}, "knows up to 1", "update"),
        ({"format": "retarget-weights 1"}, "design is missing", "again"),
        ({**LABEL.metadata(), "design": "[]"}, "design is no object", "again"),
        ({**LABEL.metadata(), "notes": "[" * 100_000}, "damaged label", "again"),
        ({**LABEL.metadata(), "steps": "many"}, "damaged label", "again"),
    ],
)
def test_other_safetensors(tmp_path: Path, told: dict[str, str], message: str, hint: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file(STATE, path, told)
    with pytest.raises(WeightsError, match=message) as caught:
        read_weights(path, "warper")
    assert hint in caught.value.hint


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, STATE, LABEL)
    whole = path.read_bytes()
    for content in (b"", whole[:4], whole[:50], whole[:-4], b"some text, and more of it"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"damaged|can't be read"):
            read_weights(path, "warper")
    with pytest.raises(WeightsError, match="is a folder"):
        read_weights(tmp_path, "warper")
    with pytest.raises(WeightsError, match="does not exist"):
        read_weights(tmp_path / "lost.safetensors", "warper")
    with pytest.raises(WeightsError, match="can't be read"):
        read_weights(Path("a\0b"), "warper")
    pth = tmp_path / "w.pth"
    torch.save(STATE, pth)
    with pytest.raises(WeightsError, match="no safetensors file") as caught:
        read_weights(pth, "warper")
    assert "weights import" in caught.value.hint
    write_weights(path, {"a": torch.tensor([float("nan")])}, LABEL)
    with pytest.raises(WeightsError, match="not finite"):
        read_weights(path, "warper")


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, STATE, LABEL)
    former = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_weights(path, {"b": torch.zeros(3)}, LABEL)
    assert [each.name for each in tmp_path.iterdir()] == ["w.safetensors"]
    assert path.read_bytes() == former
