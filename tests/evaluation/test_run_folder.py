"""A run keeps what it found, and only that run goes on in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.evaluation.results import Scored
from retarget_cli.evaluation.run_folder import RunFolder

SETTINGS = {"dataset": "a", "protocol": {"seed": 0}}
FOUND = Scored({"psnr": 20.5, "tcm": None}, {"psnr": (20.0, 21.0), "tcm": (None, None)}, (0, 1), (4, 6), "png", 1.5)


def test_scores_and_features_come_back(tmp_path: Path) -> None:
    folder = RunFolder.open(tmp_path / "run", SETTINGS)
    folder.save_score("avatar:nodes=9", "a/b", FOUND)
    folder.save_features("avatar:nodes=9", "a/b", {"fid": torch.arange(6.0).reshape(2, 3)})
    again = RunFolder.open(tmp_path / "run", SETTINGS)
    assert again.score("avatar:nodes=9", "a/b") == FOUND
    features = again.features("avatar:nodes=9", "a/b")
    assert features is not None
    assert features["fid"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert again.score("avatar", "a/b") is None
    assert again.features("avatar", "a/b") is None


def test_what_was_cut_short_counts_as_not_there(tmp_path: Path) -> None:
    folder = RunFolder.open(tmp_path, SETTINGS)
    folder.save_score("m", "c", FOUND)
    folder.save_features("m", "c", {"fid": torch.zeros(1, 1)})
    for path in (tmp_path / "scores/m/c.json", tmp_path / "features/m/c.safetensors"):
        path.write_bytes(path.read_bytes()[:10])
    assert folder.score("m", "c") is None
    assert folder.features("m", "c") is None


def test_another_run_is_refused_and_named(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, SETTINGS)
    with pytest.raises(UsageError, match="its seed is 0, not 1") as caught:
        RunFolder.open(tmp_path, {**SETTINGS, "protocol": {"seed": 1}})
    assert "--overwrite" in caught.value.hint


def test_overwrite_begins_anew(tmp_path: Path) -> None:
    RunFolder.open(tmp_path / "run", SETTINGS).save_score("m", "c", FOUND)
    folder = RunFolder.open(tmp_path / "run", {"dataset": "b"}, may_overwrite=True)
    assert folder.score("m", "c") is None


def test_other_peoples_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("do not delete", "utf-8")
    for may_overwrite in (False, True):
        with pytest.raises(UsageError, match="holds no run"):
            RunFolder.open(tmp_path, SETTINGS, may_overwrite=may_overwrite)
    with pytest.raises(UsageError, match="not a folder"):
        RunFolder.open(tmp_path / "thesis.txt", SETTINGS)
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "do not delete"


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.open(tmp_path, SETTINGS)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        folder.save_score("m", "c", FOUND)
    assert "goes on" in caught.value.hint
    assert not list(tmp_path.rglob("*.part"))
