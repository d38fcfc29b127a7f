"""Frames with their neighbours, skeletons, disturbances and the green: the small parts, by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from tests.backends.pose2video.films import TINY, puppet, trees
from tests.workflows.scenes import subject, waving
from torch.nn import functional

from retarget_cli.backends.pose2video.augmentation import Strengths, draw_disturbance
from retarget_cli.backends.pose2video.design import ASIDE
from retarget_cli.backends.pose2video.screen import before_green, cut_out, own_green, seen_before, taken_away
from retarget_cli.backends.pose2video.skeleton import ORIGINS, POINTS, disturbed, points, pose_maps
from retarget_cli.backends.pose2video.stream import beside, stacked
from retarget_cli.backends.stage.limbs import BODY, LIMBS, segments
from retarget_cli.backends.stage.pose_maps import maps
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.body.skeleton import JOINT


def numbered(count: int) -> torch.Tensor:
    """(count, 2, 1, 1): frame k is k and -k."""
    return torch.stack([torch.arange(count), -torch.arange(count)], 1).float()[..., None, None]


def directly(count: int, before: int, after: int) -> torch.Tensor:
    rows = [[min(max(row + step, 0), count - 1) for step in range(-before, after + 1)] for row in range(count)]
    return torch.stack([numbered(count)[each].flatten(0, 1) for each in rows])


@pytest.mark.parametrize(("before", "after"), [(2, 2), (2, 0), (0, 0), (0, 3)])
@pytest.mark.parametrize("lengths", [(1,), (7,), (1, 1, 1, 1), (3, 1, 5), (2, 2, 2)])
def test_neighbours_of_a_stream(before: int, after: int, lengths: tuple[int, ...]) -> None:
    """Whatever the parts: at the ends the outermost frames are taken again, and no frame waits longer than it must."""
    count = sum(lengths)
    found, given = [], 0

    def parts() -> object:
        nonlocal given
        for length in lengths:
            assert sum(map(len, found)) == max(0, given - after)
            yield numbered(count)[given : given + length]
            given += length

    for part in beside(parts(), before, after):  # type: ignore[arg-type]
        assert len(part)
        found.append(part)
    assert torch.equal(torch.cat(found), directly(count, before, after))


def test_nothing_has_no_neighbours() -> None:
    assert list(beside(iter(()), 2, 2)) == []


def test_films_are_stacked_each_by_itself() -> None:
    films = torch.stack([numbered(5), numbered(5) + 100])
    found = stacked(films, 3)
    assert found.shape == (6, 6, 1, 1)
    assert found[1, ::2, 0, 0].tolist() == [1, 2, 3]
    assert found[3, ::2, 0, 0].tolist() == [100, 101, 102]


def test_the_tree_has_the_bodys_limbs() -> None:
    person = subject((96, 64))
    posture = Poser(person.body, person.betas).posture(waving(3), torch.device("cpu"))
    tree, found = points(posture), segments(posture)
    assert tree.shape == (3, POINTS, 3)
    assert torch.allclose(tree[:, list(ORIGINS)], found.starts, atol=1e-6)
    assert torch.equal(tree[:, 1:], found.ends)
    assert torch.allclose(pose_maps(tree, (32, 16), ASIDE), maps(posture, (32, 16), ASIDE), atol=1e-5)
    assert all(origin <= limb for limb, origin in enumerate(ORIGINS))  # a limb's origin is placed before it


def test_a_longer_limb_takes_along_what_hangs_on_it() -> None:
    tree = trees(1)
    arm = [(each.bone, each.child) for each in BODY].index((JOINT["left_shoulder"], JOINT["left_elbow"]))
    lengths = torch.ones(1, LIMBS)
    lengths[0, arm] = 1.5
    made = disturbed(tree, lengths, torch.zeros_like(tree))
    added = 0.5 * (tree[0, arm + 1] - tree[0, ORIGINS[arm]])
    moved = (made - tree)[0]
    changed = moved.norm(dim=-1) > 1e-6
    assert torch.allclose(moved[changed], added.expand(int(changed.sum()), 3), atol=1e-6)
    # Elbow, wrist, hand and fingertips, and nobody else's.
    assert int(changed.sum()) == 4
    assert changed[arm + 1]


def test_disturbances_are_as_strong_as_said() -> None:
    torch.manual_seed(0)
    films = trees(4).expand(400, 4, POINTS, 3)
    found = draw_disturbance(films, Strengths())
    assert found.lengths.shape == (400, 1, LIMBS)
    assert float((found.lengths != 1).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert 0.8 <= float(found.lengths.min()) < 0.81
    assert 1.24 < float(found.lengths.max()) <= 1.25
    assert float(found.moved.std()) == pytest.approx(0.015 / 1.25, rel=0.02)
    assert float((found.kept == 0).float().mean()) == pytest.approx(0.05 + 0.02 - 0.001, abs=0.005)
    assert float((found.kept == 0).all(1).float().mean()) == pytest.approx(0.02, abs=0.005)
    drawn = pose_maps(films[:2], (32, 16), ASIDE)
    gone = found.drawn(drawn[:1].expand(400, -1, -1, -1, -1))[found.kept == 0]
    assert not gone.any()
    torch.manual_seed(0)
    again = draw_disturbance(films, Strengths())
    assert all(torch.equal(getattr(found, part), getattr(again, part)) for part in ("lengths", "moved", "kept"))


def test_no_disturbance_changes_nothing() -> None:
    films = trees(3)[None]
    found = draw_disturbance(films, Strengths(0, 0, 0, 0, 0))
    assert torch.allclose(found.bent(films), films, atol=1e-6)
    assert found.kept.all()


def test_green_is_put_behind_people_and_taken_away() -> None:
    person = puppet(trees(2), TINY)
    shown = before_green(person)
    nobody = person[:, 3] == 0
    assert torch.equal(shown.movedim(1, -1)[nobody], torch.tensor([-1.0, 1, -1]).expand(int(nobody.sum()), 3))
    mask = person[:, 3:]
    assert torch.allclose(cut_out(shown, mask), person[:, :3], atol=1e-6)
    own = taken_away(shown, mask)
    assert float((own[:, 3:] - mask).abs().mean()) < 0.02
    expected = person[:, :3] / 2 + mask / 2
    inside = -functional.max_pool2d(-mask, 5, 1, 2) > 0.99
    assert torch.allclose(own[:, :3][inside.expand_as(expected)], expected[inside.expand_as(expected)], atol=1e-4)
    assert not own[:, :3][(mask == 0).expand_as(expected)].any()


def test_outlines_are_coloured_as_the_inside() -> None:
    """Where the generator calls a mixture all person, as much of it goes as is green, and no hue is left of it."""
    skin = torch.tensor([0.6, 0.1, -0.2])[:, None, None]
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 6:] = 1
    mask[..., 5] = 0.4
    shown = before_green(torch.cat([skin * mask, mask], 1))
    own = taken_away(shown, torch.ones_like(mask))
    assert torch.allclose(own[:, 3:, :, 5:], mask[..., 5:], atol=0.06)
    assert not own[..., :4].any()
    straight = own[:, :3, :, 5:] / own[:, 3:, :, 5:]
    assert torch.allclose(straight, (skin / 2 + 0.5).expand_as(straight), atol=0.03)


def test_colours_are_believed_along_the_outline() -> None:
    """A rim that the mask takes for the person and the colours for the screen goes; a green shirt stays."""
    colours = torch.full((1, 3, 12, 12), -1.0)
    colours[:, 1] = 1
    colours[..., 4:, :] = torch.tensor([0.2, 0.1, 0.0])[:, None, None]
    colours[:, :, 8:, :] = torch.tensor([-0.6, 0.4, -0.4])[:, None, None]
    mask = torch.zeros(1, 1, 12, 12)
    mask[..., 3:, :] = 1
    found = seen_before(colours, mask)
    assert not found[..., :4, :].any()
    assert torch.equal(found[..., 4:, :], mask[..., 4:, :])
    assert not seen_before(colours * 1.1, mask).lt(0).any()  # what a refined frame adds may pass plain green
    plain = seen_before(colours, mask, own=0.1)  # nobody who is so green has been seen: it is four parts in ten screen
    assert torch.allclose(plain[..., 11, :], torch.tensor(1 - (0.4 + 0.4) / 2 + 0.1))
    assert torch.equal(plain[..., :4, :], found[..., :4, :])
    mixed = colours.clone()
    mixed[..., 4, :] = (colours[..., 5, :] + torch.tensor([-1.0, 1, -1])[:, None]) / 2
    assert float(seen_before(mixed, mask)[0, 0, 4, 0]) == pytest.approx(0.55, abs=0.06)


def test_how_green_somebody_is() -> None:
    """Whatever is behind him, and but for a hundredth of him; without a picture of him anything may be."""
    image = np.zeros((20, 20, 3), np.uint8)
    image[:] = (0, 255, 0)
    mask = np.zeros((20, 20), np.float32)
    mask[:, :10] = 1
    image[:, :10] = (120, 100, 90)
    image[0, 0] = (0, 255, 0)
    view = replace(subject((20, 20)).primary, image=image, mask=mask)
    assert own_green([view]) == pytest.approx(0.02)
    image[5:8, :10] = (60, 162, 111)
    assert own_green([view]) == pytest.approx(0.02 + 51 / 255)
    assert own_green([replace(view, mask=0 * mask)]) == 1


def test_frames_of_a_clip_change_little_by_little() -> None:
    """What the other tests look at moves at all."""
    shown = puppet(trees(8), TINY)
    assert all(float((one - other).abs().mean()) > 1e-3 for one, other in pairwise(shown))
