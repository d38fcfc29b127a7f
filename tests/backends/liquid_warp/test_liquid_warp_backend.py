"""The backend around the generator: options, weights, several people, the figure instead of the body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.workflows.scenes import motion_of, subject, waving
from torch import Tensor

from retarget_cli.backends.base import Window
from retarget_cli.backends.liquid_warp.backend import LiquidWarp, personal_sources
from retarget_cli.backends.liquid_warp.clothes import lent_faces, lent_parts
from retarget_cli.backends.liquid_warp.examples import body_box, build_tensors, head_box
from retarget_cli.backends.liquid_warp.inputs import Cast, Poser, build_sources, network_size
from retarget_cli.backends.liquid_warp.options import LiquidWarpOptions
from retarget_cli.backends.liquid_warp.topology import HEAD, LEFT_HAND, RIGHT_LEG, TORSO, topology_of
from retarget_cli.backends.registry import make_backend
from retarget_cli.core.errors import BackendError, InputError, UsageError, WeightsError
from retarget_cli.core.example import Example
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject
from retarget_cli.weights.checkpoints import Label, write_weights

CPU = torch.device("cpu")
SIZE = (96, 64)
TINY = {"weights": "none", "width": "4", "depth": "1", "resolution": "96"}


def tiny(**said: str) -> LiquidWarp:
    backend = make_backend("liquid-warp", {**TINY, **said}, CPU)
    assert isinstance(backend, LiquidWarp)
    return backend


@pytest.fixture(scope="module")
def person() -> Subject:
    return subject(SIZE, np.pi)


def rendered(backend: LiquidWarp, person: Subject, frames: int = 2) -> Tensor:
    motion = motion_of(waving(frames), SIZE)

    def windows() -> Iterator[Window]:
        yield Window(0, motion)

    return torch.cat(list(backend.prepare(person).perform(windows())))


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        ((256, 256), 256, (256, 256)),
        ((720, 1280), 256, (144, 256)),
        ((100, 50), 256, (96, 48)),
        ((2000, 10), 256, (256, 8)),
    ],
)
def test_the_network_works_on_multiples_of_eight(
    size: tuple[int, int], resolution: int, expected: tuple[int, int]
) -> None:
    assert network_size(size, resolution) == expected


@pytest.mark.parametrize(
    "said",
    [
        {"strategy": "magic"},
        {"background": "green"},
        {"flow": "water"},
        {"resolution": 100},
        {"resolution": 32},
        {"width": -1},
        {"personal_sources": 0},
        {"background_stream": "perhaps"},
        {"discriminator_width": 0},
    ],
)
def test_options_out_of_bounds_are_named(said: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(said))):
        LiquidWarpOptions(**said)  # type: ignore[arg-type]


def test_weights_decide_about_the_form(tmp_path: Path) -> None:
    own = tiny(strategy="add")
    path = tmp_path / "mine.safetensors"
    write_weights(path, own.generator.state_dict(), Label("liquid-warp", own.design(), license="CC0"))
    found = make_backend("liquid-warp", {"weights": str(path)}, CPU)
    assert isinstance(found, LiquidWarp)
    assert found.design() == own.design()
    assert found.lineage()["base"] == "mine.safetensors"
    with pytest.raises(UsageError, match="width=8"):
        make_backend("liquid-warp", {"weights": str(path), "width": "8"}, CPU)
    with pytest.raises(UsageError, match="no background stream"):
        make_backend("liquid-warp", {"weights": str(path), "background": "network"}, CPU)


@pytest.mark.parametrize("wrong", [{"width": "wide"}, {"depth": "9" * 12}, {"width": "8"}, {"strategy": "attention"}])
def test_weights_that_are_not_of_their_design_are_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    own = tiny(strategy="add")
    path = tmp_path / "mine.safetensors"
    write_weights(path, own.generator.state_dict(), Label("liquid-warp", {**own.design(), **wrong}))
    with pytest.raises(WeightsError, match=r"mine\.safetensors"):
        make_backend("liquid-warp", {"weights": str(path)}, CPU)


def test_weights_of_another_method_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_weights(path, tiny().generator.state_dict(), Label("bottleneck", {}))
    with pytest.raises(WeightsError, match="bottleneck"):
        make_backend("liquid-warp", {"weights": str(path)}, CPU)


def test_moved_colours_need_no_weights_and_cannot_learn(person: Subject) -> None:
    backend = make_backend("liquid-warp", {"strategy": "warp", "weights": "nowhere"}, CPU)
    assert isinstance(backend, LiquidWarp)
    frames = rendered(backend, person)
    assert frames.shape == (2, 4, *SIZE)
    assert set(frames[:, 3].unique().tolist()) == {0.0, 1.0}
    with pytest.raises(BackendError, match="warp"):
        backend.design()


@pytest.mark.parametrize("strategy", ["attention", "concatenation", "texture"])
def test_frames_do_not_depend_on_the_window(strategy: str, person: Subject) -> None:
    torch.manual_seed(0)
    backend = tiny(strategy=strategy)
    together = rendered(backend, person, 3)
    motion = motion_of(waving(3), SIZE)
    performer = backend.prepare(person)
    alone = torch.cat(list(performer.perform(iter([Window(row, motion.rows(row, row + 1)) for row in range(3)]))))
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_background_stream_paints_the_plate(person: Subject) -> None:
    torch.manual_seed(0)
    painted = tiny(background_stream="yes", background="network").painted_behind(person)
    assert painted.plate.shape == person.plate.shape
    assert not np.array_equal(painted.plate, person.plate)
    assert tiny().painted_behind(person) is person


def test_a_view_is_warped_onto_itself() -> None:
    """What the network is given in the source's own pose is the source, as sharp as the texture is."""
    height, width = size = (192, 128)
    person = subject(size)
    made = build_tensors(Example(person, person.primary, person.plate), size)
    inside = (made["target_input"][5] == 0) & (made["silhouettes"][1, 0] == 0)
    apart = (made["target_input"][:3] - made["real_target"]).abs()[:, inside]
    assert inside.float().mean() > 0.05
    assert apart.median() < 0.06
    flow = made["flows"][0][inside]
    rows, columns = torch.nonzero(inside, as_tuple=True)
    here = torch.stack([2 * (columns + 0.5) / width - 1, 2 * (rows + 0.5) / height - 1], 1)
    np.testing.assert_allclose(flow, here, atol=1e-4)


