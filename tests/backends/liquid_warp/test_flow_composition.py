"""Flow composition against the recorded original, and against cases done by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.reference_weights import record
from torch import Tensor

from retarget_cli.backends.liquid_warp.flow import (
    NOWHERE,
    Correspondence,
    condition,
    correspond,
    merged_texture,
    source_corners,
    textured,
    transformation_flow,
    visible_faces,
)
from retarget_cli.backends.liquid_warp.foreground import (
    continued,
    dilated,
    eroded,
    kernel_of,
    masked_background,
)
from retarget_cli.backends.liquid_warp.topology import (
    HEAD,
    LEFT_HAND,
    RIGHT_FOOT,
    TORSO,
    Chart,
    Topology,
    chart,
    topology,
    topology_of,
)

SIDE = 256


class Recorded:
    """The record, in our conventions."""

    def __init__(self) -> None:
        self.arrays, _ = record("iper_flow_synth")
        arrays = self.arrays
        uv = arrays["uv"] * [1, -1] + [0, 1]
        self.mesh = topology(arrays["faces"], uv, arrays["faces"], arrays["part_of_face"])
        self.sources = self._places("verts_s", "cam_s")
        self.targets = self._places("verts_t", "cam_t")
        self.seen_sources = correspond(self.sources, self.mesh.faces, SIDE, SIDE)
        self.seen = correspond(self.targets, self.mesh.faces, SIDE, SIDE)
        self.same = torch.from_numpy(self.seen.face_index.numpy() == arrays["fim_t"])

    def _places(self, vertices: str, camera: str) -> Tensor:
        """Weak perspective; the original tests depth by the distance from a camera 1 + 1 / tan 30 degrees away."""
        points, cameras = self.arrays[vertices], self.arrays[camera][:, None]
        flat = cameras[..., :1] * (points[..., :2] + cameras[..., 1:])
        far = points[..., 2:] + 1 + 1 / np.tan(np.radians(30))
        return torch.from_numpy(np.concatenate([flat, -1 / far], -1).astype(np.float32))

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


def test_faces_are_the_recorded_ones(recorded: Recorded) -> None:
    assert (recorded.seen_sources.face_index.numpy() == recorded.arrays["fim_s"]).mean() > 0.999
    assert recorded.same.float().mean() > 0.999


def test_flow_is_the_recorded_one(recorded: Recorded) -> None:
    flow = transformation_flow(source_corners(recorded.sources, recorded.mesh), recorded.seen)
    apart = (flow - recorded.tensor("Tst")[0]).abs() * recorded.same[:, None, :, :, None]
    # The record's own weights are rounded where a face is a sliver: a few pixels in a hundred thousand.
    assert np.quantile(apart.numpy(), 0.9999) < 1e-4
    assert apart.max() < 1e-3


def test_flow_of_visible_faces_is_the_recorded_one(recorded: Recorded) -> None:
    visible = visible_faces(recorded.seen_sources.face_index, recorded.mesh)
    flow = transformation_flow(source_corners(recorded.sources, recorded.mesh, visible), recorded.seen)
    apart = (flow - recorded.tensor("Tst_onlyvis")[0]).abs() * recorded.same[:, None, :, :, None]
    assert (apart > 1e-3).float().mean() < 2e-4


def test_condition_is_the_recorded_one(recorded: Recorded) -> None:
    shown = condition(recorded.seen, recorded.mesh)
    apart = (shown - recorded.tensor("cond_t")).abs() * recorded.same[:, None]
    assert apart.max() < 1e-6


def test_sources_merge_into_the_recorded_texture(recorded: Recorded) -> None:
    drawn = chart(recorded.mesh, SIDE)
    assert (drawn.face_index.numpy() == recorded.arrays["uv_fim"][0]).mean() > 0.999
    visible = visible_faces(recorded.seen_sources.face_index, recorded.mesh)
    corners = source_corners(recorded.sources, recorded.mesh)
    made = merged_texture(recorded.tensor("src_in")[0, :, :3], corners, visible, drawn, 13)
    apart = (made - recorded.tensor("uv_img")[0]).abs().amax(0)
    assert (apart > 1e-3).float().mean() < 5e-3  # recorded weights are half precision, pictures are white noise
    assert apart.median() < 1e-4


def test_texture_is_laid_on_as_recorded(recorded: Recorded) -> None:
    made = textured(recorded.tensor("uv_img")[0], recorded.seen, recorded.mesh)
    apart = (made - recorded.tensor("tsf_in")[0, :, :3]).abs() * recorded.same[:, None]
    assert np.quantile(apart.numpy(), 0.999) < 1e-3


def test_masks_are_the_recorded_ones(recorded: Recorded) -> None:
    for source in range(2):
        person = recorded.arrays["mask_s"][source, 0] < 0.5
        body = recorded.arrays["fim_s"][source] >= 0
        sure, reach = recorded.arrays["confidant_sil"][source, 0], recorded.arrays["outpad_sil"][source, 0]
        assert (eroded(person, 3) == (sure > 0)).all()
        assert (dilated(person | body, 9) == (reach > 0)).all()
        picture = recorded.arrays["img"][0, source].transpose(1, 2, 0)
        made = continued(picture, person, body, 3, 9)
        expected = recorded.arrays["src_in"][0, source, :3].transpose(1, 2, 0)
        np.testing.assert_allclose(made[sure > 0], expected[sure > 0])
        assert (made[reach == 0] == 0).all()
        assert (expected[reach == 0] == 0).all()


def test_background_is_the_recorded_one(recorded: Recorded) -> None:
    person = recorded.arrays["mask_s"][0, 0] < 0.5
    picture = recorded.arrays["img"][0, 0].transpose(1, 2, 0)
    made = masked_background(picture, person, 11).transpose(2, 0, 1)
    np.testing.assert_allclose(made, recorded.arrays["bg_in"][0, 0], atol=1e-6)


# Two triangles side by side, 8 x 16 pixels.
CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [-1, 1, 0], [1, 1, 0]], np.float32)
FACES = np.array([[0, 2, 1], [3, 1, 2]], np.int64)


def _square() -> tuple[Topology, Tensor]:
    uv = (CORNERS[:, :2] + 1) / 2
    faces = np.repeat(FACES, 2, 0)
    return topology(faces, uv, faces, np.zeros(4, np.int64)), torch.from_numpy(CORNERS)


def test_flow_of_a_body_to_itself_is_the_identity() -> None:
    mesh, places = _square()
    seen = correspond(places[None], mesh.faces, 8, 16)
    flow = transformation_flow(source_corners(places[None], mesh), seen)[0, 0]
    assert seen.hit.all()
    np.testing.assert_allclose(flow[3, 5], [2 * 5.5 / 16 - 1, 2 * 3.5 / 8 - 1], atol=1e-6)
    np.testing.assert_allclose(flow[0, 0], [1 / 16 - 1, 1 / 8 - 1], atol=1e-6)


def test_flow_points_into_the_source() -> None:
    mesh, places = _square()
    small = places * torch.tensor([0.5, 0.5, 1.0]) + torch.tensor([0.25, 0.0, 0.0])
    seen = correspond(small[None], mesh.faces, 8, 16)
    flow = transformation_flow(source_corners(places[None], mesh), seen)[0, 0]
    outside = ~seen.hit[0]
    assert (flow[outside] == NOWHERE).all()
    row, column = 4, 10  # of the small target, right of its middle
    here = torch.tensor([2 * 10.5 / 16 - 1, 2 * 4.5 / 8 - 1])
    np.testing.assert_allclose(flow[row, column], (here - torch.tensor([0.25, 0.0])) / 0.5, atol=1e-5)


def test_the_first_source_wins_in_the_texture_then_the_mean_of_the_others() -> None:
    mesh, places = _square()
    corners = source_corners(places.expand(3, -1, -1), mesh)
    pictures = torch.stack([torch.full((3, 8, 8), value) for value in (0.1, 0.4, 0.8)])
    drawn = Chart(torch.tensor([[0, 2]]), torch.full((1, 2, 3), 1 / 3))
    seen = torch.zeros(3, 4, dtype=torch.bool)
    seen[:, 0] = True
    seen[1:, 2] = True
    made = merged_texture(pictures, corners, seen, drawn, 1)
    np.testing.assert_allclose(made[0, 0], [0.1, 0.6], atol=1e-6)
    seen[1:, 2] = False
    made = merged_texture(pictures, corners, seen, drawn, 1)
    np.testing.assert_allclose(made[0, 0], [0.1, 0.1], atol=1e-6)


def test_visible_faces_take_their_neighbours_along() -> None:
    near = torch.tensor([[0, 1, 1]] * 4)
    mesh = Topology(torch.zeros(4, 3), torch.zeros(4, 3, 2), torch.zeros(4, 2), near, torch.zeros(4))
    assert visible_faces(torch.tensor([[[0, -1]]]), mesh).tolist() == [[True, True, False, False]]
    assert not visible_faces(torch.tensor([[[-1, -1]]]), mesh).any()


def test_condition_is_constant_on_a_face_and_marks_the_background() -> None:
    mesh, places = _square()
    shown = condition(correspond((places * torch.tensor([0.5, 1, 1]))[None], mesh.faces, 8, 16), mesh)[0]
    assert shown[:, 4, 0].tolist() == [0, 0, 1]
    assert shown[2, 4, 6] == 0
    assert len({tuple(pixel.tolist()) for pixel in shown[:, :, 4:12].flatten(1).T}) == 2


def test_our_body_has_its_parts() -> None:
    mesh = topology_of("anny")
    counts = torch.bincount(mesh.parts, minlength=10)
    assert (counts > 100).all()
    centre = mesh.uv.mean(1)
    assert {HEAD, TORSO, RIGHT_FOOT, LEFT_HAND} <= set(mesh.parts.tolist())
    assert torch.isfinite(centre).all()
    assert (mesh.parts[mesh.near] == mesh.parts[:, None]).all()


def test_far_from_the_person_nothing_is_shown() -> None:
    picture = np.ones((32, 48, 3), np.float32)
    person = np.zeros((32, 48), bool)
    person[10:20, 20:30] = True
    shown = continued(picture, person, np.zeros_like(person), 3, 5)
    assert (shown[8:22, 18:32] == 1).all()
    assert (shown[:8] == 0).all()
    assert (shown[:, 32:] == 0).all()


def test_nobody_is_an_empty_foreground() -> None:
    empty = np.zeros((16, 16), bool)
    assert not continued(np.ones((16, 16, 3), np.float32), empty, empty, 3, 9).any()


def test_an_empty_picture_has_no_flow() -> None:
    nothing = Correspondence(torch.full((1, 4, 4), -1), torch.zeros(1, 4, 4, 3))
    assert (transformation_flow(torch.zeros(2, 1, 3, 2), nothing) == NOWHERE).all()


@pytest.mark.parametrize(("side", "scale", "expected"), [(9, 1, 9), (9, 2, 17), (11, 0.5, 5), (3, 0.1, 1)])
def test_kernels_are_odd_at_every_size(side: int, scale: float, expected: int) -> None:
    assert kernel_of(side, scale) == expected
