"""`retarget personalize` and `--subject`, in this process: exit codes, and what is said where."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.segment import Segment
from tests.media_maker import Clip, make_video, probe
from tests.workflows.led_toy_method import PLACES as LED_PLACES
from tests.workflows.scenes import draw, motion_of, waving
from tests.workflows.toy_method import PLACES, ToyGame
from typer.testing import CliRunner

from retarget_cli.backends import registry
from retarget_cli.cli.app import app
from retarget_cli.cli.lesson_screen import Course, LessonLines, LiveLesson, blocks, can_draw, duration, sparkline
from retarget_cli.cli.screen import Screen
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.training.loop import Step
from retarget_cli.workflows import personalize as workflow
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult
from retarget_cli.workflows.subject_file import load_subject

Result = Any  # typer brings its own copy of click's class


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    for name, turn in (("me", 0.0), ("side", 0.8)):
        theta = np.zeros((24, 3), np.float32)
        theta[0, 1] = turn
        write_png(folder / f"{name}.png", draw((192, 128), theta).image)
    write_png(folder / "nobody.png", np.full((192, 128, 3), 120, np.uint8))
    save_motion(folder / "wave.motion", motion_of(waving(6), (192, 128)), {})
    return folder


def personalize(files: Path, output: Path, *words: object) -> Result:
    sources = "-s", files / "me.png", files / "side.png"
    return run("personalize", *sources, "-o", output, "--backend", "toy", "--device", "cpu", "--steps", 5, *words)


def test_a_file_one_line_about_it_and_a_film(files: Path, tmp_path: Path) -> None:
    output = tmp_path / "me.subject"
    result = personalize(files, output)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1
    assert result.stdout.startswith(f"{output}: toy, 5 steps on 2 views of 128x192, in ")
    assert "personalize: 5 of 5 steps, generator " in result.stderr
    assert "note: plain L1 stands in" in result.stderr
    assert load_subject(output).backend == "toy"
    film = tmp_path / "out.mp4"
    moved = run("animate", "--subject", output, "-d", files / "wave.motion", "-o", film, "--device", "cpu")
    assert moved.exit_code == 0, moved.output
    assert len(probe(film).frames) == 6


def test_json_is_one_object(files: Path, tmp_path: Path) -> None:
    result = personalize(files, tmp_path / "me.subject", "--json", "--full")
    data = json.loads(result.stdout)
    assert (data["steps"], data["resumed"], data["views"], data["width"], data["height"]) == (5, 0, 2, 128, 192)
    assert data["losses"]["generator"]["pixel"] > 0
    assert data["notes"] == list(ToyGame.notes)


def test_quiet_says_nothing(files: Path, tmp_path: Path) -> None:
    result = personalize(files, tmp_path / "me.subject", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_an_interruption_is_130_says_how_to_go_on_and_the_same_command_does(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(self: LessonLines, step: Step, steps: int) -> None:
        if step.number == 2:
            raise KeyboardInterrupt

    output = tmp_path / "me.subject"
    with monkeypatch.context() as patch:
        patch.setattr(LessonLines, "step", stops)
        result = personalize(files, output)
    assert result.exit_code == 130
    lines = result.stderr.splitlines()
    assert "stopping at the end of this step; what was learned is kept" in lines
    assert lines[-2].startswith("error: interrupted; ")
    assert lines[-2].endswith(f" of 5 steps are kept in {output}.progress")
    assert lines[-1] == "hint: the same command goes on"
    again = personalize(files, output)
    assert again.exit_code == 0, again.output
    assert "going on after step" in again.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["me.subject"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("-s", "{files}/nobody.png"), 3, "no person is seen"),
        (("-s", "{files}/none.png"), 3, "no such file"),
        (("-s", "{files}/me.png") * 9, 2, "9 source files"),
        (("-s", "{files}/me.png", "--backend", "avatar"), 2, "nothing that could be personalised"),
        (("-s", "{files}/me.png", "--steps", "0"), 2, "steps"),
        (("-s", "{files}/me.png", "--set", "weights=x.pth"), 4, "x.pth is not there"),
        ((), 2, "--source"),
    ],
)
def test_errors_and_their_codes(files: Path, tmp_path: Path, words: tuple[str, ...], code: int, text: str) -> None:
    given = [word.format(files=files) for word in ("--backend", "toy", *words)]
    result = run("personalize", *given, "-o", tmp_path / "o")
    assert result.exit_code == code, result.output
    assert text in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 2, "source"),
        (("-s", "a.png", "--subject", "b.subject"), 2, "subject"),
        (("--subject", "{files}/me.png"), 3, "is not a subject file"),
        (("--subject", "{files}/none"), 3, "cannot read"),
        (("--subject", "{made}", "--backend", "other-toy"), 2, "was made for toy"),
        (("--subject", "{made}", "--set", "width=9"), 2, "width"),
    ],
)
@pytest.mark.parametrize("command", ["animate", "view"])
def test_a_subject_that_can_not_be_used(
    files: Path, tmp_path: Path, command: str, words: tuple[str, ...], code: int, text: str
) -> None:
    made = files / "made.subject"
    if not made.exists():
        assert personalize(files, made, "-q").exit_code == 0
    given = [word.format(files=files, made=made) for word in words]
    result = run(command, *given, "-d", files / "wave.motion", "-o", tmp_path / "o.mp4")
    assert result.exit_code == code, result.output
    assert text in result.output
    assert list(tmp_path.iterdir()) == []


def test_every_option_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[PersonalizeOptions] = []

    def pretend(given: PersonalizeOptions, *_: object) -> PersonalizeResult:
        said.append(given)
        return PersonalizeResult(Path("x"), "toy", 1, (4, 6), 5, 0, 1.0, {}, "cpu", ())

    monkeypatch.setattr(workflow, "personalize", pretend)
    words = (
        "personalize -s a.png b.png -s c.png -o d.subject --backend toy --set width=3 --steps 7 --rate 0.01 --seed 4 "
        "--variations 5 --strength 0.75 --decay "
        "--precision fp32 --full --save-every 3 --preview e --preview-every 2 --size 64x48 --source-person left "
        "--overwrite --restart --device cpu --body smpl -d f.mp4 --driving g.mp4"
    )
    assert run(*words.split()).exit_code == 0
    assert said == [
        PersonalizeOptions(
            ("a.png", "c.png", "b.png"), "d.subject", "toy", (("width", "3"),),
            LessonOptions(7, 0.01, 4, 5, "fp32", 3, 2, 0.75, True),
            "64x48", "left", "smpl", Path("e"), False, True, True, "cpu", (Path("f.mp4"), Path("g.mp4")),
        )
    ]  # fmt: skip


def test_frames_that_were_learned_from_are_told(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **LED_PLACES})
    clip = make_video(tmp_path / "clip.mp4", Clip((48, 64), Fraction(10), 12))
    words = "-s", clip, "--backend", "led-toy", "--device", "cpu", "--steps", 2
    plain = run("personalize", *words, "-o", tmp_path / "it.subject")
    assert plain.exit_code == 0, plain.output
    assert ": led-toy, 2 steps on 8 views and 12 frames of 64x48, in " in plain.stdout
    followed = run("personalize", *words, "-d", clip, "-o", tmp_path / "followed.subject", "--json")
    assert json.loads(followed.stdout)["frames"] == 24
    refused = personalize(files, tmp_path / "me.subject", "-d", clip)
    assert refused.exit_code == 2
    assert "error: --driving: --backend toy learns one person" in refused.stderr


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much whenever it is read."""
    times = iter(range(10_000))
    return lambda: seconds * next(times)


