"""Checkpoints and options as files: whole or not at all, and nothing foreign is taken for them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.workflows.full_disk import disk_of

from retarget_cli.core.errors import OutputError, UsageError, WeightsError
from retarget_cli.training.checkpoint import Checkpoints
from retarget_cli.training.config import check_same, read_config, write_config


def state(value: float, count: int = 10) -> dict[str, torch.Tensor]:
    shared = torch.full((count,), value)
    # Two names of one tensor, one laid out otherwise, and a whole number: all come back as they were.
    turned = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    return {"a": shared, "b": shared, "c": turned, "number": torch.tensor(3)}


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.newest() is None
    for number in (5, 10, 200):
        kept.save(number, state(number), {"backend": "toy"})
    assert sorted(path.name for path in kept.folder.iterdir()) == ["00000010.safetensors", "00000200.safetensors"]
    newest = kept.newest()
    assert newest is not None
    loaded, told = kept.load(newest)
    assert told["backend"] == "toy"
    assert all(torch.equal(each, loaded[name]) for name, each in state(200).items())


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(1, state(1), {})
    path = kept.save(2, state(2), {})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="damaged") as caught:
        kept.load(path)
    assert "00000001" in caught.value.hint
    save_file({"a": torch.zeros(1)}, path, {"format": "pt"})
    with pytest.raises(WeightsError, match="no checkpoint"):
        kept.load(path)


def test_a_full_disk_keeps_the_former_one(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    former = kept.save(1, state(1), {})
    with disk_of(4096), pytest.raises(OutputError, match="can't write"):
        kept.save(2, state(2, 100_000), {})
    assert list(tmp_path.iterdir()) == [former]
    assert torch.equal(kept.load(former)[0]["a"], state(1)["a"])


def test_other_options_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    asked = {"steps": 10, "batch": 2, "set": {"a": "1"}, "data": ("x",)}
    write_config(path, asked)
    check_same(path, asked)
    check_same(path, {**asked, "steps": 20})
    with pytest.raises(UsageError, match="batch was 2, now 3; set was"):
        check_same(path, {**asked, "batch": 3, "set": {}})
    with pytest.raises(UsageError, match="--steps 9"):
        check_same(path, {**asked, "steps": 9})
    with pytest.raises(UsageError, match="new was null, now 1"):
        check_same(path, {**asked, "new": 1})


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_damaged_options(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"config\.json"):
        read_config(path)
