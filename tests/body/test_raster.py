"""Rasterizers: hand cases with H != W, edges shared and owned once, agreement of the implementations."""

import sys
from subprocess import run

import numpy as np
import pytest
import torch
from torch import Tensor

from retarget_cli.body.raster import Fragments, choose_rasterizer, rasterize
from retarget_cli.body.raster.numba_zbuffer import make_buffers
from retarget_cli.body.raster.numba_zbuffer import rasterize as rasterize_arrays
from retarget_cli.body.raster.pytorch3d_raster import normalised
from retarget_cli.core.errors import BackendError

NAMES = ("numba", "torch")
both = pytest.mark.parametrize("name", NAMES)


def mesh(*corners: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Triangles that share no corners."""
    vertices = torch.tensor(corners, dtype=torch.float32)
    return vertices, torch.arange(len(corners)).view(-1, 3)


def covered(fragments: Fragments) -> list[tuple[int, int]]:
    """(row, column) of what is drawn."""
    return [tuple(place) for place in (fragments.face_index >= 0).nonzero().tolist()]


@both
def test_a_triangle_covers_the_pixels_whose_centres_are_inside(name) -> None:
    # The right angle at (1, 1); the long side runs from (5, 1) to (1, 4) in a 4 x 6 picture.
    found = rasterize(*mesh((1, 1, 2), (5, 1, 2), (1, 4, 2)), 4, 6, name=name)
    assert found.face_index.tolist() == [
        [-1, -1, -1, -1, -1, -1],
        [-1, 0, 0, 0, -1, -1],
        [-1, 0, 0, -1, -1, -1],
        [-1, 0, -1, -1, -1, -1],
    ]
    assert found.depth[1, 1] == 2
    assert found.depth[0, 0] == torch.inf
    assert found.barycentric[0, 0].tolist() == [0, 0, 0]


@both
def test_barycentrics_and_depth_are_those_of_the_centre(name) -> None:
    vertices, faces = mesh((0, 0, 1), (8, 0, 5), (0, 4, 9))
    found = rasterize(vertices, faces, 4, 8, name=name)
    # The centre (2.5, 1.5) is at 2.5 / 8 towards the second and 1.5 / 4 towards the third corner.
    expected = torch.tensor([1 - 0.3125 - 0.375, 0.3125, 0.375])
    assert torch.allclose(found.barycentric[1, 2], expected)
    assert found.depth[1, 2].item() == pytest.approx(float(expected @ torch.tensor([1.0, 5, 9])))


@both
def test_barycentrics_rebuild_the_pixel_centres_whatever_the_winding(name) -> None:
    generator = torch.Generator().manual_seed(5)
    vertices = torch.rand(60, 3, generator=generator) * torch.tensor([30.0, 20, 1])
    faces = torch.arange(60).view(-1, 3)
    for chosen in (faces, faces.flip(1), faces.roll(1, 1)):
        found = rasterize(vertices, chosen, 20, 30, name=name)
        row, column = (found.face_index >= 0).nonzero(as_tuple=True)
        corners = vertices[chosen[found.face_index[row, column].long()]]
        rebuilt = (corners * found.barycentric[row, column][..., None]).sum(1)
        # Corners are rounded to 1/256 pixel; slivers turn that into more depth, not more place.
        assert (rebuilt[:, 0] - column - 0.5).abs().max() < 1 / 256
        assert (rebuilt[:, 1] - row - 0.5).abs().max() < 1 / 256
        assert torch.allclose(found.barycentric[row, column].sum(1), torch.ones(len(row)), atol=1e-6)


@both
def test_the_nearer_wins_and_the_first_of_equals(name) -> None:
    square = [(0, 0), (6, 0), (0, 6)]
    far_near = mesh(*[(x, y, 3) for x, y in square], *[(x, y, 1) for x, y in square])
    assert rasterize(*far_near, 5, 5, name=name).face_index.max() == 1
    assert 0 not in rasterize(*far_near, 5, 5, name=name).face_index
    equal = mesh(*[(x, y, 1) for x, y in square], *[(x, y, 1) for x, y in square])
    assert 1 not in rasterize(*equal, 5, 5, name=name).face_index


@both
def test_two_triangles_that_cross_split_where_they_meet(name) -> None:
    flat = [(0, 0, 4.25), (16, 0, 4.25), (0, 16, 4.25)]
    slanted = [(0, 0, 0), (16, 0, 16), (0, 16, 0)]
    found = rasterize(*mesh(*flat, *slanted), 2, 8, name=name)
    # The slanted one is at depth x: nearer left of x = 4.25, and the centre 3.5 is, 4.5 is not.
    assert found.face_index[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


@both
@pytest.mark.parametrize("shift", [0.0, 0.5, 0.25, 1 / 3])
def test_shared_edges_are_owned_once_and_leave_no_gap(name, shift) -> None:
    """A fan over a whole picture, drawn one triangle at a time: every pixel exactly once."""
    height, width = 23, 37
    rim = [(-3, -3), (9.5, -3), (18.5, -3), (40, -3), (40, 11.5), (40, 30), (18.5, 30), (-3, 30), (-3, 11.5)]
    vertices = torch.tensor([(18.5 + shift, 11.5, 0.0), *[(x, y, 0.0) for x, y in rim]])
    counts = torch.zeros(height, width, dtype=torch.int64)
    for first in range(len(rim)):
        for flipped in (False, True):
            face = torch.tensor([[0, 1 + first, 1 + (first + 1) % len(rim)]])
            face = face.flip(1) if flipped else face
            counts += rasterize(vertices, face, height, width, name=name).face_index >= 0
    assert counts.unique().tolist() == [2]


@both
def test_a_random_sheet_has_no_holes(name) -> None:
    generator = np.random.default_rng(2)
    rows, columns = np.mgrid[0:14, 0:18]
    jitter = generator.uniform(-0.35, 0.35, (2, 14, 18))
    points = np.stack([(columns + jitter[0]) * 3 - 4, (rows + jitter[1]) * 3 - 4, 0 * rows], -1)
    index = np.arange(14 * 18).reshape(14, 18)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = torch.from_numpy(np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))]))
    vertices = torch.from_numpy(points.reshape(-1, 3)).float()
    height, width = 28, 40
    assert (rasterize(vertices, faces, height, width, name=name).face_index >= 0).all()
    alone = sum(
        (rasterize(vertices, face[None], height, width, name=name).face_index >= 0).int() for face in faces
    )
    assert (alone == 1).all()


@both
def test_top_and_left_edges_belong_bottom_and_right_do_not(name) -> None:
    """A square whose sides run through pixel centres."""
    corners = [(1.5, 1.5, 0), (4.5, 1.5, 0), (4.5, 3.5, 0), (1.5, 1.5, 0), (4.5, 3.5, 0), (1.5, 3.5, 0)]
    found = rasterize(*mesh(*corners), 6, 7, name=name)
    assert covered(found) == [(row, column) for row in (1, 2) for column in (1, 2, 3)]


@both
def test_cull_keeps_what_looks_counter_clockwise(name) -> None:
    """From the first corner up to the second, then left: the way a body's face looks from outside."""
    towards = mesh((6, 6, 0), (6, 1, 0), (1, 6, 0))
    away = towards[0], towards[1].flip(1)
    assert covered(rasterize(*towards, 8, 9, cull=True, name=name))
    assert not covered(rasterize(*away, 8, 9, cull=True, name=name))
    assert covered(rasterize(*away, 8, 9, name=name)) == covered(rasterize(*towards, 8, 9, name=name))


@both
@pytest.mark.parametrize(
    "corners",
    [
        [(-9, 1, 0), (-1, 1, 0), (-1, 5, 0)],
        [(20, 1, 0), (30, 1, 0), (30, 5, 0)],
        [(1, -9, 0), (5, -9, 0), (5, -1, 0)],
        [(1, 40, 0), (5, 40, 0), (5, 60, 0)],
        [(1, 1, 0), (5, float("nan"), 0), (5, 9, 0)],
        [(1, 1, 0), (5, 1, float("nan")), (5, 9, 0)],
        [(1, 1, 0), (5, 1, float("inf")), (5, 9, 0)],
        [(1, 1, 0), (float("-inf"), 1, 0), (5, 9, 0)],
        [(1, 1, 0), (1e12, 1, 0), (5, 9, 0)],
        [(1, 1, 0), (5, 5, 0), (9, 9, 0)],
        [(2.6, 2.6, 0), (2.9, 2.6, 0), (2.6, 2.9, 0)],
    ],
    ids=["left", "right", "above", "below", "nan", "nan-z", "inf-z", "inf", "far", "flat", "between-centres"],
)
def test_what_can_not_be_seen_is_not_drawn(name, corners) -> None:
    assert not covered(rasterize(*mesh(*corners), 10, 12, name=name))


@both
def test_a_triangle_far_larger_than_the_picture_fills_it(name) -> None:
    found = rasterize(*mesh((-9e5, -9e5, 1), (9e5, -9e5, 1), (0.0, 9e5, 1)), 33, 70, name=name)
    assert (found.face_index == 0).all()
    assert torch.allclose(found.depth, torch.ones(33, 70))


@both
def test_nothing_to_draw(name) -> None:
    found = rasterize(torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64), 3, 4, name=name)
    assert (found.face_index == -1).all()
    assert found.face_index.shape == found.depth.shape == (3, 4)
    assert (found.face_index.dtype, found.barycentric.dtype) == (torch.int32, torch.float32)