def test_boxes_are_inside_the_picture_and_hold_the_person(person: Subject) -> None:
    pose = person.primary.pose
    x0, x1, y0, y1 = body_box(pose, SIZE)
    assert 0 <= x0 < x1 <= SIZE[1]
    assert 0 <= y0 < y1 <= SIZE[0]
    assert x0 <= pose[:, 0].clip(0, SIZE[1]).min()
    h0, h1, top, bottom = head_box(pose, SIZE)
    assert h0 <= pose[0, 0] <= h1
    assert top <= pose[0, 1] <= bottom
    assert bottom < (y0 + y1) / 2
    away = pose + np.array([1000, -1000, 0], np.float32)
    assert body_box(away, SIZE) == (56, 64, 0, 8)


def test_personal_sources_are_frontal_and_backward() -> None:
    turned = subject(SIZE, 1.0, np.pi, 2.0)
    chosen = personal_sources(turned.views, 2)
    facing = [float(np.abs(view.theta[0, 1])) for view in chosen]
    np.testing.assert_allclose(facing, [0, np.pi], atol=1e-3)
    assert len(personal_sources(turned.views, 8)) == 4


def test_hands_stay_ones_own_unless_all_is_taken() -> None:
    assert LEFT_HAND not in lent_parts(Parts.BODY)
    assert LEFT_HAND in lent_parts(Parts.ALL)
    assert set(lent_parts(Parts.UPPER)).isdisjoint(lent_parts(Parts.LOWER))
    assert all(HEAD not in lent_parts(parts) for parts in Parts)
    mesh = topology_of("anny")
    lent = lent_faces(mesh, Parts.LOWER)
    assert lent[mesh.parts == RIGHT_LEG].all()
    assert not lent[mesh.parts == TORSO].any()


def test_each_person_lends_his_own_faces(person: Subject) -> None:
    mesh = topology_of("anny")
    lent = lent_faces(mesh, Parts.LOWER)
    poser = Poser(person.body, person.betas, SIZE, CPU)
    sources = build_sources([Cast(person.views, poser, ~lent), Cast(person.views[:1], poser, lent)], SIZE)
    leads = (sources.corners > -2).all(-1).all(-1)
    assert torch.equal(leads[0], ~lent)
    assert torch.equal(leads[2], lent)
    assert len(sources.inputs) == 3


def test_clothes_of_another_canvas_are_refused(person: Subject) -> None:
    with pytest.raises(InputError, match="64x64"):
        tiny().dress(person, subject((64, 64)))


def test_clothes_are_seen_in_what_is_rendered(person: Subject) -> None:
    backend = make_backend("liquid-warp", {"strategy": "warp"}, CPU)
    assert isinstance(backend, LiquidWarp)
    red = np.zeros_like(person.primary.image) + np.array([255, 0, 0], np.uint8)
    wearer = replace(person, views=tuple(replace(view, image=red) for view in person.views))
    own = rendered(backend, person)
    dressed = rendered(backend, backend.dress(person, wearer, Parts.LOWER))
    redness = (dressed[0, 0] - dressed[0, 1]) * dressed[0, 3]
    assert redness[SIZE[0] * 2 // 3 :].max() > 0.9
    upper = slice(0, SIZE[0] // 3)
    np.testing.assert_allclose(dressed[:, :, upper], own[:, :, upper], atol=0.02)


def test_the_figure_moves_the_colours_where_that_is_asked_for() -> None:
    """It is cut out of the photo: in the photo's pose it covers the person, hair and clothes included."""
    person = subject((192, 128))
    backend = make_backend("liquid-warp", {"strategy": "warp", "flow": "clothed"}, CPU)
    still = motion_of(np.zeros((1, 24, 3), np.float32), (192, 128))
    (frame,) = torch.cat(list(backend.prepare(person).perform(iter([Window(0, still)]))))
    covered, mask = frame[3].numpy() > 0.5, person.primary.mask > 0.5
    assert (covered & mask).sum() / (covered | mask).sum() > 0.9
    both = covered & mask
    apart = np.abs(frame[:3].numpy() - person.primary.image.transpose(2, 0, 1) / 255)[:, both]
    assert apart.mean() < 0.04
    tensors = tiny(flow="clothed").tensors(Example(person, person.primary, person.plate))
    plain = tiny().tensors(Example(person, person.primary, person.plate))
    assert {name: value.shape for name, value in tensors.items()} == {name: v.shape for name, v in plain.items()}
