"""People and poses as the networks take them: the person in its square, the skeleton in its cube."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.workflows.scenes import draw, subject, waving

from retarget_cli.backends.bottleneck.examples import build_tensors
from retarget_cli.backends.bottleneck.inputs import emptied, seen_behind, seen_person, square
from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.pictures import seen_whole
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms, forward_kinematics
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject
from retarget_cli.geometry.rotations import axis_angle_to_matrix

CPU = torch.device("cpu")
SIZE = (192, 128)
SIDE = 64


@pytest.fixture(scope="module")
def person() -> Subject:
    return subject(SIZE, np.pi)


def test_joints_and_bones_are_the_bodys_in_units_of_the_cube(person: Subject) -> None:
    theta = waving(3)
    theta[:, 0] = (0.3, 1.1, -0.2)
    body = load_body("anny")
    rest = body.shaped_joints(torch.from_numpy(person.betas))
    turns = axis_angle_to_matrix(torch.from_numpy(theta))
    _, placed = forward_kinematics(rest[None], body.parents, turns)
    found = Poser("anny", person.betas).posture(theta, CPU)
    assert torch.allclose(found.joints * REACH, placed, atol=1e-5)
    assert torch.allclose(found.joints[:, 0], torch.zeros(3), atol=1e-6)
    assert float(found.joints.abs().max()) < 1
    # A point of a bone, given at rest in the cube, goes where kinematics takes it in metres.
    point = torch.tensor([0.1, -0.2, 0.05, 1.0])
    moved = bone_transforms(rest[None], body.parents, turns)
    metres = moved[..., :3] @ (point[:3] * REACH) + moved[..., 3]
    assert torch.allclose((found.bones @ point)[..., :3] * REACH, metres, atol=1e-5)
    assert torch.equal(found.bones[..., 3, :], torch.tensor([0.0, 0, 0, 1]).expand(3, 24, 4))


def test_joints_lie_where_the_person_is_seen(person: Subject) -> None:
    """The square's picture and the cube are one: limbs lie on the mask."""
    theta = waving(4)[2]
    shot = draw(SIZE, theta)
    seen = seen_person(shot.view, SIDE)
    joints = Poser("anny", person.betas).posture(theta[None], CPU).joints[0]
    column, row = ((joints[:, :2] + 1) * SIDE / 2).long().unbind(-1)
    # Knuckles and toes are thinner than a pixel of so small a picture.
    trunk_and_limbs = [*range(10), *range(12, 22)]
    assert float(seen[3, row[trunk_and_limbs], column[trunk_and_limbs]].min()) > 0.3


def test_the_person_alone_is_seen(person: Subject) -> None:
    seen = seen_person(person.primary, SIDE)
    assert seen.shape == (4, SIDE, SIDE)
    assert not seen[:3, seen[3] == 0].any()
    assert 0 <= float(seen[3].min()) < float(seen[3].max()) <= 1
    whole = seen_whole(person.primary.image, square(person.primary.camera, SIDE))
    inner = seen[3] == 1
    assert torch.allclose(seen[:3, inner], whole[:, inner], atol=1e-5)


def test_where_the_person_was_nothing_is_left(person: Subject) -> None:
    view = person.primary
    frame = square(view.camera, SIDE)
    behind = seen_behind(view, frame)
    seen = seen_person(view, SIDE)
    assert (behind[3][seen[3] > 0.05] == 1).all()
    assert not behind[:3, behind[3] == 1].any()
    left = behind[3] == 0
    assert torch.equal(behind[:3, left], seen_whole(view.image, frame)[:, left])
    assert 1.2 < float(behind[3].sum() / seen[3].sum()) < 2.5


def test_the_rim_grows_with_the_picture() -> None:
    mask = torch.zeros(1, 101, 101)
    mask[0, 50, 50] = 1
    rims = [emptied(torch.ones(3, 101, 101), mask, scale)[3].sum() ** 0.5 for scale in (0.25, 1, 2)]
    assert [int(rim) for rim in rims] == [3, 13, 23]


def test_an_example_is_tensors_of_one_form(person: Subject) -> None:
    target = draw(SIZE, waving(4)[2], np.array([70, 50, 80], np.float32)).view
    plate = np.full((*SIZE, 3), 30, np.uint8)
    found = build_tensors(Example(person, target, plate), SIDE, 8)
    shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
    assert shapes == {
        "pictures": (2, 4, SIDE, SIDE), "source_joints": (2, 24, 3), "source_bones": (2, 24, 4, 4),
        "target": (4, SIDE, SIDE), "target_joints": (24, 3), "target_bones": (24, 4, 4),
        "target_full": (3, SIDE, SIDE), "behind": (4, SIDE, SIDE), "background": (3, SIDE, SIDE),
    }  # fmt: skip
    assert all(tensor.dtype == torch.float32 and torch.isfinite(tensor).all() for tensor in found.values())
    for name in ("pictures", "target", "target_full", "behind", "background"):
        assert -1 <= float(found[name].min()) <= float(found[name].max()) <= 1
    one = build_tensors(Example(person, target, plate), SIDE, 1)
    assert torch.equal(one["pictures"], found["pictures"][:1])
    assert torch.equal(one["target"], seen_person(target, SIDE))
    # The square leaves the canvas on the left; there is nothing, in any of the pictures.
    beyond = int((1 - 50 / (70 * REACH)) * SIDE / 2) - 1
    assert beyond > 5
    assert not any(found[name][..., :beyond].any() for name in ("target_full", "behind", "background"))
    assert torch.allclose(found["background"][:, SIDE // 2, SIDE // 2], torch.tensor(30 / 127.5 - 1), atol=1e-5)


def test_a_person_that_is_moved_on_the_canvas_looks_the_same_in_the_square(person: Subject) -> None:
    camera = person.primary.camera + np.array([0, 9, -4], np.float32)
    other = draw(SIZE, None, camera).view
    assert torch.allclose(seen_person(other, SIDE), seen_person(person.primary, SIDE), atol=2e-2)
