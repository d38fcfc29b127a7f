"""The program as users start it: streams, signals and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import Clip, probe
from tests.workflows.scenes import clip_of, draw, motion_of, waving

from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion

SIZE = (256, 192)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("process")
    write_png(folder / "me.png", draw(SIZE).image)
    clip_of(folder / "dance.mp4", Clip(SIZE, Fraction(25), 6))
    short = motion_of(waving(30), SIZE)
    times = tuple(Fraction(n, 25) for n in range(1500))
    rows = {
        name: np.concatenate([getattr(short, name)] * 50) for name in ("present", "pose", "world", "theta", "camera")
    }
    save_motion(folder / "long.motion", replace(short, times=times, **rows), {})
    return folder


def started(*words: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "retarget_cli", *(str(word) for word in words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def test_neither_stream_carries_the_noise_of_libraries(files: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    words = (
        "animate",
        "-s",
        files / "me.png",
        "-d",
        files / "dance.mp4",
        "-o",
        output,
        "--no-cache",
        "--device",
        "cpu",
    )
    code, out, err = finished(started(*words, "--json"))
    assert code == 0, err
    assert json.loads(out)["frames"] == 6
    assert out.count("\n") == 1
    for line in err.splitlines():
        assert line.split(":")[0] in {"device", "pose", "source", "render", "compiling the renderer, once"}, err
    assert len(probe(output).frames) == 6
    code, out, err = finished(started(*words, "--quiet", "--overwrite"))
    assert (code, out, err) == (0, "", "")


def test_an_error_is_a_line_and_a_code(files: Path, tmp_path: Path) -> None:
    code, out, err = finished(started("animate", "-s", tmp_path / "no.png", "-d", files / "dance.mp4"))
    assert (code, out) == (3, "")
    assert err.splitlines()[0] == f"error: --source {tmp_path / 'no.png'}: there is no such file"
    assert err.splitlines()[1].startswith("hint: ")
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("name", ["out.mp4", "new/frames"])
def test_a_signal_in_the_middle_leaves_nothing(
    files: Path, tmp_path: Path, number: signal.Signals, code: int, name: str
) -> None:
    process = started(
        "animate", "-s", files / "me.png", "-d", files / "long.motion", "-o", tmp_path / name, "--device", "cpu"
    )
    wait_for_partial(process, tmp_path)
    process.send_signal(number)
    found, out, err = finished(process)
    assert found == code, err
    assert out == ""
    assert "error: interrupted" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def wait_for_partial(process: subprocess.Popen[str], folder: Path) -> None:
    """Until the hidden file, or a frame in the hidden folder, is being written."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        parts = [path for path in folder.rglob(".*part*") if path.is_file() or any(path.iterdir())]
        if parts:
            time.sleep(0.2)
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"nothing was being written: {process.communicate()}")


def test_a_reader_that_goes_away_is_no_fault(files: Path) -> None:
    program = f"{sys.executable} -m retarget_cli backends --json | true"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
