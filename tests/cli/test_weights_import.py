"""`retarget weights import`, and what `list`, `verify` say of weights of backends."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.reference_weights import fill
from tests.weights.making import shipped_row, write_manifest
from torch import Tensor
from typer.testing import CliRunner

from retarget_cli.backends.liquid_warp.generator import Design, Generator
from retarget_cli.backends.liquid_warp.official import recognisers
from retarget_cli.cli.app import app
from retarget_cli.core import files
from retarget_cli.weights import places
from retarget_cli.weights.checkpoints import Label, find_weights, read_weights, write_weights
from retarget_cli.weights.importing import Recogniser
from retarget_cli.workflows import import_weights

NAMES = {"net.0.weight": "first.weight", "net.0.bias": "first.bias"}
SHAPES = {"first.weight": (4, 3), "first.bias": (4,)}
FORMS = tuple(
    Recogniser(name, f"the {name}", "warper", NAMES, SHAPES, {"way": name}, "MIT", "https://a.test/")
    for name in ("sum", "mean")
)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME", "RETARGET_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(places, "_checkout", lambda: None)


@pytest.fixture
def is_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small form is known."""
    monkeypatch.setattr(import_weights, "recognisers", lambda: FORMS[:1])


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["weights", *(str(word) for word in words)])


def refused(code: int, *words: object) -> str:
    """Message and hint of a command that must fail so; one line each, no traceback."""
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    told = json.loads(result.stdout)
    assert told["exit_code"] == code
    assert result.stderr == f"error: {told['error']}\n" + (f"hint: {told['hint']}\n" if told["hint"] else "")
    return f"{told['error']} | {told['hint']}"


def toy(path: Path, prefix: str = "", **more: Tensor) -> Path:
    torch.manual_seed(0)
    state = {prefix + name: torch.rand(SHAPES[ours]) for name, ours in NAMES.items()} | more
    torch.save(state, path)
    return path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_the_released_generator(tmp_path: Path) -> None:
    """Names and shapes of the real one, values made up."""
    form = recognisers()[0]
    state = fill({theirs: form.shapes[ours] for theirs, ours in form.names.items()})
    path = tmp_path / "AttLWB-SPADE_id_G_2020-05-18.pth"
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, path)
    result = run("import", path, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["form"], told["backend"], told["tensors"]) == ("AttLWB-SPADE", "liquid-warp", 221)
    assert told["use"] == "--backend liquid-warp --set weights=AttLWB-SPADE_id_G_2020-05-18"
    assert told["imported_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    found = find_weights("liquid-warp", "AttLWB-SPADE_id_G_2020-05-18")
    assert str(found) == told["path"]
    made, label = read_weights(found, "liquid-warp")
    assert label.design == {"strategy": "attention", "width": "64", "depth": "6", "background_stream": "yes"}
    assert label.license.startswith("Apache-2.0")
    assert all(torch.equal(made[ours], state[theirs]) for theirs, ours in form.names.items())
    generator = Generator(Design())
    generator.load_state_dict(made)
    assert torch.equal(generator.transfer.merge[1].weight, state["tsf_net_dec.skippers.1.0.weight"])


@pytest.mark.usefixtures("is_toy")
def test_name_folder_and_overwriting(tmp_path: Path) -> None:
    path = toy(tmp_path / "net.pth")
    result = run("import", path)
    assert result.exit_code == 0, result.output
    first = tmp_path / "retarget_weights" / "net.safetensors"
    assert f"{path}: the sum, 2 tensors (way sum)" in result.stdout
    assert "--backend warper --set weights=net\n" in result.stdout
    assert first.is_file()
    assert "exists | give --overwrite" in refused(3, "import", path)
    before = first.read_bytes()
    toy(path, extra=torch.zeros(1))
    refused(4, "import", path, "--overwrite")
    assert first.read_bytes() == before
    toy(path)
    assert run("import", path, "--overwrite", "-q").output == ""
    result = run("import", path, "--name", "mine", "--to", tmp_path / "new" / "place")
    assert result.exit_code == 0
    made = tmp_path / "new" / "place" / "mine.safetensors"
    assert f"--set weights={made}" in result.stdout
    assert left(made.parent) == ["mine.safetensors"]


def test_forms_that_look_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_weights, "recognisers", lambda: FORMS)
    path = toy(tmp_path / "net.pth")
    assert "fits sum and mean alike" in refused(2, "import", path)
    assert run("import", path, "--as", "mean").exit_code == 0
    _, label = read_weights(find_weights("warper", "net"), "warper")
    assert label.design == {"way": "mean"}


