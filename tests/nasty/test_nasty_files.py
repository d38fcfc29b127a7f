"""Every awkward file of ../shared/data/nasty gives a right video, or one clear error and nothing left behind.

`NASTY_TABLE=path` writes what each file gave.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import probe
from tests.workflows.scenes import draw, motion_of, waving
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion

pytestmark = pytest.mark.shared
NASTY = Path(__file__).resolve().parents[3] / "shared" / "data" / "nasty"
FRAMES = 12

# Those that cannot give a video: exit code, and what the message must say besides the file's name.
DRIVING_ERRORS = {
    "x12_empty.mp4": (3, "empty"),
    "x13_text_renamed.mp4": (3, ""),
    "x15_audio_only.m4a.mp4": (3, ""),
    "n06_noperson_bottles.mp4": (3, "no person"),
    "n22_10bit_hevc_testsrc.mp4": (3, "no person"),
    "n23_vfr_testsrc_yuv444.mp4": (3, "no person"),
    "n24_av1_mkv_testsrc.mkv": (3, "no person"),
    "n05_oneatatime_backview_139s.mp4": (3, "no person"),  # nobody enters within the first 12 frames
}
SOURCE_ERRORS = {
    "x14_text_renamed.png": (3, ""),
    "y11_tiny_33x59.png": None,  # a person of 50 pixels: found or not, but never a crash
    "y12_strip_720x7.png": (3, "no person"),
    "y16_truncated.jpg": None,  # half of the picture is there: whatever is made of it is clear
}
# Pictures: frames that they have as driving.
MOVING = {"y14_animated.webp": 12, "y15_apng.png": 12, "n12_gif_single_ai_dance_vfr.gif": 12}
FEWER = {"x09_single_frame.mp4": 1}
PICTURES = {".jpg", ".png", ".webp", ".bmp", ".avif", ".gif"}


def files() -> list[Path]:
    return sorted(path for path in NASTY.rglob("*") if path.is_file()) if NASTY.is_dir() else []


def videos() -> list[Path]:
    return [path for path in files() if path.suffix not in PICTURES or path.name in MOVING]


def pictures() -> list[Path]:
    return [path for path in files() if path.suffix in PICTURES]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nasty") / "me.png"
    write_png(path, draw((240, 160)).image)
    return path


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nasty") / "wave.motion"
    save_motion(path, motion_of(waving(FRAMES), (192, 128)), {})
    return path


# The man is a thirtieth of these pictures' area: at 128 pixels nobody could tell what he is.
SMALL_PEOPLE = "n17_exif"


def outcome(name: str, kind: str, output: Path, *words: str) -> tuple[int, str, dict[str, object]]:
    """Exit code, the error's text, and the JSON object of one run, checked for form."""
    said = [
        "animate",
        "-o",
        str(output),
        "--size",
        "640" if name.startswith(SMALL_PEOPLE) else "128",
        "--max-frames",
        str(FRAMES),
        "--json",
        "--quiet",
    ]
    result = CliRunner().invoke(app, [*said, "--device", "cpu", *words])
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    data = json.loads(lines[0])
    error = result.stderr
    if result.exit_code:
        told = error.splitlines()
        assert [line.split(":")[0] for line in told] in (["error", "hint"], ["error"]), error
        assert "unexpected" not in error
        assert name in error or "driving clip" in error, error
        assert list(output.parent.iterdir()) == []
    else:
        assert error == ""
        assert [path.name for path in output.parent.iterdir()] == [output.name]
    note(name, kind, result.exit_code, data, error)
    return result.exit_code, error, data


def note(name: str, kind: str, code: int, data: dict[str, object], error: str) -> None:
    table = os.environ.get("NASTY_TABLE")
    if table:
        short = (
            error.splitlines()[0]
            if error
            else f"{data['frames']} frames {data['width']}x{data['height']} {data['fps']}"
        )
        with open(table, "a", encoding="utf-8") as file:
            file.write(f"| {name} | {kind} | {code} | {short} {data.get('notes') or ''} |\n")


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("path", videos(), ids=lambda path: path.name)
def test_as_driving(path: Path, photo: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    code, error, data = outcome(path.name, "driving", output, "-s", str(photo), "-d", str(path))
    expected = DRIVING_ERRORS.get(path.name)
    if expected is not None:
        assert code == expected[0]
        assert expected[1] in error
        return
    assert code == 0, error
    film = probe(output)
    assert film.size == (128, 86)
    assert len(film.frames) == data["frames"] == FEWER.get(path.name, FRAMES)
    assert all(later > earlier for earlier, later in zip(film.times, film.times[1:], strict=False))
    assert all(np.abs(frame.astype(int) - 120).max(-1).mean() > 4 for frame in film.frames)  # somebody is shown


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.name)
def test_as_source(path: Path, motion: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    code, error, data = outcome(path.name, "source", output, "-s", str(path), "-d", str(motion))
    if path.name in SOURCE_ERRORS:
        expected = SOURCE_ERRORS[path.name]
        if expected is not None:
            assert code == expected[0]
            assert expected[1] in error
        assert code in {0, 3}
        return
    assert code == 0, error
    film = probe(output)
    assert len(film.frames) == FRAMES == data["frames"]
    assert max(film.size) == (640 if path.name.startswith(SMALL_PEOPLE) else 128)
    assert film.size[0] > film.size[1]  # all of them stand upright, whatever was stored


# What is turned or mirrored on disk shows the same picture: EXIF 6 and 7 and the plain one.
UPRIGHT = ["y03_exif6.jpg", "y06.webp", "y08_16bit_rgb.png", "y13_odd_701x1249.bmp", "y17.avif"]


@pytest.mark.usefixtures("shared_data")
def test_the_same_photo_in_other_clothes_gives_the_same_person(motion: Path, tmp_path: Path) -> None:
    shown = []
    for name in UPRIGHT:
        folder = tmp_path / name
        folder.mkdir()
        path = str(NASTY / "derived" / name)
        outcome(name, "same", folder / "out.mp4", "-s", path, "-d", str(motion))
        shown.append(probe(folder / "out.mp4").frames[0].astype(int))
    for other in shown[1:]:
        assert other.shape == shown[0].shape
        assert np.abs(other - shown[0]).mean() < 8
