"""What users write on the command line, as exact values."""

from __future__ import annotations

from fractions import Fraction

import pytest
import typer

from retarget_cli.cli.progress import Lines, describe
from retarget_cli.cli.values import parse_person, parse_rate, parse_setting, parse_time
from retarget_cli.core.environment import prepare_environment


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30", Fraction(30)),
        ("30000/1001", Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("0.5", Fraction(1, 2)),
        (" 25 ", Fraction(25)),
        ("1000", Fraction(1000)),
    ],
)
def test_rates(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "-5", "1001", "1/0", "30 fps", "inf", "nan", "30/"])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("83.5", Fraction(167, 2)),
        ("1:23.5", Fraction(167, 2)),
        ("1:02:03", Fraction(3723)),
        ("90:00", Fraction(5400)),
        ("5.", Fraction(5)),
        ("0:00.1", Fraction(1, 10)),
    ],
)
def test_times(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:2:60", "1:2:3:4", "1e3", ":5", "5s", ".5.", "1:"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("largest", "largest"),
        ("LEFT", "left"),
        ("right", "right"),
        ("center", "center"),
        ("centre", "center"),
        (" 3 ", 3),
    ],
)
def test_people(text: str, choice: object) -> None:
    assert parse_person(text) == choice


@pytest.mark.parametrize("text", ["", "0", "-1", "me", "1.5", "²"])
def test_other_people_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_person(text)


def test_settings() -> None:
    assert parse_setting("nodes=80") == ("nodes", "80")
    assert parse_setting(" a = b=c ") == ("a", "b=c")
    assert parse_setting("a=") == ("a", "")
    for text in ("nodes", "=5", " =5", ""):
        with pytest.raises(typer.BadParameter):
            parse_setting(text)


def test_one_thread_inside_an_operation_unless_the_user_says_otherwise() -> None:
    fresh: dict[str, str] = {}
    prepare_environment(fresh)
    assert fresh["OMP_NUM_THREADS"] == "1"
    theirs = {"OMP_NUM_THREADS": "7"}
    prepare_environment(theirs)
    assert theirs["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in theirs


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (("render", 60, 102, 2.0), "render: 60 of 102 frames, 30 fps, 1 s left"),
        (("pose", 5, None, 1.0), "pose: 5 frames, 5.0 fps"),
        (("pose", 12, 12, 1.0), "pose: 12 frames, 12 fps"),
        (("source", 1, 1, 1.0), "source: 1 picture"),
        (("source", 2, 2, 1.0), "source: 2 pictures"),
    ],
)
def test_progress_in_words(facts: tuple[str, int, int | None, float], text: str) -> None:
    assert describe(*facts) == text


def test_lines_come_now_and_then_and_at_the_end() -> None:
    now = 0.0
    told: list[str] = []
    lines = Lines(told.append, lambda: now)
    for done in range(101):
        now = done / 10
        lines.stage("pose", done, 100)
    assert [line.split(",")[0] for line in told[-1:]] == ["pose: 100 frames"]
    assert len(told) == 3
    lines.stage("pose", 100, 100)
    assert len(told) == 3
    lines.note("by the way")
    assert told[-1] == "by the way"
