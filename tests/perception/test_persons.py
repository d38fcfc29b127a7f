"""Choosing and following one of several, with pretend networks."""

from __future__ import annotations

import numpy as np
import pytest
from pretend_people import FakeDetector, FakeReader, region_of

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.perception import person_tracker, pose
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.perception.persons import Choice, PersonBox, PersonFinder, choose_person

BLANK = np.zeros((480, 640, 3), dtype=np.uint8)
LEFT, RIGHT = (150.0, 240.0, 100.0), (450.0, 240.0, 160.0)


def _box(x0: float, x1: float, height: float) -> PersonBox:
    return PersonBox(x0, 0, x1, height, 0.9, region_of((x0 + x1) / 2, height / 2, height / 2))


BOXES = [_box(0, 50, 100), _box(100, 200, 90), _box(230, 280, 300)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("largest", 2), ("left", 0), ("right", 2), ("center", 1), (1, 0), (2, 1), (3, 2)],
)
def test_choices(choice: Choice, expected: int) -> None:
    assert choose_person(BOXES, choice) is BOXES[expected]


def test_too_few_people_says_how_many() -> None:
    with pytest.raises(InputError, match="3 people were found") as caught:
        choose_person(BOXES, 4)
    assert "1 to 3" in caught.value.hint
    with pytest.raises(InputError, match="1 person was found"):
        choose_person(BOXES[:1], 2)
    with pytest.raises(InputError, match="no person"):
        choose_person([], "largest")


@pytest.mark.parametrize("choice", [0, -1, "tallest", True])
def test_impossible_choices(choice: Choice) -> None:
    with pytest.raises(UsageError):
        choose_person(BOXES, choice)


class World:
    """People that every network sees."""

    def __init__(self, *people: tuple[float, float, float]) -> None:
        self.detector = FakeDetector(list(people))
        self.reader = FakeReader(list(people))

    def move(self, *people: tuple[float, float, float]) -> None:
        self.detector.people = list(people)
        self.reader.people = list(people)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(LEFT, RIGHT)
    for module in (pose, __import__("retarget_cli.perception.persons", fromlist=["x"])):
        monkeypatch.setattr(module, "DetectionNet", lambda *args, **options: world.detector)
        monkeypatch.setattr(module, "LandmarkNet", lambda *args, **options: world.reader)
    return world


def _x(tracker: PersonTracker, rgb: np.ndarray = BLANK) -> float | None:
    finding = tracker.find(rgb)
    return None if finding is None else float(finding.pose[[23, 24], 0].mean())


def test_finder_merges_what_it_sees_twice(world: World) -> None:
    world.detector.people = [RIGHT, LEFT, LEFT, (LEFT[0] + 4, LEFT[1], LEFT[2])]
    boxes = PersonFinder().find(BLANK[:200])  # too flat for tiles: the pretend detector knows none
    assert [round(box.center[0]) for box in boxes] == [150, 450]
    assert boxes[0].x0 < 150 < boxes[0].x1
    assert boxes[0].y1 <= 200


@pytest.mark.parametrize(
    ("choice", "expected"), [("left", 150), ("right", 450), ("largest", 450), (1, 150), (2, 450)]
)
@pytest.mark.parametrize("video", [True, False])
def test_tracker_starts_with_the_chosen(world: World, choice: Choice, expected: float, video: bool) -> None:
    tracker = PersonTracker(choice, video=video, with_mask=False)
    assert _x(tracker, BLANK[:200]) == pytest.approx(expected)


def test_stays_with_the_chosen_though_the_other_is_surer(world: World) -> None:
    tracker = PersonTracker("left", video=True, with_mask=False)
    world.detector.people = [RIGHT, LEFT]
    for step in range(20):
        left = (150.0 + 4 * step, 240.0, 100.0)
        world.move(RIGHT, left)
        assert _x(tracker, BLANK[:200]) == pytest.approx(left[0])


def test_does_not_jump_when_the_chosen_is_hidden(world: World) -> None:
    tracker = PersonTracker("left", video=True, with_mask=False)
    assert _x(tracker, BLANK[:200]) == pytest.approx(150)
    world.move(RIGHT)
    calls = world.reader.calls
    assert [_x(tracker, BLANK[:200]) for _ in range(5)] == [None] * 5
    assert world.reader.calls - calls <= 6  # the other one was not even read
    world.move(RIGHT, (170.0, 240.0, 100.0))
    assert _x(tracker, BLANK[:200]) == pytest.approx(170)


def test_does_not_slip_over_to_somebody_close(world: World) -> None:
    tracker = PersonTracker("left", video=True, with_mask=False)
    assert _x(tracker, BLANK[:200]) == pytest.approx(150)
    world.move((230.0, 240.0, 200.0))  # within the followed region, but twice as large
    assert _x(tracker, BLANK[:200]) is None


def test_a_lone_person_may_come_back_elsewhere(world: World) -> None:
    world.move(LEFT)
    tracker = PersonTracker("largest", video=True, with_mask=False)
    assert _x(tracker, BLANK[:200]) == pytest.approx(150)
    world.move()
    for _ in range(60):
        assert _x(tracker, BLANK[:200]) is None
    world.move(RIGHT)
    assert _x(tracker, BLANK[:200]) == pytest.approx(450)


def test_a_cut_starts_afresh(world: World) -> None:
    tracker = PersonTracker("left", video=True, with_mask=False)
    assert _x(tracker, BLANK[:200]) == pytest.approx(150)
    world.move(RIGHT, (560.0, 240.0, 60.0))
    assert _x(tracker, np.full((200, 640, 3), 200, dtype=np.uint8)) == pytest.approx(450)


def test_person_two_may_come_late_but_not_never(world: World) -> None:
    world.move(LEFT)
    tracker = PersonTracker(2, video=True, with_mask=False)
    assert _x(tracker, BLANK[:200]) is None
    world.move(LEFT, RIGHT)
    assert _x(tracker, BLANK[:200]) == pytest.approx(450)
    world.move(LEFT)
    tracker = PersonTracker(2, video=True, with_mask=False)
    for _ in range(person_tracker._PATIENCE - 1):
        assert tracker.find(BLANK[:200]) is None
    with pytest.raises(InputError, match="person 2 was asked for, but 1 person was found"):
        tracker.find(BLANK[:200])


def test_a_clip_without_anybody_is_not_searched_thoroughly_for_ever(world: World) -> None:
    world.move()
    tracker = PersonTracker("largest", video=True, with_mask=False)
    for _ in range(person_tracker._PATIENCE):
        tracker.find(BLANK)
    before = world.detector.calls
    for _ in range(20):
        assert tracker.find(BLANK) is None
    assert world.detector.calls - before < 20 * 3
