"""The transfer stream that is made ready for one subject makes what the plain modules make."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.liquid_warp import fast
from retarget_cli.backends.liquid_warp.fast import FastTransfer
from retarget_cli.backends.liquid_warp.fast_warp import table_of, taps_of
from retarget_cli.backends.liquid_warp.flow import NOWHERE
from retarget_cli.backends.liquid_warp.generator import STRATEGIES, Design, Generator, WarpedFeatures
from retarget_cli.networks import packed
from retarget_cli.networks.packed import Convolution

WIDTH, DEPTH = 8, 2
TOLERANCE = 1e-5

pytestmark = pytest.mark.usefixtures("no_gradients")


def flows_of(window: int, sources: int, height: int, width: int) -> Tensor:
    """Turned and moved pictures, with much outside, and a part that leads nowhere."""
    noise = torch.Generator().manual_seed(5)
    forms = torch.eye(2, 3) + 0.3 * torch.randn(window * sources, 2, 3, generator=noise)
    grid = functional.affine_grid(forms, [len(forms), 1, height, width], align_corners=False)
    grid[:, : height // 4, width // 3 :] = NOWHERE
    return grid.reshape(window, sources, height, width, 2)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("sources", "window", "size"), [(1, 1, (32, 32)), (1, 4, (24, 40)), (2, 4, (40, 24)), (3, 1, (32, 48))]
)
def test_the_same_pictures(strategy: str, sources: int, window: int, size: tuple[int, int]) -> None:
    torch.manual_seed(3)
    generator = Generator(Design(strategy, WIDTH, DEPTH, has_background=False))  # type: ignore[arg-type]
    for each in generator.parameters():  # so that attention attends, and biases are seen
        each.mul_(2).add_(0.05 * torch.randn_like(each))
    views, inputs = torch.rand(sources, 6, *size) * 2 - 1, torch.rand(window, 6, *size) * 2 - 1
    flows = flows_of(window, sources, *size)
    features = generator.identity.encode(views)
    wanted = generator.transfer(inputs, views.expand(window, *views.shape), features, flows)
    ready = FastTransfer(generator.transfer, views, features)
    for _ in range(2):  # nothing that is kept may be overwritten
        for ours, theirs in zip(ready(inputs, flows), wanted, strict=True):
            assert ours.shape == theirs.shape
            assert theirs.std() > 0.01
            assert (ours - theirs).abs().max() < TOLERANCE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_half_precision_is_near(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form that is meant for CUDA, on the CPU."""
    monkeypatch.setattr(packed, "can_pack", lambda: False)
    monkeypatch.setattr(fast, "is_half_enough", lambda _: True)
    torch.manual_seed(3)
    generator = Generator(Design(strategy, WIDTH, DEPTH, has_background=False))  # type: ignore[arg-type]
    views, inputs, flows = torch.rand(2, 6, 32, 32) * 2 - 1, torch.rand(2, 6, 32, 32) * 2 - 1, flows_of(2, 2, 32, 32)
    features = generator.identity.encode(views)
    wanted = generator.transfer(inputs, views.expand(2, *views.shape), features, flows)
    for ours, theirs in zip(FastTransfer(generator.transfer, views, features)(inputs, flows), wanted, strict=True):
        assert ours.dtype == torch.float32
        assert 0 < (ours - theirs).abs().max() < 0.03


def test_sums_are_grid_sampling_beyond_every_edge() -> None:
    torch.manual_seed(4)
    features, flows = torch.randn(3, 5, 6, 10), flows_of(2, 3, 24, 40)
    flows[0, 0, 0, 0] = 1e9
    warped = WarpedFeatures([features], flows).at(0)
    taps = taps_of(flows, 6, 10)
    assert (taps.summed(table_of(features)) - warped.sum(1)).abs().max() < TOLERANCE
    each = taps.each(table_of(features)).reshape(2, 6, 10, 3, 5).permute(0, 3, 4, 1, 2)
    assert (each - warped).abs().max() < TOLERANCE


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("kind", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_a_convolution_is_the_layer(kind: type[torch.nn.Conv2d | torch.nn.ConvTranspose2d]) -> None:
    layer, x = kind(5, 7, 4, 2, 1), torch.randn(2, 5, 12, 8).contiguous(memory_format=torch.channels_last)
    ready = Convolution.of(layer)
    wanted = layer(x)
    assert (ready(x) - wanted).abs().max() < TOLERANCE
    assert (ready(x, rectified=True) - wanted.relu()).abs().max() < TOLERANCE
    other = torch.randn_like(wanted)
    assert (ready.onto(other.clone(), x) - other - wanted).abs().max() < TOLERANCE
    assert (ready.onto(other.clone(), x, rectified=True) - (other + wanted).relu()).abs().max() < TOLERANCE


def test_only_known_layers() -> None:
    with pytest.raises(TypeError, match="Linear"):
        Convolution.of(torch.nn.Linear(2, 2))
