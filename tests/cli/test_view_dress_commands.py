"""`retarget view` and `retarget dress` as they are typed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.scenes import draw
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.core.parts import Parts
from retarget_cli.media.images import write_png
from retarget_cli.workflows import dress as dressing
from retarget_cli.workflows import view as viewing
from retarget_cli.workflows.animate import AnimateResult
from retarget_cli.workflows.animate_options import AnimateOptions

Result = Any


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[AnimateOptions]:
    """What the command line made of the words; nothing is done."""
    options: list[AnimateOptions] = []

    def pretend(given: AnimateOptions, cache: object, progress: object) -> AnimateResult:
        options.append(given)
        return AnimateResult(Path("x.mp4"), 1, (4, 6), Fraction(25), 1.0, 0.5, "cpu", ("odd",))

    monkeypatch.setattr(viewing, "view", pretend)
    monkeypatch.setattr(dressing, "dress", pretend)
    return options


def test_a_view_without_a_word_is_a_turn(said: list[AnimateOptions]) -> None:
    result = run("view", "-s", "me.png")
    assert result.exit_code == 0, result.output
    assert said[0].orbit.azimuth == tuple(range(0, 360, 5))
    assert said[0].orbit.elevation == (0,)
    assert (said[0].driving, said[0].freeze, said[0].output) == (None, None, "{source}_{driving}.mp4")
    assert "note: odd" in result.stderr
    assert run("view", "-s", "me.png", "--background", "transparent").exit_code == 0
    assert said[1].output == "{source}_{driving}.mov"


def test_every_option_of_a_view_arrives(said: list[AnimateOptions]) -> None:
    words = (
        "view -s a.png --azimuth -30:30:30 --elevation -10 -d c.mp4 --freeze 0:02.5 -o t.webm --set nodes=80 --fps 12 "
        "--motion absolute --framing exact --smooth 0 --missing skip --person 2 --source-person left --size 64x48 "
        "--background #fff --start 1 --end 4 --max-frames 9 --no-audio --codec vp9 --crf 30 --compare --overwrite "
        "--device cpu --body smpl --backend avatar --debug-volume v"
    )
    result = run(*words.split())
    assert result.exit_code == 0, result.output
    options = said[0]
    assert (options.orbit.azimuth, options.orbit.elevation) == ((-30, 0, 30), (-10,))
    assert (options.driving, options.freeze, options.output) == (Path("c.mp4"), Fraction(5, 2), "t.webm")
    assert (options.motion.value, options.framing.value, options.missing.value) == ("absolute", "exact", "skip")
    assert (options.smooth, options.person, options.source_person, options.size) == (0, 2, "left", "64x48")
    assert (options.excerpt.start, options.excerpt.end, options.excerpt.max_frames) == (1, 4, 9)
    assert (options.fps, options.codec, options.crf, options.background) == (12, "vp9", 30, "#fff")
    assert options.is_compared
    assert options.may_overwrite
    assert not options.has_audio
    assert (options.device, options.body, options.backend) == ("cpu", "smpl", "avatar")
    assert dict(options.settings) == {"nodes": "80"}
    assert options.debug_volume == Path("v")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "-s a.png --azimuth north",
        "-s a.png --azimuth 0:0:0",
        "-s a.png --azimuth 0:360:0.0001",
        "-s a.png --elevation 120",
        "-s a.png --freeze soon",
        "-s a.png --subject b.subject",
        "-s a.png --audio b.mp3 --no-audio",
        "-s a.png --fps 0",
    ],
)
def test_impossible_views(said: list[AnimateOptions], words: str) -> None:
    assert run("view", *words.split()).exit_code == 2
    assert said == []


def test_every_option_of_a_dress_arrives(said: list[AnimateOptions]) -> None:
    words = "dress -s a.png -g b.png -g c.png --parts lower --garment-person 2 -d d.mp4 -o {source}.mp4 --set samples=1"
    assert run(*words.split()).exit_code == 0
    options = said[0]
    assert (options.garment, options.parts, options.garment_person) == (("b.png", "c.png"), Parts.LOWER, 2)
    assert (options.driving, options.output) == (Path("d.mp4"), "{source}.mp4")


def test_names_and_parts_that_were_not_said(said: list[AnimateOptions]) -> None:
    for words in ("", "-d d.mp4", "-d d.mp4 --background transparent", "--background transparent"):
        assert run("dress", "-s", "a.png", "--garment", "b.png", *words.split()).exit_code == 0
    assert [Path(options.output).suffix for options in said] == [".png", ".mp4", ".mov", ".png"]
    assert {options.parts for options in said} == {Parts.BODY}


@pytest.mark.parametrize("words", ["-s a.png", "-s a.png -g b.png --parts hat", "-g b.png", "-s a -g b --size x y"])
def test_impossible_dresses(said: list[AnimateOptions], words: str) -> None:
    assert run("dress", *words.split()).exit_code == 2
    assert said == []


def test_a_view_in_earnest(tmp_path: Path) -> None:
    write_png(tmp_path / "me.png", draw((192, 128)).image)
    words = ("view", "-s", tmp_path / "me.png", "--azimuth", "30", "--device", "cpu", "--json")
    result = run(*words, "-o", tmp_path / "a.png")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert (data["frames"], data["width"], data["height"]) == (1, 128, 192)
    refused = run(*words, "--elevation", "0,10", "-o", tmp_path / "b.png")
    assert refused.exit_code == 2
    assert "one picture" in json.loads(refused.stdout)["error"]
    assert not (tmp_path / "b.png").exists()