def step(number: int, value: float) -> Step:
    return Step(number, {"generator": {"pixel": value, "judged": 1.0}, "judge": {"told apart": 0.5}}, 1.0)


def test_the_course_knows_sums_terms_and_time() -> None:
    course, now = Course(lambda: now[0]), [0.0]
    for number in range(1, 41):
        now[0] += 0.5
        course.add(step(number, float(number)), 100)
    assert course.rate == pytest.approx(2)
    assert list(course.losses) == ["generator", "generator pixel", "generator judged", "judge"]
    assert course.losses["generator"][-1] == 41
    assert len(course.losses["generator"]) == 32
    assert course.summary() == "40 of 100 steps, generator 41, judge 0.5, 2 steps/s, 0:30 left"


def test_words_for_time_and_course() -> None:
    assert [duration(each) for each in (0, 42.4, 725, 3723, 1e12)] == ["0:00", "0:42", "12:05", "1:02:03", "99:59:59"]
    assert sparkline(deque([0.0, 1.0, 3.5, 7.0, 8.0])) == "▁▂▄██"
    assert sparkline(deque([2.0, 2.0])) == "▁▁"
    assert can_draw("utf-8")
    assert not can_draw("ascii")


def test_lines_come_at_first_now_and_then_and_at_last() -> None:
    lines: list[str] = []
    shown = LessonLines(lines.append, ticking(0.5))
    for number in range(1, 21):
        shown.step(step(number, 1.0), 20)
    assert lines[0].startswith("personalize: 1 of 20 steps")
    assert lines[-1].startswith("personalize: 20 of 20 steps")
    assert 3 <= len(lines) < 10


def test_a_picture_of_characters_has_its_colours() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20], picture[20:] = (250, 0, 0), (0, 0, 250)
    found = list(Segment.split_lines(blocks(picture, 30, 20).segments))
    assert ["".join(each.text for each in line) for line in found] == ["▀" * 30] * 10
    assert str(found[0][0].style) == "#fa0000 on #fa0000"
    assert str(found[-1][0].style) == "#0000fa on #0000fa"
    assert len(list(Segment.split_lines(blocks(picture, 500, 4).segments))) == 4


def test_the_live_part_shows_everything() -> None:
    def console() -> Console:
        return Console(file=StringIO(), force_terminal=True, color_system="truecolor", width=100, height=40)

    screen = Screen(StringIO(), False, False, False)
    screen._console = console()
    paper = console()
    with LiveLesson(screen) as live:
        assert live.wants_pictures
        live.stage("source", 1, 2)
        live.step(step(3, 2.0), 100)
        live.picture(3, np.full((40, 120, 3), (9, 99, 199), np.uint8))
        paper.print(live.render())
    shown = paper.file.getvalue()  # type: ignore[attr-defined]
    assert "3 of 100 steps, " in shown.splitlines()[-1]
    for text in ("source: 1 of 2", "generator", "pixel", "judge", "after 3 steps", "9;99;199"):
        assert text in shown, text
