"""Films of somebody: the same whole and in parts, begun anew where they are cut; pictures as the networks see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.reference_weights import fill
from tests.workflows.scenes import camera_for, draw, motion_of, subject, waving
from torch import Tensor

from retarget_cli.backends.base import Window
from retarget_cli.backends.remot.design import RemotDesign
from retarget_cli.backends.remot.examples import build_tensors
from retarget_cli.backends.remot.inputs import Poser, head_box, layouts, seen_person
from retarget_cli.backends.remot.model import Remot
from retarget_cli.backends.remot.performer import RemotPerformer
from retarget_cli.backends.remot.supervision import true_flow
from retarget_cli.body.catalog import load_body
from retarget_cli.core.example import Course, Example
from retarget_cli.core.layout import Region
from retarget_cli.core.motion import Motion
from retarget_cli.networks.composite_generator import EMPTY
from retarget_cli.perception.shots import is_cut

SIZE = (96, 64)
COUNT = 6
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def performer() -> RemotPerformer:
    made = Remot(RemotDesign(64, 4))
    made.load_state_dict(fill(made, over={"flow_head": 0.002, "head.": 0.02}), strict=False)
    return RemotPerformer(made.eval(), subject(SIZE), CPU)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return motion_of(waving(COUNT), SIZE)


def filmed(performer: RemotPerformer, *parts: Motion) -> Tensor:
    def windows() -> Iterator[Window]:
        start = 0
        for part in parts:
            yield Window(start, part)
            start += len(part)

    return torch.cat(list(performer.perform(windows())))


def test_in_parts_as_whole(performer: RemotPerformer, motion: Motion) -> None:
    whole = filmed(performer, motion)
    assert whole.shape == (COUNT, 4, *SIZE)
    for parts in ([(0, 1), (1, 4), (4, 6)], [(row, row + 1) for row in range(COUNT)]):
        assert torch.equal(filmed(performer, *(motion.rows(*part) for part in parts)), whole)


def test_frames_are_made_with_those_before(performer: RemotPerformer, motion: Motion) -> None:
    whole = filmed(performer, motion)
    for row in (1, 2, 3):
        alone = filmed(performer, motion.rows(row, row + 1))[-1]
        assert float((alone - whole[row]).abs().max()) > 1e-3
        assert torch.equal(filmed(performer, motion.rows(0, row + 1))[-1], whole[row])


@pytest.mark.parametrize("how", ["missing", "turned", "elsewhere"])
def test_a_cut_or_a_missing_person_begins_anew(how: str, performer: RemotPerformer, motion: Motion) -> None:
    at = 3
    theta, camera, present = motion.theta.copy(), motion.camera.copy(), motion.present.copy()  # type: ignore[union-attr]
    if how == "missing":
        present[at] = False
    elif how == "turned":
        theta[at:, 0, 1] = np.pi
        theta[at:, 1:3] = 0.9
        theta[at:, 16:18, 2] += 1.2
    else:
        camera[at:, 1] += 0.9 * camera[0, 0]
    film = replace(motion, theta=theta, camera=camera, present=present)
    whole = filmed(performer, film)
    first = at + 1 if how == "missing" else at
    assert torch.equal(whole[first:], filmed(performer, film.rows(first, COUNT)))
    assert torch.equal(whole[at], filmed(performer, film.rows(at, at + 1))[0])
    assert not torch.equal(whole[first - 1 :], filmed(performer, film.rows(first - 1, COUNT))) or how == "missing"


def test_what_a_cut_is() -> None:
    theta = waving(25)
    camera = np.tile(camera_for(SIZE), (2, 1))
    assert not any(is_cut(theta[row : row + 2], camera) for row in range(24))
    assert is_cut(np.stack([theta[0], theta[0] + 0.9]), camera)
    still = theta[[0, 0]]
    assert not is_cut(still, camera)
    for change in ([1.3, 1, 1], [1, 2.5, 1], [1, 1, 2.5]):
        assert is_cut(still, camera * np.stack([np.ones(3), change]).astype(np.float32))


def test_poses_are_drawn_where_the_person_is_seen() -> None:
    """The body's landmarks in the network's picture are those of the photo."""
    size = (128, 96)
    theta = waving(8)[2]
    drawn = draw((200, 160), theta)
    labels = np.where(drawn.mask > 0.5, Region.TOP, Region.BACKGROUND).astype(np.uint8)
    person, layout, mask = seen_person(drawn.view, labels, size)
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    poser = Poser("anny", betas, size)
    limbs = poser.maps(theta[None])[0].amax(0) > EMPTY
    assert limbs.sum() > 300
    assert float(mask[0][limbs].mean()) > 0.8
    assert torch.allclose(layout[Region.TOP], mask[0], atol=1e-5)
    assert torch.allclose(layout.sum(0), torch.ones(size), atol=1e-5)
    assert float(person[:, mask[0] == 0].max()) == EMPTY
    x0, x1, y0, y1 = head_box(poser.landmarks(theta[None])[0], size)
    head = mask[0, y0:y1, x0:x1]
    assert 0.3 < float(head.mean()) < 1
    assert 10 <= y1 - y0 <= 24


def test_a_face_that_looks_away_is_not_drawn() -> None:
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    theta = np.zeros((2, 24, 3), np.float32)
    theta[1, 0, 1] = np.pi
    points = Poser("anny", betas, (128, 96)).landmarks(theta)
    assert points[0, :, 2].min() == 1
    assert not points[1, [*range(7), 9, 10], 2].any()
    assert points[1, [7, 8, 11, 12], 2].all()


def test_boxes_stay_in_the_picture() -> None:
    points = np.zeros((33, 3), np.float32)
    for x, y in ((-50.0, -50.0), (500.0, 500.0), (0.0, 63.0), (24.0, 30.0)):
        points[:, :2] = x, y
        x0, x1, y0, y1 = head_box(points, (64, 48))
        assert 0 <= x0 < x1 <= 48
        assert 0 <= y0 < y1 <= 64


def test_flow_of_real_frames_is_that_of_the_person() -> None:
    rng = np.random.default_rng(0)
    patches = np.kron(rng.uniform(-0.9, 0.9, (16, 12)), np.ones((4, 4)))
    texture = torch.from_numpy(patches).float()[None].expand(3, -1, -1)
    mask = torch.zeros(2, 1, 64, 48)
    mask[0, :, 12:52, 10:30], mask[1, :, 12:52, 13:33] = 1, 1
    first = torch.where(mask[0] > 0, texture, EMPTY)
    second = torch.where(mask[1] > 0, texture.roll(3, 2), EMPTY)
    flow, believed = true_flow(torch.stack([first, second]), mask)
    assert flow.shape == (1, 2, 64, 48)
    assert not (believed * (1 - mask[1:])).any()
    sure = believed[0, 0] > 0
    assert sure.sum() > 200
    assert float(flow[0, 0][sure].median()) == pytest.approx(-3, abs=0.5)
    assert float(flow[0, 1][sure].median()) == pytest.approx(0, abs=0.5)


def test_an_example_is_a_film_of_what_follows_the_target() -> None:
    person = subject(SIZE)
    shots = [draw(SIZE, theta).view for theta in waving(12)[2:5]]
    camera = np.stack([shot.camera for shot in shots])
    course = Course(np.stack([shot.theta for shot in shots]), camera, tuple(shots[1:]))
    made = build_tensors(Example(person, shots[0], person.plate, course), (64, 48))
    alone = build_tensors(Example(person, shots[0], person.plate), (64, 48))
    assert {name: value.shape for name, value in made.items()} == {name: value.shape for name, value in alone.items()}
    for name in ("pose", "layout", "person", "mask", "picture", "behind"):
        assert torch.equal(made[name][0], alone[name][0]), name
        assert torch.equal(alone[name][0], alone[name][2]), name
    assert not torch.equal(made["pose"][1], made["pose"][2])
    assert float(alone["flow"].abs().max()) < 0.1
    mask, background = made["mask"], made["layout"][:, :1]
    assert float((1 - mask - background).abs().mean()) < 0.02
    own = layouts([person.primary], person.body, person.betas)[0]
    layout = seen_person(person.primary, own, (64, 48))[1]
    assert float((made["source_layout"] - layout).abs().mean()) < 0.03  # clothes are judged by all pictures together
    shown = made["person"] + (1 - mask) * (made["behind"] - EMPTY)
    assert float((shown - made["picture"]).abs().mean()) < 0.02
