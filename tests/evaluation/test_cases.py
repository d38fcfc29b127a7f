"""Protocols: who moves like what, and which pictures are the source."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.test_layouts import film, pictures, synthetic

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import Motion
from retarget_cli.evaluation.candidates import candidates, facing, source_frames
from retarget_cli.evaluation.cases import evenly, plan
from retarget_cli.evaluation.datasets import open_dataset
from retarget_cli.evaluation.protocols import PRESETS, Pick, Protocol, Task, protocol
from retarget_cli.evaluation.recordings import Masks, Stream


def turning(degrees: list[float], present: list[bool] | None = None) -> Motion:
    """Somebody whose shoulders are turned by these angles."""
    angle = np.radians(np.array(degrees, np.float32))
    world = np.zeros((len(degrees), 33, 3), np.float32)
    world[:, 11] = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], 1) / 2
    world[:, 12] = -world[:, 11]
    pose = np.ones((len(degrees), 33, 3), np.float32)
    times = tuple(Fraction(number, 25) for number in range(len(degrees)))
    there = np.array(present if present is not None else [True] * len(degrees))
    return Motion((10, 10), times, there, pose, world)


def test_facing_is_the_angle_of_the_shoulders() -> None:
    assert np.degrees(facing(turning([0, 90, -45]).world)) == pytest.approx([0, 90, -45], abs=1e-3)


def test_candidates_go_around_the_person() -> None:
    motion = turning([10, 92, 178, -88, 0, 45, 137, -133, -44])
    assert candidates(motion) == [4, 5, 1, 6, 2, 7, 3, 8]


def test_candidates_of_somebody_who_never_turns_are_few() -> None:
    assert candidates(turning([8, 3, -5])) == [1]


def test_a_candidate_is_a_frame_in_which_somebody_is() -> None:
    assert candidates(turning([0, 5], [False, True])) == [1]
    with pytest.raises(InputError, match="nobody"):
        candidates(turning([0], [False]))


def test_of_eight_views_one_two_and_four_as_in_iper() -> None:
    views = list(range(0, 360, 45))
    assert evenly(views, 1) == (0,)
    assert evenly(views, 2) == (0, 180)
    assert evenly(views, 4) == (0, 90, 180, 270)
    assert evenly(views, 8) == tuple(views)
    assert evenly([5], 8) == (5,)


def test_first_and_random_frames() -> None:
    assert source_frames(Protocol(pick=Pick.FIRST), "a", 10, None) == [0]
    assert source_frames(Protocol(pick=Pick.FIRST, sources=2), "a", 10, None) == [0, 5]
    random = Protocol(pick=Pick.RANDOM, sources=4, seed=3)
    chosen = source_frames(random, "a", 100, None)
    assert chosen == source_frames(random, "a", 100, None)
    assert chosen[0] == 0
    assert len(set(chosen)) == 4
    assert chosen != source_frames(random, "b", 100, None)
    assert len(source_frames(random, "a", 2, None)) == 2


def test_self_imitation_has_itself_as_truth(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4")
    (case,) = plan(open_dataset(tmp_path), Protocol(frames=7))
    assert case.driving == case.target == Stream(clip, 0, 7)
    assert case.origin == Stream(clip, 0, 7)
    assert case.views == ()


def test_cross_imitation_never_pairs_a_person_with_himself(tmp_path: Path) -> None:
    for name in ("one#1.mp4", "one#2.mp4", "two#1.mp4"):
        film(tmp_path / "test" / name)
    dataset = open_dataset(tmp_path)
    cases = plan(dataset, Protocol(task=Task.CROSS))
    assert sorted(case.name for case in cases) == ["one#1--two#1", "one#2--two#1", "two#1--one#1", "two#1--one#2"]
    assert all(case.target is None for case in cases)
    few = Protocol(task=Task.CROSS, pairs=2, seed=1)
    chosen = [case.name for case in plan(dataset, few)]
    assert len(chosen) == 2
    assert chosen == [case.name for case in plan(dataset, few)]


def test_cross_imitation_of_one_person_is_refused(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    with pytest.raises(UsageError, match="one person"):
        plan(open_dataset(tmp_path), Protocol(task=Task.CROSS))


@pytest.mark.parametrize(
    ("task", "driving", "target", "garments"),
    [
        (Task.CROSS, "other", "self", 0),
        (Task.NOVEL_VIEW, "turn_other", "turn", 0),
        (Task.APPEARANCE, "self", "clothes", 2),
    ],
)
def test_synthetic_data_knows_the_truth(
    tmp_path: Path, task: Task, driving: str, target: str, garments: int
) -> None:
    synthetic(tmp_path, "0000")
    clip = tmp_path / "clips" / "0000"
    for rendition in ("clothes", "turn", "turn_other"):
        pictures(clip / rendition / "frames")
    for rendition in ("source", "garment"):
        pictures(clip / rendition / "frames", 8)
    (case,) = plan(open_dataset(tmp_path), Protocol(task=task, sources=2, has_true_motion=True))
    assert case.driving.path == clip / driving / "frames"
    assert case.target == Stream(clip / target / "frames")
    assert case.masks == Masks(clip / target / "mask")
    assert [shot.path.name for shot in case.views] == ["0000000.png", "0000004.png"]
    assert len(case.garment) == garments
    assert case.motion == clip / driving / "truth.motion"


def test_a_rendition_that_was_not_made_is_named(tmp_path: Path) -> None:
    synthetic(tmp_path, "0000")
    with pytest.raises(UsageError, match="turn_other"):
        plan(open_dataset(tmp_path), Protocol(task=Task.NOVEL_VIEW))


def test_tasks_without_truth_are_refused(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    for task in (Task.NOVEL_VIEW, Task.APPEARANCE):
        with pytest.raises(UsageError, match="no true pictures"):
            plan(open_dataset(tmp_path), Protocol(task=task))
    with pytest.raises(UsageError, match="--true-motion"):
        plan(open_dataset(tmp_path), Protocol(has_true_motion=True))


def test_presets_can_be_changed() -> None:
    assert protocol("remot").size == (256, 192)
    assert protocol("remot", size=(64, 64), sources=None).size == (64, 64)
    assert protocol("saa-animation").pairs == 200
    assert all(isinstance(protocol(name), Protocol) for name in PRESETS)
    with pytest.raises(UsageError, match="iper") as caught:
        protocol("iper")
    assert "iper-self" in caught.value.hint
    with pytest.raises(UsageError, match="--sources 9"):
        protocol(None, sources=9)
