"""The columns of pairs: all that `animate` can be told, checked as `animate` checks it, and nothing heavy for it."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

import pytest
import typer.main

from retarget_cli.batch.columns import COLUMNS, column_name, options_from, placed, settled
from retarget_cli.batch.item import Item, Value
from retarget_cli.batch.order import animate_options
from retarget_cli.body.catalog import BODIES
from retarget_cli.body.placement import Framing, MotionPath
from retarget_cli.cli import animate as command
from retarget_cli.cli.app import app
from retarget_cli.core.errors import UsageError
from retarget_cli.perception.missing import Missing
from retarget_cli.workflows.animate_options import AnimateOptions

# What concerns a command and no video, and what the batch itself decides.
NO_COLUMNS = {"overwrite", "no_cache", "quiet", "json", "debug", "debug_volume", "resume", "help"}


def long_options() -> dict[str, typing.Any]:
    """`animate`'s options by the first of their long names, as columns are written."""
    parameters = typer.main.get_command(app).commands["animate"].params  # type: ignore[attr-defined]
    names = {}
    for parameter in parameters:
        longest = next(name for name in parameter.opts if name.startswith("--"))
        names[longest.removeprefix("--").replace("-", "_")] = parameter
    return names


def test_every_option_of_animate_is_a_column() -> None:
    options = set(long_options()) - NO_COLUMNS
    assert len(options) > 20
    assert set(COLUMNS) == options


def test_columns_have_several_values_where_options_may_be_given_several_times() -> None:
    for name, parameter in long_options().items():
        if name in COLUMNS:
            assert COLUMNS[name].is_several == parameter.multiple, name
            assert COLUMNS[name].is_switch == bool(getattr(parameter, "is_flag", False)), name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("motion", [each.value for each in MotionPath]),
        ("framing", [each.value for each in Framing]),
        ("missing", [each.value for each in Missing]),
        ("body", list(BODIES)),
    ],
)
def test_words_are_those_that_the_workflow_knows(name: str, words: list[str]) -> None:
    for word in words:
        assert options_from({name: word}) == {name: word}
    with pytest.raises(UsageError, match=f"column {name}: 'no such': expected {words[0]}.*{words[-1]}"):
        options_from({name: "no such"})


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("fps", "29.97", "30000/1001"),
        ("fps", " 25 ", "25"),
        ("start", " 1:23.5", "1:23.5"),
        ("person", "LEFT", "left"),
        ("source_person", "2", "2"),
        ("smooth", ".5", "0.5"),
        ("smooth", "-0", "0.0"),
        ("max_frames", "007", "7"),
        ("crf", "0", "0"),
        ("codec", "x265", "h265"),
        ("size", "640X480", "640x480"),
        ("crop", " Auto ", "auto"),
        ("driving_crop", "1, 02,64X48", "1,2,64x48"),
        ("device", "CUDA:1", "cuda:1"),
        ("backend", " still ", "still"),
        ("background", "#0f0", "#0f0"),
        ("background", "my garden.jpg", "my garden.jpg"),
        ("find_best_frame", "Yes", "true"),
        ("set", (" nodes = 80", "a=b=c"), ("nodes=80", "a=b=c")),
        ("source", ("a.jpg", "", "-b.jpg"), ("a.jpg", "-b.jpg")),
        ("Max-Frames", "3", "3"),
        ("--no-audio", "1", "true"),
        ("source_image", "a.jpg", ("a.jpg",)),
    ],
)
def test_values_in_their_usual_form(name: str, written: Value, value: Value) -> None:
    assert options_from({name: written}) == {column_name(name): value}


@pytest.mark.parametrize(
    ("name", "written", "reason"),
    [
        ("fps", "abc", "'abc' is no rate; write 30"),
        ("fps", "1e999999999", "no rate"),
        ("fps", "2" * 500, "no rate"),
        ("fps", "0", "out of bounds"),
        ("start", "1:99", "0 to 59"),
        ("end", "9" * 5000, "no time"),
        ("person", "me", "expected largest"),
        ("person", "9" * 5000, "expected largest"),
        ("smooth", "nan", "0 to 1"),
        ("smooth", "1.01", "0 to 1"),
        ("smooth", "much", "0 to 1"),
        ("max_frames", "0", "from 1"),
        ("max_frames", "1.5", "whole number"),
        ("crf", "64", "from 0 to 63"),
        ("crf", "-1", "from 0 to 63"),
        ("codec", "h26", "did you mean h26"),
        ("size", "8", "out of bounds"),
        ("size", "big", "WIDTHxHEIGHT"),
        ("crop", "face", "X,Y,WIDTHxHEIGHT"),
        ("crop", "1,2,8x48", "too small"),
        ("device", "gpu", "no device"),
        ("device", "cpu:1", "no device"),
        ("device", "cuda:", "no device"),
        ("backend", "avatr", "did you mean avatar"),
        ("background", "#12345", "no colour"),
        ("compare", "maybe", "true or false"),
        ("set", "nodes", "name=value"),
        ("driving", "a\0b", "NUL"),
        ("driving", "x" * 40_000, "40000 characters"),
        ("fps", ("25", "30"), "has 2 values"),
    ],
)
def test_impossible_values_name_their_column(name: str, written: Value, reason: str) -> None:
    with pytest.raises(UsageError, match=f"^column {name}: ") as caught:
        options_from({name: written})
    assert reason in caught.value.message
    assert "\n" not in caught.value.line
    assert len(caught.value.line) < 400


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="column 'sourse' is unknown") as caught:
        column_name("sourse")
    assert caught.value.hint == "did you mean source?"
    with pytest.raises(UsageError, match="unknown") as caught:
        column_name("qqqq")
    assert "max_frames" in caught.value.hint


