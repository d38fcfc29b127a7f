"""Somebody, or only something that looks like it."""

from __future__ import annotations

import numpy as np
import pytest
from pretend_people import FakeReader, figure, reading_of, region_of

from retarget_cli.perception.engine import Detection
from retarget_cli.perception.presence import is_steady, limb_certainty, read_person

BLANK = np.zeros((480, 640, 3), dtype=np.uint8)
PERSON = (300.0, 240.0, 150.0)


def test_limb_certainty_is_of_the_best_four() -> None:
    pose = figure(0, 0, 100, visibility=0.0)
    pose[[13, 14, 15, 16], 2] = 0.8  # arms only: a half body
    pose[[0, 11, 12], 2] = 1.0  # heads do not count
    assert limb_certainty(pose) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("visibility", "wobble", "score", "expected"),
    [
        (0.95, 0.0, 0.6, True),  # plainly there
        (0.95, 40.0, 0.6, True),  # left taken for right, but sure
        (0.75, 5.0, 0.6, True),  # half a body
        (0.75, 30.0, 0.6, False),  # unsure and moving: a bottle
        (0.55, 5.0, 0.6, False),  # unsure, detected badly
        (0.55, 2.0, 0.95, True),  # no limbs, but still and detected well: head and shoulders
        (0.55, 20.0, 0.95, False),  # moving
    ],
)
def test_verdicts(visibility: float, wobble: float, score: float, expected: bool) -> None:
    reader = FakeReader([PERSON], visibility)
    reader.wobble = lambda call: wobble if call == 2 else 0.0
    assert is_steady(reader, BLANK, reading_of(*PERSON, visibility), score) is expected


def test_whoever_vanishes_was_not_there() -> None:
    reader = FakeReader([PERSON])
    reading = reading_of(*PERSON)
    reader.people = []
    assert not is_steady(reader, BLANK, reading, 1.0)
    assert read_person(reader, BLANK, Detection(0.9, region_of(*PERSON))) is None


def test_the_least_sure_reading_counts() -> None:
    reader = FakeReader([PERSON], visibility=0.95)
    reader.wobble = lambda call: 30.0
    reader.fade = lambda call: 0.4 if call == 2 else 0.0
    assert not is_steady(reader, BLANK, reading_of(*PERSON, 0.95), 0.6)


def test_nothing_visible_is_nobody() -> None:
    reader = FakeReader([PERSON], visibility=0.3)
    assert not is_steady(reader, BLANK, reading_of(*PERSON, 0.3), 1.0)
