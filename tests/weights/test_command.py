"""`retarget weights`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.weights.making import row
from tests.weights.server import Served, serving
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.weights import store as module
from retarget_cli.weights.catalog import CATALOG

CONTENT = b"weights" * 1000


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME", "RETARGET_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with serving() as found:
        found.files["net.pth"] = CONTENT
        rows = [row("net", CONTENT, f"{found.url}/net.pth"), row("lost", CONTENT, f"{found.url}/lost.pth")]
        monkeypatch.setattr(module, "CATALOG", {each.key: each for each in rows})
        yield found


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["weights", *(str(word) for word in words)])


def test_list_names_everything_and_where_it_was_looked_for(tmp_path: Path) -> None:
    result = run("list")
    assert result.exit_code == 0, result.output
    assert all(key in result.stdout for key in CATALOG)
    assert str(tmp_path / "retarget_weights") in result.stdout
    told = json.loads(run("list", "--json").stdout)
    assert set(told["weights"]) == set(CATALOG)
    alexnet = told["weights"]["alexnet"]
    assert (alexnet["condition"], alexnet["path"]) == ("missing", None)
    assert alexnet["sha256_is_whole"]
    assert told["searched"][0] == {"name": "RETARGET_WEIGHTS", "folder": str(tmp_path / "retarget_weights")}


def test_pull_path_verify(served: Served, tmp_path: Path) -> None:
    result = run("pull", "net")
    assert result.exit_code == 0, result.output
    path = tmp_path / "retarget_weights" / "net.pth"
    assert result.stdout.strip() == f"net: {path}"
    assert run("path", "net").stdout.strip() == str(path)
    assert json.loads(run("path", "net", "--json").stdout)["sha256"] == row("net", CONTENT).sha256
    assert run("verify").exit_code == 0
    assert "yes" in run("list").stdout
    path.write_bytes(CONTENT[::-1])
    result = run("verify", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["hint"] == "retarget weights pull net"
    assert run("path", "net").exit_code == 4


def test_a_folder_of_ones_own(served: Served, tmp_path: Path) -> None:
    assert run("pull", "net", "--folder", tmp_path / "mine").exit_code == 0
    assert (tmp_path / "mine" / "net.pth").read_bytes() == CONTENT
    assert run("path", "net").exit_code == 4
    assert run("path", "net", "--folder", tmp_path / "mine").exit_code == 0


def test_what_cannot_be_pulled_ends_with_4(served: Served) -> None:
    result = run("pull", "--all", "--json")
    assert result.exit_code == 4
    assert "404" in json.loads(result.stdout)["error"]
    assert run("verify").exit_code == 0  # of what is there
    assert run("verify", "lost").exit_code == 4


def test_names_are_checked_before_anything_is_pulled(served: Served) -> None:
    result = run("pull", "net", "nett")
    assert result.exit_code == 2
    assert "did you mean net?" in result.stderr
    assert served.asked == []
    assert run("pull").exit_code == 2


def test_quiet_says_nothing(served: Served) -> None:
    result = run("pull", "net", "-q")
    assert (result.exit_code, result.output) == (0, "")