def test_on_a_command_line_columns_are_options() -> None:
    with pytest.raises(UsageError, match=r"^--max-frames: 'x'"):
        options_from({"max_frames": "x"}, "--")


def test_what_is_off_or_empty_is_not_there() -> None:
    assert options_from({"compare": "no", "fps": "", "source": ("", " "), "audio": "  "}) == {}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"driving": "d"}, "give either a source or a subject"),
        ({"source": ("a",), "subject": "s", "driving": "d"}, "give either a source or a subject"),
        ({"source": ("a",)}, "column driving: is empty"),
        ({"source": ("a",), "driving": "d", "audio": "x", "no_audio": "true"}, "audio and no_audio"),
        ({"source": ("a",), "driving": "d", "relative": "true", "motion": "absolute"}, "relative and motion absolute"),
        ({"source": ("a",), "driving": "d", "start": "1:00", "end": "60"}, "60 is not after the start, 1:00"),
        ({"source": ("a",), "driving": "d", "end": "0"}, "0 is not after the start"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Value], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        settled(options)


def test_relative_is_a_word_for_a_motion() -> None:
    whole = settled({"source": ("a",), "driving": "d", "relative": "true"})
    assert whole == {"source": ("a",), "driving": "d", "motion": "relative"}


def test_only_names_of_files_are_placed() -> None:
    options: dict[str, Value] = {
        "source": ("a.jpg", "s3://b/c.jpg"), "driving": "d", "background": "transparent", "codec": "h264", "audio": "e"
    }  # fmt: skip
    assert placed(options, lambda text: f"/in/{text}") == {
        "source": ("/in/a.jpg", "s3://b/c.jpg"),
        "driving": "/in/d",
        "background": "transparent",
        "codec": "h264",
        "audio": "/in/e",
    }
    for word in ("source", "driving", "#00ff00"):
        assert placed({"background": word}, lambda text: f"/in/{text}") == {"background": word}
    assert placed({"background": "wall.jpg"}, lambda text: f"/in/{text}") == {"background": "/in/wall.jpg"}


EVERYTHING: dict[str, Value] = {
    "source": ("a.jpg", "-b.jpg"),
    "driving": "d {x}.mp4",
    "backend": "still",
    "set": ("nodes=80", "a=b=c"),
    "motion": "absolute",
    "adapt_scale": "true",
    "find_best_frame": "true",
    "crop": "auto",
    "driving_crop": "1,2,64x48",
    "framing": "follow",
    "smooth": "0.1",
    "missing": "skip",
    "person": "left",
    "source_person": "2",
    "background": "#00ff00",
    "size": "64x48",
    "fps": "30000/1001",
    "start": "0.5",
    "end": "1:02.25",
    "max_frames": "9",
    "audio": "song.wav",
    "codec": "h265",
    "crf": "12",
    "compare": "true",
    "device": "cpu",
    "body": "smpl",
}


def told_to_the_command(options: dict[str, Value], monkeypatch: pytest.MonkeyPatch) -> AnimateOptions:
    """What `retarget animate` makes of the same words."""
    caught: list[AnimateOptions] = []
    monkeypatch.setattr(command, "perform", lambda screen, options, work, no_cache: caught.append(options))
    words = ["animate", "--overwrite"]
    for name, parameter in long_options().items():
        value = options.get(name)
        long = next(word for word in parameter.opts if word.startswith("--"))
        for text in () if value is None else (value,) if isinstance(value, str) else value:
            words += [long] if COLUMNS[name].is_switch else [f"{long}={text}"]
    typer.main.get_command(app).main(words, standalone_mode=False)
    return caught[0]


@pytest.mark.parametrize(
    "options",
    [
        {"source": ("a.jpg",), "driving": "d.mp4"},
        {"subject": "a.subject", "driving": "d.mp4", "no_audio": "true"},
        {"source": ("a.jpg",), "driving": "d.mp4", "motion": "relative", "person": "largest", "size": "720"},
        EVERYTHING,
    ],
)
def test_an_item_asks_for_what_the_command_line_asks_for(
    options: dict[str, Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = options_from(options)
    assert checked == options
    item = Item(1, settled(checked), "a", "d", "a_d.mp4")
    made = animate_options(item, Path("out/{a}.mp4"), window_share=2, is_helping=True)
    asked = told_to_the_command(options, monkeypatch)
    own = {"output", "is_resumed", "is_helping", "window_share"}
    for name in AnimateOptions.__dataclass_fields__:
        if name not in own:
            assert getattr(made, name) == getattr(asked, name), name
    assert (made.output, made.is_resumed, made.is_helping, made.window_share) == ("out/{{a}}.mp4", True, True, 2)


def test_every_column_reaches_the_workflow() -> None:
    """Each of them changes something: none is read and forgotten."""
    bare: dict[str, Value] = {"source": ("z.jpg",), "driving": "z.mp4"}
    plain = animate_options(Item(1, bare, "", "", ""), Path("o.mp4"))
    assert set(EVERYTHING) | {"subject", "no_audio", "output", "relative"} == set(COLUMNS)
    for name, value in {**EVERYTHING, "subject": "s.subject", "no_audio": "true"}.items():
        assert animate_options(Item(1, {**bare, name: value}, "", "", ""), Path("o.mp4")) != plain, name


def test_the_driver_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from retarget_cli.batch import columns, engine, item, manifest, pairs, plan, schema, status\n"
        "columns.options_from({'backend': 'avatar', 'codec': 'h264', 'size': '64', 'device': 'cpu', 'fps': '25'})\n"
        "heavy = ('torch', 'av', 'mediapipe', 'numba', 'cv2', 'numpy', 'PIL', 'typer')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
