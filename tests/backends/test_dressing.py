"""Other clothes: what is taken from whom, that it fits, and what stays."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from tests.workflows.scenes import draw, subject

from retarget_cli.backends.avatar.alteration import altered, at_rest
from retarget_cli.backends.avatar.figure import build_figure
from retarget_cli.backends.avatar.transforms import compose, pose_transforms
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.backends.dressing.clothing import Clothing
from retarget_cli.backends.dressing.exchange import alike, dressed, solid
from retarget_cli.backends.dressing.skin import recoloured
from retarget_cli.backends.registry import make_backend
from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Image, Subject
from retarget_cli.perception.palette import Palette

SIZE = (384, 256)
RED, BLUE, GREEN, YELLOW = (200, 30, 40), (30, 50, 190), (30, 150, 60), (220, 190, 40)
HEM = 0.52  # of the person's height, from above
NECKLINE = 0.17


def wearing(top: object, trousers: object, size: tuple[int, int] = SIZE, skin: object = None) -> Subject:
    """The drawn person with painted clothes: down to the hem one colour, below it another; hands and head bare."""
    person = subject(size)
    view = person.primary
    image = view.image.copy()
    rows = np.flatnonzero((view.mask > 0.5).any(1))
    height = len(rows)
    y, x = np.indices(size)
    shade = view.image.max(-1, keepdims=True) / 220
    inside = view.mask > 0.5
    if skin is not None:
        image[inside] = (shade * np.array(skin))[inside].clip(0, 255)
    hands = np.zeros(size, bool)
    for joint in (15, 16, 17, 18, 19, 20, 21, 22):
        hands |= np.hypot(x - view.pose[joint, 0], y - view.pose[joint, 1]) < 0.035 * height
    below = (y - rows[0]) / height
    for color, region in ((top, (below > NECKLINE) & (below < HEM)), (trousers, below >= HEM)):
        chosen = inside & region & ~hands
        image[chosen] = (shade * np.array(color))[chosen].clip(0, 255)
    return replace(person, views=(replace(view, image=image),))


def near(image: Image, color: object) -> np.ndarray:
    """(H, W): pixels of a colour, lit as they may be."""
    scaled = image.astype(float) / np.maximum(image.max(-1, keepdims=True), 1)
    return np.abs(scaled - np.array(color) / max(color)).max(-1) < 0.12  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def own() -> Subject:
    return wearing(RED, BLUE)


@pytest.fixture(scope="module")
def other() -> Subject:
    return wearing(GREEN, YELLOW)


def shares(person: Subject) -> dict[str, float]:
    """How much of the person has each colour."""
    view = person.primary
    inside = view.mask > 0.5
    colors = {"red": RED, "blue": BLUE, "green": GREEN, "yellow": YELLOW}
    return {name: float((near(view.image, color) & inside).sum() / inside.sum()) for name, color in colors.items()}


@pytest.mark.parametrize(
    ("parts", "has", "has_not"),
    [
        (Parts.UPPER, ("green", "blue"), ("red", "yellow")),
        (Parts.LOWER, ("red", "yellow"), ("green", "blue")),
        (Parts.BODY, ("green", "yellow"), ("red", "blue")),
        (Parts.ALL, ("green", "yellow"), ("red", "blue")),
    ],
)
def test_what_is_asked_for_is_exchanged_and_no_more(
    own: Subject, other: Subject, parts: Parts, has: tuple[str, str], has_not: tuple[str, str]
) -> None:
    before, after = shares(own), shares(dressed(own, other, parts))
    expected = {"red": before["red"], "green": before["red"], "blue": before["blue"], "yellow": before["blue"]}
    for name in has:
        assert after[name] == pytest.approx(expected[name], rel=0.15), name
    for name in has_not:
        assert after[name] < 0.02, name


@pytest.mark.parametrize("parts", list(Parts))
def test_head_hands_place_and_background_stay(own: Subject, other: Subject, parts: Parts) -> None:
    result = dressed(own, other, parts)
    view, before = result.primary, own.primary
    rows = np.flatnonzero((before.mask > 0.5).any(1))
    head = slice(rows[0], int(rows[0] + 0.12 * len(rows)))
    assert np.abs(view.image[head].astype(int) - before.image[head]).mean() < 1.5
    outside = cv2.dilate(before.mask, np.ones((9, 9))) < 0.01
    assert np.abs(view.image[outside].astype(int) - own.plate[outside]).max() < 3
    overlap = ((view.mask > 0.5) & (before.mask > 0.5)).sum() / ((view.mask > 0.5) | (before.mask > 0.5)).sum()
    assert overlap > 0.93
    # No hole, at the neck and the waist least of all.
    inner = cv2.erode(before.mask, np.ones((7, 7))) > 0.5
    assert (view.mask[inner] > 0.5).mean() > 0.995
    for name in ("theta", "camera", "pose", "world"):
        assert np.array_equal(getattr(view, name), getattr(before, name))


def test_neither_of_the_two_is_changed(own: Subject, other: Subject) -> None:
    before = [np.copy(person.primary.image) for person in (own, other)]
    dressed(own, other, Parts.BODY)
    for image, person in zip(before, (own, other), strict=True):
        assert np.array_equal(image, person.primary.image)


def test_all_views_are_dressed(other: Subject) -> None:
    many = subject(SIZE, np.pi)
    result = dressed(many, other, Parts.BODY)
    assert len(result.views) == 2
    for view in result.views:
        inside = view.mask > 0.5
        assert (near(view.image, GREEN) & inside).sum() > 0.15 * inside.sum()


def test_skin_keeps_its_colour_unless_all_is_asked_for(own: Subject) -> None:
    pale = wearing(GREEN, YELLOW, skin=(240, 215, 205))
    hand = own.primary.pose[19, :2].astype(int)

    def at_hand(person: Subject) -> np.ndarray:
        return np.median(person.primary.image[hand[1] - 3 : hand[1] + 3, hand[0] - 3 : hand[0] + 3], axis=(0, 1))

    assert np.abs(at_hand(dressed(own, pale, Parts.BODY)) - at_hand(own)).max() < 12
    assert np.abs(at_hand(dressed(own, pale, Parts.ALL)) - at_hand(own)).max() > 25


def test_two_canvases_do_not_fit(own: Subject) -> None:
    with pytest.raises(InputError, match="garment of 160x240"):
        dressed(own, wearing(GREEN, YELLOW, (240, 160)), Parts.ALL)


def test_through_the_backend(own: Subject, other: Subject) -> None:
    cpu = torch.device("cpu")
    result = make_backend("avatar", {}, cpu).dress(own, other, Parts.UPPER)
    assert shares(result)["green"] > 0.2
    assert make_backend("still", {}, cpu).dress(own, other, Parts.UPPER) is own


def test_clothes_are_sorted_by_the_hem(own: Subject) -> None:
    body = load_body("anny")
    found = Clothing.of(Viewed.of(own.primary, body, body.shaped(torch.from_numpy(own.betas))))
    image, inside = own.primary.image, own.primary.mask > 0.9
    assert (found.lower & near(image, RED) & inside).sum() < 0.03 * found.lower.sum()
    assert (found.upper & near(image, BLUE) & inside).sum() < 0.03 * found.upper.sum()
    assert not (found.head & found.upper).any()
    assert not (found.upper & found.lower).any()
    for hand in (19, 20):
        x, y = own.primary.pose[hand, :2].astype(int)
        assert found.hands[y - 2 : y + 3, x - 2 : x + 3].any()


def test_a_figure_on_its_own_body_stays_as_it_is() -> None:
    person = subject(SIZE)
    body = load_body("anny")
    shape = body.shaped(torch.from_numpy(person.betas))
    theta = np.zeros((24, 3), np.float32)
    theta[16, 2], theta[1, 0] = -0.9, 0.4
    view = draw(SIZE, theta).view
    figure = build_figure([view], body, shape, 3.0)
    same = altered(figure, shape, shape)
    posed = pose_transforms(theta[None], body, shape)[0]
    blended = (same.weights[..., None, None] * compose(posed, same.unposed)[same.joints]).sum(1)
    moved = (blended[..., :3] @ same.points[..., None])[..., 0] + blended[..., 3]
    apart = np.linalg.norm(moved - figure.points, axis=1)
    assert np.percentile(apart, 99) < 1e-3


def test_a_longer_body_gets_longer_trousers() -> None:
    person = subject(SIZE)
    body = load_body("anny")
    shape = body.shaped(torch.from_numpy(person.betas))
    taller = replace(shape, vertices=shape.vertices * 1.1, joints=shape.joints * 1.1)
    figure = build_figure(person.views, body, shape, 3.0)
    before, after = at_rest(figure), altered(figure, shape, taller).points
    assert np.ptp(after[:, 1]) == pytest.approx(1.1 * np.ptp(before[:, 1]), rel=0.02)


def test_recoloured_skin_keeps_its_shade() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10], image[10:] = (200, 150, 130), (100, 75, 65)
    skin = np.ones((20, 20), bool)
    own, other = np.array([200, 150, 130], np.uint8), np.array([120, 80, 60], np.uint8)
    painted = recoloured(image, skin, own, other)
    assert np.abs(painted[4, 10].astype(int) - other).max() < 8
    assert painted[15, 10].sum() < 0.65 * painted[4, 10].sum()
    assert np.array_equal(recoloured(image, skin, own, None), image)
    assert np.array_equal(recoloured(image, ~skin, own, other), image)


def test_a_palette_knows_its_colours() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, :20], image[:, 20:30], image[:, 30:] = RED, GREEN, BLUE
    away = Palette.of(image, np.indices((40, 40))[1] < 28, 2).away(image)
    assert away[20, 10] < 2
    assert away[20, 25] < 6
    assert away[20, 36] > 40
    assert np.isinf(Palette.of(image, np.zeros((40, 40), bool), 2).away(image)).all()


def test_shadows_are_not_carried_on_and_threads_are_cut() -> None:
    color = np.full((60, 40, 3), 150.0, np.float32)
    color[20:24, :10] = (10, 90, 80)
    region = np.zeros((60, 40), bool)
    region[20:] = True
    kept = alike(color, region, 20)
    assert not kept[20:24, :10].any()
    assert kept[30:].all()
    share = np.zeros((60, 40), np.float32)
    share[10:40, 5:30], share[50, :] = 1, 1
    assert solid(share, 4.0)[20, 15] == pytest.approx(1, abs=1e-3)
    assert solid(share, 4.0)[50].max() < 0.05
