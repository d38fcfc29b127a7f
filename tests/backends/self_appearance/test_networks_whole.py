"""First order and articulated motion as whole networks: sizes, batches, gradients, and standing still."""

from __future__ import annotations

import pytest
import torch
from tests.backends.self_appearance.miniatures import articulated, first_order, pictures
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import Motion, MotionDesign
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign, Made
from retarget_cli.backends.self_appearance.generator import Generator, GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.sampling import coordinates
from retarget_cli.backends.self_appearance.skip_generator import SkipGenerator

Network = FirstOrder | Articulated


def run(network: Network, source: Tensor, driving: Tensor) -> Made:
    prepared = network.encode(source)
    if isinstance(network, FirstOrder):
        return network(prepared, network.detector(driving))
    return network(prepared, network.regions(driving), network.background(source, driving))


@pytest.mark.parametrize("build", [first_order, articulated])
@pytest.mark.parametrize(("count", "size"), [(3, (64, 96)), (10, (50, 77)), (1, (37, 64))])
@torch.inference_mode()
def test_any_size_and_any_number_of_keypoints(build: type[Network], count: int, size: tuple[int, int]) -> None:
    network = build(count)
    made = run(network, pictures(1, *size), pictures(2, *size, seed=2))
    small = tuple(-(-side // 4) for side in size)
    assert made.pictures.shape == (2, 3, *size)
    assert made.motion.flow.shape == (2, *small, 2)
    assert made.motion.coefficients.shape == (2, count + 1, *small)
    assert made.motion.warped.shape == (2, count + 1, 3, *small)
    assert made.motion.occlusion is not None
    assert made.motion.occlusion.shape == (2, 1, *small)
    torch.testing.assert_close(made.motion.coefficients.sum(1), torch.ones(2, *small))
    assert bool(((made.pictures >= 0) & (made.pictures <= 1)).all())


@pytest.mark.parametrize("build", [first_order, articulated])
@torch.inference_mode()
def test_a_batch_is_its_pictures_one_by_one(build: type[Network]) -> None:
    network, source, driving = build(), pictures(1, 48, 64), pictures(3, 48, 64, seed=2)
    whole = run(network, source, driving).pictures
    assert torch.equal(whole, run(network, source, driving).pictures)
    for row in range(3):
        alone = run(network, source, driving[row : row + 1]).pictures
        torch.testing.assert_close(whole[row : row + 1], alone, atol=2e-5, rtol=0)
    assert float((whole[0] - whole[1]).abs().max()) > 1e-4
    pairs = run(network, source.repeat(3, 1, 1, 1), driving).pictures
    torch.testing.assert_close(pairs, whole, atol=2e-5, rtol=0)


@pytest.mark.parametrize("build", [first_order, articulated])
@torch.inference_mode()
def test_a_picture_that_drives_itself_stands_still(build: type[Network]) -> None:
    picture = pictures(1, 48, 64)
    motion = run(build(), picture, picture).motion
    here = coordinates(*motion.flow.shape[1:3], motion.flow)
    torch.testing.assert_close(motion.flow[0], here, atol=1e-5, rtol=0)
    torch.testing.assert_close(motion.sparse[0], here.expand_as(motion.sparse[0]), atol=1e-5, rtol=0)


def still(size: tuple[int, int], occlusion: float | None = 1.0) -> Motion:
    """Everything stays; nothing else of a motion is looked at by generators."""
    flow = coordinates(*size, torch.zeros(1))[None]
    shown = None if occlusion is None else torch.full((1, 1, *size), occlusion)
    return Motion(flow, shown, *(torch.zeros(0) for _ in range(4)))


@torch.inference_mode()
def test_generators_under_no_motion_see_the_source_as_it_is() -> None:
    torch.manual_seed(0)
    design, picture = GeneratorDesign(width=4, depth=1), pictures(1, 24, 32)
    skipping, plain = SkipGenerator(design, True).eval(), Generator(design, True).eval()
    made = skipping.decode(skipping.encode(picture), still((24, 32)))
    torch.testing.assert_close(made, picture, atol=1e-5, rtol=0)
    source = plain.encode(picture)
    for motion in (still((6, 8)), still((6, 8), None)):
        torch.testing.assert_close(plain.moved(source, motion).levels[-1], source.levels[-1], atol=1e-5, rtol=0)
    assert not plain.moved(source, still((6, 8), 0.0)).levels[-1].any()


@torch.inference_mode()
def test_what_the_source_does_not_show_is_made_up() -> None:
    """With nothing shown, the skipping generator's result holds nothing of the source."""
    torch.manual_seed(0)
    network = SkipGenerator(GeneratorDesign(width=4, depth=1), True).eval()
    first, other = (network.decode(network.encode(each[None]), still((6, 8), 0.0)) for each in pictures(2, 24, 32))
    assert torch.equal(first, other)


@torch.inference_mode()
def test_the_other_reading_enlarges_a_little() -> None:
    """Staying in place under align_corners=False is off by up to half a pixel, and dark at the border."""
    torch.manual_seed(0)
    network, picture = SkipGenerator(GeneratorDesign(width=4, depth=1), False).eval(), pictures(1, 24, 32)
    made = network.decode(network.encode(picture), still((24, 32)))
    across, down = picture.diff(dim=-1).abs().max(), picture.diff(dim=-2).abs().max()
    off = (made - picture)[..., 1:-1, 1:-1].abs().max()
    assert 0.05 * across < off <= across / 2 + down / 2
    torch.testing.assert_close(made[..., 0, 0], picture[..., 0, 0] / 4)


@pytest.mark.parametrize("build", [first_order, articulated])
def test_gradients_reach_every_weight(build: type[Network]) -> None:
    network = build()
    network.train()
    if isinstance(network, Articulated):  # its last layer begins at zero, and lets nothing through
        nn.init.normal_(network.background.affine.weight, std=0.01)
    made = run(network, pictures(2), pictures(2, seed=2))
    made.pictures.square().mean().backward()
    # A bias before a normalization changes nothing, and AVD is trained by itself.
    dead = [
        name
        for name, weight in network.named_parameters()
        if not name.startswith("avd.") and (weight.grad is None or not bool(weight.grad.any()))
    ]
    assert dead == []
    assert all(bool(torch.isfinite(weight.grad).all()) for weight in network.parameters() if weight.grad is not None)


def test_counts_must_agree() -> None:
    with pytest.raises(ValueError, match="10 parts are found, 4 are moved"):
        FirstOrder(FirstOrderDesign(motion=MotionDesign(count=4)))
    with pytest.raises(ValueError, match="10 parts are found, 4 are moved"):
        Articulated(ArticulatedDesign(motion=MotionDesign("articulated", count=4)))
    with pytest.raises(ValueError, match="0, 1 or 10"):
        DetectorDesign(jacobians=2)


@pytest.mark.parametrize("build", [first_order, articulated])
@torch.inference_mode()
def test_half_precision_leaves_places_whole(build: type[Network]) -> None:
    """Eight bits are too few for a place in a picture: only convolutions may lose some."""
    network, source, driving = build(), pictures(1), pictures(2, seed=2)
    parts = network.detector if isinstance(network, FirstOrder) else network.regions
    prepared, moved = network.encode(source), parts(driving)
    whole = network(prepared, moved)
    with torch.autocast("cpu", torch.bfloat16):
        halved, places = network(prepared, moved), parts(driving).place
    assert places.dtype == halved.motion.flow.dtype == torch.float32
    torch.testing.assert_close(halved.motion.sparse, whole.motion.sparse)
    torch.testing.assert_close(halved.pictures.float(), whole.pictures, atol=0.05, rtol=0)
    assert not torch.equal(halved.pictures.float(), whole.pictures)