class Runs:
    """Pickled, it makes a folder when it is read by a reader that runs what it reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.folder),)


@pytest.mark.usefixtures("is_toy")
def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    whole = toy(path).read_bytes()
    assert "does not exist" in refused(3, "import", tmp_path / "lost.pth")
    assert "is a folder" in refused(3, "import", tmp_path)
    path.write_bytes(b"")
    assert "is empty" in refused(3, "import", path)
    for content in (whole[: len(whole) // 2], b"not a network\n" * 30, b"\x80\x02}q\x00."):
        path.write_bytes(content)
        refused(4, "import", path)
    torch.save({"net.0.weight": Runs(tmp_path / "ran")}, path)
    assert "asks for code (posix.mkdir), and nothing in it is run" in refused(4, "import", path)
    assert not (tmp_path / "ran").exists()
    torch.save(torch.nn.Linear(3, 4), path)
    assert "asks for code" in refused(4, "import", path)
    torch.save({"state": {}, "param_groups": []}, path)
    assert "more than tensors: state, param_groups" in refused(4, "import", path)
    torch.save({"other": torch.zeros(1)}, path)
    assert "none of its 1 tensors (other)" in refused(4, "import", path)
    toy(path, extra=torch.zeros(1))
    assert "beside the sum: 1 unexpected (extra)" in refused(4, "import", path)
    torch.save({"net.0.weight": torch.zeros(8, 3), "net.0.bias": torch.zeros(4)}, path)
    assert "net.0.weight is (8, 3) instead of (4, 3)" in refused(4, "import", path)
    assert left(tmp_path / "retarget_weights") == []


def test_a_discriminator_is_told_apart(tmp_path: Path) -> None:
    form = next(each for each in recognisers() if each.name == "discriminator-personalize")
    path = tmp_path / "net_iter_1_id_D.pth"
    torch.save({theirs: torch.zeros(form.shapes[ours]) for theirs, ours in form.names.items()}, path)
    told = refused(4, "import", path)
    assert "discriminator of personalisation" in told
    assert "_id_G.pth" in told


@pytest.mark.usefixtures("is_toy")
def test_our_own_files_need_no_import(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, {"a": torch.zeros(1)}, Label("warper"))
    assert f"--backend warper --set weights={path}" in refused(2, "import", path)


@pytest.mark.usefixtures("is_toy")
@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "-x", "a\nb", "x" * 200, " "])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    assert "--name" in refused(2, "import", toy(tmp_path / "net.pth"), f"--name={name}")


@pytest.mark.usefixtures("is_toy")
def test_what_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy(tmp_path / "net.pth")
    assert "can't make" in refused(3, "import", path, "--to", path / "below")
    (tmp_path / "to").mkdir()
    for number in (errno.ENOSPC, errno.EACCES):

        def failing(*_: object, code: int = number) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(files.Path, "replace", failing)
        assert os.strerror(number) in refused(3, "import", path, "--to", tmp_path / "to")
        assert left(tmp_path / "to") == []


def test_list_and_verify_of_backends_weights(tmp_path: Path) -> None:
    folder = tmp_path / "retarget_weights"
    label = Label("warper", {"width": "4"}, ("a note",), 30, "made up", "MIT")
    write_weights(folder / "mine.safetensors", {"a": torch.zeros(9)}, label)
    write_weights(folder / "warper-256.safetensors", {"a": torch.zeros(9)}, label)
    write_manifest(folder, shipped_row(folder / "warper-256.safetensors", "warper"))
    (folder / "other.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    result = run("list")
    assert result.exit_code == 0, result.output
    assert "warper   mine" in result.stdout
    told = json.loads(run("list", "--json").stdout)["backends"]
    assert [(each["name"], each["is_shipped"]) for each in told] == [("mine", False), ("warper-256", True)]
    assert (told[0]["design"], told[0]["steps"], told[0]["notes"]) == ({"width": "4"}, 30, ["a note"])
    assert run("verify").exit_code == 0
    assert run("verify", "mine").stdout == f"mine: good ({folder / 'mine.safetensors'})\n"
    assert run("path", "mine").stdout == f"{folder / 'mine.safetensors'}\n"
    path = folder / "warper-256.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert "warper-256: its sha256 is" in refused_lines("verify")
    assert run("verify", "mine").exit_code == 0
    assert "its sha256 is" in refused_lines("path", "warper-256")
    path.unlink()
    assert "warper-256: " in refused_lines("verify", "warper-256")
    assert run("list").exit_code == 0
    write_manifest(folder)
    write_weights(folder / "mine.safetensors", {"a": torch.tensor([float("nan")])}, label)
    assert "not finite" in refused_lines("verify", "mine")
    (folder / "manifest.toml").write_text("[")
    assert "manifest.toml is damaged" in run("list").stdout
    assert "manifest.toml is damaged" in refused_lines("verify")
    assert run("verify", "nothing").exit_code == 2


def refused_lines(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 4, result.output
    return str(result.stderr)
