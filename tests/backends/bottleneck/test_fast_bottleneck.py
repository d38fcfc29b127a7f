"""Networks made ready for many frames make what the plain ones make, at a cost that is always the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.backends.stage.postures import picture, poses
from tests.workflows.scenes import motion_of, subject, waving
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from retarget_cli.backends.base import Window
from retarget_cli.backends.bottleneck import fast_limbs
from retarget_cli.backends.bottleneck.backend import BottleneckBackend
from retarget_cli.backends.bottleneck.fast import FastBottleneck
from retarget_cli.backends.bottleneck.fast_flow import FastFlow
from retarget_cli.backends.bottleneck.fast_layers import Enlarging, TwoRows
from retarget_cli.backends.bottleneck.fast_photo import FastPhoto
from retarget_cli.backends.bottleneck.fast_reading import Axes, Flow, home_of, read, table_of, volume_of
from retarget_cli.backends.bottleneck.model import Bottleneck, BottleneckDesign, Made
from retarget_cli.backends.bottleneck.photo import first_photo, moved_photo
from retarget_cli.backends.bottleneck.sampling import lattice, resized_places, sampled, turned
from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.stage import limbs, pose_maps
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.networks import packed

CPU = torch.device("cpu")
SMALL = BottleneckDesign(resolution=64, width=6, channels=6)
DESIGNS = (
    SMALL, replace(SMALL, resolution=96, width=8, channels=16), replace(SMALL, levels=1), replace(SMALL, levels=2),
    replace(SMALL, skips=False), replace(SMALL, photo=False), replace(SMALL, photo=False, skips=False),
    replace(SMALL, driven_by="maps"), replace(SMALL, driven_by="maps", skips=False),
)  # fmt: skip
CLOSE = 1e-4
# Where the flow is steep the plain modules' own rounding is as large: single pixels, that is, in pictures of noise.
STEEP = 1e-3

pytestmark = pytest.mark.usefixtures("no_gradients")


def lively(design: BottleneckDesign) -> Bottleneck:
    """Of normalizations that do something, and last layers that are not silent."""
    torch.manual_seed(0)
    network, stream = Bottleneck(design).eval(), torch.Generator().manual_seed(7)
    for layer in network.modules():
        if isinstance(layer, nn.InstanceNorm2d | nn.InstanceNorm3d):
            layer.weight.normal_(1, 0.2, generator=stream)
            layer.bias.normal_(0, 0.2, generator=stream)
        elif isinstance(layer, nn.Conv2d | nn.Conv3d) and layer.bias is not None:
            layer.bias.normal_(0, 0.1, generator=stream)
    network.flow.last.weight.normal_(0, 0.005, generator=stream)  # type: ignore[operator,union-attr]
    return network


def plain(network: Bottleneck, shown: Tensor, own: Posture, target: Posture) -> Made:
    count = len(target.joints)
    places = network.places(shown.expand(count, -1, -1, -1), own.expand(count), target)
    return network.decode(network.moved(network.encode(shown, own), places, target))


def check(made: Made, wanted: Made, most: float = STEEP) -> None:
    assert float(wanted.colour.std()) > 0.2
    for one, other in ((made.colour, wanted.colour), (made.confidence, wanted.confidence)):
        apart = (one - other).abs()
        assert one.shape == other.shape
        assert float(apart.max()) < most
        assert float(apart.mean()) < CLOSE / 2


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_pictures(design: BottleneckDesign) -> None:
    network, shown, own, target = lively(design), picture(1, design.resolution), poses(1), poses(2, 1)
    wanted = plain(network, shown, own, target)
    made = FastBottleneck(network, shown, own, network.encode(shown, own)).posed(target)
    assert float((wanted.colour[0] - wanted.colour[1]).abs().mean()) > 0.01
    check(made, wanted)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_pictures_of_volumes_turned(design: BottleneckDesign) -> None:
    """The flow network is not asked: what is left is equal everywhere."""
    network, shown, own = lively(design), picture(1, design.resolution), poses(1)
    volumes, turns = network.encode(shown, own), turned(torch.tensor([0.0, 0.8, 3.0]))
    wanted = network.decode(network.rotated(volumes, turns))
    made = FastBottleneck(network, shown, own, volumes).turned(turns)
    torch.testing.assert_close(made.colour, wanted.colour, atol=CLOSE, rtol=0)
    torch.testing.assert_close(made.confidence, wanted.confidence, atol=CLOSE, rtol=0)
    assert float((wanted.colour[0] - wanted.colour[1]).abs().mean()) > 0.01


@pytest.mark.parametrize("driven_by", ["joints", "maps"])
def test_the_same_places(driven_by: str) -> None:
    network, shown = lively(replace(SMALL, driven_by=driven_by)), picture(1, 64)  # type: ignore[arg-type]
    own, target = poses(1), poses(1, 3)
    wanted = network.places(shown, own, target)[0].permute(3, 1, 2, 0).flatten(1)
    fast, home = FastFlow(network.flow, shown, own, torch.float32), home_of(network.design.flow_size, shown)
    torch.testing.assert_close(fast(target, limbs.segments(target)) + home, wanted, atol=CLOSE, rtol=0)
    assert float((wanted - home).abs().max()) > 0.05


def test_half_precision_rounds_the_decoders_alone() -> None:
    network, shown, own, target = lively(SMALL), picture(1, 64), poses(1), poses(2, 1)
    volumes = network.encode(shown, own)
    full = FastBottleneck(network, shown, own, volumes).posed(target).colour
    half = FastBottleneck(network, shown, own, volumes, torch.bfloat16).posed(target).colour
    apart = (half - full).abs()
    assert half.dtype == torch.float32
    assert 0 < float(apart.mean()) < 0.02
    with torch.autocast("cpu", torch.bfloat16):
        rough = plain(network, shown, own, target).colour.float()
    assert float(apart.mean()) < float((rough - full).abs().mean())


def in_voxels(places: Tensor, size: tuple[int, int, int]) -> Tensor:
    return ((places + 1) * torch.tensor(size[::-1])[:, None] - 1) / 2


@pytest.mark.parametrize("size", [(4, 8, 6), (1, 5, 3), (2, 1, 2), (8, 4, 1)])
def test_reading_rows_is_sampling(size: tuple[int, int, int]) -> None:
    stream = torch.Generator().manual_seed(0)
    volume = torch.randn(1, 3, *size, generator=stream)
    # Beyond the cube too, on its sides, and where voxels are.
    places = torch.rand(1, 3, 4, 5, 3, generator=stream) * 3 - 1.5
    places[0, 0, 0, :4] = torch.tensor([[-1.0, 1, 1], [1, -1, -1], [1e6, -1e6, 0], [1, 1, 1]])
    wanted = sampled(volume, places)
    rows = read(table_of(volume), size, in_voxels(places[0].permute(3, 1, 2, 0).flatten(1), size))
    torch.testing.assert_close(volume_of(rows, (3, 4, 5)).permute(0, 1, 4, 2, 3), wanted, atol=1e-5, rtol=0)
    stayed = read(table_of(volume), size, in_voxels(home_of(size, volume), size))
    torch.testing.assert_close(stayed, table_of(volume), atol=1e-5, rtol=0)


def test_a_place_that_is_no_number_harms_nothing_else() -> None:
    volume, places = torch.randn(1, 2, 4, 4, 4), home_of((4, 4, 4), torch.zeros(1))
    wanted = table_of(volume)
    places[1, 7] = float("nan")
    keep = torch.arange(64) != 7
    assert torch.allclose(read(wanted, (4, 4, 4), in_voxels(places, (4, 4, 4)))[keep], wanted[keep], atol=1e-6)


@pytest.mark.parametrize("wanted", [(8, 16, 16), (4, 8, 8), (2, 4, 6), (1, 8, 16)])
def test_flow_of_another_size(wanted: tuple[int, int, int]) -> None:
    stream, size = torch.Generator().manual_seed(0), (4, 8, 8)
    places = lattice(size, torch.zeros(1))[None] + 0.1 * torch.randn(1, *size, 3, generator=stream)
    moved = places[0].permute(3, 1, 2, 0).flatten(1) - home_of(size, places)
    flow, plain_places = Flow(size, wanted), resized_places(places, wanted)[0].permute(3, 1, 2, 0).flatten(1)
    torch.testing.assert_close(flow.moved(moved) + home_of(wanted, places), plain_places, atol=1e-6, rtol=0)
    torch.testing.assert_close(flow.places(moved), in_voxels(plain_places, wanted), atol=1e-5, rtol=0)


def test_a_matrix_along_each_axis() -> None:
    size, stream = (3, 5, 4), torch.Generator().manual_seed(0)
    volume, planes, rows, columns = (torch.randn(*form, generator=stream) for form in ((2, 60), (6, 3), (2, 5), (7, 4)))
    wanted = torch.einsum("chwd,ih,jw,kd->cijk", volume.view(2, 5, 4, 3), rows, columns, planes)
    torch.testing.assert_close(Axes(rows, columns, planes, size)(volume), wanted.flatten(1))


def test_the_same_photo_moved() -> None:
    """Of any body and any flow: rays that hit nothing, and places outside the picture, too."""
    stream, size, wanted = torch.Generator().manual_seed(0), (4, 8, 8), (8, 8, 8)
    source, target = ((torch.rand(1, 1, *wanted, generator=stream) - 0.6).clamp_min(0) * 2.5 for _ in range(2))
    target[..., :3] = 0
    photo = first_photo(picture(1, 64), source)
    moved = 0.3 * torch.randn(3, 256, generator=stream)
    home, flow = lattice(size, photo), Flow(size, wanted)
    places = home + moved.view(3, 8, 8, 4).permute(3, 1, 2, 0)
    body = target[0].permute(0, 2, 3, 1).flatten(1)
    made = FastPhoto(photo, source)(body, flow.moved(moved), flow.places(moved))
    assert float((made - photo).abs().mean()) > 0.1
    torch.testing.assert_close(made, moved_photo(photo, source, target, places[None]), atol=2e-5, rtol=0)


def shifted(bones: Tensor, across: float) -> Tensor:
    bones = bones.clone()
    bones[..., 0, 3] += across
    return bones


def test_limbs_on_a_lattice() -> None:
    size = (6, 10, 8)
    far = poses(1, 5, strength=1.0)
    aside = Posture(far.joints + torch.tensor([0.7, 0, 0]), shifted(far.bones, 0.7))
    away = Posture(far.joints + torch.tensor([9.0, 0, 0]), shifted(far.bones, 9.0))
    for posture in (poses(1), far, aside, away):
        places, found = lattice(size, posture.joints), limbs.segments(posture)
        power = limbs.powers(posture, places)[0].permute(0, 2, 3, 1).flatten(1)
        torch.testing.assert_close(fast_limbs.powers(found, size), power, atol=2e-6, rtol=2e-6)
        body = limbs.occupancy(posture, places, 0.1)[0].permute(0, 2, 3, 1).flatten(1)
        torch.testing.assert_close(fast_limbs.occupancy(found, size, 0.1), body, atol=1e-4, rtol=0)
        flat = fast_limbs.pose_maps(found, (12, 12), is_deep=False)
        torch.testing.assert_close(flat, pose_maps.maps(posture, (12, 12)), atol=1e-4, rtol=0)
        deep = fast_limbs.pose_maps(found, (12, 12), is_deep=True)
        torch.testing.assert_close(deep, pose_maps.deep_maps(posture, (12, 12)), atol=1e-4, rtol=0)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("dimensions", [2, 3])
def test_enlarging_is_doubling_and_then_summing(dimensions: int) -> None:
    stream = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 4, *[3] * dimensions, generator=stream)
    x = torch.randn(1, 4, *range(3, 3 + dimensions), generator=stream)
    doubled = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
    wanted = (nn.functional.conv2d if dimensions == 2 else nn.functional.conv3d)(doubled, weight, padding=1)
    torch.testing.assert_close(Enlarging(weight, torch.float32)(x), wanted, atol=CLOSE, rtol=0)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("side", [1, 3, 5])
def test_two_rows_at_a_time(side: int) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(7, 5, side, padding=side // 2), torch.randn(1, 7, 6, 9)
    made = TwoRows(layer, [torch.tensor([1, 0, 4]), torch.tensor([2, 3, 5, 6])], torch.float32)(
        x[:, [1, 0, 4]], x[:, [2, 3, 5, 6]]
    )
    torch.testing.assert_close(made, layer(x), atol=CLOSE, rtol=0)
    assert made.is_contiguous()


def test_a_frame_costs_the_same_after_one_two_and_four_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "can_pack", lambda: False)  # packed convolutions are not counted
    backend = make_backend("bottleneck", {"weights": "none", "resolution": "64", "width": "4", "channels": "4"}, CPU)
    person, window = subject((96, 64), np.pi, 0.9), Window(0, motion_of(waving(2), (96, 64)))
    spent = []
    for count in (1, 2, 4):
        views = (person.views * 2)[:count]
        performer = backend.prepare(replace(person, views=views))
        with FlopCounterMode(display=False) as counter:
            list(performer.perform(iter([window])))
        spent.append(counter.get_total_flops())
    assert spent[0] > 1e7
    assert spent[0] == spent[1] == spent[2]


_LONG = """
import sys
import numpy as np, torch
from tests.workflows.scenes import motion_of, subject, waving
from retarget_cli.backends.base import Window
from retarget_cli.backends.registry import make_backend
from retarget_cli.core.memory import peak_mib
torch.set_num_threads(1)
backend = make_backend("bottleneck", {"weights": "none", "resolution": "64", "width": "4"}, torch.device("cpu"))
performer, size = backend.prepare(subject((96, 64), np.pi)), (96, 64)
windows = (Window(4 * number, motion_of(waving(4), size)) for number in range(int(sys.argv[1])))
shown = sum(len(frames) for frames in performer.perform(windows))
assert shown == 4 * int(sys.argv[1])
print(peak_mib())
"""


@pytest.mark.slow
def test_a_clip_three_times_as_long_takes_no_more_memory() -> None:
    root = Path(__file__).parents[3]
    peaks = [
        float(
            subprocess.run(
                [sys.executable, "-c", _LONG, str(count)], cwd=root, capture_output=True, text=True, check=True
            ).stdout
        )
        for count in (15, 45)
    ]
    assert peaks[1] < 1.05 * peaks[0]


@pytest.mark.slow
def test_squares_of_512_pixels() -> None:
    """As large as is offered, untrained: the same pictures, and no frame waits for another."""
    torch.manual_seed(0)
    backend = make_backend("bottleneck", {"weights": "none", "resolution": "512", "width": "8", "channels": "4"}, CPU)
    assert isinstance(backend, BottleneckBackend)
    network, shown, own, target = backend.network, picture(1, 512), poses(1), poses(2, 1)
    assert network.design.sizes[0] == (64, 128, 128)
    made = FastBottleneck(network, shown, own, network.encode(shown, own)).posed(target)
    assert made.colour.shape == (2, 3, 512, 512)
    # Voxels of half the size lie between the same features of noise: twice as steep.
    check(made, plain(network, shown, own, target), 2 * STEEP)
    size = (96, 64)
    performer = backend.prepare(subject(size, np.pi))
    (frames,) = performer.perform(iter([Window(0, motion_of(waving(2), size))]))
    assert frames.shape == (2, 4, *size)
    assert torch.isfinite(frames).all()
    assert float(frames[:, 3].max()) > 0
