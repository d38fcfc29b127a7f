"""Networks with random weights: the public files' keys and shapes, and what an inference must keep to.

Parameter counts are those that torchvision, torchreid, facenet-pytorch and pytorch-i3d give, less the classifiers that
are left out here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.networks.filling import filled, picture
from torch import Tensor, nn

from retarget_cli.networks.classic import alexnet, vgg
from retarget_cli.networks.i3d import I3D, _padded
from retarget_cli.networks.inception_fid import FidInception, _mean_pool, resize_like_tensorflow
from retarget_cli.networks.inception_resnet import InceptionResnetV1
from retarget_cli.networks.lpips import ALEXNET_CHANNELS, VGG_CHANNELS, LpipsHeads
from retarget_cli.networks.osnet import OSNet

BUILD: dict[str, Callable[[], nn.Module]] = {
    "alexnet": alexnet,
    "vgg16": lambda: vgg(16),
    "vgg19": lambda: vgg(19),
    "osnet": OSNet,
    "face": InceptionResnetV1,
    "inception": FidInception,
    "i3d": I3D,
}
PARAMETERS = {
    "alexnet": 61_100_840 - 58_631_144,
    "vgg16": 138_357_544 - 123_642_856,
    "vgg19": 143_667_240 - 123_642_856,
    "osnet": 2_170_021 - 513,
    "face": 23_482_624,
    "inception": 23_834_568 - 2_049_000,
    "i3d": 12_697_264,
}
SHAPES = {
    "alexnet": {"features.0.weight": (64, 3, 11, 11), "features.3.weight": (192, 64, 5, 5), "features.10.bias": (256,)},
    "vgg16": {"features.0.weight": (64, 3, 3, 3), "features.28.weight": (512, 512, 3, 3), "features.7.bias": (128,)},
    "vgg19": {"features.16.weight": (256, 256, 3, 3), "features.34.weight": (512, 512, 3, 3)},
    "osnet": {
        "conv1.conv.weight": (64, 3, 7, 7),
        "conv2.0.conv2a.conv1.weight": (64, 64, 1, 1),
        "conv2.0.conv2d.3.conv2.weight": (64, 1, 3, 3),
        "conv2.0.gate.fc1.weight": (4, 64, 1, 1),
        "conv2.0.downsample.conv.weight": (256, 64, 1, 1),
        "conv2.2.0.conv.weight": (256, 256, 1, 1),
        "conv4.1.conv3.bn.running_var": (512,),
        "fc.0.weight": (512, 512),
        "fc.1.running_mean": (512,),
    },
    "face": {
        "conv2d_4b.conv.weight": (256, 192, 3, 3),
        "repeat_1.4.branch2.2.conv.weight": (32, 32, 3, 3),
        "repeat_1.0.conv2d.bias": (256,),
        "mixed_6a.branch1.2.bn.weight": (256,),
        "repeat_2.9.branch1.1.conv.weight": (128, 128, 1, 7),
        "mixed_7a.branch2.2.conv.weight": (256, 256, 3, 3),
        "block8.branch1.2.conv.weight": (192, 192, 3, 1),
        "last_linear.weight": (512, 1792),
        "last_bn.running_mean": (512,),
    },
    "inception": {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_5b.branch_pool.bn.weight": (32,),
        "Mixed_6a.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6c.branch7x7dbl_4.conv.weight": (160, 160, 7, 1),
        "Mixed_6e.branch7x7_2.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_1.conv.weight": (448, 2048, 1, 1),
        "Mixed_7c.branch_pool.bn.running_var": (192,),
    },
    "i3d": {
        "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
        "Mixed_3b.b1b.conv3d.weight": (128, 96, 3, 3, 3),
        "Mixed_4f.b3b.bn.running_mean": (128,),
        "Mixed_5c.b2b.conv3d.weight": (128, 48, 3, 3, 3),
        "logits.conv3d.weight": (400, 1024, 1, 1, 1),
        "logits.conv3d.bias": (400,),
    },
}
KEYS = {"alexnet": 10, "vgg16": 26, "vgg19": 32, "osnet": 565, "i3d": 344}
INPUTS = {
    "alexnet": (3, 64, 64),
    "vgg16": (3, 32, 32),
    "vgg19": (3, 32, 32),
    "osnet": (3, 256, 128),
    "face": (3, 160, 160),
    "inception": (3, 40, 30),
    "i3d": (3, 9, 224, 224),
}
OUTPUTS = {"osnet": (512,), "face": (512,), "inception": (2048,), "i3d": (400,)}
MAPS = {
    "alexnet": [(64, 15), (192, 7), (384, 3), (256, 3), (256, 3)],
    "vgg16": [(64, 32), (128, 16), (256, 8), (512, 4), (512, 2)],
    "vgg19": [(64, 32), (128, 16), (256, 8), (512, 4), (512, 2)],
}


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(1)
    found = {name: build().eval() for name, build in BUILD.items()}
    for network in found.values():
        for part in network.modules():
            if isinstance(part, (nn.Conv2d, nn.Conv3d)):  # torch's own start lets a picture's traces die out
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return found


@pytest.mark.parametrize("name", BUILD)
def test_keys_and_shapes_are_those_of_the_public_files(networks: dict[str, nn.Module], name: str) -> None:
    state = networks[name].state_dict()
    assert {key: tuple(state[key].shape) for key in SHAPES[name]} == SHAPES[name]
    assert sum(parameter.numel() for parameter in networks[name].parameters()) == PARAMETERS[name]
    assert len(state) == KEYS.get(name, len(state))


def flat(found: Tensor | list[Tensor]) -> Tensor:
    return torch.cat([part.flatten(1) for part in found], dim=1) if isinstance(found, list) else found


# What others make of the same weights and the same picture: three numbers, the mean and the deviation of all.
REFERENCES = {
    "osnet": ((210222.90625, 0.0, 0.0), 31881.79, 50618.98),  # torchreid 0.2.5
    "face": ((-0.124453, 0.017444, -0.033467), -0.001948948, 0.04419436),  # facenet-pytorch 2.6.0
    "inception": ((9.711504, 0.089186, 0.0), 4.642387, 6.338975),  # torch-fidelity 0.4.0, its resize included
    "i3d": ((-12.542131, 9.649895, -2.294632), 0.7350174, 11.9652),  # cd-fvd 0.1.1 with epsilon 1e-3
    "i3d-kinetics": ((-12.659988, 9.743327, -2.321813), 0.742148, 12.08376),  # cd-fvd 0.1.1
}


def seen(name: str) -> Tensor:
    """The reference's picture, as the network takes it."""
    if name == "osnet":
        return (picture((1, 3, 256, 128)) - 0.5) / 0.25
    if name == "face":
        return picture((1, 3, 160, 160)) * 2 - 1
    if name == "inception":
        return (picture((1, 3, 120, 200)) * 255).to(torch.uint8)
    return picture((1, 3, 16, 224, 224)) * 2 - 1


