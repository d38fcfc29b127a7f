"""The photo sorted into parts, regions of pixels, pages of texture, and other views."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.perception.bodies import body
from tests.workflows.scenes import Drawn, camera_for, draw, motion_of, subject

from retarget_cli.backends.avatar import texture
from retarget_cli.backends.avatar.atlas import pack
from retarget_cli.backends.avatar.backend import Avatar, AvatarOptions
from retarget_cli.backends.avatar.other_views import Borrowed, best_pages, borrow, inside, moved, spread
from retarget_cli.backends.avatar.parts import Part, cut_from, map_parts
from retarget_cli.backends.avatar.sheet import Sheet, build_sheet
from retarget_cli.backends.avatar.texture import Page, continued, paint
from retarget_cli.backends.avatar.viewed import Viewed, continued_below, unseen_joints
from retarget_cli.backends.base import Window
from retarget_cli.core.subject import Subject
from retarget_cli.perception import regions
from retarget_cli.perception.regions import nearest_value

SIZE = (192, 128)


def viewed(drawn: Drawn) -> Viewed:
    return Viewed.of(drawn.view, body(), body().shaped(torch.zeros(body().shape_count)))


@pytest.fixture(scope="module")
def front() -> Viewed:
    theta = np.zeros((24, 3), np.float32)
    theta[16, 2], theta[17, 2] = -0.6, 0.6  # arms away from the trunk
    return viewed(draw(SIZE, theta))


def disc(height: int, width: int, y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.indices((height, width))
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def test_regions_grow_by_the_radius() -> None:
    grown = regions.grown(disc(61, 71, 30, 35, 8), 5)
    assert abs(int(grown[30].sum()) - 27) <= 2
    assert abs(int(grown[:, 35].sum()) - 27) <= 2


def test_opening_takes_hairs_away_and_keeps_the_body() -> None:
    region = disc(61, 71, 30, 35, 12)
    hairy = region.copy()
    hairy[2:20, 35] = True
    assert (regions.opened(hairy, 2) ^ region).sum() < 12


def test_closing_fills_cracks() -> None:
    region = disc(61, 71, 30, 35, 12)
    cracked = region.copy()
    cracked[30] = False
    assert regions.closed(cracked, 2)[30, 30:40].all()


def test_small_holes_are_filled_and_large_ones_stay() -> None:
    region = np.ones((40, 50), bool)
    region[5:8, 5:8] = False
    region[20:32, 20:32] = False
    filled = regions.without_holes(region, 5)
    assert filled[5:8, 5:8].all()
    assert not filled[20:32, 20:32].any()
    assert regions.without_holes(np.ones((4, 4), bool), 3).all()


def test_nearest_value() -> None:
    values = np.zeros((5, 9), np.int32)
    known = np.zeros((5, 9), bool)
    values[2, 0], values[2, 8] = 7, 3
    known[2, [0, 8]] = True
    assert nearest_value(values, known)[2].tolist()[:4] == [7] * 4
    assert nearest_value(values, known)[2].tolist()[5:] == [3] * 4
    assert not nearest_value(values, np.zeros((5, 9), bool)).any()


def test_every_pixel_of_the_person_belongs_to_a_part(front: Viewed) -> None:
    solid = front.view.mask > 0.5
    assert ((front.parts.labels >= 0) == solid).all()
    assert set(np.unique(front.parts.labels[solid])) == {int(part) for part in Part}


def test_left_is_the_persons_left(front: Viewed) -> None:
    """Who faces the viewer has the left hand on the right of the picture."""
    columns = np.indices(SIZE)[1]
    middle = {part: columns[front.parts.labels == part].mean() for part in Part}
    assert middle[Part.LEFT_ARM] > middle[Part.TRUNK] > middle[Part.RIGHT_ARM]
    assert middle[Part.LEFT_LEG] > middle[Part.RIGHT_LEG]


def test_parts_lie_where_their_landmarks_are(front: Viewed) -> None:
    pose = front.view.pose[:, :2].round().astype(int)
    expected = {13: Part.LEFT_ARM, 14: Part.RIGHT_ARM, 25: Part.LEFT_LEG, 26: Part.RIGHT_LEG, 0: Part.TRUNK}
    for landmark, part in expected.items():
        x, y = pose[landmark]
        assert front.parts.labels[y, x] == part


def test_a_body_that_misses_the_mask_gives_all_to_the_trunk(front: Viewed) -> None:
    mask = np.zeros(SIZE, bool)
    mask[:20, :20] = True
    parts = map_parts(front.view.image, mask, front.body)
    assert set(np.unique(parts.labels)) <= {-1, *(int(part) for part in Part)}
    assert (parts.labels[mask] >= 0).all()


def test_borders_that_show_in_a_photo() -> None:
    assert cut_from(Part.TRUNK) == [Part.LEFT_ARM, Part.RIGHT_ARM]
    assert Part.TRUNK not in cut_from(Part.LEFT_LEG)
    assert Part.LEFT_ARM not in cut_from(Part.LEFT_ARM)
    assert set(cut_from(Part.LEFT_ARM)) == set(Part) - {Part.LEFT_ARM}


def test_colours_are_continued_and_the_known_stay() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    known = np.zeros((40, 60), bool)
    known[10:30, 10:20] = True
    image[known] = (10, 200, 30)
    filled = continued(image, known)
    assert (filled[known] == (10, 200, 30)).all()
    assert np.abs(filled.astype(int) - (10, 200, 30)).max() <= 1
    assert (continued(image, np.zeros((40, 60), bool)) == image).all()


def test_a_page_covers_the_domain_and_its_margin() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    domain = np.zeros((40, 60), bool)
    domain[10:20, 30:35] = True
    page = paint(image, domain, domain, margin=3)
    assert (page.x, page.y) == (27, 7)
    assert page.image.shape == (16, 11, 3)


def test_pages_lie_side_by_side_and_one_twice_is_laid_once() -> None:
    one, two = (Page(np.full((h, w, 3), shade, np.uint8), 0, 0) for h, w, shade in ((4, 3, 50), (2, 5, 90)))
    atlas, places = pack([one, two, one])
    assert places == [(0, 0), (3, 0), (0, 0)]
    assert atlas.shape == (4, 8, 3)
    assert (atlas[:4, :3] == 50).all()
    assert (atlas[:2, 3:] == 90).all()


def test_shown_core_is_inside_of_the_part(front: Viewed) -> None:
    core = texture.shown_core(front.parts, Part.LEFT_LEG, front.view.mask, 1.5)
    assert core.any()
    assert (front.parts.visible(Part.LEFT_LEG) | ~core).all()
    assert core.sum() < front.parts.visible(Part.LEFT_LEG).sum()


def test_a_sheet_is_closed_and_faces_the_viewer(front: Viewed) -> None:
    sheet = build_sheet(front.body, Part.LEFT_LEG, front.domain(Part.LEFT_LEG), 2.0)
    assert sheet is not None
    half = len(sheet.points) // 2
    assert (sheet.points[:half, 2] <= sheet.points[half:, 2] + 1e-3).all()
    assert np.allclose(sheet.weights.sum(1), 1, atol=1e-3)
    corners = sheet.points[sheet.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = np.abs(normal[:, 2]) < 1e-3
    assert (normal[~sheet.is_back & ~flat, 2] < 0).mean() > 0.95  # the rim is moved onto the outline
    assert (normal[sheet.is_back & ~flat, 2] > 0).mean() > 0.95


def test_a_domain_without_a_node_gives_no_sheet(front: Viewed) -> None:
    assert build_sheet(front.body, Part.TRUNK, np.zeros(SIZE, bool), 2.0) is None


def square(is_back: list[bool]) -> Sheet:
    points = np.float32([[0, 0, 0], [4, 0, 0], [0, 4, 0], [4, 4, 0]])
    faces = np.int32([[0, 2, 3], [0, 3, 1]])
    return Sheet(points, faces, np.array(is_back), np.eye(4, 24, dtype=np.float32))


def lent(*facing: float) -> Borrowed:
    return Borrowed(Page(np.zeros((1, 1, 3), np.uint8), 0, 0), np.zeros((2, 3, 2), np.float32), np.float32(facing))


def test_the_front_is_always_the_primarys_own() -> None:
    assert best_pages(square([False, False]), [lent(1, 1)]).tolist() == [0, 0]
    assert best_pages(square([True, True]), []).tolist() == [1, 1]


def test_the_back_comes_from_whoever_sees_it_best() -> None:
    pages = best_pages(square([True, True]), [lent(0.9, 0.01), lent(0.2, -1)])
    assert pages.tolist() == [2, 1]
    assert best_pages(square([True, False]), [lent(0.2, 1), lent(0.5, 1)]).tolist() == [3, 0]


def test_values_are_spread_over_neighbours() -> None:
    spreaded = spread(np.float32([1, 0]), square([True, True]), rounds=1)
    assert 0 < spreaded[1] < spreaded[0] < 1
    assert np.allclose(spread(np.float32([0.5, 0.5]), square([True, True])), 0.5)


def test_points_beyond_the_picture_are_outside() -> None:
    region = np.ones((4, 6), bool)
    region[0, 0] = False
    points = np.float32([[0.5, 0.5], [5.9, 3.9], [6.0, 3], [-0.1, 1], [2, 4.0], [1, 0]])
    assert inside(points, region).tolist() == [False, True, False, False, False, True]


def test_a_sheet_moves_to_where_the_other_view_shows_the_part(front: Viewed) -> None:
    bent = np.zeros((24, 3), np.float32)
    bent[16, 2] = 0.4
    other = viewed(draw(SIZE, bent, camera_for(SIZE, 0.7, x=0.6)))
    sheet = build_sheet(front.body, Part.LEFT_ARM, front.domain(Part.LEFT_ARM), 2.0)
    assert sheet is not None
    points = moved(sheet, front, other)
    assert inside(points[:, :2], regions.grown(other.domain(Part.LEFT_ARM), 3)).mean() > 0.95


def test_only_a_view_from_behind_lends_its_back(front: Viewed) -> None:
    turned = np.zeros((24, 3), np.float32)
    turned[0, 1] = np.pi
    sheet = build_sheet(front.body, Part.TRUNK, front.domain(Part.TRUNK), 2.0)
    assert sheet is not None
    behind = borrow(sheet, Part.TRUNK, front, viewed(draw(SIZE, turned)))
    again = borrow(sheet, Part.TRUNK, front, viewed(draw(SIZE)))
    assert behind is not None
    assert again is not None
    assert (behind.facing[sheet.is_back] > 0).mean() > 0.7
    assert (again.facing[sheet.is_back] > 0.05).mean() < 0.3


def test_the_back_is_painted_from_the_photo_of_the_back() -> None:
    """A blue back in the second photo is what is seen when the person turns around."""
    person = subject(SIZE, np.pi)
    back = person.views[1]
    person.views[1].image[back.mask > 0.5] = (20, 40, 230)
    around = np.zeros((1, 24, 3), np.float32)
    around[0, 0, 1] = np.pi
    motion = motion_of(around, SIZE)

    def blue(views: int) -> float:
        chosen = Subject(person.views[:views], person.betas, person.body, person.plate)
        performer = Avatar(AvatarOptions(), torch.device("cpu")).prepare(chosen)
        frame = next(performer.perform(iter([Window(0, motion)])))[0].numpy()
        seen = frame[3] > 0.9
        return float((frame[2] - frame[0])[seen].mean())

    assert blue(2) > 0.5
    assert blue(1) < 0.1


def test_a_picture_that_ends_at_the_hips_is_continued_below() -> None:
    scale = 300.0
    drawn = draw(SIZE, camera=np.float32([scale, 64, 185]))
    view = drawn.view
    assert view.mask[-1].any()
    longer = continued_below(view)
    assert longer.image.shape[0] > SIZE[0]
    assert longer.mask.shape == longer.image.shape[:2]
    assert (longer.mask[SIZE[0] :].sum(1) > 0).all()
    assert np.array_equal(longer.image[: SIZE[0]], view.image)
    whole = draw(SIZE).view
    assert continued_below(whole) is whole
    assert unseen_joints(whole) == []
    assert set(unseen_joints(view)) == {1, 4, 7, 10, 2, 5, 8, 11}
