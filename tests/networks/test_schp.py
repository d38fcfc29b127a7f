"""SCHP's human parser with generated weights: the public files' names and shapes, and what an inference must keep to.

The counts are those of the released checkpoint of 20 labels.
"""

from __future__ import annotations

import pytest
import torch
from tests.networks.filling import picture
from torch import nn

from retarget_cli.networks.schp import HumanParser, Normed

PARAMETERS = 66_723_928
SHAPES = {
    "conv1.weight": (64, 3, 3, 3),
    "bn3.running_var": (128,),
    "layer1.0.downsample.0.weight": (256, 128, 1, 1),
    "layer1.0.downsample.1.bias": (256,),
    "layer3.22.conv2.weight": (256, 256, 3, 3),
    "layer4.2.bn3.weight": (2048,),
    "context_encoding.stages.3.1.weight": (512, 2048, 1, 1),
    "context_encoding.stages.3.2.running_mean": (512,),
    "context_encoding.bottleneck.0.weight": (512, 4096, 3, 3),
    "edge.conv3.0.weight": (256, 1024, 1, 1),
    "edge.conv4.bias": (2,),
    "edge.conv5.weight": (2, 6, 1, 1),
    "decoder.conv2.0.weight": (48, 256, 1, 1),
    "decoder.conv3.2.weight": (256, 256, 1, 1),
    "decoder.conv3.3.running_var": (256,),
    "decoder.conv4.weight": (20, 256, 1, 1),
    "fushion.0.weight": (256, 1024, 1, 1),
    "fushion.1.bias": (256,),
    "fushion.3.weight": (20, 256, 1, 1),
}


@pytest.fixture(scope="module")
def small() -> HumanParser:
    torch.manual_seed(0)
    return HumanParser(18, blocks=(1, 1, 1, 2)).eval().requires_grad_(False)


def test_names_and_shapes_are_those_of_the_public_files() -> None:
    with torch.device("meta"):
        network = HumanParser(20)
    state = network.state_dict()
    assert {name: tuple(state[name].shape) for name in SHAPES} == SHAPES
    assert sum(each.numel() for each in network.parameters()) == PARAMETERS
    # In-place activated normalization counts no batches.
    assert not [name for name in state if "num_batches" in name]
    assert {name.partition(".")[0] for name in state} == {
        *("conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "layer1", "layer2", "layer3", "layer4"),
        *("context_encoding", "edge", "decoder", "fushion"),
    }


def test_normalization_scales_by_the_size_of_its_weight() -> None:
    usual, own = nn.BatchNorm2d(6).eval(), Normed(6).eval()
    for module in (usual, own):
        module.running_mean.copy_(torch.linspace(-1, 1, 6))  # type: ignore[operator, union-attr]
        module.running_var.copy_(torch.linspace(0.5, 2, 6))  # type: ignore[operator, union-attr]
    with torch.no_grad():
        usual.weight.copy_(torch.linspace(0.2, 1, 6))
        own.weight.copy_(usual.weight * torch.tensor([1, -1, 1, -1, 1, -1]))
    seen = picture((1, 6, 8, 8)) * 4 - 2
    expected = nn.functional.leaky_relu(usual(seen), 0.01)
    assert torch.allclose(own(seen), expected, atol=1e-4)
    assert (own(seen) < 0).any()
    linear = Normed(6, is_linear=True).eval()
    linear.load_state_dict(own.state_dict())
    assert torch.allclose(linear(seen), usual(seen), atol=1e-4)


@pytest.mark.parametrize("size", [(64, 64), (73, 65)])
def test_scores_come_at_a_quarter_of_the_picture(small: HumanParser, size: tuple[int, int]) -> None:
    scores = small(picture((2, 3, *size)) * 2 - 1)
    assert scores.shape == (2, 18, (size[0] + 3) // 4, (size[1] + 3) // 4)
    assert torch.isfinite(scores).all()


def test_the_last_stage_looks_farther_instead_of_shrinking(small: HumanParser) -> None:
    seen = {}
    for name in ("layer3", "layer4"):
        getattr(small, name).register_forward_hook(lambda _, __, out, name=name: seen.update({name: out.shape[2:]}))
    small(picture((1, 3, 64, 64)))
    assert seen["layer3"] == seen["layer4"] == (4, 4)
    assert small.layer4[1].conv2.dilation == (2, 2)


def test_pictures_do_not_depend_on_their_neighbours(small: HumanParser) -> None:
    both = picture((2, 3, 64, 64))
    assert torch.allclose(small(both)[1:], small(both[1:]), atol=1e-5)
