"""Networks that are made ready for many frames make what the plain ones make."""

from __future__ import annotations

import pytest
import torch
from tests.backends.self_appearance.miniatures import COUNT, articulated, first_order, pictures
from torch import Tensor, nn

from retarget_cli.backends.self_appearance import fast
from retarget_cli.backends.self_appearance.appearance import AppearanceDesign
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.backend import FirstOrderBackend
from retarget_cli.backends.self_appearance.blocks import Residual, Same, Up
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.evolution import EvolutionOptions, Solver
from retarget_cli.backends.self_appearance.fast import laid_out, made_ready
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.initial_motion import Kind
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign, Keypoints
from retarget_cli.backends.self_appearance.model import SelfAppearance, SelfAppearanceDesign
from retarget_cli.backends.self_appearance.options import FirstOrderOptions
from retarget_cli.backends.self_appearance.performer import FirstOrderPuppet
from retarget_cli.backends.self_appearance.regions import Regions
from retarget_cli.backends.self_appearance.rows import gathered
from retarget_cli.backends.self_appearance.sampling import coordinates, warped
from retarget_cli.core.errors import UsageError
from retarget_cli.networks.packed import RowConvolution

Network = FirstOrder | Articulated | SelfAppearance
SIZES = [(64, 64), (50, 77), (100, 36)]
TOLERANCE = 5e-5

pytestmark = pytest.mark.usefixtures("no_gradients")


def lively(network: Network) -> Network:
    """Normalizations that do something, and last layers that are not as they began."""
    stream = torch.Generator().manual_seed(7)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.2, generator=stream)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.1, 0.6, generator=stream)  # type: ignore[union-attr]
            layer.weight.uniform_(0.7, 1.3, generator=stream)
            layer.bias.normal_(0, 0.2, generator=stream)
        elif isinstance(layer, nn.Conv2d) and not bool(layer.weight.any()):
            layer.weight.normal_(0, 0.02, generator=stream)
    network.generator.colour.weight.mul_(4)
    return network.eval()


def self_appearance(
    kind: Kind = "displacements", evolution: Solver = "rk4", has_appearance: bool = True
) -> SelfAppearance:
    torch.manual_seed(0)
    design = SelfAppearanceDesign(
        DetectorDesign(COUNT, width=4, levels=3, jacobians=COUNT if kind == "first-order" else 0),
        MotionDesign(kind, COUNT, width=8, levels=3, has_occlusion=kind == "articulated"),
        GeneratorDesign(width=8, depth=1),
        EvolutionOptions(evolution, steps=2),
        AppearanceDesign(width=4, levels=2) if has_appearance else None,
    )
    return SelfAppearance(design)


def found(network: Network, shown: Tensor) -> Keypoints | Regions:
    return network.regions(shown) if isinstance(network, Articulated) else network.detector(shown)


def check(network: Network, size: tuple[int, int], references: int = 0) -> None:
    """The plain and the ready one, of the same parts; and the parts that both find."""
    views, driving = pictures(1 + references, *size), pictures(3, *size, seed=2)
    ready, parts = made_ready(network), found(network, driving)
    encoded = [network.encode(view[None]) for view in views]
    laid = [laid_out(each) for each in encoded]
    if isinstance(network, SelfAppearance):
        wanted, made = network(encoded, parts).pictures, ready(laid, parts).pictures
    else:
        wanted, made = network(encoded[0], parts).pictures, ready(laid[0], parts).pictures
    assert float(wanted.std()) > 0.02
    assert float((wanted[0] - wanted[1]).abs().max()) > 0.01
    torch.testing.assert_close(made, wanted, atol=TOLERANCE, rtol=0)
    again = found(ready, driving)
    torch.testing.assert_close(again.place, parts.place, atol=TOLERANCE, rtol=0)
    if isinstance(again, Regions):
        assert isinstance(parts, Regions)
        torch.testing.assert_close(again.covariance, parts.covariance, atol=TOLERANCE, rtol=0)
    elif again.jacobian is not None:
        torch.testing.assert_close(again.jacobian, parts.jacobian, atol=TOLERANCE, rtol=0)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("build", [first_order, articulated])
def test_the_same_pictures(build: type[Network], size: tuple[int, int]) -> None:
    check(lively(build()), size)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize(
    ("kind", "evolution", "has_appearance", "references"),
    [
        ("displacements", "rk4", True, 2),
        ("displacements", "off", True, 0),
        ("first-order", "off", False, 1),
        ("articulated", "euler", True, 1),
    ],
)
@pytest.mark.parametrize("size", SIZES[1:])
def test_the_same_pictures_of_self_appearance(
    kind: Kind, evolution: Solver, has_appearance: bool, references: int, size: tuple[int, int]
) -> None:
    check(lively(self_appearance(kind, evolution, has_appearance)), size, references)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("size", [(2, 2), (5, 6), (8, 8), (9, 13)])
