"""What is added where the head is: where that is, what it is made from, when it learns, and what was recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.backends.pose2video.films import CPU, SIZE, batch, trees
from tests.backends.pose2video.test_pose2video_backend import handed, network_of
from tests.backends.pose2video.test_pose2video_game import moved
from tests.networks.published import apart, filled_as, recorded
from tests.workflows.scenes import draw, motion_of, subject, waving

from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.examples import FRAMES
from retarget_cli.backends.pose2video.face import Boxes, Face, box_size, head_boxes
from retarget_cli.backends.pose2video.face_game import FaceGame
from retarget_cli.backends.pose2video.film import Poses, film
from retarget_cli.backends.pose2video.model import Pose2Video
from retarget_cli.backends.pose2video.performer import Pose2VideoPerformer
from retarget_cli.backends.pose2video.skeleton import pose_maps
from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Phase
from retarget_cli.core.errors import UsageError
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.networks.official_names import global_names
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store

TOLERANCE = 1e-3
DESIGN = Design(
    resolution=64, width=4, levels=1, blocks=1, context=0, stages=1, is_recursive=True, has_face=True
)  # fmt: skip
SMALL = {
    "weights": "none", "resolution": "64", "width": "4", "levels": "1", "blocks": "1", "context": "0", "stages": "1",
    "recursive": "yes", "face": "yes",
}  # fmt: skip


@pytest.fixture
def game(tmp_path: Path) -> FaceGame:
    torch.manual_seed(0)
    store = Store([Place("here", tmp_path)], Ledger(tmp_path / "checked.json"))
    return FaceGame(Pose2Video(DESIGN), CPU, discriminator_width=4, share=0.5, augments=False, store=store)


@torch.inference_mode()
def test_a_whole_frame_with_its_face_is_as_recorded() -> None:
    arrays, rules = recorded("edn")
    face = Face(3, 3)
    filled_as(face.generator, global_names(face.generator), "edn_G_face", rules, 1)
    top, bottom, left, right = arrays["face_box"].long()
    boxes = Boxes(top[None], left[None], (int(bottom - top), int(right - left)))
    assert apart(face(arrays["i1"], arrays["p1"], boxes), arrays["final1"]) < TOLERANCE


def test_parts_are_cut_out_and_put_back() -> None:
    pictures = torch.rand(2, 3, 9, 7)
    boxes = Boxes(torch.tensor([0, 5]), torch.tensor([4, 1]), (4, 3))
    parts = boxes.cut(pictures)
    assert torch.equal(parts[0], pictures[0, :, 0:4, 4:7])
    assert torch.equal(parts[1], pictures[1, :, 5:9, 1:4])
    assert torch.equal(boxes.filled(pictures, parts), pictures)
    changed = boxes.filled(pictures, parts + 1) - pictures
    assert changed.sum().item() == pytest.approx(2 * 3 * 4 * 3, rel=1e-5)
    assert torch.allclose(boxes.cut(changed), torch.ones(2, 3, 4, 3), atol=1e-6)


def test_the_box_is_about_the_head() -> None:
    """As large as published in a picture, the face in its middle, the whole head inside."""
    assert [box_size((side, side // 2)) for side in (512, 256, 128, 32)] == [(104, 64), (56, 32), (32, 16), (16, 16)]
    size = (512, 256)
    drawn = draw((512, 384))
    frame = Frame.of(drawn.camera, size, ASIDE)
    shown = frame.cut(torch.from_numpy(drawn.mask)[None])[0]
    boxes = head_boxes(trees(1), size)
    top, left = int(boxes.top), int(boxes.left)
    crown = int(torch.nonzero(shown.amax(1) > 0.5)[0])
    nose, chin = (np.array(drawn.world[row][:2]) for row in (0, 10))
    down = [(place[1] / 1.25 + 1) / 2 * size[0] for place in (nose, chin)]
    assert top < crown < down[0] < top + boxes.size[0]
    assert abs(down[0] - (top + boxes.size[0] / 2)) < boxes.size[0] / 8
    assert abs(left + boxes.size[1] / 2 - size[1] / 2) <= 1


def test_a_head_beyond_the_border_has_a_box_inside() -> None:
    tree = trees(2)
    tree[0] -= 3
    tree[1] += 3
    boxes = head_boxes(tree, (64, 32))
    assert boxes.top.tolist() == [0, 64 - 16]
    assert boxes.left.tolist() == [0, 32 - 16]


@torch.inference_mode()
def test_at_first_nothing_is_added_and_later_in_the_box_alone() -> None:
    network, tree = Pose2Video(DESIGN), trees(2)
    poses = pose_maps(tree, DESIGN.size, ASIDE)
    made = network.first(torch.cat([poses, torch.zeros(2, 3, *DESIGN.size)], 1))
    assert torch.equal(network.faced(made, poses, tree).colours, made.colours)
    face = network_of(DESIGN).face
    assert face is not None
    network.face = face
    changed = network.faced(made, poses, tree)
    assert changed.mask is made.mask
    boxes = head_boxes(tree, DESIGN.size)
    difference = (changed.colours - made.colours).abs()
    assert float(boxes.cut(difference).mean()) > 0.01
    assert not boxes.filled(difference, torch.zeros_like(boxes.cut(difference))).any()


def test_the_next_frame_sees_the_face() -> None:
    """And the fast networks make what the plain ones do."""
    network, motion, person = network_of(DESIGN), motion_of(waving(3), SIZE), subject(SIZE)
    whole = torch.cat(list(Pose2VideoPerformer(network, person, CPU).perform(handed(motion, 3))))
    single = torch.cat(list(Pose2VideoPerformer(network, person, CPU).perform(handed(motion, 1))))
    assert torch.allclose(whole, single, atol=1e-5)
    tree, before = trees(3), torch.zeros(1, 3, *DESIGN.size)
    poses = Poses.of(tree, DESIGN)
    with torch.inference_mode():
        found = torch.cat([made.colours for made in film(made_ready(network), [poses])])
        for row in range(3):
            pose = poses.maps[row : row + 1]
            expected = network.faced(network.first(torch.cat([pose, before], 1)), pose, tree[row : row + 1]).colours
            before = found[row : row + 1]  # such a network makes ten times as much of a difference in the one before
            assert torch.allclose(before, expected, atol=2e-3)
        network.face = None
        plain = [made.colours for made in film(made_ready(network), [poses])]
    boxes = head_boxes(tree, DESIGN.size)
    outside = boxes.filled(found - torch.cat(plain), torch.zeros(3, 3, *boxes.size)).abs().amax((1, 2, 3))
    assert outside[0] == 0
    assert outside[1] > 1e-3


def test_the_face_learns_when_the_first_stage_has(game: FaceGame) -> None:
    """Its opponent sees heads alone; the first stage stays as it is."""
    found = []
    for number in (4, 5):
        game.approach(number, 10)
        found.append(moved(game))
    assert found == [
        {GENERATOR: {"first"}, DISCRIMINATOR: {"0"}},
        {GENERATOR: {"face"}, DISCRIMINATOR: {"1"}},
    ]
    assert [game.way(number, 10) for number in (0, 4, 5)] == [0, 0.8, 0]


def test_terms_of_the_face(game: FaceGame) -> None:
    game.approach(9, 10)
    given, kept = batch(DESIGN), dict[str, torch.Tensor]()
    terms = game.losses(GENERATOR, given, kept)
    assert set(terms) == {"perceptual", "face"}
    assert {name: tuple(each.shape) for name, each in kept.items()} == {
        "made": (2 * FRAMES, 3, 16, 16), "true": (2 * FRAMES, 3, 16, 16), "given": (2 * FRAMES, 28, 16, 16),
    }  # fmt: skip
    assert not any(each.requires_grad for each in kept.values())
    opponent = game._face_opponent()
    assert opponent is not None
    with torch.no_grad():
        (judged,) = opponent.of_faces(kept["given"], kept["made"])
        (real,) = opponent.of_faces(kept["given"], kept["true"])
    assert terms["face"].item() == pytest.approx(float((judged.score - 1).square().mean()), rel=1e-4)
    (told,) = game.losses(DISCRIMINATOR, given, kept).values()
    wrong = float((real.score - 1).square().mean() + judged.score.square().mean()) / 2
    assert told.item() == pytest.approx(wrong, rel=1e-4)
    boxes = head_boxes(given["points"][:, :FRAMES].flatten(0, 1), DESIGN.size)
    people = given["pictures"].flatten(0, 1)
    green = torch.tensor([-1.0, 1, -1])[:, None, None]
    assert torch.allclose(kept["true"], boxes.cut(people[:, :3] + (1 - people[:, 3:]) * green))
    game.adversarial, game.opponents = 0, None
    assert set(game.losses(GENERATOR, given, {})) == {"perceptual"}
    assert game.picture(given).shape == (2, 3, 64, 3 * 32)


def test_half_the_size_knows_no_faces(tmp_path: Path) -> None:
    design = replace(DESIGN, is_enhanced=True)
    store = Store([Place("here", tmp_path)], Ledger(tmp_path / "checked.json"))
    game = FaceGame(Pose2Video(design), CPU, discriminator_width=4, store=store)
    for number in (0, 6):
        game.approach(number, 10)
        losses = game.losses(GENERATOR, batch(design), {})
        assert ("face" in losses) == (number == 6)


def test_the_option() -> None:
    backend = make_backend("pose2video", SMALL, CPU)
    assert isinstance(backend, Pose2VideoBackend)
    assert backend.network.design == DESIGN
    assert isinstance(backend.game(Phase.PERSONALIZE), FaceGame)
    with pytest.raises(UsageError, match="face=yes") as told:
        make_backend("pose2video", {**SMALL, "recursive": "no"}, CPU)
    assert "recursive=yes" in told.value.hint
