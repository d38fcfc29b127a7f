"""Motions: within what joints can do, with feet that stand still, arms outside the trunk."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import stature
from retarget_cli.synth.camera import Stage
from retarget_cli.synth.choreography import KINDS, Given, Steps, excerpt, perform
from retarget_cli.synth.dressing import dress
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.footing import SOLES, lowest_foot, stance_foot
from retarget_cli.synth.outfit import Face, Outfit
from retarget_cli.synth.phenotype import Phenotype, betas_of
from retarget_cli.synth.plan import Recipe, plan_clip, tall_of
from retarget_cli.synth.pose import HIGH, KNEE, LOW, limited, mirrored, pose, theta_of, turned
from retarget_cli.synth.posed import skeleton_of

TIMES = np.arange(60) / 25


@lru_cache(maxsize=1)
def people() -> tuple[Figure, Figure]:
    body = load_body("anny")
    stout = betas_of(Phenotype("male", 45, 0, 1.5), np.zeros(27, np.float32))
    return (
        dress(body, np.zeros(27, np.float32), Outfit(), Face()),
        dress(body, stout, Outfit(jacket=(1, 2, 3)), Face()),
    )


@lru_cache(maxsize=32)
def motion(kind: str, seed: int) -> Steps:
    return perform(kind, np.random.default_rng(seed), TIMES, people())


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_knees_never_bend_backwards_and_arms_stay_outside(kind: str, seed: int) -> None:
    steps = motion(kind, seed)
    knees = steps.theta[:, list(KNEE)]
    assert (knees[..., 0] >= 0).all()
    assert (knees[..., 1:] == 0).all()
    assert knees[..., 0].max() < 2.2
    assert np.isfinite(steps.theta).all()
    assert np.isfinite(steps.path).all()
    assert steps.clearance > -0.02
    # Nobody moves faster than people do: no joint turns by more than 45 degrees in a 25th of a second.
    assert np.abs(np.diff(steps.theta[:, 1:], axis=0)).max() < 0.8


def test_a_knee_that_bends_takes_the_foot_back() -> None:
    theta = theta_of(np.stack([pose(), pose(knee=1.0)]))
    ankles = skeleton_of(people()[0], theta).joints[:, [7, 8], 2]
    assert (ankles[1] > ankles[0] + 0.2).all()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_foot_that_carries_does_not_slide(seed: int) -> None:
    steps = motion("walk", seed)
    figure = people()[0]
    skeleton = skeleton_of(figure, steps.theta)
    soles = np.stack([skeleton.landmarks[:, list(sole)].mean(1) for sole in SOLES], 1)
    soles = soles + stature(figure.shape) * steps.path[:, None] * (1, 0, 1)
    carrying = stance_foot(skeleton)
    rows = np.arange(len(carrying))
    slip = np.linalg.norm((soles[rows + 1, carrying] - soles[rows, carrying])[:, [0, 2]], axis=1)
    assert slip.max() < 1e-4  # metres
    assert np.linalg.norm(np.diff(soles, axis=0)[..., [0, 2]], axis=-1).max() > 0.01  # the other one swings
    assert len(set(carrying.tolist())) == 2
    assert np.linalg.norm(steps.path[-1, [0, 2]] - steps.path[0, [0, 2]]) > 0.1


def test_feet_are_on_the_floor_except_in_a_jump() -> None:
    figure = people()[0]
    for kind in KINDS:
        steps = motion(kind, 1)
        skeleton = skeleton_of(figure, steps.theta)
        stage = Stage(100.0, 128.0, 230.0)
        cameras = stage.cameras(steps.path, lowest_foot(skeleton), stature(figure.shape))
        foot = cameras[:, 0] * lowest_foot(skeleton) + cameras[:, 2]
        floor = 230 + 0.8 * stature(figure.shape) * (cameras[:, 0] - 100)
        off = floor - foot
        assert off.min() > -1e-3
        assert (off.max() > 4) == (kind == "jump"), kind


def test_a_motion_begins_in_a_stand() -> None:
    for kind in KINDS:
        theta = motion(kind, 2).theta[0]
        assert np.abs(theta[list(KNEE)]).max() < 0.35, kind


def test_clips_of_a_single_frame() -> None:
    for kind in KINDS:
        assert perform(kind, np.random.default_rng(0), np.zeros(1), people()).theta.shape == (1, 24, 3)


def test_poses_keep_to_their_limits_and_mirror() -> None:
    wild = np.random.default_rng(0).normal(0, 3, (50, len(LOW)))
    kept = limited(wild)
    assert (kept >= LOW).all()
    assert (kept <= HIGH).all()
    assert (mirrored(mirrored(kept)) == kept).all()
    figure = dress(load_body("anny"), np.zeros(27, np.float32), Outfit(), Face())
    first, second = (skeleton_of(figure, theta_of(values)).joints for values in (kept[:5], mirrored(kept[:5])))
    assert np.allclose(first[:, 18] * (-1, 1, 1), second[:, 19], atol=1e-4)


def test_turning_the_person_turns_the_joints() -> None:
    theta = theta_of(pose(lift=1.2)[None])
    front, back = (skeleton_of(people()[0], turned(theta, yaw)).joints[0] for yaw in (0.0, np.pi))
    assert np.allclose(front[:, :2] * (-1, 1), back[:, :2], atol=1e-4)


def test_an_excerpt_is_a_run_of_frames() -> None:
    theta = np.zeros((10, 24, 3), np.float32)
    theta[:, 0, 1] = np.arange(10)
    given = Given("a", theta, np.stack([np.arange(10.0)] * 3, 1))
    cut = excerpt(given, np.random.default_rng(0), 4)
    assert np.diff(cut.theta[:, 0, 1]).tolist() == [1, 1, 1]
    assert cut.path[0, 0] == 0
    assert cut.path[3, 0] == 3
    longer = excerpt(given, np.random.default_rng(0), 25)
    assert longer.theta[:, 0, 1].tolist()[8:12] == [8, 9, 8, 7]


def test_a_clip_depends_on_nothing_but_seed_and_number() -> None:
    recipe = Recipe(frames=5)
    first, again = plan_clip(recipe, 7), plan_clip(recipe, 7)
    assert repr(first) == repr(again)
    assert repr(first) != repr(plan_clip(recipe, 8))
    assert repr(first) != repr(plan_clip(Recipe(frames=5, seed=1), 7))


def test_all_sorts_of_people() -> None:
    plans = [plan_clip(Recipe(frames=1), number) for number in range(40)]
    persons = [plan.person for plan in plans] + [plan.other for plan in plans]
    years = np.array([person.phenotype.years for person in persons])
    assert (years < 13).any()
    assert (years > 60).any()
    assert ((years > 20) & (years < 50)).any()
    assert {person.phenotype.sex for person in persons} == {"female", "male"}
    talls = np.array([tall_of(person) for person in persons])
    assert talls.min() < 1.4
    assert 1.75 < talls.max() < 2.05
    assert talls.min() > 1.0
    outfits = [plan.outfit for plan in plans]
    assert any(outfit.skirt > 0 for outfit in outfits)
    assert any(outfit.jacket for outfit in outfits)
    assert {person.face.style for person in persons} == {"bald", "cropped", "short", "long", "bob", "ponytail", "bun"}
    for plan in plans:
        assert 0.7 < tall_of(plan.other) / tall_of(plan.person) < 1.43


@pytest.mark.parametrize("years", [6, 12, 25, 55, 80])
def test_statures_are_as_told(years: float) -> None:
    for sex in ("female", "male"):
        tall, usual = (
            stature(load_body("anny").shaped(_torch(betas_of(Phenotype(sex, years, z, 0), np.zeros(27, np.float32)))))
            for z in (1.0, 0.0)
        )
        assert tall / usual == pytest.approx(1.035, abs=0.004)


def _torch(betas: np.ndarray) -> object:
    import torch

    return torch.from_numpy(betas)
