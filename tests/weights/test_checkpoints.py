"""Weights of backends: what is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.weights.making import shipped_row, write_manifest

from retarget_cli.core import files
from retarget_cli.core.errors import OutputError, WeightsError
from retarget_cli.core.version import installed_version
from retarget_cli.weights import places
from retarget_cli.weights.checkpoints import Label, find_weights, read_label, read_weights, write_weights

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


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$RETARGET_WEIGHTS and the user's data, both below the folder; the project's own is out of sight."""
    monkeypatch.setenv("RETARGET_WEIGHTS", str(tmp_path / "first"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(places, "_checkout", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_weights_are_found_by_name_path_and_run(folders: Path) -> None:
    kept = folders / "data" / "retarget" / "weights" / "mine.safetensors"
    write_weights(kept, STATE, LABEL)
    assert find_weights("warper", "mine") == find_weights("warper", "mine.safetensors") == kept
    write_weights(folders / "first" / "mine.safetensors", STATE, LABEL)
    assert find_weights("warper", "mine") == folders / "first" / "mine.safetensors"
    assert find_weights("warper", "mine", kept.parent) == kept
    assert find_weights("warper", str(kept)) == kept
    write_weights(folders / "run" / "weights.safetensors", STATE, LABEL)
    assert find_weights("warper", "run").resolve() == folders / "run" / "weights.safetensors"


@pytest.mark.parametrize("given", ["lost", "sub/mine", "../mine", "a\0b"])
def test_weights_that_are_nowhere(folders: Path, given: str) -> None:
    write_weights(folders / "first" / "mine.safetensors", STATE, LABEL)
    with pytest.raises(WeightsError, match="no such file") as caught:
        find_weights("warper", given)
    assert "weights import" in caught.value.hint
    assert "retarget train warper" in caught.value.hint


def test_a_folder_is_no_weights(folders: Path) -> None:
    (folders / "empty").mkdir()
    with pytest.raises(WeightsError, match=r"a folder without weights\.safetensors"):
        find_weights("warper", "empty")


def test_base_weights_of_the_first_folder_that_has_any(folders: Path) -> None:
    with pytest.raises(WeightsError, match="no base weights of warper") as caught:
        find_weights("warper")
    assert "call the file warper-SIZE.safetensors" in caught.value.hint
    data = folders / "data" / "retarget" / "weights"
    for name in ("warper-1024", "warper-256", "warper-two-128", "warper-x", "other-64"):
        write_weights(data / f"{name}.safetensors", STATE, LABEL)
    assert find_weights("warper") == data / "warper-256.safetensors"
    write_weights(folders / "first" / "warper-512.safetensors", STATE, LABEL)
    assert find_weights("warper").parent.name == "first"


def test_shipped_weights_are_what_the_manifest_says(folders: Path) -> None:
    path = folders / "first" / "warper-256.safetensors"
    write_weights(path, STATE, LABEL)
    write_manifest(path.parent, shipped_row(path, "warper"))
    assert find_weights("warper") == path
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for given in ("", "warper-256", str(path)):
        with pytest.raises(WeightsError, match="its sha256 is"):
            find_weights("warper", given)
    path.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match=f"{len(content) - 1} bytes instead of {len(content)}"):
        find_weights("warper")


@pytest.mark.parametrize(
    "text", ["[[file]", "file = 3", "[[file]]\nname = 'a'", "file = [3]", '[[file]]\n"" = 1', "\xff"]
)
def test_a_damaged_manifest(folders: Path, text: str) -> None:
    write_weights(folders / "first" / "warper-256.safetensors", STATE, LABEL)
    (folders / "first" / "manifest.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(WeightsError, match=r"manifest.toml is damaged"):
        find_weights("warper")