@pytest.mark.parametrize("name", REFERENCES)
def test_the_same_numbers_as_the_public_implementations(name: str) -> None:
    network = (I3D(1e-5) if name == "i3d-kinetics" else BUILD[name]()).eval()
    network.load_state_dict(filled(network.state_dict()), strict=False)
    with torch.inference_mode():
        found = network(seen(name)).flatten()
    first, mean, deviation = REFERENCES[name]
    assert found[:3].tolist() == pytest.approx(first, rel=1e-4, abs=1e-5)
    assert float(found.mean()) == pytest.approx(mean, rel=1e-4)
    assert float(found.std()) == pytest.approx(deviation, rel=1e-4)


@pytest.mark.parametrize("name", [name for name in BUILD if name != "vgg19"])
def test_each_picture_has_its_own_result_and_always_the_same(networks: dict[str, nn.Module], name: str) -> None:
    random = torch.Generator().manual_seed(2)
    pictures = torch.rand(2, *INPUTS[name], generator=random) * (255 if name == "inception" else 1)
    with torch.inference_mode():
        both, alone, again = (networks[name](part) for part in (pictures, pictures[1:], pictures[1:]))
    if name in OUTPUTS:
        assert both.shape == (2, *OUTPUTS[name])
    else:
        assert [tuple(part.shape[1:3]) for part in both] == MAPS[name]
    assert torch.equal(flat(alone), flat(again))
    assert torch.allclose(flat(both)[1:], flat(alone), rtol=1e-3, atol=1e-5)
    assert not torch.allclose(flat(both)[:1], flat(alone), rtol=1e-3, atol=1e-5)


def test_faces_have_unit_length(networks: dict[str, nn.Module]) -> None:
    with torch.inference_mode():
        found = networks["face"](torch.randn(1, 3, 160, 160))
    assert float(found.norm()) == pytest.approx(1, abs=1e-5)


def test_taps_can_be_chosen() -> None:
    found = vgg(19, taps=(1, 6))(torch.rand(1, 3, 32, 32))
    assert [tuple(part.shape) for part in found] == [(1, 64, 32, 32), (1, 128, 16, 16)]
    assert all(bool((part >= 0).all()) for part in found)


def test_tensorflows_resize_by_hand() -> None:
    """Twice as large: every other pixel is the old one, those between are means, and the last repeats."""
    row = torch.tensor([[0.0, 10.0, 40.0]])
    assert resize_like_tensorflow(row.view(1, 1, 1, 3).expand(1, 1, 3, 3), 6)[0, 0, 0].tolist() == [
        0,
        5,
        10,
        25,
        40,
        40,
    ]
    # Smaller by 3 / 2: read at 0 and 1.5.
    assert resize_like_tensorflow(row.view(1, 1, 1, 3).expand(1, 1, 3, 3), 2)[0, 0, 1].tolist() == [0, 25]
    picture = torch.rand(1, 3, 7, 7)
    assert torch.equal(resize_like_tensorflow(picture, 7), picture)


def test_means_leave_the_padding_out() -> None:
    assert torch.equal(_mean_pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_padding_is_tensorflows_same() -> None:
    """Stride 2, kernel 7: 8 frames get 5 zeros, 2 before and 3 behind; 9 get 6."""
    one = torch.ones(1, 1, 8, 9, 1)
    padded = _padded(one, (7, 7, 1), (2, 2, 1))
    assert padded.shape == (1, 1, 13, 15, 1)
    assert padded[0, 0, :, 7, 0].tolist() == [0] * 2 + [1] * 8 + [0] * 3
    assert padded[0, 0, 6, :, 0].tolist() == [0] * 3 + [1] * 9 + [0] * 3


@pytest.mark.parametrize("channels", [ALEXNET_CHANNELS, VGG_CHANNELS])
def test_heads_have_the_keys_of_the_original(channels: tuple[int, ...]) -> None:
    state = LpipsHeads(channels).state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == {
        f"lin{index}.model.1.weight": (1, count, 1, 1) for index, count in enumerate(channels)
    }