@pytest.mark.parametrize("cull", [False, True])
@pytest.mark.parametrize(("height", "width", "spread"), [(48, 31, 3.0), (40, 90, 40.0), (90, 64, 200.0)])
def test_implementations_agree_on_every_pixel(height, width, spread, cull) -> None:
    generator = torch.Generator().manual_seed(height)
    centre = torch.rand(500, 1, 3, generator=generator) * torch.tensor([width + 20.0, height + 20, 5]) - 10
    offset = (torch.rand(500, 3, 3, generator=generator) - 0.5) * torch.tensor([spread, spread, 2])
    vertices, faces = (centre + offset).view(-1, 3), torch.arange(1500).view(-1, 3)
    first, second = (rasterize(vertices, faces, height, width, cull=cull, name=name) for name in NAMES)
    assert (first.face_index >= 0).sum() > 50
    assert torch.equal(first.face_index, second.face_index)
    assert torch.allclose(first.depth, second.depth, rtol=1e-6)
    assert torch.allclose(first.barycentric, second.barycentric, atol=1e-6)


def test_tiles_of_the_torch_version_do_not_depend_on_the_memory_bound(monkeypatch) -> None:
    from retarget_cli.body.raster import torch_zbuffer

    generator = torch.Generator().manual_seed(0)
    vertices = torch.rand(300, 3, generator=generator) * torch.tensor([90.0, 70, 1])
    faces = torch.arange(300).view(-1, 3)
    whole = rasterize(vertices, faces, 70, 90, name="torch")
    monkeypatch.setattr(torch_zbuffer, "_AT_ONCE", 1500)
    assert torch.equal(whole.face_index, rasterize(vertices, faces, 70, 90, name="torch").face_index)


