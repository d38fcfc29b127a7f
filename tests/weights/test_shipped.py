"""What ships: the project's own files are as the manifest says, and a built package has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from tests.weights.making import shipped_row, write_manifest

from retarget_cli.weights.checkpoints import SUFFIX, Label, read_label, write_weights
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.shipped import fault_of, read_manifest

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 40_000_000


def test_the_projects_own_weights(tmp_path: Path) -> None:
    folder = ROOT / "weights"
    rows = read_manifest(folder)
    for row in rows:
        path = folder / row.name
        assert fault_of(path, row, Ledger(tmp_path / "ledger.json")) == ""
        assert row.bytes <= LARGEST
        label = read_label(path)
        assert (label.backend, label.license) == (row.backend, row.license)
        assert all((row.license, row.provenance, row.made_by, row.data))


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a checkout")
def test_no_weights_are_committed_that_the_manifest_does_not_name() -> None:
    listed = subprocess.run(["git", "ls-files", "weights"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {Path(name).name for name in listed.stdout.split() if name.endswith(SUFFIX)}
    assert names == {row.name for row in read_manifest(ROOT / "weights")}


def run(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a small file of weights that ships."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.nb?"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder / name)
    path = folder / "weights" / "warper-256.safetensors"
    write_weights(path, {"a": torch.zeros(3)}, Label("warper", license="CC0-1.0"))
    (path.parent / "own.safetensors").write_bytes(b"not to be shipped")
    write_manifest(path.parent, shipped_row(path, "warper"))
    return folder


BUILD = "from setuptools.build_meta import build_{0}; build_{0}({1!r})"


def test_a_built_package_has_them(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="69")
    done = run(BUILD.format("wheel", str(tmp_path)), project)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    shipped = tmp_path / "site" / "retarget_cli" / "weights" / "shipped"
    assert sorted(path.name for path in shipped.iterdir()) == ["manifest.toml", "warper-256.safetensors"]
    program = (
        "from retarget_cli.weights.checkpoints import find_weights, read_weights\n"
        "path = find_weights('warper')\nread_weights(path, 'warper')\nprint(path)"
    )
    user = {"XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONPATH": str(tmp_path / "site"), "RETARGET_WEIGHTS": ""}
    found = run(program, tmp_path, **user)
    assert found.stdout.strip() == str(shipped / "warper-256.safetensors"), found.stderr
    (shipped / "warper-256.safetensors").write_bytes(b"")
    assert "0 bytes instead of" in run(program, tmp_path, **user).stderr


def test_a_source_distribution_has_them(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="69")
    done = run(BUILD.format("sdist", str(tmp_path)), project)
    assert done.returncode == 0, done.stderr[-2000:]
    (archive,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "source")
    (folder,) = (tmp_path / "source").iterdir()
    assert sorted(path.name for path in (folder / "weights").iterdir()) == ["manifest.toml", "warper-256.safetensors"]


def test_nothing_is_built_without_them(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="69")
    (project / "weights" / "warper-256.safetensors").unlink()
    done = run(BUILD.format("wheel", str(tmp_path)), project)
    assert done.returncode != 0
    assert "warper-256.safetensors is missing" in done.stderr
