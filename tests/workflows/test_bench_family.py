"""What `retarget bench` measures of methods that are led by pixels; figures themselves are never tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.workflows.conftest import Scene
from typer.testing import CliRunner

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.self_appearance.backend import Family
from retarget_cli.cli.app import app
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.workflows import bench, bench_ceiling, bench_family
from retarget_cli.workflows.bench import measure
from retarget_cli.workflows.bench_ceiling import macs
from retarget_cli.workflows.bench_family import load_port, measure_family
from retarget_cli.workflows.bench_process import Job, Setting, run_job
from retarget_cli.workflows.bench_report import BenchOptions

SMALL = tuple({"weights": "none", "keypoints": "2", "width": "8", "most": "16", "resolution": "48"}.items())
FRAMES = 8


def options(scene: Scene, backend: str = "first-order", *more: tuple[str, str]) -> BenchOptions:
    return BenchOptions(scene.photo, scene.clip, (48,), FRAMES, backend, "cpu", False, False, (*SMALL, *more))


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)


@pytest.mark.parametrize("backend", ["first-order", "articulated"])
def test_the_published_way_and_ours(scene: Scene, backend: str) -> None:
    found = measure_family(scene.photo, scene.clip, options(scene, backend))
    convolution, _, port, full, half = found.rates
    assert convolution.gmac == pytest.approx(2.416, abs=1e-3)
    assert port.gmac > full.gmac == half.gmac > 0
    assert all(rate.seconds > 0 for rate in found.rates)
    assert found.difference < 1e-4
    for word in ("published way", "ready, bf16", "as fast as the published way: fp32", "of 255 levels at most"):
        assert word in found.text()


def test_what_references_cost(scene: Scene) -> None:
    found = measure_family(scene.photo, scene.clip, options(scene, "self-appearance", ("references", "2")))
    assert [rate.name.rpartition(": ")[2] for rate in found.rates[-2:]] == ["1", "2"]
    assert "every reference takes" in found.text()


def test_work_is_that_of_a_frame_alone(scene: Scene) -> None:
    found = measure_family(scene.photo, scene.clip, options(scene))
    backend = make_backend("first-order", dict(SMALL), torch.device("cpu"))
    assert isinstance(backend, Family)
    network, views = backend.network, torch.rand(1, 3, 48, 48)
    with torch.inference_mode():
        source, parts = network.encode(views), network.detector(views)
        work = macs(network, lambda: network(source, network.detector(views)))
        assert len(list(load_port()(network, views, torch.rand(3, 3, 48, 48)))) == 3
    assert found.rates[3].gmac == pytest.approx(work / 1e9)
    assert len(parts) == 1


def test_the_port_comes_with_the_source_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_family, "PORT", Path("benchmarks", "nothing.py"))
    with pytest.raises(InputError, match="nothing"):
        load_port()


def test_other_methods_are_not_measured_so(scene: Scene) -> None:
    with pytest.raises(UsageError, match="avatar"):
        measure_family(scene.photo, scene.clip, options(scene, "avatar"))


def test_stages_of_a_method_that_perceives_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Setting] = []

    def pretend(setting: Setting, *_: object) -> Job:
        asked.append(setting)
        return Job(2.0, 1.0, 300.0, FRAMES)

    monkeypatch.setattr(bench, "run_job", pretend)
    report = measure(options(scene), lambda _: None)
    row = report.rows[0]
    assert row.frames == FRAMES
    assert min(row.decode, row.render, row.encode, row.job_fps) > 0
    assert row.pose is row.fit is row.motion_fps is row.to_pose is None
    assert [each.settings for each in asked] == [SMALL]
    assert "- fps" in report.text()


def test_options_reach_the_measured_process(scene: Scene, tmp_path: Path) -> None:
    setting = Setting(scene.photo, scene.clip, 48, 2, "first-order", "cpu", SMALL)
    assert run_job(setting, tmp_path, {}, "--no-cache").frames == 2


def test_from_the_command_line(scene: Scene) -> None:
    words = ["bench", "--ceiling", "--backend", "first-order", "--sizes", "48", "--precision", "bf16", "--json"]
    words += ["-s", str(scene.photo), "-d", str(scene.clip)]
    told = CliRunner().invoke(app, [*words, *(word for key, value in SMALL for word in ("--set", f"{key}={value}"))])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["rates"][2]["name"] == "first-order, 48 px: published way"
    told = CliRunner().invoke(app, [*words, "--precision", "fp8", "--set", "weights=none"])
    assert told.exit_code == 2
