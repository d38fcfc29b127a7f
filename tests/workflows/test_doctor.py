"""What is found to be missing, and said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from retarget_cli.backends import registry
from retarget_cli.backends.base import Spec
from retarget_cli.backends.still.backend import Still
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.media.codecs import CODECS
from retarget_cli.media.encoders import working_codecs
from retarget_cli.weights.checkpoints import Label, write_weights
from retarget_cli.workflows import doctor, readiness, self_test
from retarget_cli.workflows.doctor import examine
from retarget_cli.workflows.readiness import all_backends, backend_readiness


@pytest.fixture
def no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only look."""
    monkeypatch.setattr(self_test, "run_self_test", lambda folder, device: 8)


def test_the_self_test_is_the_main_job(tmp_path: Path) -> None:
    assert self_test.run_self_test(tmp_path, "cpu") == self_test.FRAMES
    assert {path.name for path in tmp_path.iterdir()} == {"me.png", "dance.mp4", "dance.motion", "result.mp4"}


@pytest.mark.usefixtures("no_test")
def test_a_missing_package_is_a_fault_unless_it_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    known = doctor.version

    def version(name: str) -> str:
        if name in ("scipy", "pytorch3d"):
            raise PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(doctor, "version", version)
    report = examine("cpu")
    assert report.findings["scipy"] == "not installed"
    assert report.findings["pytorch3d"] == "not installed (optional)"
    assert len(report.faults) == 1
    assert "pip install scipy" in report.faults[0]
    assert "FAULT" in report.text()


def test_a_self_test_that_fails_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(folder: Path, device: str) -> int:
        raise BackendError("the encoder is broken", "mend it")

    monkeypatch.setattr(self_test, "run_self_test", fails)
    report = examine("cpu")
    assert report.findings["self test"] == "failed"
    assert "the encoder is broken" in report.faults[0]


@pytest.mark.usefixtures("no_test")
def test_what_runs_where_and_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path))
    found = examine("cpu").findings
    assert found["render"] == "cpu, rasterizer: numba"
    assert found["models folder"] == str(tmp_path)
    assert "smpl.is.tue.mpg.de" in found["body smpl"]
    assert found["body anny"].startswith("ready")
    assert found["backend avatar"] == "ready; needs no weights"
    assert found["codecs"].startswith("h264, ")


def test_software_encoders_work() -> None:
    found = working_codecs()
    assert set(found) == set(CODECS)
    assert all(works for name, works in found.items() if "nvenc" not in name)


@pytest.mark.usefixtures("no_test")
def test_an_encoder_that_is_not_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retarget_cli.media.encoders.working_codecs", lambda: {"h264": False, "ffv1": True})
    report = examine("cpu")
    assert report.findings["codecs"] == "ffv1 (not here: h264)"
    assert "h264" in report.faults[0]


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretend that another package brings a backend."""

    def plug(target: str) -> None:
        known = {"other": target, **registry.BUILT_IN}
        monkeypatch.setattr(registry, "known_backends", lambda: known)
        monkeypatch.setattr(readiness, "known_backends", lambda: known)

    return plug


def test_a_broken_backend_does_not_hide_the_others(plugged: Callable[[str], None]) -> None:
    plugged("no_such_module:Class")
    found = {backend.name: backend for backend in all_backends()}
    avatar, other = found["avatar"], found["other"]
    assert avatar.is_ready
    assert avatar.needs == ("body", "mask", "pose")
    assert not other.is_ready
    assert "can't be imported" in other.reason


class Learned(Still):
    """A backend that needs weights of both kinds."""

    spec: ClassVar[Spec] = replace(Still.spec, weights=("alexnet", "learned"))


def test_a_backend_is_ready_when_its_weights_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RETARGET_WEIGHTS", "XDG_DATA_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(readiness, "backend_class", lambda _: Learned)
    found = backend_readiness("learned")
    assert not found.is_ready
    assert found.reason.startswith("the weights alexnet")
    monkeypatch.setattr(Learned, "spec", replace(Still.spec, weights=("learned",)))
    assert backend_readiness("learned").reason.startswith("no base weights of learned")
    write_weights(tmp_path / "RETARGET_WEIGHTS" / "learned-1.safetensors", {"a": torch.zeros(1)}, Label("learned"))
    assert backend_readiness("learned").is_ready


def test_an_unknown_backend_is_an_error() -> None:
    with pytest.raises(UsageError, match="unknown"):
        backend_readiness("avatr")
