"""What `retarget bench` measures; figures themselves are never tested."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from tests.media_maker import probe
from tests.workflows.conftest import Scene

from retarget_cli.core.errors import BackendError, InputError
from retarget_cli.workflows import bench as module
from retarget_cli.workflows.bench import measure
from retarget_cli.workflows.bench_process import Job, Setting, repeat, run_job
from retarget_cli.workflows.bench_report import BenchOptions

FRAMES = 8


@pytest.fixture
def setting(scene: Scene) -> Setting:
    return Setting(scene.photo, scene.clip, 96, FRAMES, "avatar", "cpu")


def test_every_stage_and_the_whole_job(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Setting] = []

    def pretend(setting: Setting, *_: object) -> Job:
        asked.append(setting)
        return Job(2.0, 1.0, 300.0, FRAMES)

    monkeypatch.setattr(module, "run_job", pretend)
    monkeypatch.setattr(module, "measure_starts", lambda setting: {"cold": pretend(setting)})
    jobs = {10: Job(3.0, 1.0, 400.0, 300), 60: Job(9.0, 1.0, 420.0, 1800)}
    monkeypatch.setattr(module, "measure_lengths", lambda setting, lengths: jobs)
    said: list[str] = []
    options = BenchOptions(scene.photo, scene.clip, (96,), FRAMES, "avatar", "cpu", is_cold=True, has_memory=True)
    report = measure(options, said.append)
    row = report.rows[0]
    assert (row.size, row.frames) == ("64x96", FRAMES)
    assert min(row.decode, row.pose, row.fit, row.render, row.encode, row.job_fps, row.motion_fps) > 0
    assert row.job_seconds == pytest.approx(FRAMES / row.job_fps)
    assert row.to_pose == pytest.approx(row.job_seconds * 1000 / FRAMES / row.pose)
    assert {(each.source, each.driving, each.size, each.frames) for each in asked} == {
        (scene.photo, scene.clip, 96, FRAMES)
    }
    text = report.text()
    stages = ("decode", "pose", "fit", "render", "encode")
    for word in (*stages, "cold", "clip of 60 s", "200.0 fps", "grows by 5.0 %", "device: cpu"):
        assert word in text
    assert json.loads(json.dumps(report.data()))["rows"][0]["process"]["peak_mib"] == 300
    assert said[0] == "measuring at 96 px ..."


@pytest.mark.slow
def test_a_job_in_a_process_of_its_own(setting: Setting, tmp_path: Path) -> None:
    ballast = bytearray(1200 * 2**20)
    ballast[:: 2**12] = b"x" * (len(ballast) // 2**12)
    job = run_job(setting, tmp_path, {}, "--no-cache")
    assert 0 < job.first_frame <= job.seconds
    assert job.frames == FRAMES
    assert len(probe(tmp_path / "job.mp4").frames) == FRAMES
    if not math.isnan(job.peak_mib):
        assert 100 < job.peak_mib < 1200  # the parent's memory is not the child's
    del ballast


def test_a_job_that_fails_says_why(setting: Setting, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="no such file"):
        run_job(replace(setting, source=tmp_path / "no.png"), tmp_path, {})


def test_a_clip_is_repeated_until_it_is_long_enough(scene: Scene, tmp_path: Path) -> None:
    repeat(scene.clip, tmp_path / "long.mp4", 2)
    assert len(probe(tmp_path / "long.mp4").frames) == 60


def test_nothing_to_measure_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="nothing"):
        module.example("nothing.png")