def test_buffers_are_overwritten_whole() -> None:
    vertices, faces = mesh((1, 1, 2), (5, 1, 2), (1, 4, 2))
    out = make_buffers(4, 6)
    out.face_index[:], out.barycentric[:], out.depth[:] = 7, 7, -7
    found = rasterize_arrays(vertices.numpy(), faces.numpy(), 4, 6, out=out)
    assert found is out
    fresh = rasterize_arrays(vertices.numpy(), faces.numpy().astype(np.int32), 4, 6)
    for field in ("face_index", "barycentric", "depth"):
        assert np.array_equal(getattr(out, field), getattr(fresh, field))


@pytest.mark.parametrize(
    ("vertices", "faces", "size"),
    [
        (np.zeros((3, 2)), [[0, 1, 2]], (4, 6)),
        (np.zeros((3, 3)), [[0, 1]], (4, 6)),
        (np.zeros((3, 3)), [[0, 1, 3]], (4, 6)),
        (np.zeros((3, 3)), [[0, -1, 2]], (4, 6)),
        (np.zeros((3, 3)), [[0, 1, 2]], (6, 4)),
    ],
)
def test_what_would_write_outside_memory_is_refused(vertices, faces, size) -> None:
    with pytest.raises(ValueError, match=r"faces|expected|out is"):
        rasterize_arrays(vertices, np.array(faces), *size, out=make_buffers(4, 6))


def test_choice_and_unknown_names(monkeypatch) -> None:
    from retarget_cli.body.raster import interface

    monkeypatch.setattr(interface, "find_spec", lambda _: None)
    assert [choose_rasterizer(kind) for kind in ("cpu", "cuda:0", "mps")] == ["numba", "torch", "torch"]
    monkeypatch.setattr(interface, "find_spec", lambda _: object())
    assert [choose_rasterizer(kind) for kind in ("cpu", "cuda:0", "mps")] == ["numba", "pytorch3d", "torch"]
    with pytest.raises(BackendError, match="opengl"):
        rasterize(*mesh((0, 0, 0), (1, 0, 0), (0, 1, 0)), 2, 2, name="opengl")
    with pytest.raises(BackendError, match="CUDA"):
        rasterize(*mesh((0, 0, 0), (1, 0, 0), (0, 1, 0)), 2, 2, name="pytorch3d")


def test_pytorch3d_axes_point_left_and_up_over_the_shorter_side() -> None:
    corners = torch.tensor([(0.0, 0, 5), (40, 20, 7), (20, 10, torch.nan)])
    assert normalised(corners, 20, 40)[:2].tolist() == [[2, 1, 1], [-2, -1, 3]]


def test_numba_is_imported_only_to_draw() -> None:
    modules = "retarget_cli.body.raster.numba_zbuffer, retarget_cli.body.catalog"
    code = f"import sys, {modules}; sys.exit('numba' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_draws_where_no_cache_can_be_kept(monkeypatch) -> None:
    from numba.core import caching

    from retarget_cli.body.raster import numba_kernel

    monkeypatch.setattr(caching.FunctionCache, "_impl_class", NowhereToCache)
    doubled = numba_kernel._compiled(lambda x: 2 * x)
    assert doubled(21) == 42


class NowhereToCache:
    """numba's complaint, in a read-only package of a user without a home."""

    def __init__(self, function: object) -> None:
        raise RuntimeError(f"cannot cache function {function!r}: no locator available")