def test_doubling_by_a_convolution_that_enlarges(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    layer, features = Up(16, 8).eval(), torch.randn(2, 16, *size)
    ready = fast._FastUp(layer, torch.float32)
    height, width = size
    for wanted in (None, (2 * height, 2 * width), (2 * height - 1, 2 * width), (2 * height, 2 * width - 1)):
        torch.testing.assert_close(ready(features, wanted), layer(features, wanted), atol=1e-5, rtol=0)


@pytest.mark.usefixtures("convolutions")
@pytest.mark.parametrize("side", [1, 3])
def test_small_pictures_as_a_product_of_matrices(side: int) -> None:
    torch.manual_seed(1)
    layer, features = nn.Conv2d(12, 7, side, padding=side // 2), torch.randn(3, 12, 4, 5)
    assert layer.bias is not None
    ready = RowConvolution(layer.weight, layer.bias)
    torch.testing.assert_close(ready(features), layer(features), atol=1e-5, rtol=0)
    torch.testing.assert_close(ready(features[:1], rectified=True), layer(features[:1]).relu(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("views", [1, 2])
def test_features_read_by_rows(align_corners: bool, views: int) -> None:
    torch.manual_seed(1)
    features, small = torch.randn(views, 16, 12, 9), coordinates(5, 7, torch.zeros(1))
    flow = 1.4 * small + 0.3 * torch.randn(2, 5, 7, 2)
    flow[0, 1, 1], flow[1, 2, 3] = 1e9, -1e9
    wanted = warped(features, flow, align_corners)
    torch.testing.assert_close(gathered(features, flow, align_corners), wanted, atol=1e-5, rtol=0)
    assert bool((wanted == 0).any())
    flow = torch.full((2, 12, 9, 2), torch.nan)
    assert not bool(gathered(features, flow, align_corners).any())


def test_networks_stay_as_they_are() -> None:
    network = lively(first_order())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    ready = made_ready(network)
    source, parts = network.encode(pictures(1)), network.detector(pictures(2, seed=2))
    wanted = network(source, parts).pictures
    kept = source.encoded.levels[-1].clone()
    ready(laid_out(source), parts)
    assert torch.equal(source.encoded.levels[-1], kept)
    assert torch.equal(network(source, parts).pictures, wanted)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.generator.read is warped
    assert any(isinstance(layer, Residual) for layer in network.modules())
    left = [layer for layer in ready.modules() if isinstance(layer, Same | Residual)]
    assert left == [ready.generator.first, *ready.generator.down]


@pytest.mark.parametrize("build", [first_order, articulated, self_appearance])
def test_half_precision_paints_alone(build: type[Network]) -> None:
    network, views, driving = lively(build()), pictures(1), pictures(3, seed=2)
    full, half = made_ready(network), made_ready(network, "bf16")
    parts = found(full, driving)
    assert torch.equal(found(half, driving).place, parts.place)
    source = laid_out(network.encode(views))
    wanted, made = (
        each([source], parts) if isinstance(each, SelfAppearance) else each(source, parts) for each in (full, half)
    )
    assert torch.equal(made.motion.flow, wanted.motion.flow)
    apart = (made.pictures.float() - wanted.pictures).abs()
    assert 1e-5 < float(apart.max()) < 0.03
    assert float(apart.mean()) < 0.004


def test_precision_is_an_option() -> None:
    settings = {"weights": "none", "keypoints": 2, "width": 8, "most": 16, "resolution": 32}
    views, driving = pictures(1, 32, 32), pictures(2, 32, 32, seed=2)
    full = FirstOrderBackend(FirstOrderOptions(**settings), torch.device("cpu"))  # type: ignore[arg-type]
    half = FirstOrderBackend(FirstOrderOptions(**settings, precision="bf16"), torch.device("cpu"))  # type: ignore[arg-type]
    half.network = full.network
    puppets = [each.puppet(views) for each in (full, half)]
    wanted, made = (each.made(each.parts(driving), driving) for each in puppets)
    assert not torch.equal(wanted, made)
    assert torch.equal(made, FirstOrderPuppet(full.network, views, "bf16").made(puppets[0].parts(driving), driving))
    with pytest.raises(UsageError, match="precision=fp16"):
        FirstOrderOptions(precision="fp16")
