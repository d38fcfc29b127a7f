"""A person's picture sorted into six classes, against drawn people of whom all is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from retarget_cli.body.catalog import load_body
from retarget_cli.core.layout import Labels, Region, planes
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View
from retarget_cli.perception.outfit import Outfit
from retarget_cli.perception.parsing import Parser, parsed, parsed_views
from retarget_cli.synth import outfit as wardrobe
from retarget_cli.synth.camera import Stage
from retarget_cli.synth.dance import STANDING, play
from retarget_cli.synth.dressing import dress
from retarget_cli.synth.footing import lowest_foot
from retarget_cli.synth.light import Light
from retarget_cli.synth.parts import PARSING
from retarget_cli.synth.posed import pose_figure, skeleton_of
from retarget_cli.synth.render import composed, draw_figure

SIZE = (256, 160)
SHORTS = wardrobe.Outfit(
    top=(40, 90, 160), pattern="plain", sleeve=1.95, bottom=(150, 40, 60), leg=0.5, shoes=(30, 30, 34)
)
DRESSES = (wardrobe.SAILOR, SHORTS)


@dataclass(frozen=True)
class Posed:
    """A drawn person, the true layout, and the shape of the body."""

    view: View
    truth: Labels
    betas: FloatArray

    @property
    def parser(self) -> Parser:
        return Parser(load_body("anny"), self.betas)


def drawn(worn: wardrobe.Outfit, turn: float = 0.0) -> Posed:
    """Somebody in an outfit who stands, seen from a side, radians."""
    betas = np.zeros(load_body("anny").shape_count, np.float32)
    figure = dress(load_body("anny"), betas, worn, wardrobe.SAILOR_FACE)
    theta = play(STANDING, np.zeros(1, np.float32)).theta.copy()
    theta[0, 0, 1] += turn
    skeleton = skeleton_of(figure, theta)
    stage = Stage(0.46 * SIZE[0], 0.5 * SIZE[1], 0.93 * SIZE[0])
    camera = stage.cameras(np.zeros((1, 3)), lowest_foot(skeleton)[:1], 1.0)[0].astype(np.float32)
    seen = draw_figure(figure, pose_figure(figure, skeleton, 0), camera, Light(), SIZE)
    wall: Image = np.full((*SIZE, 3), (96, 110, 90), np.uint8)
    pose = np.concatenate([skeleton.landmarks[0, :, :2] * camera[0] + camera[1:], np.ones((33, 1))], 1)
    mask = seen.cover.astype(np.float32)
    world = np.zeros((33, 3), np.float32)
    view = View(composed(seen, wall), mask, pose.astype(np.float32), world, theta[0].astype(np.float32), camera)
    return Posed(view, PARSING[seen.parts], betas)


def overlaps(found: Labels, truth: Labels) -> dict[Region, float]:
    """Intersection over union of each class."""
    return {
        region: float(((found == region) & (truth == region)).sum() / ((found == region) | (truth == region)).sum())
        for region in Region
    }


@pytest.fixture(scope="module")
def people() -> list[Posed]:
    return [drawn(worn) for worn in DRESSES]


@pytest.mark.parametrize("row", range(len(DRESSES)))
def test_each_class_is_where_it_was_drawn(people: list[Posed], row: int) -> None:
    posed = people[row]
    found = parsed(posed.view, load_body("anny"), posed.betas)
    assert found.dtype == np.uint8
    each = overlaps(found, posed.truth)
    assert min(each.values()) > 0.85, each
    assert np.mean(list(each.values())) > 0.93, each


def test_clothes_end_where_they_were_cut(people: list[Posed]) -> None:
    for posed, worn in zip(people, DRESSES, strict=True):
        found = posed.parser.outfit([posed.view])
        assert found is not None
        assert abs(found.sleeve - worn.sleeve) < 0.2
        assert abs(found.leg - worn.leg) < 0.2
        assert abs(found.hem - 1.0) < 0.15
        assert found.is_shod


def test_a_back_is_sorted_too() -> None:
    posed = drawn(SHORTS, turn=np.pi)
    each = overlaps(parsed(posed.view, load_body("anny"), posed.betas), posed.truth)
    assert np.mean(list(each.values())) > 0.9, each


def test_only_the_mask_is_sorted_and_all_of_it(people: list[Posed]) -> None:
    view = people[0].view
    half = view.mask.copy()
    half[:, 80:] = 0
    found = people[0].parser.layout(replace(view, mask=half))
    assert np.array_equal(found > 0, half > 0.5)


def test_what_other_pictures_show_counts(people: list[Posed]) -> None:
    posed = people[1]
    # In a picture without colours bare legs look covered; another picture of the same person knows better.
    gray = cv2.cvtColor(cv2.cvtColor(posed.view.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    dim = replace(posed.view, image=np.asarray(gray // 8 + 100, np.uint8))
    alone = posed.parser.layout(dim)
    _, together = parsed_views([posed.view, dim], posed.parser)
    assert (together == posed.truth).mean() > (alone == posed.truth).mean()
    assert overlaps(together, posed.truth)[Region.LIMBS] > 0.7


def test_an_outfit_that_is_given_is_kept_to(people: list[Posed]) -> None:
    bare = Outfit(sleeve=0.0, leg=0.0, hem=1.0, is_shod=False)
    found = people[0].parser.layout(people[0].view, bare)
    assert not (found == Region.SHOES).any()
    assert (found == Region.LIMBS).sum() > 1.5 * (people[0].truth == Region.LIMBS).sum()


def test_larger_pictures_give_the_same(people: list[Posed]) -> None:
    posed = people[0]
    size = (3 * SIZE[1], 3 * SIZE[0])
    large = replace(
        posed.view,
        image=np.asarray(cv2.resize(posed.view.image, size, interpolation=cv2.INTER_CUBIC), np.uint8),
        mask=cv2.resize(posed.view.mask, size, interpolation=cv2.INTER_LINEAR),
        pose=posed.view.pose * np.array([3, 3, 1], np.float32),
        camera=3 * posed.view.camera,
    )
    found = posed.parser.layout(large)
    truth = cv2.resize(posed.truth, size, interpolation=cv2.INTER_NEAREST)
    assert np.mean(list(overlaps(found, truth).values())) > 0.9


def test_the_same_every_time(people: list[Posed]) -> None:
    first, second = (people[0].parser.layout(people[0].view) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("change", ["empty mask", "body elsewhere"])
def test_nobody_gives_background(people: list[Posed], change: str) -> None:
    view = people[0].view
    if change == "empty mask":
        view = replace(view, mask=np.zeros_like(view.mask))
    else:
        view = replace(view, camera=view.camera + np.array([0, 5000, 0], np.float32))
    assert not people[0].parser.layout(view).any()
    assert people[0].parser.outfit([view]) is None


def test_planes_of_a_layout() -> None:
    layout = np.array([[0, 1], [5, 3]], np.uint8)
    found = planes(layout)
    assert found.shape == (6, 2, 2)
    assert np.array_equal(found.argmax(0), layout)
    assert np.array_equal(found.sum(0), np.ones((2, 2)))


def test_a_trained_network_is_asked_instead(people: list[Posed]) -> None:
    class Sure:
        """Everything of the mask is a shoe."""

        def layout(self, image: Image, mask: FloatArray) -> Labels:
            assert image.shape[:2] == mask.shape
            return np.where(mask > 0.5, Region.SHOES, Region.BACKGROUND).astype(np.uint8)

    parser = Parser(load_body("anny"), people[0].betas, Sure())  # type: ignore[arg-type]
    (found,) = parsed_views([people[0].view], parser)
    assert np.array_equal(np.unique(found), [0, Region.SHOES])
