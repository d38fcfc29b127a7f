"""What can be written for viewpoints."""

from __future__ import annotations

import pytest
import typer

from retarget_cli.cli.angles import MOST_VIEWS, parse_angles, parse_elevation


@pytest.mark.parametrize(
    ("text", "angles"),
    [
        ("0", (0,)),
        ("-30.5", (-30.5,)),
        ("+.5", (0.5,)),
        ("0,45, 90", (0, 45, 90)),
        ("0:90:30", (0, 30, 60, 90)),
        ("0:100:30", (0, 30, 60, 90)),
        ("0:360:90", (0, 90, 180, 270)),
        ("0:360:100", (0, 100, 200, 300)),
        ("-180:180:90", (-180, -90, 0, 90)),
        ("360:0:-120", (360, 240, 120)),
        ("0:720:180", (0, 180, 360, 540)),
        ("90:-90:-90", (90, 0, -90)),
        ("15:15:5", (15,)),
        ("0:0.3:0.1", (0, 0.1, 0.2, 0.3)),
        ("0:10:400", (0,)),
    ],
)
def test_angles(text: str, angles: tuple[float, ...]) -> None:
    assert parse_angles(text) == pytest.approx(angles)
    assert all(isinstance(angle, float) for angle in parse_angles(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected degrees"),
        ("north", "expected degrees"),
        ("nan", "expected degrees"),
        ("inf", "expected degrees"),
        ("1e5", "expected degrees"),
        ("1/2", "expected degrees"),
        ("1,,2", "expected degrees"),
        ("0:360", "start:stop:step"),
        ("0:360:5:1", "start:stop:step"),
        ("::", "expected degrees"),
        ("0:0:0", "step of 0"),
        ("0:360:0", "step of 0"),
        ("0:90:-5", "leads away"),
        ("90:0:5", "leads away"),
        ("0:360:0.001", "360000 views"),
        ("99999", "out of bounds"),
        ("0:9999999999:1", "expected degrees"),
    ],
)
def test_nonsense(text: str, reason: str) -> None:
    with pytest.raises(typer.BadParameter, match=reason):
        parse_angles(text)


def test_as_many_as_there_may_be() -> None:
    assert len(parse_angles("0:36000:0.36")) == MOST_VIEWS


def test_elevation_ends_at_the_poles() -> None:
    assert parse_elevation("-90:90:45") == (-90, -45, 0, 45, 90)
    for text in ("91", "0,-120", "0:180:30"):
        with pytest.raises(typer.BadParameter, match="expected -90"):
            parse_elevation(text)
