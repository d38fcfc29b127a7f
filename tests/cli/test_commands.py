"""The commands, in this process: exit codes, what is said where, and aliases."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.media_maker import Clip, make_video, probe
from tests.workflows.scenes import draw, motion_of, waving
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.core.errors import (
    BackendError,
    DeviceError,
    InputError,
    OutputError,
    RetargetError,
    UsageError,
    WeightsError,
)
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import load_motion, save_motion
from retarget_cli.workflows import animate as workflow
from retarget_cli.workflows.animate import AnimateResult
from retarget_cli.workflows.animate_options import AnimateOptions

Result = Any  # typer brings its own copy of click's class


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    write_png(folder / "me.png", draw((192, 128)).image)
    save_motion(folder / "wave.motion", motion_of(waving(6), (192, 128)), {})
    return folder


def animate(files: Path, output: Path, *words: object) -> Result:
    return run("animate", "-s", files / "me.png", "-d", files / "wave.motion", "-o", output, "--device", "cpu", *words)


def test_a_video_and_one_line_about_it(files: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    result = animate(files, output)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1
    assert result.stdout.startswith(f"{output}: 6 frames, 128x192, 25 fps, in ")
    assert "render: 6 frames" in result.stderr
    assert len(probe(output).frames) == 6


def test_json_is_one_object_and_nothing_else(files: Path, tmp_path: Path) -> None:
    result = animate(files, tmp_path / "out.mp4", "--json")
    lines = result.stdout.splitlines()
    assert len(lines) == 1
    data = json.loads(lines[0])
    assert (data["frames"], data["width"], data["height"], data["fps"]) == (6, 128, 192, "25")
    assert data["path"] == str(tmp_path / "out.mp4")
    assert data["seconds"] >= data["first_frame_seconds"] > 0


def test_json_tells_of_errors_too(files: Path, tmp_path: Path) -> None:
    result = run("animate", "-s", tmp_path / "no.png", "-d", files / "wave.motion", "-o", tmp_path / "o.mp4", "--json")
    assert result.exit_code == 3
    data = json.loads(result.stdout)
    assert "no.png" in data["error"]
    assert data["exit_code"] == 3
    assert result.stderr.startswith("error: ")


def test_quiet_says_nothing(files: Path, tmp_path: Path) -> None:
    result = animate(files, tmp_path / "out.mp4", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    again = animate(files, tmp_path / "out.mp4", "--quiet")
    assert again.exit_code == 3
    assert again.stdout == ""
    assert again.stderr.splitlines()[0] == f"error: {tmp_path / 'out.mp4'} exists"
    assert again.stderr.splitlines()[1].startswith("hint: ")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[AnimateOptions]:
    """What the command line made of the words; nothing is done."""
    options: list[AnimateOptions] = []

    def pretend(given: AnimateOptions, cache: object, progress: object) -> AnimateResult:
        options.append(given)
        return AnimateResult(Path("x.mp4"), 1, (4, 6), Fraction(25), 1.0, 0.5, "cpu", ("odd",))

    monkeypatch.setattr(workflow, "animate", pretend)
    return options


def test_aliases_of_first_order_model(said: list[AnimateOptions]) -> None:
    words = "--source_image a.png --driving_video b.mp4 --result_video c.mp4 --relative --adapt_scale --find_best_frame"
    result = run("animate", *words.split())
    assert result.exit_code == 0, result.output
    words = "-s a.png -d b.mp4 -o c.mp4 --find-best-frame --adapt-scale --motion relative"
    short = run("animate", *words.split())
    assert short.exit_code == 0
    assert said[0] == said[1]
    assert said[0].find_best_frame
    assert said[0].adapts_scale
    assert said[0].sources == ("a.png",)
    assert "note: odd" in result.stderr


def test_every_option_arrives(said: list[AnimateOptions]) -> None:
    words = (
        "animate -s a.png -s b.png -d c.mp4 -o d.mp4 --backend avatar --set nodes=80 --set samples=1 --motion absolute "
        "--framing follow --smooth 0.5 --missing skip --person left --source-person 2 --background #ffffff "
        "--size 64x48 --fps 29.97 --start 1:02 --end 63.5 --max-frames 9 --no-audio --codec h265 --crf 30 --compare "
        "--overwrite --device cpu --body smpl --crop auto --driving-crop 1,2,64x48"
    )
    assert run(*words.split()).exit_code == 0
    options = said[0]
    assert (options.crop, options.driving_crop) == ("auto", "1,2,64x48")
    assert not options.adapts_scale
    assert options.sources == ("a.png", "b.png")
    assert dict(options.settings) == {"nodes": "80", "samples": "1"}
    assert (options.motion.value, options.framing.value, options.missing.value) == ("absolute", "follow", "skip")
    assert (options.smooth, options.person, options.source_person) == (0.5, "left", 2)
    assert (options.background, options.size, options.fps) == ("#ffffff", "64x48", Fraction(30000, 1001))
    assert (options.excerpt.start, options.excerpt.end, options.excerpt.max_frames) == (62, Fraction(127, 2), 9)
    assert not options.has_audio
    assert options.is_compared
    assert options.may_overwrite
    assert (options.codec, options.crf, options.device, options.body) == ("h265", 30, "cpu", "smpl")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "-s a.png",
        "-d b.mp4",
        "-s a.png -d b.mp4 --motion sideways",
        "-s a.png -d b.mp4 --smooth 2",
        "-s a.png -d b.mp4 --fps fast",
        "-s a.png -d b.mp4 --start -5",
        "-s a.png -d b.mp4 --max-frames 0",
        "-s a.png -d b.mp4 --set nodes",
        "-s a.png -d b.mp4 --person nobody",
        "-s a.png -d b.mp4 --relative --motion absolute",
        "-s a.png -d b.mp4 --audio c.mp3 --no-audio",
        "-s a.png -d b.mp4 --no-such-option",
        "-s a.png -d b.mp4 --crf 99",
    ],
)
def test_wrong_usage_is_two(said: list[AnimateOptions], words: str) -> None:
    result = run("animate", *words.split())
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert not said


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 2), (InputError, 3), (OutputError, 3), (BackendError, 4), (WeightsError, 4), (DeviceError, 4)],
)
def test_errors_become_a_line_a_hint_and_a_code(
    monkeypatch: pytest.MonkeyPatch, error: type[RetargetError], code: int
) -> None:
    result = failing(monkeypatch, error("it broke", "mend it"))
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", "error: it broke\nhint: mend it\n")


def test_a_fault_of_ours_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing(monkeypatch, KeyError("lost"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith("error: unexpected KeyError")
    assert "--debug" in result.stderr
    assert "Traceback" not in result.stderr
    assert failing(monkeypatch, MemoryError()).stderr.startswith("error: out of memory")


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing(monkeypatch, KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr.startswith("error: interrupted")


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(workflow, "animate", fails)
    return run("animate", "-s", "a.png", "-d", "b.mp4")


REAL_ERRORS: dict[str, tuple[int, Callable[[Path], list[object]]]] = {
    "backend": (2, lambda f: ["--backend", "avatr"]),
    "setting": (2, lambda f: ["--set", "nodes=many"]),
    "size": (2, lambda f: ["--size", "huge"]),
    "colour": (2, lambda f: ["--background", "#12"]),
    "kind": (2, lambda f: ["-o", f / "out.xyz"]),
    "background": (3, lambda f: ["--background", f / "no.png"]),
    "audio": (3, lambda f: ["--audio", f / "no.mp3"]),
    "device": (4, lambda f: ["--device", "tpu"]),
    "body": (4, lambda f: ["--body", "smpl"]),
}


@pytest.mark.parametrize("name", REAL_ERRORS)
def test_real_errors(files: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "none"))
    code, words = REAL_ERRORS[name]
    result = animate(files, tmp_path / "out.mp4", "--quiet", *words(tmp_path))
    assert result.exit_code == code, result.output
    told = result.stderr.splitlines()
    assert told[0].startswith("error: ")
    assert len(told) <= 2
    assert all(line.startswith("hint: ") for line in told[1:])
    assert list(tmp_path.iterdir()) == []


def test_extract_writes_a_motion(files: Path, tmp_path: Path) -> None:
    clip = make_video(
        tmp_path / "wave.mp4", Clip((192, 128), Fraction(25), 4), [draw((192, 128), t).image for t in waving(4)]
    )
    output = tmp_path / "wave.motion"
    result = run("extract", clip, "-o", output, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert (data["path"], data["frames"], data["present"]) == (str(output), 4, 4)
    assert len(load_motion(output)) == 4
    again = run("extract", clip, "-o", output, "--quiet")
    assert again.exit_code == 3
    assert "exists" in again.stderr
    assert run("extract", tmp_path / "no.mp4", "-o", tmp_path / "no.motion").exit_code == 3


def test_extract_of_nobody(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "empty.mp4", Clip(count=3))
    result = run("extract", clip, "-o", tmp_path / "empty.motion", "--quiet")
    assert result.exit_code == 3
    assert "no person" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty.mp4"]


def test_backends_are_listed_with_what_they_need() -> None:
    result = run("backends")
    assert result.exit_code == 0
    for word in ("avatar", "pose", "mask", "body", "Apache-2.0", "none"):
        assert word in result.stdout
    data = json.loads(run("backends", "--json").stdout)
    assert data["backends"]["avatar"]["ready"] is True
    assert data["backends"]["avatar"]["options"]["nodes"]["default"] == "140"
    assert "nodes" in run("backends", "avatar").stdout
    unknown = run("backends", "avatr")
    assert unknown.exit_code == 2
    assert "did you mean avatar?" in unknown.stderr


def test_cache_info_and_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("RETARGET_CACHE", str(folder))
    assert json.loads(run("cache", "info", "--json").stdout)["entries"] == 0
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(b"x" * 100)
    data = json.loads(run("cache", "info", "--json").stdout)
    assert (data["entries"], data["bytes"], data["folder"]) == (1, 100, str(folder))
    assert "1 entr" in run("cache", "info").stdout
    assert run("cache", "clear").stdout == "removed 1 entry\n"
    assert run("cache", "clear").stdout == "removed 0 entries\n"
    monkeypatch.setenv("RETARGET_CACHE_LIMIT", "much")
    assert run("cache", "info").exit_code == 2


def test_doctor_finds_everything_in_order() -> None:
    result = run("doctor", "--device", "cpu", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["faults"] == []
    for name in ("python", "torch", "mediapipe", "device", "cache", "self test"):
        assert name in data["findings"]
    assert run("doctor", "--device", "tpu").exit_code == 4


@pytest.mark.parametrize("words", [["-h"], ["animate", "-h"], ["extract", "--help"], ["cache", "-h"], ["bench", "-h"]])
def test_help(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0
    assert "retarget" in result.stdout or "Usage" in result.stdout


def test_version_and_no_words_at_all() -> None:
    assert run("--version").stdout.startswith("retarget ")
    assert "animate" in run().output
