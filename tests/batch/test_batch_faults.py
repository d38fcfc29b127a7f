"""A batch that is killed again and again ends as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media_maker import Clip
from tests.workflows.scenes import clip_of, draw

from retarget_cli.batch.item import State
from retarget_cli.batch.manifest import Manifest
from retarget_cli.media.images import write_png

SIZE = (192, 144)
# Seconds until the first frame: interpreters, torch, the source.
STARTING = 4.0
PEOPLE = ((90, 140, 100), (150, 90, 120))


def make_media(folder: Path, clips: int, frames: int) -> None:
    """Two people, and clips of different lengths with sound."""
    (folder / "people").mkdir(parents=True)
    (folder / "dances").mkdir()
    for number, wall in enumerate(PEOPLE):
        write_png(folder / "people" / f"{number} who?.png", draw((240, 160), wall=wall).image)
    for number in range(clips):
        seconds = float(Fraction(frames + number, 25))
        sound = {"audio_codec": "aac", "audio_seconds": seconds, "beeps": (0.2, 0.6)}
        clip_of(folder / "dances" / f"-clip {number}.mp4", Clip(SIZE, Fraction(25), frames + number, **sound))


def start(folder: Path, output: str, *more: str) -> subprocess.Popen[bytes]:
    words = ["batch", "-s", "people", "-d", "dances", "-o", output, "--workers", "2", *more]
    environment = {**os.environ, "RETARGET_CACHE": str(folder / f"{output} cache")}
    return subprocess.Popen(
        [sys.executable, "-m", "retarget_cli", *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.mp4"))}


def make_undisturbed(folder: Path, clips: int, frames: int) -> float:
    """The media and the batch that nobody disturbs; the seconds that it took."""
    make_media(folder, clips, frames)
    began = time.monotonic()
    whole = start(folder, "whole")
    assert ended(whole, 600)
    assert whole.returncode == 0
    return time.monotonic() - began


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)  # the driver alone: its workers must end by themselves
    process.communicate()


def check_ends_as_undisturbed(folder: Path, clips: int) -> None:
    last = start(folder, "killed")
    assert ended(last, 600)
    assert last.returncode == 0
    made, wanted = outputs(folder / "killed"), outputs(folder / "whole")
    assert list(made) == list(wanted)
    assert len(made) == len(PEOPLE) * clips
    assert [name for name in made if made[name] != wanted[name]] == []
    assert [path.name for path in (folder / "killed").iterdir() if path.name.endswith((".progress", ".part"))] == []
    with Manifest.open(folder / "killed", may_make=False) as manifest:
        assert manifest.counts()[State.DONE] == len(made)


def test_a_batch_that_was_killed_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    make_undisturbed(tmp_path, clips=1, frames=70)
    process = start(tmp_path, "killed")
    while not any((tmp_path / "killed").glob("*.progress")):  # no moment on the clock: machines differ
        assert process.poll() is None
        time.sleep(0.01)
    kill(process)
    assert outputs(tmp_path / "killed") == {}
    check_ends_as_undisturbed(tmp_path, clips=1)


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path) -> None:
    work = max(1.0, make_undisturbed(tmp_path, clips=5, frames=420) - STARTING)
    chance, killed = random.Random(7), 0
    while killed < 20:
        process = start(tmp_path, "killed")
        if ended(process, chance.uniform(0, STARTING + 1.5 * work / 20)):
            break
        kill(process)
        killed += 1
    assert killed >= 15
    check_ends_as_undisturbed(tmp_path, clips=5)


def test_what_is_wrong_with_one_item_harms_no_other(tmp_path: Path) -> None:
    make_media(tmp_path, clips=1, frames=12)
    people = tmp_path / "people"
    (people / "broken.png").write_bytes((people / "0 who?.png").read_bytes()[:2000])
    (people / "empty.jpg").write_bytes(b"")
    shutil.copy(Path(__file__), people / "text.png")
    write_png(people / "nobody.png", draw((240, 160)).image * 0 + 90)
    process = start(tmp_path, "out", "--timeout", "120")
    _, told = process.communicate(timeout=300)
    assert process.returncode == 1
    lines = told.decode().splitlines()
    for name in ("broken", "empty", "text", "nobody"):
        (reason,) = (line for line in lines if "failed: " in line and f" {name} x" in line)
        assert f"{name}." in reason
    assert sorted(outputs(tmp_path / "out")) == ["0 who?_-clip 0_avatar.mp4", "1 who?_-clip 0_avatar.mp4"]
    again = start(tmp_path, "out")
    again.communicate(timeout=300)
    assert again.returncode == 1
    for name in ("broken.png", "empty.jpg", "text.png", "nobody.png"):
        shutil.copy(people / "1 who?.png", people / name) if name.endswith("png") else (people / name).unlink()
    shutil.copy(people / "1 who?.png", people / "empty.png")
    mended = start(tmp_path, "out", "--retry-failed")
    mended.communicate(timeout=300)
    assert mended.returncode == 0
    assert len(outputs(tmp_path / "out")) == 6
