"""Residual and composite generators that are made ready make what the plain ones make."""

from __future__ import annotations

import pytest
import torch
from tests.networks.published import apart
from torch import Tensor, nn

from retarget_cli.networks.composite_generator import CompositeDesign, CompositeGenerator
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.networks.normalization import Norm
from retarget_cli.networks.packed import Convolution
from retarget_cli.networks.residual_generator import EnhancedGenerator, ResidualGenerator, TrunkDesign

TOLERANCE = 1e-4
NORMS: tuple[Norm, ...] = ("instance", "batch")


pytestmark = pytest.mark.usefixtures("convolutions")


def lively(network: nn.Module) -> None:
    """Weights that keep signals alive, and normalizations that do something."""
    stream = torch.Generator().manual_seed(7)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.weight.data.normal_(0, (2 / layer.weight[0].numel()) ** 0.5, generator=stream)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.2, generator=stream)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 1.5, generator=stream)  # type: ignore[union-attr]
            layer.weight.data.uniform_(0.7, 1.3, generator=stream)
            layer.bias.data.normal_(0, 0.2, generator=stream)
    network.eval()


def design(norm: Norm) -> TrunkDesign:
    return TrunkDesign(width=8, levels=2, before=1, after=2, norm=norm)


def seen(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


@torch.inference_mode()
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("batch", [1, 2])
def test_generators_make_the_same(norm: Norm, batch: int) -> None:
    for network, side in ((ResidualGenerator(5, 3, design(norm)), 20), (EnhancedGenerator(5, 3, design(norm)), 24)):
        lively(network)
        x, kept = seen(batch, 5, side, 32), {name: each.clone() for name, each in network.state_dict().items()}
        wanted = network(x)
        assert wanted.std() > 0.1
        assert apart(made_ready(network)(x), wanted) < TOLERANCE
        assert all(torch.equal(each, kept[name]) for name, each in network.state_dict().items())


@torch.inference_mode()
@pytest.mark.parametrize("norm", NORMS)
def test_composite_generators_make_the_same(norm: Norm) -> None:
    # All encoders in both sums, so that what one way changes in place the other would see.
    for moving in (None, (1, 2)):
        network = CompositeGenerator(CompositeDesign((2, 3, 6), moving, has_mask=True, trunk=design(norm)))
        lively(network)
        inputs, background = [seen(1, count, 16, 20) for count in (2, 3, 6)], seen(1, 3, 16, 20)
        # Smooth: where neighbours differ, the least difference of the flow would be seen.
        previous = torch.linspace(-1, 1, 20).expand(1, 3, 16, 20)
        ready = made_ready(network)
        wanted, found = network(inputs, previous, background), ready(inputs, previous, background)
        assert apart(found.picture, wanted.picture) < TOLERANCE
        # In pixels, of which a head says twenty for 1.
        assert apart(found.flow, wanted.flow) < 20 * TOLERANCE
        assert apart(found.mask, wanted.mask) < TOLERANCE


@torch.inference_mode()
def test_a_head_makes_odd_sides_too() -> None:
    network = ResidualGenerator(3, 4, design("instance"))
    lively(network)
    x = seen(1, 8, 9, 11)
    assert apart(made_ready(network).head(x), network.head(x)) < TOLERANCE


@torch.inference_mode()
def test_half_the_bits_are_nearly_as_good() -> None:
    network = ResidualGenerator(3, 3, design("batch"))
    lively(network)
    x = seen(1, 3, 16, 16)
    found = made_ready(network, torch.bfloat16)(x)
    assert found.dtype == torch.float32
    assert 0 < float((found - network(x)).abs().mean()) < 0.03


@torch.inference_mode()
def test_a_packed_enlarging_convolution_makes_what_lies_beyond() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)
    x = seen(1, 4, 5, 7)
    found = Convolution.of(layer)(x.contiguous(memory_format=torch.channels_last))
    assert found.shape[-2:] == (10, 14)
    assert apart(found, layer(x)) < TOLERANCE
