"""`retarget eval` and `retarget synth` as users start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.metrics.scenery import gliding, noised, write_frames
from typer.testing import CliRunner

from retarget_cli.cli.app import app

Result = Any  # typer brings its own copy of click's class


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two true clips, and the same with noise as two tools might have rendered them."""
    root = tmp_path_factory.mktemp("clips")
    for name in ("a", "b"):
        clip = gliding(1.0 if name == "a" else 2.0)
        write_frames(root / "truth" / name, clip)
        write_frames(root / "good" / name, noised(clip, 4.0))
        write_frames(root / "bad" / name, noised(clip, 20.0))
    return root


def score(clips: Path, output: Path, *words: object) -> Result:
    said = ("--rendered", clips / "good", "-r", f"poor={clips / 'bad'}", "-t", clips / "truth", "-o", output)
    return run("eval", "score", *said, "--no-report", *words)


def test_a_table_of_methods(clips: Path, tmp_path: Path) -> None:
    result = score(clips, tmp_path / "run", "-m", "psnr", "-m", "l1")
    assert result.exit_code == 0, result.output
    head, rule, good, poor = result.stdout.splitlines()
    assert head.split() == ["method", "PSNR", "^", "L1", "v"]
    assert set(rule) == {"-", " "}
    assert (good.split()[0], poor.split()[0]) == ("good", "poor")
    assert float(good.split()[1]) > float(poor.split()[1])
    assert "4 of 4 clips scored" in result.stderr


def test_json_and_what_is_missing(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETARGET_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    result = score(clips, tmp_path / "run", "-m", "psnr", "-m", "lpips-alex", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["clips"], told["failed"]) == (4, 0)
    assert told["overall"]["good"]["psnr"]["mean"] > told["overall"]["poor"]["psnr"]["mean"]
    report = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))
    (missing,) = report["missing"]
    assert (missing["key"], missing["command"]) == ("lpips-alex", "retarget weights pull alexnet")
    assert "n/a: LPIPS (AlexNet)" in result.stderr


def test_some_failed_is_exit_code_one(clips: Path, tmp_path: Path) -> None:
    theirs = write_frames(tmp_path / "theirs" / "a", gliding(1.0)[:4])
    result = run("eval", "score", "-r", theirs.parent, "-t", clips / "truth", "-o", tmp_path / "run",
                 "-m", "psnr", "--no-report")  # fmt: skip
    assert result.exit_code == 1
    assert "no rendered clip for 1 of 2 targets: b" in result.stderr
    assert "2 failed" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("eval", "run", "nowhere", "-b", "still", "-o", "{tmp}/r"), 3, "no such data set"),
        (("eval", "run", "{truth}", "-b", "stil", "-o", "{tmp}/r"), 2, "did you mean still?"),
        (("eval", "run", "{truth}", "-b", "still", "-o", "{tmp}/r", "--protocol", "dance"), 2, "novel-view"),
        (("eval", "run", "{truth}", "-b", "still", "-o", "{tmp}/r", "--protocol", "novel-view"), 2, "retarget synth"),
        (("eval", "run", "{truth}", "-b", "still", "-o", "{tmp}/r", "--preset", "x"), 2, "iper-self"),
        (("eval", "run", "{truth}", "-b", "still", "-o", "{tmp}/r", "-m", "pnsr"), 2, "did you mean psnr"),
        (("eval", "run", "{truth}", "-b", "still", "-o", "{tmp}/r", "--size", "9999999999"), 2, "--size"),
        (("eval", "score", "-r", "{truth}", "-t", "nowhere", "-o", "{tmp}/r"), 3, "nowhere"),
        (("eval", "report", "{truth}", "-o", "{tmp}/r"), 3, "report"),
    ],
)
def test_one_clear_line(clips: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    result = run(*(word.format(tmp=tmp_path, truth=clips / "truth") for word in words))
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "r").exists()


def test_protocols_are_listed() -> None:
    result = run("eval", "protocols")
    assert result.exit_code == 0
    assert "saa-animation" in result.stdout
    assert "200 random pairs" in result.stdout


def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    """SIGKILL between two clips: what was finished stays, nothing half done counts, the rest follows."""
    for name in "abcdef":
        write_frames(tmp_path / "data" / name, gliding(1.0, 24, (240, 240)))
    data, output = str(tmp_path / "data"), str(tmp_path / "run")
    words = [sys.executable, "-m", "retarget_cli", "eval", "score", "-r", data, "-t", data, "-o", output]
    words += ["-m", "ms-ssim", "-m", "tcm", "--no-report", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
    scores = tmp_path / "run" / "scores" / "data"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(scores.glob("*.json"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = {path.name: path.stat().st_mtime_ns for path in scores.glob("*.json")}
    assert len(kept) >= 2
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clips"] == 6
    assert all((scores / name).stat().st_mtime_ns == when for name, when in kept.items())
